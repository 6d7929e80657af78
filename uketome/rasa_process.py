"""Rasa as a process of its own: trained, started on loopback with a token, watched, restarted, stopped."""

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time

import structlog

from bot.dialogue import Rasa
from storage.settings import ROOT, Settings

log = structlog.get_logger()

PYTHON = ROOT / ".venv-rasa/bin/python"
PROJECT = ROOT / "bot/rasa"
LOOK_EVERY_S = 2.0
#: A start takes some seconds (TensorFlow is imported); a minute and a half is broken.
START_S = 90.0
#: A process that runs but does not answer this long (frozen, stuck) is ended and started anew.
SILENT_S = 20.0
WAIT_AT_MOST_S = 30.0


def train(settings: Settings) -> int:
    """Trains Rasa's model where something changed; the exit status of the training."""
    if not PYTHON.exists():
        print("uketome: Rasa's environment is missing: run `make setup`.", file=sys.stderr)
        return 2
    return subprocess.run([PYTHON, PROJECT / "train.py"], env=_environment(settings, ""), check=False).returncode


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RasaProcess:
    """One Rasa server. `watch` runs until cancelled and keeps it alive; `stop` ends it."""

    def __init__(self, settings: Settings, rasa: Rasa) -> None:
        self._settings, self._rasa = settings, rasa
        self._token = settings.rasa_token or secrets.token_urlsafe(24)
        self._process: asyncio.subprocess.Process | None = None

    async def watch(self) -> None:
        """Starts Rasa, looks after it, starts it again when it ended or fell silent."""
        if not PYTHON.exists():
            log.error("rasa.environment_missing", repair="make setup")
            return
        wait = 1.0
        while True:
            began = time.monotonic()
            try:
                await self._start()
                await self._until_lost()
            except OSError as error:  # no memory for a process, no room for its log: that may pass
                log.error("rasa.not_started", error=type(error).__name__)
            await self.stop()
            # What dies at once is tried again ever more slowly; what ran well is back at once.
            wait = 1.0 if time.monotonic() - began > START_S else min(wait * 2, WAIT_AT_MOST_S)
            log.warning("rasa.lost", again_in_s=wait)
            await asyncio.sleep(wait)

    async def stop(self) -> None:
        """Ends the process: asked first, then not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _start(self) -> None:
        trained = await asyncio.create_subprocess_exec(
            PYTHON, PROJECT / "train.py", env=_environment(self._settings, self._token), stdout=subprocess.DEVNULL,
            preexec_fn=_die_with_parent,
        )  # fmt: skip
        if await trained.wait():
            log.error("rasa.not_trained")
        # A port of its own for each start: the last one may have been taken meanwhile, and would get our token.
        port = free_port()
        self._rasa.use(f"http://127.0.0.1:{port}", self._token)
        log_file = self._settings.var_dir / "rasa.log"
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                PYTHON, PROJECT / "serve.py", "--port", str(port), env=_environment(self._settings, self._token),
                stdout=output, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent,
            )  # fmt: skip
        log.info("rasa.started", pid=self._process.pid)

    async def _until_lost(self) -> None:
        """Returns when the process has ended, or has not answered for too long."""
        assert self._process
        patience = time.monotonic() + START_S
        while self._process.returncode is None and time.monotonic() < patience:
            if await self._rasa.ready():
                patience = time.monotonic() + SILENT_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), LOOK_EVERY_S)


def _environment(settings: Settings, token: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "RASA_TOKEN": token,
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_TRACKER_URL": f"sqlite:///{settings.var_dir / 'rasa' / 'conversations.db'}",
    }


def _die_with_parent() -> None:
    """A service that is killed must not leave its Rasa behind (Linux; elsewhere the next start takes a new port)."""
    if sys.platform == "linux":
        parent_death_signal = 1
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)

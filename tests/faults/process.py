"""The service as a process of its own: started, killed, frozen and stopped from outside, its output kept."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Self

from storage.settings import ROOT

COMMAND = [sys.executable, "-m", "uketome"]
START_S = 60.0


class ServiceProcess:
    """`uketome serve` (or another command) on a port that stays the same from start to start."""

    def __init__(self, settings: Mapping[str, str], command: str = "serve", port: int | None = None) -> None:
        self.port = port or free_port()
        self._settings, self._command = dict(settings), command
        self._process: asyncio.subprocess.Process | None = None
        self._reading: list[asyncio.Task[None]] = []
        self.said: list[str] = []
        self.logged: list[str] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process
        return self._process.pid

    async def start(self) -> None:
        """Starts it; returns when it says that it is ready."""
        self._process = await asyncio.create_subprocess_exec(
            *COMMAND,
            self._command,
            cwd=ROOT,
            env=environment({**self._settings, "UKETOME_PORT": str(self.port)}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        ready = asyncio.Event()
        assert self._process.stdout
        assert self._process.stderr
        self._reading = [
            asyncio.create_task(_keep(self._process.stdout, self.said, ready)),
            asyncio.create_task(_keep(self._process.stderr, self.logged)),
        ]
        ended = asyncio.create_task(self._process.wait())
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({ended, waiting}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        if not ready.is_set():
            await self.kill()
            raise RuntimeError("the service did not start: " + "\n".join(self.logged[-20:]))
        ended.cancel()

    async def kill(self) -> None:
        """SIGKILL: no chance to finish anything."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._ended()

    async def stop(self) -> float:
        """SIGTERM; the seconds until it had ended by itself."""
        assert self._process
        began = time.monotonic()
        self._process.terminate()
        await self._ended()
        return time.monotonic() - began

    @property
    def returncode(self) -> int | None:
        """The exit status, once it has ended."""
        return self._process.returncode if self._process else None

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def child(self, part: str) -> int | None:
        """The pid of its child process whose command line has this part (Linux)."""
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError):
                parent = int(entry.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent == self.pid and part in entry.joinpath("cmdline").read_text():
                    return int(entry.name)
        return None

    def memory_mb(self) -> float:
        """Resident memory (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    async def _ended(self) -> None:
        assert self._process
        await self._process.wait()
        await asyncio.gather(*self._reading)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without its own settings, with these."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("UKETOME_")}
    return {**own, "PYTHONUNBUFFERED": "1", **settings}


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def another_process_holds(path: Path) -> AsyncIterator[None]:
    """Another process has the SQLite file locked until the block ends."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout
    assert holder.stdin
    await holder.stdout.readline()
    try:
        yield
    finally:
        holder.stdin.close()
        await holder.wait()


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


async def _keep(stream: asyncio.StreamReader, lines: list[str], ready: asyncio.Event | None = None) -> None:
    async for line in stream:
        lines.append(line.decode(errors="replace").rstrip("\n"))
        if ready and lines[-1].startswith("ready"):
            ready.set()

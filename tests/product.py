"""The whole product as a process of its own, started as a town starts it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform
from uketome.rasa_process import free_port


class Product:
    """`uketome run`, as a process of its own, with LINE pointed at the stand-in."""

    def __init__(self, folder: Path, line: LinePlatform) -> None:
        self._folder, self._line, self._port = folder, line, free_port()
        self.address = f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Returns when it has said `ready`."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command, "run", env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout
        line = b""
        while not line.startswith(b"ready"):
            line = await asyncio.wait_for(self._process.stdout.readline(), 60)
            assert line, "it ended before it was ready"

    async def invitation(self) -> str:
        """The one-use link that the first start prints after `ready`."""
        assert self._process.stdout
        line = await asyncio.wait_for(self._process.stdout.readline(), 10)
        return line.decode().split()[-1].replace("localhost", "127.0.0.1")

    async def rasa_is_ready(self, http: httpx.AsyncClient) -> None:
        """Waits until Rasa speaks, not the reception."""
        async with asyncio.timeout(90):
            while not (await http.get("/readyz")).json().get("rasa"):
                assert self._process.returncode is None

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), 20)

    async def do(self, *arguments: str, stdin: str = "") -> str:
        """Another command on the same database; what it printed."""
        command = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await command.communicate(stdin.encode())
        assert command.returncode == 0
        return printed.decode().strip()

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "uketome"]

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "UKETOME_PORT": str(self._port),
            "UKETOME_VAR_DIR": str(self._folder),
            "UKETOME_LINE_CHANNEL_SECRET": CHANNEL_SECRET,
            "UKETOME_LINE_CHANNEL_ACCESS_TOKEN": CHANNEL_TOKEN,
            "UKETOME_LINE_API_BASE": self._line.base_url,
        }

"""What is measured, as processes: the product, and bare Rasa as somebody would run it by itself; and who loads them."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.measure import children
from storage.settings import ROOT
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN
from uketome.rasa_process import PROJECT, PYTHON, free_port

START_S = 180.0
TOKEN = "bench-token"
PEER_MODEL = ROOT / "var/rasa/peer.tar.gz"
OUR_MODEL = ROOT / "var/rasa/model.tar.gz"
UKETOME = Path(sys.executable).parent / "uketome"


@dataclass
class Product:
    """A running `uketome run` in a folder of its own, whose LINE is at `line_port`."""

    process: subprocess.Popen[bytes]
    port: int
    line_port: int
    folder: Path

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook(self) -> str:
        """Where LINE posts."""
        return f"{self.url}/line/webhook"

    @property
    def database(self) -> Path:
        """Its SQLite file."""
        return self.folder / "uketome.db"

    @property
    def rasa_pid(self) -> int:
        """The Rasa that it has started."""
        return children(self.process.pid)[0]


@contextlib.contextmanager
def product(folder: Path, *, wait_for_rasa: bool = True) -> Iterator[Product]:
    """The product with an empty database under `folder`; ready when the block begins."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port, line_port = free_port(), free_port()
    environment = {
        "UKETOME_VAR_DIR": str(folder),
        "UKETOME_DATABASE_URL": "",
        "UKETOME_PORT": str(port),
        "UKETOME_RASA_URL": "",
        "UKETOME_LINE_CHANNEL_SECRET": CHANNEL_SECRET,
        "UKETOME_LINE_CHANNEL_ACCESS_TOKEN": CHANNEL_TOKEN,
        "UKETOME_LINE_API_BASE": f"http://127.0.0.1:{line_port}",
    }
    with running([str(UKETOME), "run"], folder / "service.log", environment) as process:
        made = Product(process, port, line_port, folder)
        until(process, lambda: rasa_ready(made.url) if wait_for_rasa else alive(made.url))
        yield made


@contextlib.contextmanager
def bare_rasa(model: Path, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`rasa run` with its REST channel open and its tracker in memory; (process, address)."""
    port = free_port()
    credentials = log.with_suffix(".credentials.yml")
    credentials.parent.mkdir(parents=True, exist_ok=True)
    credentials.write_text("rest:\n")
    endpoints = log.with_suffix(".endpoints.yml")
    endpoints.write_text("{}\n")
    command = [
        str(PYTHON), "-m", "rasa", "run", "--model", str(model), "--credentials", str(credentials),
        "--endpoints", str(endpoints), "--interface", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    with running(command, log, {"PYTHONPATH": str(PROJECT), "RASA_TELEMETRY_ENABLED": "false"}) as process:
        until(process, lambda: alive(f"http://127.0.0.1:{port}/webhooks/rest/", whole=True))
        yield process, f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def our_rasa(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Rasa as the product starts it, alone; (process, address). Its bearer is TOKEN."""
    port = free_port()
    command = [str(PYTHON), str(PROJECT / "serve.py"), "--port", str(port), "--model", str(OUR_MODEL)]
    environment = {"RASA_TOKEN": TOKEN, "RASA_TRACKER_URL": f"sqlite:///{folder / 'rasa.db'}"}
    with running(command, folder / "our-rasa.log", environment) as process:
        until(process, lambda: alive(f"http://127.0.0.1:{port}/webhooks/rest/", whole=True))
        yield process, f"http://127.0.0.1:{port}"


def train_peer() -> None:
    """Rasa's recommended pipeline over the same examples, rules and stories; nothing to do where nothing changed."""
    command = [PYTHON, PROJECT / "train.py", "--config", PROJECT / "peer/config.yml", "--model", PEER_MODEL]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


class Driver:
    """A load driver in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._answer()

    def do(self, what: str, **how: Any) -> dict[str, Any]:
        """Asks for a piece of work and waits for its result; bench/driver.py has them."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": what, **how}).encode() + b"\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the load driver ended; what it said stands above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.contextmanager
def driver(*arguments: str) -> Iterator[Driver]:
    """A load driver until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.driver", *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield Driver(process)
    finally:
        stop(process)


def line_driver(product: Product) -> "contextlib.AbstractContextManager[Driver]":
    """The driver that is LINE for this product."""
    return driver("line", product.webhook, str(product.line_port))


@contextlib.contextmanager
def running(
    command: list[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process until the block ends; what it prints goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            stop(process)


def stop(process: "subprocess.Popen[Any]") -> None:
    """Asks a process to end, and then does not ask."""
    streams: list[IO[Any] | None] = [process.stdin, process.stdout]
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in streams:
        if stream:
            stream.close()


def until(process: "subprocess.Popen[Any]", holds: Any) -> None:
    """Waits until something holds. Raises RuntimeError when the process ends before, or it takes too long."""
    began = time.monotonic()
    while not holds():
        if process.poll() is not None:
            raise RuntimeError(f"the process {process.pid} ended with {process.returncode} before it was ready")
        if time.monotonic() - began > START_S:
            raise RuntimeError(f"the process {process.pid} was not ready within {START_S:.0f} s")
        time.sleep(0.02)


def alive(url: str, *, whole: bool = False) -> bool:
    """Whether a server answers; `whole`: the address is complete."""
    return get(url if whole else f"{url}/healthz") is not None


def rasa_ready(url: str) -> bool:
    """Whether the product has its Rasa."""
    answer = get(f"{url}/readyz")
    return bool(answer and json.loads(answer).get("rasa"))


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(url: str) -> bytes | None:
    """The body of a 200, else None."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None

"""`python -m tests.reliability [NAME …]`: the long runs that try to break the service; prints the table of its report.

Each run starts the real command, lets residents write over the stand-in of LINE while something fails, waits until
everything is worked off, and audits database and phones (tests/faults/audit.py). `--seed` repeats a run's chance.
"""

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.database import Database
from storage.models import Message, Turn
from tests.faults import traffic
from tests.faults.process import ServiceProcess, another_process_holds
from tests.line_platform import LinePlatform

SECRET = "ひみつのことば銀河鉄道"


@dataclass
class Stage:
    """What one run plays with."""

    name: str
    chance: random.Random
    var: Path
    line: LinePlatform
    rasa: traffic.NumberedRasa
    notes: list[str] = field(default_factory=list)

    def service(self, command: str = "serve", **more: str) -> ServiceProcess:
        """The service, not started; LINE's webhooks go to it."""
        rasa = self.rasa if command == "serve" else None
        service = ServiceProcess(traffic.settings(self.var, self.line, rasa, **more), command)
        self.line.webhooks.url = f"{service.url}/line/webhook"
        return service

    async def write(self, residents: int, messages: int, seconds: float) -> None:
        """Traffic, to its end."""
        await traffic.write_all(self.line, self.chance, residents, messages, seconds)

    def database(self) -> Database:
        """A look into the service's database."""
        return Database(f"sqlite:///{self.var / 'uketome.db'}")


Run = Callable[[Stage], Awaitable[None]]


async def killed(stage: Stage) -> None:
    """SIGKILL at ten random moments during 500 messages from 50 residents, started again each time."""
    async with stage.service() as service:
        writing = asyncio.create_task(stage.write(50, 500, 60))
        back = []
        for _ in range(10):
            await asyncio.sleep(stage.chance.uniform(0.2, 4))
            await service.kill()
            began = time.monotonic()
            await service.start()
            back.append(time.monotonic() - began)
        await writing
        stage.notes.append(f"back after {min(back):.1f}–{max(back):.1f} s")
        await worked_off(stage)


async def killed_beside_another(stage: Stage) -> None:
    """Two services on one database, 200 messages to either; one is killed and stays dead."""
    async with stage.service() as one, stage.service() as other:
        doors = [f"{service.url}/line/webhook" for service in (one, other)]
        for part in range(8):
            stage.line.webhooks.url = doors[part % 2]
            await stage.write(25, 25, 1)
            if part == 4:
                await other.kill()
        stage.line.webhooks.url = doors[0]
        await worked_off(stage)


async def rasa_answers_nothing(stage: Stage) -> None:
    """Rasa answers `[]`."""
    stage.rasa.answer = []
    await plain(stage)


async def rasa_answers_500(stage: Stage) -> None:
    """Rasa answers 500."""
    stage.rasa.status = 500
    await plain(stage)


async def rasa_answers_garbage(stage: Stage) -> None:
    """Rasa answers bytes that are no JSON."""
    stage.rasa.answer = b"\xff\x00<html>"
    await plain(stage)


async def rasa_is_slow(stage: Stage) -> None:
    """Rasa takes 20 s for each answer."""
    stage.rasa.pause = 20
    await plain(stage)


async def redelivered(stage: Stage) -> None:
    """Every webhook is delivered three times, shuffled."""
    async with stage.service():
        await stage.write(20, 100, 4)
        for _ in range(2):
            await stage.line.redeliver(everything=True)
        await worked_off(stage)


async def line_fails(stage: Stage) -> None:
    """LINE answers 429 and 500, hangs up, and times out after having accepted, at random."""
    async with stage.service():
        writing = asyncio.create_task(stage.write(40, 200, 20))
        fail = stage.line
        faults: list[Callable[[], None]] = [
            lambda: fail.fail_next(status=429, retry_after=1),
            lambda: fail.fail_next(status=500),
            lambda: fail.accept_then_fail(),
            lambda: fail.accept_then_time_out(),
            lambda: fail.time_out(),
        ]
        while not writing.done():
            stage.chance.choice(faults)()
            await asyncio.wait({writing}, timeout=0.4)
        await writing
        await worked_off(stage)
        stage.notes.append(f"{stage.line.calls['reply']} replies, {stage.line.calls['push']} pushes")


async def locked(stage: Stage) -> None:
    """Another process locks the database for 20 s."""
    async with stage.service():
        await stage.write(20, 40, 2)
        async with another_process_holds(stage.var / "uketome.db"):
            await stage.write(20, 40, 20)
        refused = sum(not webhook.acknowledged for webhook in stage.line.webhooks.sent)
        stage.notes.append(f"{refused} refused while it was locked")
        await worked_off(stage)


async def full(stage: Stage) -> None:
    """The disk (a tmpfs of 8 MB) fills up, and is freed."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(stage.var)], check=False, capture_output=True
    )
    if mounted.returncode:
        stage.notes.append("NOT RUN: mounting is not permitted here")
        return
    try:
        await _fill(stage)
    finally:
        subprocess.run(["umount", "-l", str(stage.var)], check=True)


async def _fill(stage: Stage) -> None:
    ballast = stage.var / "ballast"
    async with stage.service():
        await stage.write(20, 40, 2)
        with contextlib.suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(b"x" * 4096)
                file.flush()
        await stage.write(20, 100, 10)
        refused = sum(not webhook.acknowledged for webhook in stage.line.webhooks.sent)
        stage.notes.append(f"{refused} refused while it was full")
        ballast.unlink()
        await worked_off(stage)


async def rasa_is_killed_and_frozen(stage: Stage) -> None:
    """The real Rasa is killed, and after its return frozen (SIGSTOP); both are seen and repaired."""
    async with stage.service("run", UKETOME_RASA_TIMEOUT_S="2") as service:
        for fault, name in ((signal.SIGKILL, "killed"), (signal.SIGSTOP, "frozen")):
            pid = await rasa_is_ready(service)
            await stage.write(10, 20, 5)
            os.kill(pid, fault)
            began = time.monotonic()
            await stage.write(10, 20, 5)
            await rasa_is_ready(service, other_than=pid)
            stage.notes.append(f"{name}: a new one answers after {time.monotonic() - began:.0f} s")
        user = traffic.resident(900)
        await stage.line.say(user, f"{SECRET}で家賃が払えません")
        await worked_off(stage)
    kept = b"".join(path.read_bytes() for path in (stage.var / "rasa").rglob("*") if path.is_file())
    logged = (stage.var / "rasa.log").read_bytes() + "\n".join(service.logged).encode()
    for what, text in (("Rasa's store", kept), ("the logs", logged)):
        found = any(word.encode() in text for word in ("銀河鉄道", user))
        stage.notes.append(f"a resident's words in {what}: {'YES' if found else 'none'}")


async def rasa_is_ready(service: ServiceProcess, other_than: int | None = None) -> int:
    """Waits until a Rasa answers; its pid."""
    async with httpx.AsyncClient(base_url=service.url, timeout=10) as http:

        async def answers() -> bool:
            pid = service.child("serve.py")
            if pid is None or pid == other_than:
                return False
            ready = await http.get("/readyz")
            return ready.status_code == 200 and bool(ready.json()["rasa"])

        await traffic.until(answers, 150)
    pid = service.child("serve.py")
    assert pid
    return pid


async def stopped(stage: Stage) -> None:
    """SIGTERM while 50 browsers wait for an answer, and while turns run."""
    stage.rasa.pause = 0.5
    async with stage.service() as service, httpx.AsyncClient(base_url=service.url, timeout=40) as http:
        tokens = [(await http.post("/chat/sessions")).json()["token"] for _ in range(50)]
        polls = [
            asyncio.create_task(
                http.get("/chat/messages?after=1000000&wait=25", headers={"Authorization": f"Bearer {token}"})
            )
            for token in tokens
        ]
        await stage.write(20, 40, 1)
        took = await service.stop()
        answered = await asyncio.gather(*polls, return_exceptions=True)
        whole = sum(isinstance(answer, httpx.Response) and answer.status_code == 200 for answer in answered)
        stage.notes.append(f"ended after {took:.1f} s, status {service.returncode}; {whole} of 50 polls answered")
        await service.start()
        await worked_off(stage)


async def memory(stage: Stage) -> None:
    """3,000 messages from 300 residents: does the process grow?"""
    async with stage.service() as service:
        sizes = []
        for part in range(3):
            await traffic.write_all(stage.line, stage.chance, 100, 1000, 30, start=100 * part)
            sizes.append(service.memory_mb())
        stage.notes.append("resident memory after each 1,000: " + ", ".join(f"{size:.0f} MB" for size in sizes))
        await worked_off(stage)


async def plain(stage: Stage) -> None:
    """100 messages from 20 residents."""
    async with stage.service():
        await stage.write(20, 100, 5)
        await worked_off(stage)


async def worked_off(stage: Stage) -> None:
    """Waits until everything was delivered, answered and queued, and writes down what the audit finds."""
    database = stage.database()
    try:
        await traffic.deliver_the_rest(stage.line)
        with contextlib.suppress(TimeoutError):
            await traffic.settle(database)
        wrong = await traffic.findings(database, stage.line)
        sent = len(stage.line.webhooks.sent)
        turns = await database.read(_turns)
        stage.notes[:0] = [f"{sent} messages, {turns} answers", f"{len(wrong)} broken promises"]
        stage.notes += [f"BROKEN: {finding}" for finding in wrong[:10]]
    finally:
        await asyncio.to_thread(database.close)


def _turns(session: Session) -> int:
    answers = select(func.count(Message.turn_id.distinct())).where(Message.sender == "bot")
    return session.scalars(answers.join(Turn, Turn.id == Message.turn_id)).one()


RUNS: tuple[Run, ...] = (
    killed, killed_beside_another, rasa_is_killed_and_frozen, rasa_answers_nothing, rasa_answers_500,
    rasa_answers_garbage, rasa_is_slow, redelivered, line_fails, locked, full, stopped, memory,
)  # fmt: skip


@contextlib.asynccontextmanager
async def set_up(run: Run, seed: int) -> AsyncIterator[Stage]:
    """A stage of its own for each run."""
    var = Path(tempfile.mkdtemp(prefix="uketome-reliability-"))
    rasa = traffic.NumberedRasa()
    await rasa.start()
    try:
        async with LinePlatform(quota=None) as line:
            yield Stage(run.__name__, random.Random(seed), var, line, rasa)
    finally:
        await rasa.stop()
        shutil.rmtree(var, ignore_errors=True)


async def do(run: Run, seed: int) -> bool:
    """One run; prints its line. Whether every promise was kept."""
    began = time.monotonic()
    async with set_up(run, seed) as stage:
        await run(stage)
        broken = any(note.startswith("BROKEN") or note.endswith("YES") for note in stage.notes)
        what = (run.__doc__ or "").strip()
        print(f"| {what} | {'; '.join(stage.notes)} | {time.monotonic() - began:.0f} s |", flush=True)
    return not broken


def main() -> int:
    """1 when a promise was broken."""
    names = {run.__name__: run for run in RUNS}
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description="the long runs")
    parser.add_argument("name", nargs="*", choices=[[], *names], help="which; all when none is given")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    options = parser.parse_args()
    print(f"seed {options.seed}\n\n| what fails | what came of it | took |\n| --- | --- | --- |", flush=True)
    chosen = [names[name] for name in options.name] or list(RUNS)
    kept = [asyncio.run(do(run, options.seed)) for run in chosen]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())

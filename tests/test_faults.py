"""Tests that try to break the way of a message: whatever fails, each is answered once, in order, and is in the queue.

These are the short ones; `python -m tests.reliability` does the same for long (docs/reliability.md has its figures).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.understanding import Assessment, Reading, Understander
from bot.understanding.segments import LocalService
from bot.worker import claim_work
from handoff import case
from handoff.case import status
from storage.database import Database
from storage.models import Attempt, Case, Conversation, Delivery, Message, Turn
from tests.conftest import running
from tests.faults.process import ServiceProcess, another_process_holds
from tests.faults.town import FaultyTown, faulty_town
from tests.faults.traffic import (
    NumberedRasa,
    deliver_the_rest,
    findings,
    resident,
    settings,
    settle,
    write_all,
)
from tests.line_platform import LinePlatform

HANAKO = resident(1)
TROUBLE = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
SECRET = "ひみつのことば銀河鉄道"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Where the file is, the lock is, and the words are: what is tested of SQLite alone."""
    return f"sqlite:///{tmp_path / 'town.db'}"


@pytest.fixture
async def faulty(sqlite_url: str, tmp_path: Path, reader: Understander) -> AsyncIterator[FaultyTown]:
    """A town over SQLite."""
    async with faulty_town(sqlite_url, tmp_path, reader) as faulty:
        yield faulty


@pytest.fixture
async def either(database_url: str, tmp_path: Path, reader: Understander) -> AsyncIterator[FaultyTown]:
    """A town over SQLite, and another over PostgreSQL."""
    async with faulty_town(database_url, tmp_path, reader) as faulty:
        yield faulty


async def some_traffic(faulty: FaultyTown, residents: int = 6, messages: int = 24, seconds: float = 1) -> None:
    await write_all(faulty.line, random.Random(2), residents, messages, seconds)


# The service dies


async def test_killed_in_the_middle_of_it(tmp_path: Path) -> None:
    chance, rasa = random.Random(11), NumberedRasa()
    await rasa.start()
    async with LinePlatform(quota=None) as line:
        service = ServiceProcess(settings(tmp_path / "var", line, rasa))
        line.webhooks.url = f"{service.url}/line/webhook"
        async with service:
            traffic = asyncio.create_task(write_all(line, chance, 12, 60, 3))
            while sum(webhook.acknowledged for webhook in line.webhooks.sent) < 20:
                await asyncio.wait({traffic}, timeout=0.01)
            await service.kill()
            await service.start()
            await traffic
            await deliver_the_rest(line)
            database = Database(f"sqlite:///{tmp_path / 'var' / 'uketome.db'}")
            await settle(database)
            assert await findings(database, line) == []
            await asyncio.to_thread(database.close)
            await service.stop()
            assert service.returncode == 0
    await rasa.stop()


async def test_what_a_dead_process_had_taken_is_taken_over(either: FaultyTown) -> None:
    """As after SIGKILL between claim and record: the lease is all that is left of it."""
    await either.line.follow(HANAKO)
    await either.settled()
    now = either.clock.now()

    def write_and_take(session: Session) -> int:
        conversation = session.scalars(select(Conversation)).one()
        session.add(
            Message(
                conversation_id=conversation.id, sender="resident", kind="text", text=TROUBLE, channel="line",
                event_id="died", written_at=now, received_at=now,
            )
        )  # fmt: skip
        session.flush()
        return len(claim_work(session, now, now + either.town.service.worker._lease, 5))

    assert await either.database.write(write_and_take) == 1
    either.clock.forward(seconds=20)
    assert await either.audit() == []


async def test_two_services_on_one_database(database_url: str, tmp_path: Path, reader: Understander) -> None:
    async with (
        faulty_town(database_url, tmp_path, reader) as one,
        running(one.town.service.settings, reader, one.clock) as other,
    ):
        doors = [f"{town.http.base_url}/line/webhook" for town in (one.town, other)]

        async def everything_to_both() -> None:
            for round_ in range(4):
                one.line.webhooks.url = doors[round_ % 2]
                await write_all(one.line, random.Random(round_), 6, 12, 0.2)
                one.line.webhooks.url = doors[(round_ + 1) % 2]
                await one.line.redeliver(everything=True)

        await everything_to_both()
        assert await one.audit() == []


# Rasa


@pytest.mark.parametrize("fault", ["empty", "500", "garbage", "deep", "slow", "dead"])
async def test_a_rasa_that_fails_is_no_failure_for_the_resident(faulty: FaultyTown, fault: str) -> None:
    rasa = faulty.rasa
    rasa.answer = {"empty": [], "garbage": b"\xff<html>", "deep": b"[" * 100_000}.get(fault, rasa.answer)
    rasa.status = 500 if fault == "500" else 200
    rasa.pause = 30 if fault == "slow" else 0
    if fault == "dead":
        await rasa.stop()
    await some_traffic(faulty)
    await faulty.settled()
    assert {status(one) for one in await faulty.town.cases()} == {"waiting"}, "a person is needed now"
    assert await faulty.audit() == []


# LINE


async def test_everything_delivered_again_and_shuffled(either: FaultyTown) -> None:
    await some_traffic(either)
    for _ in range(2):
        assert await either.line.redeliver(everything=True) == 24
    assert await either.audit() == []


@pytest.mark.parametrize("fault", ["busy", "broken", "accepted_then_broken", "accepted_then_silent", "silent"])
async def test_a_line_that_fails_gets_each_answer_once(faulty: FaultyTown, fault: str) -> None:
    line = faulty.line
    if fault == "busy":
        line.fail_next(4, status=429, retry_after=1)
    elif fault == "broken":
        line.fail_next(4, status=500)
    elif fault == "accepted_then_broken":
        line.accept_then_fail(4)
    elif fault == "accepted_then_silent":
        line.accept_then_time_out(4)
    else:
        line.time_out(4)
    await some_traffic(faulty, residents=4, messages=12)
    assert await faulty.audit() == []


async def test_when_the_token_is_gone_the_answer_is_pushed_once_under_its_key(faulty: FaultyTown) -> None:
    faulty.line.fail_next(status=429, retry_after=70)
    await faulty.line.say(HANAKO, TROUBLE)

    async def put_off() -> bool:
        return bool(await faulty.database.read(lambda session: session.scalar(_refused())))

    await faulty.town.until(put_off)
    faulty.line.accept_then_time_out()
    faulty.clock.forward(seconds=71)
    assert await faulty.audit() == []
    assert (faulty.line.calls["reply"], faulty.line.calls["push"]) == (0, 1)


def _refused() -> Any:
    return select(func.count()).select_from(Attempt).where(Attempt.arrived.is_(False))


async def test_whoever_blocked_the_account_is_sent_nothing_and_keeps_their_place(faulty: FaultyTown) -> None:
    faulty.line.fail_next(status=429, retry_after=5)
    await faulty.line.say(HANAKO, TROUBLE)
    await faulty.town.until(lambda: faulty.database.read(lambda session: session.scalar(_refused())))
    await faulty.line.unfollow(HANAKO)
    faulty.clock.forward(seconds=6)
    await faulty.settled()
    assert faulty.line.calls["reply"] + faulty.line.calls["push"] == 0
    assert status(await faulty.the_case()) == "waiting"
    [delivery] = await faulty.database.read(lambda session: list(session.scalars(select(Delivery))))
    assert delivery.failed_at
    assert delivery.error


async def test_a_block_that_is_delivered_late_does_not_silence_who_came_back(faulty: FaultyTown) -> None:
    door, faulty.line.webhooks.url = faulty.line.webhooks.url, "http://127.0.0.1:9/"
    await faulty.line.unfollow(HANAKO)
    faulty.line.webhooks.url = door
    faulty.clock.forward(seconds=1)
    await faulty.line.follow(HANAKO)
    await faulty.line.redeliver()
    await faulty.line.say(HANAKO, TROUBLE)
    assert await faulty.audit() == []


async def test_whoever_writes_is_answered_also_when_their_coming_back_was_never_told(faulty: FaultyTown) -> None:
    await faulty.line.unfollow(HANAKO)
    faulty.line.blocked.clear()
    faulty.clock.forward(seconds=1)
    await faulty.line.say(HANAKO, TROUBLE)
    assert await faulty.audit() == []


# The database


async def test_a_locked_database_acknowledges_nothing_and_loses_nothing(faulty: FaultyTown, tmp_path: Path) -> None:
    await some_traffic(faulty)
    async with another_process_holds(tmp_path / "town.db"):
        refused = await faulty.line.say(HANAKO, TROUBLE)
        assert refused.status == 503
    await deliver_the_rest(faulty.line)
    assert await faulty.audit() == []


async def test_a_full_disk_acknowledges_nothing_and_what_was_taken_is_worked_off_later(faulty: FaultyTown) -> None:
    faulty.rasa.pause = 0.3
    await faulty.line.say(HANAKO, TROUBLE)
    await _room(faulty, 0)
    refused = [await faulty.line.say(resident(number), TROUBLE * 50) for number in range(2, 6)]
    assert {webhook.status for webhook in refused} == {503}
    await _room(faulty, 100_000)
    await deliver_the_rest(faulty.line)
    assert await faulty.audit() == []


async def _room(faulty: FaultyTown, pages: int) -> None:
    """How many pages the file may still grow by. A limit of the one connection that writes."""

    def limit(session: Session) -> None:
        ask = session.connection().exec_driver_sql
        ask(f"PRAGMA max_page_count={ask('PRAGMA page_count').scalar_one() + pages}")

    await faulty.database.write(limit)


# The words that were taken back


@pytest.mark.parametrize("moment", ["while_thinking", "after_the_answer", "after_the_summary", "after_the_end"])
async def test_words_that_were_taken_back_are_nowhere(
    sqlite_url: str, tmp_path: Path, reader: Understander, moment: str
) -> None:
    words = f"{SECRET}のことで家賃を滞納しています"
    async with faulty_town(sqlite_url, tmp_path, reader) as faulty:
        await faulty.line.say(HANAKO, "母の介護で眠れません")
        await faulty.settled()
        faulty.rasa.say("「[[echo]]」のことですね。どんなお気持ちですか。")
        faulty.rasa.pause = 0.3 if moment == "while_thinking" else 0
        sent = await faulty.line.say(HANAKO, words)
        if moment != "while_thinking":
            await faulty.settled()
        if moment == "after_the_summary":
            faulty.rasa.answer = [{"text": "ここまでです。"}, {"custom": {"do": "show_summary"}}]
            await faulty.line.say(HANAKO, "以上です")
            await faulty.settled()
        if moment == "after_the_end":
            await _close(faulty)
        await faulty.line.unsend(HANAKO, sent.message_id)
        await faulty.settled()
        kept = await faulty.the_case()
        assert "銀河鉄道" not in f"{kept.assessment} {kept.complaint} {kept.summary}"
        assert "介護" in f"{kept.assessment}", "what was not taken back stays"
    assert "銀河鉄道".encode() not in (tmp_path / "town.db").read_bytes()


async def _close(faulty: FaultyTown) -> None:
    staff, case_id, now = await faulty.claim(), (await faulty.the_case()).id, faulty.clock.now()
    await faulty.database.write(
        lambda session: case.close(session, session.get_one(Case, case_id), staff, "introduced", now)
    )


# One voice


async def test_a_person_who_takes_over_silences_what_is_queued(faulty: FaultyTown) -> None:
    faulty.line.fail_next(status=429, retry_after=5)
    await faulty.line.say(HANAKO, TROUBLE)
    await faulty.town.until(lambda: faulty.database.read(lambda session: session.scalar(_refused())))
    await faulty.claim()
    faulty.clock.forward(seconds=6)
    await faulty.settled()
    assert faulty.line.received(HANAKO) == []


async def test_a_person_who_takes_over_while_the_machine_thinks_silences_it(either: FaultyTown) -> None:
    await either.line.say(HANAKO, TROUBLE)
    await either.settled()
    before = either.line.received(HANAKO)
    either.rasa.pause = 0.4
    await either.line.say(HANAKO, "去年の秋からです")

    async def thinking() -> bool:
        return len(either.rasa.asked) == 2

    await either.town.until(thinking)
    await either.claim()
    await either.settled()
    assert either.line.received(HANAKO) == before
    last = (await either.town.messages())[-1]
    assert (last.text, last.case_id) == ("去年の秋からです", (await either.the_case()).id)


# Our own mistakes


class Stumbling:
    """An understanding that fails over one text, every time."""

    def __init__(self, reader: Understander) -> None:
        self._reader = reader

    def view(self) -> "Stumbling":
        """It stumbles over the same for everybody."""
        return self

    def take_in(self, services: Sequence[LocalService]) -> None:
        """A town's own services, which this is not about."""

    def read(self, text: str, before: Assessment) -> Reading:
        """As the real one; raises where it reads the words that it cannot bear."""
        if SECRET in text:
            raise RuntimeError(f"cannot read {text}")
        return self._reader.read(text, before)


async def test_a_text_that_breaks_the_machine_is_read_by_a_person(
    sqlite_url: str, tmp_path: Path, reader: Understander
) -> None:
    async with faulty_town(sqlite_url, tmp_path, cast(Understander, Stumbling(reader))) as faulty:
        await faulty.line.say(HANAKO, "もう死にたいです")
        await faulty.settled()
        before = await faulty.the_case()
        await faulty.line.say(HANAKO, SECRET)
        await faulty.line.say(resident(2), TROUBLE)

        async def answered() -> bool:
            faulty.clock.forward(seconds=2)
            return await faulty.database.read(lambda session: session.scalar(select(func.count(Turn.id)))) == 3

        await faulty.town.until(answered, 30)
        after = next(one for one in await faulty.town.cases() if one.id == before.id)
        assert (after.urgency, after.complaint) == (before.urgency, before.complaint)
        assert await faulty.audit() == []

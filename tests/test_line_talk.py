"""The whole way over LINE: a resident's message, the turn, and exactly one answer, whatever LINE does meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.understanding import Understander
from connectors.line_channel import LineChannel
from storage.settings import Settings
from tests.conftest import RESENT, Town, running
from tests.conftest import _left_to_do as left_to_do
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform
from tests.stand_ins.clock import SetClock
from tests.stand_ins.rasa import StandInRasa

HANAKO = "U" + "1" * 32
TROUBLE = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def line(clock: SetClock) -> AsyncIterator[LinePlatform]:
    async with LinePlatform(clock=clock, redelivers=RESENT) as line:
        yield line


@pytest.fixture
async def town(
    database_url: str, tmp_path: Path, reader: Understander, rasa: StandInRasa, line: LinePlatform, clock: SetClock
) -> AsyncIterator[Town]:
    """The service with LINE, which is the stand-in."""
    settings = Settings(
        database_url=database_url,
        var_dir=tmp_path / "var",
        rasa_url=rasa.url,
        rasa_timeout_s=0.5,
        line_channel_secret=CHANNEL_SECRET,
        line_channel_access_token=CHANNEL_TOKEN,
        line_api_base=line.base_url,
    )
    async with running(settings, reader, clock) as town:
        line.webhooks.url = f"{town.http.base_url}/line/webhook"
        yield town
    assert line.violations == []


@pytest.fixture
async def hasty(town: Town) -> AsyncIterator[None]:
    """Does not wait long for an answer that never comes."""
    patient, hasty = town.service.channels["line"], LineChannel(town.service.settings, timeout_s=1.0)
    town.service.channels["line"] = hasty
    yield
    town.service.channels["line"] = patient
    await hasty.close()


async def settled(town: Town, clock: SetClock, seconds: float = 1) -> None:
    """Lets time pass in steps, so that what was put off is tried again, until nothing is left to do."""

    async def nothing_left() -> bool:
        clock.forward(seconds=seconds)
        town.service.bells.ring("outbox", "inbox")
        return not await town.service.database.read(left_to_do)

    await town.until(nothing_left)


async def greeted(town: Town, line: LinePlatform) -> int:
    """Hanako adds the account; how many lines she has then."""
    assert (await line.follow(HANAKO)).acknowledged
    await town.quiet()
    return len(line.received(HANAKO))


async def test_a_message_is_answered_by_one_free_reply(town: Town, line: LinePlatform) -> None:
    before = await greeted(town, line)
    assert (await line.say(HANAKO, TROUBLE)).acknowledged
    await town.quiet()
    assert line.received(HANAKO)[before:] == [
        "話してくださって、ありがとうございます。",
        "それは、いつごろからですか。",
    ]
    assert line.choices(HANAKO) == ["とばす"]
    assert (line.calls["reply"], line.calls["push"]) == (2, 0)
    [case] = await town.cases()
    assert case.channel == "line"


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("fault", ["fail_next", "accept_then_fail", "too_many", "accept_then_time_out"])
async def test_each_answer_arrives_once_whatever_line_does(
    town: Town, line: LinePlatform, clock: SetClock, fault: str
) -> None:
    before = await greeted(town, line)
    if fault == "too_many":
        line.fail_next(3, status=429, retry_after=2)
    else:
        getattr(line, fault)()
    await line.say(HANAKO, TROUBLE)
    await settled(town, clock)
    assert len(line.received(HANAKO)[before:]) == 2


async def test_when_the_token_is_too_old_the_answer_is_pushed(town: Town, line: LinePlatform, clock: SetClock) -> None:
    before = await greeted(town, line)
    line.fail_next(status=429)
    await line.say(HANAKO, TROUBLE)
    await settled(town, clock, seconds=61)
    assert len(line.received(HANAKO)[before:]) == 2
    assert line.calls["push"] == 1
    assert line.dead_tokens == 0


@pytest.mark.usefixtures("hasty")
async def test_the_token_of_a_webhook_that_came_late_decides_nothing(
    town: Town, line: LinePlatform, clock: SetClock
) -> None:
    before = await greeted(town, line)
    there, line.webhooks.url = line.webhooks.url, "http://127.0.0.1:9/"
    assert not (await line.say(HANAKO, TROUBLE)).acknowledged
    clock.forward(minutes=2)
    line.webhooks.url = there
    # The call that reaches nobody leaves a doubt, and a token too old must not be read as "it has arrived".
    line.time_out()
    await line.redeliver()
    await settled(town, clock)
    assert len(line.received(HANAKO)[before:]) == 2


async def test_everything_delivered_again_is_answered_once(town: Town, line: LinePlatform) -> None:
    await greeted(town, line)
    for text in (TROUBLE, "三か月前からです", "とばす"):
        await line.say(HANAKO, text)
        await town.quiet()
    before = line.received(HANAKO)
    assert await line.redeliver(everything=True) == 4
    await town.quiet()
    assert line.received(HANAKO) == before


@pytest.mark.parametrize("kind", ["sticker", "image", "video", "audio", "file", "location"])
async def test_whatever_is_sent_is_acknowledged_and_noted(town: Town, line: LinePlatform, kind: str) -> None:
    before = await greeted(town, line)
    await line.send(HANAKO, kind)
    await town.quiet()
    assert len(line.received(HANAKO)) > before
    assert kind in [message.kind for message in await town.messages()]


async def test_unsent_words_are_nowhere(town: Town, line: LinePlatform) -> None:
    await greeted(town, line)
    sent = await line.say(HANAKO, TROUBLE)
    await town.quiet()
    await line.unsend(HANAKO, sent.message_id)
    await town.quiet()
    for words in ("滞納", "中学生"):
        assert not [message for message in await town.messages() if words in message.text]
        for case in await town.cases():
            assert words not in f"{case.assessment} {case.complaint} {case.summary}"

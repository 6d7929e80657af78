"""Replies and pushes to the stand-in of LINE over real HTTP: limits, refusals, doubts, and the quota."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from connectors import line, line_channel, line_quota
from connectors.base import Outbound, Said, SendError
from connectors.line_channel import LineChannel
from storage import schema
from storage.database import Database
from storage.models import Notice
from tests.line_platform import LinePlatform, settings
from tests.stand_ins.clock import SetClock

HANAKO = "U" + "1" * 32
STRANGER = "U" + "2" * 32


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def platform(clock: SetClock) -> AsyncIterator[LinePlatform]:
    async with LinePlatform("http://127.0.0.1:9/line/webhook", clock=clock, quota=5) as platform:
        yield platform


@pytest.fixture
async def channel(platform: LinePlatform) -> AsyncIterator[LineChannel]:
    channel = line.channel(settings(platform.base_url))
    yield channel
    await channel.close()


@pytest.fixture
async def hasty(platform: LinePlatform) -> AsyncIterator[LineChannel]:
    """A channel that waits a second: long for the stand-in even on a busy machine, short for a test."""
    channel = LineChannel(settings(platform.base_url), timeout_s=1.0)
    yield channel
    await channel.close()


def outbound(*messages: Said | str, token: str | None = None) -> Outbound:
    said = tuple(message if isinstance(message, Said) else Said(message) for message in messages)
    return Outbound(HANAKO, said, str(uuid.uuid4()), token)


async def refused(channel: LineChannel, out: Outbound) -> SendError:
    with pytest.raises(SendError) as raised:
        await channel.send(out)
    return raised.value


async def test_a_reply_is_free_and_carries_no_retry_key(platform: LinePlatform, channel: LineChannel) -> None:
    await channel.send(outbound("ひとつめ", "ふたつめ", token=platform.issue_token(HANAKO)))
    assert platform.received(HANAKO) == ["ひとつめ", "ふたつめ"]
    assert (platform.calls["reply"], platform.calls["push"], platform.used) == (1, 0, 0)
    assert platform.violations == []


async def test_a_push_repeated_is_delivered_once(platform: LinePlatform, channel: LineChannel) -> None:
    push = outbound("こんにちは")
    await channel.send(push)
    await channel.send(push)
    assert platform.received(HANAKO) == ["こんにちは"]
    assert platform.used == 1


async def test_a_token_used_or_too_old_is_gone(platform: LinePlatform, channel: LineChannel, clock: SetClock) -> None:
    used, old = platform.issue_token(HANAKO), platform.issue_token(HANAKO)
    await channel.send(outbound("一", token=used))
    clock.forward(seconds=61)
    for token in (used, old, "never issued"):
        error = await refused(channel, outbound("二", token=token))
        assert error.token_gone
        assert not error.ambiguous
    await channel.send(outbound("三"))
    assert platform.received(HANAKO) == ["一", "三"]


REFUSALS: list[tuple[str, int, str, dict[str, Any]]] = [
    ("reply", 429, "The API rate limit has been exceeded. Try again later.", {"retryable": True}),
    ("push", 429, "The API rate limit has been exceeded. Try again later.", {"retryable": True}),
    ("push", 429, "You have reached your monthly limit.", {"retryable": False}),
    ("push", 400, "Failed to send messages", {"retryable": False}),
    ("reply", 400, "The request body has 1 error(s)", {"retryable": False, "token_gone": False}),
    ("push", 401, "Authentication failed", {"retryable": False}),
    ("push", 403, "Access to this API is not available for your account", {"retryable": False}),
    ("push", 404, "Not found", {"retryable": False}),
    ("push", 413, "Payload Too Large", {"retryable": False}),
    ("reply", 500, "The error occurred. Please try again later.", {"retryable": True, "ambiguous": True}),
    ("push", 503, "", {"retryable": True, "ambiguous": True}),
]


@pytest.mark.parametrize(("via", "status", "said", "expected"), REFUSALS)
async def test_refusals_and_what_they_mean(
    platform: LinePlatform, channel: LineChannel, via: str, status: int, said: str, expected: dict[str, Any]
) -> None:
    platform.fail_next(status=status, message=said)
    token = platform.issue_token(HANAKO) if via == "reply" else None
    error = await refused(channel, outbound("ひみつのこと", token=token))
    assert {name: getattr(error, name) for name in expected} == expected
    assert (error.code, error.ambiguous) == (status, expected.get("ambiguous", False))
    assert error.sentence.endswith("。")
    assert "ひみつ" not in repr(error)
    assert platform.received(HANAKO) == []


async def test_retry_after_is_passed_on(platform: LinePlatform, channel: LineChannel) -> None:
    platform.fail_next(status=429, retry_after=7)
    assert (await refused(channel, outbound("一"))).retry_after == 7


@pytest.mark.parametrize("fault", ["accept_then_time_out", "accept_then_fail"])
async def test_a_push_in_doubt_is_repeated_safely(platform: LinePlatform, hasty: LineChannel, fault: str) -> None:
    getattr(platform, fault)()
    push = outbound("一")
    error = await refused(hasty, push)
    assert (error.retryable, error.ambiguous) == (True, True)
    await asyncio.wait_for(hasty.send(push), 10)
    assert platform.received(HANAKO) == ["一"]


@pytest.mark.parametrize("fault", ["accept_then_time_out", "accept_then_fail"])
async def test_a_reply_in_doubt_that_arrived_is_told_by_its_token(
    platform: LinePlatform, hasty: LineChannel, fault: str
) -> None:
    getattr(platform, fault)()
    reply = outbound("一", token=platform.issue_token(HANAKO))
    assert (await refused(hasty, reply)).ambiguous
    # The outbox takes this, after a call in doubt, for "it has arrived".
    assert (await refused(hasty, reply)).token_gone
    assert platform.received(HANAKO) == ["一"]


async def test_a_reply_in_doubt_that_did_not_arrive_is_repeated(platform: LinePlatform, hasty: LineChannel) -> None:
    platform.time_out()
    reply = outbound("一", token=platform.issue_token(HANAKO))
    assert (await refused(hasty, reply)).ambiguous
    await hasty.send(reply)
    assert platform.received(HANAKO) == ["一"]


async def test_nobody_listens(clock: SetClock) -> None:
    channel = line.channel(settings("http://127.0.0.1:9"))
    error = await refused(channel, outbound("一", token="token"))
    assert (error.retryable, error.ambiguous, error.token_gone) == (True, False, False)
    await channel.show_typing(HANAKO)
    await channel.close()


async def test_a_wrong_access_token(platform: LinePlatform) -> None:
    wrong = settings(platform.base_url).model_copy(update={"line_channel_access_token": "wrong"})
    channel = line.channel(wrong)
    error = await refused(channel, outbound("一"))
    assert (error.code, error.retryable) == (401, False)
    assert "アクセストークン" in error.sentence
    await channel.close()


async def test_the_months_limit(platform: LinePlatform, channel: LineChannel) -> None:
    for _ in range(5):
        await channel.send(outbound("一"))
    error = await refused(channel, outbound("一"))
    assert (error.code, error.retryable) == (429, False)
    assert "上限" in error.sentence
    await channel.send(outbound("返信", token=platform.issue_token(HANAKO)))
    assert await channel.quota() == (5, 5)


async def test_a_plan_without_limit(platform: LinePlatform, channel: LineChannel) -> None:
    platform.quota = None
    await channel.send(outbound("一"))
    assert await channel.quota() == (None, 1)


async def test_staff_hear_of_the_quota_before_it_ends(
    platform: LinePlatform, channel: LineChannel, database_url: str, clock: SetClock
) -> None:
    database = Database(database_url)
    schema.upgrade(database)

    def notices() -> list[str]:
        open_ = select(Notice.sentence).where(Notice.kind == line_quota.KIND, Notice.ended_at.is_(None))
        return database.read_now(lambda session: list(session.scalars(open_)))

    platform.quota, seen = 10, []
    for platform.used in (7, 8, 10, 0):
        await line_quota.look(channel, database, clock)
        seen.append([sentence.split("を")[0] for sentence in notices()])
    assert seen == [[], ["LINEで今月送れる10通のうち、8通"], ["LINEで今月送れる10通のうち、10通"], []]
    database.close()


async def test_too_many_calls_in_a_second(platform: LinePlatform, channel: LineChannel, clock: SetClock) -> None:
    platform.rate = 2
    await channel.send(outbound("一"))
    await channel.send(outbound("二"))
    assert (await refused(channel, outbound("三"))).retryable
    clock.forward(seconds=1)
    await channel.send(outbound("三"))


async def test_the_loading_animation(platform: LinePlatform, channel: LineChannel, clock: SetClock) -> None:
    await channel.show_typing(HANAKO)
    assert platform.typing[HANAKO] > clock.now()
    await channel.send(outbound("一"))
    assert HANAKO not in platform.typing
    assert platform.violations == []


async def test_choices_hang_on_the_last_message(platform: LinePlatform, channel: LineChannel) -> None:
    long = "むずかしいので、あとで電話で話すことにしたいです"
    choices = ("はい", long, *(f"その{n}" for n in range(20)))
    await channel.send(outbound(Said("きいてもいいですか。", choices), "いつでもかまいません。"))
    *_, last = platform.talks[HANAKO]
    assert len(last.choices) == 13
    assert last.choices[:2] == (("はい", "はい"), (long[:19] + "…", long))
    assert platform.talks[HANAKO][0].choices == ()
    assert platform.violations == []


LONG = [
    ("あ" * 5_000, [5_000]),
    ("あ" * 5_001, [5_000, 1]),
    ("😢" * 2_501, [2_500, 1]),
    ("あ" + "😢" * 2_500, [2_500, 1]),
    ("あ" * 4_000 + "。" + "い" * 2_000, [4_001, 2_000]),
]


@pytest.mark.parametrize(("text", "lengths"), LONG, ids=range(len(LONG)))
async def test_long_texts_are_split_where_line_takes_them(
    platform: LinePlatform, channel: LineChannel, text: str, lengths: list[int]
) -> None:
    await channel.send(outbound(text))
    assert [len(piece) for piece in platform.received(HANAKO)] == lengths
    assert "".join(platform.received(HANAKO)) == text
    assert platform.violations == []


async def test_pieces_that_would_be_too_many_are_joined(platform: LinePlatform, channel: LineChannel) -> None:
    await channel.send(outbound("あ" * 5_001, "い", "う", "え", "お"))
    assert len(platform.received(HANAKO)) == 2
    error = await refused(channel, outbound("あ" * 30_000))
    assert not error.retryable
    assert platform.violations == []


async def test_emoji_in_a_button(platform: LinePlatform, channel: LineChannel) -> None:
    await channel.send(outbound(Said("一", ("😢" * 11,))))
    assert platform.choices(HANAKO) == ["😢" * 9 + "…"]
    assert platform.violations == []


def test_every_status_has_a_meaning() -> None:
    for via in ("reply", "push", "typing", "quota"):
        for status in range(300, 600):
            verdict = line_channel.judge(via, status, "")
            assert (verdict is None) == (via == "push" and status == 409)


async def test_who_blocked_the_account_receives_nothing(platform: LinePlatform, channel: LineChannel) -> None:
    await platform.unfollow(HANAKO)
    await channel.send(outbound("一"))
    await channel.send(replace(outbound("一"), address=STRANGER))
    assert (platform.received(HANAKO), platform.received(STRANGER)) == ([], ["一"])

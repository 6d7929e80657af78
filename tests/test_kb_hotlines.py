"""The helplines: dialled and remembered, #9999 only in an entered period and never before what saves a life."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import access
from knowledge_base import helplines
from knowledge_base.helplines import Period
from knowledge_base.hotlines import choose
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN
from storage.kb_care import LineDial, LinePeriod
from tests.conftest import Town
from tests.desk import PASSWORD, Colleague, a_case, at_work
from tests.stand_ins.rasa import StandInRasa
from tests.test_kb import send
from tests.test_kb_fresh import seen

HOTLINES = "/staff/kb/hotlines"
NOON = datetime(2026, 12, 1, 12, tzinfo=JAPAN)
OPEN = (Period("kodoku_9999", NOON - timedelta(hours=1), NOON + timedelta(hours=1)),)
PERIOD = {"begins-day": "2026-12-01", "begins-time": "10:00", "ends-day": "2026-12-07", "ends-time": "17:00"}
LONELY = {"fields": [{"id": "isolation", "confidence": 0.9, "quotes": ["話す相手がいません"], "example": ""}]}


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


def shown(
    *kinds: str, periods: tuple[Period, ...] = OPEN, now: datetime = NOON, fields: str = "isolation"
) -> list[str]:
    return [one.id for one in choose(kinds, age=None, language="ja", now=now, fields=fields.split(), periods=periods)]


def test_the_line_for_the_lonely_is_shown_in_its_period_only_and_after_what_saves_a_life() -> None:
    assert shown() == ["kodoku_9999"]
    assert shown(periods=()) == shown(now=NOON + timedelta(hours=1)) == shown(now=NOON - timedelta(hours=2)) == []
    assert shown(fields="consumer") == ["consumer_188"]
    for kind in {kind for line in vocabulary().hotlines.values() for kind in line.kinds}:
        assert shown(kind) == shown(kind, periods=()), kind
    assert "kodoku_9999" not in shown("suicide")


async def test_a_period_is_entered_and_counts_in_every_turn_and_ends_by_itself(town: Town, yamada: Colleague) -> None:
    case = await a_case(town, "話す相手がいません", found=LONELY)
    assert "#9999" not in await yamada.open(case)
    for wrong, sentence in (
        ({"ends-day": "2026-11-30"}, "終わりは、始まりよりあとにしてください。"),
        ({"begins-day": "2026-11-01", "ends-day": "2026-11-20"}, "もう終わった期間です"),
        ({"ends-day": "2028-01-01"}, "期間は1年までにしてください。"),
        ({"ends-time": "いつか"}, "時刻を選んでください。"),
    ):
        answer = await send(yamada, f"{HOTLINES}/kodoku_9999/period", {**PERIOD, **wrong})
        assert answer.status_code == 422, wrong
        assert sentence in answer.text
        assert 'value="10:00"' in answer.text
    assert (await send(yamada, f"{HOTLINES}/police/period", PERIOD)).status_code == 404
    assert (await send(yamada, f"{HOTLINES}/kodoku_9999/period", PERIOD)).status_code == 303
    overlaps = await send(yamada, f"{HOTLINES}/kodoku_9999/period", {**PERIOD, "begins-day": "2026-12-05"})
    assert "重なっています" in overlaps.text
    later = {"begins-day": "2027-01-10", "ends-day": "2027-01-12"}
    assert (await send(yamada, f"{HOTLINES}/kodoku_9999/period", {**PERIOD, **later})).status_code == 303

    async def known() -> bool:
        return len(helplines.now()) == 2

    await town.until(known, 5)
    assert "#9999" not in await yamada.open(case), "not yet"
    town.clock.forward(days=7, hours=1)
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        assert "#9999" in await suzuki.open(case)
        page = await seen(suzuki, HOTLINES)
        assert "いま案内しています" in page
        assert "これから" in page
        town.clock.forward(days=6, hours=7)
        async with at_work(town, "田中", "tanaka@example.jp", "admin") as tanaka:
            assert "#9999" not in await tanaka.open(case)
            assert "終わりました" in await seen(tanaka, HOTLINES)
            assert (await send(tanaka, f"{HOTLINES}/periods/1/withdraw", {})).status_code == 409
            assert (await send(tanaka, f"{HOTLINES}/periods/2/withdraw", {})).status_code == 303
            assert "2027年1月10日" not in await seen(tanaka, HOTLINES)


LONELY_WORDS = "一人暮らしで、話す相手がだれもいません。何日も声を出していなくて、さびしいです"


async def test_who_is_lonely_is_told_at_the_end_and_who_is_in_danger_is_told_what_saves(
    town: Town, rasa: StandInRasa
) -> None:
    rasa.answer = [{"text": "ありがとうございました。"}, {"custom": {"do": "finish"}}]
    texts = []
    for words, holds in ((LONELY_WORDS, False), (LONELY_WORDS, True), (f"{LONELY_WORDS}。もう死にたいです", True)):
        somebody = town.resident()
        await somebody.come()
        now = town.clock.now()
        row = LinePeriod(line="kodoku_9999", begins=now, ends=now + timedelta(hours=1), staff_id=1, at=now)
        if holds and not helplines.now():
            await town.service.database.write(lambda session: _enter(session, row))  # noqa: B023
            town.service.bells.ring(helplines.BELL)
            await town.until(_known, 5)
        texts.append("\n".join(await somebody.talk(words)))
    assert ["#9999" in text for text in texts] == [False, True, False]


async def _known() -> bool:
    return bool(helplines.now())


def _enter(session: Session, row: LinePeriod) -> None:
    access.add_staff(session, "yamada@example.jp", "admin", PASSWORD, row.at, "山田")
    session.add(row)


async def test_a_number_is_dialled_remembered_and_to_be_dialled_again(town: Town, yamada: Colleague) -> None:
    lines = vocabulary().hotlines.values()
    page = await seen(yamada, HOTLINES)
    assert all(line.number in page for line in lines)
    assert page.count("番号が、公の資料で確かめられていないため") == sum(not line.number_checked for line in lines)
    for day, status in (("2026-11-25", 422), ("", 422), ("2026-11-24", 303), ("2026-11-24", 303), ("2026-11-01", 303)):
        answer = await send(yamada, f"{HOTLINES}/yorisoi/dialled", {"dialled-yorisoi": day})
        assert answer.status_code == status, day
    assert "かけて確かめた日：2026年11月24日" in await seen(yamada, HOTLINES)
    rows = await town.service.database.read(
        lambda session: list(session.scalars(select(LineDial.dialled_on).order_by(LineDial.id)))
    )
    assert [f"{day}" for day in rows] == ["2026-11-24", "2026-11-01"]
    always = [line for line in lines if line.number_checked and line.id != "kodoku_9999"]
    assert f"まだ一度もかけていない番号が{len(always) - 1}あります" in await seen(yamada, "/staff/kb/todo")
    town.clock.forward(days=179)
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        # All were looked up on the 23rd, a day before this one was dialled.
        assert "180日以上、だれもかけていない" in await seen(suzuki, "/staff/kb/todo")
        assert "よりそいホットライン" not in await seen(suzuki, "/staff/kb/todo")
        assert (await send(suzuki, f"{HOTLINES}/dials/1/withdraw", {})).status_code == 303
        assert "よりそいホットライン" in await seen(suzuki, "/staff/kb/todo"), "the older day counts again"
    async with at_work(town, "佐藤", "sato@example.jp", "supervisor") as sato:
        assert (await sato.http.get(HOTLINES)).status_code == 404

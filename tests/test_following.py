"""Staying connected: next contacts, check-ins that are sent once or not at all, visits, the end, and coming back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from bot.stopping import means_stop
from handoff import check_ins
from handoff.case import status
from storage.database import Database
from storage.models import Case, Conversation
from storage.support import CheckIn, SupportRecord
from tests.conftest import Resident, Town
from tests.desk import Colleague, a_case, at_work
from tests.test_agencies import events, rows, send
from uketome.app import SWEEP

WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
LETTER = "急に寒くなりました。あたたかくしてお過ごしください。"
#: The tests' clock begins on Tuesday 2026-11-24 at ten in Japan.
LATER_TODAY = {"on": "2026-11-24", "at": "15:00"}


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


async def a_resident(town: Town) -> tuple[Resident, str]:
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await town.quiet()
    await hanako.new_messages(wait=0)  # read, so that what is talked of next is not taken for answered by these
    [case] = await town.cases()
    return hanako, case.id


async def stands(town: Town, case_id: str) -> Case:
    return next(case for case in await town.cases() if case.id == case_id)


async def swept(town: Town) -> None:
    """One round of what the service does by itself."""
    now = town.clock.now()
    sent = await town.service.database.write(lambda session: check_ins.send_due(session, now))
    town.service.bells.ring("outbox", *(f"talk:{one}" for one in sent))
    await town.quiet()


async def letters(town: Town) -> list[str]:
    """What check-ins have said to residents."""
    return [message.text for message in await town.messages() if LETTER in message.text]


async def planned(town: Town, sato: Colleague, case_id: str, **when: str) -> None:
    at = f"/staff/cases/{case_id}/support"
    made = await send(sato, f"{at}/check-in", at, text=LETTER, **(when or LATER_TODAY))
    assert made.status_code == 303, made.text


# The next contact


async def test_the_next_contact_is_kept_shown_on_its_day_and_not_overwritten(town: Town, sato: Colleague) -> None:
    case_id, other_id = await a_case(town, WORDS), await a_case(town, "電気が止まりそうです")
    at = f"/staff/cases/{case_id}/support"
    await sato.do(case_id, "claim")
    assert WORDS in (await sato.http.get("/staff/today")).text, "who is taken on and has no day yet is asked for"
    new = {"on": "2026-11-25", "note": "家賃の相談の結果を聞く", "was": ""}
    assert (await send(sato, f"{at}/next-contact", at, **new)).status_code == 303
    stale = await send(sato, f"{at}/next-contact", at, on="2026-11-28", note="べつの予定", was="")
    assert (stale.status_code, "べつの予定" in stale.text) == (409, True)
    was = "2026-11-25 家賃の相談の結果を聞く"
    for wrong in ("2026-11-22", "あした", "2999-01-01", "2031-01-01"):
        refused = await send(sato, f"{at}/next-contact", at, on=wrong, note="メモは残る", was=was)
        assert (refused.status_code, "メモは残る" in refused.text) == (422, True), wrong
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        await suzuki.do(other_id, "claim")
        theirs = f"/staff/cases/{other_id}/support"
        await send(suzuki, f"{theirs}/next-contact", theirs, on="2026-11-24", note="電話する", was="")
        town.clock.forward(days=3)
        await sato.sign_in()
        today = (await sato.http.get("/staff/today")).text
        assert "2日すぎ" in today
        assert "家賃の相談の結果を聞く" in today
        assert today.index(case_id) < today.index(other_id), "mine first, though theirs is later still"
    moved = await send(sato, f"{at}/next-contact", at, on="2026-12-03", note="", was=was, back="today")
    assert moved.headers["location"] == "/staff/today"


async def test_who_is_followed_has_a_day_and_comes_back_by_writing(town: Town, sato: Colleague) -> None:
    hanako, case_id = await a_resident(town)
    at = f"/staff/cases/{case_id}/support"
    refused = await send(sato, f"{at}/follow", at, on="2026-12-01")
    assert refused.status_code == 409, "who has not taken it on does not put it away"
    await sato.do(case_id, "claim")
    assert (await send(sato, f"{at}/follow", at, on="")).status_code == 422
    assert (await send(sato, f"{at}/follow", at, on="2026-12-01", note="ようすを聞く")).status_code == 303
    case = await stands(town, case_id)
    assert (status(case), str(case.next_contact_on)) == ("following", "2026-12-01")
    town.clock.forward(hours=2)
    town.service.bells.ring(SWEEP)
    await hanako.write("また困っています")
    await town.quiet()
    case = await stands(town, case_id)
    assert (status(case), case.responsible_id) == ("waiting", 1)
    assert not await events(town, "silence"), "who is followed has not fallen silent"
    await sato.sign_in()
    assert WORDS[:10] in (await sato.http.get("/staff/today")).text
    assert (await send(sato, f"{at}/take-up", at)).status_code == 303
    assert status(await stands(town, case_id)) == "claimed"
    assert (await send(sato, f"{at}/release", at, on="2026-12-05")).status_code == 303
    case = await stands(town, case_id)
    assert (status(case), str(case.next_contact_on)) == ("waiting", "2026-12-05")


# Check-ins


async def test_a_check_in_is_sent_once_by_day_and_in_a_counselors_voice(town: Town, sato: Colleague) -> None:
    hanako, case_id = await a_resident(town)
    await planned(town, sato, case_id, on="2026-11-24", at="19:59")
    town.clock.forward(hours=10, minutes=1)
    await swept(town)
    assert not await letters(town), "at night nobody is woken"
    town.clock.forward(hours=11, minutes=58)
    await swept(town)
    assert not await letters(town)
    town.clock.forward(minutes=2)
    now = town.clock.now()
    # Two processes at once: each has its own connection.
    ours, theirs = town.service.database, Database(town.service.database.url)
    await asyncio.gather(*(one.write(lambda session: check_ins.send_due(session, now)) for one in (ours, theirs) * 3))
    await asyncio.to_thread(theirs.close)
    await swept(town)
    [text] = await letters(town)
    assert "もう送らないで" in text, "how to stop them stands with it"
    got = await hanako.new_messages(wait=0)
    assert [message["from"] for message in got if LETTER in message["text"]] == ["counselor"]
    [row] = await rows(town, CheckIn)
    assert row.message_id
    assert row.sent_at == now
    assert len(await events(town, "check_in_sent")) == 1


async def test_one_that_dies_over_it_has_sent_nothing_and_the_next_sends_it(town: Town, sato: Colleague) -> None:
    _, case_id = await a_resident(town)
    await planned(town, sato, case_id)
    town.clock.forward(hours=6)

    def dies(session) -> None:  # type: ignore[no-untyped-def]
        assert check_ins.send_due(session, town.clock.now())
        session.flush()
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await town.service.database.write(dies)
    assert not await letters(town)
    await swept(town)
    assert len(await letters(town)) == 1


async def test_the_service_sends_by_itself(town: Town, sato: Colleague) -> None:
    _, case_id = await a_resident(town)
    await planned(town, sato, case_id)
    town.clock.forward(hours=6)
    town.service.bells.ring(SWEEP)

    async def sent() -> bool:
        return bool(await letters(town))

    await town.until(sent)


async def test_a_check_in_waits_while_another_counselor_holds_the_talk(town: Town, sato: Colleague) -> None:
    _, case_id = await a_resident(town)
    await planned(town, sato, case_id)
    town.clock.forward(hours=4, minutes=58)
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        await suzuki.do(case_id, "claim")  # shortly before, so that it has not lapsed when the check-in is due
        town.clock.forward(minutes=3)
        await swept(town)
        assert not await letters(town)
        at = f"/staff/cases/{case_id}/support"
        await sato.sign_in()
        assert "送らずに待ちます" in (await sato.http.get(at)).text
        refused = await send(sato, f"{at}/check-in", at, text="いま送りたい", on="2026-11-24", at="10:00")
        assert (refused.status_code, "いま送りたい" in refused.text) == (409, True)
        await suzuki.do(case_id, "release")
    await swept(town)
    assert len(await letters(town)) == 1


@pytest.mark.parametrize("gone", ["blocked", "quit", "closed", "late"])
async def test_what_cannot_be_sent_is_told_to_staff_in_a_sentence(town: Town, sato: Colleague, gone: str) -> None:
    hanako, case_id = await a_resident(town)
    await sato.do(case_id, "claim")
    await planned(town, sato, case_id)
    if gone == "quit":
        await town.http.delete("/chat/sessions", headers=hanako.headers)
    elif gone == "closed":
        await sato.do(case_id, "close", outcome="つないだ", kind="settled")
    elif gone == "blocked":
        blocked = update(Conversation).values(blocked_at=town.clock.now())
        await town.service.database.write(lambda session: session.execute(blocked))
    town.clock.forward(days=8 if gone == "late" else 0.25)
    await swept(town)
    assert not await letters(town)
    [row] = await rows(town, CheckIn)
    assert row.done_at
    assert not row.sent_at
    assert row.why
    await sato.sign_in()
    assert row.why in (await sato.http.get(f"/staff/cases/{case_id}/support")).text
    if gone != "closed":
        assert row.why in (await sato.http.get("/staff/today")).text


async def test_a_word_of_the_resident_stops_them(town: Town, sato: Colleague) -> None:
    hanako, case_id = await a_resident(town)
    await hanako.talk("もう送らないでください")
    assert not await events(town, "check_ins_stopped"), "to who was sent none the word means something else"
    await planned(town, sato, case_id)
    await planned(town, sato, case_id, on="2026-11-25", at="10:00")
    town.clock.forward(hours=6)
    await swept(town)
    await hanako.new_messages(wait=0)
    [answer] = await hanako.talk("メッセージはもう送らないでほしいです")
    assert "もうお送りしません" in answer
    town.clock.forward(days=3)
    await swept(town)
    assert len(await letters(town)) == 1
    assert [bool(one.sent_at) for one in await rows(town, CheckIn)] == [True, False]
    await sato.sign_in()
    at = f"/staff/cases/{case_id}/support"
    shown = await sato.http.get(at)
    assert "もう送れません" in shown.text
    refused = await send(sato, f"{at}/check-in", at, text=LETTER, on="2026-11-30", at="10:00")
    assert refused.status_code == 409
    assert (await send(sato, f"{at}/allow-check-ins", at)).status_code == 303
    await planned(town, sato, case_id, on="2026-11-30", at="10:00")


async def test_stopping_is_confirmed_also_while_a_person_holds_the_talk_and_danger_is_heard(
    town: Town, sato: Colleague
) -> None:
    hanako, case_id = await a_resident(town)
    await sato.do(case_id, "claim")
    await planned(town, sato, case_id)
    await hanako.new_messages(wait=0)
    answers = await hanako.talk("もう送らないで")
    assert len(answers) == 1
    assert "もうお送りしません" in answers[0]
    await sato.do(case_id, "hand-back")
    await send(sato, f"/staff/cases/{case_id}/support/allow-check-ins", f"/staff/cases/{case_id}/support")
    await planned(town, sato, case_id)
    await hanako.new_messages(wait=0)
    answers = await hanako.talk("もう送らないで。死にたいです")
    assert len(answers) > 1
    assert any("もうお送りしません" in answer for answer in answers)
    case = await stands(town, case_id)
    assert case.urgency >= 2
    assert case.waiting_since


async def test_a_check_in_can_be_taken_back_until_it_is_sent(town: Town, sato: Colleague) -> None:
    _, case_id = await a_resident(town)
    at = f"/staff/cases/{case_id}/support"
    for wrong in ({"on": "2026-11-22"}, {"on": ""}, {"at": "x"}, {"text": " "}, {"text": "長" * 1001}):
        refused = await send(sato, f"{at}/check-in", at, **{"text": LETTER, **LATER_TODAY, **wrong})
        assert refused.status_code == 422, wrong
    await planned(town, sato, case_id)
    assert (await send(sato, f"{at}/take-back/1", at)).status_code == 303
    assert (await send(sato, f"{at}/take-back/1", at)).status_code == 409
    town.clock.forward(hours=6)
    await swept(town)
    assert not await letters(town)


@pytest.mark.parametrize(
    ("text", "language", "stops"),
    [
        ("もう送らないで", "ja", True),
        ("配信停止お願いします。", "ja", True),
        ("もう送らないでください。家賃のことは自分でやります", "ja", True),
        ("もう 送らないで", "ja-easy", True),
        ("STOP", "en", True),
        ("Please stop sending messages", "en", True),
        ("por favor, não envie mais", "pt", True),
        ("그만 보내 주세요", "ko", True),
        ("不要再发了，谢谢", "zh", True),
        ("夫に送らないでと言われて悩んでいます", "ja", False),
        ("薬はもういりません", "ja", False),
        ("やめてと言っても、やめてくれません", "ja", False),
        ("the bus does not stop here any more and I cannot get to work", "en", False),
        ("", "ja", False),
    ],
)
def test_the_words_that_stop(text: str, language: str, stops: bool) -> None:
    assert means_stop(text, language) is stops


# Visits


async def test_months_of_visits_are_told_in_a_line_each(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    at = f"/staff/cases/{case_id}/support"
    visit = {"at": "09:30", "minutes": "40", "content": ""}
    made = [("2026-08-03", "absent", "1"), ("2026-09-01", "not_opened", "1"), ("2026-11-20", "met", "")]
    for on, outcome, letter in made:
        sent = await send(sato, f"{at}/visit", at, on=on, visit=outcome, letter_left=letter, **visit)
        assert sent.status_code == 303, sent.text
    shown = (await sato.http.get(at)).text
    for words in ("出てこられなかった", "11月20日（金）", "手紙を置いた", "か月"):
        assert words in shown
    for wrong in ({"minutes": "0"}, {"minutes": "いちじかん"}, {"on": "2026-12-24"}, {"visit": "x"}, {"at": ""}):
        refused = await send(sato, f"{at}/visit", at, **{"on": "2026-11-20", "visit": "met", **visit, **wrong})
        assert refused.status_code == 422, wrong
    kept = await rows(town, SupportRecord)
    assert [(one.means, one.minutes, one.visit, one.letter_left) for one in kept] == [
        ("visit", 40, "absent", True), ("visit", 40, "not_opened", True), ("visit", 40, "met", False),
    ]  # fmt: skip
    assert kept[0].at == datetime(2026, 8, 3, 0, 30, tzinfo=UTC)


# The end, and coming back


async def test_only_who_carries_a_case_ends_it_and_with_a_kind(town: Town, sato: Colleague) -> None:
    hanako, case_id = await a_resident(town)
    at = f"/staff/cases/{case_id}/support"
    await sato.do(case_id, "claim")
    assert (await send(sato, f"{at}/close", at, kind="", outcome="つないだ")).status_code == 422
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        end = {"kind": "other_agency", "outcome": "社協が支える"}
        assert (await send(suzuki, f"{at}/close", at, **end)).status_code == 409
        await sato.do(case_id, "release")
        refused = await send(suzuki, f"{at}/close", at, **end)
        assert (refused.status_code, "主担当は佐藤さんです" in refused.text) == (409, True)
    assert (await send(sato, f"{at}/close", at, **end)).status_code == 303
    case = await stands(town, case_id)
    assert (case.outcome_kind, case.outcome, case.next_contact_on) == ("other_agency", "社協が支える", None)
    assert "ひと区切り" in (await hanako.new_messages(wait=0))[-1]["text"]


async def test_nobody_is_told_to_come_back_after_a_death(town: Town, sato: Colleague) -> None:
    hanako, case_id = await a_resident(town)
    await sato.do(case_id, "claim")
    await hanako.new_messages(wait=0)
    await sato.do(case_id, "close", kind="died", outcome="ご家族から連絡があった")
    assert await hanako.new_messages(wait=0) == []


async def test_who_writes_again_within_a_month_is_in_the_same_case_and_later_in_a_new_one(
    town: Town, sato: Colleague
) -> None:
    hanako, case_id = await a_resident(town)
    await sato.do(case_id, "claim")
    await sato.do(case_id, "close", kind="settled", outcome="つないだ")
    town.clock.forward(days=29, hours=23)
    await hanako.write("また困っています")
    await town.quiet()
    [case] = await town.cases()
    assert (status(case), case.responsible_id, case.outcome) == ("waiting", 1, None)
    assert {"work", "housing"} <= {field["id"] for field in case.assessment["fields"]}, "what was told stays known"
    [reopened] = await events(town, "reopened")
    assert reopened.note == "つないだ"
    await sato.sign_in()
    assert case_id in (await sato.http.get("/staff/today")).text, "who is responsible is told"
    await sato.do(case_id, "claim")
    await sato.do(case_id, "close", kind="settled", outcome="つないだ")
    town.clock.forward(days=30, seconds=1)
    await hanako.write("ひさしぶりです。仕事のことで相談です")
    await town.quiet()
    old, new = await town.cases()
    assert (new.previous_id, status(old)) == (old.id, "closed")
    assert WORDS not in new.complaint


async def test_a_case_ended_while_the_resident_writes_is_opened_again_and_nothing_is_lost(
    town: Town, sato: Colleague
) -> None:
    hanako, case_id = await a_resident(town)
    await sato.do(case_id, "claim")
    await asyncio.gather(
        sato.do(case_id, "close", kind="settled", outcome="つないだ"), hanako.write("まだ聞いてほしいことがあります")
    )
    await town.quiet()
    [case] = await town.cases()
    last = [message for message in await town.messages() if message.sender == "resident"][-1]
    assert last.case_id == case.id

"""Corrections over real HTTP: laid over what the machine found, kept beside it, never lost and never overridden."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bot.understanding import Assessment, Urgency
from connectors.base import Inbound
from handoff import corrections
from handoff.case import LEVELS
from storage.models import Case, Conversation, Message
from storage.support import Correction
from tests.conftest import Town
from tests.desk import HTMX, INPUT, Colleague, a_case, at_work, browser
from tests.test_api import System, system

#: Somebody who takes part and is no agency of the list.
NURSE = {"name": "保健師の訪問", "kind": "", "role": "", "since": None}
WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません。"
MORE = "山田健一さんの店で、さくら中学校の14の娘が夜まで働いています。"
FOUND: dict[str, Any] = {
    "fields": [{"id": "housing", "confidence": 0.9, "quotes": ["家賃を滞納していて"], "example": "家賃が払えません"}],
    "services": [{"id": "jiritsu_soudan", "score": 0.8, "quote": "家賃を滞納していて"}],
    "household": {
        "members": [
            {"relation": "husband", "age": 47, "fields": ["work"], "quotes": ["夫が仕事を辞めて"], "called": ""},
            {"relation": "daughter", "age": None, "fields": ["education"], "quotes": ["中学生の娘も"], "called": ""},
        ],
        "focus": None,
    },
    "topics": {"since": "夫が仕事を辞めてから"},
}  # fmt: skip
WRONG = re.compile(r'<p class="wrong"[^>]*>([^<]+)</p>')


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


@pytest.fixture
async def theirs(town: Town) -> System:
    return await system(town)


async def fix(who: Colleague, case_id: str, **form: str) -> httpx.Response:
    """Sends one correction, as somebody who sees the case for the first time; `version` says otherwise."""
    return await who.do(case_id, "correct", **{"version": "0", **form})


async def the_case(town: Town, case_id: str) -> Case:
    return next(case for case in await town.cases() if case.id == case_id)


async def rows(town: Town) -> list[Correction]:
    return await town.service.database.read(
        lambda session: list(session.scalars(select(Correction).order_by(Correction.id)))
    )


async def rests_on(town: Town, text: str) -> str:
    """The name by which a form chooses the first sentence of a message."""
    return next(f"{message.id}.0" for message in await town.messages() if message.text == text)


async def test_a_field_is_confirmed_removed_and_added_and_both_readings_are_shown(
    town: Town, sato: Colleague, theirs: System
) -> None:
    case_id = await a_case(town, WORDS, MORE, found=FOUND)
    assert (await fix(sato, case_id, what="field", key="housing", act="confirm")).status_code == 200
    added = await fix(sato, case_id, what="field", key="child", act="add", rests=await rests_on(town, MORE))
    assert added.status_code == 200
    assert "職員の訂正" in added.text
    shown = (await theirs.get(f"/{case_id}")).json()
    assert [(field["id"], field["state"], field["quotes"]) for field in shown["fields"]] == [
        ("housing", "confirmed", ["家賃を滞納していて"]), ("child", "corrected", [MORE]),
    ]  # fmt: skip
    assert "子ども・子育て" in shown["summary"]
    confirmed = (await rows(town))[0]
    wrong = await fix(sato, case_id, what="field", key="housing", act="wrong", version=str(confirmed.id))
    assert "<s>住まい</s>" in wrong.text
    assert [field["id"] for field in (await theirs.get(f"/{case_id}")).json()["fields"]] == ["child"]
    version = str((await rows(town))[-1].id)
    await fix(sato, case_id, what="field", key="housing", act="undo", version=version)
    assert (await theirs.get(f"/{case_id}")).json()["fields"][0]["state"] == "found"
    kept = await rows(town)
    assert [row.corrected["state"] for row in kept] == ["confirmed", "added", "wrong", "undone"]
    assert kept[2].found["quotes"] == ["家賃を滞納していて"]
    assert (await the_case(town, case_id)).assessment["fields"] == FOUND["fields"]


async def test_of_two_who_correct_at_once_one_is_told_and_keeps_what_they_typed(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS, found=FOUND)
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        texts = ("娘がまた笑えるように", "夫に<b>仕事</b>を")
        answers = await asyncio.gather(
            *(
                fix(who, case_id, what="topic", key="wish", act="change", text=text)
                for who, text in zip((sato, suzuki), texts, strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        lost = [answer.status_code for answer in answers].index(409)
        assert texts[1 - lost].replace("<", "&lt;").replace(">", "&gt;") in answers[lost].text
        assert texts[lost].replace("<", "&lt;").replace(">", "&gt;") in answers[lost].text
        assert "ほかの人がここを訂正しました" in WRONG.findall(answers[lost].text)[0]
        # Something else may be corrected at the same time.
        others = await asyncio.gather(
            fix(sato, case_id, what="topic", key="area", act="change", text="東の方"),
            fix(suzuki, case_id, what="field", key="housing", act="confirm"),
        )
        assert [answer.status_code for answer in others] == [200, 200]
    assert len(await rows(town)) == 3
    assert set((await the_case(town, case_id)).corrected["topics"]) == {"wish", "area"}


async def test_a_member_is_changed_removed_and_added_and_stays_so_when_the_machine_reads_anew(
    town: Town, sato: Colleague, theirs: System
) -> None:
    case_id = await a_case(town, WORDS, found=FOUND)
    husband, daughter = corrections.keys(FOUND["household"]["members"])
    person = {"relation": "husband", "age": "５０", "sex": "", "together": "no", "field-health": "1", "rests": "told"}
    page = await fix(sato, case_id, what="member", key=husband, act="change", **person)
    assert "機械の読み</b>夫 47歳" in page.text
    await fix(sato, case_id, what="member", key=daughter, act="wrong")
    await fix(sato, case_id, what="member", act="add", relation="son", age="21", sex="male", together="yes")

    def read_anew(session: Any) -> None:
        case = session.get_one(Case, case_id)
        found = [
            {"relation": "daughter", "age": 14, "fields": [], "quotes": ["中学生の娘も"], "called": ""},
            {
                "relation": "husband",
                "age": 48,
                "fields": ["work"],
                "quotes": ["夫が仕事を辞めて", "夫は48"],
                "called": "",
            },
        ]
        case.assessment = {**case.assessment, "household": {"members": found, "focus": None}}

    await town.service.database.write(read_anew)
    members = (await theirs.get(f"/{case_id}")).json()["members"]
    assert [(one["relation"], one["age"], one["together"], one["fields"]) for one in members] == [
        ("husband", 50, False, ["health"]), ("son", 21, True, []),
    ]  # fmt: skip
    page_now = await sato.open(case_id)
    assert page_now.count('class="person') == 2
    assert "<s>娘</s>" in page_now


async def test_a_lowered_urgency_stands_until_new_danger_is_read(town: Town, sato: Colleague) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk("夫に毎晩なぐられています")
    [case] = await town.cases()
    assert LEVELS[case.urgency] in ("urgent", "immediate")
    lowered = await fix(sato, case.id, what="urgency", act="change", level="none", reason="電話で無事を確かめた")
    assert lowered.status_code == 200
    await hanako.talk("仕事は週に3日です")
    [case] = await town.cases()
    assert case.urgency == 0
    assert case.corrected["urgency"]["reason"] == "電話で無事を確かめた"
    await hanako.talk("もう死にたいです")
    [case] = await town.cases()
    assert LEVELS[case.urgency] in ("urgent", "immediate")
    page = await sato.open(case.id)
    assert "電話で無事を確かめた" in page
    assert "新しい危険のしるし" in page
    assert "もう死にたいです" in page


def test_the_rule_of_urgency_over_all_levels() -> None:
    for machine in LEVELS:
        for staff in (None, *LEVELS):
            for read in LEVELS:
                case = Case(assessment=Assessment(Urgency(machine, ("dv",), "q")).to_json(), corrected={})
                if staff:
                    case.corrected = {"urgency": {"level": staff, "reason": "r", "quotes": [], "version": 1}}
                corrections.reckon(case, {"level": read, "kinds": ["dv"], "quote": "q"})
                assert LEVELS[case.urgency] == (max(staff, read, key=LEVELS.index) if staff else machine)
                corrections.reckon(case)
                assert LEVELS[case.urgency] == (max(staff, read, key=LEVELS.index) if staff else machine)


async def test_raised_by_staff_a_case_waits_for_a_person(town: Town, sato: Colleague, theirs: System) -> None:
    case_id = await a_case(town, WORDS, waiting=False, found=FOUND)
    await fix(sato, case_id, what="urgency", act="change", level="urgent", reason="食べ物がないと電話で聞いた")
    shown = (await theirs.get(f"/{case_id}")).json()
    assert (shown["status"], shown["urgency"]["level"]) == ("waiting", "urgent")
    version = str((await rows(town))[-1].id)
    await fix(sato, case_id, what="urgency", act="undo", version=version)
    assert (await theirs.get(f"/{case_id}")).json()["urgency"]["level"] == "none"


async def test_what_staff_know_of_contact_consent_and_the_talk_is_told_to_staff_systems(
    town: Town, sato: Colleague, theirs: System
) -> None:
    case_id = await a_case(town, WORDS, found=FOUND)
    for form in (
        {"what": "contact", "act": "change", "by": "phone", "phone": "090-1234-5678", "when": "夜", "safe": "no"},
        {"what": "share", "act": "change", "value": "yes", "version": "None"},
        {"what": "speaker", "act": "change", "value": "family"},
        {"what": "topic", "key": "involved", "act": "change", "text": "保健師の訪問", "rests": "told"},
        {"what": "topic", "key": "tried", "act": "change", "text": "役所に行った", "rests": "told"},
        {"what": "topic", "key": "area", "act": "change", "text": "東の方", "rests": "told"},
    ):
        answer = await fix(sato, case_id, **form)
        assert answer.status_code == 200, answer.text
    shown = (await theirs.get(f"/{case_id}")).json()
    assert shown["contact"] == {"by": "phone", "phone": "090-1234-5678", "when": "夜", "safe": False}
    assert (shown["consent"]["share"], shown["speaker"], shown["involved"]) == (True, "family", [NURSE])
    assert (shown["tried"], shown["area"], shown["not_asked"]) == ("役所に行った", "東の方", ["wishes"])
    stale = await fix(sato, case_id, what="contact", act="change", by="visit")
    assert (stale.status_code, "ほかの人がここを訂正しました" in stale.text) == (409, True)


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"what": "field", "key": "", "act": "add"}, "どれを加えるかを選んでください。"),
    ({"what": "field", "key": "housing", "act": "dance"}, "何を訂正するのかが分かりませんでした。"),
    ({"what": "nothing"}, "何を訂正するのかが分かりませんでした。"),
    ({"what": "field", "key": "child", "act": "add", "rests": "999999.0"}, "選んだ言葉は、本人が取り消しました。"),
    ({"what": "field", "key": "child", "act": "add", "rests": "' OR 1=1"}, "選んだ言葉は、本人が取り消しました。"),
    ({"what": "member", "act": "add", "relation": "king"}, "続柄を選んでください。"),
    ({"what": "member", "act": "add", "relation": "son", "age": "121"}, "年齢は、0から120までの数で"),
    ({"what": "member", "act": "add", "relation": "son", "age": "²"}, "年齢は、0から120までの数で"),
    ({"what": "urgency", "act": "change", "level": "none", "reason": " "}, "緊急度を変える理由を書いてください。"),
    ({"what": "topic", "key": "wish", "act": "change", "text": "あ" * 501}, "500文字までで書いてください。"),
    ({"what": "topic", "key": "wish", "act": "change", "text": "\u0000"}, "ことばを入れてください。"),
    ({"what": "contact", "phone": "電話しないで"}, "電話番号は、数字とハイフンで入れてください。"),
]  # fmt: skip


async def test_what_cannot_be_is_refused_with_a_sentence_beside_it_and_kept(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS, found=FOUND)
    for form, sentence in REFUSED:
        answer = await fix(sato, case_id, **form)
        assert (answer.status_code, sentence in answer.text) == (422, True), form
        if form.get("text", "").strip("\0"):
            assert form["text"] in answer.text
    assert await rows(town) == []
    assert (await the_case(town, case_id)).corrected == {}


async def test_strangers_and_foreign_forms_correct_nothing(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS, found=FOUND)
    async with browser(town) as http:
        assert (await http.post(f"/staff/cases/{case_id}/correct", data={"what": "field"})).status_code == 401
    form = {"what": "field", "key": "housing", "act": "wrong", "version": "0"}
    assert (await sato.http.post(f"/staff/cases/{case_id}/correct", data=form)).status_code == 403
    assert (await fix(sato, "f" * 32, **form)).status_code == 404
    assert await rows(town) == []
    mine = dict(INPUT.findall(await sato.queue()))
    plain = await sato.http.post(f"/staff/cases/{case_id}/correct", data={**mine, **form})
    assert plain.status_code == 303
    refused = await sato.http.post(f"/staff/cases/{case_id}/correct", data={**mine, **form})
    assert (refused.status_code, "<html" in refused.text) == (409, True)


async def test_a_correction_becomes_an_example_only_when_nobody_is_in_it_and_an_admin_decides(
    town: Town, sato: Colleague
) -> None:
    case_id = await a_case(town, WORDS, MORE, found=FOUND)
    page = await fix(sato, case_id, what="field", key="child", act="add", rests=await rests_on(town, MORE))
    [row] = await rows(town)
    [offered] = re.findall(r'name="text" rows="3" maxlength="300">([^<]+)</textarea>', page.text)[:1]
    assert "〇〇" in offered
    assert not re.search("山田|健一|さくら|14", offered)
    mine = {"key": str(row.id), "act": "offer"}
    named = await sato.do(case_id, "example", **mine, text="健一さんの店で娘が働いています")
    assert (named.status_code, "らしい言葉が残っています" in named.text) == (422, True)
    assert (await rows(town))[0].example is None
    assert (await sato.do(case_id, "example", **mine, text=offered)).status_code == 200
    assert (await sato.do(case_id, "example", **mine, text=offered)).status_code == 404
    assert (await sato.http.get("/staff/settings/examples")).status_code == 404
    async with at_work(town, "山本", "admin@example.jp", "admin") as admin:
        listed = await admin.http.get("/staff/settings/examples")
        assert offered in listed.text
        assert case_id not in listed.text
        form = dict(INPUT.findall(listed.text))
        decide = f"/staff/settings/examples/{row.id}"
        assert (await admin.http.post(decide, data={**form, "act": "take", "was": ""})).status_code == 303
        late = await admin.http.post(decide, data={**form, "act": "decline", "was": ""}, headers=HTMX)
        assert late.status_code == 409
    assert (await rows(town))[0].example_state == "taken"


async def test_words_that_are_taken_back_leave_the_corrections_too(town: Town, sato: Colleague, theirs: System) -> None:
    case_id = await a_case(town, WORDS, MORE, found=FOUND, channel="line")
    rests = await rests_on(town, MORE)
    await fix(sato, case_id, what="field", key="child", act="add", rests=rests)
    await fix(sato, case_id, what="topic", key="wish", act="change", text=MORE, rests=rests)
    await fix(sato, case_id, what="topic", key="tried", act="change", text="電話で聞いた", rests="told")
    [row, *_] = await rows(town)
    await sato.do(case_id, "example", key=str(row.id), act="offer", text="娘が夜まで働いています")

    def on_line(session: Any) -> str:
        message = session.scalars(select(Message).where(Message.text == MORE)).one()
        message.channel_message_id = "m1"
        return str(session.get_one(Conversation, message.conversation_id).address)

    address = await town.service.database.write(on_line)
    now = town.clock.now()
    await town.service.inbox.accept([Inbound("line", "e1", address, "unsend", now, message_id="m1")])
    await town.quiet()
    gone = await rows(town)
    assert gone[0].example is None
    assert not any("働いています" in f"{row.found}{row.corrected}{row.example}" for row in gone)
    case = await the_case(town, case_id)
    assert "働いています" not in f"{case.corrected}{case.summary}"
    assert case.corrected["topics"]["tried"]["text"] == "電話で聞いた"
    assert "働いています" not in (await theirs.get(f"/{case_id}")).text
    assert "働いています" not in await sato.open(case_id)


async def test_a_later_correction_takes_its_example_back(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS, found=FOUND)
    await fix(sato, case_id, what="service", key="jiritsu_soudan", act="wrong")
    [row] = await rows(town)
    await sato.do(case_id, "example", key=str(row.id), act="offer", text="家賃を滞納していて困っています")
    await fix(sato, case_id, what="service", key="jiritsu_soudan", act="undo", version=str(row.id))
    assert (await rows(town))[0].example is None


async def test_the_words_behind_a_field_are_marked_and_stay_text(town: Town, sato: Colleague) -> None:
    text = "<script>alert(1)</script>家賃を滞納していて"
    quoted = {"fields": [{"id": "housing", "confidence": 0.9, "quotes": [text], "example": ""}]}
    page = await sato.open(await a_case(town, f"{text}、困っています", found=quoted))
    assert '<mark data-n="1">&lt;script&gt;alert(1)&lt;/script&gt;家賃を滞納していて</mark>、困っています' in page
    assert "<script>alert" not in page

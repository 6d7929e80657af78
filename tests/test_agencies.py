"""Many agencies, one case: who may know what, and on which ground. The tests try to read what is not theirs."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from handoff import access
from storage.models import Agency, Case, CaseEvent, Staff
from storage.support import AuditEntry, CaseNote, Client, Involvement
from tests.conftest import Town
from tests.desk import INPUT, PASSWORD, Colleague, a_case, at_work, browser

WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
SECRET = "大家さんにはまだ言わないでください"


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


async def send(colleague: Colleague, path: str, page: str = "", /, **inputs: str) -> httpx.Response:
    """Fills in a form of a page, which carries the session's own key."""
    shown = await colleague.http.get(page or path)
    form = dict(INPUT.findall(shown.text))
    return await colleague.http.post(path, data={"csrf": form.get("csrf", ""), **inputs})


async def an_agency(town: Town, name: str) -> int:
    def make(session) -> int:  # type: ignore[no-untyped-def]
        agency = Agency(name=name, kind="学校・教育委員会", created_at=town.clock.now())
        session.add(agency)
        session.flush()
        return agency.id

    return await town.service.database.write(make)


@contextlib.asynccontextmanager
async def somebody_of(town: Town, agency: int, email: str) -> AsyncIterator[Colleague]:
    """An account of an agency, signed in."""
    hashed = await access.hash_password(PASSWORD)
    now = town.clock.now()
    await town.service.database.write(
        lambda session: session.add(
            Staff(
                email=email, name="田中", role="agency", agency_id=agency, password_hash=hashed, created_at=now
            )
        )
    )  # fmt: skip
    async with browser(town) as http:
        tanaka = Colleague(http, email)
        assert (await tanaka.sign_in()).status_code == 303
        yield tanaka


async def says(town: Town, case_id: str, share: bool | None) -> None:
    """What the client says of sharing."""
    now = town.clock.now()
    await town.service.database.write(
        lambda session: session.execute(update(Case).where(Case.id == case_id).values(share=share, share_at=now))
    )


async def rows(town: Town, table: Any) -> list[Any]:
    return await town.service.database.read(lambda session: list(session.scalars(select(table).order_by(table.id))))


async def events(town: Town, kind: str) -> list[CaseEvent]:
    return [one for one in await rows(town, CaseEvent) if one.kind == kind]


# The list


async def test_agencies_are_added_found_changed_and_retired(town: Town, sato: Colleague) -> None:
    nothing = await send(sato, "/staff/agencies", name="", kind="ない種類", phone="0" * 41, note="<b>覚え書き</b>")
    assert nothing.status_code == 422
    for said in ("機関の名前を書いてください。", "機関の種類を選んでください。", "40文字まで"):
        assert said in nothing.text
    assert "&lt;b&gt;覚え書き" in nothing.text, "what was typed is kept, and is text"
    made = await send(sato, "/staff/agencies", name="みどり中学校", kind="学校・教育委員会", note="100%_出席")
    where = made.headers["location"]
    again = await send(sato, "/staff/agencies", name="みどり中学校", kind="学校・教育委員会")
    assert (again.status_code, "もうあります" in again.text) == (409, True)
    for search, there in (("みどり", True), ("中学校 出席", True), ("100%_", True), ("0%5", False), ("ない", False)):
        found = await sato.http.get("/staff/agencies", params={"q": search})
        assert ("みどり中学校" in found.text) is there, search
    changed = {"name": "みどり中学校", "kind": "学校・教育委員会", "phone": "03-0000-0000", "version": "1"}
    assert (await send(sato, where, **changed)).status_code == 303
    stale = await send(sato, where, **{**changed, "phone": "03-9999-9999"})
    assert (stale.status_code, "ほかの人が先に" in stale.text, "03-9999-9999" in stale.text) == (409, True, True)
    assert (await send(sato, f"{where}/retire", where, version="2")).status_code == 303
    assert "みどり中学校" not in (await sato.http.get("/staff/agencies")).text
    assert "みどり中学校" in (await sato.http.get("/staff/agencies?retired=1")).text
    for wrong in ("/staff/agencies/999", f"/staff/agencies/{2**40}", "/staff/agencies/x"):
        assert (await sato.http.get(wrong)).status_code in (404, 422)


# The case


async def test_without_consent_an_agency_joins_only_on_another_ground(town: Town, sato: Colleague) -> None:
    case_id, school = await a_case(town, WORDS), await an_agency(town, "みどり中学校")
    at = f"/staff/cases/{case_id}/support"
    for ground, said in (("consent", "同意は、まだ確かめられていません。"), ("", "選んでください"), ("x", "選んで")):
        refused = await send(sato, f"{at}/agency", at, agency=str(school), role="登校の相談", ground=ground)
        assert (refused.status_code, said in refused.text, "登校の相談" in refused.text) == (422, True, True)
    await says(town, case_id, False)
    refused = await send(sato, f"{at}/agency", at, agency=str(school), ground="consent")
    assert "伝えないでほしいと言っています" in refused.text
    assert "もらすと罰則があります" in refused.text, "what each ground means is said before it is chosen"
    joined = await send(sato, f"{at}/agency", at, agency=str(school), role="登校の相談", ground="106_6")
    assert joined.status_code == 303
    twice = await send(sato, f"{at}/agency", at, agency=str(school), ground="106_6")
    assert (twice.status_code, "もう参加しています" in twice.text) == (409, True)
    [part] = await rows(town, Involvement)
    for _ in range(2):
        assert (await send(sato, f"{at}/leave/{part.id}", at)).status_code == 303
    assert len(await events(town, "agency_left")) == 1
    assert (await send(sato, f"{at}/agency", at, agency="999", ground="106_6")).status_code == 422
    assert (await sato.http.get(f"/staff/cases/{'0' * 32}/support")).status_code == 404


async def test_an_agency_sees_only_what_is_meant_for_it(town: Town, sato: Colleague) -> None:
    case_id, other_id = await a_case(town, WORDS), await a_case(town, SECRET)
    school, clinic = await an_agency(town, "みどり中学校"), await an_agency(town, "あおぞら診療所")
    await says(town, case_id, True)
    at = f"/staff/cases/{case_id}/support"
    for agency in (school, clinic):
        assert (await send(sato, f"{at}/agency", at, agency=str(agency), ground="consent")).status_code == 303
    written = {
        "わたしだけのメモ": "mine",
        "役所のメモ": "staff",
        "みなのメモ": "agencies",
        "学校へのメモ": f"agency:{school}",
        "診療所へのメモ": f"agency:{clinic}",
    }
    for text, audience in written.items():
        noted = await send(sato, f"{at}/note", at, text=text, audience=audience, ground="consent")
        assert noted.status_code == 303, noted.text
    async with somebody_of(town, school, "tanaka@example.jp") as tanaka:
        assert case_id in (await tanaka.http.get("/staff/agency")).text
        own = f"/staff/agency/cases/{case_id}"
        shown = (await tanaka.http.get(own)).text
        assert {text for text in written if text in shown} == {"みなのメモ", "学校へのメモ"}
        added = await send(tanaka, own, text="週に一度、家に寄っています", audience="staff")
        assert added.status_code == 303
        assert (await send(tanaka, own, text="x", audience="mine")).status_code == 422
        assert "週に一度" in (await sato.http.get(at)).text

        # What is not theirs, by every address there is.
        not_theirs = [
            f"/staff/agency/cases/{other_id}", f"/staff/agency/cases/{'0' * 32}", "/staff/agency/cases/x%00", at,
            f"/staff/cases/{case_id}/letter", "/staff/agencies", f"/staff/agencies/{school}", "/staff/meetings",
            "/staff/today", f"/staff/cases/{other_id}/support",
        ]  # fmt: skip
        for path in not_theirs:
            answer = await tanaka.http.get(path)
            assert answer.status_code == 404, path
            assert SECRET not in answer.text
        [first, *_] = await rows(town, CaseNote)
        for path in (f"{at}/note", f"{at}/change-note/{first.id}", f"{at}/withdraw-note/{first.id}", "/staff/agencies"):
            refused = await send(
                tanaka, path, own, text="ぬすみ書き", audience="agencies", ground="consent", version="1"
            )
            assert refused.status_code == 404, path

        # Somebody of another agency does not read the school's own note to the town hall.
        async with somebody_of(town, clinic, "yamada@example.jp") as yamada:
            shown = (await yamada.http.get(own)).text
            assert {text for text in written if text in shown} == {"みなのメモ", "診療所へのメモ"}
            assert "週に一度" not in shown

        # The consent is taken back: at once there is nothing more to see.
        await says(town, case_id, False)
        assert (await tanaka.http.get(own)).status_code == 404
        assert (await send(tanaka, own, "/staff/agency", text="まだ書ける", audience="staff")).status_code == 404
        assert case_id not in (await tanaka.http.get("/staff/agency")).text
        assert "みどり中学校" in (await sato.http.get(at)).text
        await says(town, case_id, True)
        part = next(one for one in await rows(town, Involvement) if one.agency_id == school)
        await send(sato, f"{at}/leave/{part.id}", at)
        assert (await tanaka.http.get(own)).status_code == 404
    looks = [one for one in await rows(town, AuditEntry) if one.detail == "agency"]
    assert looks
    assert {one.case_id for one in looks} == {case_id}


async def test_what_was_shared_by_consent_is_hidden_when_the_agency_stays_on_another_ground(
    town: Town, sato: Colleague
) -> None:
    case_id, school = await a_case(town, WORDS), await an_agency(town, "みどり中学校")
    await says(town, case_id, True)
    at = f"/staff/cases/{case_id}/support"
    await send(sato, f"{at}/agency", at, agency=str(school), ground="child_25_2")
    await send(sato, f"{at}/note", at, text="同意のメモ", audience="agencies", ground="consent")
    await send(sato, f"{at}/note", at, text="要対協のメモ", audience="agencies", ground="child_25_2")
    await says(town, case_id, False)
    async with somebody_of(town, school, "tanaka@example.jp") as tanaka:
        shown = (await tanaka.http.get(f"/staff/agency/cases/{case_id}")).text
    assert ("同意のメモ" in shown, "要対協のメモ" in shown) == (False, True)
    kept = {note.text: (note.ground, note.consent) for note in await rows(town, CaseNote)}
    assert kept == {"同意のメモ": ("consent", True), "要対協のメモ": ("child_25_2", True)}
    refused = await send(sato, f"{at}/note", at, text="x" * 5001, audience="agencies", ground="consent")
    assert (refused.status_code, "5000文字まで" in refused.text) == (422, True)


@pytest.mark.parametrize("ended", ["closed", "retired"])
async def test_an_agency_sees_nothing_of_a_closed_case_or_once_it_is_retired(
    town: Town, sato: Colleague, ended: str
) -> None:
    case_id, school = await a_case(town, WORDS), await an_agency(town, "みどり中学校")
    at, own = f"/staff/cases/{case_id}/support", f"/staff/agency/cases/{case_id}"
    await send(sato, f"{at}/agency", at, agency=str(school), ground="106_6")
    async with somebody_of(town, school, "tanaka@example.jp") as tanaka:
        await send(tanaka, own, text="はじめのメモ", audience="agencies")
        [note] = await rows(town, CaseNote)
        assert (await send(tanaka, f"{own}/notes/{note.id}", own, text="直したメモ", version="1")).status_code == 303
        stale = await send(tanaka, f"{own}/notes/{note.id}", own, text="古い紙から", version="1")
        assert (stale.status_code, "古い紙から" in stale.text) == (409, True)
        assert "直したメモ" in (await sato.http.get(at)).text
        if ended == "retired":
            await send(sato, f"/staff/agencies/{school}/retire", f"/staff/agencies/{school}", version="1")
        else:
            await sato.do(case_id, "claim")
            await sato.do(case_id, "close", kind="settled", outcome="つないだ")
        assert (await tanaka.http.get(own)).status_code == 404
        assert case_id not in (await tanaka.http.get("/staff/agency")).text
        refused = await send(tanaka, f"{own}/notes/{note.id}", "/staff/agency", do="withdraw")
        assert refused.status_code in (403, 404)
    assert "直したメモ" in (await sato.http.get(at)).text


async def test_a_note_is_changed_by_its_author_alone_and_never_over_a_newer_one(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    at = f"/staff/cases/{case_id}/support"
    await send(sato, f"{at}/note", at, text="<script>はじめ</script>", audience="staff")
    assert "&lt;script&gt;はじめ" in (await sato.http.get(at)).text
    [note] = await rows(town, CaseNote)
    change = f"{at}/change-note/{note.id}"
    assert (await send(sato, change, at, text="直した", version="1")).status_code == 303
    stale = await send(sato, change, at, text="古い紙から", version="1")
    assert (stale.status_code, "古い紙から" in stale.text) == (409, True)
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        assert (await send(suzuki, change, at, text="人のメモ", version="2")).status_code == 404
        assert (await send(suzuki, f"{at}/withdraw-note/{note.id}", at)).status_code == 404
    async with at_work(town, "木村", "kimura@example.jp", "supervisor") as kimura:
        assert (await send(kimura, f"{at}/withdraw-note/{note.id}", at)).status_code == 303
    assert "直した" not in (await sato.http.get(at)).text


# The letter


async def test_a_letter_wants_consent_or_a_ground_and_leaves_its_trace(town: Town, sato: Colleague) -> None:
    case_id, school = await a_case(town, WORDS), await an_agency(town, "みどり中学校")
    now = town.clock.now()
    await town.service.database.write(
        lambda session: session.add(Client(case_id=case_id, name="青木花子", changed_at=now))
    )
    at = f"/staff/cases/{case_id}/letter"
    shown = (await sato.http.get(f"{at}?agency={school}")).text
    assert "みどり中学校　御中" in shown
    assert "家賃を滞納" in shown
    letter = {"to": "みどり中学校　御中", "complaint": "家賃のこと\n" * 300, "ask": "登校の相談", "contact": "佐藤"}
    refused = await send(sato, at, do="make", ground="consent", **letter)
    assert (refused.status_code, "別の根拠" in refused.text, "登校の相談" in refused.text) == (422, True, True)
    empty = await send(sato, at, do="make", ground="106_6", **{**letter, "ask": ""})
    assert empty.status_code == 422
    preview = await send(sato, at, do="preview", ground="106_6", **letter)
    assert "同意はまだいただいておりません" in preview.text
    assert not await events(town, "letter_made")
    made = await send(sato, at, do="make", ground="106_6", **letter)
    assert made.content.startswith(b"%PDF")
    assert "青木" not in made.headers["content-disposition"]
    assert [event.note for event in await events(town, "letter_made")] == ["社会福祉法106条の6"]
    exported = [one for one in await rows(town, AuditEntry) if one.action == "exported"]
    assert [(one.case_id, one.detail) for one in exported] == [(case_id, "letter")]


async def test_forms_of_strangers_and_unknown_buttons_are_refused(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    at = f"/staff/cases/{case_id}/support"
    assert (await sato.http.post(f"{at}/note", data={"text": "x", "audience": "staff"})).status_code == 403
    assert (await send(sato, f"{at}/nothing", at)).status_code == 404
    assert (await send(sato, f"{at}/leave/{2**40}", at)).status_code == 404
    async with browser(town) as http:
        assert (await http.get(at)).status_code == 303
        assert (await http.post(f"{at}/note")).status_code == 401
    town.clock.forward(hours=13)
    assert (await sato.http.get(at)).status_code == 303

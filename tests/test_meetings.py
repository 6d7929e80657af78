"""Support meetings: in a 重層的支援会議 a case without consent cannot be opened, whatever way is tried."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from handoff import meeting_paper, meetings
from storage.models import Case, Staff
from storage.support import AuditEntry, Meeting, MeetingCase
from tests.conftest import Town
from tests.desk import Colleague, a_case, at_work
from tests.test_agencies import an_agency, says, send

OPEN, SHUT = "家賃を滞納しています", "夫に知られたくないことがあります"


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


async def a_meeting(who: Colleague, kind: str) -> str:
    made = await send(
        who, "/staff/meetings", kind=kind, title="十二月の会議", on="2026-12-01", at="14:00", place="会議室"
    )
    assert made.status_code == 303, made.text
    return str(made.headers["location"])


async def everything_of(who: Colleague, at: str, case_id: str) -> list[httpx.Response]:
    """Every way in which a meeting shows a case."""
    paths = (at, f"{at}/agenda.pdf", f"{at}/minutes.pdf", f"{at}/cases/{case_id}", "/staff/meetings")
    return [await who.http.get(path) for path in paths]


async def test_a_juso_meeting_opens_only_cases_with_consent(
    town: Town, sato: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[str] = []
    make = meeting_paper.make

    def noted(paper, meeting, attendees, cases, town_name, now):  # type: ignore[no-untyped-def]
        printed.extend(case["complaint"] for case in cases)
        return make(paper, meeting, attendees, cases, town_name, now)

    monkeypatch.setattr(meeting_paper, "make", noted)
    open_id, shut_id = await a_case(town, OPEN), await a_case(town, SHUT)
    await says(town, open_id, True)
    juso = await a_meeting(sato, "juso")
    meeting_id = int(juso.rsplit("/", 1)[1])

    for share in (None, False):
        await says(town, shut_id, share)
        assert SHUT not in (await sato.http.get(juso)).text, "it is not even offered"
        refused = await send(sato, f"{juso}/add", juso, case=shut_id)
        assert (refused.status_code, "同意がある相談だけ" in refused.text, SHUT in refused.text) == (422, True, False)
        support = f"/staff/cases/{shut_id}/support"
        refused = await send(sato, f"{support}/meeting", support, meeting=str(meeting_id))
        assert (refused.status_code, "同意がある相談だけ" in refused.text) == (422, True)
    # Put there past every form: the query does not find it all the same.
    now = town.clock.now()
    await town.service.database.write(
        lambda session: session.add(
            MeetingCase(meeting_id=meeting_id, case_id=shut_id, decisions="ひみつ", added_by=1, added_at=now)
        )
    )
    assert (await send(sato, f"{juso}/add", juso, case=open_id)).status_code == 303
    shown = await everything_of(sato, juso, shut_id)
    assert [answer.status_code for answer in shown] == [200, 200, 200, 404, 200]
    assert all(SHUT not in answer.text and "ひみつ" not in answer.text for answer in shown)
    assert set(printed) == {OPEN}
    for what in ("decide", "remove"):
        answer = await send(sato, f"{juso}/cases/{shut_id}/{what}", juso, decisions="x", version="1")
        assert answer.status_code == 404
    assert "ひみつ" not in (await sato.http.get(f"/staff/cases/{shut_id}/support")).text

    # What was open is gone when the consent is taken back, and those who may know are told.
    decide = f"{juso}/cases/{open_id}/decide"
    assert (await send(sato, decide, juso, decisions="家賃は社協が", version="1")).status_code == 303
    await says(town, open_id, False)
    printed.clear()
    shown = await everything_of(sato, juso, open_id)
    assert [answer.status_code for answer in shown] == [200, 200, 200, 404, 200]
    assert not printed
    assert all(OPEN not in answer.text and "家賃は社協が" not in answer.text for answer in shown)
    assert "開けなくなった相談が2件あります" in shown[0].text
    assert (await send(sato, decide, juso, decisions="まだ書ける", version="2")).status_code == 404


async def test_a_support_meeting_needs_no_consent_and_names_the_duty_of_secrecy(town: Town, sato: Colleague) -> None:
    case_id, school = await a_case(town, SHUT), await an_agency(town, "みどり中学校")
    await says(town, case_id, False)
    at = await a_meeting(sato, "support")
    assert (await send(sato, f"{at}/add", at, case=case_id)).status_code == 303
    assert (await send(sato, f"{at}/invite", at, who=f"agency:{school}", name="田中")).status_code == 303
    nobody = await send(sato, f"{at}/invite", at, who="", name=" ")
    assert (nobody.status_code, "お名前を書いてください" in nobody.text) == (422, True)
    shown = (await sato.http.get(at)).text
    assert SHUT in shown
    assert "みどり中学校" in shown
    assert "罰金" in shown
    minutes = await sato.http.get(f"{at}/minutes.pdf")
    assert minutes.content.startswith(b"%PDF")
    assert minutes.headers["content-disposition"] == 'attachment; filename="meeting-1-minutes.pdf"'
    trail = await town.service.database.read(
        lambda session: session.execute(select(AuditEntry.action, AuditEntry.case_id, AuditEntry.detail)).all()
    )
    assert ("exported", case_id, "meeting 1 minutes") in [tuple(entry) for entry in trail]


async def test_decisions_and_dates_are_not_overwritten_silently(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, OPEN)
    at = await a_meeting(sato, "support")
    await send(sato, f"{at}/add", at, case=case_id)
    decide = f"{at}/cases/{case_id}/decide"
    assert (await send(sato, decide, at, decisions="決定" * 2000, version="1")).status_code == 303
    stale = await send(sato, decide, at, decisions="古い紙から", version="1")
    assert (stale.status_code, "古い紙から" in stale.text) == (409, True)
    assert (await send(sato, decide, at, decisions="長" * 5001, version="2")).status_code == 422
    assert (await sato.http.get(f"{at}/minutes.pdf")).content.startswith(b"%PDF")
    again = {"title": "会議", "on": "2026-12-02", "at": "10:00", "place": ""}
    assert (await send(sato, f"{at}/change", at, version="1", **again)).status_code == 303
    assert (await send(sato, f"{at}/change", at, version="1", **again)).status_code == 409
    for wrong in ({"on": "あした"}, {"at": "25:00"}, {"title": ""}, {"on": "9999-01-01"}):
        assert (await send(sato, f"{at}/change", at, version="2", **{**again, **wrong})).status_code == 422
    assert (await send(sato, f"{at}/cases/{case_id}/remove", at)).status_code == 409
    assert (await sato.http.get("/staff/meetings/99")).status_code == 404
    assert (await send(sato, f"{at}/add", at, case="x' OR 1=1")).status_code == 404


async def test_the_query_alone_decides(town: Town, sato: Colleague) -> None:
    """Whoever asks for the cases of a meeting, by code that is not written yet, gets none without consent."""
    shut_id = await a_case(town, SHUT)
    juso = await a_meeting(sato, "juso")
    await town.service.database.write(
        lambda session: session.add(
            MeetingCase(meeting_id=1, case_id=shut_id, decisions="", added_by=1, added_at=town.clock.now())
        )
    )

    def look(session) -> list[list[Case]]:  # type: ignore[no-untyped-def]
        staff, meeting = session.get_one(Staff, 1), session.get_one(Meeting, 1)
        stranger = Staff(id=99, role="agency", email="x@example.jp")
        return [list(session.scalars(meetings.cases_for(one, meeting))) for one in (staff, stranger)]

    assert juso.endswith("/1")
    assert await town.service.database.read(look) == [[], []]

"""The pages of support meetings: who meets when, about which cases, and what was decided; agenda and minutes as PDF."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import agencies, audit, corrections, meeting_paper, meetings, queue, summary
from handoff.access import TOWN_HALL, SignedIn
from handoff.moments import day, day_and_time
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.slips import Entered, Sent, same_version, send
from handoff.support_words import support_words
from handoff.tongue import say
from handoff.words import spoken_field
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Agency, Case, Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.support import Meeting, MeetingCase

Id = Annotated[int, Path(ge=1, le=2**31 - 1)]
PAPERS = ("agenda", "minutes")


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/meetings` and what lies under it."""
    pages = _Meetings(Office(settings, database, bells, clock))
    router = APIRouter(prefix="/staff/meetings", route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("", pages.index)
    router.add_api_route("", pages.begin, methods=["POST"])
    router.add_api_route("/{meeting_id}", pages.show)
    router.add_api_route("/{meeting_id}/{paper}.pdf", pages.paper)
    router.add_api_route("/{meeting_id}/cases/{case_id}", pages.show_case)
    router.add_api_route("/{meeting_id}/cases/{case_id}/{what}", pages.act_on_case, methods=["POST"])
    router.add_api_route("/{meeting_id}/{what}", pages.act, methods=["POST"])
    return router


class _Meetings:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def index(self, request: Request) -> Response:
        return await self._list(request, Sent(), 200)

    async def begin(self, request: Request) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> int:
            inputs = Entered(form)
            kind = inputs.one_of("kind", support_words().meetings, say("会議の種類を選んでください。"))
            title, held_at, place = _entered(inputs)
            inputs.done()
            assert held_at
            return meetings.begin(session, kind, title, held_at, place, who.staff, now).id

        made, sent, status = await send(self._office, request, "begin", work)
        return await self._list(request, sent, status) if made is None else _to(made)

    async def show(self, request: Request, meeting_id: Id) -> Response:
        return await self._show(request, meeting_id, Sent(), 200)

    async def show_case(self, request: Request, meeting_id: Id, case_id: str) -> Response:
        """A case as it is opened in the meeting: of no other does this page exist."""
        return await self._show_case(request, meeting_id, case_id, Sent(), 200)

    async def act(self, request: Request, meeting_id: Id, what: str) -> Response:
        if what not in ACTS:
            raise Problem(404, "Not Found", say("お探しのページは見つかりません。"))

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bool:
            ACTS[what](session, _meeting(session, who, meeting_id, to_change=True), who.staff, form, now)
            return True

        done, sent, status = await send(self._office, request, what, work)
        return await self._show(request, meeting_id, sent, status) if done is None else _to(meeting_id)

    async def act_on_case(self, request: Request, meeting_id: Id, case_id: str, what: str) -> Response:
        if what not in ("decide", "remove"):
            raise Problem(404, "Not Found", say("お探しのページは見つかりません。"))

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bool:
            meeting = _meeting(session, who, meeting_id)
            if what == "remove":
                meetings.remove_case(session, meeting, case_id, who.staff, now)
                return True
            inputs = Entered(form)
            decisions = inputs.text("decisions", meetings.LONGEST_DECISIONS)
            inputs.done()
            meetings.decide(session, meeting, case_id, decisions, form, who.staff, now)
            return True

        done, sent, status = await send(self._office, request, what, work)
        return await self._show_case(request, meeting_id, case_id, sent, status) if done is None else _to(meeting_id)

    async def paper(self, request: Request, meeting_id: Id, paper: str) -> Response:
        if paper not in PAPERS:
            raise Problem(404, "Not Found", say("お探しのページは見つかりません。"))

        def look(session: Session, who: SignedIn, now: datetime) -> tuple[SignedIn, bytes, list[str]]:
            meeting = _meeting(session, who, meeting_id)
            opened = _opened(session, who.staff, meeting)
            content = meeting_paper.make(
                paper, meeting, meetings.attendees(session, meeting), opened, self._office.settings.town, now
            )
            return who, content, [one["id"] for one in opened]

        who, content, case_ids = await self._office.look(request, look)
        await self._enter(who, "exported", f"meeting {meeting_id} {paper}", case_ids)
        name = f"meeting-{meeting_id}-{paper}.pdf"
        return Response(
            content, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    async def _list(self, request: Request, sent: Sent, status: int) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            return {
                "who": who,
                "coming": _rows(meetings.listed(session, who.staff, now, past=False)),
                "past": _rows(meetings.listed(session, who.staff, now, past=True)),
                "on": now.astimezone(JAPAN).date(),
            }

        shown = await self._office.look(request, look)
        return page("meetings.html", status, here="/staff/meetings", sent=sent, kinds=support_words().meetings, **shown)

    async def _show(self, request: Request, meeting_id: int, sent: Sent, status: int) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            meeting = _meeting(session, who, meeting_id)
            return {
                "who": who,
                "meeting": meeting,
                "kind": support_words().meetings[meeting.kind],
                "when": day_and_time(meeting.held_at),
                "local": meeting.held_at.astimezone(JAPAN),
                "attendees": meetings.attendees(session, meeting),
                "cases": _opened(session, who.staff, meeting),
                "shut_out": meetings.shut_out(session, who.staff, meeting),
                "candidates": meetings.candidates(session, who.staff, meeting),
                "agencies": list(session.scalars(agencies.listed())),
                "colleagues": _colleagues(session),
            }

        shown = await self._office.look(request, look)
        await self._enter(shown["who"], "looked", f"meeting {meeting_id}", [one["id"] for one in shown["cases"]])
        return page("meeting.html", status, here="/staff/meetings", sent=sent, **shown)

    async def _show_case(self, request: Request, meeting_id: int, case_id: str, sent: Sent, status: int) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            meeting = _meeting(session, who, meeting_id)
            case, opened = meetings.case_for(session, who.staff, meeting, case_id)
            kind = support_words().meetings[meeting.kind]
            return {
                "who": who, "meeting": meeting, "kind": kind, "when": day_and_time(meeting.held_at),
                "case": _told(session, [(case, opened)])[0],
            }  # fmt: skip

        shown = await self._office.look(request, look)
        await self._enter(shown["who"], "looked", f"meeting {meeting_id}", [case_id])
        return page("meeting_case.html", status, here="/staff/meetings", sent=sent, **shown)

    async def _enter(self, who: SignedIn, action: str, detail: str, case_ids: list[str]) -> None:
        now = self._office.clock.now()

        def work(session: Session) -> None:
            for case_id in case_ids:
                audit.enter(session, who.staff, action, now, case_id=case_id, detail=detail)
            if not case_ids and action == "exported":
                audit.enter(session, who.staff, action, now, detail=detail)

        await self._office.database.write(work)


def _change(session: Session, meeting: Meeting, _staff: Staff, form: Form, _now: datetime) -> None:
    same_version(form, meeting.version)
    inputs = Entered(form)
    title, held_at, place = _entered(inputs)
    inputs.done()
    assert held_at
    meeting.title, meeting.held_at, meeting.place, meeting.version = title, held_at, place, meeting.version + 1


def _invite(session: Session, meeting: Meeting, _staff: Staff, form: Form, _now: datetime) -> None:
    """Somebody of the town hall, of an agency, or a name alone."""
    inputs = Entered(form)
    name = inputs.text("name", meetings.LONGEST_NAME)
    kind, _, written = form.get("who", "").partition(":")
    row_id = int(written) if written.isdecimal() and len(written) < 10 else 0
    if kind == "staff" and (colleague := session.get(Staff, row_id)):
        inputs.done()
        meetings.invite(session, meeting, colleague.called, staff_id=colleague.id)
        return
    agency = session.get(Agency, row_id) if kind == "agency" else None
    if not name and not agency:
        inputs.problems["name"] = say("だれが出るかを選ぶか、お名前を書いてください。")
    inputs.done()
    meetings.invite(session, meeting, name, agency_id=agency.id if agency else None)


def _uninvite(session: Session, meeting: Meeting, _staff: Staff, form: Form, _now: datetime) -> None:
    written = form.get("attendee", "")
    if written.isdecimal() and len(written) < 10:
        meetings.uninvite(session, meeting, int(written))


def _add(session: Session, meeting: Meeting, staff: Staff, form: Form, now: datetime) -> None:
    meetings.add_case(session, meeting, form.get("case", ""), staff, now)


ACTS = {"change": _change, "invite": _invite, "uninvite": _uninvite, "add": _add}


def _entered(inputs: Entered) -> tuple[str, datetime | None, str]:
    title = inputs.text("title", meetings.LONGEST_TITLE, needed=say("会議の名前を書いてください。"))
    return title, inputs.moment("on", "at"), inputs.text("place", meetings.LONGEST_PLACE)


def _meeting(session: Session, who: SignedIn, meeting_id: int, *, to_change: bool = False) -> Meeting:
    meeting = session.get(Meeting, meeting_id, with_for_update=True if to_change else None)
    if meeting is None:
        raise LookupError(say("その会議は見つかりません。"))
    return meeting


def _opened(session: Session, staff: Staff, meeting: Meeting) -> list[dict[str, Any]]:
    rows = session.execute(
        meetings.cases_for(staff, meeting).add_columns(MeetingCase).order_by(MeetingCase.added_at, Case.id)
    )
    return _told(session, [(case, opened) for case, opened in rows])


def _told(session: Session, rows: list[tuple[Case, MeetingCase]]) -> list[dict[str, Any]]:
    """Cases as a meeting speaks of them: no name, and of the talk no more than the complaint."""
    complaints = queue.complaints(session, [case for case, _ in rows])
    return [
        {
            "id": case.id,
            "complaint": complaints[case.id],
            "household": summary.household(corrections.of(case)),
            "fields": [spoken_field(field["id"]) for field in corrections.of(case).get("fields", ())],
            "wish": corrections.of(case).get("topics", {}).get("wish", ""),
            "decisions": opened.decisions,
            "version": opened.version,
        }
        for case, opened in rows
    ]


def _colleagues(session: Session) -> list[Staff]:
    # Not the accounts of staff systems, which are disabled from the beginning.
    wanted = select(Staff).where(Staff.role.in_(TOWN_HALL), Staff.disabled_at.is_(None))
    return list(session.scalars(wanted.order_by(Staff.name)))


def _rows(found: list[meetings.Listed]) -> list[dict[str, Any]]:
    return [
        {"id": one.meeting.id, "title": one.meeting.title, "kind": one.kind, "day": day(one.meeting.held_at),
         "at": day_and_time(one.meeting.held_at), "place": one.meeting.place, "cases": one.cases}
        for one in found
    ]  # fmt: skip


def _to(meeting_id: int) -> Response:
    return RedirectResponse(f"/staff/meetings/{meeting_id}", 303)

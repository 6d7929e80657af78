"""The page of support of one case: agencies and notes, the next contact, check-ins, visits, and the end."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import access, agencies, audit, check_ins, desk, following, meetings
from handoff import case as cases
from handoff.access import SignedIn
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.slips import Entered, Sent, Slip, same_version, send
from handoff.support_view import view
from handoff.support_words import support_words
from handoff.tongue import say
from handoff.words import words
from storage import bells as bell
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Agency, Case, Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.support import SupportRecord

LONGEST_ROLE = 300
LONGEST_VISIT = 5_000
LONGEST_VISIT_MINUTES = 24 * 60
#: The id of a row in an address: what the database's integers hold.
Row = Annotated[int, Path(ge=1, le=2**31 - 1)]


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/cases/{id}/support` and what is sent from it."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)

    @router.get("/cases/{case_id}/support")
    async def show(request: Request, case_id: str) -> Response:
        return await _show(office, request, case_id, Sent(), 200)

    @router.post("/cases/{case_id}/support/{what}")
    async def act(request: Request, case_id: str, what: str) -> Response:
        if what not in ACTS:
            raise Problem(404, "Not Found", say("お探しのページは見つかりません。"))
        return await _act(office, request, case_id, what, what, ACTS[what])

    @router.post("/cases/{case_id}/support/{what}/{row}")
    async def act_on(request: Request, case_id: str, what: str, row: Row) -> Response:
        if what not in ROW_ACTS:
            raise Problem(404, "Not Found", say("お探しのページは見つかりません。"))

        def work(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
            ROW_ACTS[what](session, case, staff, row, form, now)

        return await _act(office, request, case_id, what, f"{what}-{row}", work)

    return router


Act = Callable[[Session, Case, Staff, Form, datetime], None]


async def _act(office: Office, request: Request, case_id: str, what: str, form_name: str, act: Act) -> Response:
    """Does what a form of the page says; what cannot be done is said on the page, with what was typed."""

    def work(session: Session, who: SignedIn, form: Form, now: datetime) -> tuple[str, str]:
        case = access.case_of(session, who.staff, case_id, to_change=True)
        act(session, case, who.staff, form, now)
        return case.conversation_id, form.get("back", "")

    done, sent, status = await send(office, request, form_name, work)
    if done is None:
        return await _show(office, request, case_id, sent, status)
    office.bells.ring(bell.QUEUE, bell.OUTBOX, bell.talk(done[0]))
    return RedirectResponse(
        "/staff/today" if done[1] == "today" else f"/staff/cases/{case_id}/support#{ANCHORS[what]}", 303
    )


async def _show(office: Office, request: Request, case_id: str, sent: Sent, status: int) -> Response:
    suggest, editing = request.query_params.get("suggest", ""), request.query_params.get("edit", "")

    def look(session: Session, who: SignedIn, now: datetime) -> tuple[SignedIn, dict[str, object], list[Agency]]:
        case = access.case_of(session, who.staff, case_id)
        return who, view(session, case, who.staff, now), list(session.scalars(agencies.listed()))

    who, shown, known = await office.look(request, look)
    now = office.clock.now()
    await office.database.write(
        lambda session: audit.enter(session, who.staff, "looked", now, case_id=case_id, detail="support")
    )
    return page(
        "support.html", status, who=who, here="/staff", case_id=case_id, case=shown, sent=sent, agencies=known,
        choices=support_words(), reopen_days=office.settings.reopen_days, editing=editing,
        suggest=int(suggest) if suggest.isdecimal() and len(suggest) < 3 else -1,
    )  # fmt: skip


# Staying connected


def _next_contact(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    inputs = Entered(form)
    note = inputs.text("note", following.LONGEST_NOTE)
    on = inputs.day("on") if form.get("on", "").strip() else None
    inputs.done()
    following.set_next_contact(session, case, staff, on, note, form.get("was", ""), now)


def _follow(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    """Who is followed has a day of the next contact: nobody is left to themselves."""
    inputs = Entered(form)
    on, note = inputs.day("on"), inputs.text("note", following.LONGEST_NOTE)
    inputs.done()
    following.check_day(on, now)
    desk.follow(session, case, staff, now)
    following.set_next_contact(session, case, staff, on, note, following.was(case), now)


def _release(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    inputs = Entered(form)
    on = inputs.day("on") if form.get("on", "").strip() else None
    note = inputs.text("note", following.LONGEST_NOTE)
    inputs.done()
    following.check_day(on, now)
    desk.release(session, case, staff, now)
    if on:
        following.set_next_contact(session, case, staff, on, note, following.was(case), now)


def _take_up(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    desk.take(session, case, staff, now)


def _close(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    inputs = Entered(form)
    kind = inputs.one_of("kind", support_words().outcomes, say("終わりかたの種類を選んでください。"))
    outcome = inputs.text("outcome", desk.LONGEST_OUTCOME, needed=say("どのように終わったかを書いてください。"))
    inputs.done()
    desk.close(session, case, staff, outcome, now, kind)


def _check_in(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    inputs = Entered(form)
    text = inputs.text("text", check_ins.LONGEST, needed=say("お便りの文を書いてください。"))
    due_at = inputs.moment("on", "at")
    inputs.done()
    assert due_at
    _may_plan(session, case, staff)
    if due_at <= now:
        raise Slip({"on": say("これからの日時を選んでください。")})
    following.check_day(due_at.date(), now)
    check_ins.plan(session, case, staff, text, due_at, now)


def _may_plan(session: Session, case: Case, staff: Staff) -> None:
    if case.closed_at:
        raise cases.Ended(say("この相談は終わっています。"))
    if case.claimed_by and case.claimed_by != staff.id:
        name = cases.holder_name(session, case)
        raise cases.HeldByAnother(say("この相談は{name}さんが担当しています。", name=name))
    if check_ins.stopped_at(session, case.conversation_id):
        raise Slip({"": say("ご本人が、お便りはもういらないと言っています。")}, 409)
    if check_ins.planned(session, case) >= check_ins.MOST_PLANNED:
        raise Slip({"": say("予約できるお便りは{most}通までです。", most=check_ins.MOST_PLANNED)})


def _take_back(session: Session, case: Case, staff: Staff, row: int, _form: Form, now: datetime) -> None:
    if not check_ins.take_back(session, case, row, staff, now):
        raise Slip({"": say("このお便りは、もう送られたか、取りやめられています。")}, 409)


def _allow(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    check_ins.allow(session, case, staff, now)


def _visit(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    inputs = Entered(form)
    at = inputs.moment("on", "at")
    visit = inputs.one_of("visit", words().visits, say("訪問の結果を選んでください。"))
    minutes = inputs.number(
        "minutes", 1, LONGEST_VISIT_MINUTES, say("かかった時間を、分の数字で書いてください（1〜1440）。")
    )
    content = inputs.text("content", LONGEST_VISIT)
    inputs.done()
    assert at
    if at > now:
        raise Slip({"on": say("まだ来ていない日時です。")})
    session.add(
        SupportRecord(
            case_id=case.id, staff_id=staff.id, at=at.astimezone(JAPAN), whom="", means="visit", minutes=minutes,
            content=content, next_plan="", fields=[], visit=visit, letter_left=bool(form.get("letter_left")),
            changed_at=now,
        )
    )  # fmt: skip
    cases.note(session, case, "visited", now, staff)


# Agencies and notes


def _join(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    inputs = Entered(form)
    role = inputs.text("role", LONGEST_ROLE)
    agency = _agency(session, form.get("agency", ""))
    if agency is None:
        inputs.problems["agency"] = say("機関を選んでください。")
    inputs.done()
    assert agency
    if case.closed_at:
        raise cases.Ended(say("この相談は終わっています。"))
    agencies.involve(session, case, agency, role, form.get("ground", ""), staff, now)


def _leave(session: Session, case: Case, staff: Staff, row: int, _form: Form, now: datetime) -> None:
    agencies.end_involvement(session, case, row, staff, now)


def _note(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    inputs = Entered(form)
    text = inputs.text("text", agencies.LONGEST_NOTE, needed=say("メモを書いてください。"))
    # "agency:12" is the town hall and that agency.
    audience, _, agency = form.get("audience", "").partition(":")
    if audience not in support_words().audiences:
        inputs.problems["audience"] = say("だれが読めるメモかを選んでください。")
    inputs.done()
    agencies.write_note(
        session, case, staff, text, audience, now, ground=form.get("ground", ""),
        agency_id=int(agency) if agency.isdecimal() and len(agency) < 10 else None,
    )  # fmt: skip


def _change_note(session: Session, case: Case, staff: Staff, row: int, form: Form, now: datetime) -> None:
    note = agencies.own_note(session, case, staff, row)
    same_version(form, note.version)
    inputs = Entered(form)
    text = inputs.text("text", agencies.LONGEST_NOTE, needed=say("メモを書いてください。"))
    inputs.done()
    agencies.change_note(note, text, now)


def _withdraw(session: Session, case: Case, staff: Staff, row: int, _form: Form, now: datetime) -> None:
    agencies.withdraw_note(session, case, staff, row, now)


def _meet(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    written = form.get("meeting", "")
    meeting = meetings.found(session, int(written)) if written.isdecimal() and len(written) < 10 else None
    if meeting is None:
        raise Slip({"meeting": say("会議を選んでください。")})
    meetings.add_case(session, meeting, case.id, staff, now)


def _agency(session: Session, written: str) -> Agency | None:
    if not (written.isdecimal() and len(written) < 10):
        return None
    return session.scalars(select(Agency).where(Agency.id == int(written))).one_or_none()


ACTS: dict[str, Act] = {
    "next-contact": _next_contact,
    "follow": _follow,
    "release": _release,
    "take-up": _take_up,
    "close": _close,
    "check-in": _check_in,
    "allow-check-ins": _allow,
    "visit": _visit,
    "agency": _join,
    "note": _note,
    "meeting": _meet,
}
ROW_ACTS: dict[str, Callable[[Session, Case, Staff, int, Form, datetime], None]] = {
    "take-back": _take_back,
    "leave": _leave,
    "change-note": _change_note,
    "withdraw-note": _withdraw,
}
#: Where on the page one is after each of them.
ANCHORS = {
    "next-contact": "contact", "follow": "contact", "release": "contact", "take-up": "contact", "close": "end",
    "check-in": "check-ins", "allow-check-ins": "check-ins", "take-back": "check-ins", "visit": "visits",
    "agency": "agencies", "leave": "agencies", "note": "notes", "change-note": "notes", "withdraw-note": "notes",
    "meeting": "meetings",
}  # fmt: skip

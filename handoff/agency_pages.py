"""The list of agencies, for the town hall; and what somebody of an agency sees: the cases it takes part in, reduced."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handoff import access, agencies, corrections, queue, summary
from handoff.access import SignedIn
from handoff.moments import day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.slips import Entered, Sent, same_version, send
from handoff.support_view import notes
from handoff.support_words import support_words
from handoff.tongue import say
from handoff.words import spoken_field
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Agency, Case, Staff
from storage.settings import Settings
from storage.support import Involvement

Id = Annotated[int, Path(ge=1, le=2**31 - 1)]
#: What is kept of an agency, and how long it may be.
KEPT = {"name": 100, "kind": 60, "address": 200, "phone": 40, "fax": 40, "email": 254, "note": 2000}
LONGEST_SEARCH = 100


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/agencies` for the town hall, `/staff/agency` for the agencies themselves."""
    office = Office(settings, database, bells, clock)
    listed, own = _Agencies(office), _Own(office)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/agencies", listed.index)
    router.add_api_route("/agencies", listed.add, methods=["POST"])
    router.add_api_route("/agencies/{agency_id}", listed.show)
    router.add_api_route("/agencies/{agency_id}", listed.change, methods=["POST"])
    router.add_api_route("/agencies/{agency_id}/retire", listed.retire, methods=["POST"])
    router.add_api_route("/agency", own.index)
    router.add_api_route("/agency/cases/{case_id}", own.show)
    router.add_api_route("/agency/cases/{case_id}", own.write, methods=["POST"])
    router.add_api_route("/agency/cases/{case_id}/notes/{note_id}", own.change, methods=["POST"])
    return router


class _Agencies:
    """The town hall's list."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def index(self, request: Request) -> Response:
        return await self._list(request, Sent(), 200)

    async def add(self, request: Request) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> int:
            agency = Agency(created_at=now)
            agencies.save_agency(session, agency, _entered(form, ""))
            session.add(agency)
            session.flush()
            return agency.id

        made, sent, status = await send(self._office, request, "add", work)
        return await self._list(request, sent, status) if made is None else _to(made)

    async def show(self, request: Request, agency_id: Id) -> Response:
        return await self._show(request, agency_id, Sent(), 200)

    async def change(self, request: Request, agency_id: Id) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bool:
            agency = _agency(session, who, agency_id, to_change=True)
            same_version(form, agency.version)
            agencies.save_agency(session, agency, _entered(form, agency.kind))
            agency.version += 1
            return True

        done, sent, status = await send(self._office, request, "change", work)
        return await self._show(request, agency_id, sent, status) if done is None else _to(agency_id)

    async def retire(self, request: Request, agency_id: Id) -> Response:
        """Out of the choices, and back. What it took part in stays; its people see nothing any more."""

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bool:
            agency = _agency(session, who, agency_id, to_change=True)
            same_version(form, agency.version)
            agency.retired_at = None if agency.retired_at else now
            agency.version += 1
            return True

        done, sent, status = await send(self._office, request, "retire", work)
        return await self._show(request, agency_id, sent, status) if done is None else _to(agency_id)

    async def _list(self, request: Request, sent: Sent, status: int) -> Response:
        search = request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
        kind, retired = request.query_params.get("kind", ""), request.query_params.get("retired") == "1"

        def look(session: Session, who: SignedIn, _now: datetime) -> dict[str, Any]:
            found = list(session.scalars(agencies.listed(search, kind, retired=retired)))
            return {"who": who, "found": [(one, *_counts(session, one)) for one in found]}

        shown = await self._office.look(request, look)
        return page(
            "agencies.html", status, here="/staff/agencies", sent=sent, search=search, kind=kind, retired=retired,
            kinds=support_words().agency_kinds, **shown,
        )  # fmt: skip

    async def _show(self, request: Request, agency_id: int, sent: Sent, status: int) -> Response:
        def look(session: Session, who: SignedIn, _now: datetime) -> dict[str, Any]:
            agency = _agency(session, who, agency_id)
            people = select(Staff).where(Staff.agency_id == agency.id).order_by(Staff.disabled_at.is_not(None))
            return {
                "who": who,
                "agency": agency,
                "people": list(session.scalars(people.order_by(Staff.name))),
                "open": _counts(session, agency)[1],
            }

        shown = await self._office.look(request, look)
        kinds = support_words().agency_kinds
        kept = shown["agency"].kind
        kinds = kinds if kept in kinds or not kept else [kept, *kinds]
        return page("agency.html", status, here="/staff/agencies", sent=sent, kinds=kinds, **shown)


def _entered(form: Form, kept_kind: str) -> dict[str, str]:
    inputs = Entered(form)
    values = {name: inputs.text(name, most) for name, most in KEPT.items()}
    if not values["name"]:
        inputs.problems["name"] = say("機関の名前を書いてください。")
    if values["kind"] not in (*support_words().agency_kinds, kept_kind):
        inputs.problems["kind"] = say("機関の種類を選んでください。")
    if values["email"] and "@" not in values["email"]:
        inputs.problems.setdefault("email", say("メールアドレスを確かめてください。"))
    inputs.done()
    return values


def _agency(session: Session, who: SignedIn, agency_id: int, *, to_change: bool = False) -> Agency:
    agency = session.get(Agency, agency_id, with_for_update=True if to_change else None)
    if agency is None:
        raise LookupError(say("その機関は見つかりません。"))
    return agency


def _counts(session: Session, agency: Agency) -> tuple[int, int]:
    """Its people who can sign in, and the cases it takes part in now."""
    people = select(func.count()).where(Staff.agency_id == agency.id, Staff.disabled_at.is_(None))
    taking_part = (
        select(func.count())
        .select_from(Involvement)
        .join(Case, Case.id == Involvement.case_id)
        .where(Involvement.agency_id == agency.id, Involvement.until.is_(None), Case.closed_at.is_(None))
    )
    return session.scalar(people) or 0, session.scalar(taking_part) or 0


def _to(agency_id: int) -> Response:
    return RedirectResponse(f"/staff/agencies/{agency_id}", 303)


class _Own:
    """What somebody of an agency sees."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def index(self, request: Request) -> Response:
        def look(session: Session, who: SignedIn, _now: datetime) -> dict[str, Any]:
            agency = _own_agency(session, who)
            wanted = agencies.involved_cases(who.staff).order_by(Case.last_message_at.desc(), Case.id)
            found = list(session.scalars(wanted.limit(500)))
            complaints = queue.complaints(session, found)
            cases = [
                {"id": case.id, "complaint": complaints[case.id], "household": summary.household(corrections.of(case))}
                for case in found
            ]
            return {"who": who, "agency": agency, "cases": cases}

        return page("own_cases.html", here="/staff/agency", **await self._office.look(request, look))

    async def show(self, request: Request, case_id: str) -> Response:
        return await self._show(request, case_id, Sent(), 200)

    async def write(self, request: Request, case_id: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bool:
            _own_agency(session, who)
            case, part = agencies.involved_case(session, who.staff, case_id)
            inputs = Entered(form)
            text = inputs.text("text", agencies.LONGEST_NOTE, needed=say("メモを書いてください。"))
            audience = inputs.one_of("audience", ["staff", "agencies"], say("だれが読めるメモかを選んでください。"))
            inputs.done()
            agencies.write_note(session, case, who.staff, text, audience, now, ground=part.ground)
            return True

        done, sent, status = await send(self._office, request, "note", work)
        if done is None:
            return await self._show(request, case_id, sent, status)
        return RedirectResponse(f"/staff/agency/cases/{case_id}#notes", 303)

    async def change(self, request: Request, case_id: str, note_id: Id) -> Response:
        """New words for one's own note, or none any more."""

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bool:
            _own_agency(session, who)
            case, _ = agencies.involved_case(session, who.staff, case_id)
            if form.get("do") == "withdraw":
                agencies.withdraw_note(session, case, who.staff, note_id, now)
                return True
            note = agencies.own_note(session, case, who.staff, note_id)
            same_version(form, note.version)
            inputs = Entered(form)
            text = inputs.text("text", agencies.LONGEST_NOTE, needed=say("メモを書いてください。"))
            inputs.done()
            agencies.change_note(note, text, now)
            return True

        done, sent, status = await send(self._office, request, f"note-{note_id}", work)
        if done is None:
            return await self._show(request, case_id, sent, status)
        return RedirectResponse(f"/staff/agency/cases/{case_id}#notes", 303)

    async def _show(self, request: Request, case_id: str, sent: Sent, status: int) -> Response:
        def look(session: Session, who: SignedIn, _now: datetime) -> dict[str, Any]:
            agency = _own_agency(session, who)
            case, part = agencies.involved_case(session, who.staff, case_id)
            return {
                "who": who,
                "agency": agency,
                "case_id": case.id,
                "complaint": queue.complaints(session, [case])[case.id],
                "household": summary.household(corrections.of(case)),
                "fields": [spoken_field(field["id"]) for field in corrections.of(case).get("fields", ())],
                "wish": corrections.of(case).get("topics", {}).get("wish", ""),
                "role": part.role,
                "since": day(part.since),
                "ground": support_words().grounds[part.ground],
                "notes": notes(session, case, who.staff),
            }

        shown = await self._office.look(request, look)
        await self._office.trail.looked(shown["who"].staff, shown["case_id"], detail="agency")
        editing = request.query_params.get("edit", "")
        return page("own_case.html", status, here="/staff/agency", sent=sent, editing=editing, **shown)


def _own_agency(session: Session, who: SignedIn) -> Agency:
    agency = session.get(Agency, who.staff.agency_id) if who.staff.agency_id else None
    if who.staff.role != access.AGENCY or agency is None or agency.retired_at:
        raise LookupError(say("お探しのページは見つかりません。"))
    return agency

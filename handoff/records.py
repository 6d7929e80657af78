"""The pages of 支援経過記録: the entries of a case, a new one, and one that is changed."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import access, journal, moments, papers
from handoff.access import SignedIn
from handoff.body import SHEET, Inputs
from handoff.case import note
from handoff.journal import Entry
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.sheets import Stale
from handoff.tongue import say
from handoff.words import spoken_field
from knowledge_base.vocabulary import vocabulary
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Agency, Case
from storage.settings import Settings
from storage.support import Involvement, SupportRecord

MINUTES = (5, 15, 30, 60)


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/cases/{id}/records`."""
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    pages = _Records(Office(settings, database, bells, clock))
    router.add_api_route("/cases/{case_id}/records", pages.all)
    router.add_api_route("/cases/{case_id}/records", pages.add, methods=["POST"])
    router.add_api_route("/cases/{case_id}/records/{record_id}", pages.one)
    router.add_api_route("/cases/{case_id}/records/{record_id}", pages.change, methods=["POST"])
    return router


class _Records:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def all(self, request: Request, case_id: str) -> Response:
        before = request.query_params.get("before", "")
        await self._looked(request, case_id)

        def look(session: Session, who: SignedIn, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id)
            return _page(session, case, who, journal.blank(now), before=before)

        return await self._office.look(request, look)

    async def add(self, request: Request, case_id: str) -> Response:
        def write(session: Session, who: SignedIn, form: Inputs, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            given = journal.read(form, now)
            if given.problems:
                return _page(session, case, who, given, 422)
            if record := journal.add(session, case, given, who.staff, now):
                note(session, case, "record_added", now, who.staff)
                return _to(case, record)
            return _to(case)

        return await self._office.change(request, write, SHEET)

    async def one(self, request: Request, case_id: str, record_id: str) -> Response:
        await self._looked(request, case_id)

        def look(session: Session, who: SignedIn, _now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id)
            record = journal.entry(session, case, record_id)
            return _page(session, case, who, journal.shown(record), record=record)

        return await self._office.look(request, look)

    async def change(self, request: Request, case_id: str, record_id: str) -> Response:
        def write(session: Session, who: SignedIn, form: Inputs, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            record = journal.entry(session, case, record_id)
            given = journal.read(form, now)
            if given.problems:
                return _page(session, case, who, given, 422, record=record)
            try:
                journal.change(record, given, now)
            except Stale:
                return _page(session, case, who, given, 409, record=record)
            note(session, case, "record_changed", now, who.staff)
            return _to(case, record)

        return await self._office.change(request, write, SHEET)

    async def _looked(self, request: Request, case_id: str) -> None:
        def see(session: Session, who: SignedIn, _now: datetime) -> SignedIn:
            access.case_of(session, who.staff, case_id)
            return who

        who = await self._office.look(request, see)
        await self._office.trail.looked(who.staff, case_id, detail="records")


def _page(
    session: Session, case: Case, who: SignedIn, entry: Entry, status: int = 200, record: SupportRecord | None = None,
    before: str = "",
) -> Response:  # fmt: skip
    found, after = ([], "") if record else journal.page(session, case, before)
    count, minutes = journal.total(session, case)
    own = journal.fields_of(case)
    return page(
        "records.html", status, who=who, here="", case_id=case.id, entry=entry, record=record,
        stale=_stale(status), months=_months(found), after=after, count=count, total=moments.in_hours(minutes),
        own_fields=[(one, spoken_field(one)) for one in own],
        other_fields=[(one, spoken_field(one)) for one in vocabulary().fields if one not in own],
        minutes=MINUTES, whom=_whom(session, case), means=papers.MEANS, first=not before,
    )  # fmt: skip


def _stale(status: int) -> str:
    return say(
        "ほかの人が、先にこの記録を直しました。書いたものは、まだここにあります。"
        "下の内容を確かめて、もう一度保存すると、あなたの書いたものに置きかわります。"
    ) if status == 409 else ""  # fmt: skip


def _months(found: list[tuple[SupportRecord, str]]) -> list[tuple[str, list[dict[str, object]]]]:
    months: dict[str, list[dict[str, object]]] = {}
    for record, staff in found:
        months.setdefault(moments.month(record.at), []).append(
            {
                "record": record, "staff": staff, "at": moments.whole_day_and_time(record.at),
                "iso": record.at.astimezone(JAPAN).isoformat(),
                "minutes": moments.in_hours(record.minutes), "fields": [spoken_field(one) for one in record.fields],
            }
        )  # fmt: skip
    return list(months.items())


def _whom(session: Session, case: Case) -> list[str]:
    """What is usually written as 対象: the client, the family, the agencies that take part."""
    agencies = session.scalars(
        select(Agency.name)
        .join(Involvement, Involvement.agency_id == Agency.id)
        .where(Involvement.case_id == case.id, Involvement.until.is_(None))
    )
    return ["ご本人", "ご家族", *agencies]


def _to(case: Case, record: SupportRecord | None = None) -> Response:
    at = f"#record-{record.id}" if record else ""
    return RedirectResponse(f"/staff/cases/{case.id}/records{at}", 303)

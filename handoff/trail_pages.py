"""The audit trail as admins read it, and supervisors as far as it is about cases; as a table, and as CSV."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from handoff import access, audit, people
from handoff.access import SignedIn
from handoff.exports import CSV_TYPE, attachment, rows_as_csv
from handoff.moments import whole_day_and_time
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import HERE, only
from handoff.tongue import say
from handoff.words import words
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Staff
from storage.settings import Settings
from storage.support import AuditEntry

TRAIL = f"{HERE}/trail"
PAGE = 100
#: One file of this is what a spreadsheet still opens; whoever needs more exports by day.
MOST_EXPORTED = 100_000
ID = re.compile(r"[a-z_]+")
HEADS = ("日時", "職員", "メールアドレス", "操作", "相談", "くわしく")


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/settings/trail."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)

    async def show(request: Request) -> Response:
        asked = _asked(request)
        before = _number(request.query_params.get("before", ""))
        who, values = await office.look(request, lambda session, who, _now: _view(session, who, asked, before))
        return page("trail.html", who=who, here=HERE, tab=TRAIL, asked=asked, checked="", **values)

    async def check(request: Request) -> Response:
        who, _ = await office.form(request)
        only(who, "admin", "supervisor")
        broken = await database.read(audit.first_broken)
        who, values = await office.look(request, lambda session, who, _now: _view(session, who, _asked(request), None))
        sentence = "記録はすべてそろっています。あとから変えられたり、消されたりしたところはありません。"
        if broken is not None:
            sentence = "{id}番の記録から先が、前の記録とつながりません。データベースが直接変えられたおそれがあります。"
        values |= {"checked": say(sentence, id=broken), "broken": broken is not None}
        return page("trail.html", who=who, here=HERE, tab=TRAIL, asked=_asked(request), **values)

    async def export(request: Request) -> Response:
        who, form = await office.form(request)
        only(who, "admin", "supervisor")
        asked, now = Asked(form.get("person", ""), form.get("case", ""), form.get("day", "")), clock.now()
        # Read outside the write: a long trail must not keep residents' messages waiting. The entry stands before the
        # answer leaves.
        told = await database.read(lambda session: _csv(session, who, asked))
        detail = say("閲覧と操作の記録")
        await database.write(lambda session: audit.enter(session, who.staff, "exported", now, detail=detail))
        return attachment(told, CSV_TYPE, "trail.csv")

    router.add_api_route("/settings/trail", show)
    router.add_api_route("/settings/trail/check", check, methods=["POST"])
    router.add_api_route("/settings/trail/export", export, methods=["POST"])
    return router


@dataclass(frozen=True)
class Asked:
    """What of the trail is asked for, as it was entered."""

    person: str
    case: str
    day: str

    @property
    def case_id(self) -> str:
        """The id within what may be a case's whole address."""
        found = access.CASE_ID.search(self.case)
        return found[0] if found else ""

    @property
    def date(self) -> date | None:
        """The day in Japan."""
        try:
            day = date.fromisoformat(self.day)
        except ValueError:
            return None
        # Neither end of the calendar has a day beside it, by which the search could end.
        return day if 1 < day.year < date.max.year else None

    @property
    def problems(self) -> dict[str, str]:
        """What cannot be used, with a sentence for each."""
        problems = {}
        if self.case and not self.case_id:
            problems["case"] = say("相談の番号か、相談のページのアドレス（URL）を入れてください。")
        if self.day and not self.date:
            problems["day"] = say("日付を確かめてください。")
        return problems


def _asked(request: Request) -> Asked:
    asked = request.query_params
    return Asked(asked.get("person", ""), asked.get("case", "").strip()[:200], asked.get("day", "").strip()[:20])


def _entries(who: SignedIn, asked: Asked) -> Select[AuditEntry, Staff]:
    found = select(AuditEntry, Staff).outerjoin(Staff, Staff.id == AuditEntry.staff_id).order_by(AuditEntry.id.desc())
    if who.staff.role != "admin":
        found = found.where(AuditEntry.case_id.is_not(None))
    if person := _number(asked.person):
        found = found.where(AuditEntry.staff_id == person)
    if asked.case_id:
        found = found.where(AuditEntry.case_id == asked.case_id)
    if asked.date:
        begins = datetime.combine(asked.date, time(), JAPAN)
        found = found.where(AuditEntry.at >= begins, AuditEntry.at < begins + timedelta(days=1))
    return found


def _view(session: Session, who: SignedIn, asked: Asked, before: int | None) -> tuple[SignedIn, dict[str, Any]]:
    only(who, "admin", "supervisor")
    wanted = _entries(who, asked)
    wanted = wanted.where(AuditEntry.id < before) if before else wanted
    rows = [] if asked.problems else session.execute(wanted.limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    return who, {
        "entries": [
            {
                "at": whole_day_and_time(entry.at),
                "who": staff.called if staff else "",
                "action": say(words().actions.get(entry.action, entry.action)),
                "case": entry.case_id or "",
                "detail": _in_words(entry.detail),
                "bad": entry.action in ("refused", "refused_page", "sign_in_failed"),
            }
            for entry, staff in shown
        ],
        "next": shown[-1][0].id if len(rows) > PAGE else None,
        "staff": [(staff.id, staff.called) for staff in people.people(session)],
        "problems": asked.problems,
        "broken": False,
    }


def _csv(session: Session, who: SignedIn, asked: Asked) -> bytes:
    rows: list[tuple[str, ...]] = [tuple(say(head) for head in HEADS)]
    for entry, staff in session.execute(_entries(who, asked).limit(MOST_EXPORTED)):
        at = entry.at.astimezone(JAPAN).isoformat(" ", "seconds")
        action = say(words().actions.get(entry.action, entry.action))
        person = (staff.called, staff.email) if staff else ("", "")
        rows.append((at, *person, action, entry.case_id or "", _in_words(entry.detail)))
    return rows_as_csv(rows)


def _in_words(detail: str) -> str:
    """A detail that keeps ids (plan xlsx) as people read it. Names of people, desks and devices stay as they are."""
    known, begins = words().details, ID.match(detail)
    if not begins or begins[0] not in known:
        return detail
    return " ".join(say(known.get(part, part)) for part in re.split(r"[ /.=&]+", detail))


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else None

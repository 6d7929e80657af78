"""Who looks after an entry and when it wants to be looked at again; 「内容を確かめました」 in one click.

Owner and day are about the entry and make no version of it. A confirmation is content: the same, with today's day.
"""

from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import audit
from handoff.access import SYSTEM_ADDRESS, TOWN_HALL, SignedIn
from handoff.kb_pages import HERE, failed
from handoff.moments import whole_day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.slips import Entered, Sent, Slip, number_in, same_version, send
from handoff.tongue import say
from knowledge_base import care, live, versions
from knowledge_base.versions import Conflict
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.knowledge import KbEntry, KbVersion
from storage.models import Staff
from storage.problems import Problem
from storage.settings import Settings

TODO, OWN = f"{HERE}/todo", f"{HERE}/own"
#: A day further ahead is a slip of the pen: a fee or an hour seldom holds so long.
LONGEST = timedelta(days=3 * 366)
STALE = "この画面を開いたあとに、ほかの人が変えました。いまの内容を見て、もう一度押してください。"
PLANNED = "公開の予定が入っています。予定の前に確かめた日を変えるには、先に予定を取りやめてください。"

DONE = {
    "confirmed": "内容を確かめた日を、きょうにしました。公開中の内容は同じです。",
    "noted": "下書きの「内容を確かめた日」を、きょうにしました。公開するまで、案内される内容は変わりません。",
}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/entries/{id}/care and …/confirm."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=f"{HERE}/entries", route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/{id}/care", pages.show)
    router.add_api_route("/{id}/care", pages.save, methods=["POST"])
    router.add_api_route("/{id}/confirm", pages.confirm, methods=["POST"])
    return router


def today(now: datetime) -> date:
    """The day it is in Japan."""
    return now.astimezone(JAPAN).date()


def shown(session: Session, entry: KbEntry, now: datetime, sent: Sent | None = None) -> dict[str, Any]:
    """What the part of the entry's page wants."""
    known, newest = care.care_of(session, entry), versions.version(session, entry.id)
    sent = sent or Sent()
    return {
        "owner": known.owner.called if known.owner else "",
        "due": whole_day(known.due) if known.due else "",
        "late": bool(known.due and known.due <= today(now)),
        "chosen": sent.get("review", known.chosen.isoformat() if known.due and known.due == known.chosen else ""),
        "owner_id": sent.get("owner", known.owner.id if known.owner else ""),
        "people": people(session, known.owner),
        "version": known.version,
        "problems": sent.problems,
        "open": bool(sent.problems),
        "may_confirm": newest.state in care.KEPT and not (newest.publish_at and newest.publish_at > now),
        "draft": newest.state != "published",
    }


def confirmed(session: Session, who: SignedIn, entry: KbEntry, form: Form, now: datetime) -> KbVersion:
    """The entry as whoever presses the button has seen it, confirmed today. Raises Problem 409; LookupError."""
    try:
        new = care.confirm(session, entry, number_in(form, "version"), who.staff.id, now, today(now))
    except care.Planned:
        raise Problem(409, "Conflict", say(PLANNED)) from None
    except Conflict:
        raise Problem(409, "Conflict", say(STALE)) from None
    except LookupError:
        raise LookupError(say("終わりにした項目は、確かめられません。")) from None
    audit.enter(session, who.staff, "kb_confirmed", now, detail=entry.id)
    return new


def people(session: Session, also: Staff | None = None) -> list[tuple[int, str]]:
    """Who may look after an entry: everybody of the town hall who has an account."""
    found = session.scalars(
        select(Staff)
        .where(Staff.role.in_(TOWN_HALL), Staff.disabled_at.is_(None), ~Staff.email.endswith(SYSTEM_ADDRESS))
        .order_by(Staff.name, Staff.email)
    )
    return [(one.id, one.called) for one in dict.fromkeys([*found, *([also] if also else [])])]


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def show(self, request: Request, id: str) -> Response:
        return await self._show(request, id, Sent(), 200)

    async def save(self, request: Request, id: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            _take_care(session, who, _entry(session, who, id), form, now)
            return f"{HERE}/entries/{id}?done=care"

        where, sent, status = await send(self._office, request, "care", work)
        return RedirectResponse(where, 303) if where else await self._show(request, id, sent, status)

    async def confirm(self, request: Request, id: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            new = confirmed(session, who, _entry(session, who, id), form, now)
            back = TODO if form.get("back") == "todo" else f"{HERE}/entries/{id}"
            return f"{back}?done={'confirmed' if new.state == 'published' else 'noted'}"

        where = await self._office.change(request, work)
        self._office.bells.ring(live.BELL)
        return RedirectResponse(where, 303)

    async def _show(self, request: Request, id: str, sent: Sent, status: int) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            entry = _entry(session, who, id)
            return {"who": who, "entry": entry, "care": {**shown(session, entry, now, sent), "open": True}}

        return page(
            "kb_care.html", status, here=HERE, tab=HERE, failed=failed(), **await self._office.look(request, look)
        )


def _entry(session: Session, who: SignedIn, id_: str) -> KbEntry:
    only(who, "admin")
    found = versions.entry(session, id_)
    if found is None:
        raise LookupError(say("その項目は見つかりません。"))
    return found


def _take_care(session: Session, who: SignedIn, entry: KbEntry, form: Form, now: datetime) -> None:
    # The entry's row is held, so that two who save at once are compared one after the other.
    session.refresh(entry, with_for_update=True)
    known = care.care_of(session, entry)
    same_version(form, known.version)
    owner, chosen = _read(session, known, form, today(now))
    if care.take_care(session, entry, owner, chosen, who.staff.id, now):
        audit.enter(session, who.staff, "kb_care", now, detail=entry.id)


def _read(session: Session, known: care.Care, form: Form, today: date) -> tuple[int | None, date | None]:
    """Owner and day as they were chosen. Raises Slip."""
    entered = Entered(form)
    owner = form.get("owner", "")
    if owner and owner not in {str(id_) for id_, _ in people(session, known.owner)}:
        entered.problems["owner"] = say("担当者を選んでください。")
    chosen = entered.day("review") if form.get("review", "").strip() else None
    if chosen and chosen != known.chosen and not today < chosen <= today + LONGEST:
        entered.problems["review"] = say("見直す日は、あしたから3年先までの日にしてください。")
    if entered.problems:
        raise Slip(entered.problems)
    return int(owner) if owner else None, chosen

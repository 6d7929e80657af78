"""What is due today: who has written again, whom to contact, and what could not be sent."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import following, kb_own
from handoff.access import SignedIn
from handoff.moments import clock_time, day
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.support_words import support_words
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.settings import Settings
from storage.support import Meeting


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/today`."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)

    @router.get("/today")
    async def today(request: Request) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            return {
                "who": who,
                "plan": following.plan_of(session, who.staff, now),
                "today": day(now),
                "on": following.today(now),
                "meetings": _meetings(session, now),
                "own_due": kb_own.due(session, who, now),
            }

        return page("today.html", here="/staff/today", day_of=_day_of, **await office.look(request, look))

    return router


def _meetings(session: Session, now: datetime) -> list[dict[str, Any]]:
    here = now.astimezone(JAPAN)
    begins, ends = here.replace(hour=0, minute=0, second=0, microsecond=0), here.replace(hour=23, minute=59, second=59)
    wanted = select(Meeting).where(Meeting.held_at >= begins, Meeting.held_at <= ends).order_by(Meeting.held_at)
    kinds = support_words().meetings
    return [
        {"id": one.id, "at": clock_time(one.held_at), "kind": say(kinds[one.kind]["name"]), "title": one.title,
         "place": one.place}
        for one in session.scalars(wanted)
    ]  # fmt: skip


def _day_of(due: following.Due) -> str:
    assert due.on
    return day(datetime.combine(due.on, datetime.min.time(), JAPAN))

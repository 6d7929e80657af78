"""The search in residents' words and clients' names. What is looked for comes by POST: it may be a name, and an address
stands in logs and histories."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from handoff import board, finding, queue
from handoff.access import SignedIn
from handoff.board import Section, Sight
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page, render
from handoff.tongue import say
from handoff.words import spoken_fields
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.settings import Settings
from storage.support import Area
from storage.texts import clean

Found = tuple[SignedIn, list[Section], bool, list[Area]]


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/search`."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)

    @router.get("/search")
    async def empty(request: Request) -> Response:
        return _page(await office.look(request, lambda session, who, now: _find(session, who, "", now)), "")

    @router.post("/search")
    async def search(request: Request) -> Response:
        asked = ""

        def find(session: Session, who: SignedIn, form: Form, now: datetime) -> Found:
            nonlocal asked
            asked = clean(form.get("asked", ""))[: finding.LONGEST_SEARCH]
            return _find(session, who, asked, now)

        return _page(await office.ask(request, find), asked)

    return router


def _find(session: Session, who: SignedIn, asked: str, now: datetime) -> Found:
    return who, *board.found(session, who.staff, asked, now), queue.areas(session)


def _page(found: Found, asked: str) -> Response:
    who, sections, more, areas = found
    too_short = bool(asked) and not finding.terms(asked)
    problem = say("2文字以上のことばで探してください。") if too_short else ""
    shown = render("found.html", sections=sections, csrf=who.csrf)
    return page(
        "search.html", 422 if too_short else 200, who=who, here="/staff", found=Markup(shown), some=bool(sections),
        more=more, most=queue.MOST_FOUND, asked=asked, problem=problem, sight=Sight(), fields=spoken_fields(),
        areas=areas,
    )  # fmt: skip

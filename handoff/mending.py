"""Corrections on the case's page: `POST /staff/cases/{id}/correct`. Whoever may change the case may correct it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from sqlalchemy.orm import Session

from handoff import access, examples, live
from handoff.access import SignedIn
from handoff.console import case_look
from handoff.correcting import Mistaken, Stale, correct
from handoff.office import Form, Office
from handoff.pages import StaffRoute, asked_by_htmx, page, render
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.settings import Settings

#: The parts that a correction may change. The answer being written is none of them.
PARTS = ("head", "talk", "understood")
Work = Callable[[Session, SignedIn, Form, datetime], str]


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """Wants to be included before the console's routes, whose verbs take any name."""
    router = APIRouter(prefix="/staff/cases/{case_id}", route_class=StaffRoute, include_in_schema=False)
    mending = _Mending(Office(settings, database, bells, clock))
    router.add_api_route("/correct", mending.correct, methods=["POST"])
    router.add_api_route("/example", mending.example, methods=["POST"])
    return router


class _Mending:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def correct(self, request: Request, case_id: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            try:
                correct(session, case, who.staff, form, now)
            except (Mistaken, Stale) as refused:
                raise _Refused(form, refused) from refused
            return case.conversation_id

        return await self._do(request, case_id, work, "corrected")

    async def example(self, request: Request, case_id: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            try:
                examples.offer(session, case, who.staff, form, now)
            except Mistaken as refused:
                raise _Refused({**form, "what": "example"}, refused) from refused
            return case.conversation_id

        return await self._do(request, case_id, work, "offered")

    async def _do(self, request: Request, case_id: str, work: Work, done: str) -> Response:
        try:
            talk = await self._office.change(request, work)
        except _Refused as refused:
            return await self._show(request, case_id, refused)
        self._office.bells.ring(bell.QUEUE, bell.talk(talk))
        if asked_by_htmx(request):
            shown = await self._show(request, case_id)
            shown.headers["HX-Trigger-After-Settle"] = f"done-{done}"
            return shown
        return RedirectResponse(f"/staff/cases/{case_id}", 303)

    async def _show(self, request: Request, case_id: str, refused: "_Refused | None" = None) -> Response:
        settings, mend = self._office.settings, refused.kept if refused else {}

        def look(session: Session, who: SignedIn, now: datetime) -> tuple[SignedIn, live.Parts]:
            return who, case_look(session, who, case_id, now, settings, {}, mend=mend).parts

        who, parts = await self._office.look(request, look)
        status, problem = (refused.status, refused.sentence) if refused else (200, "")
        if asked_by_htmx(request):
            marked = {name: Markup(parts[name]) for name in PARTS}
            return HTMLResponse(render("case_parts.html", parts=marked, problem=problem), status)
        marked = {name: Markup(html) for name, html in parts.items()}
        seen = live.known(parts)
        return page(
            "case.html", status, who=who, here="/staff", case_id=case_id, parts=marked, problem=problem, seen=seen
        )


class _Refused(Exception):
    """Leaves the transaction with nothing written, and brings along what was typed."""

    def __init__(self, form: Mapping[str, str], why: Mistaken | Stale) -> None:
        super().__init__(str(why))
        self.status = 409 if isinstance(why, Stale) else 422
        self.sentence = str(why)
        at = why.at if isinstance(why, Mistaken) else ""
        self.kept = {**form, "problem": self.sentence, "at": at, "stale": isinstance(why, Stale)}

"""The counselors' pages: the queue, a case, and what is done with it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from sqlalchemy.orm import Session

from handoff import access, board, desk, live, queue
from handoff.access import SignedIn
from handoff.case import Ended, HeldByAnother, Status
from handoff.door import SESSION, Door
from handoff.pages import SignInFirst, StaffRoute, asked_by_htmx, page, render
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Case, Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.texts import clean

Form = Mapping[str, str]
#: The parts of a case's page, each of which keeps itself new.
PARTS = ("head", "talk", "desk", "understood")


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """Everything under `/staff`."""
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    door, console = Door(settings, database, clock), _Console(database, bells, clock, settings.line_is_door)
    door.add_to(router)
    router.add_api_route("", console.queue_page)
    router.add_api_route("/live", console.queue_live)
    router.add_api_route("/cases/{case_id}", console.case_page)
    router.add_api_route("/cases/{case_id}/live", console.case_live)

    @router.post("/cases/{case_id}/{verb}")
    async def act(request: Request, case_id: str, verb: str) -> Response:
        who, form = await door.form_of_staff(request)
        return await console.act(request, who, case_id, verb, form)

    return router


class _Console:
    def __init__(self, database: Database, bells: Bells, clock: Clock, line_is_door: bool) -> None:
        self._database, self._bells, self._clock, self._line_is_door = database, bells, clock, line_is_door

    async def queue_page(self, request: Request) -> Response:
        chosen, cursor, token = _chosen(request), request.query_params.get("cursor"), _token(request)
        if cursor and not chosen:
            return RedirectResponse("/staff", 303)
        try:
            found = await self._database.read(lambda session: self._board(session, token, chosen, cursor))
        except queue.NoCursor:  # a cursor of an older version, or none at all
            return RedirectResponse("/staff", 303)
        if found is None:
            raise SignInFirst
        who, html = found
        seen = live.known({"board": html})
        return page("queue.html", who=who, here="/staff", board=Markup(html), chosen=chosen, cursor=cursor, seen=seen)

    async def queue_live(self, request: Request) -> Response:
        chosen, token = _chosen(request), _token(request)

        async def look() -> live.Parts | None:
            found = await self._database.read(lambda session: self._board(session, token, chosen, None))
            return {"board": found[1]} if found else None

        if await look() is None:
            raise SignInFirst
        return live.stream(look, self._bells, bell.QUEUE, _seen(request))

    async def case_page(self, request: Request, case_id: str) -> Response:
        return await self._show(request, case_id)

    async def case_live(self, request: Request, case_id: str) -> Response:
        token = _token(request)

        async def look() -> live.Parts | None:
            found = await self._database.read(lambda session: self._case(session, token, case_id))
            return found[1] if found else None

        if await look() is None:
            raise SignInFirst
        talk = await self._database.read(lambda session: session.get_one(Case, case_id).conversation_id)
        return live.stream(look, self._bells, bell.talk(talk), _seen(request))

    async def act(self, request: Request, who: SignedIn, case_id: str, verb: str, form: Form) -> Response:
        """Does what a button of the case's page says, and shows what the case is now."""
        if verb not in VERBS:
            raise Problem(404, "Not Found", "お探しのページは見つかりません。")
        now = self._clock.now()

        def work(session: Session) -> str:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            VERBS[verb](session, case, who.staff, form, now)
            return case.conversation_id

        try:
            talk = await self._database.write(work)
        except (HeldByAnother, Ended) as conflict:
            return await self._show(request, case_id, 409, str(conflict), form.get("text", ""))
        except desk.Wrong as wrong:
            return await self._show(request, case_id, 422, str(wrong), form.get("text", ""))
        self._bells.ring(bell.QUEUE, bell.OUTBOX, bell.talk(talk))
        if asked_by_htmx(request):
            shown = await self._show(request, case_id)
            shown.headers["HX-Trigger-After-Settle"] = f"done-{verb}"
            return shown
        return RedirectResponse(f"/staff/cases/{case_id}", 303)

    async def _show(
        self, request: Request, case_id: str, status: int = 200, problem: str = "", draft: str = ""
    ) -> Response:
        token = _token(request)
        found = await self._database.read(lambda session: self._case(session, token, case_id, draft))
        if found is None:
            raise SignInFirst
        who, parts = found
        marked = {name: Markup(html) for name, html in parts.items()}
        if asked_by_htmx(request):
            return HTMLResponse(render("case_parts.html", parts=marked, problem=problem), status)
        seen = live.known(parts)
        return page("case.html", status, who=who, case_id=case_id, parts=marked, problem=problem, seen=seen)

    def _board(
        self, session: Session, token: str, chosen: Status | None, cursor: str | None
    ) -> tuple[SignedIn, str] | None:
        """Who looks, and the queue as they see it; None when the session has ended."""
        now = self._clock.now()
        who = access.signed_in(session, token, now)
        if who is None:
            return None
        return who, render("board.html", board=board.board(session, who.staff, chosen, cursor, now), chosen=chosen)

    def _case(self, session: Session, token: str, case_id: str, draft: str = "") -> tuple[SignedIn, live.Parts] | None:
        """Who looks, and the parts of the case's page; None when the session has ended."""
        now = self._clock.now()
        who = access.signed_in(session, token, now)
        if who is None:
            return None
        found = access.case_of(session, who.staff, case_id)
        case = board.case_view(session, found, who.staff, now, self._line_is_door)
        values = {"case": case, "csrf": who.csrf, "draft": draft}
        return who, {name: live.stamped(render(f"{name}.html", **values)) for name in PARTS}


def _take(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    desk.take(session, case, staff, now)


def _release(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    desk.release(session, case, staff, now)


def _hand_back(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    desk.hand_back(session, case, staff, now)


def _answer(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    desk.answer(session, case, staff, clean(form.get("text", "")), now)


def _close(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    desk.close(session, case, staff, clean(form.get("outcome", "")), now)


VERBS: dict[str, Callable[[Session, Case, Staff, Form, datetime], None]] = {
    "claim": _take,
    "release": _release,
    "hand-back": _hand_back,
    "answer": _answer,
    "close": _close,
}


def _token(request: Request) -> str:
    return request.cookies.get(SESSION, "")


def _chosen(request: Request) -> Status | None:
    given = request.query_params.get("status")
    return given if given in queue.STANDS else None


def _seen(request: Request) -> str:
    return request.headers.get("last-event-id") or request.query_params.get("seen", "")

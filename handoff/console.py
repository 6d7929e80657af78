"""The counselors' pages: the queue, a case, and what is done with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from sqlalchemy.orm import Session

from handoff import access, board, desk, lease, live, queue, voice
from handoff import case as cases
from handoff.access import SignedIn
from handoff.board import Sight
from handoff.case import Ended, HeldByAnother
from handoff.door import SESSION, Door
from handoff.pages import SignInFirst, StaffRoute, asked_by_htmx, page, render
from handoff.second_step import SecondStep
from handoff.town_sign_in import TownSignIn
from handoff.trail import Trail
from handoff.words import spoken_fields
from knowledge_base.vocabulary import vocabulary
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
    door, console = Door(settings, database, clock), _Console(settings, database, bells, clock)
    door.add_to(router)
    SecondStep(settings, database, clock, door).add_to(router)
    if settings.oidc_issuer:
        TownSignIn(settings, database, clock, door).add_to(router)
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
    def __init__(self, settings: Settings, database: Database, bells: Bells, clock: Clock) -> None:
        self._settings, self._database, self._bells, self._clock = settings, database, bells, clock
        self._trail = Trail(database, clock)

    async def queue_page(self, request: Request) -> Response:
        sight, cursor, token = sight_of(request), request.query_params.get("cursor"), _token(request)
        if cursor and not (sight.status or sight.mine):
            return RedirectResponse("/staff", 303)
        try:
            found = await self._database.read(lambda session: self._board(session, token, sight, cursor))
        except queue.NoCursor:  # a cursor of an older version, or none at all
            return RedirectResponse("/staff", 303)
        if found is None:
            raise SignInFirst
        who, html = found
        return page(
            "queue.html", who=who, here="/staff", board=Markup(html), sight=sight, cursor=cursor, asked="",
            seen=live.known({"board": html}), fields=spoken_fields(), areas=await self._database.read(queue.areas),
        )  # fmt: skip

    async def queue_live(self, request: Request) -> Response:
        sight, token = sight_of(request), _token(request)

        async def look() -> live.Parts | None:
            found = await self._database.read(lambda session: self._board(session, token, sight, None))
            return {"board": found[1]} if found else None

        if await look() is None:
            raise SignInFirst
        return live.stream(look, self._bells, bell.QUEUE, _seen(request))

    async def case_page(self, request: Request, case_id: str) -> Response:
        return await self._show(request, case_id)

    async def case_live(self, request: Request, case_id: str) -> Response:
        token = _token(request)

        async def look() -> live.Parts | None:
            found = await self._look(token, case_id)
            return found.parts if found else None

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
        except (HeldByAnother, Ended, desk.Stale) as conflict:
            typed, why = clean(form.get("text", "")) if verb == "answer" else "", str(conflict)
            why = await self._database.write(
                lambda session: voice.refused(session, case_id, who.staff, typed, why, now)
            )
            return await self._show(request, case_id, 409, why, form)
        except desk.Wrong as wrong:
            return await self._show(request, case_id, 422, str(wrong), form)
        self._bells.ring(bell.QUEUE, bell.OUTBOX, bell.talk(talk))
        if not await self._database.read(lambda session: access.may_see(session, who.staff, case_id)):
            return _to_queue(request)
        if asked_by_htmx(request):
            shown = await self._show(request, case_id)
            shown.headers["HX-Trigger-After-Settle"] = f"done-{verb}"
            return shown
        return RedirectResponse(f"/staff/cases/{case_id}", 303)

    async def _show(
        self, request: Request, case_id: str, status: int = 200, problem: str = "", typed: Form | None = None
    ) -> Response:
        found = await self._look(_token(request), case_id, typed or {})
        if found is None:
            raise SignInFirst
        self._trail.looked(found.who.staff, case_id)
        marked = {name: Markup(html) for name, html in found.parts.items()}
        if asked_by_htmx(request):
            return HTMLResponse(render("case_parts.html", parts=marked, problem=problem), status)
        seen = live.known(found.parts)
        return page(
            "case.html", status, who=found.who, here="/staff", case_id=case_id, parts=marked, problem=problem, seen=seen
        )

    async def _look(self, token: str, case_id: str, typed: Form | None = None) -> "CaseLook | None":
        """A look at a case is a sign of life of whoever holds it; None when the session has ended."""
        found = await self._database.read(lambda session: self._case(session, token, case_id, typed or {}))
        if found and found.renew:
            now = self._clock.now()
            await self._database.write(lambda session: cases.renew(session, case_id, found.who.staff, now))
        return found

    def _board(self, session: Session, token: str, sight: Sight, cursor: str | None) -> tuple[SignedIn, str] | None:
        """Who looks, and the queue as they see it; None when the session has ended."""
        now = self._clock.now()
        who = access.signed_in(session, token, now)
        if who is None:
            return None
        access.may_open(who.staff, "/staff")
        shown = board.board(session, who.staff, sight, cursor, now)
        return who, render("board.html", board=shown, sight=sight, csrf=who.csrf)

    def _case(self, session: Session, token: str, case_id: str, typed: Form) -> "CaseLook | None":
        now = self._clock.now()
        who = access.signed_in(session, token, now)
        if who is None:
            return None
        return case_look(session, who, case_id, now, self._settings, typed)


@dataclass(frozen=True)
class CaseLook:
    """Who looks at a case, the parts of its page, and whether their claim should be renewed by it."""

    who: SignedIn
    parts: live.Parts
    renew: bool


def case_look(
    session: Session, who: SignedIn, case_id: str, now: datetime, settings: Settings, typed: Form, **more: Any
) -> CaseLook:
    """The case's page as somebody sees it. `typed`: what stands in a form that was not taken; `mend`: in a correction
    that was not."""
    access.may_open(who.staff, f"/staff/cases/{case_id}")
    found = access.case_of(session, who.staff, case_id)
    case = board.case_view(session, found, who.staff, now, settings.line_is_door)
    at_desk = voice.desk_view(session, found, who.staff, settings, now)
    values = {"case": case, "desk": at_desk, "csrf": who.csrf, "typed": typed, "mend": {}, **more}
    parts = {name: live.stamped(render(f"{name}.html", **values, draft="")) for name in PARTS}
    if draft := typed.get("text") or at_desk["draft"]:
        # What somebody is writing is no news to their own browser, which sent it here.
        parts["desk"] = live.stamped(render("desk.html", **values, draft=draft), of=parts["desk"])
    return CaseLook(who, parts, lease.wants_renewal(found, who.staff.id, now))


def _take(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    desk.take(session, case, staff, now)


def _release(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    desk.release(session, case, staff, now)


def _hand_back(session: Session, case: Case, staff: Staff, _form: Form, now: datetime) -> None:
    desk.hand_back(session, case, staff, now)


def _answer(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    seen = form.get("answers", "")
    answers = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else None
    desk.answer(session, case, staff, clean(form.get("text", "")), now, answers)


def _transfer(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    desk.transfer(session, case, staff, form.get("to", ""), clean(form.get("note", "")), now)


def _close(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    desk.close(session, case, staff, clean(form.get("outcome", "")), now, form.get("kind"))


VERBS: dict[str, Callable[[Session, Case, Staff, Form, datetime], None]] = {
    "claim": _take,
    "release": _release,
    "hand-back": _hand_back,
    "transfer": _transfer,
    "answer": _answer,
    "close": _close,
}


def _to_queue(request: Request) -> Response:
    """Where there is nothing to show any more: what was done has passed the case on to another desk."""
    if asked_by_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": "/staff"})
    return RedirectResponse("/staff", 303)


def _token(request: Request) -> str:
    return request.cookies.get(SESSION, "")


def sight_of(request: Request) -> Sight:
    """What of the queue the address asks for; what it cannot ask for is left out."""
    given = request.query_params
    status, field, area = given.get("status"), given.get("field", ""), given.get("area", "")
    return Sight(
        status=status if status in queue.STANDS else None,
        mine=given.get("whose") == "mine",
        field=field if field in vocabulary().fields else "",
        area=int(area) if area.isascii() and area.isdigit() and len(area) < 10 else None,
    )


def _seen(request: Request) -> str:
    return request.headers.get("last-event-id") or request.query_params.get("seen", "")

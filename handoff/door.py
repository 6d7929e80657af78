"""The door: sign-in, sign-out, and the invitation that makes an account.

Behind a right password may lie a second step (handoff/second_step.py); until it is taken there is no session, only a
sealed cookie that says whose password was right.
"""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import access, audit
from handoff.access import SignedIn
from handoff.body import SMALL, Inputs, Room, read_form
from handoff.browsers import browser_name
from handoff.pages import SIGN_IN, SignInFirst, page
from handoff.sealed import Seal
from handoff.second_factor import SecondFactor
from handoff.tongue import say
from handoff.trail import Trail
from handoff.tries import Tries
from storage.clock import Clock
from storage.database import Database
from storage.models import Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.texts import clean

SESSION, FORM, HALF = "uketome_staff", "uketome_form", "uketome_half"
#: The steps that may lie between the right password and a session.
CODE, SET_UP = f"{SIGN_IN}/code", f"{SIGN_IN}/second-factor"
LONGEST_EMAIL, LONGEST_NAME = 254, 60
WRONG = "メールアドレスかパスワードが違います。"
TOO_OFTEN = "続けて間違えたため、いまはサインインできません。{minutes}分ほど待ってから、もう一度お試しください。"
USED_UP = "この招待は、もう使われたか、期限が過ぎています。"
STALE = "この画面は古くなっています。開き直して、もう一度お試しください。"


class Door:
    """Lets staff in and out; everybody else's page asks it who is there."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._town, self._database, self._clock = settings.town, database, clock
        self._oidc_name = settings.oidc_name if settings.oidc_issuer else ""
        self.secure = settings.address.startswith("https://")
        self.tries = Tries(settings.sign_in_tries)
        self.half, self.second = Seal(settings, "half a sign-in"), SecondFactor(settings)
        self._trail = Trail(database, clock)

    def add_to(self, router: APIRouter) -> None:
        """The door's own pages."""
        router.add_api_route("/sign-in", self.sign_in_page)
        router.add_api_route("/sign-in", self.sign_in, methods=["POST"])
        router.add_api_route("/sign-out", self.sign_out, methods=["POST"])
        router.add_api_route("/invite/{token}", self.invitation)
        router.add_api_route("/invite/{token}", self.accept, methods=["POST"])

    async def form_of_staff(self, request: Request, room: Room = SMALL) -> tuple[SignedIn, Inputs]:
        """Who sends this form, and what it holds. Raises SignInFirst; Problem 403 without the session's own key."""
        token, now = request.cookies.get(SESSION, ""), self._clock.now()
        who = await self._database.read(lambda session: access.signed_in(session, token, now))
        if who is None:
            raise SignInFirst
        access.may_open(who.staff, request.url.path)
        form = await read_form(request, room)
        refuse_foreign(who.csrf, form.get("csrf", ""))
        return who, form

    async def sign_in_page(self, request: Request) -> Response:
        where = next_page(request.query_params.get("next", ""))
        return self.form("sign_in.html", email="", problem="", next=where, town_account=self._oidc_name)

    async def sign_in(self, request: Request) -> Response:
        form, now = await read_form(request), self._clock.now()
        refuse_foreign(request.cookies.get(FORM, ""), form.get("key", ""))
        email, where = clean(form.get("email", "")).casefold()[:LONGEST_EMAIL], next_page(form.get("next", ""))
        again = partial(self.form, "sign_in.html", email=email, next=where, town_account=self._oidc_name)
        keys = (f"account {email}", f"address {request.client.host if request.client else ''}")
        if seconds := self.tries.count(now, *keys):
            return too_often(again, seconds)
        staff = await self._database.read(lambda session: access.staff_by_email(session, email))
        if not await access.right_password(staff, form.get("password", "")) or staff is None:
            self._trail.note(staff.id if staff else None, "sign_in_failed")
            return again(403, problem=say(WRONG))
        self.tries.succeeded(*keys)
        return await self.let_in(request, staff, where)

    async def let_in(self, request: Request, staff: Staff, where: str) -> Response:
        """After the right password: to the second step where there is one, else in."""
        step = CODE if self.second.asked_of(staff) else SET_UP if self.second.must_be_set_up(staff) else ""
        if not step:
            return await self.begin(request, staff, where, say("パスワード"))
        answer = RedirectResponse(step, 303)
        sealed = self.half.close({"staff": staff.id, "next": where}, self._clock.now())
        answer.set_cookie(HALF, sealed, httponly=True, samesite="strict", secure=self.secure, path=SIGN_IN)
        return answer

    async def begin(self, request: Request, staff: Staff, where: str, how: str) -> Response:
        """Opens the session and leads on."""
        answer = RedirectResponse(where, 303)
        await self.open_session(request, staff, how, answer)
        return answer

    async def open_session(self, request: Request, staff: Staff, how: str, answer: Response) -> None:
        """Opens a session for the browser that gets the answer. `how` they came in goes into the audit trail."""
        now, old = self._clock.now(), request.cookies.get(SESSION, "")
        browser = browser_name(request.headers.get("user-agent", ""))

        def work(session: Session) -> str:
            fresh = session.get_one(Staff, staff.id)
            if fresh.disabled_at:  # meanwhile
                raise Problem(403, "Forbidden", say(WRONG))
            audit.enter(session, fresh, "signed_in", now, detail=how)
            return access.begin_session(session, fresh, now, browser=browser, instead_of=old)

        self._remember(answer, await self._database.write(work))

    async def sign_out(self, request: Request) -> Response:
        who, _ = await self.form_of_staff(request)
        token, now = request.cookies[SESSION], self._clock.now()
        await self._database.write(lambda session: access.end_session(session, token, now))
        self._trail.note(who.staff.id, "signed_out")
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(SESSION, path="/staff")
        return answer

    async def invitation(self, token: str) -> Response:
        await self._must_be_open(token)
        return self.form("invite.html", token=token, email="", name="", problem="")

    async def accept(self, request: Request, token: str) -> Response:
        form, now = await read_form(request), self._clock.now()
        refuse_foreign(request.cookies.get(FORM, ""), form.get("key", ""))
        await self._must_be_open(token)
        email, name = clean(form.get("email", ""))[:LONGEST_EMAIL], clean(form.get("name", ""))[:LONGEST_NAME]
        again = partial(self.form, "invite.html", 422, token=token, email=email, name=name)
        if not name:
            return again(problem=say("お名前を入れてください。"))
        try:
            hashed = await access.hash_password(form.get("password", ""))

            made = await self._database.write(lambda session: _join(session, token, email, name, hashed, now))
        except access.Refused as refused:
            return again(problem=say(str(refused)))
        if made is None:
            raise Problem(404, "Not Found", say(USED_UP))
        return await self.let_in(request, made, "/staff")

    async def _must_be_open(self, token: str) -> None:
        now = self._clock.now()
        if not await self._database.read(lambda session: access.invited_as(session, token, now)):
            raise Problem(404, "Not Found", say(USED_UP))

    def _remember(self, answer: Response, token: str) -> None:
        # Lax, not Strict: a link to a case in a colleague's e-mail must find them signed in. Every form has a key too.
        answer.set_cookie(
            SESSION, token, max_age=int(access.SESSION_LASTS.total_seconds()), httponly=True, samesite="lax",
            secure=self.secure, path="/staff",
        )  # fmt: skip
        answer.delete_cookie(HALF, path=SIGN_IN)

    def form(self, template: str, status: int = 200, **values: object) -> Response:
        """A page with a form for whoever has no session yet."""
        # There is no session yet whose key could be asked for: a cookie and an input that another site cannot match.
        key = secrets.token_urlsafe(24)
        answer = page(template, status, town=self._town, key=key, who=None, **values)
        answer.set_cookie(FORM, key, max_age=3600, httponly=True, samesite="strict", secure=self.secure, path="/staff")
        return answer


def _join(session: Session, token: str, email: str, name: str, hashed: str, now: datetime) -> Staff | None:
    staff = access.accept_invitation(session, token, email, name, hashed, now)
    if staff:
        audit.enter(session, staff, "joined", now)
    return staff


def too_often(again: Callable[..., Response], seconds: int) -> Response:
    """The page once more, with how long to wait."""
    answer = again(429, problem=say(TOO_OFTEN, minutes=-(-seconds // 60)))
    answer.headers["Retry-After"] = str(seconds)
    return answer


def refuse_foreign(ours: str, given: str) -> None:
    """Raises Problem 403 for a form that does not come from our own page."""
    if not ours or not hmac.compare_digest(ours.encode(), given.encode()):
        raise Problem(403, "Forbidden", say(STALE))


def next_page(given: str) -> str:
    """Where to go after sign-in: within the staff's pages only."""
    return given if given.startswith("/staff/cases/") and "\\" not in given and "//" not in given else "/staff"

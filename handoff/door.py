"""The door: sign-in, sign-out, and the invitation that makes an account."""

import hmac
import secrets
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import access
from handoff.access import SignedIn
from handoff.body import SMALL, Inputs, Room, read_form
from handoff.pages import SIGN_IN, SignInFirst, page
from storage.clock import Clock
from storage.database import Database
from storage.problems import Problem
from storage.settings import Settings
from storage.texts import clean

SESSION, FORM = "uketome_staff", "uketome_form"
LONGEST_EMAIL, LONGEST_NAME = 254, 60
WRONG = "メールアドレスかパスワードが違います。"
TOO_OFTEN = "続けて間違えたため、いまはサインインできません。{minutes}分ほど待ってから、もう一度お試しください。"
USED_UP = "この招待は、もう使われたか、期限が過ぎています。"
STALE = "この画面は古くなっています。開き直して、もう一度お試しください。"


class Door:
    """Lets staff in and out; everybody else's page asks it who is there."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._town, self._database, self._clock = settings.town, database, clock
        self._secure = settings.address.startswith("https://")
        self._tries = access.Tries(settings.sign_in_tries)

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
        form = await read_form(request, room)
        _refuse_foreign(who.csrf, form.get("csrf", ""))
        return who, form

    async def sign_in_page(self, request: Request) -> Response:
        return self._form("sign_in.html", email="", problem="", next=_next(request.query_params.get("next", "")))

    async def sign_in(self, request: Request) -> Response:
        form, now = await read_form(request), self._clock.now()
        _refuse_foreign(request.cookies.get(FORM, ""), form.get("key", ""))
        email, where = clean(form.get("email", "")).casefold()[:LONGEST_EMAIL], _next(form.get("next", ""))
        again = partial(self._form, "sign_in.html", email=email, next=where)
        keys = (f"account {email}", f"address {request.client.host if request.client else ''}")
        if seconds := self._tries.count(now, *keys):
            answer = again(429, problem=TOO_OFTEN.format(minutes=-(-seconds // 60)))
            answer.headers["Retry-After"] = str(seconds)
            return answer
        staff = await self._database.read(lambda session: access.staff_by_email(session, email))
        if not await access.right_password(staff, form.get("password", "")) or staff is None:
            return again(403, problem=WRONG)
        self._tries.succeeded(*keys)
        return self._come_in(await self._database.write(lambda s: access.begin_session(s, staff, now)), where)

    async def sign_out(self, request: Request) -> Response:
        await self.form_of_staff(request)
        token, now = request.cookies[SESSION], self._clock.now()
        await self._database.write(lambda session: access.end_session(session, token, now))
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(SESSION, path="/staff")
        return answer

    async def invitation(self, token: str) -> Response:
        await self._must_be_open(token)
        return self._form("invite.html", token=token, email="", name="", problem="")

    async def accept(self, request: Request, token: str) -> Response:
        form, now = await read_form(request), self._clock.now()
        _refuse_foreign(request.cookies.get(FORM, ""), form.get("key", ""))
        await self._must_be_open(token)
        email, name = clean(form.get("email", ""))[:LONGEST_EMAIL], clean(form.get("name", ""))[:LONGEST_NAME]
        again = partial(self._form, "invite.html", 422, token=token, email=email, name=name)
        if not name:
            return again(problem="お名前を入れてください。")
        try:
            hashed = await access.hash_password(form.get("password", ""))

            def make(session: Session) -> str | None:
                staff = access.accept_invitation(session, token, email, name, hashed, now)
                return access.begin_session(session, staff, now) if staff else None

            made = await self._database.write(make)
        except access.Refused as refused:
            return again(problem=str(refused))
        if made is None:
            raise Problem(404, "Not Found", USED_UP)
        return self._come_in(made, "/staff")

    async def _must_be_open(self, token: str) -> None:
        now = self._clock.now()
        if not await self._database.read(lambda session: access.invited_as(session, token, now)):
            raise Problem(404, "Not Found", USED_UP)

    def _come_in(self, token: str, where: str) -> Response:
        answer = RedirectResponse(where, 303)
        # Lax, not Strict: a link to a case in a colleague's e-mail must find them signed in. Every form has a key too.
        answer.set_cookie(
            SESSION, token, max_age=int(access.SESSION_LASTS.total_seconds()), httponly=True, samesite="lax",
            secure=self._secure, path="/staff",
        )  # fmt: skip
        return answer

    def _form(self, template: str, status: int = 200, **values: str) -> Response:
        # There is no session yet whose key could be asked for: a cookie and an input that another site cannot match.
        key = secrets.token_urlsafe(24)
        answer = page(template, status, town=self._town, key=key, who=None, **values)
        answer.set_cookie(FORM, key, max_age=3600, httponly=True, samesite="strict", secure=self._secure, path="/staff")
        return answer


def _refuse_foreign(ours: str, given: str) -> None:
    if not ours or not hmac.compare_digest(ours.encode(), given.encode()):
        raise Problem(403, "Forbidden", STALE)


def _next(given: str) -> str:
    """Where to go after sign-in: within the staff's pages only."""
    return given if given.startswith("/staff/cases/") and "\\" not in given and "//" not in given else "/staff"

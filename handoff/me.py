"""One's own page: name, password, second factor, and the browsers in which one is signed in."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from handoff import access, audit, presence, second_factor
from handoff.access import SignedIn
from handoff.door import LONGEST_NAME, TOO_OFTEN
from handoff.moments import day_and_time
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.sealed import Seal
from handoff.second_factor import SecondFactor
from handoff.tongue import say
from handoff.tries import Tries
from handoff.words import spoken
from knowledge_base import care
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Agency, Desk, Staff, StaffSession
from storage.settings import Settings
from storage.texts import clean

HERE = "/staff/me"
SET_UP_LASTS = timedelta(minutes=15)
#: What a change that was made is called when the page is shown again.
DONE = {
    "name": "お名前を変えました。",
    "password": "パスワードを変えました。ほかのブラウザーはサインアウトしました。",
    "off": "確認コードを使わないようにしました。",
    "ended": "サインアウトしました。",
}
Problems = dict[str, str]


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """Everything under `/staff/me`."""
    me = _Me(settings, database, bells, clock)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/me", me.show)
    for path, does in (
        ("name", me.rename),
        ("password", me.change_password),
        ("second-factor", me.offer_second_factor),
        ("second-factor/confirm", me.confirm_second_factor),
        ("second-factor/off", me.drop_second_factor),
        ("sessions/end", me.end_sessions),
    ):
        router.add_api_route(f"/me/{path}", does, methods=["POST"])
    return router


class _Me:
    def __init__(self, settings: Settings, database: Database, bells: Bells, clock: Clock) -> None:
        self._office, self._database, self._clock = Office(settings, database, bells, clock), database, clock
        self._second, self._seal = SecondFactor(settings), Seal(settings, "second factor being set up")
        self._tries = Tries(settings.sign_in_tries)

    async def show(self, request: Request) -> Response:
        return await self._show(request, done=say(DONE.get(request.query_params.get("done", ""), "")))

    async def rename(self, request: Request) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> Problems:
            name = clean(form.get("name", "")).strip()
            if not name or len(name) > LONGEST_NAME:
                return {"name": say("お名前を、{most}文字までで入れてください。", most=LONGEST_NAME)}
            session.execute(update(Staff).where(Staff.id == who.staff.id).values(name=name, version=Staff.version + 1))
            return {}

        problems = await self._office.change(request, work)
        return await self._show(request, problems) if problems else _back("name")

    async def change_password(self, request: Request) -> Response:
        who, form = await self._office.form(request)
        if refused := await self._wrong_password(request, who, form, "old"):
            return refused
        try:
            hashed = await access.hash_password(form.get("new", ""))
        except access.Refused as short:
            return await self._show(request, {"new": say(str(short))})
        now = self._clock.now()

        def work(session: Session) -> None:
            session.execute(
                update(Staff).where(Staff.id == who.staff.id).values(password_hash=hashed, version=Staff.version + 1)
            )
            access.end_sessions(session, who.staff.id, now, but=who.id)
            audit.enter(session, who.staff, "password_changed", now)

        await self._database.write(work)
        return _back("password")

    async def offer_second_factor(self, request: Request) -> Response:
        who, form = await self._office.form(request)
        if refused := await self._wrong_password(request, who, form, "password"):
            return refused
        return self._set_up_page(who, second_factor.new_secret())

    async def confirm_second_factor(self, request: Request) -> Response:
        who, form = await self._office.form(request)
        now = self._clock.now()
        offered = self._seal.open(form.get("sealed", ""), now, SET_UP_LASTS)
        if not offered or offered.get("of") != who.staff.id or self._second.setting == "off":
            return await self._show(request, {"": say("時間がたったため、設定をはじめからやり直してください。")})
        secret, code = str(offered["secret"]), form.get("code", "")

        def work(session: Session) -> list[str] | None:
            codes = self._second.set_up(session, who.staff, secret, code, now)
            if codes:
                audit.enter(session, who.staff, "second_factor_on", now)
            return codes

        codes = await self._database.write(work)
        if codes is None:
            return self._set_up_page(who, secret, say(second_factor.WRONG_FIRST))
        return page("recovery_codes.html", who=who, here=HERE, codes=codes, next=HERE)

    async def drop_second_factor(self, request: Request) -> Response:
        who, form = await self._office.form(request)
        if self._second.setting == "required":
            return await self._show(request, {"": say("この町では、確認コードをやめることはできません。")})
        if refused := await self._wrong_password(request, who, form, "password"):
            return refused
        now = self._clock.now()

        def work(session: Session) -> None:
            second_factor.take_off(session, who.staff.id)
            audit.enter(session, who.staff, "second_factor_off", now)

        await self._database.write(work)
        return _back("off")

    async def end_sessions(self, request: Request) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> None:
            which = form.get("which", "")
            ended = access.end_sessions(session, who.staff.id, now, but=who.id, only=None if which == "all" else which)
            if ended:
                audit.enter(session, who.staff, "session_ended", now)

        await self._office.change(request, work)
        return _back("ended")

    async def _wrong_password(self, request: Request, who: SignedIn, form: Form, name: str) -> Response | None:
        """The page with what is wrong, unless the field holds their password. Guessing is counted as at the door."""
        key = f"account {who.staff.id}"
        if seconds := self._tries.count(self._clock.now(), key):
            sentence = say(TOO_OFTEN, minutes=-(-seconds // 60))
            return await self._show(request, {name: sentence}, status=429)
        if not await access.right_password(who.staff, form.get(name, "")):
            return await self._show(request, {name: say("いまのパスワードが違います。")}, status=403)
        self._tries.succeeded(key)
        return None

    def _set_up_page(self, who: SignedIn, secret: str, problem: str = "") -> Response:
        sealed = self._seal.close({"of": who.staff.id, "secret": secret}, self._clock.now())
        drawn = Markup(second_factor.picture(self._second.uri(who.staff, secret)))
        return page(
            "second_factor.html", 422 if problem else 200, who=who, here=HERE, csrf=who.csrf, first=False,
            secret=second_factor.readable(secret), sealed=sealed, picture=drawn, problem=problem,
            action="/staff/me/second-factor/confirm",
        )  # fmt: skip

    async def _show(
        self, request: Request, problems: Problems | None = None, *, status: int = 422, done: str = ""
    ) -> Response:
        look = partial(_view, second=self._second)
        who, view = await self._office.look(request, look)
        return page(
            "me.html", status if problems else 200, who=who, here=HERE, problems=problems or {}, done=done, **view
        )


def _view(session: Session, who: SignedIn, now: datetime, *, second: SecondFactor) -> tuple[SignedIn, dict[str, Any]]:
    staff = who.staff
    desk = session.get(Desk, staff.desk_id) if staff.desk_id else None
    agency = session.get(Agency, staff.agency_id) if staff.agency_id else None
    open_ones = session.scalars(
        select(StaffSession)
        .where(StaffSession.staff_id == staff.id, presence.lives(now))
        .order_by(StaffSession.token_hash != who.id, StaffSession.created_at.desc())
    )
    return who, {
        "role": spoken().roles[staff.role],
        "place": desk.name if desk else agency.name if agency else "",
        "second": second.setting,
        "second_since": day_and_time(staff.totp_since) if staff.totp_since else "",
        "codes_left": second_factor.recovery_codes_left(session, staff),
        "owns": session.scalar(select(func.count()).select_from(care.owned(staff.id).subquery())),
        "sessions": [
            {
                "id": one.token_hash[:16],
                "browser": one.browser or say("ブラウザー"),
                "since": day_and_time(one.created_at),
                "seen": day_and_time(one.seen_at or one.created_at),
                "this": one.token_hash == who.id,
            }
            for one in open_ones
        ],
    }


def _back(done: str) -> Response:
    return RedirectResponse(f"{HERE}?done={done}", 303)

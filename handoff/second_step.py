"""The second step of the sign-in: the code of the second factor, or setting it up where nobody comes in without one."""

from datetime import timedelta
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlalchemy.orm import Session

from handoff import audit, second_factor
from handoff.body import read_form
from handoff.door import CODE, FORM, HALF, SET_UP, Door, refuse_foreign, too_often
from handoff.pages import SIGN_IN, page
from handoff.second_factor import SecondFactor
from handoff.tongue import say
from handoff.trail import Trail
from storage.clock import Clock
from storage.database import Database
from storage.models import Staff
from storage.settings import Settings

#: How long the right password alone is worth anything.
HALF_LASTS = timedelta(minutes=10)
WRONG_CODE = "確認コードが違うか、もう使われています。アプリに表示されている、新しい6桁の数字を入れてください。"


class SecondStep:
    """Its pages. Who asks for them is known by the sealed cookie that the right password left."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, door: Door) -> None:
        self._database, self._clock, self._door = database, clock, door
        self._second, self._trail = SecondFactor(settings), Trail(database, clock)

    def add_to(self, router: APIRouter) -> None:
        """The pages of the second step."""
        for path, show, take in ((CODE, self.ask, self.check), (SET_UP, self.show_set_up, self.set_up)):
            router.add_api_route(path.removeprefix("/staff"), show)
            router.add_api_route(path.removeprefix("/staff"), take, methods=["POST"])

    async def ask(self, request: Request) -> Response:
        staff, _ = await self._half_in(request)
        return self._door.form("second_step.html", problem="") if staff else RedirectResponse(SIGN_IN, 303)

    async def check(self, request: Request) -> Response:
        staff, where = await self._half_in(request)
        form, now = await self._own_form(request), self._clock.now()
        if staff is None:
            return RedirectResponse(SIGN_IN, 303)
        again, key = partial(self._door.form, "second_step.html"), f"code {staff.id}"
        if seconds := self._door.tries.count(now, key):
            return too_often(again, seconds)
        code = form.get("code", "")

        def work(session: Session) -> str:
            if self._second.passes(session, staff, code, now):
                return say("パスワードと確認コード")
            if self._second.recovers(session, staff, code, now):
                audit.enter(session, staff, "recovery_code_used", now)
                return say("パスワードと予備のコード")
            return ""

        how = await self._database.write(work)
        if not how:
            self._trail.note(staff.id, "sign_in_failed", detail=say("確認コード"))
            return again(403, problem=say(WRONG_CODE))
        self._door.tries.succeeded(key)
        return await self._door.begin(request, staff, where, how)

    async def show_set_up(self, request: Request) -> Response:
        staff, _ = await self._half_in(request)
        if staff is None or not self._second.must_be_set_up(staff):
            return RedirectResponse(SIGN_IN, 303)
        return self._set_up_page(staff, second_factor.new_secret())

    async def set_up(self, request: Request) -> Response:
        staff, where = await self._half_in(request)
        form, now = await self._own_form(request), self._clock.now()
        offered = self._door.half.open(form.get("sealed", ""), now, HALF_LASTS)
        if staff is None or not self._second.must_be_set_up(staff) or not offered or offered.get("of") != staff.id:
            return RedirectResponse(SIGN_IN, 303)
        secret, code = str(offered["secret"]), form.get("code", "")

        def work(session: Session) -> list[str] | None:
            codes = self._second.set_up(session, staff, secret, code, now)
            if codes:
                audit.enter(session, staff, "second_factor_on", now)
            return codes

        codes = await self._database.write(work)
        if codes is None:
            return self._set_up_page(staff, secret, say(second_factor.WRONG_FIRST))
        shown = page("recovery_codes.html", who=None, codes=codes, next=where)
        await self._door.open_session(request, staff, say("パスワードと確認コード"), shown)
        return shown

    def _set_up_page(self, staff: Staff, secret: str, problem: str = "") -> Response:
        sealed = self._door.half.close({"of": staff.id, "secret": secret}, self._clock.now())
        drawn = Markup(second_factor.picture(self._second.uri(staff, secret)))
        values = {
            "secret": second_factor.readable(secret),
            "sealed": sealed,
            "picture": drawn,
            "problem": problem,
            "action": SET_UP,
        }
        return self._door.form("second_factor.html", 422 if problem else 200, csrf="", first=True, **values)

    async def _half_in(self, request: Request) -> tuple[Staff | None, str]:
        """Whose password was right within the last minutes, and where they want to go."""
        half = self._door.half.open(request.cookies.get(HALF, ""), self._clock.now(), HALF_LASTS)
        if not half or "staff" not in half:
            return None, ""
        staff = await self._database.read(lambda session: session.get(Staff, half["staff"]))
        return (staff, half["next"]) if staff and not staff.disabled_at else (None, "")

    async def _own_form(self, request: Request) -> dict[str, str]:
        form = await read_form(request)
        refuse_foreign(request.cookies.get(FORM, ""), form.get("key", ""))
        return form

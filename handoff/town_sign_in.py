"""The way in by the town's own accounts: to the provider and back. Binds to accounts that exist, and makes none.

The second factor is the provider's business: whoever comes this way has been asked there what the town wants asked.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import access, audit
from handoff.door import Door, next_page
from handoff.oidc import Asked, OidcError, Person, Provider
from handoff.pages import SIGN_IN
from handoff.sealed import Seal
from handoff.tongue import say
from handoff.trail import Trail
from storage.clock import Clock
from storage.database import Database
from storage.models import Staff
from storage.settings import Settings

TOWN, BACK = f"{SIGN_IN}/town", f"{SIGN_IN}/town/back"
COOKIE = "uketome_town"
LASTS = timedelta(minutes=10)
TOO_LATE = "時間がたったか、別の画面で始めたサインインです。もう一度お試しください。"
NOT_ALLOWED = "庁内のサインインが取りやめになりました。"
NO_ACCOUNT = "このアカウントでは入れません。管理者に、うけとめの招待を頼んでください。"
UNVERIFIED = (
    "庁内のアカウントのメールアドレスを確かめられませんでした。管理者か、庁内のシステムの担当者に相談してください。"
)


class TownSignIn:
    """Its pages; only where a provider is set."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, door: Door) -> None:
        self._database, self._clock, self._door = database, clock, door
        self._provider = Provider(settings, settings.address + BACK)
        self._seal, self._trail, self._name = (
            Seal(settings, "at the provider"),
            Trail(database, clock),
            settings.oidc_name,
        )

    def add_to(self, router: APIRouter) -> None:
        """The way there and the way back."""
        router.add_api_route(TOWN.removeprefix("/staff"), self.go)
        router.add_api_route(BACK.removeprefix("/staff"), self.back)

    async def go(self, request: Request) -> Response:
        asked, where = Asked.new(), next_page(request.query_params.get("next", ""))
        try:
            url = await asyncio.to_thread(self._provider.where, asked)
        except OidcError as error:
            return self._again(503, str(error))
        answer = RedirectResponse(url, 303)
        sealed = self._seal.close({"asked": asked.plain(), "next": where}, self._clock.now())
        # Lax: the provider sends the browser back from another site.
        answer.set_cookie(COOKIE, sealed, httponly=True, samesite="lax", secure=self._door.secure, path=TOWN)
        return answer

    async def back(self, request: Request) -> Response:
        carried = self._seal.open(request.cookies.get(COOKIE, ""), self._clock.now(), LASTS)
        asked = Asked(**carried["asked"]) if carried else None
        if carried is None or asked is None or request.query_params.get("state", "") != asked.state:
            return self._again(403, say(TOO_LATE))
        if not (code := request.query_params.get("code", "")):
            return self._again(403, say(NOT_ALLOWED))
        try:
            person = await asyncio.to_thread(self._provider.person, asked, code)
        except OidcError as error:
            return self._again(503, str(error))
        found = await self._database.write(partial(_account_of, person=person, now=self._clock.now()))
        if isinstance(found, str):
            self._trail.note(None, "sign_in_failed", detail=self._name)
            return self._again(403, found)
        answer = await self._door.begin(request, found, str(carried["next"]), self._name)
        answer.delete_cookie(COOKIE, path=TOWN)
        return answer

    def _again(self, status: int, problem: str) -> Response:
        answer = self._door.form(
            "sign_in.html", status, email="", next="/staff", problem=problem, town_account=self._name
        )
        answer.delete_cookie(COOKIE, path=TOWN)  # one try, one cookie
        return answer


def _account_of(session: Session, person: Person, now: datetime) -> Staff | str:
    """Their account; the first time it is found by the verified address, and bound. Else a sentence."""
    known = session.scalars(select(Staff).where(Staff.oidc_subject == person.subject)).one_or_none()
    if known:
        return say(NO_ACCOUNT) if known.disabled_at else known
    if not person.email:
        return say(UNVERIFIED)
    staff = access.staff_by_email(session, person.email)
    # Bound to another subject: an address that was given to somebody new must not open the old one's account.
    if staff is None or staff.disabled_at or staff.oidc_subject or access.is_system(staff):
        return say(NO_ACCOUNT)
    staff.oidc_subject = person.subject
    audit.enter(session, staff, "oidc_bound", now)
    return staff

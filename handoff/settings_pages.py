"""The admin's pages of people and desks under /staff/settings. Whoever is no admin finds no such page."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import people
from handoff.access import ROLES, SignedIn
from handoff.moments import day_and_time
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page, settings_of
from handoff.people import Slip
from handoff.tongue import say
from handoff.words import words
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Agency, Desk, Invitation, Staff
from storage.settings import Settings

HERE = "/staff/settings"
PEOPLE, DESKS = f"{HERE}/people", f"{HERE}/desks"
NO_PAGE = "お探しのページは見つかりません。"
Change = Callable[[Session, SignedIn, Mapping[str, str], datetime], str]
DONE = {
    "moved": "役割と所属を変えました。",
    "disabled": "アカウントを止めました。この人のサインインは、すべて終わりました。",
    "enabled": "アカウントを、もう一度使えるようにしました。",
    "reset": "確認コードの設定を消しました。この人のサインインは、すべて終わりました。",
    "withdrawn": "招待を取り消しました。",
    "added": "窓口を加えました。",
    "renamed": "窓口の名前を変えました。",
    "retired": "窓口を閉じました。",
    "reopened": "窓口を、もう一度開きました。",
}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/settings, /staff/settings/people and /staff/settings/desks."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/settings", pages.begin)
    router.add_api_route("/settings/people", pages.people)
    router.add_api_route("/settings/people/invite", pages.invite, methods=["POST"])
    router.add_api_route("/settings/desks", pages.desks)
    for path, where, change in (
        ("people/withdraw", PEOPLE, _withdraw),
        ("people/{id}/move", PEOPLE, _move),
        ("people/{id}/disable", PEOPLE, _disable),
        ("people/{id}/enable", PEOPLE, _enable),
        ("people/{id}/reset", PEOPLE, _reset),
        ("desks/add", DESKS, _add_desk),
        ("desks/{id}/rename", DESKS, _rename_desk),
        ("desks/{id}/retire", DESKS, _retire_desk),
    ):
        router.add_api_route(f"/settings/{path}", pages.does(where, change), methods=["POST"])
    return router


def only(who: SignedIn, *roles: str) -> None:
    """Raises LookupError for whoever has none of the roles: for them there is no such page."""
    if who.staff.role not in roles:
        raise LookupError(say(NO_PAGE))


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def begin(self, request: Request) -> Response:
        def first(_session: Session, who: SignedIn, _now: datetime) -> str:
            only(who, "admin", "supervisor")
            return settings_of(who)[0][0]

        return RedirectResponse(await self._office.look(request, first), 303)

    async def people(self, request: Request) -> Response:
        return await self._show(request, PEOPLE)

    async def desks(self, request: Request) -> Response:
        return await self._show(request, DESKS)

    async def invite(self, request: Request) -> Response:
        given: dict[str, str] = {}

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            only(who, "admin")
            given.update(form)
            return people.invite(session, who.staff, form, now)

        try:
            token = await self._office.change(request, work)
        except Slip as slip:
            return await self._show(request, PEOPLE, slip, given)
        return await self._show(request, PEOPLE, link=f"{self._office.settings.address}/staff/invite/{token}")

    def does(self, where: str, change: Change) -> Callable[[Request], Any]:
        """A route that makes the change and shows the page again: with what was done, or with what is wrong."""

        async def route(request: Request) -> Response:
            given: dict[str, str] = {}

            def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
                only(who, "admin")
                given.update(form, id=request.path_params.get("id", ""))
                return change(session, who, given, now)

            try:
                done = await self._office.change(request, work)
            except Slip as slip:
                return await self._show(request, where, slip, given)
            return RedirectResponse(f"{where}?done={done}", 303)

        return route

    async def _show(
        self,
        request: Request,
        where: str,
        slip: Slip | None = None,
        given: dict[str, str] | None = None,
        link: str = "",
    ) -> Response:
        view = _people if where == PEOPLE else _desks
        who, values = await self._office.look(request, view)
        done = say(DONE.get(request.query_params.get("done", ""), "")) if request.method == "GET" else ""
        return page(
            "people.html" if where == PEOPLE else "desks.html", slip.status if slip else 200, who=who, here=HERE,
            tab=where, done=done, link=link, problems=_named(slip, given) if slip else {},
            given=given or {}, **values,
        )  # fmt: skip


def _named(slip: Slip, given: dict[str, str] | None) -> dict[str, str]:
    """The problems by the ids of the fields on the page: one form for each person, and one for who is invited."""
    form = (given or {}).get("id") or "new"
    return {
        f"{name}-{form}" if name in ("role", "desk", "agency") else name: said for name, said in slip.problems.items()
    }


def _withdraw(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    people.withdraw(session, who.staff, form.get("which", ""), now)
    return "withdrawn"


def _move(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    people.move(session, who.staff, _person(session, form), form, now)
    return "moved"


def _disable(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    people.disable(session, who.staff, _person(session, form), now)
    return "disabled"


def _enable(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    people.enable(session, who.staff, _person(session, form), now)
    return "enabled"


def _reset(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    people.reset_second_factor(session, who.staff, _person(session, form), now)
    return "reset"


def _add_desk(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    people.add_desk(session, who.staff, form.get("name", ""), now)
    return "added"


def _rename_desk(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    desk = people.desk(session, form["id"], form.get("version", ""))
    people.rename_desk(session, who.staff, desk, form.get("name", ""), now)
    return "renamed"


def _retire_desk(session: Session, who: SignedIn, form: Mapping[str, str], now: datetime) -> str:
    desk = people.desk(session, form["id"], form.get("version", ""))
    people.retire_desk(session, who.staff, desk, now)
    return "retired" if desk.retired_at else "reopened"


def _person(session: Session, form: Mapping[str, str]) -> Staff:
    return people.person(session, form["id"], version=form.get("version", ""))


def _people(session: Session, who: SignedIn, now: datetime) -> tuple[SignedIn, dict[str, Any]]:
    only(who, "admin")
    desks = {desk.id: desk for desk in session.scalars(select(Desk).order_by(Desk.name))}
    agencies = {agency.id: agency for agency in session.scalars(select(Agency).order_by(Agency.name))}
    waiting = session.scalars(
        select(Invitation)
        .where(Invitation.used_at.is_(None), Invitation.expires_at > now)
        .order_by(Invitation.created_at.desc())
    )
    return who, {
        "people": [_row(staff, desks, agencies) for staff in people.people(session)],
        "invitations": [
            {
                "id": one.token_hash[:16],
                "role": say(words().roles[one.role]),
                "place": _place(one, desks, agencies),
                "until": day_and_time(one.expires_at),
            }
            for one in waiting
        ],
        "roles": [(role, say(words().roles[role])) for role in ROLES],
        "desks": [(desk.id, desk.name) for desk in desks.values() if not desk.retired_at],
        "agencies": [(agency.id, agency.name) for agency in agencies.values() if not agency.retired_at],
    }


def _row(staff: Staff, desks: dict[int, Desk], agencies: dict[int, Agency]) -> dict[str, Any]:
    return {
        "id": staff.id,
        "name": staff.called,
        "email": staff.email,
        "role": staff.role,
        "role_name": say(words().roles[staff.role]),
        "desk": staff.desk_id,
        "agency": staff.agency_id,
        "place": _place(staff, desks, agencies),
        "second": staff.totp_since is not None,
        "disabled": day_and_time(staff.disabled_at) if staff.disabled_at else "",
        "version": staff.version,
    }


def _place(one: Staff | Invitation, desks: dict[int, Desk], agencies: dict[int, Agency]) -> str:
    if one.agency_id:
        return agencies[one.agency_id].name
    return desks[one.desk_id].name if one.desk_id else ""


def _desks(session: Session, who: SignedIn, _now: datetime) -> tuple[SignedIn, dict[str, Any]]:
    only(who, "admin")
    members: dict[int, list[str]] = {}
    for staff in people.people(session):
        if staff.desk_id and not staff.disabled_at:
            members.setdefault(staff.desk_id, []).append(staff.called)
    desks = session.scalars(select(Desk).order_by(Desk.retired_at.is_not(None), Desk.name))
    return who, {"desks": [(desk, members.get(desk.id, [])) for desk in desks]}

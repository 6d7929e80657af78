"""What somebody looks after, also without being an admin: they confirm it, or offer a change, and an admin publishes.

Nobody's entry but their own is ever read here: the owner stands in the query.
"""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import audit, kb_entry, kb_view
from handoff.access import SignedIn
from handoff.kb_care import OWN, confirmed, today
from handoff.kb_entry import Filled
from handoff.moments import whole_day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.slips import Slip, number_in
from handoff.tongue import say
from knowledge_base import care, live, versions
from knowledge_base.versions import Step
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.knowledge import KbEntry, KbVersion
from storage.problems import Problem
from storage.settings import Settings

DONE = {
    "confirmed": "内容を確かめた日を、きょうにしました。",
    "review": "確認に出しました。管理者が公開するまで、案内される内容は変わりません。",
}
NOTHING_NEW = "変わったところがありません。そのままでよければ「内容を確かめました」を押してください。"
BEING_WRITTEN = "いま、だれかが書き直しています。公開されてから、確かめてください。"


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/own."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=OWN, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("", pages.listed)
    router.add_api_route("/{id}", pages.show)
    router.add_api_route("/{id}", pages.offer, methods=["POST"])
    router.add_api_route("/{id}/confirm", pages.confirm, methods=["POST"])
    return router


def due(session: Session, who: SignedIn, now: datetime) -> int:
    """How many of somebody's own want to be looked at."""
    known = care.cares(session, session.scalars(care.owned(who.staff.id)).all())
    return sum(bool(one.due and one.due <= today(now)) for one in known.values())


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def listed(self, request: Request) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            return {"who": who, "rows": _rows(session, who, now)}

        done = say(DONE.get(request.query_params.get("done", ""), ""))
        return page("kb_own.html", done=done, **await self._office.look(request, look))

    async def show(self, request: Request, id: str) -> Response:
        return await self._show(request, id, None, 200)

    async def offer(self, request: Request, id: str) -> Response:
        """A change as a version that waits for an admin."""

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            entry = _own(session, who, id)
            content, problems = kb_entry.read(entry.kind, form, whole=True)
            if not problems and not kb_view.differences(versions.version(session, id).content, content):
                problems = {"": say(NOTHING_NEW)}
            if problems:
                raise Slip(problems)
            versions.add(session, id, number_in(form, "version"), content, who.staff.id, now, Step("review"))
            audit.enter(session, who.staff, "kb_review", now, detail=id)
            return f"{OWN}?done=review"

        def show_again(form: Filled, status: int) -> Awaitable[Response]:
            return self._show(request, id, form, status)

        return await kb_entry.write(self._office, request, work, show_again)

    async def confirm(self, request: Request, id: str) -> Response:
        """Only what is published: what somebody is writing is not yet what people are told."""

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> None:
            entry = _own(session, who, id)
            if entry.state != "published":
                raise Problem(409, "Conflict", say(BEING_WRITTEN))
            confirmed(session, who, entry, form, now)

        await self._office.change(request, work)
        self._office.bells.ring(live.BELL)
        return RedirectResponse(f"{OWN}?done=confirmed", 303)

    async def _show(self, request: Request, id: str, form: Filled | None, status: int) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            entry = _own(session, who, id)
            newest = versions.version(session, id)
            theirs = status == 409
            return {
                "who": who, "entry": entry, "kind": entry.kind, "head": newest.number, "own": _row(session, entry, now),
                "form": form or kb_entry.filled(newest.content),
                "preview": kb_view.preview(entry.kind, id, newest.content, now),
                "theirs": kb_view.who_saved(session, newest) if theirs else "",
                "differences": kb_entry.against(entry.kind, newest, form) if theirs and form else [],
            }  # fmt: skip

        return page("kb_own_entry.html", status, **await self._office.look(request, look), **kb_entry.choices())


def _own(session: Session, who: SignedIn, id_: str) -> KbEntry:
    """Raises LookupError, whether it is somebody else's or is none."""
    mine = care.owned(who.staff.id).where(KbEntry.id == id_)
    found = session.scalars(mine).first() if versions.ID.fullmatch(id_) else None
    if found is None:
        raise LookupError(say("その項目は見つかりません。"))
    return found


def _rows(session: Session, who: SignedIn, now: datetime) -> list[dict[str, Any]]:
    """Those whose day has come first."""
    entries = session.scalars(care.owned(who.staff.id).order_by(KbEntry.name, KbEntry.id)).all()
    return sorted((_row(session, one, now) for one in entries), key=lambda one: not one["late"])


def _row(session: Session, entry: KbEntry, now: datetime) -> dict[str, Any]:
    known, newest = care.care_of(session, entry), versions.version(session, entry.id)
    return {
        "id": entry.id,
        "name": entry.name or say("（名前なし）"),
        "kind": say(kb_view.KIND_NAMES[entry.kind]),
        "state": entry.state,
        "state_name": say(kb_view.STATE_NAMES[entry.state]),
        "checked": whole_day(entry.checked_on) if entry.checked_on else "",
        "due": whole_day(known.due) if known.due else "",
        "late": bool(known.due and known.due <= today(now)),
        "head": entry.head,
        "may_confirm": _may_confirm(newest, now),
    }


def _may_confirm(newest: KbVersion, now: datetime) -> bool:
    return newest.state == "published" and not (newest.publish_at and newest.publish_at > now)

"""Canned replies: written once with placeholders, filled in for whoever chooses one, changed by overseers."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from handoff.access import OVERSEERS, SignedIn
from handoff.japanese_moments import day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Desk, Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.support import CannedReply
from storage.texts import clean

ADDRESS = "/staff/settings/replies"
LONGEST_TITLE, LONGEST_TEXT = 40, 2_000
MOST = 100
PLACEHOLDERS = ("相談員", "窓口", "町", "きょう", "あす")
_BRACES = re.compile(r"\{([^{}]*)\}")


class Unfit(Exception):
    """A form that cannot be saved: what is wrong with each input; `status` is 422, or 409 for a stale one."""

    def __init__(self, problems: dict[str, str], status: int = 422) -> None:
        super().__init__(*problems.values())
        self.problems, self.status = problems, status


def filled(session: Session, staff: Staff, settings: Settings, now: datetime) -> list[tuple[str, str]]:
    """The replies that somebody may choose from, with the placeholders filled in."""
    desk = session.get(Desk, staff.desk_id) if staff.desk_id else None
    values = {
        "相談員": staff.name or say("相談員"),
        "窓口": desk.name if desk else say("{town}の相談窓口", town=settings.town),
        "町": settings.town,
        "きょう": day(now),
        "あす": day(now + timedelta(days=1)),
    }
    for_me = or_(CannedReply.desk_id.is_(None), CannedReply.desk_id == staff.desk_id)
    found = session.scalars(_current().where(for_me))
    return [(reply.title, _BRACES.sub(lambda at: values.get(at[1], at[0]), reply.text)) for reply in found]


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """The page on which the replies are changed."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/settings/replies", pages.show)
    router.add_api_route("/settings/replies", pages.add, methods=["POST"])
    router.add_api_route("/settings/replies/{reply_id}", pages.save, methods=["POST"])
    router.add_api_route("/settings/replies/{reply_id}/retire", pages.retire, methods=["POST"])
    return router


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def show(self, request: Request) -> Response:
        return await self._page(request, {}, {}, None)

    async def add(self, request: Request) -> Response:
        return await self._change(request, None, _add)

    async def save(self, request: Request, reply_id: int) -> Response:
        return await self._change(request, reply_id, lambda *asked: _save(reply_id, *asked))

    async def retire(self, request: Request, reply_id: int) -> Response:
        return await self._change(request, reply_id, lambda *asked: _retire(reply_id, *asked))

    async def _change(self, request: Request, reply_id: int | None, work: Any) -> Response:
        typed: dict[str, str] = {}

        def done(session: Session, who: SignedIn, form: Form, now: datetime) -> None:
            typed.update(form)
            _only_overseers(who)
            work(session, who, form, now)

        try:
            await self._office.change(request, done)
        except Unfit as unfit:
            return await self._page(request, typed, unfit.problems, reply_id, unfit.status)
        return RedirectResponse(f"{ADDRESS}#reply-{reply_id}" if reply_id else ADDRESS, 303)

    async def _page(
        self, request: Request, typed: Mapping[str, str], problems: dict[str, str], at: int | None, status: int = 200
    ) -> Response:
        def look(session: Session, who: SignedIn, _now: datetime) -> tuple[SignedIn, list[CannedReply], list[Desk]]:
            _only_overseers(who)
            desks = session.scalars(select(Desk).where(Desk.retired_at.is_(None)).order_by(Desk.name))
            return who, list(session.scalars(_current())), list(desks)

        who, replies, desks = await self._office.look(request, look)
        return page(
            "replies.html", status, who=who, here="/staff/settings", tab=ADDRESS, replies=replies, desks=desks,
            typed=typed, problems=problems, at=at, placeholders=PLACEHOLDERS, longest_title=LONGEST_TITLE,
            longest_text=LONGEST_TEXT,
        )  # fmt: skip


def _add(session: Session, who: SignedIn, form: Form, now: datetime) -> None:
    values = _read(session, form)
    if len(session.scalars(_current()).all()) >= MOST:
        raise Unfit({"title": say("定型文は100個までです。使わないものを外してください。")})
    session.add(CannedReply(**values, changed_at=now, changed_by=who.staff.id, version=1))


def _save(reply_id: int, session: Session, who: SignedIn, form: Form, now: datetime) -> None:
    _write(session, reply_id, form, _read(session, form), who, now)


def _retire(reply_id: int, session: Session, who: SignedIn, form: Form, now: datetime) -> None:
    _write(session, reply_id, form, {"retired_at": now}, who, now)


def _write(session: Session, reply_id: int, form: Form, values: dict[str, Any], who: SignedIn, now: datetime) -> None:
    version = form.get("version", "")
    written = session.execute(
        update(CannedReply)
        .where(
            CannedReply.id == reply_id, CannedReply.retired_at.is_(None),
            CannedReply.version == (int(version) if version.isascii() and version.isdigit() else 0),
        )
        .values(**values, changed_at=now, changed_by=who.staff.id, version=CannedReply.version + 1)
    )  # fmt: skip
    if cast(CursorResult[Any], written).rowcount == 1:
        return
    reply = session.get(CannedReply, reply_id)
    if reply is None or reply.retired_at:
        raise LookupError(say("その定型文は、もうありません。"))
    by = session.get(Staff, reply.changed_by) if reply.changed_by else None
    name = by.called if by else say("ほかの人")
    raise Unfit(
        {
            "text": say(
                "この画面を開いたあとに、{name}さんが直しています。いまの文は、この題の下に出ています。", name=name
            )
        },
        409,
    )


def _read(session: Session, form: Form) -> dict[str, Any]:
    """The inputs, checked. Raises Unfit with a sentence for each that cannot be used."""
    title, text, desk = (clean(form.get(name, "")) for name in ("title", "text", "desk"))
    problems = {}
    if not title or len(title) > LONGEST_TITLE:
        problems["title"] = say("題は、1文字から40文字までで書いてください。")
    if not text or len(text) > LONGEST_TEXT:
        problems["text"] = say("文は、1文字から2,000文字までで書いてください。")
    elif unknown := [name for name in _BRACES.findall(text) if name not in PLACEHOLDERS]:
        problems["text"] = say(
            "{unknown} は使えません。使えるのは、上に書いてあるものだけです。", unknown=f"{{{unknown[0]}}}"
        )
    desk_id = int(desk) if desk.isascii() and desk.isdigit() and len(desk) < 10 else None
    if desk and (desk_id is None or session.get(Desk, desk_id) is None):
        problems["desk"] = say("窓口を選び直してください。")
    if problems:
        raise Unfit(problems)
    return {"title": title, "text": text, "desk_id": desk_id}


def _current() -> Any:
    return select(CannedReply).where(CannedReply.retired_at.is_(None)).order_by(CannedReply.id)


def _only_overseers(who: SignedIn) -> None:
    if who.staff.role not in OVERSEERS:
        raise Problem(403, "Forbidden", say("このページは、スーパーバイザーと管理者だけが使えます。"))

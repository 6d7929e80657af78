"""Corrections as example voices: a counselor makes one nobody's and offers it, an admin takes or declines it.

What is offered waits in its Correction row (`example`, `example_at`, `example_state` NULL) for the knowledge base's
editor, which will take it in. Nothing is offered by itself: the counselor reads and confirms every word.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.access import SignedIn
from handoff.blanks import BLANK, NUMBER, blanked, still_tells
from handoff.correcting import Mistaken
from handoff.moments import day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.tongue import say
from handoff.words import spoken_field, spoken_service
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Case, Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.support import Correction
from storage.texts import clean

ADDRESS = "/staff/settings/examples"
LONGEST, SHORTEST, SHORTEST_LEFT = 300, 4, 6
SHOWN = 200
#: What teaches something: a finding that was missing, and one that was wrong.
TEACHES = ("added", "wrong")
TAKEN, DECLINED = "taken", "declined"


def offers(rows: Iterable[Correction], case: Case, staff: Staff) -> list[dict[str, Any]]:
    """Which of somebody's own corrections could be an example, with the sentence made nobody's."""
    standing = {
        entry.get("version") for section in ("fields", "services") for entry in case.corrected.get(section, {}).values()
    }
    return [
        {"id": row.id, "about": _about(row), "right": row.corrected["state"] == "added", "text": text}
        for row in rows
        if row.staff_id == staff.id and row.id in standing and row.example_at is None
        and row.corrected.get("state") in TEACHES and _says_something(text := blanked(_quote(row)))
    ]  # fmt: skip


def offer(session: Session, case: Case, staff: Staff, form: Mapping[str, str], now: datetime) -> None:
    """The counselor's own wording is offered, or nothing is. Raises Mistaken, LookupError."""
    row = _of_case(session, case, staff, form.get("key", ""))
    if form.get("act") == "decline":
        row.example_at = now
        return
    text = " ".join(clean(form.get("text", "")).split())
    if len(text) < SHORTEST:
        raise Mistaken(say("例文を書いてください。"), "text")
    if len(text) > LONGEST:
        raise Mistaken(say("例文は{most}文字までで書いてください。", most=LONGEST), "text")
    if still_tells(text) and form.get("sure") != text:
        raise Mistaken(
            say(
                "名前や場所、年齢、電話番号らしい言葉が残っています。伏せてください。だれのことでもなければ、もう一度押してください。"
            ),
            "text",
        )
    row.example, row.example_at, row.example_state = text, now, None


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """The admin's list: `/staff/settings/examples`."""
    router = APIRouter(prefix=ADDRESS, route_class=StaffRoute, include_in_schema=False)
    office = Office(settings, database, bells, clock)

    @router.get("")
    async def listed(request: Request) -> Response:
        who, rows = await office.look(request, _list)
        return page("examples.html", who=who, here="/staff/settings", tab=ADDRESS, rows=rows)

    @router.post("/{row_id}")
    async def decide(request: Request, row_id: str) -> Response:
        await office.change(request, lambda session, who, form, now: _decide(session, who, row_id, form))
        return RedirectResponse(ADDRESS, 303)

    return router


def _list(session: Session, who: SignedIn, _now: datetime) -> tuple[SignedIn, list[dict[str, Any]]]:
    _only_admins(who)
    waiting_first = (Correction.example_state.is_not(None), Correction.example_at.desc())
    rows = session.execute(
        select(Correction, Staff)
        .join(Staff, Staff.id == Correction.staff_id)
        .where(Correction.example.is_not(None))
        .order_by(*waiting_first)
        .limit(SHOWN)
    )
    # No case is named: an example is nobody's, and an admin need not know whose it was.
    return who, [
        {
            "id": row.id, "about": _about(row), "right": row.corrected.get("state") == "added", "text": row.example,
            "at": day(row.example_at) if row.example_at else "", "by": staff.called,
            "state": row.example_state or "",
        }
        for row, staff in rows
    ]  # fmt: skip


def _decide(session: Session, who: SignedIn, row_id: str, form: Form) -> None:
    _only_admins(who)
    row = (
        session.get(Correction, int(row_id), with_for_update=True) if row_id.isdecimal() and len(row_id) < 10 else None
    )
    if row is None or row.example is None:
        raise LookupError(say("その例文はもうありません。"))
    if (row.example_state or "") != form.get("was", ""):
        raise Problem(409, "Conflict", say("ほかの人が先に決めました。一覧を開き直してください。"))
    chosen = {"take": TAKEN, "decline": DECLINED, "undo": None}
    if form.get("act") not in chosen:
        raise Problem(422, "Unprocessable Content", say("取り入れるかどうかを選んでください。"))
    row.example_state = chosen[form["act"]]


def _only_admins(who: SignedIn) -> None:
    if who.staff.role != "admin":
        raise LookupError(say("お探しのページは見つかりません。"))


def _of_case(session: Session, case: Case, staff: Staff, key: str) -> Correction:
    row = session.get(Correction, int(key)) if key.isascii() and key.isdecimal() and len(key) < 10 else None
    if row is None or row.case_id != case.id or row.staff_id != staff.id or row.example_at is not None:
        raise LookupError(say("その例文はもうありません。"))
    return row


def _says_something(text: str) -> bool:
    """Whether there is a voice left when nobody is in it any more."""
    return len(text.replace(BLANK, "").replace(NUMBER, "")) >= SHORTEST_LEFT


def _quote(row: Correction) -> str:
    quotes = [*row.corrected.get("quotes", ()), *row.found.get("quotes", ()), row.found.get("quote", "")]
    return next((quote for quote in quotes if quote), "")


def _about(row: Correction) -> str:
    return spoken_field(row.key) if row.what == "field" else spoken_service(row.key)

"""A file that was brought, made ready to be shown: what it would change, what is wrong with it, what it did."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import kb_view
from handoff.moments import day_and_time
from handoff.tongue import say
from knowledge_base import standing
from knowledge_base.bring import Plan
from knowledge_base.bulk import chunks
from knowledge_base.standing import Change
from knowledge_base.town import Said
from storage.knowledge import KbEntry, KbImport
from storage.models import Staff

A_PAGE = 50
LISTS = ("wrong", "changed", "new", "gone")
PAST = 100
_PLACE = re.compile(r"(?:「(.+)」の)?(\d+)行目", re.DOTALL)


def sentence(said: Said) -> str:
    """In the language of the pages."""
    return say(said[0], **{name: str(value) for name, value in said[1].items()})


def stored(said: Mapping[str, Any]) -> str:
    """The same, of a sentence that was kept."""
    return sentence((said["sentence"], said["values"]))


def seen(row: KbImport) -> str:
    """What a form brings back of the plan that its page showed."""
    return hashlib.sha256(json.dumps([row.id, row.counts, row.plan]).encode()).hexdigest()[:16]


def wrong_rows(made: Plan) -> list[dict[str, str]]:
    """Where something is wrong, and what."""
    return [
        {"place": _place(one.place), "column": one.column, "sentence": sentence((one.sentence, dict(one.values)))}
        for one in made.wrong
    ]


def about(session: Session, row: KbImport) -> dict[str, Any]:
    """What every page of it says: whose file it is, what became of it."""
    people = _people(session, [row])
    return {
        "number": row.id, "file": row.file_name, "by": people.get(row.staff_id, ""), "at": day_and_time(row.at),
        "doing": row.doing, "percent": row.percent, "counts": row.counts, "as": row.applied_as,
        "said": stored(row.said) if row.said else "",
        "applied": day_and_time(row.applied_at) if row.applied_at else "",
        "undone": day_and_time(row.undone_at) if row.undone_at else "",
        "undone_by": people.get(row.undone_by or 0, ""),
    }  # fmt: skip


def past(session: Session) -> list[dict[str, Any]]:
    """What was brought in, newest first."""
    asked = (
        select(KbImport)
        .where(KbImport.applied_at.is_not(None))
        .order_by(KbImport.applied_at.desc(), KbImport.id.desc())
    )
    rows = session.scalars(asked.limit(PAST)).all()
    return [about(session, row) for row in rows]


def shown(session: Session, row: KbImport, show: str, page: str) -> dict[str, Any]:
    """The lists: one of them, a page at a time."""
    if row.applied_at:
        return {"plan": None, "left": _left(session, row)}
    if not row.plan:
        return {"plan": None, "left": []}
    made = Plan.of(row.plan)
    lists: dict[str, Sequence[Any]] = {"wrong": made.wrong, "changed": made.changed, "new": made.new, "gone": made.gone}
    show = show if show in LISTS else next((name for name in LISTS if lists[name]), "")
    at = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 0
    some = lists[show][at * A_PAGE : (at + 1) * A_PAGE] if show else []
    return {
        "plan": {
            "seen": seen(row), "show": show, "page": at, "a_page": A_PAGE,
            "total": len(lists[show]) if show else 0, "rows": _rows(session, made, show, some),
            "notes": [sentence((said, values)) for said, values in made.notes],
            "held": sum(bool(one.held) and one.state in ("", "published", "review") for one in made.changes),
        },
        "left": [],
    }  # fmt: skip


def _rows(session: Session, made: Plan, show: str, some: Sequence[Any]) -> list[dict[str, Any]]:
    if show == "wrong":
        return wrong_rows(Plan(wrong=list(some)))
    if show == "gone":
        return _named(session, [id_ for id_, _number in some])
    names = _names(session, made)
    before = standing.newest_contents(session, [one.id for one in some if one.opened_on])
    return [_change(one, before.get(one.id, {}), names) for one in some]


def _change(one: Change, before: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    differences = kb_view.differences(before, one.content) if one.opened_on else []
    for part in differences:
        part["gone"] = [names.get(line, line) for line in part["gone"]]
        part["new"] = [names.get(line, line) for line in part["new"]]
    if one.opened_on and one.state and one.state != one.was:
        was, state = (say(kb_view.STATE_NAMES[name]) for name in (one.was, one.state))
        differences.insert(0, {"label": say("状態"), "gone": [was], "new": [state], "order": False})
    held = one.held if one.state in ("", "published", "review") else []
    return {
        "id": one.id if one.opened_on else "", "name": one.content["name"], "kind": say(kb_view.KIND_NAMES[one.kind]),
        "place": _place(one.place), "differences": differences, "same_name": one.same_name,
        "held": [sentence((said, values)) for said, values in held],
        "about": one.content.get("about") or one.content.get("address") or one.content.get("phone") or "",
    }  # fmt: skip


def _names(session: Session, made: Plan) -> dict[str, str]:
    """Of the town's services, also those that were never published."""
    known = {
        id_: name for id_, name in session.execute(select(KbEntry.id, KbEntry.name).where(KbEntry.kind == "service"))
    }
    return {**known, **{one.id: one.content["name"] for one in made.new}}


def _named(session: Session, ids: Sequence[str]) -> list[dict[str, Any]]:
    found = {
        one.id: one for part in chunks(ids) for one in session.scalars(select(KbEntry).where(KbEntry.id.in_(part)))
    }
    return [
        {"id": id_, "name": found[id_].name, "kind": say(kb_view.KIND_NAMES[found[id_].kind])}
        for id_ in ids if id_ in found
    ]  # fmt: skip


def _left(session: Session, row: KbImport) -> list[dict[str, Any]]:
    """Those that an undoing has left, because somebody had changed them since."""
    return _named(session, (row.written or {}).get("left", ()))


def _people(session: Session, rows: Sequence[KbImport]) -> dict[int, str]:
    ids = {id_ for row in rows for id_ in (row.staff_id, row.undone_by) if id_}
    return {staff.id: staff.called for staff in session.scalars(select(Staff).where(Staff.id.in_(ids)))}


def _place(written: str) -> str:
    found = _PLACE.fullmatch(written)
    if not found:
        return written
    return say("「{sheet}」の{row}行目", sheet=found[1], row=found[2]) if found[1] else say("{row}行目", row=found[2])

"""Writing and reading the versions of a town's entries. Every way in (editor, import, demo town) goes through here."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, select, update
from sqlalchemy.orm import Session

from knowledge_base import entries, town
from storage.knowledge import KbAreas, KbEntry, KbVersion

STATES = ("draft", "review", "published", "retired")
DECIDED = ("published", "retired")
#: Of an entry. Not everything that an address can hold can be looked for in every database.
ID = re.compile(r"[0-9A-Za-z_-]{1,40}")


class Conflict(Exception):
    """Somebody else has saved a version since this one was opened; `newest` is theirs."""

    def __init__(self, newest: KbVersion) -> None:
        super().__init__()
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Step:
    """What a new version is: its state, and what goes with it."""

    state: str
    publish_at: datetime | None = None
    successor: str | None = None
    restored: int | None = None


DRAFT = Step("draft")


def create(
    session: Session, kind: str, content: Mapping[str, Any], staff_id: int | None, now: datetime, step: Step = DRAFT,
    entry_id: str = "",
) -> KbEntry:  # fmt: skip
    """A new entry with its first version."""
    entry = KbEntry(
        id=entry_id or new_id(), kind=kind, head=0, state=step.state, name="", created_at=now, changed_at=now
    )
    session.add(entry)
    session.flush()
    add(session, entry.id, 0, content, staff_id, now, step)
    session.refresh(entry)
    return entry


def add(
    session: Session, entry_id: str, opened_on: int, content: Mapping[str, Any], staff_id: int | None, now: datetime,
    step: Step = DRAFT,
) -> KbVersion:  # fmt: skip
    """The next version of an entry that was opened on number `opened_on`. Raises Conflict when there is a newer one."""
    number = opened_on + 1
    written = session.execute(
        update(KbEntry)
        .where(KbEntry.id == entry_id, KbEntry.head == opened_on)
        .values(head=number, state=step.state, changed_at=now, **shown(content))
    )
    if cast(CursorResult[Any], written).rowcount != 1:
        raise Conflict(version(session, entry_id))
    new = KbVersion(
        entry_id=entry_id, number=number, state=step.state, content=dict(content), staff_id=staff_id, at=now,
        publish_at=step.publish_at, successor=step.successor, restored=step.restored,
    )  # fmt: skip
    session.add(new)
    session.flush()
    return new


def new_id() -> str:
    """An id of the town's own: never one of the contract's."""
    return f"town_{secrets.token_hex(5)}"


def entry(session: Session, entry_id: str, *, to_change: bool = False) -> KbEntry | None:
    return session.get(KbEntry, entry_id, with_for_update=to_change) if ID.fullmatch(entry_id) else None


def version(session: Session, entry_id: str, number: int | None = None) -> KbVersion:
    """One version, the newest without a number. Raises LookupError."""
    asked = select(KbVersion).where(KbVersion.entry_id == entry_id)
    asked = (
        asked.order_by(KbVersion.number.desc()).limit(1) if number is None else asked.where(KbVersion.number == number)
    )
    found = session.scalars(asked).first()
    if found is None:
        raise LookupError("その版は見つかりません。")
    return found


def history(session: Session, entry_id: str) -> Sequence[KbVersion]:
    """All versions, newest first."""
    return session.scalars(
        select(KbVersion).where(KbVersion.entry_id == entry_id).order_by(KbVersion.number.desc())
    ).all()


def listed(
    search: str = "", kind: str = "", field: str = "", state: str = "", *, unchecked: bool = False
) -> Select[KbEntry]:
    """The entries that fit all of it, by name."""
    asked = select(KbEntry).order_by(KbEntry.name, KbEntry.id)
    for word in town.folded(search).split():
        asked = asked.where(KbEntry.text.contains(word, autoescape=True))
    if kind:
        asked = asked.where(KbEntry.kind == kind)
    if field:
        asked = asked.where(KbEntry.fields.contains(f"|{field}|", autoescape=True))
    if state:
        asked = asked.where(KbEntry.state == state)
    return asked.where(KbEntry.checked_on.is_(None)) if unchecked else asked


def decided_since(session: Session, last: int) -> list[tuple[KbVersion, str]]:
    """Versions that decide something, with an id above `last`, oldest first; and the kinds of their entries."""
    asked = (
        select(KbVersion, KbEntry.kind)
        .join(KbEntry, KbEntry.id == KbVersion.entry_id)
        .where(KbVersion.state.in_(DECIDED), KbVersion.id > last)
        .order_by(KbVersion.id)
    )
    return [(version, kind) for version, kind in session.execute(asked)]


def areas(session: Session) -> KbAreas | None:
    """The newest version of the town's districts."""
    return session.scalars(select(KbAreas).order_by(KbAreas.id.desc()).limit(1)).first()


def load_demo(session: Session, now: datetime) -> int:
    """Publishes the demo town's desks, those that are there already excepted; how many were new. Its districts come
    along where there are none: a town's own are not its."""
    new, none = 0, areas(session) is None
    if none:
        session.add(KbAreas(id=1, content=dict(entries.demo_districts()), at=now))
    for name, desk in entries.demo_town().items():
        id_ = f"town_demo_{name}"[:40]
        if session.get(KbEntry, id_) is None:
            content = town.from_demo(desk)
            create(session, "desk", content if none else {**content, "areas": []}, None, now, Step("published"), id_)
            new += 1
    return new


def shown(content: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry's row holds of its newest version."""
    checked = content.get("checked")
    return {
        "name": content["name"],
        "fields": "".join(f"|{name}|" for name in town.fields_of(content)),
        "text": town.searched(content),
        "checked_on": date.fromisoformat(checked) if checked else None,
    }

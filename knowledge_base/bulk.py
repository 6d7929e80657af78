"""Many versions at once: all of them are written, or none. The rules are those of `versions`; only the way is short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from knowledge_base.versions import Step, shown
from storage.knowledge import KbEntry, KbVersion

T = TypeVar("T")
#: As many ids as every database takes in one question.
CHUNK = 500
Content = Mapping[str, Any]


class Changed(Exception):
    """Entries that somebody else has changed since: nothing was written."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self.ids = ids


@dataclass(frozen=True)
class Write:
    """The next versions of one entry, that was looked at when its newest had the number `opened_on` (0: it is new)."""

    id: str
    kind: str
    opened_on: int
    steps: Sequence[tuple[Content, Step]]


def write(session: Session, writes: Sequence[Write], staff_id: int | None, now: datetime) -> None:
    """Adds every version. Raises Changed, before anything is written, when an entry has a newer one."""
    _hold(session, {one.id: one.opened_on for one in writes if one.opened_on})
    rows = [_row(one, now) for one in writes]
    if new := [row for row, one in zip(rows, writes, strict=True) if not one.opened_on]:
        session.execute(insert(KbEntry), new)
    if old := [row for row, one in zip(rows, writes, strict=True) if one.opened_on]:
        session.execute(update(KbEntry), old)
    if versions := [version for one in writes for version in _versions(one, staff_id, now)]:
        session.execute(insert(KbVersion), versions)


def chunks(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """The ids in portions that every database takes."""
    return (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))


def _hold(session: Session, opened_on: Mapping[str, int]) -> None:
    heads: dict[str, int] = {}
    for part in chunks(sorted(opened_on)):  # in order, so that two imports wait for each other and do not lock
        asked = select(KbEntry.id, KbEntry.head).where(KbEntry.id.in_(part)).order_by(KbEntry.id).with_for_update()
        heads.update((id_, head) for id_, head in session.execute(asked))
    if changed := [id_ for id_, number in opened_on.items() if heads.get(id_) != number]:
        raise Changed(changed)
    if session.get_bind().dialect.name == "postgresql":
        # Whoever looks for new versions looks behind the last id. Without this, another process's later version could
        # be seen before these, and these be passed over for good.
        session.execute(text("LOCK TABLE kb_versions IN EXCLUSIVE MODE"))


def _row(one: Write, now: datetime) -> dict[str, Any]:
    content, step = one.steps[-1]
    row = {"id": one.id, "head": one.opened_on + len(one.steps), "state": step.state, "changed_at": now}
    return {**row, **shown(content), **({} if one.opened_on else {"kind": one.kind, "created_at": now})}


def _versions(one: Write, staff_id: int | None, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "entry_id": one.id, "number": number, "state": step.state, "content": dict(content), "staff_id": staff_id,
            "at": now, "publish_at": step.publish_at, "successor": step.successor, "restored": step.restored,
        }
        for number, (content, step) in enumerate(one.steps, start=one.opened_on + 1)
    ]  # fmt: skip

"""Taking back what an import wrote: each entry as it was, where nobody has saved anything since.

Versions are only added, so what was is written again: first what counted for residents, then what stood beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge_base.bulk import Content, Write, chunks
from knowledge_base.versions import DECIDED, Step
from storage.knowledge import KbEntry, KbVersion

#: An entry's id, and the numbers of its newest version before and after.
Written = Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    state: str
    content: Mapping[str, Any]
    publish_at: datetime | None
    successor: str | None

    def again(self, now: datetime) -> tuple[Content, Step]:
        """Once more, as the newest."""
        planned = self.publish_at if self.publish_at and self.publish_at > now else None
        return self.content, Step(self.state, planned, self.successor, self.number)

    def counts(self, now: datetime) -> bool:
        """Whether it decided something and its time has come."""
        return self.state in DECIDED and (self.publish_at is None or self.publish_at <= now)


def plan(session: Session, written: Sequence[Written], now: datetime) -> tuple[list[Write], list[str]]:
    """What brings each entry back, and the ids of those that somebody has changed since: they are left."""
    heads: dict[str, tuple[str, int]] = {}
    histories: dict[str, list[_Version]] = {}
    for part in chunks([one[0] for one in written]):
        asked = select(KbEntry.id, KbEntry.kind, KbEntry.head).where(KbEntry.id.in_(part))
        heads.update((id_, (kind, head)) for id_, kind, head in session.execute(asked))
        _read_histories(session, part, histories)
    writes, left = [], []
    for id_, before, after in written:
        kind, head = heads[id_]
        if head != after:
            left.append(id_)
            continue
        writes.append(Write(id_, kind, head, _steps(histories[id_], before, now)))
    return writes, left


def _read_histories(session: Session, ids: Sequence[str], histories: dict[str, list[_Version]]) -> None:
    of = KbVersion
    asked = (
        select(of.entry_id, of.number, of.state, of.content, of.publish_at, of.successor)
        .where(of.entry_id.in_(ids))
        .order_by(of.entry_id, of.number)
    )
    for id_, *rest in session.execute(asked):
        histories.setdefault(id_, []).append(_Version(*rest))


def _steps(history: Sequence[_Version], before: int, now: datetime) -> list[tuple[Content, Step]]:
    were = [one for one in history if one.number <= before]
    by_import = [one for one in history if one.number > before]
    if not were:
        return [(by_import[-1].content, Step("retired"))]
    newest = were[-1]
    if not any(one.state in DECIDED for one in by_import):
        return [newest.again(now)]
    counted = next((one for one in reversed(were) if one.counts(now)), None)
    steps = [counted.again(now) if counted else (newest.content, Step("retired"))]
    beside = [one for one in were if one.number > (counted.number if counted else 0)]
    # What was planned is planned again; of drafts only the newest stands for anything.
    return steps + [one.again(now) for one in beside if one.state in DECIDED or one is newest]

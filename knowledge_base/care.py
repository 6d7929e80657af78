"""How fresh the town's entries are: who looks after one, until when it holds, and what wants to be looked at.

The day for the next look is not kept but reckoned: a year after the content was last confirmed, unless somebody chose
another day, which holds until the content is confirmed on that day or later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from knowledge_base import versions
from storage.kb_care import KbCare
from storage.knowledge import KbEntry, KbVersion
from storage.models import Staff

#: What can be confirmed: an entry's newest version, unless it has ended.
KEPT = ("draft", "review", "published")
#: Whose entries are nobody's.
NOBODY = 0


class Planned(Exception):
    """The newest version waits for its time: confirming it now would publish it now."""


@dataclass(frozen=True, slots=True)
class Care:
    """What is known of one entry's care. `due`: None while nobody has confirmed the content or chosen a day."""

    owner: Staff | None = None
    due: date | None = None
    chosen: date | None = None
    version: int = 0


def due_on(checked: date | None, chosen: date | None) -> date | None:
    """When the content wants to be looked at again; None: nobody has confirmed it, nor chosen a day."""
    if chosen and (checked is None or chosen > checked):
        return chosen
    return _year_after(checked) if checked else None


def care_of(session: Session, entry: KbEntry) -> Care:
    """Who looks after an entry, and when it wants to be looked at."""
    return cares(session, [entry])[entry.id]


def cares(session: Session, entries: Sequence[KbEntry]) -> Mapping[str, Care]:
    """The same for many, by their ids. An owner whose account was stopped is none."""
    rows = session.execute(
        select(KbCare, Staff)
        .outerjoin(Staff, and_(Staff.id == KbCare.owner_id, Staff.disabled_at.is_(None)))
        .where(KbCare.entry_id.in_([entry.id for entry in entries]))
    )
    kept = {care.entry_id: (care, owner) for care, owner in rows}
    return {entry.id: _care(entry, *kept.get(entry.id, (None, None))) for entry in entries}


def take_care(
    session: Session, entry: KbEntry, owner_id: int | None, chosen: date | None, staff_id: int, now: datetime
) -> bool:
    """Sets who looks after an entry, and the chosen day. Whether anything changed. The caller has compared versions."""
    row = session.get(KbCare, entry.id)
    if row is None:
        if owner_id is None and chosen is None:
            return False
        session.add(
            KbCare(
                entry_id=entry.id, owner_id=owner_id, review_on=chosen, changed_at=now, changed_by=staff_id, version=1
            )
        )
        return True
    if (row.owner_id, row.review_on) == (owner_id, chosen):
        return False
    row.owner_id, row.review_on, row.changed_at, row.changed_by = owner_id, chosen, now, staff_id
    row.version += 1
    return True


def confirm(session: Session, entry: KbEntry, opened_on: int, staff_id: int, now: datetime, today: date) -> KbVersion:
    """The same content, confirmed today, as a version of the same state: what is published stays published, a draft
    stays a draft. Raises versions.Conflict; Planned; LookupError for what has ended."""
    newest = versions.version(session, entry.id)
    if newest.state not in KEPT:
        raise LookupError(entry.id)
    if newest.publish_at and newest.publish_at > now:
        raise Planned(entry.id)
    content: dict[str, Any] = {**newest.content, "checked": today.isoformat()}
    return versions.add(session, entry.id, opened_on, content, staff_id, now, versions.Step(newest.state))


def owned(staff_id: int) -> Select[KbEntry]:
    """The entries that somebody looks after, those that have ended excepted."""
    return (
        select(KbEntry)
        .join(KbCare, KbCare.entry_id == KbEntry.id)
        .where(KbCare.owner_id == staff_id, KbEntry.state != "retired")
    )


def narrowed(asked: Select[KbEntry], *, owner: int | None = None, due: date | None = None) -> Select[KbEntry]:
    """Of some entries those that somebody looks after (or NOBODY); those whose day has come by `due`."""
    if owner is None and due is None:
        return asked
    asked = asked.outerjoin(KbCare, KbCare.entry_id == KbEntry.id)
    if owner == NOBODY:
        asked = asked.outerjoin(Staff, and_(Staff.id == KbCare.owner_id, Staff.disabled_at.is_(None)))
        asked = asked.where(KbEntry.state != "retired", ownerless())
    elif owner is not None:
        asked = asked.where(KbCare.owner_id == owner)
    return asked.where(overdue(due)) if due else asked


def overdue(today: date) -> ColumnElement[bool]:
    """`due_on(...) <= today` for the database, which must know KbCare beside KbEntry. What has ended is never due."""
    chosen = and_(
        KbCare.review_on.is_not(None), or_(KbEntry.checked_on.is_(None), KbCare.review_on > KbEntry.checked_on)
    )
    usual = and_(
        or_(KbCare.review_on.is_(None), KbCare.review_on <= KbEntry.checked_on), KbEntry.checked_on <= _year_ago(today)
    )
    return and_(KbEntry.state != "retired", or_(and_(chosen, KbCare.review_on <= today), usual))


def ownerless() -> ColumnElement[bool]:
    """Whether nobody looks after an entry; the database must know KbCare and its Staff beside KbEntry."""
    return or_(KbCare.owner_id.is_(None), Staff.id.is_(None))


def with_care(*columns: Any) -> Select[Any]:
    """A selection of entries with KbCare and the Staff whose account is not stopped beside them."""
    return (
        select(*columns)
        .select_from(KbEntry)
        .outerjoin(KbCare, KbCare.entry_id == KbEntry.id)
        .outerjoin(Staff, and_(Staff.id == KbCare.owner_id, Staff.disabled_at.is_(None)))
    )


def published_before(session: Session, moment: datetime) -> set[str]:
    """The ids of the entries that were first published before a moment."""
    first = func.min(func.coalesce(KbVersion.publish_at, KbVersion.at))
    asked = select(KbVersion.entry_id).where(KbVersion.state == "published")
    return set(session.scalars(asked.group_by(KbVersion.entry_id).having(first < moment)))


def _care(entry: KbEntry, row: KbCare | None, owner: Staff | None) -> Care:
    chosen = row.review_on if row else None
    due = None if entry.state == "retired" else due_on(entry.checked_on, chosen)
    return Care(owner, due, chosen, row.version if row else 0)


def _year_after(day: date) -> date:
    # The 29th of February is followed by the 1st of March, as the law counts it.
    leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + 1, 3, 1) if leap_day else day.replace(year=day.year + 1)


def _year_ago(today: date) -> date:
    """The last day whose year is over today."""
    leap_day = (today.month, today.day) == (2, 29)
    return date(today.year - 1, 2, 28) if leap_day else today.replace(year=today.year - 1)

"""The queue: who needs a person first. Danger before waiting time; whoever waits longer is never overtaken.

Pages follow a key, not a number: a page is as fast at the millionth case as at the first, and a case that is claimed
while somebody leafs through moves nobody else. There are four levels of urgency, and within one level the index holds
the cases in the very order of the queue; so a page is at most four short walks along the index.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session, load_only

from handoff.access import cases_of
from handoff.case import LEVELS, Status
from handoff.summary import LONGEST_COMPLAINT, shorten
from storage.models import Case, Delivery, Instant, Message, Staff

#: Counting stops here: beyond it a desk only needs to know that it is many.
COUNTED = 1000
MOST = 200

_OPEN = Case.closed_at.is_(None)
_FREE = _OPEN & Case.claimed_by.is_(None) & Case.following_since.is_(None)
STANDS: dict[Status, ColumnElement[bool]] = {
    "collecting": _FREE & Case.waiting_since.is_(None),
    "waiting": _FREE & Case.waiting_since.is_not(None),
    "claimed": _OPEN & Case.claimed_by.is_not(None),
    "following": _OPEN & Case.claimed_by.is_(None) & Case.following_since.is_not(None),
    "closed": Case.closed_at.is_not(None),
}


class NoCursor(ValueError):
    """What was given as a cursor is none of ours."""


@dataclass(frozen=True)
class Place:
    """A place in the queue: the key of the last case on a page."""

    level: int
    since: datetime
    id: str

    def cursor(self) -> str:
        """Opaque: the next version may write it otherwise."""
        key = json.dumps([self.level, self.since.astimezone(UTC).isoformat(), self.id])
        return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Back from `cursor`. Raises NoCursor."""
        try:
            level, since, id_ = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), "-_", validate=True))
            place = cls(int(level), datetime.fromisoformat(since), str(id_))
        except (TypeError, ValueError):
            raise NoCursor from None
        if place.since.tzinfo is None or not place.id.isalnum() or not 0 <= place.level < len(LEVELS):
            raise NoCursor
        return place


@dataclass(frozen=True)
class Page:
    """Some cases in order, and the cursor of what follows; None at the end."""

    cases: list[Case]
    next: str | None


def page(
    session: Session,
    staff: Staff,
    status: Status | None,
    limit: int,
    cursor: str | None = None,
    *where: ColumnElement[bool],
) -> Page:
    """One page of the queue. Without a status: every open case. Raises NoCursor."""
    after = Place.read(cursor) if cursor else None
    cases = list(_walk(session, staff, status, limit + 1, after, where))
    more = len(cases) > limit
    cases = cases[:limit]
    return Page(cases, _place(cases[-1], status).cursor() if more else None)


def counts(session: Session, staff: Staff) -> dict[Status, int]:
    """How many stand where, counted up to COUNTED; the closed are not counted."""
    return {
        status: session.scalar(
            select(func.count()).select_from(
                # Every level, said so that the index of that status is entered by its first column.
                _ids(staff).where(stands, Case.urgency.in_(range(len(LEVELS)))).limit(COUNTED).subquery()
            )
        ) or 0
        for status, stands in STANDS.items() if status != "closed"
    }  # fmt: skip


def others_waiting(session: Session, conversation_id: str) -> int:
    """How many others wait for a person, counted up to COUNTED: for a resident, who does not count themself."""
    waiting = select(Case.id).where(
        STANDS["waiting"], Case.urgency.in_(range(len(LEVELS))), Case.conversation_id != conversation_id
    )
    return session.scalar(select(func.count()).select_from(waiting.limit(COUNTED).subquery())) or 0


def undelivered(session: Session, cases: list[Case]) -> set[str]:
    """Which of the cases have an answer that could not be delivered."""
    return set(
        session.scalars(
            select(Message.case_id)
            .join(Delivery, Delivery.id == Message.delivery_id)
            .where(Message.case_id.in_([case.id for case in cases]), Delivery.failed_at.is_not(None))
        )
    )


def unread(session: Session, cases: list[Case]) -> set[str]:
    """In which of the cases the resident spoke last: somebody waits for an answer."""
    last = (
        select(func.max(Message.id))
        .where(Message.case_id.in_([case.id for case in cases]), Message.sender != "bot")
        .group_by(Message.case_id)
    )
    return set(session.scalars(select(Message.case_id).where(Message.id.in_(last), Message.sender == "resident")))


def complaints(session: Session, cases: list[Case]) -> dict[str, str]:
    """The trouble in the resident's own words: what was understood, else the first that they wrote."""
    found = {case.id: case.complaint for case in cases}
    first = (
        select(func.min(Message.id))
        .where(Message.case_id.in_([id_ for id_, words in found.items() if not words]))
        .where(Message.sender == "resident", Message.kind == "text", Message.text != "")
        .group_by(Message.case_id)
    )
    for message in session.scalars(select(Message).where(Message.id.in_(first))):
        found[str(message.case_id)] = shorten(message.text, LONGEST_COMPLAINT)
    return found


def holders(session: Session, cases: list[Case]) -> dict[int, str]:
    """The names of who holds the cases."""
    ids = {case.claimed_by for case in cases if case.claimed_by}
    return {staff.id: staff.name or staff.email for staff in session.scalars(select(Staff).where(Staff.id.in_(ids)))}


def _walk(
    session: Session,
    staff: Staff,
    status: Status | None,
    limit: int,
    after: Place | None,
    where: tuple[ColumnElement[bool], ...],
) -> Iterator[Case]:
    stands = STANDS[status] if status else _OPEN
    found = cases_of(staff).where(stands, *where).options(_only_what_is_shown())
    if status == "closed":
        yield from session.scalars(_last_closed_first(found, after).limit(limit))
        return
    for level in range(after.level if after else len(LEVELS) - 1, -1, -1):
        walk = found.where(Case.urgency == level).order_by(_since(status), Case.id)
        if after and after.level == level:
            walk = walk.where(tuple_(_since(status), Case.id) > _key(after))
        cases = session.scalars(walk.limit(limit)).all()
        yield from cases
        limit -= len(cases)
        if limit <= 0:
            return


def _last_closed_first(found: Select[Case], after: Place | None) -> Select[Case]:
    if after:
        found = found.where(tuple_(Case.closed_at, Case.id) < _key(after))
    return found.order_by(Case.closed_at.desc(), Case.id.desc())


def _since(status: Status | None) -> ColumnElement[Any]:
    # Bare for the waiting, so that the index serves; who does not wait yet stands where they began.
    return Case.waiting_since.expression if status == "waiting" else func.coalesce(Case.waiting_since, Case.opened_at)


def _key(place: Place) -> Any:
    return tuple_(literal(place.since, Instant()), literal(place.id))


def _place(case: Case, status: Status | None) -> Place:
    since = case.closed_at if status == "closed" else case.waiting_since or case.opened_at
    assert since
    return Place(case.urgency, since, case.id)


def _ids(staff: Staff) -> Select[str]:
    return cases_of(staff).with_only_columns(Case.id)


def _only_what_is_shown() -> Any:
    return load_only(
        Case.channel, Case.language, Case.opened_at, Case.last_message_at, Case.waiting_since, Case.claimed_by,
        Case.following_since, Case.closed_at, Case.urgency, Case.assessment, Case.complaint,
        raiseload=True,
    )  # fmt: skip

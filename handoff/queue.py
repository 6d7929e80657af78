"""The queue: who needs a person first. Danger before waiting time; whoever waits longer is never overtaken.

Pages follow a key, not a number: a page is as fast at the millionth case as at the first, and a case that is claimed
while somebody leafs through moves nobody else. An index holds the cases in the very order of the queue; so a page is
a short walk along it: of what is left of the level where the last page ended, then of the levels below.

A filter (a field, an area) is a mark of the case (handoff/finding.py). Where few cases have it, those are looked up and
put in order; where many have it, the walk along the index soon meets a page of them. So both stay fast.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    String,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, load_only

from handoff import finding
from handoff.access import cases_of
from handoff.case import LEVELS, Status
from handoff.summary import LONGEST_COMPLAINT, shorten
from storage.models import Case, Conversation, Delivery, Instant, Message, Staff
from storage.support import Area, CaseMark, CaseWords

#: Counting stops here: beyond it a desk only needs to know that it is many.
COUNTED = 500
MOST = 200
#: So many cases are looked up and put in order; where more have a mark, they are met on the walk.
FEW = 4000
#: A search shows the newest so many finds.
MOST_FOUND = 200
#: Of the newest dangers a browser is told, so that it can sound once for each.
DANGERS_TOLD = 20
DANGER = LEVELS.index("urgent")
MOST_AREAS = 300

_OPEN = Case.closed_at.is_(None)
_FREE = _OPEN & Case.claimed_by.is_(None) & Case.following_since.is_(None)
STANDS: dict[Status, ColumnElement[bool]] = {
    "collecting": _FREE & Case.waiting_since.is_(None),
    "waiting": _FREE & Case.waiting_since.is_not(None),
    "claimed": _OPEN & Case.claimed_by.is_not(None),
    "following": _OPEN & Case.claimed_by.is_(None) & Case.following_since.is_not(None),
    "closed": Case.closed_at.is_not(None),
}
#: Said so that the index of a status is entered by its first column.
_EVERY_LEVEL = Case.urgency < len(LEVELS)
_SHOWN = load_only(
    Case.channel, Case.language, Case.opened_at, Case.last_message_at, Case.waiting_since, Case.claimed_by,
    Case.following_since, Case.closed_at, Case.urgency, Case.assessment, Case.corrected, Case.complaint,
    Case.responsible_id, Case.desk_id,
    raiseload=True,
)  # fmt: skip


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
    marks: Sequence[str] = (),
) -> Page:
    """One page of the queue, of the cases that have all the marks; without a status every open one. Raises NoCursor."""
    after = Place.read(cursor) if cursor else None
    few = next((mark for mark in marks if _is_rare(session, mark)), None)
    found = cases_of(staff).where(STANDS[status] if status else _OPEN, *where, *map(_marked, marks))
    if few is None:
        cases = _walk(session, found, status, limit + 1, after)
    else:
        cases = _look_up(session, found.where(_among(few)), status, limit + 1, after)
    more = len(cases) > limit
    cases = cases[:limit]
    return Page(cases, _place(cases[-1], status).cursor() if more else None)


def my_page(session: Session, staff: Staff, limit: int, cursor: str | None = None, marks: Sequence[str] = ()) -> Page:
    """One page of somebody's own cases, which are few. Raises NoCursor."""
    after = Place.read(cursor) if cursor else None
    found = cases_of(staff).where(mine(staff), *map(_marked, marks))
    cases = _look_up(session, found, None, limit + 1, after)
    return Page(cases[:limit], _place(cases[limit - 1], None).cursor() if len(cases) > limit else None)


def mine(staff: Staff) -> ColumnElement[bool]:
    """What somebody holds, and what they are responsible for."""
    return or_(
        # Every level, said so that the index of the claimed is entered by its first column.
        Case.urgency.in_(range(len(LEVELS))) & (Case.claimed_by == staff.id) & _OPEN,
        (Case.responsible_id == staff.id) & _OPEN,
    )


@dataclass(frozen=True)
class Found:
    """What a search found: open cases in the queue's order, closed ones with the last first; whether there is more."""

    open: list[Case]
    closed: list[Case]
    more: bool


def search(session: Session, staff: Staff, terms: Sequence[str]) -> Found:
    """The cases whose resident's words or client's name hold every term (handoff/finding.py makes them)."""
    if not terms:
        return Found([], [], more=False)
    longest, *rest = sorted(terms, key=len, reverse=True)
    asked = cases_of(staff).join(CaseWords, CaseWords.case_id == Case.id).with_only_columns(Case.id)
    asked = finding.newest_with(session, asked, longest).where(*map(finding.also_holds, rest))
    rows = session.scalars(asked.limit(MOST_FOUND + 1)).all()
    ids = set(rows[:MOST_FOUND])
    cases = session.scalars(select(Case).where(Case.id.in_(ids)).options(_SHOWN)).all()
    waiting = sorted((case for case in cases if case.closed_at is None), key=lambda case: _order(case, None))
    closed = sorted((case for case in cases if case.closed_at), key=lambda case: _order(case, "closed"))
    return Found(waiting, closed, more=len(rows) > MOST_FOUND)


def dangers(session: Session, staff: Staff) -> list[str]:
    """The cases in danger whom nobody has yet, the newest first, so that a browser can tell which are new to it."""
    found: list[str] = []
    for level in range(len(LEVELS) - 1, DANGER - 1, -1):
        walk = _ids(staff).where(STANDS["waiting"], Case.urgency == level)
        found += session.scalars(walk.order_by(Case.waiting_since.desc(), Case.id.desc()).limit(DANGERS_TOLD))
    return found


def areas(session: Session) -> list[Area]:
    """The areas that cases come from, by name."""
    there = select(CaseMark.case_id).where(CaseMark.mark == literal("area:") + cast(Area.id, String)).exists()
    return list(session.scalars(select(Area).where(there).order_by(Area.name).limit(MOST_AREAS)))


def counts(session: Session, staff: Staff) -> dict[Status, int]:
    """How many stand where, counted up to COUNTED; the closed are not counted."""
    told = [status for status in STANDS if status != "closed"]
    # Along the index, said so that PostgreSQL stops where counting does, and does not gather all of them first.
    ids = _ids(staff).where(_EVERY_LEVEL).order_by(Case.urgency.desc())
    of_each = [ids.where(STANDS[status]).limit(COUNTED).subquery() for status in told]
    counted = session.execute(select(*(select(func.count()).select_from(one).scalar_subquery() for one in of_each)))
    return dict(zip(told, counted.one(), strict=True))


def others_waiting(session: Session, conversation_id: str) -> int:
    """How many others wait for a person, counted up to COUNTED: for a resident, who does not count themself."""
    waiting = select(Case.id).where(STANDS["waiting"], _EVERY_LEVEL, Case.conversation_id != conversation_id)
    return session.scalar(select(func.count()).select_from(waiting.limit(COUNTED).subquery())) or 0


def undelivered(session: Session, cases: list[Case]) -> set[str | None]:
    """Which of the cases have an answer that could not be delivered."""
    return set(session.scalars(_UNDELIVERED, {"ids": [case.id for case in cases]}))


def _undelivered(ids: Any) -> Select[str | None]:
    return (
        select(Message.case_id)
        .join(Delivery, Delivery.id == Message.delivery_id)
        .where(Message.case_id.in_(ids))
        .group_by(Message.case_id)
        # One that arrived later has made up for it.
        .having(
            func.max(Message.id).filter(Delivery.failed_at.is_not(None))
            > func.coalesce(func.max(Message.id).filter(Delivery.sent_at.is_not(None)), 0)
        )
    )


#: Put together once: for a hundred cases that takes longer than asking the database.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_UNDELIVERED = _undelivered(_IDS)
_SPOKE_LAST = (
    select(func.max(Message.id)).where(Message.case_id.in_(_IDS), Message.sender != "bot").group_by(Message.case_id)
)
_UNREAD = select(Message.case_id).where(Message.id.in_(_SPOKE_LAST), Message.sender == "resident")


def unreached(session: Session, staff: Staff) -> int:
    """How many of somebody's cases have an answer that did not arrive, or a resident who has blocked us."""
    own = _ids(staff).where(mine(staff)).limit(MOST)
    blocked = session.scalars(
        select(Case.id)
        .join(Conversation, Conversation.id == Case.conversation_id)
        .where(Case.id.in_(own), Conversation.blocked_at.is_not(None))
    )
    return len(set(session.scalars(_undelivered(own))) | set(blocked))


def unread(session: Session, cases: list[Case]) -> set[str]:
    """In which of the cases the resident spoke last: somebody waits for an answer."""
    return set(session.scalars(_UNREAD, {"ids": [case.id for case in cases]}))


def complaints(session: Session, cases: list[Case]) -> dict[str, str]:
    """The trouble in the resident's own words: what was understood, else the first that they wrote."""
    found = {case.id: case.complaint for case in cases}
    if all(found.values()):
        return found
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
    """The names of who holds the cases, and of whose they are."""
    ids = {id_ for case in cases for id_ in (case.claimed_by, case.responsible_id) if id_}
    if not ids:
        return {}
    return {staff.id: staff.called for staff in session.scalars(select(Staff).where(Staff.id.in_(ids)))}


def _walk(session: Session, found: Select[Case], status: Status | None, limit: int, after: Place | None) -> list[Case]:
    cases: list[Case] = []
    for part in _parts(found.options(_SHOWN), status, after):
        if len(cases) < limit:
            cases += session.scalars(part.limit(limit - len(cases)))
    return cases


def _parts(found: Select[Case], status: Status | None, after: Place | None) -> Iterator[Select[Case]]:
    """What follows a place, in order, each part one stretch of an index."""
    if status == "closed":
        yield _last_closed_first(found, after)
        return
    found = found.order_by(Case.urgency.desc(), _since(status), Case.id)
    if after:
        yield found.where(Case.urgency == after.level, tuple_(_since(status), Case.id) > _key(after))
    yield found.where(Case.urgency < after.level if after else _EVERY_LEVEL)


def _look_up(
    session: Session, found: Select[Case], status: Status | None, limit: int, after: Place | None
) -> list[Case]:
    """The same page of few cases: read all of their keys, put them in order, and read what is shown of the page."""
    keys = found.with_only_columns(
        Case.id, Case.urgency, Case.waiting_since, Case.opened_at, Case.closed_at, Case.following_since
    )
    places = sorted((_place(row, status) for row in session.execute(keys)), key=lambda place: _order_of(place, status))
    if after:
        places = [place for place in places if _order_of(place, status) > _order_of(after, status)]
    ids = [place.id for place in places[:limit]]
    shown = select(Case).where(Case.id.in_(ids)).options(_SHOWN)
    cases = {case.id: case for case in session.scalars(shown)}
    return [cases[id_] for id_ in ids if id_ in cases]


def _is_rare(session: Session, mark: str) -> bool:
    met = select(CaseMark.case_id).where(CaseMark.mark == mark).limit(FEW + 1).subquery()
    return (session.scalar(select(func.count()).select_from(met)) or 0) <= FEW


def _marked(mark: str) -> ColumnElement[bool]:
    return select(CaseMark.mark).where(CaseMark.mark == mark, CaseMark.case_id == Case.id).exists()


def _among(mark: str) -> ColumnElement[bool]:
    return Case.id.in_(select(CaseMark.case_id).where(CaseMark.mark == mark))


def _order(case: Case, status: Status | None) -> tuple[Any, ...]:
    return _order_of(_place(case, status), status)


def _order_of(place: Place, status: Status | None) -> tuple[Any, ...]:
    if status == "closed":
        return -place.since.timestamp(), [-ord(letter) for letter in place.id]
    return -place.level, place.since, place.id


def _last_closed_first(found: Select[Case], after: Place | None) -> Select[Case]:
    if after:
        found = found.where(tuple_(Case.closed_at, Case.id) < _key(after))
    return found.order_by(Case.closed_at.desc(), Case.id.desc())


def _since(status: Status | None) -> ColumnElement[Any]:
    # Bare where an index has that order; who does not wait yet stands where they began.
    if status == "waiting":
        return Case.waiting_since.expression
    if status == "collecting":
        return Case.opened_at.expression
    if status == "following":
        return Case.following_since.expression
    return func.coalesce(Case.waiting_since, Case.opened_at)


def _key(place: Place) -> Any:
    return tuple_(literal(place.since, Instant()), literal(place.id))


def _place(case: Case | Row[*tuple[Any, ...]], status: Status | None) -> Place:
    own = {"closed": case.closed_at, "following": case.following_since}
    since = own.get(status or "") or case.waiting_since or case.opened_at
    assert since
    return Place(case.urgency, since, case.id)


def _ids(staff: Staff) -> Select[str]:
    return cases_of(staff).with_only_columns(Case.id)

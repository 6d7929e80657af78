"""What an admin has to do for the knowledge base, found by looking: nothing of it is kept.

Of residents there are only numbers here: which services some case has found, and how many examples wait.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select
from sqlalchemy.orm import Session

from handoff import findings
from handoff.counting import Scope, listed, nobody
from handoff.moments import whole_day
from handoff.period import Period
from handoff.tongue import say
from knowledge_base import care, helplines, live
from knowledge_base.entries import entries
from knowledge_base.vocabulary import Hotline, vocabulary
from storage.clock import JAPAN
from storage.kb_care import KbCare
from storage.knowledge import KbEntry
from storage.models import Case
from storage.support import Correction

#: How many of a kind are named; the list has them all.
NAMED = 10
#: Content that nobody has confirmed for so long is named, the longest first.
LONG = timedelta(days=183)
#: Whoever was published longer than this, and was found in no case of that time, may be worded as nobody speaks.
PUBLISHED, LOOKED_BACK = timedelta(days=90), timedelta(days=180)


@dataclass(frozen=True)
class Found:
    """Entries of one kind of task: how many there are, and the first of them with a note each."""

    total: int = 0
    entries: Sequence[KbEntry] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tasks:
    """Everything that there is to do."""

    overdue: Found = Found()
    review: Found = Found()
    incomplete: Found = Found()
    unchecked: Found = Found()
    ownerless: Found = Found()
    unfound: Found = Found()
    #: Helplines that are shown and were not dialled for 180 days; and those that the town has never dialled.
    to_dial: Sequence[Hotline] = ()
    undialled: int = 0
    offered: int = 0
    national: int = 0


def gather(session: Session, now: datetime, most: int = NAMED) -> Tasks:
    """All of it. `most`: how many of each kind are named."""
    today = now.astimezone(JAPAN).date()
    last = helplines.dialled(session)
    shown = helplines.shown_lines(now, helplines.to_come(session, now))
    return Tasks(
        overdue=overdue(session, today, most=most),
        review=_some(session, KbEntry.state == "review", KbEntry.changed_at, most),
        incomplete=_incomplete(session, most),
        unchecked=_unchecked(session, today, most),
        ownerless=_some(session, (KbEntry.state != "retired") & care.ownerless(), KbEntry.name, most),
        unfound=_unfound(session, now, most),
        to_dial=[line for line in shown if helplines.due_again(line, last) <= today],
        undialled=sum(line.id not in last for line in shown),
        offered=_offered(session),
        national=sum(1 for id_ in vocabulary().services if not (known := entries().get(id_)) or not known.checked),
    )


def overdue(session: Session, today: date, owner: int | None = None, most: int = NAMED) -> Found:
    """The entries whose day has come, all or those that somebody looks after, the longest unconfirmed first."""
    due = care.overdue(today)
    due = due & (KbCare.owner_id == owner) if owner else due
    found = _some(session, due, KbEntry.checked_on.asc().nulls_first(), most)
    known = care.cares(session, found.entries)
    return Found(found.total, found.entries, {id_: whole_day(one.due) for id_, one in known.items() if one.due})


def lately(session: Session, now: datetime) -> Scope:
    """The cases of the last months, whosever they are: to count, never to show."""
    today = now.astimezone(JAPAN).date()
    return Scope(session, nobody(), Period(today - LOOKED_BACK, today), now)


def _unchecked(session: Session, today: date, most: int) -> Found:
    long = KbEntry.checked_on.is_(None) | (KbEntry.checked_on <= today - LONG)
    long = long & ~func.coalesce(care.overdue(today), false())  # those stand in a list of their own
    found = _some(session, (KbEntry.state != "retired") & long, KbEntry.checked_on.asc().nulls_first(), most)
    notes = {
        one.id: say("{day}から", day=whole_day(one.checked_on)) if one.checked_on else say("一度も確かめていません")
        for one in found.entries
    }
    return Found(found.total, found.entries, notes)


def _incomplete(session: Session, most: int) -> Found:
    """What is published and leads nowhere, or not by telephone."""
    lacks = {one.id: lack for one in live.now().entries.values() if (lack := _lacks(one))}
    worst = ("連絡先", "電話")
    order = sorted(lacks, key=lambda id_: (worst.index(lacks[id_]), live.now().entries[id_].content["name"]))
    says = {
        "連絡先": say("窓口もホームページもありません"),
        "電話": say("電話がありません"),
    }
    return _named(session, order, lambda one: says[lacks[one.id]], most)


def _lacks(one: live.Live) -> str:
    if one.kind == "service":
        return "" if one.content.get("web") or live.now().desks(one.id) else "連絡先"
    return "" if one.content.get("phone") else "電話"


def _unfound(session: Session, now: datetime, most: int) -> Found:
    """What was published for months, and that no case has found: whether as a service, or as a desk of one."""
    old = care.published_before(session, now - PUBLISHED)
    if not old:
        return Found()
    services, counts = _found_services(session, now), live.now()
    reached = services | {desk.id for service in services for desk in counts.desks(service)}
    left = [one for one in counts.entries.values() if one.id in old and one.id not in reached]
    order = sorted(left, key=lambda one: str(one.content["name"]))
    return _named(session, [one.id for one in order], lambda _one: "", most)


def _found_services(session: Session, now: datetime) -> set[str]:
    """The services of every case that began in the last months, as they stand after corrections. Which case is not
    asked."""
    scope = lately(session, now)
    plain = scope.opened().where(~scope.corrected()).with_only_columns(scope.ids("services")).distinct()
    found = {id_ for ids in session.scalars(plain) for id_ in listed(ids)}
    mended = scope.opened().where(scope.corrected()).with_only_columns(Case.assessment, Case.corrected)
    for case in session.execute(mended):
        found.update(findings.services_of(case))
    return found


def _offered(session: Session) -> int:
    waits = select(func.count()).where(Correction.example.is_not(None), Correction.example_state.is_(None))
    return session.scalar(waits) or 0


def _some(session: Session, which: ColumnElement[bool], order: ColumnElement[Any] | Any, most: int) -> Found:
    asked: Select[KbEntry] = care.with_care(KbEntry).where(which)
    total = session.scalar(care.with_care(func.count()).where(which)) or 0
    first = asked.order_by(order, KbEntry.name, KbEntry.id).limit(most)
    return Found(total, session.scalars(first).all() if total else ())


def _named(session: Session, ids: Sequence[str], note: Callable[[KbEntry], str], most: int) -> Found:
    rows = {one.id: one for one in session.scalars(select(KbEntry).where(KbEntry.id.in_(ids[:most])))}
    first = [rows[id_] for id_ in ids[:most] if id_ in rows]
    return Found(len(ids), first, {one.id: note(one) for one in first})

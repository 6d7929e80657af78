"""When a person is likely to read: the desk's hours, and how long the last ones waited until somebody took them.

Nobody is promised a time. What is said is what was usual of late, counted in the hours in which the desk is open, so
that a night or a weekend neither makes the desk look slow nor the answer near.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from holidays import country_holidays
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from handoff.case import LEVELS
from handoff.queue import STANDS
from storage.clock import JAPAN
from storage.models import Case, CaseEvent

#: The last so many cases of the last so many days; with fewer than FEWEST nothing is said about waiting.
LAST, FEWEST = 50, 5
LOOK_BACK = timedelta(days=30)
#: Three of four waited no longer than what is said.
USUAL = 0.75
#: From this level on a case goes before all others, so that its waiting tells nothing about theirs.
URGENT = LEVELS.index("urgent")
#: A time is said to the half hour; more would be a promise.
GRAIN = timedelta(minutes=30)
WORKING_DAYS = 5
#: Around new year every town's offices are shut, though only the first of January is a holiday by law.
NEW_YEAR = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
HOLIDAYS = country_holidays("JP")


@dataclass(frozen=True)
class Hours:
    """When the desk is open, in Japan's time: Monday to Friday, but for public holidays and the turn of the year."""

    opens: timedelta
    shuts: timedelta

    @classmethod
    def read(cls, opens: str, shuts: str) -> "Hours":
        """From two clock times as the settings have them."""
        return cls(_clock_time(opens), _clock_time(shuts))

    def next_opening(self, now: datetime) -> datetime | None:
        """When the desk opens next; None while it is open."""
        here = now.astimezone(JAPAN)
        midnight = _midnight(here)
        if _works(here) and midnight + self.opens <= here < midnight + self.shuts:
            return None
        day = midnight if here < midnight + self.opens else midnight + timedelta(days=1)
        while not _works(day):
            day += timedelta(days=1)
        return day + self.opens

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How long the desk was open between the two."""
        open_for, day = timedelta(), _midnight(start.astimezone(JAPAN))
        while day < end:
            if _works(day):
                open_for += max(timedelta(), min(end, day + self.shuts) - max(start, day + self.opens))
            day += timedelta(days=1)
        return open_for

    def after(self, now: datetime, wait: timedelta) -> datetime:
        """The moment at which the desk will have been open for `wait`, up to the next half hour."""
        here = (self.next_opening(now) or now).astimezone(JAPAN)
        while here + wait > _midnight(here) + self.shuts:
            wait -= _midnight(here) + self.shuts - here
            here = self.next_opening(_midnight(here) + self.shuts) or here
        into_the_day = here + wait - _midnight(here)
        moment = _midnight(here) + -(-into_the_day // GRAIN) * GRAIN
        return moment if moment < _midnight(here) + self.shuts else self.next_opening(moment) or moment


def likely_reading(session: Session, now: datetime, hours: Hours, *, urgent: bool) -> datetime | None:
    """About when somebody will read what is written now, going by the last weeks; None where too few have waited.

    Costs a few short walks along indexes; it is asked only when a talk ends.
    """
    levels = range(URGENT, len(LEVELS)) if urgent else range(URGENT)
    waits = [hours.between(since, taken) for since, taken in _taken(session, now - LOOK_BACK, levels)]
    if len(waits) < FEWEST:
        return None
    usual = _usual(waits)
    # Who waits longer already than is usual shows that it has become slower.
    waits += [wait for since in _still_waiting(session, levels) if (wait := hours.between(since, now)) > usual]
    return hours.after(now, _usual(waits))


def _usual(waits: Iterable[timedelta]) -> timedelta:
    ordered = sorted(waits)
    return ordered[min(int(len(ordered) * USUAL), len(ordered) - 1)]


def _taken(session: Session, not_before: datetime, levels: range) -> list[tuple[datetime, datetime]]:
    """Since when the last cases waited, and when a person first took them."""
    ids = [id_ for found in _last_cases(not_before, levels) for id_ in session.scalars(found)]
    first = func.min(CaseEvent.at)
    rows = session.execute(
        select(Case.waiting_since, first)
        .join(CaseEvent, CaseEvent.case_id == Case.id)
        .where(Case.id.in_(ids), CaseEvent.kind == "claimed", Case.waiting_since >= not_before)
        .group_by(Case.id, Case.waiting_since)
        .order_by(first.desc())
        .limit(LAST)
    )
    return [(since, taken) for since, taken in rows if since and taken >= since]


def _last_cases(not_before: datetime, levels: range) -> Iterator[Select[str]]:
    """The newest of those that are closed, held and followed; each along its own index, level by level."""
    ids = select(Case.id).limit(LAST)
    closed = ids.where(Case.closed_at >= not_before, Case.urgency.in_(levels))
    yield closed.order_by(Case.closed_at.desc(), Case.id.desc())
    for level in levels:
        mine = ids.where(Case.closed_at.is_(None), Case.urgency == level)
        yield mine.where(Case.claimed_by.is_not(None))
        yield mine.where(Case.following_since.is_not(None)).order_by(Case.following_since.desc())


def _still_waiting(session: Session, levels: range) -> Iterator[datetime]:
    for level in levels:
        oldest = select(Case.waiting_since).where(STANDS["waiting"], Case.urgency == level)
        yield from filter(None, session.scalars(oldest.order_by(Case.waiting_since, Case.id).limit(LAST)))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _works(day: datetime) -> bool:
    return day.weekday() < WORKING_DAYS and (day.month, day.day) not in NEW_YEAR and day.date() not in HOLIDAYS


def _clock_time(written: str) -> timedelta:
    hours, minutes = written.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))

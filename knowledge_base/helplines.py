"""Helplines over time: in which periods a line answers that is there only at times, and who dialled which line when.

The periods are held in every process and renewed within a second, so that a turn reads no table for them. Whatever
goes wrong with them, what was held goes on; at the start that is nothing, and such a line is not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from knowledge_base.vocabulary import Hotline, vocabulary
from storage.bells import Bells, in_time
from storage.clock import Clock
from storage.database import Database, unavailable
from storage.kb_care import LineDial, LinePeriod

#: Shown only in a period that an admin has entered: the state announces when it answers.
BY_PERIOD = frozenset({"kodoku_9999"})
#: Rung after a period was entered or taken back.
BELL = "hotlines"
LOOK_EVERY_S = 1.0
#: A line that is shown is dialled again after so long.
DIAL_AGAIN = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Period:
    """From when until when a line answers; the end is no more in it."""

    line: str
    begins: datetime
    ends: datetime

    def holds(self, now: datetime) -> bool:
        """Whether it answers at `now`."""
        return self.begins <= now < self.ends


_now: tuple[Period, ...] = ()


def now() -> tuple[Period, ...]:
    """The periods that this process knows, those to come too."""
    return _now


def hold(periods: tuple[Period, ...]) -> None:
    """Puts what this process knows, whole."""
    global _now  # one town, one list: every turn asks for it
    _now = periods


class Keeper:
    """Renews the periods, as long as the process runs."""

    def __init__(self, database: Database, bells: Bells, clock: Clock) -> None:
        self._database, self._bells, self._clock = database, bells, clock
        hold(())

    async def run(self) -> None:
        """For ever."""
        while True:
            with self._bells.listening(BELL) as rung:
                await self.renew()
                await in_time(rung, LOOK_EVERY_S)

    async def renew(self) -> None:
        """Reads what holds now or will."""
        moment = self._clock.now()
        try:
            hold(await self._database.read(lambda session: to_come(session, moment)))
        except DBAPIError as error:
            if not unavailable(error):
                raise


def never_shown(line: Hotline) -> bool:
    """Whether a line is shown to nobody, whatever they write: nobody has confirmed its number."""
    return not line.number_checked


def shown_lines(moment: datetime, periods: Sequence[Period]) -> list[Hotline]:
    """The lines that residents may be shown: now, or in a period to come."""
    answering = {period.line for period in periods if period.ends > moment}
    return [
        line
        for line in vocabulary().hotlines.values()
        if not never_shown(line) and (line.id not in BY_PERIOD or line.id in answering)
    ]


def dialled(session: Session) -> Mapping[str, date]:
    """When each line was last dialled by the town; those that nobody has dialled are not there."""
    found: dict[str, date] = {}
    for line, day in session.execute(select(LineDial.line, LineDial.dialled_on).where(LineDial.withdrawn_at.is_(None))):
        found[line] = max(day, found.get(line, day))
    return found


def due_again(line: Hotline, last: Mapping[str, date]) -> date:
    """When a line wants to be dialled again: 180 days after the town dialled it, or after it was last looked up."""
    return last.get(line.id, line.looked_at) + DIAL_AGAIN


def entered(session: Session, lines: Collection[str] = BY_PERIOD) -> Sequence[LinePeriod]:
    """Every period that was entered and not taken back, the newest first."""
    asked = select(LinePeriod).where(LinePeriod.line.in_(lines), LinePeriod.withdrawn_at.is_(None))
    return session.scalars(asked.order_by(LinePeriod.begins.desc(), LinePeriod.id)).all()


def to_come(session: Session, moment: datetime) -> tuple[Period, ...]:
    """The periods that hold at a moment, or will."""
    asked = select(LinePeriod.line, LinePeriod.begins, LinePeriod.ends)
    holds = asked.where(LinePeriod.withdrawn_at.is_(None), LinePeriod.ends > moment)
    return tuple(Period(*row) for row in session.execute(holds.order_by(LinePeriod.begins)))

"""How anything leaves the house, a notice as a weekly letter: its row is claimed under a lease, it is sent outside the
transaction, and what fails is tried again with growing pauses. A row that is done says how it ended.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from handoff.notice_targets import NoticeError, Send, Word
from storage.clock import Clock
from storage.database import Database, unavailable
from storage.logs import where
from storage.support import Outgoing

MOST = 20
LEASE = timedelta(seconds=60)
#: Pauses before the tries that follow: over a day in all; then staff must look after it.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (0.5, 1, 2, 5, 15, 30, 60, 120, 240, 480, 720))

C = TypeVar("C")
R = TypeVar("R", bound=Outgoing)

log = structlog.get_logger()


@dataclass(frozen=True)
class Claimed:
    """A row that this process is sending. Without a word there is nothing to tell any more."""

    id: int
    target: str
    word: Word | None


class Sending:
    """One look and what it sends, for one table of what goes out."""

    def __init__(self, table: type[Outgoing], targets: Mapping[str, Send], database: Database, clock: Clock) -> None:
        self._table, self._targets, self._database, self._clock = table, targets, database, clock

    async def round(
        self,
        anything: Callable[[Session, datetime], bool],
        claim: Callable[[Session, datetime], Sequence[C]],
        word: Callable[[Session, Sequence[C], datetime], Sequence[Claimed]],
    ) -> None:
        """Looks whether there is anything, claims it, words it, sends it. What is left of a crowd is found by the
        next look. Worded outside the write: counting may look at much, and residents' messages must not wait for it."""
        now = self._clock.now()
        try:
            if not await self._database.read(lambda session: anything(session, now)):
                return
            claimed = await self._database.write(lambda session: claim(session, now))
            worded = await self._database.read(lambda session: word(session, claimed, now)) if claimed else ()
        except DBAPIError as error:
            if not unavailable(error):
                raise
            return
        await asyncio.gather(*(self._send(one) for one in worded))

    async def _send(self, one: Claimed) -> None:
        try:
            if one.word:
                await self._targets[one.target](one.word)
        except NoticeError as error:
            log.warning(
                "notice.failed", kind=one.word.kind if one.word else "", target=one.target, notice=one.id,
                retryable=error.retryable,
            )  # fmt: skip
            failure, now = error, self._clock.now()
            await self._write(one.id, lambda row: _failed(row, failure, now))
            return
        now = self._clock.now()
        await self._write(one.id, lambda row: _sent(row, now if one.word else None, now))

    async def _write(self, id_: int, change: Callable[[Outgoing], None]) -> None:
        try:
            await self._database.write(lambda session: change(session.get_one(self._table, id_, with_for_update=True)))
        except DBAPIError as error:  # the lease runs out, and it is sent once more: better than not at all
            log.error("notice.not_written", error=where(error))


def is_due(table: type[Outgoing], now: datetime) -> ColumnElement[bool]:
    """Waits for its sending, and nobody is at it."""
    free = or_(table.lease_until.is_(None), table.lease_until <= now)
    return and_(table.done_at.is_(None), table.next_at <= now, free)


def due(session: Session, table: type[R], now: datetime, *those: ColumnElement[bool], first: Any = None) -> Sequence[R]:
    """Rows to claim, held until the commit: other processes pass over them. `first` goes before the order of ids."""
    asked = select(table).where(is_due(table, now), *those)
    ordered = asked.order_by(table.id) if first is None else asked.order_by(first, table.id)
    return session.scalars(ordered.limit(MOST).with_for_update(skip_locked=True)).all()


def claim(row: Outgoing, now: datetime) -> None:
    """This process tries it now."""
    row.attempts += 1
    row.lease_until = now + LEASE


def drop(row: Outgoing, now: datetime) -> None:
    """It is not sent any more."""
    row.done_at, row.lease_until = now, None


def _sent(row: Outgoing, sent_at: datetime | None, now: datetime) -> None:
    row.sent_at, row.done_at, row.lease_until, row.error = sent_at, now, None, None


def _failed(row: Outgoing, error: NoticeError, now: datetime) -> None:
    row.error, row.lease_until = str(error), None
    if error.retryable and row.attempts <= len(PAUSES):
        row.next_at = now + PAUSES[row.attempts - 1]
    else:
        row.done_at = now

"""Notices that leave the house: danger that nobody has taken on, and cases that wait too long.

Found by looking, not told by the turn: whatever puts a case into danger, the next look sees it, also after a crash. A
row in `outgoing_notices` is one notice to one target; being unique, it says that it was told. How it is sent stands in
handoff/sending.py.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from handoff import sending
from handoff.access import DANGER
from handoff.case import LEVELS
from handoff.notice_targets import NoticeError, Send, Word, targets
from handoff.sending import MOST, Claimed, Sending
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database, insert_new
from storage.models import Case
from storage.settings import Settings
from storage.support import OutgoingNotice

LOOK_EVERY_S = 5.0
#: Bells that ring within this time are one look.
GATHER_S = 0.2
#: Whoever has waited longer than a day beyond the limit was told of, or waited before there was anybody to tell.
TOLD_WITHIN = timedelta(days=1)

_FREE = Case.closed_at.is_(None) & Case.claimed_by.is_(None) & Case.following_since.is_(None)


class Notices:
    """Looks, claims and sends, as long as the service runs. Without a target there is nothing to do."""

    def __init__(self, settings: Settings, database: Database, bells: Bells, clock: Clock) -> None:
        self._settings, self._bells = settings, bells
        self._targets = targets(settings)
        self._sending = Sending(OutgoingNotice, self._targets, database, clock)
        self._limit = timedelta(minutes=settings.notice_waiting_minutes)

    async def run(self) -> None:
        """For ever."""
        while self._targets:
            await self.round()
            if await self._bells.wait(bell.QUEUE, LOOK_EVERY_S):
                await asyncio.sleep(GATHER_S)

    async def round(self) -> None:
        """One look, and the sending of what it found."""
        await self._sending.round(self._anything, self._claim, lambda _session, claimed, _now: claimed)

    def _anything(self, session: Session, now: datetime) -> bool:
        left = select(OutgoingNotice.id).where(sending.is_due(OutgoingNotice, now), self._to_us())
        if session.scalars(left.limit(1)).first():
            return True
        return any(
            session.scalars(_untold(kind, found, target).limit(1)).first()
            for target in self._targets
            for kind, found in self._found(now)
        )

    def _claim(self, session: Session, now: datetime) -> list[Claimed]:
        for target in self._targets:
            for kind, found in self._found(now):
                _tell(session, kind, target, session.scalars(_untold(kind, found, target).limit(MOST)).all(), now)
        rows = sending.due(session, OutgoingNotice, now, self._to_us(), first=OutgoingNotice.kind)  # danger first
        return [claimed for row in rows if (claimed := self._claim_one(session, row, now))]

    def _claim_one(self, session: Session, row: OutgoingNotice, now: datetime) -> Claimed | None:
        case = session.get_one(Case, row.case_id)
        if case.closed_at or case.claimed_by:
            # Somebody has it. What nobody was told of is forgotten, so that it is told if it comes to wait again.
            if row.attempts == 0:
                session.delete(row)
            else:
                sending.drop(row, now)
            return None
        sending.claim(row, now)
        minutes = int((now - (case.waiting_since or case.opened_at)).total_seconds() // 60)
        url = f"{self._settings.address}/staff/cases/{case.id}"
        word = Word(f"notice-{row.id}-{case.id[:8]}", row.kind, case.id, LEVELS[case.urgency], minutes, url, now)
        return Claimed(row.id, row.target, word)

    def _found(self, now: datetime) -> tuple[tuple[str, ColumnElement[bool]], ...]:
        # Each is a walk along an index of what is open and free; the levels are named so that it is entered by its
        # first column.
        dangers, all_levels = range(DANGER, len(LEVELS)), range(len(LEVELS))
        too_long = (Case.waiting_since < now - self._limit) & (Case.waiting_since > now - self._limit - TOLD_WITHIN)
        return (
            ("danger", _FREE & Case.waiting_since.is_not(None) & Case.urgency.in_(dangers)),
            ("danger", _FREE & Case.waiting_since.is_(None) & Case.urgency.in_(dangers)),
            ("waiting", _FREE & Case.waiting_since.is_not(None) & Case.urgency.in_(all_levels) & too_long),
        )

    def _to_us(self) -> ColumnElement[bool]:
        return OutgoingNotice.target.in_(list(self._targets))


def _untold(kind: str, found: ColumnElement[bool], target: str):  # type: ignore[no-untyped-def]
    told = exists().where(
        OutgoingNotice.target == target, OutgoingNotice.kind == kind, OutgoingNotice.case_id == Case.id
    )
    return select(Case.id).where(found, ~told)


def _tell(session: Session, kind: str, target: str, case_ids: Sequence[str], now: datetime) -> None:
    # Another process may have found the same: the row that stands already is left as it is.
    insert = insert_new(session.get_bind().dialect.name, OutgoingNotice)
    for case_id in case_ids:
        session.execute(
            insert,
            {"kind": kind, "target": target, "case_id": case_id, "created_at": now, "next_at": now, "attempts": 0},
        )


def failures(session: Session) -> list[OutgoingNotice]:
    """The newest that failed for good or wait for another try."""
    return list(
        session.scalars(
            select(OutgoingNotice)
            .where(OutgoingNotice.error.is_not(None), OutgoingNotice.sent_at.is_(None))
            .order_by(OutgoingNotice.id.desc())
            .limit(20)
        )
    )


def last_sent(session: Session) -> dict[str, datetime]:
    """When each target last took a notice."""
    rows = session.execute(
        select(OutgoingNotice.target, func.max(OutgoingNotice.sent_at)).group_by(OutgoingNotice.target)
    )
    return {target: at for target, at in rows if at}


def trial_word(settings: Settings, now: datetime) -> Word:
    """A notice that is none, for the test button."""
    return Word("test", "test", None, "none", 0, f"{settings.address}/staff", now)


async def send_trial(send: Send, word: Word) -> str:
    """What became of it, as a sentence; empty when it arrived."""
    try:
        await send(word)
    except NoticeError as error:
        return str(error)
    return ""

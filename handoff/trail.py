"""Entries of the audit trail that pages make beside their work: a look into a case, a sign-in, a refusal.

The write is handed to the database before the answer leaves, and not waited for: a page is as fast as without it. At a
stop what was handed over is still written.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from handoff import audit
from storage.clock import Clock
from storage.database import Database
from storage.logs import where
from storage.models import Staff
from storage.support import AuditEntry

#: A page that keeps itself new, or is opened again, is one look.
ONE_LOOK = timedelta(minutes=15)

log = structlog.get_logger()


class Trail:
    """Hands entries over to the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, staff_id: int | None, action: str, *, case_id: str | None = None, detail: str = "") -> None:
        """Adds one entry."""
        now = self._clock.now()
        self._hand_over(lambda session: enter_as(session, staff_id, action, now, case_id, detail))

    def looked(self, staff: Staff, case_id: str, action: str = "looked", detail: str = "") -> asyncio.Task[None]:
        """Adds that somebody looked into a case, unless they did so within the last quarter of an hour.

        Whoever awaits it shows nothing before it was tried.
        """
        now, staff_id = self._clock.now(), staff.id

        def once(session: Session) -> None:
            audit.lock(session)
            before = select(AuditEntry.id).where(
                AuditEntry.case_id == case_id, AuditEntry.staff_id == staff_id, AuditEntry.action == action,
                AuditEntry.detail == detail, AuditEntry.at > now - ONE_LOOK,
            )  # fmt: skip
            if session.scalars(before.limit(1)).first() is None:
                enter_as(session, staff_id, action, now, case_id, detail)

        return self._hand_over(once)

    def _hand_over(self, work: Callable[[Session], None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._write(work))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _write(self, work: Callable[[Session], None]) -> None:
        try:
            await self._database.write(work)
        except DBAPIError as error:
            log.error("audit.not_written", error=where(error))


def enter_as(
    session: Session, staff_id: int | None, action: str, now: datetime, case_id: str | None = None, detail: str = ""
) -> None:
    """`audit.enter` for whoever is known by their id only."""
    staff = session.get(Staff, staff_id) if staff_id is not None else None
    audit.enter(session, staff, action, now, case_id=case_id, detail=detail)

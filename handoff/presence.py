"""Which sessions are in use. One that nobody uses for an hour ends; an open page uses it, as its live events ask too.

Asking is reading, and a page must not wait for a write: what was used is kept in mind and written down at most once a
minute. If that is lost with the process, the next use says so again.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage.bells import Bells
from storage.database import Database, unavailable
from storage.models import StaffSession

IDLE_FOR = timedelta(minutes=60)
WRITTEN_EVERY = timedelta(minutes=1)
#: The bell of whoever cannot wait until it is written down.
PRESENCE = "presence"
LOOK_EVERY_S = 10.0

_used: dict[str, datetime] = {}


def lives(now: datetime) -> ColumnElement[bool]:
    """Of a StaffSession: whether it is open, by its own end and by its use."""
    last = func.coalesce(StaffSession.seen_at, StaffSession.created_at)
    return StaffSession.ended_at.is_(None) & (StaffSession.expires_at > now) & (last > now - IDLE_FOR)


def used(open_one: StaffSession, now: datetime) -> None:
    """Keeps in mind that the session was used, when what is written of it is older than a minute."""
    if now - (open_one.seen_at or open_one.created_at) >= WRITTEN_EVERY:
        _used[open_one.token_hash] = now


async def keep(database: Database, bells: Bells) -> None:
    """Runs for ever: writes down what was used."""
    while True:
        await bells.wait(PRESENCE, LOOK_EVERY_S)
        if not _used:
            continue
        seen = dict(_used)
        _used.clear()
        try:
            await database.write(lambda session: _write_down(session, seen))  # noqa: B023
        except DBAPIError as error:
            if not unavailable(error):
                raise


def _write_down(session: Session, seen: dict[str, datetime]) -> None:
    for token_hash, at in seen.items():
        session.execute(update(StaffSession).where(StaffSession.token_hash == token_hash).values(seen_at=at))

"""The audit trail: who looked into which case, what was exported, what changed of who may come in.

Entries are only ever added (the database refuses all else), and each carries the digest of itself and the one before,
so that a trail that was changed outside the database is found out too. Never a resident's words or name.
"""

import hashlib
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storage.models import Staff
from storage.support import AuditEntry

#: Of PostgreSQL's advisory locks, ours: the trail has one writer at a time, so that its chain does not fork.
LOCK = 0x75_6B_65_74


def enter(
    session: Session, staff: Staff | None, action: str, now: datetime, *, case_id: str | None = None, detail: str = ""
) -> None:
    """Adds one entry, in the caller's transaction. `action` is an id of handoff/words.yml."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    last = session.scalars(select(AuditEntry.digest).order_by(AuditEntry.id.desc()).limit(1)).first() or ""
    entry = AuditEntry(
        at=now, staff_id=staff.id if staff else None, action=action, case_id=case_id, detail=detail, digest=""
    )
    entry.digest = digest(last, entry)
    session.add(entry)
    session.flush()


def first_broken(session: Session) -> int | None:
    """The id of the first entry that does not follow from the one before it; None when the trail is whole."""
    last = ""
    for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)):
        if entry.digest != digest(last, entry):
            return entry.id
        last = entry.digest
    return None


def digest(last: str, entry: AuditEntry) -> str:
    """What binds an entry to the one before it."""
    at = entry.at.astimezone(UTC).isoformat()
    told = "\n".join([last, at, str(entry.staff_id), entry.action, entry.case_id or "", entry.detail])
    return hashlib.sha256(told.encode()).hexdigest()

"""Whether what is published can be fetched by everybody: an admin's choice, unless the installation forbids it."""

from datetime import datetime

from sqlalchemy.orm import Session

from handoff import audit
from handoff.access import SignedIn
from storage.database import insert_new
from storage.settings import Settings
from storage.support import TownTable

#: Where the choice is kept.
TABLE = "open_data"


def is_public(session: Session, settings: Settings) -> bool:
    """Looked at with each request, so that a stop holds in every process from the next request on."""
    return settings.open_data and is_chosen(session)


def is_chosen(session: Session) -> bool:
    """Whether an admin has opened them, also while the installation forbids it."""
    row = session.get(TownTable, TABLE)
    return bool(row and row.content["on"])


def switch(session: Session, who: SignedIn, on: bool, now: datetime) -> bool:
    """Opens the data or shuts them. Whether that changed anything."""
    # The row is held, so that the trail has one entry where two admins press at once.
    insert = insert_new(session.get_bind().dialect.name, TownTable)
    session.execute(insert, {"name": TABLE, "content": {"on": False}, "changed_at": now, "version": 0})
    row = session.get_one(TownTable, TABLE, with_for_update=True)
    if row.content["on"] == on:
        return False
    row.content, row.changed_at, row.changed_by, row.version = {"on": on}, now, who.staff.id, row.version + 1
    audit.enter(session, who.staff, "open_data_on" if on else "open_data_off", now)
    return True

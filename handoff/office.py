"""What every staff page needs: who is there, the database, the clock. A page is a function over these."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fastapi import Request
from sqlalchemy.orm import Session

from handoff import access
from handoff.access import SignedIn
from handoff.door import SESSION, Door
from handoff.pages import SignInFirst
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.settings import Settings

T = TypeVar("T")
Form = dict[str, str]


class Office:
    """The way from a request to the database, with the sign-in looked at in the same transaction."""

    def __init__(self, settings: Settings, database: Database, bells: Bells, clock: Clock) -> None:
        self.settings, self.database, self.bells, self.clock = settings, database, bells, clock
        self._door = Door(settings, database, clock)

    async def look(self, request: Request, work: Callable[[Session, SignedIn, datetime], T]) -> T:
        """Reads as whoever is signed in. Raises SignInFirst."""
        token, now = request.cookies.get(SESSION, ""), self.clock.now()

        def signed(session: Session) -> T:
            who = access.signed_in(session, token, now)
            if who is None:
                raise SignInFirst
            return work(session, who, now)

        return await self.database.read(signed)

    async def change(self, request: Request, work: Callable[[Session, SignedIn, Form, datetime], T]) -> T:
        """Writes what a form of whoever is signed in says. Raises SignInFirst; Problem 403 for a foreign form."""
        who, form = await self._door.form_of_staff(request)
        now = self.clock.now()
        return await self.database.write(lambda session: work(session, who, form, now))

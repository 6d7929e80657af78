"""The pump under worker and outbox: takes what waits in the database and works on it, several pieces side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage.bells import Bells, in_time
from storage.database import Database, unavailable
from storage.logs import where

W = TypeVar("W")

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
FINISH_S = 10.0


class Pump(Generic[W]):
    """`take(session, most)` claims up to so many pieces in one write; `work(piece)` does one, and must not raise.

    Several pumps, in several processes, may share one database: what one has claimed the others pass by.
    """

    def __init__(
        self,
        database: Database,
        bells: Bells,
        bell: str,
        most: int,
        take: Callable[[Session, int], list[W]],
        work: Callable[[W], Awaitable[None]],
    ) -> None:
        self._database, self._bells, self._bell, self._most = database, bells, bell, most
        self._take, self._work = take, work
        self._running: set[asyncio.Task[None]] = set()
        self._looks = 0

    async def run(self) -> None:
        """For ever: begins what waits, then sleeps until the bell rings, a piece is done, or a second is over."""
        while True:
            with self._bells.listening(self._bell) as rung:
                await self._begin()
                await in_time(rung, LOOK_EVERY_S)

    async def finish(self) -> None:
        """Lets what runs come to its end."""
        if self._running:
            await asyncio.wait(self._running, timeout=FINISH_S)

    async def _begin(self) -> None:
        free = self._most - len(self._running)
        self._looks += 1
        if free <= 0:  # below none when turns have begun their own answers
            return
        try:
            taken = await self._database.write(lambda session: self._take(session, free))
        except DBAPIError as error:
            if not unavailable(error):
                raise
            log.warning("pump.database_away", bell=self._bell, error=where(error))
            return
        self.start(taken)

    def start(self, taken: Iterable[W]) -> None:
        """Begins pieces that were claimed already."""
        for piece in taken:
            task = asyncio.create_task(self._do(piece, self._looks))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _do(self, piece: W, look: int) -> None:
        await self._work(piece)
        # A look since then may have passed by what had to wait for this piece; else there is nothing to look for.
        if self._looks != look:
            asyncio.get_running_loop().call_soon(self._bells.ring, self._bell)

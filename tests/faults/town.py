"""A town whose LINE, Rasa and clock can be made to fail, in this process, with the audit at its end."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientTimeout

from bot.understanding import Understander
from handoff import access, case
from storage.models import Case, Staff
from tests import line_platform
from tests.conftest import Town, running
from tests.faults.audit import collecting, left_to_do
from tests.faults.traffic import NumberedRasa, findings
from tests.line_platform import LinePlatform
from tests.stand_ins.clock import SetClock
from uketome.app import SWEEP


class MovingClock(SetClock):
    """Goes on as time does, and can be moved ahead as well."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The real time, so far ahead."""
        return datetime.now(UTC) + self._ahead

    def forward(self, **by: float) -> None:
        """Moves ahead."""
        self._ahead += timedelta(**by)


class FaultyTown:
    """The service (`town`) with its `line`, `rasa` and `clock`."""

    def __init__(self, town: Town, line: LinePlatform, rasa: NumberedRasa, clock: MovingClock) -> None:
        self.town, self.line, self.rasa, self.clock = town, line, rasa, clock
        self.database = town.service.database

    async def settled(self) -> None:
        """Waits until nothing is on its way."""

        async def nothing_left() -> bool:
            return await self.database.read(left_to_do) == 0

        await self.town.until(nothing_left, 30)

    async def audit(self) -> list[str]:
        """Waits for the end of the work and for the silence after it; what is wrong."""
        await self.settled()
        self.clock.forward(minutes=31)
        self.town.service.bells.ring(SWEEP)

        async def all_wait() -> bool:
            return await self.database.read(collecting) == 0

        await self.town.until(all_wait, 30)
        return await findings(self.database, self.line)

    async def the_case(self) -> Case:
        """The only case there is."""
        [only] = await self.town.cases()
        return only

    async def claim(self, email: str = "sato@uketome.example") -> Staff:
        """Sato takes the only case."""
        case_id, now = (await self.the_case()).id, self.clock.now()

        def take(session: Any) -> Staff:
            staff = access.add_staff(session, email, "counselor", "hana-no-michi-12", now, "佐藤")
            case.claim(session, case_id, staff, now)
            return staff

        return await self.database.write(take)


@contextlib.asynccontextmanager
async def faulty_town(database_url: str, folder: Path, reader: Understander) -> AsyncIterator[FaultyTown]:
    """Everything on free ports, until the block ends."""
    clock, rasa = MovingClock(), NumberedRasa()
    await rasa.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(rasa.stop)
        line = await stack.enter_async_context(LinePlatform(clock=clock, quota=None))
        settings = line_platform.settings(
            line.base_url, database_url=database_url, var_dir=folder / "var", rasa_url=rasa.url, rasa_timeout_s=0.5
        )
        town = await stack.enter_async_context(running(settings, reader, clock))
        assert town.service.line
        # One that does not wait long for an answer that never comes.
        town.service.line._timeout = ClientTimeout(total=0.5)
        line.webhooks.url = f"{town.http.base_url}/line/webhook"
        yield FaultyTown(town, line, rasa, clock)

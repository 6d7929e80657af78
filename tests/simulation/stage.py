"""The stage: Rasa and the understanding, started once; and for each talk a town of its own, with its own clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from bot.dialogue import Rasa
from bot.understanding import Understander
from handoff import access
from knowledge_base import versions
from storage.settings import Settings
from tests.conftest import Town, running
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform
from tests.stand_ins.clock import SetClock
from uketome.rasa_process import RasaProcess

#: The simulation is about what is said, not how fast: on a busy machine Rasa shall speak all the same.
RASA_TIMEOUT_S = 30.0
PATIENCE_S = 120.0
START_S = 300.0


class Stage:
    """What all talks share. A town costs a fraction of a second, so that each talk has its own time and queue."""

    def __init__(self, folder: Path, reader: Understander, rasa: Rasa, token: str) -> None:
        self._folder, self._reader, self._rasa, self._token = folder, reader, rasa, token

    @contextlib.asynccontextmanager
    async def town(self, name: str, begins: datetime) -> AsyncIterator[tuple[Town, LinePlatform, str]]:
        """A town where it is `begins`, the LINE of its residents, and the token of its counselor's system."""
        clock = SetClock(begins)
        async with LinePlatform(clock=clock, quota=None) as line:
            settings = Settings(
                var_dir=self._folder / name,
                rasa_url=self._rasa.url,
                rasa_token=self._token,
                rasa_timeout_s=RASA_TIMEOUT_S,
                line_channel_secret=CHANNEL_SECRET,
                line_channel_access_token=CHANNEL_TOKEN,
                line_api_base=line.base_url,
            )
            async with running(settings, self._reader, clock) as town:
                line.webhooks.url = f"{town.http.base_url}/line/webhook"
                scopes = ["cases:read", "cases:write"]
                await _settle(town)
                token = await town.service.database.write(
                    lambda session: access.add_token(session, "相談員", scopes, clock.now())
                )
                yield town, line, token
            assert line.violations == []


async def _settle(town: Town) -> None:
    """The desks of うけとめ市, so that who asks for one is told it."""
    now = town.clock.now()
    await town.service.database.write(lambda session: versions.load_demo(session, now))
    await town.service.knowledge.renew()


@contextlib.asynccontextmanager
async def stage(folder: Path, reader: Understander) -> AsyncIterator[Stage]:
    """Starts Rasa as the product does, and ends it."""
    token = "the-token-of-the-stage"
    settings = Settings(var_dir=folder, rasa_token=token)
    rasa = Rasa(None, token, RASA_TIMEOUT_S)
    process = RasaProcess(settings, rasa)
    watching = asyncio.create_task(process.watch())
    try:
        async with asyncio.timeout(START_S):
            while rasa.url is None or not await rasa.ready():
                assert not watching.done(), "Rasa cannot be started"
                await asyncio.sleep(0.1)
        yield Stage(folder, reader, rasa, token)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await process.stop()
        await rasa.close()

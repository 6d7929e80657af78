"""Plays the whole cast, several talks side by side."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from bot.understanding import Understander
from tests.simulation.cast import Resident
from tests.simulation.play import play
from tests.simulation.stage import Stage, stage
from tests.simulation.transcript import Transcript

#: Each talk has its own town and clock, so that this changes nothing but the time it takes.
SIDE_BY_SIDE = 3


async def play_all(folder: Path, reader: Understander, residents: Iterable[Resident]) -> list[Transcript]:
    """Every resident on each of their channels, in the order of the cast."""
    free = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(on: Stage, resident: Resident, channel: str) -> Transcript:
        async with free:
            return await play(on, resident, channel)

    async with stage(folder, reader) as on, asyncio.TaskGroup() as group:
        plays = [part for resident in residents for part in resident.plays]
        tasks = [group.create_task(one(on, resident, channel)) for resident, channel in plays]
    return [task.result() for task in tasks]

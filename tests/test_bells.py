"""Bells wake who waits, and never keep a service from ending."""

import asyncio

import pytest

from storage.bells import QUEUE, Bells


@pytest.mark.parametrize("ticks", range(5))
async def test_a_wait_that_is_to_end_as_its_bell_rings_ends(ticks: int) -> None:
    bells, woken = Bells(), 0

    async def for_ever() -> None:
        nonlocal woken
        while True:
            await bells.wait(QUEUE, 10)
            woken += 1

    loop = asyncio.create_task(for_ever())
    for _ in range(5):
        await asyncio.sleep(0)
    bells.ring(QUEUE)
    for _ in range(ticks):
        await asyncio.sleep(0)
    loop.cancel()
    await asyncio.wait([loop], timeout=1)
    assert loop.cancelled()
    assert woken <= 1


async def test_whether_it_rang_is_told() -> None:
    bells = Bells()
    waiting = asyncio.create_task(bells.wait(QUEUE, 10))
    await asyncio.sleep(0)
    bells.ring(QUEUE)
    assert await waiting
    assert not await bells.wait(QUEUE, 0)

"""Traffic that goes on while things break: residents on LINE, and a Rasa whose answers are all different."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from storage.database import Database
from tests.faults.audit import audit, collecting, left_to_do
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform
from tests.stand_ins.rasa import StandInRasa

TEXTS = (
    "家賃が払えません",
    "母の介護で眠れません",
    "子どもが学校に行けていません",
    "仕事を失いました",
    "去年の秋からです",
    "ひとりで暮らしています",
    "電気が止まりそうです",
    "誰に話したらいいかわかりません",
    "はい",
    "ありがとうございます",
)


class NumberedRasa(StandInRasa):
    """Answers every question with words of its own, so that an answer given twice or in the wrong order is seen."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    async def _webhook(self, request: web.Request) -> web.Response:
        if self.status == 200 and isinstance(self.answer, list) and self.answer:
            self.answer = [{"text": f"お話をうけとめました（{next(self._numbers)}）。"}]
        return await super()._webhook(request)


def settings(var: Path, line: LinePlatform, rasa: StandInRasa | None, **more: str) -> dict[str, str]:
    """The environment of a service whose LINE and Rasa are the stand-ins. Silence is short: the queue fills at once."""
    return {
        "UKETOME_VAR_DIR": str(var),
        "UKETOME_LINE_CHANNEL_SECRET": CHANNEL_SECRET,
        "UKETOME_LINE_CHANNEL_ACCESS_TOKEN": CHANNEL_TOKEN,
        "UKETOME_LINE_API_BASE": line.base_url,
        "UKETOME_SILENCE_MINUTES": "0.01",
        **({"UKETOME_RASA_URL": rasa.url, "UKETOME_RASA_TIMEOUT_S": "1"} if rasa else {}),
        **more,
    }


def resident(number: int) -> str:
    """A LINE user id."""
    return f"U{number:032x}"


async def write_all(
    line: LinePlatform, chance: random.Random, residents: int, messages: int, seconds: float, start: int = 0
) -> None:
    """So many residents write so many messages together, at random moments within so many seconds."""
    moments = [sorted(chance.uniform(0, seconds) for _ in range(messages // residents)) for _ in range(residents)]
    began = asyncio.get_running_loop().time()

    async def one(number: int) -> None:
        for at in moments[number]:
            await asyncio.sleep(max(0.0, began + at - asyncio.get_running_loop().time()))
            await line.say(resident(start + number), chance.choice(TEXTS))

    await asyncio.gather(*(one(number) for number in range(residents)))


async def deliver_the_rest(line: LinePlatform, within_s: float = 120) -> int:
    """LINE delivers again, shuffled, until everything is acknowledged; how many rounds that took."""
    rounds = 0
    async with asyncio.timeout(within_s):
        while not all(webhook.acknowledged for webhook in line.webhooks.sent):
            rounds += 1
            await line.redeliver()
    return rounds


async def settle(database: Database, within_s: float = 120) -> None:
    """Waits until nothing is on its way and every case has been put in the queue."""
    await until(lambda: database.read(lambda session: left_to_do(session) + collecting(session) == 0), within_s)


async def until(holds: Callable[[], Awaitable[Any]], within_s: float) -> None:
    """Looks ten times a second, for at most so long."""
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.1)


async def findings(database: Database, line: LinePlatform) -> list[str]:
    """The audit of a run over LINE: what is wrong."""
    taken = [str(webhook.event["webhookEventId"]) for webhook in line.webhooks.sent if webhook.acknowledged]
    received = {user: line.received(user) for user in {webhook.user for webhook in line.webhooks.sent}}
    wrong = await database.read(lambda session: audit(session, taken, received))
    return wrong + [f"LINE was called wrongly: {violation}" for violation in line.violations]

"""The load: residents who write their next message when the answer has come, and webhooks as fast as they are taken.

A process of its own beside what it measures, steered by JSON lines on stdin: `{"do": "load", "residents": 16,
"seconds": 5}` → one line `{"seconds": …, "latencies": […]}`, the latencies in seconds. `python -m bench.driver line
WEBHOOK_URL PORT` speaks as LINE's platform (the stand-in of the tests), `rest URL TOKEN` as a client of Rasa.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp
import uvloop

from bench import webhooks
from bench.talk import TEXTS, metadata
from tests.line_platform import LinePlatform
from tests.line_platform.platform import Answer

LONGEST_WAIT_S = 30.0
#: Of residents; begins elsewhere in every process, so that two drivers of one service never share one.
NUMBERS = itertools.count(time.time_ns())

Say = Callable[[str, int], Awaitable[None]]


class AnsweringPlatform(LinePlatform):
    """The stand-in, which tells when a resident's phone has received something."""

    def __init__(self, webhook_url: str, port: int) -> None:
        super().__init__(webhook_url, quota=None, rate=1_000_000, port=port)
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def ask(self, user: str, text: str) -> None:
        """Writes a text and waits for what comes back."""
        self._waiting[user] = asyncio.get_running_loop().create_future()
        written = await self.say(user, text)
        if not written.acknowledged:
            raise RuntimeError(f"the webhook was answered {written.status}")
        await asyncio.wait_for(self._waiting[user], LONGEST_WAIT_S)

    def _take(self, via: str, user: str, messages: list[dict[str, Any]]) -> Answer:
        answer = super()._take(via, user, messages)
        waiting = self._waiting.get(user)
        if waiting and not waiting.done():
            waiting.set_result(None)
        return answer


class LineDriver:
    """Residents on LINE."""

    def __init__(self, webhook_url: str, port: str) -> None:
        self.platform = AnsweringPlatform(webhook_url, int(port))

    async def __aenter__(self) -> Self:
        await self.platform.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.platform.stop()

    async def load(self, residents: int, seconds: float) -> dict[str, Any]:
        """So many residents at once for so long."""
        return await talks(self._say, residents, seconds)

    async def grow(self, messages: int, every: int) -> dict[str, Any]:
        """One long talk; at each of its last `every` messages also one of a talk that is young. See conversation.py."""
        old, middle = new_user(), new_user()
        for at in range(messages):
            await self._say(old, at % len(TEXTS))
            if messages // 10 > at:
                await self._say(middle, at % len(TEXTS))
        timed: dict[str, list[float]] = {"young": [], "middle": [], "old": []}
        for _ in range(every):
            young = new_user()
            for at in range(4):
                await self._say(young, at)
            for name, user in (("young", young), ("middle", middle), ("old", old)):
                asked = time.perf_counter()
                await self._say(user, 4)
                timed[name].append(time.perf_counter() - asked)
        return timed

    async def post(self, url: str, connections: int, seconds: float, residents: int, messages: int) -> dict[str, Any]:
        """Signed webhooks over so many connections; the latencies of their acknowledgements. See webhooks.py."""
        return await webhooks.post(self.platform, url, connections, seconds, residents, messages)

    async def phones(self) -> dict[str, Any]:
        """What stands on every phone from the bot, and which of LINE's rules were broken."""
        return {
            "received": {user: self.platform.received(user) for user in list(self.platform.talks)},
            "violations": self.platform.violations,
        }

    async def _say(self, user: str, at: int) -> None:
        await self.platform.ask(user, TEXTS[at])


class RestDriver:
    """Residents straight at a Rasa server."""

    def __init__(self, url: str, token: str = "") -> None:
        self._url = f"{url}/webhooks/rest/webhook"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(headers=self._headers, connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def load(self, residents: int, seconds: float) -> dict[str, Any]:
        """So many residents at once for so long."""
        return await talks(self._say, residents, seconds)

    async def _say(self, user: str, at: int) -> None:
        body = {"sender": user, "message": TEXTS[at], "metadata": metadata(at)}
        async with self._http.post(self._url, json=body) as answer:
            said = await answer.json()
            if answer.status != 200 or not said:
                raise RuntimeError(f"Rasa answered {answer.status} with {len(said)} messages")


async def talks(say: Say, residents: int, seconds: float) -> dict[str, Any]:
    """Every resident has the talk of bench/talk.py, then a new one comes; the latency of every answer in that time."""
    began, latencies = time.perf_counter(), list[float]()

    async def resident() -> None:
        while True:
            user = new_user()
            for at in range(len(TEXTS)):
                asked = time.perf_counter()
                if asked - began > seconds:
                    return
                await say(user, at)
                latencies.append(time.perf_counter() - asked)

    await asyncio.gather(*(resident() for _ in range(residents)))
    return {"seconds": time.perf_counter() - began, "latencies": latencies}


def new_user() -> str:
    """A LINE user id that nobody had yet."""
    return f"U{next(NUMBERS):032x}"


async def main(mode: str, *where: str) -> None:
    """Does what comes on stdin until it ends."""
    loop = asyncio.get_running_loop()
    async with {"line": LineDriver, "rest": RestDriver}[mode](*where) as driver:
        print(json.dumps({"ready": True}), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            wanted = json.loads(line)
            print(json.dumps(await getattr(driver, wanted.pop("do"))(**wanted)), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

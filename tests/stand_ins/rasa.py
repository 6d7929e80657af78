"""A stand-in of Rasa over real HTTP, for tests whose subject is Rasa's failure, or not Rasa at all."""

import asyncio
from typing import Any

from aiohttp import web

from tests.stand_ins.listener import Listener

#: What it answers when it is well: takes up the words, asks one question.
WELL = [
    {"text": "話してくださって、ありがとうございます。"},
    {"text": "それは、いつごろからですか。", "buttons": [{"title": "とばす", "payload": "とばす"}]},
    {"custom": {"ask": "since"}},
]


class StandInRasa(Listener):
    """Answers `answer` (a list as Rasa's, or bytes sent as they are) with `status`, after `pause` seconds."""

    def __init__(self) -> None:
        self.answer: Any = WELL
        self.status = 200
        self.pause = 0.0
        #: How many of the next calls it hangs up on, as a server does that ends an idle connection.
        self.hang_ups = 0
        self.asked: list[dict[str, Any]] = []

    def routes(self) -> list[web.RouteDef]:
        """What it answers."""
        return [web.post("/webhooks/rest/webhook", self._webhook), web.get("/webhooks/rest/", self._alive)]

    def say(self, *texts: str, **custom: Any) -> None:
        """From now on answers these texts, and a custom payload where one is given."""
        self.answer = [*({"text": text} for text in texts), *([{"custom": custom}] if custom else [])]

    async def _webhook(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if self.hang_ups and request.transport:
            self.hang_ups -= 1
            request.transport.close()
        self.asked.append(asked)
        if self.pause:
            await asyncio.sleep(self.pause)
        if isinstance(self.answer, bytes):
            return web.Response(body=self.answer, status=self.status, content_type="application/json")
        return web.json_response(self.answer, status=self.status)

    async def _alive(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

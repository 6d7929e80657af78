"""A stand-in of whatever takes webhooks: keeps what was posted, and answers as it is told."""

from dataclasses import dataclass

from aiohttp import web

from tests.stand_ins.listener import Listener


@dataclass(frozen=True)
class Posted:
    """One call."""

    path: str
    headers: dict[str, str]
    body: str


class StandInHooks(Listener):
    """Answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[Posted] = []

    def routes(self) -> list[web.RouteDef]:
        """What it answers."""
        return [web.post("/{path:.*}", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        self.posted.append(Posted(request.path, dict(request.headers), await request.text()))
        return web.Response(status=self.status)

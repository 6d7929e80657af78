"""A stand-in of whatever takes webhooks: keeps what was posted, and answers as it is told."""

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True)
class Posted:
    """One call."""

    path: str
    headers: dict[str, str]
    body: str


class StandInHooks:
    """Answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[Posted] = []
        self.url = ""

    async def start(self) -> None:
        """Listens on a free port of loopback."""
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Ends it; then nobody listens on its port."""
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.posted.append(Posted(request.path, dict(request.headers), await request.text()))
        return web.Response(status=self.status)

"""What every stand-in of a server shares: it listens on a free port of loopback, and is gone when it is stopped."""

from aiohttp import web


class Listener:
    """Real HTTP. `routes` says what it answers; `url` is where, once it has started."""

    url = ""

    def routes(self) -> list[web.RouteDef]:
        """What it answers."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listens on a free port of loopback."""
        app = web.Application()
        app.router.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Ends it; then nobody listens on its port."""
        await self._runner.cleanup()

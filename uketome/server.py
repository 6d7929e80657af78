"""The server: uvicorn, which wakes who waits before it waits for them."""

import socket

import uvicorn

from storage.bells import Bells


class Server(uvicorn.Server):
    """Ends long polls at once when the service stops; uvicorn alone would wait for them, then cut them off."""

    def __init__(self, config: uvicorn.Config, bells: Bells) -> None:
        super().__init__(config)
        self._bells = bells

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops listening, lets what runs come to its end."""
        self._bells.ring_out()
        await super().shutdown(sockets)

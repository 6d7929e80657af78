"""A stand-in of a mail server: speaks as much SMTP as a notice needs, and keeps what it was given."""

import asyncio


class StandInMail:
    """Keeps the mails as text. `refuse` is the answer to DATA in their stead."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.refuse = ""
        self.url = ""

    async def start(self) -> None:
        """Listens on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"smtp://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Ends it; then nobody listens on its port."""
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 stand-in\r\n")
        while line := await reader.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA" and not self.refuse:
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            answer = self.refuse if verb == b"DATA" and self.refuse else "221 bye" if verb == b"QUIT" else "250 well"
            writer.write(f"{answer}\r\n".encode())
            if verb == b"QUIT":
                break
        writer.close()

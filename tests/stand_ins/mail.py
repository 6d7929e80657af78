"""A stand-in of a mail server: speaks as much SMTP as a notice needs, and keeps what it was given."""

import asyncio
import base64
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "uketome", "himitsu-no-hana"


class StandInMail:
    """Keeps the mails as text. `refuse` is the answer to DATA in their stead. With `certificate` (`make_certificate`)
    it wants STARTTLS, and USER with PASSWORD before it takes a mail. `heard`: the verbs in the clear, in order."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.mails: list[str] = []
        self.refuse = ""
        self.url = ""
        self.heard: list[str] = []
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)

    async def start(self) -> None:
        """Listens on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Ends it; then nobody listens on its port."""
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        secret, known = False, self._tls is None
        writer.write(b"220 stand-in\r\n")
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            if not secret:
                self.heard.append(verb)
            if verb == "STARTTLS" and self._tls:
                writer.write(b"220 go on\r\n")
                await writer.start_tls(self._tls)
                secret = True
                continue
            if verb == "AUTH":
                known = secret and _signs_in(rest)
            if verb == "DATA" and known and not self.refuse:
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(f"{self._answer(verb, secret, known)}\r\n".encode())
            if verb == "QUIT":
                break
        writer.close()

    def _answer(self, verb: str, secret: bool, known: bool) -> str:
        if verb == "QUIT":
            return "221 bye"
        if verb == "EHLO" and self._tls:
            return "250-stand-in\r\n250 " + ("AUTH PLAIN" if secret else "STARTTLS")
        if verb == "AUTH":
            return "235 well" if known else "535 not you"
        if verb in ("MAIL", "RCPT", "DATA") and not known:
            return "530 sign in first"
        return self.refuse if verb == "DATA" and self.refuse else "250 well"


def make_certificate(folder: Path) -> Path:
    """Key and certificate of localhost in one file, signed by itself: who trusts the file trusts the server."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _signs_in(rest: str) -> bool:
    _, _, given = rest.partition(" ")
    return base64.b64decode(given).split(b"\0")[1:] == [USER.encode(), PASSWORD.encode()]

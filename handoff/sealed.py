"""What is sealed with the service's own key: second-factor secrets at rest, and what a browser carries for us.

Each purpose has a key of its own, derived from the one in the key file: what was sealed for one opens for no other.
"""

import base64
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.settings import Settings


class Seal:
    """Seals and opens for one purpose."""

    def __init__(self, settings: Settings, purpose: str) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=f"uketome {purpose}".encode()).derive(settings.secret_key)
        self._key, self._fernet = key, Fernet(base64.urlsafe_b64encode(key))

    def close(self, content: dict[str, Any], now: datetime) -> str:
        """The sealed text: unreadable and unchangeable for whoever carries it."""
        return self._fernet.encrypt_at_time(json.dumps(content).encode(), int(now.timestamp())).decode()

    def open(self, sealed: str, now: datetime, lasts: timedelta | None = None) -> dict[str, Any] | None:
        """What was sealed; None when it is not ours, or older than it lasts."""
        try:
            if lasts is None:
                content = self._fernet.decrypt(sealed)
            else:
                content = self._fernet.decrypt_at_time(sealed, int(lasts.total_seconds()), int(now.timestamp()))
        except (InvalidToken, ValueError):
            return None
        opened: dict[str, Any] = json.loads(content)
        return opened

    def digest(self, text: str) -> str:
        """A hash that nobody can try out without the key: for what is too short to hash plainly."""
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()

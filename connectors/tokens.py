"""What is kept of the secrets that residents' browsers hold: only their hash, under the service's own key."""

import hashlib
import hmac


def hash_of(token: str, key: bytes) -> str:
    """The hash to keep and to look for."""
    return hmac.new(key, token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

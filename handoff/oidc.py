"""Sign-in with the town's own accounts (OpenID Connect): what is asked of the provider and how its answer is checked.

Authorization code with PKCE, state and nonce. Authlib's client speaks with the provider; it waits while it does, so it
runs in a thread.
"""

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from handoff.tongue import say
from storage.settings import Settings

TIMEOUT_S = 10
LEEWAY_S = 60
#: Signatures with the provider's own key; none, and none with a shared secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
AWAY = "庁内のサインインにつながりません。少し待って、もう一度お試しください。"
NOT_GENUINE = "庁内のサインインの答えを確かめられませんでした。もう一度お試しください。"


class OidcError(Exception):
    """The provider could not be asked, or its answer does not stand; the message is a sentence for people."""


@dataclass(frozen=True)
class Asked:
    """What the browser carries, sealed, while it is at the provider."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Asked":
        """Fresh for one sign-in."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    def plain(self) -> dict[str, Any]:
        """As it is sealed."""
        return asdict(self)


@dataclass(frozen=True)
class Person:
    """Whom the provider has signed in. `email` only where the provider says that it is verified."""

    subject: str
    email: str


class Provider:
    """The town's provider, as the settings name it. Its methods wait for the network: call them in a thread."""

    def __init__(self, settings: Settings, back: str) -> None:
        self._issuer, self._back = settings.oidc_issuer or "", back
        self._id, self._secret = settings.oidc_client_id or "", settings.oidc_client_secret or ""

    def where(self, asked: Asked) -> str:
        """The address at the provider to send the browser to. Raises OidcError."""
        with self._client() as client:
            try:
                url, _ = client.create_authorization_url(
                    self._about(client)["authorization_endpoint"], state=asked.state, code_verifier=asked.verifier,
                    nonce=asked.nonce,
                )  # fmt: skip
            except (RequestException, KeyError, ValueError):
                raise OidcError(say(AWAY)) from None
        return str(url)

    def person(self, asked: Asked, code: str) -> Person:
        """Whom the provider vouches for with this code. Raises OidcError."""
        with self._client() as client:
            try:
                about = self._about(client)
                token = client.fetch_token(
                    about["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=asked.verifier,
                    redirect_uri=self._back, timeout=TIMEOUT_S,
                )  # fmt: skip
                keys = KeySet.import_key_set(
                    client.get(about["jwks_uri"], withhold_token=True, timeout=TIMEOUT_S).json()
                )
                read = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
                claims = CodeIDToken(
                    read.claims, read.header, params={"nonce": asked.nonce, "client_id": self._id}, options={
                        "iss": {"essential": True, "value": about["issuer"]},
                        "aud": {"essential": True, "value": self._id},
                    },
                )  # fmt: skip
                claims.validate(now=int(time.time()), leeway=LEEWAY_S)
            except RequestException:
                raise OidcError(say(AWAY)) from None
            except (AuthlibBaseError, JoseError, KeyError, ValueError):
                raise OidcError(say(NOT_GENUINE)) from None
        verified = claims.get("email_verified") in (True, "true")
        return Person(f"{about['issuer']} {claims['sub']}", str(claims.get("email", "")) if verified else "")

    def _client(self) -> OAuth2Session:
        return OAuth2Session(
            self._id, self._secret, scope="openid email", redirect_uri=self._back, code_challenge_method="S256"
        )

    def _about(self, client: OAuth2Session) -> dict[str, Any]:
        """The provider's own description. Raises ValueError when it is another's."""
        found = client.get(f"{self._issuer}/.well-known/openid-configuration", withhold_token=True, timeout=TIMEOUT_S)
        found.raise_for_status()
        about: dict[str, Any] = found.json()
        if str(about["issuer"]).rstrip("/") != self._issuer:
            raise ValueError("another issuer")
        return about

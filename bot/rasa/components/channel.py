"""The `rest` channel behind a token: it logs no resident's words, and a failed turn is a 500, not an empty list."""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.channels.rest import RestInput
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from components.tokenizer import without_surrogates

logger = logging.getLogger(__name__)


class TokenRestInput(RestInput):
    """Rasa's REST channel for one caller, who knows `RASA_TOKEN`."""

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> TokenRestInput:
        """Raises RasaException when the token is absent: an open dialogue server is never started by mistake."""
        token = os.environ.get("RASA_TOKEN", "")
        if not token:
            raise RasaException("RASA_TOKEN must be set; the rest channel answers only to its bearer.")
        return cls(token)

    def __init__(self, token: str) -> None:
        """Takes the bearer token."""
        self._bearer = f"Bearer {token}".encode()

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """GET / tells that the server is up; POST /webhook takes a turn."""
        routes = Blueprint("rest_behind_token")

        @routes.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @routes.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._bearer):
                return response.json({"detail": "unauthorized"}, status=401)
            turn = read_turn(request.json)
            if turn is None:
                return response.json({"detail": "sender and message must be texts"}, status=422)
            return await self._take(turn, on_new_message)

        return routes

    async def _take(self, turn: UserMessage, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> HTTPResponse:
        try:
            await on_new_message(turn)
        # Rasa raises whatever its parts raise. Its own channel logs the text and answers 200 with []; an
        # exception's message may hold the text too, so only its type is logged, and the caller sees a failure.
        except Exception as error:  # noqa: BLE001
            logger.error("turn of %s failed: %s", turn.sender_id, type(error).__name__)
            return response.json({"detail": "the turn failed"}, status=500)
        return response.json(turn.output_channel.messages)


class OrderedOutput(CollectingOutputChannel):
    """Collects the answer, with what is to be shown (`show_…`) before the words that follow it."""

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Rasa itself always sends a response's text before its custom payload."""
        deed = str((message.get("custom") or {}).get("do", ""))
        if deed.startswith("show_"):
            await self.send_custom_json(recipient_id, message.pop("custom"))
        await super().send_response(recipient_id, message)


def read_turn(body: Any) -> UserMessage | None:
    """The turn in a request's body, or None where it is none."""
    if not isinstance(body, dict):
        return None
    sender, text, metadata = body.get("sender"), body.get("message"), body.get("metadata")
    if not isinstance(sender, str) or not sender or not isinstance(text, str):
        return None
    return UserMessage(
        plain(text),
        OrderedOutput(),
        sender,
        input_channel="rest",
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def plain(text: str) -> str:
    """The text as words only: Rasa reads a leading slash as a command, and cannot classify nothing."""
    text = without_surrogates(text).strip()
    return ("／" + text[1:] if text.startswith("/") else text) or "…"

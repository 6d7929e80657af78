"""LINE's webhook: signed, read, durable in the inbox, and only then acknowledged."""

import base64
import hmac
from typing import TYPE_CHECKING

import structlog
from fastapi import APIRouter, Request, Response

from connectors import line_events
from connectors.inbox import Inbox, Unavailable
from storage.clock import Clock
from storage.problems import Problem, body_of
from storage.settings import Settings

if TYPE_CHECKING:
    from connectors.line_channel import LineChannel

log = structlog.get_logger()

BIGGEST_WEBHOOK = 1_000_000


def channel(settings: Settings) -> "LineChannel":
    """What sends to LINE."""
    # Imported here: LINE's SDK takes about a second to load, which a town without LINE need not wait for.
    from connectors.line_channel import LineChannel

    return LineChannel(settings)


def routes(settings: Settings, inbox: Inbox, clock: Clock | None = None) -> APIRouter:
    """POST /line/webhook. 200 means that every event in it is durable."""
    router = APIRouter()
    secret = (settings.line_channel_secret or "").encode()
    at = clock or Clock()

    @router.post("/line/webhook", include_in_schema=False)
    async def webhook(request: Request) -> Response:
        if not settings.line_on:
            raise Problem(404, "LINE is off", "LINEはつながっていません。")
        body = await body_of(request, BIGGEST_WEBHOOK)
        if not _signed(secret, body, request.headers.get("x-line-signature", "")):
            raise Problem(401, "Bad signature", "署名が正しくありません。")
        await _take_in(body, inbox, at)
        return Response()

    return router


def _signed(secret: bytes, body: bytes, signature: str) -> bool:
    ours = base64.b64encode(hmac.digest(secret, body, "sha256"))
    # As bytes: on text with other characters than ASCII compare_digest raises.
    return hmac.compare_digest(ours, signature.encode("utf-8", "replace"))


async def _take_in(body: bytes, inbox: Inbox, clock: Clock) -> None:
    try:
        events, again = line_events.read(body, clock)
    except line_events.NotAWebhook:
        raise Problem(400, "Not a webhook", "LINEの形式ではありません。") from None
    if again:
        log.info("line.redelivered", events=again)
    if not events:
        return
    try:
        await inbox.accept(events)
    except Unavailable:
        # Not acknowledged, so LINE delivers it again (where the town has switched redelivery on, as set-up says).
        raise Problem(
            503, "Not stored", "いまは受け取れません。あとでもう一度送ってください。", {"Retry-After": "5"}
        ) from None

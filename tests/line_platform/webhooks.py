"""What LINE posts to a bot: events as its documentation shows them, signed, with redelivery and disorder."""

import base64
import hashlib
import hmac
import json
import random
import secrets
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from storage.clock import Clock

ANSWER_WITHIN_S = 2.0
BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class Webhook:
    """One delivered event. `status` is the bot's last answer: None when none came within 2 s."""

    event: dict[str, Any]
    status: int | None = None
    seconds: float = 0.0

    @property
    def user(self) -> str:
        """Who caused it."""
        return str(self.event["source"].get("userId", ""))

    @property
    def message_id(self) -> str:
        """The id of the message in it."""
        return str(self.event["message"]["id"])

    @property
    def acknowledged(self) -> bool:
        """Whether the bot took it."""
        return self.status is not None and 200 <= self.status < 300


class Sender:
    """Posts webhooks to the bot's address and remembers what became of each.

    `redelivers`: how often it posts by itself what was not taken, as LINE does where the town has switched that on.
    """

    def __init__(self, url: str, secret: str, clock: Clock, redelivers: int = 0) -> None:
        self.url, self._secret, self._clock, self._redelivers = url, secret.encode(), clock, redelivers
        self.sent: list[Webhook] = []
        self._session: aiohttp.ClientSession | None = None

    def event(self, user: str, type_: str, **more: Any) -> dict[str, Any]:
        """An event as LINE words it; `more` adds to it or replaces parts of it."""
        return {
            "type": type_,
            "mode": "active",
            "timestamp": int(self._clock.now().timestamp() * 1000),
            "source": {"type": "user", "userId": user},
            "webhookEventId": ulid(self._clock),
            "deliveryContext": {"isRedelivery": False},
            **more,
        }

    async def deliver(self, event: dict[str, Any]) -> Webhook:
        """Posts one event, and keeps it for redelivery."""
        webhook = Webhook(event)
        self.sent.append(webhook)
        await self._try(webhook)
        if not webhook.acknowledged:
            await self._again(webhook, self._redelivers)
        return webhook

    async def redeliver(self, everything: bool = False, shuffled: bool = True) -> int:
        """Posts again, once, what the bot did not take (or everything, as LINE sometimes does). How many it took."""
        again = [webhook for webhook in self.sent if everything or not webhook.acknowledged]
        if shuffled:
            random.shuffle(again)
        for webhook in again:
            await self._again(webhook, max(1, self._redelivers))
        return sum(webhook.acknowledged for webhook in again)

    async def post(self, events: list[dict[str, Any]]) -> int | None:
        """Posts events as one signed webhook; the status, or None when the bot did not answer within 2 s."""
        return await self.post_bytes(json.dumps({"destination": "U" + "0" * 32, "events": events}).encode())

    async def post_bytes(self, body: bytes, signature: str | None = None) -> int | None:
        """Posts any bytes, signed rightly unless a signature is given."""
        headers = {"Content-Type": "application/json", "X-Line-Signature": signature or self.sign(body)}
        self._session = self._session or aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN_S), connector=aiohttp.TCPConnector(limit=0)
        )
        try:
            async with self._session.post(self.url, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    def sign(self, body: bytes) -> str:
        """The signature of a body with the channel's secret."""
        return base64.b64encode(hmac.digest(self._secret, body, hashlib.sha256)).decode()

    async def close(self) -> None:
        """Lets go of the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _again(self, webhook: Webhook, most: int) -> None:
        webhook.event["deliveryContext"] = {"isRedelivery": True}
        for _ in range(most):
            await self._try(webhook)
            if webhook.acknowledged:
                break

    async def _try(self, webhook: Webhook) -> None:
        began = time.perf_counter()
        webhook.status = await self.post([webhook.event])
        webhook.seconds = time.perf_counter() - began


def ulid(clock: Clock) -> str:
    """An id in the form of LINE's webhook event ids: time first, then chance."""
    number = int(clock.now().timestamp() * 1000) << 80 | secrets.randbits(80)
    return "".join(BASE32[number >> shift & 31] for shift in range(125, -1, -5))

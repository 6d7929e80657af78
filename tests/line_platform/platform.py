"""The stand-in itself: reply tokens, retry keys, quota and rate, faults on demand, and who received what."""

import asyncio
import contextlib
import itertools
import secrets
import socket
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import uvicorn

from storage.clock import Clock
from storage.settings import Settings
from tests.line_platform import app, rules
from tests.line_platform.webhooks import Sender, Webhook

CHANNEL_SECRET = "stand-in-channel-secret"
CHANNEL_TOKEN = "stand-in-channel-token"
TOKEN_LIFE = timedelta(minutes=1)
RETRY_KEY_LIFE = timedelta(hours=24)
MONTHLY_LIMIT = "You have reached your monthly limit."
RATE_LIMIT = "The API rate limit has been exceeded. Try again later."
BAD_TOKEN = (
    "Authentication failed due to the following reason: invalid token. "
    "Confirm that the access token in the authorization header is valid."
)


def settings(api_base: str = "http://127.0.0.1:9", **more: Any) -> Settings:
    """Settings of a service whose LINE is the stand-in (or, without an address, nobody)."""
    return Settings.read(
        _env_file=None,
        line_channel_secret=CHANNEL_SECRET,
        line_channel_access_token=CHANNEL_TOKEN,
        line_api_base=api_base,
        **more,
    )


@dataclass
class Answer:
    """What LINE answers to a call."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Line:
    """One line of a talk, as it stands on the resident's phone."""

    id: str
    by: str  # "user" or "bot"
    kind: str
    text: str
    at: datetime
    via: str = ""  # "reply" or "push"
    request_id: str = ""
    choices: tuple[tuple[str, str], ...] = ()  # (label, what a tap writes)
    links: tuple[tuple[str, str], ...] = ()  # (label, what a tap opens)
    wishes: tuple[tuple[str, str], ...] = ()  # (label, what a tap tells the bot, unseen)


@dataclass
class Fault:
    """What goes wrong with one of the next calls. `accepted`: LINE took the message. No status: no answer at all."""

    status: int | None
    accepted: bool
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class _Token:
    user: str
    issued_at: datetime
    used: bool = False


class LinePlatform:
    """`async with LinePlatform(webhook_url) as line: await line.say("U…", "こんにちは")`.

    `quota` is the month's number of pushes, None for no limit; `rate` the calls a second. The clock decides how old
    a reply token is. `redelivers`: how often it posts again by itself what the bot did not take.
    """

    def __init__(
        self,
        webhook_url: str = "http://127.0.0.1:8000/line/webhook",
        *,
        clock: Clock | None = None,
        quota: int | None = 200,
        rate: int = 2_000,
        port: int = 0,
        redelivers: int = 0,
    ) -> None:
        self.clock = clock or Clock()
        self.webhooks = Sender(webhook_url, CHANNEL_SECRET, self.clock, redelivers)
        self.quota, self.rate = quota, rate
        self.used = 0
        self.calls: dict[str, int] = defaultdict(int)
        #: Calls that broke a rule of LINE's: a correct bot has none.
        self.violations: list[str] = []
        #: Replies whose token was used up or too old.
        self.dead_tokens = 0
        self.blocked: set[str] = set()
        self.typing: dict[str, datetime] = {}
        self.talks: dict[str, list[Line]] = defaultdict(list)
        self.stopping = asyncio.Event()
        self.delay_s = 0.0
        self._tokens: dict[str, _Token] = {}
        self._accepted: dict[str, tuple[datetime, str, dict[str, Any]]] = {}
        self._faults: deque[Fault] = deque()
        self._numbers = itertools.count(500_000_000_000_000_000)
        #: One bucket a second, by the clock.
        self._second, self._in_second = 0, 0
        self._port = port
        self._server = _Server(uvicorn.Config(app.create(self), log_level="warning", ws="none"))
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens, on a free port unless one was given. Raises OSError when that one is taken."""
        listening = socket.create_server(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stops listening; calls that were never to be answered end."""
        self.stopping.set()
        self._server.should_exit = True
        if self._serving:
            await self._serving
        await self.webhooks.close()

    @property
    def base_url(self) -> str:
        """For UKETOME_LINE_API_BASE."""
        return f"http://127.0.0.1:{self._port}"

    # What residents do

    async def say(self, user: str, text: str) -> Webhook:
        """The resident writes a text."""
        return await self._write(user, {"type": "text", "text": text, "quoteToken": secrets.token_urlsafe(24)})

    async def say_in_a_row(self, user: str, texts: Sequence[str]) -> int:
        """The resident writes several texts faster than LINE delivers: one webhook, delivered until the bot takes it.
        The bot's status."""
        contents = ({"type": "text", "text": text, "quoteToken": secrets.token_urlsafe(24)} for text in texts)
        events = [self._written(user, content) for content in contents]
        while (status := await self.webhooks.post(events)) is None or status >= 500:
            pass
        return status

    async def send(self, user: str, kind: str, **more: Any) -> Webhook:
        """The resident sends a sticker, image, video, audio, file or location."""
        return await self._write(user, {"type": kind, **(SAMPLES.get(kind, {})), **more})

    async def unsend(self, user: str, message_id: str) -> Webhook:
        """The resident takes a message back. There is no reply token in this event."""
        self.talks[user] = [line for line in self.talks[user] if line.id != message_id]
        return await self.webhooks.deliver(self.webhooks.event(user, "unsend", unsend={"messageId": message_id}))

    async def follow(self, user: str) -> Webhook:
        """The resident adds the account, or unblocks it."""
        self.blocked.discard(user)
        event = self.webhooks.event(user, "follow", replyToken=self.issue_token(user), follow={"isUnblocked": False})
        return await self.webhooks.deliver(event)

    async def unfollow(self, user: str) -> Webhook:
        """The resident blocks the account."""
        self.blocked.add(user)
        return await self.webhooks.deliver(self.webhooks.event(user, "unfollow"))

    async def postback(self, user: str, data: str) -> Webhook:
        """The resident taps a button of a rich menu."""
        event = self.webhooks.event(user, "postback", replyToken=self.issue_token(user), postback={"data": data})
        return await self.webhooks.deliver(event)

    async def verify(self) -> int | None:
        """The "Verify" button of LINE's console: no events. The bot's status."""
        return await self.webhooks.post([])

    async def redeliver(self, everything: bool = False) -> int:
        """Delivers again, shuffled, what was not acknowledged (or everything). How many were acknowledged now."""
        return await self.webhooks.redeliver(everything)

    # What goes wrong on demand

    def fail_next(self, calls: int = 1, status: int = 500, message: str = "", retry_after: int | None = None) -> None:
        """The next replies or pushes are refused with this status."""
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        self._faults.extend(Fault(status, False, message, headers) for _ in range(calls))

    def accept_then_time_out(self, calls: int = 1) -> None:
        """The next replies or pushes are delivered to the resident, but the bot never hears so."""
        self._faults.extend(Fault(None, True) for _ in range(calls))

    def accept_then_fail(self, calls: int = 1, status: int = 500) -> None:
        """The next replies or pushes are delivered to the resident, but answered with an error."""
        self._faults.extend(Fault(status, True) for _ in range(calls))

    def time_out(self, calls: int = 1) -> None:
        """The next replies or pushes are neither delivered nor answered."""
        self._faults.extend(Fault(None, False) for _ in range(calls))

    def slow(self, seconds: float) -> None:
        """Every answer takes this long from now on."""
        self.delay_s = seconds

    # What residents received

    def received(self, user: str) -> list[str]:
        """The texts that stand on the resident's phone from the bot, in order."""
        return [line.text for line in self.talks[user] if line.by == "bot"]

    def links(self, user: str) -> list[str]:
        """The addresses behind the buttons that the phone shows, oldest first."""
        return [address for line in self.talks[user] for _, address in line.links]

    def choices(self, user: str) -> list[str]:
        """The quick replies that the phone shows now: those of the last line, if the bot wrote it."""
        talk = self.talks[user]
        return [label for label, _ in talk[-1].choices] if talk and talk[-1].by == "bot" else []

    # LINE's calls (app.py reads HTTP, this decides)

    def reply(self, body: dict[str, Any], retry_key: str | None) -> Answer:
        """POST /v2/bot/message/reply."""
        if retry_key is not None:
            return self.refuse("reply", [("X-Line-Retry-Key", "is not supported by this endpoint")])
        if wrong := rules.wrong_messages(body.get("messages")):
            return self.refuse("reply", wrong)
        token = self._tokens.get(str(body.get("replyToken")))
        if token is None or token.used or self.clock.now() - token.issued_at > TOKEN_LIFE:
            self.dead_tokens += 1
            return Answer(400, {"message": "Invalid reply token"})
        token.used = True
        return self._take("reply", token.user, body["messages"])

    def push(self, body: dict[str, Any], retry_key: str | None) -> Answer:
        """POST /v2/bot/message/push."""
        to = str(body.get("to"))
        wrong = rules.wrong_retry_key(retry_key) + rules.wrong_messages(body.get("messages"))
        if wrong or not to.startswith("U"):
            return self.refuse("push", wrong or [("to", "is not a user ID")])
        if retry_key and (before := self._accepted.get(retry_key)) and self.clock.now() - before[0] < RETRY_KEY_LIFE:
            said = {"message": "The retry key is already accepted", **before[2]}
            return Answer(409, said, {"X-Line-Accepted-Request-Id": before[1]})
        if self.quota is not None and self.used >= self.quota:
            return Answer(429, {"message": MONTHLY_LIMIT})
        self.used += 1
        answer = self._take("push", to, body["messages"])
        if retry_key:
            self._accepted[retry_key] = (self.clock.now(), answer.headers["X-Line-Request-Id"], answer.body)
        return answer

    def loading(self, body: dict[str, Any], _retry_key: str | None = None) -> Answer:
        """POST /v2/bot/chat/loading/start."""
        if wrong := rules.wrong_loading(body):
            return self.refuse("loading", wrong)
        self.calls["loading"] += 1
        self.typing[body["chatId"]] = self.clock.now() + timedelta(seconds=body.get("loadingSeconds", 20))
        return Answer(202)

    def refuse(self, call: str, wrong: list[rules.Wrong]) -> Answer:
        """A call that breaks a rule: 400, and remembered as a violation."""
        self.violations.append(f"{call}: " + "; ".join(f"{where} {what}" for where, what in wrong))
        details = [{"property": where, "message": what} for where, what in wrong]
        return Answer(400, {"message": f"The request body has {len(wrong)} error(s)", "details": details})

    def at_the_door(self, authorization: str | None) -> Answer | None:
        """What every call is refused for: a wrong token, or too many calls in this second."""
        if authorization != f"Bearer {CHANNEL_TOKEN}":
            self.violations.append("authorization: not the channel's token")
            return Answer(401, {"message": BAD_TOKEN})
        second = int(self.clock.now().timestamp())
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        return Answer(429, {"message": RATE_LIMIT}) if self._in_second > self.rate else None

    def next_fault(self) -> Fault | None:
        """What is to go wrong with this call."""
        return self._faults.popleft() if self._faults else None

    def issue_token(self, user: str) -> str:
        """A reply token for an event of this user."""
        token = secrets.token_hex(16)
        self._tokens[token] = _Token(user, self.clock.now())
        return token

    async def _write(self, user: str, message: dict[str, Any]) -> Webhook:
        return await self.webhooks.deliver(self._written(user, message))

    def _written(self, user: str, message: dict[str, Any]) -> dict[str, Any]:
        message = {"id": str(next(self._numbers)), **message}
        self.talks[user].append(Line(message["id"], "user", message["type"], message.get("text", ""), self.clock.now()))
        return self.webhooks.event(user, "message", replyToken=self.issue_token(user), message=message)

    def _take(self, via: str, user: str, messages: list[dict[str, Any]]) -> Answer:
        self.calls[via] += 1
        self.typing.pop(user, None)
        request_id = secrets.token_hex(8)
        lines = list(self._lines(via, messages, request_id))
        # LINE takes messages to people who blocked the account, and does not deliver them.
        if user not in self.blocked:
            self.talks[user].extend(lines)
        sent = [{"id": line.id, "quoteToken": "q" + line.id} for line in lines]
        return Answer(200, {"sentMessages": sent}, {"X-Line-Request-Id": request_id})

    def _lines(self, via: str, messages: list[dict[str, Any]], request_id: str) -> Iterator[Line]:
        for message in messages:
            if message["type"] == "template":
                yield self._box(via, message, request_id)
                continue
            items = message.get("quickReply", {}).get("items", [])
            choices = tuple((item["action"]["label"], item["action"]["text"]) for item in items)
            yield Line(
                str(next(self._numbers)), "bot", "text", message["text"], self.clock.now(), via, request_id, choices
            )

    def _box(self, via: str, message: dict[str, Any], request_id: str) -> Line:
        box = message["template"]
        links = tuple((one["label"], one["uri"]) for one in box["actions"] if one["type"] == "uri")
        wishes = tuple((one["label"], one["data"]) for one in box["actions"] if one["type"] == "postback")
        id_, now = str(next(self._numbers)), self.clock.now()
        return Line(id_, "bot", "template", box["text"], now, via, request_id, links=links, wishes=wishes)


#: What the events carry beside their type and id.
SAMPLES: dict[str, dict[str, Any]] = {
    "sticker": {"packageId": "446", "stickerId": "1988", "stickerResourceType": "STATIC", "keywords": ["cony", "sad"]},
    "image": {"contentProvider": {"type": "line"}, "quoteToken": "q"},
    "video": {"contentProvider": {"type": "line"}, "duration": 60000, "quoteToken": "q"},
    "audio": {"contentProvider": {"type": "line"}, "duration": 60000},
    "file": {"fileName": "通知書.pdf", "fileSize": 2138},
    "location": {"title": "いまいるところ", "address": "うけとめ市本町1-1", "latitude": 35.0, "longitude": 139.0},
}


class _Server(uvicorn.Server):
    """A server beside other things in one event loop: it leaves the process's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

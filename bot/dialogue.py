"""What to say next: asks Rasa. The only file of the service that knows Rasa.

Rasa's REST channel answers 200 with an empty list after an exception of its own, so an answer counts only when it
has something to say and nothing else in it; everything else is RasaUnusable, and bot/reception speaks.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

LONGEST_TEXT = 1000
MOST_TEXTS = 4
MOST_CHOICES = 13
LAST_WORDS = 200
#: After a failure Rasa is left alone this long: nobody shall wait for the time-out again and again.
REST_S = 5.0

DOES = frozenset(
    {
        "show_hotlines",
        "show_summary",
        "show_when",
        "show_desks",
        "ask_desk",
        "lacks_desk",
        "resume",
        "offer_services",
        "offer_person",
        "finish",
        "delete_request",
        "skip",
        "aside",
        "correct",
        "consent",
    }
)


class RasaUnusable(Exception):
    """Rasa was silent, late, or said something that cannot be shown. The message carries no resident's words."""


@dataclass(frozen=True)
class Line:
    """One thing of an answer, in its order: a text with choices, or something to do (`do`)."""

    text: str = ""
    choices: tuple[str, ...] = ()
    do: str | None = None


@dataclass(frozen=True)
class Answer:
    """What Rasa said. `asks`: the topic of its question. `share`: the resident's consent, where it was told now."""

    lines: tuple[Line, ...]
    asks: str | None = None
    share: bool | None = None
    does: frozenset[str] = field(default=frozenset())


class Rasa:
    """A Rasa server on loopback. `say` returns an Answer or raises RasaUnusable within the time-out."""

    def __init__(self, url: str | None, token: str | None, timeout_s: float) -> None:
        self.use(url, token)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._rests_until = 0.0

    def use(self, url: str | None, token: str | None) -> None:
        """Talks to this server from now on; None: there is none."""
        self.url, self._token = url, token

    async def say(self, sender: str, text: str, metadata: Mapping[str, Any]) -> Answer:
        """Asks for the next words. Only the last 200 characters are sent: more is not needed to tell an intent."""
        if self.url is None:
            raise RasaUnusable("no Rasa is set")
        if time.monotonic() < self._rests_until:
            raise RasaUnusable("Rasa failed a moment ago")
        try:
            return read_answer(await self._ask(sender, plain_text(text), metadata))
        except RasaUnusable:
            self._rests_until = time.monotonic() + REST_S
            raise

    async def ready(self) -> bool:
        """Whether Rasa answers at all; ends the rest after a failure when it does."""
        try:
            async with self._http().get(f"{self.url}/webhooks/rest/", headers=self._headers) as response:
                if response.status == 200:
                    self._rests_until = 0.0
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def close(self) -> None:
        """Ends the connections."""
        if self._session:
            await self._session.close()

    async def _ask(self, sender: str, text: str, metadata: Mapping[str, Any]) -> object:
        body = {"sender": sender, "message": text, "metadata": dict(metadata)}
        try:
            try:
                return await self._post(body)
            except aiohttp.ServerDisconnectedError:
                # Rasa ends connections that were idle, and may end this one as we use it: a new one will do.
                return await self._post(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
            raise RasaUnusable(f"Rasa did not answer: {type(error).__name__}") from None

    async def _post(self, body: Mapping[str, Any]) -> object:
        async with self._http().post(f"{self.url}/webhooks/rest/webhook", json=body, headers=self._headers) as response:
            if response.status != 200:
                raise RasaUnusable(f"Rasa answered {response.status}")
            return json.loads(await response.read())

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session


def plain_text(text: str) -> str:
    """What Rasa gets to read: the last words, and never a command of its own (those begin with "/")."""
    last = text.strip()[-LAST_WORDS:].lstrip()
    last = last.encode("utf-8", "replace").decode("utf-8")
    return "／" + last[1:] if last.startswith("/") else last.replace("EXTERNAL: ", "", 1) or "…"


def read_answer(said: object) -> Answer:
    """Rasa's list of messages as an Answer. Raises RasaUnusable for anything that cannot be shown to a resident."""
    if not isinstance(said, list) or not said:
        raise RasaUnusable("Rasa said nothing")
    lines: list[Line] = []
    asks, share = None, None
    for part in said:
        if not isinstance(part, dict):
            raise RasaUnusable("Rasa's answer has a part that is no message")
        if "text" in part:
            lines.append(_text_line(part))
        custom = part.get("custom")
        if isinstance(custom, dict):
            asks = _string(custom.get("ask")) or asks
            share = custom["share"] if isinstance(custom.get("share"), bool) else share
            # A list where several things are done at once: the end of a talk, and what is named there.
            done = custom.get("do")
            lines += [Line(do=one) for one in (done if isinstance(done, list) else [done]) if one in DOES]
    if not 1 <= sum(1 for line in lines if line.text) <= MOST_TEXTS:
        raise RasaUnusable("Rasa's answer has no text, or too many")
    return Answer(tuple(lines), asks, share, frozenset(line.do for line in lines if line.do))


def _text_line(part: dict[str, Any]) -> Line:
    text = part["text"]
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
        raise RasaUnusable("Rasa's answer has a text that cannot be shown")
    buttons = part.get("buttons") or []
    titles = (
        [button.get("title") for button in buttons if isinstance(button, dict)] if isinstance(buttons, list) else []
    )
    return Line(text.strip(), tuple(title for title in titles if isinstance(title, str) and title)[:MOST_CHOICES])


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

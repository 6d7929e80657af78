"""Parts of a page that keep themselves new: server-sent events, one for each part whose HTML has changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from fastapi.responses import StreamingResponse
from sqlalchemy.exc import DBAPIError

from handoff.pages import digest
from storage.bells import Bells, in_time
from storage.database import unavailable

#: A part's name → its HTML; None when whoever looks may not look any more.
Parts = Mapping[str, str]
Look = Callable[[], Awaitable[Parts | None]]

STAMP = '<template data-digest="'
#: Without a bell a look is taken all the same: for other processes, and because waiting times grow.
LOOK_EVERY_S = 3.0
#: Bells that ring within this time are one look: a burst of messages must not render the page for each.
GATHER_S = 0.2


def known(parts: Parts) -> str:
    """What a browser has, in a form that it can hand back (`?seen=`, `Last-Event-ID`)."""
    return ".".join(known_as(parts[name]) for name in sorted(parts))


def stamped(html: str, of: str | None = None) -> str:
    """The part with its digest inside, so that a browser that has it already (from its own click) lets it stand.

    `of`: what the digest is made of instead, where the part holds something whose change is no news to the browser.
    """
    return f'{STAMP}{digest(html if of is None else of)}"></template>{html}'


def known_as(html: str) -> str:
    """What the part is compared by."""
    return html[len(STAMP) :].partition('"')[0] if html.startswith(STAMP) else digest(html)


def stream(look: Look, bells: Bells, name: str, seen: str) -> StreamingResponse:
    """The events of a page whose browser has `seen`, until it leaves."""
    return StreamingResponse(
        events(look, bells, name, seen), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def events(look: Look, bells: Bells, name: str, seen: str) -> AsyncIterator[str]:
    """The text of the stream. Ends with the event `gone` when the session has ended."""
    have = set(seen.split("."))
    with bells.listening(name) as rung:
        while True:
            rung.clear()  # first, so that what happens during the look leads to another
            try:
                parts = await look()
            except DBAPIError as error:
                if not unavailable(error):
                    raise
                parts = {}  # the next look may do better
            if parts is None:
                yield _event("gone", "", "gone")
                return
            for part, html in parts.items():
                if known_as(html) not in have:
                    yield _event(part, html, known(parts))
            have = {known_as(html) for html in parts.values()} or have
            yield ":\n\n"  # a comment: a browser that is gone is noticed by writing to it
            if await in_time(rung, LOOK_EVERY_S):
                await asyncio.sleep(GATHER_S)


def _event(name: str, html: str, id_: str) -> str:
    data = "\n".join(f"data: {line}" for line in html.splitlines() or [""])
    return f"event: {name}\nid: {id_}\n{data}\n\n"

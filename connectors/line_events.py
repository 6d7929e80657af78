"""LINE's webhook JSON, read into typed values at the door; nothing behind it knows LINE's field names.

Read by hand and not with the SDK's parser: that one refuses a whole webhook for one value that is new to it, and drops
the words of a message that lacks a field. It also takes five times as long (45 µs against 9).
"""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from connectors.base import Inbound
from storage.clock import Clock
from storage.texts import clean

#: What the columns of an id hold. LINE's own ids have 18 to 33 characters.
LONGEST_ID = 80
YEAR_2100_MS = 4_102_444_800_000
#: What the door's button says when it is tapped: no words of the resident's, only the wish for a new link.
LINK_WANTED = "uketome-link"

Json = dict[str, Any]
Content = tuple[str, str, str | None]  # (kind, the resident's words, the id of the message)


class NotAWebhook(Exception):
    """The body is not what LINE sends."""


def read(body: bytes, clock: Clock) -> tuple[list[Inbound], int]:
    """The events that concern us, in their order, and how many of them LINE delivers again."""
    try:
        webhook = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAWebhook from None
    if not isinstance(webhook, dict) or not isinstance(webhook.get("events"), list):
        raise NotAWebhook
    events = [event for event in webhook["events"] if isinstance(event, dict)]
    inbound = [read_one for event in events if (read_one := _event(event, clock))]
    return inbound, sum(bool(_part(event, "deliveryContext").get("isRedelivery")) for event in events)


def _event(event: Json, clock: Clock) -> Inbound | None:
    # In standby another system holds this channel, and answering would be a second voice.
    if event.get("mode") == "standby":
        return None
    # Only talks of two. In a group everybody would read what one person confides, also where LINE names that person.
    source = _part(event, "source")
    address = _id(source.get("userId"))
    if source.get("type") != "user" or address is None:
        return None
    # Types that we do not know (LINE adds some every year) carry nothing a resident wrote: taken and dropped.
    reader = READERS.get(str(event.get("type")))
    if reader is None:
        return None
    kind, text, message_id = reader(event)
    return Inbound(
        channel="line",
        event_id=_id(event.get("webhookEventId")) or _fingerprint(event),
        address=address,
        kind=kind,
        written_at=_instant(event.get("timestamp"), clock),
        text=text,
        message_id=message_id,
        # Also from a redelivered event, where it is older: the outbox decides by its age.
        reply_token=_id(event.get("replyToken")),
    )


def _message(event: Json) -> Content:
    message = _part(event, "message")
    kind, words = CONTENTS.get(str(message.get("type")), UNKNOWN_CONTENT)
    said = "\n".join(clean(part) for name in words if isinstance(part := message.get(name), str) and part)
    return kind, said, _id(message.get("id"))


def _unsend(event: Json) -> Content:
    return "unsend", "", _id(_part(event, "unsend").get("messageId"))


def _postback(event: Json) -> Content:
    # A tap on a button of the town's menu. `displayText=` in its data is what the button says in the resident's name.
    data = clean(str(_part(event, "postback").get("data", "")))
    if data == LINK_WANTED:
        return "link", "", None
    return "text", parse_qs(data).get("displayText", [data])[0], None


#: The type of a message: what we call it, and which of its parts are the resident's words.
CONTENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "text": ("text", ("text",)),
    "sticker": ("sticker", ()),
    "image": ("image", ()),
    "video": ("video", ()),
    "audio": ("audio", ()),
    "file": ("file", ("fileName",)),
    "location": ("location", ("title", "address")),
}
#: Something that LINE has invented since: thanked for like a file, and shown to a person. Nothing is lost silently.
UNKNOWN_CONTENT: tuple[str, tuple[str, ...]] = ("file", ())

READERS: dict[str, Callable[[Json], Content]] = {
    "message": _message,
    "unsend": _unsend,
    "postback": _postback,
    "follow": lambda _event: ("follow", "", None),
    "unfollow": lambda _event: ("unfollow", "", None),
}


def _part(event: Json, name: str) -> Json:
    part = event.get(name)
    return part if isinstance(part, dict) else {}


def _id(value: Any) -> str | None:
    """An id that can be stored as it is, or None: a changed id would name something else."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable() else None


def _instant(milliseconds: Any, clock: Clock) -> datetime:
    if isinstance(milliseconds, int) and 0 < milliseconds < YEAR_2100_MS:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return clock.now()


def _fingerprint(event: Json) -> str:
    """Stands for a missing event id; the same when the event is delivered again."""
    same = {name: value for name, value in event.items() if name != "deliveryContext"}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()

"""What every channel speaks: what comes in, what goes out, and how sending fails."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Inbound:
    """One event from a resident, as a channel's connector read it.

    `kind`: text, sticker, image, video, audio, file, location, follow (came to the account), unfollow (blocked it),
    unsend (took a message back; `message_id` names it), link (asked for a new link to the page). `event_id` is the
    channel's own and stays the same when the event is delivered again. `conversation_id`: where the connector knows
    it; otherwise it is found, or made, by channel and address.
    """

    channel: str
    event_id: str
    address: str
    kind: str
    written_at: datetime
    text: str = ""
    message_id: str | None = None
    reply_token: str | None = None
    conversation_id: str | None = None


@dataclass(frozen=True)
class Button:
    """A button that opens a page, and beneath it one that asks for a new such button. The address works once."""

    label: str
    address: str
    renew: str


@dataclass(frozen=True)
class Said:
    """One message to a resident; `choices` are offered as buttons and never the only way to answer."""

    text: str
    choices: tuple[str, ...] = ()
    button: Button | None = None


@dataclass(frozen=True)
class Outbound:
    """One call to a channel: at most five messages (a turn says fewer)."""

    address: str
    messages: tuple[Said, ...]
    retry_key: str
    #: Set while the token can still be used; then the call is a reply, else a push.
    reply_token: str | None = None


@dataclass
class SendError(Exception):
    """A call that did not deliver. One loop obeys it (outbox); the channel only classifies.

    `ambiguous`: the call may have arrived all the same (no answer came, or a server error).
    `retryable`: the same call may succeed later. `token_gone`: the reply token is used up or too old, push instead.
    `sentence` is for staff and carries no resident's words. `retry_after` in seconds, where the channel says so.
    """

    sentence: str
    retryable: bool
    token_gone: bool = False
    retry_after: float | None = None
    ambiguous: bool = False
    code: int | None = field(default=None)

    def __str__(self) -> str:
        return self.sentence


class Channel(Protocol):
    """What the outbox needs of a channel."""

    name: str

    async def send(self, outbound: Outbound) -> None:
        """Delivers, or raises SendError. A call that was accepted before counts as delivered."""

    async def show_typing(self, address: str) -> None:
        """Shows that an answer is being written; failing to is no failure of anything."""

    async def close(self) -> None:
        """Ends the connections."""

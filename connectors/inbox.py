"""The inbox: what a resident sent is in the database before anybody is told that it arrived."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, bindparam, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.words import words
from connectors.base import Inbound
from handoff.forget import QUOTES, forget, unquote
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database, insert_new, unavailable
from storage.models import Case, Conversation, Message, new_id

#: LINE counts a webhook as failed after 2 s; an answer that it may redeliver must come before.
ACCEPT_WITHIN_S = 1.5

# Locked (on PostgreSQL) until the commit. So the ids of one talk's messages are given in the order of their commits,
# which a browser that asks for "what came after this one" relies on; and a turn and an unsend wait for each other.
KNOWN_CONVERSATION = (
    select(Conversation.id)
    .where(Conversation.channel == bindparam("channel"), Conversation.address == bindparam("address"))
    .with_for_update()
)
NAMED_CONVERSATION = select(Conversation.id).where(Conversation.id == bindparam("named")).with_for_update()
UNSEND_OF = select(Message.id).where(
    Message.conversation_id == bindparam("conversation_id"),
    Message.channel_message_id == bindparam("channel_message_id"),
    Message.kind == "unsend",
)
KNOWN_MESSAGE = select(Message.id).where(
    Message.channel == bindparam("channel"), Message.event_id == bindparam("event_id")
)


class Unavailable(Exception):
    """The database took nothing: acknowledge nothing, so that the sender sends again."""


@dataclass(frozen=True)
class Accepted:
    """Where an event lies now. `new` is False when it had been delivered before."""

    message_id: int
    conversation_id: str
    new: bool


class Inbox:
    """Takes events in. When `accept` returns they are durable, each once."""

    def __init__(self, database: Database, bells: Bells, clock: Clock) -> None:
        self._database, self._bells, self._clock = database, bells, clock

    async def accept(self, events: Sequence[Inbound]) -> list[Accepted]:
        """Writes the events in one transaction. Raises Unavailable when the database is locked, full or gone."""
        now = self._clock.now()
        writing = asyncio.ensure_future(
            self._database.write(lambda session: [_take(session, event, now) for event in events])
        )
        try:
            # Shielded: a write that is late may still happen, and its repetition is absorbed.
            accepted = await asyncio.wait_for(asyncio.shield(writing), ACCEPT_WITHIN_S)
        except TimeoutError:
            writing.add_done_callback(lambda late: late.cancelled() or late.exception())
            raise Unavailable from None
        except DBAPIError as error:
            if unavailable(error):
                raise Unavailable from error
            raise
        self._bells.ring(bell.INBOX, *(bell.talk(one.conversation_id) for one in accepted))
        return accepted


def _take(session: Session, event: Inbound, now: datetime) -> Accepted:
    conversation_id = _conversation_of(session, event, now)
    row = {
        "conversation_id": conversation_id, "sender": "resident", "kind": event.kind, "text": event.text,
        "channel": event.channel, "event_id": event.event_id, "channel_message_id": event.message_id,
        "reply_token": event.reply_token, "written_at": event.written_at, "received_at": now,
    }  # fmt: skip
    message_id = _run(session, insert_new(_dialect(session), Message), row)
    if message_id is None:
        return Accepted(_run(session, KNOWN_MESSAGE, row), conversation_id, new=False)
    if event.kind in ("follow", "unfollow"):
        _note_blocking(session, conversation_id)
    if event.message_id and (unsend := _run(session, UNSEND_OF, row)):
        _take_back(session, event, conversation_id, unsend, now)
    return Accepted(message_id, conversation_id, new=True)


def _conversation_of(session: Session, event: Inbound, now: datetime) -> str:
    if event.conversation_id and (named := _run(session, NAMED_CONVERSATION, {"named": event.conversation_id})):
        return str(named)
    row = {
        "id": new_id(), "channel": event.channel, "address": event.address, "language": "ja", "created_at": now,
        "talk": {}, "failures": 0,
    }  # fmt: skip
    known = _run(session, KNOWN_CONVERSATION, row)
    if known is None:
        # Another process may insert the same resident at this moment: then ours does nothing and theirs is found.
        _run(session, insert_new(_dialect(session), Conversation), row)
        known = _run(session, KNOWN_CONVERSATION, row)
    return str(known)


def _run(session: Session, statement: Executable, row: Mapping[str, Any]) -> Any:
    # Past the ORM, with statements built once: this is the hottest place of the service.
    return session.connection().execute(statement, row).scalar()


def _dialect(session: Session) -> str:
    return session.connection().dialect.name


def _note_blocking(session: Session, conversation_id: str) -> None:
    # What the resident did last counts, not what came last: LINE may deliver the two in either order.
    kind, written_at = session.execute(
        select(Message.kind, Message.written_at)
        .where(Message.conversation_id == conversation_id, Message.kind.in_(("follow", "unfollow")))
        .order_by(Message.written_at.desc(), Message.id.desc())
        .limit(1)
    ).one()
    blocked_at = written_at if kind == "unfollow" else None
    session.execute(update(Conversation).where(Conversation.id == conversation_id).values(blocked_at=blocked_at))


def _take_back(session: Session, event: Inbound, conversation_id: str, unsend: int, now: datetime) -> None:
    """Removes the words of an unsent message, also where we quoted them, and also when the unsend came first."""
    taken_back = session.scalars(
        select(Message).where(
            Message.conversation_id == conversation_id,
            Message.channel_message_id == event.message_id,
            Message.kind != "unsend",
            Message.unsent_at.is_(None),
        )
    ).all()
    for message in taken_back:
        _unquote(session, conversation_id, message.text)
        if message.case_id:
            forget(session.get_one(Case, message.case_id, with_for_update=True), message.text, words().unsent)
        message.text, message.unsent_at = "", now
    if taken_back:
        # The case was read from these words: the unsend is work for a turn, which reads what remains.
        session.get_one(Message, unsend).handled_at = None


def _unquote(session: Session, conversation_id: str, words_taken_back: str) -> None:
    ours = session.scalars(
        select(Message).where(
            Message.conversation_id == conversation_id,
            Message.sender != "resident",
            or_(*(Message.text.contains(quotes[0]) for quotes in QUOTES)),
        )
    )
    instead = words(session.get_one(Conversation, conversation_id).language).unsent
    for message in ours:
        message.text = unquote(message.text, words_taken_back, instead)

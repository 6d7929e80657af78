"""LINE as a door, towards LINE: nothing of the talk leaves there. The one-time links, and who opened them.

The talk is one conversation, whether its words came over LINE or from the page. Who writes for LINE (a turn, the desk)
need not know of the door: what is due and holds words of the talk is caught here, at the last moment before it leaves.
It stays on the page, and a counselor's answer becomes 「お返事があります」 with a link, once until it was seen.

A link's token stands behind the "#" of its address, which browsers never send: no log and no preview can use it up.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from bot.door import KIND
from bot.words import words
from connectors.base import Button
from connectors.tokens import hash_of
from handoff import case as cases
from storage.database import add_row
from storage.models import Conversation, Delivery, DoorLink, Message
from storage.settings import Settings

PAGE = "/talk"
LINK_LASTS = timedelta(hours=24)
#: Longer than a browser's longest question (25 s): one that listens has seen the answer by then, and no push is spent.
KNOCK_AFTER = timedelta(seconds=30)
ON_THE_PAGE = "LINEには送らず、相談のページに出しました。"
SEEN = "もう読まれたため、知らせませんでした。"


class Shut(Exception):
    """The link does not open; `why` is the key of its words in the language's door block."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class LineDoor:
    """Decides in the outbox what leaves to LINE; in talk mode everything does."""

    def __init__(self, settings: Settings) -> None:
        self._is_door, self._page, self._key = settings.line_is_door, settings.address + PAGE, settings.secret_key

    def lets_out(self, session: Session, delivery: Delivery, conversation: Conversation, now: datetime) -> bool:
        """Whether this delivery leaves now; one that must not is done with, or becomes a knock for later."""
        if not self._is_door or conversation.channel != "line":
            return True
        if _keep_words_in(session, delivery):
            if delivery.voice == cases.COUNSELOR and conversation.knocked_at is None:
                _knock(session, delivery, conversation, now)
            else:
                delivery.done_at, delivery.error = now, ON_THE_PAGE
            return False
        if delivery.voice == cases.KNOCK and conversation.knocked_at is None:
            delivery.done_at, delivery.error = now, SEEN
            return False
        return True

    def button(self, session: Session, conversation_id: str, labels: list[str], now: datetime) -> Button:
        """The button under the door's words, with a new link."""
        session.execute(
            delete(DoorLink).where(
                DoorLink.conversation_id == conversation_id, DoorLink.opened_at.is_(None), DoorLink.expires_at <= now
            )
        )
        token = secrets.token_urlsafe(32)
        session.add(
            DoorLink(
                token_hash=hash_of(token, self._key), conversation_id=conversation_id, created_at=now,
                expires_at=now + LINK_LASTS,
            )
        )  # fmt: skip
        label, renew = labels
        return Button(label, f"{self._page}#{token}", renew)


def _keep_words_in(session: Session, delivery: Delivery) -> bool:
    """Takes the words of the talk out of a delivery; whether there were any."""
    kept = session.execute(
        update(Message).where(Message.delivery_id == delivery.id, Message.kind != KIND).values(delivery_id=None)
    )
    return cast(CursorResult[Any], kept).rowcount > 0


def _knock(session: Session, delivery: Delivery, conversation: Conversation, now: datetime) -> None:
    own = words(conversation.language).door
    case = cases.open_case(session, conversation.id)
    conversation.knocked_at = now
    delivery.voice, delivery.next_at = cases.KNOCK, now + KNOCK_AFTER
    add_row(
        session, Message, conversation_id=conversation.id, case_id=case.id if case else None, sender=cases.BOT,
        kind=KIND, text=own["answered"], choices=[own["read"], own["renew"]], channel=conversation.channel,
        written_at=now, received_at=now, handled_at=now, delivery_id=delivery.id,
    )  # fmt: skip


# Towards the page


def open_link(session: Session, link: str, opener: str, browser: str, now: datetime) -> None:
    """Gives the talk behind a link to the browser that opens it first. Hashes all. Raises Shut.

    `opener` is what the browser calls itself: should our answer get lost on its way, the same one may ask again.
    """
    found = session.get(DoorLink, link, with_for_update=True)
    if found is None or (found.opened_at is None and found.expires_at <= now):
        raise Shut("expired")
    if found.opened_at and found.opener != opener:
        raise Shut("used")
    found.opened_at, found.opener, found.browser = found.opened_at or now, opener, browser
    note_seen(session, found.conversation_id)


def note_seen(session: Session, conversation_id: str, up_to: int | None = None) -> None:
    """The page shows what was answered (up to the message with this id): the next answer is told of on LINE again."""
    answers = select(func.max(Message.id)).where(
        Message.conversation_id == conversation_id, Message.sender == cases.COUNSELOR
    )
    if up_to is None or (session.scalar(answers) or 0) <= up_to:
        session.execute(update(Conversation).where(Conversation.id == conversation_id).values(knocked_at=None))


def close_browser(session: Session, browser: str) -> bool:
    """The quick exit: this browser's token is worthless, and its link opens nothing more. Whether there was one."""
    closed = session.execute(update(DoorLink).where(DoorLink.browser == browser).values(browser=None, opener=None))
    return cast(CursorResult[Any], closed).rowcount == 1

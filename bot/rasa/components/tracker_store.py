"""Where Rasa keeps its conversations: in SQL, without residents' words, reading back little.

The truth about a conversation is in the service's database, and each message's metadata brings what matters.
So only what later turns use is written (what the bot said, so that it does not repeat itself, and that a turn took
place), and only the newest rows are read: a turn costs the same at message 5 and at message 500.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.pool import SingletonThreadPool

KEPT_FOR_S = 2 * 24 * 3600
REMEMBERED = 80  # newest bot utterances that are read back: some forty turns, in which no wording comes twice


class ForgetfulTrackerStore(SQLTrackerStore):
    """An SQLTrackerStore that keeps no text of a resident, and little of anything else."""

    def __init__(
        self, domain: Domain | None = None, host: str = "", event_broker: EventBroker | None = None, **ignored: Any
    ) -> None:
        """`host` (Rasa's name for endpoints.yml's `url`) is an SQLAlchemy address."""
        if host.startswith("sqlite:///"):
            Path(host[len("sqlite:///") :]).parent.mkdir(parents=True, exist_ok=True)
        super().__init__(domain, host=host, event_broker=event_broker)
        if self.engine.dialect.name == "sqlite":
            self._use_sqlite_lightly()
        self.forget(before=time.time() - KEPT_FOR_S)

    def _use_sqlite_lightly(self) -> None:
        # One connection kept open: SQLAlchemy 1.4 would open the file anew for each turn.
        # synchronous=OFF: losing the last turns here at a power cut costs a repeated sentence, not a resident's words.
        self.engine.dispose()
        self.engine = sa.create_engine(self.engine.url, poolclass=SingletonThreadPool, connect_args={"timeout": 30})

        @sa.event.listens_for(self.engine, "connect")
        def set_pragmas(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")

        self.sessionmaker.configure(bind=self.engine)

    def forget(self, before: float) -> None:
        """Deletes what is older than `before` (seconds since 1970)."""
        events = self.SQLEvent.__table__
        with self.engine.begin() as connection:
            connection.execute(events.delete().where(events.c.timestamp < before))

    async def create_tracker(self, sender_id: str, append_action_listen: bool = True) -> DialogueStateTracker:
        """A new conversation, already listening: Rasa's session start would cost an action and says nothing."""
        return self._listening(sender_id, [])

    async def _retrieve(self, sender_id: str, fetch_events_from_all_sessions: bool) -> DialogueStateTracker | None:
        events = self.SQLEvent.__table__
        query = (
            sa.select(events.c.data)
            .where(events.c.sender_id == sender_id, events.c.type_name == BotUttered.type_name)
            .order_by(events.c.id.desc())
            .limit(REMEMBERED)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(query).scalars().all()
        return self._listening(sender_id, [BotUttered(json.loads(row)["text"]) for row in reversed(rows)])

    def _listening(self, sender_id: str, said: list[Event]) -> DialogueStateTracker:
        tracker = self.init_tracker(sender_id)
        tracker.update_with_events([*said, ActionExecuted(ACTION_LISTEN_NAME)], self.domain)
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Writes what this turn added. What stands before its user message was read from here."""
        turn = since_latest_message(tracker)
        if turn:
            rows = [self._row(tracker.sender_id, event) for event in turn]
            with self.engine.begin() as connection:
                connection.execute(self.SQLEvent.__table__.insert(), rows)

    def _row(self, sender_id: str, event: Event) -> dict[str, Any]:
        said = isinstance(event, BotUttered)
        return {
            "sender_id": sender_id,
            "type_name": event.type_name,
            "timestamp": event.timestamp,
            "intent_name": None if said else event.intent_name,
            "action_name": event.metadata.get("utter_action") if said else None,
            "data": json.dumps(bot_words(event) if said else no_words(event), ensure_ascii=False),
        }


def since_latest_message(tracker: DialogueStateTracker) -> list[Event]:
    """This turn's user message and the bot's utterances after it; empty where the tracker holds no message."""
    events = list(tracker.events)
    starts = [at for at, event in enumerate(events) if isinstance(event, UserUttered)]
    if not starts:
        return []
    return [event for event in events[starts[-1] :] if isinstance(event, (UserUttered, BotUttered))]


def bot_words(event: BotUttered) -> dict[str, Any]:
    """The bot's utterance: text from domain.yml, in which [[echo]] is still unfilled."""
    return {"event": "bot", "timestamp": event.timestamp, "text": event.text, "metadata": event.metadata}


def no_words(event: UserUttered) -> dict[str, Any]:
    """That a resident wrote, and what kind of message it was; never the text, its entities or its metadata."""
    intent = {"name": event.intent_name}
    return {
        "event": "user",
        "timestamp": event.timestamp,
        "text": "",
        "parse_data": {"intent": intent, "entities": [], "text": ""},
    }

"""The tables of intake on one page. Read top to bottom: who writes, what was written, what was answered, the case, the
staff. What staff do with a case beyond the talk (agencies, meetings, records, forms) is in storage/support.py.

The row is the queue: `handled_at`, `sent_at`, `closed_at` are NULL until it is done, with a partial index on what is
left. A state is a timestamp, so that it also says when.
"""

import uuid
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Date, DateTime, ForeignKey, Index, String, Text, TypeDecorator, UniqueConstraint, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """A moment: UTC in the database (which on SQLite keeps no zones), with its zone in Python."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into the database: UTC without a zone."""
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Out of the database: UTC, with the zone."""
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    """Shared by all tables."""

    type_annotation_map = {  # noqa: RUF012
        datetime: Instant, date: Date, dict[str, Any]: JSON, list[str]: JSON, str: Text,
    }  # fmt: skip


def _left(name: str, where: str, *columns: Any, unique: bool = False) -> Index:
    """An index on only the rows that are not done: small however much has been done."""
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=text(where))


def new_id() -> str:
    """An id that says nothing and cannot be guessed."""
    return uuid.uuid4().hex


class Conversation(Base):
    """One resident on one channel: their address there, where the talk stands, and whose turn it is to work on it."""

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    channel: Mapped[str] = mapped_column(String(8))
    #: LINE's user id, or the hash of a browser's token; NULL after the quick exit.
    address: Mapped[str | None] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(8), default="ja")
    created_at: Mapped[datetime]
    #: When the notice of use was shown (個人情報保護法 62条).
    notice_at: Mapped[datetime | None]
    #: When the resident blocked the account on LINE; nothing can be sent until they come back.
    blocked_at: Mapped[datetime | None]
    #: Where LINE is only a door: since when an answer stands on the page of which LINE has told, or is about to.
    knocked_at: Mapped[datetime | None]
    #: Where the talk stands (bot/talk.py): stage, topics asked and left out.
    talk: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Which process works on this conversation, and until when that holds.
    lease_owner: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    #: After a turn that raised: not before then, and how often in a row.
    not_before: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)


class DoorLink(Base):
    """A one-time link from LINE to the talk on the town's page (connectors/line_door.py). Its token is not kept."""

    __tablename__ = "door_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    #: The hash of what the browser that opened it calls itself: it alone may open it again, when our answer got lost.
    opener: Mapped[str | None] = mapped_column(String(64))
    #: The hash of that browser's token, as `Conversation.address` of a talk that began on the web; NULL after the exit.
    browser: Mapped[str | None] = mapped_column(String(64), unique=True)


class Turn(Base):
    """One answer to everything that was waiting when it began. A message belongs to exactly one turn."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    began_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    #: Who spoke: rasa, reception (the fallback), words (in every language but Japanese), door (to what came over LINE
    #: where the talk is on the page), or nobody, because a person holds the conversation.
    voice: Mapped[str] = mapped_column(String(12))


class Delivery(Base):
    """One call to a channel, to be made once: the outbox. On the web there is none, since the browser asks."""

    __tablename__ = "deliveries"
    __table_args__ = (_left("deliveries_left", "done_at IS NULL", "conversation_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    #: "bot" is silent while a person holds the conversation, also for what was made before; "counselor" is not, nor
    #: is "note" (who has the talk now). Where LINE is only a door: "door" (the way to the page), "knock" (an answer
    #: waits there).
    voice: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime]
    #: LINE's one-use token, free of quota, and until when it is worth trying.
    reply_token: Mapped[str | None] = mapped_column(String(80))
    reply_until: Mapped[datetime | None]
    retry_key: Mapped[str] = mapped_column(String(36))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime]
    lease_owner: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    #: Set in every end: sent, failed for good, or withdrawn because a person took over.
    done_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    #: Why it failed or waits, as a sentence for staff.
    error: Mapped[str | None]


class Attempt(Base):
    """One try at a delivery: written before the call leaves, completed after."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    via: Mapped[str] = mapped_column(String(8))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: Whether the channel took it; NULL when that is not known (we died, or its answer did not come).
    arrived: Mapped[bool | None]
    outcome: Mapped[str | None]


class Message(Base):
    """What was written, by anyone. A resident's is also the inbox: it waits until `handled_at`."""

    __tablename__ = "messages"
    __table_args__ = (
        # Redelivery is absorbed here.
        UniqueConstraint("channel", "event_id"),
        Index("messages_talk", "conversation_id", "id"),
        Index("messages_case", "case_id", "id"),
        # What is left to do: oldest first, and that of one conversation.
        _left("messages_waiting", "handled_at IS NULL", "id"),
        _left("messages_unhandled", "handled_at IS NULL", "conversation_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    case_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"))
    #: resident, bot or counselor
    sender: Mapped[str] = mapped_column(String(10))
    #: text, or what came instead: sticker, image, video, audio, file, location, follow, link (a new one is wanted);
    #: door: what LINE was told in the talk's stead, never shown on the page
    kind: Mapped[str] = mapped_column(String(10), default="text")
    text: Mapped[str]
    choices: Mapped[list[str] | None]
    channel: Mapped[str] = mapped_column(String(8))
    #: The channel's own id of this event; NULL for what we write.
    event_id: Mapped[str | None] = mapped_column(String(80))
    #: LINE's id of the message, which an unsend names.
    channel_message_id: Mapped[str | None] = mapped_column(String(80), index=True)
    reply_token: Mapped[str | None] = mapped_column(String(80))
    #: When the resident wrote it, by the channel's clock (redelivery comes late and out of order).
    written_at: Mapped[datetime]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"), index=True)
    #: Staff who wrote it.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    unsent_at: Mapped[datetime | None]


#: Who waits for a person, and whom nobody has yet.
WAITING = "closed_at IS NULL AND claimed_by IS NULL AND following_since IS NULL AND waiting_since IS NOT NULL"
TALKING = "waiting_since IS NULL AND closed_at IS NULL"
FOLLOWING = "following_since IS NOT NULL AND closed_at IS NULL"


class Case(Base):
    """A consultation in the queue. Its verbs are in handoff/case.py, its assessment's form in bot/understanding."""

    __tablename__ = "cases"
    __table_args__ = (
        # The queue's own order (handoff/queue.py), danger first. One index for each status, holding nothing else:
        # finding the few that are claimed must not pass the many that wait.
        _left("cases_queue", WAITING, text("urgency DESC"), "waiting_since", "id"),
        _left("cases_talking", TALKING, text("urgency DESC"), "opened_at", "id"),
        _left("cases_claimed", "claimed_by IS NOT NULL AND closed_at IS NULL", "urgency", "claimed_by"),
        _left("cases_following", FOLLOWING, text("urgency DESC"), "following_since", "id"),
        _left("cases_closed", "closed_at IS NOT NULL", "closed_at", "id"),
        # Claims that may lapse; and what somebody is responsible for.
        _left("cases_lease", "claim_until IS NOT NULL AND closed_at IS NULL", "claim_until"),
        _left("cases_mine", "responsible_id IS NOT NULL AND closed_at IS NULL", "responsible_id"),
        # One open case a conversation, also when two processes open one at once.
        _left("cases_open", "closed_at IS NULL", "conversation_id", unique=True),
        _left("cases_collecting", "waiting_since IS NULL AND closed_at IS NULL", "last_message_at"),
        # Who comes back is looked for among all their cases.
        Index("cases_of_talk", "conversation_id", "opened_at"),
        # The reports count what began in a time.
        Index("cases_opened", "opened_at"),
        _left("cases_waited", "waiting_since IS NOT NULL", "waiting_since"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    #: The case of the same resident before this one.
    previous_id: Mapped[str | None] = mapped_column(ForeignKey("cases.id"))
    channel: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(8), default="ja")
    opened_at: Mapped[datetime]
    last_message_at: Mapped[datetime]
    #: Since when a person is needed: kept through claim and release, so that nobody loses their place.
    waiting_since: Mapped[datetime | None]
    claimed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    claimed_at: Mapped[datetime | None]
    #: A claim is a lease, renewed while the case's page is open; NULL for a staff system, which has no page.
    claim_until: Mapped[datetime | None]
    #: Whose case it is in the long run (主担当), also while nobody writes.
    responsible_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    #: The desk whose case it is; NULL: the intake, which is everybody's.
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), index=True)
    following_since: Mapped[datetime | None]
    #: The day of the next contact (伴走), and what for; every open case that a person has taken on has one.
    next_contact_on: Mapped[date | None] = mapped_column(index=True)
    next_contact_note: Mapped[str | None]
    #: When the resident said that they want no more check-in messages.
    check_ins_stopped_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    #: The kind of outcome, by its id in handoff/words.yml.
    outcome_kind: Mapped[str | None] = mapped_column(String(24))
    #: 0 none, 1 watch, 2 urgent, 3 immediate: the queue's first key.
    urgency: Mapped[int] = mapped_column(default=0)
    #: bot.understanding.Assessment as JSON: fields, services, members, urgency, topics, each with its quotes.
    assessment: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: What staff corrected, laid over the assessment when a case is shown; what the machine found stays beside it.
    corrected: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    complaint: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    #: Sharing with other desks: not asked (NULL), yes or no, and when that was said.
    share: Mapped[bool | None]
    share_at: Mapped[datetime | None]
    person_wanted_at: Mapped[datetime | None]
    delete_wanted_at: Mapped[datetime | None]


class CaseEvent(Base):
    """What happened to a case, in order: opened, waiting, claimed, released, handed_back, replied, closed, …"""

    __tablename__ = "case_events"
    #: The first claim after a wait began, found without looking at what else happened.
    __table_args__ = (_left("case_events_claimed", "kind = 'claimed'", "case_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(24))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    #: Never a resident's words: those stand in messages, where they can be taken back.
    note: Mapped[str | None]


class Desk(Base):
    """A desk of the town hall: what staff belong to, and what cases can be handed to."""

    __tablename__ = "desks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class Agency(Base):
    """An organisation outside the town hall that takes part in cases (支援関係機関)."""

    __tablename__ = "agencies"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    #: What it does, as staff call it: 地域包括支援センター, 学校, 医療機関, …
    kind: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")
    phone: Mapped[str] = mapped_column(default="", server_default="")
    fax: Mapped[str] = mapped_column(default="", server_default="")
    email: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class Staff(Base):
    """A person who works with cases."""

    __tablename__ = "staff"
    __table_args__ = (Index("staff_oidc", "oidc_subject", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(default="")
    #: counselor, supervisor or admin; agency: somebody of an agency, who sees only the cases it takes part in
    role: Mapped[str] = mapped_column(String(12))
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"), index=True)
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agencies.id"), index=True)
    password_hash: Mapped[str]
    #: The second factor (RFC 6238): its secret, encrypted; since when it is asked for; the last step that was used.
    totp_secret: Mapped[str | None]
    totp_since: Mapped[datetime | None]
    totp_step: Mapped[int | None]
    #: Who they are at the town's own sign-in (OpenID Connect): issuer and subject.
    oidc_subject: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    @property
    def called(self) -> str:
        """What colleagues call them."""
        return self.name or self.email


class RecoveryCode(Base):
    """A one-use code for whoever has lost the device of their second factor. Only its hash is kept."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class StaffSession(Base):
    """A signed-in browser. The browser's token is kept only as its hash."""

    __tablename__ = "staff_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    #: What the browser calls itself, shortened for people: Chrome（Windows）
    browser: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime]
    #: When a page was last asked for: a session that nobody uses ends.
    seen_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Invitation(Base):
    """A one-use link that makes an account; the first start prints one for the first admin."""

    __tablename__ = "invitations"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(12))
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agencies.id"))
    #: Who invited; NULL: the first start.
    created_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: Set when it was used, and when it was taken back.
    used_at: Mapped[datetime | None]


class ApiToken(Base):
    """A staff system's key to `/api`, kept only as its hash."""

    __tablename__ = "api_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Notice(Base):
    """Something staff should know that belongs to no case: LINE's quota runs low, a delivery failed for good."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    sentence: Mapped[str]
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

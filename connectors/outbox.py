"""The outbox: every answer leaves once, in order, and who cannot be reached is not lost from sight.

An attempt is written down before its call leaves. So after a crash we know that a call may have left: a push is then
repeated with its retry key, and a reply with its one-use token, which the channel takes at most once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import BindParameter, ColumnElement, Integer, Select, bindparam, func, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from connectors.base import Channel, Outbound, Said, SendError
from connectors.line_door import LineDoor, note_seen
from handoff import case as cases
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database, add_row
from storage.logs import where
from storage.models import Attempt, Base, Case, Conversation, Delivery, Message, Notice, new_id
from storage.pump import Pump

log = structlog.get_logger()

SIDE_BY_SIDE = 32
LEASE = timedelta(seconds=10)
BLOCKED = SendError("この方は、こちらからのメッセージを受け取らない設定にしています。", retryable=False)
#: With doubling waits up to ten minutes, the last try comes after about two hours.
MOST_ATTEMPTS = 18
LONGEST_WAIT_S = 600.0


@dataclass(frozen=True)
class Job:
    """A delivery that this process has taken, with the attempt that was written for it."""

    delivery_id: int
    attempt_id: int
    number: int
    owner: str
    conversation_id: str
    channel: str
    outbound: Outbound
    #: An earlier reply of this delivery has no known end: it may have arrived.
    reply_in_doubt: bool


class Outbox:
    """Sends what is due until cancelled; `channels` by name. `door` decides what leaves to LINE."""

    def __init__(
        self, database: Database, bells: Bells, clock: Clock, channels: Mapping[str, Channel], door: LineDoor
    ) -> None:
        self._database, self._bells, self._clock, self._channels = database, bells, clock, channels
        self._door = door
        self._pump = Pump(database, bells, bell.OUTBOX, SIDE_BY_SIDE, self._take, self._send)
        self.run, self.finish = self._pump.run, self._pump.finish

    def start(self, taken: Collection[Job]) -> None:
        """Sends what was taken with its turn. What could not be taken then is looked for."""
        self._pump.start(taken)
        if not taken:
            self._bells.ring(bell.OUTBOX)

    def take_of(self, session: Session, conversation: Conversation) -> list[Job]:
        """Takes what is due in one conversation, in the transaction that wrote it: a commit less before it leaves."""
        if conversation.channel not in self._channels:
            return []
        return take_due(session, self._clock.now(), 1, set(self._channels), self._door, of=conversation.id)

    def _take(self, session: Session, most: int) -> list[Job]:
        return take_due(session, self._clock.now(), most, set(self._channels), self._door)

    async def _send(self, job: Job) -> None:
        error: SendError | None = None
        try:
            await self._channels[job.channel].send(job.outbound)
        except SendError as refused:
            # A token that our own unfinished call has used up is no failure: that call arrived.
            error = None if refused.token_gone and job.reply_in_doubt else refused
        now = self._clock.now()
        try:
            await self._database.write(lambda session: _note_end(session, job, error, now))
        except DBAPIError as failed:
            # The lease runs out, and the call is repeated under its key or token: it cannot arrive twice.
            log.warning("outbox.end_not_noted", delivery=job.delivery_id, error=where(failed))
        if error:
            log.warning("outbox.not_sent", delivery=job.delivery_id, attempt=job.number, why=error.sentence)
        self._bells.ring(bell.talk(job.conversation_id), bell.QUEUE)


def _due(*also: ColumnElement[bool]) -> Select[Delivery, Conversation]:
    """Deliveries to be made now, of each conversation only the oldest."""
    oldest = select(func.min(Delivery.id)).where(Delivery.done_at.is_(None), *also).group_by(Delivery.conversation_id)
    now: BindParameter[datetime] = bindparam("now")
    return (
        select(Delivery, Conversation)
        .join(Conversation, Conversation.id == Delivery.conversation_id)
        .where(
            Delivery.id.in_(oldest),
            Delivery.done_at.is_(None),
            Delivery.next_at <= now,
            Conversation.channel.in_(bindparam("channels", expanding=True)),
            or_(Delivery.lease_until.is_(None), Delivery.lease_until < now),
        )
        .order_by(Delivery.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True, of=Delivery)
    )


# Put together once: that costs more than running them does.
DUE, DUE_IN_ONE = _due(), _due(Delivery.conversation_id == bindparam("of"))
SAID = (
    select(Message.text, Message.choices)
    .where(Message.delivery_id == bindparam("delivery"), Message.text != "")
    .order_by(Message.id)
)
HELD = select(Case.id).where(
    Case.conversation_id == bindparam("conversation"), Case.closed_at.is_(None), Case.claimed_by.is_not(None)
)

END_ATTEMPT = (
    Base.metadata.tables["attempts"]
    .update()
    .where(Attempt.id == bindparam("attempt"))
    .values(ended_at=bindparam("now"), outcome=bindparam("outcome_"), arrived=bindparam("arrived_"))
)
SENT = (
    Base.metadata.tables["deliveries"]
    .update()
    .where(Delivery.id == bindparam("delivery"), Delivery.done_at.is_(None))
    .values(sent_at=bindparam("now"), done_at=bindparam("now"), error=None, lease_owner=None, lease_until=None)
)


def take_due(
    session: Session, now: datetime, most: int, channels: set[str], door: LineDoor, of: str | None = None
) -> list[Job]:
    """Takes up to `most` due deliveries, of each conversation only the oldest, and writes their attempts.

    `of`: only in the conversation with this id.
    """
    wanted = {"now": now, "most": most, "channels": sorted(channels), **({"of": of} if of else {})}
    due = session.execute(DUE_IN_ONE if of else DUE, wanted).all()
    taken = [_take(session, delivery, conversation, door, now) for delivery, conversation in due]
    return [job for job in taken if job]


def _take(
    session: Session, delivery: Delivery, conversation: Conversation, door: LineDoor, now: datetime
) -> Job | None:
    if not door.lets_out(session, delivery, conversation, now):
        return None
    if conversation.blocked_at:
        _give_up(session, delivery, BLOCKED, now)
        return None
    in_doubt = _in_doubt(session, delivery)
    if not in_doubt and _withdrawn(session, delivery, conversation, now):
        return None
    said = _said(session, delivery, door, now)
    if not said:
        delivery.done_at, delivery.error = now, "取り消されたため、送りませんでした。"
        return None
    token = delivery.reply_token if delivery.reply_until and delivery.reply_until > now else None
    attempt = add_row(session, Attempt, delivery_id=delivery.id, via="reply" if token else "push", began_at=now)
    delivery.attempts += 1
    delivery.lease_owner, delivery.lease_until = new_id(), now + LEASE
    outbound = Outbound(
        address=conversation.address or "",
        messages=said,
        retry_key=delivery.retry_key,
        reply_token=token,
    )
    return Job(
        delivery.id, attempt, delivery.attempts, delivery.lease_owner, conversation.id, conversation.channel,
        outbound, reply_in_doubt=token is not None and in_doubt,
    )  # fmt: skip


def _said(session: Session, delivery: Delivery, door: LineDoor, now: datetime) -> tuple[Said, ...]:
    rows = session.connection().execute(SAID, {"delivery": delivery.id}).all()
    if delivery.voice not in (cases.DOOR, cases.KNOCK):
        return tuple(Said(text, tuple(choices or ())) for text, choices in rows)
    # Each attempt brings a link of its own, since we keep none: whichever arrives opens.
    return tuple(
        Said(text, button=door.button(session, delivery.conversation_id, choices, now) if choices else None)
        for text, choices in rows
    )


def _in_doubt(session: Session, delivery: Delivery) -> bool:
    """Whether an earlier call may have arrived: it had no answer, or we died over it."""
    if not delivery.attempts:
        return False
    return bool(
        session.scalar(select(func.count()).where(Attempt.delivery_id == delivery.id, Attempt.arrived.is_(None)))
    )


def _withdrawn(session: Session, delivery: Delivery, conversation: Conversation, now: datetime) -> bool:
    """One voice at a time, checked when the words leave: a person may have taken over since they were made."""
    if delivery.voice != cases.BOT:
        return False
    if session.connection().execute(HELD, {"conversation": conversation.id}).first() is None:
        return False
    delivery.done_at, delivery.error = now, "担当者が話を引き継いだため、送りませんでした。"
    return True


def _note_end(session: Session, job: Job, error: SendError | None, now: datetime) -> None:
    arrived = True if error is None else None if error.ambiguous else False
    outcome = {"now": now, "outcome_": error.sentence if error else "sent", "arrived_": arrived}
    session.connection().execute(END_ATTEMPT, {"attempt": job.attempt_id, **outcome})
    if error is None:
        session.connection().execute(SENT, {"delivery": job.delivery_id, "now": now})
    else:
        _note_failure(session, job, error, now)


def _note_failure(session: Session, job: Job, error: SendError, now: datetime) -> None:
    delivery = session.get_one(Delivery, job.delivery_id)
    if delivery.lease_owner != job.owner or delivery.done_at:
        return
    delivery.lease_owner = delivery.lease_until = None
    if error.token_gone:
        delivery.reply_token = delivery.reply_until = None
    elif error.retryable and delivery.attempts < MOST_ATTEMPTS:
        delivery.error = error.sentence
        delivery.next_at = now + timedelta(seconds=error.retry_after or wait_s(delivery.attempts))
    else:
        _give_up(session, delivery, error, now)


def wait_s(attempts: int) -> float:
    """Seconds until the next try after that many."""
    return min(0.5 * 2.0**attempts, LONGEST_WAIT_S)


def _give_up(session: Session, delivery: Delivery, error: SendError, now: datetime) -> None:
    delivery.failed_at = delivery.done_at = now
    delivery.error = error.sentence
    if delivery.voice == cases.KNOCK:
        note_seen(session, delivery.conversation_id)  # nobody was told: the next answer shall try again
    case = cases.open_case(session, delivery.conversation_id)
    if case:
        cases.note(session, case, "delivery_failed", now, text=error.sentence)
        cases.wait_for_person(session, case, now, "unreachable")
    session.add(Notice(kind="delivery_failed", sentence=f"返信を届けられませんでした。{error.sentence}", at=now))

"""The audit: what must hold after every fault. It reads the database and the record of what reached the residents."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handoff.case import RESIDENT, status
from storage.models import Case, Conversation, Delivery, Message, Turn

IN_THE_QUEUE = ("waiting", "claimed", "following")


def audit(session: Session, acknowledged: Iterable[str], received: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong; nothing when every promise was kept.

    `acknowledged`: the event ids that the service took. `received`: the texts that reached each LINE user, in order.
    The promises: every acknowledged message is in exactly one turn; every answer was delivered exactly once and in
    order; every case is open and waits for a person (so: ask after the time of silence).
    """
    return [
        *_lost(session, acknowledged),
        *_not_in_one_turn(session),
        *_out_of_turn(session),
        *_badly_delivered(session, received),
        *_outside_the_queue(session),
    ]


def left_to_do(session: Session) -> int:
    """How many messages and answers are on their way."""
    unhandled = select(func.count()).select_from(Message).where(Message.handled_at.is_(None))
    undelivered = select(func.count()).select_from(Delivery).where(Delivery.done_at.is_(None))
    return session.scalars(unhandled).one() + session.scalars(undelivered).one()


def collecting(session: Session) -> int:
    """How many cases have not been put among the waiting yet."""
    free = select(func.count()).select_from(Case).where(Case.closed_at.is_(None), Case.claimed_by.is_(None))
    return session.scalars(free.where(Case.waiting_since.is_(None))).one()


def _lost(session: Session, acknowledged: Iterable[str]) -> Iterator[str]:
    kept = Counter(session.scalars(select(Message.event_id).where(Message.sender == RESIDENT)))
    for event_id in acknowledged:
        if kept[event_id] != 1:
            yield f"event {event_id} was acknowledged and is kept {kept[event_id]} times"


def _not_in_one_turn(session: Session) -> Iterator[str]:
    turns = set(session.scalars(select(Turn.id)))
    used = set()
    for message in session.scalars(select(Message).where(Message.sender == RESIDENT)):
        used.add(message.turn_id)
        if message.handled_at is None or message.turn_id not in turns:
            yield f"message {message.id} is in no turn"
    # A turn recorded twice takes its messages along, and leaves the first one empty.
    for turn_id in turns - used:
        yield f"turn {turn_id} has no message: it was done twice"


def _out_of_turn(session: Session) -> Iterator[str]:
    latest: dict[str, int] = {}
    spans = (
        select(Turn.conversation_id, Turn.id, func.min(Message.id), func.max(Message.id))
        .join(Message, Message.turn_id == Turn.id)
        .where(Message.sender == RESIDENT, Message.kind != "unsend")
        .group_by(Turn.conversation_id, Turn.id)
        .order_by(Turn.id)
    )
    for conversation, turn_id, first, last in session.execute(spans):
        if first < latest.get(conversation, 0):
            yield f"turn {turn_id} answers message {first} after a later one was answered"
        latest[conversation] = max(last, latest.get(conversation, 0))


def _badly_delivered(session: Session, received: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for delivery in session.scalars(select(Delivery).where(Delivery.sent_at.is_(None))):
        yield f"delivery {delivery.id} was not sent: {delivery.error}"
    answers = select(Message.turn_id, func.count(Message.delivery_id.distinct())).where(Message.sender != RESIDENT)
    for turn_id, count in session.execute(answers.where(Message.turn_id.is_not(None)).group_by(Message.turn_id)):
        if count > 1:
            yield f"turn {turn_id} has {count} answers"
    for conversation in session.scalars(select(Conversation).where(Conversation.channel == "line")):
        said = list(
            session.scalars(
                select(Message.text)
                .where(Message.conversation_id == conversation.id, Message.sender != RESIDENT)
                .order_by(Message.delivery_id, Message.id)
            )
        )
        got = list(received[conversation.address or ""])
        if said != got:
            yield _difference(conversation.id, said, got)


def _difference(conversation: str, said: list[str], got: list[str]) -> str:
    twice = sum((Counter(got) - Counter(said)).values())
    never = sum((Counter(said) - Counter(got)).values())
    what = f"{twice} too many, {never} never arrived" if twice or never else "in another order"
    return f"the answers of conversation {conversation} ({len(said)} said): {what}"


def _outside_the_queue(session: Session) -> Iterator[str]:
    cases = {case.id: case for case in session.scalars(select(Case))}
    written = select(Message).where(Message.sender == RESIDENT, Message.kind.not_in(("follow", "unfollow", "unsend")))
    for message in session.scalars(written):
        case = cases.get(message.case_id or "")
        if case is None or case.closed_at is not None:
            yield f"message {message.id} is in no open case"
        elif status(case) not in IN_THE_QUEUE:
            yield f"case {case.id} of message {message.id} is {status(case)}, not in the queue"

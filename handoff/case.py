"""The case and what can be done with it. Every verb writes its event beside its change, in the caller's transaction."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import CursorResult, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from handoff import (
    finding,  # noqa: F401 - keeps what a case is found by, wherever a case is changed
    tongue,
)
from handoff.access import OVERSEERS, is_system
from handoff.summary import LEVELS as LEVELS
from storage.database import add_row
from storage.models import Attempt, Case, CaseEvent, Conversation, Delivery, Desk, Message, Staff, new_id

Status = Literal["collecting", "waiting", "claimed", "following", "closed"]
#: Who wrote a message or speaks in a delivery.
RESIDENT, BOT, COUNSELOR = "resident", "bot", "counselor"
#: What speaks in a delivery beside them: who has the talk now, and, where LINE is only a door, the door itself.
NOTE, DOOR, KNOCK = "note", "door", "knock"
#: After the last sign of life of who holds a case, its claim lapses.
LEASE = timedelta(minutes=15)


# Every turn asks these; put together once, because that costs more than running them does.
OPEN_CASE = select(Case).where(Case.conversation_id == bindparam("of"), Case.closed_at.is_(None))
OPEN_CASE_TO_CHANGE = OPEN_CASE.with_for_update()
OPEN_CASES = select(Case).where(Case.conversation_id.in_(bindparam("of", expanding=True)), Case.closed_at.is_(None))

HELD = "この相談は{name}さんが担当しています。"


class HeldByAnother(Exception):
    """Somebody else holds the case; the message is a sentence that names them."""


class Ended(LookupError):
    """The case is closed; the message is a sentence."""


def status(case: Case) -> Status:
    """Where the case stands. Derived: nothing to keep in step."""
    if case.closed_at:
        return "closed"
    if case.claimed_by:
        return "claimed"
    if case.following_since:
        return "following"
    return "waiting" if case.waiting_since else "collecting"


def open_case(session: Session, conversation_id: str, *, to_change: bool = False) -> Case | None:
    """The conversation's open case, if it has one (it has at most one). `to_change` keeps others from changing it."""
    mine = OPEN_CASE_TO_CHANGE if to_change else OPEN_CASE
    return session.scalars(mine, {"of": conversation_id}).one_or_none()


def open_cases(session: Session, conversation_ids: Sequence[str]) -> dict[str, Case]:
    """The open cases of several conversations, by conversation."""
    return {case.conversation_id: case for case in session.scalars(OPEN_CASES, {"of": conversation_ids})}


def begin_case(session: Session, conversation: Conversation, now: datetime) -> Case:
    """Opens a case for a conversation that has none open, linked to the resident's last one."""
    previous = session.scalars(
        select(Case.id).where(Case.conversation_id == conversation.id).order_by(Case.opened_at.desc()).limit(1)
    ).first()
    case = Case(
        id=new_id(), conversation_id=conversation.id, previous_id=previous, channel=conversation.channel,
        language=conversation.language, opened_at=now, last_message_at=now, urgency=0, assessment={}, complaint="",
        summary="",
    )  # fmt: skip
    session.add(case)
    session.flush()
    note(session, case, "opened", now)
    return case


def ended_lately(session: Session, conversation_id: str, since: datetime) -> Case | None:
    """The resident's last case, if it ended after `since`: their next message opens it again."""
    last = select(Case).where(Case.conversation_id == conversation_id).order_by(Case.opened_at.desc(), Case.id).limit(1)
    case = session.scalars(last).first()
    return case if case and case.closed_at and case.closed_at > since else None


def reopen(session: Session, conversation: Conversation, now: datetime, within: timedelta) -> Case | None:
    """Opens the resident's last case again, if it ended not longer ago than `within`; None when there is none.

    It waits for a person at once, and stays the case of whoever was responsible. How it had ended stays in its event.
    """
    case = ended_lately(session, conversation.id, now - within)
    if case is None:
        return None
    note(session, case, "reopened", now, text=case.outcome)
    case.closed_at = case.outcome = case.outcome_kind = case.following_since = None
    case.waiting_since = now
    session.flush()
    return case


def wait_for_person(session: Session, case: Case, now: datetime, why: str) -> None:
    """Puts the case among the waiting; one that waits already keeps its place."""
    if case.waiting_since is None:
        case.waiting_since = now
        note(session, case, why, now)


def claim(session: Session, case_id: str, staff: Staff, now: datetime) -> Case:
    """Takes the case for one person. Raises HeldByAnother, Ended; LookupError when there is no such case."""
    taken = _changed(
        session,
        update(Case)
        .where(Case.id == case_id, Case.closed_at.is_(None), Case.claimed_by.is_(None))
        .values(
            claimed_by=staff.id,
            claimed_at=now,
            claim_until=_lease(staff, now),
            following_since=None,
            responsible_id=func.coalesce(Case.responsible_id, None if is_system(staff) else staff.id),
        ),
    )
    case = _found(session, case_id)
    if not taken:
        if case.closed_at:
            raise Ended(tongue.say("この相談は終わっています。"))
        if case.claimed_by != staff.id:
            raise HeldByAnother(tongue.say(HELD, name=holder_name(session, case)))
        case.claim_until = _lease(staff, now)
        return case
    _withdraw_bot(session, case, now)
    note(session, case, "claimed", now, staff)
    return case


def renew(session: Session, case_id: str, staff: Staff, now: datetime) -> bool:
    """A sign of life of who holds the case. False when they do not hold it (any more)."""
    return _changed(
        session,
        update(Case)
        .where(Case.id == case_id, Case.claimed_by == staff.id, Case.closed_at.is_(None))
        .values(claim_until=_lease(staff, now)),
    )


def lapse(session: Session, case: Case, now: datetime, answered: bool) -> None:
    """Frees a case whose holder has given no sign of life: it waits at its old place, or is followed as answered."""
    staff = session.get_one(Staff, case.claimed_by)
    case.responsible_id = case.responsible_id or staff.id
    _free(case)
    if answered:
        case.following_since = now
    else:
        case.waiting_since = case.waiting_since or now
    note(session, case, "lapsed_following" if answered else "lapsed_waiting", now, staff)


def transfer(session: Session, case: Case, staff: Staff, to: Staff | Desk, now: datetime) -> None:
    """Passes the case on: it waits, at its old place, for one person or for a desk. Raises HeldByAnother, Ended."""
    if case.closed_at:
        raise Ended(tongue.say("この相談は終わっています。"))
    if staff.role not in OVERSEERS:
        _only_holder(session, case, staff)
    _free(case)
    case.following_since = None
    case.waiting_since = case.waiting_since or now
    if isinstance(to, Staff):
        case.responsible_id, case.desk_id = to.id, to.desk_id or case.desk_id
        name = f"{to.called}さん"
    else:
        case.responsible_id, case.desk_id = None, to.id
        name = to.name
    note(session, case, "transferred", now, staff, name)


def release(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """Gives the case back to the queue, at its old place. A supervisor may do it for the one who holds it."""
    if not (case.claimed_by and staff.role in OVERSEERS):
        _only_holder(session, case, staff)
    _free(case)
    case.waiting_since = case.waiting_since or now
    note(session, case, "released", now, staff)


def hand_back(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """Gives the talk back to the machine: it listens on, and the case collects until a person is needed again."""
    _only_holder(session, case, staff)
    _free(case)
    case.waiting_since = None
    case.last_message_at = now
    note(session, case, "handed_back", now, staff)


def follow(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """Stays connected with nobody in the talk: the case leaves the queue until its resident writes again.

    Who holds it may do so, or whoever is responsible while nobody does. Raises HeldByAnother, Ended.
    """
    if case.closed_at:
        raise Ended(tongue.say("この相談は終わっています。"))
    only_who_carries(session, case, staff)
    case.responsible_id = case.responsible_id or staff.id
    _free(case)
    case.waiting_since, case.following_since = None, now
    note(session, case, "following", now, staff)


def written_again(session: Session, case: Case, now: datetime) -> None:
    """Somebody who is followed has written: from now on they wait for a person, and whose case it is stays."""
    if case.following_since:
        case.following_since, case.waiting_since = None, now
        note(session, case, "written_again", now)


def close(
    session: Session, case: Case, staff: Staff | None, outcome: str, now: datetime, kind: str | None = None
) -> None:
    """Ends the case with its outcome. The resident's next message opens it again, or begins a new one (`reopen`).

    Who holds it may do so, or whoever is responsible while nobody does. Raises HeldByAnother, Ended.
    """
    if case.closed_at:
        raise Ended(tongue.say("この相談は終わっています。"))
    if staff and (case.claimed_by or case.responsible_id):
        only_who_carries(session, case, staff)
    case.closed_at, case.outcome, case.outcome_kind = now, outcome, kind
    case.next_contact_on = case.next_contact_note = None
    _free(case)
    note(session, case, "closed", now, staff)


def only_who_carries(session: Session, case: Case, staff: Staff) -> None:
    """Raises HeldByAnother unless this is who holds the case, or is responsible for it while nobody holds it."""
    if case.claimed_by is None and case.responsible_id == staff.id:
        return
    if case.claimed_by is None and case.responsible_id:
        responsible = session.get_one(Staff, case.responsible_id)
        name = responsible.called
        raise HeldByAnother(tongue.say("主担当は{name}さんです。先に「担当する」を押してください。", name=name))
    _only_holder(session, case, staff)


def answer(session: Session, case: Case, staff: Staff, text: str, now: datetime) -> Message:
    """A counselor's words to the resident, in the resident's channel. Only who holds the case speaks."""
    _only_holder(session, case, staff)
    # Locked as every writer of a talk locks it, so that its messages become visible in the order of their ids.
    conversation = session.get_one(Conversation, case.conversation_id, with_for_update=True)
    message = say(session, conversation, COUNSELOR, text, now, case=case, staff=staff)
    case.claim_until = _lease(staff, now)
    note(session, case, "replied", now, staff)
    return message


def say(
    session: Session,
    conversation: Conversation,
    sender: str,
    text: str,
    now: datetime,
    *,
    case: Case | None,
    staff: Staff | None = None,
    voice: str | None = None,
) -> Message:
    """Writes one message to the resident, and the delivery that carries it where the channel needs one.

    `voice` is the sender's unless it is given.
    """
    delivery = new_delivery(session, conversation, voice or sender, now)
    message = Message(
        conversation_id=conversation.id, case_id=case.id if case else None, sender=sender, kind="text", text=text,
        channel=conversation.channel, written_at=now, received_at=now, handled_at=now,
        staff_id=staff.id if staff else None, delivery_id=delivery,
    )  # fmt: skip
    session.add(message)
    session.flush()
    return message


def new_delivery(
    session: Session,
    conversation: Conversation,
    voice: str,
    now: datetime,
    *,
    reply_token: str | None = None,
    reply_until: datetime | None = None,
) -> int | None:
    """A row in the outbox; its id. None on the web, where the browser asks for what is new."""
    if conversation.channel == "web":
        return None
    return add_row(
        session, Delivery, conversation_id=conversation.id, voice=voice, created_at=now, next_at=now, attempts=0,
        retry_key=str(uuid.uuid4()), reply_token=reply_token, reply_until=reply_until,
    )  # fmt: skip


def stop_knocking(session: Session, conversation: Conversation, now: datetime) -> None:
    """Withdraws the word that an answer waits, where it has not begun to leave: the resident hears of it otherwise."""
    session.execute(
        update(Delivery)
        .where(
            Delivery.conversation_id == conversation.id,
            Delivery.voice == KNOCK,
            Delivery.done_at.is_(None),
            Delivery.attempts == 0,
        )
        .values(done_at=now, error="別の案内で伝えたため、送りませんでした。")
    )


def note(
    session: Session, case: Case, kind: str, now: datetime, staff: Staff | None = None, text: str | None = None
) -> None:
    """Writes down what happened to a case. `text` never carries a resident's words."""
    session.add(CaseEvent(case_id=case.id, at=now, kind=kind, staff_id=staff.id if staff else None, note=text))


def holder_name(session: Session, case: Case) -> str:
    """The name of who holds the case, for people."""
    staff = session.get(Staff, case.claimed_by) if case.claimed_by else None
    return staff.called if staff else ""


def _withdraw_bot(session: Session, case: Case, now: datetime) -> None:
    # What the machine made but has not begun to send is not sent any more: one voice at a time.
    session.execute(
        update(Delivery)
        .where(
            Delivery.conversation_id == case.conversation_id,
            Delivery.voice == BOT,
            Delivery.done_at.is_(None),
            Delivery.id.not_in(select(Attempt.delivery_id).where(Attempt.arrived.is_(None))),
        )
        .values(done_at=now, error="担当者が話を引き継いだため、送りませんでした。")
    )


def _lease(staff: Staff, now: datetime) -> datetime | None:
    # A staff system has no page whose closing could be noticed: its claim ends when it says so.
    return None if is_system(staff) else now + LEASE


def _free(case: Case) -> None:
    case.claimed_by = case.claimed_at = case.claim_until = None


def _only_holder(session: Session, case: Case, staff: Staff) -> None:
    if case.claimed_by != staff.id:
        who = holder_name(session, case)
        raise HeldByAnother(tongue.say(HELD, name=who) if who else tongue.say("先に「担当する」を押してください。"))


def _found(session: Session, case_id: str) -> Case:
    case = session.get(Case, case_id, populate_existing=True)
    if case is None:
        raise LookupError("その相談は見つかりません。")
    return case


def _changed(session: Session, statement: Update) -> bool:
    return cast(CursorResult[Any], session.execute(statement)).rowcount == 1

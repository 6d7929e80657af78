"""Check-ins: gentle messages that a counselor has written for later. Sent once, by day, into a quiet talk, or never.

Message, delivery and the row's end are written in one transaction, and the outbox carries it from there. So a process
that dies in between has sent nothing, and one that dies after has sent it: there is no third way.
"""

from datetime import datetime, time, timedelta

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from handoff import case as cases
from handoff.support_words import check_in_words
from storage.clock import JAPAN
from storage.models import Case, Conversation, Staff
from storage.support import CheckIn

LONGEST = 1_000
MOST_PLANNED = 12
#: By Japan's clock: nobody is woken.
DAY_BEGINS, DAY_ENDS = time(8), time(20)
#: While a resident is writing, nothing that was written before comes in between.
QUIET = timedelta(minutes=30)
#: What could not be said for so long does not fit any more.
TOO_LATE = timedelta(days=7)
#: In one round; the next comes a few seconds later.
A_ROUND = 50

BLOCKED = "この方は、こちらからのメッセージを受け取らない設定にしています。"
QUIT = "この方は画面を閉じて相談を消したため、届ける先がありません。"
CLOSED = "相談が終わっているため、送りませんでした。"
STOPPED = "ご本人が、お便りはもういらないと言ったため、送りませんでした。"
LATE = "送れないまま7日たったため、取りやめました。"


def by_day(moment: datetime) -> bool:
    """Whether messages may be sent at this moment: not at night."""
    return DAY_BEGINS <= moment.astimezone(JAPAN).time() < DAY_ENDS


def plan(session: Session, case: Case, staff: Staff, text: str, due_at: datetime, now: datetime) -> CheckIn:
    """Schedules one."""
    made = CheckIn(case_id=case.id, staff_id=staff.id, text=text, due_at=due_at, created_at=now)
    session.add(made)
    cases.note(session, case, "check_in_planned", now, staff)
    session.flush()
    return made


def take_back(session: Session, case: Case, check_in_id: int, staff: Staff, now: datetime) -> bool:
    """Takes one back that has not been sent; whether it could be."""
    left = select(CheckIn).where(CheckIn.id == check_in_id, CheckIn.case_id == case.id, CheckIn.done_at.is_(None))
    found = session.scalars(left.with_for_update()).first()
    if found is None:
        return False
    found.done_at, found.why = now, "職員が取りやめました。"
    cases.note(session, case, "check_in_cancelled", now, staff)
    return True


def planned(session: Session, case: Case) -> int:
    """How many are left to be sent."""
    left = select(func.count()).where(CheckIn.case_id == case.id, CheckIn.done_at.is_(None))
    return session.scalar(left) or 0


def cancel(session: Session, case: Case, now: datetime, why: str) -> None:
    """Ends all that are left of a case."""
    session.execute(
        update(CheckIn).where(CheckIn.case_id == case.id, CheckIn.done_at.is_(None)).values(done_at=now, why=why)
    )


# Sending


def send_due(session: Session, now: datetime) -> list[str]:
    """Sends what is due, and ends what cannot be sent; the conversations in which something was said.

    Rows that another process works on are passed by, and the conversation is never waited for: a turn that holds it
    may be waiting for us (it stops check-ins). What is passed by is due in the next round too.
    """
    if not by_day(now):
        return []
    due = (
        select(CheckIn)
        .where(CheckIn.done_at.is_(None), CheckIn.due_at <= now)
        .order_by(CheckIn.due_at, CheckIn.id)
        .limit(A_ROUND)
        .with_for_update(skip_locked=True)
    )
    sent = [_send(session, one, now) for one in session.scalars(due).all()]
    return [conversation for conversation in sent if conversation]


def _send(session: Session, one: CheckIn, now: datetime) -> str | None:
    case = session.scalars(select(Case).where(Case.id == one.case_id).with_for_update(skip_locked=True)).first()
    if case is None:
        return None
    talk = select(Conversation).where(Conversation.id == case.conversation_id).with_for_update(skip_locked=True)
    conversation = session.scalars(talk).first()
    if conversation is None:
        return None
    why = _never(session, one, case, conversation, now)
    if why:
        one.done_at, one.why = now, why
        cases.note(session, case, "check_in_unsent", now, text=why)
        return None
    if _not_now(one, case, now):
        return None
    staff = session.get_one(Staff, one.staff_id)
    text = f"{one.text}\n\n{check_in_words(case.language).hint}"
    message = cases.say(session, conversation, cases.COUNSELOR, text, now, case=case, staff=staff)
    one.done_at = one.sent_at = now
    one.message_id = message.id
    cases.note(session, case, "check_in_sent", now, staff)
    return conversation.id


def _never(session: Session, one: CheckIn, case: Case, conversation: Conversation, now: datetime) -> str | None:
    """Why this will not be sent any more, as a sentence for staff."""
    if case.closed_at:
        return CLOSED
    if stopped_at(session, conversation.id):
        return STOPPED
    if conversation.address is None:
        return QUIT
    if conversation.blocked_at:
        return BLOCKED
    return LATE if one.due_at < now - TOO_LATE else None


def _not_now(one: CheckIn, case: Case, now: datetime) -> bool:
    held_by_another = case.claimed_by is not None and case.claimed_by != one.staff_id
    return held_by_another or case.last_message_at > now - QUIET


# Stopping


def any_for(session: Session, conversation_id: str) -> bool:
    """Whether a check-in was ever sent to this resident, or is planned."""
    theirs = exists().where(
        CheckIn.case_id == Case.id, Case.conversation_id == conversation_id,
        CheckIn.sent_at.is_not(None) | CheckIn.done_at.is_(None),
    )  # fmt: skip
    return bool(session.scalar(select(theirs)))


def stop(session: Session, case: Case, now: datetime) -> None:
    """The resident wants no more of them: what is planned is cancelled, and nothing more can be planned."""
    case.check_ins_stopped_at = now
    theirs = select(Case.id).where(Case.conversation_id == case.conversation_id)
    session.execute(
        update(CheckIn).where(CheckIn.case_id.in_(theirs), CheckIn.done_at.is_(None)).values(done_at=now, why=STOPPED)
    )
    cases.note(session, case, "check_ins_stopped", now)


def stopped(case: Case) -> str:
    """What the resident is told then."""
    return check_in_words(case.language).stopped


def stopped_at(session: Session, conversation_id: str) -> datetime | None:
    """When this resident said so, in whichever of their cases; None when they did not, or have allowed them again."""
    said = select(Case.check_ins_stopped_at).where(
        Case.conversation_id == conversation_id, Case.check_ins_stopped_at.is_not(None)
    )
    return session.scalars(said.order_by(Case.check_ins_stopped_at.desc()).limit(1)).first()


def allow(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """The resident has told a counselor that messages may come again."""
    session.execute(update(Case).where(Case.conversation_id == case.conversation_id).values(check_ins_stopped_at=None))
    cases.note(session, case, "check_ins_allowed", now, staff)

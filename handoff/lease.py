"""Claims are leases: renewed while the case's page is open, freed by a sweep when a browser or a person is gone.

No case is lost by it: whoever has not been answered waits again at their old place, and a case that was answered stays
with the person whose case it is, as followed. A staff system has no page; its claims have no end of their own.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handoff import case as cases
from storage.models import Case, CaseEvent, Delivery, Message

#: A lease is not written anew at each sign of life: an open page gives one every few seconds.
RENEW_AFTER = timedelta(minutes=1)
AT_ONCE = 50


def wants_renewal(case: Case, staff_id: int, now: datetime) -> bool:
    """Whether the open page of this person should renew the lease now."""
    if case.claimed_by != staff_id or case.closed_at:
        return False
    return case.claim_until is None or case.claim_until < now + cases.LEASE - RENEW_AFTER


def let_lapse(session: Session, now: datetime) -> list[str]:
    """Frees the cases whose lease is over; their conversations."""
    over = session.scalars(
        select(Case)
        .where(Case.claim_until < now, Case.claimed_by.is_not(None), Case.closed_at.is_(None))
        .order_by(Case.claim_until)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for case in over:
        cases.lapse(session, case, now, answered(session, case))
    return [case.conversation_id for case in over]


def answered(session: Session, case: Case) -> bool:
    """Whether a person has answered the last that the resident wrote, and the answer did not fail on its way."""
    replied = session.scalar(
        select(func.max(CaseEvent.at)).where(CaseEvent.case_id == case.id, CaseEvent.kind == "replied")
    )
    if replied is None:
        return False
    later = session.scalar(
        select(func.max(Message.received_at)).where(Message.case_id == case.id, Message.sender == cases.RESIDENT)
    )
    if later and later > replied:
        return False
    last = session.scalar(
        select(Delivery.failed_at)
        .join(Message, Message.delivery_id == Delivery.id)
        .where(Message.case_id == case.id, Delivery.voice == cases.COUNSELOR)
        .order_by(Delivery.id.desc())
        .limit(1)
    )
    return last is None

"""One voice at a time, as the case's page shows it: who speaks, who writes, what was passed on, what can be said."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import access, drafts, replies
from handoff.access import OVERSEERS, TOWN_HALL, is_system
from handoff.moments import day_and_time
from handoff.tongue import say
from storage.models import Case, CaseEvent, Desk, Staff
from storage.settings import Settings
from storage.support import CaseNote

LAPSED = ("lapsed_waiting", "lapsed_following")
ASLEEP = (
    "しばらく画面が動いていなかったため、担当を外れました。"
    "書いた文は、下書きに残してあります。もう一度担当すると、つづきから送れます。"
)


def desk_view(session: Session, case: Case, staff: Staff, settings: Settings, now: datetime) -> dict[str, Any]:
    """What stands under the talk, beside the case itself."""
    mine = case.claimed_by == staff.id and case.closed_at is None
    passes = mine or (staff.role in OVERSEERS and case.closed_at is None)
    return {
        "draft": drafts.of(session, case.id, staff.id),
        "writing": drafts.writing(session, case.id, staff.id, now),
        "answers": drafts.answers(session, case.id),
        "replies": replies.filled(session, staff, settings, now) if mine else [],
        "may_change_replies": staff.role in OVERSEERS,
        "receivers": _receivers(session, staff) if passes else [],
        "passed": _passed(session, case),
        "asleep": not mine and case.closed_at is None and _lapsed(session, case, staff),
        "responsible": _name(session.get(Staff, case.responsible_id)) if case.responsible_id else "",
        "desk": _desk(session, case),
    }


def refused(session: Session, case_id: str, staff: Staff, text: str, why: str, now: datetime) -> str:
    """Keeps an answer that could not be sent as a draft; the sentence that says why."""
    case = access.case_of(session, staff, case_id)
    if text:
        drafts.keep(session, case_id, staff.id, text[: drafts.LONGEST], now)
    if text and case.claimed_by is None and case.closed_at is None and _lapsed(session, case, staff):
        return say(ASLEEP)
    return why


def _lapsed(session: Session, case: Case, staff: Staff) -> bool:
    """Whether it was this person's claim that lapsed last."""
    last = session.scalars(
        select(CaseEvent)
        .where(CaseEvent.case_id == case.id, CaseEvent.kind.in_((*LAPSED, "claimed")))
        .order_by(CaseEvent.id.desc())
        .limit(1)
    ).first()
    return last is not None and last.kind in LAPSED and last.staff_id == staff.id


def _passed(session: Session, case: Case) -> dict[str, str] | None:
    """The last transfer with its note, until the one after it."""
    event = session.scalars(
        select(CaseEvent)
        .where(CaseEvent.case_id == case.id, CaseEvent.kind == "transferred")
        .order_by(CaseEvent.id.desc())
        .limit(1)
    ).first()
    if event is None or case.closed_at:
        return None
    notes = session.scalars(
        select(CaseNote.text).where(
            CaseNote.case_id == case.id, CaseNote.at == event.at, CaseNote.staff_id == event.staff_id,
            CaseNote.withdrawn_at.is_(None),
        )
    ).first()  # fmt: skip
    by = session.get(Staff, event.staff_id) if event.staff_id else None
    return {"by": _name(by), "to": event.note or "", "at": day_and_time(event.at), "note": notes or ""}


def _receivers(session: Session, staff: Staff) -> list[tuple[str, list[tuple[str, str]]]]:
    """To whom a case can be passed: groups of (heading, [(value, name)])."""
    desks = session.scalars(select(Desk).where(Desk.retired_at.is_(None)).order_by(Desk.name))
    people = session.scalars(
        select(Staff).where(Staff.disabled_at.is_(None), Staff.role.in_(TOWN_HALL), Staff.id != staff.id)
    )
    named = sorted((_name(one), one.id) for one in people if not is_system(one))
    groups = [
        (say("窓口"), [(f"desk-{one.id}", one.name) for one in desks]),
        (say("人"), [(f"staff-{id_}", name) for name, id_ in named]),
    ]
    return [(heading, options) for heading, options in groups if options]


def _desk(session: Session, case: Case) -> str:
    desk = session.get(Desk, case.desk_id) if case.desk_id else None
    return desk.name if desk else ""


def _name(staff: Staff | None) -> str:
    return staff.called if staff else ""

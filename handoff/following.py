"""Staying connected: the day of the next contact, what is due today, and the visits of months."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from handoff import case as cases
from handoff import queue
from handoff.access import cases_of
from handoff.moments import day
from handoff.slips import CHANGED_MEANWHILE, Slip
from handoff.tongue import say
from handoff.words import words
from storage.clock import JAPAN
from storage.models import Case, CaseEvent, Staff
from storage.support import SupportRecord

LONGEST_NOTE = 500
MOST = 100
AHEAD = timedelta(days=7)
#: Nobody plans further than this; a year that was mistyped is found.
FURTHEST = timedelta(days=800)


@dataclass(frozen=True)
class Due:
    """A case that somebody shall be contacted about."""

    id: str
    complaint: str
    on: date | None
    late: int
    note: str
    carrier: str
    status: str
    csrf_was: str


@dataclass(frozen=True)
class Today:
    """What the page of the day shows."""

    returned: list[Due]
    mine: list[Due]
    others: list[Due]
    unplanned: list[Due]
    ahead: list[Due]
    unsent: list[tuple[str, str, str]]


def today(now: datetime) -> date:
    """The day in Japan."""
    return now.astimezone(JAPAN).date()


def was(case: Case) -> str:
    """What the form of the next contact brings back, so that a plan that a colleague changed is not overwritten."""
    return f"{case.next_contact_on or ''} {case.next_contact_note or ''}".strip()


def set_next_contact(
    session: Session, case: Case, staff: Staff, on: date | None, note: str, before: str, now: datetime
) -> None:
    """Sets, changes or (without a day) clears the next contact. Raises Slip."""
    if before != was(case):
        raise Slip({"": say(CHANGED_MEANWHILE)}, 409)
    if case.closed_at:
        raise Slip({"": say("この相談は終わっています。")}, 409)
    check_day(on, now)
    case.next_contact_on, case.next_contact_note = on, note or None
    if case.responsible_id is None and on:
        case.responsible_id = staff.id
    cases.note(session, case, "next_contact", now, staff, str(on) if on else None)


def check_day(on: date | None, now: datetime, name: str = "on") -> None:
    """Raises Slip for a day that is over, or that nobody can mean."""
    if on and on < today(now):
        raise Slip({name: say("これからの日を選んでください。")})
    if on and on > today(now) + FURTHEST:
        raise Slip({name: say("2年より先の日は選べません。")})


def plan_of(session: Session, staff: Staff, now: datetime) -> Today:
    """What is due: who has written again, mine before others', what has no day yet, and the week ahead."""
    on = today(now)
    open_ones = cases_of(staff).where(Case.closed_at.is_(None))
    is_due = open_ones.where(Case.next_contact_on <= on).order_by(Case.next_contact_on, Case.id)
    mine = _mine(staff)
    taken_on = or_(Case.claimed_by.is_not(None), Case.following_since.is_not(None))
    soon = and_(Case.next_contact_on > on, Case.next_contact_on <= on + AHEAD)
    waits = queue.STANDS["waiting"]
    return Today(
        returned=_dues(session, open_ones.where(waits, Case.responsible_id == staff.id), on),
        mine=_dues(session, is_due.where(mine), on),
        others=_dues(session, is_due.where(~mine), on),
        unplanned=_dues(session, open_ones.where(taken_on, Case.next_contact_on.is_(None)).order_by(~mine), on),
        ahead=_dues(session, open_ones.where(soon).order_by(Case.next_contact_on, Case.id), on),
        unsent=_unsent(session, staff, now),
    )


def _mine(staff: Staff) -> ColumnElement[bool]:
    # Never NULL, so that its opposite is everybody else's.
    return or_(
        and_(Case.claimed_by.is_not(None), Case.claimed_by == staff.id),
        and_(Case.responsible_id.is_not(None), Case.responsible_id == staff.id),
    )


def _dues(session: Session, wanted: Select[Case], on: date) -> list[Due]:
    found = list(session.scalars(wanted.limit(MOST)))
    complaints = queue.complaints(session, found)
    ids = {id_ for case in found for id_ in (case.claimed_by, case.responsible_id) if id_}
    people = session.scalars(select(Staff).where(Staff.id.in_(ids)))
    names = {one.id: one.called for one in people}
    return [
        Due(
            id=case.id,
            complaint=complaints[case.id],
            on=case.next_contact_on,
            late=(on - case.next_contact_on).days if case.next_contact_on else 0,
            note=case.next_contact_note or "",
            carrier=names.get(case.claimed_by or case.responsible_id or 0, ""),
            status=cases.status(case),
            csrf_was=was(case),
        )
        for case in found
    ]


def _unsent(session: Session, staff: Staff, now: datetime) -> list[tuple[str, str, str]]:
    """The check-ins that could not be sent, or were stopped, in the last days: case, day, why."""
    theirs = cases_of(staff).where(Case.closed_at.is_(None), _mine(staff)).with_only_columns(Case.id)
    found = session.scalars(
        select(CaseEvent)
        .where(
            CaseEvent.kind.in_(("check_in_unsent", "check_ins_stopped")),
            CaseEvent.at > now - AHEAD,
            CaseEvent.case_id.in_(theirs),
        )
        .order_by(CaseEvent.at.desc())
        .limit(MOST)
    )
    stopped = say("お便りはもういらないと、ご本人が書きました。")
    return [(event.case_id, day(event.at), say(event.note) if event.note else stopped) for event in found]


# Visits


@dataclass(frozen=True)
class Visits:
    """The visits of a case: how many, when somebody was last met, letters, and each in a line, newest first."""

    count: int
    met: int
    letters: int
    last_met: str
    months: int
    lines: list[tuple[str, str, str, bool, str]]


def visits(session: Session, case: Case) -> Visits:
    """Those of the case's records that were visits."""
    made = select(SupportRecord).where(SupportRecord.case_id == case.id, SupportRecord.visit.is_not(None))
    found = list(session.scalars(made.order_by(SupportRecord.at.desc(), SupportRecord.id.desc())))
    met = [one for one in found if one.visit == "met"]
    span = (found[0].at - found[-1].at).days if found else 0
    return Visits(
        count=len(found),
        met=len(met),
        letters=sum(one.letter_left for one in found),
        last_met=day(met[0].at) if met else "",
        months=span // 30,
        lines=[
            (day(one.at), one.visit or "", say(words().visits.get(one.visit or "", "")), one.letter_left,
             one.content)
            for one in found
        ],
    )  # fmt: skip

"""Support meetings, and which cases may be opened in them: the consent of the client is part of the query.

支援会議 (社会福祉法106条の6) needs no consent, and binds all who take part to secrecy. In a 重層的支援会議 a case
without consent cannot be opened: `cases_for` is the only way from a meeting to a case, and it finds no such case.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from handoff import case as cases
from handoff import queue
from handoff.access import CASE_ID, cases_of
from handoff.slips import Slip, same_version
from handoff.support_words import support_words
from handoff.tongue import say
from storage.models import Agency, Case, Staff
from storage.support import Meeting, MeetingAttendee, MeetingCase

JUSO = "juso"
LONGEST_TITLE, LONGEST_PLACE, LONGEST_NAME, LONGEST_DECISIONS = 100, 200, 100, 5_000
MOST_LISTED, MOST_CANDIDATES = 100, 200
NOT_HERE = "この相談は、この会議では開けません。"
NO_CONSENT = "重層的支援会議では、ご本人の同意がある相談だけを開けます。この相談には同意がありません。"


def cases_for(staff: Staff, meeting: Meeting) -> Select[Case]:
    """The cases of a meeting that may be opened there, by this person: theirs to see, and with consent where it is
    needed. What the client has taken back is gone at once."""
    found = _may_be_opened(cases_of(staff), meeting)
    return found.join(MeetingCase, MeetingCase.case_id == Case.id).where(MeetingCase.meeting_id == meeting.id)


def _may_be_opened(wanted: Select[Case], meeting: Meeting) -> Select[Case]:
    return wanted.where(Case.share.is_(True)) if meeting.kind == JUSO else wanted


def case_for(
    session: Session, staff: Staff, meeting: Meeting, case_id: str, *, to_change: bool = False
) -> tuple[Case, MeetingCase]:
    """One case of a meeting with what was decided. Raises LookupError when it may not be opened there."""
    if not CASE_ID.fullmatch(case_id):
        raise LookupError(say(NOT_HERE))
    wanted = cases_for(staff, meeting).add_columns(MeetingCase).where(Case.id == case_id)
    row = session.execute(wanted.with_for_update() if to_change else wanted).one_or_none()
    if row is None:
        raise LookupError(say(NOT_HERE))
    case, opened = row
    return case, opened


def shut_out(session: Session, staff: Staff, meeting: Meeting) -> int:
    """How many cases were put on this meeting and may not be opened there any more, of those this person may see."""
    if meeting.kind != JUSO:
        return 0
    there = cases_of(staff).join(MeetingCase, MeetingCase.case_id == Case.id)
    without = there.where(MeetingCase.meeting_id == meeting.id, Case.share.is_not(True)).with_only_columns(Case.id)
    return session.scalar(select(func.count()).select_from(without.subquery())) or 0


def candidates(session: Session, staff: Staff, meeting: Meeting) -> list[tuple[str, str]]:
    """The open cases that somebody has taken on and that may be put on a meeting, one's own first: id, complaint."""
    there = select(MeetingCase.case_id).where(MeetingCase.meeting_id == meeting.id)
    taken_on = or_(Case.claimed_by.is_not(None), Case.responsible_id.is_not(None), Case.following_since.is_not(None))
    open_ones = _may_be_opened(cases_of(staff), meeting).where(Case.closed_at.is_(None), taken_on)
    open_ones = open_ones.where(Case.id.not_in(there))
    theirs = func.coalesce(Case.responsible_id, Case.claimed_by, 0) == staff.id
    wanted = open_ones.order_by(theirs.desc(), Case.urgency.desc(), Case.opened_at).limit(MOST_CANDIDATES)
    found = list(session.scalars(wanted))
    complaints = queue.complaints(session, found)
    return [(case.id, complaints[case.id] or say("（まだ困りごとは書かれていません）")) for case in found]


# The meeting itself


def found(session: Session, meeting_id: int) -> Meeting | None:
    """A meeting by its id."""
    return session.get(Meeting, meeting_id)


def begin(
    session: Session, kind: str, title: str, held_at: datetime, place: str, staff: Staff, now: datetime
) -> Meeting:
    """A new meeting; who makes it takes part."""
    meeting = Meeting(
        kind=kind, title=title, held_at=held_at, place=place, created_by=staff.id, created_at=now, version=1
    )
    session.add(meeting)
    session.flush()
    invite(session, meeting, staff.called, staff_id=staff.id)
    return meeting


def invite(
    session: Session, meeting: Meeting, name: str, *, staff_id: int | None = None, agency_id: int | None = None
) -> None:
    """Somebody takes part; the same name twice is once."""
    there = select(MeetingAttendee.id).where(
        MeetingAttendee.meeting_id == meeting.id, MeetingAttendee.name == name, MeetingAttendee.agency_id == agency_id
    )
    if session.scalars(there).first() is None:
        session.add(MeetingAttendee(meeting_id=meeting.id, staff_id=staff_id, agency_id=agency_id, name=name))
        session.flush()


def uninvite(session: Session, meeting: Meeting, attendee_id: int) -> None:
    """Somebody does not take part after all."""
    session.execute(
        delete(MeetingAttendee).where(MeetingAttendee.id == attendee_id, MeetingAttendee.meeting_id == meeting.id)
    )


def attendees(session: Session, meeting: Meeting) -> list[tuple[int, str, str]]:
    """Who takes part: id, the agency or nothing, name."""
    rows = session.execute(
        select(MeetingAttendee, Agency.name)
        .outerjoin(Agency, Agency.id == MeetingAttendee.agency_id)
        .where(MeetingAttendee.meeting_id == meeting.id)
        .order_by(MeetingAttendee.agency_id.is_not(None), MeetingAttendee.id)
    )
    return [(one.id, agency or "", one.name) for one, agency in rows]


def add_case(session: Session, meeting: Meeting, case_id: str, staff: Staff, now: datetime) -> None:
    """Puts a case on a meeting. Raises LookupError for one that is not theirs, Slip for one without consent."""
    mine = cases_of(staff).where(Case.id == case_id)
    case = session.scalars(mine).one_or_none() if CASE_ID.fullmatch(case_id) else None
    if case is None:
        raise LookupError(say("その相談は見つかりません。"))
    # Held until the commit, so that a consent that is taken back at this moment comes before or after, not between.
    if session.scalars(_may_be_opened(mine, meeting).with_for_update()).one_or_none() is None:
        raise Slip({"meeting": say(NO_CONSENT), "case": say(NO_CONSENT)})
    if session.get(MeetingCase, (meeting.id, case.id)):
        return
    session.add(MeetingCase(meeting_id=meeting.id, case_id=case.id, decisions="", added_by=staff.id, added_at=now))
    cases.note(session, case, "meeting_added", now, staff, say(support_words().meetings[meeting.kind]["name"]))
    session.flush()


def remove_case(session: Session, meeting: Meeting, case_id: str, staff: Staff, now: datetime) -> None:
    """Takes a case off a meeting. Raises LookupError."""
    case, opened = case_for(session, staff, meeting, case_id)
    if opened.decisions:
        raise Slip({"": say("決まったことが書かれている相談は、外せません。")}, 409)
    session.delete(opened)
    cases.note(session, case, "meeting_removed", now, staff)


def decide(
    session: Session, meeting: Meeting, case_id: str, decisions: str, form: dict[str, str], staff: Staff, now: datetime
) -> None:
    """Writes what was decided of a case. Raises LookupError, Slip 409."""
    case, opened = case_for(session, staff, meeting, case_id, to_change=True)
    same_version(form, opened.version)
    opened.decisions, opened.version = decisions, opened.version + 1
    cases.note(session, case, "decided", now, staff)


# Lists


@dataclass(frozen=True)
class Listed:
    """A meeting in the list."""

    meeting: Meeting
    kind: str
    cases: int


def listed(session: Session, staff: Staff, now: datetime, *, past: bool) -> list[Listed]:
    """The meetings to come, the nearest first, or those that were, the last first."""
    wanted = select(Meeting).limit(MOST_LISTED)
    if past:
        wanted = wanted.where(Meeting.held_at <= now).order_by(Meeting.held_at.desc())
    else:
        wanted = wanted.where(Meeting.held_at > now).order_by(Meeting.held_at)
    return [
        Listed(one, say(support_words().meetings[one.kind]["name"]), _count(session, staff, one))
        for one in session.scalars(wanted)
    ]


def _count(session: Session, staff: Staff, meeting: Meeting) -> int:
    counted = cases_for(staff, meeting).with_only_columns(Case.id).subquery()
    return session.scalar(select(func.count()).select_from(counted)) or 0

"""What the page of support shows of one case, made ready so that the template only lays out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import agencies, check_ins, following, queue
from handoff.access import OVERSEERS
from handoff.case import holder_name, status
from handoff.moments import day, day_and_time
from handoff.support_words import check_in_words, support_words
from handoff.tongue import say
from handoff.words import language_name, words
from storage.clock import JAPAN
from storage.models import Agency, Case, Conversation, Staff
from storage.support import CaseNote, CheckIn, Meeting, MeetingCase


@dataclass(frozen=True)
class Note:
    """A note as it is read."""

    id: int
    text: str
    by: str
    at: str
    changed: str
    audience: str
    ground: str
    consent: str
    own: bool
    may_withdraw: bool
    version: int


def view(session: Session, case: Case, staff: Staff, now: datetime) -> dict[str, Any]:
    """Everything of the case that its page of support shows to somebody of the town hall."""
    conversation = session.get_one(Conversation, case.conversation_id)
    responsible = session.get(Staff, case.responsible_id) if case.responsible_id else None
    stands = status(case)
    carries = case.claimed_by == staff.id or (case.claimed_by is None and case.responsible_id == staff.id)
    stopped = check_ins.stopped_at(session, case.conversation_id)
    return {
        "id": case.id,
        "complaint": queue.complaints(session, [case])[case.id],
        "status": stands,
        "status_name": say(words().statuses[stands]),
        "holder": holder_name(session, case),
        "responsible": responsible.called if responsible else "",
        "mine": case.claimed_by == staff.id,
        "carries": carries,
        "may_close": stands != "closed" and carries,
        "consent": consent_line(case),
        "share": case.share,
        "outcome": case.outcome or "",
        "outcome_kind": say(support_words().outcomes.get(case.outcome_kind or "", "")),
        "closed": day_and_time(case.closed_at) if case.closed_at else "",
        "following": day(case.following_since) if case.following_since else "",
        "next_on": case.next_contact_on,
        "next_day": _day(case) if case.next_contact_on else "",
        "next_late": (following.today(now) - case.next_contact_on).days if case.next_contact_on else 0,
        "next_note": case.next_contact_note or "",
        "was": following.was(case),
        "today": following.today(now),
        "clock": now.astimezone(JAPAN).strftime("%H:%M"),
        "parts": _parts(session, case),
        "gone": agencies.ended_by_consent(session, case),
        "notes": notes(session, case, staff),
        "visits": following.visits(session, case),
        "check_ins": _check_ins(session, case, now),
        "stopped": day(stopped) if stopped else "",
        "unreachable": _unreachable(conversation),
        "language": say(language_name(case.language)) if case.language != "ja" else "",
        "texts": check_in_words(case.language).texts,
        "hint": check_in_words(case.language).hint,
        "meetings": _meetings(session, case),
        "may_meet": _may_meet(session, case, now),
    }


def consent_line(case: Case) -> str:
    """What the client has said of sharing, and when."""
    said = {True: say("伝えてよい"), False: say("伝えないでほしい")}
    if case.share is None:
        return say("まだ聞いていません")
    return said[case.share] + (f"・{day(case.share_at)}" if case.share_at else "")


def notes(session: Session, case: Case, staff: Staff) -> list[Note]:
    """The notes that this person may read."""
    found = list(session.scalars(agencies.notes_for(staff, case)))
    people = {
        one.id: one for one in session.scalars(select(Staff).where(Staff.id.in_({note.staff_id for note in found})))
    }
    ids = {note.agency_id for note in found} | {note.audience_agency_id for note in found}
    names = {one.id: one.name for one in session.scalars(select(Agency).where(Agency.id.in_(ids - {None})))}
    return [_note(note, people[note.staff_id], names, staff) for note in found]


def _note(note: CaseNote, author: Staff, names: dict[int, str], staff: Staff) -> Note:
    of_agency = names.get(note.agency_id, "") if note.agency_id else ""
    audience = say(support_words().audiences[note.audience])
    if note.audience_agency_id:
        audience = say("役所と{agency}", agency=names.get(note.audience_agency_id, ""))
    elif of_agency and note.audience == "staff":
        audience = say("役所と{agency}", agency=of_agency)
    own = note.staff_id == staff.id
    return Note(
        id=note.id,
        text=note.text,
        by=f"{of_agency} {author.called}".strip(),
        at=day_and_time(note.at),
        changed=day_and_time(note.changed_at) if note.changed_at != note.at else "",
        audience=audience,
        ground=say(support_words().grounds[note.ground]["name"]) if note.ground else "",
        consent=_consent_then(note.consent),
        own=own,
        may_withdraw=own or staff.role in OVERSEERS,
        version=note.version,
    )


def _consent_then(consent: bool | None) -> str:
    if consent is None:
        return say("同意は未確認")
    return say("同意あり") if consent else say("同意なし")


def _parts(session: Session, case: Case) -> list[dict[str, Any]]:
    grounds = support_words().grounds
    return [
        {
            "id": part.id,
            "agency_id": agency.id,
            "name": agency.name,
            "kind": agency.kind,
            "phone": agency.phone,
            "role": part.role,
            "ground": say(grounds[part.ground]["name"]) if part.ground in grounds else part.ground,
            "since": day(part.since),
            "until": day(part.until) if part.until else "",
        }
        for part, agency in agencies.involvements(session, case)
    ]


def _check_ins(session: Session, case: Case, now: datetime) -> list[dict[str, Any]]:
    found = session.execute(
        select(CheckIn, Staff)
        .join(Staff, Staff.id == CheckIn.staff_id)
        .where(CheckIn.case_id == case.id)
        .order_by(CheckIn.done_at.is_not(None), CheckIn.due_at.desc(), CheckIn.id.desc())
        .limit(30)
    )
    return [
        {
            "id": one.id,
            "text": one.text,
            "by": author.called,
            "due": day_and_time(one.due_at),
            "state": "sent" if one.sent_at else "ended" if one.done_at else "planned",
            "says": _says(one, case, now),
        }
        for one, author in found
    ]


def _says(one: CheckIn, case: Case, now: datetime) -> str:
    """Where a check-in stands, as a sentence."""
    if one.sent_at:
        return say("{when}に送りました。", when=day_and_time(one.sent_at))
    if one.done_at:
        return say(one.why) if one.why else say("送りませんでした。")
    if not check_ins.by_day(max(one.due_at, now)):
        return say("夜のあいだは送らず、朝8時をすぎてから送ります。")
    if one.due_at <= now and case.claimed_by and case.claimed_by != one.staff_id:
        return say("ほかの人がお話をうかがっているあいだは、送らずに待ちます。")
    if one.due_at <= now:
        return say("お話が落ちつくのを待って送ります。")
    return ""


def _unreachable(conversation: Conversation) -> str:
    if conversation.address is None:
        return say(check_ins.QUIT)
    return say(check_ins.BLOCKED) if conversation.blocked_at else ""


def _meetings(session: Session, case: Case) -> list[dict[str, Any]]:
    found = session.execute(
        select(Meeting, MeetingCase)
        .join(MeetingCase, MeetingCase.meeting_id == Meeting.id)
        .where(MeetingCase.case_id == case.id)
        .order_by(Meeting.held_at.desc())
    )
    return [
        {
            "id": meeting.id,
            "kind": say(support_words().meetings[meeting.kind]["name"]),
            "title": meeting.title,
            "at": day_and_time(meeting.held_at),
            "decisions": row.decisions if meeting.kind != "juso" or case.share is True else "",
            "shut": meeting.kind == "juso" and case.share is not True,
        }
        for meeting, row in found
    ]


def _may_meet(session: Session, case: Case, now: datetime) -> list[tuple[int, str]]:
    """The meetings to come in which this case may be opened and is not yet."""
    there = select(MeetingCase.meeting_id).where(MeetingCase.case_id == case.id)
    wanted = select(Meeting).where(Meeting.held_at > now, Meeting.id.not_in(there)).order_by(Meeting.held_at)
    if case.share is not True:
        wanted = wanted.where(Meeting.kind != "juso")
    kinds = support_words().meetings
    return [
        (one.id, f"{day(one.held_at)} {say(kinds[one.kind]['name'])} {one.title}")
        for one in session.scalars(wanted.limit(50))
    ]


def _day(case: Case) -> str:
    assert case.next_contact_on
    return day(datetime.combine(case.next_contact_on, datetime.min.time(), JAPAN))

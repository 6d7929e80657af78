"""The queue and a case as the staff's pages show them: rows made ready, so that templates only lay out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from handoff import queue, record, summary
from handoff.access import OVERSEERS
from handoff.case import LEVELS, Status, holder_name, status
from handoff.moments import clock_time, day, day_and_time, how_long
from handoff.words import confidence_in_words, field_name, language_name, service_name, words
from storage.models import Case, CaseEvent, Conversation, Delivery, Message, Notice, Staff

PAGE = 50
SIDE_PAGE = 20
FIELDS_SHOWN = 4


@dataclass(frozen=True)
class Row:
    """One case in the queue."""

    id: str
    level: str
    status: Status
    waited: str
    since: str
    complaint: str
    fields: list[str]
    more_fields: int
    household: str
    channel: str
    language: str
    speaker: str
    holder: str
    unread: bool
    undelivered: bool


@dataclass(frozen=True)
class Section:
    """Some cases under one heading; `next` is the cursor of those that follow."""

    title: str
    count: str
    rows: list[Row]
    status: Status
    next: str | None


@dataclass(frozen=True)
class Board:
    """The queue page."""

    sections: list[Section]
    counts: Mapping[Status, int]
    notices: list[tuple[str, str]]
    danger: int


def board(session: Session, staff: Staff, chosen: Status | None, cursor: str | None, now: datetime) -> Board:
    """The queue: without a choice who waits, what is mine, what others hold, who still talks with the machine."""
    counts = queue.counts(session, staff)
    if chosen:
        sections = [_section(session, staff, chosen, words().statuses[chosen], now, counts.get(chosen), cursor)]
    else:
        mine, others = Case.claimed_by == staff.id, Case.claimed_by != staff.id
        sections = [
            _section(session, staff, "waiting", "待っている人", now, counts["waiting"]),
            _section(session, staff, "claimed", "わたしの担当", now, None, None, mine),
            _section(session, staff, "claimed", "ほかの人の担当", now, None, None, others),
            _section(session, staff, "following", "見守り中", now, counts["following"]),
            _section(session, staff, "collecting", "機械の受付でお話の途中", now, counts["collecting"]),
        ]
        sections = [section for section in sections if section.rows or section.status == "waiting"]
    rows = [row for section in sections for row in section.rows]
    danger = sum(row.level in ("urgent", "immediate") and row.status in ("waiting", "collecting") for row in rows)
    return Board(sections, counts, _notices(session), danger)


def _section(
    session: Session,
    staff: Staff,
    stands: Status,
    title: str,
    now: datetime,
    count: int | None,
    cursor: str | None = None,
    *where: ColumnElement[bool],
) -> Section:
    page = queue.page(session, staff, stands, PAGE if stands == "waiting" else SIDE_PAGE, cursor, *where)
    rows = _rows(session, page.cases, now)
    at_least = "以上" if count == queue.COUNTED or (count is None and page.next) else ""
    return Section(title, f"{len(rows) if count is None else count}{at_least}", rows, stands, page.next)


def _rows(session: Session, cases: list[Case], now: datetime) -> list[Row]:
    holders = queue.holders(session, cases)
    complaints = queue.complaints(session, cases)
    failed, unread = queue.undelivered(session, cases), queue.unread(session, cases)
    return [_row(case, complaints[case.id], holders, case.id in failed, case.id in unread, now) for case in cases]


def _row(case: Case, complaint: str, holders: dict[int, str], undelivered: bool, unread: bool, now: datetime) -> Row:
    assessment = case.assessment
    fields = [field_name(field["id"]) for field in assessment.get("fields", ())]
    speaker = assessment.get("speaker", "self")
    return Row(
        id=case.id,
        level=LEVELS[case.urgency],
        status=status(case),
        waited=_how_long_ago(case, now),
        since=day_and_time(case.waiting_since or case.opened_at),
        complaint=complaint,
        fields=fields[:FIELDS_SHOWN],
        more_fields=max(0, len(fields) - FIELDS_SHOWN),
        household=summary.household(assessment),
        channel=words().channels.get(case.channel, case.channel),
        language=language_name(case.language) if case.language != "ja" else "",
        speaker=words().speakers.get(speaker, "") if speaker != "self" else "",
        holder=holders.get(case.claimed_by, "") if case.claimed_by else "",
        unread=unread and case.claimed_by is not None,
        undelivered=undelivered,
    )


def _how_long_ago(case: Case, now: datetime) -> str:
    """The number that leads a row: how long somebody waits, has been silent, or since when it is over."""
    if case.closed_at:
        return day(case.closed_at)
    return how_long(now - (case.waiting_since or case.last_message_at))


def _notices(session: Session) -> list[tuple[str, str]]:
    open_ones = select(Notice).where(Notice.ended_at.is_(None)).order_by(Notice.id.desc()).limit(5)
    return [(notice.sentence, day_and_time(notice.at)) for notice in session.scalars(open_ones)]


def case_view(session: Session, case: Case, staff: Staff, now: datetime, line_is_door: bool) -> dict[str, Any]:
    """Everything that the case's page shows. `line_is_door`: whoever came over LINE reads and writes on the page."""
    conversation = session.get_one(Conversation, case.conversation_id)
    behind_door = line_is_door and conversation.channel == "line"
    assessment, talk = case.assessment, record.talk(session, case)
    stands = status(case)
    return {
        "id": case.id,
        "status": stands,
        "status_name": words().statuses[stands],
        "outcome": case.outcome,
        "holder": holder_name(session, case),
        "mine": case.claimed_by == staff.id,
        "may_free": bool(case.claimed_by) and case.claimed_by != staff.id and staff.role in OVERSEERS,
        "channel": words().channels.get(case.channel, case.channel),
        "behind_door": behind_door,
        "unseen": behind_door and conversation.knocked_at is not None,
        "unreachable": _unreachable(conversation, behind_door),
        "language": language_name(case.language) if case.language != "ja" else "",
        "opened": day_and_time(case.opened_at),
        "waiting": day_and_time(case.waiting_since) if case.waiting_since else "",
        "waited": how_long(now - case.waiting_since) if case.waiting_since else "",
        "complaint": queue.complaints(session, [case])[case.id],
        "delete_wanted": day_and_time(case.delete_wanted_at) if case.delete_wanted_at else "",
        "previous": case.previous_id,
        "danger": _danger(case),
        "lines": _lines(case),
        "fields": _fields(assessment),
        "members": _members(assessment),
        "services": _services(assessment),
        "not_asked": [
            words().topics[topic] for topic in summary.unasked(assessment, case.share)
        ],
        "share": {True: "伝えてよい", False: "伝えないでほしい"}.get(case.share) if case.share is not None else "",
        "talk": _talk(session, talk),
        "answers": sum(message.sender == "counselor" and message.staff_id is not None for message, _ in talk),
        "events": _events(session, case),
    }  # fmt: skip


def _lines(case: Case) -> list[tuple[str, str]]:
    """The summary without what the page shows in places of its own."""
    apart = {"危険", "困りごと", "分野", "世帯", "まだ聞いていないこと"}
    return [line for line in summary.lines(case.assessment, case.complaint, case.language) if line[0] not in apart]


def _danger(case: Case) -> dict[str, str]:
    found = summary.urgency(case.assessment)
    level = LEVELS[case.urgency]
    return {
        "level": level,
        "kinds": summary.kinds_in_words(found["kinds"]),
        "quote": found["quote"],
        "means": words().levels_mean[level],
    }


def _fields(assessment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": field_name(f["id"]), "sure": confidence_in_words(f["confidence"]), "quotes": f["quotes"]}
        for f in assessment.get("fields", ())
    ]


def _members(assessment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "relation": words().relations.get(member.get("relation", ""), words().relations["other"]),
            "age": member.get("age"),
            "fields": [field_name(field) for field in member.get("fields", ())],
            "quotes": member.get("quotes", ()),
        }
        for member in summary.members(assessment)
    ]


def _services(assessment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": service_name(s["id"]), "quote": s["quote"]} for s in assessment.get("services", ())]


def _unreachable(conversation: Conversation, behind_door: bool) -> str:
    if conversation.blocked_at:
        what = "お知らせは届きません。ページは読めます。" if behind_door else "お返事は届きません。"
        return f"{day_and_time(conversation.blocked_at)}に、この人はLINEで受信を止めました。{what}"
    if conversation.address is None:
        return "この人は画面を閉じて相談を消しました。お返事は届きません。"
    return ""


def _talk(session: Session, talk: list[tuple[Message, Delivery | None]]) -> list[dict[str, Any]]:
    staff_ids = {message.staff_id for message, _ in talk if message.staff_id}
    people = session.scalars(select(Staff).where(Staff.id.in_(staff_ids)))
    names = {staff.id: staff.name or staff.email for staff in people}
    entries, last_day = [], ""
    for message, delivery in talk:
        today = day(message.written_at)
        entries.append(
            {
                "id": message.id,
                "sender": message.sender,
                "name": names.get(message.staff_id, "") if message.staff_id else words().senders[message.sender],
                "text": record.shown_text(message),
                "quiet": message.kind != "text" or message.unsent_at is not None,
                "at": clock_time(message.written_at),
                "iso": message.written_at.isoformat(timespec="seconds"),
                "day": today if today != last_day else "",
                "delivery": record.delivery_state(message, delivery) if message.sender != "resident" else "",
                "error": delivery.error or "" if delivery else "",
            }
        )
        last_day = today
    return entries


def _events(session: Session, case: Case) -> list[tuple[str, str, str]]:
    rows = session.execute(
        select(CaseEvent, Staff)
        .outerjoin(Staff, Staff.id == CaseEvent.staff_id)
        .where(CaseEvent.case_id == case.id)
        .order_by(CaseEvent.id)
    )
    what = words().events
    return [
        (day_and_time(event.at), what.get(event.kind, event.kind), (staff.name or staff.email) if staff else "")
        for event, staff in rows
    ]

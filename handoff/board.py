"""The queue and a case as the staff's pages show them: rows made ready, so that templates only lay out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from handoff import corrections, queue, record, summary
from handoff.access import OVERSEERS
from handoff.case import LEVELS, Status, holder_name, status
from handoff.case_sheet import marked, sheet
from handoff.finding import area_mark, field_mark, terms
from handoff.moments import clock_time, day, day_and_time, how_long
from handoff.support_words import support_words
from handoff.tongue import say
from handoff.words import language_name, spoken, spoken_field
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
    passed_to: str
    passed_to_me: bool
    unread: bool
    undelivered: bool


@dataclass(frozen=True)
class Section:
    """Some cases under one heading; `next` is the address's part that leads to those that follow."""

    title: str
    count: str
    rows: list[Row]
    status: Status | None
    next: str | None


@dataclass(frozen=True)
class Sight:
    """What of the queue somebody looks at. All of it are ids, so that it may stand in an address."""

    status: Status | None = None
    mine: bool = False
    field: str = ""
    area: int | None = None

    @property
    def marks(self) -> list[str]:
        """What the cases must be marked by."""
        return ([field_mark(self.field)] if self.field else []) + ([area_mark(self.area)] if self.area else [])

    def query(self, **instead: Any) -> str:
        """The address's part after `?`; empty values are left out."""
        given = {
            "status": self.status, "whose": "mine" if self.mine else "", "field": self.field, "area": self.area,
            **instead,
        }  # fmt: skip
        return urlencode({name: value for name, value in given.items() if value})


@dataclass(frozen=True)
class Board:
    """The queue page."""

    sections: list[Section]
    counts: Mapping[Status, int]
    notices: list[tuple[str, str]]
    unreached: int
    dangers: list[str]


def board(session: Session, staff: Staff, sight: Sight, cursor: str | None, now: datetime) -> Board:
    """The queue: without a choice who waits, what is mine, what others hold, who still talks with the machine."""
    counts = queue.counts(session, staff)
    counted = {} if sight.marks else counts
    held, others = Case.claimed_by == staff.id, Case.claimed_by != staff.id
    wanted: list[_Wanted]
    if sight.mine:
        wanted = [_Wanted(None, say("わたしの担当"), None)]
    elif sight.status:
        wanted = [_Wanted(sight.status, spoken().statuses[sight.status], counted.get(sight.status))]
    else:
        wanted = [
            _Wanted("waiting", say("待っている人"), counted.get("waiting")),
            _Wanted("claimed", say("わたしの担当"), None, (held,)),
            _Wanted("claimed", say("ほかの人の担当"), None, (others,)),
            _Wanted("following", say("見守り中"), counted.get("following")),
            _Wanted("collecting", say("機械の受付でお話の途中"), counted.get("collecting")),
        ]
    sections = _sections(session, staff, sight, wanted, cursor, now)
    if len(sections) > 1:
        sections = [one for one in sections if one.rows or one.status == "waiting"]
    return Board(sections, counts, _notices(session), queue.unreached(session, staff), queue.dangers(session, staff))


def found(session: Session, staff: Staff, asked: str, now: datetime) -> tuple[list[Section], bool]:
    """What a search has found: the open cases and the closed ones; and whether there is more than is shown."""
    found = queue.search(session, staff, terms(asked))
    rows = _rows(session, staff, [*found.open, *found.closed], now)
    both = ((say("いまの相談"), rows[: len(found.open)]), (say("終わった相談"), rows[len(found.open) :]))
    return [Section(title, str(len(some)), some, None, None) for title, some in both if some], found.more


@dataclass(frozen=True)
class _Wanted:
    """A section before it is looked up; without a count, its rows are counted."""

    stands: Status | None
    title: str
    count: int | None
    where: tuple[ColumnElement[bool], ...] = ()

    @property
    def most(self) -> int:
        """How many cases of it are shown."""
        return PAGE if self.stands in ("waiting", None) else SIDE_PAGE


def _sections(
    session: Session, staff: Staff, sight: Sight, wanted: list[_Wanted], cursor: str | None, now: datetime
) -> list[Section]:
    pages = [
        queue.page(session, staff, one.stands, one.most, cursor, *one.where, marks=sight.marks)
        if one.stands
        else queue.my_page(session, staff, one.most, cursor, sight.marks)
        for one in wanted
    ]  # fmt: skip
    # What is shown beside the cases is read for all sections at once.
    rows = {row.id: row for row in _rows(session, staff, [case for page in pages for case in page.cases], now)}
    return [
        _section(sight, one, page, [rows[case.id] for case in page.cases])
        for one, page in zip(wanted, pages, strict=True)
    ]


def _section(sight: Sight, wanted: _Wanted, page: queue.Page, rows: list[Row]) -> Section:
    count = len(rows) if wanted.count is None else wanted.count
    at_least = say("以上") if wanted.count == queue.COUNTED or (wanted.count is None and page.next) else ""
    after = sight.query(status=wanted.stands, cursor=page.next) if page.next else None
    return Section(wanted.title, f"{count}{at_least}", rows, wanted.stands, after)


def _rows(session: Session, staff: Staff, cases: list[Case], now: datetime) -> list[Row]:
    names = queue.holders(session, cases)
    complaints = queue.complaints(session, cases)
    failed, unread = queue.undelivered(session, cases), queue.unread(session, cases)
    return [_row(case, staff, complaints[case.id], names, case.id in failed, case.id in unread, now) for case in cases]


def _row(
    case: Case, staff: Staff, complaint: str, names: dict[int, str], undelivered: bool, unread: bool, now: datetime
) -> Row:
    # What nobody corrected needs nothing laid over it, and of a hundred rows few are corrected.
    assessment = corrections.of(case) if case.corrected else case.assessment
    fields = [spoken_field(field["id"]) for field in assessment.get("fields", ())]
    speaker = assessment.get("speaker", "self")
    stands = status(case)
    waits_for = case.responsible_id if stands in ("waiting", "following") else None
    return Row(
        id=case.id,
        level=LEVELS[case.urgency],
        status=stands,
        waited=_how_long_ago(case, now),
        since=day_and_time(case.waiting_since or case.opened_at),
        complaint=complaint,
        fields=fields[:FIELDS_SHOWN],
        more_fields=max(0, len(fields) - FIELDS_SHOWN),
        household=summary.household(assessment),
        channel=spoken().channels.get(case.channel, case.channel),
        language=say(language_name(case.language)) if case.language != "ja" else "",
        speaker=spoken().speakers.get(speaker, "") if speaker != "self" else "",
        holder=names.get(case.claimed_by, "") if case.claimed_by else "",
        passed_to=names.get(waits_for, "") if waits_for else "",
        passed_to_me=waits_for == staff.id,
        unread=unread and (case.claimed_by is not None or waits_for == staff.id),
        undelivered=undelivered,
    )


def _how_long_ago(case: Case, now: datetime) -> str:
    """The number that leads a row: how long somebody waits, has been silent, or since when it is over."""
    if case.closed_at:
        return day(case.closed_at)
    if case.following_since and not case.claimed_by:
        return how_long(now - case.last_message_at)
    return how_long(now - (case.waiting_since or case.last_message_at))


def _notices(session: Session) -> list[tuple[str, str]]:
    open_ones = select(Notice).where(Notice.ended_at.is_(None)).order_by(Notice.id.desc()).limit(5)
    return [(notice.sentence, day_and_time(notice.at)) for notice in session.scalars(open_ones)]


def case_view(session: Session, case: Case, staff: Staff, now: datetime, line_is_door: bool) -> dict[str, Any]:
    """Everything that the case's page shows. `line_is_door`: whoever came over LINE reads and writes on the page."""
    conversation = session.get_one(Conversation, case.conversation_id)
    behind_door = line_is_door and conversation.channel == "line"
    talk = record.talk(session, case)
    understood = sheet(session, case, conversation, [message for message, _ in talk], staff, now)
    stands = status(case)
    return {
        "id": case.id,
        "status": stands,
        "status_name": spoken().statuses[stands],
        "outcome": case.outcome,
        "outcomes": support_words().outcomes,
        "holder": holder_name(session, case),
        "mine": case.claimed_by == staff.id,
        "may_free": bool(case.claimed_by) and case.claimed_by != staff.id and staff.role in OVERSEERS,
        "channel": spoken().channels.get(case.channel, case.channel),
        "behind_door": behind_door,
        "unseen": behind_door and conversation.knocked_at is not None,
        "unreachable": _unreachable(conversation, behind_door),
        "language": say(language_name(case.language)) if case.language != "ja" else "",
        "unread": summary.unread(case.assessment, case.language),
        "opened": day_and_time(case.opened_at),
        "waiting": day_and_time(case.waiting_since) if case.waiting_since else "",
        "waited": how_long(now - case.waiting_since) if case.waiting_since else "",
        "complaint": queue.complaints(session, [case])[case.id],
        "delete_wanted": day_and_time(case.delete_wanted_at) if case.delete_wanted_at else "",
        "previous": case.previous_id,
        **understood,
        "talk": _talk(session, talk, understood["fields"]),
        "answers": sum(message.sender == "counselor" and message.staff_id is not None for message, _ in talk),
        "events": _events(session, case),
    }  # fmt: skip


def _unreachable(conversation: Conversation, behind_door: bool) -> str:
    if conversation.blocked_at:
        what = say("お知らせは届きません。ページは読めます。") if behind_door else say("お返事は届きません。")
        return say("{at}に、この人はLINEで受信を止めました。", at=day_and_time(conversation.blocked_at)) + what
    if conversation.address is None:
        return say("この人は画面を閉じて相談を消しました。お返事は届きません。")
    return ""


def _talk(
    session: Session, talk: list[tuple[Message, Delivery | None]], fields: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    staff_ids = {message.staff_id for message, _ in talk if message.staff_id}
    people = session.scalars(select(Staff).where(Staff.id.in_(staff_ids)))
    names = {staff.id: staff.called for staff in people}
    entries, last_day = [], ""
    for message, delivery in talk:
        today = day(message.written_at)
        entries.append(
            {
                "id": message.id,
                "sender": message.sender,
                "name": names.get(message.staff_id, "") if message.staff_id else spoken().senders[message.sender],
                "text": marked(record.shown_text(message), fields if message.sender == "resident" else []),
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
    what = spoken().events
    return [
        (day_and_time(event.at), what.get(event.kind, event.kind), staff.called if staff else "")
        for event, staff in rows
    ]

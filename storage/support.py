"""The tables of support: what staff do with a case beyond the talk. The case itself is in storage/models.py.

Who: the client and the agencies. What: notes, records, meetings, check-ins, corrections, forms. Beside them what the
whole place needs: drafts, canned replies, what an admin has set, the audit trail, notices that leave the house.
A row that two people may change at once carries a `version`, which their form must bring back.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models import Base


class Client(Base):
    """Whom a case is about, as staff have written it down: what the official forms ask. One a case."""

    __tablename__ = "clients"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    kana: Mapped[str] = mapped_column(default="")
    #: 男, 女, 他, or nothing
    gender: Mapped[str] = mapped_column(String(8), default="")
    born_on: Mapped[date | None]
    address: Mapped[str] = mapped_column(default="")
    phone_home: Mapped[str] = mapped_column(default="")
    phone_mobile: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    #: Who came in their stead, and what they are to the client.
    teller_name: Mapped[str] = mapped_column(default="")
    teller_phone: Mapped[str] = mapped_column(default="")
    teller_relation: Mapped[str] = mapped_column(default="")
    #: How, when, and whether they may be reached safely (NULL: not known).
    reach_by: Mapped[str] = mapped_column(String(8), default="")
    reach_when: Mapped[str] = mapped_column(default="")
    reach_safe: Mapped[bool | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)


class Involvement(Base):
    """An agency that takes part in a case: as what, since when, and on which ground it may know of it."""

    __tablename__ = "involvements"
    __table_args__ = (
        Index(
            "involvements_open", "case_id", "agency_id", unique=True, postgresql_where=text("until IS NULL"),
            sqlite_where=text("until IS NULL"),
        ),
        Index("involvements_agency", "agency_id"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    agency_id: Mapped[int] = mapped_column(ForeignKey("agencies.id"))
    #: What it does in this case, in staff's words.
    role: Mapped[str] = mapped_column(default="")
    #: consent (本人同意), 106_6 (社会福祉法106条の6), child_25_2 (児童福祉法25条の2), emergency (緊急)
    ground: Mapped[str] = mapped_column(String(12))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class CaseNote(Base):
    """A note on a case, and who may read it."""

    __tablename__ = "case_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    #: The agency whose note it is; NULL: the town's own.
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agencies.id"))
    #: mine (who wrote it), staff (the town hall), agencies (all that take part), agency (the town and one agency)
    audience: Mapped[str] = mapped_column(String(12))
    audience_agency_id: Mapped[int | None] = mapped_column(ForeignKey("agencies.id"))
    #: On which ground it is shared (see Involvement.ground); NULL where it is not shared.
    ground: Mapped[str | None] = mapped_column(String(12))
    #: What the client had said of sharing when this was written: yes, no, or not asked (NULL).
    consent: Mapped[bool | None]
    text: Mapped[str]
    at: Mapped[datetime]
    changed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class Meeting(Base):
    """A support meeting."""

    __tablename__ = "meetings"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: support (支援会議, 社会福祉法106条の6) or juso (重層的支援会議, which needs each client's consent)
    kind: Mapped[str] = mapped_column(String(8))
    title: Mapped[str]
    held_at: Mapped[datetime] = mapped_column(index=True)
    place: Mapped[str] = mapped_column(default="")
    created_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class MeetingAttendee(Base):
    """Somebody who takes part in a meeting: staff, or somebody of an agency, or a name alone."""

    __tablename__ = "meeting_attendees"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agencies.id"))
    name: Mapped[str]


class MeetingCase(Base):
    """A case that a meeting is about, and what was decided."""

    __tablename__ = "meeting_cases"

    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    decisions: Mapped[str] = mapped_column(default="")
    added_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    added_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class SupportRecord(Base):
    """One entry of 支援経過記録: a call, a visit, a meeting. Its minutes are what the cost split is made of."""

    __tablename__ = "support_records"
    __table_args__ = (Index("support_records_case", "case_id", "at"), Index("support_records_at", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    #: 誰に: the client, family, an agency, in staff's words.
    whom: Mapped[str] = mapped_column(default="")
    #: phone, visit_here (来所), visit (訪問), accompany (同行), meeting (会議), letter (文書やメールやSNS)
    means: Mapped[str] = mapped_column(String(12))
    minutes: Mapped[int]
    content: Mapped[str] = mapped_column(default="")
    next_plan: Mapped[str] = mapped_column(default="")
    #: The fields that the minutes were for; none: those of the case, in equal parts.
    fields: Mapped[list[str]] = mapped_column(default=list)
    #: Of a visit: met, absent, not_opened (出てこない), refused; and whether a letter was left.
    visit: Mapped[str | None] = mapped_column(String(12))
    letter_left: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class CheckIn(Base):
    """A gentle message that a counselor has scheduled. The resident may stop them by a word."""

    __tablename__ = "check_ins"
    __table_args__ = (
        Index(
            "check_ins_left", "due_at", postgresql_where=text("done_at IS NULL"), sqlite_where=text("done_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    #: Set in every end: sent, taken back by staff, stopped by the resident, or not sendable.
    done_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    #: Why it was not sent, as a sentence for staff.
    why: Mapped[str | None]


class Correction(Base):
    """What a counselor corrected: what the machine had found, and what is right. Kept, and offered as an example."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    #: field, member, urgency, topic, service; and which one.
    what: Mapped[str] = mapped_column(String(12))
    key: Mapped[str]
    found: Mapped[dict[str, Any]] = mapped_column(default=dict)
    corrected: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: A wording for the knowledge base, free of names and places, that the counselor has confirmed.
    example: Mapped[str | None]
    example_at: Mapped[datetime | None]
    #: What the admin did with it: taken or declined.
    example_state: Mapped[str | None] = mapped_column(String(10))


class FormSheet(Base):
    """An official form of a case, as it was edited. What it takes from the case stands only where it was changed."""

    __tablename__ = "form_sheets"
    __table_args__ = (UniqueConstraint("case_id", "form"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    #: By its id in the data file of the forms.
    form: Mapped[str] = mapped_column(String(24))
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changed_at: Mapped[datetime]
    changed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)


class Draft(Base):
    """What somebody is writing to a resident: kept when the page is closed, and why others see that they write."""

    __tablename__ = "drafts"

    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    text: Mapped[str]
    at: Mapped[datetime]


class CannedReply(Base):
    """An answer that is written once and used often, with placeholders."""

    __tablename__ = "canned_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    #: NULL: for every desk.
    desk_id: Mapped[int | None] = mapped_column(ForeignKey("desks.id"))
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class Area(Base):
    """A part of the town that cases come from, by the name that residents use: its id stands in addresses of pages."""

    __tablename__ = "areas"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class CaseMark(Base):
    """What the queue is filtered by: `field:<id>`, `area:<id>`. Kept by handoff/finding.py with the case."""

    __tablename__ = "case_marks"

    mark: Mapped[str] = mapped_column(String(40), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, index=True)


class CaseWords(Base):
    """What a case is searched by: pairs of letters of one message, or of the client's name (no message)."""

    __tablename__ = "case_words"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[int | None] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), index=True, unique=True
    )
    #: In the order of the text, parted by spaces. Indexed by migration 0005, as each database can.
    grams: Mapped[str]


class TownTable(Base):
    """A table that an admin may change, over the one that a data file of this repository brings."""

    __tablename__ = "town_tables"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    content: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)


class AuditEntry(Base):
    """A look into a case, an export, a change of access. Only ever added: each carries the digest of the one before.

    The database refuses to change or delete one (a trigger of migration 0003).
    """

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    staff_id: Mapped[int | None] = mapped_column(index=True)
    #: By its id in handoff/words.yml: looked, exported, signed_in, …
    action: Mapped[str] = mapped_column(String(24))
    case_id: Mapped[str | None] = mapped_column(String(32), index=True)
    #: What else it was about; never a resident's words or name.
    detail: Mapped[str] = mapped_column(default="")
    digest: Mapped[str] = mapped_column(String(64))


class Outgoing:
    """What every row that leaves the house has: where to, and how far it is (handoff/sending.py)."""

    id: Mapped[int] = mapped_column(primary_key=True)
    #: webhook, mail or chat
    target: Mapped[str] = mapped_column(String(10))
    next_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    #: Set in every end: sent, nothing to tell any more, too late, or failed for good.
    done_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    #: Why it failed, as a sentence for staff.
    error: Mapped[str | None]


class OutgoingNotice(Outgoing, Base):
    """Word that leaves the house: danger, or a case that waits too long. Without any resident's words."""

    __tablename__ = "outgoing_notices"
    __table_args__ = (
        UniqueConstraint("target", "kind", "case_id"),
        Index(
            "outgoing_notices_left", "next_at", postgresql_where=text("done_at IS NULL"),
            sqlite_where=text("done_at IS NULL"),
        ),
    )  # fmt: skip

    #: danger or waiting
    kind: Mapped[str] = mapped_column(String(10))
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    created_at: Mapped[datetime]

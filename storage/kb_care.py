"""The tables of how the knowledge base is kept fresh: who looks after an entry and until when it holds, who dialled
which helpline, in which periods #9999 answers, and the letters of the weekly summary.

All of it is about the knowledge, none of it is knowledge: a change here makes no version of an entry.
"""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models import Base
from storage.support import Outgoing


class KbCare(Base):
    """Who looks after an entry, and when it wants to be looked at again. Without a row: nobody, and the usual day."""

    __tablename__ = "kb_care"

    entry_id: Mapped[str] = mapped_column(ForeignKey("kb_entries.id"), primary_key=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    #: The day that somebody chose; it holds until the content is confirmed on that day or later.
    review_on: Mapped[date | None]
    changed_at: Mapped[datetime]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)


class LineDial(Base):
    """Somebody dialled a helpline and found it right. Withdrawn: it was entered by mistake."""

    __tablename__ = "line_dials"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: By its id in hotlines.yml.
    line: Mapped[str] = mapped_column(String(24), index=True)
    dialled_on: Mapped[date]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class LinePeriod(Base):
    """From when until when a helpline answers that is there only at times (#9999)."""

    __tablename__ = "line_periods"

    id: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(String(24))
    begins: Mapped[datetime]
    ends: Mapped[datetime]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class KbWeek(Base):
    """A week whose summary was made. Whoever writes the row writes its letters, in the same transaction: so there is
    one summary a week, however many processes look."""

    __tablename__ = "kb_weeks"

    id: Mapped[int] = mapped_column(primary_key=True)
    monday: Mapped[date] = mapped_column(unique=True)
    at: Mapped[datetime]


class KbLetter(Outgoing, Base):
    """One summary to one reader. What it says is reckoned when it is sent."""

    __tablename__ = "kb_letters"
    __table_args__ = (
        Index(
            "kb_letters_left", "next_at", postgresql_where=text("done_at IS NULL"),
            sqlite_where=text("done_at IS NULL"),
        ),
    )  # fmt: skip

    week_id: Mapped[int] = mapped_column(ForeignKey("kb_weeks.id"))
    #: To whom a mail goes; NULL: to whoever reads the target.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

"""The tables of a town's own knowledge: its services, desks and districts, in versions that are only ever added.

A version is a whole: what stood in the form, who saved it, and what it is for. What counts for residents is the newest
version that decided something (published, retired) and whose time has come; drafts beside it change nothing.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models import Base


class KbEntry(Base):
    """One entry, with what its newest version holds of what the list searches and shows."""

    __tablename__ = "kb_entries"
    __table_args__ = (Index("kb_entries_name", "name", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: service: one of the town's own; desk: where people go.
    kind: Mapped[str] = mapped_column(String(16))
    #: The number and the state of the newest version; a form must bring the number back.
    head: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    name: Mapped[str]
    #: |poverty|work|, so that one field is found by LIKE.
    fields: Mapped[str] = mapped_column(default="")
    #: What is searched, in small letters and narrow digits.
    text: Mapped[str] = mapped_column(default="")
    #: The day on which somebody confirmed what it says; NULL: nobody has yet.
    checked_on: Mapped[date | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class KbVersion(Base):
    """What an entry said from some moment on. Never changed, never deleted."""

    __tablename__ = "kb_versions"
    __table_args__ = (UniqueConstraint("entry_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("kb_entries.id"))
    number: Mapped[int]
    #: draft, review, published, retired
    state: Mapped[str] = mapped_column(String(12))
    content: Mapped[dict[str, Any]]
    #: NULL: the machine, as when the demo town is loaded.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    #: From when a published version counts.
    publish_at: Mapped[datetime | None]
    #: What to go to instead, of a retired one: an entry, or a service of the contract.
    successor: Mapped[str | None] = mapped_column(String(40))
    #: The number of the version that this one brought back.
    restored: Mapped[int | None]


class KbAreas(Base):
    """The town, its neighbours and its districts, whole in each version; the newest counts."""

    __tablename__ = "kb_areas"

    #: The number of the version.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: knowledge_base/areas.py: town, prefecture, neighbours, districts (id, name, spellings)
    content: Mapped[dict[str, Any]]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]


class KbImport(Base):
    """A file that somebody brought: the plan of what it would change, then what it did, so that it can be undone."""

    __tablename__ = "kb_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    file_name: Mapped[str]
    #: Kept until it is applied, since what was planned on entries that changed meanwhile is planned anew.
    file: Mapped[bytes | None] = mapped_column(deferred=True)
    plan: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    #: What a process is doing with it (read, apply, undo, nothing), how far it is, and when it last said so.
    doing: Mapped[str] = mapped_column(String(8), default="")
    percent: Mapped[int] = mapped_column(default=0)
    beat_at: Mapped[datetime]
    #: Why it cannot be read, or what came in between: a sentence and its values.
    said: Mapped[dict[str, Any] | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    applied_at: Mapped[datetime | None]
    #: published or draft
    applied_as: Mapped[str] = mapped_column(String(12), default="")
    #: Each entry written, with the numbers before and after; and of an undone one, those that were left.
    written: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

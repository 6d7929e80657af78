"""What every count of the reports begins with: whose cases, of which desk and time; SQL that both databases say.

The database takes each case apart: a query answers with a few short values of each, never with a whole case. Only the
cases that staff have corrected, which are few, are read whole, by the one reading of findings.py. What a query takes
out of JSON is not grouped by it, since it would then be taken out several times.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, and_, case, cast, func, literal_column, select, text
from sqlalchemy.orm import Session

from handoff import access
from handoff.period import Period
from storage.models import Case, Staff

#: The desk filter: the intake, whose cases belong to no desk yet.
INTAKE = 0
JAPAN_IS_AHEAD = "+9 hours"


@dataclass(frozen=True)
class Scope:
    """What a report counts: the cases that `staff` may see, of one desk (None: of all), in a time."""

    session: Session
    staff: Staff
    period: Period
    now: datetime
    desk: int | None = None

    @property
    def sqlite(self) -> bool:
        """Which SQL to say."""
        return self.session.get_bind().dialect.name == "sqlite"

    def cases(self) -> Select[Case]:
        """All of them, whenever."""
        seen = access.cases_of(self.staff)
        if self.desk is None:
            return seen
        return seen.where(Case.desk_id.is_(None) if self.desk == INTAKE else Case.desk_id == self.desk)

    def opened(self) -> Select[Case]:
        """Those that were opened in the time."""
        return self.cases().where(self.within(Case.opened_at))

    def within(self, moment: Any) -> ColumnElement[bool]:
        """Whether a moment is in the time."""
        return and_(moment >= self.period.begins, moment < self.period.ends)

    def corrected(self) -> ColumnElement[bool]:
        """Whether staff have corrected what was found."""
        return cast(Case.corrected, String) != "{}"

    def ids(self, part: str) -> ColumnElement[str]:
        """The ids of one part of the assessment (fields, services) with commas between; NULL where there are none."""
        if self.sqlite:
            each = func.json_each(Case.assessment, f"$.{part}").table_valued("value")
            ids = func.group_concat(func.json_extract(each.c.value, "$.id"), ",")
        else:
            found = Case.assessment[part]
            listed = case((func.json_typeof(found) == "array", found), else_=literal_column("'[]'::json"))
            each = func.json_array_elements(listed).table_valued("value")
            ids = func.string_agg(each.c.value.op("->>")(literal_column("'id'")), ",")
        return select(ids).select_from(each).scalar_subquery()

    def topic(self, name: str) -> ColumnElement[str | None]:
        """What was told of one topic."""
        told: ColumnElement[str | None] = Case.assessment["topics"][name].as_string()
        return told

    def month(self, moment: Any) -> ColumnElement[str]:
        """2026-11, in Japan."""
        if self.sqlite:
            return func.strftime("%Y-%m", moment, JAPAN_IS_AHEAD)
        return func.to_char(_here(moment), "YYYY-MM")

    def hour(self, moment: Any) -> ColumnElement[int]:
        """0 to 23, in Japan."""
        if self.sqlite:
            return cast(func.strftime("%H", moment, JAPAN_IS_AHEAD), Integer)
        return cast(func.extract("hour", _here(moment)), Integer)

    def weekday(self, moment: Any) -> ColumnElement[int]:
        """0 (Sunday) to 6, in Japan."""
        if self.sqlite:
            return cast(func.strftime("%w", moment, JAPAN_IS_AHEAD), Integer)
        return cast(func.extract("dow", _here(moment)), Integer)

    def seconds(self, moment: Any) -> ColumnElement[int]:
        """Since 1970, in whole seconds."""
        if self.sqlite:
            return cast(func.strftime("%s", moment), Integer)
        return cast(func.floor(func.extract("epoch", moment)), Integer)


def grouped(cases: Select[Any], *by: Any) -> Select[Any]:
    """How many cases there are of each kind; the number stands last."""
    kinds = cases.with_only_columns(*(kind.label(f"kind_{at}") for at, kind in enumerate(by))).subquery()
    return select(*kinds.c, func.count()).group_by(*kinds.c)


def listed(ids: str | None) -> tuple[str, ...]:
    """What `Scope.ids` answered, as ids, each once."""
    return tuple(dict.fromkeys(id_ for id_ in (ids or "").split(",") if id_))


def nobody() -> Staff:
    """Whoever counts for the whole town (a command), with a supervisor's eyes."""
    return Staff(email="", role="supervisor", password_hash="")


def in_order(known: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    """What was found, in the order of what is known; the unknown after it."""
    rest = dict.fromkeys(found)
    for id_ in known:
        if id_ in rest:
            del rest[id_]
            yield id_
    yield from sorted(rest)


def _here(moment: Any) -> Any:
    return moment + text("interval '9 hours'")

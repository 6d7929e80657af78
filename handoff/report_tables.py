"""What a report is made of: tables, each with its definition and its picture. Page, CSV and XLSX show the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from markupsafe import Markup

from handoff.tongue import say

Cell = str | int | float | None
#: A number of cases below this may stand for somebody who can be guessed.
SMALL = 3
NO_PICTURE = Markup("")


@dataclass(frozen=True)
class Column:
    """`count`: a number of cases. `of`: the column of the count that this one's figures are about."""

    name: str
    kind: Literal["text", "count", "figure"] = "count"
    of: int | None = None


@dataclass(frozen=True)
class Table:
    """Rows under columns. `note` defines what is counted; the last row is a sum where `summed` says so."""

    id: str
    title: str
    note: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    summed: bool = False

    def without_small(self) -> "Table":
        """The same with every count from 1 to 2, and what is said about it, put out of sight."""
        return replace(self, rows=[self._masked(row) for row in self.rows])

    def _masked(self, row: Sequence[Cell]) -> list[Cell]:
        small = {at for at, cell in enumerate(row) if self.columns[at].kind == "count" and _is_small(cell)}
        hidden = small | {at for at, column in enumerate(self.columns) if column.of in small}
        return [(hidden_mark() if at in small else None) if at in hidden else cell for at, cell in enumerate(row)]


@dataclass(frozen=True)
class Block:
    """One table on the page, with its picture where it has one."""

    table: Table
    picture: Markup = NO_PICTURE
    #: Whether the table stands open: where there is no picture, or the table is what one came for.
    open: bool = False


@dataclass(frozen=True)
class Report:
    """One page of the reports. `facts` are its key figures: what, how much, and what that means."""

    subject: str
    title: str
    lead: str
    facts: Sequence[tuple[str, str, str]]
    blocks: Sequence[Block]
    empty: bool = False
    #: Addresses and names of cases to look at, under a heading.
    cases: Sequence[tuple[str, str]] = field(default_factory=tuple)
    cases_title: str = ""


def hidden_mark() -> str:
    """What stands in place of a small count."""
    return say("{small}未満", small=SMALL)


def share(part: int, whole: int) -> float:
    """Per cent, with one digit."""
    return round(100 * part / whole, 1) if whole else 0.0


def figure(cell: Cell) -> str:
    """A cell as it is read on the page."""
    if cell is None:
        return "—"
    if isinstance(cell, float):
        return f"{cell:.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def _is_small(cell: Cell) -> bool:
    return isinstance(cell, int) and 0 < cell < SMALL

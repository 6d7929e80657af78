"""A sheet of paper as offices rule it: rows of cells over 24 columns, their heights known before they are drawn.

One layout for both outputs (handoff/grid_pdf.py, handoff/grid_xlsx.py). A text that is longer than a few lines goes
over several rows that look like one cell: neither a row of a spreadsheet nor one of a PDF can go over two pages.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from reportlab.pdfbase import pdfmetrics

from handoff import paper

COLUMNS = 24
#: Millimetres: what is ruled of an A4 page, upright and lying.
WIDTH, WIDTH_LYING = 174.0, 267.0
HEIGHT, HEIGHT_LYING = 262.0, 172.0
POINTS = 72 / 25.4
#: Around the text of a cell, in points.
SIDE, ABOVE = 4.0, 2.5
#: So many lines stand in one row; what is longer goes over several rows.
MOST_LINES = 10
#: May not begin a line (行頭禁則), and may not end one.
NOT_FIRST = set("、。，．・：；？！」』）］｝〉》】〕ゝ々ーぁぃぅぇぉっゃゅょァィゥェォッャュョ%％…‥)]}.,!?:;")
NOT_LAST = set("「『（［｛〈《【〔([{")
PART = re.compile(r"[A-Za-z0-9@._+/:=-]+|\n|.")


@dataclass(frozen=True)
class Look:
    """How a kind of cell looks: size in points, bold, tint (grey), alignment, whether it is ruled."""

    size: float = 10
    bold: bool = False
    tint: str = ""
    align: str = "left"
    ruled: bool = True
    middle: bool = False

    @property
    def leading(self) -> float:
        """From one line to the next, in points."""
        return self.size * 1.5


LOOKS = {
    "title": Look(15, bold=True, align="center", ruled=False, middle=True),
    "plain": Look(9, ruled=False),
    "right": Look(9, align="right", ruled=False),
    "band": Look(10, bold=True, tint="D9D9D9", middle=True),
    "name": Look(9, tint="F2F2F2", middle=True),
    "head": Look(9, bold=True, tint="E7E6E6", align="center", middle=True),
    "value": Look(10),
    "short": Look(10, middle=True),
    "small": Look(9),
    "note": Look(8),
    "mark": Look(10, align="center", middle=True),
    "centre": Look(9, align="center"),
}


@dataclass(frozen=True)
class Picture:
    """A PNG and its size on paper, in points."""

    png: bytes
    width: float
    height: float


@dataclass(frozen=True)
class Cell:
    """Some text, or a picture, over `span` columns and `rows` rows, at least `lines` lines high. `from_above`,
    `into_below`: it goes on from or into a neighbour row, so that no line is ruled there."""

    text: str
    span: int
    kind: str = "value"
    lines: int = 1
    rows: int = 1
    from_above: bool = False
    into_below: bool = False
    picture: Picture | None = None

    @property
    def look(self) -> Look:
        """How it looks."""
        return LOOKS[self.kind]


Row = list[Cell]


@dataclass(frozen=True)
class Paper:
    """One sheet: its rows, what stands at the foot of each page, and which rows head each further one."""

    name: str
    rows: list[Row]
    foot: str
    lying: bool = False
    one_page: bool = False
    repeated: tuple[int, ...] = ()

    @property
    def width(self) -> float:
        """What is ruled, in points."""
        return (WIDTH_LYING if self.lying else WIDTH) * POINTS

    @property
    def height(self) -> float:
        """What has room on a page, in points."""
        return (HEIGHT_LYING if self.lying else HEIGHT) * POINTS


@dataclass(frozen=True)
class Placed:
    """A cell and where it begins."""

    row: int
    column: int
    cell: Cell


def place(rows: Sequence[Row]) -> list[Placed]:
    """Where each cell stands: beside its neighbours, and beside what reaches down from above."""
    taken: set[tuple[int, int]] = set()
    placed = []
    for at, row in enumerate(rows):
        column = 0
        for cell in row:
            while (at, column) in taken:
                column += 1
            placed.append(Placed(at, column, cell))
            taken |= {(at + down, column + right) for down in range(cell.rows) for right in range(cell.span)}
            column += cell.span
    return placed


def heights(rows: Sequence[Row], width: float, slack: float = 1.0) -> list[float]:
    """Each row's height in points, so that all its text has room. `slack` < 1: as if cells were that much narrower."""
    found = [0.0] * len(rows)
    placed = place(rows)
    for one in placed:
        if one.cell.rows == 1:
            found[one.row] = max(found[one.row], height_of(one.cell, width * slack))
    for one in placed:
        if one.cell.rows > 1:
            last = one.row + one.cell.rows - 1
            has = sum(found[one.row : last + 1])
            found[last] += max(0.0, height_of(one.cell, width * slack) - has)
    return found


def height_of(cell: Cell, width: float) -> float:
    """What the cell's text or picture needs, in points."""
    if cell.picture:
        return cell.picture.height + 2 * ABOVE
    lines = len(wrap(cell.text, _inner(cell, width), cell.look))
    around = (0 if cell.from_above else ABOVE) + (0 if cell.into_below else ABOVE)
    return max(lines, cell.lines) * cell.look.leading + around


def flowing(rows: Sequence[Row], width: float, piece: int = MOST_LINES, *, sentences: bool = True) -> list[Row]:
    """The rows, with those that are too high for one row gone over several of `piece` lines.

    `sentences`: parted at the end of one where that is near, for where somebody else breaks the lines.
    """
    return [part for row in rows for part in _parts(row, width, piece, sentences)]


def pages(rows: Sequence[Row], high: Sequence[float], most: float, repeated: Sequence[int] = ()) -> list[list[int]]:
    """The rows of each page, those that are `repeated` at the head of each further one.

    Rows that a cell reaches over stay together, and a heading with what follows it.
    """
    held = {one.row + down for one in place(rows) for down in range(1, one.cell.rows)}
    held |= {at + 1 for at, row in enumerate(rows) if row and row[0].kind == "band"}
    found: list[list[int]] = [[]]
    group: list[int] = []
    for at in range(len(rows)):
        group.append(at)
        if at + 1 in held:
            continue
        if found[-1] and sum(high[one] for one in (*found[-1], *group)) > most:
            found.append(list(repeated))
        found[-1] += group
        group = []
    return [page for page in found if page]


def cut(text: str, width: float, look: Look, most: int, *, sentences: bool = True) -> tuple[str, str]:
    """What of a text has room in `most` lines, and the rest; parted at the end of a sentence where one is near."""
    lines = wrap(text, width, look, most + 1)
    if len(lines) <= most:
        return text, ""
    at = _end_of(text, lines[:most])
    near = max(text.rfind("\n", at // 2, at), text.rfind("。", at // 2, at)) if sentences else -1
    at = near + 1 if near > 0 else at
    return text[:at].removesuffix("\n"), text[at:]


def wrap(text: str, width: float, look: Look, most: int = 100_000) -> list[str]:
    """The text's lines in that width, as Japanese lines break; no more than `most` of them."""
    lines, line, used = [], "", 0.0
    for part in _units(text, width, look):
        if part == "\n":
            lines.append(line)
            line, used = "", 0.0
        elif used + (wide := _width(part, look)) <= width or not line:
            line, used = line + part, used + wide
        else:
            line, carried = _carry(line, part)
            lines.append(line)
            line = carried + part
            used = _width(line, look)
        if len(lines) >= most:
            return lines
    return [*lines, line]


def inner_width(span: int, width: float) -> float:
    """What text has of a cell over so many columns, in points."""
    return width * span / COLUMNS - 2 * SIDE


def _inner(cell: Cell, width: float) -> float:
    return inner_width(cell.span, width)


def _parts(row: Row, width: float, piece: int, sentences: bool) -> Iterator[Row]:
    long = any(len(wrap(cell.text, _inner(cell, width), cell.look, MOST_LINES + 1)) > MOST_LINES for cell in row)
    if not long or any(cell.rows > 1 for cell in row):
        yield row
        return
    above = False
    while True:
        pairs = [cut(cell.text, _inner(cell, width), cell.look, piece, sentences=sentences) for cell in row]
        below = any(rest for _, rest in pairs)
        yield [
            replace(cell, text=text, from_above=above, into_below=below, lines=1)
            for cell, (text, _) in zip(row, pairs, strict=True)
        ]
        if not below:
            return
        row = [replace(cell, text=rest) for cell, (_, rest) in zip(row, pairs, strict=True)]
        above = True


def _end_of(text: str, lines: Sequence[str]) -> int:
    """Where in the text these lines end: between them stand the line breaks of the text alone."""
    at = 0
    for line in lines:
        at += len(line)
        if at < len(text) and text[at] == "\n":
            at += 1
    return at


def _carry(line: str, part: str) -> tuple[str, str]:
    """What goes from the end of a line to the next one, so that no line begins or ends as none may (追い出し)."""
    kept = line
    while len(kept) > 1 and (part[0] in NOT_FIRST or kept[-1] in NOT_LAST) and len(line) - len(kept) < 4:
        kept, part = kept[:-1], kept[-1] + part
    return kept, line[len(kept) :]


def _units(text: str, width: float, look: Look) -> Iterator[str]:
    """Characters, and what stays together (words and numbers in Latin letters) where it has room in a line."""
    # One after the other: whoever wants ten lines of a long text does not go through all of it.
    for found in PART.finditer(text):
        part = found.group()
        if len(part) > 1 and _width(part, look) > width:
            yield from part
        else:
            yield part


def _width(text: str, look: Look) -> float:
    font = paper.BOLD if look.bold else paper.TEXT
    return sum(_character(one, font) for one in text) * look.size


@cache
def _character(one: str, font: str) -> float:
    paper.styles()
    return pdfmetrics.stringWidth(one, font, 1)

"""Charts as SVG, made here: bars, a matrix with shades, lines. Pure functions from numbers to markup.

Every text is escaped. Nothing is styled inline (the pages' policy refuses it): shapes carry classes, and their size
is in attributes. Widths are in per cent where the picture may grow with the page, so that its letters never shrink.
No figure is told by colour alone: bars and cells carry their number, lines differ in dash and mark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from markupsafe import Markup, escape

ROW, BAR = 42, 13
CELL, HEAD = 34, 26
#: A letter's width and the room around names, in pixels.
LETTER, GAP = 16, 10
LINE_HEIGHT, LINE_TOP, LINE_FOOT = 220, 16, 44
SHADES = 5
DASHES = ("", "8 4", "2 4", "10 4 2 4", "16 6")
_ids = count(1)


@dataclass(frozen=True)
class Bar:
    """One bar: its parts lie behind each other; `said` is what is written at its end."""

    name: str
    parts: Sequence[int]
    said: str


@dataclass(frozen=True)
class Series:
    """One line; None where there is nothing to show."""

    name: str
    values: Sequence[float | None]


def bars(title: str, desc: str, rows: Sequence[Bar], keys: Sequence[str] = ()) -> Markup:
    """Bars, one under the other, each under its name. `keys` name the parts, where a bar has several."""
    longest = max((sum(row.parts) for row in rows), default=0) or 1
    top = 30 if keys else 0
    drawn = [_key(keys)] if keys else []
    for at, row in enumerate(rows):
        y = top + at * ROW
        drawn.append(_text(0, y + 17, row.name, "name") + _text("100%", y + 17, row.said, "said", "end"))
        drawn.append(f'<rect class="rail" x="0" y="{y + 24}" width="100%" height="{BAR}"/>')
        drawn.append(_parts(row.parts, longest, y + 24))
    return _svg("bars", title, desc, "".join(drawn), "100%", top + len(rows) * ROW)


def matrix(
    title: str,
    desc: str,
    names: Sequence[str],
    heads: Sequence[str],
    values: Sequence[Sequence[int]],
    *,
    upright: bool = False,
    diagonal: bool = False,
) -> Markup:
    """A table of shaded squares, each with its number. `upright` sets the heads top to bottom, as long names want it.

    With `diagonal` the squares where a name meets itself are drawn as frames, outside the shades.
    """
    left = max(map(len, names), default=0) * LETTER + GAP
    top = (max(map(len, heads), default=0) * LETTER + GAP) if upright else HEAD
    most = max((v for y, row in enumerate(values) for x, v in enumerate(row) if not (diagonal and x == y)), default=0)
    drawn = [_head(left + x * CELL + CELL / 2, top, head, upright) for x, head in enumerate(heads)]
    for y, (name, row) in enumerate(zip(names, values, strict=True)):
        middle = top + y * CELL + CELL / 2 + 5
        drawn.append(_text(left - GAP, middle, name, "name", "end"))
        for x, value in enumerate(row):
            kind = "frame" if diagonal and x == y else f"shade{shade(value, most)}"
            drawn.append(
                f'<rect class="{kind}" x="{left + x * CELL + 1}" y="{top + y * CELL + 1}" '
                f'width="{CELL - 2}" height="{CELL - 2}"/>'
            )
            if value:
                drawn.append(_text(left + x * CELL + CELL / 2, middle, str(value), "number", "middle"))
    width, height = left + len(heads) * CELL, top + len(names) * CELL
    return _svg("matrix", title, desc, "".join(drawn), str(width), height)


def lines(title: str, desc: str, names: Sequence[str], series: Sequence[Series], unit: str = "") -> Markup:
    """Lines over a row of names (months), the scale at the left; None breaks a line."""
    most = _round_up(max((v for one in series for v in one.values if v is not None), default=0))
    drawn = [_key([one.name for one in series], lines_=True)]
    low, high = LINE_TOP + 30 + LINE_HEIGHT, LINE_TOP + 30
    for part in range(5):
        y = low - (low - high) * part / 4
        drawn.append(f'<line class="grid" x1="12%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(_text("11%", y + 5, f"{most * part / 4:g}{unit if part == 4 else ''}", "scale", "end"))
    every = -(-len(names) // 12) or 1
    for at, name in enumerate(names):
        if at % every == 0:
            drawn.append(_text(f"{_x(at, len(names)):.2f}%", low + 22, name, "scale", "middle"))
    for at, one in enumerate(series):
        drawn.append(_line(one.values, at, most, low, high))
    return _svg("lines", title, desc, "".join(drawn), "100%", low + LINE_FOOT - 12)


def shade(value: int, most: int) -> int:
    """0 for nothing, else 1 to SHADES."""
    return 0 if value <= 0 or most <= 0 else min(SHADES, max(1, -(-value * SHADES // most)))


def _parts(parts: Sequence[int], longest: int, y: int) -> str:
    drawn, x = [], 0.0
    for at, part in enumerate(parts):
        width = 100 * part / longest
        if part:
            drawn.append(
                f'<rect class="bar part{at}" x="{x:.2f}%" y="{y}" width="{width:.2f}%" height="{BAR}"/>'
            )  # fmt: skip
        x += width
    return "".join(drawn)


def _line(values: Sequence[float | None], at: int, most: float, low: float, high: float) -> str:
    points = [
        (_x(i, len(values)), low - (low - high) * value / most) if value is not None else None
        for i, value in enumerate(values)
    ]
    dash = f' stroke-dasharray="{DASHES[at % len(DASHES)]}"' if DASHES[at % len(DASHES)] else ""
    drawn = [
        f'<line class="line line{at}" x1="{a[0]:.2f}%" y1="{a[1]:.1f}" x2="{b[0]:.2f}%" y2="{b[1]:.1f}"{dash}/>'
        for a, b in pairwise(points)
        if a and b
    ]
    drawn += [_mark(f"{point[0]:.2f}%", point[1], at) for point in points if point]
    return "".join(drawn)


def _mark(x: str, y: float, at: int) -> str:
    """A point of a line: filled or hollow, round or square, so that lines can be told apart without colour."""
    filled = "full" if at % 2 == 0 else "hollow"
    if at % 4 < 2:
        return f'<circle class="mark mark{at} {filled}" cx="{x}" cy="{y:.1f}" r="4.5"/>'
    # Moved by half its size inside a viewport of its own, since per cent and pixels cannot be added.
    return (
        f'<svg x="{x}" y="{y:.1f}" overflow="visible"><rect class="mark mark{at} {filled}" x="-4.5" y="-4.5" '
        'width="9" height="9"/></svg>'
    )


def _key(names: Sequence[str], *, lines_: bool = False) -> str:
    drawn, x = [], 0
    for at, name in enumerate(names):
        if lines_:
            dash = f' stroke-dasharray="{DASHES[at % len(DASHES)]}"' if DASHES[at % len(DASHES)] else ""
            drawn.append(f'<line class="line line{at}" x1="{x}" y1="11" x2="{x + 26}" y2="11"{dash}/>')
            drawn.append(_mark(str(x + 13), 11, at))
        else:
            drawn.append(f'<rect class="bar part{at}" x="{x + 4}" y="3" width="18" height="{BAR}"/>')
        drawn.append(_text(x + 32, 17, name, "name"))
        x += 32 + len(name) * LETTER + 14
    return "".join(drawn)


def _head(x: float, top: float, head: str, upright: bool) -> str:
    if upright:
        return f'<text class="name upright" x="{x:g}" y="{top - 6:g}" text-anchor="end">{escape(head)}</text>'
    return _text(x, top - 7, head, "scale", "middle")


def _text(x: float | str, y: float, words: str, kind: str, anchor: str = "start") -> str:
    x = x if isinstance(x, str) else f"{x:g}"
    return f'<text class="{kind}" x="{x}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(kind: str, title: str, desc: str, drawn: str, width: str, height: float) -> Markup:
    id_ = f"chart-{next(_ids)}"
    return Markup(
        f'<svg class="chart {kind}" role="img" aria-labelledby="{id_} {id_}-desc" width="{width}" height="{height:g}">'
        f'<title id="{id_}">{escape(title)}</title><desc id="{id_}-desc">{escape(desc)}</desc>{drawn}</svg>'
    )


def _x(at: int, of: int) -> float:
    """Per cent: the first stands at 16, the last at 96."""
    return 16 + 80 * (at / (of - 1) if of > 1 else 0.5)


def _round_up(most: float) -> float:
    """The top of a scale that four parts divide well."""
    steps: Iterable[float] = (base * 10**power for power in range(12) for base in (4, 8, 12, 20, 40, 60))
    return next((step for step in sorted(steps) if step >= most), most) if most > 0 else 4

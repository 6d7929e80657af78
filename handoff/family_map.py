"""The household as a drawn family map, by the conventions of genograms. Pure: people in, places and lines out, SVG.

Squares are men, circles women, diamonds people whose sex is not known. Age stands inside, the client has a double
outline, a couple is joined by a line below both, children hang from it, each generation has a row. Who lives together
stands within a dashed line. Looks are left to the style sheet, so that light, dark and print each have their own.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

#: Every relation of words.yml: its generation, counted from the grandparents down, in the order from left to right.
ROWS: tuple[tuple[str, ...], ...] = (
    ("grandfather", "grandmother"),
    ("father", "mother", "father_in_law", "mother_in_law"),
    (
        "older_brother", "older_sister", "client", "self", "husband", "wife", "partner", "younger_brother",
        "younger_sister",
    ),
    ("son", "daughter"),
    ("grandchild",),
    ("relative", "friend", "neighbor", "other"),
)  # fmt: skip
PARENTS, OWN, CHILDREN, GRANDCHILDREN = 1, 2, 3, 4
_PLACES = {relation: (row, at) for row, relations in enumerate(ROWS) for at, relation in enumerate(relations)}
MEN = {
    "husband", "father", "son", "older_brother", "younger_brother", "grandfather", "father_in_law",
}  # fmt: skip
WOMEN = {
    "wife", "mother", "daughter", "older_sister", "younger_sister", "grandmother", "mother_in_law",
}  # fmt: skip
SPOUSES = ("husband", "wife", "partner")
SIBLINGS = ("older_brother", "older_sister", "younger_brother", "younger_sister")
COUPLES = (("grandfather", "grandmother"), ("father", "mother"), ("father_in_law", "mother_in_law"))

# Pixels at natural size.
SYMBOL, TEXT, BETWEEN = 44, 104, 8
CELL, CELL_GAP = SYMBOL + BETWEEN + TEXT, 8
LETTER, LINE = 14, 18
MARGIN, AROUND, TITLE = 4, 12, 22
MOST_LINES = 6
#: From here on a map wants a row of its own on the page.
WIDE = 400


@dataclass(frozen=True)
class Person:
    """One member. `sex`: male, female, other, or "" to go by the relation; `together`: in the same household."""

    relation: str
    label: str
    age: int | None = None
    sex: str = ""
    together: bool = True
    fields: tuple[str, ...] = ()

    @property
    def shape(self) -> str:
        """square, circle or diamond."""
        if self.sex:
            return {"male": "square", "female": "circle"}.get(self.sex, "diamond")
        return "square" if self.relation in MEN else "circle" if self.relation in WOMEN else "diamond"


@dataclass(frozen=True)
class Placed:
    """A person and the box that is theirs alone: the symbol at its upper left, the words beside it."""

    person: Person
    x: float
    y: float
    lines: tuple[str, ...]
    client: bool

    @property
    def height(self) -> float:
        """Of the box."""
        return max(SYMBOL, len(self.lines) * LINE)

    @property
    def middle(self) -> float:
        """Where lines meet the symbol."""
        return self.x + SYMBOL / 2


Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class FamilyMap:
    """Everything that is drawn. `home` is the outline of the household: x, y, width, height."""

    width: float
    height: float
    people: tuple[Placed, ...]
    lines: tuple[Points, ...]
    home: tuple[float, float, float, float] | None


def layout(people: Sequence[Person]) -> FamilyMap:
    """Gives every person a place and draws the lines between them."""
    rows = _rows(people)
    home = max((_width(_inside(row)) for row in rows), default=0)
    away = max((_width(_outside(row)) for row in rows), default=0)
    left = MARGIN + AROUND
    right = left + home + (2 * AROUND + CELL_GAP if home and away else 0)
    placed: list[Placed] = []
    tops: list[float] = []
    client, y = _client(people), float(MARGIN + AROUND + (TITLE if home else 0))
    for at, row in enumerate(rows):
        tops.append(y)
        placed += _in_row(_inside(row), left + (home - _width(_inside(row))) / 2, y, client)
        placed += _in_row(_outside(row), right, y, client)
        y += max(one.height for one in placed if one.y == y) + (_gap(row, rows[at + 1 :]))
    width = (right + away if away else left + home) + AROUND + MARGIN
    drawn = tuple(placed)
    return FamilyMap(width, y + AROUND + MARGIN, drawn, tuple(_lines(drawn)), _home(drawn, left, home))


def svg(drawn: FamilyMap, title: str, description: str, home: str) -> Markup:
    """The map as an inline image; every word in it is escaped. `home` is the name of the dashed outline."""
    width, height = f"{drawn.width:g}", f"{drawn.height:g}"
    kind = "family wide" if drawn.width > WIDE else "family"
    parts = [
        f'<svg class="{kind}" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="family-title family-about">',
        f'<title id="family-title">{escape(title)}</title><desc id="family-about">{escape(description)}</desc>',
    ]
    if drawn.home:
        x, y, wide, high = drawn.home
        parts.append(f'<rect class="home" x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="14"/>')
        parts.append(f'<text class="home-name" x="{x + AROUND:g}" y="{y + 18:g}">{escape(home)}</text>')
    parts += [f'<polyline class="tie" points="{" ".join(f"{x:g},{y:g}" for x, y in line)}"/>' for line in drawn.lines]
    parts += [_one(one) for one in drawn.people]
    return Markup("".join(parts) + "</svg>")


def _rows(people: Sequence[Person]) -> list[list[Person]]:
    """The generations that anybody is of, each in its order; whoever is the same to the client, the oldest first."""
    rows: list[list[Person]] = [[] for _ in ROWS]
    for person in people:
        rows[_place(person)[0]].append(person)
    for row in rows:
        row.sort(key=lambda person: (_place(person)[1], -(person.age or 0)))
    return [row for row in rows if row]


def _place(person: Person) -> tuple[int, int]:
    return _PLACES.get(person.relation, _PLACES["other"])


def _inside(row: Sequence[Person]) -> list[Person]:
    return [person for person in row if person.together]


def _outside(row: Sequence[Person]) -> list[Person]:
    return [person for person in row if not person.together]


def _width(people: Sequence[Person]) -> float:
    return len(people) * CELL + max(0, len(people) - 1) * CELL_GAP


def _client(people: Sequence[Person]) -> Person | None:
    """Whom the talk is about: the client who is told of, else the one who writes."""
    of = {person.relation: person for person in reversed(people)}
    return of.get("client") or of.get("self")


def _in_row(people: Sequence[Person], x: float, y: float, client: Person | None) -> Iterator[Placed]:
    for at, person in enumerate(people):
        yield Placed(person, x + at * (CELL + CELL_GAP), y, _words(person), person is client)


def _gap(row: Sequence[Person], below: Sequence[Sequence[Person]]) -> float:
    """Room under a row: for the lines of its couples, then for the lines that the next row hangs from."""
    couples = 8 + 6 * sum(person.relation in (*SPOUSES, "mother", "grandmother", "mother_in_law") for person in row)
    return couples + (AROUND + 30 if below else 0)


def _words(person: Person) -> tuple[str, ...]:
    fields = [line for field in person.fields for line in _wrapped(field)]
    label = _wrapped(person.label)
    room = max(0, MOST_LINES - len(label))
    if len(fields) > room:
        fields = [*fields[: max(0, room - 1)], "…"]
    return (*label, *fields)


def label_lines(person: Person) -> int:
    """How many of a person's lines are their name."""
    return len(_wrapped(person.label))


def letters(text: str) -> float:
    """How wide a text is, in full letters."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WFA" else 0.56 for letter in text)


def _wrapped(text: str) -> list[str]:
    """The text in lines that fit beside a symbol, broken after 「・」 where there is one."""
    lines = [""]
    for part in text.replace("・", "・\n").split("\n"):
        if lines[-1] and (letters(lines[-1]) + letters(part)) * LETTER > TEXT:
            lines.append("")
        for letter in part:
            if letters(lines[-1] + letter) * LETTER > TEXT:
                lines.append("")
            lines[-1] += letter
    return lines


def _home(placed: Sequence[Placed], left: float, width: float) -> tuple[float, float, float, float] | None:
    inside = [one for one in placed if one.person.together]
    if not inside:
        return None
    top = min(one.y for one in inside) - AROUND - TITLE
    last = max(one.y for one in inside)
    bottom = max(one.y + one.height for one in placed if one.y == last) + AROUND
    bottom += _gap([one.person for one in placed if one.y == last], ()) - 8
    return left - AROUND, top, width + 2 * AROUND, bottom - top


# The lines


def _lines(placed: Sequence[Placed]) -> Iterator[Points]:
    of: dict[str, list[Placed]] = {}
    for one in placed:
        of.setdefault(one.person.relation, []).append(one)
    me = next((one for one in placed if one.client), None)
    floors = {y: max(one.y + one.height for one in placed if one.y == y) for y in {one.y for one in placed}}
    joined: dict[int, tuple[float, float]] = {}  # a person → where the children of their couple hang from
    couples = [(of[a][0], of[b][0]) for a, b in COUPLES if a in of and b in of]
    couples += [(me, spouse) for name in SPOUSES for spouse in of.get(name, ())] if me else []
    depths: dict[float, int] = {}
    for first, second in couples:
        depth = depths[first.y] = depths.get(first.y, -1) + 1
        floor = floors[first.y] + 8 + 6 * depth
        yield (
            (first.middle, first.y + SYMBOL), (first.middle, floor), (second.middle, floor),
            (second.middle, second.y + SYMBOL),
        )  # fmt: skip
        for one in (first, second):
            joined.setdefault(id(one), ((first.middle + second.middle) / 2, floor))
    for level, (parent, children) in enumerate(_families(of, me)):
        yield from _family(joined.get(id(parent)) if parent else None, parent, children, level)


def _families(of: dict[str, list[Placed]], me: Placed | None) -> Iterator[tuple[Placed | None, list[Placed]]]:
    """Who hangs from whom, as far as it was told: where it could be one or another, no line is drawn."""
    first = {relation: placed[0] for relation, placed in of.items()}
    parents = [first[name] for name in ("father", "mother") if name in first]
    own = [*of.get("older_brother", ()), *of.get("older_sister", ()), *([me] if me else []),
           *of.get("younger_brother", ()), *of.get("younger_sister", ())]  # fmt: skip
    if own and (parents or len(own) > 1):
        yield parents[0] if parents else None, own
    spouse = next((first[name] for name in SPOUSES if name in first), None)
    in_laws = [first[name] for name in ("father_in_law", "mother_in_law") if name in first]
    if in_laws and spouse:
        yield in_laws[0], [spouse]
    children = [*of.get("son", ()), *of.get("daughter", ())]
    if me and children:
        yield me, children
    if len(children) == 1 and of.get("grandchild"):
        yield children[0], of["grandchild"]
    old = [first[name] for name in ("grandfather", "grandmother") if name in first]
    if old and len(parents) == 1:
        yield old[0], parents


def _family(
    hangs: tuple[float, float] | None, parent: Placed | None, children: Sequence[Placed], level: int
) -> Iterator[Points]:
    bar = children[0].y - 10 - 7 * (level % 2)
    start = hangs or ((parent.middle, parent.y + SYMBOL) if parent else None)
    ends = [child.middle for child in children] + ([start[0]] if start else [])
    if max(ends) > min(ends):
        yield (min(ends), bar), (max(ends), bar)
    if start:
        yield start, (start[0], bar)
    for child in children:
        yield (child.middle, bar), (child.middle, child.y)


# The drawing


def _one(one: Placed) -> str:
    x, y, half = one.x, one.y, SYMBOL / 2
    kind = f"person{' client' if one.client else ''}{' apart' if not one.person.together else ''}"
    parts = [f'<g class="{kind}">', _symbol(one.person.shape, x, y, 1)]
    if one.client:
        parts.append(_symbol(one.person.shape, x, y, 5 if one.person.shape != "diamond" else 7))
    if one.person.age is not None:
        parts.append(f'<text class="age" x="{x + half:g}" y="{y + half + 6:g}">{one.person.age}</text>')
    label = label_lines(one.person)
    for at, line in enumerate(one.lines):
        name = "name" if at < label else "field"
        parts.append(f'<text class="{name}" x="{x + SYMBOL + BETWEEN:g}" y="{y + 14 + at * LINE:g}">')
        parts.append(f"{escape(line)}</text>")
    return "".join(parts) + "</g>"


def _symbol(shape: str, x: float, y: float, inset: float) -> str:
    half, side = SYMBOL / 2, SYMBOL - 2 * inset
    if shape == "square":
        return f'<rect class="symbol" x="{x + inset:g}" y="{y + inset:g}" width="{side:g}" height="{side:g}"/>'
    if shape == "circle":
        return f'<circle class="symbol" cx="{x + half:g}" cy="{y + half:g}" r="{half - inset:g}"/>'
    points = ((half, inset), (SYMBOL - inset, half), (half, SYMBOL - inset), (inset, half))
    return f'<polygon class="symbol" points="{" ".join(f"{x + a:g},{y + b:g}" for a, b in points)}"/>'

"""A family map (handoff/family_map.py) as a black picture on white, for the official forms in both their outputs."""

import io
import itertools
from collections.abc import Iterator
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from handoff import paper
from handoff.family_map import AROUND, BETWEEN, LINE, SYMBOL, FamilyMap, Placed, Points, label_lines

#: At natural size: how many points of paper one pixel of the map is.
POINTS = 0.66
#: Dots of the picture a pixel of the map: about 330 an inch on paper.
DOTS = 3
#: Of the map's letters, in its pixels.
NAME, AGE, HOME = 14, 16, 13
INK, SOFT, WHITE = 0, 90, 255
DASH = 6.0


def png(drawn: FamilyMap, home: str) -> bytes:
    """The map as a grey PNG. `home` is the name of the dashed outline."""
    image = Image.new("L", (round(drawn.width * DOTS), round(drawn.height * DOTS)), WHITE)
    pen = _Pen(ImageDraw.Draw(image))
    if drawn.home:
        x, y, wide, high = drawn.home
        pen.dashed(((x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)))
        pen.write(x + AROUND, y + 18, home, HOME, tone=SOFT)
    for line in drawn.lines:
        pen.line(line)
    for one in drawn.people:
        _person(pen, one)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _person(pen: "_Pen", one: Placed) -> None:
    half = SYMBOL / 2
    pen.symbol(one.person.shape, one.x, one.y, 1)
    if one.client:
        pen.symbol(one.person.shape, one.x, one.y, 7 if one.person.shape == "diamond" else 5)
    if one.person.age is not None:
        pen.write(one.x + half, one.y + half + 6, str(one.person.age), AGE, bold=True, anchor="ms")
    labels = label_lines(one.person)
    for at, line in enumerate(one.lines):
        pen.write(one.x + SYMBOL + BETWEEN, one.y + 14 + at * LINE, line, NAME, bold=at < labels)


class _Pen:
    """Draws in the map's pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def line(self, points: Points) -> None:
        self._draw.line([(x * DOTS, y * DOTS) for x, y in points], fill=INK, width=2 * DOTS - 2, joint="curve")

    def dashed(self, points: Points) -> None:
        for begin, end in itertools.pairwise(points):
            for first, last in _dashes(begin, end):
                self._draw.line([(x * DOTS, y * DOTS) for x, y in (first, last)], fill=SOFT, width=DOTS)

    def symbol(self, shape: str, x: float, y: float, inset: float) -> None:
        left, top, right, bottom = x + inset, y + inset, x + SYMBOL - inset, y + SYMBOL - inset
        box = [(left * DOTS, top * DOTS), (right * DOTS, bottom * DOTS)]
        if shape == "square":
            self._draw.rectangle(box, fill=WHITE, outline=INK, width=2 * DOTS - 2)
        elif shape == "circle":
            self._draw.ellipse(box, fill=WHITE, outline=INK, width=2 * DOTS - 2)
        else:
            middle, centre = (left + right) / 2, (top + bottom) / 2
            corners = ((middle, top), (right, centre), (middle, bottom), (left, centre), (middle, top), (right, centre))
            self._draw.polygon([(a * DOTS, b * DOTS) for a, b in corners[:4]], fill=WHITE)
            self.line(corners)

    def write(
        self, x: float, y: float, text: str, size: int, *, bold: bool = False, tone: int = INK, anchor: str = "ls"
    ) -> None:
        self._draw.text((x * DOTS, y * DOTS), text, font=_font(size, bold), fill=tone, anchor=anchor)


def _dashes(begin: tuple[float, float], end: tuple[float, float]) -> Iterator[Points]:
    length = max(abs(end[0] - begin[0]), abs(end[1] - begin[1]))
    at = 0.0
    while at < length:
        yield tuple(
            (begin[0] + (end[0] - begin[0]) * part, begin[1] + (end[1] - begin[1]) * part)
            for part in (at / length, min(at + DASH, length) / length)
        )
        at += 2 * DASH


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(paper.BOLD_FILE if bold else paper.TEXT_FILE), size * DOTS)

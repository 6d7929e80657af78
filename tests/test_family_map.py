"""The family map: everybody once, nobody upon another, no line through anybody, and no markup from a name."""

from itertools import combinations, pairwise
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.family_map import (
    BETWEEN,
    CELL,
    LETTER,
    MEN,
    ROWS,
    SYMBOL,
    WOMEN,
    Person,
    Placed,
    layout,
    letters,
    svg,
)  # fmt: skip
from handoff.words import words

RELATIONS = [*words().relations, "somebody unheard of"]
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=24)
PEOPLE = st.lists(
    st.builds(
        Person, st.sampled_from(RELATIONS), NAMES, st.none() | st.integers(0, 120),
        st.sampled_from(["", "male", "female", "other"]), st.booleans(), st.lists(NAMES, max_size=9).map(tuple),
    ),
    max_size=12,
)  # fmt: skip


@given(PEOPLE)
@settings(max_examples=150, deadline=None)
def test_any_household_is_drawn_whole_and_nobody_upon_another(people: list[Person]) -> None:
    drawn = layout(people)
    assert sorted(id(one.person) for one in drawn.people) == sorted(map(id, people))
    for one in drawn.people:
        assert 0 <= one.x <= one.x + CELL <= drawn.width
        assert 0 <= one.y <= one.y + one.height <= drawn.height
        assert all(letters(line) * LETTER <= CELL - SYMBOL - BETWEEN for line in one.lines)
    for one, other in combinations(drawn.people, 2):
        assert one.x + CELL <= other.x or other.x + CELL <= one.x or _above(one, other) or _above(other, one)
    for line in drawn.lines:
        for start, end in pairwise(line):
            assert start[0] == end[0] or start[1] == end[1]
            assert not [one for one in drawn.people if _runs_through(start, end, one)]
    inside = [one for one in drawn.people if drawn.home and _within(one, drawn.home)]
    assert [one for one in drawn.people if one.person.together] == inside


def _above(one: Placed, other: Placed) -> bool:
    return one.y + one.height <= other.y


def _runs_through(start: tuple[float, float], end: tuple[float, float], one: Placed) -> bool:
    """Whether a line runs over somebody's symbol or words; under one's own symbol, left of the words, it may."""
    (left, right), (top, bottom) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    meets = left < one.x + CELL and right > one.x and top < one.y + one.height and bottom > one.y
    return meets and not (left == right == one.middle and top >= one.y + SYMBOL)


def _within(one: Placed, home: tuple[float, float, float, float]) -> bool:
    x, y, width, height = home
    return x < one.x < one.x + CELL < x + width and y < one.y < one.y + one.height < y + height


@given(NAMES)
def test_no_word_is_ever_markup(name: str) -> None:
    nasty = f"<script>&\"'{name}"
    image = svg(layout([Person("self", nasty, fields=(nasty,))]), nasty, nasty, nasty)
    root = ElementTree.fromstring(str(image))
    assert {element.tag.split("}")[1] for element in root.iter()} <= {
        "svg", "title", "desc", "rect", "text", "g", "polygon",
    }  # fmt: skip
    assert "style=" not in image


def test_every_relation_has_its_place_and_its_sex() -> None:
    placed = {relation for row in ROWS for relation in row}
    assert placed == set(words().relations)
    assert not MEN & WOMEN
    assert placed > MEN | WOMEN


def test_parents_stand_above_and_are_joined_and_the_child_hangs_between_them() -> None:
    father, mother, me = Person("father", "父", 85), Person("mother", "母", 82), Person("self", "本人", 52)
    drawn = layout([me, mother, father])
    at = {one.person.relation: one for one in drawn.people}
    assert at["father"].y == at["mother"].y < at["self"].y
    assert at["father"].x < at["self"].x < at["mother"].x
    assert at["self"].client
    couple, stem, drop = drawn.lines
    assert (couple[0][0], couple[-1][0]) == (at["father"].middle, at["mother"].middle)
    assert stem[0] == ((at["father"].middle + at["mother"].middle) / 2, couple[1][1])
    assert drop[-1] == (at["self"].middle, at["self"].y)
    assert [one.person.shape for one in drawn.people] == ["square", "circle", "diamond"]


def test_who_is_told_of_is_the_client_rather_than_who_tells() -> None:
    drawn = layout([Person("self", "本人"), Person("client", "本人（支援の対象）"), Person("neighbor", "近所の人")])
    assert [one.person.relation for one in drawn.people if one.client] == ["client"]
    assert str(svg(drawn, "", "", "")).count('class="symbol"') == 4


def test_who_lives_elsewhere_is_outside_and_still_joined() -> None:
    drawn = layout([Person("self", "本人"), Person("husband", "夫", together=False), Person("son", "息子", 3)])
    assert drawn.home is not None
    husband = next(one for one in drawn.people if one.person.relation == "husband")
    assert husband.x > drawn.home[0] + drawn.home[2]
    assert len(drawn.lines) == 4

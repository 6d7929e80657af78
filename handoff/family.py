"""The family map of a case: for the page as an inline image in the language of the page, for paper as a picture."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from handoff import corrections, family_map, family_picture
from handoff.family_map import Person
from handoff.grid import Picture
from handoff.tongue import say
from handoff.words import field_name, spoken, spoken_field, words
from storage.models import Case
from storage.support import Client

Name = Callable[[str], str]  # of a field


def on_page(case: Case, client: Client | None) -> Markup:
    """The map; "" when nobody was told of."""
    people = _people(case, client, spoken().relations, spoken_field)
    if not people:
        return Markup("")
    about = "、".join(_described(person) for person in people)
    return family_map.svg(family_map.layout(people), say("家族の図"), about, say("いっしょに暮らす"))


def on_paper(case: Case, client: Client | None, width: float, height: float) -> Picture | None:
    """The map, no larger than `width` × `height` points; None when nobody was told of, and one is drawn by hand."""
    people = _people(case, client, words().relations, field_name)
    if not people:
        return None
    drawn = family_map.layout(people)
    scale = min(family_picture.POINTS, width / drawn.width, height / drawn.height)
    return Picture(family_picture.png(drawn, "いっしょに暮らす"), drawn.width * scale, drawn.height * scale)


def _people(case: Case, client: Client | None, relations: Mapping[str, str], name: Name) -> Sequence[Person]:
    members: Iterable[Mapping[str, Any]] = corrections.members(case.assessment, case.corrected)
    return [_person(member, client, relations, name) for member in members if member["state"] != "wrong"]


def _person(member: Mapping[str, Any], client: Client | None, relations: Mapping[str, str], name: Name) -> Person:
    relation, sex = member["relation"], member["sex"]
    if relation in ("self", "client") and not sex and client:
        sex = {"男": "male", "女": "female"}.get(client.gender, "")
    label = relations.get(relation, relations["other"]).partition("（")[0]
    fields = tuple(name(field) for field in member["fields"])
    return Person(relation, label, member["age"], sex, member["together"], fields)


def _described(person: Person) -> str:
    age = " " + say("{age}歳", age=person.age) if person.age is not None else ""
    return f"{person.label}{age}" + (f"（{'・'.join(person.fields)}）" if person.fields else "")

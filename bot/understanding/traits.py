"""Who a person told of is, in numbers: their part in the household and their age, and what speaks for and against their
being a member.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bot.understanding.features import Floats
from bot.understanding.persons import Person

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "partner": ("husband", "wife", "partner"),
    "parent": ("father", "mother", "father_in_law", "mother_in_law"),
    "grandparent": ("grandfather", "grandmother"),
    "child": ("son", "daughter", "other", "grandchild"),
    "brother_or_sister": ("older_brother", "younger_brother", "older_sister", "younger_sister"),
    "kin_or_friend": ("relative", "friend", "neighbor"),
}
_AGES = (("under 19", 0, 19), ("19 to 39", 19, 40), ("40 to 64", 40, 65), ("65 and more", 65, 200))
TRAITS = ("always", "self", "client", *_GROUPS, *(name for name, _, _ in _AGES), "about_other")
SIGNS = (
    *TRAITS, "known", "mentioned", "mentioned_often", "gone", "always_gone", "subject", "only_owning", "has_age",
    "called", "living", "self_unnamed", "self_elsewhere",
)  # fmt: skip


def traits_of(person: Person, about_other: bool) -> Floats:
    groups = [person.relation in relations for relations in _GROUPS.values()]
    ages = [person.age is not None and low <= person.age < high for _, low, high in _AGES]
    return np.array(
        [True, person.relation == "self", person.relation == "client", *groups, *ages, about_other], np.float32
    )


def signs_of(person: Person, about_other: bool, elsewhere: bool) -> Floats:
    """What speaks for and against a person's being a member."""
    writer = person.relation == "self"
    more = (
        person.known, person.mentioned > 0, person.mentioned > 1, person.gone > 0,
        person.gone > 0 and person.gone == person.mentioned, person.subject > 0,
        person.mentioned > 0 and person.owning == person.mentioned, person.age is not None, bool(person.called),
        person.living > 0, writer and person.mentioned == 0, writer and elsewhere,
    )  # fmt: skip
    return np.concatenate([traits_of(person, about_other), np.array(more, np.float32)])

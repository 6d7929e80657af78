"""Whose trouble is whose: what the clauses tell, how they speak of each person, and who that person is, weighed by
factors learned from the household conversations (`build_owners`). numpy only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.understanding.features import Floats
from bot.understanding.people import LINKS, Person
from knowledge_base.vocabulary import vocabulary

Ints = npt.NDArray[np.int64]
OWNERS = Path(__file__).parent / "owners.json"
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


ABUSE = list(vocabulary().fields).index("abuse")
RULE = 8.0  # log-odds: violence stands with the one who suffers it, and not with the one who does it


@dataclass(frozen=True, slots=True)
class Owners:
    """`links`, `traits`: (names × fields); `clause`, `whole`: of the log-odds of a clause and of the whole text."""

    links: Floats
    traits: Floats
    clause: float
    whole: float
    own: float  # of the log-odds of the person's own clauses read as one text
    own_likely: float  # the same, where they are above zero
    exists: Floats  # of SIGNS
    owned_from: float
    exists_from: float

    @classmethod
    def load(cls, path: Path = OWNERS) -> Owners:
        """Raises OSError, ValueError, KeyError or TypeError when the file is missing or damaged."""
        kept = json.loads(path.read_text(encoding="utf-8"))
        fields = vocabulary().fields
        return cls(
            np.array([[kept["links"][name][f] for f in fields] for name in LINKS], np.float32),
            np.array([[kept["traits"][name][f] for f in fields] for name in TRAITS], np.float32),
            kept["clause"],
            kept["whole"],
            kept["own"],
            kept["own_likely"],
            np.array([kept["exists"][name] for name in SIGNS], np.float32),
            kept["owned_from"],
            kept["exists_from"],
        )

    def owned(
        self, seen: Sequence[Seen], traits: Floats, clauses: Floats, whole: Floats, own: Floats
    ) -> tuple[Floats, Ints]:
        """Probabilities that a person has a trouble, by field, and for each field the clause that says so most.
        `clauses`, `whole`, `own` (the person's clauses read as one text): log-odds by field."""
        at = [one.clause for one in seen]
        scores = np.array([one.links for one in seen], np.float32) @ self.links + self.clause * clauses[at]
        top = scores.max(axis=0)
        odds = top + np.log(np.exp(scores - top).sum(axis=0)) + traits @ self.traits + self.whole * whole
        odds += self.own * own + self.own_likely * np.maximum(own, 0)
        odds[ABUSE] += by_rule(seen, float(whole[ABUSE]))
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32), np.array(at)[scores.argmax(axis=0)]

    def is_there(self, signs: Floats) -> bool:
        """Whether a person told of belongs to the household, or is at least one of whom something is told."""
        return bool(1 / (1 + np.exp(-float(signs @ self.exists))) >= self.exists_from)


@dataclass(frozen=True, slots=True)
class Seen:
    """How the clause with the number `clause` speaks of a person."""

    clause: int
    links: tuple[float, ...]


def by_rule(seen: Sequence[Seen], whole: float) -> float:
    """What grammar says of violence, where the text as a whole (log-odds `whole`) tells of any: for the one to whom it
    is done, against those of whom it is only told that they do it."""
    told = [dict(zip(LINKS, one.links, strict=True)) for one in seen]
    if any(links["rule_suffers"] for links in told):
        return RULE * (whole > 0)
    return -RULE * any(links["rule_does"] for links in told)


def own_clauses(seen: Sequence[Seen]) -> list[int]:
    """The clauses that speak of a person: they are named in it, or were named last, or it is the teller's."""
    return [one.clause for one in seen if _speaks_of(dict(zip(LINKS, one.links, strict=True)))]


def _speaks_of(links: Mapping[str, float]) -> bool:
    named = links["mentioned"] and not links["owns"]
    named_last = links["spoken_of"] and not links["house_matter_spoken_of"]
    return bool(named or named_last or links["teller_alone"] or links["house_matter_teller"])


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

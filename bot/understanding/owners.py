"""Whose trouble is whose: what the clauses tell, how they speak of each person, and who that person is, weighed by
what the encoder has learned from the household conversations (`build_encoder`). numpy only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.understanding.clauses import Clause
from bot.understanding.encoder import Encoder, Parts
from bot.understanding.features import Floats, Ints
from bot.understanding.people import LINKS, Heard
from bot.understanding.persons import Person
from knowledge_base.vocabulary import vocabulary

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

#: How a token speaks of a person: as its clause does, and who was named last before it, in the text and in its clause,
#: and next behind it in its clause.
SPOKEN = (*LINKS, "named_last", "named_last_here", "named_next_here")

ABUSE = list(vocabulary().fields).index("abuse")
SUICIDE = list(vocabulary().fields).index("suicide")
#: Log-odds: violence stands with the one who suffers it and not with the one who does it, a wish to die with the
#: writer.
RULE = 8.0
BESIDE = 1.0  # log-odds: a trouble is also another's who has it nearly as surely as the surest
NOT_THEIRS = -20.0
#: How a token speaks of a person counts more than the encoder has learned. Held-back conversations cannot tell 1 from
#: 2, and so each sentence's troubles stay with its person.
PLAINER = 1.75
HARDLY = 0.35  # a trouble that the text as a whole tells less probably than this is nobody's
_HARDLY = float(np.log(HARDLY / (1 - HARDLY)))
_NOTHING = 1e-9
_SUFFERS, _DOES = LINKS.index("rule_suffers"), LINKS.index("rule_does")


@dataclass(frozen=True, slots=True)
class Owners:
    """What the encoder knows of persons, with the least probabilities from which a trouble is somebody's and a person
    told of is a member; `exists`: factors of SIGNS."""

    encoder: Encoder
    exists: Floats
    owned_from: float
    exists_from: float

    @classmethod
    def load(cls, encoder: Encoder, path: Path = OWNERS) -> Owners:
        """Raises OSError, ValueError, KeyError or TypeError when the file is missing or damaged."""
        kept = json.loads(path.read_text(encoding="utf-8"))
        exists = np.array([kept["exists"][name] for name in SIGNS], np.float32)
        return cls(encoder, exists, kept["owned_from"], kept["exists_from"])

    def owned(
        self, heard: Sequence[Heard], traits: Floats, clauses: Sequence[Clause], parts: Parts, whole: Floats
    ) -> tuple[Floats, Ints]:
        """Probabilities, persons × fields, that a trouble is theirs, and for each the clause that says so most: what
        every token tells is divided among the persons of whom it may be said, and nobody. `whole`: log-odds of the
        fields of the whole text; what it hardly tells is nobody's."""
        told_of = np.flatnonzero(whole >= _HARDLY)
        known, tokens = self.encoder.owners, parts.tokens.vectors
        mentions = parts.mentions([one.at for one in heard])
        looks = mentions @ known["query_weight"] + known["query_bias"] + traits @ known["traits_query"]
        keys = tokens @ known["key_weight"] + known["key_bias"]
        spoken = (looks @ keys.T / keys.shape[1] ** 0.5)[..., None]
        links, nobody = known["links"][:, told_of], known["nobody"][..., told_of]
        spoken = spoken + spoken_of(heard, clauses, parts.tokens.start) @ (PLAINER * links)
        told = _shared(spoken, nobody) * np.exp(self.encoder.part.only(told_of)(tokens))
        odds = np.full((len(heard), len(whole)), NOT_THEIRS, np.float32)
        odds[:, told_of] = (
            np.log(told.sum(axis=1) + _NOTHING) + (traits @ known["traits"] + known["whole"] * whole)[:, told_of]
        )
        odds[:, ABUSE] += [by_rule(one, float(whole[ABUSE])) for one in heard]
        if any(one.wishes_death for one in heard):
            odds[:, SUICIDE] += [RULE if one.wishes_death else -RULE for one in heard]
        odds[[one.person.left for one in heard]] = NOT_THEIRS
        odds[odds < odds.max(axis=0) - BESIDE] = NOT_THEIRS
        at = np.zeros(odds.shape, np.int64)
        at[:, told_of] = np.maximum(clause_at(clauses, parts.tokens.start), 0)[told.argmax(axis=1)]
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32), at

    def is_there(self, signs: Floats) -> bool:
        """Whether a person told of belongs to the household, or is at least one of whom something is told."""
        return bool(1 / (1 + np.exp(-float(signs @ self.exists))) >= self.exists_from)


def spoken_of(heard: Sequence[Heard], clauses: Sequence[Clause], start: Ints) -> Floats:
    """How each token, beginning at `start` in the text, speaks of each person: persons × tokens × SPOKEN."""
    spoken = np.zeros((len(heard), len(start), len(SPOKEN)), np.float32)
    at = clause_at(clauses, start)
    known = at >= 0
    spans = sorted((*span, who) for who, one in enumerate(heard) for span in one.at)
    first = np.array([span[0] for span in spans] + [1 << 30])
    whom = np.array([span[2] for span in spans] + [-1])
    last = np.searchsorted(first, start, side="right") - 1
    began = np.array([clause.start for clause in clauses])[at]
    ended = np.array([clause.end for clause in clauses])[at]
    before, after = np.where(last >= 0, whom[last], -1), whom[np.minimum(last + 1, len(spans))]
    before_here = np.where(first[last] >= began, before, -1)
    after_here = np.where(first[np.minimum(last + 1, len(spans))] < ended, after, -1)
    for who, one in enumerate(heard):
        spoken[who, known, : len(LINKS)] = one.links[at[known]]
        for place, named_there in enumerate((before, before_here, after_here), len(LINKS)):
            spoken[who, :, place] = known & (named_there == who)
    return spoken


def clause_at(clauses: Sequence[Clause], start: Ints) -> Ints:
    """The clause in which each token begins; -1: in none."""
    begins, ends = (np.array([getattr(one, name) for one in clauses], np.int64) for name in ("start", "end"))
    at = np.searchsorted(begins, start, side="right") - 1
    return np.asarray(np.where((at >= 0) & (start < ends[at]), at, -1), np.int64)


def _shared(spoken: Floats, nobody: Floats) -> Floats:
    """How much of each token is said of each person: softmax over persons and nobody."""
    most = np.maximum(spoken.max(axis=0), nobody)
    share = np.exp(spoken - most)
    return np.asarray(share / (share.sum(axis=0) + np.exp(nobody - most)), np.float32)


def by_rule(heard: Heard, whole: float) -> float:
    """What grammar says of violence, where the text as a whole (log-odds `whole`) tells of any: for the one to whom it
    is done, against those of whom it is only told that they do it."""
    if heard.links[:, _SUFFERS].any():
        return RULE * (whole > 0)
    return -RULE * bool(heard.links[:, _DOES].any())


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

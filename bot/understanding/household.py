"""Who belongs to the household, how old, and whose trouble is whose; goes on over several turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.understanding.assessment import Household, add_quote
from bot.understanding.evidence import Evidence
from bot.understanding.features import Floats, Ints
from bot.understanding.owners import ABUSE, HARDLY, Owners, by_rule, signs_of, traits_of
from bot.understanding.people import Heard, People, lives_elsewhere
from bot.understanding.persons import Person
from knowledge_base.vocabulary import vocabulary

ELDERLY = list(vocabulary().fields).index("elderly")
OLD = 75  # years
SCARCELY = 0.2  # the least that makes a trouble somebody's, where it is surely told and nobody has it more surely


def read_household(
    owners: Owners,
    evidence: Evidence,
    before: Household,
    speaker: str,
    original: str,
) -> Household:
    """The household after this text. `before`: what was known of it; `speaker`: who writes."""
    people = People(before, speaker)
    heard = people.hear_all(evidence.clauses)
    for one in heard:
        if one.first is not None and not one.person.quotes:
            one.person.quotes = add_quote((), evidence.clauses[one.first].quote(original))
    elsewhere = lives_elsewhere(evidence.clauses)
    stay = [
        (one.person, own)
        for one, own in zip(heard, _troubles(owners, people, heard, evidence), strict=True)
        if own.suffers
        or (own.recorded and not one.person.gone)
        or _stays(owners, one.person, people.about_other, elsewhere)
    ]
    for person, own in stay:
        own.give(person, owners.owned_from, evidence, original)
    staying = {id(person) for person, _ in stay}
    aside = [p for p in people.persons if id(p) not in staying and p.mentioned and not p.gone and not p.teller]
    return _household([person for person, _ in stay], aside, people.focus)


def _stays(owners: Owners, person: Person, about_other: bool, elsewhere: bool) -> bool:
    """Who was a member after an earlier text stays one, unless this text tells that they are gone; so does who is said
    to live there."""
    return ((person.known or person.living > 0) and not person.gone) or owners.is_there(
        signs_of(person, about_other, elsewhere)
    )


@dataclass(frozen=True, slots=True)
class _Troubles:
    """Of one person: by field how probable it is that they have this trouble, and the clause that says so most."""

    probability: Floats
    clause: Ints
    suffers: bool  # from violence, by the grammar
    recorded: bool  # has a trouble that the text is recorded to tell

    def give(self, person: Person, owned_from: float, evidence: Evidence, original: str) -> None:
        names = list(vocabulary().fields)
        for at in np.flatnonzero(self.probability >= owned_from):
            person.quotes = add_quote(person.quotes, evidence.clauses[self.clause[at]].quote(original))
            if names[at] not in person.fields:
                person.fields.append(names[at])


def _troubles(owners: Owners, people: People, heard: Sequence[Heard], evidence: Evidence) -> list[_Troubles]:
    if not evidence.tells or not evidence.clauses or not heard:
        return [_NO_TROUBLES for _ in heard]
    traits = np.stack([traits_of(one.person, people.about_other) for one in heard])
    probability, clause = owners.owned(heard, traits, evidence.clauses, evidence.parts, evidence.told)
    ages = [one.person.age for one in heard]
    probability = as_told(probability, ages, evidence.fields, evidence.recorded_from, owners.owned_from)
    recorded = evidence.fields >= evidence.recorded_from
    return [
        _Troubles(
            probability[at],
            clause[at],
            suffers=by_rule(one, float(evidence.told[ABUSE])) > 0,
            recorded=bool(probability[at, recorded].max(initial=0) >= owners.owned_from),
        )
        for at, one in enumerate(heard)
    ]


def as_told(owned: Floats, ages: Sequence[int | None], told: Floats, recorded_from: float, owned_from: float) -> Floats:
    """Persons × fields, from `owned_from` on theirs, in the light of the whole text, which tells the fields as probably
    as `told`: what it hardly tells is nobody's, and what it is recorded to tell is the trouble of whom it is said most
    surely, if of anybody at all. Growing old is the trouble of the eldest, where it is nobody's more surely."""
    owned = np.where(told < HARDLY, np.float32(0), owned)
    for field in np.flatnonzero(told >= recorded_from):
        surest = int(np.argmax(owned[:, field]))
        if SCARCELY <= owned[surest, field] < owned_from:
            owned[surest, field] = owned_from
    eldest = int(np.argmax([age or 0 for age in ages]))
    nobodys = told[ELDERLY] >= recorded_from and owned[:, ELDERLY].max() < owned_from
    if nobodys and (ages[eldest] or 0) >= OLD:
        owned[eldest, ELDERLY] = owned_from
    return owned


_NO_TROUBLES = _Troubles(np.zeros(0, np.float32), np.zeros(0, np.int64), suffers=False, recorded=False)


def _household(stay: Sequence[Person], aside: Sequence[Person], focus: Person | None) -> Household:
    some = next((p.quotes for p in stay if p.quotes), ())
    for person in stay:
        person.quotes = person.quotes or some
    shown = [p for p in stay if p.quotes]
    at = next((at for at, p in enumerate([*shown, *aside]) if p is focus), None)
    return Household(tuple(p.member() for p in shown), at, tuple(p.member() for p in aside))

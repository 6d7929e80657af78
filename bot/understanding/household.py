"""Who belongs to the household, how old, and whose trouble is whose; goes on over several turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.understanding.assessment import Household, add_quote
from bot.understanding.columns import FIELDS
from bot.understanding.encoder import Masks
from bot.understanding.evidence import Evidence
from bot.understanding.features import Floats, Ints
from bot.understanding.owners import Owners
from bot.understanding.people import Heard, People, lives_elsewhere
from bot.understanding.persons import Person
from bot.understanding.traits import signs_of, traits_of
from bot.understanding.whose import SEEN, is_told, rules_of, seen_of, suffers, tells_violence


def read_household(
    owners: Owners,
    evidence: Evidence,
    before: Household,
    speaker: str,
    original: str,
) -> Household:
    """The household after this text. `before`: what was known of it; `speaker`: who writes."""
    looked = look(owners, evidence, before, speaker)
    for one in looked.heard:
        if one.first is not None and not one.person.quotes:
            one.person.quotes = add_quote((), evidence.clauses[one.first].quote(original))
    theirs = owners.whose.theirs(looked.seen, looked.rules)
    stay = staying(owners, looked, theirs)
    for at in stay:
        _give(looked.heard[at].person, looked, np.flatnonzero(theirs[at]), looked.clause[at], evidence, original)
    others = [one.person for at, one in enumerate(looked.heard) if at not in stay]
    aside = [person for person in others if person.mentioned and not person.gone and not person.teller]
    return _household([looked.heard[at].person for at in stay], aside, looked.people.focus)


@dataclass(frozen=True, slots=True)
class Looked:
    """How a text speaks of everybody. `seen`: SEEN × persons × the fields `told_of`; `rules`: what grammar decides;
    `clause`: which says most that a trouble is theirs."""

    people: People
    heard: Sequence[Heard]
    elsewhere: bool
    violence: bool  # is told
    told_of: Ints
    seen: Floats
    rules: Floats
    clause: Ints

    def signs(self, person: Person) -> Floats:
        return signs_of(person, self.people.about_other, self.elsewhere)


def look(owners: Owners, evidence: Evidence, before: Household, speaker: str) -> Looked:
    people = People(before, speaker)
    heard = people.hear_all(evidence.clauses)
    elsewhere = lives_elsewhere(evidence.clauses)
    told_of = np.flatnonzero(is_told(evidence)) if evidence.tells and evidence.clauses else np.zeros(0, np.int64)
    if not heard or not len(told_of):
        nothing = (len(heard), 0)
        seen, rules = np.zeros((len(SEEN), *nothing), np.float32), np.zeros(nothing, np.float32)
        return Looked(people, heard, elsewhere, False, told_of[:0], seen, rules, np.zeros(nothing, np.int64))
    traits = np.stack([traits_of(one.person, people.about_other) for one in heard])
    said, clause = owners.said_of(heard, traits, evidence.clauses, evidence.parts.tokens, told_of)
    by_turns = said
    if evidence.by_turns is not evidence.parts.tokens:
        by_turns, clause = owners.said_of(heard, traits, evidence.clauses, evidence.by_turns, told_of)
    seen, rules = seen_of(heard, traits, said, by_turns, evidence, told_of), rules_of(heard, evidence, told_of)
    return Looked(people, heard, elsewhere, tells_violence(evidence), told_of, seen, rules, clause)


def staying(owners: Owners, looked: Looked, theirs: Masks) -> list[int]:
    """Which of the persons are members, where `theirs` (persons × fields) are their troubles."""
    return [
        at
        for at, one in enumerate(looked.heard)
        if _stays(owners, one.person, looked)
        or (looked.violence and suffers(one))
        or (theirs[at].any() and not one.person.gone)
    ]


def _stays(owners: Owners, person: Person, looked: Looked) -> bool:
    """Who was a member after an earlier text stays one, unless this text tells that they are gone; so does who is said
    to live there, or to be cared for."""
    there = person.known or person.living > 0 or person.cared_for > 0
    return (there and not person.gone) or owners.is_there(looked.signs(person))


def _give(person: Person, looked: Looked, theirs: Ints, clause: Ints, evidence: Evidence, original: str) -> None:
    for at in theirs:
        person.quotes = add_quote(person.quotes, evidence.clauses[clause[at]].quote(original))
        if (name := FIELDS[looked.told_of[at]]) not in person.fields:
            person.fields.append(name)


def _household(stay: Sequence[Person], aside: Sequence[Person], focus: Person | None) -> Household:
    some = next((p.quotes for p in stay if p.quotes), ())
    for person in stay:
        person.quotes = person.quotes or some
    shown = [p for p in stay if p.quotes]
    at = next((at for at, p in enumerate([*shown, *aside]) if p is focus), None)
    return Household(tuple(p.member() for p in shown), at, tuple(p.member() for p in aside))

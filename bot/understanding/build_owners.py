"""Who of those told of is a member, and from which probability a trouble is somebody's: the part of `build_heads` that
reads the households that were held back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from bot.understanding.assessment import Household
from bot.understanding.build_lessons import matched
from bot.understanding.build_mix import SPEAKERS, Reading, field_probabilities
from bot.understanding.build_texts import Texts
from bot.understanding.clauses import fold, split
from bot.understanding.features import Floats
from bot.understanding.household import as_told
from bot.understanding.mix import Mix, odds_of
from bot.understanding.owners import OWNERS, SIGNS, Owners, signs_of, traits_of
from bot.understanding.people import People, lives_elsewhere
from bot.understanding.speaker import who_writes
from bot.understanding.voices import HouseholdVoice
from knowledge_base.vocabulary import vocabulary


@dataclass
class Someone:
    """One person of a household as `People` finds them. `member`: as labelled; None: nobody whom the labels know."""

    signs: Floats
    member: Mapping[str, Any] | None


@dataclass
class Conversation:
    """One that was held back, as it was read. `owned`: people × fields; `told`, `recorded_from`: of the whole text."""

    labels: HouseholdVoice
    people: list[Someone]
    ages: list[int | None]
    owned: Floats
    told: Floats
    recorded_from: float


def build(texts: Texts, reading: Reading, mix: Mix, out: Path = OWNERS) -> dict[str, float]:
    """Writes owners.json; returns the figures of the households that were held back."""
    first = len(texts.voices)
    held = [int(at) - first for at in texts.held if at >= first]
    others = sorted(set(range(len(texts.households))) - set(held))
    exists = _exists([one for at in others for one in _people_of(texts.households[at])])
    owners = Owners(reading.encoder, exists, 0.5, 0.5)
    told = [_read(owners, reading, mix, len(reading.voices) + at, texts.households[one]) for at, one in enumerate(held)]
    owned_from, exists_from, figures = _best_cuts(exists, told)
    kept = {
        "owned_from": owned_from,
        "exists_from": exists_from,
        "exists": {name: round(float(x), 3) for name, x in zip(SIGNS, exists, strict=True)},
    }
    out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return figures


def _exists(people: Sequence[Someone]) -> Floats:
    model = LogisticRegression(C=1.0, max_iter=500, fit_intercept=False)
    model.fit(np.stack([one.signs for one in people]), [one.member is not None for one in people])
    return np.asarray(model.coef_[0], np.float32)


def _people_of(told: HouseholdVoice) -> list[Someone]:
    people, clauses = People(Household(), "agency" if told.about_other else "self"), split(fold(told.text))
    people.hear_all(clauses)
    known, elsewhere = matched(people.persons, told.members), lives_elsewhere(clauses)
    return [Someone(signs_of(p, people.about_other, elsewhere), known.get(id(p))) for p in people.persons]


def _read(owners: Owners, reading: Reading, mix: Mix, at: int, told: HouseholdVoice) -> Conversation:
    """As household.read_household reads it."""
    clauses = split(reading.folded[at])
    odds = (reading.counted[at] + reading.read[at])[SPEAKERS] / 2
    people = People(Household(), who_writes(fold(told.text), odds) or "self")
    heard = people.hear_all(clauses)
    probability = field_probabilities(_one(reading, at), mix)[0]
    owned = np.zeros((0, len(probability)), np.float32)
    if heard:
        parts = owners.encoder.parts(reading.folded[at], clauses)
        traits = np.stack([traits_of(one.person, people.about_other) for one in heard])
        owned, _ = owners.owned(heard, traits, clauses, parts, odds_of(probability))
    known, elsewhere = matched(people.persons, told.members), lives_elsewhere(clauses)
    someone = [Someone(signs_of(p, people.about_other, elsewhere), known.get(id(p))) for p in people.persons]
    ages = [person.age for person in people.persons]
    return Conversation(told, someone, ages, owned, probability, mix.least(float(reading.tells[at])))


def _one(reading: Reading, at: int) -> Reading:
    """The reading of one text alone."""
    row = slice(at, at + 1)
    return Reading(
        reading.encoder, reading.folded[row], [], reading.counted[row], reading.read[row], reading.each[row],
        reading.near[row], reading.local[row],
    )  # fmt: skip


def _best_cuts(exists: Floats, told: Sequence[Conversation]) -> tuple[float, float, dict[str, float]]:
    from_there = max(np.arange(0.25, 0.7, 0.05), key=lambda cut: _scores(exists, told, 0.5, cut)["member_f1"])
    owned = max(np.arange(0.05, 0.8, 0.025), key=lambda cut: _scores(exists, told, cut, from_there)["member_field_f1"])
    figures = {"conversations": len(told)} | _scores(exists, told, owned, from_there)
    return round(float(owned), 3), round(float(from_there), 3), figures


def _scores(exists: Floats, told: Sequence[Conversation], owned_from: float, exists_from: float) -> dict[str, float]:
    """As eval/score.py counts."""
    names = np.array(list(vocabulary().fields))
    right: npt.NDArray[np.int64] = np.zeros(2, np.int64)  # members, fields of members
    found = np.zeros(2, np.int64)
    members = [m for one in told for m in one.labels.members]
    wanted = np.array([len(members), sum(len(m["fields"]) for m in members)])
    for one in told:
        if not one.people:
            continue
        owned = as_told(one.owned, one.ages, one.told, one.recorded_from, owned_from)
        for someone, own in zip(one.people, owned, strict=True):
            if 1 / (1 + np.exp(-float(someone.signs @ exists))) >= exists_from:
                fields = set(names[own >= owned_from])
                found += (1, len(fields))
                if someone.member is not None:
                    right += (1, len(fields & set(someone.member["fields"])))
    scores = 2 * right / np.maximum(found + wanted, 1)
    return {"member_f1": round(float(scores[0]), 4), "member_field_f1": round(float(scores[1]), 4)}

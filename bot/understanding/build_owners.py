"""Learns who of those told of is a member, and whose trouble is whose: `python -m bot.understanding.build_owners`,
after `build_heads`. Half a minute; of what only building needs, scikit-learn alone.

Whose trouble it is (`whose`) is learned from conversations that are kept apart (`households_apart*.jsonl`): encoder and
heads have not learned them, and so they say here what they will say of any other. A sixth of them is left out in turn;
what the others teach is measured on it, and the least probability from which a trouble is somebody's is chosen there.
Who is a member is learned from all conversations, these too: the rules alone say what is seen of a person.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.understanding.assessment import Assessment, Household
from bot.understanding.build_texts import matched
from bot.understanding.clauses import fold, split
from bot.understanding.columns import FIELDS
from bot.understanding.encoder import Masks
from bot.understanding.evidence import Evidence, Weigher
from bot.understanding.features import Floats
from bot.understanding.household import Looked, look, staying
from bot.understanding.owners import OWNERS, Owners
from bot.understanding.people import People, lives_elsewhere
from bot.understanding.traits import SIGNS, signs_of
from bot.understanding.understander import Understander
from bot.understanding.voices import HouseholdVoice, read_households
from bot.understanding.whose import SEEN, Whose

EXISTS_FROM = 0.5  # the least probability of a member
SIXTHS = 6
HARDLY_WORSE = 0.005
CUTS = tuple(round(cut / 100, 2) for cut in range(20, 60, 2))
STRENGTH = 0.3  # of the data against the wish for small factors; 0.1 and 1 are within 0.3 points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=OWNERS)
    options = parser.parse_args()
    apart = read_households(apart=True)
    exists = _exists([*read_households(), *apart])
    weigher = Weigher.load(None, None)
    owners = Owners(weigher.encoder, Whose(np.zeros(len(SEEN) + 1, np.float32), 1.1), exists, EXISTS_FROM)
    reader = _Watched(weigher, owners)
    conversations = [Conversation.of(reader, told) for told in apart]
    owned_from, figures = _held_back(conversations, owners)
    factors = _learn(conversations)
    kept = {
        "held_back": figures,
        "owned_from": owned_from,
        "exists_from": EXISTS_FROM,
        "exists": {name: round(float(x), 3) for name, x in zip(SIGNS, exists, strict=True)},
        "whose": {name: round(float(x), 4) for name, x in zip((*SEEN, "constant"), factors, strict=True)},
    }
    options.out.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures))  # noqa: T201


class _Watched(Understander):
    """Keeps what the household of the newest turn was read from."""

    talk: tuple[Evidence, Household, str]

    def _household(self, evidence: Evidence, text: str, before: Assessment, who: str, again: bool) -> Household:
        self.talk = evidence, Household() if again else before.household, who
        return super()._household(evidence, text, before, who, again)

    def look_at(self, told: HouseholdVoice) -> Looked:
        """As the whole conversation is looked at after its last turn."""
        assessment = Assessment()
        for turn in told.turns:
            assessment = assessment.take_in(self.read(turn, assessment))
        return look(self._owners, *self.talk)


@dataclass
class Conversation:
    """`labelled`: the member that each person is; None: nobody whom the labels know. `wanted`: persons × fields."""

    labels: HouseholdVoice
    looked: Looked
    labelled: list[Mapping[str, Any] | None]
    wanted: Masks

    @classmethod
    def of(cls, reader: _Watched, told: HouseholdVoice) -> Conversation:
        looked = reader.look_at(told)
        known = matched([one.person for one in looked.heard], told.members)
        labelled = [known.get(id(one.person)) for one in looked.heard]
        fields = [FIELDS[at] for at in looked.told_of]
        wanted = [[member is not None and name in member["fields"] for name in fields] for member in labelled]
        return cls(told, looked, labelled, np.array(wanted, np.bool_).reshape(len(labelled), len(fields)))


def _exists(households: Sequence[HouseholdVoice]) -> Floats:
    """By the rules alone, and so from all of them."""
    signs, known = [], []
    for told in households:
        people, clauses = People(Household(), "agency" if told.about_other else "self"), split(fold(told.text))
        people.hear_all(clauses)
        members, elsewhere = matched(people.persons, told.members), lives_elsewhere(clauses)
        signs += [signs_of(person, people.about_other, elsewhere) for person in people.persons]
        known += [id(person) in members for person in people.persons]
    model = LogisticRegression(C=1.0, max_iter=500, fit_intercept=False)
    model.fit(np.stack(signs), known)
    return np.asarray(model.coef_[0], np.float32)


def _learn(conversations: Sequence[Conversation]) -> Floats:
    """The factors of SEEN, the constant last. Learned on numbers of one size, and given back for them as they are."""
    open_ = [one.looked.rules == 0 for one in conversations]  # what grammar decides, nobody need learn
    seen = np.concatenate([one.looked.seen[:, some].T for one, some in zip(conversations, open_, strict=True)])
    wanted = np.concatenate([one.wanted[some] for one, some in zip(conversations, open_, strict=True)])
    yes_or_no = np.isin(seen, (-1, 0, 1)).all(axis=0)
    size = np.where(yes_or_no, 1, seen.std(axis=0) + 1e-6)
    middle = np.where(yes_or_no, 0, seen.mean(axis=0))
    model = LogisticRegression(C=STRENGTH, max_iter=3000).fit((seen - middle) / size, wanted)
    factors = model.coef_[0] / size
    return np.asarray([*factors, model.intercept_[0] - factors @ middle], np.float32)


def _held_back(conversations: Sequence[Conversation], owners: Owners) -> tuple[float, dict[str, float]]:
    """The cut, and the figures with it, of sixths from which nothing was learned: of those that are hardly worse than
    the best the lowest, for a trouble that is missed is worse than one too many."""
    sixth = np.random.default_rng(0).permutation(len(conversations)) % SIXTHS
    whose = [_learn([one for one, of in zip(conversations, sixth, strict=True) if of != out]) for out in range(SIXTHS)]
    scores = {cut: _scores(conversations, [Whose(whose[of], cut) for of in sixth], owners) for cut in CUTS}
    best = max(of["member_field_f1"] for of in scores.values())
    chosen = min(cut for cut, of in scores.items() if of["member_field_f1"] >= best - HARDLY_WORSE)
    return chosen, {"conversations": len(conversations)} | scores[chosen]


def _scores(conversations: Sequence[Conversation], whose: Sequence[Whose], owners: Owners) -> dict[str, float]:
    """As eval/score.py counts: members, and fields of members. `whose`: what weighs each conversation."""
    right, found, wanted = (np.zeros(2, np.int64) for _ in range(3))
    for one, weighs in zip(conversations, whose, strict=True):
        wanted += (len(one.labels.members), sum(len(member["fields"]) for member in one.labels.members))
        theirs = weighs.theirs(one.looked.seen, one.looked.rules)
        for at in staying(owners, one.looked, theirs):
            found += (1, int(theirs[at].sum()))
            right += (one.labelled[at] is not None, int((theirs[at] & one.wanted[at]).sum()))
    scores = 2 * right / np.maximum(found + wanted, 1)
    return {"member_f1": round(float(scores[0]), 4), "member_field_f1": round(float(scores[1]), 4)}


if __name__ == "__main__":
    main()

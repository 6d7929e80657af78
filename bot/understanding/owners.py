"""What the encoder says of each person: what the tokens tell is divided among those of whom they may be said, by what
it has learned from the household conversations (`build_encoder`). Whose trouble that makes it, `whose` weighs. numpy
only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.understanding.clauses import Clause
from bot.understanding.encoder import Encoded, Encoder
from bot.understanding.features import Floats, Ints
from bot.understanding.people import LINKS, Heard
from bot.understanding.traits import SIGNS
from bot.understanding.whose import Whose

OWNERS = Path(__file__).parent / "owners.json"
#: How a token speaks of a person: as its clause does, and who was named last before it, in the text and in its clause,
#: and next behind it in its clause.
SPOKEN = (*LINKS, "named_last", "named_last_here", "named_next_here")
#: How a token speaks of a person counts more than the encoder has learned. Held-back conversations cannot tell 1 from
#: 2, and so each sentence's troubles stay with its person.
PLAINER = 1.75
_NOTHING = 1e-9
NOTHING_LEFT = -30.0  # log-odds


@dataclass(frozen=True, slots=True)
class Owners:
    """`exists`: factors of SIGNS; `exists_from`: the least probability from which a person told of is a member."""

    encoder: Encoder
    whose: Whose
    exists: Floats
    exists_from: float

    @classmethod
    def load(cls, encoder: Encoder, path: Path = OWNERS) -> Owners:
        """Raises OSError, ValueError, KeyError or TypeError when the file is missing or damaged."""
        kept = json.loads(path.read_text(encoding="utf-8"))
        exists = np.array([kept["exists"][name] for name in SIGNS], np.float32)
        return cls(encoder, Whose.from_json(kept["whose"], kept["owned_from"]), exists, kept["exists_from"])

    def said_of(
        self, heard: Sequence[Heard], traits: Floats, clauses: Sequence[Clause], tokens: Encoded, told_of: Ints
    ) -> tuple[Floats, Ints]:
        """Of the fields `told_of`: how much is said of each person, as log-odds, persons × fields, and for each the
        clause that says so most: softmax over the persons, and nobody, for every token. `traits`: persons × TRAITS."""
        known = self.encoder.owners
        mentions = tokens.mentions([one.at for one in heard])
        looks = mentions @ known["query_weight"] + known["query_bias"] + traits @ known["traits_query"]
        keys = tokens.vectors @ known["key_weight"] + known["key_bias"]
        spoken = (looks @ keys.T / keys.shape[1] ** 0.5)[..., None]
        links, nobody = known["links"][:, told_of], known["nobody"][..., told_of]
        spoken = spoken + spoken_of(heard, clauses, tokens.start) @ (PLAINER * links)
        spoken[[one.person.left for one in heard]] = NOTHING_LEFT  # what is told of the dead is nobody's trouble now
        said = _shared(spoken, nobody) * np.exp(self.encoder.part.only(told_of)(tokens.vectors))
        odds = np.log(said.sum(axis=1) + _NOTHING) + (traits @ known["traits"])[:, told_of]
        at = np.maximum(clause_at(clauses, tokens.start), 0)[said.argmax(axis=1)]
        return np.asarray(odds, np.float32), at

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

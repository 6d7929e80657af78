"""Text → evidence for fields, services and danger: the learned heads and the nearest voices, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.understanding.clauses import Clause
from bot.understanding.features import Features, features
from bot.understanding.heads import Floats, Heads
from bot.understanding.plain import is_plain
from bot.understanding.voices import Voice, read_voices
from knowledge_base import embedding
from knowledge_base.embedding import Embedder, StaticEmbedder
from knowledge_base.index import Index, embed_once
from knowledge_base.vocabulary import vocabulary

NEIGHBOURS = 16
CLAUSES_WEIGHED = 60  # of a very long text the first ones; the whole is always weighed
SHORT = 14  # letters: a greeting or an answer; evidence from so few of them counts less
EXAMPLES_SEARCHED = 64
NEAR_FROM = 0.5  # cosine of a clause and a voice that tell of the same thing, by eye
_SHARPNESS = 14.0  # how much a nearer voice counts than a farther one


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one text weighs. Rows of `each` are its clauses; columns of all are in the vocabulary's order."""

    clauses: Sequence[Clause]
    fields: Floats
    each: Floats  # clauses × fields
    services: Floats
    danger: Floats  # urgent or above, immediate, any sign, then KINDS
    danger_each: Floats  # clauses × the same
    near: Callable[[int, int], str]  # (clause, field) → the nearest voice that tells of it; "" when none is near
    tells: bool  # False: broken letters, words of no meaning, or an answer like 「母と二人です」


class Weigher:
    """Loaded once. The heads always stand on the bundled model; the voices are searched with the town's own choice."""

    def __init__(
        self, embedder: Embedder, bundled: StaticEmbedder, voices: Sequence[Voice], store: Path | None
    ) -> None:
        self._embedder, self._bundled, self._voices = embedder, bundled, voices
        self._heads = _heads()
        names = vocabulary()
        self._index = Index(embed_once(embedder, [v.text for v in voices], store))
        self._fields = np.array([[f in v.must for f in names.fields] for v in voices], np.float32)
        self._quiet = 1 - self._fields.max(axis=1)  # voices of small talk and administration: nothing is told
        self._services = np.array([_ranked(v.services, list(names.services)) for v in voices], np.float32)

    @classmethod
    def load(cls, embedding_model: str | None, store: Path | None) -> Weigher:
        """Raises ModelError, ContentError."""
        bundled = StaticEmbedder(embedding.BUNDLED)
        chosen = bundled if embedding_model is None else embedding.load(embedding_model)
        return cls(chosen, bundled, read_voices(), store)

    def weigh(self, folded: str, clauses: Sequence[Clause]) -> Evidence:
        clauses = clauses[:CLAUSES_WEIGHED]
        seen = features(self._bundled, [folded, *(c.text for c in clauses)])
        fields = self._heads.weigh(seen, "fields")
        danger = self._heads.weigh(seen, "danger")
        vectors = self._vectors([folded, *(c.text for c in clauses)], seen)
        near, at = self._nearest(vectors[:1])
        examples = cache(lambda clause: self._index.search(vectors[clause + 1 :][:1], EXAMPLES_SEARCHED))
        plain = [is_plain(clause.text) for clause in clauses]
        fields[1:][plain] = danger[1:][plain] = 0
        # Restraint: what stands among small talk and administration must tell of a trouble much more loudly.
        told = (1 - float(near @ self._quiet[at])) ** (2 if len(folded) < SHORT else 1)
        return Evidence(
            clauses=clauses,
            fields=_mixed(_strongest(fields), near @ self._fields[at]) * told,
            each=fields[1:],
            services=_mixed(self._heads.weigh(seen[:1], "services")[0], near @ self._services[at]),
            danger=danger[0],
            danger_each=danger[1:],
            near=lambda clause, field: self._example(*examples(clause), field),
            tells=bool(seen[0].dense.any()) and _says_something(folded) and not all(plain),
        )

    def _vectors(self, texts: list[str], seen: Sequence[Features]) -> Floats:
        """The bundled model's are already there."""
        return np.stack([one.dense for one in seen]) if self._embedder is self._bundled else self._embedder.embed(texts)

    def _example(self, scores: Floats, at: npt.NDArray[np.int64], field: int) -> str:
        """The voice nearest to a clause among those labelled with the field; "" when none is near."""
        for score, one in zip(scores[0], at[0], strict=True):
            if score < NEAR_FROM:
                return ""
            if self._fields[one, field]:
                return str(self._voices[one].text)
        return ""

    def _nearest(self, vector: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Shares of the nearest voices (they add up to one) and their places."""
        scores, at = self._index.search(vector, NEIGHBOURS)
        if scores[0, 0] <= 0:
            return np.zeros(at.shape[1], np.float32), at[0]
        near = np.exp(_SHARPNESS * (scores[0] - scores[0, 0]))
        return np.asarray(near / near.sum(), np.float32), at[0]


def _heads() -> Heads:
    try:
        return Heads.load()
    except (OSError, ValueError, KeyError) as error:
        raise embedding.ModelError("The learned heads (bot/understanding/heads.npz) cannot be read.") from error


def _ranked(services: Sequence[str], names: Sequence[str]) -> list[float]:
    """A voice's first service counts more than its fifth."""
    return [1.0 / (1 + 0.25 * services.index(name)) if name in services else 0.0 for name in names]


_MOJIBAKE = re.compile("[縺繧]")  # what UTF-8 kana become when they are read as Shift JIS


def _says_something(folded: str) -> bool:
    """Whether there are words at all: not only digits and signs, not letters from a broken conversion."""
    return any(letter.isalpha() for letter in folded) and len(_MOJIBAKE.findall(folded)) < 2


_CLAUSE_SHARE = 0.3  # of its surest clause, beside the whole: a long text hides a trouble told in four words


def _strongest(weighed: Floats) -> Floats:
    """The whole text (first row) and the surest of its clauses, mixed as log-odds."""
    odds = np.log(np.clip(weighed, 1e-6, 1 - 1e-6) / np.clip(1 - weighed, 1e-6, 1))
    best = odds[1:].max(axis=0) if len(odds) > 1 else odds[0]
    return np.asarray(1 / (1 + np.exp(-((1 - _CLAUSE_SHARE) * odds[0] + _CLAUSE_SHARE * best))), np.float32)


_NEAREST_SHARE = 0.05  # more of it lowers the figures; without any, a town's own voices would count for nothing


def _mixed(learned: Floats, nearest: Floats) -> Floats:
    return np.asarray((1 - _NEAREST_SHARE) * learned + _NEAREST_SHARE * nearest, np.float32)

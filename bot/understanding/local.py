"""The town's own services: searched like the bundled voices, in an index of their own that grows by what is new.

What an admin changes is one service of many. So what stands is kept in segments that are never rebuilt: a changed
service is struck out where it stood, and stands anew in the last, small segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from bot.understanding.clauses import fold
from bot.understanding.features import Floats, Ints
from knowledge_base.embedding import Embedder
from knowledge_base.index import Lexical
from knowledge_base.vocabulary import vocabulary
from knowledge_base.words import forms_of

MEANING_SHARE = 0.3  # the rest is for the very words
#: A segment of so many services is full: what changes next begins another.
FULL = 200


@dataclass(frozen=True, slots=True)
class LocalService:
    """A service that a town adds. `voices`: how people who need it might write, three or more."""

    id: str
    ja: str
    about: str
    fields: tuple[str, ...]
    voices: tuple[str, ...]


class Local:
    """Immutable: `next` makes the one that holds other services."""

    def __init__(self, segments: Sequence[_Segment], embedder: Embedder, rarity: Mapping[str, float]) -> None:
        self._embedder, self._rarity = embedder, rarity
        self._segments = [one for one in segments if one.standing.any()]
        # In the order in which they stand, so that the texts of one service follow each other.
        self.services = list(chain.from_iterable(one.left for one in self._segments))
        self._texts = list(chain.from_iterable(one.texts for one in self._segments))
        order = {name: at for at, name in enumerate(vocabulary().fields)}
        fields = [[order[f] for f in service.fields] for service in self.services]
        self._owner, self._starts = self._owners()
        self._services_of_field = np.zeros((len(self.services), len(order)), np.bool_)
        for at, of in enumerate(fields):
            self._services_of_field[at, of] = True

    @classmethod
    def none(cls, embedder: Embedder, rarity: Mapping[str, float]) -> Local:
        return cls((), embedder, rarity)

    def next(self, services: Sequence[LocalService]) -> Local:
        """These services in the place of those that stand; only what is new is read."""
        wanted = {one.id: one for one in services}
        kept = [segment.keeping(wanted) for segment in self._segments]
        known = {one.id for segment in kept for one in segment.left}
        new = [one for one in wanted.values() if one.id not in known]
        if not new:
            return Local(kept, self._embedder, self._rarity)
        if kept and len(kept[-1].left) + len(new) <= FULL:
            new = [*kept.pop().left, *new]
        return Local([*kept, _Segment.of(new, self._embedder, self._rarity)], self._embedder, self._rarity)

    def likeness(self, words: Sequence[str], vector: Floats, nearest: float) -> Floats:
        """For each service the likeness of its nearest and second-nearest text, and `nearest`."""
        scores = self._all(words, vector)
        order = np.lexsort((-scores, self._owner))
        best = scores[order[self._starts]]
        several = np.diff(np.append(self._starts, len(scores))) > 1
        second = np.where(several, scores[order[np.minimum(self._starts + 1, len(scores) - 1)]], 0.0)
        return np.stack([best, second, np.full_like(best, nearest)], axis=1).astype(np.float32)

    def nearest(self, words: Sequence[str], vector: Floats, most: int) -> tuple[Floats, Floats]:
        """The likeness of the nearest texts, and what they are labelled with."""
        scores = self._all(words, vector)
        at = np.argpartition(-scores, min(most, len(scores) - 1))[:most]
        at = np.sort(at)
        labelled = [labels_of(frozenset(self.services[self._owner[one]].fields), (), False) for one in at]
        return scores[at], np.array(labelled, np.float32)

    def told(self, odds: Floats) -> Floats:
        """Of each service the log-odds of the likeliest of its fields."""
        if not len(self.services):
            return np.zeros(0, np.float32)
        likeliest = np.where(self._services_of_field, odds[None], -np.inf).max(axis=1)
        return np.where(np.isfinite(likeliest), likeliest, 0.0).astype(np.float32)

    def example(self, words: Sequence[str], vector: Floats, service: int) -> str:
        """The text of a service that comes nearest."""
        own = np.flatnonzero(self._owner == service)
        return self._texts[int(own[np.argmax(self._all(words, vector)[own])])]

    def _all(self, words: Sequence[str], vector: Floats) -> Floats:
        return np.concatenate([segment.scores(words, vector) for segment in self._segments])

    def _owners(self) -> tuple[Ints, Ints]:
        """The service of each text, and where the texts of each service begin."""
        owner: list[npt.NDArray[np.int64]] = []
        before = 0
        for segment in self._segments:
            owner.append(segment.owner + before)
            before += len(segment.left)
        whole = np.concatenate(owner) if owner else np.zeros(0, np.int64)
        return whole, np.searchsorted(whole, np.arange(before)).astype(np.int64)


@dataclass(frozen=True)
class _Segment:
    """Some services, read once. `standing`: which of them are still there."""

    services: Sequence[LocalService]
    vectors: Floats
    lexical: Lexical
    every_owner: Ints
    every_text: Sequence[str]
    standing: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, services: Sequence[LocalService], embedder: Embedder, rarity: Mapping[str, float]) -> _Segment:
        texts = [(at, text) for at, one in enumerate(services) for text in (*one.voices, one.ja, one.about) if text]
        folded = [fold(text) for _, text in texts]
        return cls(
            services, embedder.embed(folded), Lexical([forms_of(text) for text in folded], rarity),
            np.array([at for at, _ in texts], np.int64), [text for _, text in texts], np.ones(len(services), np.bool_),
        )  # fmt: skip

    def keeping(self, wanted: Mapping[str, LocalService]) -> _Segment:
        """The same without those that are not wanted as they stand here."""
        standing = self.standing & np.array([wanted.get(one.id) == one for one in self.services], np.bool_)
        return _Segment(self.services, self.vectors, self.lexical, self.every_owner, self.every_text, standing)

    @property
    def left(self) -> list[LocalService]:
        return [one for one, stands in zip(self.services, self.standing, strict=True) if stands]

    @property
    def owner(self) -> Ints:
        """The service of each text that stands, counted among those that are left."""
        number = np.cumsum(self.standing) - 1
        return np.asarray(number[self.every_owner[self.shown]], np.int64)

    @property
    def texts(self) -> list[str]:
        return [text for text, shown in zip(self.every_text, self.shown, strict=True) if shown]

    @property
    def shown(self) -> npt.NDArray[np.bool_]:
        return self.standing[self.every_owner]

    def scores(self, words: Sequence[str], vector: Floats) -> Floats:
        scores = together(self.vectors @ vector, self.lexical.scores(words))
        return scores if self.standing.all() else scores[self.shown]


def together(meaning: Floats, words: Floats) -> Floats:
    return np.asarray(MEANING_SHARE * meaning + (1 - MEANING_SHARE) * words, np.float32)


def labels_of(
    must: frozenset[str], services: Sequence[str], urgent: bool, may: frozenset[str] = frozenset()
) -> list[float]:
    """One row of labels: fields, services, urgent or above."""
    names = vocabulary()
    fields = [1.0 if name in must else 0.5 if name in may else 0.0 for name in names.fields]
    return [*fields, *(float(name in services) for name in names.services), float(urgent)]

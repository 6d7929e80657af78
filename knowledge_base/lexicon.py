"""Texts as counted words: numbers in rows instead of dictionaries, so that a hundred thousand are looked through in a
millisecond.

How alike two texts are in their very words is the cosine of their counts, rare words counting more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from knowledge_base.embedding import Vectors

Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Rarity = npt.NDArray[np.float64]

#: A rough search looks at so many places where a word of the query stands, or at so large a share of the texts, the
#: rarest words first: what stands in every other text tells least.
_LOOKED_AT, _LOOKED_AT_SHARE = 120_000, 1 / 8
_COMMON = 0.15  # a word in so large a share of the texts has a row for all of them


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a query, each once, and what each weighs in it."""

    words: Ints
    weights: Vectors


@dataclass(frozen=True, slots=True)
class Spelled:
    """Texts as words, each word a number; text t begins at `starts[t]`."""

    starts: Ints
    words: Ints

    @classmethod
    def of(cls, texts: Iterable[Ints]) -> Spelled:
        each = list(texts)
        starts = starts_of(np.array([len(one) for one in each], np.int64))
        return cls(starts, np.concatenate([np.zeros(0, np.int64), *each]))

    def rarity(self, many: int) -> Rarity:
        """How rare among the texts each of the `many` words is that there are."""
        size = len(self.starts)
        text = np.repeat(np.arange(size - 1), np.diff(self.starts))
        once = np.unique(text * max(many, 1) + self.words) % max(many, 1)
        return np.asarray(np.log(size / (1 + np.bincount(once, minlength=many))) + 1, np.float64)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words there are: how rare each is, and which of them a text holds, in order."""

    rarity: Rarity
    words_of: Callable[[str], Ints]

    def count(self, texts: Spelled) -> Counted:
        return _count(texts.starts, texts.words, self.rarity)

    def read(self, texts: Iterable[str]) -> Counted:
        return self.count(Spelled.of(map(self.words_of, texts)))

    def ask(self, words: Ints) -> Asked:
        """A query, weighed as the texts are."""
        once, times = np.unique(words, return_counts=True)
        raised = np.log1p(times) * self.rarity[once]
        return Asked(once, np.asarray(raised / max(float(np.linalg.norm(raised)), 1e-9), np.float32))


@dataclass(frozen=True, slots=True)
class Counted:
    """Texts, each a stretch of the words it holds and of what they weigh; text t begins at `starts[t]`."""

    starts: Ints
    words: Places
    weights: Vectors

    @classmethod
    def together(cls, parts: Sequence[Counted]) -> Counted:
        """The texts of all parts, one behind the other."""
        lengths = [np.diff(one.starts) for one in parts]
        return cls(
            starts_of(np.concatenate([np.zeros(0, np.int64), *lengths])),
            np.concatenate([np.zeros(0, np.int32), *(one.words for one in parts)]),
            np.concatenate([np.zeros(0, np.float32), *(one.weights for one in parts)]),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def only(self, shown: Mask) -> Counted:
        """The texts that are `shown`."""
        lengths = np.diff(self.starts)
        kept = np.repeat(shown, lengths)
        return Counted(starts_of(lengths[shown]), self.words[kept], self.weights[kept])


class WordSearch:
    """Counted texts, searched."""

    def __init__(self, texts: Counted) -> None:
        self.texts = texts
        order = np.argsort(texts.words, kind="stable")
        self._places = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(texts.starts))[order]
        self._weights = texts.weights[order]
        self._begins = starts_of(np.bincount(texts.words, minlength=1))
        #: All zeros, for one search after the other: fresh memory of this size takes longer than the rest of a search.
        self._totals: list[Vectors] = []

    def scores(self, asked: Asked) -> Vectors:
        """The likeness of every text."""
        words, weights = self._known(asked)
        row_of, rows = self._common
        row = row_of[words]
        has_row = row >= 0
        common = np.zeros(len(rows), np.float32)
        common[row[has_row]] = weights[has_row]
        total: Vectors = common @ rows
        total += self._added_up(words[~has_row], weights[~has_row])
        return total

    def likely(self, asked: Asked, most: int, beside: Ints) -> tuple[Ints, Vectors]:
        """About so many texts that are likely the nearest, and those `beside` them, in order; and their likeness by the
        rarer words alone."""
        total = self._zeros()
        self._add_up(total, *self._rarest(*self._known(asked)))
        texts, least = _about_the_largest(total, most)
        texts = np.sort(np.concatenate([texts, beside[total[beside] < least]]))
        likeness = total[texts]
        total[:] = 0
        self._totals.append(total)
        return texts, likeness

    def scores_of(self, asked: Asked, texts: Ints) -> Vectors:
        """The likeness of some texts."""
        words, weights = self._known(asked)
        known = np.zeros(len(self._begins), np.float32)
        known[words] = weights
        lengths = self.texts.starts[texts + 1] - self.texts.starts[texts]
        at = stretches(self.texts.starts[texts], lengths)
        each = np.append(known[self.texts.words[at]] * self.texts.weights[at], np.float32(0))
        total = np.add.reduceat(each, np.cumsum(lengths) - lengths)
        return np.where(lengths > 0, total, np.float32(0))

    @cached_property
    def _common(self) -> tuple[Ints, Vectors]:
        """For each word its row, -1 for none, and the rows: what each common word weighs in every text. Adding up a
        row for all takes less than finding the places of one for half of them."""
        often = np.diff(self._begins)
        common = np.flatnonzero(often > _COMMON * len(self.texts))
        row_of = np.full(len(often), -1, np.int64)
        row_of[common] = np.arange(len(common))
        rows = np.zeros((len(common), len(self.texts)), np.float32)
        for row, word in zip(rows, common, strict=True):
            stands = slice(self._begins[word], self._begins[word + 1])
            row[self._places[stands]] = self._weights[stands]
        return row_of, rows

    def _zeros(self) -> Vectors:
        try:
            return self._totals.pop()
        except IndexError:  # the first, or several threads search at once
            return np.zeros(len(self.texts), np.float32)

    def _rarest(self, words: Ints, weights: Vectors) -> tuple[Ints, Vectors]:
        often = self._begins[words + 1] - self._begins[words]
        order = np.argsort(often, kind="stable")
        most = max(_LOOKED_AT, int(_LOOKED_AT_SHARE * len(self.texts)))
        few = order[: max(1, int(np.searchsorted(np.cumsum(often[order]), most, side="right")))]
        return words[few], weights[few]

    def _added_up(self, words: Ints, weights: Vectors) -> Rarity:
        """What those words add to every text, all in one go: for a few thousand texts the quickest."""
        begins = self._begins[words]
        often = self._begins[words + 1] - begins
        at = stretches(begins, often)
        each = self._weights[at] * np.repeat(weights, often)
        return np.asarray(np.bincount(self._places[at], each, len(self.texts)), np.float64)

    def _add_up(self, total: Vectors, words: Ints, weights: Vectors) -> None:
        for word, weight in zip(words.tolist(), weights, strict=True):
            stands = slice(self._begins[word], self._begins[word + 1])
            np.add.at(total, self._places[stands], self._weights[stands] * weight)

    def _known(self, asked: Asked) -> tuple[Ints, Vectors]:
        """Without the words that stand in none of the texts."""
        known = asked.words < len(self._begins) - 1
        return asked.words[known], asked.weights[known]


def _count(starts: Ints, words: Ints, rarity: Rarity) -> Counted:
    """Texts as numbers of their words, counted and weighed."""
    texts, many = len(starts) - 1, len(rarity) or 1
    owner = np.repeat(np.arange(texts), np.diff(starts))
    each, times = np.unique(owner * many + words, return_counts=True)
    text, word = np.divmod(each, many)
    raised = np.log1p(times) * rarity[word]
    length = np.sqrt(np.bincount(text, raised * raised, texts))
    weights = np.asarray(raised / length[text], np.float32)
    return Counted(starts_of(np.bincount(text, minlength=texts)), word.astype(np.int32), weights)


_SAMPLE = 8000
_LEAST = float(np.finfo(np.float32).tiny)


def _about_the_largest(values: Vectors, most: int) -> tuple[Ints, float]:
    """The places of about so many of the largest values, none of which is 0, and the least of them: by a sample, since
    putting all in order takes longer."""
    every = max(1, len(values) // _SAMPLE)
    some = values[::every]
    some = some[some > 0]
    rank = max(1, most // every)
    least = float(np.partition(some, -rank)[-rank]) if rank < len(some) else _LEAST
    return np.flatnonzero(values >= least), least


_BLOCK = 64


def largest(values: Vectors, most: int) -> Ints:
    """The places of so many of the largest values, in no order. The largest of a block each say from where on values
    are looked at at all: putting all in order takes ten times as long."""
    blocks = len(values) // _BLOCK
    if blocks <= most:
        return np.argsort(-values, kind="stable")[:most]
    greatest = values[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
    least = np.partition(greatest, blocks - most)[blocks - most]  # so many blocks have a value as large
    at = np.flatnonzero(values >= least)
    return at[np.argpartition(-values[at], most - 1)[:most]]


def starts_of(lengths: Ints) -> Ints:
    """Where stretches begin that follow each other, and where the last one ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def stretches(begins: Ints, lengths: Ints) -> Ints:
    """Every place of several stretches, one stretch behind the other."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.repeat(begins - before, lengths) + np.arange(lengths.sum()), np.int64)

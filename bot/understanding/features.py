"""Text → the numbers that the learned heads weigh: words, letters, sounds and kinds of words by hash, and its vector.

Everything is counted once for the whole text, with its place; what a clause has is what lies inside it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.understanding.clauses import NOTHING
from knowledge_base.embedding import StaticEmbedder, Tokens
from knowledge_base.words import Word, words_of

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The embedding model's words in groups of like meaning: for each row of its table the three nearest groups."""

    coarse: npt.NDArray[np.int16]
    fine: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Features:
    """`at` and `value`: the sparse part, family after family, each ending at one of `ends`; `dense`: the vector;
    `words`: dictionary forms, in order."""

    at: Ints
    value: Floats
    ends: tuple[int, ...]
    dense: Floats
    words: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Passage:
    """A text cut into everything that the families count."""

    text: str
    words: Sequence[Word]
    tokens: Tokens
    kinds: Kinds


@dataclass(frozen=True, slots=True)
class _Units:
    """Things that follow one another in a text: letters, words. `code`: one number for each, alike for like ones."""

    start: Ints
    end: Ints
    code: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is counted: where it lies, in which bucket, how much it counts."""

    start: Ints
    end: Ints
    bucket: Ints
    weight: Floats


@dataclass(frozen=True, slots=True)
class _Runs:
    """The same before it is put into buckets: `hash` stands for what was counted."""

    start: Ints
    end: Ints
    hash: npt.NDArray[np.uint64]
    weight: Floats


@dataclass(frozen=True, slots=True)
class Family:
    """`size`: buckets of its hash; `share`: how much it weighs beside the others."""

    size: int
    share: float
    count: Callable[[_Passage], list[_Runs]]


Spans = Sequence[tuple[int, int]]  # where they begin and end in the text


class Counted:
    """A text counted once; `of` gives what any stretches of it hold."""

    def __init__(self, embedder: StaticEmbedder, kinds: Kinds, text: str) -> None:
        """`text` is folded."""
        self._embedder = embedder
        kept = text.replace(NOTHING, "")
        self._place = None if kept == text else np.cumsum([0, *(letter != NOTHING for letter in text)])
        self._passage = _Passage(kept, words_of(kept), embedder.tokens(kept), kinds)
        self._table = embedder.table(self._passage.tokens)
        self._counts = _all_families(self._passage)
        self._forms = np.array([word.form for word in self._passage.words], object)
        self._word_spans = np.array([(word.start, word.end) for word in self._passage.words], np.int64).reshape(-1, 2)

    def of(self, several: Sequence[Spans]) -> list[Features]:
        """`several`: spans of the text as it was given."""
        kept = [self._kept(spans) for spans in several]
        return [self._of(spans, vector) for spans, vector in zip(kept, self._vectors(kept), strict=True)]

    def vector(self, spans: Spans) -> Floats:
        """The dense part alone."""
        return np.asarray(self._vectors([self._kept(spans)])[0], np.float32)

    def _vectors(self, several: Sequence[Spans]) -> Floats:
        return self._embedder.vectors(self._passage.tokens, self._table, several)

    def _kept(self, spans: Spans) -> Spans:
        """Where they lie once the letters that stand for nothing are gone."""
        place = self._place
        return spans if place is None else [(int(place[start]), int(place[end])) for start, end in spans]

    def _of(self, spans: Spans, vector: Floats) -> Features:
        inside = np.flatnonzero(_inside(spans, self._counts.start, self._counts.end))
        order = inside[np.argsort(self._counts.bucket[inside])]
        buckets = self._counts.bucket[order]
        first = np.flatnonzero(np.diff(buckets, prepend=-1))
        sums = np.add.reduceat(self._counts.weight[order], first) if len(order) else np.zeros(0, np.float32)
        at = buckets[first]
        ends = tuple(np.searchsorted(at, [*FIRST[1:], SIZE]).tolist())
        words = self._forms[_inside(spans, self._word_spans[:, 0], self._word_spans[:, 1])].tolist()
        return Features(at, np.log1p(sums), ends, vector, words)


def _inside(spans: Spans, start: Ints, end: Ints) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(start), np.bool_)
    for first, last in spans:
        inside |= (start >= first) & (end <= last)
    return inside


def _all_families(passage: _Passage) -> _Counts:
    parts = []
    for first, family in zip(FIRST, FAMILIES, strict=True):
        for one in family.count(passage):
            bucket = (one.hash >> np.uint64(40)) % np.uint64(family.size)
            parts.append(_Counts(one.start, one.end, first + bucket.astype(np.int64), one.weight))
    return _Counts(
        np.concatenate([one.start for one in parts]),
        np.concatenate([one.end for one in parts]),
        np.concatenate([one.bucket for one in parts]),
        np.concatenate([one.weight for one in parts]),
    )


def _words(passage: _Passage) -> list[_Runs]:
    every = _units_of_words(passage.words)
    content = _units_of_words([word for word in passage.words if word.content])
    return [_runs(every, 1, 1), _runs(every, 2, 2), _runs(every, 2, 3, apart=2), _runs(content, 2, 4)]


def _units_of_words(words: Sequence[Word]) -> _Units:
    return _Units(
        np.array([word.start for word in words], np.int64),
        np.array([word.end for word in words], np.int64),
        np.array([zlib.crc32(word.form.encode("utf-8", "replace")) for word in words], np.uint64),
    )


def _letters(passage: _Passage) -> list[_Runs]:
    places = np.arange(len(passage.text))
    units = _Units(places, places + 1, _codes(passage.text))
    return [_runs(units, length, length) for length in range(1, 5)]


def _sounds(passage: _Passage) -> list[_Runs]:
    """How it sounds: しにたい and 死にたい are one."""
    lengths = [len(word.sound) for word in passage.words]
    units = _Units(
        np.repeat(np.array([word.start for word in passage.words], np.int64), lengths),
        np.repeat(np.array([word.end for word in passage.words], np.int64), lengths),
        _codes("".join(word.sound for word in passage.words)),
    )
    return [_runs(units, length, length) for length in range(2, 6)]


def _codes(text: str) -> npt.NDArray[np.uint64]:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)


def _coarse(passage: _Passage) -> list[_Runs]:
    return _of_kinds(passage.kinds.coarse, passage.tokens)


def _fine(passage: _Passage) -> list[_Runs]:
    return _of_kinds(passage.kinds.fine, passage.tokens)


def _of_kinds(groups: npt.NDArray[np.int16], tokens: Tokens) -> list[_Runs]:
    """A word counts for its nearest group, less for the next two; pairs of neighbours by their nearest."""
    known = tokens.rows > 0
    near = groups[tokens.rows[known]].astype(np.uint64)
    start, end = tokens.start[known], tokens.end[known]
    counted = [_runs(_Units(start, end, near[:, 0]), 2, 2)]
    for place in range(near.shape[1]):
        counted.append(_runs(_Units(start, end, near[:, place]), 1, 1, weight=1 / (place + 1)))
    return counted


_STIR = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's digits: spreads like numbers far apart


def _runs(units: _Units, length: int, salt: int, apart: int = 1, weight: float = 1.0) -> _Runs:
    """Every `length` units in a row (or `apart` from one another), hashed; `salt` keeps kinds of runs apart."""
    reach = (length - 1) * apart
    count = max(len(units.code) - reach, 0)
    mixed = np.full(count, salt, np.uint64)
    for step in range(length):
        mixed = (mixed ^ units.code[step * apart : step * apart + count]) * _STIR
        mixed ^= mixed >> np.uint64(29)
    mixed *= _STIR
    return _Runs(units.start[:count], units.end[reach : reach + count], mixed, np.full(count, weight, np.float32))


FAMILIES = (
    Family(1 << 16, 1.0, _words),
    Family(1 << 16, 0.6, _letters),
    Family(1 << 16, 0.6, _sounds),
    Family(1 << 15, 0.7, _coarse),
    Family(1 << 15, 0.7, _fine),
)
FIRST = tuple(np.cumsum([0, *(family.size for family in FAMILIES)]).tolist()[:-1])
SIZE = sum(family.size for family in FAMILIES)

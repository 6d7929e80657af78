"""Text → the numbers that the learned heads weigh: words and letters by hash, and its vector.

Everything is counted once for the whole text, with its place; what a clause has is what lies inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge_base.embedding import StaticEmbedder
from knowledge_base.pieces import NOTHING

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """`at` and `value`: the sparse part, family after family, each ending at one of `ends`; `dense`: the vector;
    `words`: those that the table knows, as its rows, in order."""

    at: Ints
    value: Floats
    ends: tuple[int, ...]
    dense: Floats
    words: Ints


@dataclass(frozen=True, slots=True)
class _Passage:
    """A text cut into everything that the families count."""

    text: str
    words: _Units


@dataclass(frozen=True, slots=True)
class _Units:
    """Things that follow one another in a text: letters, words. `code`: one number for each, alike for like ones."""

    start: Ints
    end: Ints
    code: Ints


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

    def __init__(self, embedder: StaticEmbedder, text: str) -> None:
        """`text` is folded."""
        self._embedder = embedder
        kept = text.replace(NOTHING, "")
        self._place = None if kept == text else np.cumsum([0, *(letter != NOTHING for letter in text)])
        self._tokens = embedder.tokens(kept)
        self._table = embedder.table(self._tokens)
        known = embedder.words(self._tokens)
        self._words = _Units(self._tokens.start[known], self._tokens.end[known], self._tokens.rows[known])
        self._counts = _all_families(_Passage(kept, self._words))

    def of(self, several: Sequence[Spans]) -> list[Features]:
        """`several`: spans of the text as it was given."""
        kept = [self._kept(spans) for spans in several]
        return [self._of(spans, vector) for spans, vector in zip(kept, self._vectors(kept), strict=True)]

    def vector(self, spans: Spans) -> Floats:
        """The dense part alone."""
        return np.asarray(self._vectors([self._kept(spans)])[0], np.float32)

    def _vectors(self, several: Sequence[Spans]) -> Floats:
        return self._embedder.vectors(self._tokens, self._table, several)

    def _kept(self, spans: Spans) -> Spans:
        """Where they lie once the letters that stand for nothing are gone."""
        place = self._place
        return spans if place is None else [(int(place[start]), int(place[end])) for start, end in spans]

    def _of(self, spans: Spans, vector: Floats) -> Features:
        inside = _inside(spans, self._counts.start, self._counts.end)
        bucket, weight = self._counts.bucket[inside], self._counts.weight[inside]
        order = np.argsort(bucket)
        bucket = bucket[order]
        first = np.flatnonzero(np.diff(bucket, prepend=-1))
        sums = np.add.reduceat(weight[order], first) if len(order) else np.zeros(0, np.float32)
        at = bucket[first]
        ends = tuple(np.searchsorted(at, [*FIRST[1:], SIZE]).tolist())
        words = self._words.code[_inside(spans, self._words.start, self._words.end)]
        return Features(at, np.log1p(sums), ends, vector, words)


def _inside(spans: Spans, start: Ints, end: Ints) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(start), np.bool_)
    for first, last in spans:
        inside |= (start >= first) & (end <= last)
    return inside


def _all_families(passage: _Passage) -> _Counts:
    runs, places = [], []
    for first, family in zip(FIRST, FAMILIES, strict=True):
        for one in family.count(passage):
            runs.append(one)
            # Sizes are powers of two.
            bucket = (one.hash >> np.uint64(40)) & np.uint64(family.size - 1)
            places.append(bucket.astype(np.int64) + first)
    start, end, weight = (np.concatenate([getattr(one, name) for one in runs]) for name in ("start", "end", "weight"))
    return _Counts(start, end, np.concatenate(places), weight)


def _words(passage: _Passage) -> list[_Runs]:
    return [*_runs_up_to(passage.words, 1, 2), _run(passage.words, 2, 3, apart=2)]


def _letters(passage: _Passage) -> list[_Runs]:
    places = np.arange(len(passage.text))
    units = _Units(places, places + 1, _codes(passage.text))
    return _runs_up_to(units, 1, 4)


def _codes(text: str) -> Ints:
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32).astype(np.int64)


_STIR = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's digits: spreads like numbers far apart
_FAR = np.uint64(29)


def _runs_up_to(units: _Units, shortest: int, longest: int) -> list[_Runs]:
    """What `_run` gives for each length, its salt, all in one go."""
    count, lengths = len(units.code), range(shortest, longest + 1)
    codes = np.concatenate([units.code, np.zeros(longest, np.int64)]).view(np.uint64)
    mixed = np.repeat(np.array(lengths, np.uint64)[:, None], count, axis=1)
    for step in range(longest):
        longer = mixed[max(step + 1 - shortest, 0) :]
        longer ^= codes[step : step + count]
        longer *= _STIR
        longer ^= longer >> _FAR
    mixed *= _STIR
    weight = np.ones(count, np.float32)
    ends = [max(count - length + 1, 0) for length in lengths]
    return [
        _Runs(units.start[:of], units.end[length - 1 : length - 1 + of], row[:of], weight[:of])
        for length, of, row in zip(lengths, ends, mixed, strict=True)
    ]


def _run(units: _Units, length: int, salt: int, apart: int = 1) -> _Runs:
    """Every `length` units in a row (or `apart` from one another), hashed; `salt` keeps kinds of runs apart."""
    reach = (length - 1) * apart
    count = max(len(units.code) - reach, 0)
    mixed, codes = np.full(count, salt, np.uint64), units.code.view(np.uint64)
    for step in range(length):
        mixed ^= codes[step * apart : step * apart + count]
        mixed *= _STIR
        mixed ^= mixed >> _FAR
    mixed *= _STIR
    return _Runs(units.start[:count], units.end[reach : reach + count], mixed, np.ones(count, np.float32))


FAMILIES = (
    Family(1 << 16, 1.0, _words),
    Family(1 << 16, 0.6, _letters),
)
FIRST = tuple(np.cumsum([0, *(family.size for family in FAMILIES)]).tolist()[:-1])
SIZE = sum(family.size for family in FAMILIES)

"""Text → the numbers that the learned heads weigh: words, word pairs and letters by hash, and the text's vector."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from knowledge_base.embedding import StaticEmbedder

SIZE = 1 << 15  # of each of the two halves: words first, letters second
LETTERS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Features:
    """`at` and `value`: the sparse half, words and letters each of length one before `rarity` is applied."""

    at: npt.NDArray[np.int64]
    value: npt.NDArray[np.float32]
    dense: npt.NDArray[np.float32]


def features(embedder: StaticEmbedder, texts: Sequence[str]) -> list[Features]:
    vectors, words = embedder.embed_words(list(texts))
    return [_of_one(text, rows, vector) for text, rows, vector in zip(texts, words, vectors, strict=True)]


def _of_one(text: str, rows: list[int], vector: npt.NDArray[np.float32]) -> Features:
    words = Counter(_hash(key) for key in _word_keys([row for row in rows if row]))
    letters = Counter(SIZE + _hash(key) for key in _letter_keys(text))
    both = [*words.items(), *letters.items()]
    at = np.fromiter((key for key, _ in both), np.int64, len(both))
    value = np.fromiter((count for _, count in both), np.float32, len(both))
    return Features(at, 1 + np.log(value), vector)


def _word_keys(rows: list[int]) -> Iterable[str]:
    yield from (str(row) for row in rows)
    yield from (f"{a}_{b}" for a, b in pairwise(rows))
    yield from (f"{a}-{b}" for a, b in zip(rows, rows[2:], strict=False))


def _letter_keys(text: str) -> Iterable[str]:
    framed = f"^{' '.join(text.split())}$"
    for length in LETTERS:
        yield from (framed[start : start + length] for start in range(len(framed) - length + 1))


def _hash(key: str) -> int:
    return zlib.crc32(key.encode("utf-8", "replace")) & (SIZE - 1)

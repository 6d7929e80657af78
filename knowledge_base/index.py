"""Nearest texts: FAISS over embedded texts, and the search of a collection by meaning, words and letters."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from knowledge_base.embedding import Embedder, Vectors
from knowledge_base.words import words_of

Scores = npt.NDArray[np.float32]

_BM25_K1, _BM25_B = 1.2, 0.6


@dataclass(frozen=True, slots=True)
class Hit:
    at: int  # position of the text in what the index was built from
    score: float


_EXACT_UP_TO = (
    4000  # beyond, a search looks at the nearest cells only: a sixth of the time, and the same answers but few
)
_CELLS, _CELLS_SEARCHED = 128, 18


class Index:
    """Inner-product search over rows of length one, so a score is a cosine."""

    def __init__(self, vectors: Vectors) -> None:
        size = vectors.shape[1]
        self._faiss: faiss.Index = faiss.IndexFlatIP(size)
        if len(vectors) > _EXACT_UP_TO:
            cells = faiss.IndexIVFFlat(faiss.IndexFlatIP(size), size, _CELLS, faiss.METRIC_INNER_PRODUCT)
            cells.nprobe = _CELLS_SEARCHED
            cells.train(np.ascontiguousarray(vectors))
            self._faiss = cells
        self._faiss.add(np.ascontiguousarray(vectors))

    def __len__(self) -> int:
        return int(self._faiss.ntotal)

    def search(self, vectors: Vectors, k: int) -> tuple[Scores, npt.NDArray[np.int64]]:
        """Scores and positions, both (queries × min(k, size)), best first."""
        scores, at = self._faiss.search(np.ascontiguousarray(vectors), min(k, len(self)))
        return scores, at


class Collection:
    """Texts of any kind (a town's FAQ), searched by meaning, by words and by letters together.

    The three see different things: meaning finds what is said otherwise, words what is said in another form (払う,
    支払い), letters what is misspelt or in no dictionary. docs/understanding.md compares them.
    """

    def __init__(self, embedder: Embedder, texts: Sequence[str]) -> None:
        self._embedder = embedder
        self._wholes = embedder.embed(list(texts))
        self._beginnings = embedder.embed([_beginning(text) for text in texts])
        self._words = Bm25([_content_words(text) for text in texts])
        self._letters = Bm25([pairs(text) for text in texts])

    def search(self, query: str, k: int = 10) -> list[Hit]:
        vector = self._embedder.embed([query])[0]
        meaning = np.maximum(self._wholes @ vector, self._beginnings @ vector)
        words, letters = self._words.scores(_content_words(query)), self._letters.scores(pairs(query))
        mean = _spread(meaning) / 2 + _spread(words) / 4 + _spread(letters) / 4
        best = np.argsort(-mean, kind="stable")[:k]
        return [Hit(int(at), float(mean[at])) for at in best]


_SENTENCE_END = re.compile(r"(?<=[。？！?!\n])")


def _beginning(text: str) -> str:
    """The first sentence: of a question and its answer the question."""
    return next((part for part in _SENTENCE_END.split(text) if part.strip()), text)


def _content_words(text: str) -> list[str]:
    return [word.form for word in words_of(text.lower()) if word.content]


class Bm25:
    """BM25 over lists of terms."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        postings: defaultdict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        lengths = np.array([len(terms) for terms in texts], np.float32)
        for at, terms in enumerate(texts):
            for term, count in Counter(terms).items():
                postings[term][0].append(at)
                postings[term][1].append(count)
        damping = _BM25_K1 * (1 - _BM25_B + _BM25_B * lengths / max(float(lengths.mean()) if len(texts) else 1, 1))
        self._size = len(texts)
        self._postings = {term: self._weighed(np.array(at), np.array(n), damping) for term, (at, n) in postings.items()}

    def scores(self, terms: Sequence[str]) -> Scores:
        total = np.zeros(self._size, np.float32)
        for term in set(terms):
            if term in self._postings:
                at, weight = self._postings[term]
                total[at] += weight
        return total

    def _weighed(
        self, at: npt.NDArray[np.int64], count: npt.NDArray[np.int64], damping: Scores
    ) -> tuple[npt.NDArray[np.int64], Scores]:
        rarity = math.log(1 + (self._size - len(at) + 0.5) / (len(at) + 0.5))
        return at, np.asarray(rarity * count * (_BM25_K1 + 1) / (count + damping[at]), np.float32)


def pairs(text: str) -> list[str]:
    """Overlapping pairs of letters: Japanese needs no dictionary for it, and typos cost little."""
    letters = [c for c in text.lower() if c.isalnum()]
    return ["".join(two) for two in pairwise(letters)] or letters


def _spread(scores: Scores) -> Scores:
    """Both kinds of score on one scale: standard deviations above the collection's mean."""
    return np.asarray((scores - scores.mean()) / (scores.std() + 1e-6), np.float32)


def embed_once(embedder: Embedder, texts: Sequence[str], store: Path | None) -> Vectors:
    """Vectors of `texts`, kept in the folder `store` under the hash of model and texts, so that a restart reads them
    back. None keeps nothing. A kept file that does not fit is made anew."""
    if store is None:
        return embedder.embed(list(texts))
    key = hashlib.sha256("\0".join((embedder.name, *texts)).encode("utf-8", "replace")).hexdigest()[:24]
    path = store / f"vectors-{key}.npy"
    if path.exists():
        try:
            kept: Vectors = np.load(path)
        except (OSError, ValueError):
            kept = np.zeros((0, 0), np.float32)
        if len(kept) == len(texts):
            return kept
    vectors = embedder.embed(list(texts))
    store.mkdir(parents=True, exist_ok=True)
    np.save(path, vectors)
    return vectors

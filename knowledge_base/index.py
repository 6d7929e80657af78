"""Nearest texts: FAISS over embedded texts, and a lexical score beside it."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from knowledge_base.embedding import Embedder, Vectors

Scores = npt.NDArray[np.float32]

_BM25_K1, _BM25_B = 1.2, 0.6
_LEXICAL_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Hit:
    at: int  # position of the text in what the index was built from
    score: float


class Index:
    """Exact inner-product search over rows of length one, so a score is a cosine."""

    def __init__(self, vectors: Vectors) -> None:
        self._faiss = faiss.IndexFlatIP(vectors.shape[1])
        self._faiss.add(np.ascontiguousarray(vectors))

    def __len__(self) -> int:
        return int(self._faiss.ntotal)

    def search(self, vectors: Vectors, k: int) -> tuple[Scores, npt.NDArray[np.int64]]:
        """Scores and positions, both (queries × min(k, size)), best first."""
        scores, at = self._faiss.search(np.ascontiguousarray(vectors), min(k, len(self)))
        return scores, at


class Collection:
    """Texts of any kind (a town's FAQ), searched by meaning and by letters together."""

    def __init__(self, embedder: Embedder, texts: Sequence[str]) -> None:
        self._embedder = embedder
        self._vectors = embedder.embed(list(texts))
        self._lexical = Bm25(texts)

    def search(self, query: str, k: int = 10) -> list[Hit]:
        dense = self._vectors @ self._embedder.embed([query])[0]
        scores = (1 - _LEXICAL_SHARE) * _spread(dense) + _LEXICAL_SHARE * _spread(self._lexical.scores(query))
        best = np.argsort(-scores, kind="stable")[:k]
        return [Hit(int(at), float(scores[at])) for at in best]


class Bm25:
    """BM25 over overlapping pairs of characters: Japanese needs no dictionary for it, and typos cost little."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = np.zeros(len(texts), np.float32)
        for at, text in enumerate(texts):
            counts = Counter(pairs(text))
            lengths[at] = sum(counts.values())
            for term, count in counts.items():
                self._postings[term].append((at, count))
        self._damping = _BM25_K1 * (
            1 - _BM25_B + _BM25_B * lengths / max(float(lengths.mean()) if len(texts) else 1, 1)
        )

    def scores(self, query: str) -> Scores:
        total = np.zeros(len(self._damping), np.float32)
        for term in set(pairs(query)):
            postings = self._postings.get(term, [])
            idf = math.log(1 + (len(total) - len(postings) + 0.5) / (len(postings) + 0.5))
            for at, count in postings:
                total[at] += idf * count * (_BM25_K1 + 1) / (count + self._damping[at])
        return total


def pairs(text: str) -> list[str]:
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

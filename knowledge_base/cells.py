"""Many vectors of length one, a byte for each of their numbers, in cells of like ones (FAISS): a search looks at a
hundredth of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import faiss
import numpy as np
import numpy.typing as npt

from knowledge_base.embedding import Vectors

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

#: FAISS multiplies so many numbers at once; a row whose length is no multiple of it costs ten times as much.
_WIDTH = 16
_AT_ONCE = 1 << 15  # vectors
_A_CELL, _MOST_CELLS = 150, 2048  # vectors; cells
_SEARCHED = 20  # cells
_LEARNED_FROM, _ROUNDS = 40, 4  # vectors a cell; more of either finds hardly more


class Cells:
    """What is asked for by place is answered to a thousandth; a search is rougher."""

    def __init__(self, parts: Iterable[Vectors]) -> None:
        """The rows of all parts, one part behind the other."""
        kept = [_as_bytes(part) for part in parts]
        self._bytes = np.concatenate([rows for rows, _ in kept])
        self._scale = np.concatenate([scale for _, scale in kept])
        self._size = -(-self._bytes.shape[1] // _WIDTH) * _WIDTH
        count = max(1, min(_MOST_CELLS, len(self._bytes) // _A_CELL))
        self._index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(self._size), self._size, count,
            faiss.ScalarQuantizer.QT_4bit, faiss.METRIC_INNER_PRODUCT, False,
        )  # fmt: skip
        self._learn(count)
        for at in range(0, len(self._bytes), _AT_ONCE):
            self._index.add(self._wide(self.vectors(slice(at, at + _AT_ONCE))))

    def vectors(self, places: Ints | slice) -> Vectors:
        """Nearly as they were given."""
        return np.asarray(self._bytes[places] * self._scale[places, None], np.float32)

    def scores_of(self, vector: Vectors, places: Ints) -> Vectors:
        """The cosine of some."""
        return np.asarray((self._bytes[places].astype(np.float32) @ vector) * self._scale[places], np.float32)

    def nearest(self, vector: Vectors, most: int, shown: npt.NDArray[np.bool_] | None) -> tuple[Vectors, Ints]:
        """Cosines, to a hundredth or so, and places of those that are likely the nearest, of all or of the `shown`."""
        how = faiss.SearchParametersIVF()
        how.nprobe = _SEARCHED
        if shown is not None:
            only = faiss.IDSelectorBitmap(np.packbits(shown, bitorder="little"))  # type: ignore[call-arg, arg-type]
            how.sel = only
        scores, at = self._index.search(self._wide(vector[None]), most, params=how)
        found = at[0] >= 0
        return scores[0][found], at[0][found]

    def _learn(self, count: int) -> None:
        learning = self._index.cp
        learning.niter, learning.min_points_per_centroid, learning.max_points_per_centroid = _ROUNDS, 1, _LEARNED_FROM
        some = np.random.default_rng(1).permutation(len(self._bytes))[: count * _LEARNED_FROM]
        self._index.train(self._wide(self.vectors(some)))

    def _wide(self, vectors: Vectors) -> Vectors:
        wide = np.zeros((len(vectors), self._size), np.float32)
        wide[:, : vectors.shape[1]] = vectors
        return wide


def _as_bytes(vectors: Vectors) -> tuple[Bytes, Vectors]:
    """Rows, each by a scale of its own."""
    scale = np.asarray(np.maximum(np.abs(vectors).max(axis=1), 1e-12) / 127, np.float32)
    return np.rint(vectors / scale[:, None]).astype(np.int8), scale

"""The encoder: a small transformer that reads a text in its order, once, and what it says of the whole and of any part.

Counted words do not know who does what to whom; this does. It is learned from the voices and the households
(`build_encoder`), its weights are one byte each, and ONNX Runtime runs it on one core.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf

from bot.understanding.clauses import Clause
from bot.understanding.features import Floats, Ints
from knowledge_base import pieces

FOLDER = Path(__file__).parent / "encoder"
BEGIN, UNKNOWN, END = 0, 3, 2  # tokens, as in the vocabulary that it was pruned from
LONGEST = 256  # tokens of one passage
PASSAGE = 360  # letters: as many as fit into LONGEST tokens, nearly always
PASSAGES_KEPT = 128
NOWHERE = -(1 << 30)  # where the edges of a passage lie
_BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf)

Masks = npt.NDArray[np.bool_]
Spans = Sequence[tuple[int, int]]


class EncoderError(Exception):
    """The encoder's files are missing or damaged."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Tokens of one passage or of several. `vectors`: a row a token, the first and the last of a passage stand for its
    edges; `start` and `end`: where each token lies in the text (the edges nowhere)."""

    vectors: Floats
    start: Ints
    end: Ints

    def inside(self, several: Sequence[Spans]) -> Masks:
        """Which tokens lie in each set of stretches of the text."""
        return np.array([named(spans, self.start, self.end) for spans in several], np.bool_).reshape(
            len(several), len(self.vectors)
        )

    def mentions(self, several: Sequence[Spans]) -> Floats:
        """The mean vector of the tokens in each set of stretches; zeros where there are none."""
        inside = self.inside(several).astype(np.float32)
        return np.asarray(inside @ self.vectors / np.maximum(inside.sum(axis=1, keepdims=True), 1), np.float32)

    def moved(self, by: int) -> Encoded:
        return Encoded(self.vectors, self.start + by, self.end + by)


def joined(several: Iterable[Encoded]) -> Encoded:
    passages = list(several)
    return Encoded(*(np.concatenate([getattr(one, name) for one in passages]) for name in ("vectors", "start", "end")))


def named(spans: Spans, start: Ints, end: Ints) -> Masks:
    """Which tokens, from `start` to `end`, lie in one of the stretches, wholly or in part."""
    inside = np.zeros(len(start), np.bool_)
    for first, behind in spans:
        inside |= (start < behind) & (end > first)
    return inside


@dataclass(frozen=True, slots=True)
class Parts:
    """A text of any length, read in passages of whole clauses. `whole`: passages × (mean and maximum of the tokens);
    `vectors`: the same of each clause; `tokens`: of all passages."""

    whole: Floats
    vectors: Floats
    tokens: Encoded


def pooled(vectors: Floats, inside: Masks) -> Floats:
    """Mean and maximum of the rows that each mask lets through, side by side; zeros where it lets none."""
    share = inside.astype(np.float32)
    mean = share @ vectors / np.maximum(share.sum(axis=1, keepdims=True), 1)
    most = np.zeros_like(mean)
    first, last = inside.argmax(axis=1), inside.shape[1] - inside[:, ::-1].argmax(axis=1)
    many = inside.sum(axis=1)
    for at in np.flatnonzero(many):
        # Nearly always tokens that follow one another: these need not be copied.
        one_piece = many[at] == last[at] - first[at]
        vectors[slice(first[at], last[at]) if one_piece else inside[at]].max(axis=0, out=most[at])
    return np.concatenate([mean, most], axis=1)


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer: rows are inputs."""

    weights: Floats
    bias: Floats

    def __call__(self, seen: Floats) -> Floats:
        return np.asarray(seen @ self.weights + self.bias, np.float32)

    def only(self, outputs: Ints) -> Layer:
        return Layer(self.weights[:, outputs], self.bias[outputs])


class Encoder:
    """Loaded once; safe to be used by several threads."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Raises EncoderError."""
        try:
            self._pieces = pieces.read((folder / "tokenizer.json").read_text(encoding="utf-8"))
            with np.load(folder / "weights.npz") as kept:
                arrays = dict(kept)
            self._session = onnxruntime.InferenceSession(
                (folder / "layers.onnx").read_bytes(), _one_core(), providers=["CPUExecutionProvider"],
                disabled_optimizers=["SkipLayerNormFusion"],  # which takes half as long again
            )  # fmt: skip
            self._words = arrays["words"]
            self._word_steps = arrays["word_steps"].astype(np.float32)
            self._places = arrays["places"].astype(np.float32)
            self.head = Layer(arrays["head_weight"].astype(np.float32), arrays["head_bias"])
            self.part = Layer(arrays["part_weight"].astype(np.float32), arrays["part_bias"])
            # A talk is read again at every turn, and only its last passage and turn are new.
            self._read = lru_cache(maxsize=PASSAGES_KEPT)(self._encode)
            self.width = self._words.shape[1]
            self._nothing = Parts(
                np.zeros((1, 2 * self.width), np.float32),
                np.zeros((0, 2 * self.width), np.float32),
                Encoded(np.zeros((0, self.width), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64)),
            )
            self.owners = {name: arrays[f"owner_{name}"].astype(np.float32) for name in OWNER_ARRAYS}
        except _BROKEN as error:
            raise EncoderError(f"The encoder ({folder.name}) cannot be read.") from error

    def by_turns(self, folded: str, clauses: Sequence[Clause]) -> Encoded:
        """The tokens of a talk, each of its lines read by itself."""
        lines = (list(some) for _, some in groupby(clauses, lambda clause: folded.count("\n", 0, clause.start)))
        return joined(self._passage(folded, some) for line in lines for some in _passages(line))

    def parts(self, folded: str, clauses: Sequence[Clause]) -> Parts:
        passages, wholes, vectors = [], [], []
        for some in _passages(clauses):
            passage = self._passage(folded, some)
            passages.append(passage)
            wholes.append(pooled(passage.vectors, np.ones((1, len(passage.vectors)), np.bool_)))
            vectors.append(pooled(passage.vectors, passage.inside([[(one.start, one.end)] for one in some])))
        if not passages:
            return self._nothing
        return Parts(np.concatenate(wholes), np.concatenate(vectors), joined(passages))

    def _passage(self, folded: str, clauses: Sequence[Clause]) -> Encoded:
        begins = clauses[0].start
        return self._read(folded[begins : clauses[-1].end]).moved(begins)

    def _encode(self, folded: str) -> Encoded:
        """One passage; what lies beyond LONGEST tokens is not read."""
        cut = self._pieces.cut(folded)
        ids = _between(BEGIN, cut.ids[: LONGEST - 2], END)
        start, end = (_between(NOWHERE, places[: LONGEST - 2], NOWHERE) for places in (cut.start, cut.end))
        (vectors,) = self._session.run(None, {"x": self._embedded(ids)[None]})
        return Encoded(vectors[0], start, end)

    def _embedded(self, ids: Ints) -> Floats:
        seen = self._words[ids] * self._word_steps[ids, None]
        seen += self._places[: len(ids)]
        return np.asarray(seen, np.float32)


def _between(first: int, inner: Ints, last: int) -> Ints:
    return np.concatenate([[first], inner, [last]])


def _passages(clauses: Sequence[Clause]) -> Iterator[list[Clause]]:
    some: list[Clause] = []
    for clause in clauses:
        if some and clause.end - some[0].start > PASSAGE:
            yield some
            some = []
        some.append(clause)
    if some:
        yield some


OWNER_ARRAYS = (
    "query_weight", "query_bias", "key_weight", "key_bias", "traits_query", "links", "traits", "whole", "nobody",
)  # fmt: skip


def _one_core() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options

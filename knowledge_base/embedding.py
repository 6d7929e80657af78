"""Text → vectors, with the bundled model or any other that sentence-transformers can load."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

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
    of the service together.
    """

    def __init__(self, folder: Path) -> None:
        self.name = f"{folder.name}-{_fingerprint(folder / 'model.safetensors')}"
        try:
            tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
            json.loads(tokenizer)  # tokenizers raises a bare Exception for broken JSON, which must not be caught
            self._tokenizer = Tokenizer.from_str(tokenizer)
            with safe_open(folder / "model.safetensors", framework="np") as tensors:
                tables = {key: tensors.get_tensor(key) for key in tensors.keys()}  # noqa: SIM118 - not a dict
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(f"The embedding model in {folder} is damaged: it cannot be read.") from error
        self._rows, self._mapping, self._weights = _unfold(tables, folder)
        if len(self._mapping) < self._tokenizer.get_vocab_size():
            raise ModelError(f"The embedding model in {folder} is damaged: it has more tokens than vectors.")

    def embed(self, texts: list[str]) -> Vectors:
        return self.embed_words(texts)[0]

    def embed_words(self, texts: list[str]) -> tuple[Vectors, list[list[int]]]:
        """The vectors, and each text's words as rows of the table: all forms of a word are one; 0 is unknown."""
        vectors = np.zeros((len(texts), self._rows.shape[1]), np.float32)
        words: list[list[int]] = []
        clean = [_SURROGATES.sub("�", text) for text in texts]  # half a character cannot be encoded
        for at, encoding in enumerate(self._tokenizer.encode_batch_fast(clean, add_special_tokens=False)):
            ids = np.asarray(encoding.ids, np.int64)
            rows = self._mapping[ids]
            words.append(rows.tolist())
            if ids.size:
                vectors[at] = self._weights[ids] @ self._rows[rows].astype(np.float32)
        return normalised(vectors), words


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
    return rows, mapping.astype(np.int64), weights.astype(np.float32)


def _fingerprint(path: Path) -> str:
    """Size and time of change: enough to notice that a model was exchanged."""
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelError(f"The embedding model in {path.parent} is damaged: {path.name} is missing.") from error
    return f"{stat.st_size}-{int(stat.st_mtime)}"

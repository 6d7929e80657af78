"""The voices cut into words and tokens, once: reading thirteen thousand texts takes three seconds, and the service
should start in less.

`python -m bot.understanding.build_voices` reads them anew, after a change of voices, of the embedding model or of the
dictionary. What does not fit the voices is not used; they are then read at every start.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from bot.understanding.clauses import fold
from bot.understanding.features import Ints
from knowledge_base.embedding import StaticEmbedder
from knowledge_base.lexicon import Places, Spelled, starts_of
from knowledge_base.words import forms_of

KEPT = Path(__file__).parent / "voices.npz"


@dataclass(frozen=True, slots=True)
class ReadOnce:
    """`words`: dictionary forms of each text; `tokens`: of the bundled model."""

    words: Spelled
    tokens: Sequence[Ints]


def read(texts: Sequence[str], bundled: StaticEmbedder, path: Path = KEPT) -> ReadOnce:
    """As kept, where that fits."""
    return _kept(texts, bundled, path) or read_anew(texts, bundled)


def read_anew(texts: Sequence[str], bundled: StaticEmbedder) -> ReadOnce:
    words = Spelled.of(forms_of(fold(text)) for text in texts)
    return ReadOnce(words, bundled.ids(list(texts)))


def keep(texts: Sequence[str], bundled: StaticEmbedder, path: Path = KEPT) -> None:
    read = read_anew(texts, bundled)
    np.savez_compressed(
        path,
        allow_pickle=False,
        of=np.array(_of(texts, bundled)),
        words=np.frombuffer("\n".join(read.words.words).encode(), np.uint8),
        word_lengths=_lengths(read.words.starts),
        word_places=read.words.places,
        token_lengths=np.array([len(ids) for ids in read.tokens], np.int32),
        tokens=np.concatenate([np.zeros(0, np.int64), *read.tokens]).astype(np.int32),
    )


def _kept(texts: Sequence[str], bundled: StaticEmbedder, path: Path) -> ReadOnce | None:
    try:
        with path.open("rb") as file, np.load(file) as kept:
            if str(kept["of"]) != _of(texts, bundled):
                return None
            words = Spelled(
                kept["words"].tobytes().decode().split("\n"), starts_of(kept["word_lengths"]), kept["word_places"]
            )
            tokens = np.split(kept["tokens"].astype(np.int64), np.cumsum(kept["token_lengths"])[:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return ReadOnce(words, tokens)


def _of(texts: Sequence[str], bundled: StaticEmbedder) -> str:
    """What was read, and with what."""
    dictionaries = (version(name) for name in ("sudachipy", "sudachidict-core"))
    return hashlib.sha256("\0".join((bundled.tokens_of, *dictionaries, *texts)).encode()).hexdigest()


def _lengths(starts: Ints) -> Places:
    return np.diff(starts).astype(np.int32)

"""The voices cut into tokens, once: reading fourteen thousand texts takes a second, and the service should start in
less.

`python -m bot.understanding.build_voices` reads them anew, after a change of voices or of the embedding model. What
does not fit the voices is not used; they are then read at every start.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.understanding.features import Ints
from knowledge_base.embedding import StaticEmbedder
from knowledge_base.lexicon import Spelled

KEPT = Path(__file__).parent / "voices.npz"


@dataclass(frozen=True, slots=True)
class ReadOnce:
    """`tokens` of the bundled model, and the `words` among them."""

    words: Spelled
    tokens: Sequence[Ints]


def read(texts: Sequence[str], bundled: StaticEmbedder, path: Path = KEPT) -> ReadOnce:
    """As kept, where that fits."""
    return _kept(texts, bundled, path) or read_anew(texts, bundled)


def read_anew(texts: Sequence[str], bundled: StaticEmbedder) -> ReadOnce:
    return _read(bundled.ids(list(texts)), bundled)


def keep(texts: Sequence[str], bundled: StaticEmbedder, path: Path = KEPT) -> None:
    read = read_anew(texts, bundled)
    np.savez_compressed(
        path,
        allow_pickle=False,
        of=np.array(_of(texts, bundled)),
        token_lengths=np.array([len(ids) for ids in read.tokens], np.int32),
        tokens=np.concatenate([np.zeros(0, np.int64), *read.tokens]).astype(np.int32),
    )


def _kept(texts: Sequence[str], bundled: StaticEmbedder, path: Path) -> ReadOnce | None:
    try:
        with path.open("rb") as file, np.load(file) as kept:
            if str(kept["of"]) != _of(texts, bundled):
                return None
            tokens = np.split(kept["tokens"].astype(np.int64), np.cumsum(kept["token_lengths"])[:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return _read(tokens, bundled)


def _read(tokens: Sequence[Ints], bundled: StaticEmbedder) -> ReadOnce:
    return ReadOnce(Spelled.of(map(bundled.forms, tokens)), tokens)


def _of(texts: Sequence[str], bundled: StaticEmbedder) -> str:
    """What was read, and with what."""
    return hashlib.sha256("\0".join((bundled.tokens_of, *texts)).encode()).hexdigest()

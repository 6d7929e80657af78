"""The voices nearest to a text, by meaning (FAISS) and by their very words, and what they are labelled with.

What an admin adds stands in an index of its own beside the bundled one, so that it is found from the next text on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.understanding import read_once
from bot.understanding.features import Features, Floats, Ints
from bot.understanding.local import Local, Own, Sureness
from bot.understanding.segments import LocalService, Look, together
from bot.understanding.voices import Voice
from knowledge_base.embedding import Embedder, StaticEmbedder
from knowledge_base.index import Index, embed_once
from knowledge_base.lexicon import Lexicon, Spelled, WordSearch, largest
from knowledge_base.vocabulary import vocabulary

NEAREST = 24
CANDIDATES = 64  # taken from each of the two searches before their scores are put together
SHARPNESS = 10.0  # how much a nearer voice counts than a farther one
NEAR_FROM = 0.4  # cosine of a clause and a voice that tell of the same thing, by eye


@dataclass(frozen=True, slots=True)
class Near:
    """Shares of the nearest voices, by field and service; `own`: log-odds of the fields → the town's own services that
    may be meant. Examples are taken from `voices`."""

    fields: Floats
    services: Floats
    urgent: float
    own: Callable[[Floats, Sureness], Own]
    voices: Ints  # the places of all that were looked at


@dataclass(frozen=True, slots=True)
class _Seen:
    """The same of one passage. `nearest`: the likeness of the nearest bundled voice."""

    shares: Floats
    voices: Ints
    nearest: float
    own: Sequence[Look]


class Neighbours:
    """Immutable: `with_local` makes the one that knows other services of the town's own."""

    def __init__(
        self, embedder: Embedder, bundled: StaticEmbedder, voices: Sequence[Voice], store: Path | None
    ) -> None:
        self._embedder, self._bundled, self._voices = embedder, bundled, voices
        texts = [voice.text for voice in voices]
        read = read_once.read(texts, bundled)
        own = embedder is bundled
        vectors = bundled.embed_ids(read.tokens) if own else embed_once(embedder, texts, store)
        self._lexicon = Lexicon(read.words.rarity(bundled.many_forms), bundled.forms_of)
        self._texts = _Texts(vectors, read.words, self._lexicon)
        self._labels = labels(voices)
        self.local = Local((), embedder, self._lexicon)

    def with_local(self, services: Sequence[LocalService]) -> Neighbours:
        """The same voices beside other services of the town's own; what both have is not read again."""
        other = copy(self)
        other.local = self.local.next(services)
        return other

    def of(self, passages: Sequence[tuple[str, Features]]) -> Near:
        """Of a text in several passages the most that any of them shows."""
        every = [self._of(text, seen) for text, seen in passages]
        shares = np.max([one.shares for one in every], axis=0)
        nearest, local = max(one.nearest for one in every), self.local
        fields, services = len(vocabulary().fields), len(vocabulary().services)
        return Near(
            shares[:fields],
            shares[fields : fields + services],
            float(shares[-1]),
            lambda odds, sureness: local.likely([one.own for one in every], odds, nearest, sureness),
            np.unique(np.concatenate([one.voices for one in every])),
        )

    def _of(self, text: str, seen: Features) -> _Seen:
        words, vector = seen.words, self._vector(text, seen.dense)
        likeness, at = self._texts.nearest(words, vector)
        looked_at, likeness, at = at, likeness[:NEAREST], at[:NEAREST]
        labelled = self._labels[at]
        nearest = float(likeness[0]) if len(likeness) else 0.0
        own = self.local.look(words, vector)
        if own:
            likeness, labelled = self._join(*self.local.nearest(own, NEAREST), likeness, labelled)
        return _Seen(shares_of(likeness) @ labelled, looked_at, nearest, own)

    @staticmethod
    def _join(own: Floats, own_labels: Floats, likeness: Floats, labelled: Floats) -> tuple[Floats, Floats]:
        """The nearest of the bundled voices and the town's together."""
        both = np.concatenate([likeness, own])
        order = np.argsort(-both, kind="stable")[:NEAREST]
        return both[order], np.concatenate([labelled, own_labels])[order]

    def example(self, voices: Ints, clause: str, vector: Floats, field: int) -> str:
        """Of these voices the one that tells of the field and comes nearest to a clause; "" when none is near.
        `vector`: that of the bundled model."""
        telling = voices[self._labels[voices, field] == 1]
        if not len(telling):
            return ""
        likeness = self._texts.vectors[telling] @ self._vector(clause, vector)
        best = int(np.argmax(likeness))
        return self._voices[telling[best]].text if likeness[best] >= NEAR_FROM else ""

    def local_example(self, folded: str, vector: Floats, place: int) -> str:
        """Of one of the town's own services the text that comes nearest to a text. `vector`: that of the bundled
        model."""
        return self.local.example(self._lexicon.words_of(folded), self._vector(folded, vector), place)

    def _vector(self, text: str, bundled: Floats) -> Floats:
        """The bundled model's is there already; a town may have chosen another."""
        return bundled if self._embedder is self._bundled else self._embedder.embed([text])[0]


class _Texts:
    """Texts searched by meaning and by words."""

    def __init__(self, vectors: Floats, words: Spelled, lexicon: Lexicon) -> None:
        self.vectors = vectors
        self._index = Index(vectors)
        self._lexicon = lexicon
        self._words = WordSearch(lexicon.count(words))

    def nearest(self, words: Ints, vector: Floats) -> tuple[Floats, Ints]:
        """Likeness and places of the candidates of both searches, nearest first."""
        by_words = self._words.scores(self._lexicon.ask(words))
        _, by_meaning = self._index.search(vector[None], CANDIDATES)
        at = np.union1d(by_meaning[0], largest(by_words, CANDIDATES))
        likeness = together(self.vectors[at] @ vector, by_words[at])
        order = np.argsort(-likeness, kind="stable")
        return likeness[order], at[order]


def shares_of(likeness: Floats) -> Floats:
    """How much each of the nearest counts; they add up to one."""
    if not len(likeness) or likeness[0] <= 0:
        return np.zeros(len(likeness), np.float32)
    near = np.exp(SHARPNESS * (likeness - likeness[0]))
    return np.asarray(near / near.sum(), np.float32)


def labels(voices: Sequence[Voice]) -> Floats:
    """Voices × (fields, services, urgent or above)."""
    names = vocabulary()
    column = {name: at for at, name in enumerate((*names.fields, *names.services))}
    found = np.zeros((len(voices), len(column) + 1), np.float32)
    for row, voice in zip(found, voices, strict=True):
        for name in voice.may if voice.must else ():
            row[column[name]] = 0.5
        for name in (*voice.must, *voice.services):
            row[column[name]] = 1
        row[-1] = voice.level in ("urgent", "immediate")
    return found

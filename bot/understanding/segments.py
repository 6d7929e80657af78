"""Some of the town's own services, read once and searched.

Of a few thousand texts each is weighed. Of more, a rough look goes first, by the rarer words and by the nearest cells
of vectors; what it finds is weighed exactly before it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bot.understanding.clauses import fold
from bot.understanding.features import Floats, Ints
from knowledge_base.cells import Cells
from knowledge_base.embedding import Embedder
from knowledge_base.lexicon import Asked, Counted, Lexicon, WordSearch, largest, starts_of, stretches
from knowledge_base.vocabulary import vocabulary

Mask = npt.NDArray[np.bool_]
#: Of services the likeness of their nearest two texts, and the log-odds of the likeliest of their fields → what each is
#: worth.
Worth = Callable[[Floats, Floats], Floats]

MEANING_SHARE = 0.3  # the rest is for the very words
EXACT_UP_TO = 20_000  # texts
#: A rough look keeps so many texts by words and by meaning. Weighed are so many of them, and all texts of so many
#: services.
BY_WORDS, BY_MEANING, TEXTS, SERVICES = 4000, 300, 300, 200
#: What a rough look takes for granted: how near by meaning a text is that was found by words alone; how near the second
#: text of a service is, as a share of the nearest.
_MEANING, _SECOND = 0.45, 0.6
_AT_ONCE = 1 << 14  # texts: reading a million of them then needs little memory beside what is kept


@dataclass(frozen=True, slots=True)
class LocalService:
    """A service that a town adds. `voices`: how people who need it might write, three or more."""

    id: str
    ja: str
    about: str
    fields: tuple[str, ...]
    voices: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """One at least."""
        return [text for text in (*self.voices, self.ja, self.about) if text] or [self.id]


@dataclass(frozen=True, slots=True)
class Query:
    words: Asked
    vector: Floats


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of a segment with a query: texts that stand, in order, and their likeness. `weighed`: which of these
    were weighed, where the others are only roughly known; None: all there are."""

    query: Query
    texts: Ints
    likeness: Floats
    weighed: Ints | None


@dataclass(frozen=True)
class Segment:
    """`standing`: which of the services are still there; `starts`: where the texts of each begin; `vectors`: of the
    texts, in cells where they are many; `field_sets`: the sets of fields that there are, sets × fields; `field_set`:
    which of them each service has."""

    services: Sequence[LocalService]
    standing: Mask
    starts: Ints
    words: WordSearch
    vectors: Floats | Cells
    field_sets: Mask
    field_set: Ints

    @classmethod
    def read(cls, services: Sequence[LocalService], embedder: Embedder, lexicon: Lexicon) -> Segment:
        texts = [fold(text) for one in services for text in one.texts]
        parts = [texts[at : at + _AT_ONCE] for at in range(0, len(texts), _AT_ONCE)]
        words = Counted.together([lexicon.read(part) for part in parts])
        return cls._of(services, words, (embedder.embed(part) for part in parts))

    @classmethod
    def joined(cls, segments: Sequence[Segment]) -> Segment:
        """One in the place of several, without what was struck out of them; nothing is read again."""
        return cls._of(
            [service for one in segments for service in one.left],
            Counted.together([one.words.texts.only(one._shown) for one in segments]),
            (part for one in segments for part in one._vectors_left()),
        )

    @classmethod
    def _of(cls, services: Sequence[LocalService], words: Counted, vectors: Iterable[Floats]) -> Segment:
        bit = {name: 1 << at for at, name in enumerate(vocabulary().fields)}
        sets, which = np.unique([sum({bit[name] for name in one.fields}) for one in services], return_inverse=True)
        return cls(
            services,
            np.ones(len(services), np.bool_),
            starts_of(np.array([len(one.texts) for one in services], np.int64)),
            WordSearch(words),
            Cells(vectors) if len(words) > EXACT_UP_TO else np.concatenate(list(vectors)),
            sets[:, None] & np.array(list(bit.values())) > 0,
            which,
        )

    def keeping(self, wanted: Mapping[str, LocalService]) -> Segment:
        """The same without those that are not wanted as they stand here."""
        standing = self.standing & np.array([wanted.get(one.id) == one for one in self.services], np.bool_)
        return self if (standing == self.standing).all() else replace(self, standing=standing)

    def __len__(self) -> int:
        """Texts, with those that are struck out."""
        return len(self.words.texts)

    @property
    def left(self) -> Iterator[LocalService]:
        return (one for one, stands in zip(self.services, self.standing, strict=True) if stands)

    def look(self, query: Query) -> Look:
        if not isinstance(self.vectors, Cells):
            likeness = together(self.vectors @ query.vector, self.words.scores(query.words))
            texts = np.flatnonzero(self._shown)
            return Look(query, texts, likeness[texts], None)
        shown = None if self._whole else self._shown
        near, by_meaning = self.vectors.nearest(query.vector, BY_MEANING, shown)
        most = BY_WORDS * len(self.services) // int(self.standing.sum())
        texts, by_words = self.words.likely(query.words, most, by_meaning)
        meaning = np.full(len(texts), _MEANING, np.float32)
        meaning[np.searchsorted(texts, by_meaning)] = near
        likeness = together(meaning, by_words)
        if shown is not None:
            texts, likeness = texts[shown[texts]], likeness[shown[texts]]
        weighed = largest(likeness, TEXTS)
        likeness[weighed] = self._weigh(query, texts[weighed])
        return Look(query, texts, likeness, weighed)

    def nearest(self, look: Look, most: int) -> tuple[Floats, Ints]:
        """The likeness of the nearest texts, and which services they are of."""
        texts, likeness = look.texts, look.likeness
        if look.weighed is not None:
            texts, likeness = texts[look.weighed], likeness[look.weighed]
        at = np.sort(largest(likeness, most))
        return likeness[at], self._owner[texts[at]].astype(np.int64)

    def likely(self, looks: Sequence[Look], odds: Floats, worth: Worth) -> Ints:
        """The services that are worth most with any of the looks: of few texts all that stand. `odds`: log-odds of the
        fields."""
        if not isinstance(self.vectors, Cells):
            return np.flatnonzero(self.standing)
        return np.unique(np.concatenate([self._likely(look, odds, worth) for look in looks]))

    def likeness(self, look: Look, services: Ints) -> Floats:
        """Of those services the likeness of the nearest and the second-nearest text."""
        lengths = self.starts[services + 1] - self.starts[services]
        if look.weighed is None:
            return nearest_two(look.likeness, starts_of(lengths))
        texts = stretches(self.starts[services], lengths)
        return nearest_two(self._weigh(look.query, texts), starts_of(lengths))

    def told(self, services: Ints, odds: Floats) -> Floats:
        """Of each service the log-odds of the likeliest of its fields."""
        likeliest = np.where(self.field_sets, odds[None], -np.inf).max(axis=1)
        likeliest = np.where(np.isfinite(likeliest), likeliest, 0.0).astype(np.float32)
        return likeliest[self.field_set[services]]

    def fields(self, services: Ints) -> Mask:
        """Services × fields."""
        return self.field_sets[self.field_set[services]]

    def example(self, query: Query, service: int) -> str:
        """The text of a service that comes nearest."""
        texts = np.arange(self.starts[service], self.starts[service + 1])
        return self.services[service].texts[int(np.argmax(self._weigh(query, texts)))]

    def _likely(self, look: Look, odds: Floats, worth: Worth) -> Ints:
        owner = self._owner[look.texts].astype(np.int64)
        begins = np.flatnonzero(np.diff(owner, prepend=-1))
        likeness = nearest_two(look.likeness, np.append(begins, len(owner)))
        likeness[:, 1] = np.maximum(likeness[:, 1], _SECOND * likeness[:, 0])
        services = owner[begins]
        return services[largest(worth(likeness, self.told(services, odds)), SERVICES)]

    def _weigh(self, query: Query, texts: Ints) -> Floats:
        if isinstance(self.vectors, Cells):
            meaning = self.vectors.scores_of(query.vector, texts)
        else:
            meaning = self.vectors[texts] @ query.vector
        return together(meaning, self.words.scores_of(query.words, texts))

    def _vectors_left(self) -> Iterator[Floats]:
        left = np.flatnonzero(self._shown)
        for at in range(0, len(left), _AT_ONCE):
            part = left[at : at + _AT_ONCE]
            yield self.vectors.vectors(part) if isinstance(self.vectors, Cells) else self.vectors[part]

    @cached_property
    def _owner(self) -> npt.NDArray[np.int32]:
        """The service of each text."""
        return np.repeat(np.arange(len(self.services), dtype=np.int32), np.diff(self.starts))

    @cached_property
    def _whole(self) -> bool:
        return bool(self.standing.all())

    @cached_property
    def _shown(self) -> Mask:
        """Whether each text is of a service that stands."""
        return self.standing[self._owner]


def together(meaning: Floats, words: Floats) -> Floats:
    return np.asarray(MEANING_SHARE * meaning + (1 - MEANING_SHARE) * words, np.float32)


def nearest_two(likeness: Floats, starts: Ints) -> Floats:
    """The largest and the second-largest of each stretch; 0 for the second where a stretch has one alone."""
    begins, lengths = starts[:-1], np.diff(starts)
    if not len(begins):
        return np.zeros((0, 2), np.float32)
    best = np.maximum.reduceat(likeness, begins)
    owner = np.repeat(np.arange(len(begins)), lengths)
    at = np.flatnonzero(likeness == best[owner])
    others = likeness.copy()
    others[at[np.flatnonzero(np.diff(owner[at], prepend=-1))]] = -np.inf
    second = np.where(lengths > 1, np.maximum.reduceat(others, begins), 0.0)
    return np.stack([best, second], axis=1).astype(np.float32)

"""The town's own services: searched like the bundled voices, in an index of their own that grows by what is new.

What an admin changes is one service of many. So what stands is kept in segments that are never read again: a changed
service is struck out where it stood, and stands anew in the last, small segment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.understanding.features import Floats, Ints
from bot.understanding.segments import EXACT_UP_TO, LocalService, Look, Query, Segment
from knowledge_base.embedding import Embedder
from knowledge_base.lexicon import Lexicon, starts_of
from knowledge_base.vocabulary import vocabulary

#: A segment of so many texts is full: what changes next begins another.
FULL = 1_000
#: Likeness (services × nearest, second-nearest, nearest bundled voice) and log-odds of the likeliest of their fields →
#: probabilities.
Sureness = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Own:
    """Those of the town's own services that may be meant: their places in `Local`, and how probable each is."""

    places: Ints
    sure: Floats


class Local:
    """Immutable: `next` makes the one that holds other services."""

    def __init__(self, segments: Sequence[Segment], embedder: Embedder, lexicon: Lexicon) -> None:
        self._embedder, self._lexicon = embedder, lexicon
        self._segments = [one for one in segments if one.standing.any()]
        self._firsts = starts_of(np.array([len(one.services) for one in self._segments], np.int64))

    def __bool__(self) -> bool:
        return bool(self._segments)

    def next(self, services: Sequence[LocalService]) -> Local:
        """These services in the place of those that stand; only what is new is read."""
        wanted = {one.id: one for one in services}
        kept = [segment.keeping(wanted) for segment in self._segments]
        known = {one.id for segment in kept for one in segment.left}
        if new := [one for one in wanted.values() if one.id not in known]:
            kept = _joined([*kept, Segment.read(new, self._embedder, self._lexicon)])
        return Local(kept, self._embedder, self._lexicon)

    def look(self, words: Ints, vector: Floats) -> Sequence[Look]:
        """What a text sees of each segment."""
        query = self._query(words, vector)
        return [segment.look(query) for segment in self._segments]

    def nearest(self, looks: Sequence[Look], most: int) -> tuple[Floats, Floats]:
        """The likeness of the nearest texts, and what they are labelled with: columns as in `neighbours.labels`."""
        found = [segment.nearest(look, most) for segment, look in zip(self._segments, looks, strict=True)]
        likeness = np.concatenate([near for near, _ in found])
        fields = np.concatenate([one.fields(at) for one, (_, at) in zip(self._segments, found, strict=True)])
        best = np.sort(np.argsort(-likeness, kind="stable")[:most])
        labelled = np.zeros((len(best), len(vocabulary().fields) + len(vocabulary().services) + 1), np.float32)
        labelled[:, : fields.shape[1]] = fields[best]
        return likeness[best], labelled

    def likely(self, passages: Sequence[Sequence[Look]], odds: Floats, nearest: float, sureness: Sureness) -> Own:
        """Of a text in several passages: all services, of very many those that are likeliest. `odds`: log-odds of the
        fields; `nearest`: the likeness of the nearest bundled voice."""

        def worth(likeness: Floats, told: Floats) -> Floats:
            beside = np.full((len(likeness), 1), nearest, np.float32)
            return sureness(np.concatenate([likeness, beside], axis=1), told)

        places, sure = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for number, segment in enumerate(self._segments):
            looks = [passage[number] for passage in passages]
            services = segment.likely(looks, odds, worth)
            likeness = np.max([segment.likeness(look, services) for look in looks], axis=0)
            places.append(services + self._firsts[number])
            sure.append(worth(likeness, segment.told(services, odds)))
        return Own(np.concatenate(places), np.concatenate(sure))

    def service(self, place: int) -> LocalService:
        segment, at = self._at(place)
        return segment.services[at]

    def example(self, words: Ints, vector: Floats, place: int) -> str:
        """The text of a service that comes nearest."""
        segment, at = self._at(place)
        return segment.example(self._query(words, vector), at)

    def _at(self, place: int) -> tuple[Segment, int]:
        number = int(np.searchsorted(self._firsts, place, side="right")) - 1
        return self._segments[number], place - int(self._firsts[number])

    def _query(self, words: Ints, vector: Floats) -> Query:
        return Query(self._lexicon.ask(words), vector)


def _joined(segments: list[Segment]) -> list[Segment]:
    """Joins the last with those before it that are not full, or not twice as large as what they are joined with: so
    there are few, and each service is moved a few times at most. Cells are made anew only where much is added: that
    takes seconds, and one save should not."""
    last = segments.pop()
    joined, size, new = [last], len(last), len(last)
    while segments and len(segments[-1]) <= max(FULL, 2 * size):
        if size + len(segments[-1]) > EXACT_UP_TO and new <= FULL:
            break
        size += len(segments[-1])
        joined.insert(0, segments.pop())
    return [*segments, Segment.joined(joined) if len(joined) > 1 else last]

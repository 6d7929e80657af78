"""Text → evidence for fields, services and danger: the learned heads and the nearest voices, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.understanding.clauses import Clause
from bot.understanding.features import Counted, Floats
from bot.understanding.heads import PARTS, Heads
from bot.understanding.mix import Mix
from bot.understanding.neighbours import LocalService, Neighbours
from bot.understanding.plain import is_plain
from bot.understanding.voices import Voice, read_voices
from knowledge_base import embedding
from knowledge_base.embedding import Embedder, StaticEmbedder
from knowledge_base.vocabulary import vocabulary

#: Sets of clauses, by number → log-odds (sets × fields) that those clauses, read as one text, tell of a field.
OddsOf = Callable[[Sequence[Sequence[int]]], Floats]
CLAUSES_WEIGHED = 60  # of a very long text the first ones; its passages are always weighed
LONG = 400  # letters: beyond, a text is longer than any voice, and a sentence of danger would be lost in it;
PASSAGE = 150  # so it is weighed in passages as long as voices are


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one text weighs, as probabilities. Rows of `each` are its clauses; columns of all are in the vocabulary's
    order, of `services` the town's own behind them."""

    clauses: Sequence[Clause]
    fields: Floats
    recorded_from: float  # the least probability of a field that is recorded
    each: Floats  # clauses × fields
    services: Floats
    danger: Floats  # log-odds of heads.DANGER
    danger_each: Floats  # clauses × the same
    speakers: Floats  # log-odds of heads.SPEAKERS
    danger_near: float  # share of urgent voices among the nearest
    of_clauses: OddsOf
    near: Callable[[int, int], str]  # (clause, field) → the nearest voice that tells of it; "" when none is near
    known_services: Sequence[tuple[str, tuple[str, ...]]]  # id and fields, in the order of `services`
    mix: Mix
    long: bool  # longer than any voice, and weighed in passages
    tells: bool  # False: broken letters, words of no meaning, or an answer like 「母と二人です」


class Weigher:
    """Loaded once. The heads always stand on the bundled model; the voices are searched with the town's own choice."""

    def __init__(
        self, embedder: Embedder, bundled: StaticEmbedder, voices: Sequence[Voice], store: Path | None
    ) -> None:
        self._bundled = bundled
        self._heads = _heads()
        self._neighbours = Neighbours(embedder, bundled, voices, store)

    @classmethod
    def load(cls, embedding_model: str | None, store: Path | None) -> Weigher:
        """Raises ModelError, ContentError."""
        bundled = StaticEmbedder(embedding.BUNDLED)
        chosen = bundled if embedding_model is None else embedding.load(embedding_model)
        return cls(chosen, bundled, read_voices(), store)

    def take_in(self, services: Sequence[LocalService]) -> None:
        """The town's own services, in the place of those before: found from the next text on, with no training."""
        self._neighbours.take_in(services)

    @property
    def services(self) -> list[tuple[str, tuple[str, ...]]]:
        """Id and fields of every service, in the order of `Evidence.services`."""
        known = [(service.id, service.fields) for service in vocabulary().services.values()]
        return known + [(service.id, service.fields) for service in self._neighbours.local]

    def weigh(self, folded: str, clauses: Sequence[Clause]) -> Evidence:
        passages = _passages(folded, clauses)
        clauses = clauses[:CLAUSES_WEIGHED]
        counted = Counted(self._bundled, self._heads.kinds, folded)
        seen = counted.passages_and(passages, clauses)
        odds = self._heads.odds(seen)
        clause_odds = odds[len(passages) :].copy()
        odds = np.concatenate([odds[: len(passages)].max(axis=0)[None], clause_odds])
        fields, services, danger, speakers, tells = np.split(odds, PARTS, axis=1)
        texts = ["".join(folded[start:end] for start, end in spans) for spans in passages]
        near = self._neighbours.of(list(zip(texts, seen, strict=False)))
        plain = [is_plain(clause.text) for clause in clauses]
        fields[1:][plain] = danger[1:][plain] = -99.0
        mix = self._heads.mix
        of_clause = seen[len(passages) :]
        return Evidence(
            clauses=clauses,
            fields=mix.fields(fields, near.fields, float(tells[0, 0])),
            recorded_from=mix.least(float(tells[0, 0])),
            each=mix.clauses(fields[1:]),
            services=np.concatenate([mix.services(services[0], near.services), mix.local_services(near.local)]),
            danger=danger[0],
            danger_each=danger[1:],
            speakers=speakers[0],
            danger_near=near.urgent,
            of_clauses=lambda several: self._of_clauses(counted, clauses, clause_odds, several),
            near=lambda at, field: self._neighbours.example(near.voices, clauses[at].text, of_clause[at], field),
            known_services=self.services,
            mix=mix,
            long=len(passages) > 1,
            tells=bool(seen[0].dense.any()) and _says_something(folded) and not all(plain),
        )

    def _of_clauses(
        self, counted: Counted, clauses: Sequence[Clause], each: Floats, several: Sequence[Sequence[int]]
    ) -> Floats:
        """`each`: what the clauses alone weigh, so that nothing is weighed twice."""
        known: dict[tuple[int, ...], Floats] = {(at,): each[at, : PARTS[0]] for at in range(len(clauses))}
        new = [some for some in dict.fromkeys(map(tuple, several)) if some not in known]
        if new:
            spans = [[(clauses[at].start, clauses[at].end) for at in some] for some in new]
            known |= dict(zip(new, self._heads.odds(counted.of(spans), slice(PARTS[0])), strict=True))
        return np.stack([known[tuple(some)] for some in several])


def _passages(folded: str, clauses: Sequence[Clause]) -> list[list[tuple[int, int]]]:
    """The whole text; a long one in stretches of whole clauses, where what is said again counts once."""
    if len(folded) <= LONG:
        return [[(0, len(folded))]]
    passages: list[list[tuple[int, int]]] = [[]]
    for clause in {clause.text: clause for clause in reversed(clauses)}.values():
        letters = sum(end - start for start, end in passages[-1])
        if letters and letters + clause.end - clause.start > PASSAGE:
            passages.append([])
        passages[-1].append((clause.start, clause.end))
    return [sorted(spans) for spans in passages]


def _heads() -> Heads:
    try:
        return Heads.load()
    except (OSError, ValueError, KeyError) as error:
        raise embedding.ModelError("The learned heads (bot/understanding/heads.npz) cannot be read.") from error


_KNOWN_SCRIPTS = re.compile("[a-zà-ɏḀ-ỿ\u3041-\u30ff々\u4e00-\u9fff\uac00-\ud7a3]")  # Latin, kana, kanji, Hangul
_MOJIBAKE = re.compile("[縺繧]")  # what UTF-8 kana become when they are read as Shift JIS


def _says_something(folded: str) -> bool:
    """Whether there are words that the voices know: not only digits and signs, not letters from a broken conversion,
    not a script of which nothing was learned."""
    return bool(_KNOWN_SCRIPTS.search(folded)) and len(_MOJIBAKE.findall(folded)) < 2

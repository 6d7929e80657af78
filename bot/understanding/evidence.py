"""Text → evidence for fields, services and danger: counted words, the encoder and the nearest voices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bot.understanding.clauses import Clause
from bot.understanding.columns import FIELDS, SUICIDE
from bot.understanding.encoder import Encoded, Encoder, EncoderError, Parts
from bot.understanding.features import Counted, Floats, Ints
from bot.understanding.harmless import AFTER_ME, only_ends_the_talk, only_goes_out
from bot.understanding.heads import PARTS, Heads
from bot.understanding.mix import IN_DOUBT, Mix, odds_of
from bot.understanding.neighbours import Near, Neighbours
from bot.understanding.plain import is_plain
from bot.understanding.segments import LocalService
from bot.understanding.voices import Voice, read_voices
from knowledge_base import embedding
from knowledge_base.embedding import Embedder, StaticEmbedder
from knowledge_base.vocabulary import vocabulary

LONG = 400  # letters: beyond, a text is longer than any voice, and a sentence of danger would be lost in it;
PASSAGE = 150  # so it is weighed in passages as long as voices are
WORTH_A_WORD = 0.01  # probability
SUICIDE_FROM = 0.3  # so heavy a word is not put to somebody who is only lonely and cannot sleep


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one text weighs, as probabilities. Rows of `each` are its clauses; columns of all are in the vocabulary's
    order, of `services` those of the town's own that may be meant behind them."""

    clauses: Sequence[Clause]
    parts: Parts  # as the encoder has read them
    by_turns: Encoded  # the tokens of a talk, each of its lines read by itself
    fields: Floats
    told: Floats  # the fields again, as log-odds
    told_by_a_turn: Floats  # the same of that turn of the talk that tells it most
    recorded_from: float  # the least probability of a field that is recorded
    each: Floats  # clauses × fields
    services: Floats
    danger_counted: Floats  # log-odds of heads.DANGER by the heads
    danger_read: Floats  # by the encoder
    danger_each: Floats  # clauses × the same
    speakers: Floats  # log-odds of heads.SPEAKERS
    danger_near: float  # share of urgent voices among the nearest
    nearest: Near  # the voices
    near: Callable[[int, int], str]  # (clause, field) → the nearest voice that tells of it; "" when none is near
    near_service: Callable[[int, int], str]  # the same of a service, in the order of `services`
    service: Callable[[int], tuple[str, tuple[str, ...]]]  # id and fields of a service, in the order of `services`
    mix: Mix
    long: bool  # longer than any voice, and weighed in passages
    tells: bool  # False: broken letters, words of no meaning, or an answer like 「母と二人です」

    @property
    def danger(self) -> Floats:
        """Log-odds of heads.DANGER, both ways of reading together."""
        return np.asarray((self.danger_counted + self.danger_read) / 2, np.float32)

    def weighed(self) -> dict[str, float]:
        """Field → how probably it is told, where that is worth a word."""
        shares = zip(FIELDS, self.fields.tolist(), strict=True)
        return {name: round(share, 3) for name, share in shares if share >= WORTH_A_WORD}

    def beside_turns(self, weighed: Mapping[str, float], by_turns: Encoded) -> Evidence:
        """That of a talk, with what its turns told by themselves: one says plainly what a long talk drowns."""
        turns = [weighed.get(name, 0.0) for name in FIELDS]
        return replace(self, told_by_a_turn=odds_of(np.array(turns, np.float32)), by_turns=by_turns)


class Weigher:
    """Loaded once. The heads always stand on the bundled model; the voices are searched with the town's own choice."""

    def __init__(
        self, embedder: Embedder, bundled: StaticEmbedder, voices: Sequence[Voice], store: Path | None
    ) -> None:
        self._bundled = bundled
        self._heads = _heads()
        self.encoder = _encoder()
        self._neighbours = Neighbours(embedder, bundled, voices, store)

    @classmethod
    def load(cls, embedding_model: str | None, store: Path | None) -> Weigher:
        """Raises ModelError, ContentError."""
        bundled = StaticEmbedder(embedding.BUNDLED)
        chosen = bundled if embedding_model is None else embedding.load(embedding_model)
        return cls(chosen, bundled, read_voices(), store)

    def with_local(self, services: Sequence[LocalService]) -> Weigher:
        """The same beside other services of the town's own, with no training."""
        other = copy(self)
        other._neighbours = self._neighbours.with_local(services)
        return other

    def weigh(self, folded: str, clauses: Sequence[Clause], near: Near | None = None) -> Evidence:
        """`near`: the voices nearest to it, where they need not be searched."""
        passages = _passages(folded, clauses)
        counter = Counted(self._bundled, folded)
        seen = counter.of(passages)
        counted = self._heads.odds(seen).max(axis=0)
        parts = self.encoder.parts(folded, clauses)
        said = self.encoder.head(np.concatenate([parts.whole, parts.vectors]))
        read, each = said[: len(parts.whole)].max(axis=0), said[len(parts.whole) :]
        plain = [is_plain(clause.text) for clause in clauses]
        each[plain, : PARTS[2]] = -99.0
        fields, services, danger, speakers, tells = (
            (counted[of], read[of], each[:, of]) for of in map(slice, (0, *PARTS), (*PARTS, None))
        )
        likely_told = float(tells[0][0] + tells[1][0]) / 2
        if near is None:
            texts = ["".join(folded[start:end] for start, end in spans) for spans in passages]
            near = self._neighbours.of(list(zip(texts, seen, strict=True)))
        mix = self._heads.mix
        found = mix.fields(*fields, near.fields, likely_told)
        if found[SUICIDE] < _suicide_from(folded):
            found[SUICIDE] = 0
        told = odds_of(found)
        own = near.own(told, mix.local_services)
        return Evidence(
            clauses=clauses,
            parts=parts,
            by_turns=parts.tokens,
            fields=found,
            told=told,
            told_by_a_turn=told,
            recorded_from=mix.least(likely_told),
            each=mix.clauses(fields[2]),
            services=np.concatenate([mix.services(*services[:2], near.services), own.sure]),
            danger_counted=danger[0],
            danger_read=danger[1],
            danger_each=danger[2],
            speakers=(speakers[0] + speakers[1]) / 2,
            danger_near=near.urgent,
            nearest=near,
            near=lambda at, field: self._example(counter, clauses[at], near.voices, field),
            near_service=lambda at, service: self._service_example(
                counter, folded, clauses[at], near.voices, service, own.places
            ),
            service=lambda service: self._service(service, own.places),
            mix=mix,
            long=len(folded) > LONG,
            tells=bool(seen[0].dense.any()) and _says_something(folded) and not all(plain),
        )

    def _service(self, service: int, own: Ints) -> tuple[str, tuple[str, ...]]:
        names = list(vocabulary().services.values())
        if service >= len(names):
            added = self._neighbours.local.service(int(own[service - len(names)]))
            return added.id, added.fields
        return names[service].id, names[service].fields

    def _service_example(
        self, counter: Counted, folded: str, clause: Clause, voices: Ints, service: int, own: Ints
    ) -> str:
        names = vocabulary()
        if service >= len(names.services):
            vector = counter.vector([(0, len(folded))])
            return self._neighbours.local_example(folded, vector, int(own[service - len(names.services)]))
        return self._example(counter, clause, voices, len(names.fields) + service)

    def _example(self, counter: Counted, clause: Clause, voices: Ints, field: int) -> str:
        vector = counter.vector([(clause.start, clause.end)])
        return self._neighbours.example(voices, clause.text, vector, field)


def _suicide_from(folded: str) -> float:
    """The least probability of a wish to die that is recorded."""
    if only_goes_out(folded) or only_ends_the_talk(folded):
        return 1.0
    return IN_DOUBT if AFTER_ME.search(folded) else SUICIDE_FROM


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


def _encoder() -> Encoder:
    try:
        return Encoder()
    except EncoderError as error:
        raise embedding.ModelError(str(error)) from error


_KNOWN_SCRIPTS = re.compile("[a-zà-ɏḀ-ỿ\u3041-\u30ff々\u4e00-\u9fff\uac00-\ud7a3]")  # Latin, kana, kanji, Hangul
_MOJIBAKE = re.compile("[縺繧]")  # what UTF-8 kana become when they are read as Shift JIS


_CODE = re.compile(r"--|</|/>|[{}]|==")
#: Five consonants in a row, or q before one: no word of any language that is read here.
_TYPED_AT_RANDOM = re.compile(r"[a-z]*(?:[b-df-hj-np-tv-xz]{5}|q[b-df-hj-np-tv-z])[a-z]*")
_JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")


def _says_something(folded: str) -> bool:
    """Whether there are words that the voices know: not only digits and signs, not letters from a broken conversion,
    not a script of which nothing was learned, not a program's line, not a hand on the keyboard."""
    if not _JAPANESE.search(folded):
        if _CODE.search(folded):
            return False
        folded = _TYPED_AT_RANDOM.sub(" ", folded)
    return len(_MOJIBAKE.findall(folded)) < 2 and bool(_KNOWN_SCRIPTS.search(folded))

"""The whole of understanding one text: danger first, then fields, services, household, who speaks, what to take up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.understanding import crisis, fields, speaker, topics
from bot.understanding.assessment import Assessment, FieldFinding, Household, Reading, Urgency, most_of
from bot.understanding.clauses import fold, split
from bot.understanding.encoder import Encoder
from bot.understanding.evidence import Evidence, Weigher
from bot.understanding.fields import Explained
from bot.understanding.harmless import is_called_away
from bot.understanding.household import read_household
from bot.understanding.neighbours import Near
from bot.understanding.owners import Owners
from bot.understanding.segments import LocalService
from knowledge_base.embedding import ModelError

READ_AGAIN = 1500  # letters of a talk from which its household is read anew at every turn
SAID_KEPT = 5000  # more than that, so that what follows a long talk is never taken for all that was told


@dataclass(frozen=True, slots=True)
class _Read:
    """What one text tells by itself."""

    evidence: Evidence
    urgency: Urgency
    fields: tuple[FieldFinding, ...]


class Understander:
    """Loaded once; `read` is a pure function of the text and what was understood before."""

    def __init__(self, weigher: Weigher, owners: Owners) -> None:
        self._weigher, self._owners = weigher, owners

    @classmethod
    def load(cls, embedding_model: str | None = None, store: Path | None = None) -> Understander:
        """`embedding_model`: None for the bundled one, else a folder or hub name. `store`: a folder that keeps the
        vectors of the voices between starts (worth it for big models only). Raises ModelError, ContentError."""
        weigher = Weigher.load(embedding_model, store)
        loaded = cls(weigher, _owners(weigher.encoder))
        # Dictionary and encoder come into memory with the first text: no resident should wait for that.
        loaded.read("はじめまして。よろしくお願いします。", Assessment())
        return loaded

    def take_in(self, services: Sequence[LocalService]) -> None:
        """The town's own services, in the place of those before: found from the next text on, with no training.
        Texts that are being read meanwhile are read to their end with those before."""
        self._weigher = self._weigher.with_local(services)

    def view(self) -> Understander:
        """The same, knowing the same services; what either takes in later, the other does not see."""
        return Understander(self._weigher, self._owners)

    def explain(self, text: str) -> Explained:
        """What is found in one text and what narrowly missed, with the clause and the example each rests on."""
        read = _read(self._weigher, text)
        return fields.explain(read.evidence, read.fields, text)

    def read(self, text: str, before: Assessment) -> Reading:
        """One text: a turn's fragments joined by a newline. Text beyond 5,000 characters is not read."""
        weigher = self._weigher  # to the end the same, whatever is taken in meanwhile
        read = _read(weigher, text)
        evidence, urgency, found = read.evidence, read.urgency, read.fields
        said, weighed = f"{before.said}\n{text}" if before.said else text, evidence.weighed()
        called_away = bool(before.said) and is_called_away(fold(text))
        if called_away:
            said, weighed = before.said, {}  # whose child has woken up belongs to no case
        again = len(said) <= READ_AGAIN
        if said == text or not again:
            talk = evidence
        else:
            near = None if called_away else evidence.nearest
            talk = _talk(weigher, said, near, most_of(before.weighed, weighed))
        who = speaker.who_writes(fold(said), talk.speakers) if talk.tells else None
        who = who if again else before.speaking(who)
        return Reading(
            urgency=urgency,
            fields=found,
            # A short answer later in the talk takes nothing from what was told before.
            services=fields.find_services(evidence, found, text) if found or not before.fields else (),
            household=self._household(talk, said if again else text, before, who or before.speaker, again),
            speaker=who,
            topics=topics.topics_of(evidence.clauses, text),
            echo=topics.echo_of(evidence.clauses, fields.clause_weights(evidence).tolist(), text) if found else None,
            tells=bool(found) or urgency.level != "none",
            said=said[-SAID_KEPT:],
            weighed=weighed,
        )

    def _household(self, evidence: Evidence, text: str, before: Assessment, who: str, again: bool) -> Household:
        """From all that was written so far, for one turn tells who, and the next what they suffer from; of a very long
        talk from its newest text, and what was known before."""
        known = Household() if again else before.household
        return read_household(self._owners, evidence, known, who, text)


def _read(weigher: Weigher, text: str) -> _Read:
    folded = fold(text)
    clauses = split(folded)
    screened = crisis.screen(folded, clauses, text)
    evidence = weigher.weigh(folded, clauses)
    urgency = crisis.with_voices(screened, evidence, text)
    return _Read(evidence, urgency, fields.with_danger(fields.find_fields(evidence, text), screened, urgency))


def _talk(weigher: Weigher, said: str, near: Near | None, weighed: Mapping[str, float]) -> Evidence:
    """What the talk so far weighs. `near`: the voices nearest to its newest text; `weighed`: as its turns did."""
    folded = fold(said)
    clauses = split(folded)
    talk = weigher.weigh(folded, clauses, near)
    return talk.beside_turns(weighed, weigher.encoder.by_turns(folded, clauses)) if clauses else talk


def _owners(encoder: Encoder) -> Owners:
    try:
        return Owners.load(encoder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "The learned factors of the household (bot/understanding/owners.json) cannot be read."
        ) from error

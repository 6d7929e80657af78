"""The whole of understanding one text: danger first, then fields, services, household, who speaks, what to take up."""

from __future__ import annotations

from pathlib import Path

from bot.understanding import crisis, fields, speaker, topics
from bot.understanding.assessment import Assessment, Reading
from bot.understanding.clauses import fold, split
from bot.understanding.evidence import Weigher
from bot.understanding.household import read_household


class Understander:
    """Loaded once; `read` is a pure function of the text and what was understood before."""

    def __init__(self, weigher: Weigher) -> None:
        self._weigher = weigher

    @classmethod
    def load(cls, embedding_model: str | None = None, store: Path | None = None) -> Understander:
        """`embedding_model`: None for the bundled one, else a folder or hub name. `store`: a folder that keeps the
        vectors of the voices between starts (worth it for big models only). Raises ModelError, ContentError."""
        return cls(Weigher.load(embedding_model, store))

    def read(self, text: str, before: Assessment) -> Reading:
        """One text: a turn's fragments joined by a newline. Text beyond 5,000 characters is not read."""
        folded = fold(text)
        clauses = split(folded)
        screened = crisis.screen(folded, clauses, text)
        evidence = self._weigher.weigh(folded, clauses)
        found = fields.find_fields(evidence, text)
        urgency = crisis.with_voices(screened, evidence, text)
        who = speaker.speaker_of(folded)
        return Reading(
            urgency=urgency,
            fields=found,
            services=fields.find_services(evidence, found, text),
            household=read_household(evidence.clauses, fields.troubles(evidence, found), before, who, text),
            speaker=who,
            topics=topics.topics_of(clauses, text),
            echo=topics.echo_of(evidence.clauses, fields.clause_weights(evidence).tolist(), text) if found else None,
            tells=bool(found) or urgency.level != "none",
        )

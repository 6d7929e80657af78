"""What the machine can say, and what it says in the transcripts: the two must not part.

The transcripts are played with learned models, whose last digits differ from processor to processor; now and then a
talk takes another turn, and that is no change of the bot. So they are not compared line by line: what is compared is
the words. A sentence that stands in a transcript and in no file of words any more was reworded, and is shown.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.compose import ECHO, WHO
from bot.words import languages, words
from handoff.words import words as handoff_words
from tests.simulation.rules import QUOTED
from tests.simulation.transcript import BOT

RASA = Path(__file__).resolve().parent.parent.parent / "bot/rasa/domain.yml"
END = re.compile(r"(?<=[。.!！?？।])")
GAP = re.compile(r"\\\{[a-z]+\\\}")
#: As Transcript writes them: who speaks, and what they say, two steps further in.
SPEAKS, SAYS = " " * 7, " " * 11


def unsaid(transcript: str) -> Iterator[str]:
    """The sentences of the machine in a transcript's text that no file of words has any more."""
    known, patterns = _known()
    for text in said(transcript):
        for sentence in sentences(text):
            bare = QUOTED.sub("「」", sentence)
            if bare not in known and not any(pattern.fullmatch(sentence) for pattern in patterns):
                yield sentence


def said(transcript: str) -> Iterator[str]:
    """What the machine said, message by message, without blanks; helplines, desks and summaries only as far as their
    beginning, for the rest is not the machine's."""
    desks = tuple(_with_gaps(_squeezed(words(language).desks["of"])) for language in languages())
    of_others = tuple(_squeezed(beginning) for own in map(words, languages()) for beginning in _beginnings(own))
    block: list[str] | None = None
    for line in [*transcript.split("\n"), ""]:
        if block is not None and line.startswith(SAYS):
            block += [] if line.strip().startswith("［") else [line]
            continue
        if block:
            text = _squeezed("".join(block))
            desk = next(filter(None, (begins.match(text) for begins in desks)), None)
            yield desk[0] if desk else next((begins for begins in of_others if text.startswith(begins)), text)
        block = [] if line == f"{SPEAKS}{BOT}" else None


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text without blanks, with their ends; a quote is one piece."""
    quotes: list[str] = []

    def keep(found: re.Match[str]) -> str:
        quotes.append(found[0])
        return "\0"

    held = re.sub("“[^”]*”", keep, QUOTED.sub(keep, text))
    kept = iter(quotes)
    yield from (re.sub("\0", lambda _: next(kept), part) for part in END.split(held) if part)


def every_sentence() -> list[str]:
    """All that the machine can say, gaps and all."""
    return [sentence for text in _texts([*_files()]) for sentence in sentences(_squeezed(text))]


@cache
def _known() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Every sentence of the words as it stands, and those with a gap to fill as patterns."""
    parts = set(every_sentence())
    gaps = {part for part in parts if ECHO in part or WHO in part or "{" in part}
    patterns = tuple(map(_with_gaps, gaps))
    return frozenset(QUOTED.sub("「」", part) for part in parts - gaps), patterns


def _with_gaps(sentence: str) -> re.Pattern[str]:
    return re.compile(GAP.sub(".+?", re.escape(sentence).replace(re.escape(ECHO), ".+").replace(re.escape(WHO), ".+")))


def _files() -> Iterator[Any]:
    yield [
        one["text"] for wordings in yaml.safe_load(RASA.read_text("utf-8"))["responses"].values() for one in wordings
    ]
    for language in languages():
        own = words(language)
        yield vars(own) | {"reception": vars(own.reception), "talk": vars(own.talk) if own.talk else {}}
    yield handoff_words().resident


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split("\n")
    elif isinstance(value, dict):
        yield from _texts([*value.values()])
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _beginnings(own: Any) -> tuple[str, ...]:
    return own.summary["intro"], own.hotlines["intro"], own.hotlines["urgent"], own.offers["intro"], own.desks["here"]


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)

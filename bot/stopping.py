"""Whether a resident says that no more check-in messages shall come: by words from a data file, and little else."""

import re

from bot.language import bare
from handoff.support_words import beside_stop, check_in_words

SENTENCES = re.compile(r"[\n。．.!！?？।]+")
ONLY_THAT = 40


def means_stop(text: str, language: str) -> bool:
    """Whether a sentence says so: 「もう送らないでください」, not 「夫に送らないでと言われて悩んでいます」."""
    return any(_says_stop(_plainly(bare(sentence)), language) for sentence in SENTENCES.split(text))


def says_only_that(text: str) -> bool:
    """Whether there is hardly room for anything else in a message that says so."""
    return len(text.strip()) <= ONLY_THAT


def _says_stop(said: str, language: str) -> bool:
    own, (room, _) = check_in_words(language), beside_stop()
    return bool(said) and (
        said in map(bare, own.alone)
        or any(said.endswith(stop) and len(said) <= len(stop) + room for stop in map(bare, own.stops))
    )


def _plainly(said: str) -> str:
    """Without what only makes it polite."""
    _, endings = beside_stop()
    cut = next((said.removesuffix(end) for end in map(bare, endings) if said.endswith(end) and said != end), said)
    return cut if cut == said else _plainly(cut)

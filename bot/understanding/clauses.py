"""Text → clauses with their places, so that everything found can quote the very words it rests on."""

# ruff: noqa: E501 - a pattern is read best in one piece

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from knowledge_base.pieces import NOTHING

MAX_LENGTH = 5000
_SENTENCE_END = re.compile(r"(?:[。．！？!?\n…]+|笑[。]?(?=\s)|(?<=[ですまたいだよねん])[ 　](?=\S{4}))[」』）)]?")
_CLAUSE_END = re.compile(
    r"、|，|(?<=[ぁ-ん]), |　| (?=\S)|(?<=て)も?う?(?=、)|(?<=てから)(?=[^、])|けど、?|ので、?|のに、?|(?<=[ただるいす])が、|(?<=[ただるいす])し、"
)
_SHORTEST = 7
_MARKED = re.compile("(.)[\u3099\u309a]")  # ｶ and its ﾞ are two letters


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of the text. `text` is the folded form, letter for letter at the same places."""

    start: int
    end: int
    text: str
    sentence: int

    def quote(self, original: str) -> str:
        return trim(original[self.start : self.end])


@lru_cache(maxsize=32)  # a text is looked at from several sides
def fold(text: str) -> str:
    """Half-width and full-width forms alike, lower case, no control characters; every letter keeps its place."""
    return _MARKED.sub(_composed, "".join(map(_fold_letter, text[:MAX_LENGTH])))


@lru_cache(maxsize=1 << 14)
def _fold_letter(letter: str) -> str:
    if letter.isascii():
        return letter.lower() if letter >= " " or letter == "\n" else " "
    category = unicodedata.category(letter)
    if category in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return NOTHING if category == "Cf" else " "
    plain = unicodedata.normalize("NFKC", letter).lower()
    return plain if len(plain) == 1 else letter


def _composed(match: re.Match[str]) -> str:
    letter = unicodedata.normalize("NFC", match.group())
    return letter + NOTHING if len(letter) == 1 else match.group()


def split(folded: str) -> list[Clause]:
    """Clauses in order; pieces too short to mean anything go with the clause after them."""
    clauses: list[Clause] = []
    for number, (start, end) in enumerate(_cut(folded, 0, len(folded), _SENTENCE_END)):
        pending = start
        for _, stop in _cut(folded, start, end, _CLAUSE_END):
            if stop - pending >= _SHORTEST:
                clauses.append(Clause(pending, stop, folded[pending:stop], number))
                pending = stop
        if folded[pending:end].strip():
            last = clauses[-1] if clauses else None
            if last and last.sentence == number and end - pending < _SHORTEST:
                clauses[-1] = Clause(last.start, end, folded[last.start : end], number)
            else:
                clauses.append(Clause(pending, end, folded[pending:end], number))
    return clauses


def _cut(text: str, start: int, end: int, boundary: re.Pattern[str]) -> list[tuple[int, int]]:
    pieces, last = [], start
    for match in boundary.finditer(text, start, end):
        if match.end() > last:
            pieces.append((last, match.end()))
            last = match.end()
    if last < end:
        pieces.append((last, end))
    return pieces


def trim(quote: str) -> str:
    """The quote without the punctuation and blanks around it."""
    return quote.strip(" 　\t\r\n、。，．,.！？!?…・")

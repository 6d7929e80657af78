"""Words that a resident took back leave the case, also a closed one, and everything that quotes them."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import corrections, summary
from storage.models import Case
from storage.support import Correction

#: Where an assessment holds a resident's words; all else in it is ids and levels.
HOLD_WORDS = ("quote", "quotes", "called", "topics", "said")
#: Staff's own words; where a correction rests on the talk they may be the resident's.
MAY_HOLD_WORDS = ("text", "reason")


def forget(case: Case, taken_back: str, instead: str) -> None:
    """Puts `instead` in the place of whatever the case quotes of these words.

    An open case is read anew by the next turn as well; a closed one has no next turn and must not keep them either.
    """
    if taken_back:
        case.assessment = _without(case.assessment, taken_back, instead, held=False)
        case.corrected = {
            section: _without(entries, taken_back, instead, held=False)
            for section, entries in (case.corrected or {}).items()
        }
        case.complaint = summary.complaint(case.assessment)
        case.summary = summary.summarise(corrections.of(case), case.complaint)


def forget_corrections(session: Session, case_id: str, taken_back: str, instead: str) -> None:
    """The same for what staff corrected; an example that was made of these words and not taken yet is no example."""
    if not taken_back:
        return
    for row in session.scalars(select(Correction).where(Correction.case_id == case_id)):
        before = row.found, row.corrected
        row.found = _without(row.found, taken_back, instead, held=False)
        row.corrected = _without(row.corrected, taken_back, instead, held=False)
        if (row.found, row.corrected) != before and row.example_state is None:
            row.example = None


#: How we quote: in Japanese, and in the other languages.
QUOTES = (("「", "」"), ("“", "”"))


def unquote(text: str, taken_back: str, instead: str) -> str:
    """The text without its quotes of these words; one that was shortened is a quote too."""
    for opens, closes in QUOTES:
        text = _unquote(text, opens, closes, taken_back, instead)
    return text


def _unquote(text: str, opens: str, closes: str, taken_back: str, instead: str) -> str:
    plain = " ".join(taken_back.split())
    at = text.find(opens)
    while at >= 0:
        # The longest first: residents write 「」 themselves, so that a quote can hold another.
        ends = (end for end in range(len(text) - 1, at + 1, -1) if text[end] == closes)
        end = next((end for end in ends if _stands_in(text[at + 1 : end].removesuffix("…"), taken_back, plain)), None)
        if end:
            text = text[:at] + instead + text[end + 1 :]
        at = text.find(opens, at + 1)
    return text


def _stands_in(quote: str, taken_back: str, plain: str) -> bool:
    return bool(quote) and (quote in taken_back or quote in plain)


def _without(value: Any, taken_back: str, instead: str, held: bool) -> Any:
    if isinstance(value, str):
        return _cleaned(value, taken_back, instead) if held and value else value
    if isinstance(value, dict):
        hold = HOLD_WORDS + (MAY_HOLD_WORDS if value.get("rests") == "talk" else ())
        return {key: _without(one, taken_back, instead, held or key in hold) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, taken_back, instead, held) for one in value]
    return value


def _cleaned(words: str, taken_back: str, instead: str) -> str:
    # By lines: the words of one answer can come from several messages, of which one was taken back.
    return "\n".join(instead if line and line in taken_back else line for line in words.split("\n"))

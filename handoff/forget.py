"""Words that a resident took back leave the case, also a closed one, and everything that quotes them."""

from typing import Any

from handoff import summary
from storage.models import Case

#: Where an assessment holds a resident's words; all else in it is ids and levels.
HOLD_WORDS = ("quote", "quotes", "called", "topics", "said")


def forget(case: Case, taken_back: str, instead: str) -> None:
    """Puts `instead` in the place of whatever the case quotes of these words.

    An open case is read anew by the next turn as well; a closed one has no next turn and must not keep them either.
    """
    if taken_back:
        case.assessment = _without(case.assessment, taken_back, instead, held=False)
        case.complaint = summary.complaint(case.assessment)
        case.summary = summary.summarise(case.assessment)


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
        return {key: _without(one, taken_back, instead, held or key in HOLD_WORDS) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, taken_back, instead, held) for one in value]
    return value


def _cleaned(words: str, taken_back: str, instead: str) -> str:
    # By lines: the words of one answer can come from several messages, of which one was taken back.
    return "\n".join(instead if line and line in taken_back else line for line in words.split("\n"))

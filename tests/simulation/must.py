"""What must have come of a talk: the `must` of a resident's script, held against the cases that a counselor sees."""

from collections.abc import Iterator
from typing import Any

from handoff.case import LEVELS
from tests.simulation.cast import Resident
from tests.simulation.rules import last_summary
from tests.simulation.transcript import Transcript

Case = dict[str, Any]


def missed(resident: Resident, talk: Transcript) -> Iterator[str]:
    """What of the script's `must` does not hold, a sentence each. Robust on purpose: the exact picture stands in the
    transcript."""
    if not talk.cases and resident.must != {"cases": 0}:
        yield "must: there is no case"
        return
    for name, wanted in resident.must.items():
        if not _HOLDS[name](wanted, talk.cases[-1] if talk.cases else {}, talk):
            yield f"must: {name}: {wanted}"


def _fields(case: Case) -> set[str]:
    return {field["id"] for field in case["fields"]} | {field for one in case["members"] for field in one["fields"]}


def _level(case: Case) -> int:
    return LEVELS.index(case["urgency"]["level"])


def _has_member(case: Case, wanted: str | dict[str, Any]) -> bool:
    """`husband`, one of several as `mother|mother_in_law`, or with more: {relation: husband, age: 47}."""
    wanted = {"relation": wanted} if isinstance(wanted, str) else wanted
    relations = wanted["relation"].split("|")
    return any(
        one["relation"] in relations and ("age" not in wanted or one["age"] == wanted["age"]) for one in case["members"]
    )


def _bot(talk: Transcript) -> str:
    return "\n".join(text for turn in talk.turns for text in turn.bot)


def _names(talk: Transcript, name: str, words: str) -> bool:
    """Whether the summary that was shown last has a line for somebody, with these words in it."""
    return any(line.startswith(f"{name}：") and words in line for line in last_summary(talk))


def _questions(talk: Transcript) -> int:
    return sum(1 for turn in talk.turns if turn.bot and turn.asks)


_HOLDS: dict[str, Any] = {
    "fields": lambda wanted, case, talk: set(wanted) <= _fields(case),
    "any_field": lambda wanted, case, talk: set(wanted) & _fields(case),
    "no_fields": lambda wanted, case, talk: not set(wanted) & _fields(case),
    "members": lambda wanted, case, talk: all(_has_member(case, one) for one in wanted),
    "names": lambda wanted, case, talk: all(_names(talk, name, words) for name, words in wanted.items()),
    "level": lambda wanted, case, talk: _level(case) >= LEVELS.index(wanted),
    "at_most": lambda wanted, case, talk: _level(case) <= LEVELS.index(wanted),
    "kinds": lambda wanted, case, talk: set(wanted) <= set(case["urgency"]["kinds"]),
    "speaker": lambda wanted, case, talk: case["speaker"] == wanted,
    "share": lambda wanted, case, talk: case["consent"]["share"] == wanted,
    "waits_for": lambda wanted, case, talk: case["why"] == wanted,
    "cases": lambda wanted, case, talk: len(talk.cases) == wanted,
    "linked": lambda wanted, case, talk: (case["previous_id"] is not None) == wanted,
    "said": lambda wanted, case, talk: all(words in _bot(talk) for words in wanted),
    "tells": lambda wanted, case, talk: all(words in case["summary"] for words in wanted),
    "hides": lambda wanted, case, talk: not any(words in case["summary"] for words in wanted),
    "wishes": lambda wanted, case, talk: wanted in (case["wishes"] or ""),
    "since": lambda wanted, case, talk: wanted in (case["since"] or ""),
    "area": lambda wanted, case, talk: wanted in (case["area"] or ""),
    "delete_wanted": lambda wanted, case, talk: case["delete_wanted"] == wanted,
    "questions_at_most": lambda wanted, case, talk: _questions(talk) <= wanted,
}

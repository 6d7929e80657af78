"""The labelled example texts (nlu_data/voices), typed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VOICES = Path(__file__).parents[2] / "nlu_data" / "voices"


@dataclass(frozen=True, slots=True)
class Voice:
    text: str
    speaker: str
    must: frozenset[str]
    may: frozenset[str]
    services: tuple[str, ...]
    level: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HouseholdVoice:
    """A conversation that tells of a household. `members` as in contract/evaluation.md."""

    turns: tuple[str, ...]
    members: tuple[Mapping[str, Any], ...]

    @property
    def text(self) -> str:
        return "\n".join(self.turns)

    @property
    def about_other(self) -> bool:
        """Whether an agency or a neighbour writes."""
        return any(member["relation"] == "client" for member in self.members)

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(name for member in self.members for name in member["fields"])


def read_households(folder: Path = VOICES, *, apart: bool = False) -> list[HouseholdVoice]:
    """The conversations, in the order of the files. `apart`: those kept apart instead, of which encoder and heads learn
    nothing."""
    found = []
    kept_apart = set(folder.glob("households_apart*.jsonl"))
    for path in sorted(kept_apart if apart else set(folder.glob("households*.jsonl")) - kept_apart):
        with path.open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                found.append(HouseholdVoice(tuple(row["turns"]), tuple(row["members"])))
    return found


def read_voices(folder: Path = VOICES) -> list[Voice]:
    """Every labelled text, in the order of the files."""
    return list(_voices(folder))


def _voices(folder: Path) -> Iterator[Voice]:
    for path in sorted(set(folder.glob("*.jsonl")) - set(folder.glob("households*"))):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                danger = row["urgency"]
                yield Voice(
                    row["text"],
                    row["speaker"],
                    frozenset(row["must"]),
                    frozenset(row["may"]),
                    tuple(row["services"]),
                    danger["level"],
                    tuple(danger["kinds"]),
                )

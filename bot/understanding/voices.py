"""The labelled example texts (nlu_data/voices), typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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

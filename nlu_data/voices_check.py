"""`python -m nlu_data.voices_check`: whether the voices are what they should be, and what they hold.

Formats, ids, near-duplicates (no two texts alike by more than 0.6) and how varied the words are.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.understanding.danger_signs import KINDS
from bot.understanding.heads import SPEAKERS
from knowledge_base.vocabulary import vocabulary
from knowledge_base.words import words_of

VOICES = Path(__file__).parent / "voices"
LEVELS = ("none", "watch", "urgent", "immediate")
TOO_ALIKE = 0.6  # Jaccard of three-letter pieces
SHORTEST_COMPARED = 10  # 「はい」 and 「はい。」 are alike and both wanted
SERVICES_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Alike:
    one: str
    other: str
    likeness: float


def main() -> int:
    rows = list(read())
    wrong = [f"{row['id']}: {fault}" for row in rows for fault in faults(row)]
    alike = list(too_alike([(row["id"], row["text"]) for row in rows]))
    for line in (*wrong, *(f"{a.one} and {a.other} are alike: {a.likeness:.2f}" for a in alike)):
        print(line)  # noqa: T201 - a command
    print(json.dumps(counts(rows), ensure_ascii=False, indent=1))  # noqa: T201
    return 1 if wrong or alike else 0


def read(folder: Path = VOICES) -> Iterator[dict[str, Any]]:
    """Every labelled text; households are told of in files of their own."""
    for path in sorted(set(folder.glob("*.jsonl")) - set(folder.glob("households*"))):
        yield from map(json.loads, path.read_text("utf-8").splitlines())


def faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit contract/evaluation.md, one sentence each."""
    names, danger = vocabulary(), row["urgency"]
    if not row["text"].strip():
        yield "has no text"
    if row["speaker"] not in SPEAKERS:
        yield f"speaker {row['speaker']} is unknown"
    for field in {*row["must"], *row["may"]} - set(names.fields):
        yield f"field {field} is unknown"
    for field in set(row["must"]) & set(row["may"]):
        yield f"field {field} is in must and in may"
    for service in set(row["services"]) - set(names.services):
        yield f"service {service} is unknown"
    if len(row["services"]) > SERVICES_AT_MOST or len(set(row["services"])) < len(row["services"]):
        yield "has more than five services, or one twice"
    if danger["level"] not in LEVELS or set(danger["kinds"]) - set(KINDS):
        yield "level or kind of danger is unknown"
    if (danger["level"] == "none" and danger["kinds"]) or (
        danger["level"] in ("urgent", "immediate") and not danger["kinds"]
    ):
        yield "level and kinds of danger do not go together"  # a watch may be of no kind: a threat by a gang


def too_alike(texts: Sequence[tuple[str, str]], most: float = TOO_ALIKE) -> Iterator[Alike]:
    """Pairs of ids whose texts share more than `most` of their three-letter pieces."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    pieces = [_pieces(text) for _, text in texts]
    for at, own in enumerate(pieces):
        shared = Counter(other for piece in own for other in holders[piece])
        for other, count in shared.items():
            likeness = count / len(own | pieces[other])
            if likeness > most and len(texts[at][1]) >= SHORTEST_COMPARED:
                yield Alike(texts[other][0], texts[at][0], likeness)
        for piece in own:
            holders[piece].append(at)


def _pieces(text: str) -> set[str]:
    letters = "".join(letter for letter in text.lower() if letter.isalnum())
    return {letters[at : at + 3] for at in range(len(letters) - 2)} or {letters}


def counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Texts by speaker, field, service, danger; types and tokens of words and of three words in a row."""
    words = [[word.form for word in words_of(row["text"])] for row in rows]
    runs = [run for one in words for run in zip(one, one[1:], one[2:], strict=False)]
    every = [word for one in words for word in one]
    households = [
        json.loads(line) for path in VOICES.glob("households*") for line in path.read_text("utf-8").splitlines()
    ]
    return {
        "texts": len(rows),
        "households": len(households),
        "speakers": dict(Counter(row["speaker"] for row in rows).most_common()),
        "levels": dict(Counter(row["urgency"]["level"] for row in rows).most_common()),
        "kinds": dict(Counter(kind for row in rows for kind in row["urgency"]["kinds"]).most_common()),
        "nothing to record": sum(not row["must"] for row in rows),
        "fields": dict(Counter(field for row in rows for field in row["must"]).most_common()),
        "services": dict(Counter(service for row in rows for service in row["services"]).most_common()),
        "words": {"types": len(set(every)), "tokens": len(every)},
        "three words in a row": {"types": len(set(runs)), "tokens": len(runs)},
    }


if __name__ == "__main__":
    sys.exit(main())

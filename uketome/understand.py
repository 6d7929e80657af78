"""`uketome understand` and `uketome find`: JSON Lines in, JSON Lines out, no server and no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from bot.understanding import Assessment, Understander
from knowledge_base import embedding
from knowledge_base.index import Collection

HITS = 10


class InputError(Exception):
    """A line that cannot be read; the message is one sentence that names the line."""


def run(stdin: TextIO, stdout: TextIO, embedding_model: str | None = None) -> None:
    """`{"id","text"}` or `{"id","turns":[…]}` a line → the assessment of each. Raises InputError, ModelError."""
    reader = Understander.load(embedding_model)
    for number, row in _rows(stdin, "input"):
        turns: list[Any] = row["turns"] if isinstance(row.get("turns"), list) else [row.get("text")]
        if not all(isinstance(turn, str) for turn in turns):
            raise InputError(f'Line {number} of the input must hold "text" or a list of texts under "turns".')
        _write(stdout, {"id": row.get("id"), **assess(reader, turns)})


def find(corpus: Path, stdin: TextIO, stdout: TextIO, embedding_model: str | None = None) -> None:
    """`{"id","text"}` lines in `corpus`, queries of the same form on stdin → the ten best of each."""
    with corpus.open(encoding="utf-8") as lines:
        entries = [(row.get("id"), _text(row, number)) for number, row in _rows(lines, corpus.name)]
    collection = Collection(embedding.load(embedding_model), [text for _, text in entries])
    for number, row in _rows(stdin, "input"):
        hits = collection.search(_text(row, number), HITS) if entries else []
        answer = [{"id": entries[hit.at][0], "score": round(hit.score, 4)} for hit in hits]
        _write(stdout, {"id": row.get("id"), "hits": answer})


def assess(reader: Understander, turns: list[str]) -> dict[str, Any]:
    """The assessment of a talk, in the form that the evaluation reads."""
    assessment = Assessment()
    for turn in turns:
        assessment = assessment.take_in(reader.read(turn, assessment))
    urgency = assessment.urgency
    return {
        "fields": [{"id": f.id, "confidence": f.confidence, "quote": f.quotes[-1]} for f in assessment.fields],
        "services": [{"id": s.id, "score": s.score, "quote": s.quote} for s in assessment.services],
        "urgency": {"level": urgency.level, "kinds": list(urgency.kinds), "quote": urgency.quote},
        "members": [
            {"relation": m.relation, "age": m.age, "fields": list(m.fields), "quote": m.quote}
            for m in assessment.members
        ],
        "speaker": assessment.speaker,
        "topics": dict(assessment.topics),
    }


def _rows(lines: TextIO, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"Line {number} of {name} is not JSON.") from error
        if not isinstance(row, dict):
            raise InputError(f"Line {number} of {name} is not a JSON object.")
        yield number, row


def _text(row: dict[str, Any], number: int) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise InputError(f'Line {number} must hold "text".')
    return text


def _write(stdout: TextIO, answer: dict[str, Any]) -> None:
    line = json.dumps(answer, ensure_ascii=False)
    if not line.isascii() and any("\ud800" <= letter <= "\udfff" for letter in line):
        line = json.dumps(answer)  # half a character can only be written as an escape
    stdout.write(line + "\n")

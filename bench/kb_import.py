"""A table of 10,000 rows brought into the knowledge base: read, looked what it changes, written, taken into the search.

Half of the rows are services with three voices each, half are desks: as an Excel book, and as two CSV files.
Measured is what the service does from the choice of a file until all of it is written; the search takes the
services in afterwards, while the service answers.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bench.measure import median
from bot.understanding import Understander
from bot.understanding.voices import read_voices
from handoff import kb_export, kb_read, kb_sheets, kb_write
from handoff.kb_write import Table
from knowledge_base import bring, bulk, live, names, undo
from knowledge_base.vocabulary import vocabulary
from storage import schema
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from uketome.app import local_service

T = TypeVar("T")
ROWS = 10_000
NOW = datetime(2026, 11, 24, tzinfo=UTC)
WAYS = ("xlsx", "csv")
KNOWN = names.services([])
NO_AREAS = names.Names([])


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """By kind of file: seconds of each step, medians of the rounds; `all` has a target of 30 s."""
    reader = Understander.load()
    found: dict[str, Any] = {}
    for way in WAYS:
        files = _files(way)
        measured = [_measure(folder / f"{way}{number}.db", files, reader) for number in range(rounds)]
        found[way] = {step: median([one[step] for one in measured]) for step in measured[0]}
    return found


def _measure(path: Path, files: Sequence[bytes], reader: Understander) -> dict[str, float]:
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    took: dict[str, float] = {}
    brought = _timed(took, "read", lambda: [kb_read.read(file) for file in files])
    made = _timed(
        took, "plan", lambda: [database.read_now(partial(bring.plan, brought=one, now=NOW)) for one in brought]
    )
    assert not any(one.wrong for one in made)
    writes = [write for one in made for write in bring.writes(bring.Plan.of(one.stored()), "published", {})]
    assert len(writes) == ROWS
    _timed(took, "write", lambda: database.write_now(lambda session: bulk.write(session, writes, None, NOW)))
    for unit in ("s", "cpu_s"):
        took[f"all_{unit}"] = sum(took[f"{step}_{unit}"] for step in ("read", "plan", "write"))
    keeper = live.Keeper(
        database, Bells(), Clock(), lambda services: reader.view().take_in([local_service(one) for one in services])
    )
    _timed(took, "search", lambda: asyncio.run(keeper.renew()))
    kinds = list(kb_sheets.SHEETS)
    tables = database.read_now(lambda session: [kb_export.table(session, kind) for kind in kinds])
    _timed(took, "export", lambda: kb_write.as_xlsx(tables))
    written = [[write.id, 0, 1] for write in writes]

    def take_back() -> None:
        back, _left = database.read_now(lambda session: undo.plan(session, written, NOW))
        database.write_now(lambda session: bulk.write(session, back, None, NOW))

    _timed(took, "undo", take_back)
    database.close()
    return took


def _timed(took: dict[str, float], step: str, work: Callable[[], T]) -> T:
    """Wall-clock seconds of a step, and the seconds of the processor in it: on a shared machine they differ."""
    began, cpu = time.perf_counter(), time.process_time()
    result = work()
    took[f"{step}_s"], took[f"{step}_cpu_s"] = time.perf_counter() - began, time.process_time() - cpu
    return result


def _files(way: str) -> list[bytes]:
    texts = [voice.text for voice in read_voices()]
    tables = [Table(kind, [_row(kind, number, texts) for number in range(ROWS // 2)]) for kind in kb_sheets.SHEETS]
    if way == "xlsx":
        return [kb_write.as_xlsx(tables)]
    return [kb_write.as_csv(table) for table in tables]


def _row(kind: str, number: int, texts: Sequence[str]) -> list[str]:
    services = list(vocabulary().services)
    content: dict[str, Any] = {
        "name": f"{'支援' if kind == 'service' else '窓口'}{number}", "note": "正面入口の右。予約はいりません。" * 3,
        "about": f"{texts[number % len(texts)][:30]}という人の支援{number}", "like": services[number % len(services)],
        "voices": [f"{texts[(number * 3 + at) % len(texts)][:150]} {number}" for at in range(3)],
        "fields": ["community", "isolation"], "address": f"うけとめ市中央{number}", "phone": f"000-0000-{number:04}",
        "hours": {day: [["8:30", "12:00"], ["13:00", "17:15"]] for day in ("mon", "tue", "wed", "thu", "fri")},
        "services": services[number % 90 :][:4],
    }  # fmt: skip
    row = kb_sheets.cells(kind, "", 1, "published", content, KNOWN, NO_AREAS)
    return ["", "", *row[2:]]

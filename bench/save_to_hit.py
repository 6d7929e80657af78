"""Item 4's last figure: from an admin's save to the first hit, beside 100 to 10,000 services of the town's own.

Measured is what the service does: the version is written and committed, every process is told by a bell, reads what is
new, takes it into its search; the clock stops when a new wording of the new service finds it.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bench.measure import median
from bot.understanding import Assessment, Understander
from bot.understanding.voices import read_voices
from knowledge_base import live, versions
from knowledge_base.versions import Step
from storage import schema
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.knowledge import KbEntry, KbVersion
from uketome.app import local_service

SIZES = (100, 1_000, 10_000)
LONGEST_S = 120.0
PUBLISHED = Step("published")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
WORDING = "吹奏楽でクラリネットを続けたいのに、楽器を買うお金がなくて困っています"
NEW = {
    "name": "楽器バンク", "about": "使われなくなった楽器を、子どもに無料で貸し出します。", "like": "shugaku_enjo",
    "fields": ["education", "finance"],
    "voices": [
        "吹奏楽部に入りたいけど、楽器を買うお金がありません",
        "娘がトランペットを習いたがっています。とても手が出る値段ではなくて",
        "クラリネットを借りられるところはありますか。部費だけで精いっぱいです",
    ],
}  # fmt: skip


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """By size: seconds from save to hit, to take in everything at a start, and to read one text."""
    return {str(size): asyncio.run(_measure(folder / f"{size}.db", size, rounds)) for size in SIZES}


async def _measure(path: Path, size: int, rounds: int) -> dict[str, float]:
    database, bells, reader = Database(f"sqlite:///{path}"), Bells(), Understander.load()
    schema.upgrade(database)
    database.write_now(lambda session: _fill(session, size))
    keeper = live.Keeper(
        database, bells, Clock(), lambda services: reader.take_in([local_service(one) for one in services])
    )
    began = time.perf_counter()
    await keeper.renew()
    start = time.perf_counter() - began
    keeping = asyncio.create_task(keeper.run())
    async with asyncio.timeout(LONGEST_S):
        found = [await _save_to_hit(database, bells, reader) for _ in range(rounds)]
    keeping.cancel()
    began = time.perf_counter()
    reader.read(WORDING, Assessment())
    read = time.perf_counter() - began
    database.close()
    return {"save_to_hit_s": median(found), "start_s": start, "read_s": read}


async def _save_to_hit(database: Database, bells: Bells, reader: Understander) -> float:
    began = time.perf_counter()
    entry = await database.write(lambda session: versions.create(session, "service", NEW, None, NOW, PUBLISHED))
    bells.ring(live.BELL)
    while not await asyncio.to_thread(_hit, reader, entry.id):
        await asyncio.sleep(0)
    took = time.perf_counter() - began
    await database.write(lambda session: versions.add(session, entry.id, 1, NEW, None, NOW, Step("retired")))
    bells.ring(live.BELL)
    while await asyncio.to_thread(_hit, reader, entry.id):
        await asyncio.sleep(0)
    return took


def _hit(reader: Understander, entry_id: str) -> bool:
    return any(one.found and one.id == entry_id for one in reader.explain(WORDING).services)


def _fill(session: Session, size: int) -> None:
    """Services with three voices each, on troubles that have nothing to do with the new one."""
    texts = [voice.text for voice in read_voices() if "education" not in voice.must]
    at = NOW - timedelta(days=1)
    names = [f"town_{number:05}" for number in range(size)]
    contents = [
        {
            "name": f"支援{number}", "about": f"{texts[number % len(texts)][:30]}という人の支援{number}",
            "like": "csw", "fields": ["community", "isolation"],
            "voices": [f"{texts[(number * 3 + n) % len(texts)]} {number}" for n in range(3)],
        }
        for number in range(size)
    ]  # fmt: skip
    session.execute(
        insert(KbEntry),
        [
            {"id": id_, "kind": "service", "head": 1, "state": "published", "name": one["name"], "fields": "",
             "text": "", "created_at": at, "changed_at": at}
            for id_, one in zip(names, contents, strict=True)
        ],
    )  # fmt: skip
    session.execute(
        insert(KbVersion),
        [
            {"entry_id": id_, "number": 1, "state": "published", "content": one, "at": at}
            for id_, one in zip(names, contents, strict=True)
        ],
    )

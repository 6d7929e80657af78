"""What is done with a file that was brought: reading it, writing what it says, taking that back.

Each is a job of this process, whose row says how far it is, so that any process can show it. A job that ends with its
process has changed nothing (what is written is written in one transaction), and its row says so once it is silent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from handoff import audit, kb_read
from handoff.office import Office
from knowledge_base import bring, bring_areas, bulk, live, standing, undo
from knowledge_base.bring import Plan
from knowledge_base.bulk import Changed, Write
from knowledge_base.rows import NotRead
from knowledge_base.town import Said
from knowledge_base.versions import version
from storage.knowledge import KbEntry, KbImport
from storage.logs import where
from storage.models import Staff

#: So long a page waits for a job before it shows how far it is.
WAIT_S = 4.0
BEAT_S = 1.0
#: A job that says nothing for so long has ended with its process.
SILENT = timedelta(seconds=60)
#: Files that nobody applied.
KEPT = timedelta(days=1)
TRIES = 5
#: Reading a file and looking what it changes, as parts of a hundred.
READ_PERCENT = 40
AREAS_CHANGED = (
    "このあいだに、地区が変わりました。まだ何も入れていません。確かめ直したので、もう一度見てから入れてください。"
)
FAILED: Said = ("読み取りの途中で、うまくいかないことが起きました。何も変わっていません。", {})

log = structlog.get_logger()


class Busy(Exception):
    """Somebody has applied it, or taken it back, or is doing so."""


class Share:
    """How far a job is, in a hundred."""

    def __init__(self) -> None:
        self.percent = 0

    def tell(self, done: int, of: int) -> None:
        """Of the second part of reading."""
        self.percent = READ_PERCENT + (100 - READ_PERCENT) * done // max(1, of)


class Work:
    """The jobs of this process."""

    def __init__(self, office: Office) -> None:
        self._office, self._database, self._clock = office, office.database, office.clock
        self._jobs: set[asyncio.Task[None]] = set()

    async def read(self, staff_id: int, name: str, content: bytes) -> int:
        """Takes a file and looks what it would change; the number of its row, which may still be at it."""
        now = self._clock.now()
        number = await self._database.write(lambda session: _begin(session, staff_id, name, content, now))
        await self._do(number, lambda share: self._read(number, content, share))
        return number

    async def apply(self, number: int, staff_id: int, as_: str, *, retire: bool) -> None:
        """Writes what was planned, or plans anew where somebody came in between. Raises Busy."""
        await self._claim(number, "apply")
        await self._do(number, lambda share: self._apply(number, staff_id, as_, retire, share))

    async def undo(self, number: int, staff_id: int) -> None:
        """Takes back what was written. Raises Busy."""
        await self._claim(number, "undo")
        await self._do(number, lambda _share: self._undo(number, staff_id))

    async def _do(self, number: int, work: Callable[[Share], Awaitable[None]]) -> None:
        job = asyncio.create_task(self._run(number, work))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        await asyncio.wait({job}, timeout=WAIT_S)

    async def _run(self, number: int, work: Callable[[Share], Awaitable[None]]) -> None:
        share = Share()

        async def guarded() -> None:
            try:
                await work(share)
            except Exception as error:  # noqa: BLE001 - a job has no caller: whoever waits for it is told on its page
                log.error("knowledge.import_failed", number=number, error=where(error))
                await self._set(number, said=_stored(FAILED))

        job = asyncio.ensure_future(guarded())
        while not (await asyncio.wait({job}, timeout=BEAT_S))[0]:
            await self._set(number, percent=share.percent)
        await self._set(number, doing="")

    async def _read(self, number: int, content: bytes, share: Share) -> None:
        try:
            made = await asyncio.to_thread(self._plan, content, share)
        except NotRead as error:
            await self._set(number, said=_stored(error.said), file=None)
            return
        await self._set(number, plan=made.stored(), counts=made.counts(), file=content if not made.wrong else None)

    def _plan(self, content: bytes, share: Share) -> Plan:
        brought = kb_read.read(content, self._office.settings.town)
        share.percent = READ_PERCENT
        now = self._clock.now()
        return self._database.read_now(lambda session: bring.plan(session, brought, now, share.tell))

    async def _apply(self, number: int, staff_id: int, as_: str, retire: bool, share: Share) -> None:
        now = self._clock.now()
        made, writes = await asyncio.to_thread(
            self._database.read_now, lambda session: _writes(session, number, as_, retire)
        )
        town = self._office.settings.town

        def work(session: Session) -> None:
            bring_areas.add(session, made.districts, made.areas_on, town, staff_id, now)
            _apply(session, number, staff_id, as_, writes, now)

        try:
            await self._database.write(work)
        except Changed as changed:
            await self._again(number, changed, share)
            return
        self._office.bells.ring(live.BELL)

    async def _again(self, number: int, changed: Changed, share: Share) -> None:
        """Plans anew on what stands now, and says who came in between."""
        said, content = await self._database.read(lambda session: (_who(session, changed), _file(session, number)))
        made = await asyncio.to_thread(self._plan, content, share)
        await self._set(number, plan=made.stored(), counts=made.counts(), said=_stored(said))

    async def _undo(self, number: int, staff_id: int) -> None:
        for _ in range(TRIES):
            now = self._clock.now()
            writes, left = await asyncio.to_thread(self._database.read_now, lambda session: _back(session, number, now))  # noqa: B023
            try:
                await self._database.write(lambda session: _undo(session, number, staff_id, writes, left, now))  # noqa: B023
            except Changed:  # somebody is at it: what they save now stays
                continue
            self._office.bells.ring(live.BELL)
            return
        await self._set(number, said=_stored(FAILED))

    async def _claim(self, number: int, doing: str) -> None:
        now = self._clock.now()

        def work(session: Session) -> None:
            row = session.get_one(KbImport, number, with_for_update=True)
            right = row.applied_at is None if doing == "apply" else bool(row.applied_at) and row.undone_at is None
            if working(row, now) or not right:
                raise Busy
            row.doing, row.percent, row.said, row.beat_at = doing, 0, None, now

        await self._database.write(work)

    async def _set(self, number: int, **values: Any) -> None:
        now = self._clock.now()

        def work(session: Session) -> None:
            row = session.get(KbImport, number)
            for name, value in {**values, "beat_at": now}.items():
                if row:
                    setattr(row, name, value)

        await self._database.write(work)


def working(row: KbImport, now: datetime) -> bool:
    """Whether some process is at it."""
    return bool(row.doing) and row.beat_at > now - SILENT


def halted(row: KbImport, now: datetime) -> str:
    """What a process was at when it ended, without having changed anything: apply, undo, or ""."""
    if not row.doing or working(row, now):
        return ""
    left = row.applied_at is None if row.doing == "apply" else row.doing == "undo" and row.undone_at is None
    return row.doing if left else ""


def _begin(session: Session, staff_id: int, name: str, content: bytes, now: datetime) -> int:
    session.execute(delete(KbImport).where(KbImport.applied_at.is_(None), KbImport.at < now - KEPT))
    row = KbImport(
        staff_id=staff_id, at=now, file_name=name, file=content, doing="read", percent=0, beat_at=now, counts={},
        applied_as="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row.id


def _writes(session: Session, number: int, as_: str, retire: bool) -> tuple[Plan, list[Write]]:
    made = Plan.of(session.get_one(KbImport, number).plan or {})
    gone = standing.newest_contents(session, [id_ for id_, _ in made.gone]) if retire and as_ == "published" else {}
    return made, bring.writes(made, as_, gone)


def _apply(session: Session, number: int, staff_id: int, as_: str, writes: list[Write], now: datetime) -> None:
    bulk.write(session, writes, staff_id, now)
    row = session.get_one(KbImport, number)
    row.plan, row.file, row.applied_at, row.applied_as = None, None, now, as_
    row.written = {"entries": [[one.id, one.opened_on, one.opened_on + len(one.steps)] for one in writes]}
    row.counts = {**row.counts, **_counts(writes)}
    audit.enter(session, session.get(Staff, staff_id), "kb_import", now, detail=f"{number}: {len(writes)}")


def _counts(writes: list[Write]) -> dict[str, int]:
    """What was really written, which for drafts is less than what was planned."""
    retired = sum(one.steps[-1][1].state == "retired" for one in writes)
    new = sum(not one.opened_on for one in writes)
    drafts = sum(one.steps[-1][1].state == "draft" for one in writes)
    return {"new": new, "retired": retired, "changed": len(writes) - new - retired, "drafts": drafts}


def _back(session: Session, number: int, now: datetime) -> tuple[list[Write], list[str]]:
    written = session.get_one(KbImport, number).written or {}
    return undo.plan(session, written["entries"], now)


def _undo(session: Session, number: int, staff_id: int, writes: list[Write], left: list[str], now: datetime) -> None:
    bulk.write(session, writes, staff_id, now)
    row = session.get_one(KbImport, number)
    row.undone_at, row.undone_by = now, staff_id
    row.written = {**(row.written or {}), "left": left}
    row.counts = {**row.counts, "left": len(left)}
    audit.enter(session, session.get(Staff, staff_id), "kb_import_undone", now, detail=f"{number}: {len(writes)}")


def _who(session: Session, changed: Changed) -> Said:
    if not changed.ids:
        return AREAS_CHANGED, {}
    id_ = changed.ids[0]
    entry, newest = session.get_one(KbEntry, id_), version(session, id_)
    staff = session.get(Staff, newest.staff_id) if newest.staff_id else None
    return (
        "このあいだに、{who}さんが「{name}」を書きかえました。まだ何も入れていません。いまの内容で確かめ直したので、もう一度見てから入れてください。",
        {"who": staff.called if staff else "ほかの人", "name": entry.name},
    )


def _file(session: Session, number: int) -> bytes:
    return session.scalars(select(KbImport.file).where(KbImport.id == number)).one() or b""


def _stored(said: Said) -> dict[str, Any]:
    return {"sentence": said[0], "values": said[1]}

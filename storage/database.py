"""The database: one engine, reads in threads, and writes that share their commits.

A commit to a disk costs far more than the rows in it. All writes of this process go through one thread: it takes
every write that is waiting, runs them in one transaction, commits once, and only then tells the callers. So under
load many messages share one `fsync`, and alone one message waits for nobody.
"""

import asyncio
import contextlib
import functools
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from storage.settings import make_folder

T = TypeVar("T")
Work = Callable[[Session], T]

BATCH = 64
BUSY_TIMEOUT_S = 30


@dataclass
class _Job(Generic[T]):
    work: Work[T]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[T]"
    result: T | None = None
    error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        with Session(bind=connection, expire_on_commit=False) as session:
            self.result = self.work(session)
            session.flush()

    def tell(self) -> None:
        if self.future.done():  # its caller has given up waiting; the work stands all the same
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)  # type: ignore[arg-type]


class Database:
    """A database address made usable: `await read(work)`, `await write(work)`; `work` gets a Session.

    `work` must touch nothing but its session, since a write whose neighbour in the batch failed is run again.
    `write` returns after the commit: what it returned is durable.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = url.startswith("sqlite")
        self._writing = _engine(url, pool_size=1)
        self._reading = _engine(url, pool_size=4)
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="db-read")
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._work_off, name="db-write", daemon=True)
        self._writer.start()

    async def read(self, work: Work[T]) -> T:
        """Runs `work` in a transaction that sees one state and changes nothing."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    async def write(self, work: Work[T]) -> T:
        """Runs `work` in the next shared transaction; returns what it returned, after the commit."""
        loop = asyncio.get_running_loop()
        job: _Job[T] = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        return await job.future

    def read_now(self, work: Work[T]) -> T:
        """`read` for code outside an event loop."""
        with Session(self._reading, expire_on_commit=False) as session:
            return work(session)

    def write_now(self, work: Work[T]) -> T:
        """`write` for code outside an event loop: a transaction of its own."""
        with self._begin() as connection, Session(bind=connection, expire_on_commit=False) as session:
            result = work(session)
            session.flush()
            return result

    @property
    def engine(self) -> Engine:
        """The engine that writes, for migrations."""
        return self._writing

    def close(self) -> None:
        """Works off what is waiting, then lets go of every connection."""
        self._jobs.put(None)
        self._writer.join(timeout=BUSY_TIMEOUT_S + 5)
        self._readers.shutdown()
        self._writing.dispose()
        self._reading.dispose()

    def _work_off(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._commit_together(batch)
            _tell(batch)

    def _next_batch(self) -> list[_Job[Any]] | None:
        batch = [self._jobs.get()]
        with contextlib.suppress(queue.Empty):
            while batch[-1] is not None and len(batch) < BATCH:
                batch.append(self._jobs.get_nowait())
        if batch[-1] is None:
            self._jobs.put(None)
            batch.pop()
        return [job for job in batch if job] or None

    def _commit_together(self, batch: list[_Job[Any]]) -> None:
        try:
            self._run(batch)
        except Exception as error:  # noqa: BLE001 - whatever a caller's work raised goes back to that caller
            if len(batch) == 1 or (self.sqlite and unavailable(error)):
                # A locked or full file would make each of them wait and fail the same way.
                for job in batch:
                    job.error = error
                return
            # One bad piece of work must not take its neighbours with it: each gets a transaction of its own.
            for job in batch:
                self._commit_together([job])

    def _run(self, batch: list[_Job[Any]]) -> None:
        with self._begin() as connection:
            for job in batch:
                job.run(connection)

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._writing.begin() as connection:
            yield connection


def _tell(batch: list[_Job[Any]]) -> None:
    def tell_all(jobs: list[_Job[Any]]) -> None:
        for job in jobs:
            job.tell()

    for loop in {job.loop for job in batch}:
        with contextlib.suppress(RuntimeError):  # that event loop has ended: nobody is left to tell
            loop.call_soon_threadsafe(tell_all, [job for job in batch if job.loop is loop])


def add_row(session: Session, table: Any, **values: Any) -> int:
    """Inserts one row past the ORM, whose bookkeeping costs more than the row; its id."""
    return int(session.connection().execute(_insert(table), values).scalar_one())


@functools.cache
def _insert(table: Any) -> Any:
    rows = table.__table__
    return rows.insert().returning(rows.c.id)


@functools.cache
def insert_new(dialect: str, table: type[Any]) -> Any:
    """An INSERT that does nothing where the row stands already, and returns the key of a row that was new."""
    rows = table.__table__
    insert = postgresql.insert(rows) if dialect == "postgresql" else sqlite.insert(rows)
    return insert.on_conflict_do_nothing().returning(*rows.primary_key.columns)


def unavailable(error: BaseException) -> bool:
    """Whether the database could not take the work now (locked, full, gone), as against work that was wrong."""
    return isinstance(error, DBAPIError) and type(error).__name__ in (
        "OperationalError",
        "InterfaceError",
        "TimeoutError",
    )


def _engine(url: str, pool_size: int) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    path = make_url(url).database
    if path:
        make_folder(Path(path).parent)
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=0, connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True
    )
    event.listen(engine, "connect", _sqlite_settings)
    # A deferred transaction that reads first and writes later can fail at once when another process wrote in
    # between; an immediate one waits its turn. So whoever means to write says so at the beginning.
    begin = "BEGIN IMMEDIATE" if pool_size == 1 else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _sqlite_settings(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")

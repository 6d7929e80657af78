"""Item 6, queue growth: the counselor's queue over 10², 10⁴ and 10⁶ cases, on SQLite and on PostgreSQL.

Measured is what the service does for one page: sign-in, every query of the board, and the HTML. Of the cases 5 % wait,
0.1 % are held, 5 % followed, 0.5 % still talk; the others are closed. At 10⁶ that are 50,000 people waiting at once.
"""

import contextlib
import gc
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.measure import cpu_s, median, percentile
from handoff import access, board
from handoff.board import Sight
from handoff.finding import grams
from handoff.pages import render
from knowledge_base.vocabulary import vocabulary
from storage import schema
from storage.database import Database
from tests.stand_ins.postgres import Cluster

SIZES = (100, 10_000, 1_000_000)
LOOKS = 40
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
BATCH = 20_000
STAFF = 200
AREAS = 40
TROUBLES = (
    "家賃を滞納していて、来月には出ていかなければなりません", "80代の父の物忘れがひどく、火の消し忘れが増えました",
    "中学生の娘が学校に行けず、部屋から出てきません", "夫の借金がふくらみ、生活費が足りません",
    "仕事を辞めてから眠れず、病院に行くお金もありません", "息子が十年ちかく家にこもり、話もできません",
    "ひとりで子どもを育てていますが、残業で夕方の迎えに間に合いません", "近所のおばあさんが、夜中に外を歩いています",
)  # fmt: skip
FAMILY = ("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤")
GIVEN, GIVEN_END = "花一美健陽大和翔愛誠", "子郎咲太輔代介香也平"


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """By database, size and view: medians of the rounds' percentiles, in ms."""
    found: dict[str, Any] = {}
    for name, opened in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        for size in SIZES:
            with opened(folder, size) as (database, token):
                found.setdefault(name, {})[str(size)] = _views(database, token, rounds)
    return found


def _views(database: Database, token: str, rounds: int) -> dict[str, dict[str, float]]:
    def page(sight: Sight) -> Callable[[Session], object]:
        def look(session: Session) -> object:
            who = access.signed_in(session, token, NOW)
            assert who
            shown = board.board(session, who.staff, sight, None, NOW)
            return render("board.html", board=shown, sight=sight, csrf=who.csrf)

        return look

    def search(asked: str) -> Callable[[Session], object]:
        def look(session: Session) -> object:
            who = access.signed_in(session, token, NOW)
            assert who
            sections, _ = board.found(session, who.staff, asked, NOW)
            return render("found.html", sections=sections, csrf=who.csrf)

        return look

    views = {
        "first page": page(Sight()),
        "mine": page(Sight(mine=True)),
        "a common field": page(Sight(field="child")),
        "a rare field, of those who wait": page(Sight(status="waiting", field="justice")),
        "an area": page(Sight(area=3)),
        "closed, a rare field": page(Sight(status="closed", field="justice")),
        "search, a common word": search("滞納"),
        "search, a whole name": search("渡辺陽子"),
        "search, a name and a word": search("渡辺陽子 学校"),
    }
    return {name: _measure(database, look, rounds) for name, look in views.items()}


def _measure(database: Database, look: Callable[[Session], object], rounds: int) -> dict[str, float]:
    database.read_now(look)
    gc.collect()
    gc.freeze()  # as the service does once it stands
    began = _cpu_s(database)
    taken = [[_ms(database, look) for _ in range(LOOKS)] for _ in range(rounds)]
    spent = (_cpu_s(database) - began) * 1000 / (LOOKS * rounds)
    return {**{f"p{p}_ms": median(percentile(one, p) for one in taken) for p in (50, 95, 99)}, "cpu_ms": spent}


def _cpu_s(database: Database) -> float:
    """CPU seconds so far, PostgreSQL's own among them: what other work on the machine changes least."""
    if database.sqlite:
        return time.process_time()
    backends = database.read_now(lambda session: session.scalars(text("SELECT pid FROM pg_stat_activity")).all())
    return time.process_time() + sum(cpu_s(pid) for pid in backends)


def _ms(database: Database, look: Callable[[Session], object]) -> float:
    began = time.perf_counter()
    database.read_now(look)
    return (time.perf_counter() - began) * 1000


@contextlib.contextmanager
def _sqlite(folder: Path, size: int) -> Iterator[tuple[Database, str]]:
    path = folder / f"queue-{size}.db"
    database = Database(f"sqlite:///{path}")
    token = _begin(database)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    for table, rows in _tables(size):
        marks = ", ".join("?" * len(table[1]))
        insert = f"INSERT INTO {table[0]} ({', '.join(table[1])}) VALUES ({marks})"
        for batch in _batches(rows):
            connection.executemany(insert, [tuple(map(_plain, row)) for row in batch])
        connection.commit()
    connection.close()
    try:
        yield database, token
    finally:
        database.close()
        for left in folder.glob(f"queue-{size}.db*"):
            left.unlink()


@contextlib.contextmanager
def _postgresql(_folder: Path, size: int) -> Iterator[tuple[Database, str]]:
    cluster = Cluster()
    url = cluster.new_database()
    database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        token = _begin(database)
        with psycopg.connect(url, autocommit=True) as connection:
            # Loading is not what is measured: no foreign keys are looked at, and the search's index comes at the end.
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET maintenance_work_mem = '256MB'")
            index = connection.execute(
                "SELECT indexdef FROM pg_indexes WHERE indexname = 'case_words_grams'"
            ).fetchone()
            connection.execute("DROP INDEX case_words_grams")
            for (name, columns), rows in _tables(size):
                with connection.cursor().copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            assert index
            connection.execute(index[0])
            connection.execute("VACUUM ANALYZE")  # as autovacuum does by itself
        yield database, token
    finally:
        database.close()
        cluster.stop()


def _begin(database: Database) -> str:
    schema.upgrade(database)

    def begin(session: Session) -> str:
        people = [
            access.add_staff_with(session, f"staff{i}@example.jp", "counselor", "", NOW, f"相談員{i}")
            for i in range(STAFF)
        ]
        session.flush()
        return access.begin_session(session, people[3], NOW)

    return database.write_now(begin)


Table = tuple[str, tuple[str, ...]]


def _tables(size: int) -> Iterator[tuple[Table, Iterator[tuple[Any, ...]]]]:
    numbers = range(1, size + 1)
    yield ("areas", ("id", "name")), ((i + 1, f"{i}丁目") for i in range(AREAS))
    yield (
        ("conversations", ("id", "channel", "address", "language", "created_at", "talk", "failures")),
        ((_id(n), "web", _id(n), "ja", _opened(n), "{}", 0) for n in numbers),
    )
    yield (
        (
            "cases",
            (
                "id", "conversation_id", "channel", "language", "opened_at", "last_message_at", "waiting_since",
                "claimed_by", "responsible_id", "following_since", "closed_at", "urgency", "assessment", "corrected",
                "complaint", "summary",
            ),
        ),
        (_case(n) for n in numbers),
    )  # fmt: skip
    yield (
        ("messages", ("id", "conversation_id", "case_id", "sender", "kind", "text", "channel", "written_at",
                      "received_at", "handled_at")),
        (
            (n, _id(n), _id(n), "resident", "text", _words(n), "web", _opened(n), _opened(n), _opened(n))
            for n in numbers
        ),
    )  # fmt: skip
    yield ("case_marks", ("mark", "case_id")), ((mark, _id(n)) for n in numbers for mark in _marks(n))
    known = {words: grams(words) for words in TROUBLES}
    yield (
        ("case_words", ("id", "case_id", "message_id", "grams")),
        ((2 * n, _id(n), n, f"{known[_words(n)]} {grams(_id(n)[-6:])}") for n in numbers),
    )
    named = range(1, size + 1, 4)
    yield (
        ("case_words", ("id", "case_id", "message_id", "grams")),
        ((2 * n + 1, _id(n), None, grams(_name(n))) for n in named),
    )


def _case(n: int) -> tuple[Any, ...]:
    # Spread over the whole table, as real ones would be.
    place, opened = n * 7919 % 1000, _opened(n)
    waits, held, followed, talks = place < 50, place == 50, 51 <= place < 100, 100 <= place < 105
    closed = None if place < 105 else opened + timedelta(days=20)
    urgency = 0 if n % 10 else (1, 1, 1, 2, 2, 3)[n // 10 % 6]
    fields = ", ".join(
        f'{{"id": "{mark[6:]}", "confidence": 0.9, "quotes": []}}' for mark in _marks(n) if "field" in mark
    )
    level = ("none", "watch", "urgent", "immediate")[urgency]
    assessment = f'{{"fields": [{fields}], "urgency": {{"level": "{level}", "kinds": [], "quote": ""}}}}'
    staff = n % STAFF + 1
    return (
        _id(n), _id(n), "web", "ja", opened, opened, None if talks else opened, staff if held else None,
        staff if held or followed or closed else None, opened if followed else None, closed, urgency, assessment, "{}",
        _words(n), "" if waits else _words(n),
    )  # fmt: skip


def _marks(n: int) -> list[str]:
    fields = list(vocabulary().fields)
    common = fields[n * 31 % len(fields)]
    found = {"child" if n % 9 == 0 else common if common != "justice" else "work"}
    if n * 104_729 % 5_003 == 0:
        found.add("justice")
    return [*(f"field:{field}" for field in sorted(found)), f"area:{_mixed(n) % AREAS + 1}"]


def _id(n: int) -> str:
    return f"{_mixed(n):08x}{n:024x}"


def _mixed(n: int) -> int:
    """The number scattered over 32 bits, so that what is made of it goes with nothing else."""
    n = (n ^ n >> 16) * 0x45D9F3B % 2**32
    return (n ^ n >> 16) * 0x45D9F3B % 2**32


def _opened(n: int) -> datetime:
    return (NOW - timedelta(minutes=n * 1_299_709 % 2_000_000)).replace(tzinfo=None)


def _words(n: int) -> str:
    return TROUBLES[n * 13 % len(TROUBLES)]


def _name(n: int) -> str:
    chosen = _mixed(n)
    return FAMILY[chosen % 10] + GIVEN[chosen // 10 % 10] + GIVEN_END[chosen // 100 % 10]


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch

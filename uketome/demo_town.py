"""`make demo-town`: a made-up town of 2,000 cases over a year, to try the product with and to take pictures of.

Residents' words are the invented texts of nlu_data/voices, what is understood of them their labels: no model runs. The
same seed and day make the same town, the password excepted. It never writes into a database that has cases already,
unless `--add` says so.
"""

import argparse
import random
import secrets
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from argon2 import PasswordHasher
from sqlalchemy import func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from knowledge_base import versions
from storage import schema
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Agency, Base, Case, Desk, Staff
from storage.settings import ROOT, Settings, SettingsError
from storage.support import Meeting, MeetingAttendee
from uketome import demo_people as people
from uketome.demo_cases import Life, Rows, Town, voices

CASES, SEED, BATCH = 2000, 2026, 200
DATABASE = f"sqlite:///{ROOT / 'var' / 'demo-town.db'}"
MAIL = "demo.example"
Row = TypeVar("Row", bound=Base)
Tell = Callable[[int, int], None]


class NotEmpty(Exception):
    """There are cases already; the message is one sentence."""


def main() -> int:
    """Builds the town and says how to look at it; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m uketome.demo_town", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help=f"how many ({CASES})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"another town by another number ({SEED})")
    parser.add_argument("--until", type=datetime.fromisoformat, help="its today (now), as 2026-11-27T09:00")
    parser.add_argument("--password", help="of everybody in the town hall; a new one is made and printed otherwise")
    parser.add_argument("--add", action="store_true", help="also into a database that has cases")
    options = parser.parse_args()
    if options.cases < 1:
        parser.error("--cases must be at least 1")
    try:
        settings = Settings.read()
    except SettingsError as error:
        print(f"demo-town: {error}", file=sys.stderr)
        return 2
    url = settings.database_url or DATABASE
    now = options.until.replace(tzinfo=JAPAN) if options.until else Clock().now()
    return _build_and_tell(url, now, options)


def _build_and_tell(url: str, now: datetime, options: argparse.Namespace) -> int:
    database, password = Database(url), options.password or f"demo-{secrets.token_urlsafe(9)}"
    try:
        build(database, now, options.cases, options.seed, password=password, add=options.add, tell=_progress())
    except (NotEmpty, schema.SchemaError) as refused:
        print(f"demo-town: {refused}", file=sys.stderr)
        return 2
    finally:
        database.close()
    print(f"\nうけとめ市（つくりものの町）に {options.cases:,} 件の相談ができました。人も文章も、すべて架空です。")
    for name, mail, role, _ in people.STAFF:
        print(f"  {role:<10} {mail}@{MAIL}  {name}")
    print(f"パスワード（全員）  {password}")
    print(f"見るには            UKETOME_DATABASE_URL={url} make run")
    return 0


def build(
    database: Database,
    now: datetime,
    cases: int = CASES,
    seed: int = SEED,
    *,
    password: str = "",
    add: bool = False,
    tell: Tell | None = None,
) -> None:
    """Builds the town. Raises NotEmpty; SchemaError. Without a password nobody can sign in."""
    schema.upgrade(database)
    if not add and database.read_now(lambda session: session.scalar(select(func.count()).select_from(Case))):
        raise NotEmpty("The database has cases already: take another, or say --add.")
    chance = random.Random(seed)
    password_hash = PasswordHasher().hash(password) if password else "!"
    town = database.write_now(lambda session: _town_hall(session, now, password_hash))
    life = Life(chance, now, town, voices())
    for done in range(0, cases, BATCH):
        rows = life.rows(min(BATCH, cases - done), full_talks=2 if cases >= 1000 else 1)
        database.write_now(lambda session, rows=rows: _insert(session, rows))  # type: ignore[misc]
        if tell:
            tell(min(done + BATCH, cases), cases)
    database.write_now(lambda session: _meetings(session, life, chance, now, town))
    database.write_now(lambda session: versions.load_demo(session, now))


def _town_hall(session: Session, now: datetime, password_hash: str) -> Town:
    """Desks, staff and agencies; those that are there already are taken as they are."""
    since = now - timedelta(days=400)
    desks = [_one(session, Desk, Desk.name, name, created_at=since) for name in people.DESKS]
    session.flush()
    staff = [
        _one(
            session, Staff, Staff.email, f"{mail}@{MAIL}", name=name, role=role, password_hash=password_hash,
            created_at=since, desk_id=None if desk is None else desks[desk].id,
        )
        for name, mail, role, desk in people.STAFF
    ]  # fmt: skip
    agencies = [
        _one(session, Agency, Agency.name, name, kind=kind, phone=f"000-000-{at:04}", created_at=since)
        for at, (name, kind, _) in enumerate(people.AGENCIES, start=1)
    ]
    session.flush()
    return Town(
        desks=[desk.id for desk in desks],
        counselors=[[one for one in staff if one.role == "counselor" and one.desk_id == desk.id] for desk in desks],
        agencies=[(agency.id, fields) for agency, (_, _, fields) in zip(agencies, people.AGENCIES, strict=True)],
    )


def _one(session: Session, table: type[Row], column: InstrumentedAttribute[str], value: str, **values: Any) -> Row:
    found = session.scalars(select(table).where(column == value)).one_or_none()
    if found is None:
        found = table(**{column.key: value}, **values)
        session.add(found)
    return found


def _insert(session: Session, rows: Rows) -> None:
    """All rows of some cases, table by table: what is referred to goes first."""
    for table, values in rows.in_order():
        if values:
            session.execute(insert(table), values)


def _meetings(session: Session, life: Life, chance: random.Random, now: datetime, town: Town) -> None:
    """Two meetings a month: one for whoever needs it, one of those who have agreed to it."""
    host = town.counselors[0][0]
    for month in range(12):
        for kind in ("support", "juso"):
            held = now - timedelta(days=30 * month + (3 if kind == "support" else 17))
            found = life.for_meeting(kind, held, 4)
            if not found:
                continue
            title = "支援会議" if kind == "support" else "重層的支援会議"
            meeting = Meeting(
                kind=kind, title=f"{title}（{held.astimezone(JAPAN).month}月）",
                held_at=held.astimezone(JAPAN).replace(hour=14, minute=0, second=0, microsecond=0),
                place="市役所 第二会議室", created_by=host.id, created_at=held - timedelta(days=14),
            )  # fmt: skip
            session.add(meeting)
            session.flush()
            for one in chance.sample([one for desk in town.counselors for one in desk], 3):
                session.add(MeetingAttendee(meeting_id=meeting.id, staff_id=one.id, name=one.name))
            session.add_all(life.meeting_cases(meeting, found))


def _progress() -> Tell:
    """A bar on a terminal, plain lines elsewhere."""
    if not sys.stdout.isatty():
        return lambda done, of: print(f"demo-town: {done:,} / {of:,}", flush=True)

    def bar(done: int, of: int) -> None:
        full = 40 * done // of
        print(f"\rdemo-town  [{'█' * full}{'·' * (40 - full)}] {done:,} / {of:,}", end="", flush=True)

    return bar


if __name__ == "__main__":
    sys.exit(main())

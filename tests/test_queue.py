"""The queue: its order, its pages, its counts, and what a cursor may be."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, update
from sqlalchemy.orm import Session

from handoff import access, queue
from handoff.case import Status, begin_case, claim, close, release, wait_for_person
from handoff.finding import field_mark
from storage import schema
from storage.database import Database
from storage.models import Case, CaseEvent, Conversation, Staff, new_id
from storage.support import CaseMark
from tests.conftest import Town
from tests.desk import a_case, add_staff


@pytest.fixture
async def sato(town: Town) -> Staff:
    return await add_staff(town, "佐藤", "sato@example.jp")


async def ids(town: Town, staff: Staff, status: Status | None, limit: int = 50) -> list[str]:
    """All pages, one after the other."""
    found: list[str] = []
    cursor = None
    while True:
        page = await town.service.database.read(
            lambda session: queue.page(session, staff, status, limit, cursor)  # noqa: B023
        )
        found += [case.id for case in page.cases]
        cursor = page.next
        if cursor is None:
            return found


async def test_danger_comes_first_and_then_whoever_waits_longest(town: Town, sato: Staff) -> None:
    short = await a_case(town, "借金のこと", minutes=5)
    long = await a_case(town, "介護のこと", minutes=500)
    watched = await a_case(town, "気になること", level="watch", minutes=1)
    urgent = await a_case(town, "食べるものがない", level="urgent", minutes=2)
    urgent_before = await a_case(town, "泊まる所がない", level="urgent", minutes=20)
    immediate = await a_case(town, "死にたい", level="immediate", minutes=0)
    assert await ids(town, sato, "waiting") == [immediate, urgent_before, urgent, watched, long, short]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_hold_every_case_once_in_the_same_order(town: Town, sato: Staff, limit: int) -> None:
    levels = ["none", "watch", "none", "immediate", "urgent", "none", "watch"]
    made = [await a_case(town, "こまっています", level=level, minutes=i // 2) for i, level in enumerate(levels)]
    paged = await ids(town, sato, "waiting", limit)
    assert sorted(paged) == sorted(made)
    assert paged == await ids(town, sato, "waiting", 200)


async def test_a_claim_between_two_pages_moves_nobody_else(town: Town, sato: Staff) -> None:
    made = [await a_case(town, "こまっています", minutes=60 - i) for i in range(6)]
    now, database = town.clock.now(), town.service.database
    first = await database.read(lambda session: queue.page(session, sato, "waiting", 3))
    await database.write(lambda session: claim(session, made[0], sato, now))
    second = await database.read(lambda session: queue.page(session, sato, "waiting", 3, first.next))
    assert [case.id for case in (*first.cases, *second.cases)] == made
    assert second.next is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 4),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("comes"), st.integers(0, 3)),
            st.tuples(st.sampled_from(["claimed", "released"]), st.integers(0, 9)),
            st.tuples(st.just("leafs"), st.just(0)),
        ),
        max_size=30,
    ),
    marked=st.booleans(),
)
def test_whoever_leafs_skips_nobody_and_nobody_overtakes(
    queue_of: Database, limit: int, steps: list[tuple[str, int]], marked: bool
) -> None:
    """However claims, releases and new cases fall between the pages of somebody who leafs through."""
    came: list[Case] = []
    gone: set[str] = set()
    seen: list[Case] = []
    began, cursor, moment = None, None, datetime(2026, 11, 23, tzinfo=UTC)
    marks = [field_mark("child")] if marked else []

    def leaf(session: Session) -> str | None:
        nonlocal began
        began = len(came) if began is None else began
        page = queue.page(session, staff, "waiting", limit, cursor, marks=marks)
        seen.extend(page.cases)
        return page.next

    staff = queue_of.write_now(empty)
    for i, (step, which) in enumerate([*steps, *[("leafs", 0)] * 40]):
        now = moment + timedelta(minutes=i)
        if step == "comes":
            came.append(queue_of.write_now(lambda session: waits(session, which, now)))  # noqa: B023
        elif step == "leafs" and (began is None or cursor):
            cursor = queue_of.read_now(leaf)
        elif came and step == "claimed":
            gone.add(queue_of.write_now(lambda s: claim(s, came[which % len(came)].id, staff, now)).id)  # noqa: B023
        elif gone and step == "released":
            held = sorted(gone)[which % len(gone)]
            queue_of.write_now(lambda s: set_free(s, held, staff, now))  # noqa: B023
    ids_seen = [case.id for case in seen]
    assert len(ids_seen) == len(set(ids_seen))
    assert {case.id for case in came[:began]} - gone <= set(ids_seen)
    assert seen == sorted(seen, key=lambda case: (-case.urgency, case.waiting_since, case.id))


@pytest.fixture
def queue_of(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'town.db'}")
    schema.upgrade(database)
    yield database
    database.close()


def empty(session: Session) -> Staff:
    for table in (CaseEvent, CaseMark, Case, Conversation, Staff):
        session.execute(delete(table))
    return access.add_staff_with(session, "sato@example.jp", "counselor", "", datetime(2026, 11, 23, tzinfo=UTC))


def waits(session: Session, level: int, now: datetime) -> Case:
    conversation = Conversation(channel="web", address=new_id(), created_at=now, talk={}, failures=0)
    session.add(conversation)
    session.flush()
    opened = begin_case(session, conversation, now)
    opened.urgency, opened.assessment = level, {"fields": [{"id": "child"}]}
    wait_for_person(session, opened, now, "finished")
    return opened


def set_free(session: Session, case_id: str, staff: Staff, now: datetime) -> None:
    held = session.get_one(Case, case_id)
    if held.claimed_by:
        release(session, held, staff, now)


async def test_each_case_stands_in_one_place_and_is_counted_there(town: Town, sato: Staff) -> None:
    now, database = town.clock.now(), town.service.database
    collecting = await a_case(town, "まだ話しています", waiting=False)
    waiting, claimed, following, closed = [await a_case(town, "こまっています", minutes=i) for i in range(4)]
    await database.write(lambda session: claim(session, claimed, sato, now))
    await database.write(lambda s: s.execute(update(Case).where(Case.id == following).values(following_since=now)))
    await database.write(lambda session: close(session, session.get_one(Case, closed), sato, "つないだ", now))
    stands = {status: await ids(town, sato, status) for status in queue.STANDS}
    assert stands == {
        "collecting": [collecting], "waiting": [waiting], "claimed": [claimed], "following": [following],
        "closed": [closed],
    }  # fmt: skip
    counted = await database.read(lambda session: queue.counts(session, sato))
    assert counted == {"collecting": 1, "waiting": 1, "claimed": 1, "following": 1}
    assert set(await ids(town, sato, None)) == {collecting, waiting, claimed, following}


async def test_the_last_closed_comes_first(town: Town, sato: Staff) -> None:
    made = []
    for _ in range(3):
        made.append(await a_case(town, "こまっています"))
        now = town.clock.now()
        await town.service.database.write(
            lambda session: close(session, session.get_one(Case, made[-1]), sato, "つないだ", now)  # noqa: B023
        )
        town.clock.forward(minutes=1)
    assert await ids(town, sato, "closed", 2) == made[::-1]


def forged(*key: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["x", "あ", "AAAA", "!!!!", forged(), forged(1, 2, 3), forged(9, "2026-11-23T00:00:00+00:00", "a"),
     forged(1, "2026-11-23T00:00:00", "a"), forged(1, "2026-11-23T00:00:00+00:00", "a\x00"), forged(None, None, None)],
)  # fmt: skip
async def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(queue.NoCursor):
        queue.Place.read(cursor)


async def test_a_page_walks_the_index_and_sorts_nothing(tmp_path: Path) -> None:
    """Whether a page stays fast at a million cases is decided by SQLite's plan, which is the same without any."""
    database, asked = Database(f"sqlite:///{tmp_path / 'town.db'}"), []
    schema.upgrade(database)
    after = queue.Place(3, datetime(2026, 11, 23, tzinfo=UTC), "0" * 32).cursor()
    walked: tuple[Status, ...] = ("waiting", "following", "collecting")

    def look(session: Session) -> list[str]:
        staff = access.add_staff_with(session, "sato@example.jp", "counselor", "", datetime.now(UTC))
        event.listen(session.connection(), "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
        for status in walked:
            queue.page(session, staff, status, 50)
            queue.page(session, staff, status, 50, after)
        queue.counts(session, staff)
        plans = [session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in asked[:]]
        return [row.detail for plan in plans for row in plan]

    said = database.write_now(look)
    database.close()
    # The first page is one walk; one that goes on is the rest of a level, and what is below. Each was then explained.
    assert len(asked) == 2 * (len(walked) * (1 + 2) + 1)
    entered = {index for step in said for index in re.findall(r"SEARCH cases USING INDEX (\w+)", step)}
    assert entered == {"cases_queue", "cases_talking", "cases_claimed", "cases_following"}
    assert not any("SCAN cases" in step for step in said)
    assert not any("TEMP B-TREE" in step for step in said)

"""What goes out as a file comes in unchanged: any entries, as Excel, as CSV in UTF-8, as CSV in Shift_JIS."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from handoff import kb_export, kb_read, kb_sheets, kb_write
from knowledge_base import bring, standing, town, versions
from knowledge_base.entries import DAYS
from knowledge_base.town import Typed
from knowledge_base.versions import STATES, Step
from knowledge_base.vocabulary import vocabulary
from storage.knowledge import KbAreas
from storage.models import Base

NOW = datetime(2026, 11, 27, 1, tzinfo=UTC)
DISTRICTS = {"town": "うけとめ市", "districts": [{"id": "d1", "name": "北、西", "spellings": []}]}
#: What spreadsheets, CSV, XML and Shift_JIS each stumble over.
TRAPS = ("=1+1", "'=1+1", "''-x", "＋81", "@cmd", "_x0041_", "_x005F_x0041_", "〜", "～", "−", "🌻", "髙𠮷", "〓",
         "a,b;c、d", '"', "\ufffe", "<b>&amp;", "1-2", "0120", "#N/A", "TRUE", "[town_x]", "　", "e\u0301")  # fmt: skip
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs"]) | st.sampled_from(TRAPS)


def texts(most: int) -> st.SearchStrategy[str]:
    return st.lists(LETTERS | st.just("\n"), max_size=12).map("".join).filter(lambda text: len(text) <= most)


NAMES = st.one_of(st.sampled_from(("楽器バンク", "住居確保給付金", "a、b")), texts(40)).map(lambda text: text + "課")
VOICES = st.lists(texts(30).map(lambda text: f"困っています{text}"), max_size=4).map("\n".join)
HOURS = st.sampled_from(("", "8:30〜17:15", "8:30〜12:00、13:00〜17:15", "同じ"))
DATES = st.one_of(st.just(""), st.dates(min_value=date(1, 1, 1)).map(date.isoformat))
WEB = st.sampled_from(("", "https://a.jp/=x", "https://例え.jp/〜a"))
REACHES = st.sampled_from(("", "town", "prefecture", "nation"))
CLOSED = st.sampled_from(("", "2026/12/28〜2027/1/4　改修工事", "2026/5/1\n2027/5/6　=1+1"))
SERVICE = st.fixed_dictionaries({
    "name": NAMES, "about": texts(100), "voices": VOICES, "like": st.sampled_from(("", *vocabulary().services)),
    "who": texts(100), "cost": texts(100), "begin": texts(100), "bring": texts(100), "note": texts(100), "web": WEB,
    "checked": DATES, "reach": REACHES,
})  # fmt: skip
DESK = st.fixed_dictionaries({
    "name": NAMES, "address": texts(60), "area": texts(60), "note": texts(100), "web": WEB, "checked": DATES,
    "phone": st.sampled_from(("", "０３（１２３４）５６７８", "0312345678", "#9999", "188")),
    "reach": REACHES, "closed_on": CLOSED,
    "holidays": st.sampled_from(("closed", "open")), **{f"hours-{day}": HOURS for day in DAYS},
})  # fmt: skip
FIELDS = st.lists(st.sampled_from(tuple(vocabulary().fields)), max_size=4)
SERVICES = st.lists(st.sampled_from((*vocabulary().services, "town_0", "town_1", "town_gone")), max_size=5)
ENTRIES = st.lists(
    st.tuples(st.just("service"), SERVICE, FIELDS) | st.tuples(st.just("desk"), DESK, SERVICES), max_size=4
)
#: Shrinking a book takes minutes; the entries are small as they come.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
WAYS = ("xlsx", "csv", "sjis")


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


@settings(
    max_examples=20,
    deadline=None,
    phases=UNSHRUNK,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(entries=ENTRIES, states=st.lists(st.sampled_from(STATES), min_size=4, max_size=4))
def test_what_goes_out_comes_in_unchanged(
    session: Session, entries: list[tuple[str, dict[str, str], list[str]]], states: list[str]
) -> None:
    session.rollback()
    session.add(KbAreas(id=1, content=DISTRICTS, staff_id=None, at=NOW))
    kept = 0
    for at, (kind, single, several) in enumerate(entries):
        areas = ["d1"] if at % 2 and single["reach"] in ("", "town") else []
        chosen = {"fields" if kind == "service" else "services": several, "areas": areas}
        read = town.read(kind, Typed(single, chosen))
        if not read.problems:
            versions.create(session, kind, read.content, None, NOW, Step(states[at]), f"town_{at}")
            kept += 1
    for way in WAYS:
        brought = [kb_read.read(file) for file in files(session, way)]
        assert [one.wrong + one.notes for one in brought if one.wrong or one.notes] == []
        made = [bring.plan(session, one, NOW) for one in brought]
        assert [
            (way, plan.wrong, plan.changes, plan.gone) for plan in made if plan.wrong or plan.changes or plan.gone
        ] == []
        assert sum(plan.unchanged for plan in made) == kept


def files(session: Session, way: str) -> list[bytes]:
    tables = [kb_export.table(session, kind) for kind in kb_sheets.SHEETS]
    if way == "xlsx":
        return [kb_write.as_xlsx(tables)]
    return [kb_write.as_csv(table, in_shift_jis=way == "sjis") for table in tables]


def test_a_letter_that_shift_jis_lacks_is_never_lost(session: Session) -> None:
    content: dict[str, Any] = {"name": "髙𠮷課", "note": "🌻の門から\n2階", "services": ["csw"], "phone": "188"}
    versions.create(session, "desk", content, None, NOW, Step("published"), "town_a")
    [_, file] = files(session, "sjis")
    assert "〓の門から" in file.decode("cp932")
    changed = file.decode("cp932").replace("2階", "3階").encode("cp932")
    [change] = bring.plan(session, kb_read.read(changed), NOW).changes
    assert (change.content["name"], change.content["note"]) == ("髙𠮷課", "🌻の門から\n3階")
    lost = file.decode("cp932").replace("〓の門から", "〓の門の横から").encode("cp932")
    [wrong] = bring.plan(session, kb_read.read(lost), NOW).wrong
    assert (wrong.place, wrong.column, wrong.sentence) == ("2行目", "覚え書き", standing.LETTER_LOST)

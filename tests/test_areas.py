"""Areas: the admin keeps the districts, a known one narrows, an unknown one hides nothing; and when a desk is open."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff import kb_desks
from knowledge_base import live
from knowledge_base.areas import UNKNOWN, Areas, District, Where
from knowledge_base.days import read_days, write_days
from knowledge_base.live import Live, Published
from knowledge_base.opening import Opening, open_now, read_spans, write_spans
from knowledge_base.town import Typed, read
from storage.clock import JAPAN
from tests.conftest import Town
from tests.desk import Colleague, a_case, at_work
from tests.test_kb import MADO, made, send

TOWN = Areas(
    1, "うけとめ市", "埼玉県", ("となり市", "みずべ町"),
    (
        District("d1", "北地区", ("本町", "栄町1〜3丁目", "北ヶ丘")),
        District("d2", "南地区", ("栄町四丁目から六丁目", "南栄町", "さくら町", "桜台1・3丁目")),
    ),
)  # fmt: skip
FORM = {
    "town": "うけとめ市", "prefecture": "埼玉県", "neighbours": "となり市",
    "name-0": "北地区", "also-0": "本町、栄町1〜3丁目", "name-1": "南地区", "also-1": "南栄町",
}  # fmt: skip


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


@pytest.mark.parametrize(
    ("told", "kind", "name"),
    [
        ("本町です", "district", "北地区"),
        ("うけとめ市本町３－２", "district", "北地区"),
        ("栄町二丁目のアパート", "district", "北地区"),
        ("栄町５−２−１", "district", "南地区"),
        ("埼玉県うけとめ市北が丘", "district", "北地区"),
        ("桜台 3丁目", "district", "南地区"),
        ("栄町", "unknown", ""),
        ("栄町十二丁目", "unknown", ""),
        ("東本町", "unknown", ""),
        ("本町田", "unknown", ""),
        ("みなみ本町", "unknown", ""),
        ("北地区から南地区へ", "unknown", ""),
        ("前はとなり市、いまは北地区", "unknown", ""),
        ("市役所の近く", "unknown", ""),
        ("うけとめ市内", "unknown", ""),
        ("", "unknown", ""),
        ("となり市本町", "elsewhere", "となり市"),
        ("富士見市です", "elsewhere", "富士見市"),
        ("東京都から", "elsewhere", "東京都"),
    ],
)
def test_where_somebody_lives_is_read_and_never_guessed(told: str, kind: str, name: str) -> None:
    where = TOWN.where(told)
    assert (where.kind, where.name) == (kind, name)


DESKS = st.lists(
    st.fixed_dictionaries(
        {
            "reach": st.sampled_from(["town", "prefecture", "nation", ""]),
            "areas": st.lists(st.sampled_from(["d1", "d2", "d9"]), max_size=2, unique=True),
        }
    ),
    max_size=6,
)
PLACES = st.sampled_from([UNKNOWN, TOWN.where("本町"), TOWN.where("南地区"), TOWN.where("となり市")])


@given(DESKS, PLACES)
def test_an_area_narrows_and_never_leaves_nobody(contents: list[dict[str, Any]], where: Where) -> None:
    desks = [Live(str(at), "desk", 1, content) for at, content in enumerate(contents)]
    published = Published(serving={"x": desks}, areas=TOWN)
    everything, narrowed = list(published.desks("x")), list(published.desks("x", where))
    assert everything == desks
    if where.kind != "district":
        assert sorted(one.id for one in narrowed) == sorted(one.id for one in desks), "nothing is hidden"
    if where.kind == "unknown":
        assert narrowed == desks
    assert bool(narrowed) == bool(desks)
    for desk in desks:
        if not set(desk.content["areas"]) & {"d1", "d2"} or desk.content["reach"] in ("prefecture", "nation"):
            assert desk in narrowed, "what serves the whole town stays"
    own = [one for one in desks if where.district and TOWN.rank(one.content, where) == 0]
    assert narrowed[: len(own)] == own, "the own district's come first"


async def test_districts_are_kept_and_narrow_the_case_page(town: Town, yamada: Colleague) -> None:
    first = (await yamada.http.get("/staff/kb/areas")).text
    assert 'value="うけとめ市"' in first, "the town's name is there from the settings"
    saved = await send(yamada, "/staff/kb/areas", {**FORM, "version": "0"})
    assert saved.status_code == 303, saved.text
    await town.until(lambda: _number(1), 5)
    both = {**MADO, "services": ["seikatsu_hogo"]}
    await made(yamada, "desk", **{**both, "name": "北の窓口", "areas": ["d1"]})
    await made(yamada, "desk", **{**both, "name": "南の窓口", "areas": ["d2"]})
    await made(yamada, "desk", **{**both, "name": "みんなの窓口"})
    await made(yamada, "desk", **{**both, "name": "県の窓口", "reach": "prefecture"})
    await town.until(lambda: _published(4), 5)

    found = {"services": [{"id": "seikatsu_hogo", "score": 0.9, "quote": ""}]}
    told: dict[str, tuple[list[str], str]] = {
        "本町に住んでいます": (["北の窓口", "みんなの窓口", "県の窓口"], "北地区の窓口を先に"),
        "となり市です": (["県の窓口", "北の窓口"], "町の窓口はうけとめ市の人のためのもの"),
        "駅の近く": (["北の窓口", "南の窓口", "みんなの窓口", "県の窓口"], ""),
    }
    for area, (names, note) in told.items():
        case_id = await a_case(town, "食べる物がありません", found={**found, "topics": {"area": area}})
        shown = (await yamada.open(case_id)).partition("考えられる支援")[2]
        places = [shown.index(name) for name in names]
        assert places == sorted(places) or area == "駅の近く", area
        assert note in shown
        assert ("南の窓口" in shown) == (area != "本町に住んでいます")

    tried = await send(yamada, "/staff/kb/areas/try", {"told": "栄町二丁目のアパート"})
    assert "北地区の人として" in tried.text
    gone = await send(yamada, "/staff/kb/areas", {**FORM, "id-0": "d1", "name-1": "", "also-1": "", "version": "1"})
    assert gone.status_code == 422
    assert "南地区は、南の窓口が受け持っています" in gone.text


async def _number(number: int) -> bool:
    return live.now().areas.number == number


async def _published(number: int) -> bool:
    return len(live.now().entries) == number


async def test_the_demo_town_shows_it_filled_and_leaves_a_towns_own_districts_alone(
    town: Town, yamada: Colleague
) -> None:
    await send(yamada, "/staff/kb/demo", {})
    await town.until(lambda: _published(48), 5)
    now, areas = town.clock.now(), live.now().areas
    assert [one["name"] for one in kb_desks.contacts("chiiki_houkatsu", now, areas.where("桜ヶ丘"))] == [
        "北地域包括支援センター"
    ]
    assert len(kb_desks.contacts("chiiki_houkatsu", now, areas.where("駅のあたり"))) == 3
    [hello_work] = kb_desks.contacts("hello_work", now, areas.where("となり市です"))
    assert hello_work["name"] == "ハローワークうけとめ"
    await send(
        yamada, "/staff/kb/areas", {**FORM, "version": "1", "name-0": "", "also-0": "", "name-1": "", "also-1": ""}
    )
    assert live.now().areas.number == 1, "its desks still name them"


async def test_two_admins_and_wrong_districts_lose_nothing(town: Town, yamada: Colleague) -> None:
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        assert (await send(suzuki, "/staff/kb/areas", {**FORM, "version": "0"})).status_code == 303
        late = await send(yamada, "/staff/kb/areas", {**FORM, "name-2": "西地区", "version": "0"})
        assert late.status_code == 409
        assert all(part in late.text for part in ("西地区", "いま保存されている地区", 'name="version" value="1"'))
        kept = {**FORM, "id-0": "d1", "id-1": "d2", "name-2": "西地区", "version": "1"}
        assert (await send(yamada, "/staff/kb/areas", kept)).status_code == 303
        await town.until(lambda: _number(2), 5)
        assert [one.id for one in live.now().areas.districts] == ["d1", "d2", "d3"]
    wrong = {
        **FORM, "town": "", "also-1": "栄町二丁目", "name-2": "北地区", "name-3": "<b>東</b>", "also-3": "となり市",
        "name-4": "中地区", "also-4": "1丁目", "version": "2",
    }  # fmt: skip
    refused = await send(yamada, "/staff/kb/areas", wrong)
    assert refused.status_code == 422
    for sentence in ("町の名前を", "「栄町二丁目」は、北地区にもあります", "「北地区」は、北地区にもあります",
                     "「となり市」は、となりの市町村にもあります", 
                     "「1丁目」は、栄町1・2丁目 のように", "&lt;b&gt;東&lt;/b&gt;"):  # fmt: skip
        assert sentence in refused.text, sentence
    async with at_work(town, "佐藤", "sato@example.jp", "supervisor") as sato:
        assert (await sato.http.get("/staff/kb/areas")).status_code == 404
        assert (await send(yamada, "/staff/kb/areas", {**FORM, "name-0": "あ" * 50, "version": "2"})).status_code == 422


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=JAPAN)


OFFICE = {day: read_spans("8:30〜12:00、13:00〜17:15") for day in ("mon", "tue", "wed", "thu", "fri")}
NIGHT = {"fri": read_spans("２０：００～翌2:00"), "sat": read_spans("20:00〜24:00")}
ALWAYS = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), read_spans("0:00〜24:00"))
WORKS = read_days(["2026/12/1〜12/3　改修工事"])


@pytest.mark.parametrize(
    ("week", "now", "until", "opens"),
    [
        (OFFICE, "2026-11-24T10:00", "2026-11-24T12:00", None),
        (OFFICE, "2026-11-24T12:00", None, "2026-11-24T13:00"),  # the lunch break
        (OFFICE, "2026-11-24T17:15", None, "2026-11-25T08:30"),
        (OFFICE, "2026-11-23T10:00", None, "2026-11-24T08:30"),  # 勤労感謝の日
        (OFFICE, "2026-09-22T10:00", None, "2026-09-24T08:30"),  # a day between two holidays is one
        (OFFICE, "2027-03-22T10:00", None, "2027-03-23T08:30"),  # in place of a holiday on a Sunday
        (OFFICE, "2026-05-06T10:00", None, "2026-05-07T08:30"),  # in place of 3 May, after two more holidays
        (OFFICE, "2026-12-28T17:30", None, "2027-01-04T08:30"),  # the turn of the year
        (OFFICE, "2026-12-01T10:00", None, "2026-12-04T08:30"),  # shut out of turn
        (NIGHT, "2026-11-28T01:59", "2026-11-28T02:00", None),
        (NIGHT, "2026-11-28T02:00", None, "2026-11-28T20:00"),
        (NIGHT, "2026-11-28T23:59", "2026-11-29T00:00", None),
    ],
)
def test_whether_a_desk_is_open(week: Any, now: str, until: str | None, opens: str | None) -> None:
    found = open_now(week, at(now), on_holidays=False, closed_on=WORKS)
    assert (found.until, found.next) == (at(until) if until else None, at(opens) if opens else None)
    assert found.open == (until is not None)


def test_who_never_closes_and_who_is_shut_says_so() -> None:
    assert open_now(ALWAYS, at("2027-01-01T03:00"), on_holidays=True) == Opening(True)
    assert open_now(ALWAYS, at("2027-01-01T03:00"), on_holidays=False).open is False
    assert open_now({}, at("2026-11-24T10:00"), on_holidays=False) == Opening(False)
    desk = {"name": "あ", "hours": ALWAYS, "holidays": "open", "closed_on": WORKS}
    shown = kb_desks.contact(desk, at("2026-12-01T10:00"))
    assert shown["opening"] == "きょうは臨時のお休みです（改修工事）。次は12月4日（金） 0時0分から"
    assert shown["closings"] == ["2026年12月1日〜2026年12月3日（改修工事）"]
    assert kb_desks.contact(desk, at("2026-12-05T10:00"))["closings"] == []
    assert kb_desks.contact(desk, at("2026-12-05T10:00"))["opening"] == "いま開いています"
    night = {"hours": NIGHT, "name": "夜"}
    assert kb_desks.contact(night, at("2026-11-27T21:00"))["opening"] == "いま開いています（翌日の2時0分まで）"
    assert kb_desks.contact(night, at("2026-11-28T21:00"))["opening"] == "いま開いています（24時まで）"


@given(st.lists(st.tuples(st.dates(datetime(2020, 1, 1).date(), datetime(2090, 1, 1).date()), st.integers(0, 300),
                          st.sampled_from(["", "改修工事", "研修のため"]))))  # fmt: skip
def test_days_out_of_turn_are_written_as_they_are_read(days: list[tuple[Any, int, str]]) -> None:
    lines = [[one.isoformat(), (one + timedelta(days=more)).isoformat(), why] for one, more, why in days]
    assert read_days(write_days(lines)) == sorted(lines)


def test_hours_and_days_are_read_as_offices_write_them() -> None:
    assert write_spans(read_spans("２０時～翌日2時")) == "20:00〜翌2:00"
    assert write_spans(read_spans("0:00〜24:00")) == "0:00〜24:00"
    assert read_days(["令和8年12月28日（月）から1月4日まで、年末年始"]) == [["2026-12-28", "2027-01-04", "年末年始"]]
    assert read_days(["２０２６／１２／２８"]) == [["2026-12-28", "2026-12-28", ""]]
    wrong = {
        "12/28": "年も書いて", "2026/2/30": "日付を確かめて", "あした": "2026/12/28〜2027/1/4",
        "2026/12/28〜2026/1/4": "終わりの日",
        "1026/1/1": "年を確かめて",
    }  # fmt: skip
    for line, sentence in wrong.items():
        problem, values = read("desk", Typed({"name": "窓口", "closed_on": f"2026/1/1\n{line}"})).problems["closed_on"]
        assert sentence in problem.format(**values)
        assert "2行目" in problem.format(**values)
    both = read("desk", Typed({"name": "窓口", "reach": "nation"}, {"areas": ["d1"]}))
    assert "この町の人のため" in both.problems["areas"][0]

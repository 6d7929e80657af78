"""HSDS 3: what is published is valid and comes back as it was; what others wrote comes as drafts, in any shape."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid5

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from knowledge_base import hsds, hsds_read, town
from knowledge_base.areas import REACHES, Areas, District
from knowledge_base.entries import DAYS, demo_town
from knowledge_base.hsds_terms import ROOT
from knowledge_base.live import Live, Published
from knowledge_base.opening import write_spans
from knowledge_base.rows import NotRead, Row
from knowledge_base.town import Typed
from tests.hsds_schemas import complaints, needs_schemas

TOWN = "うけとめ市"
NATIONAL = ("seikatsu_hogo", "nofu_soudan", "jiritsu_soudan")
#: Of them the last is a draft.
TOWNS = ("town_a1", "town_b2", "town_c3")
KINDS = {"organizations": "organization", "services": "service", "locations": "location",
         "service_at_locations": "service_at_location", "taxonomies": "taxonomy",
         "taxonomy_terms": "taxonomy_term"}  # fmt: skip

#: Anything that can be typed, and often what is easily lost: blanks at the ends of lines, empty lines, wide blanks.
pieces = st.sampled_from(["\n", "\n\n", "\n　・通帳", " ", "　", "\t", "<b>&\\", "%", "料金", "相談できます。"])
texts = st.lists(pieces | st.text(st.characters(codec="utf-8"), max_size=5), max_size=8).map("".join)
addresses = st.lists(
    st.sampled_from(["〒100-0001 ", "東京都", "神奈川県", TOWN, "中央1-1", " ", "\n", "市役所2階", "〒"]), max_size=5
).map("".join)
webs = st.one_of(st.just(""), texts.map("https://例え.jp:8443/%zz/{}".format))
clocks = st.lists(st.integers(0, 95), min_size=2, max_size=6, unique=True).map(sorted)
weeks = st.dictionaries(st.sampled_from(DAYS), clocks)
days = st.sampled_from(["", "2026-11-27"])
DISTRICTS = (District("d1", "北地区", ("本町", "栄町1〜3丁目")), District("d2", "南地区"))
shut = st.lists(st.tuples(st.sampled_from(["2026/12/28〜2027/1/4", "2026/12/5", "令和9年3月1日"]), texts), max_size=3)


@st.composite
def contents(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """What `town.read` accepts of what somebody may have typed."""
    single = {name: draw(texts) for name in town.TEXTS[kind]} | {"web": draw(webs), "checked": draw(days)}
    single["reach"] = draw(st.sampled_from(REACHES))
    areas = draw(st.lists(st.sampled_from([one.id for one in DISTRICTS]), unique=True, max_size=2))
    several = {"services": draw(st.lists(st.sampled_from([*NATIONAL, *TOWNS]), min_size=1, unique=True))}
    if kind == "service":
        single |= {"like": draw(st.sampled_from(NATIONAL)), "voices": "\n".join(draw(st.lists(texts, max_size=5)))}
        several = {"fields": draw(st.lists(st.sampled_from(["work", "poverty", "suicide"]), unique=True))}
    else:
        single |= {
            "address": draw(addresses),
            "phone": draw(st.sampled_from(["", "０３（１２３４）５６７８", "#7119"])),
        }
        single |= {f"hours-{day}": _written(at) for day, at in draw(weeks).items()}
        single["holidays"] = draw(st.sampled_from(["open", "closed"]))
        single["closed_on"] = "\n".join(f"{day}　{' '.join(why.split())[:20]}" for day, why in draw(shut))
    several["areas"] = areas if single["reach"] == "town" else []
    wrong = town.read(kind, Typed(single, several)).problems
    found = town.read(kind, Typed({name: one for name, one in single.items() if name not in wrong}, several))
    assume(not found.problems)
    return found.content


def _written(quarters: list[int]) -> str:
    times = [f"{at // 4}:{at % 4 * 15:02}" for at in quarters]
    return write_spans(list(zip(times[::2], times[1::2], strict=False)))


def published(*entries: Live) -> Published:
    """As the keeper holds it."""
    serving: dict[str, list[Live]] = {}
    for one in entries:
        for service in one.content.get("services", ()):
            serving.setdefault(service, []).append(one)
    areas = Areas(1, TOWN, "埼玉県", (), DISTRICTS)
    return Published({one.id: one for one in entries}, serving=serving, areas=areas)


def demo() -> Published:
    """The demo town's desks."""
    return published(*(Live(f"town_demo_{id_}", "desk", 1, town.from_demo(one)) for id_, one in demo_town().items()))


def read_back(rows: list[Row]) -> dict[str, Any]:
    """What the gate makes of the rows; nothing of it may be wrong."""
    found = {row.id: town.read(row.kind, row.typed) for row in rows}
    assert [one.problems for one in found.values() if one.problems] == []
    return {id_: one.content for id_, one in found.items()}


@settings(max_examples=20, deadline=None)
@given(st.lists(contents("service"), min_size=2, max_size=2), st.lists(contents("desk"), min_size=1, max_size=3))
def test_what_goes_out_is_valid_and_comes_back_as_it_was(
    services: list[dict[str, Any]], desks: list[dict[str, Any]]
) -> None:
    entries = [Live(id_, "service", 1, one) for id_, one in zip(TOWNS, services, strict=False)]
    entries += [Live(f"town_d{n}", "desk", 1, one) for n, one in enumerate(desks)]
    tables = hsds.tables(published(*entries), TOWN, examples=True)
    rows = hsds_read.read(hsds.one_file(tables), TOWN)
    assert read_back(rows) == {one.id: one.content for one in entries}
    assert [one for row in rows for one in row.left_out] == []
    assert hsds_read.read_file(hsds.one_file(tables), TOWN)[1] == list(DISTRICTS)
    assert {row.state for row in rows} == {"published"}
    # The same from the pages of the public address, for every desk that stands there with a service.
    page = json.dumps({"contents": [*tables.services.values()]}).encode()
    assert read_back(hsds_read.read(page)).items() <= {one.id: one.content for one in entries}.items()
    own = [one for one in tables.services.values() if "national" not in str(one.get("attributes"))]
    assert len(own) == len(services)
    for kind, ones in (("service", own), ("location", tables.locations.values())):
        assert [said for one in ones for said in _complaints(kind, one)] == []


def _complaints(kind: str, one: Any) -> list[str]:
    from tests.hsds_schemas import FOLDER

    return complaints(kind, one) if FOLDER.exists() else []


@needs_schemas
def test_every_object_of_the_demo_town_is_valid() -> None:
    wrong = {"id": "1", "name": "名前", "status": "open", "url": "https://例え.jp", "nombre": "x"}
    assert len(complaints("service", wrong)) == 4, "the check itself can fail"
    tables = hsds.tables(demo(), TOWN)
    for name, kind in KINDS.items():
        found = getattr(tables, name)
        assert [said for one in found.values() for said in complaints(kind, one)] == [], name
        assert [said for one in found.values() for said in complaints(kind, hsds.bare(one))] == [], name
    whole = json.loads(hsds.one_file(tables))
    for name in KINDS.keys() & whole.keys():
        assert [said for one in whole[name] for said in complaints(KINDS[name], one)] == [], name


def test_ids_are_one_of_a_kind_and_whatever_is_named_is_there() -> None:
    whole = json.loads(hsds.one_file(hsds.tables(demo(), TOWN)))
    tables = {name: {one["id"] for one in ones} for name, ones in whole.items() if isinstance(ones, list)}
    assert whole["organizations"][0]["id"] == str(uuid5(uuid5(ROOT, f"town/{TOWN}"), "organization/town"))
    ids: list[str] = []
    for place, one in _objects(whole):
        if not place.endswith(
            ("taxonomy_term", "organization")
        ):  # a term and an organization stand wherever they are meant
            ids.append(one["id"])
        for name, table in (("organization_id", "organizations"), ("location_id", "locations"),
                            ("service_id", "services"), ("taxonomy_id", "taxonomies"),
                            ("taxonomy_term_id", "taxonomy_terms")):  # fmt: skip
            assert one.get(name) is None or one[name] in tables[table], place
    assert len(ids) == len(set(ids))
    assert len(whole["services"]) == 96
    assert len(whole["locations"]) == 48
    other = json.loads(hsds.one_file(hsds.tables(demo(), "となり市")))
    assert {one["id"] for one in other["services"]}.isdisjoint(tables["services"]), "each town has ids of its own"
    own_words = {one["id"] for one in other["taxonomy_terms"]} ^ tables["taxonomy_terms"]
    assert len(own_words) == 2 * len(DISTRICTS), "and the words in common, its districts excepted"
    assert {row.state for row in hsds_read.read(json.dumps(other).encode(), TOWN)} == {"draft"}


def _objects(given: Any, at: str = "") -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(given, list):
        return [found for one in given for found in _objects(one, at)]
    if not isinstance(given, dict):
        return []
    return [*([(at, given)] if "id" in given else []), *(f for name, one in given.items() for f in _objects(one, name))]


def test_the_public_file_holds_no_examples_and_no_link_to_a_draft() -> None:
    said = town.read("service", Typed({"name": "楽器バンク", "voices": "楽器を買うお金がありません"})).content
    desk = {**town.from_demo(demo_town()["shuno"]), "services": [TOWNS[2], "nofu_soudan", TOWNS[0]]}
    now = published(Live(TOWNS[0], "service", 1, said), Live("town_d", "desk", 1, desk))
    public = hsds.one_file(hsds.tables(now, TOWN))
    assert "楽器を買うお金" not in public.decode()
    assert TOWNS[2] not in public.decode()
    service, served = hsds_read.read(public)
    assert "voices" not in service.typed.single, "says nothing about examples, so none is taken away"
    assert served.typed.several["services"] == ["nofu_soudan", TOWNS[0]]


# Made up: what a neighbour that knows nothing of us might publish.
NEIGHBOUR: dict[str, Any] = {
    "total_items": 4, "page_number": 1, "contents": [
        {
            "id": "3b5cbe10-9f1d-4c3e-9c11-000000000001", "status": "active", "name": "ひとり親の夜間相談",
            "description": "仕事帰りに寄れる相談です。" + "保育や養育費のことも話せます。" * 20,
            "minimum_age": 18, "url": "http://kawakami.example.jp/yoru", "email": "yoru@kawakami.example.jp",
            "cost_options": [{"id": "x", "amount": 0, "currency": "jpy"}],
            "attributes": [
                {"id": "a", "taxonomy_term": {"id": "t1", "name": "子ども・子育て", "taxonomy": "川上市の分類"}},
                {"id": "b", "taxonomy_term": {"id": "t2", "name": "夜間", "taxonomy": "川上市の分類"}},
            ],
            "service_at_locations": [
                {
                    "id": "s1", "phones": [{"number": "FAX +81 99-000-0001", "type": "fax"},
                                           {"number": "+81 99-000-0002（担当 さくら）", "extension": 12}],
                    "schedules": [
                        {"freq": "WEEKLY", "byday": "TU, TH", "opens_at": "17:30", "closes_at": "21:00:00"},
                        {"freq": "WEEKLY", "byday": "TH", "opens_at": "10:00+09:00", "closes_at": "12:00+09:00"},
                        {"freq": "MONTHLY", "byday": "2SA", "opens_at": "10:00", "closes_at": "12:00"},
                        {"freq": "WEEKLY", "byday": "FR", "opens_at": "09:00Z", "closes_at": "12:00Z"},
                        {"freq": "WEEKLY", "byday": "SA", "opens_at": "22:00", "closes_at": "05:00"},
                    ],
                    "location": {"id": "hall", "name": "川上市役所", "addresses": [
                        {"postal_code": "999-9999", "state_province": "静岡県", "city": "川上市",
                         "address_1": "本町3-1", "country": "JP", "address_type": "physical"}]},
                }
            ],
        },
        {
            "id": "3b5cbe10-9f1d-4c3e-9c11-000000000002", "status": "active", "name": "生活保護",
            "organization": {"name": "川上市福祉課"}, "phones": [{"number": "099-000-0003"}],
            "service_at_locations": [{"id": "s2", "location": {"id": "hall", "name": "川上市役所"}}],
        },
        {"id": "3b5cbe10-9f1d-4c3e-9c11-000000000003", "status": "defunct", "name": "古い相談", "phones": "なし"},
        {"status": "active", "organization": {"name": "川上社協"}, "name": "車いすを貸す",
         "phones": [{"number": "099-000-0004"}]},
        "ここは読めません",
    ],
}  # fmt: skip


def test_a_neighbours_data_come_as_drafts_with_what_is_lacking_said() -> None:
    rows = hsds_read.read(json.dumps(NEIGHBOUR).encode())
    night, old, chairs, hall, welfare, lending = rows
    assert [row.kind for row in rows] == ["service"] * 3 + ["desk"] * 3
    assert {row.state for row in rows} == {"draft"}
    assert [row.place for row in rows[:4]] == [
        "contents[0]", "contents[2]", "contents[3]", "contents[0].service_at_locations[0].location",
    ]  # fmt: skip
    read = town.read("service", night.typed)
    assert not read.problems
    assert read.lacking.keys() == {"voices", "like"}
    assert read.content["fields"] == ["child"]
    assert (read.content["who"], read.content["cost"]) == ("18歳から", "0円")
    assert len(read.content["about"]) <= 200
    assert read.content["about"].endswith("。")
    assert "yoru@kawakami.example.jp" in read.content["note"] + str(night.left_out)
    told = " ".join(sentence.format(**values) for sentence, values in [*night.left_out, *hall.left_out])
    for part in ("「夜間」という分類", "http://kawakami.example.jp/yoru", "MONTHLY 2SA", "09:00Z", "22:00 05:00"):
        assert part in told, part
    desk = town.read("desk", hall.typed)
    assert desk.problems == desk.lacking == {}
    assert desk.content["address"] == "〒999-9999 静岡県川上市本町3-1"
    assert desk.content["hours"] == {"tue": [["17:30", "21:00"]], "thu": [["10:00", "12:00"], ["17:30", "21:00"]]}
    assert desk.content["phone"] == "099-000-0002"
    assert "さくら）（内線12）" in desk.content["note"]
    assert desk.content["services"] == [night.id]
    assert hall.inputs["phone"].endswith("phones[1].number")
    assert (welfare.typed.several["services"], welfare.typed.single["phone"]) == (["seikatsu_hogo"], "099-000-0003")
    assert welfare.typed.single["name"] == "川上市役所（生活保護）", "the same house, another number: another desk"
    assert "全国の支援" in str(welfare.left_out)
    assert "いま行われていない" in str(old.left_out)
    assert (chairs.id, lending.typed.single["name"]) == ("", "川上社協")
    twice = {**NEIGHBOUR["contents"][1], "id": "w", "phones": []}
    twice["service_at_locations"] = [
        {"location": {"id": "hall"}, "phones": [{"number": f"099-000-100{n}"}]} for n in "123"
    ]
    assert len({row.id for row in hsds_read.read(json.dumps([twice]).encode())}) == 3
    again = hsds_read.read(json.dumps(NEIGHBOUR).encode())
    assert [row.id for row in again] == [row.id for row in rows], "brought again it changes, and doubles nothing"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "JSONとして読めません（1行目）"), (b'{"services": [\n{]}', "（2行目）"), (b"9" * 5000, "JSONとして"),
        (b"[" * 100_000, "入れ子が深すぎる"), ("窓口".encode("cp932"), "UTF-8では"), (b"PK\x03\xff", "UTF-8では"),
        (b"[1, 2]", "HSDS 3のデータでは"), (b"null", "HSDS 3のデータでは"), (b'{"a": 1}', "HSDS 3のデータでは"),
        (b'{"contents": [{"id": "1", "name": "n", "description": "d"}]}', "HSDS 3のデータでは"),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_hsds_is_told_in_a_sentence(data: bytes, said: str) -> None:
    with pytest.raises(NotRead, match=said):
        hsds_read.read(data)


NAMES = st.sampled_from([
    "services", "contents", "status", "name", "id", "attributes", "taxonomy_term", "service_at_locations", "location",
    "locations", "location_id", "phones", "number", "schedules", "byday", "opens_at", "closes_at", "freq", "addresses",
    "address_1", "city", "description", "url", "minimum_age", "cost_options", "amount", "assured_date", "extension",
    "organization", "external_identifier", "external_identifier_type", "required_documents", "value", "code",
])  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300)
    | st.sampled_from(["MO,TU", "08:30", "25:99", "uketome", "town_a", "id", "0" * 20, "voice", "生活困窮", "https://[x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=40,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(ODD, ODD)
def test_whatever_others_wrote_is_read_and_nothing_of_it_is_wrong_but_a_name(service: Any, location: Any) -> None:
    told = service if isinstance(service, dict) else {"description": service}
    at = {"location": location, "phones": location, "schedules": location}
    whole = {"contents": [{"status": "active", "service_at_locations": [at], **told}, service], "locations": location}
    for row in hsds_read.read(json.dumps(whole).encode()):
        assert set(town.read(row.kind, row.typed).problems) <= {"name"} or row.state != "draft"

"""The entries of the knowledge base: complete, plain, sourced, and refused in one sentence where they are not."""

from __future__ import annotations

import copy
import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge_base.entries import FILLED_BY_TOWN, Entry, demo_town, entries, sentences
from knowledge_base.vocabulary import CONTENT, ContentError, vocabulary

GROUPS = CONTENT / "entries"
EVERY = sorted(entries().values(), key=lambda entry: entry.id)


def by_id(entry: Entry) -> str:
    return entry.id


def test_every_service_of_the_vocabulary_has_an_entry() -> None:
    assert set(entries()) == set(vocabulary().services)
    assert len(entries()) == 96


def test_a_file_holds_its_services_in_the_order_of_services_yml() -> None:
    order = list(vocabulary().services)
    for path in GROUPS.glob("*.yml"):
        places = [order.index(name) for name in yaml.safe_load(path.read_text(encoding="utf-8"))]
        assert all(after - before == 1 for before, after in pairwise(places)), path.name


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_an_entry_is_short_enough_to_be_read(entry: Entry) -> None:
    assert 2 <= len(sentences(entry.what)) <= 3
    assert 1 <= len(sentences(entry.begin)) <= 2
    assert 2 <= len(sentences(entry.easy)) <= 4
    assert 2 <= len(entry.names) <= 4
    for text in (entry.what, entry.who, entry.cost, entry.begin, entry.after):
        assert text.endswith("。")
        assert not re.search(r"[A-Za-z]{4,}", text), "words that nobody of eighty can read aloud"


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_one_may_always_come_without_papers(entry: Entry) -> None:
    if "相談は無料" in entry.cost:
        kept_open = (
            "何もなくても",
            "何もいりません",
            "何も持って",
            "なくても",
            "そろっていなくても",
            "足りない",
            "相談だけ",
        )
        assert any(word in item for item in entry.bring for word in (*kept_open, "聞くだけ", "わからないこと"))


@pytest.mark.parametrize("entry", EVERY, ids=by_id)
def test_no_name_says_only_what_the_service_is_called_already(entry: Entry) -> None:
    assert len(set(entry.names)) == len(entry.names)
    assert vocabulary().services[entry.id].ja not in entry.names


def test_what_was_checked_was_checked_on_a_day_that_has_been() -> None:
    checked = [entry.checked for entry in EVERY if entry.checked]
    assert checked
    assert all(day <= date.today() for day in checked)


def test_a_town_fills_in_where_and_when() -> None:
    for entry in EVERY:
        assert {"address", "hours", "phone"} <= set(entry.town) <= set(FILLED_BY_TOWN)


def test_the_demo_town_has_a_desk_for_every_service() -> None:
    served = {service for desk in demo_town().values() for service in desk.services}
    assert served == set(vocabulary().services)
    assert len([desk for desk in demo_town().values() if "chiiki_houkatsu" in desk.services]) == 3


def test_the_demo_towns_desks_share_no_phone_and_their_hours_do_not_overlap() -> None:
    desks = demo_town().values()
    assert len({desk.phone for desk in desks}) == len(desks)
    for desk in desks:
        days = [day for hours in desk.hours for day in hours.days]
        assert len(days) == len(set(days)), desk.id


SOUND = yaml.safe_load((GROUPS / "living.yml").read_text(encoding="utf-8"))["seikatsu_hogo"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"after": None}, "after must be text"),
        ({"what": "  "}, "what must be text"),
        ({"what": "これは" + "とても" * 20 + "長い文です。"}, "a sentence longer than 60"),
        ({"who": "65歳より前の人は対象外です。"}, "対象外"),
        ({"begin": "まず0120-000-000に電話してください。"}, "looks like a phone number"),
        ({"begin": "まず０９０ー１２３４に電話してください。"}, "looks like a phone number"),
        ({"begin": "まず#8008に電話してください。"}, "looks like a phone number"),
        ({"names": ["189番"]}, "looks like a phone number"),
        ({"bring": []}, "bring must be a list"),
        ({"law": ""}, "law must be text"),
        ({"source": []}, "at least one page"),
        ({"source": [{"name": "だれかの日記", "url": "https://example.com/"}]}, "national and official"),
        ({"source": [{"name": "似た名前", "url": "https://mhlw.go.jp.example.com/"}]}, "national and official"),
        ({"source": [{"name": "厚生労働省", "url": "http://www.mhlw.go.jp/"}]}, "an https page"),
        ({"checked": "昨日"}, "checked must be a date or null"),
        ({"town": ["fax"]}, "not fax"),
        ({"easy": "お金が たりない ときは、生活扶助制度を 使えます。"}, "4 kanji in a row"),
        ({"easy": "お金がたりないとき、話せます。"}, "spaces between the phrases"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    entry = copy.deepcopy(SOUND) | change
    with pytest.raises(ContentError, match=complaint) as refused:
        entries(written(tmp_path, {"seikatsu_hogo": entry}))
    assert str(refused.value).startswith("living.yml: seikatsu_hogo")


@pytest.mark.parametrize("key", list(SOUND))
def test_an_entry_that_lacks_something_is_refused(tmp_path: Path, key: str) -> None:
    entry = {name: value for name, value in SOUND.items() if name != key}
    with pytest.raises(ContentError, match=f"seikatsu_hogo lacks {key}"):
        entries(written(tmp_path, {"seikatsu_hogo": entry}))


def test_an_unknown_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="seikatsu_hog is not the id of a service"):
        entries(written(tmp_path, {"seikatsu_hog": SOUND}))


def test_a_service_described_in_two_files_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"seikatsu_hogo": SOUND})
    (tmp_path / "work.yml").write_text(yaml.safe_dump({"seikatsu_hogo": SOUND}), encoding="utf-8")
    with pytest.raises(ContentError, match=r"work\.yml: seikatsu_hogo is described twice"):
        entries(tmp_path)


DESK = {
    "name": "福祉総合相談課",
    "address": "うけとめ市中央1-1",
    "phone": "000-0000-1101",
    "hours": [{"days": ["mon"], "from": "8:30", "until": "17:15"}],
    "holidays": "closed",
    "note": "予約はいりません。",
    "services": ["seikatsu_hogo"],
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"phone": "0120-000-000"}, "can never ring anybody"),
        ({"hours": [{"days": ["mon"], "from": "17:15", "until": "8:30"}]}, "not after they begin"),
        ({"hours": [{"days": ["mon"], "from": "8時半", "until": "17:15"}]}, "written as 8:30"),
        ({"hours": [{"days": ["mon"], "from": "8:30", "until": "25:00"}]}, "desk: hour must be in"),
        ({"hours": [{"days": ["月"], "from": "8:30", "until": "17:15"}]}, "not 月"),
        ({"holidays": "maybe"}, "holidays must be one of closed, open"),
        ({"services": ["nothing"]}, "nothing is not the id of a service"),
    ],
)
def test_a_wrong_desk_is_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    path = tmp_path / "demo_town.yml"
    path.write_text(yaml.safe_dump({"desks": {"desk": DESK | change}}), encoding="utf-8")
    with pytest.raises(ContentError, match=complaint):
        demo_town(path)


def written(folder: Path, rows: dict[str, Any]) -> Path:
    (folder / "living.yml").write_text(yaml.safe_dump(rows), encoding="utf-8")
    return folder

"""Open data: off unless the town wants it, valid page by page, and nothing in it that is not published."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.understanding import Understander
from knowledge_base import hsds_read, live
from storage.clock import JAPAN
from storage.settings import Settings
from storage.support import AuditEntry
from tests.conftest import Town, running
from tests.desk import INPUT, Colleague, at_work
from tests.hsds_schemas import PAGE, complaints, needs_schemas
from tests.stand_ins.clock import SetClock
from tests.test_areas import FORM
from tests.test_kb import GAKKI, MADO, VERSION, made, send
from tests.test_kb_bring import SAME, applied, planned, sums
from uketome import cli

KINDS = {"services": "service", "organizations": "organization", "service_at_locations": "service_at_location",
         "taxonomies": "taxonomy", "taxonomy_terms": "taxonomy_term"}  # fmt: skip
ALL, OPEN = "/open/hsds/all.json", "/staff/kb/open"
ON = {"act": "on", "seen": "1"}
AREAS = "/staff/kb/areas"
DISTRICTS = {**FORM, "prefecture": ""}


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


@pytest.fixture
async def open_town(town: Town, yamada: Colleague) -> Town:
    """A town whose admin lets everybody have its data."""
    assert (await send(yamada, OPEN, ON)).status_code == 303
    return town


async def fetch(town: Town, path: str) -> Any:
    """What anybody gets."""
    answer = await town.http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return answer.json()


async def says(town: Town, path: str, *names: str) -> str:
    """Waits until exactly these own services and desks are out; the text."""

    async def so() -> bool:
        told = await fetch(town, path)
        services = {one["name"] for one in told["services"] if "national" not in str(one["attributes"])}
        return services | {one["name"] for one in told["locations"]} == set(names)

    await town.until(so, 5)
    return (await town.http.get(path)).text


async def test_it_is_off_by_default_and_admins_have_the_file_all_the_same(town: Town) -> None:
    for path in ("/open/hsds", ALL, "/open/hsds/services", "/open/hsds/services/x", "/open/hsds/services?page=x"):
        answer = await town.http.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["detail"] == "この町は、オープンデータを公開していません。"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        await made(yamada, "service", **GAKKI)
        await town.service.knowledge.renew()
        assert "いまは、だれも取れません" in (await yamada.http.get("/staff/kb/open")).text
        public = await yamada.http.get("/staff/kb/hsds.json")
        assert "attachment" in public.headers["Content-Disposition"]
        assert ("楽器バンク" in public.text, "吹奏楽部に入りたい" in public.text) == (True, False)
        whole = await yamada.http.get("/staff/kb/hsds.json?examples=1")
        assert "吹奏楽部に入りたい" in whole.text
        assert {row.kind for row in hsds_read.read(whole.content)} == {"service"}
    async with at_work(town, "佐藤", "sato@example.jp", "supervisor") as sato:
        for path in (OPEN, f"{OPEN}/preview", "/staff/kb/hsds.json"):
            assert (await sato.http.get(path)).status_code == 404
        form = dict(INPUT.findall(await sato.queue()))
        assert (await sato.http.post(OPEN, data={**form, **ON})).status_code == 404
        assert (await town.http.get(ALL)).status_code == 404


async def test_an_admin_opens_and_shuts_and_each_is_in_the_trail_once(town: Town, yamada: Colleague) -> None:
    for _ in range(2):
        assert (await send(yamada, OPEN, ON)).status_code == 303
        assert (await town.http.get(ALL)).status_code == 200
    for _ in range(2):
        assert (await send(yamada, OPEN, {"act": "off"})).status_code == 303
        assert (await town.http.get(ALL)).status_code == 404
    actions = await town.service.database.read(
        lambda session: session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("open%"))).all()
    )
    assert actions == ["open_data_on", "open_data_off"]


async def test_the_installation_may_forbid_it(database_url: str, tmp_path: Path, reader: Understander) -> None:
    settings = Settings(database_url=database_url, var_dir=tmp_path / "var", open_data=False)
    async with running(settings, reader, SetClock()) as town, at_work(town, "山田", "y@example.jp", "admin") as yamada:
        assert "UKETOME_OPEN_DATA=false" in (await yamada.http.get(OPEN)).text
        refused = await send(yamada, OPEN, ON)
        assert refused.status_code == 409
        assert "公開できないようになっています" in refused.text
        assert (await town.http.get(ALL)).status_code == 404


async def test_what_was_opened_before_the_installation_forbade_it_can_be_shut(
    database_url: str, tmp_path: Path, reader: Understander
) -> None:
    """Else it were public again, unasked, as soon as the setting is gone."""
    allowing = Settings(database_url=database_url, var_dir=tmp_path / "var")
    async with running(allowing, reader, SetClock()) as town, at_work(town, "山田", "y@example.jp", "admin") as yamada:
        assert (await send(yamada, OPEN, ON)).status_code == 303
    forbidding = allowing.model_copy(update={"open_data": False})
    async with (
        running(forbidding, reader, SetClock()) as town,
        at_work(town, "鈴木", "s@example.jp", "admin") as suzuki,
    ):
        assert (await town.http.get(ALL)).status_code == 404
        assert "前に公開を選んだままです" in (await suzuki.http.get(OPEN)).text
        assert (await send(suzuki, OPEN, {"act": "off"})).status_code == 303
        assert "前に公開を選んだままです" not in (await suzuki.http.get(OPEN)).text
    async with running(allowing, reader, SetClock()) as town:
        assert (await town.http.get(ALL)).status_code == 404


async def test_only_what_is_published_leaves_and_what_is_retired_disappears(open_town: Town, yamada: Colleague) -> None:
    town = open_town
    service = await made(yamada, "service", **GAKKI)
    desk = await made(yamada, "desk", **{**MADO, "services": ["shugaku_enjo", service.rpartition("/")[2]]})
    await made(yamada, "desk", "save", **{**MADO, "name": "ひみつの下書き"})
    await made(yamada, "service", "review", **{**GAKKI, "name": "確認待ちの支援"})
    at = (town.clock.now() + timedelta(days=1)).astimezone(JAPAN)
    later = {"publish-day": f"{at:%Y-%m-%d}", "publish-time": f"{at:%H:%M}"}
    await made(yamada, "desk", **{**MADO, "name": "あしたからの窓口", **later})
    ahead = await send(yamada, desk, {**MADO, "note": "直しかけの覚え書き", "version": "1", "act": "save"})
    assert ahead.status_code == 303
    told = await says(town, ALL, "楽器バンク", "教育総務課")
    pages = [(await town.http.get(f"/open/hsds/{kind}?full=true&per_page=200")).text for kind in KINDS]
    for secret in ("ひみつの下書き", "確認待ち", "あしたから", "直しかけ", "山田", "yamada", "吹奏楽部に入りたい"):
        assert secret not in told + "".join(pages), secret
    found = (await fetch(town, "/open/hsds/services?search=楽器バンク&full=true"))["contents"]
    assert [at["location"]["phones"][0]["number"] for one in found for at in one["service_at_locations"]] == [
        "000-0000-1120"
    ]
    kept = await town.http.get(ALL)
    assert (await town.http.get(ALL, headers={"If-None-Match": kept.headers["ETag"]})).status_code == 304

    for entry in (service, desk):
        version = max(VERSION.findall((await yamada.http.get(entry)).text))
        assert (await send(yamada, f"{entry}/retire", {"version": version})).status_code == 303
    gone = await says(town, ALL)
    assert "楽器バンク" not in gone
    assert "000-0000-1120" not in gone
    assert (await town.http.get(ALL, headers={"If-None-Match": kept.headers["ETag"]})).status_code == 200
    assert (await town.http.get(f"/open/hsds/services/{found[0]['id']}")).status_code == 404
    town.clock.forward(days=1, minutes=1)
    await says(town, ALL, "あしたからの窓口")


async def test_the_pages_are_those_of_the_standard_within_their_bounds(open_town: Town, yamada: Colleague) -> None:
    town = open_town
    assert (await send(yamada, "/staff/kb/demo", {})).status_code == 303

    async def there() -> bool:
        return len(live.now().entries) == 48

    await town.until(there, 5)
    assert (await fetch(town, "/open/hsds/"))["version"] == "3.0"
    for kind in KINDS:
        page = await fetch(town, f"/open/hsds/{kind}?per_page=2&page=1")
        assert {name: type(value) for name, value in page.items()} == PAGE, kind
        one = await fetch(town, f"/open/hsds/{kind}/{page['contents'][0]['id']}")
        assert one["id"] == page["contents"][0]["id"]
        assert (await town.http.get(f"/open/hsds/{kind}/nothing")).status_code == 404
    every = [await fetch(town, f"/open/hsds/services?page={n}&per_page=40") for n in (1, 2, 3, 4)]
    assert [(page["size"], page["first_page"], page["last_page"], page["empty"]) for page in every] == [
        (40, True, False, False), (40, False, False, False), (16, False, True, False), (0, False, True, True),
    ]  # fmt: skip
    assert len({one["id"] for page in every for one in page["contents"]}) == every[0]["total_items"] == 96
    terms = (await fetch(town, "/open/hsds/taxonomy_terms?search=自殺対策"))["contents"]
    by_term = await fetch(town, f"/open/hsds/services?taxonomy_term_id={terms[0]['id']}&full=true")
    assert 0 < by_term["total_items"] < 96
    assert all(terms[0]["id"] in str(one["attributes"]) for one in by_term["contents"])
    towns, nation = (await fetch(town, "/open/hsds/organizations"))["contents"]
    shares = [
        (await fetch(town, f"/open/hsds/services?organization_id={one['id']}"))["total_items"]
        for one in (towns, nation)
    ]
    assert sum(shares) == 96
    assert len((await fetch(town, f"/open/hsds/organizations/{towns['id']}"))["services"]) == shares[0]
    for wrong in ("page=0", "page=-1", "page=x", "page=１", "page=99999999", "per_page=0", "per_page=201", "full=yes",
                  "format=csv", f"search={'あ' * 101}"):  # fmt: skip
        refused = await town.http.get(f"/open/hsds/services?{wrong}")
        assert refused.status_code == 422, wrong
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["detail"].endswith("ください。") or "入れられるのは" in refused.json()["detail"]
    assert (await town.http.head(ALL)).status_code == 200
    assert (await town.http.post("/open/hsds/services")).status_code == 405
    shown = (await yamada.http.get("/staff/kb/open")).text
    assert "/open/hsds/all.json" in shown
    assert "48件" in shown


async def test_a_new_installation_takes_in_what_another_gave_out_and_gives_it_out_the_same(
    database_url: str, tmp_path: Path, reader: Understander
) -> None:
    """With how far an entry reaches, its districts, and the days on which it is shut."""
    old = Settings(database_url=f"sqlite:///{tmp_path / 'old.db'}", var_dir=tmp_path / "var")
    shut = "2026/12/28〜2027/1/4　改修工事\n2026/12/5"
    async with running(old, reader, SetClock()) as town, at_work(town, "山田", "y@example.jp", "admin") as yamada:
        assert (await send(yamada, AREAS, {**DISTRICTS, "version": "0"})).status_code == 303
        await made(yamada, "service", **{**GAKKI, "areas": ["d2"]})
        await made(yamada, "desk", **{**MADO, "areas": ["d1", "d2"], "closed_on": shut})
        await made(yamada, "desk", **{**MADO, "name": "県の窓口", "reach": "prefecture"})
        gone_out = await _own_copy(town, yamada, 3)
    new = Settings(database_url=database_url, var_dir=tmp_path / "var")
    async with running(new, reader, SetClock()) as town, at_work(town, "鈴木", "s@example.jp", "admin") as suzuki:
        path, page = await planned(suzuki, gone_out, "all.json")
        assert "この町にまだない地区（北地区、南地区）" in page
        assert (await applied(suzuki, path, page)).status_code == 303
        assert await _own_copy(town, suzuki, 3) == gone_out
        _, page = await planned(suzuki, gone_out, "all.json")
        assert SAME in page
        # Districts are known by their names: one that the town has renamed comes anew beside it.
        renamed = {"town": "うけとめ市", "id-0": "d1", "name-0": "きたの地区", "id-1": "d2", "name-1": "南地区"}
        assert (await send(suzuki, AREAS, {**renamed, "version": "1"})).status_code == 303
        path, page = await planned(suzuki, gone_out, "all.json")
        assert (sums(page)["変わる"], sums(page)["同じ"]) == ("1", "2")
        assert (await applied(suzuki, path, page)).status_code == 303
        await town.until(_named_anew, 5)


async def test_an_entry_whose_district_finds_no_room_is_not_brought_in_as_one_of_the_whole_town(
    database_url: str, tmp_path: Path, reader: Understander, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Settings(database_url=f"sqlite:///{tmp_path / 'old.db'}", var_dir=tmp_path / "var")
    async with running(old, reader, SetClock()) as town, at_work(town, "山田", "y@example.jp", "admin") as yamada:
        assert (await send(yamada, AREAS, {**DISTRICTS, "version": "0"})).status_code == 303
        await made(yamada, "desk", **{**MADO, "areas": ["d2"]})
        gone_out = await _own_copy(town, yamada, 1)
    monkeypatch.setattr("knowledge_base.bring_areas.MOST", 1)
    new = Settings(database_url=database_url, var_dir=tmp_path / "var")
    async with running(new, reader, SetClock()) as town, at_work(town, "鈴木", "s@example.jp", "admin") as suzuki:
        path, page = await planned(suzuki, gone_out, "all.json")
        assert "地区は1個までです。「南地区」を入れる場所がありません。" in page
        assert (await applied(suzuki, path, page)).status_code == 422
        assert not live.now().entries


async def _named_anew() -> bool:
    now = live.now()
    [desk] = [one.content for one in now.entries.values() if one.content["name"] == MADO["name"]]
    return (now.areas.names(desk["areas"]), desk["areas"]) == (["北地区", "南地区"], ["d3", "d2"])


async def _own_copy(town: Town, admin: Colleague, entries: int) -> bytes:
    async def so() -> bool:
        return len(live.now().entries) == entries and len(live.now().areas.districts) == 2

    await town.until(so, 5)
    return (await admin.http.get("/staff/kb/hsds.json?examples=1")).content


@needs_schemas
async def test_every_page_is_valid(open_town: Town, yamada: Colleague) -> None:
    service = await made(yamada, "service", **{**GAKKI, "bring": "印鑑\n\n身分のわかる物", "cost": "無料です。"})
    assert (await send(yamada, AREAS, {**DISTRICTS, "version": "0"})).status_code == 303
    await made(yamada, "desk", **{**MADO, "web": "https://例え.jp/窓口?あ=い", "areas": ["d1"],
                                  "closed_on": "2026/12/5",
                                  "services": [service.rpartition("/")[2]]})  # fmt: skip
    await says(open_town, ALL, "楽器バンク", "教育総務課")
    for kind, schema in KINDS.items():
        for full in ("true", "false"):
            page = await fetch(open_town, f"/open/hsds/{kind}?full={full}&per_page=200")
            assert [said for one in page["contents"] for said in complaints(schema, one)] == [], kind
    [one] = (await fetch(open_town, "/open/hsds/services?search=楽器バンク&full=true"))["contents"]
    assert one["cost_options"][0]["amount"] == 0
    assert [(area["name"], area["extent"]) for area in one["service_areas"]] == [("北地区", "本町、栄町1〜3丁目")]
    assert {"valid_from": "2026-12-05", "valid_to": "2026-12-05"}.items() <= one["service_at_locations"][0]["location"][
        "schedules"
    ][-1].items()


def test_the_command_writes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("UKETOME_DATABASE_URL", f"sqlite:///{tmp_path / 'town.db'}")
    assert cli.main(["kb", "demo"]) == 0
    assert cli.main(["kb", "hsds", str(tmp_path / "out.json")]) == 0
    assert len(json.loads((tmp_path / "out.json").read_bytes())["locations"]) == 48
    assert cli.main(["kb", "hsds", str(tmp_path / "nowhere/out.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err

"""The public pages: found in one's own words, danger answered first, nothing kept of who looks."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.directory import LONGEST, SEARCHES_PER_MINUTE
from connectors.directory_view import FIELDS
from connectors.directory_words import catalogue
from knowledge_base import live, versions
from knowledge_base.vocabulary import vocabulary
from storage.settings import ROOT, Settings
from tests.conftest import Town, running
from tests.desk import Colleague, at_work
from tests.test_kb import GAKKI, MADO, NEVER_SAID, counts, made, send

RENT = "夫が仕事をやめて家賃が払えない"
DEATH = "もう疲れました。死にたいです"
MARKED = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*")""")


@pytest.fixture
async def demo(town: Town) -> Town:
    """The town with the desks of うけとめ市."""
    now = town.clock.now()
    await town.service.database.write(lambda session: versions.load_demo(session, now))
    await town.service.knowledge.renew()
    return town


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


async def ask(town: Town, text: str, **more: str) -> httpx.Response:
    """Sends the search form."""
    return await town.http.post("/directory", data={"text": text, **more})


async def page(town: Town, path: str) -> str:
    answer = await town.http.get(path)
    assert answer.status_code == 200, path
    return answer.text


async def test_a_long_sentence_finds_services_with_their_desks(demo: Town, caplog: pytest.LogCaptureFixture) -> None:
    found = await ask(demo, RENT)
    assert found.status_code == 200
    for part in (
        "住居確保給付金",
        "福祉総合相談課",
        'href="tel:00000001101"',
        "いま開いています（17時15分まで）",
        RENT,
    ):
        assert part in found.text, part
    assert found.headers["x-robots-tag"] == "noindex"
    assert "no-store" in found.headers["cache-control"]
    assert "書いてくださって" not in found.text, "no danger is told of"
    named = (await ask(demo, "収納課")).text
    assert named.index("/directory/desks/town_demo_shuno") < named.index("いま、命や体があぶないとき")
    for text, field in (("自殺対策の窓口", "suicide"), (RENT, "housing")):
        assert f'href="/directory/fields/{field}"' in (await ask(demo, text)).text
    assert "合うものを見つけられませんでした" in (await ask(demo, "ぽぽぽ")).text
    assert RENT not in caplog.text
    assert await demo.cases() == []
    assert await demo.messages() == []


@pytest.mark.parametrize("easy", ["", "1"])
async def test_danger_is_answered_first_and_calmly(demo: Town, easy: str) -> None:
    for text in (DEATH, DEATH + "。" + "あ" * LONGEST):
        found = (await ask(demo, text, easy=easy)).text
        top = found.partition("<main")[2].partition("</section>")[0]
        assert "ありがとうございます" in top
        assert 'href="tel:0120279338"' in top, "よりそいホットライン, from the verified list"
        assert 'href="/#chat"' in top, "and we would like to hear"


async def test_too_much_is_told_in_sentences_and_danger_is_still_seen(town: Town) -> None:
    empty = await ask(town, "　")
    assert (empty.status_code, "困っていることを書いてから" in empty.text) == (422, True)
    long = await ask(town, "<b>あ</b>" + "い" * LONGEST)
    assert (long.status_code, "&lt;b&gt;あ&lt;/b&gt;" in long.text) == (422, True), "what was typed is kept, as text"
    huge = await town.http.post("/directory", content=b"text=" + b"a" * 100_000)
    assert (huge.status_code, "<h1>" in huge.text) == (413, True)
    for _ in range(SEARCHES_PER_MINUTE):
        last = await ask(town, "ぽ")
    assert last.status_code == 200
    late = await ask(town, DEATH)
    assert (late.status_code, "少し待って" in late.text) == (429, True)
    assert int(late.headers["retry-after"]) > 0
    assert 'href="tel:0120279338"' in late.text.partition("</section>")[0]
    town.clock.forward(minutes=2)
    assert (await ask(town, "ぽ")).status_code == 200


async def test_every_field_service_and_desk_has_its_page(demo: Town) -> None:
    home = await page(demo, "/directory")
    assert FIELDS.keys() == vocabulary().fields.keys()
    assert all(f'href="/directory/fields/{id_}"' in home for id_ in FIELDS)
    for id_ in FIELDS:
        await page(demo, f"/directory/fields/{id_}?easy=1")
    for field, number in (("consumer", "188"), ("abuse", "189"), ("suicide", "0120279338")):
        lines = (await page(demo, f"/directory/fields/{field}")).partition("電話で話せるところ")[2]
        assert f'href="tel:{number}"' in lines.partition("</section>")[0]
    for id_ in list(vocabulary().services)[::7]:
        await page(demo, f"/directory/services/{id_}")
    service = await page(demo, "/directory/services/jukyo_kakuho")
    for part in (
        "家賃を払えないとき",
        "持ち物",
        "生活困窮者自立支援法",
        "福祉総合相談課",
        "電話で確かめてから行ってください",
    ):
        assert part in service, part
    assert "返さなくて いい お金です" in await page(demo, "/directory/services/jukyo_kakuho?easy=1")
    desk = await page(demo, "/directory/desks/town_demo_shuno")
    for part in (
        "000-0000-1103",
        "月・火・木・金　8:30〜17:15",
        "うけとめ市中央1-1",
        "/directory/services/nofu_soudan",
        "持ち物",
    ):
        assert part in desk, part
    assert "town_demo_shuno" in await page(demo, "/directory/desks?open=1")
    demo.clock.forward(hours=12)
    assert "town_demo_shuno" not in await page(demo, "/directory/desks?open=1")


async def test_the_pages_leave_nothing_behind_and_ask_nobody_else(demo: Town) -> None:
    for path in (
        "/directory",
        "/directory/desks",
        "/directory/services/jukyo_kakuho",
        "/directory/desks/town_demo_shuno",
    ):
        answer = await demo.http.get(path)
        assert "set-cookie" not in answer.headers
        assert "x-robots-tag" not in answer.headers
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(?!/)", answer.text) == []
        assert re.findall(r"<style|\bon[a-z]+=|style=\"|<script(?![^>]*src)", answer.text) == []
    for name in ("town-directory.css", "town-exit.js"):
        assert (await demo.http.get(f"/static/web/{name}")).status_code == 200


async def test_what_the_town_adds_is_there_and_what_is_retired_leads_on(town: Town, yamada: Colleague) -> None:
    service = await made(yamada, "service", **{**GAKKI, "bring": "学生証", "name": "楽器<バンク>"})
    desk = await made(yamada, "desk", **MADO)
    draft = await made(yamada, "service", "save", name="まだ下書き")
    await counts(town, "楽器<バンク>", MADO["name"])
    id_ = service.rpartition("/")[2]
    shown = await page(town, f"/directory/services/{id_}")
    for part in ("楽器&lt;バンク&gt;", "学生証", "教育総務課", "/directory/services/shugaku_enjo"):
        assert part in shown, part
    assert "楽器&lt;バンク&gt;" in await page(town, "/directory/fields/education")
    assert (await town.http.get(f"/directory/services/{draft.rpartition('/')[2]}")).status_code == 404
    assert (await town.http.get(f"/directory/desks/{id_}")).status_code == 404
    assert (await send(yamada, f"{service}/retire", {"version": "1", "successor": "shugaku_enjo"})).status_code == 303
    await counts(town, MADO["name"])
    gone = await town.http.get(f"/directory/services/{id_}")
    assert (gone.status_code, "就学援助" in gone.text, 'href="/#chat"' in gone.text) == (404, True, True)
    assert (await town.http.get("/directory/")).headers["location"].endswith("/directory")
    assert desk.rpartition("/")[2] in await page(town, "/directory/desks")


async def test_a_district_narrows_only_when_it_is_chosen(town: Town, yamada: Colleague) -> None:
    form = {"town": "うけとめ市", "version": "0", "name-0": "北地区", "name-1": "南地区"}
    assert (await send(yamada, "/staff/kb/areas", form)).status_code == 303
    for name, areas in (("北の窓口", ["d1"]), ("南の窓口", ["d2"])):
        await made(yamada, "desk", **{**MADO, "name": name, "areas": areas, "services": ["jukyo_kakuho"]})
    await made(yamada, "service", **{**GAKKI, "areas": ["d2"]})
    await counts(town, "北の窓口", "南の窓口", GAKKI["name"])
    assert live.now().areas.number == 1
    for chosen, gone in (("", []), ("d1", ["南の窓口"]), ("d2", ["北の窓口"]), ("d9", [])):
        found = (await ask(town, RENT, district=chosen)).text
        assert [name for name in ("北の窓口", "南の窓口") if name not in found] == gone, chosen
        assert (GAKKI["name"] in (await ask(town, NEVER_SAID, district=chosen)).text) == (chosen != "d1")


async def test_a_town_may_switch_it_off(town: Town, tmp_path: Path) -> None:
    assert 'href="/directory"' in (await town.http.get("/")).text
    settings: Any = {
        "database_url": f"sqlite:///{tmp_path / 'off.db'}",
        "var_dir": tmp_path / "off",
        "directory": "off",
    }
    async with running(Settings(**settings), town.service.reader, town.clock) as other:
        for path in ("/directory", "/directory/services/jukyo_kakuho"):
            answer = await other.http.get(path)
            assert (answer.status_code, 'href="/#chat"' in answer.text) == (404, True)
        assert (await ask(other, DEATH)).status_code == 404
        assert 'href="/directory' not in (await other.http.get("/")).text


def test_every_sentence_has_its_easy_japanese() -> None:
    said = {ast.literal_eval(one) for path in (ROOT / "connectors/templates").glob("directory*.html")
            for one in MARKED.findall(path.read_text("utf-8"))}  # fmt: skip
    for name in ("connectors/directory.py", "connectors/directory_view.py", "handoff/kb_desks.py"):
        said |= set(_said(ROOT / name))
    said |= set(FIELDS.values())
    shown_to_staff = {one for one in said if one.startswith(("住まいは", "{name}", "{names}", "{town}の人"))}
    assert sorted(said - shown_to_staff - catalogue().keys()) == []
    assert sorted(catalogue().keys() - said) == []


def _said(path: Path) -> list[str]:
    calls = [one for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Call)]
    return [one.args[0].value for one in calls  if isinstance(one.func, ast.Name) and one.func.id == "say"
            and isinstance(one.args[0], ast.Constant) and isinstance(one.args[0].value, str)]  # fmt: skip

"""The knowledge base's editor: published is found at once, two editors lose nothing, and bad input is told in words."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import kb_desks
from knowledge_base import live
from knowledge_base.live import Live
from storage.clock import JAPAN
from storage.knowledge import KbVersion
from tests.conftest import Town
from tests.desk import INPUT, Colleague, a_case, at_work

GAKKI: dict[str, Any] = {
    "name": "楽器バンク",
    "about": "使われなくなった楽器を、子どもに無料で貸し出します。",
    "like": "shugaku_enjo",
    "fields": ["education", "finance"],
    "voices": "吹奏楽部に入りたいけど、楽器を買うお金がありません\n"
    "娘がトランペットを習いたがっています。とても手が出る値段ではなくて\n"
    "クラリネットを借りられるところはありますか。部費だけで精いっぱいです",
}
MADO: dict[str, Any] = {
    "name": "教育総務課", "address": "うけとめ市中央1-1", "phone": "０００（００００）１１２０",
    "hours-mon": "8:30〜12:00、13:00〜17:15",
    "hours-tue": "同じ", "holidays": "closed", "services": ["shugaku_enjo"],
}  # fmt: skip
NEVER_SAID = "息子が部活でサックスを始めたいと言うのですが、うちの家計では買ってやれません"
VERSION = re.compile(r'name="version" value="(\d+)"')


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


async def add(colleague: Colleague, kind: str, act: str = "publish", **inputs: Any) -> httpx.Response:
    """Sends the form of a new entry."""
    return await send(colleague, f"/staff/kb/new/{kind}", {**inputs, "act": act})


async def send(colleague: Colleague, path: str, inputs: dict[str, Any]) -> httpx.Response:
    csrf = dict(INPUT.findall((await colleague.http.get("/staff/kb/try")).text))
    return await colleague.http.post(path, data={**csrf, **inputs})


async def made(colleague: Colleague, kind: str, act: str = "publish", **inputs: Any) -> str:
    """The address of a new entry."""
    answer = await add(colleague, kind, act, **inputs)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def counts(town: Town, *names: str) -> None:
    """Waits until exactly these names are published in this process."""

    async def so() -> bool:
        return {one.content["name"] for one in live.now().entries.values()} == set(names)

    await town.until(so, 5)


async def test_what_is_published_is_found_by_a_fourth_wording_and_shown_with_its_desk(
    town: Town, yamada: Colleague
) -> None:
    found = [one.id for one in (await town.service.explain(NEVER_SAID, None)).services if one.found]
    entry = await made(yamada, "service", **GAKKI)
    await made(yamada, "desk", **MADO)
    await counts(town, GAKKI["name"], MADO["name"])
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(NEVER_SAID)
    [case] = await town.cases()
    new = {one["id"] for one in case.assessment["services"]} - set(found)
    assert new == {entry.rpartition("/")[2]}
    shown = await yamada.open(case.id)
    assert all(part in shown for part in ("楽器バンク", "教育総務課", "000-0000-1120", "8:30〜12:00、13:00〜17:15"))

    version = max(VERSION.findall((await yamada.http.get(entry)).text))
    retired = await send(yamada, f"{entry}/retire", {"version": version, "successor": "shugaku_enjo"})
    assert retired.status_code == 303
    await counts(town, MADO["name"])
    assert "楽器バンク" in await yamada.open(case.id), "a case still names what it found"
    assert entry.rpartition("/")[2] not in str(await town.service.explain(NEVER_SAID, None))


async def test_two_editors_at_once_lose_nothing(town: Town, yamada: Colleague) -> None:
    entry = await made(yamada, "desk", **MADO)
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        first = await send(suzuki, entry, {**MADO, "note": "3番の窓口", "version": "1", "act": "publish"})
        assert first.status_code == 303
        second = await send(yamada, entry, {**MADO, "phone": "000-0000-9999", "version": "1", "act": "publish"})
        assert second.status_code == 409
        for part in (
            "鈴木さんが第2版を保存しました",
            "000-0000-9999",
            "<del>3番の窓口</del>",
            'name="version" value="2"',
        ):
            assert part in second.text, part
        assert "000-0000-9999" not in str((await town.service.database.read(_contents))[-1])
        again = await send(yamada, entry, {**MADO, "phone": "000-0000-9999", "version": "2", "act": "publish"})
        assert again.status_code == 303
        restored = await send(yamada, f"{entry}/restore", {"version": "3", "number": "2"})
        assert restored.status_code == 303
        page = (await yamada.http.get(entry)).text
        assert "第2版をもどしたもの" in page
        compared = (await yamada.http.get(f"{entry}/compare?a=3&b=4")).text
        assert "<ins>3番の窓口</ins>" in compared
        assert "<del>000-0000-9999</del>" in compared
        late = await send(suzuki, f"{entry}/retire", {"version": "2"})
        assert late.status_code == 409


def _contents(session: Session) -> list[Any]:
    return [one.content for one in session.scalars(select(KbVersion).order_by(KbVersion.id))]


async def test_a_draft_changes_nothing_and_a_plan_counts_when_its_time_comes(town: Town, yamada: Colleague) -> None:
    await made(yamada, "service", "save", name="名前だけの支援")
    draft = await made(yamada, "desk", "save", name="名前だけの下書き")
    refused = await send(yamada, draft, {"name": "名前だけの下書き", "version": "1", "act": "review"})
    assert refused.status_code == 422
    assert "この窓口が受ける支援を、一つ以上選んでください。" in refused.text
    at = (town.clock.now() + timedelta(days=1)).astimezone(JAPAN)
    plan = {"publish-day": f"{at:%Y-%m-%d}", "publish-time": f"{at:%H:%M}"}
    planned = await made(yamada, "desk", **MADO, **plan)
    assert "公開する予定です" in (await yamada.http.get(planned)).text
    await town.service.knowledge.renew()
    await counts(town)
    town.clock.forward(days=1, minutes=1)
    await counts(town, MADO["name"])


async def test_what_cannot_stand_is_said_in_sentences_and_kept(town: Town, yamada: Colleague) -> None:
    wrong = {
        **MADO, "name": "<b>課</b>", "phone": "でんわ", "hours-mon": "17時から8時", "hours-wed": "8:30", "web": "http://a.jp",
        "services": ["nothing"], "checked": "いつか",
    }  # fmt: skip
    answer = await add(yamada, "desk", **wrong)
    assert answer.status_code == 422
    for sentence in ("電話番号を確かめてください", "終わりの時刻は、始まりよりあと", "8:30〜17:15 のように",
                     "https:// から始まる",
                     "一つ以上選んでください", "日付を選んでください", "&lt;b&gt;課&lt;/b&gt;",
                     "17時から8時"):  # fmt: skip
        assert sentence in answer.text, sentence
    few = await add(
        yamada, "service", **{**GAKKI, "voices": "ひとつだけの例文\nひとつだけの例文", "fields": ["nothing"]}
    )
    assert few.status_code == 422
    assert "例文は3つ以上書いてください（いまは1つです）。" in few.text
    assert (await add(yamada, "service", **{**GAKKI, "note": "あ" * 700})).status_code == 422
    assert (await add(yamada, "king", **GAKKI)).status_code == 404
    assert (await yamada.http.get("/staff/kb/entries/nothing")).status_code == 404


async def test_who_is_no_admin_finds_none_of_it(town: Town, yamada: Colleague) -> None:
    entry = await made(yamada, "desk", **MADO)
    async with at_work(town, "佐藤", "sato@example.jp", "supervisor") as sato:
        csrf = dict(INPUT.findall(await sato.queue()))
        for path in (
            "/staff/kb",
            "/staff/kb/services",
            "/staff/kb/try",
            "/staff/kb/new/desk",
            entry,
            f"{entry}/compare",
        ):
            assert (await sato.http.get(path)).status_code == 404, path
        for path in (entry, f"{entry}/retire", f"{entry}/restore", f"{entry}/unplan", "/staff/kb/new/desk",
                     "/staff/kb/demo", "/staff/kb/try", "/staff/kb/try/add"):  # fmt: skip
            tried = await sato.http.post(
                path, data={**csrf, **MADO, "version": "1", "text": NEVER_SAID, "act": "publish"}
            )
            assert tried.status_code == 404, path


async def test_a_sentence_is_tried_with_a_draft_and_kept_only_as_an_example(
    town: Town, yamada: Colleague, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await made(yamada, "service", "save", **GAKKI)
    plain = await send(yamada, "/staff/kb/try", {"text": NEVER_SAID})
    assert plain.status_code == 200
    assert "楽器バンク" not in plain.text.partition("もう少しで")[0].partition("見つかる支援")[2]
    drafted = await send(yamada, "/staff/kb/try", {"text": NEVER_SAID, "draft": entry.rpartition("/")[2]})
    assert "楽器バンク" in drafted.text.partition("もう少しで")[0].partition("見つかる支援")[2]
    assert NEVER_SAID not in str(await town.service.database.read(_contents))
    added = await send(yamada, "/staff/kb/try/add", {"text": NEVER_SAID, "entry": entry.rpartition("/")[2]})
    assert "下書きに、例文を加えました" in added.text
    assert (await town.service.database.read(_contents))[-1]["voices"][-1] == NEVER_SAID
    assert live.now().services == []
    assert NEVER_SAID not in caplog.text
    for wrong in ("", "あ" * 1001):
        assert (await send(yamada, "/staff/kb/try", {"text": wrong})).status_code == 422
    assert (await send(yamada, "/staff/kb/try/add", {"text": NEVER_SAID, "entry": "x"})).status_code == 422


async def test_a_failed_renewal_keeps_the_old_and_tells_staff(
    town: Town, yamada: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(yamada, "service", **GAKKI)
    await counts(town, GAKKI["name"])

    def broken(_services: list[Live]) -> None:
        raise ValueError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(town.service.knowledge, "_take_in", broken)
        await made(yamada, "service", **{**GAKKI, "name": "べつの支援"})

        async def told() -> bool:
            return live.now().failed_since is not None

        await town.until(told, 5)
        assert "検索に入れられませんでした" in (await yamada.http.get("/staff/kb")).text
        await counts(town, GAKKI["name"])
    await town.service.knowledge.renew()
    await counts(town, GAKKI["name"], "べつの支援")
    assert "検索に入れられませんでした" not in (await yamada.http.get("/staff/kb")).text


async def test_the_list_is_searched_and_the_demo_town_shows_who_is_open(town: Town, yamada: Colleague) -> None:
    assert (await send(yamada, "/staff/kb/demo", {})).status_code == 303
    shown = (await yamada.http.get("/staff/kb?q=００００－１１０２&kind=desk")).text
    assert "生活支援課" in shown
    assert "1件" in shown
    assert "見つかりませんでした" in (await yamada.http.get("/staff/kb?state=draft&field=poverty&unchecked=1")).text
    assert "生活支援課" in (await yamada.http.get("/staff/kb/services/seikatsu_hogo")).text
    found = {"services": [{"id": "seikatsu_hogo", "score": 0.9, "quote": ""}]}
    case_id = await a_case(town, "食べる物がありません", found=found)
    opening = (("2026-11-27T10:00", "いま開いています（17時15分まで）"),
               ("2026-11-23T10:00", "次は11月24日（火） 8時30分から"),
               ("2026-12-28T20:00", "次は1月4日（月） 8時30分から"))  # fmt: skip
    for at, said in opening:
        [desk] = kb_desks.contacts("seikatsu_hogo", datetime.fromisoformat(at).replace(tzinfo=JAPAN))
        assert said in desk["opening"], at
    assert "生活支援課" in await yamada.open(case_id)

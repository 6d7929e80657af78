"""An admin's day with the knowledge base at a real browser, from a changed hour in the morning to open data."""

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, expect

from handoff import kb_sheets, kb_write
from knowledge_base import live
from knowledge_base.names import Names, services
from tests.browser.looks import fits
from tests.browser.test_console import sign_in
from tests.conftest import Town
from tests.desk import add_staff
from tests.hsds_schemas import FOLDER, complaints
from tests.test_hsds import KINDS
from tests.test_kb import GAKKI, NEVER_SAID
from tests.test_kb_bring import Book

ROWS = 500
#: What is wrong in the table: row, head, what stands there.
WRONG: tuple[tuple[int, str, Any], ...] = (
    (3, "電話", 312345678), (99, "受付時間（月）", "8時半"), (200, "受ける支援", "月への旅"), (301, "名前", ""),
    (500, "内容を確かめた日", "春ごろ"),
)  # fmt: skip
ALL = "/open/hsds/all.json"


async def test_an_admins_day(town: Town, browser: Browser, tmp_path: Path) -> None:
    await add_staff(town, "山田", "yamada@example.jp", "admin")
    tables = await asyncio.to_thread(_tables, tmp_path)
    async with (
        await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP") as context,
        await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP") as outside,
    ):
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text) if "Content Security" in one.text else None)
        page.on("pageerror", lambda error: said.append(str(error)))

        await sign_in(page, "yamada@example.jp")
        await page.get_by_role("link", name="知識ベース").click()
        await page.get_by_role("button", name="見本の町の窓口を入れる").click()
        await _correct_an_hour(page)
        await _try_and_publish_a_service(page)
        await _counting(town, 49)
        await _find_it(await outside.new_page())
        await _bring_in_500(town, page, *tables)
        await _undo(town, page)
        await _take_out(page)
        await _publish_openly(page, outside)
        assert said == []


async def _correct_an_hour(page: Page) -> None:
    await page.get_by_role("searchbox", name="探す").fill("生活支援課")
    await page.get_by_role("button", name="探す").click()
    await fits(page)  # of few lines: axe is slow
    await page.get_by_role("link", name="生活支援課").click()
    await page.get_by_label("水").first.fill("８時半")
    await page.get_by_role("button", name="公開する", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("水：時間は、8:30〜17:15 のように書いてください。")
    await page.get_by_label("水").first.fill("８：３０～１９：００")
    await page.get_by_role("button", name="公開する", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("公開しました")
    await expect(page.get_by_text("水 8:30〜19:00").last).to_be_visible()
    await fits(page)


async def _try_and_publish_a_service(page: Page) -> None:
    """Three voices; a fourth wording is tried on the draft before anybody else finds it."""
    await page.get_by_role("link", name="町の支援と窓口").click()
    await page.get_by_role("link", name="町の支援を加える").click()
    await page.get_by_label("名前").fill(GAKKI["name"])
    await page.get_by_label("どんな支援か").fill(GAKKI["about"])
    await page.get_by_label("例文").fill(GAKKI["voices"])
    await page.get_by_label("教育・不登校").check()
    await page.get_by_label("近い支援").select_option(GAKKI["like"])
    await page.get_by_role("button", name="下書きに保存").click()
    entry = page.url.partition("?")[0]
    await page.get_by_role("link", name="文を試す").click()
    await page.get_by_label("試す文").fill(NEVER_SAID)
    await page.get_by_label("下書きを公開したつもりで試す").select_option(label=GAKKI["name"])
    await page.get_by_role("button", name="試す", exact=True).click()
    await expect(page.get_by_text("公開中の内容で見つかるのは")).to_be_visible()
    await fits(page)
    await page.goto(entry)
    await page.get_by_role("button", name="公開する", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("公開しました")


async def _find_it(page: Page) -> None:
    """A mother looks for help in words that nobody has entered."""
    await page.goto("/directory")
    await page.get_by_label("いま困っていること").fill(NEVER_SAID)
    await page.get_by_role("button", name="さがす").click()
    await page.get_by_role("link", name=GAKKI["name"]).click()
    await expect(page.get_by_text(GAKKI["about"])).to_be_visible()


async def _bring_in_500(town: Town, page: Page, wrong: Path, right: Path) -> None:
    await page.get_by_role("link", name="出し入れ").click()
    await page.get_by_label("表のファイル").set_input_files(wrong)
    await page.get_by_role("button", name="何が変わるかを見る").click()
    await expect(page.get_by_text("直すところが5か所あります")).to_be_visible()
    for row, _, _ in WRONG:
        await expect(page.get_by_role("row").filter(has_text=f"「窓口」の{row}行目")).to_be_visible()
    await expect(page.get_by_role("button", name="すべて入れる")).to_have_count(0)
    await fits(page)
    await page.get_by_label("直したファイル").set_input_files(right)
    await page.get_by_role("button", name="何が変わるかを見る").click()
    await expect(page.get_by_role("link", name=f"新しい {ROWS}")).to_be_visible()
    await fits(page)
    await page.get_by_role("button", name="すべて入れる").click()
    await expect(page.get_by_role("heading", name="知識ベースに入れました")).to_be_visible()
    await _counting(town, 49 + ROWS)


async def _undo(town: Town, page: Page) -> None:
    await page.get_by_role("button", name="もとにもどす").click()
    await expect(page.get_by_role("heading", name="もとにもどしました")).to_be_visible()
    await _counting(town, 49)
    await page.get_by_role("link", name="← 出し入れ").click()
    await expect(page.get_by_text("もどしました")).to_be_visible()
    await fits(page)


async def _take_out(page: Page) -> None:
    """All that was ever entered, what was undone last."""
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Excelに出す").click()
    out = Book(await asyncio.to_thread(Path(await (await download.value).path()).read_bytes))
    desks = out.book["窓口"]
    assert desks.max_row == 48 + ROWS + 1
    assert desks.cell(out.row("窓口", "生活支援課"), out.heads("窓口")["受付時間（水）"]).value == "8:30〜19:00"
    assert out.row("町の支援", GAKKI["name"]) == 2


async def _publish_openly(page: Page, outside: BrowserContext) -> None:
    elsewhere = await outside.new_page()
    await page.get_by_role("link", name="オープンデータ").click()
    await fits(page)
    assert (await _fetched(elsewhere))[0] == 404
    await page.get_by_role("link", name="出るデータを、そのまま見る").click()
    await expect(page.locator("body")).to_contain_text(GAKKI["name"])
    await page.go_back()
    await page.get_by_role("button", name="オープンデータとして公開する").click()
    await expect(page.get_by_text("印を付けてください").last).to_be_visible()
    assert (await _fetched(elsewhere))[0] == 404
    await page.get_by_label("「入るもの」を確かめました").check()
    await page.get_by_role("button", name="オープンデータとして公開する").click()
    await expect(page.get_by_role("status")).to_contain_text("いまから、だれでも取れます")
    await fits(page)
    status, told = await _fetched(elsewhere)
    assert status == 200
    _is_whole_and_valid(told)
    await page.get_by_role("button", name="公開をやめる").click()
    await expect(page.get_by_role("status")).to_contain_text("いまから、だれも取れません")
    assert (await _fetched(elsewhere))[0] == 404


async def _fetched(page: Page) -> tuple[int, Any]:
    """What somebody without an account gets in their browser."""
    answer = await page.goto(ALL)
    assert answer
    return answer.status, await answer.json()


def _is_whole_and_valid(told: dict[str, list[dict[str, Any]]]) -> None:
    [office] = [one for one in told["locations"] if one["name"] == "生活支援課"]
    assert "19:00+09:00" in [rule["closes_at"] for rule in office["schedules"] if "WE" in rule["byday"]]
    assert GAKKI["name"] in [one["name"] for one in told["services"]]
    assert (len(told["services"]), len(told["locations"])) == (97, 48)
    if FOLDER.exists():
        for name in KINDS.keys() & told.keys():
            assert [wrong for one in told[name] for wrong in complaints(KINDS[name], one)] == [], name


async def _counting(town: Town, entries: int) -> None:
    """Waits until so many are published."""

    async def so() -> bool:
        return len(live.now().entries) == entries

    await town.until(so)


def _tables(folder: Path) -> tuple[Path, Path]:
    """The desks of a town that keeps them in Excel: as they came, and corrected."""
    content = {"address": "うけとめ市中央1", "hours": {"mon": [["8:30", "17:15"]]}, "services": ["csw"]}
    rows = []
    for number in range(ROWS):
        desk: dict[str, Any] = {**content, "name": f"窓口{number}", "phone": f"000-0000-{number:04}"}
        rows.append(["", "", *kb_sheets.cells("desk", "", 1, "published", desk, services([]), Names([]))[2:]])
    whole = kb_write.as_xlsx([kb_write.Table("desk", rows)])
    book = Book(whole)
    for row, head, value in WRONG:
        book.put("窓口", row, **{head: value})
    wrong, right = folder / "直す前.xlsx", folder / "直した.xlsx"
    wrong.write_bytes(book.saved())
    right.write_bytes(whole)
    return wrong, right

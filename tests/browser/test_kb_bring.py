"""An admin's table at a real browser: five wrong rows of 500 are seen and corrected; brought in, undone, taken out."""

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from handoff import kb_sheets, kb_write
from knowledge_base import live
from knowledge_base.names import Names, services
from tests.browser.looks import fits
from tests.browser.test_console import sign_in
from tests.conftest import Town
from tests.desk import add_staff
from tests.test_kb_bring import Book

ROWS = 500


def a_table() -> bytes:
    """Desks of a town that keeps them in Excel."""
    content = {"address": "うけとめ市中央1", "hours": {"mon": [["8:30", "17:15"]]}, "services": ["csw"]}
    rows = []
    for number in range(ROWS):
        desk: dict[str, Any] = {**content, "name": f"窓口{number}", "phone": f"000-0000-{number:04}"}
        rows.append(["", "", *kb_sheets.cells("desk", "", 1, "published", desk, services([]), Names([]))[2:]])
    return kb_write.as_xlsx([kb_write.Table("desk", rows)])


async def test_a_table_is_corrected_brought_in_undone_and_taken_out(
    town: Town, browser: Browser, tmp_path: Path
) -> None:
    right, wrong = Book(a_table()), Book(a_table())
    for row, head, value in ((3, "電話", 312345678), (99, "受付時間（月）", "8時半"), (200, "受ける支援", "月への旅"),
                             (301, "名前", ""), (500, "内容を確かめた日", "春ごろ")):  # fmt: skip
        wrong.put("窓口", row, **{head: value})
    await asyncio.to_thread((tmp_path / "直す前.xlsx").write_bytes, wrong.saved())
    await asyncio.to_thread((tmp_path / "直した.xlsx").write_bytes, right.saved())
    await add_staff(town, "山田", "yamada@example.jp", "admin")
    async with await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP") as context:
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)

        await sign_in(page, "yamada@example.jp")
        await page.get_by_role("link", name="知識ベース").click()
        await page.get_by_role("link", name="出し入れ").click()
        await fits(page)
        await page.get_by_label("表のファイル").set_input_files(tmp_path / "直す前.xlsx")
        await page.get_by_role("button", name="何が変わるかを見る").click()
        await expect(page.get_by_text("直すところが5か所あります")).to_be_visible()
        for place in ("3行目", "99行目", "200行目", "301行目", "500行目"):
            await expect(page.get_by_role("row").filter(has_text=f"「窓口」の{place}")).to_be_visible()
        await expect(page.get_by_role("button", name="すべて入れる")).to_have_count(0)
        await fits(page)
        await page.get_by_label("直したファイル").set_input_files(tmp_path / "直した.xlsx")
        await page.get_by_role("button", name="何が変わるかを見る").click()
        await expect(page.get_by_role("link", name="新しい 500")).to_be_visible()
        await fits(page)
        await page.get_by_role("button", name="すべて入れる").click()
        await expect(page.get_by_role("heading", name="知識ベースに入れました")).to_be_visible()
        await fits(page)

        async def counting(n: int) -> None:
            async def so() -> bool:
                return len(live.now().entries) == n

            await town.until(so)

        await counting(ROWS)
        await page.get_by_role("button", name="もとにもどす").click()
        await expect(page.get_by_role("heading", name="もとにもどしました")).to_be_visible()
        await counting(0)
        await page.get_by_role("link", name="← 出し入れ").click()
        await expect(page.get_by_text("もどしました")).to_be_visible()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Excelに出す").click()
        out = Book(await asyncio.to_thread(Path(await (await download.value).path()).read_bytes))
        assert out.book["窓口"].max_row == ROWS + 1
        assert complaints == []

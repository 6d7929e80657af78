"""Keeping the knowledge base fresh at a real browser: one click confirms, a helpline is dialled; axe finds nothing."""

from playwright.async_api import Browser, expect

from knowledge_base import versions
from tests.browser.looks import fits
from tests.browser.test_console import sign_in
from tests.conftest import Town
from tests.desk import add_staff


async def test_an_entry_is_confirmed_and_a_helpline_dialled(town: Town, browser: Browser) -> None:
    await add_staff(town, "山田", "yamada@example.jp", "admin")
    now = town.clock.now()
    await town.service.database.write(lambda session: versions.load_demo(session, now))
    async with await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP") as context:
        page = await context.new_page()

        await sign_in(page, "yamada@example.jp")
        await page.get_by_role("link", name="知識ベース").click()
        await page.get_by_role("link", name="やること").click()
        await fits(page)
        unchecked = page.get_by_role("region", name="長く確かめていないもの")
        await expect(unchecked).to_contain_text("48件")
        await unchecked.get_by_role("button").first.click()
        await expect(page.get_by_role("status")).to_contain_text("内容を確かめた日を、きょうにしました")
        await expect(unchecked).to_contain_text("47件")

        await page.get_by_role("link", name="電話相談を開く").click()
        dialled = page.get_by_label("かけた日：よりそいホットライン")
        row = page.get_by_role("listitem").filter(has_text="よりそいホットライン")
        await dialled.fill("2031-01-01")
        await row.get_by_role("button", name="かけて確かめました").click()
        await expect(page.get_by_role("alert")).to_contain_text("きょうまでの日を選んでください")
        await fits(page)
        await dialled.fill("2026-11-24")
        await row.get_by_role("button", name="かけて確かめました").click()
        await expect(page.get_by_text("かけて確かめた日：2026年11月24日")).to_be_visible()

"""Keeping the knowledge base fresh at a real browser: one click confirms, a helpline is dialled; axe finds nothing."""

from playwright.async_api import Browser, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge_base import care, versions
from storage.knowledge import KbEntry
from tests.browser.looks import fits
from tests.browser.test_console import sign_in
from tests.conftest import Town
from tests.desk import add_staff


async def test_an_entry_is_confirmed_a_helpline_dialled_and_a_change_offered(town: Town, browser: Browser) -> None:
    yamada = await add_staff(town, "山田", "yamada@example.jp", "admin")
    now = town.clock.now()

    def begin(session: Session) -> None:
        versions.load_demo(session, now)
        care.take_care(session, session.scalars(select(KbEntry).limit(1)).one(), yamada.id, None, yamada.id, now)

    await town.service.database.write(begin)
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

        await page.get_by_role("link", name="山田").click()
        await page.get_by_role("link", name="担当しているものを開く").click()
        await page.get_by_role("listitem").get_by_role("link").click()
        await fits(page)
        await page.get_by_text("変わったところを直す").click()
        await page.get_by_label("名前").fill("")
        await page.get_by_role("button", name="確認に出す").click()
        await expect(page.get_by_role("alert")).to_contain_text("名前を書いてください")
        await page.get_by_label("名前").fill("新しい名前の課")
        await page.get_by_role("button", name="確認に出す").click()
        await expect(page.get_by_role("status")).to_contain_text("確認に出しました")

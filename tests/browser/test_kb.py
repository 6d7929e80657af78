"""The knowledge base at a real browser: a desk is corrected, a sentence tried; axe finds nothing."""

from playwright.async_api import Browser, expect

from tests.browser.looks import fits
from tests.browser.test_console import sign_in
from tests.conftest import Town
from tests.desk import add_staff
from tests.test_kb import GAKKI, NEVER_SAID


async def test_an_hour_is_corrected_and_a_service_is_tried_before_it_is_published(town: Town, browser: Browser) -> None:
    await add_staff(town, "山田", "yamada@example.jp", "admin")
    async with await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP") as context:
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)

        await sign_in(page, "yamada@example.jp")
        await page.get_by_role("link", name="知識ベース").click()
        await page.get_by_role("button", name="見本の町の窓口を入れる").click()
        await fits(page)
        await page.get_by_role("link", name="生活支援課").click()
        await page.get_by_label("水").first.fill("８時半")
        await page.get_by_role("button", name="公開する", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("水：時間は、8:30〜17:15 のように書いてください。")
        await fits(page)
        await page.get_by_label("水").first.fill("８：３０～１９：００")
        await page.get_by_role("button", name="公開する", exact=True).click()
        await expect(page.get_by_role("status")).to_contain_text("公開しました")
        await expect(page.get_by_text("水 8:30〜19:00").last).to_be_visible()
        await fits(page)

        await page.goto("/staff/kb/new/service")
        await page.get_by_label("名前").fill(GAKKI["name"])
        await page.get_by_label("どんな支援か").fill(GAKKI["about"])
        await page.get_by_label("例文").fill(GAKKI["voices"])
        await page.get_by_label("教育・不登校").check()
        await page.get_by_label("近い支援").select_option(GAKKI["like"])
        await page.get_by_role("button", name="下書きに保存").click()
        await page.get_by_role("link", name="文を試す").click()
        await page.get_by_label("試す文").fill(NEVER_SAID)
        await page.get_by_label("下書きを公開したつもりで試す").select_option(label=GAKKI["name"])
        await page.get_by_role("button", name="試す", exact=True).click()
        await expect(page.get_by_text("公開中の内容で見つかるのは")).to_be_visible()
        await fits(page)
        await page.get_by_role("button", name="例文に加える").click()
        await expect(page.get_by_role("status")).to_contain_text("例文を加えました")
        assert complaints == []

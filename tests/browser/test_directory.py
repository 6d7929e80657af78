"""The public pages at a real browser: found without a mouse, left at once, printed; axe finds nothing."""

import pytest
from playwright.async_api import Browser, Page, Route, expect

from knowledge_base import versions
from tests.browser.test_console import serious
from tests.conftest import Town
from tests.test_directory import DEATH, RENT

SHAPES = ((360, "dark"), (1280, "light"))


async def fits(page: Page) -> None:
    for width, scheme in SHAPES:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 800})
        assert await serious(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripts", [True, False])
async def test_somebody_finds_a_desk_in_their_own_words_and_leaves(town: Town, browser: Browser, scripts: bool) -> None:
    now = town.clock.now()
    await town.service.database.write(lambda session: versions.load_demo(session, now))
    await town.service.knowledge.renew()
    async with await browser.new_context(
        base_url=str(town.http.base_url), locale="ja-JP", java_script_enabled=scripts
    ) as context:
        page = await context.new_page()
        elsewhere: list[str] = []

        async def weather(route: Route) -> None:
            elsewhere.append(route.request.url)
            await route.fulfill(body="<title>weather</title>")

        await context.route(lambda url: not url.startswith(str(town.http.base_url)), weather)
        await page.goto("/directory")
        await page.get_by_label("いま困っていること").focus()
        await page.keyboard.type(RENT)
        await page.keyboard.press("Tab")  # to the districts, of which none has to be chosen
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="助けになるかもしれない支援")).to_be_visible()
        assert page.url.endswith("/directory"), "the words stand in no address"
        if scripts:
            await fits(page)
        await page.get_by_role("link", name="住居確保給付金").click()
        await expect(page.get_by_role("heading", name="くわしい説明")).to_be_visible()
        await page.get_by_role("link", name="やさしい 日本語").click()
        await expect(page.get_by_text("返さなくて いい お金です")).to_be_visible()
        if scripts:
            await fits(page)
            await page.emulate_media(media="print")
            await expect(page.get_by_text("/directory/services/jukyo_kakuho")).to_be_visible()
            await expect(page.get_by_role("link", name="すぐに 閉じる")).to_be_hidden()
            await page.emulate_media(media="screen")
        await page.get_by_role("link", name="福祉総合相談課").first.click()
        await expect(page.get_by_role("link", name="000-0000-1101")).to_have_attribute("href", "tel:00000001101")
        await page.goto("/directory")
        await page.get_by_label("いま困っていること").fill(DEATH)
        await page.get_by_role("button", name="さがす").click()
        await expect(page.get_by_role("link", name="0120-279-338").first).to_be_in_viewport()
        if scripts:
            await fits(page)
        assert elsewhere == [], "nobody else is asked for anything"
        assert await context.cookies() == []
        await page.get_by_role("link", name="すぐに閉じる").click()
        await page.wait_for_url("https://www.jma.go.jp/")
        if scripts:
            await page.go_back()
            assert DEATH not in await page.content(), "back does not lead there"

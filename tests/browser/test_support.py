"""Support at a real browser: an agency is brought in, a note and a visit are kept, a case is followed; axe is quiet."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_console import WORDS, serious, sign_in
from tests.conftest import Town
from tests.desk import Colleague, a_case, add_staff
from tests.desk import browser as a_browser
from tests.test_agencies import an_agency, says, send, somebody_of


async def walked(page: Page, case_id: str) -> None:
    """The page of support, by hand."""
    await page.goto(f"/staff/cases/{case_id}/support")
    await page.get_by_text("機関に入ってもらう").click()
    await page.locator("#agency-agency").select_option(label="みどり中学校")
    await expect(page.locator("#agency-ground-consent")).to_be_disabled()
    await page.locator("#agency-ground-106_6").check()
    await page.get_by_role("button", name="入ってもらう").click()
    await expect(page.locator("#agencies")).to_contain_text("社会福祉法106条の6")
    await page.locator("#note-text").fill("娘さんは猫の話になると笑顔が出る。")
    await page.get_by_role("button", name="メモを残す").click()
    await expect(page.locator("#notes .words")).to_have_text("娘さんは猫の話になると笑顔が出る。")
    await page.get_by_text("訪問を記録する").click()
    await page.locator("#visit-visit").select_option("absent")
    await page.locator("#visit-at").fill("09:00")
    await page.locator("#visit-minutes").fill("40")
    await page.get_by_role("button", name="記録する").click()
    await expect(page.locator(".visit")).to_contain_text("留守だった")
    await page.get_by_text("見守りにする").first.click()
    await page.locator("#follow-on").fill("2026-11-24")
    await page.get_by_role("button", name="見守りにする").click()
    await page.get_by_role("link", name="きょうの連絡").click()
    await expect(page.locator(".due").first).to_contain_text("見守り中")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
async def test_support_is_walked_and_every_page_is_accessible_and_fits(
    town: Town, browser: Browser, width: int, scheme: Any
) -> None:
    case_id, school = await a_case(town, WORDS), await an_agency(town, "みどり中学校")
    await add_staff(town, "佐藤", "sato@example.jp")
    async with a_browser(town) as http:
        sato = Colleague(http, "sato@example.jp")
        await sato.sign_in()
        await sato.do(case_id, "claim")
        made = {"title": "十二月の会議", "on": "2026-12-01", "at": "14:00"}
        meeting = (await send(sato, "/staff/meetings", kind="juso", **made)).headers["location"]
    context = await browser.new_context(
        base_url=str(town.http.base_url), locale="ja-JP", color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = await context.new_page()
    await sign_in(page, "sato@example.jp")
    await walked(page, case_id)
    await says(town, case_id, True)
    support, letter = f"/staff/cases/{case_id}/support", f"/staff/cases/{case_id}/letter?agency={school}"
    for path in (support, letter, "/staff/today", "/staff/agencies", f"/staff/agencies/{school}", meeting):
        await page.goto(path)
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert await serious(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
    async with somebody_of(town, school, "tanaka@example.jp") as tanaka:
        await context.add_cookies(
            [
                {"name": name, "value": value, "url": str(town.http.base_url)}
                for name, value in tanaka.http.cookies.items()
            ]
        )
        await page.goto(f"/staff/agency/cases/{case_id}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("家賃")
        assert await serious(page) == []
    await context.close()

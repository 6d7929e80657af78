"""A supervisor at a real browser: the reports fit every width, axe finds nothing, the table behind a chart opens."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.test_console import serious, sign_in
from tests.conftest import Town
from tests.desk import add_staff
from uketome import demo_town


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_reports_are_accessible_and_fit(town: Town, browser: Browser, scheme: Any) -> None:
    demo_town.build(town.service.database, town.clock.now(), 60)
    await add_staff(town, "花房", "hanabusa@example.jp", "admin")
    context = await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP", color_scheme=scheme)
    page = await context.new_page()
    await sign_in(page, "hanabusa@example.jp")
    paths = [f"reports/{subject}?period=FY2026" for subject in ("cases", "waiting", "load", "gaps", "costs")]
    for path in (*paths, "reports/cases?from=2026-05-01&until=2026-04-01", "settings/cost-split"):
        await page.goto(f"/staff/{path}")
        for width in (1280, 360):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert await serious(page) == [], path
    await page.goto("/staff/reports/cases?period=FY2026")
    await page.locator("#pick-period").select_option("FY2025")
    await page.get_by_role("button", name="集計する").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("2025年度")
    table = page.get_by_role("group", name="分野ごとの表")
    await expect(table).to_be_hidden()
    await page.get_by_text("表で見る").first.press("Enter")
    await expect(table).to_be_visible()
    await context.close()

"""Records and forms at a real browser: a visit written with one hand, the ◎ moved, every page fit and accessible."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_console import serious, sign_in
from tests.conftest import Town
from tests.desk import a_case, add_staff
from tests.test_forms import FOUND, WORDS


@pytest.fixture
async def kanri(browser: Browser, town: Town) -> Any:
    """An admin's browser, signed in. Whatever the page's scripts complain of fails the test."""
    await add_staff(town, "管理", "kanri@example.jp", "admin")
    context = await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP", timezone_id="Asia/Tokyo")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    await sign_in(page, "kanri@example.jp")
    yield page
    await context.close()
    assert not complaints


async def test_a_visit_is_recorded_and_a_form_is_changed(town: Town, kanri: Page) -> None:
    case_id = await a_case(town, WORDS, found=FOUND)
    await kanri.goto(f"/staff/cases/{case_id}/records")
    await expect(kanri.get_by_text("手紙を残した")).to_be_hidden()
    await kanri.get_by_label("訪問", exact=True).check()
    await kanri.get_by_label("手紙を残した").check()
    await kanri.get_by_label("留守だった").check()
    await kanri.get_by_role("button", name="30分").click()
    await kanri.get_by_label("内容").fill("お留守だった")
    await kanri.get_by_role("button", name="保存する").click()
    await expect(kanri.get_by_role("listitem").filter(has_text="お留守だった")).to_contain_text("30分")

    await kanri.goto(f"/staff/cases/{case_id}/forms/moushikomi")
    await kanri.get_by_label("一番お困りのこと：ひきこもり・不登校").check()
    # Enter saves, and restores nothing.
    await kanri.get_by_label("受付者").fill("管理")
    await kanri.get_by_label("受付者").press("Enter")
    await expect(kanri.get_by_role("status")).to_have_text("保存しました。")
    await expect(kanri.get_by_label("一番お困りのこと：ひきこもり・不登校")).to_be_checked()
    await expect(kanri.get_by_label("受付者")).to_have_value("管理")
    await kanri.locator("#item-concerns").get_by_role("button", name="もとに戻す").click()
    await expect(kanri.get_by_label("一番お困りのこと：家賃やローンの支払いのこと")).to_be_checked()
    async with kanri.expect_download() as download:
        await kanri.get_by_role("link", name="PDFにする").click()
    assert (await download.value).suggested_filename.startswith(f"相談受付・申込票-{case_id[:8]}")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
async def test_every_page_of_forms_is_accessible_and_fits(town: Town, kanri: Page, scheme: Any, width: int) -> None:
    case = f"/staff/cases/{await a_case(town, WORDS, found=FOUND)}"
    await kanri.emulate_media(color_scheme=scheme)
    await kanri.set_viewport_size({"width": width, "height": 800})
    pages = ("/records", "/forms", "/forms/basic", "/forms/moushikomi", "/forms/intake", "/forms/plan")
    for path in (*(f"{case}{page}" for page in pages), "/staff/settings/forms", "/staff/settings/forms?table=names"):
        await kanri.goto(path)
        assert await serious(kanri) == [], path
        assert await kanri.evaluate("document.documentElement.scrollWidth") <= width, path

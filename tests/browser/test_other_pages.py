"""The pages that no walk of another test stays on: nothing keeps anybody out, and no two things bear one name."""

from collections import Counter

from playwright.async_api import Browser, Page, expect

from tests.browser.test_console import WORDS, serious, sign_in
from tests.conftest import Town
from tests.desk import Colleague, a_case, add_staff
from tests.desk import browser as a_browser
from tests.test_agencies import an_agency, says, send


async def test_the_other_pages_are_accessible_and_fit(town: Town, browser: Browser) -> None:
    case_id = await a_case(town, WORDS)
    await an_agency(town, "みどり中学校")
    await says(town, case_id, True)
    await add_staff(town, "花房", "hanabusa@example.jp", "admin")
    async with a_browser(town) as http:
        hanabusa = Colleague(http, "hanabusa@example.jp")
        await hanabusa.sign_in()
        await hanabusa.do(case_id, "claim")
        made = {"title": "十二月の会議", "on": "2026-12-01", "at": "14:00"}
        meeting = (await send(hanabusa, "/staff/meetings", kind="juso", **made)).headers["location"]
        await send(hanabusa, f"{meeting}/add", meeting, case=case_id)
    case = f"/staff/cases/{case_id}"
    async with await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP") as context:
        page = await context.new_page()
        await sign_in(page, "hanabusa@example.jp")
        for path in (
            "/staff", "/staff/meetings", meeting, f"{meeting}/cases/{case_id}", "/staff/agencies", f"{case}/support",
            f"{case}/letter", f"{case}/records", "/staff/settings/replies", "/staff/settings/examples", case,
        ):  # fmt: skip
            answer = await page.goto(path)
            assert answer
            assert answer.ok, path
            await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            await stands(page, path)
        assert await page.evaluate("document.documentElement.scrollHeight") <= 800, (
            "a case's frames scroll, not the page"
        )
        await page.goto("/staff")
        await page.get_by_role("searchbox").fill("家賃")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="相談の列へ")).to_be_visible()
        await stands(page, "search")


async def stands(page: Page, where: str) -> None:
    for width, scheme in ((360, "dark"), (1280, "light")):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert await serious(page) == [], where
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, where
    ids = await page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert [one for one, times in Counter(ids).items() if times > 1] == [], where

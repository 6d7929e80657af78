"""The settings at a real browser: an admin invites, sets up a second factor, and comes back in; axe finds nothing."""

import re

import pyotp
from playwright.async_api import Browser, Page, expect

from tests.browser.test_console import serious, sign_in
from tests.conftest import Town
from tests.desk import PASSWORD, a_case, add_staff

PAGES = (
    "/staff/settings/people",
    "/staff/settings/desks",
    "/staff/settings/notices",
    "/staff/settings/trail",
    "/staff/me",
)
SHAPES = ((360, "dark"), (1280, "light"))


async def test_an_admin_invites_and_sets_up_a_second_factor(town: Town, browser: Browser) -> None:
    await add_staff(town, "山田", "yamada@example.jp", "admin")
    case_id = await a_case(town, "家賃を滞納しています")
    async with await browser.new_context(base_url=str(town.http.base_url)) as context:
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        await sign_in(page, "yamada@example.jp")
        await page.goto(f"/staff/cases/{case_id}")
        for path in PAGES:
            await page.goto(path)
            await fits(page)
        await expect(page.get_by_text("この画面")).to_be_visible()
        await page.goto(PAGES[0])
        await page.get_by_role("button", name="招待のリンクを作る").click()
        await expect(page.get_by_label("招待のリンク", exact=True)).to_have_value(re.compile("/staff/invite/"))
        await page.goto(PAGES[-1])
        await page.locator("#password").fill(PASSWORD)
        await page.get_by_role("button", name="確認コードを使う").click()
        await expect(page.locator(".qr svg")).to_be_visible()
        await fits(page)
        app = pyotp.TOTP((await page.locator(".secret").inner_text()).replace(" ", ""))
        await page.get_by_label("アプリに出た6桁の数字").fill(code(app, town))
        await page.get_by_role("button", name="確かめて").click()
        await expect(page.locator(".codes li")).to_have_count(10)
        await fits(page)
        await page.get_by_role("button", name="サインアウト").click()
        town.clock.forward(minutes=1)
        await page.get_by_label("メールアドレス").fill("yamada@example.jp")
        await page.get_by_label("パスワード").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("確認コード")).to_be_focused()
        await fits(page)
        await page.keyboard.type(code(app, town))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="待っている人")).to_be_visible()
        assert complaints == []


def code(app: pyotp.TOTP, town: Town) -> str:
    return app.generate_otp(int(town.clock.now().timestamp()) // 30)


async def fits(page: Page) -> None:
    """Nothing keeps anybody out, and nothing stands out at the side."""
    for width, scheme in SHAPES:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert await serious(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width

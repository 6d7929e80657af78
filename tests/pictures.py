"""`make pictures`: takes the pictures in docs/pictures from the running product, at phone and desktop width."""

import asyncio
import tempfile
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page, async_playwright

from storage.settings import ROOT
from tests.conftest import Resident
from tests.line_platform import LinePlatform
from tests.prepare import chromium
from tests.product import Product

PICTURES = ROOT / "docs/pictures"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HANAKO = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
OTHERS = (
    ("夫に毎晩なぐられています。こわいです",),
    ("80の父がひとりで暮らしています。最近、火の消し忘れがふえました", "去年の冬からです"),
    ("こんにちは",),
)


async def main() -> None:
    """Starts the product, lets residents talk, and takes the pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with LinePlatform(quota=None) as line, async_playwright() as playwright:
            product = Product(Path(folder), line)
            await product.start()
            browser = await playwright.chromium.launch(executable_path=chromium(), args=QUIET)
            try:
                await _take(product, browser)
            finally:
                await browser.close()
                await product.stop()


async def _take(product: Product, browser: Browser) -> None:
    async with httpx.AsyncClient(base_url=product.address, timeout=40) as http:
        await product.rasa_is_ready(http)
        for texts in OTHERS:
            somebody = Resident(http)
            await somebody.come()
            for text in texts:
                await somebody.talk(text)
    for name, width, height in (("phone", 390, 800), ("desktop", 1280, 860)):
        page = await browser.new_page(viewport={"width": width, "height": height}, timezone_id="Asia/Tokyo")
        await _talk(page, product.address)
        await page.screenshot(path=PICTURES / f"widget-{name}.png")
    await _staff(product, browser)


async def _talk(page: Page, address: str) -> None:
    await page.goto(address)
    box = page.locator("uketome-chat textarea")
    await box.fill(HANAKO)
    await page.locator("uketome-chat").get_by_role("button", name="送る").click()
    await page.locator("uketome-chat .said.resident").wait_for()
    await page.locator("uketome-chat .choices button, uketome-chat .choice").first.wait_for()
    await box.blur()
    await page.locator("uketome-chat").scroll_into_view_if_needed()


async def _staff(product: Product, browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 1280, "height": 860}, timezone_id="Asia/Tokyo")
    await page.goto(await product.invitation())
    await page.fill("input[name=name]", "佐藤")
    await page.fill("input[name=email]", "sato@example.jp")
    await page.fill("input[name=password]", "hana-no-michi-12")
    await page.locator("form button").last.click()
    await page.get_by_text("待っている人").wait_for()
    await page.screenshot(path=PICTURES / "queue.png")
    await page.get_by_text("夫が仕事を辞めて").first.click()
    await page.get_by_text("まだ聞いていないこと").first.wait_for()
    await page.screenshot(path=PICTURES / "case.png", full_page=True)


if __name__ == "__main__":
    asyncio.run(main())

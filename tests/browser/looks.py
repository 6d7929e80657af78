"""Whether a page can be read by everybody: axe finds nothing and nothing sticks out, narrow or wide."""

from typing import Literal

from playwright.async_api import Page

from tests.browser.test_console import serious

SHAPES: tuple[tuple[int, Literal["dark", "light"]], ...] = ((360, "dark"), (1280, "light"))


async def fits(page: Page) -> None:
    """Asserts it of the page as it stands."""
    for width, scheme in SHAPES:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": 800})
        assert await serious(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width

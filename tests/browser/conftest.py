"""A real browser in front of the town's page."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.conftest import Town

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database is enough here: the subject is the browser."""
    return f"sqlite:///{tmp_path / 'town.db'}"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """The machine's Chromium."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.fail(
            "The browser tests need Chromium: install Debian's packages chromium and fonts-noto-cjk.", pytrace=False
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        await browser.close()


@pytest.fixture
async def desk(browser: Browser, town: Town) -> AsyncIterator[BrowserContext]:
    """A browser at a desk."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, base_url=str(town.http.base_url))
    yield context
    await context.close()


@pytest.fixture
async def page(desk: BrowserContext) -> Page:
    """The town's page, with the first messages."""
    page = await desk.new_page()
    await page.goto("/")
    await page.locator(".said").first.wait_for()
    return page

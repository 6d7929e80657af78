"""The page behind LINE's door in a real browser: the link opens it once, and leaves no trace in the address."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.words import words
from connectors.line_door import LineDoor
from storage.models import Conversation
from tests.conftest import Town
from tests.line_platform import settings

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
WORDS = "夫が仕事を辞めてから、家賃を滞納しています"
QUESTION = "どこからでも書いてください"


@contextlib.asynccontextmanager
async def phone(browser: Browser, town: Town) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(base_url=str(town.http.base_url), **PHONE)
    yield context
    await context.close()


@pytest.fixture
async def link(town: Town) -> str:
    """A one-time link to a talk in which something was said already."""
    key = town.service.settings.secret_key_file or town.service.settings.var_dir / "secret.key"
    assert town.service.settings.secret_key
    door = LineDoor(settings(secret_key_file=key, public_url=str(town.http.base_url)))
    now = town.clock.now()
    resident = town.resident()
    await resident.come()

    def make(session: Any) -> str:
        talk = session.query(Conversation).one()
        return door.button(session, talk.id, ["", ""], now).address

    return await town.service.database.write(make)


async def opened(page: Page) -> None:
    await expect(page.locator(".said.bot").last).to_contain_text(QUESTION)


async def test_the_link_opens_the_talk_and_is_gone_from_the_address(town: Town, browser: Browser, link: str) -> None:
    asked = []
    async with phone(browser, town) as hers, phone(browser, town) as another:
        page = await hers.new_page()
        page.on("request", lambda request: asked.append((request.url, request.headers.get("referer"))))
        answer = await page.goto(link)
        assert answer
        assert answer.headers["referrer-policy"] == "no-referrer"
        await opened(page)
        assert page.url == f"{town.http.base_url}/talk"
        token = link.partition("#")[2]
        assert not [url for url, _ in asked[1:] if token in url]
        assert not any(referer for _, referer in asked)

        await page.get_by_role("textbox").fill(WORDS)
        await page.get_by_role("button", name="送る", exact=True).click()
        await expect(page.locator(".said.bot").last).to_contain_text("いつごろからですか")
        await page.reload()
        await expect(page.locator(".said.bot").last).to_contain_text("いつごろからですか")
        await page.goto(link)  # the same link again, in the browser that opened it
        await expect(page.locator(".said.bot").last).to_contain_text("いつごろからですか")

        elsewhere = await another.new_page()
        await elsewhere.goto(link)
        await expect(elsewhere.locator(".said.shut")).to_have_text(words().door["used"])
        await expect(elsewhere.get_by_role("textbox")).to_be_hidden()
        await expect(elsewhere.get_by_text("書くより先に、電話してください")).to_be_visible()
        await elsewhere.reload()
        await expect(elsewhere.locator(".said.shut")).to_have_text(words().door["closed"])


async def test_an_answer_that_got_lost_does_not_shut_its_own_browser_out(
    town: Town, browser: Browser, link: str
) -> None:
    async with phone(browser, town) as hers:
        page = await hers.new_page()
        lost: list[Any] = []

        async def lose(route: Any) -> None:
            if not lost and route.request.method == "POST":
                lost.append(await route.fetch())  # it has arrived, and its answer comes nowhere
                await route.abort()
            else:
                await route.continue_()

        await page.route("**/chat/sessions", lose)
        await page.goto(link)
        await opened(page)
        assert lost[0].status == 201


async def test_a_new_link_in_a_page_that_stands_open(town: Town, browser: Browser, link: str) -> None:
    async with phone(browser, town) as hers:
        page = await hers.new_page()
        await page.goto("/talk")
        await expect(page.locator(".said.shut")).to_have_text(words().door["closed"])
        await page.evaluate("address => { location.href = address }", link)
        await opened(page)
        # The page's own anchors are no links of ours.
        await page.evaluate("() => { location.hash = 'chat' }")
        await page.reload()
        await opened(page)


async def test_where_the_browser_keeps_nothing_the_link_opens_all_the_same(
    town: Town, browser: Browser, link: str
) -> None:
    async with phone(browser, town) as hers:
        page = await hers.new_page()
        await page.add_init_script("Object.defineProperty(window, 'sessionStorage', { get() { throw Error('off') } })")
        await page.goto(link)
        await opened(page)

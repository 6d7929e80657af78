"""The widget as residents meet it: Japanese input, reload, a lost network, the quick exit, keyboard, screen reader."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from handoff import case
from storage import bells
from storage.models import Conversation
from storage.settings import ROOT
from tests.conftest import Town
from tests.stand_ins.rasa import StandInRasa

WORDS = "夫が仕事を辞めてから、家賃を滞納しています"
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def field(page: Page) -> Locator:
    return page.get_by_role("textbox")


def said(page: Page, who: str) -> Locator:
    return page.locator(f".said.{who}")


async def write(page: Page, words: str) -> None:
    await field(page).fill(words)
    await page.get_by_role("button", name="送る", exact=True).click()


async def arrived(page: Page, messages: int) -> None:
    """Waits until one's own messages stand there and nothing is left to say about them: then they are durable."""
    await expect(said(page, "resident")).to_have_count(messages)
    await expect(page.locator(".state")).to_have_count(0)


async def texts(town: Town) -> list[str]:
    return [m.text for m in await town.messages() if m.sender == "resident"]


async def test_a_resident_writes_and_is_answered(town: Town, page: Page) -> None:
    await write(page, WORDS)
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    await expect(said(page, "resident")).to_have_count(1)
    await expect(page.locator(".state")).to_have_count(0)
    await expect(page.get_by_text("機械の受付です", exact=True)).to_be_visible()
    assert await texts(town) == [WORDS]


# Japanese input


async def test_the_enter_of_a_conversion_never_sends(town: Town, page: Page, desk: BrowserContext) -> None:
    await field(page).focus()
    devtools = await desk.new_cdp_session(page)
    await devtools.send("Input.imeSetComposition", {"text": "やちん", "selectionStart": 3, "selectionEnd": 3})
    # 229 is how a browser names a key that the input method takes.
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    await devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await devtools.send("Input.insertText", {"text": "家賃"})
    await devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    await expect(field(page)).to_have_value("家賃")
    await expect(said(page, "resident")).to_have_count(0)

    # The widget's own timer of the conversion's end has run when one that was set after it has.
    await page.evaluate("() => new Promise((done) => setTimeout(done))")
    await page.keyboard.press("Enter")
    await arrived(page, 1)
    assert await texts(town) == ["家賃"]


@pytest.mark.parametrize("order", ["chrome", "safari", "safari without 229"])
async def test_the_enter_of_a_conversion_in_every_browsers_order(town: Town, page: Page, order: str) -> None:
    await field(page).fill("家賃")
    # Safari ends the composition first, and says of the Enter after it that nothing is being composed.
    await field(page).evaluate(
        """(input, order) => {
            const fire = (Kind, name, more) =>
                input.dispatchEvent(new Kind(name, { bubbles: true, cancelable: true, ...more }));
            const end = () => fire(CompositionEvent, "compositionend", { data: "家賃" });
            fire(CompositionEvent, "compositionstart", {});
            if (order !== "chrome") end();
            fire(KeyboardEvent, "keydown", {
                key: "Enter", isComposing: order === "chrome", keyCode: order === "safari without 229" ? 13 : 229 });
            if (order === "chrome") end();
        }""",
        order,
    )
    await expect(said(page, "resident")).to_have_count(0)
    await expect(field(page)).to_have_value("家賃")
    await page.keyboard.press("Enter")
    await expect(said(page, "resident")).to_have_count(1)


async def test_shift_enter_is_a_new_line(town: Town, page: Page) -> None:
    await field(page).press_sequentially("一")
    await page.keyboard.press("Shift+Enter")
    await field(page).press_sequentially("二")
    await page.keyboard.press("Enter")
    await arrived(page, 1)
    assert await texts(town) == ["一\n二"]


async def test_on_a_phone_enter_is_a_new_line_and_the_button_sends(town: Town, browser: Browser) -> None:
    context = await browser.new_context(base_url=str(town.http.base_url), **PHONE)
    page = await context.new_page()
    await page.goto("/")
    await field(page).press_sequentially("一")
    await page.keyboard.press("Enter")
    await field(page).press_sequentially("二")
    await expect(said(page, "resident")).to_have_count(0)
    await page.get_by_role("button", name="送る", exact=True).tap()
    await arrived(page, 1)
    assert await texts(town) == ["一\n二"]
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await context.close()


# Reload, and a lost network


async def test_a_reload_goes_on_where_the_talk_was(town: Town, page: Page) -> None:
    await write(page, WORDS)
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    before = await page.locator(".said").all_inner_texts()
    await field(page).fill("書きかけ")
    await page.reload()
    await expect(page.locator(".said")).to_have_count(len(before))
    assert await page.locator(".said").all_inner_texts() == before
    await expect(field(page)).to_have_value("書きかけ")


async def test_offline_is_shown_and_nothing_is_lost_or_doubled(town: Town, page: Page, desk: BrowserContext) -> None:
    await desk.set_offline(True)
    await write(page, "つながりません")
    await expect(page.get_by_text("送れませんでした。")).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("つながっていません")
    await write(page, "まだです")
    await desk.set_offline(False)
    await arrived(page, 2)
    await expect(page.get_by_role("status")).to_have_text("")
    assert await texts(town) == ["つながりません", "まだです"]


async def test_a_resident_can_send_again_by_hand(town: Town, page: Page) -> None:
    async def not_now(route: Route) -> None:
        # So far ahead that no automatic try comes first.
        headers = {"Retry-After": "600", "Access-Control-Allow-Origin": "*"}
        await (route.fulfill(status=503, headers=headers) if route.request.method == "POST" else route.continue_())

    await page.route("**/chat/messages*", not_now)
    await write(page, WORDS)
    again = page.get_by_role("button", name="もう一度送る")
    await expect(again).to_be_visible()
    await page.unroute_all(behavior="ignoreErrors")
    await again.click()
    await arrived(page, 1)
    assert await texts(town) == [WORDS]


async def test_an_arrival_whose_answer_was_lost_is_not_doubled(town: Town, page: Page) -> None:
    lost = asyncio.Event()

    async def lose_the_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost.is_set():
            await route.fetch()
            lost.set()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/chat/messages", lose_the_answer)
    await write(page, WORDS)
    await lost.wait()
    await expect(page.locator(".state")).to_have_count(0)
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    await expect(said(page, "resident")).to_have_count(1)
    assert await texts(town) == [WORDS]


async def test_unsent_words_outlive_a_reload(town: Town, page: Page) -> None:
    await page.route(
        "**/chat/messages", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    await write(page, WORDS)
    await expect(page.get_by_text("送れませんでした。")).to_be_visible()
    await page.unroute_all(behavior="ignoreErrors")
    await page.reload()
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    await expect(said(page, "resident")).to_have_count(1)
    assert await texts(town) == [WORDS]


async def test_a_long_text_is_kept_and_told(town: Town, page: Page) -> None:
    await write(page, "あ" * 5001)
    await expect(page.get_by_role("status")).to_contain_text("5,000文字まで")
    assert await field(page).input_value() == "あ" * 5001
    assert await texts(town) == []


# The quick exit


async def _talks_open(town: Town) -> int:
    def open_ones(session: Any) -> int:
        return int(session.query(Conversation).filter(Conversation.address.is_not(None)).count())

    return await town.service.database.read(open_ones)


@pytest.mark.parametrize("way", ["button", "escape twice"])
async def test_the_quick_exit_leaves_nothing_in_the_browser(
    town: Town, page: Page, desk: BrowserContext, way: str
) -> None:
    await desk.route("https://www.jma.go.jp/", lambda route: route.fulfill(body="<title>天気</title>"))
    await write(page, WORDS)
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    async with page.expect_request(lambda request: request.method == "DELETE"):
        if way == "button":
            await page.get_by_role("button", name="すぐに閉じる").click()
        else:
            await page.keyboard.press("Escape")
            await page.keyboard.press("Escape")
    await page.wait_for_url("https://www.jma.go.jp/")
    await town.until(lambda: _gone(town))

    await page.goto(str(town.http.base_url))
    await page.locator(".said").first.wait_for()
    await expect(said(page, "resident")).to_have_count(0)
    assert len(await town.cases()) == 1, "the case stays"


async def _gone(town: Town) -> bool:
    return await _talks_open(town) == 0


# Choices, numbers, people


async def test_a_choice_sends_its_words_and_goes(town: Town, page: Page) -> None:
    await write(page, WORDS)
    await page.get_by_role("button", name="とばす").click()
    await expect(said(page, "resident").last).to_contain_text("とばす")
    await arrived(page, 2)
    assert await texts(town) == [WORDS, "とばす"]


async def test_choices_go_when_own_words_are_sent(town: Town, page: Page, rasa: StandInRasa) -> None:
    await write(page, WORDS)
    await expect(page.get_by_role("button", name="とばす")).to_be_visible()
    rasa.say("わかりました。")
    await write(page, "去年からです")
    await expect(said(page, "bot").last).to_contain_text("わかりました")
    await expect(page.get_by_role("button", name="とばす")).to_have_count(0)


async def test_helplines_can_be_called_and_markup_is_text(town: Town, page: Page, rasa: StandInRasa) -> None:
    rasa.say("よりそいホットライン　0120-279-338　24時間\n警察は110番です。\n「03-1234-5678」から110円、<b>#8008</b>")
    await write(page, "<img src=x onerror=document.title='!'> 0120-000-000")
    await expect(said(page, "bot").last).to_contain_text("<b>#8008</b>")
    links = page.locator(".said a")
    assert [await link.get_attribute("href") for link in await links.all()] == [
        "tel:0120279338",
        "tel:110",
        "tel:%238008",
    ]
    await expect(said(page, "resident")).to_contain_text("<img src=x")
    assert await page.title() != "!"


async def test_a_counselor_is_named_as_a_person(town: Town, page: Page) -> None:
    def answer(session: Any) -> str:
        talk = session.query(Conversation).one()
        case.say(session, talk, case.COUNSELOR, "佐藤です。お話をうかがいます。", town.clock.now(), case=None)
        return str(talk.id)

    town.service.bells.ring(bells.talk(await town.service.database.write(answer)))
    await expect(said(page, "counselor")).to_contain_text("佐藤です")
    await expect(page.locator(".from").last).to_contain_text("相談員")


async def test_while_an_answer_is_made_it_shows(town: Town, desk: BrowserContext) -> None:
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    page = await desk.new_page()
    await page.route("**/chat/messages?*wait=25", hold)
    await page.goto("/")
    await write(page, WORDS)
    await expect(page.locator(".typing")).to_be_visible()
    held.set()
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    await expect(page.locator(".typing")).to_be_hidden()


# Keyboard, screen reader, other pages


async def test_everything_is_reached_by_keyboard(page: Page) -> None:
    reached = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate(FOCUSED))
    order = [name for name in reached if name in ("すぐに閉じる", "log", "input", "送る")]
    assert order[:4] == ["すぐに閉じる", "log", "input", "送る"]


async def test_a_towns_own_page_needs_one_script_and_the_launcher_keeps_the_focus(
    town: Town, desk: BrowserContext
) -> None:
    page = await desk.new_page()
    async with _own_page(town) as address:
        await page.goto(address)
        launcher = page.get_by_role("button", name="相談する")
        await launcher.focus()
        await page.keyboard.press("Enter")
        await expect(field(page)).to_be_focused()
        await write(page, WORDS)
        await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
        await page.keyboard.press("Escape")
        await expect(launcher).to_be_focused()
        await expect(field(page)).to_be_hidden()
        await page.reload()
        await launcher.click()
        await expect(said(page, "resident")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(town: Town, browser: Browser, scheme: str) -> None:
    light: Any = scheme
    context = await browser.new_context(base_url=str(town.http.base_url), color_scheme=light, bypass_csp=True)
    page = await context.new_page()
    await page.goto("/")
    await page.locator(".said").first.wait_for()
    await write(page, WORDS)
    await expect(page.get_by_role("button", name="とばす")).to_be_visible()
    await page.add_script_tag(path=ROOT / "node_modules/axe-core/axe.min.js")
    found = await page.evaluate(
        "axe.run().then((result) => result.violations.map((v) => [v.impact, v.id, v.nodes[0].html]))"
    )
    assert [violation for violation in found if violation[0] in ("serious", "critical")] == []
    await context.close()


async def test_nobody_else_is_asked_for_anything(town: Town, desk: BrowserContext) -> None:
    asked: list[str] = []
    page = await desk.new_page()
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/")
    await write(page, WORDS)
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    assert asked
    assert all(url.startswith(str(town.http.base_url)) for url in asked)


FOCUSED = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.id || at?.getAttribute("role") || at?.textContent.trim();
}"""


@contextlib.asynccontextmanager
async def _own_page(town: Town) -> AsyncIterator[str]:
    """A page of another origin, as strict as a town's page can be, that only names the script."""
    base = str(town.http.base_url).rstrip("/")
    policy = f"default-src 'none'; script-src {base}; connect-src {base}; require-trusted-types-for 'script'"
    body = f'<!doctype html><html lang="ja"><title>町</title><h1>町</h1><script src="{base}/widget.js"></script>'

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": policy})

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield "http://{}:{}/".format(*runner.addresses[0])
    await runner.cleanup()


# Languages


async def test_a_language_chosen_first_begins_the_talk_in_it(town: Town, page: Page) -> None:
    await expect(page.get_by_role("combobox")).to_be_in_viewport(ratio=1)
    await page.get_by_role("combobox").select_option("Tiếng Việt")
    await expect(said(page, "bot").first).to_contain_text("nhân viên tư vấn")
    await expect(page.get_by_role("button", name="Gửi", exact=True)).to_be_visible()
    await expect(said(page, "bot")).to_have_count(3)
    await page.reload()
    await expect(said(page, "bot").first).to_contain_text("nhân viên tư vấn")
    await expect(page.get_by_role("combobox")).to_have_value("vi")
    assert await texts(town) == []
    assert await town.cases() == []


async def test_a_language_chosen_in_the_talk_goes_on_in_it(town: Town, page: Page) -> None:
    await write(page, WORDS)
    await expect(said(page, "bot").last).to_contain_text("いつごろからですか")
    await field(page).fill("まだ書いている")
    await page.get_by_role("combobox").select_option("English")
    await expect(page.get_by_text("We can go on in English.")).to_be_visible()
    await expect(field(page)).to_have_value("まだ書いている")
    await expect(said(page, "resident").first).to_contain_text(WORDS)
    assert await texts(town) == [WORDS, "English"]


async def test_the_widget_follows_a_recognised_language(town: Town, page: Page) -> None:
    await write(page, "Perdi o emprego e não consigo pagar o aluguel")
    await expect(page.get_by_role("button", name="Enviar", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Pular")).to_be_visible()
    await expect(page.get_by_role("combobox")).to_have_value("pt")

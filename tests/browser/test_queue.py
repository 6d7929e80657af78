"""The queue at a real browser: keys, danger that makes itself known once, drafts that outlive the page."""

from urllib.parse import quote

from playwright.async_api import Page, expect

from tests.browser.test_console import FOUND, WORDS, sato, serious  # noqa: F401 - a fixture
from tests.conftest import Town
from tests.desk import a_case


async def test_a_case_is_claimed_and_answered_by_keys_alone(town: Town, sato: Page) -> None:  # noqa: F811
    await a_case(town, "先のこと", minutes=9)
    await a_case(town, WORDS, minutes=5)
    await sato.reload()
    await sato.keyboard.press("?")
    await expect(sato.get_by_role("dialog", name="キー操作")).to_be_visible()
    assert await serious(sato) == []
    await sato.keyboard.press("?")
    await sato.get_by_role("searchbox").press_sequentially("jcr?")
    await expect(sato.get_by_role("searchbox")).to_have_value("jcr?")
    await sato.get_by_role("searchbox").blur()
    await sato.keyboard.press("j")
    await sato.keyboard.press("j")
    await expect(sato.get_by_role("link", name=WORDS)).to_be_focused()
    await sato.keyboard.press("c")
    await sato.wait_for_url("**/staff/cases/*")
    await sato.keyboard.press("r")
    answer = sato.get_by_label("ウェブでお返事する")
    await expect(answer).to_be_focused()
    await sato.get_by_text("定型文から書く").click()
    await sato.locator("#replies").get_by_role("button", name="はじめのごあいさつ").click()
    await expect(answer).to_have_value("はじめまして。うけとめ市の相談窓口の佐藤です。\n"
        "書いてくださって、ありがとうございます。ここまでのお話は、すべて読みました。\n"
        "どこからでもかまいません。話したいことから、ゆっくり聞かせてください。")  # fmt: skip
    async with sato.expect_response(lambda saved: quote("つづき") in (saved.request.post_data or "")):
        await answer.press_sequentially("つづき")
    await sato.reload()
    kept = await sato.get_by_label("ウェブでお返事する").input_value()
    assert kept.endswith("つづき")


async def test_a_new_danger_makes_itself_known_once(town: Town, sato: Page) -> None:  # noqa: F811
    await a_case(town, "前からの危険", level="urgent", found=FOUND)
    await sato.add_init_script(
        "window.heard = 0; document.addEventListener('danger', (event) => { window.heard += event.detail; });"
    )
    await sato.reload()
    alarm = sato.get_by_role("button", name="危険を音で知らせる")
    await alarm.click()
    await expect(alarm).to_have_attribute("aria-pressed", "true")
    await a_case(town, "ただの相談")
    await a_case(town, "新しい危険", level="immediate", found={**FOUND, "urgency": {"level": "immediate"}})
    town.service.bells.ring("queue")
    await expect(sato.get_by_role("link", name="新しい危険")).to_be_visible()
    assert await sato.evaluate("heard") == 1
    await sato.reload()
    await expect(sato.get_by_role("link", name="新しい危険")).to_be_visible()
    assert await sato.evaluate("heard") == 0

"""The case on one page at a real browser: words and findings light each other, and what is corrected stays in place."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_console import sato, serious  # noqa: F401 - sato is a fixture
from tests.conftest import Town
from tests.desk import a_case
from tests.test_corrections import FOUND, WORDS


async def test_a_field_is_reached_by_keyboard_lit_and_corrected_while_the_talk_goes_on(
    town: Town, sato: Page  # noqa: F811
) -> None:  # fmt: skip
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(WORDS)
    [case] = await town.cases()
    await sato.goto(f"/staff/cases/{case.id}")
    marks = sato.locator("#talk mark")
    await expect(marks.first).to_be_visible()
    finding = sato.locator(".fields .finding").first
    await finding.locator("summary").focus()
    quote = await finding.locator("q").first.get_attribute("data-quote")
    assert quote in await sato.evaluate("[...CSS.highlights.get('found')].map(String)")

    await sato.get_by_text("分野を加える").first.click()
    await sato.locator("#field-add").select_option("isolation")
    await hanako.talk("友だちもいません")
    await expect(sato.locator("#talk")).to_contain_text("友だちもいません")
    await expect(sato.locator("#news")).to_be_visible()
    await expect(sato.locator("#field-add")).to_have_value("isolation")
    await sato.get_by_role("button", name="分野を加える").click()
    await expect(sato.locator(".fields")).to_contain_text("孤立・居場所")
    await expect(sato.locator(".fields")).to_contain_text("職員の訂正")
    await expect(sato.locator("#news")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_the_page_with_everything_open_is_accessible_and_fits(
    town: Town, sato: Page, scheme: Any, width: int  # noqa: F811
) -> None:  # fmt: skip
    urgency = {"level": "urgent", "kinds": ["dv"], "quote": "夫が仕事を辞めて"}
    case_id = await a_case(town, WORDS, level="urgent", found={**FOUND, "urgency": urgency})
    await sato.emulate_media(color_scheme=scheme)
    await sato.set_viewport_size({"width": width, "height": 800})
    await sato.goto(f"/staff/cases/{case_id}")
    for decides in (".alarm", "h1", ".family", ".fact >> nth=0", ".fields .finding >> nth=0", "#desk button >> nth=0"):
        box = await sato.locator(decides).first.bounding_box()
        assert box
        assert width == 360 or box["y"] + min(box["height"], 60) <= 800, decides
    await sato.evaluate("document.querySelectorAll('#understood details').forEach((one) => { one.open = true })")
    await sato.locator(".alarm summary").click()
    assert await serious(sato) == []
    assert await sato.evaluate("document.documentElement.scrollWidth") <= width

"""A counselor at a real browser: a case arrives by itself, is claimed, answered and closed; axe finds nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from storage.settings import ROOT
from tests.conftest import Town
from tests.desk import PASSWORD, a_case, add_staff

WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
FOUND = {
    "urgency": {"level": "urgent", "kinds": ["no_food"], "quote": "家賃を滞納していて"},
    "fields": [{"id": "housing", "confidence": 0.9, "quotes": ["家賃を滞納していて"], "example": ""}],
    "services": [{"id": "jiritsu_soudan", "score": 0.8, "quote": "家賃を滞納していて"}],
    "household": {
        "members": [{"relation": "husband", "age": 47, "fields": ["work"], "quotes": ["夫が仕事を辞めて"]}],
        "focus": None,
    },
    "topics": {"since": "夫が仕事を辞めてから"},
}
AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
async def sato(browser: Browser, town: Town) -> AsyncIterator[Page]:
    """佐藤's browser, signed in. Whatever the page's scripts complain of fails the test."""
    await add_staff(town, "佐藤", "sato@example.jp")
    context = await browser.new_context(base_url=str(town.http.base_url), locale="ja-JP")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    await sign_in(page, "sato@example.jp")
    yield page
    await context.close()
    assert not complaints


async def sign_in(page: Page, email: str) -> None:
    await page.goto("/staff")
    await page.get_by_label("メールアドレス").fill(email)
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="サインイン").click()
    await expect(page.get_by_role("heading", name="待っている人")).to_be_visible()


async def test_a_case_arrives_by_itself_and_is_answered_and_closed(town: Town, sato: Page) -> None:
    await expect(sato).to_have_title("(0) 相談の列 — うけとめ")
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await sato.get_by_role("link", name="滞納").click()
    await expect(sato.get_by_role("heading", level=1)).to_contain_text("滞納")
    await sato.get_by_role("button", name="担当する").click()
    answer = sato.get_by_label("ウェブでお返事する")
    await expect(answer).to_be_focused()
    talk = sato.get_by_role("log")
    await expect(talk).to_contain_text("ここからは相談員の佐藤がお話をうかがいます。")

    await answer.fill("家賃のこと、")
    await hanako.write("大家さんから電話が来ました")
    await expect(talk).to_contain_text("大家さんから電話が来ました")
    await expect(answer).to_have_value("家賃のこと、")
    await answer.press_sequentially("くわしく聞かせてください。")
    await answer.press("Control+Enter")
    await expect(talk).to_contain_text("家賃のこと、くわしく聞かせてください。")
    await expect(sato.get_by_label("ウェブでお返事する")).to_have_value("")

    await sato.get_by_text("相談を終える").first.click()
    await sato.get_by_label("終わりかた", exact=True).select_option("information")
    await sato.get_by_label("どのように終わりましたか").fill("自立相談につないだ")
    await sato.get_by_role("button", name="相談を終える").click()
    await expect(sato.get_by_text("この相談は終わっています。")).to_be_visible()
    await sato.get_by_role("link", name="相談の列", exact=True).click()
    await expect(sato.get_by_text("いま待っている人はいません。")).to_be_visible()


async def test_a_colleagues_claim_is_seen_at_once_and_a_late_one_is_told(
    town: Town, sato: Page, browser: Browser
) -> None:
    case_id = await a_case(town, WORDS)
    await add_staff(town, "鈴木", "suzuki@example.jp")
    async with await browser.new_context(base_url=str(town.http.base_url)) as context:
        suzuki = await context.new_page()
        await sign_in(suzuki, "suzuki@example.jp")
        for page in (sato, suzuki):
            await page.goto(f"/staff/cases/{case_id}")
        late = suzuki.get_by_role("button", name="担当する")
        await expect(late).to_be_visible()
        await suzuki.route("**/live?*", lambda route: route.abort())
        await suzuki.reload()
        await sato.get_by_role("button", name="担当する").click()
        await late.click()
        await expect(suzuki.get_by_role("alert")).to_contain_text("佐藤さんが担当しています。")


async def test_pointing_at_a_finding_lights_the_words_that_it_rests_on(town: Town, sato: Page) -> None:
    await sato.goto(f"/staff/cases/{await a_case(town, WORDS, found=FOUND)}")
    await sato.locator("[data-quote]").last.hover()
    lit = await sato.evaluate("[...CSS.highlights.get('found')].map(String)")
    assert lit == ["家賃を滞納していて"]


async def test_the_queue_is_walked_by_keys(town: Town, sato: Page) -> None:
    for i in range(3):
        await a_case(town, f"{i}番目のこと", minutes=10 - i)
    await sato.reload()
    await sato.get_by_role("link", name="0番目のこと").focus()
    await sato.keyboard.press("j")
    await sato.keyboard.press("j")
    await sato.keyboard.press("k")
    await expect(sato.get_by_role("link", name="1番目のこと")).to_be_focused()
    await sato.keyboard.press("Enter")
    await expect(sato.get_by_role("heading", level=1)).to_contain_text("1番目のこと")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
async def test_every_page_is_accessible_and_fits(town: Town, sato: Page, scheme: Any, width: int) -> None:
    for level in ("none", "watch", "urgent", "immediate"):
        case_id = await a_case(town, WORDS, level=level, found={**FOUND, "urgency": {"level": level, "quote": WORDS}})
    await a_case(town, WORDS, waiting=False)
    await sato.emulate_media(color_scheme=scheme)
    await sato.set_viewport_size({"width": width, "height": 800})
    pages = ["/staff", f"/staff/cases/{case_id}", "/staff/cases/nothing", "/staff/sign-in"]
    for path in pages:
        await sato.goto(path)
        assert await serious(sato) == []
        assert await sato.evaluate("document.documentElement.scrollWidth") <= width
    await sato.goto(pages[1])
    await sato.get_by_role("button", name="担当する").click()
    await expect(sato.get_by_label("ウェブでお返事する")).to_be_visible()
    assert await serious(sato) == []


async def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody out."""
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate("axe.run()")
    return [
        f"{broken['id']}: {[node['target'] for node in broken['nodes']]}"
        for broken in found["violations"]
        if broken["impact"] in ("serious", "critical")
    ]

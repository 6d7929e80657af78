"""One case from the first message to closing: a resident, two counselors, a supervisor and somebody of an agency, each
at a browser of their own. Whatever the product's scripts complain of, at any of them, fails the test."""

import contextlib
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from openpyxl import load_workbook
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.test_console import WORDS, sign_in
from tests.conftest import Town
from tests.desk import PASSWORD, a_case, add_staff
from tests.test_agencies import an_agency

#: Five browsers at once on a busy machine.
SLOWEST_MS = 20_000
TROUBLE = re.compile("滞納")
HANDOVER = "娘さんは甘いものの話になると笑います。学校のことは、ご本人から話してもらえるまで待ってください。"
FOR_SCHOOL = "登校の話は、こちらから切り出さないでください。"
FROM_SCHOOL = "保健室には、週に一度来ています。"
OTHERS = "となりの家のことは、だれにも言わないでください"
OUTCOME = "家賃の分納が決まり、娘さんは保健室に通いはじめた"
Opens = Callable[[], Awaitable[Page]]


@pytest.fixture
async def somebody(town: Town, browser: Browser) -> AsyncIterator[Opens]:
    """Makes a browser of its own for whoever needs one."""
    complaints: list[str] = []
    expect.set_options(timeout=SLOWEST_MS)
    async with contextlib.AsyncExitStack() as stack:

        async def opens() -> Page:
            context: BrowserContext = await browser.new_context(
                base_url=str(town.http.base_url), locale="ja-JP", timezone_id="Asia/Tokyo"
            )
            await stack.enter_async_context(context)
            page = await context.new_page()
            page.set_default_timeout(SLOWEST_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
            return page

        yield opens
    expect.set_options(timeout=None)
    assert complaints == []


async def test_a_case_from_the_first_message_to_closing(town: Town, somebody: Opens) -> None:
    school = await an_agency(town, "みどり中学校")
    for name, mail in (("佐藤", "sato"), ("鈴木", "suzuki")):
        await add_staff(town, name, f"{mail}@example.jp")
    await add_staff(town, "木村", "kimura@example.jp", "supervisor")
    await add_staff(town, "田中", "tanaka@example.jp", "agency", agency_id=school)
    await a_case(town, OTHERS)

    sato, suzuki, hanako = await somebody(), await somebody(), await somebody()
    await sign_in(sato, "sato@example.jp")
    await sign_in(suzuki, "suzuki@example.jp")
    await writes(hanako, WORDS)
    await is_claimed_and_answered(sato, suzuki, hanako)
    case = await is_passed_on(sato, suzuki)
    await brings_the_school_in(suzuki, case)
    tanaka = await somebody()
    await school_adds_what_it_knows(tanaka, case)
    await is_put_on_meetings(suzuki, case)
    await is_visited_and_followed(suzuki, case)
    await is_put_on_paper(suzuki, case)
    await is_closed(suzuki, case)
    await expect(hanako.locator("uketome-chat .said").last).to_contain_text("いつでも")
    await tanaka.reload()
    await expect(tanaka.get_by_role("heading", level=1)).not_to_contain_text(TROUBLE)
    await is_seen_by_the_supervisor(await somebody(), case)


async def writes(hanako: Page, text: str) -> None:
    await hanako.goto("/")
    chat = hanako.locator("uketome-chat")
    await chat.locator(".said").first.wait_for()
    await chat.locator("textarea").fill(text)
    await chat.get_by_role("button", name="送る").click()
    await expect(chat.locator(".said.resident")).to_contain_text(text)


async def is_claimed_and_answered(sato: Page, suzuki: Page, hanako: Page) -> None:
    """The case comes into both queues by itself; who claims it is seen in the other."""
    await expect(suzuki.get_by_role("link", name=TROUBLE)).to_be_visible()
    await sato.get_by_role("link", name=TROUBLE).click()
    await sato.get_by_role("button", name="担当する").click()
    await expect(sato.get_by_label("ウェブでお返事する")).to_be_focused()
    await expect(suzuki.locator(".row", has_text=TROUBLE)).to_contain_text("佐藤さん")

    await sato.get_by_text("分野を加える").first.click()
    await sato.locator("#field-add").select_option("isolation")
    await sato.get_by_role("button", name="分野を加える").click()
    await expect(sato.locator(".fields .finding", has_text="孤立・居場所")).to_contain_text("職員の訂正")

    await sato.get_by_text("定型文から書く").click()
    await sato.locator("#replies").get_by_role("button", name="はじめのごあいさつ").click()
    await sato.get_by_role("button", name="送る", exact=True).click()
    await expect(sato.get_by_role("log")).to_contain_text("ここまでのお話は、すべて読みました。")
    await expect(hanako.locator("uketome-chat")).to_contain_text("ここまでのお話は、すべて読みました。")


async def is_passed_on(sato: Page, suzuki: Page) -> str:
    """With a note; until it is taken on, the queue tells the receiver that it waits for them. The case's address."""
    await sato.locator("#passing summary").click()
    receiver = sato.get_by_label("だれに引き継ぎますか")
    await expect(receiver.get_by_role("option", name="田中")).to_have_count(0)
    await receiver.select_option(label="鈴木")
    await sato.get_by_label("引き継ぎのメモ").fill(HANDOVER)
    await sato.locator("#passing").get_by_role("button", name="引き継ぐ").click()
    await expect(sato.locator("#desk")).to_contain_text("主担当：鈴木さん")
    row = suzuki.locator(".row", has_text=TROUBLE)
    await expect(row).to_contain_text("あなたを待っています")
    await row.get_by_role("link", name=TROUBLE).click()
    await expect(suzuki.locator(".passed")).to_contain_text(HANDOVER)
    await suzuki.get_by_role("button", name="担当する").click()
    await expect(suzuki.get_by_label("ウェブでお返事する")).to_be_focused()
    await expect(sato.locator("#desk")).to_contain_text("鈴木さんが担当しています。")
    return suzuki.url


async def brings_the_school_in(suzuki: Page, case: str) -> None:
    """Without consent, on another ground; a note is meant for the school, another is not."""
    await suzuki.get_by_role("link", name="支援と連絡").click()
    await suzuki.get_by_text("機関に入ってもらう").click()
    await suzuki.locator("#agency-agency").select_option(label="みどり中学校")
    await expect(suzuki.locator("#agency-ground-consent")).to_be_disabled()
    await suzuki.locator("#agency-ground-106_6").check()
    await suzuki.get_by_role("button", name="入ってもらう", exact=True).click()
    await expect(suzuki.locator("#agencies .entry")).to_contain_text("社会福祉法106条の6")

    await suzuki.get_by_text("メモを書く").click()
    await suzuki.locator("#note-text").fill(FOR_SCHOOL)
    await suzuki.locator("#note-audience").select_option(label="役所とみどり中学校")
    await suzuki.get_by_text("機関に伝えるときの根拠").click()
    await suzuki.locator("#note-ground-106_6").check()
    await suzuki.get_by_role("button", name="メモを残す").click()
    await expect(suzuki.locator("#notes .entry").first).to_contain_text(FOR_SCHOOL)
    assert suzuki.url.startswith(f"{case}/support")


async def school_adds_what_it_knows(tanaka: Page, case: str) -> None:
    """They see the one case, what is meant for them, and of the town hall's own pages none."""
    await tanaka.goto("/staff/sign-in")
    await tanaka.get_by_label("メールアドレス").fill("tanaka@example.jp")
    await tanaka.get_by_label("パスワード").fill(PASSWORD)
    await tanaka.get_by_role("button", name="サインイン").click()
    await expect(tanaka.locator("main a.open")).to_have_count(1)
    refused = await tanaka.goto(case)
    assert refused
    assert refused.status == 404
    await tanaka.goto("/staff")
    await tanaka.get_by_role("link", name=TROUBLE).click()
    await expect(tanaka.locator("#notes .entry")).to_contain_text(FOR_SCHOOL)
    await expect(tanaka.locator("main")).not_to_contain_text(HANDOVER)
    await tanaka.get_by_label("メモを書く").fill(FROM_SCHOOL)
    await tanaka.get_by_role("button", name="メモを残す").click()
    await expect(tanaka.locator("#notes .entry").first).to_contain_text(FROM_SCHOOL)


async def is_put_on_meetings(suzuki: Page, case: str) -> None:
    """On the one that needs no consent at once, on the other only when the client has said yes."""
    support = await a_meeting(suzuki, "支援会議", "十二月の支援会議")
    consented = await a_meeting(suzuki, "重層的支援会議", "十二月の重層的支援会議")
    await suzuki.goto(f"{case}/support")
    await expect(suzuki.locator("#notes")).to_contain_text(FROM_SCHOOL)
    choice = suzuki.locator("#meeting-meeting")
    await suzuki.get_by_text("会議にかける").first.click()
    await expect(choice.get_by_role("option")).to_have_count(1)
    # Whoever goes round the page is refused by what is behind it.
    await choice.evaluate("(select, id) => select.add(new Option('', id, true, true))", consented)
    await suzuki.get_by_role("button", name="会議にかける").click()
    await expect(suzuki.get_by_role("alert")).to_contain_text("この相談には同意がありません。")
    await suzuki.locator("#meeting-meeting").select_option(support)
    await suzuki.get_by_role("button", name="会議にかける").click()
    await expect(suzuki.locator("#meetings .entry")).to_contain_text("十二月の支援会議")

    await suzuki.goto(case)
    await suzuki.locator(".fact", has_text="ほかの窓口に").locator("summary").click()
    await suzuki.get_by_label("本人は、ほかの窓口に伝えてよいと言いましたか").select_option("yes")
    await suzuki.get_by_role("button", name="同意を訂正する").click()
    await expect(suzuki.locator(".fact-fine", has_text="ほかの窓口に")).to_contain_text("伝えてよい")
    await suzuki.goto(f"/staff/meetings/{consented}")
    await suzuki.get_by_text("相談を加える").click()
    await suzuki.get_by_label("相談", exact=True).select_option(case.rpartition("/")[2])
    await suzuki.get_by_role("button", name="加える").first.click()
    await suzuki.get_by_role("link", name=TROUBLE).click()
    await suzuki.get_by_label("だれが、何を、いつまでに").fill("学校と月に一度、ようすを伝え合う")
    await suzuki.get_by_role("button", name="書きとめる").click()
    await suzuki.goto(f"{case}/support")
    await expect(suzuki.locator("#meetings")).to_contain_text("学校と月に一度、ようすを伝え合う")


async def a_meeting(suzuki: Page, kind: str, title: str) -> str:
    await suzuki.goto("/staff/meetings")
    form = suzuki.locator('form[action="/staff/meetings"]')
    if not await form.is_visible():
        await suzuki.locator("details summary", has_text="会議を開く").click()
    await form.get_by_role("radio", name=re.compile(f"^{kind}")).check()
    await form.get_by_label("名前").fill(title)
    await form.get_by_label("日", exact=True).fill("2026-12-01")
    await form.get_by_role("button", name="会議を開く").click()
    await expect(suzuki.get_by_role("heading", level=1)).to_have_text(title)
    return suzuki.url.rpartition("/")[2]


async def is_visited_and_followed(suzuki: Page, case: str) -> None:
    """A visit of forty minutes, and the day of the next word."""
    await suzuki.goto(f"{case}/records")
    await suzuki.get_by_label("訪問", exact=True).check()
    await suzuki.get_by_label("会えた").check()
    await suzuki.get_by_label("所要時間（分）").fill("40")
    await suzuki.get_by_label("内容").fill("玄関先で話をうかがった。")
    await suzuki.get_by_role("button", name="保存する").click()
    await expect(suzuki.get_by_role("listitem").filter(has_text="玄関先")).to_contain_text("40分")
    await suzuki.goto(f"{case}/support")
    await expect(suzuki.locator(".visit")).to_contain_text("会えた")
    await suzuki.locator("#next-on").fill("2026-11-24")
    await suzuki.locator("#next-note").fill("分納のことを聞く")
    await suzuki.get_by_role("button", name="この日にする").click()
    await expect(suzuki.locator("#contact")).to_contain_text("きょう")
    await suzuki.get_by_role("link", name="きょうの連絡").click()
    await expect(suzuki.locator(".due", has_text="分納のことを聞く")).to_be_visible()


async def is_put_on_paper(suzuki: Page, case: str) -> None:
    """The form is filled from the case, and the workbook is one."""
    await suzuki.goto(f"{case}/forms/moushikomi")
    await expect(suzuki.get_by_role("heading", level=1)).to_contain_text("相談受付・申込票")
    async with suzuki.expect_download() as begun:
        await suzuki.get_by_role("link", name="Excelにする").click()
    made = await begun.value
    assert made.suggested_filename.endswith(".xlsx")
    assert "滞納" not in made.suggested_filename
    sheet = load_workbook(io.BytesIO((await made.path()).read_bytes())).active
    assert sheet is not None
    told = "".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell)
    assert "相談受付・申込票" in told
    assert "家賃" in told


async def is_closed(suzuki: Page, case: str) -> None:
    await suzuki.goto(case)
    await suzuki.locator("#closing summary").click()
    await suzuki.get_by_label("終わりかた", exact=True).select_option("settled")
    await suzuki.get_by_label("どのように終わりましたか").fill(OUTCOME)
    await suzuki.locator("#closing").get_by_role("button", name="相談を終える").click()
    await expect(suzuki.get_by_text("この相談は終わっています。")).to_be_visible()


async def is_seen_by_the_supervisor(kimura: Page, case: str) -> None:
    """The figures have the case, its corrected field and its forty minutes; the trail has everybody who looked."""
    await sign_in(kimura, "kimura@example.jp")
    await kimura.get_by_role("link", name="集計").click()
    await expect(kimura.locator(".facts")).to_contain_text("2件")
    await kimura.get_by_text("表で見る").first.click()
    fields = kimura.get_by_role("group", name="分野ごとの表")
    await expect(fields.get_by_role("row", name=re.compile("^孤立・居場所 1 "))).to_be_visible()
    await kimura.get_by_role("link", name="按分").click()
    await expect(kimura.locator(".facts")).to_contain_text("40分")
    await kimura.goto(f"/staff/settings/trail?case={case.rpartition('/')[2]}")
    trail = kimura.locator("table.trail")
    for who in ("佐藤", "鈴木", "田中"):
        looks = trail.get_by_role("row").filter(has_text=who).filter(has_text="相談を開きました")
        await expect(looks.first).to_be_visible()
    await expect(trail.get_by_role("row").filter(has_text="書き出しました")).to_contain_text("鈴木")
    await kimura.get_by_role("button", name="記録がそろっているか確かめる").click()
    await expect(kimura.get_by_role("status")).to_contain_text("記録はすべてそろっています。")

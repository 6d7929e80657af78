"""`make pictures`: takes the pictures in docs/pictures from the running product, over a made-up town.

The town's clock begins on a Tuesday at ten, so that the same town is seen whenever the pictures are taken.
"""

import asyncio
import contextlib
import io
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select

from bot.understanding import Understander
from storage.clock import Clock
from storage.models import Agency
from storage.settings import ROOT, Settings
from tests.conftest import Resident, Town, running
from tests.desk import Colleague, browser
from tests.prepare import chromium
from tests.test_agencies import send
from uketome import demo_town
from uketome.rasa_process import RasaProcess

PICTURES = ROOT / "docs/pictures"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--lang=ja-JP",
]
CASES, PASSWORD = 400, "hana-no-michi-12"
COUNSELOR, ADMIN = f"asakura@{demo_town.MAIL}", f"hanabusa@{demo_town.MAIL}"
#: Enough for what the pages are painted with; a picture is a third as large as without.
COLOURS = 96
HANAKO = (
    "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません",
    "夫が辞めたのは去年の秋です",
    "わたしは41歳、夫は47歳、娘は14歳です",
    "娘がまた笑えるようになってほしいです",
)
#: The version of a consent that nobody has asked for yet.
SHARE_UNTOLD = "None"
OTHERS = (
    ("夫に毎晩なぐられています。こわいです",),
    ("80の父がひとりで暮らしています。最近、火の消し忘れがふえました", "去年の冬からです"),
    ("きょう食べるものがありません。子どもが二人います",),
    ("こんにちは",),
)


class TownClock(Clock):
    """Goes as clocks go, from a Tuesday at ten in Japan."""

    def __init__(self) -> None:
        self._began, self._ahead = time.monotonic(), timedelta()

    def now(self) -> datetime:
        """The instant in the town."""
        return (
            datetime(2026, 11, 24, 1, 0, tzinfo=UTC) + timedelta(seconds=time.monotonic() - self._began) + self._ahead
        )

    def forward(self, minutes: float) -> None:
        """Time passes."""
        self._ahead += timedelta(minutes=minutes)


async def main() -> None:
    """Starts the product, lets people talk and work, and takes the pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with _town() as (town, clock), async_playwright() as playwright:
        seen = await playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            for texts in OTHERS:
                await _tells(town, texts)
                clock.forward(7)
            await _falls_silent(town, clock)
            await _staff(town, clock, seen)
            for name, width, height in (("phone", 390, 800), ("desktop", 1280, 860)):
                page = await _page(seen, width, height, str(town.http.base_url))
                await _talk(page, str(town.http.base_url))
                await _keep(page, f"widget-{name}")
                await _look_up(page)
                await _keep(page, f"directory-{name}")
        finally:
            await seen.close()


@contextlib.asynccontextmanager
async def _town() -> AsyncIterator[tuple[Town, TownClock]]:
    with tempfile.TemporaryDirectory() as folder:
        settings, clock = Settings(var_dir=Path(folder)), TownClock()
        (settings.var_dir / "rasa").mkdir()
        async with running(settings, Understander.load(), clock) as town:  # type: ignore[arg-type]
            demo_town.build(town.service.database, clock.now(), CASES, password=PASSWORD)
            process = RasaProcess(settings, town.service.rasa)
            watching = asyncio.create_task(process.watch())
            try:
                async with asyncio.timeout(120):
                    while not await town.service.rasa.ready():
                        await asyncio.sleep(0.5)
                yield town, clock
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await process.stop()


async def _talk(page: Page, address: str) -> None:
    await page.goto(address)
    box = page.locator("uketome-chat textarea")
    await box.fill(HANAKO[0])
    await page.locator("uketome-chat").get_by_role("button", name="送る").click()
    await page.locator("uketome-chat .said.resident").wait_for()
    await page.locator("uketome-chat .choices button, uketome-chat .choice").first.wait_for()
    await box.blur()
    await page.locator("uketome-chat").scroll_into_view_if_needed()


async def _look_up(page: Page) -> None:
    await page.goto("/directory")
    await page.locator("#text").fill(HANAKO[0])
    await page.get_by_role("button", name="さがす", exact=True).click()
    await page.wait_for_load_state()


async def _tells(town: Town, texts: tuple[str, ...]) -> str:
    """Somebody writes; their case."""
    somebody = Resident(town.http)
    await somebody.come()
    for text in texts:
        await somebody.talk(text)
    return max(await town.cases(), key=lambda case: case.opened_at).id


async def _falls_silent(town: Town, clock: TownClock) -> None:
    """Whoever writes no more waits for a person by and by."""
    clock.forward(town.service.settings.silence_minutes)

    async def all_wait() -> bool:
        waiting = [case for case in await town.cases() if case.waiting_since and not case.closed_at]
        return sum(1 for case in waiting if case.responsible_id is None) >= len(OTHERS)

    await town.until(all_wait, within_s=60)


async def _staff(town: Town, clock: TownClock, seen: Browser) -> None:
    hanako = await _tells(town, HANAKO)
    clock.forward(12)
    page = await _signed_in(town, seen, COUNSELOR)
    await _wide_and_narrow(page, "/staff", "queue")
    async with browser(town) as http:
        asakura = Colleague(http, COUNSELOR)
        await asakura.sign_in(PASSWORD)
        meeting = await _works(town, asakura, hanako)
    case = f"/staff/cases/{hanako}"
    await _wide_and_narrow(page, case, "case")
    for path, name in (
        (f"{case}/support", "support"), ("/staff/today", "today"), (meeting, "meeting"),
        (f"{case}/records", "records"), (f"{case}/forms/moushikomi", "form"),
    ):  # fmt: skip
        await page.goto(path)
        await _keep(page, name)
    async with browser(town) as http:
        admin = Colleague(http, ADMIN)
        await admin.sign_in(PASSWORD)
        await send(admin, "/staff/kb/demo", "/staff/kb")
    page = await _signed_in(town, seen, ADMIN)
    for path, name in (
        ("/staff/kb", "kb"), ("/staff/kb/todo", "kb-todo"), ("/staff/kb/import", "kb-import"),
        ("/staff/reports/cases?period=FY2026", "reports"), ("/staff/settings/people", "people"),
    ):  # fmt: skip
        await page.goto(path)
        await _keep(page, name)


async def _works(town: Town, asakura: Colleague, hanako: str) -> str:
    """What a counselor does in the first half hour, for the pictures to show; the address of a meeting."""
    at = f"/staff/cases/{hanako}"
    await asakura.do(hanako, "claim")
    await asakura.do(
        hanako,
        "answer",
        text="相談員の朝倉です。ここまでのお話は、すべて読みました。家賃のことから、いっしょに考えさせてください。",
    )
    for what, more in (
        ("share", {"act": "change", "value": "yes", "version": SHARE_UNTOLD}),
        ("field", {"act": "add", "key": "isolation", "rests": "told", "version": "0"}),
    ):
        assert (await asakura.do(hanako, "correct", what=what, **more)).status_code == 200
    agencies = await town.service.database.read(
        lambda session: {name: id_ for id_, name in session.execute(select(Agency.id, Agency.name))}
    )
    support = f"{at}/support"
    school = str(agencies["緑ヶ丘中学校"])
    await send(asakura, f"{support}/agency", support, agency=school, role="登校の相談", ground="consent")
    council = str(agencies["うけとめ市社会福祉協議会"])
    await send(asakura, f"{support}/agency", support, agency=council, role="家計の相談", ground="consent")
    await send(
        asakura, f"{support}/note", support, text="娘さんは保健室なら行けることがある。急がせない。",
        audience=f"agency:{school}", ground="consent",
    )  # fmt: skip
    for on, clock_time, visit, letter, content in (
        ("2026-11-17", "15:00", "absent", "1", "手紙を置いてきた。"),
        ("2026-11-24", "09:00", "met", "", "玄関先で話をうかがった。"),
    ):
        await send(
            asakura, f"{support}/visit", support, on=on, at=clock_time, visit=visit, minutes="40", content=content,
            **({"letter_left": letter} if letter else {}),
        )  # fmt: skip
    await send(asakura, f"{support}/next-contact", support, on="2026-11-24", note="分納の話し合いの結果を聞く", was="")
    made = await send(
        asakura, "/staff/meetings", kind="juso", title="十二月の重層的支援会議", on="2026-12-01", at="14:00",
        place="市役所 第二会議室",
    )  # fmt: skip
    meeting = made.headers["location"]
    await send(asakura, f"{meeting}/add", meeting, case=hanako)
    await send(asakura, f"{meeting}/invite", meeting, who=f"agency:{school}", name="養護教諭 田中")
    return meeting


async def _signed_in(town: Town, seen: Browser, email: str) -> Page:
    page = await _page(seen, 1280, 860, str(town.http.base_url))
    await page.goto("/staff/sign-in")
    await page.get_by_label("メールアドレス").fill(email)
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="サインイン").click()
    await page.locator("#board").wait_for()
    return page


async def _wide_and_narrow(page: Page, path: str, name: str) -> None:
    for width, height, picture in ((360, 800, f"{name}-phone"), (1280, 860, name)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.goto(path)
        await _keep(page, picture)


async def _page(seen: Browser, width: int, height: int, address: str | None = None) -> Page:
    return await seen.new_page(
        viewport={"width": width, "height": height}, timezone_id="Asia/Tokyo", locale="ja-JP", base_url=address
    )


async def _keep(page: Page, name: str) -> None:
    """Takes what the window shows, with few colours: the pictures travel with every copy of the repository."""
    taken = Image.open(io.BytesIO(await page.screenshot(animations="disabled")))
    few = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    asyncio.run(main())

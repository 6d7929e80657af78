"""支援経過記録 over real HTTP: written, changed, counted, printed, and what cannot be written."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import JAPAN
from storage.models import CaseEvent
from storage.support import SupportRecord
from tests.conftest import Town
from tests.desk import INPUT, Colleague, a_case, at_work
from tests.test_forms import FOUND, ONE_KIND, WORDS, Sheet, texts


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


@pytest.fixture
async def path(town: Town) -> str:
    return f"/staff/cases/{await a_case(town, WORDS, found=FOUND)}/records"


async def entry(town: Town, who: Colleague, path: str, days: int = 0, **inputs: str | list[str]) -> dict[str, object]:
    """What a browser sends of a new entry."""
    form = dict(INPUT.findall((await who.http.get(path)).text))
    at = (town.clock.now() - timedelta(days=days)).astimezone(JAPAN).strftime("%Y-%m-%dT%H:%M")
    return {
        **form, "version": "0", "at": at, "whom": "ご本人", "means": "phone", "minutes": "１５",
        "content": "電話でうかがった", "next_plan": "", **inputs,
    }  # fmt: skip


async def all_records(town: Town) -> list[SupportRecord]:
    def read(session: Session) -> list[SupportRecord]:
        return list(session.scalars(select(SupportRecord).order_by(SupportRecord.id)))

    return await town.service.database.read(read)


async def test_entries_are_written_once_and_stand_by_month_newest_first(town: Town, sato: Colleague, path: str) -> None:
    given = await entry(town, sato, path, fields=["housing", "nonsense"], visit="absent", letter_left="1")
    for _ in range(2):
        assert (await sato.http.post(path, data=given)).status_code == 303
    older = await entry(town, sato, path, 40, means="visit", minutes="60", visit="absent", letter_left="1",
                        content="<script>留守</script>\n=1+1")  # fmt: skip
    assert (await sato.http.post(path, data=older)).status_code == 303
    first, second = await all_records(town)
    assert (first.minutes, first.fields, first.visit, first.letter_left) == (15, ["housing"], None, False)
    assert (second.visit, second.letter_left, second.fields) == ("absent", True, [])
    shown = (await sato.http.get(path)).text
    assert shown.index("2026年11月</h3>") < shown.index("電話でうかがった") < shown.index("2026年10月</h3>")
    assert "2件・1時間15分" in shown
    assert "&lt;script&gt;留守" in shown
    assert "留守だった" in shown
    book = load_workbook(io.BytesIO((await sato.http.get(path.replace("records", "forms/keika/xlsx"))).content))
    sheet = book.worksheets[0]
    told = [str(cell.value) for row in sheet for cell in row if cell.value is not None]
    assert told.index("60分") < told.index("15分")
    assert "〔訪問：留守だった、手紙を残した〕\n<script>留守</script>\n=1+1" in told
    assert sheet.print_title_rows == "$4:$4"


async def test_of_two_who_change_an_entry_the_later_one_is_told(town: Town, sato: Colleague, path: str) -> None:
    await sato.http.post(path, data=await entry(town, sato, path))
    [record] = await all_records(town)
    one = f"{path}/{record.id}"
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        forms = [
            {**await entry(town, who, one), "version": "1", "content": who.email} for who in (sato, suzuki)
        ]  # fmt: skip
        answers = await asyncio.gather(
            *(who.http.post(one, data=form) for who, form in zip((sato, suzuki), forms, strict=True))
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    late = next(answer for answer in answers if answer.status_code == 409)
    [record] = await all_records(town)
    assert {record.content, Sheet(late.text)["content"]} == {"sato@example.jp", "suzuki@example.jp"}
    assert f"<dd>{record.content}</dd>" in late.text
    assert record.version == 2

    def events(session: Session) -> list[str]:
        return list(
            session.scalars(select(CaseEvent.kind).where(CaseEvent.kind.startswith("record")).order_by(CaseEvent.id))
        )

    assert await town.service.database.read(events) == ["record_added", "record_changed"]


WRONG = (
    ({"minutes": "0"}, "1分から1,440分"),
    ({"minutes": "たくさん"}, "1分から1,440分"),
    ({"minutes": "²"}, "1分から"),
    ({"means": "telepathy"}, "手段を選んで"),
    ({"content": " \n"}, "内容を書いて"),
    ({"at": "きのう"}, "日時を入れて"),
    ({"at": "2027-11-23T10:00"}, "これから先"),
    ({"content": "長" * 5001}, "いまは5,001文字です"),
    ({"whom": "長" * 201}, "200文字まで"),
)


@ONE_KIND
async def test_what_cannot_be_written_is_told_and_kept_on_the_page(town: Town, sato: Colleague, path: str) -> None:
    for wrong, sentence in WRONG:
        answer = await sato.http.post(path, data={**await entry(town, sato, path), "next_plan": "木曜に", **wrong})
        assert answer.status_code == 422, wrong
        assert sentence in answer.text
        assert Sheet(answer.text)["next_plan"] == "木曜に"
    assert await all_records(town) == []


@ONE_KIND
async def test_five_thousand_characters_go_over_pages(town: Town, sato: Colleague, path: str) -> None:
    long = ("家賃のことを、順にうかがった。\n大家さんの言葉も書きとめた。" * 200)[:5000]
    assert (await sato.http.post(path, data=await entry(town, sato, path, content=long))).status_code == 303
    form = path.replace("records", "forms/keika/")
    told = texts(await sato.http.get(f"{form}xlsx"))
    assert long.replace("\n", "") in told.replace("\n", "")
    assert (await sato.http.get(f"{form}pdf")).content.count(b"/Type /Page\n") > 3

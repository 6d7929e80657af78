"""Files that go out of the knowledge base and in: nothing changes by it, all or nothing, undone as one."""

import io
import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge_base import live
from storage.clock import JAPAN
from storage.knowledge import KbVersion
from tests.conftest import Town
from tests.desk import INPUT, Colleague, at_work
from tests.test_hsds import NEIGHBOUR
from tests.test_kb import GAKKI, MADO, NEVER_SAID, counts, made, send

IMPORT = "/staff/kb/import"
SEEN = re.compile(r'name="seen" value="(\w+)"')
SUMS = re.compile(r"<span>(直すところ|変わる|新しい|表にない|同じ)</span><b>([\d,]+)</b>")
SAME = "いまの内容と同じです。入れるものはありません。"


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


def a_book(rows: Sequence[Sequence[Any]], title: str = "窓口") -> bytes:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


BOOK = a_book([["名前", "電話"], ["課", "000-0000-0001"]])


class Book:
    """An exported workbook at somebody's Excel."""

    def __init__(self, content: bytes) -> None:
        self.book = load_workbook(io.BytesIO(content))

    def heads(self, sheet: str) -> dict[str, int]:
        return {str(cell.value).partition("（変")[0]: at for at, cell in enumerate(self.book[sheet][1], start=1)}

    def put(self, sheet: str, row: int, **values: Any) -> None:
        """Types into a row, by heads."""
        for head, value in values.items():
            self.book[sheet].cell(row, self.heads(sheet)[head]).value = value

    def add(self, sheet: str, **values: Any) -> int:
        """A row more."""
        row = self.book[sheet].max_row + 1
        self.put(sheet, row, **values)
        return row

    def row(self, sheet: str, name: str) -> int:
        return next(
            at for at in range(2, self.book[sheet].max_row + 1)
            if self.book[sheet].cell(at, self.heads(sheet)["名前"]).value == name
        )  # fmt: skip

    def saved(self) -> bytes:
        out = io.BytesIO()
        self.book.save(out)
        return out.getvalue()


async def exported(colleague: Colleague, query: str = "as=xlsx") -> bytes:
    answer = await colleague.http.get(f"/staff/kb/export?{query}")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    return answer.content


async def sent(colleague: Colleague, content: bytes, name: str = "表.xlsx") -> httpx.Response:
    """Chooses a file."""
    csrf = dict(INPUT.findall((await colleague.http.get(IMPORT)).text))
    return await colleague.http.post(IMPORT, data=csrf, files={"file": (name, content)})


async def planned(colleague: Colleague, content: bytes, name: str = "表.xlsx") -> tuple[str, str]:
    """The address and the page of what a file would change."""
    answer = await sent(colleague, content, name)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    return path, (await colleague.http.get(path)).text


async def applied(colleague: Colleague, path: str, page: str, as_: str = "published", **more: str) -> httpx.Response:
    """Presses 「すべて入れる」 of the page as it was seen."""
    return await send(colleague, f"{path}/apply", {"as": as_, "seen": (SEEN.findall(page) or [""])[0], **more})


def sums(page: str) -> dict[str, str]:
    return dict(SUMS.findall(page))


async def versions_of(town: Town) -> list[tuple[str, int, str]]:
    def look(session: Session) -> list[tuple[str, int, str]]:
        return [
            (one.content["name"], one.number, one.state)
            for one in session.scalars(select(KbVersion).order_by(KbVersion.id))
        ]

    return await town.service.database.read(look)


async def test_what_is_taken_out_goes_in_unchanged(town: Town, yamada: Colleague) -> None:
    await send(yamada, "/staff/kb/demo", {})
    await made(yamada, "service", **{**GAKKI, "note": '=HYPERLINK("x")\n−〜<b>', "name": "髙𠮷の楽器バンク"})
    await made(yamada, "desk", "save", **{**MADO, "note": "+81だけの下書き"})
    xlsx = await exported(yamada)
    sheet = load_workbook(io.BytesIO(xlsx))["町の支援"]
    [cell] = [cell for cell in sheet[2] if str(cell.value).startswith("=HYPERLINK")]
    assert (cell.data_type, cell.quotePrefix, sheet.freeze_panes) == ("s", True, "E2")
    assert sheet["A1"].value == "項目番号（変えないでください）"
    assert sheet["A1"].comment is not None
    assert len(sheet.data_validations.dataValidation) == 3
    files = [(xlsx, "50")]
    for kind, n in (("service", "1"), ("desk", "49")):
        files.append((await exported(yamada, f"as=csv&kind={kind}"), n))
        files.append((await exported(yamada, f"as=sjis&replace=1&kind={kind}"), n))
    assert b"'=HYPERLINK" in files[1][0]
    for content, n in files:
        _, page = await planned(yamada, content)
        assert SAME in page
        assert sums(page)["同じ"] == n
    told = (await yamada.http.get("/staff/kb/export?as=sjis&kind=service")).text
    assert "𠮷" in told.partition("Shift_JISにない文字の一覧")[2]


async def test_a_sheet_is_applied_as_one_and_undone_as_one(town: Town, yamada: Colleague) -> None:
    entry = await made(yamada, "desk", **MADO)
    other = await made(yamada, "desk", **{**MADO, "name": "子育て課", "note": ""})
    await made(yamada, "desk", **{**MADO, "name": "なくなる課"})
    book = Book(await exported(yamada))
    book.put("窓口", book.row("窓口", "教育総務課"), 電話="０００-００００-９９９９", 内容を確かめた日="令和8年4月1日")
    book.put("窓口", book.row("窓口", "子育て課"), 覚え書き="<b>2階</b>")
    book.book["窓口"].delete_rows(book.row("窓口", "なくなる課"))
    service = {"名前": GAKKI["name"], "どんな支援か": GAKKI["about"], "例文": GAKKI["voices"]}
    book.add("町の支援", **service, 分野="教育・不登校", 近い支援="就学援助")
    book.add(
        "窓口",
        名前="楽器の窓口",
        電話="000-0000-1",
        受ける支援="楽器バンク\n就学援助",
        **{"受付時間（月）": "８時３０分から１７時"},
    )
    path, page = await planned(yamada, book.saved(), "春の直し.xlsx")
    assert sums(page) == {"直すところ": "1", "変わる": "2", "新しい": "1", "表にない": "1", "同じ": "0"}, page
    assert "電話番号を確かめてください" in page
    assert (await applied(yamada, path, page)).status_code == 422
    assert len(await versions_of(town)) == 3

    book.put("窓口", book.book["窓口"].max_row, 電話="000-0000-0001")
    path, page = await planned(yamada, book.saved(), "春の直し.xlsx")
    assert sums(page) == {"直すところ": "0", "変わる": "2", "新しい": "2", "表にない": "1", "同じ": "0"}
    for part in ("<del>000-0000-1120</del>", "<ins>000-0000-9999</ins>", "&lt;b&gt;2階&lt;/b&gt;", "2026年4月1日"):
        assert part in page, part
    answer = await applied(yamada, path, page, retire="1")
    assert answer.status_code == 303, answer.text
    await counts(town, "教育総務課", "子育て課", GAKKI["name"], "楽器の窓口")
    [found] = live.now().services
    assert [one.content["name"] for one in live.now().desks(found.id)] == ["楽器の窓口"]
    assert found.id in str(await town.service.explain(NEVER_SAID, None))
    assert (await applied(yamada, path, page)).status_code == 409, "it is applied once"

    later = await send(yamada, other, {**MADO, "name": "子育て課", "version": "2", "act": "publish"})
    assert later.status_code == 303
    listed = (await yamada.http.get(IMPORT)).text
    assert all(part in listed for part in ("春の直し.xlsx", "新しい 2件、変わった 2件、終わり 1件", "山田"))
    assert (await send(yamada, f"{path}/undo", {})).status_code == 303
    await counts(town, "教育総務課", "子育て課", "なくなる課")
    assert live.now().entries[entry.rpartition("/")[2]].content["phone"] == "000-0000-1120"
    assert live.now().entries[other.rpartition("/")[2]].number == 3
    undone = (await yamada.http.get(path)).text
    assert "子育て課" in undone.partition("もどさなかったもの")[2]
    assert (await send(yamada, f"{path}/undo", {})).status_code == 409


async def test_who_comes_in_between_is_not_overwritten(town: Town, yamada: Colleague) -> None:
    entry = await made(yamada, "desk", **MADO)
    book = Book(await exported(yamada))
    book.put("窓口", 2, 覚え書き="表からの覚え書き")
    path, page = await planned(yamada, book.saved())
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        await send(suzuki, entry, {**MADO, "note": "3番の窓口", "version": "1", "act": "publish"})
    stood = await versions_of(town)
    refused = await applied(yamada, path, page)
    assert refused.status_code == 409
    assert "鈴木さんが「教育総務課」を書きかえました" in refused.text
    assert "第2版が保存されています" in refused.text, "planned anew: the row rests on the first version"
    assert await versions_of(town) == stood
    # A row that nobody changed in the sheet is no quarrel, however old the sheet is.
    old = Book(await exported(yamada))
    old.put("窓口", 2, 版=1, 覚え書き="")
    assert SAME in (await planned(yamada, old.saved()))[1]


async def test_drafts_and_plans(town: Town, yamada: Colleague) -> None:
    entry = await made(yamada, "desk", **MADO)
    at = (town.clock.now() + timedelta(days=1)).astimezone(JAPAN)
    plan = {"publish-day": f"{at:%Y-%m-%d}", "publish-time": f"{at:%H:%M}"}
    await made(yamada, "desk", **{**MADO, "name": "あすの課"}, **plan)
    book = Book(await exported(yamada))
    book.put("窓口", book.row("窓口", "教育総務課"), 覚え書き="直し", 状態="終わり")
    book.put("窓口", book.row("窓口", "あすの課"), 覚え書き="直し")
    book.add("窓口", 名前="これからの課")
    content = book.saved()
    path, page = await planned(yamada, content)
    assert "公開できない2件は、下書きに入ります" in page
    assert "予定を変えないために" in page
    assert "この窓口が受ける支援を、一つ以上選んでください。" in (await yamada.http.get(f"{path}?show=new")).text
    assert (await applied(yamada, path, page, "draft")).status_code == 303
    states = [(name, state) for name, _, state in (await versions_of(town))[2:]]
    assert sorted(states) == [("あすの課", "draft"), ("これからの課", "draft")], "what ends is no draft"
    assert (await send(yamada, f"{path}/undo", {})).status_code == 303
    town.clock.forward(days=1, minutes=1)
    await counts(town, "教育総務課", "あすの課")
    assert entry.rpartition("/")[2] in live.now().entries


async def test_who_is_no_admin_brings_nothing(town: Town, yamada: Colleague) -> None:
    path, page = await planned(yamada, BOOK)
    assert (await yamada.http.post(IMPORT, data={"csrf": "x"}, files={"file": ("a.xlsx", BOOK)})).status_code == 403
    async with at_work(town, "佐藤", "sato@example.jp", "supervisor") as sato:
        csrf = dict(INPUT.findall(await sato.queue()))
        for gone in (IMPORT, path, f"{path}/wrong.csv", "/staff/kb/export"):
            assert (await sato.http.get(gone)).status_code == 404, gone
        for gone in (f"{path}/apply", f"{path}/undo"):
            tried = await sato.http.post(gone, data={**csrf, "as": "draft", "seen": SEEN.findall(page)[0]})
            assert tried.status_code == 404, gone
        assert (await sato.http.post(IMPORT, data=csrf, files={"file": ("a.xlsx", BOOK)})).status_code == 404
    for gone in (f"{IMPORT}/999", f"{IMPORT}/x", "/staff/kb/export?as=csv", "/staff/kb/export?as=pdf&kind=desk"):
        assert (await yamada.http.get(gone)).status_code == 404, gone
    assert (
        await town.service.database.read(lambda session: session.scalar(select(func.count()).select_from(KbVersion)))
        == 0
    )


async def test_open_data_goes_through_the_same_dry_run(town: Town, yamada: Colleague) -> None:
    await send(yamada, "/staff/kb/demo", {})
    await made(yamada, "service", **GAKKI)
    await made(yamada, "desk", **{**MADO, "closed_on": "2026/12/28〜2027/1/4　改修工事"})
    own = (await yamada.http.get("/staff/kb/hsds.json?examples=1")).content
    _, page = await planned(yamada, own, "all.json")
    assert SAME in page, "what went out comes back unchanged, with what HSDS has no place for"
    file = json.dumps(NEIGHBOUR).encode()
    path, page = await planned(yamada, file, "kawakami.json")
    assert sums(page)["新しい"] == "6"
    assert "「夜間」という分類" in page
    assert (await applied(yamada, path, page)).status_code == 303
    brought = {name: state for name, _number, state in await versions_of(town) if name != GAKKI["name"]}
    assert {brought[name] for name in ("ひとり親の夜間相談", "車いすを貸す", "川上社協")} == {"draft"}
    _, page = await planned(yamada, file, "kawakami.json")
    assert (sums(page)["新しい"], sums(page)["同じ"]) == ("1", "5"), "only what has no id of its own comes anew"

"""The official forms over real HTTP: filled from the case, edited by several, printed, corrected by an admin."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from datetime import date
from html import unescape
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import eras, facts, formbook, grid
from handoff.grid import LOOKS, Cell
from knowledge_base.vocabulary import vocabulary
from storage.models import Agency, Case, CaseEvent, Message, Staff
from storage.support import AuditEntry, Client, FormSheet, Involvement, TownTable
from tests.conftest import Town
from tests.desk import Colleague, a_case, at_work

WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
FOUND = {
    "fields": [
        {"id": "finance", "confidence": 0.93, "quotes": ["家賃を滞納していて"]},
        {"id": "work", "confidence": 0.95, "quotes": ["夫が仕事を辞めてから"]},
        {"id": "education", "confidence": 0.88, "quotes": ["中学生の娘も学校に行けていません"]},
    ],
    "household": {
        "members": [
            {"relation": "self", "age": 41, "fields": ["finance"], "quotes": ["家賃を滞納していて"]},
            {"relation": "husband", "age": 47, "fields": ["work"], "quotes": ["夫が仕事を辞めてから"]},
            {
                "relation": "daughter",
                "age": 14,
                "fields": ["education"],
                "quotes": ["中学生の娘も学校に行けていません"],
            },
        ]
    },
    "topics": {"wish": "娘がまた笑えるようになってほしい"},
}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
CHECKED = re.compile(r'<input type="(?:checkbox|radio)" name="([^"]+)" value="([^"]*)" checked>')
TEXT = re.compile(r'<input (?:id="[^"]+" )?name="([^"]+)"(?: type="\w+")? value="([^"]*)"')
AREA = re.compile(r'<textarea id="[^"]+" name="([^"]+)"[^>]*>(.*?)</textarea>', re.DOTALL)
#: Where the kind of the database cannot matter.
ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


@pytest.fixture
async def case_id(town: Town) -> str:
    return await a_case(town, WORDS, found=FOUND)


class Sheet:
    """A form's page as a browser holds it: every input with its value."""

    def __init__(self, html: str) -> None:
        found = [*HIDDEN.findall(html), *TEXT.findall(html), *AREA.findall(html), *CHECKED.findall(html)]
        self.inputs: dict[str, list[str]] = {}
        for name, value in found:
            self.inputs.setdefault(name, []).append(unescape(value))

    def __getitem__(self, name: str) -> str:
        return self.inputs[name][0]

    def put(self, name: str, *values: str) -> "Sheet":
        self.inputs[name] = list(values)
        return self


async def opened(who: Colleague, path: str) -> Sheet:
    shown = await who.http.get(path)
    assert shown.status_code == 200, shown.text
    return Sheet(shown.text)


async def sent(who: Colleague, path: str, sheet: Sheet, **more: str) -> httpx.Response:
    return await who.http.post(path, data={**sheet.inputs, **more})


async def kept(town: Town, case_id: str) -> dict[str, Any] | None:
    def read(session: Session) -> dict[str, Any] | None:
        row = session.scalars(select(FormSheet).where(FormSheet.case_id == case_id)).one_or_none()
        return row.values if row else None

    return await town.service.database.read(read)


# Basic information


async def test_basic_information_is_read_as_people_write_it(town: Town, sato: Colleague, case_id: str) -> None:
    path = f"/staff/cases/{case_id}/forms/basic"
    sheet = await opened(sato, path)
    sheet.put("name", "受止 花子<b>").put("born", "Ｓ６０．３．２").put("phone_mobile", "０９０ー１２３４（５６７８）")
    sheet.put("email", "hanako＠example.jp").put("gender", "女")
    assert (await sent(sato, path, sheet)).status_code == 303
    client = await town.service.database.read(lambda session: session.get_one(Client, case_id))
    assert (client.born_on, client.phone_mobile, client.email) == (
        date(1985, 3, 2),
        "090-1234-5678",
        "hanako@example.jp",
    )
    shown = (await sato.http.get(path)).text
    assert "昭和60年3月2日" in shown
    assert "いま41歳です" in shown
    assert "受止 花子&lt;b&gt;" in shown


@ONE_KIND
async def test_wrong_input_is_told_by_each_name_and_nothing_is_lost(sato: Colleague, case_id: str) -> None:
    path = f"/staff/cases/{case_id}/forms/basic"
    sheet = await opened(sato, path)
    sheet.put("name", "あ" * 101).put("born", "昭和65年1月1日").put("phone_home", "うちの電話").put("email", "hanako")
    answer = await sent(sato, path, sheet)
    assert answer.status_code == 422
    for sentence in ("100文字までで", "昭和は昭和64年1月7日まで", "電話番号を確かめて", "メールアドレスを確かめて"):
        assert sentence in answer.text
    again = Sheet(answer.text)
    assert (again["name"], again["born"], again["phone_home"]) == ("あ" * 101, "昭和65年1月1日", "うちの電話")


async def test_of_two_who_change_the_basics_the_later_one_is_told(town: Town, sato: Colleague, case_id: str) -> None:
    path = f"/staff/cases/{case_id}/forms/basic"
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        mine, theirs = await opened(sato, path), await opened(suzuki, path)
        assert (await sent(suzuki, path, theirs.put("name", "受止 花"))).status_code == 303
        answer = await sent(sato, path, mine.put("name", "受止 花子"))
        assert answer.status_code == 409
        assert "ほかの人が、先に" in answer.text
        assert "<dd>受止 花</dd>" in answer.text
        assert Sheet(answer.text)["name"] == "受止 花子"
        assert (await sent(sato, path, Sheet(answer.text))).status_code == 303
    client = await town.service.database.read(lambda session: session.get_one(Client, case_id))
    assert client.name == "受止 花子"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("昭和64年1月7日", date(1989, 1, 7)), ("平成元年1月8日", date(1989, 1, 8)), ("R1/5/1", date(2019, 5, 1)),
        ("１９６６年　３月２日", date(1966, 3, 2)), ("19660302", date(1966, 3, 2)),
        ("大正15年12月24日", date(1926, 12, 24)),
        ("昭和64年1月8日", None), ("平成0年1月1日", None), ("2026年2月30日", None), ("きのう", None), ("", None),
    ],
)  # fmt: skip
def test_dates_by_era(written: str, day: date | None) -> None:
    if day is None:
        with pytest.raises(eras.NoDate):
            eras.read_date(written)
    else:
        assert eras.read_date(written) == day == eras.read_date(eras.era_date(day))


# A form


async def test_a_form_is_filled_from_the_case_and_keeps_only_what_was_changed(
    town: Town, sato: Colleague, case_id: str
) -> None:
    path = f"/staff/cases/{case_id}/forms/moushikomi"
    sheet = await opened(sato, path)
    # ◎ for the client's own field, though another's is surer; ○ for what anyone of the household has.
    assert set(sheet.inputs["concerns"]) == {"rent", "job_search", "withdrawn"}
    assert sheet["most"] == "rent"
    assert "どうなるとよいか：「娘がまた笑えるようになってほしい」" in sheet["wishes"]
    assert (await sent(sato, path, sheet)).status_code == 303
    assert await kept(town, case_id) is None
    sheet.put("most", "withdrawn").put("concerns", "rent", "withdrawn", "food").put("wishes", "まず家賃を")
    assert (await sent(sato, path, sheet)).status_code == 303
    changed = {"job_search": False, "food": True, "◎": "withdrawn"}
    assert await kept(town, case_id) == {"concerns": changed, "wishes": "まず家賃を"}
    again = await opened(sato, path)
    assert (set(again.inputs["concerns"]), again["most"]) == ({"rent", "withdrawn", "food"}, "withdrawn")
    assert (await sent(sato, path, again, restore="wishes")).status_code == 303
    assert await kept(town, case_id) == {"concerns": changed}
    assert "どうなるとよいか" in (await opened(sato, path))["wishes"]


async def test_what_the_case_gives_is_not_kept_when_the_case_changes_meanwhile(
    town: Town, sato: Colleague, case_id: str
) -> None:
    path = f"/staff/cases/{case_id}/forms/plan"
    sheet = await opened(sato, path)

    def wish_otherwise(session: Session) -> None:
        case = session.get_one(Case, case_id)
        case.assessment = {**case.assessment, "topics": {"wish": "引っ越したい"}}

    await town.service.database.write(wish_otherwise)
    assert (await sent(sato, path, sheet.put("remaining", "学校との連絡"))).status_code == 303
    assert await kept(town, case_id) == {"remaining": "学校との連絡"}
    assert (await opened(sato, path))["goal"] == "「引っ越したい」"


async def test_of_two_who_save_a_form_one_is_told_and_loses_nothing(town: Town, sato: Colleague, case_id: str) -> None:
    path = f"/staff/cases/{case_id}/forms/plan"
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        one, other = await opened(sato, path), await opened(suzuki, path)
        answers = await asyncio.gather(
            sent(sato, path, one.put("remaining", "佐藤の文")), sent(suzuki, path, other.put("remaining", "鈴木の文"))
        )
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        late = next(answer for answer in answers if answer.status_code == 409)
        [saved] = (await kept(town, case_id) or {}).values()
        assert {saved, Sheet(late.text)["remaining"]} == {"佐藤の文", "鈴木の文"}
        assert "いま保存されている内容" in late.text
        assert saved in late.text


async def test_words_that_are_taken_back_leave_the_form_and_what_was_written_by_hand_is_pointed_out(
    town: Town, sato: Colleague, case_id: str
) -> None:
    path = f"/staff/cases/{case_id}/forms/moushikomi"
    sheet = await opened(sato, path)
    await sent(sato, path, sheet.put("receiver", "佐藤"))

    def take_back(session: Session) -> None:
        case = session.get_one(Case, case_id)
        case.assessment, case.complaint = {}, ""
        for message in session.scalars(select(Message).where(Message.case_id == case_id)):
            message.unsent_at, message.text = town.clock.now(), ""

    town.clock.forward(minutes=1)
    await town.service.database.write(take_back)
    shown = (await sato.http.get(path)).text
    assert "家賃を滞納" not in shown
    assert "娘" not in shown
    assert "言葉を取り消しました" in shown
    pdf, xlsx = await exported(sato, case_id, "moushikomi", "pdf"), await exported(sato, case_id, "moushikomi", "xlsx")
    assert pdf.status_code == xlsx.status_code == 200
    assert "家賃を滞納" not in texts(xlsx)


@ONE_KIND
async def test_five_thousand_characters_are_kept_and_more_is_told(town: Town, sato: Colleague, case_id: str) -> None:
    path = f"/staff/cases/{case_id}/forms/intake"
    sheet = await opened(sato, path)
    long = ("働いていない理由を、ゆっくりうかがった。\n" * 250)[:4999] + "終"
    for name in ("work", "health", "housing", "income", "debts", "traits_note"):
        sheet.put(name, long)
    assert (await sent(sato, path, sheet)).status_code == 303
    assert (await kept(town, case_id) or {})["health"] == long
    answer = await sent(sato, path, (await opened(sato, path)).put("work", long + "も"))
    assert answer.status_code == 422
    assert "5,000文字までで書いてください。いまは5,001文字です。" in answer.text
    assert Sheet(answer.text)["work"] == long + "も"
    sheets = texts(await exported(sato, case_id, "intake", "xlsx"))
    assert re.sub(r"\s", "", long) in re.sub(r"\s", "", sheets)


@ONE_KIND
async def test_strangers_agencies_and_foreign_forms_change_nothing(town: Town, sato: Colleague, case_id: str) -> None:
    for page in ("forms", "forms/basic", "forms/plan", "forms/plan/pdf", "records", "records/1"):
        assert (await sato.http.get(f"/staff/cases/{'0' * 32}/{page}")).status_code == 404
    for page in ("forms/nothing", "forms/plan/docx", "forms/plan%27/pdf", "records/x", "records/99999999999"):
        assert (await sato.http.get(f"/staff/cases/{case_id}/{page}")).status_code == 404
    foreign = {"version": "0", "goal": "x", "means": "phone"}
    for page in ("forms/plan", "forms/basic", "records"):
        assert (await sato.http.post(f"/staff/cases/{case_id}/{page}", data=foreign)).status_code == 403

    def send_to_an_agency(session: Session) -> None:
        session.scalars(select(Staff).where(Staff.email == "sato@example.jp")).one().role = "agency"

    await town.service.database.write(send_to_an_agency)
    for page in ("forms", "forms/basic", "forms/plan/xlsx", "records"):
        answer = await sato.http.get(f"/staff/cases/{case_id}/{page}")
        assert answer.status_code == 404
        assert WORDS not in answer.text


# On paper


async def exported(who: Colleague, case_id: str, form: str, ending: str) -> httpx.Response:
    return await who.http.get(f"/staff/cases/{case_id}/forms/{form}/{ending}")


def texts(workbook: httpx.Response) -> str:
    """Every cell's text, in order."""
    book = load_workbook(io.BytesIO(workbook.content))
    return "\n".join(str(cell.value) for sheet in book for row in sheet for cell in row if cell.value is not None)


@ONE_KIND
async def test_the_family_map_is_on_the_intake_form_and_an_empty_box_where_nobody_is_known(
    town: Town, sato: Colleague, case_id: str
) -> None:
    for one, maps in ((case_id, 1), (await a_case(town, "眠れません"), 0)):
        assert (await sato.http.get(f"/staff/cases/{one}/forms/intake")).text.count('class="family') == maps
        book: Any = load_workbook(io.BytesIO((await exported(sato, one, "intake", "xlsx")).content))
        pictures = [picture for sheet in book for picture in sheet._images]
        assert len(pictures) == maps
        for picture in pictures:
            cell = book.worksheets[0].cell(picture.anchor._from.row + 1, 1)
            assert cell.value == "ジェノグラム", "the picture stands beside its name"
        assert (await exported(sato, one, "intake", "pdf")).content.count(b"/Subtype /Image") == maps


@ONE_KIND
async def test_the_workbook_is_text_on_a4_and_leaves_a_trace_without_a_name(
    town: Town, sato: Colleague, case_id: str
) -> None:
    path = f"/staff/cases/{case_id}/forms"
    await sent(sato, f"{path}/basic", (await opened(sato, f"{path}/basic")).put("name", '=cmd|"/c calc"!A1'))
    plan = (await opened(sato, f"{path}/plan")).put("goal", "=1+1").put("issues", "@SUM(A1)").put("made_by", "-1+1")
    await sent(sato, f"{path}/plan", plan)
    for form in ("moushikomi", "intake", "keika", "plan"):
        answer = await exported(sato, case_id, form, "xlsx")
        assert answer.status_code == 200
        for sheet in load_workbook(io.BytesIO(answer.content)):
            cells = [cell for row in sheet for cell in row if cell.value is not None]
            assert {cell.data_type for cell in cells} == {"s"}
            assert all(cell.quotePrefix for cell in cells if str(cell.value).startswith(("=", "@", "-")))
            assert str(sheet.page_setup.paperSize) == "9"
            assert sheet.print_area
            assert sheet.page_setup.fitToWidth == 1
            assert max(sheet.row_dimensions[row].height for row in range(1, sheet.max_row + 1)) < 409
        assert f"{case_id[:8]}-2026" in answer.headers["content-disposition"]
        assert "受止" not in unescape(answer.headers["content-disposition"])
        assert (await exported(sato, case_id, form, "pdf")).content.startswith(b"%PDF-")

    def read(session: Session) -> tuple[list[str], list[str | None]]:
        trail = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "exported"))
        events = session.scalars(select(CaseEvent.note).where(CaseEvent.kind == "exported"))
        return list(trail), list(events)

    trail, events = await town.service.database.read(read)
    every = [f"{form} {ending}" for form in ("moushikomi", "intake", "keika", "plan") for ending in ("xlsx", "pdf")]
    assert trail == events == every


@ONE_KIND
async def test_consent_decides_which_version_and_the_ground_is_on_it(town: Town, sato: Colleague, case_id: str) -> None:
    def involve(session: Session) -> None:
        session.add(Agency(id=1, name="第二中学校", created_at=town.clock.now()))
        session.flush()
        session.add(Involvement(case_id=case_id, agency_id=1, ground="child_25_2", since=town.clock.now()))

    await town.service.database.write(involve)
    for share, version in ((None, "同意なし"), (False, "同意なし"), (True, "同意あり")):

        def decide(session: Session, share: bool | None = share) -> None:
            session.get_one(Case, case_id).share = share

        await town.service.database.write(decide)
        told = texts(await exported(sato, case_id, "moushikomi", "xlsx"))
        assert f"相談受付・申込票（{version}）" in told
        assert ("署名" in told) is ("利用を申し込みます" in told) is (share is True)
        assert ("社会福祉法第106条の6" in told) is (share is not True)
        assert "第二中学校：児童福祉法第25条の2" in told


def test_a_text_goes_over_rows_and_loses_no_character() -> None:
    text = "「家賃」が、払えません。ABC-123 へ、電話（１０回）しました！\n\n" * 40
    width, look = 300.0, LOOKS["value"]
    for line in grid.wrap(text, width, look):
        assert not line or line[0] not in grid.NOT_FIRST
        assert not line or line[-1] not in grid.NOT_LAST
        assert sum(grid._width(one, look) for one in line) <= width + 1e-6
    for sentences in (True, False):
        rows = grid.flowing([[Cell("名", 5), Cell(text, 19)]], 493, sentences=sentences)
        assert "".join(row[1].text for row in rows).replace("\n", "") == text.replace("\n", "")
        assert [row[1].from_above for row in rows] == [False] + [True] * (len(rows) - 1)
        assert max(grid.heights(rows, 493)) < 200


# The tables of the forms


def test_every_item_has_its_source_and_every_field_its_place() -> None:
    book = formbook.brought()
    for plan in book.forms.values():
        for item in plan.items:
            assert not item.source or item.source in facts.SOURCES, item
            assert not item.ticks or item.ticks in book.ticks, item
    placed = {field for tick in book.ticks["concerns"] for field in tick.fields}
    assert placed == set(vocabulary().fields)


async def test_an_admin_changes_what_is_ticked_and_others_cannot(town: Town, sato: Colleague, case_id: str) -> None:
    path, form = "/staff/settings/forms", f"/staff/cases/{case_id}/forms/moushikomi"
    assert (await sato.http.get(path)).status_code == 404
    async with at_work(town, "管理", "kanri@example.jp", "admin") as admin:
        sheet, late = await opened(admin, path), await opened(admin, path)
        at = next(name for name, values in sheet.inputs.items() if values == ["rent"]).removeprefix("id-")
        sheet.put(f"ja-{at}", "家賃と光熱費").put(f"fields-{at}", "education").put(f"words-{at}", "")
        new = next(name for name, values in sheet.inputs.items() if values == [""] and name.startswith("ja-"))
        sheet.put(new, "=ヤングケアラー").put(new.replace("ja", "fields"), "work", "carer", "nonsense")
        assert (await sent(admin, path, sheet)).status_code == 303
        shown = await opened(sato, form)
        assert {"rent", "withdrawn"} <= set(shown.inputs["concerns"])
        assert "家賃と光熱費" in (page := (await sato.http.get(form)).text)
        assert "=ヤングケアラー" in page
        assert len(shown.inputs["concerns"]) == 4
        stale = await sent(admin, path, late.put(f"ja-{at}", "古い"))
        assert stale.status_code == 409
        assert "ほかの人が、先に" in stale.text
        assert 'value="古い"' in stale.text
        empty = (await opened(admin, path)).put(f"ja-{at}", " ")
        assert (await sent(admin, path, empty)).status_code == 422
        assert (await sent(admin, path, await opened(admin, path), as_brought="1")).status_code == 303
        assert "家賃やローンの支払いのこと" in (await sato.http.get(form)).text
        names = (await opened(admin, f"{path}?table=names")).put("name-intake.work", "いまの仕事")
        del names.inputs["use-intake.genogram"]
        assert (await sent(admin, path, names)).status_code == 303
    intake = (await sato.http.get(f"/staff/cases/{case_id}/forms/intake")).text
    assert "いまの仕事" in intake
    assert "ジェノグラム" not in intake
    content = (await town.service.database.read(lambda session: session.get_one(TownTable, "forms"))).content
    assert content["names"] == {"intake.work": "いまの仕事"}

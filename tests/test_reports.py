"""The supervisors' reports over real HTTP: figures counted a second way, files, roles, periods, the cost split."""

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.reports_check import differences, plainly
from handoff import charts
from handoff.charts import Bar
from handoff.cost_split import KEEP, Rule, bundled, shared, split
from handoff.counting import Scope, nobody
from handoff.findings import NO_NAME, NOT_TOLD, area_in, fields_of
from handoff.period import NoPeriod, Period, by_key, chosen
from storage.models import Agency, Case, CaseEvent, Desk, Staff
from storage.support import AuditEntry, Involvement, SupportRecord, TownTable
from tests.conftest import Town
from tests.desk import Colleague, a_case, at_work
from uketome import demo_town

NOVEMBER = by_key("2026-11")
EVIL = "=cmd()|' /C calc'!A0"


@pytest.fixture
async def boss(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "上田", "ueda@example.jp", "supervisor") as boss:
        yield boss


def found(fields: str, services: str = "", area: str = "") -> dict[str, Any]:
    """What was understood, in short."""
    return {
        "fields": [{"id": id_, "confidence": 0.8, "quotes": [], "example": ""} for id_ in fields.split()],
        "services": [{"id": id_, "score": 0.8, "quote": ""} for id_ in services.split()],
        "topics": {"area": area} if area else {},
    }


async def made_up_town(town: Town) -> None:
    """Eight cases whose figures can be counted on the fingers."""
    told = [
        found("poverty housing work", "jiritsu_soudan", "うけとめ市東町に住んでいます"),
        found("poverty housing", "food_bank", "東町です"),
        found("elderly carer", "", "西町のあたりです"),
        found("elderly", "chiiki_houkatsu", "それは言いたくないです"),
        found("child", "houkago_jido_nobody_knows"),
        found(""),
        found("poverty housing work child", "jiritsu_soudan", "東町です"),
    ]
    ids = [
        await a_case(town, f"相談{at}", found=one, minutes=60 * at, level="urgent" if at == 1 else "none")
        for at, one in enumerate(told)
    ]
    ids.append(await a_case(town, "いま書いている", waiting=False, channel="line"))
    await town.service.database.write(lambda session: _work_on(session, ids, town.clock.now()))


def _work_on(session: Session, ids: list[str], now: datetime) -> None:
    desk, agency = Desk(name=EVIL, created_at=now), Agency(name="東小学校", created_at=now)
    sato = Staff(email="sato@example.jp", name="佐藤", role="counselor", password_hash="!", created_at=now)
    session.add_all([desk, agency, sato])
    session.flush()
    cases = [session.get_one(Case, id_) for id_ in ids]
    for at, minutes in ((1, 7), (2, 90), (3, 90)):
        since = cases[at].waiting_since
        assert since
        claim = since + timedelta(minutes=minutes, seconds=59)
        session.add(CaseEvent(case_id=ids[at], at=claim, kind="claimed", staff_id=sato.id))
        session.add(CaseEvent(case_id=ids[at], at=since - timedelta(hours=1), kind="claimed", staff_id=sato.id))
        cases[at].responsible_id, cases[at].desk_id = sato.id, desk.id
    cases[1].claimed_by = sato.id
    cases[2].following_since, cases[2].next_contact_on = now, date(2026, 11, 22)
    cases[3].closed_at, cases[3].outcome_kind = now, "settled"
    cases[4].closed_at = now
    # A counselor saw that it was not about work, and where the household lives.
    cases[6].corrected = {
        "fields": {"work": {"state": "wrong", "quotes": []}},
        "topics": {"area": {"text": "緑ヶ丘", "quotes": []}},
    }
    session.add(Involvement(case_id=ids[2], agency_id=agency.id, ground="106_6", since=now))
    for at, minutes, fields in ((2, 30, []), (3, 10, ["elderly"]), (6, 10, []), (5, 7, []), (1, 3, ["work", "youth"])):
        session.add(
            SupportRecord(
                case_id=ids[at], staff_id=sato.id, at=now, means="phone", minutes=minutes, fields=fields, changed_at=now
            )
        )


async def table(boss: Colleague, name: str, query: str = "period=2026-11") -> list[list[str]]:
    """A table of the reports, as its CSV holds it."""
    answer = await boss.http.get(f"/staff/reports/{name}.csv?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "no-store" in answer.headers["cache-control"]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


# Figures


async def test_every_figure_of_a_town_counted_by_hand(town: Town, boss: Colleague) -> None:
    await made_up_town(town)
    fields = await table(boss, "cases/fields")
    assert fields[1:] == [
        ["住まい", "3", "37.5", "0"], ["生活困窮", "3", "37.5", "0"], ["子ども・子育て", "2", "25.0", "1"],
        ["高齢・介護", "2", "25.0", "1"], ["家族介護者・ケアラー", "1", "12.5", "0"], ["雇用・就労", "1", "12.5", "0"],
    ]  # fmt: skip
    pairs = await table(boss, "cases/pairs")
    assert pairs[1] == ["生活困窮", "住まい", "3"]
    assert len(pairs) == 1 + 6
    assert [row[3] for row in (await table(boss, "cases/triples"))[1:]] == ["1", "1"]
    assert await table(boss, "cases/areas") == [
        ["地域", "相談", "割合（％）"], ["東町", "2", "25.0"], ["緑ヶ丘", "1", "12.5"], ["西町", "1", "12.5"],
        ["町の名が読み取れない", "1", "12.5"],
        ["聞いていない", "3", "37.5"],
    ]  # fmt: skip
    levels = await table(boss, "waiting/levels")
    assert levels[1:] == [
        ["緊急", "1", "7", "7", "7", "7", "0", "0"], ["通常", "2", "90", "90", "90", "90", "3", "1"],
        ["すべて", "3", "90", "90", "90", "90", "3", "1"],
    ]  # fmt: skip
    desks = await table(boss, "load/desks")
    assert desks[1:] == [
        [f"'{EVIL}", "2", "0", "0", "1", "1", "1", "1"], ["受付（窓口は未定）", "4", "1", "3", "0", "0", "0", "0"],
        ["すべて", "6", "1", "3", "1", "1", "1", "1"],
    ]  # fmt: skip
    gaps = await table(boss, "gaps/gaps")
    assert [row[:3] for row in gaps[1:]] == [
        ["家族介護者・ケアラー", "1", "1"], ["子ども・子育て", "2", "1"],
        ["高齢・介護", "2", "1"], ["住まい", "3", "1"],
    ]  # fmt: skip
    costs = await table(boss, "costs/costs_fields")
    assert {row[0]: row[3] for row in costs[1:]} == {
        "高齢・介護": "25", "家族介護者・ケアラー": "15", "子ども・子育て": "4",
        "生活困窮": "3", "住まい": "3", "雇用・就労": "2",
        "若者支援": "1", "分野が決まらない": "7", "合計": "60",
    }  # fmt: skip
    whole = await table(boss, "costs/costs_shared")
    assert [row[1] for row in whole[1:]] == ["45", "0", "5", "10", "60"]


async def test_the_reports_and_a_plain_count_agree_on_a_demo_town(town: Town) -> None:
    now, database = town.clock.now(), town.service.database
    demo_town.build(database, now, 200)
    year = Period(date(2025, 11, 1), date(2026, 11, 30))

    def check(session: Session) -> tuple[list[str], dict[str, Any]]:
        desk = session.scalars(select(Desk.id)).first()
        chosen = ((year, None), (year, desk), (NOVEMBER, 0))
        scopes = [Scope(session, nobody(), period, now, of) for period, of in chosen]
        assert session.scalars(scopes[0].opened().where(scopes[0].corrected())).first() is not None
        return [wrong for scope in scopes for wrong in differences(scope)], plainly(scopes[0])

    wrong, town_counted = await database.read(check)
    assert wrong == []
    # The check can fail: there is something of everything in this town.
    assert town_counted["cases"]["cases"] == 200
    assert min(len(town_counted["cases"][name]) for name in ("pairs", "triples", "hours", "areas")) > 8
    assert town_counted["gaps"]["with_gap"] > 20
    assert len(town_counted["costs"]["shared"]) > 30


async def test_a_demo_town_is_never_put_over_cases_unless_told(town: Town) -> None:
    await a_case(town, "ほんとうの相談")
    with pytest.raises(demo_town.NotEmpty):
        demo_town.build(town.service.database, town.clock.now(), 3)
    demo_town.build(town.service.database, town.clock.now(), 3, add=True)
    assert len(await town.cases()) == 4


def test_minutes_are_split_whole_and_none_is_lost() -> None:
    assert split(10, ["work", "poverty", "child"]) == {"child": 4, "poverty": 3, "work": 3}
    assert split(2, ["work", "poverty", "child"]) == {"child": 1, "poverty": 1, "work": 0}
    assert split(7, []) == {"": 7}
    rule = bundled()
    for common in range(40):
        minutes = {"kaigo": 3, "shogai": 3, "kodomo": 1, "konkyu": 11, "common": common}
        assert sum(shared(minutes, rule).values()) == sum(minutes.values())
    assert shared({"kaigo": 1, "shogai": 1, "kodomo": 1, "common": 2}, rule)["kodomo"] == 1
    assert shared({"common": 5}, rule)["common"] == 5
    assert shared({"kaigo": 1, "common": 5}, Rule(rule.systems, rule.fields, KEEP))["common"] == 5


def test_corrections_are_counted_and_only_names_of_places_are_kept() -> None:
    def corrected(fields: Any) -> list[str]:
        return fields_of(Case(assessment=found("work child"), corrected={"fields": fields} if fields else {}))

    assert corrected(None) == ["work", "child"]
    assert corrected({"child": {"state": "wrong"}, "health": {"state": "added"}}) == ["work", "health"]
    assert area_in("うけとめ市東町に住んでいます") == "東町"
    assert area_in("わたしは さくら町です") == "さくら町"
    assert (area_in(""), area_in("夫に知られたくない")) == (NOT_TOLD, NO_NAME)


# Files


async def test_formulas_stay_text_in_csv_and_xlsx(town: Town, boss: Colleague) -> None:
    await made_up_town(town)
    rows = await table(boss, "load/desks")
    assert rows[1][0] == f"'{EVIL}"
    answer = await boss.http.get("/staff/reports/load.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content))["窓口ごと"]
    cell = sheet["A2"]
    assert (cell.value, cell.data_type, cell.quotePrefix, sheet["B2"].value) == (EVIL, "s", True, 2)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        assert not [name for name in parts.namelist() if b"<f>" in parts.read(name)]


async def test_small_numbers_are_put_out_of_sight_when_asked(town: Town, boss: Colleague) -> None:
    await made_up_town(town)
    rows = await table(boss, "cases/fields", "period=2026-11&small=hide")
    assert rows[1] == ["住まい", "3", "37.5", "0"]
    assert rows[3] == ["子ども・子育て", "3未満", "", "3未満"]
    assert (await table(boss, "waiting/levels", "small=hide"))[1] == ["緊急", "3未満", "", "", "", "", "0", "0"]


# Who may


async def test_only_supervisors_and_admins_see_reports_and_each_look_is_kept(town: Town, boss: Colleague) -> None:
    pages = ("reports", "reports/costs", "reports/cases/fields.csv", "reports/cases.xlsx", "settings/cost-split")
    async with at_work(town, "佐藤", "sato2@example.jp") as sato:
        for path in pages:
            answer = await sato.http.get(f"/staff/{path}")
            assert (answer.status_code, "見つかりません" in answer.text) == (404, True)
    assert (await boss.http.get("/staff/settings/cost-split")).status_code == 404
    assert (await boss.http.get("/staff/reports/nothing")).status_code == 404
    assert (await boss.http.get("/staff/reports/cases/nothing.csv")).status_code == 404
    await boss.http.get("/staff/reports/gaps?period=2026-Q3&desk=0")
    await boss.http.get("/staff/reports/cases/fields.csv?from=2026-11-01&until=2026-11-02")
    await boss.http.get("/staff/reports/cases.xlsx")
    trail = await town.service.database.read(
        lambda session: list(session.execute(select(AuditEntry.action, AuditEntry.detail).order_by(AuditEntry.id)))
    )
    assert [tuple(entry) for entry in trail if entry.detail.startswith("reports/")] == [
        ("report_seen", "reports/gaps period=2026-Q3 desk=0"),
        ("exported", "reports/cases/fields.csv from=2026-11-01&until=2026-11-02"),
        ("exported", "reports/cases.xlsx period=2026-11"),
    ]


# Periods


async def test_a_choice_that_cannot_be_counted_is_answered_with_a_sentence(boss: Colleague) -> None:
    for query, sentence in (
        ("period=2026-13", "期間を選び直してください。"),
        ("period=%00%27", "期間を選び直してください。"),
        ("period=FY0000", "期間を選び直してください。"),
        ("from=2026-04-01", "終わりの日も入れてください。"),
        ("from=2026-02-30&until=2026-03-01", "始まりの日を「2026-11-23」のように入れてください。"),
        ("from=2026-04-02&until=2026-04-01", "終わりの日は、始まりの日と同じか、それより後にしてください。"),
        ("from=2016-04-01&until=2026-04-01", "期間は6年までにしてください。"),
        ("from=<b>&until=2026-04-01", "始まりの日を「2026-11-23」のように入れてください。"),
        ("desk=99", "窓口を選び直してください。"),
    ):
        answer = await boss.http.get(f"/staff/reports/cases?{query}")
        assert (answer.status_code, answer.text.count(sentence) >= 2) == (422, True), answer.text
        assert "<b>" not in answer.text.partition("<form")[2].partition("</form>")[0]
        assert (await boss.http.get(f"/staff/reports/cases/fields.csv?{query}")).status_code == 422


async def test_a_time_without_cases_says_so(town: Town, boss: Colleague) -> None:
    await made_up_town(town)
    for subject in ("cases", "waiting", "gaps", "costs"):
        answer = await boss.http.get(f"/staff/reports/{subject}?period=2016-05")
        assert (answer.status_code, "数えるものはありません" in answer.text) == (200, True)


def test_periods_are_those_of_japans_fiscal_year_and_begin_at_midnight_in_japan() -> None:
    assert [by_key(f"2026-Q{n}").days for n in (1, 4)] == ["2026年4月1日〜2026年6月30日", "2027年1月1日〜2027年3月31日"]
    year = by_key("FY2026")
    assert (year.days, year.name) == ("2026年4月1日〜2027年3月31日", "2026年度（令和8年度）")
    assert (year.begins, year.ends) == (datetime(2026, 3, 31, 15, tzinfo=UTC), datetime(2027, 3, 31, 15, tzinfo=UTC))
    moved = (year.moved(-1), by_key("2026-Q1").moved(-1), by_key("2026-12").moved(1))
    assert [period.key for period in moved if period] == ["FY2025", "2025-Q4", "2027-01"]
    assert chosen({}, date(2026, 11, 23)).key == "2026-11"
    with pytest.raises(NoPeriod):
        by_key("2026-Q5")


# The rule of the cost split


async def test_an_admin_changes_the_split_and_a_stale_form_changes_nothing(town: Town) -> None:
    await made_up_town(town)
    path = "/staff/settings/cost-split"
    async with at_work(town, "花房", "hana@example.jp", "admin") as admin:
        shown = (await admin.http.get(path)).text
        form = {
            "csrf": re.findall(r'name="csrf" value="([^"]+)"', shown)[0], "version": "0", "common": "keep",
            **{f"field-{id_}": system for id_, system in bundled().fields.items()}, "field-elderly": "konkyu",
        }  # fmt: skip
        wrong = await admin.http.post(path, data={**form, "field-work": "army"})
        assert (wrong.status_code, "選び直してください" in wrong.text) == (422, True)
        assert (await admin.http.post(path, data={**form, "csrf": "x"})).status_code == 403
        assert (await admin.http.post(path, data=form)).status_code == 303
        rows = await table(admin, "costs/costs_shared")
        assert [row[1] for row in rows[1:]] == ["15", "0", "4", "34", "7", "60"]
        stale = await admin.http.post(path, data={**form, "field-elderly": "shogai"})
        assert stale.status_code == 409
        assert re.search(r'name="field-elderly".*?value="shogai" selected', stale.text, re.DOTALL)
        assert (await table(admin, "costs/costs_shared")) == rows
        assert (await admin.http.post(path, data={**form, "version": "1", "reset": "1"})).status_code == 303
        assert [row[1] for row in (await table(admin, "costs/costs_shared"))[1:]] == ["45", "0", "5", "10", "60"]
    kept = await town.service.database.read(lambda session: session.get(TownTable, "cost_split"))
    assert kept is not None
    assert kept.version == 2


# Charts


def test_a_charts_words_are_text_and_its_figures_never_colour_alone() -> None:
    evil = '<script>"&'
    drawn = charts.bars(evil, evil, [Bar(evil, [3, 1], evil)], [evil])
    drawn += charts.matrix(evil, evil, [evil], ["a"], [[7]])
    drawn += charts.lines(evil, evil, ["4月", "5月"], [charts.Series(evil, [1, None]), charts.Series("b", [2, 3])])
    assert "<script" not in drawn
    assert "style=" not in drawn
    assert re.findall(r'class="number"[^>]*>7<', drawn)
    assert "stroke-dasharray" in drawn
    assert all((charts.lines("a", "b", [], []), charts.bars("a", "b", []), charts.matrix("a", "b", [], [], [])))

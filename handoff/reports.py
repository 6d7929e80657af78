"""The supervisors' pages: `/staff/reports`, as pages, CSV and XLSX. Every look and every export goes into the trail."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handoff import audit, exports, report_cases, report_costs, report_gaps, report_load, report_waiting
from handoff.access import OVERSEERS, SignedIn
from handoff.cost_split import in_force
from handoff.counting import INTAKE, Scope
from handoff.moments import day_and_time
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.period import NoPeriod, Period, choices, chosen
from handoff.report_tables import SMALL, Report, Table, figure
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Case, Desk
from storage.problems import Problem
from storage.settings import Settings

HERE = "/staff/reports"
SUBJECTS: dict[str, tuple[str, Callable[[Scope], Report]]] = {
    "cases": ("相談の数", report_cases.report),
    "waiting": ("待ち時間", report_waiting.report),
    "load": ("受け持ち", report_load.report),
    "gaps": ("制度の狭間", report_gaps.report),
    "costs": ("按分", report_costs.report),
}
NOT_THERE = "お探しのページは見つかりません。"


class BadChoice(ValueError):
    """What was chosen cannot be counted; the message is a sentence, `field` the input that it is about."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """Everything under `/staff/reports`."""
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)
    pages = _Reports(settings, Office(settings, database, bells, clock))
    router.add_api_route("", pages.show)
    router.add_api_route("/{subject}.xlsx", pages.xlsx)
    router.add_api_route("/{subject}/{table}.csv", pages.csv)
    router.add_api_route("/{subject}", pages.show)
    return router


class _Reports:
    def __init__(self, settings: Settings, office: Office) -> None:
        self._settings, self._office = settings, office

    async def show(self, request: Request, subject: str = "cases") -> Response:
        """A report as a page; with a sentence and what was typed when the choice cannot be counted."""
        made = await self._office.look(request, lambda session, who, now: _made(session, who, now, request, subject))
        if made["report"] is not None:
            await self._note(made, "report_seen", f"reports/{subject}")
        return page("reports.html", 422 if made["problem"] else 200, here=HERE, town=self._settings.town, **made)

    async def csv(self, request: Request, subject: str, table: str) -> Response:
        """One table as CSV."""
        made = await self._counted(request, subject)
        found = next((one for one in _tables(made, request) if one.id == table), None)
        if found is None:
            raise LookupError(say(NOT_THERE))
        await self._note(made, "exported", f"reports/{subject}/{table}.csv")
        name = f"uketome-{table}-{_file_time(made['period'])}.csv"
        return exports.attachment(exports.as_csv(found), exports.CSV_TYPE, name)

    async def xlsx(self, request: Request, subject: str) -> Response:
        """All tables of a report as XLSX, with what they mean."""
        made = await self._counted(request, subject)
        tables = _tables(made, request)
        await self._note(made, "exported", f"reports/{subject}.xlsx")
        name = f"uketome-{subject}-{_file_time(made['period'])}.xlsx"
        return exports.attachment(exports.as_xlsx(self._about(made, tables), tables), exports.XLSX_TYPE, name)

    async def _counted(self, request: Request, subject: str) -> dict[str, Any]:
        made = await self._office.look(request, lambda session, who, now: _made(session, who, now, request, subject))
        if made["problem"]:
            raise Problem(422, "Unprocessable", made["problem"])
        return made

    async def _note(self, made: Mapping[str, Any], action: str, what: str) -> None:
        # Written before the figures leave the house: what cannot be written down is not shown.
        who, now = made["who"], made["now"]
        detail = " ".join(
            [what, urlencode(made["period"].query), f"desk={made['desk']}" if made["desk"] else ""]
        ).strip()
        await self._office.database.write(lambda session: audit.enter(session, who.staff, action, now, detail=detail))

    def _about(self, made: Mapping[str, Any], tables: list[Table]) -> list[tuple[str, str]]:
        report: Report = made["report"]
        return [
            (self._settings.town, report.title),
            (say("期間"), f"{made['period'].name}（{made['period'].days}）"),
            (say("窓口"), made["desk_name"]),
            (say("作った日時"), day_and_time(made["now"])),
            (say("数えたもの"), report.lead),
            *((table.title, table.note) for table in tables),
            *((say("按分のきまり"), sentence) for sentence in made["rule"]),
            *((name, "、".join(fields)) for name, fields in made["mapping"]),
        ]


def _made(session: Session, who: SignedIn, now: datetime, request: Request, subject: str) -> dict[str, Any]:
    """Everything that the page shows. `report` is None, and `problem` a sentence, where the choice is wrong."""
    if who.staff.role not in OVERSEERS or subject not in SUBJECTS:
        raise LookupError(say(NOT_THERE))
    query, today = request.query_params, now.astimezone(JAPAN).date()
    desks = _desks(session)
    made: dict[str, Any] = {
        "who": who, "now": now, "subject": subject,
        "subjects": [(id_, say(name)) for id_, (name, _) in SUBJECTS.items()],
        "choices": choices(today, _first_day(session, today)), "desks": desks, "given": _given(query), "problem": "",
        "wrong": "", "report": None, "period": None, "before": None, "after": None, "desk": _given(query)["desk"],
        "desk_name": "", "query": "", "rule": [], "mapping": [], "made_at": day_and_time(now), "small": SMALL,
        "listed": False, "figure": figure,
    }  # fmt: skip
    try:
        period, desk = chosen(query, today), _desk(query.get("desk", ""), desks)
    except (NoPeriod, BadChoice) as wrong:
        return {**made, "problem": str(wrong), "wrong": wrong.field}
    scope = Scope(session, who.staff, period, now, desk)
    if subject == "costs":
        rule = in_force(session)
        made |= {"rule": report_costs.rule_in_words(rule), "mapping": report_costs.mapping_in_words(rule)}
    return {
        **made,
        "report": SUBJECTS[subject][1](scope),
        "period": period,
        "given": {**made["given"], "period": period.key},
        "desk_name": dict(desks).get(made["desk"], say("すべての窓口")),
        "listed": any(period.key == key for _, entries in made["choices"] for key, _ in entries),
        "before": _link(period.moved(-1), made["desk"]),
        "after": _link(_not_later(period.moved(1), today), made["desk"]),
        "query": _query(period, made["desk"]),
    }


def _tables(made: Mapping[str, Any], request: Request) -> list[Table]:
    tables = [block.table for block in made["report"].blocks]
    if request.query_params.get("small") == "hide":
        note = say("{small}件に満たない数は伏せました。", small=SMALL)
        return [replace(table.without_small(), note=f"{table.note}{note}") for table in tables]
    return tables


def _desks(session: Session) -> list[tuple[str, str]]:
    found = session.scalars(select(Desk).order_by(Desk.retired_at.is_not(None), Desk.id))
    return [(str(INTAKE), say("受付（窓口は未定）")), *((str(desk.id), desk.name) for desk in found)]


def _desk(given: str, desks: list[tuple[str, str]]) -> int | None:
    if not given:
        return None
    if given not in dict(desks):
        raise BadChoice(say("窓口を選び直してください。"), "desk")
    return int(given)


def _given(query: Mapping[str, str]) -> dict[str, str]:
    """What the form says, to be shown again; cut where nobody types so much."""
    return {name: query.get(name, "")[:40] for name in ("period", "from", "until", "desk")}


def _first_day(session: Session, today: date) -> date:
    """How far back the list of months goes: at least a year, at most to the first case."""
    first = session.scalars(select(func.min(Case.opened_at))).one()
    return min(first.astimezone(JAPAN).date() if first else today, today - timedelta(days=365))


def _not_later(period: Period | None, today: date) -> Period | None:
    return period if period and period.first <= today else None


def _link(period: Period | None, desk: str) -> tuple[str, str] | None:
    return (_query(period, desk), period.name) if period else None


def _query(period: Period, desk: str) -> str:
    return urlencode({**period.query, **({"desk": desk} if desk else {})})


def _file_time(period: Period) -> str:
    return period.key or f"{period.first:%Y%m%d}-{period.last:%Y%m%d}"

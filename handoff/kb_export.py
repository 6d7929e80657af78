"""The knowledge base taken out: GET /staff/kb/export?as=xlsx, ?as=csv&kind=desk, ?as=sjis&kind=desk.

What comes out goes in again unchanged. Shift_JIS lacks letters that people's and places' names have: whoever wants it
is first shown which, and where.
"""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from sqlalchemy import and_, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from handoff import kb_sheets, kb_write
from handoff.access import SignedIn
from handoff.exports import CSV_TYPE, XLSX_TYPE, attachment
from handoff.kb_pages import HERE, failed
from handoff.kb_write import Table
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.tongue import say
from knowledge_base import shift_jis, standing
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.knowledge import KbEntry, KbVersion
from storage.settings import Settings

MOST_SHOWN = 100


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/export."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)

    async def export(request: Request) -> Response:
        asked = request.query_params
        as_, kind = asked.get("as", "xlsx"), asked.get("kind", "")
        if as_ not in ("xlsx", "csv", "sjis") or (as_ != "xlsx" and kind not in kb_sheets.SHEETS):
            raise LookupError(say("お探しのページは見つかりません。"))

        def look(session: Session, who: SignedIn, now: datetime) -> tuple[SignedIn, list[Table], datetime]:
            only(who, "admin")
            return who, [table(session, one) for one in ([kind] if as_ != "xlsx" else kb_sheets.SHEETS)], now

        who, tables, now = await office.look(request, look)
        if as_ == "sjis" and asked.get("replace") != "1" and (lacking := _lacking(tables[0])):
            return page(
                "kb_lacking.html", here=HERE, tab=f"{HERE}/import", failed=failed(), who=who, kind=kind,
                lacking=lacking[:MOST_SHOWN], more=max(0, len(lacking) - MOST_SHOWN),
            )  # fmt: skip
        office.trail.note(who.staff.id, "kb_export", detail=" ".join(filter(None, (as_, kind))))
        return await run_in_threadpool(_file, tables, as_, f"{now.astimezone(JAPAN):%Y%m%d}")

    router.add_api_route("/export", export)
    return router


def table(session: Session, kind: str) -> Table:
    """All entries of a kind as their newest versions say, those that are ended last."""
    services, areas = standing.known_services(session), standing.known_areas(session)
    asked = (
        select(KbEntry.id, KbEntry.head, KbEntry.state, KbVersion.content)
        .join(KbVersion, and_(KbVersion.entry_id == KbEntry.id, KbVersion.number == KbEntry.head))
        .where(KbEntry.kind == kind)
        .order_by(KbEntry.state == "retired", KbEntry.name, KbEntry.id)
    )
    return Table(
        kind,
        [
            kb_sheets.cells(kind, id_, head, state, content, services, areas)
            for id_, head, state, content in session.execute(asked)
        ],
    )


def _file(tables: list[Table], as_: str, day: str) -> Response:
    if as_ == "xlsx":
        return attachment(kb_write.as_xlsx(tables), XLSX_TYPE, f"知識ベース_{day}.xlsx")
    name = f"知識ベース_{kb_sheets.SHEETS[tables[0].kind]}_{day}"
    if as_ == "csv":
        return attachment(kb_write.as_csv(tables[0]), CSV_TYPE, f"{name}.csv")
    content = kb_write.as_csv(tables[0], in_shift_jis=True)
    return attachment(content, "text/csv; charset=Shift_JIS", f"{name}_ShiftJIS.csv")


def _lacking(table: Table) -> list[dict[str, str]]:
    """Which letters Shift_JIS lacks, by entry and column."""
    columns = kb_sheets.COLUMNS[table.kind]
    name = next(at for at, column in enumerate(columns) if column.input == "name")
    return [
        {"id": row[0], "name": row[name], "column": column.label, "letters": " ".join(letters)}
        for row in table.rows
        for column, text in zip(columns, row, strict=True)
        if (letters := shift_jis.lacks(text))
    ]

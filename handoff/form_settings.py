"""The admin's page of the official forms: what is ticked from which fields, names of items, sentences of consent."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import audit, formbook
from handoff.access import SignedIn
from handoff.body import SHEET, Inputs
from handoff.formbook import TABLE, Book, Tick
from handoff.forms import STALE
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.tongue import say
from handoff.words import spoken_field, words
from knowledge_base.vocabulary import vocabulary
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import new_id
from storage.settings import Settings
from storage.support import TownTable
from storage.texts import clean

ADDRESS = "/staff/settings/forms"
#: The tables that can be changed, with their names; the last two are none of ticks.
TABLES = {
    "concerns": "ご相談の内容", "traits": "課題と特性", "screening": "スクリーニング", "achieved": "目標の達成",
    "ending": "このあとの支援", "names": "欄の名前", "consent": "同意の文",
}  # fmt: skip
NEW_ROWS, MOST_ROWS = 2, 40
LONGEST_NAME, LONGEST_SENTENCE, MOST_WORDS = 60, 600, 30


@dataclass
class Row:
    """A row of a table of ticks, as it stands on the page."""

    tick: Tick
    words: str = ""
    problem: str = ""


@dataclass
class Table:
    """What the page shows of one table."""

    name: str
    version: int
    rows: list[Row] = field(default_factory=list)
    #: Of the items' names: form, id, the name as it is brought, the town's, and whether it is left out.
    names: list[tuple[str, str, str, str, bool]] = field(default_factory=list)
    consent: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/settings/forms`."""
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    office = Office(settings, database, bells, clock)

    @router.get("/settings/forms")
    async def show(request: Request) -> Response:
        name, saved = request.query_params.get("table", "concerns"), "saved" in request.query_params

        def look(session: Session, who: SignedIn, _now: datetime) -> Response:
            _only_admin(who)
            return _page(who, _shown(formbook.book(session), name), saved=saved)

        return await office.look(request, look)

    @router.post("/settings/forms")
    async def change(request: Request) -> Response:
        def write(session: Session, who: SignedIn, form: Inputs, now: datetime) -> Response:
            _only_admin(who)
            name = form.get("table", "")
            given = _read(formbook.book(session), name, form)
            wrong = given.problem or any(row.problem for row in given.rows)
            if wrong and "as_brought" not in form:
                return _page(who, given, 422)
            if not _save(session, given, who, form, now):
                given.problem = say(STALE)
                given.version = formbook.book(session).version
                return _page(who, given, 409)
            return RedirectResponse(f"{ADDRESS}?table={name}&saved=1", 303)

        return await office.change(request, write, SHEET)

    return router


def _only_admin(who: SignedIn) -> None:
    if who.staff.role != "admin":
        raise LookupError("お探しのページは見つかりません。")


def _page(who: SignedIn, table: Table, status: int = 200, saved: bool = False) -> Response:
    return page(
        "form_settings.html", status, who=who, here="/staff/settings", tab=ADDRESS, table=table, tables=TABLES,
        saved=saved, fields=[(one, spoken_field(one)) for one in vocabulary().fields], kinds=words().kinds,
        derived=table.name in ("concerns", "traits"),
    )  # fmt: skip


def _shown(book: Book, name: str) -> Table:
    """The table as it stands. Raises LookupError."""
    if name not in TABLES:
        raise LookupError(say("その表はありません。"))
    table = Table(name, book.version)
    if name == "names":
        table.names = _names(book)
    elif name == "consent":
        table.consent = dict(book.consent)
    else:
        table.rows = [Row(tick, "、".join(tick.words)) for tick in book.ticks[name]]
        table.rows += [Row(Tick("", "")) for _ in range(NEW_ROWS)]
    return table


def _names(book: Book) -> list[tuple[str, str, str, str, bool]]:
    brought, rows = formbook.brought(), []
    for form in brought.forms.values():
        stands = {item.id: item.ja for item in book.forms[form.id].items}
        rows += [
            (form.ja, f"{form.id}.{item.id}", item.ja, stands.get(item.id, item.ja), item.id not in stands)
            for item in form.items if formbook.may_be_left_out(form.id, item)
        ]  # fmt: skip
    return rows


def _read(book: Book, name: str, form: Inputs) -> Table:
    """What was entered, each mistake with its sentence."""
    table = _shown(book, name)
    version = form.get("version", "")
    table.version = int(version) if version.isdecimal() and len(version) < 9 else -1
    if name == "names":
        table.names = [
            (of, id_, brought, clean(form.get(f"name-{id_}", ""))[:LONGEST_NAME] or brought, f"use-{id_}" not in form)
            for of, id_, brought, _, _ in table.names
        ]
    elif name == "consent":
        table.consent = {key: clean(form.get(f"consent-{key}", "")) for key in table.consent}
        if any(not text or len(text) > LONGEST_SENTENCE for text in table.consent.values()):
            table.problem = say("同意の文は、1文字から{most}文字までで書いてください。", most=LONGEST_SENTENCE)
    else:
        _read_rows(table, form)
    return table


def _read_rows(table: Table, form: Inputs) -> None:
    known = {row.tick.id for row in table.rows if row.tick.id}
    ordered: list[tuple[float, int, Row]] = []
    for at in range(MOST_ROWS):
        if f"ja-{at}" not in form or f"remove-{at}" in form:
            continue
        row = _read_row(at, known, form)
        if row.tick.ja:
            order = form.get(f"order-{at}", "")
            ordered.append((float(order) if order.isdecimal() and len(order) < 4 else MOST_ROWS + at, at, row))
        elif row.tick.id:
            row.problem = say("名前を書いてください。なくすときは「なくす」に印を付けます。")
            ordered.append((float(at), at, row))
    table.rows = [row for _, _, row in sorted(ordered, key=lambda one: one[:2])]
    if not table.rows:
        table.problem = say("一つは残してください。")
    elif len(table.rows) > MOST_ROWS - NEW_ROWS:
        table.problem = say("{most}行までにしてください。", most=MOST_ROWS - NEW_ROWS)
    if table.problem or any(row.problem for row in table.rows):
        table.rows += [Row(Tick("", "")) for _ in range(NEW_ROWS)]


def _read_row(at: int, known: set[str], form: Inputs) -> Row:
    id_ = form.get(f"id-{at}", "")
    told = clean(form.get(f"words-{at}", ""))
    parts = tuple(part.strip() for part in told.replace(",", "、").replace("，", "、").split("、") if part.strip())
    name = " ".join(clean(form[f"ja-{at}"]).split("\n"))
    row = Row(
        Tick(
            id_ if id_ in known else (new_id()[:8] if name else ""), name[: LONGEST_NAME * 2],
            tuple(one for one in dict.fromkeys(form.all(f"fields-{at}")) if one in vocabulary().fields), parts,
            tuple(one for one in dict.fromkeys(form.all(f"kinds-{at}")) if one in words().kinds),
        ),
        told,
    )  # fmt: skip
    if len(name) > LONGEST_NAME:
        row.problem = say("名前は{most}文字までで書いてください。", most=LONGEST_NAME)
    elif len(parts) > MOST_WORDS or any(len(part) > LONGEST_NAME for part in parts):
        row.problem = say("言葉は{most}個まで、「、」で区切って書いてください。", most=MOST_WORDS)
    return row


def _save(session: Session, given: Table, who: SignedIn, form: Inputs, now: datetime) -> bool:
    """Keeps the table; False when somebody changed the forms since the page was opened."""
    row = session.get(TownTable, TABLE, with_for_update=True)
    if (row.version if row else 0) != given.version:
        return False
    content: dict[str, Any] = {key: dict(value) if isinstance(value, dict) else value
                               for key, value in (row.content if row else {}).items()}  # fmt: skip
    _put(content, given, as_brought="as_brought" in form)
    if row is None:
        row = TownTable(name=TABLE, content={}, version=0, changed_at=now)
        session.add(row)
    row.content, row.changed_at, row.changed_by, row.version = content, now, who.staff.id, row.version + 1
    audit.enter(session, who.staff, "forms_changed", now, detail=given.name)
    return True


def _put(content: dict[str, Any], given: Table, *, as_brought: bool) -> None:
    """Only what differs from what is brought: the rest goes on as updates bring it."""
    if given.name == "names":
        left = [id_ for _, id_, _, _, left_out in given.names if left_out and not as_brought]
        content["left_out"] = left
        content["names"] = {id_: name for _, id_, brought, name, _ in given.names if name != brought and not as_brought}
    elif given.name == "consent":
        content["consent"] = {} if as_brought else given.consent
    else:
        ticks = content.setdefault("ticks", {})
        ticks.pop(given.name, None)
        if not as_brought:
            ticks[given.name] = formbook.rows_of([row.tick for row in given.rows])

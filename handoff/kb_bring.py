"""出し入れ: files brought into the knowledge base. First what one would change, then all of it or nothing, then back.

A file travels once; what it would do stands in its row, so that every page after it can be shown by any process.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import kb_bring_view, kb_file
from handoff.access import SignedIn
from handoff.door import refuse_foreign
from handoff.exports import CSV_TYPE, attachment, rows_as_csv
from handoff.kb_bring_work import Busy, Work, halted, working
from handoff.kb_pages import HERE, failed
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.tongue import say
from handoff.upload import TooBig, read_upload
from knowledge_base.bring import Plan
from knowledge_base.rows import NotRead
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.knowledge import KbImport
from storage.settings import Settings
from storage.texts import clean

IMPORT = f"{HERE}/import"
LONGEST_NAME = 100
NO_FILE = "ファイルを選んでください。"
TOO_BIG = "ファイルが大きすぎます。{most}MBまでのファイルにしてください。"
HALTED = {
    "apply": "入れている途中でサーバーが止まったため、まだ何も入っていません。もう一度、入れられます。",
    "undo": "もどしている途中でサーバーが止まったため、まだ何ももどっていません。もう一度、もどせます。",
}
BUSY = "この表は、もう入れたか、もどしたか、いま作業しているところです。"


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/import."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=IMPORT, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("", pages.start)
    router.add_api_route("", pages.bring, methods=["POST"])
    router.add_api_route("/{number}", pages.show)
    router.add_api_route("/{number}/wrong.csv", pages.wrong)
    router.add_api_route("/{number}/apply", pages.apply, methods=["POST"])
    router.add_api_route("/{number}/undo", pages.undo, methods=["POST"])
    return router


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office, self._work = office, Work(office)

    async def start(self, request: Request) -> Response:
        return await self._start(request, 200, "")

    async def bring(self, request: Request) -> Response:
        # Who sends it is looked at before a file is read: nobody else's is.
        who = await self._office.look(request, _admin)
        try:
            sent = await read_upload(request, kb_file.MOST_BYTES)
            refuse_foreign(who.csrf, sent.inputs.get("csrf", ""))
            if not sent.name:
                return await self._start(request, 422, say(NO_FILE))
            kb_file.kind_of(sent.content)
        except TooBig:
            return await self._start(request, 413, say(TOO_BIG, most=kb_file.MOST_BYTES // 2**20))
        except NotRead as error:
            return await self._start(request, 422, kb_bring_view.sentence(error.said))
        number = await self._work.read(who.staff.id, clean(sent.name)[-LONGEST_NAME:], sent.content)
        row = await self._office.look(request, lambda session, _who, _now: _row(session, number))
        if row.said:
            return await self._start(request, 422, kb_bring_view.stored(row.said))
        return RedirectResponse(f"{IMPORT}/{number}", 303)

    async def show(self, request: Request, number: str) -> Response:
        return await self._show(request, number, 200)

    async def wrong(self, request: Request, number: str) -> Response:
        def look(session: Session, who: SignedIn, _now: datetime) -> list[dict[str, str]]:
            only(who, "admin")
            row = _row(session, number)
            return kb_bring_view.wrong_rows(Plan.of(row.plan)) if row.plan else []

        rows = await self._office.look(request, look)
        heads = [say("場所"), say("列"), say("直すところ")]
        lines = [[one["place"], one["column"], one["sentence"]] for one in rows]
        return attachment(rows_as_csv([heads, *lines]), CSV_TYPE, say("直すところ.csv"))

    async def apply(self, request: Request, number: str) -> Response:
        who, form = await self._office.form(request)

        def look(session: Session, who: SignedIn, _now: datetime) -> tuple[KbImport, str]:
            row = _admins(session, who, number)
            return row, kb_bring_view.seen(row)

        row, seen = await self._office.look(request, look)
        as_ = form.get("as", "")
        if as_ not in ("published", "draft") or row.counts.get("wrong") or not row.counts:
            return await self._show(request, number, 422, say("公開するか、下書きに入れるかを選んでください。"))
        # What the page showed is what is done: a plan made anew meanwhile is shown first.
        if form.get("seen") != seen:
            return await self._show(
                request, number, 409, say("確かめ直した内容です。もう一度見てから、入れてください。")
            )
        return await self._do(
            request, number, lambda: self._work.apply(row.id, who.staff.id, as_, retire=form.get("retire") == "1")
        )

    async def undo(self, request: Request, number: str) -> Response:
        who, _ = await self._office.form(request)
        row = await self._office.look(request, lambda session, who, _now: _admins(session, who, number))
        return await self._do(request, number, lambda: self._work.undo(row.id, who.staff.id))

    async def _do(self, request: Request, number: str, work: Callable[[], Any]) -> Response:
        try:
            await work()
        except Busy:
            return await self._show(request, number, 409, say(BUSY))
        row = await self._office.look(request, lambda session, _who, _now: _row(session, number))
        if row.said:
            return await self._show(request, number, 409)
        return RedirectResponse(f"{IMPORT}/{number}", 303)

    async def _start(self, request: Request, status: int, problem: str) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            only(who, "admin")
            return {"who": who, "past": kb_bring_view.past(session)}

        shown = await self._office.look(request, look)
        return page("kb_import.html", status, here=HERE, tab=IMPORT, failed=failed(), problem=problem,
                    most=kb_file.MOST_BYTES, **shown)  # fmt: skip

    async def _show(self, request: Request, number: str, status: int, problem: str = "") -> Response:
        asked = request.query_params

        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            row = _admins(session, who, number)
            busy = working(row, now)
            shown = {} if busy else kb_bring_view.shown(session, row, asked.get("show", ""), asked.get("page", ""))
            about, at = kb_bring_view.about(session, row), halted(row, now)
            return {"who": who, "busy": busy, "row": about, "halted": say(HALTED[at]) if at else "", **shown}

        shown = await self._office.look(request, look)
        said = problem or shown["row"]["said"] or shown["halted"]
        template = "kb_working.html" if shown["busy"] else "kb_plan.html"
        return page(
            template, status, here=HERE, tab=IMPORT, failed=failed(), problem=said, most=kb_file.MOST_BYTES, **shown
        )


def _admin(_session: Session, who: SignedIn, _now: datetime) -> SignedIn:
    only(who, "admin")
    return who


def _admins(session: Session, who: SignedIn, number: str) -> KbImport:
    only(who, "admin")
    return _row(session, number)


def _row(session: Session, number: str | int) -> KbImport:
    written = str(number)
    known = written.isascii() and written.isdecimal() and len(written) < 10
    found = session.get(KbImport, int(written)) if known else None
    if found is None:
        raise LookupError(say("その取り込みは見つかりません。入れずに1日たったものは、消しています。"))
    return found

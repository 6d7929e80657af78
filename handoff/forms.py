"""The pages of the official forms: which there are, 基本情報, each form to be edited, and what is printed of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import (
    access,
    audit,
    basics,
    eras,
    facts,
    family,
    formbook,
    grid_pdf,
    grid_xlsx,
    journal,
    papers,
    sheets,
)
from handoff.access import SignedIn
from handoff.basics import Basics
from handoff.body import SHEET, Inputs
from handoff.case import note
from handoff.door import SESSION
from handoff.formbook import Book, FormPlan
from handoff.grid import Paper
from handoff.moments import whole_day_and_time
from handoff.office import Office
from handoff.pages import SignInFirst, StaffRoute, page
from handoff.papers import Heading
from handoff.sheets import Sheet, Stale
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Case
from storage.settings import Settings
from storage.support import Client, FormSheet

STALE = (
    "ほかの人が、先にここを直しました。書いたものは、まだここにあります。"
    "いま保存されている内容を確かめて、もう一度保存すると、あなたの書いたものに置きかわります。"
)
#: By ending: what makes the file, and what it is.
KINDS: dict[str, tuple[Callable[[str, list[Paper]], bytes], str]] = {
    "pdf": (grid_pdf.pdf, "application/pdf"),
    "xlsx": (grid_xlsx.xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/cases/{id}/forms`."""
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)
    pages = _Forms(Office(settings, database, bells, clock))
    router.add_api_route("/cases/{case_id}/forms", pages.all)
    router.add_api_route("/cases/{case_id}/forms/basic", pages.basic)
    router.add_api_route("/cases/{case_id}/forms/basic", pages.change_basic, methods=["POST"])
    router.add_api_route("/cases/{case_id}/forms/{form}", pages.one)
    router.add_api_route("/cases/{case_id}/forms/{form}", pages.change, methods=["POST"])
    router.add_api_route("/cases/{case_id}/forms/{form}/{ending}", pages.export)
    return router


@dataclass(frozen=True)
class _Export:
    title: str
    #: Names of the file, without any of a person: in Latin letters, and as people read it.
    plain: str
    readable: str
    papers: list[Paper]


class _Forms:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def all(self, request: Request, case_id: str) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id)
            book = formbook.book(session)
            rows = session.scalars(select(FormSheet).where(FormSheet.case_id == case.id))
            changed = {row.form: row for row in rows}
            return page(
                "forms.html", who=who, here="", case_id=case.id, forms=list(book.forms.values()),
                changed={form: whole_day_and_time(row.changed_at) for form, row in changed.items() if row.values},
                client=session.get(Client, case.id), title=papers.title_of(book.forms["moushikomi"], case),
                ground=facts.derived(facts.facts(session, case), "ground", ()), born=_born(session, case, now),
                count=journal.total(session, case)[0],
            )  # fmt: skip

        return await self._look(request, case_id, look, "forms")

    async def basic(self, request: Request, case_id: str) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id)
            return _basic_page(who, case, basics.shown(session, case), now)

        return await self._look(request, case_id, look, "basic")

    async def change_basic(self, request: Request, case_id: str) -> Response:
        def write(session: Session, who: SignedIn, form: Inputs, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            given = basics.read(form, now.astimezone(JAPAN).date())
            if given.problems:
                return _basic_page(who, case, given, now, 422)
            try:
                changed = basics.save(session, case, given, who.staff, now)
            except Stale:
                return _basic_page(who, case, given, now, 409)
            if changed:
                note(session, case, "client_changed", now, who.staff)
            return RedirectResponse(f"/staff/cases/{case.id}/forms?saved=basic", 303)

        return await self._office.change(request, write, SHEET)

    async def one(self, request: Request, case_id: str, form: str) -> Response:
        saved = "saved" in request.query_params

        def look(session: Session, who: SignedIn, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id)
            book = formbook.book(session)
            plan = book.form(form)
            if not plan.items:
                return RedirectResponse(f"/staff/cases/{case.id}/records", 303)
            found = facts.facts(session, case)
            return _form_page(session, who, case, sheets.sheet(session, book, plan, found), now, saved=saved)

        return await self._look(request, case_id, look, form)

    async def change(self, request: Request, case_id: str, form: str) -> Response:
        def write(session: Session, who: SignedIn, inputs: Inputs, now: datetime) -> Response:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            book = formbook.book(session)
            stands = sheets.sheet(session, book, book.form(form), facts.facts(session, case))
            saved = {name: entry.shown for name, entry in stands.entries.items()}
            fine = sheets.read(stands, inputs)
            if restored := inputs.get("restore", ""):
                sheets.restore(stands, restored)
                fine = not any(entry.problem for entry in stands.entries.values())
            if not fine:
                # The version stays what it was: what is wrong is mended first, then seen against others' changes.
                stands.version = _number(inputs.get("version", ""))
                return _form_page(session, who, case, stands, now, 422)
            try:
                changed = sheets.save(session, case, stands, _number(inputs.get("version", "")), who.staff, now)
            except Stale:
                for name, entry in stands.entries.items():
                    entry.theirs = saved[name] if saved[name] != entry.shown else None
                return _form_page(session, who, case, stands, now, 409)
            if changed:
                note(session, case, "form_changed", now, who.staff, form)
            at = f"#item-{restored}" if restored else ""
            return RedirectResponse(f"/staff/cases/{case.id}/forms/{form}?saved=1{at}", 303)

        return await self._office.change(request, write, SHEET)

    async def export(self, request: Request, case_id: str, form: str, ending: str) -> Response:
        """The file; that it left is written down before it does."""
        if ending not in KINDS:
            raise LookupError(say("お探しのページは見つかりません。"))
        token, now = request.cookies.get(SESSION, ""), self._office.clock.now()

        def write(session: Session) -> _Export:
            who = access.signed_in(session, token, now)
            if who is None:
                raise SignInFirst
            case = access.case_of(session, who.staff, case_id, to_change=True)
            export = self._export(session, case, form, now)
            audit.enter(session, who.staff, "exported", now, case_id=case.id, detail=f"{form} {ending}")
            note(session, case, "exported", now, who.staff, f"{form} {ending}")
            return export

        export = await self._office.database.write(write)
        make, kind = KINDS[ending]
        # Drawing takes a while: nobody else waits for it.
        content = await asyncio.to_thread(make, export.title, export.papers)
        readable = quote(f"{export.readable}.{ending}")
        disposition = f"attachment; filename=\"{export.plain}.{ending}\"; filename*=UTF-8''{readable}"
        return Response(content, media_type=kind, headers={"Content-Disposition": disposition})

    def _export(self, session: Session, case: Case, form: str, now: datetime) -> _Export:
        book = formbook.book(session)
        plan = book.form(form)
        heading, found = Heading(self._office.settings.town, case, now), facts.facts(session, case)
        which = f"{heading.number}-{now.astimezone(JAPAN):%Y%m%d}"
        made = _papers(session, book, plan, heading, found)
        return _Export(papers.title_of(plan, case), f"{plan.file}-{which}", f"{plan.ja}-{which}", made)

    async def _look(
        self, request: Request, case_id: str, work: Callable[[Session, SignedIn, datetime], Response], what: str
    ) -> Response:
        """Shows a page, and writes into the audit trail that it was looked at."""
        looked: list[SignedIn] = []

        def look(session: Session, who: SignedIn, now: datetime) -> Response:
            looked.append(who)
            return work(session, who, now)

        answer = await self._office.look(request, look)
        await self._office.trail.looked(looked[0].staff, case_id, detail=what)
        return answer


def _papers(session: Session, book: Book, plan: FormPlan, heading: Heading, found: facts.Facts) -> list[Paper]:
    if not plan.items:
        return papers.records(heading, plan, found, journal.everything(session, heading.case))
    sheet = sheets.sheet(session, book, plan, found)
    if plan.id == "moushikomi":
        return papers.application(heading, book, sheet, found)
    return papers.generic(heading, sheet, found)


def _basic_page(who: SignedIn, case: Case, given: Basics, now: datetime, status: int = 200) -> Response:
    today = now.astimezone(JAPAN).date()
    return page(
        "form_basic.html", status, who=who, here="", case_id=case.id, basics=given, genders=basics.GENDERS,
        reach=basics.REACH, age=eras.age(given.born_on, today) if given.born_on else None,
        born=eras.western_date(given.born_on) if given.born_on else "", stale=say(STALE) if status == 409 else "",
        names=BASIC_NAMES,
    )  # fmt: skip


def _form_page(
    session: Session, who: SignedIn, case: Case, sheet: Sheet, now: datetime, status: int = 200, saved: bool = False
) -> Response:
    client = session.get(Client, case.id)
    return page(
        "form.html", status, who=who, here="", case_id=case.id, sheet=sheet,
        title=papers.title_of(sheet.plan, case), client=client, map=family.on_page(case, client),
        born=_born(session, case, now),
        stale=say(STALE) if status == 409 else "", saved=saved,
        changed=whole_day_and_time(sheet.changed_at) if sheet.changed_at else "", longest=sheets.LONGEST_LONG,
    )  # fmt: skip


def _born(session: Session, case: Case, now: datetime) -> str:
    client = session.get(Client, case.id)
    if client is None or client.born_on is None:
        return ""
    return f"{eras.era_date(client.born_on)}（{eras.age(client.born_on, now.astimezone(JAPAN).date())}歳）"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else -1


BASIC_NAMES = {
    "name": "氏名", "kana": "ふりがな", "gender": "性別", "born": "生年月日", "address": "住所",
    "phone_home": "自宅の電話", "phone_mobile": "携帯電話", "email": "メールアドレス",
    "teller_name": "来談者の氏名", "teller_phone": "来談者の電話", "teller_relation": "ご本人との関係",
    "reach_by": "連絡の方法", "reach_when": "連絡のつく時間や注意", "reach_safe": "連絡しても安全ですか",
}  # fmt: skip

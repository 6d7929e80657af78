"""One entry of the knowledge base: its form, its preview, its versions; draft, review, publish, retire, restore."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import audit, kb_care, kb_desks, kb_view
from handoff.access import SignedIn
from handoff.body import Room
from handoff.kb_pages import HERE, failed
from handoff.moments import whole_day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.slips import Entered, Slip, number_in
from handoff.tongue import say
from handoff.words import spoken_fields, spoken_service
from knowledge_base import live, town, versions
from knowledge_base.days import write_days
from knowledge_base.entries import DAYS
from knowledge_base.opening import write_spans
from knowledge_base.versions import Conflict, Step
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.knowledge import KbEntry, KbVersion
from storage.settings import Settings

#: A desk may serve every service, each a box of its own.
FORM = Room(400, 256 * 1024)
#: Inputs of which several may be ticked.
SEVERAL = ("fields", "services", "areas")
ACTS = {"save": "draft", "review": "review", "publish": "published"}
DONE = {
    "draft": "下書きに保存しました。公開中の内容は変わっていません。",
    "review": "確認に出しました。公開中の内容は変わっていません。",
    "published": "公開しました。すぐに相談で使われます。",
    "planned": "公開の予定を入れました。",
    "retired": "終わりにしました。もう案内されません。",
    "restored": "前の版を下書きにもどしました。確かめて公開してください。",
    "unplanned": "公開の予定を取りやめました。",
    "care": "担当者と見直す日を保存しました。",
    **kb_care.DONE,
}


@dataclass
class Filled:
    """A form as it stands on the page: what was typed, and what is wrong with it."""

    typed: Mapping[str, str]
    several: Mapping[str, Sequence[str]]
    problems: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str, otherwise: object = "") -> str:
        """What was typed into an input."""
        return str(self.typed.get(name, otherwise))

    def chosen(self, name: str) -> Sequence[str]:
        """Which boxes of a name are ticked."""
        return self.several.get(name, ())


#: What the audit trail calls a saved version, by its state.
ENTERED = {"draft": "kb_draft", "review": "kb_review", "published": "kb_published", "retired": "kb_retired"}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/new and /staff/kb/entries/{id}."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/new/{kind}", pages.new)
    router.add_api_route("/new/{kind}", pages.create, methods=["POST"])
    router.add_api_route("/entries/{id}", pages.show)
    router.add_api_route("/entries/{id}", pages.save, methods=["POST"])
    router.add_api_route("/entries/{id}/compare", pages.compare)
    for verb, work in (("retire", _retire), ("restore", _restore), ("unplan", _unplan)):
        router.add_api_route(f"/entries/{{id}}/{verb}", pages.does(work), methods=["POST"])
    return router


def typed(form: Form) -> town.Typed:
    """A form as the knowledge base reads it."""
    return town.Typed(form, {name: form.all(name) for name in SEVERAL})


def filled(content: Mapping[str, Any]) -> Filled:
    """An entry's content as it stands in the form."""
    single = {name: str(value) for name, value in content.items() if isinstance(value, str)}
    single["voices"] = "\n".join(content.get("voices", ()))
    single["closed_on"] = "\n".join(write_days(content.get("closed_on", ())))
    single |= {f"hours-{day}": write_spans(content.get("hours", {}).get(day, ())) for day in DAYS}
    return Filled(single, {name: content.get(name, ()) for name in SEVERAL})


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def new(self, request: Request, kind: str) -> Response:
        return await self._new(request, kind, Filled({}, {}), 200)

    async def create(self, request: Request, kind: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            only(who, "admin")
            content, step = _read(_kind(kind), form, now)
            entry = versions.create(session, kind, content, who.staff.id, now, step)
            _enter(session, who, entry.id, step, now)
            return f"{HERE}/entries/{entry.id}?done={_done(step)}"

        return await write(self._office, request, work, lambda form, status: self._new(request, kind, form, status))

    async def show(self, request: Request, id: str) -> Response:
        return await self._show(request, id, None, 200)

    async def save(self, request: Request, id: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            entry = _entry(session, who, id)
            content, step = _read(entry.kind, form, now)
            versions.add(session, id, number_in(form, "version"), content, who.staff.id, now, step)
            _enter(session, who, id, step, now)
            return f"{HERE}/entries/{id}?done={_done(step)}"

        return await write(self._office, request, work, lambda form, status: self._show(request, id, form, status))

    def does(self, change: Callable[[Session, SignedIn, KbEntry, Form, datetime], str]) -> Callable[..., Any]:
        """A route that makes a change of the whole entry."""

        async def route(request: Request, id: str) -> Response:
            def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
                return change(session, who, _entry(session, who, id), form, now)

            try:
                done = await self._office.change(request, work)
            except Conflict:
                return await self._show(request, id, None, 409)
            self._office.bells.ring(live.BELL)
            return RedirectResponse(f"{HERE}/entries/{id}?done={done}", 303)

        return route

    async def compare(self, request: Request, id: str) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            entry = _entry(session, who, id)
            every = versions.history(session, id)
            newer = _one(every, request.query_params.get("b", ""), every[0])
            older = _one(every, request.query_params.get("a", ""), every[min(1, len(every) - 1)])
            return {
                "who": who, "entry": entry, "a": older.number, "b": newer.number,
                "differences": kb_view.differences(older.content, newer.content),
                "history": kb_view.versions(session, every, now),
            }  # fmt: skip

        shown = await self._office.look(request, look)
        return page("kb_compare.html", here=HERE, tab=HERE, **shown)

    async def _new(self, request: Request, kind: str, form: Filled, status: int) -> Response:
        def look(_session: Session, who: SignedIn, _now: datetime) -> SignedIn:
            only(who, "admin")
            _kind(kind)
            return who

        who = await self._office.look(request, look)
        return page(
            "kb_new.html", status, who=who, here=HERE, tab=HERE, kind=kind, form=form, failed=failed(), **choices()
        )

    async def _show(self, request: Request, id: str, form: Filled | None, status: int) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            entry = _entry(session, who, id)
            every = versions.history(session, id)
            theirs = status == 409
            return {
                "who": who, "entry": entry, "head": every[0].number, "history": kb_view.versions(session, every, now),
                "form": form or filled(every[0].content), "counts": live.now().entries.get(id),
                "planned": _planned(every, now),
                "preview": kb_view.preview(entry.kind, id, every[0].content, now),
                "theirs": kb_view.who_saved(session, every[0]) if theirs else "",
                "differences": against(entry.kind, every[0], form) if theirs and form else [],
                "heirs": _heirs(entry),
                "care": kb_care.shown(session, entry, now),
                "checked": whole_day(entry.checked_on) if entry.checked_on else "",
            }  # fmt: skip

        shown = await self._office.look(request, look)
        done = DONE.get(request.query_params.get("done", ""), "") if request.method == "GET" else ""
        return page(
            "kb_entry.html", status, here=HERE, tab=HERE, kind=shown["entry"].kind, failed=failed(),
            kind_name=say(kb_view.KIND_NAMES[shown["entry"].kind]), done=say(done), **shown, **choices(),
        )  # fmt: skip


def _entry(session: Session, who: SignedIn, id_: str) -> KbEntry:
    only(who, "admin")
    found = versions.entry(session, id_)
    if found is None:
        raise LookupError(say("その項目は見つかりません。"))
    return found


def _kind(kind: str) -> str:
    if kind not in town.KINDS:
        raise LookupError(say("お探しのページは見つかりません。"))
    return kind


def _read(kind: str, form: Form, now: datetime) -> tuple[dict[str, Any], Step]:
    """What is kept of a form, and as what. Raises Slip with every sentence at once."""
    act = form.get("act", "save")
    content, problems = read(kind, form, whole=act != "save")
    inputs = Entered(form)
    at = None
    if act == "publish" and (form.get("publish-day", "").strip() or form.get("publish-time", "").strip()):
        at = inputs.moment("publish-day", "publish-time")
        if at and at <= now:
            inputs.problems["publish-day"] = say("これからの日時を選んでください。")
    problems |= inputs.problems
    if problems:
        raise Slip(problems)
    return content, Step(ACTS.get(act, "draft"), publish_at=at)


def read(kind: str, form: Form, *, whole: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """What is kept of a form, and what is wrong with it; `whole`: also what a draft may lack."""
    found = town.read(kind, typed(form))
    said = {**found.problems, **found.lacking} if whole else found.problems
    return found.content, {name: say(sentence, **values) for name, (sentence, values) in said.items()}


async def write(
    office: Office,
    request: Request,
    work: Callable[[Session, SignedIn, Form, datetime], str],
    show_again: Callable[[Filled, int], Awaitable[Response]],
) -> Response:
    """Does `work`, which says where to go then. What was typed is shown again where it is wrong, or where somebody was
    first: nothing typed is lost."""
    sent: list[Form] = []

    def keeping(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
        sent.append(form)
        return work(session, who, form, now)

    try:
        where = await office.change(request, keeping, FORM)
    except Slip as slip:
        return await show_again(_again(sent[-1], slip), slip.status)
    except Conflict:
        return await show_again(_again(sent[-1]), 409)
    office.bells.ring(live.BELL)
    return RedirectResponse(where, 303)


def _again(form: Form, slip: Slip | None = None) -> Filled:
    """A form as it was sent, with what is wrong with it."""
    sent = typed(form)
    return Filled(sent.single, sent.several, slip.problems if slip else {})


def _done(step: Step) -> str:
    return "planned" if step.publish_at else step.state


def _enter(session: Session, who: SignedIn, id_: str, step: Step, now: datetime) -> None:
    audit.enter(session, who.staff, ENTERED[step.state], now, detail=id_)


def _retire(session: Session, who: SignedIn, entry: KbEntry, form: Form, now: datetime) -> str:
    heir = form.get("successor", "")
    step = Step("retired", successor=heir if heir in dict(_heirs(entry)) else None)
    content = versions.version(session, entry.id).content
    versions.add(session, entry.id, number_in(form, "version"), content, who.staff.id, now, step)
    _enter(session, who, entry.id, step, now)
    return "retired"


def _restore(session: Session, who: SignedIn, entry: KbEntry, form: Form, now: datetime) -> str:
    old = versions.version(session, entry.id, number_in(form, "number"))
    step = Step("draft", restored=old.number)
    versions.add(session, entry.id, number_in(form, "version"), old.content, who.staff.id, now, step)
    _enter(session, who, entry.id, step, now)
    return "restored"


def _unplan(session: Session, who: SignedIn, entry: KbEntry, form: Form, now: datetime) -> str:
    """What counts now is decided anew, and so goes before the plan. What was planned is kept as a draft after it."""
    every = versions.history(session, entry.id)
    if not (plan := _planned(every, now)):
        return "unplanned"
    counts = next((one for one in every if one.state in versions.DECIDED and one.number not in plan), None)
    step = Step(counts.state if counts else "retired", restored=counts.number if counts else None)
    content, opened = every[0].content, number_in(form, "version")
    stands = counts.content if counts else content
    versions.add(session, entry.id, opened, stands, who.staff.id, now, step)
    versions.add(session, entry.id, opened + 1, content, who.staff.id, now)
    _enter(session, who, entry.id, step, now)
    return "unplanned"


def _planned(every: Sequence[KbVersion], now: datetime) -> list[int]:
    """The numbers of the versions whose time will come: those after the newest decision that counts already."""
    planned = []
    for one in every:
        if one.state in versions.DECIDED:
            if one.publish_at is None or one.publish_at <= now:
                break
            planned.append(one.number)
    return planned


def _one(every: Sequence[KbVersion], number: str, otherwise: KbVersion) -> KbVersion:
    return next((one for one in every if str(one.number) == number), otherwise)


def against(kind: str, newest: KbVersion, form: Filled) -> list[dict[str, Any]]:
    """What the newest version and what was typed differ in."""
    return kb_view.differences(newest.content, town.read(kind, town.Typed(form.typed, form.several)).content)


def _heirs(entry: KbEntry) -> list[tuple[str, str]]:
    """Where people may be sent instead."""
    own = [(one.id, one.content["name"]) for one in live.now().entries.values() if one.kind == entry.kind]
    known = [(one, spoken_service(one)) for one in kb_desks.every_service()] if entry.kind == "service" else own
    return [(id_, name) for id_, name in known if id_ != entry.id]


def choices() -> dict[str, Any]:
    """What the form offers to choose from."""
    services = [(one, spoken_service(one)) for one in kb_desks.every_service()]
    return {
        "fields": spoken_fields(),
        "services": services,
        "kinds_of_service": [(id_, name) for id_, name in services if not id_.startswith("town_")],
        "weekdays": list(town.WEEKDAYS.items()),
        "holidays": list(kb_view.HOLIDAYS.items()),
        "reaches": list(kb_view.REACHES.items()),
        "districts": [(one.id, one.name) for one in live.now().areas.districts],
        "labels": kb_view.LABELS,
        "most": {**town.TEXTS["service"], **town.TEXTS["desk"]},
    }

"""The admins' page of the cost split: which field counts to which system. `/staff/settings/cost-split`"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import audit
from handoff.access import SignedIn
from handoff.body import ROWS
from handoff.cost_split import KEEP, SHARE, TABLE, Rule, bundled, in_force
from handoff.moments import day_and_time
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.reports import NOT_THERE
from handoff.tongue import say
from handoff.words import spoken_field
from knowledge_base.vocabulary import vocabulary
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Staff
from storage.settings import Settings
from storage.support import TownTable

HERE = "/staff/settings/cost-split"
STALE = (
    "ほかの人が先に変えました。下の内容はまだ保存されていません。いまの割り当てと見くらべて、もう一度保存してください。"
)


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """The page and its form."""
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)
    office = Office(settings, database, bells, clock)

    async def show(request: Request) -> Response:
        values = await office.look(request, lambda session, who, _now: _page(session, who))
        saved = "saved" in request.query_params
        return page("cost_split.html", here="/staff/settings", tab=HERE, **{**values, "saved": saved})

    async def save(request: Request) -> Response:
        answer = await office.change(request, _save, ROWS)
        if answer["status"] == 303:
            return RedirectResponse(f"{HERE}?saved=1", 303)
        return page("cost_split.html", answer["status"], here="/staff/settings", tab=HERE, **answer["values"])

    router.add_api_route("", show)
    router.add_api_route("", save, methods=["POST"])
    return router


def _page(session: Session, who: SignedIn, given: Mapping[str, str] | None = None, problem: str = "") -> dict[str, Any]:
    if who.staff.role != "admin":
        raise LookupError(say(NOT_THERE))
    rule, first = in_force(session), bundled()
    by = session.get(TownTable, TABLE)
    changer = session.get(Staff, by.changed_by) if by and by.changed_by else None
    chosen = given if given is not None else _as_form(rule)
    return {
        "who": who,
        "row_version": rule.version,
        "problem": problem,
        "systems": [(id_, say(name)) for id_, name in rule.systems.items()],
        "common": chosen.get("common", rule.common),
        "rows": [_row(id_, rule, first, chosen) for id_ in vocabulary().fields],
        "changed": day_and_time(rule.changed_at) if rule.changed_at else "",
        "changed_by": changer.called if changer else "",
        "stale": problem == say(STALE),
        "saved": False,
    }


def _row(id_: str, rule: Rule, first: Rule, chosen: Mapping[str, str]) -> dict[str, Any]:
    given = chosen.get(f"field-{id_}", "")
    return {
        "id": id_,
        "name": spoken_field(id_),
        "covers": vocabulary().fields[id_].covers,
        "chosen": given,
        "now": say(rule.systems[rule.system(id_)]),
        "first": say(first.systems[first.system(id_)]),
        "wrong": given not in rule.systems,
    }


def _save(session: Session, who: SignedIn, form: Form, now: datetime) -> dict[str, Any]:
    """What is to be answered: a status, and the values of the page where it is shown again."""
    if who.staff.role != "admin":
        raise LookupError(say(NOT_THERE))
    row = session.get(TownTable, TABLE, with_for_update=True)
    asked = _as_form(bundled()) if "reset" in form else form
    wrong = [id_ for id_ in vocabulary().fields if asked.get(f"field-{id_}") not in bundled().systems]
    if wrong or asked.get("common") not in (SHARE, KEEP):
        return _again(session, who, asked, 422, say("割り当ての選ばれていない所があります。選び直してください。"))
    if form.get("version") != str(row.version if row else 0):
        return _again(session, who, asked, 409, say(STALE))
    content = {
        "fields": {id_: asked[f"field-{id_}"] for id_ in vocabulary().fields},
        "common": asked["common"],
    }
    if row is None:
        session.add(TownTable(name=TABLE, content=content, changed_at=now, changed_by=who.staff.id, version=1))
    else:
        row.content, row.changed_at, row.changed_by, row.version = content, now, who.staff.id, row.version + 1
    audit.enter(session, who.staff, "cost_split_changed", now)
    return {"status": 303}


def _again(session: Session, who: SignedIn, asked: Mapping[str, str], status: int, problem: str) -> dict[str, Any]:
    return {"status": status, "values": _page(session, who, asked, problem)}


def _as_form(rule: Rule) -> dict[str, str]:
    return {f"field-{id_}": rule.system(id_) for id_ in vocabulary().fields} | {"common": rule.common}

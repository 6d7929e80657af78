"""「やること」: what there is to do for the knowledge base, on one page. Whoever is no admin finds none."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from handoff import kb_tasks, kb_unfound, kb_view
from handoff.access import SignedIn
from handoff.kb_care import DONE, TODO
from handoff.kb_pages import HERE, failed
from handoff.kb_tasks import Found
from handoff.office import Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.settings import Settings


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/todo."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)

    @router.get("/todo")
    async def show(request: Request) -> Response:
        shown = await office.look(request, _view)
        done = say(DONE.get(request.query_params.get("done", ""), ""))
        return page("kb_todo.html", here=HERE, tab=TODO, failed=failed(), done=done, **shown)

    return router


def _view(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
    only(who, "admin")
    tasks, unfound = kb_tasks.gather(session, now), kb_unfound.gather(session, now)
    due = {id_: say("見直す日：{day}", day=day) for id_, day in tasks.overdue.notes.items()}
    return {
        "who": who,
        "tasks": tasks,
        "parts": [
            _section("overdue", say("見直す日が来たもの"), replace(tasks.overdue, notes=due), "?due=1", confirm=True),
            _section("review", say("確認を待っているもの"), tasks.review, "?state=review"),
            _section("incomplete", say("連絡先が足りないもの"), tasks.incomplete),
            _section("unchecked", say("長く確かめていないもの"), tasks.unchecked, "?unchecked=1", confirm=True),
            _section("ownerless", say("担当者がいないもの"), tasks.ownerless, "?owner=none"),
            _section("unfound", say("しばらくだれにも見つけられていないもの"), tasks.unfound),
        ],
        "unfound": unfound,
        "weeks": [(_week(monday), talks) for monday, talks in unfound.weeks],
        "most": max((talks for _, talks in unfound.weeks), default=0),
        "fewest": kb_unfound.FEWEST,
    }


def _section(id_: str, title: str, found: Found, all_: str = "", *, confirm: bool = False) -> dict[str, Any]:
    return {
        "id": id_,
        "title": title,
        "total": found.total,
        "all": f"{HERE}{all_}" if all_ else "",
        "rows": [
            {
                "id": one.id,
                "name": one.name or say("（名前なし）"),
                "kind": say(kb_view.KIND_NAMES[one.kind]),
                "state": one.state,
                "state_name": say(kb_view.STATE_NAMES[one.state]),
                "note": found.notes.get(one.id, ""),
                "head": one.head,
                "confirm": confirm and one.state == "published",
            }
            for one in found.entries
        ],
    }


def _week(monday: date) -> str:
    return say("{month}月{day}日からの週", month=monday.month, day=monday.day)

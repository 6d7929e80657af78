"""The helplines: which are shown to whom and which never, who dialled them last, and the periods of #9999.

Names, numbers and hours stand in knowledge_base/content/hotlines.yml and cannot be changed here: what an admin adds is
that somebody dialled, and from when until when a line answers that is there only at times.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import audit
from handoff.access import SignedIn
from handoff.kb_care import today
from handoff.kb_pages import HERE, failed
from handoff.moments import clock_time, whole_day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.slips import Entered, Sent, Slip, send
from handoff.tongue import say
from handoff.words import spoken, spoken_field
from knowledge_base import helplines
from knowledge_base.helplines import BY_PERIOD
from knowledge_base.hotlines import CHILDREN_ONLY
from knowledge_base.vocabulary import Hotline, vocabulary
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.kb_care import LineDial, LinePeriod
from storage.models import Staff
from storage.settings import Settings

HOTLINES = f"{HERE}/hotlines"
#: The state announces a period of days or weeks; a longer one is a slip of the pen.
LONGEST = timedelta(days=366)
DONE = {
    "dialled": "かけて確かめた日を記録しました。",
    "undialled": "記録を取り消しました。",
    "period": "期間を入れました。その間だけ、住民に案内します。",
    "ended": "期間を取り消しました。",
}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/hotlines."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=HOTLINES, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("", pages.show)
    for path, work in (
        ("/{line}/dialled", _dialled),
        ("/{line}/period", _period),
        ("/dials/{line}/withdraw", _withdraw_dial),
        ("/periods/{line}/withdraw", _withdraw_period),
    ):
        router.add_api_route(path, pages.does(work), methods=["POST"])
    return router


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def show(self, request: Request) -> Response:
        return await self._show(request, Sent(), 200)

    def does(self, change: Any) -> Any:
        """A route that makes a change of one line (or of one row about it), or shows what is wrong."""

        async def route(request: Request, line: str) -> Response:
            def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
                only(who, "admin")
                done: str = change(session, who, line, form, now)
                return done

            done, sent, status = await send(self._office, request, line, work)
            if done is None:
                return await self._show(request, sent, status)
            self._office.bells.ring(helplines.BELL)
            return RedirectResponse(f"{HOTLINES}?done={done}", 303)

        return route

    async def _show(self, request: Request, sent: Sent, status: int) -> Response:
        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            only(who, "admin")
            return {"who": who, "today": today(now).isoformat(), **_view(session, now)}

        shown = await self._office.look(request, look)
        done = say(DONE.get(request.query_params.get("done", ""), "")) if request.method == "GET" else ""
        return page("kb_hotlines.html", status, here=HERE, tab=HOTLINES, failed=failed(), done=done, sent=sent, **shown)


def _view(session: Session, now: datetime) -> dict[str, Any]:
    last, entered = helplines.dialled(session), helplines.entered(session)
    shown = {line.id for line in helplines.shown_lines(now, helplines.to_come(session, now))}
    holds = {one.line for one in entered if one.begins <= now < one.ends}
    dials = _dials(session)
    return {
        "lines": [
            {
                **_facts(line),
                "state": _state(line, shown, holds),
                "why": _why(line, shown, holds),
                "last": whole_day(last[line.id]) if line.id in last else "",
                "looked_at": whole_day(line.looked_at),
                "late": line.id in shown and helplines.due_again(line, last) <= today(now),
                "dials": dials.get(line.id, []),
                "may_dial": not helplines.never_shown(line),
            }
            for line in vocabulary().hotlines.values()
        ],
        "periodic": [
            {
                "id": id_,
                "name": vocabulary().hotlines[id_].name,
                "number": vocabulary().hotlines[id_].number,
                "periods": _periods([one for one in entered if one.line == id_], now),
            }
            for id_ in sorted(BY_PERIOD)
        ],
    }


def _facts(line: Hotline) -> dict[str, Any]:
    """What stands in the file, in words."""
    kinds = [spoken().kinds.get(kind, kind) for kind in line.kinds]
    free = {True: say("無料"), False: say("有料"), None: say("料金は地域による")}[line.free]
    return {
        "id": line.id,
        "name": line.name,
        "number": line.number,
        "hours": line.hours if line.hours_checked else say("時間は未確認"),
        "free": free,
        "for": [*kinds, *map(spoken_field, line.fields)],
        "children": line.id in CHILDREN_ONLY or line.max_age is not None,
    }


def _state(line: Hotline, shown: set[str], holds: set[str]) -> str:
    if helplines.never_shown(line):
        return "never"
    return "shown" if line.id not in BY_PERIOD or line.id in holds else "later" if line.id in shown else "not_now"


def _why(line: Hotline, shown: set[str], holds: set[str]) -> str:
    """Why a line is not shown; "" when it is."""
    return {
        "never": say("番号が、公の資料で確かめられていないため"),
        "later": say("入れた期間が、まだ始まっていないため"),
        "not_now": say("案内する期間が入っていないため"),
        "shown": "",
    }[_state(line, shown, holds)]


def _dials(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Who dialled each line when, the newest first; what was taken back is shown as such."""
    rows = session.execute(
        select(LineDial, Staff)
        .join(Staff, Staff.id == LineDial.staff_id)
        .order_by(LineDial.dialled_on.desc(), LineDial.id.desc())
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row, staff in rows:
        one = {"id": row.id, "on": whole_day(row.dialled_on), "by": staff.called, "withdrawn": bool(row.withdrawn_at)}
        found.setdefault(row.line, []).append(one)
    return found


def _periods(rows: Sequence[LinePeriod], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "begins": _moment(one.begins),
            "ends": _moment(one.ends),
            "state": "past" if one.ends <= now else "now" if one.begins <= now else "later",
        }
        for one in rows
    ]


def _moment(moment: datetime) -> str:
    return f"{whole_day(moment.astimezone(JAPAN).date())} {clock_time(moment)}"


def _dialled(session: Session, who: SignedIn, line: str, form: Form, now: datetime) -> str:
    """Somebody dialled it on a day. Sent twice it is one record."""
    if line not in vocabulary().hotlines:
        raise LookupError(say("その電話相談は見つかりません。"))
    entered, name = Entered(form), f"dialled-{line}"
    on = entered.day(name)
    if on and on > today(now):
        entered.problems[name] = say(
            "「{name}」にかけた日は、きょうまでの日を選んでください。", name=vocabulary().hotlines[line].name
        )
    entered.done()
    assert on
    audit.lock(session)
    if not _stands(session, line, on, who.staff.id):
        session.add(LineDial(line=line, dialled_on=on, staff_id=who.staff.id, at=now))
        audit.enter(session, who.staff, "line_dialled", now, detail=line)
    return "dialled"


def _stands(session: Session, line: str, on: date, staff_id: int) -> bool:
    asked = select(LineDial.id).where(
        LineDial.line == line, LineDial.dialled_on == on, LineDial.staff_id == staff_id, LineDial.withdrawn_at.is_(None)
    )
    return session.scalars(asked.limit(1)).first() is not None


def _period(session: Session, who: SignedIn, line: str, form: Form, now: datetime) -> str:
    """A period in which it answers. Two that overlap would hide where one of them ends."""
    if line not in BY_PERIOD:
        raise LookupError(say("その電話相談は見つかりません。"))
    entered = Entered(form)
    begins, ends = entered.moment("begins-day", "begins-time"), entered.moment("ends-day", "ends-time")
    if begins and ends:
        audit.lock(session)  # two admins at once: the second sees what the first has entered
        if wrong := _wrong(session, line, begins, ends, now):
            entered.problems["ends-day"] = wrong
    entered.done()
    assert begins
    assert ends
    session.add(LinePeriod(line=line, begins=begins, ends=ends, staff_id=who.staff.id, at=now))
    audit.enter(session, who.staff, "line_period", now, detail=f"{line} {begins:%Y-%m-%d %H:%M}–{ends:%Y-%m-%d %H:%M}")
    return "period"


def _wrong(session: Session, line: str, begins: datetime, ends: datetime, now: datetime) -> str:
    if ends <= begins:
        return say("終わりは、始まりよりあとにしてください。")
    if ends <= now:
        return say("もう終わった期間です。これから終わる期間を入れてください。")
    if ends - begins > LONGEST:
        return say("期間は1年までにしてください。")
    if any(one.begins < ends and begins < one.ends for one in helplines.entered(session, [line])):
        return say("すでに入れた期間と重なっています。先に、前の期間を取り消してください。")
    return ""


def _withdraw_dial(session: Session, who: SignedIn, id_: str, _form: Form, now: datetime) -> str:
    row = session.get(LineDial, _number(id_), with_for_update=True)
    if row is None:
        raise LookupError(say("その記録は見つかりません。"))
    if row.withdrawn_at is None:
        row.withdrawn_at, row.withdrawn_by = now, who.staff.id
        audit.enter(session, who.staff, "line_undialled", now, detail=row.line)
    return "undialled"


def _withdraw_period(session: Session, who: SignedIn, id_: str, _form: Form, now: datetime) -> str:
    row = session.get(LinePeriod, _number(id_), with_for_update=True)
    if row is None:
        raise LookupError(say("その期間は見つかりません。"))
    if row.ends <= now:
        raise Slip({"": say("もう終わった期間です。記録として残ります。")}, 409)
    if row.withdrawn_at is None:
        row.withdrawn_at, row.withdrawn_by = now, who.staff.id
        audit.enter(session, who.staff, "line_period_ended", now, detail=row.line)
    return "ended"


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else 0

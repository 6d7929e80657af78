"""お知らせの送り先: where notices go, what became of them, and a button to try each. The addresses are settings."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from handoff import audit, kb_weekly, notices
from handoff.access import SignedIn
from handoff.moments import day_and_time
from handoff.notice_targets import sender, targets
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import HERE, only
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.settings import Settings

NOTICES = f"{HERE}/notices"
NAMES = {"webhook": "Webhook", "mail": "メール", "chat": "チャット"}
KINDS = {"danger": "危険", "waiting": "長く待っている"}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/settings/notices."""
    office, known = Office(settings, database, bells, clock), targets(settings)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)

    async def show(request: Request, done: str = "", problem: str = "") -> Response:
        who, values = await office.look(request, lambda session, who, _now: _view(session, who, settings))
        return page(
            "notices.html", who=who, here=HERE, tab=NOTICES, done=done,
            problems={"": problem} if problem else {}, minutes=f"{settings.notice_waiting_minutes:g}", **values,
        )  # fmt: skip

    async def shown(request: Request) -> Response:
        return await show(request)

    async def test(request: Request) -> Response:
        who, form = await office.form(request)
        only(who, "admin")
        target, now = form.get("target", ""), clock.now()
        if target not in known:
            raise LookupError(say("その送り先は設定されていません。"))
        detail = say(NAMES[target])
        await database.write(lambda session: audit.enter(session, who.staff, "notice_tested", now, detail=detail))
        failed = await notices.send_trial(known[target], notices.trial_word(settings, now))
        if failed:
            return await show(request, problem=say("{name}に届きませんでした。", name=detail) + failed)
        return await show(request, say("{name}に試しのお知らせを送りました。", name=detail))

    async def weekly(request: Request) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bool:
            only(who, "admin")
            off = form.get("act") == "off"
            kb_weekly.switch(session, who, off, now)
            return off

        off = await office.change(request, work)
        done = say("週のまとめを止めました。") if off else say("次の月曜日から、週のまとめを送ります。")
        return await show(request, done)

    router.add_api_route("/settings/notices", shown)
    router.add_api_route("/settings/notices/weekly", weekly, methods=["POST"])
    router.add_api_route("/settings/notices/test", test, methods=["POST"])
    return router


def _view(session: Session, who: SignedIn, settings: Settings) -> tuple[SignedIn, dict[str, Any]]:
    only(who, "admin")
    sent, weekly = notices.last_sent(session), kb_weekly.state(session)
    return who, {
        "weekly": {
            **weekly,
            "last": _when(weekly["last"]),
            "failures": [
                {**one, "target": NAMES[one["target"]], "next": _when(one["next"])} for one in weekly["failures"]
            ],
        },
        "targets": [
            {
                "id": target,
                "name": NAMES[target],
                "to": _shown(settings, target),
                "last": _when(sent.get(target)),
            }
            for target in NAMES
        ],
        "failures": [
            {
                "at": day_and_time(row.created_at),
                "kind": KINDS[row.kind],
                "target": NAMES[row.target],
                "case": row.case_id,
                "error": row.error,
                "next": day_and_time(row.next_at) if row.done_at is None else "",
            }
            for row in notices.failures(session)
        ],
    }


def _when(moment: datetime | None) -> str:
    return day_and_time(moment) if moment else ""


def _shown(settings: Settings, target: str) -> str:
    """Where it goes, as far as it is no secret: the rest of a webhook's address often is its password."""
    if target == "mail":
        return f"{sender(settings)} → {settings.notice_mail_to}" if settings.smtp_url else ""
    url = settings.notice_webhook_url if target == "webhook" else settings.notice_chat_url
    return f"{urlsplit(url).scheme}://{urlsplit(url).hostname}/…" if url else ""

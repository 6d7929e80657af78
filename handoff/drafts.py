"""Drafts: what somebody is writing to a resident. Kept when the page is closed, and seen by colleagues as it grows."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from handoff import access
from handoff import case as cases
from handoff.access import SignedIn
from handoff.office import Form, Office
from handoff.pages import StaffRoute
from handoff.tongue import say
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Message, Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.support import Draft
from storage.texts import clean

#: Twice what can be sent: a text that must be shortened first is kept too.
LONGEST = 10_000
#: Whoever has written within this time is writing.
WRITING = timedelta(seconds=10)


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/cases/{id}/draft`, which the page calls while somebody types."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)

    @router.post("/cases/{case_id}/draft")
    async def save(request: Request, case_id: str) -> Response:
        bells.ring(bell.talk(await office.change(request, lambda *asked: _save(case_id, *asked))))
        return Response(status_code=204)

    return router


def _save(case_id: str, session: Session, who: SignedIn, form: Form, now: datetime) -> str:
    case = access.case_of(session, who.staff, case_id)
    text, seen = clean(form.get("text", "")), form.get("answers", "")
    if len(text) > LONGEST:
        raise Problem(413, "Content Too Large", say("書きかけのお返事が長すぎるため、保存できません。"))
    # What was on its way here while the answer itself was sent is no draft any more.
    if not case.closed_at and (not seen or seen == str(answers(session, case_id))):
        keep(session, case_id, who.staff.id, text, now)
    cases.renew(session, case_id, who.staff, now)
    return case.conversation_id


def keep(session: Session, case_id: str, staff_id: int, text: str, now: datetime) -> None:
    """Keeps what somebody is writing; an empty text is none."""
    if not text:
        drop(session, case_id, staff_id)
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = insert(Draft).values(case_id=case_id, staff_id=staff_id, text=text, at=now)
    # A text that is the same is nobody's writing: a page that is merely open may send it again.
    session.execute(
        row.on_conflict_do_update(
            index_elements=[Draft.case_id, Draft.staff_id], set_={"text": text, "at": now}, where=Draft.text != text
        )
    )


def drop(session: Session, case_id: str, staff_id: int) -> None:
    """It was sent, or is not wanted any more."""
    session.execute(delete(Draft).where(Draft.case_id == case_id, Draft.staff_id == staff_id))


def of(session: Session, case_id: str, staff_id: int) -> str:
    """What somebody was writing on this case; "" for nothing."""
    draft = session.get(Draft, (case_id, staff_id))
    return draft.text if draft else ""


def writing(session: Session, case_id: str, staff_id: int, now: datetime) -> list[str]:
    """The names of the others who write on this case at this moment."""
    found = session.scalars(
        select(Staff)
        .join(Draft, Draft.staff_id == Staff.id)
        .where(Draft.case_id == case_id, Draft.staff_id != staff_id, Draft.at > now - WRITING)
        .order_by(Staff.id)
    )
    return [staff.called for staff in found]


def answers(session: Session, case_id: str) -> int:
    """How many times staff have spoken on a case: what a page is compared by before an answer is taken from it."""
    said = select(func.count()).where(
        Message.case_id == case_id, Message.sender == "counselor", Message.staff_id.is_not(None)
    )
    return session.scalar(said) or 0

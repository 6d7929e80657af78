"""The page on which a letter of referral is edited, looked at and made."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from handoff import access, agencies, audit, letter
from handoff.access import SignedIn
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.slips import Sent, send
from handoff.support_view import consent_line
from handoff.support_words import support_words
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.models import Agency
from storage.settings import Settings


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/staff/cases/{id}/letter`."""
    office = Office(settings, database, bells, clock)
    router = APIRouter(prefix="/staff", route_class=StaffRoute, include_in_schema=False)

    @router.get("/cases/{case_id}/letter")
    async def write(request: Request, case_id: str) -> Response:
        return await _show(office, request, case_id, Sent(), 200, None)

    @router.post("/cases/{case_id}/letter")
    async def make(request: Request, case_id: str) -> Response:
        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> bytes | dict[str, str]:
            case = access.case_of(session, who.staff, case_id, to_change=True)
            texts, ground = letter.read(case, form)
            if form.get("do") != "make":
                return {**texts, "ground": ground, "consent": letter.consent_line(ground)}
            made = letter.make(session, case, texts, ground, who.staff, settings.town, now)
            audit.enter(session, who.staff, "exported", now, case_id=case.id, detail="letter")
            return made

        done, sent, status = await send(office, request, "letter", work)
        if isinstance(done, bytes):
            name = f"letter-{case_id[:8]}.pdf"
            return Response(
                done, media_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}"'}
            )
        return await _show(office, request, case_id, Sent("letter", done) if done else sent, status, done)

    return router


async def _show(
    office: Office, request: Request, case_id: str, sent: Sent, status: int, preview: dict[str, str] | None
) -> Response:
    """The letter to be edited; `preview` is the letter as it would be made."""
    chosen = request.query_params.get("agency", "")

    def look(session: Session, who: SignedIn, _now: datetime) -> dict[str, Any]:
        case = access.case_of(session, who.staff, case_id)
        agency = session.get(Agency, int(chosen)) if chosen.isdecimal() and len(chosen) < 10 else None
        parts = [part for part, one in agencies.involvements(session, case) if agency and one.id == agency.id]
        ground = parts[0].ground if parts else access.CONSENT if case.share is True else ""
        return {
            "who": who,
            "texts": letter.begin(session, case, agency, who.staff, office.settings.town),
            "ground": ground,
            "consent": consent_line(case),
            "share": case.share,
        }

    shown = await office.look(request, look)
    now = office.clock.now()
    await office.database.write(
        lambda session: audit.enter(session, shown["who"].staff, "looked", now, case_id=case_id, detail="letter")
    )
    return page(
        "letter.html", status, here="/staff", case_id=case_id, sent=sent, preview=preview, parts=letter.PARTS,
        choices=support_words(), **shown,
    )  # fmt: skip

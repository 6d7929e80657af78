"""Agencies, their part in a case, and the notes between them: who may know what is decided here, by the queries.

An agency sees a case only while it takes part in it, the case is open, and the ground still holds: what rests on the
client's consent is gone from sight the moment the consent is taken back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from handoff import case as cases
from handoff.access import AGENCY, CASE_ID, CONSENT, NOT_FOUND, OVERSEERS, shared_with
from handoff.slips import Slip
from handoff.support_words import support_words
from handoff.tongue import say
from storage.models import Agency, Case, Staff
from storage.support import CaseNote, Involvement

LONGEST_NOTE = 5_000


# Who may see what


def involved_cases(staff: Staff) -> Select[Case]:
    """The cases that somebody of an agency may see; of nobody else's any."""
    return select(Case).where(shared_with(staff.agency_id if staff.role == AGENCY else None))


def notes_for(staff: Staff, case: Case) -> Select[CaseNote]:
    """The notes of a case that this person may read, newest first. The one way to notes."""
    found = (
        select(CaseNote)
        .join(Case, Case.id == CaseNote.case_id)
        .where(CaseNote.case_id == case.id, CaseNote.withdrawn_at.is_(None))
        .order_by(CaseNote.at.desc(), CaseNote.id.desc())
    )
    if staff.role != AGENCY:
        return found.where(or_(CaseNote.audience != "mine", CaseNote.staff_id == staff.id))
    for_them = or_(
        CaseNote.audience == "agencies",
        and_(CaseNote.audience == AGENCY, CaseNote.audience_agency_id == staff.agency_id),
    )
    holds = or_(CaseNote.ground != CONSENT, Case.share.is_(True))
    own = and_(CaseNote.agency_id == staff.agency_id, CaseNote.audience != "mine")
    theirs = involved_cases(staff).with_only_columns(Case.id)
    return found.where(Case.id.in_(theirs), or_(own, and_(for_them, holds)))


def involved_case(session: Session, staff: Staff, case_id: str) -> tuple[Case, Involvement]:
    """One case of somebody of an agency, with their agency's part in it. Raises LookupError."""
    if not CASE_ID.fullmatch(case_id):
        raise LookupError(NOT_FOUND)
    case = session.scalars(involved_cases(staff).where(Case.id == case_id)).one_or_none()
    if case is None:
        raise LookupError(NOT_FOUND)
    return case, session.scalars(_open(case.id, staff.agency_id)).one()


def ended_by_consent(session: Session, case: Case) -> list[str]:
    """The agencies that saw this case by consent and do not any more, since the consent was taken back."""
    if case.share is True:
        return []
    found = (
        select(Agency.name)
        .join(Involvement, Involvement.agency_id == Agency.id)
        .where(Involvement.case_id == case.id, Involvement.until.is_(None), Involvement.ground == CONSENT)
        .order_by(Agency.name)
    )
    return list(session.scalars(found))


# What is done


def check_ground(case: Case, ground: str, name: str = "ground") -> None:
    """Raises Slip unless this ground allows that others are told of the case."""
    if ground not in support_words().grounds:
        raise Slip({name: say("どの根拠で伝えるかを選んでください。")})
    if ground == CONSENT and case.share is not True:
        said = say("ご本人は、伝えないでほしいと言っています。") if case.share is False else say(
            "ご本人の同意は、まだ確かめられていません。"
        )  # fmt: skip
        raise Slip({name: said + say("同意なしに伝えるときは、別の根拠を選んでください。")})


def involve(
    session: Session, case: Case, agency: Agency, role: str, ground: str, staff: Staff, now: datetime
) -> Involvement:
    """Brings an agency into a case. Raises Slip when it is in already, is retired, or the ground does not hold."""
    check_ground(case, ground)
    if agency.retired_at:
        raise Slip({"agency": say("この機関は、いまは使われていません。")})
    if session.scalars(_open(case.id, agency.id)).first():
        raise Slip({"agency": say("この機関は、もう参加しています。")}, 409)
    part = Involvement(case_id=case.id, agency_id=agency.id, role=role, ground=ground, since=now, staff_id=staff.id)
    session.add(part)
    cases.note(session, case, "agency_joined", now, staff, agency.name)
    session.flush()
    return part


def end_involvement(session: Session, case: Case, part_id: int, staff: Staff, now: datetime) -> None:
    """From now on the agency sees nothing of the case. Ended twice is ended once."""
    ended = session.execute(
        update(Involvement)
        .where(Involvement.id == part_id, Involvement.case_id == case.id, Involvement.until.is_(None))
        .values(until=now)
    )
    if cast(CursorResult[Any], ended).rowcount == 1:
        part = session.get_one(Involvement, part_id)
        cases.note(session, case, "agency_left", now, staff, session.get_one(Agency, part.agency_id).name)


def write_note(
    session: Session,
    case: Case,
    staff: Staff,
    text: str,
    audience: str,
    now: datetime,
    *,
    agency_id: int | None = None,
    ground: str | None = None,
) -> CaseNote:
    """A new note. What leaves the town hall wants a ground that holds. Raises Slip."""
    shared = audience in ("agency", "agencies")
    if shared and ground is None:
        raise Slip({"ground": say("どの根拠で伝えるかを選んでください。")})
    if shared and ground is not None:
        check_ground(case, ground)
    if audience == "agency" and not session.scalars(_open(case.id, agency_id)).first():
        raise Slip({"agency": say("どの機関に伝えるかを選んでください。")})
    note = CaseNote(
        case_id=case.id, staff_id=staff.id, agency_id=staff.agency_id if staff.role == AGENCY else None,
        audience=audience, audience_agency_id=agency_id if audience == "agency" else None,
        ground=ground if shared else None, consent=case.share, text=text, at=now, changed_at=now,
    )  # fmt: skip
    session.add(note)
    cases.note(session, case, "note_written", now, staff)
    session.flush()
    return note


def own_note(session: Session, case: Case, staff: Staff, note_id: int) -> CaseNote:
    """A note that this person may change: their own. Raises LookupError."""
    note = session.scalars(notes_for(staff, case).where(CaseNote.id == note_id, CaseNote.staff_id == staff.id)).first()
    if note is None:
        raise LookupError(say("そのメモは見つかりません。"))
    return note


def change_note(note: CaseNote, text: str, now: datetime) -> None:
    """New words in the place of the old."""
    note.text, note.changed_at, note.version = text, now, note.version + 1


def withdraw_note(session: Session, case: Case, staff: Staff, note_id: int, now: datetime) -> None:
    """Nobody reads it any more. Whoever wrote it may do this, and who oversees, for what must not stand there."""
    found = notes_for(staff, case).where(CaseNote.id == note_id)
    note = session.scalars(found if staff.role in OVERSEERS else found.where(CaseNote.staff_id == staff.id)).first()
    if note is None:
        raise LookupError(say("そのメモは見つかりません。"))
    note.withdrawn_at = now
    cases.note(session, case, "note_withdrawn", now, staff)


def involvements(session: Session, case: Case) -> list[tuple[Involvement, Agency]]:
    """Every part that an agency takes or took, those that take part first."""
    found = session.execute(
        select(Involvement, Agency)
        .join(Agency, Agency.id == Involvement.agency_id)
        .where(Involvement.case_id == case.id)
        .order_by(Involvement.until.is_not(None), Involvement.since, Involvement.id)
    )
    return [(part, agency) for part, agency in found]


def _open(case_id: str, agency_id: int | None) -> Select[Involvement]:
    return select(Involvement).where(
        Involvement.case_id == case_id, Involvement.agency_id == agency_id, Involvement.until.is_(None)
    )


# The list of agencies


def listed(search: str = "", kind: str = "", *, retired: bool = False) -> Select[Agency]:
    """Agencies by kind and name; `search` is looked for in name, kind, address and note."""
    found = select(Agency).where(Agency.retired_at.is_not(None) if retired else Agency.retired_at.is_(None))
    for word in search.split():
        like = f"%{word.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        columns = (Agency.name, Agency.kind, Agency.address, Agency.phone, Agency.note)
        found = found.where(or_(*(column.ilike(like, escape="!") for column in columns)))
    if kind:
        found = found.where(Agency.kind == kind)
    return found.order_by(Agency.kind, Agency.name)


def save_agency(session: Session, agency: Agency, values: Mapping[str, str]) -> None:
    """Takes over what was entered. Raises Slip when another agency has this name."""
    with session.no_autoflush:
        same = session.scalars(select(Agency.id).where(Agency.name == values["name"])).first()
    if same is not None and same != agency.id:
        raise Slip({"name": say("この名前の機関は、もうあります。")}, 409)
    for name, value in values.items():
        setattr(agency, name, value)

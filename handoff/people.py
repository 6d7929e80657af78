"""What an admin does with accounts and desks. Every verb writes its entry in the audit trail beside its change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import access, audit, second_factor
from handoff.access import AGENCY, ROLES, SYSTEM_ADDRESS
from handoff.tongue import say
from handoff.words import words
from storage.models import Agency, Desk, Invitation, Staff
from storage.texts import clean

P = TypeVar("P", Agency, Desk)
LONGEST_DESK = 40
STALE = "ほかの人が先に変えました。いまの内容を確かめて、もう一度変えてください。"
LAST_ADMIN = "管理者がだれもいなくなるため、できません。先に、ほかの人を管理者にしてください。"


class Slip(Exception):
    """What was entered cannot be done: a sentence for each field, under "" what belongs to none; and the status."""

    def __init__(self, problems: dict[str, str], status: int = 422) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems, self.status = problems, status


@dataclass(frozen=True)
class Place:
    """What somebody may do, and where they belong."""

    role: str
    desk_id: int | None
    agency_id: int | None


def place_in(session: Session, form: Mapping[str, str]) -> Place:
    """The place that a form names. Raises Slip."""
    role = form.get("role", "")
    if role not in ROLES:
        raise Slip({"role": say("役割を選んでください。")})
    if role == AGENCY:
        agency = _chosen(session, Agency, form.get("agency", ""))
        if agency is None:
            raise Slip({"agency": say("関係機関の人には、その機関を選んでください。")})
        return Place(role, None, agency.id)
    if form.get("agency", ""):
        raise Slip({"agency": say("機関を選ぶのは、関係機関の人だけです。")})
    desk = _chosen(session, Desk, form.get("desk", ""))
    if desk is None and form.get("desk", ""):
        raise Slip({"desk": say("この窓口は、いまは使われていません。")})
    return Place(role, desk.id if desk else None, None)


def person(session: Session, given: str, *, version: str | None = None) -> Staff:
    """An account by its id, held until the commit. Raises LookupError; Slip when the form is older than the row."""
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    found = session.scalars(select(Staff).where(Staff.id == number).with_for_update()).one_or_none()
    if found is None or access.is_system(found):
        raise LookupError(say("その人は見つかりません。"))
    if version is not None and version != str(found.version):
        raise Slip({"": say(STALE)}, 409)
    return found


def invite(session: Session, admin: Staff, form: Mapping[str, str], now: datetime) -> str:
    """The token of a new invitation, told only here."""
    place = place_in(session, form)
    audit.enter(session, admin, "invited", now, detail=_said(session, place))
    return access.invite(session, place.role, now, desk_id=place.desk_id, agency_id=place.agency_id, by=admin)


def withdraw(session: Session, admin: Staff, given: str, now: datetime) -> None:
    """Takes an invitation back that was not used; `given` is the beginning of its id."""
    for one in session.scalars(select(Invitation).where(Invitation.used_at.is_(None))):
        if one.token_hash[:16] == given:
            one.used_at = now
            audit.enter(session, admin, "invitation_withdrawn", now)


def move(session: Session, admin: Staff, who: Staff, form: Mapping[str, str], now: datetime) -> None:
    """Changes role, desk or agency. Raises Slip."""
    place = place_in(session, form)
    if who.role == "admin" and place.role != "admin":
        _must_not_be_the_last(session, who)
    before = _said(session, Place(who.role, who.desk_id, who.agency_id))
    who.role, who.desk_id, who.agency_id = place.role, place.desk_id, place.agency_id
    who.version += 1
    detail = say("{name}：{before} → {after}", name=who.called, before=before, after=_said(session, place))
    audit.enter(session, admin, "access_changed", now, detail=detail)


def disable(session: Session, admin: Staff, who: Staff, now: datetime) -> None:
    """Nobody comes in with this account any more, and whoever is in is out. Raises Slip."""
    if who.role == "admin":
        _must_not_be_the_last(session, who)
    if who.disabled_at is None:
        who.disabled_at = now
        who.version += 1
        access.end_sessions(session, who.id, now)
        audit.enter(session, admin, "disabled", now, detail=who.called)


def enable(session: Session, admin: Staff, who: Staff, now: datetime) -> None:
    """The account can be used again."""
    if who.disabled_at is not None:
        who.disabled_at = None
        who.version += 1
        audit.enter(session, admin, "enabled", now, detail=who.called)


def reset_second_factor(session: Session, admin: Staff, who: Staff, now: datetime) -> None:
    """For whoever has lost their device and their codes. Sessions end: the device may be in other hands."""
    second_factor.take_off(session, who.id)
    access.end_sessions(session, who.id, now)
    audit.enter(session, admin, "second_factor_reset", now, detail=who.called)


def add_desk(session: Session, admin: Staff, given: str, now: datetime) -> None:
    """A new desk. Raises Slip."""
    name = _desk_name(session, given, "name")
    session.add(Desk(name=name, created_at=now))
    audit.enter(session, admin, "desk_added", now, detail=name)


def rename_desk(session: Session, admin: Staff, desk: Desk, given: str, now: datetime) -> None:
    """Another name for a desk. Raises Slip."""
    name = clean(given).strip()
    if name != desk.name:
        name = _desk_name(session, given, f"name-{desk.id}")
        audit.enter(session, admin, "desk_renamed", now, detail=f"{desk.name} → {name}")
        desk.name = name
        desk.version += 1


def retire_desk(session: Session, admin: Staff, desk: Desk, now: datetime) -> None:
    """Closes a desk, or opens it again. Its people and cases stay as they are until somebody moves them."""
    desk.retired_at = None if desk.retired_at else now
    desk.version += 1
    audit.enter(session, admin, "desk_retired" if desk.retired_at else "desk_reopened", now, detail=desk.name)


def desk(session: Session, given: str, version: str) -> Desk:
    """A desk by its id, held until the commit. Raises LookupError; Slip when the form is older than the row."""
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    found = session.scalars(select(Desk).where(Desk.id == number).with_for_update()).one_or_none()
    if found is None:
        raise LookupError(say("その窓口は見つかりません。"))
    if version != str(found.version):
        raise Slip({"": say(STALE)}, 409)
    return found


def people(session: Session) -> list[Staff]:
    """All accounts of people, those in use first."""
    return list(
        session.scalars(
            select(Staff)
            .where(Staff.email.not_like(f"%{SYSTEM_ADDRESS}"))
            .order_by(Staff.disabled_at.is_not(None), Staff.name, Staff.email)
        )
    )


def _must_not_be_the_last(session: Session, who: Staff) -> None:
    # All admins are held until the commit: of two who would take each other's place away, one comes second.
    admins = session.scalars(
        select(Staff.id).where(Staff.role == "admin", Staff.disabled_at.is_(None)).order_by(Staff.id).with_for_update()
    ).all()
    if set(admins) <= {who.id}:
        raise Slip({"": say(LAST_ADMIN)}, 409)


def _desk_name(session: Session, given: str, field: str) -> str:
    name = clean(given).strip()
    if not name or len(name) > LONGEST_DESK:
        raise Slip({field: say("窓口の名前を、{most}文字までで入れてください。", most=LONGEST_DESK)})
    if session.scalars(select(Desk.id).where(Desk.name == name)).first():
        raise Slip({field: say("その名前の窓口は、もうあります。")})
    return name


def _chosen(session: Session, table: type[P], given: str) -> P | None:
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        return None
    found = session.get(table, int(given))
    return found if found and found.retired_at is None else None


def _said(session: Session, place: Place) -> str:
    desk = session.get(Desk, place.desk_id) if place.desk_id else None
    agency = session.get(Agency, place.agency_id) if place.agency_id else None
    at = desk.name if desk else agency.name if agency else ""
    return f"{words().roles[place.role]}（{at}）" if at else words().roles[place.role]

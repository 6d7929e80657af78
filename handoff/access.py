"""Who may come in: staff by password and session, staff systems by token, the first admin by a one-use link.

Of every secret only the hash is kept. Answers do not tell whether an account exists, neither by words nor by time.
"""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any, TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, CursorResult, Select, and_, exists, func, or_, select, true, update
from sqlalchemy.orm import Session

from handoff import presence
from handoff.tongue import say
from storage.models import Agency, ApiToken, Case, Invitation, Staff, StaffSession
from storage.support import Involvement

T = TypeVar("T")

#: Somebody of an outside agency: sees the cases that their agency takes part in, and no page but those made for them.
AGENCY = "agency"
#: The ground of an involvement that lasts as long as the client's consent.
CONSENT = "consent"
#: Of the town hall: who may take on a case.
TOWN_HALL = ("counselor", "supervisor", "admin")
ROLES = (*TOWN_HALL, AGENCY)
#: Who may free a case that somebody else holds, when that person is ill or gone home, and sees all desks' figures.
OVERSEERS = ("supervisor", "admin")
SCOPES = ("cases:read", "cases:write", "kb:write")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
SESSION_LASTS = timedelta(hours=12)
#: Of the urgency of a case: from here on anybody may help.
DANGER = 2
INVITATION_LASTS = timedelta(days=7)
#: The account through which a staff system acts. Nobody can sign in to it: it has no password.
NO_PASSWORD = "!"
SYSTEM_ADDRESS = "@token.invalid"
CASE_ID = re.compile(r"[0-9a-f]{32}")
NOT_FOUND = "その相談は見つかりません。"
#: What somebody of an agency may open; every other page is made for the town hall, and shows more than is theirs.
AGENCY_PAGES = re.compile(r"/staff/(me|sign-out|agency)(/.*)?")
AGENCY_HOME = "/staff/agency"
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}")

# Argon2 takes 64 MiB a password: two at a time are enough for any desk, and a flood cannot take the memory.
_hashing = ThreadPoolExecutor(2, thread_name_prefix="argon2")
_hasher = PasswordHasher()


class Refused(Exception):
    """The account, token or invitation cannot be made or used; the message is a sentence for people."""


class Taken(Refused):
    """There is an account of that address already."""


class NotTheirs(LookupError):
    """The case exists, and whoever asked may not see it. They are told "not found"; the audit trail is told more."""

    def __init__(self, staff: Staff, case_id: str) -> None:
        super().__init__(say(NOT_FOUND))
        self.staff_id, self.case_id = staff.id, case_id


class NotForAgencies(LookupError):
    """The page is made for the town hall, and somebody of an agency asked for it."""

    def __init__(self, staff: Staff) -> None:
        super().__init__(say("お探しのページは見つかりません。"))
        self.staff_id = staff.id


@dataclass(frozen=True)
class SignedIn:
    """A staff member with an open session, whose `id` tells it from others. `csrf` must come back with every form."""

    staff: Staff
    csrf: str
    id: str


def cases_of(staff: Staff) -> Select[Case]:
    """The cases that someone may see. Every way to a case begins here, so that a forgotten check is "not found"."""
    if is_system(staff):  # its account can sign in nowhere, so it counts as disabled; its token stands for it
        return select(Case)
    if staff.disabled_at is not None:
        return select(Case).where(Case.id.is_(None))
    if staff.role in OVERSEERS:
        return select(Case)
    return select(Case).where(
        shared_with(staff.agency_id) if staff.role == AGENCY else _of_counselor(staff.id, staff.desk_id)
    )


def case_of(session: Session, staff: Staff, case_id: str, *, to_change: bool = False) -> Case:
    """One case that someone may see. Raises LookupError, whether it does not exist or is not theirs.

    `to_change` holds the row until the commit, so that what is decided from it still stands when it is written.
    """
    # Looked at first: PostgreSQL raises when it shall compare with some of what a URL can hold.
    if not CASE_ID.fullmatch(case_id):
        raise LookupError(say(NOT_FOUND))
    wanted = cases_of(staff).where(Case.id == case_id)
    case = session.scalars(wanted.with_for_update(of=Case) if to_change else wanted).one_or_none()
    if case is None:
        exists = session.scalars(select(Case.id).where(Case.id == case_id)).first()
        raise NotTheirs(staff, case_id) if exists else LookupError(say(NOT_FOUND))
    return case


def may_see(session: Session, staff: Staff, case_id: str) -> bool:
    """Whether a case is somebody's to see, where that is a question and no attempt."""
    return session.scalars(cases_of(staff).where(Case.id == case_id).with_only_columns(Case.id)).first() is not None


def may_open(staff: Staff, path: str) -> None:
    """Raises NotForAgencies where somebody of an agency asks for a page of the town hall."""
    if staff.role == AGENCY and not AGENCY_PAGES.fullmatch(path):
        raise NotForAgencies(staff)


@lru_cache(1000)  # a page asks a dozen times, and putting it together costs more than a statement does
def _of_counselor(staff_id: int, desk_id: int | None) -> ColumnElement[bool]:
    # The coalesce keeps every index on desks out of it: the queue is walked in its own order, and what is another
    # desk's is passed by. An index that gathered one desk's cases would have to sort them all. And it is the coalesce
    # of a yes or no, of which PostgreSQL expects half; of a number it expects hardly any, and sorts instead of walking.
    return or_(
        func.coalesce(Case.desk_id == (desk_id or 0), true()),
        Case.claimed_by == staff_id,
        Case.responsible_id == staff_id,
        (Case.urgency >= DANGER) & Case.closed_at.is_(None),
    )


def shared_with(agency_id: int | None) -> ColumnElement[bool]:
    """The cases that an agency may know of: open ones in which it takes part, on a ground that holds.

    What rests on the client's consent is gone from sight the moment the consent is taken back.
    """
    takes_part = exists().where(
        Involvement.case_id == Case.id,
        Involvement.agency_id == agency_id,
        Involvement.until.is_(None),
        or_(Involvement.ground != CONSENT, Case.share.is_(True)),
        Agency.id == Involvement.agency_id,
        Agency.retired_at.is_(None),
    )
    return and_(Case.closed_at.is_(None), takes_part)


def add_staff(
    session: Session,
    email: str,
    role: str,
    password: str,
    now: datetime,
    name: str = "",
    *,
    desk_id: int | None = None,
    agency_id: int | None = None,
) -> Staff:
    """Makes an account. Raises Refused. Slow by design: for the command line."""
    check_password(password)
    hashed = _hasher.hash(password)
    return add_staff_with(session, email, role, hashed, now, name, desk_id=desk_id, agency_id=agency_id)


def add_staff_with(
    session: Session,
    email: str,
    role: str,
    password_hash: str,
    now: datetime,
    name: str = "",
    *,
    desk_id: int | None = None,
    agency_id: int | None = None,
) -> Staff:
    """`add_staff` for a password that was hashed before, outside the transaction."""
    email = plain_email(email)
    if role not in ROLES:
        raise Refused(f"役割は {'、'.join(ROLES)} のどれかにしてください。")
    if (role == AGENCY) != (agency_id is not None):
        raise Refused("関係機関の人には、その機関を選んでください。ほかの役割には機関は選べません。")
    if session.scalars(select(Staff.id).where(Staff.email == email)).first():
        raise Taken("このメールアドレスのアカウントは、もうあります。")
    staff = Staff(
        email=email, name=name.strip(), role=role, password_hash=password_hash, created_at=now, desk_id=desk_id,
        agency_id=agency_id,
    )  # fmt: skip
    session.add(staff)
    session.flush()
    return staff


def plain_email(email: str) -> str:
    """The address as accounts are known by. Raises Refused when it is none."""
    email = email.strip().casefold()
    if not EMAIL.fullmatch(email) or email.endswith(SYSTEM_ADDRESS):
        raise Refused("メールアドレスを確かめてください。")
    return email


def check_password(password: str) -> None:
    """Raises Refused when the password is too short, or longer than anybody types."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(say("パスワードは{least}文字以上にしてください。", least=SHORTEST_PASSWORD))
    if len(password) > LONGEST_PASSWORD:
        raise Refused(say("パスワードは{most}文字までにしてください。", most=LONGEST_PASSWORD))


async def hash_password(password: str) -> str:
    """The hash to keep, made in a thread. Raises Refused when the password will not do."""
    check_password(password)
    return await _in_thread(partial(_hasher.hash, password))


async def right_password(staff: Staff | None, password: str) -> bool:
    """Whether the password is that of an account that may sign in; takes as long when there is none."""
    may_sign_in = staff is not None and staff.disabled_at is None and staff.password_hash != NO_PASSWORD
    kept = staff.password_hash if staff and may_sign_in else await _in_thread(_nobodys_hash)
    right = await _in_thread(partial(_verify, kept, password[:LONGEST_PASSWORD]))
    return right and may_sign_in


def staff_by_email(session: Session, email: str) -> Staff | None:
    """The account of that address, also when it may not sign in any more."""
    return session.scalars(select(Staff).where(Staff.email == email.strip().casefold())).one_or_none()


def begin_session(session: Session, staff: Staff, now: datetime, *, browser: str = "", instead_of: str = "") -> str:
    """Opens a session, a new one at every sign-in; the token is for the browser alone.

    `instead_of` is the token that the browser had until now: it is worthless from here on.
    """
    if instead_of:
        end_session(session, instead_of, now)
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            token_hash=_hash(token), staff_id=staff.id, csrf=secrets.token_urlsafe(24), browser=browser,
            created_at=now, expires_at=now + SESSION_LASTS,
        )
    )  # fmt: skip
    return token


def signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Whose session this is, as long as it lasts and the account stands. Asking is using it."""
    found = session.execute(
        select(Staff, StaffSession)
        .join(StaffSession, StaffSession.staff_id == Staff.id)
        .where(StaffSession.token_hash == _hash(token), presence.lives(now), Staff.disabled_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    staff, open_one = found
    presence.used(open_one, now)
    return SignedIn(staff, open_one.csrf, open_one.token_hash)


def end_session(session: Session, token: str, now: datetime) -> None:
    """Signs out: the token is worthless from now on."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == _hash(token), StaffSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_sessions(session: Session, staff_id: int, now: datetime, *, but: str = "", only: str | None = None) -> int:
    """Ends the sessions of one account; how many. `but` is the one that stays, `only` the beginning of one's id."""
    open_ones = (StaffSession.staff_id == staff_id) & StaffSession.ended_at.is_(None) & (StaffSession.token_hash != but)
    if only is not None:
        open_ones &= func.substr(StaffSession.token_hash, 1, 16) == only
    ended = session.execute(update(StaffSession).where(open_ones).values(ended_at=now))
    return int(cast(CursorResult[Any], ended).rowcount)


def invite(
    session: Session,
    role: str,
    now: datetime,
    *,
    desk_id: int | None = None,
    agency_id: int | None = None,
    by: Staff | None = None,
) -> str:
    """A one-use invitation to make an account of that role; the token goes into `/staff/invite/{token}`."""
    token = secrets.token_urlsafe(32)
    session.add(
        Invitation(
            token_hash=_hash(token), role=role, desk_id=desk_id, agency_id=agency_id, created_at=now,
            created_by=by.id if by else None, expires_at=now + INVITATION_LASTS,
        )
    )  # fmt: skip
    return token


def invited_as(session: Session, token: str, now: datetime) -> str | None:
    """The role of an invitation that can still be used."""
    found = _invitation(session, token, now)
    return found.role if found else None


def accept_invitation(
    session: Session, token: str, email: str, name: str, password_hash: str, now: datetime
) -> Staff | None:
    """Uses the invitation and makes the account; None when it was used before or is too old."""
    found = _invitation(session, token, now)
    # Conditional: of two who use it at once, one finds it used.
    used = session.execute(
        update(Invitation)
        .where(Invitation.token_hash == _hash(token), Invitation.used_at.is_(None), Invitation.expires_at > now)
        .values(used_at=now)
    )
    if found is None or cast(CursorResult[Any], used).rowcount != 1:
        return None
    return add_staff_with(
        session, email, found.role, password_hash, now, name, desk_id=found.desk_id, agency_id=found.agency_id
    )


def _invitation(session: Session, token: str, now: datetime) -> Invitation | None:
    return session.scalars(
        select(Invitation).where(
            Invitation.token_hash == _hash(token), Invitation.used_at.is_(None), Invitation.expires_at > now
        )
    ).one_or_none()


def add_token(session: Session, name: str, scopes: list[str], now: datetime) -> str:
    """Makes an API token with its own account, named alike; the token is told only here. Raises Refused."""
    if not name.strip() or not scopes or not set(scopes) <= set(SCOPES):
        raise Refused(f"トークンには名前と、{'、'.join(SCOPES)} のうち一つ以上の範囲がいります。")
    token = f"uketome_{secrets.token_urlsafe(32)}"
    session.add(
        ApiToken(token_hash=_hash(token), name=name.strip(), scopes=list(dict.fromkeys(scopes)), created_at=now)
    )
    session.add(
        Staff(
            email=_system_email(token), name=name.strip(), role="counselor", password_hash=NO_PASSWORD, created_at=now,
            disabled_at=now,
        )
    )  # fmt: skip
    return token


def staff_of_token(session: Session, token: str) -> tuple[Staff, frozenset[str]] | None:
    """The account that a staff system acts as, and its scopes."""
    found = session.execute(
        select(Staff, ApiToken.scopes)
        .where(ApiToken.token_hash == _hash(token), ApiToken.revoked_at.is_(None))
        .join(Staff, Staff.email == _system_email(token))
    ).one_or_none()
    return (found[0], frozenset(found[1])) if found else None


def is_system(staff: Staff) -> bool:
    """Whether the account is a staff system's."""
    return staff.email.endswith(SYSTEM_ADDRESS)


def _system_email(token: str) -> str:
    return _hash(token)[:40] + SYSTEM_ADDRESS


def _hash(token: str) -> str:
    # Tokens are 32 random bytes: nothing to guess, so a plain fast hash is enough.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _verify(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(16))


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_hashing, work)

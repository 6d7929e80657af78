"""Who may come in: staff by password and session, staff systems by token, the first admin by a one-use link.

Of every secret only the hash is kept. Answers do not tell whether an account exists, neither by words nor by time.
"""

import asyncio
import hashlib
import re
import secrets
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import CursorResult, Select, select, update
from sqlalchemy.orm import Session

from storage.models import ApiToken, Case, Invitation, Staff, StaffSession

T = TypeVar("T")

ROLES = ("counselor", "supervisor", "admin")
#: Who may free a case that somebody else holds, when that person is ill or gone home, and sees all desks' figures.
OVERSEERS = ("supervisor", "admin")
SCOPES = ("cases:read", "cases:write", "kb:write")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
SESSION_LASTS = timedelta(hours=12)
INVITATION_LASTS = timedelta(days=7)
TRIES_COUNT_FOR = timedelta(minutes=15)
#: The account through which a staff system acts. Nobody can sign in to it: it has no password.
NO_PASSWORD = "!"
SYSTEM_ADDRESS = "@token.invalid"
CASE_ID = re.compile(r"[0-9a-f]{32}")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,180}")

# Argon2 takes 64 MiB a password: two at a time are enough for any desk, and a flood cannot take the memory.
_hashing = ThreadPoolExecutor(2, thread_name_prefix="argon2")
_hasher = PasswordHasher()


class Refused(Exception):
    """The account, token or invitation cannot be made or used; the message is a sentence for people."""


class Taken(Refused):
    """There is an account of that address already."""


@dataclass(frozen=True)
class SignedIn:
    """A staff member with an open session. `csrf` must come back with every form."""

    staff: Staff
    csrf: str


class Tries:
    """Counts tries by key within a sliding window; the count is this process's own."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tries: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def count(self, now: datetime, *keys: str) -> int:
        """Counts one try for each key. 0 when all may go on, else the seconds until they may (and none is counted)."""
        if seconds := self.full(now, *keys):
            return seconds
        for key in keys:
            self._tries[key].append(now)
        return 0

    def full(self, now: datetime, *keys: str) -> int:
        """The seconds until all may go on; 0 when they may now."""
        self._forget(now)
        full = [self._tries[key][0] for key in keys if len(self._tries.get(key, ())) >= self._most]
        return max(1, int((max(full) + TRIES_COUNT_FOR - now).total_seconds())) if full else 0

    def succeeded(self, *keys: str) -> None:
        """A right password was no try at guessing."""
        for key in keys:
            self._tries.pop(key, None)

    def _forget(self, now: datetime) -> None:
        for key in list(self._tries):
            tries = self._tries[key]
            while tries and tries[0] <= now - TRIES_COUNT_FOR:
                tries.popleft()
            if not tries:
                del self._tries[key]


def cases_of(staff: Staff) -> Select[Case]:
    """The cases that someone may see. Every way to a case begins here, so that a forgotten check is "not found"."""
    # One town, one desk: today every role takes part in the talk with residents. Desks narrow it here.
    return select(Case) if staff.role in ROLES else select(Case).where(Case.id.is_(None))


def case_of(session: Session, staff: Staff, case_id: str, *, to_change: bool = False) -> Case:
    """One case that someone may see. Raises LookupError, whether it does not exist or is not theirs.

    `to_change` holds the row until the commit, so that what is decided from it still stands when it is written.
    """
    wanted = cases_of(staff).where(Case.id == case_id)
    wanted = wanted.with_for_update() if to_change else wanted
    # Looked at first: PostgreSQL raises when it shall compare with some of what a URL can hold.
    case = session.scalars(wanted).one_or_none() if CASE_ID.fullmatch(case_id) else None
    if case is None:
        raise LookupError("その相談は見つかりません。")
    return case


def add_staff(session: Session, email: str, role: str, password: str, now: datetime, name: str = "") -> Staff:
    """Makes an account. Raises Refused. Slow by design: for the command line."""
    check_password(password)
    return add_staff_with(session, email, role, _hasher.hash(password), now, name)


def add_staff_with(session: Session, email: str, role: str, password_hash: str, now: datetime, name: str = "") -> Staff:
    """`add_staff` for a password that was hashed before, outside the transaction."""
    email = plain_email(email)
    if role not in ROLES:
        raise Refused(f"役割は {'、'.join(ROLES)} のどれかにしてください。")
    if session.scalars(select(Staff.id).where(Staff.email == email)).first():
        raise Taken("このメールアドレスのアカウントは、もうあります。")
    staff = Staff(email=email, name=name.strip(), role=role, password_hash=password_hash, created_at=now)
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
        raise Refused(f"パスワードは{SHORTEST_PASSWORD}文字以上にしてください。")
    if len(password) > LONGEST_PASSWORD:
        raise Refused(f"パスワードは{LONGEST_PASSWORD}文字までにしてください。")


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


def begin_session(session: Session, staff: Staff, now: datetime) -> str:
    """Opens a session; the token is for the browser alone."""
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            token_hash=_hash(token), staff_id=staff.id, csrf=secrets.token_urlsafe(24), created_at=now,
            expires_at=now + SESSION_LASTS,
        )
    )  # fmt: skip
    return token


def signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Whose session this is, as long as it lasts and the account stands."""
    found = session.execute(
        select(Staff, StaffSession.csrf)
        .join(StaffSession, StaffSession.staff_id == Staff.id)
        .where(
            StaffSession.token_hash == _hash(token),
            StaffSession.ended_at.is_(None),
            StaffSession.expires_at > now,
            Staff.disabled_at.is_(None),
        )
    ).one_or_none()
    return SignedIn(*found) if found else None


def end_session(session: Session, token: str, now: datetime) -> None:
    """Signs out: the token is worthless from now on."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == _hash(token), StaffSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def invite(session: Session, role: str, now: datetime) -> str:
    """A one-use invitation to make an account of that role; the token goes into `/staff/invite/{token}`."""
    token = secrets.token_urlsafe(32)
    session.add(Invitation(token_hash=_hash(token), role=role, created_at=now, expires_at=now + INVITATION_LASTS))
    return token


def invited_as(session: Session, token: str, now: datetime) -> str | None:
    """The role of an invitation that can still be used."""
    return session.scalars(
        select(Invitation.role).where(
            Invitation.token_hash == _hash(token), Invitation.used_at.is_(None), Invitation.expires_at > now
        )
    ).one_or_none()


def accept_invitation(
    session: Session, token: str, email: str, name: str, password_hash: str, now: datetime
) -> Staff | None:
    """Uses the invitation and makes the account; None when it was used before or is too old."""
    role = invited_as(session, token, now)
    # Conditional: of two who use it at once, one finds it used.
    used = session.execute(
        update(Invitation)
        .where(Invitation.token_hash == _hash(token), Invitation.used_at.is_(None), Invitation.expires_at > now)
        .values(used_at=now)
    )
    if role is None or cast(CursorResult[Any], used).rowcount != 1:
        return None
    return add_staff_with(session, email, role, password_hash, now, name)


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

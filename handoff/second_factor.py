"""The second factor: six digits of an app, changing every 30 seconds (RFC 6238), and recovery codes for a lost device.

The secret stands in the database sealed with the service's key; of a recovery code only a keyed hash.
"""

import hmac
import secrets
import unicodedata
from datetime import datetime
from typing import Any, cast

import pyotp
import segno
from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.orm import Session

from handoff.sealed import Seal
from storage.models import RecoveryCode, Staff
from storage.settings import Settings

STEP_S = 30
#: A clock that goes wrong by one step may still sign in.
DRIFT = (0, -1, 1)
RECOVERY_CODES = 10
WRONG_FIRST = "確認コードが違います。アプリの時刻が合っているかを確かめて、新しい数字を入れてください。"
#: Without letters and digits that are taken for one another.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class SecondFactor:
    """The verbs over a staff member's second factor, with the keys that they need."""

    def __init__(self, settings: Settings) -> None:
        self.setting, self._town = settings.second_factor, settings.town
        self._secrets, self._codes = Seal(settings, "second factor"), Seal(settings, "recovery codes")

    def asked_of(self, staff: Staff) -> bool:
        """Whether a code is asked for at the sign-in. Switched off by setting, it is asked of nobody."""
        return self.setting != "off" and staff.totp_since is not None

    def must_be_set_up(self, staff: Staff) -> bool:
        """Whether nobody comes in without one, and this person has none yet."""
        return self.setting == "required" and staff.totp_since is None

    def uri(self, staff: Staff, secret: str) -> str:
        """What an authenticator app reads."""
        return pyotp.TOTP(secret).provisioning_uri(name=staff.email, issuer_name=f"うけとめ {self._town}")

    def set_up(self, session: Session, staff: Staff, secret: str, code: str, now: datetime) -> list[str] | None:
        """From now on the code is asked for. The recovery codes, told only here; None when the code is wrong."""
        step = _step_of(secret, code, now)
        if step is None:
            return None
        sealed = self._secrets.close({"secret": secret}, now)
        session.execute(
            update(Staff).where(Staff.id == staff.id).values(totp_secret=sealed, totp_since=now, totp_step=step)
        )
        return self._new_recovery_codes(session, staff, now)

    def passes(self, session: Session, staff: Staff, code: str, now: datetime) -> bool:
        """Whether the code is right and was not used before; from now on it was."""
        kept = self._secrets.open(staff.totp_secret or "", now)
        step = _step_of(kept["secret"], code, now) if kept else None
        if step is None:
            return False
        # Conditional: of two who bring the same code at once, one finds it used.
        fresh = or_(Staff.totp_step.is_(None), Staff.totp_step < step)
        return _changed(session, update(Staff).where(Staff.id == staff.id, fresh).values(totp_step=step))

    def recovers(self, session: Session, staff: Staff, code: str, now: datetime) -> bool:
        """Whether it is one of their recovery codes that was not used before; from now on it was."""
        mine = (RecoveryCode.code_hash == self._hash(staff, code)) & (RecoveryCode.staff_id == staff.id)
        return _changed(session, update(RecoveryCode).where(mine, RecoveryCode.used_at.is_(None)).values(used_at=now))

    def _new_recovery_codes(self, session: Session, staff: Staff, now: datetime) -> list[str]:
        session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
        codes = ["".join(secrets.choice(LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
        session.add_all(
            RecoveryCode(code_hash=self._hash(staff, code), staff_id=staff.id, made_at=now) for code in codes
        )
        return [f"{code[:5]}-{code[5:]}" for code in codes]

    def _hash(self, staff: Staff, code: str) -> str:
        return self._codes.digest(f"{staff.id} {plain(code).lower()}")


def take_off(session: Session, staff_id: int) -> None:
    """No code is asked for any more, and no recovery code is worth anything."""
    session.execute(update(Staff).where(Staff.id == staff_id).values(totp_secret=None, totp_since=None, totp_step=None))
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))


def recovery_codes_left(session: Session, staff: Staff) -> int:
    """How many recovery codes were not used yet."""
    left = select(func.count()).where(RecoveryCode.staff_id == staff.id, RecoveryCode.used_at.is_(None))
    return session.scalar(left) or 0


def new_secret() -> str:
    """A secret for an authenticator app, as text."""
    return pyotp.random_base32()


def readable(secret: str) -> str:
    """The secret in groups of four, as people type it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def picture(uri: str) -> str:
    """The QR code as SVG for the page itself: no style and no script in it, as the page's policy wants."""
    drawn: str = segno.make(uri, error="m", micro=False).svg_inline(scale=4, border=3, light="#fff", dark="#000")
    return drawn


def plain(code: str) -> str:
    """The code as it is compared: full-width digits are digits, blanks and hyphens are nothing."""
    return "".join(c for c in unicodedata.normalize("NFKC", code) if c.isascii() and c.isalnum())


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    given, at = plain(code), int(now.timestamp()) // STEP_S
    app = pyotp.TOTP(secret)
    for step in (at + drift for drift in DRIFT):
        if hmac.compare_digest(app.generate_otp(step), given):
            return step
    return None


def _changed(session: Session, statement: Any) -> bool:
    return cast(CursorResult[Any], session.execute(statement)).rowcount == 1

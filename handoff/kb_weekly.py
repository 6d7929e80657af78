"""The weekly summary of the knowledge base, on Monday mornings: each owner hears of their own entries, admins and the
chat of everything. Never a resident's word: numbers, and the names of the town's own entries.

Whoever first finds that a Monday's morning has come writes the week's row and its letters in one transaction; the week
is unique, so no restart and no second process makes another. After a time of standing still only the week that it is
now is made up for. Letters are sent as all that leaves the house is (handoff/sending.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handoff import audit, kb_tasks, sending
from handoff.access import SYSTEM_ADDRESS, SignedIn
from handoff.kb_care import OWN, TODO
from handoff.kb_unfound import monday
from handoff.moments import whole_day
from handoff.notice_targets import Word, targets
from handoff.sending import Claimed, Sending
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database, insert_new
from storage.kb_care import KbCare, KbLetter, KbWeek
from storage.models import Staff
from storage.settings import Settings
from storage.support import TownTable

LOOK_EVERY_S = 60.0
#: When a Monday's summary is due, by Japan's clock: before the desk opens.
MORNING = time(8)
#: How many entries a letter names.
NAMED = 20
BELL = "kb-weekly"
#: Where the admin's choice is kept that there be none.
TABLE = "kb_weekly"


@dataclass(frozen=True)
class Letter:
    """One that this process has claimed."""

    id: int
    target: str
    #: None: whoever reads the target.
    staff_id: int | None
    monday: date


class Weekly:
    """Looks, writes and sends, as long as the service runs. Without a target there is nothing to do."""

    def __init__(self, settings: Settings, database: Database, bells: Bells, clock: Clock) -> None:
        self._settings, self._bells = settings, bells
        self._targets = targets(settings)
        self._sending = Sending(KbLetter, self._targets, database, clock)

    async def run(self) -> None:
        """For ever."""
        while self._targets:
            await self.round()
            await self._bells.wait(BELL, LOOK_EVERY_S)

    async def round(self) -> None:
        """One look, and the sending of what it found."""
        known = list(self._targets)
        await self._sending.round(_anything, lambda session, now: _claim(session, known, now), self._words)

    def _words(self, session: Session, letters: Sequence[Letter], now: datetime) -> list[Claimed]:
        all_ = of_all(session, now)
        return [Claimed(one.id, one.target, self._word(session, one, all_, now)) for one in letters]

    def _word(self, session: Session, one: Letter, of_all: str, now: datetime) -> Word | None:
        """What somebody is told; None when there is nothing to tell."""
        staff = session.get(Staff, one.staff_id) if one.staff_id else None
        sees_all = staff is None or staff.role == "admin"
        told = "\n\n".join(filter(None, [of_all if sees_all else "", of_own(session, staff, now) if staff else ""]))
        if not told:
            return None
        begins = say("知識ベースの今週のやることです（{day}の週）。", day=whole_day(one.monday))
        id_, url = f"weekly-{one.monday:%Y%m%d}-{one.id}", f"{self._settings.address}{TODO if sees_all else OWN}"
        to = staff.email if staff else ""
        return Word(id_, "weekly", None, "none", 0, url, now, f"{begins}\n\n{told}", to)


def is_off(session: Session) -> bool:
    """Whether an admin wants no summary."""
    row = session.get(TownTable, TABLE)
    return bool(row and row.content.get("off"))


def switch(session: Session, who: SignedIn, off: bool, now: datetime) -> None:
    """Stops the summary, or lets it come again."""
    if is_off(session) == off:
        return
    row = session.get(TownTable, TABLE, with_for_update=True)
    if row is None:
        row = TownTable(name=TABLE, content={}, changed_at=now, version=0)
        session.add(row)
    row.content, row.changed_at, row.changed_by, row.version = {"off": off}, now, who.staff.id, row.version + 1
    audit.enter(session, who.staff, "kb_weekly_off" if off else "kb_weekly_on", now)


def state(session: Session) -> dict[str, Any]:
    """What the page of the notices shows of it."""
    last = session.scalars(select(KbLetter.sent_at).order_by(KbLetter.sent_at.desc().nulls_last()).limit(1)).first()
    lost = session.execute(
        select(KbLetter, Staff)
        .outerjoin(Staff, Staff.id == KbLetter.staff_id)
        .where(KbLetter.error.is_not(None), KbLetter.sent_at.is_(None))
        .order_by(KbLetter.id.desc())
        .limit(10)
    )
    return {
        "off": is_off(session),
        "last": last,
        "failures": [
            {
                "to": staff.called if staff else "",
                "target": row.target,
                "error": row.error,
                "next": row.next_at if row.done_at is None else None,
            }
            for row, staff in lost
        ],
    }


def _anything(session: Session, now: datetime) -> bool:
    if session.scalars(select(KbLetter.id).where(sending.is_due(KbLetter, now)).limit(1)).first():
        return True
    return session.scalars(select(KbWeek.id).where(KbWeek.monday == _week(now))).first() is None


def _claim(session: Session, known: Sequence[str], now: datetime) -> list[Letter]:
    week = _begin_week(session, known, now)
    claimed = []
    for row in sending.due(session, KbLetter, now):
        written = session.get_one(KbWeek, row.week_id).monday
        if written < week or row.target not in known or is_off(session) or not _reads(session, row):
            sending.drop(row, now)
            continue
        sending.claim(row, now)
        claimed.append(Letter(row.id, row.target, row.staff_id, written))
    return claimed


def _reads(session: Session, row: KbLetter) -> bool:
    """Whether there is still somebody to read it."""
    return row.staff_id is None or session.get_one(Staff, row.staff_id).disabled_at is None


def _week(now: datetime) -> date:
    """The Monday of the newest summary that is due."""
    this = monday(now)
    return this if now >= datetime.combine(this, MORNING, JAPAN) else this - timedelta(weeks=1)


def _begin_week(session: Session, known: Sequence[str], now: datetime) -> date:
    """Writes the week with its letters, unless it stands already. The first week of all has none: it began before
    anybody kept this knowledge."""
    week = _week(now)
    first = session.scalars(select(KbWeek.id).limit(1)).first() is None
    new = session.execute(insert_new(session.get_bind().dialect.name, KbWeek), {"monday": week, "at": now}).scalar()
    if new and not first and not is_off(session):
        for target in known:
            readers: Sequence[int | None] = _readers(session) if target == "mail" else [None]
            session.add_all(
                KbLetter(week_id=new, target=target, staff_id=reader, next_at=now, attempts=0) for reader in readers
            )
        session.flush()
    return week


def _readers(session: Session) -> Sequence[int]:
    """The admins, and whoever looks after an entry."""
    owns = select(KbCare.owner_id).where(KbCare.owner_id.is_not(None))
    return session.scalars(
        select(Staff.id)
        .where(
            or_(Staff.role == "admin", Staff.id.in_(owns)), Staff.disabled_at.is_(None),
            ~Staff.email.endswith(SYSTEM_ADDRESS),
        )
        .order_by(Staff.id)
    ).all()  # fmt: skip


def of_all(session: Session, now: datetime) -> str:
    """Everything in numbers; "" when there is nothing to do."""
    tasks = kb_tasks.gather(session, now, most=1)
    counted = (
        (say("見直す日が来たもの"), tasks.overdue.total),
        (say("確認を待っているもの"), tasks.review.total),
        (say("連絡先が足りないもの"), tasks.incomplete.total),
        (say("長く確かめていないもの"), tasks.unchecked.total),
        (say("担当者がいないもの"), tasks.ownerless.total),
        (say("しばらくだれにも見つけられていないもの"), tasks.unfound.total),
        (say("180日以上かけていない電話相談の番号"), len(tasks.to_dial)),
        (say("申し出のあった例文"), tasks.offered),
    )
    return "\n".join(say("・{what}：{n}件", what=what, n=number) for what, number in counted if number)


def of_own(session: Session, staff: Staff, now: datetime) -> str:
    """What somebody looks after and should look at; "" when there is none."""
    found = kb_tasks.overdue(session, now.astimezone(JAPAN).date(), staff.id, NAMED)
    if not found.total:
        return ""
    lines = [say("あなたが担当していて、見直す日が来たもの：{n}件", n=found.total)]
    lines += [
        say("・{name}（見直す日：{day}）", name=" ".join(one.name.split()), day=found.notes.get(one.id, ""))
        for one in found.entries
    ]
    if found.total > len(found.entries):
        lines.append(say("・ほか{n}", n=found.total - len(found.entries)))
    if staff.role != "admin":
        lines.append(
            say(
                "確かめて、そのままなら「内容を確かめました」を押してください。変わったところは、直して確認に出せます。"
            )
        )
    return "\n".join(lines)

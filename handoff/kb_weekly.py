"""The weekly summary of the knowledge base, on Monday mornings: each owner hears of their own entries, admins and the
chat of everything. Never a resident's word: numbers, and the names of the town's own entries.

Whoever first finds that a Monday's morning has come writes the week's row and its letters in one transaction; the week
is unique, so no restart and no second process makes another. After a time of standing still only the week that it is
now is made up for. Letters are sent as other notices are: claimed under a lease, tried again with growing pauses.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog
from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from handoff import audit, kb_tasks
from handoff.access import SYSTEM_ADDRESS, SignedIn
from handoff.kb_care import TODO
from handoff.kb_unfound import monday
from handoff.moments import whole_day
from handoff.notice_targets import NoticeError, Send, Word, targets
from handoff.notices import LEASE, MOST, PAUSES
from handoff.tongue import say
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database, insert_new, unavailable
from storage.kb_care import KbCare, KbLetter, KbWeek
from storage.logs import where
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

log = structlog.get_logger()


@dataclass(frozen=True)
class Claimed:
    """A letter that this process is sending."""

    id: int
    target: str
    #: None: whoever reads the target.
    staff_id: int | None
    monday: date


class Weekly:
    """Looks, writes and sends, as long as the service runs. Without a target there is nothing to do."""

    def __init__(self, settings: Settings, database: Database, bells: Bells, clock: Clock) -> None:
        self._settings, self._database, self._bells, self._clock = settings, database, bells, clock
        self._targets: dict[str, Send] = targets(settings)

    async def run(self) -> None:
        """For ever."""
        while self._targets:
            await self.round()
            await self._bells.wait(BELL, LOOK_EVERY_S)

    async def round(self) -> None:
        """One look, and the sending of what it found."""
        now = self._clock.now()
        try:
            if not await self._database.read(lambda session: _anything(session, now)):
                return
            claimed = await self._database.write(lambda session: _claim(session, list(self._targets), now))
            # Worded outside the write: counting looks at many cases, and residents' messages must not wait for it.
            worded = await self._database.read(lambda session: self._words(session, claimed, now))
        except DBAPIError as error:
            if not unavailable(error):
                raise
            return
        await asyncio.gather(*(self._send(one, word) for one, word in worded))

    def _words(self, session: Session, claimed: Sequence[Claimed], now: datetime) -> list[tuple[Claimed, Word | None]]:
        all_ = of_all(session, now) if claimed else ""
        return [(one, self._word(session, one, all_, now)) for one in claimed]

    def _word(self, session: Session, one: Claimed, of_all: str, now: datetime) -> Word | None:
        """What somebody is told; None when there is nothing to tell."""
        staff = session.get(Staff, one.staff_id) if one.staff_id else None
        sees_all = staff is None or staff.role == "admin"
        told = "\n\n".join(filter(None, [of_all if sees_all else "", of_own(session, staff, now) if staff else ""]))
        if not told:
            return None
        begins = say("知識ベースの今週のやることです（{day}の週）。", day=whole_day(one.monday))
        id_, url = f"weekly-{one.monday:%Y%m%d}-{one.id}", f"{self._settings.address}{TODO}" if sees_all else ""
        to = staff.email if staff else ""
        return Word(id_, "weekly", None, "none", 0, url, now, f"{begins}\n\n{told}", to)

    async def _send(self, one: Claimed, word: Word | None) -> None:
        try:
            if word:
                await self._targets[one.target](word)
        except NoticeError as error:
            log.warning("letter.failed", target=one.target, letter=one.id, retryable=error.retryable)
            sentence, retryable, now = str(error), error.retryable, self._clock.now()
            await self._write(lambda session: _failed(session, one.id, sentence, retryable, now))
            return
        now = self._clock.now()
        done = update(KbLetter).where(KbLetter.id == one.id)
        done = done.values(sent_at=now if word else None, done_at=now, lease_until=None, error=None)
        await self._write(lambda session: session.execute(done))

    async def _write(self, work: Any) -> None:
        try:
            await self._database.write(work)
        except DBAPIError as error:  # the lease runs out, and it is sent once more: better than not at all
            log.error("letter.not_written", error=where(error))


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
    if session.scalars(select(KbLetter.id).where(_due(now)).limit(1)).first():
        return True
    return session.scalars(select(KbWeek.id).where(KbWeek.monday == _week(now))).first() is None


def _claim(session: Session, known: Sequence[str], now: datetime) -> list[Claimed]:
    week = _begin_week(session, known, now)
    due = select(KbLetter).where(_due(now)).order_by(KbLetter.id).limit(MOST).with_for_update(skip_locked=True)
    claimed = []
    for row in session.scalars(due).all():
        written = session.get_one(KbWeek, row.week_id).monday
        if written < week or row.target not in known or is_off(session) or not _reads(session, row):
            row.done_at, row.lease_until = now, None
            continue
        row.attempts += 1
        row.lease_until = now + LEASE
        claimed.append(Claimed(row.id, row.target, row.staff_id, written))
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
        lines.append(say("内容を確かめて、そのままでよいか、どこが変わったかを、管理者に伝えてください。"))
    return "\n".join(lines)


def _due(now: datetime) -> Any:
    free = or_(KbLetter.lease_until.is_(None), KbLetter.lease_until <= now)
    return and_(KbLetter.done_at.is_(None), KbLetter.next_at <= now, free)


def _failed(session: Session, id_: int, sentence: str, retryable: bool, now: datetime) -> None:
    row = session.get_one(KbLetter, id_, with_for_update=True)
    row.error, row.lease_until = sentence, None
    if retryable and row.attempts <= len(PAUSES):
        row.next_at = now + PAUSES[row.attempts - 1]
    else:
        row.done_at = now

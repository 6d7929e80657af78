"""Watches LINE's monthly quota of pushes, so that staff hear of it before answers stop. Replies cost nothing."""

import asyncio
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.base import SendError
from storage.clock import Clock
from storage.database import Database
from storage.models import Notice

log = structlog.get_logger()

KIND = "line_quota"
TELL_FROM = 0.8
LOOK_EVERY_S = 900


class HasQuota(Protocol):
    """A channel that can be asked."""

    async def quota(self) -> tuple[int | None, int]:
        """(limit or None, used) of this month. Raises SendError."""


async def watch(channel: HasQuota, database: Database, clock: Clock) -> None:
    """For ever: looks now and then."""
    while True:
        await look(channel, database, clock)
        await asyncio.sleep(LOOK_EVERY_S)


async def look(channel: HasQuota, database: Database, clock: Clock) -> None:
    """Asks once, and begins, renews or ends the notice."""
    try:
        limit, used = await channel.quota()
    except SendError as error:
        log.info("line.quota_unknown", why=error.sentence)
        return
    now = clock.now()
    await database.write(lambda session: _note(session, limit, used, now))


def _note(session: Session, limit: int | None, used: int, now: datetime) -> None:
    notice = session.scalars(select(Notice).where(Notice.kind == KIND, Notice.ended_at.is_(None))).first()
    if limit is None or used < limit * TELL_FROM:
        if notice:
            notice.ended_at = now  # a new month, or a bigger plan
        return
    if notice is None:
        notice = Notice(kind=KIND, at=now)
        session.add(notice)
    notice.sentence = (
        f"LINEで今月送れる{limit}通のうち、{used}通を使いました。"
        "使いきると、時間のたった返信が届かなくなります。LINEの契約を確かめてください。"
    )

"""Works the inbox off: finds conversations that wait, takes each for one turn, several side by side."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import BindParameter, Integer, bindparam, func, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.record import LeaseLost
from bot.turn import Turns
from bot.work import Work
from handoff import case as cases
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database, unavailable
from storage.logs import where
from storage.models import Base, Case, Conversation, Message, new_id
from storage.pump import Pump
from storage.settings import Settings

log = structlog.get_logger()

#: More at once would only wait for Rasa, which works one turn after the other.
SIDE_BY_SIDE = 24
#: Above what a turn takes with a silent Rasa; after a crash a conversation waits at most this long.
LEASE = timedelta(seconds=8)
#: A turn shorter than this shows no typing: the answer is there first.
TYPING_AFTER_S = 0.25

Typing = Callable[[Conversation], Awaitable[None]]


class Worker:
    """Runs until cancelled. Several, in several processes, share one database without doing anything twice."""

    def __init__(
        self, database: Database, bells: Bells, clock: Clock, settings: Settings, turns: Turns, typing: Typing
    ) -> None:
        self._database, self._bells, self._clock, self._turns, self._typing = database, bells, clock, turns, typing
        self._lease = LEASE + timedelta(seconds=settings.rasa_timeout_s)
        self._pump = Pump(database, bells, bell.INBOX, SIDE_BY_SIDE, self._claim, self._turn)
        self.run, self.finish = self._pump.run, self._pump.finish

    def _claim(self, session: Session, most: int) -> list[Work]:
        now = self._clock.now()
        return claim_work(session, now, now + self._lease, most)

    async def _turn(self, work: Work) -> None:
        typing = asyncio.create_task(self._show_typing(work))
        try:
            await self._turns.take(work)
        except LeaseLost:
            log.info("turn.taken_over", conversation=work.conversation.id)
        except DBAPIError as error:
            log.warning("turn.not_recorded", conversation=work.conversation.id, error=where(error))
            # A database that is full or locked is no fault of this turn, and is not counted as one.
            await self._put_off(work, work.conversation.failures + (not unavailable(error)))
        except Exception as error:  # noqa: BLE001 - the one place: a turn that raises must not stop the others
            log.error("turn.failed", conversation=work.conversation.id, error=where(error))
            await self._put_off(work, work.conversation.failures + 1)
        finally:
            typing.cancel()
        self._bells.ring(bell.QUEUE, bell.talk(work.conversation.id))

    async def _show_typing(self, work: Work) -> None:
        await asyncio.sleep(TYPING_AFTER_S)
        if work.written and not work.held:
            await self._typing(work.conversation)

    async def _put_off(self, work: Work, failures: int) -> None:
        """Pushes a conversation whose turn raised into the future, so that it cannot block or spin."""
        until = self._clock.now() + timedelta(seconds=min(2**failures, 60))
        with contextlib.suppress(DBAPIError):  # then its lease runs out by itself
            await self._database.write(
                lambda session: session.execute(
                    update(Conversation)
                    .where(Conversation.id == work.conversation.id, Conversation.lease_owner == work.owner)
                    .values(lease_owner=None, lease_until=None, not_before=until, failures=failures)
                )
            )


def claim_work(session: Session, now: datetime, until: datetime, most: int) -> list[Work]:
    """Takes up to `most` conversations that have something waiting, oldest first, each for its own lease."""
    connection = session.connection()
    ids = list(connection.execute(OLDEST, {"now": now, "most": most}).scalars())
    if not ids:
        return []
    # Two processes may have seen the same rows: who locks a conversation first has it, the other passes it by.
    found = session.scalars(FREE_ONES, {"ids": ids, "now": now}).all()
    waiting, open_cases = _waiting(session, ids), cases.open_cases(session, ids)
    # Where nothing waits any more, another process did the turn between our two looks.
    taken = [conversation for conversation in found if waiting[conversation.id]]
    owner = new_id()
    connection.execute(LEASE_THEM, {"ids": [one.id for one in taken], "owner": owner, "until": until})
    return [Work(owner, one, tuple(waiting[one.id]), open_cases.get(one.id)) for one in taken]


def _waiting(session: Session, conversation_ids: list[str]) -> defaultdict[str, list[Message]]:
    waiting: defaultdict[str, list[Message]] = defaultdict(list)
    for message in session.scalars(UNHANDLED, {"ids": conversation_ids}):
        waiting[message.conversation_id].append(message)
    return waiting


# Put together once: that costs more than running them does.
_FREE = or_(Conversation.lease_until.is_(None), Conversation.lease_until < bindparam("now"))
_RIPE = or_(Conversation.not_before.is_(None), Conversation.not_before <= bindparam("now"))
_THESE: BindParameter[str] = bindparam("ids", expanding=True)
OLDEST = (
    select(Message.conversation_id)
    .join(Conversation, Conversation.id == Message.conversation_id)
    .where(Message.handled_at.is_(None), _FREE, _RIPE)
    .group_by(Message.conversation_id)
    .order_by(func.min(Message.id))
    .limit(bindparam("most", type_=Integer))
)
FREE_ONES = select(Conversation).where(Conversation.id.in_(_THESE), _FREE).with_for_update(skip_locked=True)
#: As the resident wrote them: LINE may deliver late and out of order.
UNHANDLED = (
    select(Message)
    .where(Message.conversation_id.in_(_THESE), Message.handled_at.is_(None))
    .order_by(Message.written_at, Message.id)
)
LEASE_THEM = (
    Base.metadata.tables["conversations"]
    .update()
    .where(Conversation.id.in_(_THESE))
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"))
)


def let_wait(session: Session, now: datetime, silence: timedelta) -> int:
    """Puts the cases of those who fell silent among the waiting; how many there were."""
    silent = session.scalars(
        select(Case).where(
            Case.waiting_since.is_(None), Case.closed_at.is_(None), Case.claimed_by.is_(None),
            Case.following_since.is_(None), Case.last_message_at < now - silence,
        )
    ).all()  # fmt: skip
    for case in silent:
        cases.wait_for_person(session, case, now, "silence")
    return len(silent)

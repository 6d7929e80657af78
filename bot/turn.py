"""One turn: what a resident wrote becomes understanding, an answer, and a case in the queue. Read this first.

Think, then record: the slow part (understanding, Rasa) holds no transaction; then one short commit writes turn,
messages, assessment, case and outbox together (bot/record.py). If the process dies before it, the turn is done
again, and nothing has been sent.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import compose, reception
from bot.dialogue import Answer, Rasa, RasaUnusable
from bot.record import record
from bot.talk import Talk
from bot.understanding import Assessment, Reading, Understander
from bot.words import words
from bot.work import Thought, Work
from storage.clock import Clock
from storage.database import Database
from storage.models import Conversation, Message
from storage.settings import Settings

log = structlog.get_logger()

MOST_FAILURES = 3


class Outgoing(Protocol):
    """What a turn needs of the outbox: to take the answer in the turn's own transaction, and to send it after."""

    def take_of(self, session: Session, conversation: Conversation) -> list[Any]:
        """Takes what is due in this conversation."""

    def start(self, taken: Collection[Any]) -> None:
        """Sends what was taken, and looks for what could not be."""


class Turns:
    """Does turns: one of it serves the whole process."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        reader: Understander,
        rasa: Rasa,
        outgoing: Outgoing,
    ) -> None:
        self._database, self._clock, self._settings, self._reader, self._rasa = database, clock, settings, reader, rasa
        self._outgoing = outgoing

    async def take(self, work: Work) -> None:
        """Does one turn to its end. Raises LeaseLost when another process does it."""
        thought = await self._think(work)
        self._outgoing.start(await self._database.write(lambda session: self._record(session, work, thought)))

    def _record(self, session: Session, work: Work, thought: Thought) -> list[Any]:
        with session.no_autoflush:  # each row is written once, at the end, and not anew before every look
            record(session, work, thought, self._clock.now(), self._settings)
        session.flush()
        return self._outgoing.take_of(session, work.conversation)

    async def _think(self, work: Work) -> Thought:
        began_at = self._clock.now()
        talk = _talk(work)
        before = await self._before(work)
        reading = await self._read(work, before)
        assessment = before.take_in(reading)
        if work.held or not work.written:
            return Thought(began_at, talk, reading, assessment, None, "nobody")
        answer, voice = await self._say(work, talk, reading, assessment)
        assessment = talk.file(work.text, work.attachment, reading, assessment, answer.does)
        return Thought(began_at, talk, reading, assessment, answer, voice)

    async def _before(self, work: Work) -> Assessment:
        """What was understood before this turn; read anew from what remains when words were taken back."""
        if work.case is None:
            return Assessment()
        if all(message.kind != "unsend" for message in work.waiting) or _beyond_us(work):
            return Assessment.from_json(work.case.assessment)
        assessment = Assessment()
        for text in await self._database.read(lambda session: _remaining_words(session, work)):
            assessment = assessment.take_in(await asyncio.to_thread(self._reader.read, text, assessment))
        return assessment

    async def _read(self, work: Work, before: Assessment) -> Reading:
        if _beyond_us(work):
            return Reading()
        return await asyncio.to_thread(self._reader.read, work.text, before)

    async def _say(self, work: Work, talk: Talk, reading: Reading, assessment: Assessment) -> tuple[Answer, str]:
        own = words(work.conversation.language)
        if work.only_came:
            return compose.greeting(own), "reception"
        if _beyond_us(work):
            return reception.speak(own, talk.turns, reading, work.attachment), "reception"
        try:
            metadata = talk.metadata(reading, assessment, work.attachment)
            return await self._rasa.say(f"{work.conversation.id}.{talk.tracker}", work.text, metadata), "rasa"
        except RasaUnusable as error:
            log.warning("turn.reception_speaks", conversation=work.conversation.id, why=str(error))
            return reception.speak(own, talk.turns, reading, work.attachment), "reception"


def _beyond_us(work: Work) -> bool:
    """Whether this turn has raised again and again: then nothing clever is tried, and a person reads the words."""
    return work.conversation.failures >= MOST_FAILURES


def _talk(work: Work) -> Talk:
    talk = Talk.from_json(work.conversation.talk)
    # After a closed case the resident begins anew; only the count goes on, since Rasa's trackers are named by it.
    return talk if work.case else replace(Talk(), turns=talk.turns)


def _remaining_words(session: Session, work: Work) -> list[str]:
    """What the resident wrote in this case before this turn and did not take back, in order."""
    assert work.case
    written = select(Message.text).where(
        Message.case_id == work.case.id, Message.sender == "resident", Message.unsent_at.is_(None), Message.text != ""
    )
    return list(session.scalars(written.order_by(Message.id)))

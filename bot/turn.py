"""One turn: what a resident wrote becomes understanding, an answer, and a case in the queue. Read this first.

Think, then record: the slow part (understanding, Rasa) holds no transaction; then one short commit writes turn,
messages, assessment, case and outbox together (bot/record.py). If the process dies before it, the turn is done
again, and nothing has been sent.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from bot import answers, compose, desks, door, offers, other_languages, reception
from bot.desks import Asked
from bot.dialogue import Answer, Line, Rasa, RasaUnusable
from bot.language import spoken
from bot.offers import Offer
from bot.other_languages import Heard
from bot.record import record, said_words, written_words
from bot.stopping import means_stop, says_only_that
from bot.talk import Talk
from bot.understanding import Assessment, Reading, Understander
from bot.words import JAPANESE, Words, words
from bot.work import Thought, Work
from handoff import check_ins
from handoff.case import ended_lately
from handoff.support_words import check_in_words
from knowledge_base.live import Published
from storage.clock import Clock
from storage.database import Database
from storage.models import Case, Conversation
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
        published: Callable[[], Published],
    ) -> None:
        self._published = published
        self._database, self._clock, self._settings, self._reader, self._rasa = database, clock, settings, reader, rasa
        self._outgoing = outgoing

    async def take(self, work: Work) -> None:
        """Does one turn to its end. Raises LeaseLost when another process does it."""
        work = await self._with_ended(work)
        thought = await self._think(work)
        self._outgoing.start(await self._database.write(lambda session: self._record(session, work, thought)))

    def _record(self, session: Session, work: Work, thought: Thought) -> list[Any]:
        with session.no_autoflush:  # each row is written once, at the end, and not anew before every look
            record(session, work, thought, self._clock.now(), self._settings)
        session.flush()
        return self._outgoing.take_of(session, work.conversation)

    async def _with_ended(self, work: Work) -> Work:
        """Where these words open a case again that ended lately, the talk goes on from where it stood."""
        if work.case or not work.opens_case:
            return work
        since = self._clock.now() - timedelta(days=self._settings.reopen_days)
        ended = await self._database.read(lambda session: ended_lately(session, work.conversation.id, since))
        return replace(work, reopens=ended)

    async def _think(self, work: Work) -> Thought:
        began_at = self._clock.now()
        talk, language = _talk(work), _language(work)
        at_door = door.only_knocked(work, self._settings)
        if at_door:
            talk = replace(talk, open_topic=None)
        before = await self._before(work, language)
        reading = await self._read(work.text, before, language, beyond_us=_beyond_us(work))
        heard = other_languages.hear(work.text, words(language), talk.open_topic)
        asked = await self._asked(work, talk, before, reading, heard, language)
        reading = answers.of_now(desks.without_wish(reading, asked))
        reading = replace(reading, echo=answers.to_take_up(reading.echo, work.text))
        assessment, answer, voice = before.take_in(reading), None, "nobody"
        stops = await self._stops(work, language)
        if work.written and not work.held:
            if stops and says_only_that(work.text) and not reading.urgency.at_least("watch"):
                answer, voice = Answer(()), "words"
            elif at_door:
                answer, voice = door.on_the_page(work, talk, reading, words(language)), "door"
            else:
                answer, voice = await self._say(work, words(language), talk, heard, asked, reading, assessment)
        if answer:
            abroad = heard.answers and not asked.plainly
            answered = False if work.only_chose else None if words(language).talk is None else abroad
            assessment = talk.file(work.text, work.attachment, reading, assessment, answer.does, answered)
            if stops:
                answer = replace(answer, lines=(Line(check_in_words(language).stopped), *answer.lines))
        offered = self._offers(work, talk, assessment, answer)
        return Thought(began_at, talk, reading, assessment, answer, voice, language, stops, asked, offered)

    async def _asked(
        self, work: Work, talk: Talk, before: Assessment, reading: Reading, heard: Heard, language: str
    ) -> Asked:
        """The desk that is asked for, as far as the words show it."""
        if _beyond_us(work) or work.attachment != "none":
            return desks.NOT_ASKED
        return await asyncio.to_thread(
            desks.look,
            self._published(),
            work.text,
            reading,
            before,
            self._clock.now(),
            expected=talk.which_desk,
            heard=heard.means == "desk",
            own=words(language),
        )

    def _offers(self, work: Work, talk: Talk, assessment: Assessment, answer: Answer | None) -> tuple[Offer, ...]:
        """What is named at the end of the talk."""
        if answer is None or "offer_services" not in answer.does:
            return ()
        case = work.case or work.reopens
        if case and (case.person_wanted_at or case.share is False):
            return ()
        return offers.choose(self._published(), talk, assessment, self._clock.now())

    async def _stops(self, work: Work, language: str) -> bool:
        """Whether the resident wants no more check-in messages. The word means that only to who was sent one."""
        if not any(means_stop(message.text, language) for message in work.written):
            return False
        return await self._database.read(lambda session: check_ins.any_for(session, work.conversation.id))

    async def _before(self, work: Work, language: str) -> Assessment:
        """What was understood before this turn; read anew from what remains when words were taken back."""
        case = work.case or work.reopens
        if case is None:
            return Assessment()
        if all(message.kind != "unsend" for message in work.waiting) or _beyond_us(work):
            return Assessment.from_json(case.assessment)
        assessment = Assessment()
        for text in await self._database.read(lambda session: written_words(session, case)):
            assessment = assessment.take_in(await self._read(text, assessment, language))
        return assessment

    async def _read(self, text: str, before: Assessment, language: str, *, beyond_us: bool = False) -> Reading:
        if beyond_us:
            return Reading()
        if not language.startswith(JAPANESE):
            return await asyncio.to_thread(other_languages.read, text, before)
        if answers.says_nothing_new(text):
            return Reading(household=before.household, said=before.said)
        return await asyncio.to_thread(self._reader.read, text, before)

    async def _say(
        self, work: Work, own: Words, talk: Talk, heard: Heard, asked: Asked, reading: Reading, assessment: Assessment
    ) -> tuple[Answer, str]:
        if work.only_came:
            return compose.greeting(own), "reception"
        if _beyond_us(work):
            return reception.speak(own, talk.turns, reading, work.attachment, asked), "reception"
        if work.only_chose:
            return other_languages.greeting(own), "words"
        if own.talk:
            waits = bool(work.case and work.case.person_wanted_at)
            said = await self._said(work.case)
            answer = other_languages.speak(own, talk, heard, asked, reading, assessment, work.attachment, waits, said)
            return answer, "words"
        try:
            metadata = talk.metadata(work.text, reading, assessment, work.attachment, asked)
            return await self._rasa.say(f"{work.conversation.id}.{talk.tracker}", work.text, metadata), "rasa"
        except RasaUnusable as error:
            log.warning("turn.reception_speaks", conversation=work.conversation.id, why=str(error))
            return reception.speak(own, talk.turns, reading, work.attachment, asked), "reception"

    async def _said(self, case: Case | None) -> list[str]:
        return [] if case is None else await self._database.read(lambda session: said_words(session, case))


def _beyond_us(work: Work) -> bool:
    """Whether this turn has raised again and again: then nothing clever is tried, and a person reads the words."""
    return work.conversation.failures >= MOST_FAILURES


def _language(work: Work) -> str:
    """What was settled before stays, unless the newest words are surely of another language."""
    before = work.conversation.language
    return spoken(work.text, before, settled=work.case is not None or before != JAPANESE)


def _talk(work: Work) -> Talk:
    talk = Talk.from_json(work.conversation.talk)
    return talk if work.case or work.reopens else talk.anew()

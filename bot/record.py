"""Records a turn: everything that came of it, in one transaction."""

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot import compose, door
from bot.dialogue import Line
from bot.language import chosen
from bot.talk import Talk
from bot.words import JAPANESE, words
from bot.work import Thought, Work
from handoff import case as cases
from handoff import check_ins, corrections, finding, summary, waiting
from storage.database import add_row
from storage.models import Base, Case, Conversation, Message, Turn
from storage.settings import Settings

#: LINE's reply token is good for a minute; some of that must be left to use it.
REPLY_TOKEN_LIFE = timedelta(seconds=50)


# Put together once: that costs more than running them does.
UNSENT = select(Message.id).where(
    Message.conversation_id == bindparam("of"), Message.kind == "unsend", Message.handled_at.is_(None)
)
CLOSE = (
    Base.metadata.tables["messages"]
    .update()
    .where(Message.id.in_(bindparam("ids", expanding=True)))
    .values(handled_at=bindparam("now"), turn_id=bindparam("turn"), case_id=bindparam("case"))
)


class LeaseLost(Exception):
    """Another process has taken this conversation over; it does the turn."""


def record(session: Session, work: Work, thought: Thought, now: datetime, settings: Settings) -> None:
    """Writes turn, messages, case and outbox, and gives the lease back. Raises LeaseLost."""
    conversation = _give_lease_back(session, work)
    if _taken_back_meanwhile(session, work):
        return  # what was thought rests on words that are gone; the conversation is free, and the turn is done anew
    news = conversation.notice_at is None or conversation.language != thought.language
    conversation.language = thought.language
    turn = add_row(
        session, Turn, conversation_id=conversation.id, began_at=thought.began_at, recorded_at=now, voice=thought.voice
    )
    case = _case(session, work, conversation, now, settings)
    _close_messages(session, work, turn, case, now)
    if case:
        _assess(session, case, work, thought, now)
        _act(session, case, work, thought, now)
    # A person may have taken the case while we were thinking: then what was thought of is not said.
    if thought.answer and not (case and case.claimed_by):
        conversation.talk = _talk_after(thought).to_json()
        _answer(session, work, conversation, case, turn, thought, now, settings, news)
    elif case and thought.stops:
        # The machine is silent, but who stops its messages hears at once that they are stopped: a note, and no voice.
        cases.say(session, conversation, cases.BOT, check_ins.stopped(case), now, case=case, voice=cases.NOTE)
    if door.knocked(work, settings):
        _show_the_way(session, work, conversation, case, turn, thought, now, settings)


def _give_lease_back(session: Session, work: Work) -> Conversation:
    conversation = session.get_one(Conversation, work.conversation.id, with_for_update=True)
    if conversation.lease_owner != work.owner:
        raise LeaseLost(conversation.id)
    conversation.lease_owner = conversation.lease_until = conversation.not_before = None
    conversation.failures = 0
    return conversation


def _taken_back_meanwhile(session: Session, work: Work) -> bool:
    # Nearly always there is none; and those that the turn has seen were thought of.
    unsent = session.connection().execute(UNSENT, {"of": work.conversation.id}).scalars().all()
    return not {message.id for message in work.waiting}.issuperset(unsent)


def _case(session: Session, work: Work, conversation: Conversation, now: datetime, settings: Settings) -> Case | None:
    case = cases.open_case(session, conversation.id, to_change=True)
    if case or not work.opens_case:
        return case
    # Whatever a resident writes opens a case: nobody who came falls out of the queue.
    lately = timedelta(days=settings.reopen_days)
    return cases.reopen(session, conversation, now, lately) or cases.begin_case(session, conversation, now)


def _close_messages(session: Session, work: Work, turn: int, case: Case | None, now: datetime) -> None:
    session.connection().execute(
        CLOSE,
        {
            "ids": [message.id for message in work.waiting],
            "now": now,
            "turn": turn,
            "case": case.id if case else None,
        },
    )
    if case:
        finding.add_words(session, case.id, work.waiting)


def _assess(session: Session, case: Case, work: Work, thought: Thought, now: datetime) -> None:
    assessment = thought.assessment
    case.language = thought.language
    case.assessment = assessment.to_json()
    corrections.reckon(case, asdict(thought.reading.urgency))  # what staff corrected stands, new danger too
    if work.written:
        case.last_message_at = now
    written = _unread_words(session, case)
    case.complaint = summary.complaint(case.assessment) or summary.shorten(written, summary.LONGEST_COMPLAINT)
    case.summary = summary.summarise(corrections.of(case), case.complaint, language=case.language, written=written)


def _unread_words(session: Session, case: Case) -> str:
    """In a language that is not understood, everything that was written: the counselor gets it in full."""
    if case.language.startswith(JAPANESE):
        return ""
    own = words(case.language).talk
    buttons = {*own.buttons.values()} if own else set()
    return "\n".join(text for text in written_words(session, case) if text not in buttons and not chosen(text))


def written_words(session: Session, case: Case) -> list[str]:
    """What the resident wrote in this case and did not take back, in order; what waits for a turn is not among it."""
    written = select(Message.text).where(
        Message.case_id == case.id, Message.sender == "resident", Message.unsent_at.is_(None), Message.text != ""
    )
    return list(session.scalars(written.order_by(Message.id)))


def said_words(session: Session, case: Case) -> list[str]:
    """What the machine said in this case, in order."""
    said = select(Message.text).where(Message.case_id == case.id, Message.sender == cases.BOT, Message.kind == "text")
    return list(session.scalars(said.order_by(Message.id)))


def _act(session: Session, case: Case, work: Work, thought: Thought, now: datetime) -> None:
    """What the turn means for the queue: who is in danger, or wants a person, waits for one from now on."""
    if thought.stops:
        check_ins.stop(session, case, now)
    if work.written:
        cases.written_again(session, case, now)
    if thought.reading.urgency.at_least("urgent"):
        cases.wait_for_person(session, case, now, "danger")
    does = thought.answer.does if thought.answer else frozenset()
    if "offer_person" in does:
        case.person_wanted_at = case.person_wanted_at or now
        # Who left out two questions asked for nobody: the counselor must not read that they did.
        cases.wait_for_person(session, case, now, "person_offered" if "skip" in does else "person_wanted")
    if "finish" in does:
        cases.wait_for_person(session, case, now, "finished")
    if "delete_request" in does:
        case.delete_wanted_at = case.delete_wanted_at or now
        cases.wait_for_person(session, case, now, "delete_wanted")
    if "lacks_desk" in does:
        cases.note(session, case, "desk_lacking", now)
    if "correct" in does:
        cases.note(session, case, "corrected", now)
    if thought.answer and thought.answer.share is not None:
        case.share, case.share_at = thought.answer.share, now


def _talk_after(thought: Thought) -> Talk:
    assert thought.answer
    answer, named = thought.answer, bool(thought.offers)
    return thought.talk.after(answer.asks, answer.does, thought.reading, thought.assessment, named)


def _answer(
    session: Session,
    work: Work,
    conversation: Conversation,
    case: Case | None,
    turn: int,
    thought: Thought,
    now: datetime,
    settings: Settings,
    notice: bool,
) -> None:
    at_door = door.stands_before(conversation, settings)
    if not at_door and not _can_be_reached(work, conversation):
        return
    own = words(conversation.language)
    about = _likely_reading(session, thought, now, settings)
    said = compose.messages(thought, own, first=notice, now=now, settings=settings, about=about)
    conversation.notice_at = conversation.notice_at or now
    # Where LINE is only a door the talk stays on the page, which asks for it.
    delivery = None if at_door else _delivery(session, work, conversation, cases.BOT, now)
    _write(session, conversation, case, turn, said, "text", delivery, now)


def _likely_reading(session: Session, thought: Thought, now: datetime, settings: Settings) -> datetime | None:
    """Looked up only where it is said: at the end of a talk, and to who asks for it."""
    if not (thought.answer and compose.TELL_WHEN & thought.answer.does):
        return None
    hours = waiting.Hours.read(settings.staff_from, settings.staff_until)
    return waiting.likely_reading(session, now, hours, urgent=thought.assessment.urgency.at_least("urgent"))


def _show_the_way(
    session: Session,
    work: Work,
    conversation: Conversation,
    case: Case | None,
    turn: int,
    thought: Thought,
    now: datetime,
    settings: Settings,
) -> None:
    """The door's own answer on LINE. Also while a person holds the talk: it is a sign at the door, and no voice."""
    if not _can_be_reached(work, conversation):
        return
    said = door.on_line(session, work, thought, words(conversation.language), now, settings)
    cases.stop_knocking(session, conversation, now)  # what we say now tells of it, and brings a link
    delivery = _delivery(session, work, conversation, cases.DOOR, now)
    _write(session, conversation, case, turn, said, door.KIND, delivery, now)


def _can_be_reached(work: Work, conversation: Conversation) -> bool:
    """Whether the channel delivers to whoever wrote through it, whatever became of the event that said so."""
    there = [message.written_at for message in work.written if message.channel == conversation.channel]
    if conversation.blocked_at and all(written_at <= conversation.blocked_at for written_at in there):
        return False
    conversation.blocked_at = None
    return True


def _delivery(session: Session, work: Work, conversation: Conversation, voice: str, now: datetime) -> int | None:
    token = next((message for message in reversed(work.waiting) if message.reply_token), None)
    return cases.new_delivery(
        session, conversation, voice, now,
        reply_token=token.reply_token if token else None,
        # By when it was written: the token of a webhook that came late is already too old.
        reply_until=token.written_at + REPLY_TOKEN_LIFE if token else None,
    )  # fmt: skip


def _write(
    session: Session,
    conversation: Conversation,
    case: Case | None,
    turn: int,
    said: list[Line],
    kind: str,
    delivery: int | None,
    now: datetime,
) -> None:
    for line in said:
        add_row(
            session, Message, conversation_id=conversation.id, case_id=case.id if case else None, sender=cases.BOT,
            kind=kind, text=line.text, choices=list(line.choices), channel=conversation.channel, written_at=now,
            received_at=now, handled_at=now, turn_id=turn, delivery_id=delivery,
        )  # fmt: skip

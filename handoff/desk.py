"""What staff do with a case, as the resident notices it: the verbs of handoff/case.py, with what the resident is told.

Every verb wants the case read with `access.case_of(…, to_change=True)`.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from handoff import case as cases
from handoff.access import is_system
from handoff.words import to_resident
from storage.models import Case, Conversation, Message, Staff

#: What LINE takes in one message, in UTF-16 units; the same everywhere, so that nobody has to know the channel.
LONGEST_ANSWER = 5_000
LONGEST_OUTCOME = 500


class Wrong(Exception):
    """What was entered cannot be used; the message is a sentence for the person who entered it."""


class TooLong(Wrong):
    """What was entered is longer than can be sent."""


def take(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """Claims the case, and tells the resident that a person speaks from now on. Raises HeldByAnother, LookupError."""
    mine = case.claimed_by == staff.id
    cases.claim(session, case.id, staff, now)
    if not mine:
        _tell(session, case, _taken_over(staff, case.language), staff, now)


def release(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """Puts the case back into the queue. The resident is told nothing: the next counselor says who speaks."""
    cases.release(session, case, staff, now)


def hand_back(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """Gives the talk back to the machine, and tells the resident."""
    cases.hand_back(session, case, staff, now)
    _tell(session, case, to_resident("handed_back", case.language), None, now)


def answer(session: Session, case: Case, staff: Staff, text: str, now: datetime) -> Message:
    """A counselor's words to the resident. Raises HeldByAnother, Wrong."""
    if not text.strip():
        raise Wrong("お返事の文を書いてください。")
    if utf16_units(text) > LONGEST_ANSWER:
        raise TooLong("一度に送れるのは5,000文字までです。分けて送ってください。")
    if case.closed_at:
        raise Wrong("この相談は終わっています。")
    return cases.answer(session, case, staff, text, now)


def close(session: Session, case: Case, staff: Staff, outcome: str, now: datetime) -> None:
    """Ends the case with its outcome, and tells the resident that they can come back. Raises HeldByAnother, Wrong."""
    if not outcome.strip():
        raise Wrong("どのように終わったかを書いてください。")
    if len(outcome) > LONGEST_OUTCOME:
        raise TooLong("どのように終わったかは、500文字までで書いてください。")
    cases.close(session, case, staff, outcome, now)
    _tell(session, case, to_resident("closed", case.language), None, now)


def utf16_units(text: str) -> int:
    """The length as LINE counts it."""
    return len(text.encode("utf-16-le")) // 2


def _taken_over(staff: Staff, language: str) -> str:
    # A person is announced by name, never by an e-mail address; a staff system has no name to speak of.
    if is_system(staff) or not staff.name:
        return to_resident("taken_over_unnamed", language)
    return to_resident("taken_over", language).format(name=staff.name)


def _tell(session: Session, case: Case, text: str, staff: Staff | None, now: datetime) -> None:
    conversation = session.get_one(Conversation, case.conversation_id, with_for_update=True)
    # Not the bot's voice: what the bot says is withdrawn while a person holds the case. Nor a counselor's: it is no
    # answer, for which somebody would be called to the page.
    cases.say(session, conversation, cases.COUNSELOR, text, now, case=case, staff=staff, voice=cases.NOTE)

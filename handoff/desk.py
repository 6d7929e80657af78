"""What staff do with a case, as the resident notices it: the verbs of handoff/case.py, with what the resident is told.

Every verb wants the case read with `access.case_of(…, to_change=True)`.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from handoff import case as cases
from handoff import check_ins, drafts
from handoff.access import TOWN_HALL, is_system
from handoff.support_words import support_words
from handoff.tongue import say
from handoff.words import to_resident
from storage.models import Case, Conversation, Desk, Message, Staff
from storage.support import CaseNote

#: What LINE takes in one message, in UTF-16 units; the same everywhere, so that nobody has to know the channel.
LONGEST_ANSWER = 5_000
LONGEST_OUTCOME = 500
LONGEST_NOTE = 5_000
#: The outcome after which the resident is told nothing.
DIED = "died"


class Wrong(Exception):
    """What was entered cannot be used; the message is a sentence for the person who entered it."""


class TooLong(Wrong):
    """What was entered is longer than can be sent."""


class Stale(Exception):
    """The page is older than what has happened since; the message is a sentence."""


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


def transfer(session: Session, case: Case, staff: Staff, to: str, text: str, now: datetime) -> None:
    """Passes the case on to `staff-<id>` or `desk-<id>`, with a note that only staff read. The resident hears who
    speaks when the new one takes it. Raises HeldByAnother, Ended, Wrong."""
    receiver = _receiver(session, to)
    if isinstance(receiver, Staff) and receiver.id == staff.id:
        raise Wrong(say("自分に引き継ぐことはできません。"))
    if len(text) > LONGEST_NOTE:
        raise TooLong(say("引き継ぎのメモは、5,000文字までで書いてください。"))
    cases.transfer(session, case, staff, receiver, now)
    if text.strip():
        session.add(
            CaseNote(case_id=case.id, staff_id=staff.id, audience="staff", text=text, at=now, changed_at=now, version=1)
        )


def answer(session: Session, case: Case, staff: Staff, text: str, now: datetime, answers: int | None = None) -> Message:
    """A counselor's words to the resident. `answers`: how many there were when it was written.

    Raises HeldByAnother, Wrong; Stale when the page has not seen an answer that was sent since.
    """
    if not text.strip():
        raise Wrong(say("お返事の文を書いてください。"))
    if utf16_units(text) > LONGEST_ANSWER:
        raise TooLong(say("一度に送れるのは5,000文字までです。分けて送ってください。"))
    if case.closed_at:
        raise Wrong(say("この相談は終わっています。"))
    if case.claimed_by == staff.id and answers is not None and answers != drafts.answers(session, case.id):
        raise Stale(
            say(
                "この画面を開いたあとに、別の画面からお返事が送られています。お話を読んでから、もう一度送ってください。"
            )
        )
    message = cases.answer(session, case, staff, text, now)
    drafts.drop(session, case.id, staff.id)
    return message


def follow(session: Session, case: Case, staff: Staff, now: datetime) -> None:
    """Stays connected without a talk. The resident is told nothing: for them the talk is as open as ever."""
    cases.follow(session, case, staff, now)


def close(session: Session, case: Case, staff: Staff, outcome: str, now: datetime, kind: str | None = None) -> None:
    """Ends the case with its outcome, and tells the resident that they can come back. Raises HeldByAnother, Wrong.

    `kind` is one of support.yml's outcomes; None where a staff system, whose interface has no kinds, ends it.
    """
    if kind is not None and kind not in support_words().outcomes:
        raise Wrong(say("終わりかたの種類を選んでください。"))
    if not outcome.strip():
        raise Wrong(say("どのように終わったかを書いてください。"))
    if len(outcome) > LONGEST_OUTCOME:
        raise TooLong(say("どのように終わったかは、500文字までで書いてください。"))
    if not case.closed_at:
        cases.only_who_carries(session, case, staff)
    cases.close(session, case, staff, outcome, now, kind)
    check_ins.cancel(session, case, now, "相談が終わったため、送りませんでした。")
    if kind == DIED:
        return  # nobody is left to be told that they can come back
    _tell(session, case, to_resident("closed", case.language), None, now)


def utf16_units(text: str) -> int:
    """The length as LINE counts it."""
    return len(text.encode("utf-16-le")) // 2


def _receiver(session: Session, to: str) -> Staff | Desk:
    kind, _, number = to.partition("-")
    id_ = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    if kind == "staff":
        staff = session.get(Staff, id_)
        if staff and staff.disabled_at is None and staff.role in TOWN_HALL and not is_system(staff):
            return staff
    if kind == "desk":
        desk = session.get(Desk, id_)
        if desk and desk.retired_at is None:
            return desk
    raise Wrong(say("引き継ぐ相手を選んでください。"))


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

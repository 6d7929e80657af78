"""LINE as a door (UKETOME_LINE_MODE=door): what LINE is told in the talk's stead, and what the page says meanwhile.

Words that come over LINE all the same are not refused and not lost: they stand in the talk on the town's own server,
are screened for danger and read by a counselor like any others, and wait on the page for whoever opens it. Back to
LINE goes nothing of them: the notice, how many wait, helplines in danger, and the way to the page.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from bot import compose
from bot.dialogue import Answer, Line
from bot.talk import Talk
from bot.understanding import Reading
from bot.words import Words
from bot.work import Thought, Work
from handoff import queue
from storage.models import Conversation, Message
from storage.settings import Settings

#: The kind of a message that LINE gets and the page does not show.
KIND = "door"
#: After this long the notice is shown in full again.
NOTICE_HOLDS = timedelta(hours=24)

LAST = select(func.max(Message.written_at)).where(
    Message.conversation_id == bindparam("of"), Message.kind == KIND, Message.sender == "bot"
)


def stands_before(conversation: Conversation, settings: Settings) -> bool:
    """Whether this talk is held on the page, with LINE only leading there."""
    return settings.line_is_door and conversation.channel == "line"


def knocked(work: Work, settings: Settings) -> bool:
    """Whether something of this turn came over LINE, and wants the way to the page."""
    return stands_before(work.conversation, settings) and any(message.channel == "line" for message in work.written)


def only_knocked(work: Work, settings: Settings) -> bool:
    """Whether all of this turn came over LINE: nothing in it answers what the page asked, since nobody saw it there."""
    return knocked(work, settings) and all(message.channel == "line" for message in work.written)


def on_the_page(work: Work, talk: Talk, reading: Reading, own: Words) -> Answer | None:
    """What stands on the page under words that came over LINE; None where there is nothing to say.

    It asks nothing: a question would wait for an answer from somebody who has not seen it.
    """
    if work.only_came:
        return compose.greeting(own) if work.conversation.notice_at is None else None
    reception = own.reception
    if reading.urgency.at_least("urgent"):
        wordings = reception.danger
        lines = [Line(do="show_hotlines"), Line(reception.person)]
    else:
        wordings = reception.took_up if reading.echo else reception.thanks
        lines = [Line(own.door["go_on"])]
    lines.insert(0, Line(wordings[talk.turns % len(wordings)]))
    return Answer(tuple(lines), does=frozenset(line.do for line in lines if line.do))


def on_line(
    session: Session, work: Work, thought: Thought, own: Words, now: datetime, settings: Settings
) -> list[Line]:
    """What LINE is told: helplines in danger, the notice unless it stands just above, and last the way to the page.

    The last line's choices are its buttons, to open the page and to ask for a new link; connectors add the address.
    """
    lines = list(_danger(thought, own, now, settings))
    if _notice_is_due(session, work, now):
        lines.append(Line(own.door["notice"].format(town=settings.town)))
    lines.append(Line("\n".join(_the_way(session, work, thought, own)), (own.door["open"], own.door["renew"])))
    return lines


def _danger(thought: Thought, own: Words, now: datetime, settings: Settings) -> Iterator[Line]:
    if not _in_danger(thought):
        return
    yield Line(own.reception.danger[0])
    # Shown again whenever danger is told here: that the page has shown them says nothing about who reads LINE.
    anew = replace(thought, talk=replace(thought.talk, told_lines=()), answer=Answer((Line(do="show_hotlines"),)))
    yield from compose.own_lines(anew, own, now, settings)


def _in_danger(thought: Thought) -> bool:
    return thought.reading.urgency.at_least("urgent")


def _notice_is_due(session: Session, work: Work, now: datetime) -> bool:
    if any(message.kind == "follow" for message in work.written):
        return True
    last = session.scalar(LAST, {"of": work.conversation.id})
    return last is None or last < now - NOTICE_HOLDS


def _the_way(session: Session, work: Work, thought: Thought, own: Words) -> Iterator[str]:
    if not work.only_came:
        yield own.door["received"]
    if work.conversation.knocked_at:
        yield own.door["answered"]
    elif not work.held and not _in_danger(thought):  # whom a person has, or who comes first, stands in no line
        yield _how_many(queue.others_waiting(session, work.conversation.id), own)
    yield own.door["once"]


def _how_many(others: int, own: Words) -> str:
    if others == 0:
        return own.door["nobody_waits"]
    return own.door["others_wait" if others < queue.COUNTED else "many_wait"].format(count=others)

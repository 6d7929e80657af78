"""Leads the talk in every language but Japanese, where Rasa does: one open question a turn, and none that is hard.

What somebody writes in these languages is not understood, and nobody pretends that it is: their words are taken up as
they stand, kept under the question they answer, and handed on in full. Only danger is looked for, a question left out,
and the wish to speak with a person. In easy Japanese the understanding reads as ever.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.compose import ECHO
from bot.desks import Asked
from bot.dialogue import Answer, Line
from bot.language import bare
from bot.talk import MOST_SKIPS, Talk, danger_group
from bot.understanding import Assessment, Reading
from bot.understanding.crisis import screen_text
from bot.words import Talk as TalkWords
from bot.words import Words, words

LONGEST_WISH = 60
ECHO_SHORTEST, ECHO_LONGEST = 6, 60
QUESTION_MARKS = ("?", "？")
#: What everybody who lives in Japan may say in Japanese, in the middle of a talk in another language.
ALSO_IN_JAPANESE = ("skip", "person")
SENTENCE_ENDS = re.compile(r"(?<=[.!?。？！।])\s*")
#: 「はい」 and “All right.”: a nod may come again. With its full stop.
LONGEST_NOD = 11
#: Buttons that mean something only under their own question.
BUTTONS_OF = {"contact": ("here", "phone"), "share": ("yes", "no", "later")}


@dataclass(frozen=True)
class Heard:
    """What a message means for the talk: `means` is the name of a button, or done, hello, told."""

    means: str = "told"
    asks_us: bool = False

    @property
    def answers(self) -> bool:
        """Whether the words may be the answer to our last question."""
        return self.means in ("told", "here", "phone") and not self.asks_us


def hear(text: str, own: Words, open_topic: str | None) -> Heard:
    """What the talk depends on. In Japanese nothing is heard here: there Rasa does."""
    if own.talk is None:
        return Heard()
    return Heard(_meaning(bare(text), own.talk, open_topic), text.strip().endswith(QUESTION_MARKS))


def read(text: str, before: Assessment) -> Reading:
    """What can be read without knowing the language: danger, that something was told, and what to take up of it."""
    return Reading(urgency=screen_text(text), household=before.household, echo=_echo(text), tells=len(text.strip()) > 1)


def greeting(own: Words) -> Answer:
    """The first words in a language that was just chosen by its name."""
    return Answer((Line(own.chosen), Line(own.opening)))


def speak(
    own: Words,
    talk: Talk,
    heard: Heard,
    asked: Asked,
    reading: Reading,
    assessment: Assessment,
    attachment: str,
    waits: bool,
    said: Sequence[str],
) -> Answer:
    """What to say. `asked`: the desk that was asked for. `waits`: a person was asked for already; then nothing more is
    asked. `said`: all that we said in this case, oldest first, so that nothing is said twice."""
    assert own.talk
    if reading.urgency.at_least("urgent"):
        return _in_danger(own, own.talk, reading, heard, said)
    if heard.means == "person":
        return _answer(Line(_fresh(own.talk.person, said)), Line(do="offer_person"))
    if heard.means == "skip" and talk.open_topic:
        return _skipped(own.talk, talk, assessment, said)
    if asked.plainly:
        return _desk(own.talk, talk, asked, said)
    if waits or talk.stage == "done":
        return _answer(Line(_added(own, own.talk, heard, attachment, said)))
    if heard.means in ("hello", "done") and talk.stage == "opening":
        return _answer(Line(own.opening))
    if heard.means == "done":
        return _end(own.talk)
    first = Line(_taken_up(own, own.talk, heard, reading, assessment, attachment, said))
    if talk.stage == "opening" and not reading.tells:
        return _answer(first, Line(own.reception.invite))
    return _go_on(own.talk, first, talk.next_topic(assessment), {"yes": True, "no": False}.get(heard.means))


def _in_danger(own: Words, words: TalkWords, reading: Reading, heard: Heard, said: Sequence[str]) -> Answer:
    wordings = [*words.danger.get(danger_group(reading.urgency.kinds), ()), *own.reception.danger]
    stay = Line(_unsaid([words.stay], said))
    lines = [Line(_fresh(wordings, said)), Line(do="show_hotlines"), stay]
    return _answer(*lines, *([Line(do="offer_person")] if heard.means == "person" else []))


def _skipped(words: TalkWords, talk: Talk, assessment: Assessment, said: Sequence[str]) -> Answer:
    if talk.skips + 1 >= MOST_SKIPS:
        return _answer(Line(words.tired, (words.buttons["person"],)), Line(do="skip"), Line(do="offer_person"))
    return _go_on(words, Line(_fresh(words.skipped, said)), talk.next_topic(assessment), None, Line(do="skip"))


def _go_on(words: TalkWords, first: Line, topic: str, share: bool | None, *does: Line) -> Answer:
    """The next question, or, when enough was asked, the end."""
    if topic == "none":
        return _answer(first, *_end(words, Line(do="offer_services")).lines, *does, share=share)
    question = Line(words.questions[topic], _buttons(words, topic))
    return _answer(first, question, *does, asks=topic, share=share)


def _buttons(words: TalkWords, topic: str) -> tuple[str, ...]:
    names = (*BUTTONS_OF.get(topic, ()), *(() if topic == "share" else ("skip",)), "person")
    return tuple(words.buttons[name] for name in names)


def _end(words: TalkWords, *offers: Line) -> Answer:
    return _answer(Line(words.enough), Line(do="finish"), *offers)


def _desk(words: TalkWords, talk: Talk, asked: Asked, said: Sequence[str]) -> Answer:
    """The desk, or that a person will tell it, or which is meant; what we asked before stays open meanwhile."""
    if asked.state == "which":
        return _answer(Line(_fresh(words.desk["which"], said)), Line(do="ask_desk"))
    found = asked.state == "found"
    told = _unsaid(words.desk["here"], said) if found else _fresh(words.desk["missing"], said)
    lines = [Line(do="show_desks"), Line(told)] if found else [Line(told), Line(do="lacks_desk")]
    if not talk.open_topic:
        return _answer(*lines)
    return _answer(*lines, Line(words.desk["resume"], _buttons(words, talk.open_topic)), Line(do="resume"))


def _taken_up(
    own: Words,
    words: TalkWords,
    heard: Heard,
    reading: Reading,
    assessment: Assessment,
    attachment: str,
    said: Sequence[str],
) -> str:
    """What is said before the next question; "" where all of it was said before, for the question is enough."""
    shared = {"yes": words.share_yes, "no": words.share_no, "later": words.share_later}
    if heard.means in shared:
        return shared[heard.means]
    if attachment != "none":
        return _unsaid([own.reception.attachment, *own.reception.thanks], said)
    if heard.asks_us:
        return _unsaid(words.cannot_answer, said)
    careful = words.careful if assessment.urgency.level != "none" else []
    took_up = own.reception.took_up if reading.echo and heard.means == "told" else []
    wording = _unsaid([*careful, *took_up, *own.reception.thanks], said)
    return wording.replace(ECHO, reading.echo or "")


def _added(own: Words, words: TalkWords, heard: Heard, attachment: str, said: Sequence[str]) -> str:
    if attachment != "none":
        return _fresh([own.reception.attachment, *words.added], said)
    return _fresh([*(words.cannot_answer if heard.asks_us else ()), *words.added], said)


def _meaning(said: str, words: TalkWords, open_topic: str | None) -> str:
    if said in _meant(words, "skip"):
        return "skip"
    if said and len(said) <= LONGEST_WISH and any(wish in said for wish in _meant(words, "person")):
        return "person"
    if any(wish in said for wish in _meant(words, "desk")):
        return "desk"
    here = (*BUTTONS_OF.get(open_topic or "", ()), "done", "hello")
    return next((name for name in here if said in _meant(words, name)), "told")


def _meant(own: TalkWords, name: str) -> set[str]:
    """Everything that means this button, as letters alone."""
    easy = words("ja-easy").talk
    spoken = [own, easy] if easy and name in ALSO_IN_JAPANESE else [own]
    return {bare(phrase) for one in spoken for phrase in (*one.hears.get(name, ()), one.buttons.get(name, ""))} - {""}


def _echo(text: str) -> str | None:
    """The words to take up: a short message of one line, which needs no understanding to be quoted."""
    plain = " ".join(text.split()).strip(" .。!！,，、।")
    fits = ECHO_SHORTEST <= len(plain) <= ECHO_LONGEST and "\n" not in text.strip()
    return plain if fits and not set(plain) & set('“”"「」') else None


def _fresh(wordings: Sequence[str], said: Sequence[str]) -> str:
    """The wording that was said longest ago, those of which nothing was said first."""
    return min(wordings, key=lambda wording: _last_place(wording, said))


def _unsaid(wordings: Sequence[str], said: Sequence[str]) -> str:
    """As `_fresh`, but "" where something of each was said."""
    return next((wording for wording in wordings if _last_place(wording, said) < 0), "")


def _last_place(wording: str, said: Sequence[str]) -> int:
    """Where in `said` a sentence of this wording stands last; -1 where none does."""
    sentences = [one for one in SENTENCE_ENDS.split(wording) if ECHO not in one and len(one) > LONGEST_NOD]
    return max((at for at, text in enumerate(said) if any(one in text for one in sentences)), default=-1)


def _answer(*lines: Line, asks: str | None = None, share: bool | None = None) -> Answer:
    return Answer(lines, asks, share, frozenset(line.do for line in lines if line.do))

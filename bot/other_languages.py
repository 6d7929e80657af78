"""Leads the talk in every language but Japanese, where Rasa does: one open question a turn, and none that is hard.

What somebody writes in these languages is not understood, and nobody pretends that it is: their words are taken up as
they stand, kept under the question they answer, and handed on in full. Only danger is looked for, a question left out,
and the wish to speak with a person. In easy Japanese the understanding reads as ever.
"""

from dataclasses import dataclass

from bot.dialogue import Answer, Line
from bot.language import bare
from bot.talk import MOST_SKIPS, Talk, danger_group
from bot.understanding import Assessment, Reading
from bot.understanding.crisis import screen_text
from bot.words import Talk as TalkWords
from bot.words import Words

LONGEST_WISH = 60
ECHO_SHORTEST, ECHO_LONGEST = 6, 60
QUESTION_MARKS = ("?", "？")
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
    own: Words, talk: Talk, heard: Heard, reading: Reading, assessment: Assessment, attachment: str, waits: bool
) -> Answer:
    """What to say. `waits`: a person was asked for already; then nothing more is asked."""
    assert own.talk
    if reading.urgency.at_least("urgent"):
        return _in_danger(own, own.talk, talk.turns, reading, heard)
    if heard.means == "person":
        return _answer(Line(_turn_over(own.talk.person, talk.turns)), Line(do="offer_person"))
    if heard.means == "skip" and talk.open_topic:
        return _skipped(own.talk, talk, assessment)
    if waits or talk.stage == "done":
        return _answer(Line(_added(own, own.talk, talk.turns, heard, attachment)))
    if heard.means in ("hello", "done") and talk.stage == "opening":
        return _answer(Line(own.opening))
    if heard.means == "done":
        return _end(own.talk)
    first = Line(_taken_up(own, own.talk, talk.turns, heard, reading, assessment, attachment))
    if talk.stage == "opening" and not reading.tells:
        return _answer(first, Line(own.reception.invite))
    return _go_on(own.talk, first, talk.next_topic(assessment), {"yes": True, "no": False}.get(heard.means))


def _in_danger(own: Words, words: TalkWords, turns: int, reading: Reading, heard: Heard) -> Answer:
    wordings = words.danger.get(danger_group(reading.urgency.kinds), own.reception.danger)
    lines = [Line(_turn_over(wordings, turns)), Line(do="show_hotlines"), Line(words.stay)]
    return _answer(*lines, *([Line(do="offer_person")] if heard.means == "person" else []))


def _skipped(words: TalkWords, talk: Talk, assessment: Assessment) -> Answer:
    if talk.skips + 1 >= MOST_SKIPS:
        return _answer(Line(words.tired, (words.buttons["person"],)), Line(do="skip"), Line(do="offer_person"))
    return _go_on(
        words, Line(_turn_over(words.skipped, talk.turns)), talk.next_topic(assessment), None, Line(do="skip")
    )


def _go_on(words: TalkWords, first: Line, topic: str, share: bool | None, *does: Line) -> Answer:
    """The next question, or, when enough was asked, the end."""
    if topic == "none":
        return _answer(first, *_end(words).lines, *does, share=share)
    buttons = (*BUTTONS_OF.get(topic, ()), *(() if topic == "share" else ("skip",)), "person")
    question = Line(words.questions[topic], tuple(words.buttons[button] for button in buttons))
    return _answer(first, question, *does, asks=topic, share=share)


def _end(words: TalkWords) -> Answer:
    return _answer(Line(words.enough), Line(do="finish"))


def _taken_up(
    own: Words, words: TalkWords, turns: int, heard: Heard, reading: Reading, assessment: Assessment, attachment: str
) -> str:
    shared = {"yes": words.share_yes, "no": words.share_no, "later": words.share_later}
    if heard.means in shared:
        return shared[heard.means]
    if attachment != "none":
        return own.reception.attachment
    if heard.asks_us:
        return words.cannot_answer
    if assessment.urgency.level != "none":
        return _turn_over(words.careful, turns)
    if reading.echo and heard.means == "told":
        return _turn_over(own.reception.took_up, turns).replace("[[echo]]", reading.echo)
    return _turn_over(own.reception.thanks, turns)


def _added(own: Words, words: TalkWords, turns: int, heard: Heard, attachment: str) -> str:
    if attachment != "none":
        return own.reception.attachment
    return words.cannot_answer if heard.asks_us else _turn_over(words.added, turns)


def _meaning(said: str, words: TalkWords, open_topic: str | None) -> str:
    if said in _meant(words, "skip"):
        return "skip"
    if said and len(said) <= LONGEST_WISH and any(wish in said for wish in _meant(words, "person")):
        return "person"
    here = (*BUTTONS_OF.get(open_topic or "", ()), "done", "hello")
    return next((name for name in here if said in _meant(words, name)), "told")


def _meant(words: TalkWords, name: str) -> set[str]:
    """Everything that means this button, as letters alone."""
    phrases = [*words.hears.get(name, ()), *([words.buttons[name]] if name in words.buttons else [])]
    return {bare(phrase) for phrase in phrases}


def _echo(text: str) -> str | None:
    """The words to take up: a short message of one line, which needs no understanding to be quoted."""
    plain = " ".join(text.split()).strip(" .。!！,，、।")
    fits = ECHO_SHORTEST <= len(plain) <= ECHO_LONGEST and "\n" not in text.strip()
    return plain if fits and not set(plain) & set('“”"「」') else None


def _turn_over(wordings: list[str], turns: int) -> str:
    return wordings[turns % len(wordings)]


def _answer(*lines: Line, asks: str | None = None, share: bool | None = None) -> Answer:
    return Answer(lines, asks, share, frozenset(line.do for line in lines if line.do))

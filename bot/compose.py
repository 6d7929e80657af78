"""Puts the answer together: the notice first, the resident's own words where they are taken up, numbers and summary
where they belong. Numbers come only from the knowledge base's verified list."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from bot import desks, offers
from bot.dialogue import Answer, Line
from bot.talk import danger_now
from bot.understanding import Assessment
from bot.words import Words, languages
from bot.work import Thought
from handoff import understood, waiting
from knowledge_base import helplines, hotlines
from storage.clock import JAPAN
from storage.settings import Settings

#: What tells about when a person will read.
TELL_WHEN = frozenset({"finish", "show_when"})
#: LINE takes five messages in one call; a turn is one call.
MOST_MESSAGES = 5
ECHO, WHO = "[[echo]]", "[[who]]"


def greeting(own: Words) -> Answer:
    """The first words to who came and wrote nothing yet, with the languages; the notice is put before them."""
    return Answer((Line(own.opening, tuple(known["name"] for known in languages().values())),))


def messages(
    thought: Thought, own: Words, *, first: bool, now: datetime, settings: Settings, about: datetime | None = None
) -> list[Line]:
    """The messages of a turn, one to five, ready to be shown.

    `first`: the notice of use was not shown yet. `about`: when a person is likely to read, where that is said.
    """
    lines = list(own_lines(thought, own, now, settings, about))
    if first:
        lines = [Line("\n".join(own.notice_of(settings.town))), *lines]
    return _at_most_five(lines)


def own_lines(
    thought: Thought, own: Words, now: datetime, settings: Settings, about: datetime | None = None
) -> Iterator[Line]:
    """The answer's lines with everything filled in that only the service knows."""
    assert thought.answer
    last = next((line for line in reversed(thought.answer.lines) if line.text), None)
    for line in thought.answer.lines:
        if line.do == "show_hotlines":
            yield from _hotlines(thought, own, now)
            if thought.asked.plainly:  # danger goes first; then what was asked
                yield from map(Line, desks.blocks(thought.asked, own, now))
        elif line.do == "show_desks":
            yield from map(Line, desks.blocks(thought.asked, own, now))
        elif line.do == "offer_services":
            yield from map(Line, offers.message(thought.offers, own, now))
        elif line.do == "show_summary":
            yield Line(_summary(thought.assessment, own))
        elif line.do == "finish":
            yield from _lines_of_these_days(thought, own, now)
            yield Line(_next_steps(thought, own, now, settings, about))
        elif line.do == "show_when":
            yield Line(_when(own, now, settings, about))
        elif line.text:
            choices = thought.asked.choices if "ask_desk" in thought.answer.does and line is last else ()
            text = _take_up(line.text, thought.reading.echo).replace(
                WHO, understood.called(thought.assessment.to_json())
            )
            yield Line(text, line.choices or choices)


def _hotlines(thought: Thought, own: Words, now: datetime) -> Iterator[Line]:
    danger, assessment = danger_now(thought.reading, thought.assessment), thought.assessment
    if not thought.talk.lines_are_news(danger):
        return
    immediate = danger.level == "immediate"
    language = thought.language.removesuffix("-easy")
    fit = partial(
        hotlines.choose,
        age=_age(assessment),
        language=language,
        now=now.astimezone(JAPAN),
        fields=[found.id for found in assessment.fields],
        periods=helplines.now(),
    )
    chosen = fit(danger.kinds, immediate=immediate)
    told = fit(thought.talk.told_lines) if thought.talk.told_lines and not immediate else []
    if not {line.id for line in chosen} <= {line.id for line in told}:
        intro = own.hotlines["urgent" if immediate else "intro"]
        yield Line("\n".join([intro, *own.hotlines_of(chosen, language)]))


def _lines_of_these_days(thought: Thought, own: Words, now: datetime) -> Iterator[Line]:
    """At the end of a talk without danger, a helpline that answers only in these days, where it fits the trouble."""
    assessment = thought.assessment
    if assessment.urgency.level != "none":
        return
    fields = [found.id for found in assessment.fields]
    if fitting := hotlines.of_these_days(fields, now=now.astimezone(JAPAN), periods=helplines.now()):
        language = thought.language.removesuffix("-easy")
        yield Line("\n".join([own.hotlines["intro"], *own.hotlines_of(fitting, language)]))


def _age(assessment: Assessment) -> int | None:
    """The age of who writes, where it was told."""
    return next((member.age for member in assessment.members if member.relation == "self"), None)


def _summary(assessment: Assessment, own: Words) -> str:
    lines = understood.for_resident(assessment.to_json())
    return "\n".join([own.summary["intro"], *lines]) if lines else own.summary["nothing"]


def _next_steps(thought: Thought, own: Words, now: datetime, settings: Settings, about: datetime | None) -> str:
    """Who reads, about when (unless that was told), and what to do if it gets worse; danger is not forgotten here."""
    when = [] if thought.talk.told_when else [_when(own, now, settings, about)]
    danger = [own.hotlines["urgent"]] if thought.assessment.urgency.at_least("urgent") else []
    return "\n".join([own.next_steps["reads"], *when, *danger, own.next_steps["worse"]])


def _when(own: Words, now: datetime, settings: Settings, about: datetime | None) -> str:
    """Whether the desk is open, when it opens, and about when a person will read, where that can be told."""
    here, steps = now.astimezone(JAPAN), own.next_steps
    opens = waiting.Hours.read(settings.staff_from, settings.staff_until).next_opening(now)
    parts = [steps["shut"].format(opens=own.opening_time(opens, here)) if opens else steps["open"]]
    if about:
        parts.append(steps["about"].format(about=own.opening_time(about, here)))
    return "\n".join(parts)


def _take_up(text: str, echo: str | None) -> str:
    if ECHO not in text:
        return text
    # Rasa chooses such a text only where there are words to take up; without them the sentence is left out.
    return text.replace(ECHO, echo) if echo else "\n".join(part for part in text.split("\n") if ECHO not in part)


def _at_most_five(lines: list[Line]) -> list[Line]:
    lines = [line for line in lines if line.text.strip()]
    while len(lines) > MOST_MESSAGES:
        lines[0:2] = [Line(f"{lines[0].text}\n\n{lines[1].text}", lines[1].choices)]
    return lines

"""The danger screen: patterns with structure around them. It comes first and needs no model.

A sign alone decides nothing. Around each one is looked: is it denied, an idiom, long past, a film, a question for
study? What resemblance to the written voices of danger adds comes after, in `with_voices`: most people in danger use
none of these words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np

from bot.understanding.assessment import LEVELS, Urgency
from bot.understanding.clauses import Clause, fold, split
from bot.understanding.columns import SUICIDE
from bot.understanding.danger_signs import (
    ALREADY_ILL,
    HANDS_THAT_FAIL,
    KINDS,
    ONLY_FEARED,
    SIGNS,
    TOLD_AT_LENGTH,
    Sign,
)
from bot.understanding.danger_words import more_urgent, only_denied
from bot.understanding.features import Floats
from bot.understanding.harmless import (
    eats,
    is_bereaved,
    is_called_away,
    looks_harmless,
    only_cries,
    only_denies_violence,
    only_ends_the_talk,
    only_goes_out,
    only_wishes_well,
)
from bot.understanding.mix import CLAUSE_AT_MOST_BELOW, share_odds

if TYPE_CHECKING:  # the screen must not need what the evidence needs
    from bot.understanding.evidence import Evidence

KIND_FROM = 0.0  # log-odds
LIKELIER_THAN_NOT = 0.5


def screen_text(text: str) -> Urgency:
    """`screen` for a text alone: what can still be seen when no model can be loaded."""
    folded = fold(text)
    return screen(folded, split(folded), text)


def screen(folded: str, clauses: Sequence[Clause], original: str) -> Urgency:
    """The highest danger told, in any language. Its quote is the clause that tells it; kinds in order of level."""
    return more_urgent(_screen_japanese(folded, clauses, original), original)


def _screen_japanese(folded: str, clauses: Sequence[Clause], original: str) -> Urgency:
    lines = _Lines(clauses)
    found = [(LEVELS.index(sign.level), sign.kind, clause) for sign, clause in lines.signs()]
    if not found:
        return _spaced_out(folded, original)
    found.sort(key=lambda item: -item[0])
    level, _, clause = found[0]
    return Urgency(LEVELS[level], tuple(dict.fromkeys(kind for _, kind, _ in found)), clause.quote(original))


# So many harmless-looking places are passed over for one sign; the next one counts, which keeps the work small.
_PASSED_OVER = 40
_STRETCH = 200


class _Lines:
    """The clauses as lines of one text, so that each sign is searched once for all of them."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        self._clauses = clauses
        texts = [clause.text.replace("\n", " ") for clause in clauses]
        self.text = "\n".join(texts)
        self._starts = [0]
        for text in texts[:-1]:
            self._starts.append(self._starts[-1] + len(text) + 1)
        self._stretches = list(self._cut())
        self._harmless: dict[int, bool] = {}

    def _cut(self) -> Iterator[tuple[int, int]]:
        """For each clause, where its sentence begins and ends in `text`; of a very long sentence a stretch."""
        groups: list[list[int]] = []
        for at, clause in enumerate(self._clauses):
            first = self._clauses[groups[-1][0]] if groups else None
            if first and clause.sentence == first.sentence and clause.end - first.start <= _STRETCH:
                groups[-1].append(at)
            else:
                groups.append([at])
        for group in groups:
            last = group[-1]
            end = self._starts[last] + len(self._clauses[last].text)
            yield from [(self._starts[group[0]], end)] * len(group)

    def signs(self) -> Iterator[tuple[Sign, Clause]]:
        """Every sign that is told, with the clause that tells it."""
        for told_where, signs in ((self.first, SIGNS), (self.across, TOLD_AT_LENGTH)):
            for sign in signs:
                if clause := told_where(sign):
                    yield sign, clause

    def first(self, sign: Sign) -> Clause | None:
        """The first clause with this sign that does not look harmless."""
        position = passed = 0
        while match := sign.pattern.search(self.text, position):
            at = bisect_right(self._starts, match.start()) - 1
            if sign.before and not sign.before.search(
                self.text, max(self._starts[at], match.start() - sign.reach), match.start()
            ):
                position = match.end() if match.end() > match.start() else match.end() + 1
                continue
            if passed >= _PASSED_OVER or not self._looks_harmless(at):
                return self._clauses[at]
            passed += 1
            position = max(self._stretches[at][1], match.end())
        return None

    def across(self, sign: Sign) -> Clause | None:
        """The first clause with which this sign begins, and which does not look harmless; it may go on in the next."""
        for match in islice(sign.pattern.finditer(self.text), _PASSED_OVER):
            at = bisect_right(self._starts, match.start()) - 1
            if not self._looks_harmless(at):
                return self._clauses[at]
        return None

    def _looks_harmless(self, at: int) -> bool:
        start, end = self._stretches[at]
        if start not in self._harmless:
            self._harmless[start] = looks_harmless(self.text[start:end].replace("\n", ""))
        return self._harmless[start]


def seen(
    told: Urgency, clauses: Sequence[Clause], counted: Floats, read: Floats, each: Floats, near: float
) -> tuple[float, ...]:
    """What the mix weighs: log-odds of the whole text, counted and read, and of its surest clause, the share of urgent
    voices among the nearest, what the screen found. `counted`, `read` and rows of `each`: log-odds of heads.DANGER."""
    surest = float(each[:, 0].max()) if len(each) else float(read[0])
    return (
        float(counted[0]),
        float(read[0]),
        max(surest, float(read[0]) - CLAUSE_AT_MOST_BELOW),
        float(share_odds(np.float32(near))),
        float(told.at_least("urgent")),
        float(told.level == "watch"),
        float(any(looks_harmless(sentence) for sentence in _sentences(clauses))),
    )


def _sentences(clauses: Sequence[Clause]) -> Iterator[str]:
    """Each clause, and each sentence of them: English has its "not" in another clause than Japanese."""
    yield from (clause.text for clause in clauses)
    for _, some in groupby(clauses, key=lambda clause: clause.sentence):
        yield "".join(clause.text for clause in some)


def with_voices(told: Urgency, evidence: Evidence, original: str) -> Urgency:
    """The screen's finding, weighed together with what the text resembles: most people in danger use none of the
    screen's words, and some who use them are in none."""
    if not evidence.tells:
        return told
    level, kinds, folded = _level(told, evidence), _kinds(evidence.danger[3:], told.kinds), fold(original)
    if told.level == "none" and level == "watch" and _only_sounds_so(folded):
        level = "none"
    elif told.level == "none" and level != "none" and _belied(original, folded, kinds):
        level = "none" if is_called_away(folded) else "watch"
    surest = evidence.danger_each[:, 0]
    if level == "none" and _likely_wants_to_die(evidence, folded):
        level, kinds, surest = "watch", ("suicide",), evidence.each[:, SUICIDE]
    if level == "none":
        return Urgency()
    if level == "watch":
        kinds = told.kinds or kinds[:1]  # by likeness alone, and faint: more than one name for it would be a guess
    quote = told.quote or evidence.clauses[int(np.argmax(surest))].quote(original)
    if not quote:
        return told
    return Urgency(level, kinds, quote)


def _only_sounds_so(folded: str) -> bool:
    return only_wishes_well(folded) or is_called_away(folded)


def _likely_wants_to_die(evidence: Evidence, folded: str) -> bool:
    """Where it would be recorded that somebody wants to die, somebody must look. Of a long letter's passages the surest
    counts, and one of them often seems to say so."""
    return evidence.fields[SUICIDE] >= LIKELIER_THAN_NOT and not evidence.long and not is_bereaved(folded)


def _belied(original: str, folded: str, kinds: Sequence[str]) -> bool:
    """Whether the words themselves speak against a danger that is told by likeness alone."""
    belied = _BELIED.get(kinds[0])
    return only_denied(original) or only_ends_the_talk(folded) or (belied is not None and belied(folded))


#: By the likeliest kind of danger the words that belie it.
_BELIED: Mapping[str, Callable[[str], bool]] = {
    "no_food": eats, "medical_emergency": only_cries, "harm_to_others": only_goes_out,
    "suicide": only_goes_out, "dv": only_denies_violence,
}  # fmt: skip


def _level(told: Urgency, evidence: Evidence) -> str:
    """A sign that the screen found is never lower than watch; what is said in so many words never lower than it says:
    no likeness to harmless texts outweighs it, and no length of harmless text around it."""
    if told.level == "urgent" and _only_fears_own_hands(told, evidence.clauses):
        return "urgent"  # who fears for a child in their own hands needs a voice, and not the police
    least = told.level if _in_so_many_words(told, evidence) else "watch" if told.level != "none" else "none"
    return max(least, _by_likeness(told, evidence), key=LEVELS.index)


def _only_fears_own_hands(told: Urgency, clauses: Sequence[Clause]) -> bool:
    quote = fold(told.quote)
    done = any(ALREADY_ILL.search(clause.text) for clause in clauses)
    return bool(HANDS_THAT_FAIL.search(quote) and ONLY_FEARED.search(quote)) and not done


def _in_so_many_words(told: Urgency, evidence: Evidence) -> bool:
    if told.level != "urgent":
        return told.level == "immediate"
    if evidence.long or HANDS_THAT_FAIL.search(fold(told.quote)):
        return True
    found = [sign for sign, _ in _Lines(evidence.clauses).signs() if sign.level != "watch"]
    # Words of other languages have no signs here.
    return any(not sign.weighed for sign in found) or (
        "suicide" in told.kinds and not any(s.kind == "suicide" for s in found)
    )


def _by_likeness(told: Urgency, evidence: Evidence) -> str:
    mix = evidence.mix
    odds = evidence.danger_counted, evidence.danger_read, evidence.danger_each
    weighed = seen(told, evidence.clauses, *odds, evidence.danger_near)
    if mix.danger(np.array(weighed, np.float32)) >= mix.alarm_from:
        return "immediate" if evidence.danger[1] >= mix.immediate_from else "urgent"
    return "watch" if evidence.danger[2] >= mix.watch_from else "none"


def _kinds(shares: Floats, before: tuple[str, ...]) -> tuple[str, ...]:
    """The likeliest kind always; others where they are likely too."""
    order = [int(at) for at in np.argsort(-shares, kind="stable")]
    likely = [KINDS[at] for at in order if shares[at] >= KIND_FROM] or [KINDS[order[0]]]
    return tuple(dict.fromkeys((*before, *likely)))


_SPACED = re.compile(r"(?:\S[\s\u200b]{1,3}){3,200}\S")


def _spaced_out(folded: str, original: str) -> Urgency:
    """「も う し に た い」: letters with blanks between are read together."""
    for match in _SPACED.finditer(folded):
        joined = re.sub(r"[\s\u200b]", "", match.group())
        for sign in SIGNS:
            if sign.kind == "suicide" and sign.before is None and sign.pattern.search(joined):
                return Urgency(sign.level, (sign.kind,), original[match.start() : match.end()])
    return Urgency()

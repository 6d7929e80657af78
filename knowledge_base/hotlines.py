"""Which helplines a resident in danger is shown. Numbers come from content/hotlines.yml and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time

from knowledge_base.helplines import BY_PERIOD, Period
from knowledge_base.vocabulary import Hotline, vocabulary

SHOWN = 2
ADULT = 18

# Before any other line, by kind of danger: what a person in that need is best served by.
FIRST: dict[str, tuple[str, ...]] = {
    "dv": ("dv_plus",),
    "sexual_violence": ("onestop_8891", "police_8103"),
    "child_abuse": ("jiso_189",),
    "suicide": ("yorisoi", "inochi_sos", "inochi_free"),
    "self_harm": ("yorisoi", "inochi_sos", "inochi_free"),
    "no_food": ("yorisoi",),
    "no_shelter": ("yorisoi",),
    "utilities_cut": ("yorisoi",),
    "medical_emergency": ("ambulance",),
    "elder_abuse": ("yorisoi",),
    "disability_abuse": ("yorisoi",),
    "harm_to_others": ("yorisoi",),
}
CHILD_FIRST = ("kodomo_sos", "childline")
CHILDREN_ONLY = {"kodomo_sos", "childline", "kodomo_8000"}
# When a life is in danger now: what stops it, before anybody to talk to.
EMERGENCY: dict[str, str] = {
    "medical_emergency": "ambulance",
    "suicide": "ambulance",
    "self_harm": "ambulance",
    "dv": "police",
    "child_abuse": "police",
    "elder_abuse": "police",
    "disability_abuse": "police",
    "sexual_violence": "police",
    "harm_to_others": "police",
}
# Opening hours of lines that are not open all day, so that nobody is sent to a closed one. Local time.
OPEN: dict[str, tuple[time, time]] = {"childline": (time(16), time(21)), "inochi_free": (time(16), time(21))}


def choose(
    kinds: Iterable[str],
    *,
    age: int | None,
    language: str,
    now: datetime,
    fields: Iterable[str] = (),
    immediate: bool = False,
    periods: Iterable[Period] = (),
) -> list[Hotline]:
    """At most two lines, best first; empty when nothing fits. `now` is the resident's local time.

    `immediate` puts 110 or 119 first. A child is shown a child's line; an adult, or somebody of unknown age, never.
    `periods`: when the lines answer that are there only at times; without one they are not shown.
    """
    kinds, fields = list(kinds), list(fields)
    wanted = [EMERGENCY[k] for k in kinds if immediate and k in EMERGENCY]
    if age is not None and age < ADULT and {"suicide", "self_harm", "child_abuse"} & set(kinds):
        wanted += CHILD_FIRST if "child_abuse" not in kinds else ("jiso_189", *CHILD_FIRST)
    wanted += [line for kind in kinds for line in FIRST.get(kind, ())]
    # Where a line fits the danger, one that only fits the field (working conditions, debts) would be one too many.
    wanted += [line.id for line in _by_match(kinds, [] if wanted else fields)]
    lines = [vocabulary().hotlines[name] for name in dict.fromkeys(wanted)]
    periods = tuple(periods)
    fitting = [line for line in lines if _may_show(line, age, now, periods)]
    if language != "ja":  # a line that speaks the resident's language goes before one that does not
        fitting.sort(key=lambda line: line.id not in EMERGENCY.values() and language not in line.languages)
    return fitting[:SHOWN]


def of_these_days(fields: Iterable[str], *, now: datetime, periods: Iterable[Period]) -> list[Hotline]:
    """The lines for one of the fields that answer now, and only at times."""
    fields, periods = set(fields), tuple(periods)
    lines = [vocabulary().hotlines[name] for name in sorted(BY_PERIOD)]
    return [line for line in lines if fields & set(line.fields) and _may_show(line, None, now, periods)]


def as_line(line: Hotline) -> str:
    """One line of Japanese for the resident: name, number, hours as far as they were checked, cost."""
    facts = [line.hours] if line.hours_checked else []
    if line.free:
        facts.append("無料")
    return "　".join([line.name, line.number, "・".join(facts)]).rstrip()


def _by_match(kinds: list[str], fields: list[str]) -> list[Hotline]:
    """Every line for one of the kinds or fields, free ones first (a resident may have no credit left)."""
    lines = [
        line
        for line in vocabulary().hotlines.values()
        if set(line.kinds) & set(kinds) or set(line.fields) & set(fields)
    ]
    emergency = set(EMERGENCY.values())
    return sorted((line for line in lines if line.id not in emergency), key=lambda line: line.free is not True)


def _may_show(line: Hotline, age: int | None, now: datetime, periods: Iterable[Period]) -> bool:
    if not line.number_checked:
        return False
    if line.id in BY_PERIOD and not any(period.line == line.id and period.holds(now) for period in periods):
        return False
    if line.id in CHILDREN_ONLY or line.max_age is not None:
        limit = line.max_age if line.max_age is not None else ADULT - 1
        if age is None or age > limit:
            return False
    opens, closes = OPEN.get(line.id, (time.min, time.max))
    return opens <= now.time() <= closes

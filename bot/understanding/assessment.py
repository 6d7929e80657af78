"""What is understood of a talk: findings with the words they rest on, one reading a text, one assessment a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

LEVELS = ("none", "watch", "urgent", "immediate")
TOPICS = ("since", "household", "tried", "wish", "contact", "area")

_QUOTES_KEPT = 3
_SERVICES_KEPT = 5


@dataclass(frozen=True, slots=True)
class Urgency:
    """How much danger is told. `quote` is empty only when the level is none."""

    level: str = "none"
    kinds: tuple[str, ...] = ()
    quote: str = ""

    def at_least(self, level: str) -> bool:
        return LEVELS.index(self.level) >= LEVELS.index(level)


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """One field found in one text; `example` is the voice it resembles most ("" when none is near)."""

    id: str
    confidence: float
    quote: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class ServiceFinding:
    id: str
    score: float
    quote: str


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the household, as seen from the one whom the talk is about.

    `called` is the word that tells siblings apart (長男, 下の), where one was used.
    """

    relation: str
    age: int | None = None
    fields: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    called: str = ""

    @property
    def quote(self) -> str:
        return self.quotes[0] if self.quotes else ""


@dataclass(frozen=True, slots=True)
class Household:
    """Everybody told of so far. `focus` is the index of the one spoken of last: 「47です」 is about them; `aside`: who
    was mentioned, but not so that they would be counted as members."""

    members: tuple[Member, ...] = ()
    focus: int | None = None
    aside: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text tells. Every quote and every topic's words are a substring of that text, the members'
    excepted: `household` goes on from the turns before, with their quotes. `said`: what was written so far, for as
    long as the household is read from all of it. `weighed`: field → how probably this text tells of it, recorded or
    not."""

    urgency: Urgency = Urgency()
    fields: tuple[FieldFinding, ...] = ()
    services: tuple[ServiceFinding, ...] = ()
    household: Household = Household()
    speaker: str | None = None  # of the whole talk so far; None: it does not show who is speaking about whom
    topics: Mapping[str, str] = field(default_factory=dict)
    echo: str | None = None
    tells: bool = False
    said: str = ""
    weighed: Mapping[str, float] = field(default_factory=dict)

    @property
    def members(self) -> tuple[Member, ...]:
        return self.household.members

    @property
    def told(self) -> frozenset[str]:
        return frozenset(self.topics)


@dataclass(frozen=True, slots=True)
class FieldRecord:
    """One field over the whole talk: the best confidence, and up to three quotes, newest last."""

    id: str
    confidence: float
    quotes: tuple[str, ...]
    example: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything understood of a talk so far. Immutable: `take_in` returns the next one. `weighed`: field → how
    probably that turn tells of it that tells it most."""

    urgency: Urgency = Urgency()
    fields: tuple[FieldRecord, ...] = ()
    services: tuple[ServiceFinding, ...] = ()
    household: Household = Household()
    speaker: str = "self"
    topics: Mapping[str, str] = field(default_factory=dict)
    tells: bool = False
    said: str = ""
    weighed: Mapping[str, float] = field(default_factory=dict)

    @property
    def members(self) -> tuple[Member, ...]:
        return self.household.members

    def take_in(self, reading: Reading) -> Assessment:
        return Assessment(
            urgency=_more_urgent(self.urgency, reading.urgency),
            fields=_merge_fields(self.fields, reading.fields),
            services=_merge_services(self.services, reading.services),
            household=reading.household,
            speaker=reading.speaker or self.speaker,
            topics={**reading.topics, **self.topics},  # what was told first stands; later words go with the talk
            tells=self.tells or reading.tells,
            said=reading.said,
            weighed=most_of(self.weighed, reading.weighed),
        )

    def speaking(self, now: str | None) -> str:
        """Who speaks, when the newest text alone shows `now`. An agency that says 「私」 is still an agency."""
        return self.speaker if self.speaker in ("agency", "neighbor") or now is None else now

    def with_topic(self, topic: str, words: str) -> Assessment:
        """The answer to a question that was asked: it replaces what the text alone had told."""
        return replace(self, topics={**self.topics, topic: words})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Assessment:
        """Back from `to_json`; keys that are missing are empty, so that older rows can still be read."""
        household = data.get("household") or {}
        return cls(
            urgency=Urgency(**_tuples(data.get("urgency") or {}, "kinds")),
            fields=tuple(FieldRecord(**_tuples(f, "quotes")) for f in data.get("fields", ())),
            services=tuple(ServiceFinding(**s) for s in data.get("services", ())),
            household=Household(
                tuple(Member(**_tuples(m, "fields", "quotes")) for m in household.get("members", ())),
                household.get("focus"),
                tuple(Member(**_tuples(m, "fields", "quotes")) for m in household.get("aside", ())),
            ),
            speaker=data.get("speaker", "self"),
            topics=dict(data.get("topics", {})),
            tells=data.get("tells", False),
            said=data.get("said", ""),
            weighed=dict(data.get("weighed", {})),
        )


def most_of(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Of each field the more probable."""
    return {name: max(before.get(name, 0.0), now.get(name, 0.0)) for name in {**before, **now}}


def _more_urgent(before: Urgency, now: Urgency) -> Urgency:
    """The higher level with its quote; kinds add up as long as danger was told at all."""
    higher = now if LEVELS.index(now.level) > LEVELS.index(before.level) else before
    kinds = tuple(dict.fromkeys((*higher.kinds, *before.kinds, *now.kinds)))
    return replace(higher, kinds=kinds)


def _merge_fields(before: tuple[FieldRecord, ...], now: tuple[FieldFinding, ...]) -> tuple[FieldRecord, ...]:
    merged = {f.id: f for f in before}
    for found in now:
        old = merged.get(found.id, FieldRecord(found.id, 0.0, ()))
        best = found if found.confidence > old.confidence else old
        merged[found.id] = FieldRecord(
            found.id, best.confidence, add_quote(old.quotes, found.quote), best.example or found.example
        )
    return tuple(sorted(merged.values(), key=lambda f: -f.confidence))


def _merge_services(before: Iterable[ServiceFinding], now: Iterable[ServiceFinding]) -> tuple[ServiceFinding, ...]:
    merged: dict[str, ServiceFinding] = {}
    for found in (*before, *now):
        if found.id not in merged or found.score > merged[found.id].score:
            merged[found.id] = found
    return tuple(sorted(merged.values(), key=lambda s: -s.score)[:_SERVICES_KEPT])


def add_quote(quotes: tuple[str, ...], quote: str) -> tuple[str, ...]:
    if not quote or quote in quotes:
        return quotes
    return (*quotes, quote)[-_QUOTES_KEPT:]


def _tuples(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """JSON has lists where the dataclasses have tuples."""
    return {**data, **{key: tuple(data.get(key, ())) for key in keys}}

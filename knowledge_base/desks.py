"""Which desks serve a service now, and which services and desks a text calls by name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from knowledge_base.areas import UNKNOWN, Where
from knowledge_base.entries import entries
from knowledge_base.live import Live, Published
from knowledge_base.opening import Opening, open_now
from knowledge_base.vocabulary import vocabulary
from knowledge_base.words import sounds_of
from storage.clock import JAPAN

#: A part of a name is one by itself from so many letters on: 「訪問看護」 of 「在宅医療・訪問看護」.
SHORTEST_PART = 4
#: People leave out how a desk's name begins: 「福祉課」 for 「高齢福祉課」. So many letters must be left, and the last
#: must say what kind of place it is.
SHORTEST_ENDING = 3
#: Two names may sound alike; so many kana seldom do.
SHORTEST_SOUND = 5
_PLACE = re.compile(r"(?:課|室|係|署|局|所|院|館|協会|協議会|センター|ステーション)$")
#: What half of all desks are called says nothing.
_ANY = re.compile(
    r"(?:総合|相談|支援|地域|福祉)*(?:センター|ステーション|窓口|相談所|相談室|支援室|協会|協議会|事務所|事務局|出張所)"
)
#: 「介護保険」 is what people say for 「介護保険サービス」.
_KIND = re.compile(r"(?:サービス|制度|事業)$")
_PARTS = re.compile(r"[・（）()\s　]+")
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]")


@dataclass(frozen=True, slots=True)
class Named:
    """What is called by name: services by their ids, each with the name that was used, and desks."""

    services: tuple[tuple[str, str], ...] = ()
    desks: tuple[Live, ...] = ()


def serving(published: Published, service: str, now: datetime, where: Where = UNKNOWN) -> list[Live]:
    """The desks of a service, or of what took its place; those that are open first, and before that the nearest to
    somebody whose area is known."""

    def order(desk: Live) -> tuple[int, bool, str]:
        nearest = published.areas.rank(desk.content, where) or 0
        return nearest, not opening(desk.content, now).open, desk.content["name"]

    return sorted(published.desks(successor(published, service), where), key=order)


def only_one_serving(published: Published, service: str, now: datetime, where: Where) -> Live | None:
    """The desk to name where one alone is named: the first of those that serve the whole town, where nobody knows in
    which district somebody lives; none where each district has its own, for theirs may be another."""
    found = serving(published, service, now, where)
    if where.kind == "unknown" and len(found) > 1:
        found = [desk for desk in found if not desk.content.get("areas")]
    return found[0] if found else None


def successor(published: Published, id_: str) -> str:
    """What took the place of an entry that was retired; the entry itself where it was not, or nothing did."""
    seen = {id_}
    while (heir := published.successors.get(id_)) and heir not in seen:
        seen.add(heir)
        id_ = heir
    return id_


def opening(content: Mapping[str, Any], now: datetime) -> Opening:
    """Whether a desk is open now."""
    return open_now(
        content.get("hours", {}), now.astimezone(JAPAN), on_holidays=content.get("holidays") == "open",
        closed_on=content.get("closed_on", ()),
    )  # fmt: skip


def named(published: Published, text: str) -> Named:
    """The services and desks that a text calls by any of their names, in the text's order and then by name; of names
    within each other the longest."""
    folded = _folded(text)
    hits = list(_service_hits(published, folded)) + list(_desk_hits(published, folded))
    longest = [hit for hit in hits if not any(_within(hit, other) for other in hits)]
    longest.sort(key=lambda hit: (hit.start, hit.name, hit.id))
    services = {hit.id: hit.name for hit in longest if hit.kind == "service"}
    if not longest and len(_KANA.findall(folded)) * 2 > len(folded):
        services = dict(_by_sound(folded))
    # 「地域包括支援センター」 is a kind of desk, and ends the name of each: then the kind is meant.
    ends = {(hit.start, hit.end) for hit in longest if hit.kind == "service"}
    desks = [hit.id for hit in longest if hit.kind == "desk" and (hit.start, hit.end) not in ends]
    living = (published.entries.get(id_) for id_ in dict.fromkeys(successor(published, id_) for id_ in desks))
    return Named(tuple(services.items()), tuple(one for one in living if one and one.kind == "desk"))


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    kind: str
    id: str
    name: str


def _within(one: _Hit, other: _Hit) -> bool:
    return other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start


def _service_hits(published: Published, folded: str) -> Iterator[_Hit]:
    own = ((_folded(one.content["name"]), one.content["name"], one.id) for one in published.services)
    retired = ((_folded(name), name, id_) for id_, name in _retired(published, desks=False))
    for name, shown, id_ in (*_national(), *own, *retired):
        if len(name) > 1 and (at := folded.find(name)) >= 0:
            yield _Hit(at, at + len(name), "service", id_, shown)


def _desk_hits(published: Published, folded: str) -> Iterator[_Hit]:
    desks = [(one.id, one.content["name"]) for one in published.entries.values() if one.kind == "desk"]
    for id_, name in (*desks, *_retired(published, desks=True)):
        for part in _PARTS.split(name):
            if hit := _ending(_folded(part), folded, id_, name):
                yield hit


def _retired(published: Published, *, desks: bool) -> Iterator[tuple[str, str]]:
    """What was retired, with its name: where a desk took its place, or all else."""
    for id_ in published.successors:
        heir = published.entries.get(successor(published, id_))
        if (heir is not None and heir.kind == "desk") == desks:
            yield id_, published.names[id_]


def _ending(name: str, folded: str, id_: str, shown: str) -> _Hit | None:
    """The longest end of a desk's name that stands in the text: all of it, or what still says which kind it is."""
    if len(name) >= SHORTEST_ENDING and (at := folded.find(name)) >= 0 and not _ANY.fullmatch(name):
        return _Hit(at, at + len(name), "desk", id_, shown)
    if not _PLACE.search(name):
        return None
    for cut in range(1, len(name) - SHORTEST_ENDING + 1):
        end = name[cut:]
        if not _ANY.fullmatch(end) and (at := folded.find(end)) >= 0:
            return _Hit(at, at + len(end), "desk", id_, shown)
    return None


@cache
def _national() -> tuple[tuple[str, str, str], ...]:
    """Every name of the national services: folded, as it is written, and whose it is."""
    return tuple((_folded(name), name, id_) for id_ in vocabulary().services for name in _names(id_))


def _names(service: str) -> list[str]:
    whole = vocabulary().services[service].ja
    parts = [short for part in _PARTS.split(whole) for short in (part, _KIND.sub("", part))]
    parts = [part for part in parts if len(part) >= SHORTEST_PART and not _ANY.fullmatch(part)]
    known = entries().get(service)
    return list(dict.fromkeys([whole, *parts, *(known.names if known else ())]))


def _by_sound(folded: str) -> Iterator[tuple[str, str]]:
    """「せいかつほご」: written in kana alone, as children do, and who learns Japanese."""
    sound = _sound(folded)
    heard = [(spoken, id_, name) for spoken, id_, name in _sounds() if spoken in sound]
    longest = max((len(spoken) for spoken, _, _ in heard), default=0)
    yield from ((id_, name) for spoken, id_, name in heard if len(spoken) == longest)


@cache
def _sounds() -> tuple[tuple[str, str, str], ...]:
    heard = ((_sound(name), id_, name) for _, name, id_ in _national())
    return tuple(one for one in heard if len(one[0]) >= SHORTEST_SOUND)


def _sound(text: str) -> str:
    return "".join(sound for _, _, sound in sounds_of(text))


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).lower())

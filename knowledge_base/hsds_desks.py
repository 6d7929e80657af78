"""Locations of an HSDS file as desks: our own as they were, others' as far as their shape allows.

Elsewhere a location is a building, and phone and hours may hang on the location, on the service or on both together.
With us each desk has one phone and one week: where they differ, the same building is several desks.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from knowledge_base.areas import District
from knowledge_base.entries import DAYS
from knowledge_base.hsds_fit import Fitting, Place, objects, text
from knowledge_base.hsds_places import shut, week, written_address
from knowledge_base.hsds_terms import shared_id, town_id
from knowledge_base.rows import Row
from knowledge_base.town import Said, Typed
from knowledge_base.vocabulary import vocabulary

_NUMBER = re.compile(r"(?:\+81[\s-]*(?:\(0\))?|0)[\d\s()-]{7,14}\d|#\d{4}|1\d{2}")
#: Not for a voice.
_NO_PHONE = ("fax", "textphone", "pager", "text")
NOT_OURS = "「{name}」は、{town}の地区ではないので入れませんでした。"


@dataclass(frozen=True, slots=True)
class Desk:
    """A service at a location, as somebody else wrote it. `served`: how our desks name the service, "" for none."""

    location: Place
    service_place: str
    service: Mapping[str, Any]
    at: Mapping[str, Any]
    served: str

    def phone(self) -> tuple[str, str, str]:
        """The nearest number to call (of both together, of the location, of the service), where it stands, and what
        stands there beside it."""
        for place, phone in chain.from_iterable(self._sources("phones")):
            if text(phone, "type").lower() not in _NO_PHONE and (written := text(phone, "number")):
                number, extension = _number(written), phone.get("extension")
                beside = f"{written}（内線{extension}）" if isinstance(extension, int) else written
                return number, place, "" if re.fullmatch(r"[\d\s()+-]+", beside) else f"電話：{beside}"
        return "", f"{self.location[0]}.phones", ""

    def hours(self) -> tuple[dict[str, str], list[Said]]:
        """The nearest rules that are there."""
        return week([rule for _, rule in next(filter(None, self._sources("schedules")), [])])

    def name(self) -> str:
        """Of the location, or of whose it is."""
        organization = self.service.get("organization")
        whose = text(organization, "name") if isinstance(organization, Mapping) else ""
        return text(self.location[1], "name") or whose or text(self.service, "name")

    def _sources(self, kind: str) -> list[list[Place]]:
        at = f"{self.service_place}.service_at_locations"
        whose = (at, self.at), self.location, (self.service_place, self.service)
        return [objects(one, kind, place) for place, one in whose]


def state_in(town: str, kind: str, given: Mapping[str, Any], own: str) -> str:
    """What an entry that a Uketome wrote becomes: what it was, in the town that wrote it; elsewhere a draft."""
    if not town:
        return ""
    return "published" if text(given, "id") == town_id(town, kind, own) else "draft"


def areas_in(town: str, found: Sequence[District], state: str) -> tuple[list[str], list[Said]]:
    """The districts of what a Uketome wrote, by their ids; another town's are none of ours."""
    if state == "draft":
        return [], [(NOT_OURS, {"name": one.name[:60], "town": town}) for one in found]
    return [one.id for one in found], []


def own_desk(
    place: Place, marks: Mapping[str, Sequence[str]], districts: Sequence[District], served: Iterable[str], town: str
) -> Row:
    """A desk that a Uketome wrote: everything stands where we put it."""
    where, given = place
    own = text(given, "external_identifier")
    state = state_in(town, "desk", given, own)
    phones = [text(one, "number") for _, one in objects(given, "phones", "")]
    closed_on, weekly = shut([one for _, one in objects(given, "schedules", "")])
    hours, left_out = week(weekly)
    areas, not_ours = areas_in(town, districts, state)
    mark = {name: values[0] for name, values in marks.items()}
    single = {
        "name": text(given, "name"), "address": _address(given), "area": mark.get("area", ""),
        "note": text(given, "description"), "web": mark.get("web") or text(given, "url"),
        "checked": mark.get("checked", ""), "phone": phones[0] if phones else "",
        "holidays": mark.get("holidays", "closed"), "reach": mark.get("reach", "town"),
        "closed_on": "\n".join(closed_on), **hours,
    }  # fmt: skip
    services = dict.fromkeys([*mark.get("serves", "").split(), *filter(None, served)])
    typed = Typed(single, {"services": list(services), "areas": areas})
    return Row(where, "desk", own, typed, _inputs(where), state, [*left_out, *not_ours])


def desk_rows(found: Iterable[Desk]) -> Iterator[Row]:
    """One row for each desk: a location with its phone and its hours, and all that is served there."""
    groups: dict[tuple[str, str, str], list[Desk]] = {}
    for desk in found:
        where = text(desk.location[1], "id") or desk.location[0]
        groups.setdefault((where, desk.phone()[0], str(desk.hours()[0])), []).append(desk)
    rooms = Counter(where for where, _, _ in groups)
    taken: Counter[tuple[str, ...]] = Counter()
    for (where, _, _), desks in groups.items():
        yield _row(desks, rooms[where] == 1, _id(desks[0], taken))


def _row(desks: Sequence[Desk], alone: bool, id_: str) -> Row:
    one = desks[0]
    where, given = one.location
    (phone, at, beside), (hours, left_out) = one.phone(), one.hours()
    name = one.name()
    notes = [text(given, "description"), text(given, "transportation"), beside]
    single = {
        "name": name if alone else f"{name}（{text(one.service, 'name')}）", "address": _address(given), "phone": phone,
        "web": text(given, "url") or text(one.service, "url"), "note": "\n".join(filter(None, notes)), **hours,
    }  # fmt: skip
    services = list(dict.fromkeys(desk.served for desk in desks if desk.served))
    fitting = Fitting("desk", Typed(single, {"services": services}))
    return Row(
        where, "desk", id_, fitting.typed, _inputs(where) | {"phone": f"{at}.number"}, "draft",
        [*left_out, *fitting.left_out, *_taken_for(desks)],
    )  # fmt: skip


def _taken_for(desks: Sequence[Desk]) -> Iterator[Said]:
    """Services that are national ones with us: their own words are left behind."""
    known = vocabulary().services
    for desk in desks:
        if desk.served in known:
            values: dict[str, object] = {"name": text(desk.service, "name")[:60], "service": known[desk.served].ja}
            yield "「{name}」は、全国の支援「{service}」の窓口として入れます。", values


def _id(desk: Desk, taken: Counter[tuple[str, ...]]) -> str:
    """The same at every import, so that bringing the file again changes the desk rather than doubling it."""
    where = text(desk.location[1], "id")
    if not where:
        return ""
    parts: tuple[str, ...] = (where,)
    if taken[parts]:
        parts = (where, text(desk.service, "id"))
    taken[parts] += 1
    again = (str(taken[parts]),) if taken[parts] > 1 else ()
    return f"town_{shared_id('from', *parts, *again).replace('-', '')[:20]}"


def _inputs(where: str) -> dict[str, str]:
    paths = {
        "name": "name", "address": "addresses[0]", "phone": "phones[0].number", "web": "url", "note": "description",
        "area": "attributes", "reach": "attributes", "areas": "attributes", "closed_on": "schedules",
        "checked": "attributes", "holidays": "attributes", "services": "attributes",
        **{f"hours-{day}": "schedules" for day in DAYS},
    }  # fmt: skip
    return {name: f"{where}.{path}" for name, path in paths.items()}


def _address(location: Mapping[str, Any]) -> str:
    found = [one for _, one in objects(location, "addresses", "")]
    physical = [one for one in found if text(one, "address_type") != "postal"]
    return written_address((physical or found)[0]) if found else ""


def _number(written: str) -> str:
    """+81 and what stands around a number are taken off."""
    plain = unicodedata.normalize("NFKC", written)
    found = _NUMBER.search(re.sub(r"[‐‑‒–—―−ー]", "-", plain))
    return re.sub(r"^\+81[\s-]*(?:\(0\))?", "0", found[0]) if found else written

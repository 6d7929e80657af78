"""HSDS as it is brought in: a page of services, a list of them, one alone, or a whole file of ours.

What we wrote ourselves comes back as it was. What others wrote comes as drafts: it is fitted into what our entries
hold, and what has no place there is told (`Row.left_out`), so that `town.read` finds things lacking but none wrong.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from knowledge_base.areas import District
from knowledge_base.entries import entries
from knowledge_base.hsds_desks import Desk, areas_in, desk_rows, own_desk, state_in
from knowledge_base.hsds_fit import Fitting, Place, objects, text
from knowledge_base.hsds_places import raw_text
from knowledge_base.hsds_terms import FIELDS, MARKS, OURS, OWN_ID, SERVICES, district_of, known, shared_id
from knowledge_base.rows import NotRead, Row
from knowledge_base.town import Typed, folded
from knowledge_base.vocabulary import vocabulary

#: A service has one of these; an organization, or another's JSON, has none.
_OF_A_SERVICE = ("status", "organization_id", "organization", "service_at_locations", "eligibility_description")
NO_HSDS = "HSDS 3のデータではないようです。支援の一覧（services または contents）が入ったファイルを選んでください。"


def read(data: bytes, town: str = "") -> list[Row]:
    """The services and desks of a file, none of them checked yet. Raises NotRead.

    `town`: whose knowledge base it is for. Its own entries come as published, as they went out; without it nothing is
    said of what a Uketome wrote. All else comes as drafts.
    """
    return read_file(data, town)[0]


def read_file(data: bytes, town: str) -> tuple[list[Row], list[District]]:
    """The same, and all districts of the town that the file knows, by the ids that its rows name. Raises NotRead."""
    whole = _parsed(data)
    services, locations = _services(whole), _locations(whole)
    found = [_Service(place, given) for place, given in services]
    desks = _Desks(locations)
    for service in found:
        desks.add(service)
    rows = [*(row for service in found if (row := service.row(town))), *desks.rows(town)]
    return rows, _districts(whole, town)


def _districts(whole: Any, town: str) -> list[District]:
    listed = objects(whole, "taxonomy_terms", "") if isinstance(whole, Mapping) else []
    return [one for _, term in listed if (one := district_of(term, town))]


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotRead("文字コードがUTF-8ではないので、読めません。UTF-8で保存し直してください。") from None
    except RecursionError:
        raise NotRead("入れ子が深すぎるので、読めません。") from None
    except json.JSONDecodeError as error:
        raise NotRead("JSONとして読めません（{line}行目）。", line=error.lineno) from None
    except ValueError:  # a number of thousands of digits
        raise NotRead("JSONとして読めません。") from None


def _services(whole: Any) -> list[Place]:
    at, listed = "", whole
    if isinstance(whole, Mapping):
        at = next((name for name in ("services", "contents") if isinstance(whole.get(name), list)), "")
        listed = whole[at] if at else [whole]
    if not isinstance(listed, list):
        raise NotRead(NO_HSDS)
    found = [
        (f"{at}[{n}]", one) for n, one in enumerate(listed)
        if isinstance(one, Mapping) and any(name in one for name in _OF_A_SERVICE)
    ]  # fmt: skip
    if listed and not found:
        raise NotRead(NO_HSDS)
    return found


def _locations(whole: Any) -> list[Place]:
    return objects(whole, "locations", "") if isinstance(whole, Mapping) else []


@dataclass
class _Terms:
    """What the attributes of an object say, as far as we know them."""

    fields: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    marks: dict[str, list[str]] = field(default_factory=dict)
    districts: list[District] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def mark(self, name: str) -> str:
        return self.marks.get(name, [""])[0]


def _terms(given: Mapping[str, Any]) -> _Terms:
    found = _Terms()
    for _, attribute in objects(given, "attributes", ""):
        term = attribute.get("taxonomy_term")
        term = term if isinstance(term, Mapping) else {}
        id_ = text(attribute, "taxonomy_term_id") or text(term, "id")
        if id_ not in known() and (district := district_of(term, "")):
            found.districts.append(district)
            continue
        taxonomy, code = known().get(id_) or _by_name(text(term, "name"), text(term, "code"))
        if taxonomy == FIELDS:
            found.fields.append(code)
        elif taxonomy == SERVICES:
            found.services.append(code)
        elif taxonomy == MARKS:
            found.marks.setdefault(code, []).append(text(attribute, "value"))
        else:
            found.unknown.append(text(term, "name") or text(attribute, "value") or id_)
    return found


def _by_name(name: str, code: str) -> tuple[str, str]:
    """A field or a service that is called so, in whatever taxonomy."""
    fields = _field_names()
    if field_id := fields.get(folded(name)) or fields.get(code):
        return FIELDS, field_id
    service = _national(name)
    return (SERVICES, service) if service else ("", "")


def _national(name: str) -> str:
    """The national service of that name."""
    return _service_names().get(folded(name), "")


@cache
def _field_names() -> Mapping[str, str]:
    fields = vocabulary().fields
    return {**{folded(one.ja): one.id for one in fields.values()}, **{name: name for name in fields}}


@cache
def _service_names() -> Mapping[str, str]:
    """Official names, and what people call the service besides, where that is no other's name too."""
    named = [(folded(name), id_) for id_, entry in entries().items() for name in entry.names]
    often = Counter(name for name, _ in named)
    also = {name: id_ for name, id_ in named if often[name] == 1}
    return {**also, **{folded(one.ja): one.id for one in vocabulary().services.values()}}


class _Service:
    """One service of the file, and what it is with us: one of the town's own, or a national one."""

    def __init__(self, place: str, given: Mapping[str, Any]) -> None:
        self.place, self.given, self.terms = place, given, _terms(given)
        own = self.terms.mark("id")
        self.is_ours = bool(OWN_ID.fullmatch(own))
        if "national" in self.terms.marks:
            self.national = next(iter(self.terms.services), "")
        else:
            self.national = "" if self.is_ours else _national(text(given, "name"))
        id_ = text(given, "id")
        self.id = own if self.is_ours else f"town_{shared_id('from', id_).replace('-', '')[:20]}" if id_ else ""

    @property
    def served(self) -> str:
        """How a desk names it."""
        return self.national or self.id

    def row(self, town: str) -> Row | None:
        """None for a national service: it is there already."""
        if self.national or "national" in self.terms.marks:
            return None
        inputs = {
            "name": "name", "about": "description", "who": "eligibility_description", "cost": "fees_description",
            "begin": "application_process", "bring": "required_documents", "web": "url", "checked": "assured_date",
            "note": "attributes", "like": "attributes", "fields": "attributes", "voices": "attributes",
            "reach": "attributes", "areas": "attributes",
        }  # fmt: skip
        places = {name: f"{self.place}.{path}" for name, path in inputs.items()}
        typed = Typed(self._single(), {"fields": list(dict.fromkeys(self.terms.fields))})
        if self.is_ours:
            state = state_in(town, "service", self.given, self.id)
            areas, left_out = areas_in(town, self.terms.districts, state)
            typed = Typed(
                {**typed.single, "reach": self.terms.mark("reach") or "town"}, {**typed.several, "areas": areas}
            )
            return Row(self.place, "service", self.id, typed, places, state, left_out)
        fitting = Fitting("service", typed)
        fitting.left_out += [
            ("「{name}」という分類は、こちらの分野にないので入れませんでした。", {"name": name[:60]})
            for name in dict.fromkeys(self.terms.unknown)
        ]
        if text(self.given, "status") not in ("", "active"):
            fitting.left_out.append(("もとのデータでは、いま行われていない支援です。", {}))
        return Row(self.place, "service", self.id, fitting.typed, places, "draft", fitting.left_out)

    def _single(self) -> dict[str, str]:
        given, terms = self.given, self.terms
        documents = [raw_text(one, "document") for _, one in objects(given, "required_documents", "")]
        single = {
            "name": text(given, "name"), "about": text(given, "description"), "cost": _cost(given),
            "who": _who(given), "begin": text(given, "application_process"), "bring": "\n".join(documents),
            "web": terms.mark("web") or text(given, "url"), "checked": text(given, "assured_date"),
            "like": next(iter(terms.services), ""), "note": terms.mark("note") if self.is_ours else _notes(given),
        }  # fmt: skip
        # Only the town's own copy has examples: a file without them says nothing about them.
        return single | ({"voices": "\n".join(terms.marks["voice"])} if "voice" in terms.marks else {})


def _cost(given: Mapping[str, Any]) -> str:
    if words := text(given, "fees_description") or text(given, "fees"):
        return words
    return "\n".join(filter(None, (_option(one) for _, one in objects(given, "cost_options", ""))))


def _option(option: Mapping[str, Any]) -> str:
    amount, currency = option.get("amount"), text(option, "currency").upper()
    known_amount = isinstance(amount, int | float) and not isinstance(amount, bool)
    told = (f"{amount:,}円" if currency in ("", "JPY") else f"{amount:,} {currency}") if known_amount else ""
    return " ".join(filter(None, (text(option, "option"), told, text(option, "amount_description"))))


def _who(given: Mapping[str, Any]) -> str:
    ends = (("minimum_age", "から"), ("maximum_age", "まで"))
    ages = "".join(f"{given[name]:g}歳{end}" for name, end in ends if _is_age(given.get(name)))
    return "\n".join(filter(None, (text(given, "eligibility_description"), ages)))


def _is_age(age: object) -> bool:
    return isinstance(age, int | float) and not isinstance(age, bool) and 0 <= age < 150


def _notes(given: Mapping[str, Any]) -> str:
    """What others say of a service and we have no input of its own for."""
    email = text(given, "email")
    told = [text(given, name) for name in ("alert", "interpretation_services", "accreditations")]
    return "\n".join(filter(None, (*told, f"メール：{email}" if email else "")))


class _Desks:
    """The desks of a file: a location that several services name is one of them, unless phone or hours differ."""

    def __init__(self, locations: Iterable[Place]) -> None:
        self._known: dict[str, Place] = {}
        self._own: dict[str, tuple[Place, list[str]]] = {}
        self._others: list[Desk] = []
        for place in locations:
            self._know(place)

    def add(self, service: _Service) -> None:
        """The desks that a service names; one with only a number to call is a desk of its own."""
        somewhere = False
        for place, at in objects(service.given, "service_at_locations", service.place):
            if location := self._location(place, at):
                self._add(service, at, location)
                somewhere = True
        if not somewhere and not service.is_ours and objects(service.given, "phones", ""):
            nowhere = (service.place, {"id": f"of {service.id}"})
            self._others.append(Desk(nowhere, service.place, service.given, {}, service.served))

    def rows(self, town: str) -> Iterator[Row]:
        for place, served in self._own.values():
            terms = _terms(place[1])
            yield own_desk(place, terms.marks, terms.districts, served, town)
        yield from desk_rows(self._others)

    def _location(self, place: str, at: Mapping[str, Any]) -> Place | None:
        nested = at.get("location")
        if isinstance(nested, Mapping):
            self._know((f"{place}.location", nested))
            return self._known.get(text(nested, "id"), (f"{place}.location", nested))
        return self._known.get(text(at, "location_id"))

    def _know(self, place: Place) -> None:
        id_ = text(place[1], "id")
        self._known.setdefault(id_ or place[0], place)
        if _is_own(place[1]):
            self._own.setdefault(text(place[1], "external_identifier"), (place, []))

    def _add(self, service: _Service, at: Mapping[str, Any], location: Place) -> None:
        if _is_own(location[1]):
            self._own[text(location[1], "external_identifier")][1].append(service.served)
        else:
            self._others.append(Desk(location, service.place, service.given, at, service.served))


def _is_own(location: Mapping[str, Any]) -> bool:
    own = text(location, "external_identifier_type") == OURS
    return own and bool(OWN_ID.fullmatch(text(location, "external_identifier")))

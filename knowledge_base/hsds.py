"""What is published as open data, in the form of HSDS 3 (Open Referral Human Services Data Specification).

The town's own services and the national ones are HSDS services, desks are locations, and who is served where is a
service at location. Nothing but the published versions is read; the example sentences, which nobody is shown, go out
only into the town's own copy (`examples`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge_base.entries import Entry, entries
from knowledge_base.hsds_places import address, schedules, uri
from knowledge_base.hsds_terms import (
    DISTRICTS,
    FIELDS,
    MARKS,
    OURS,
    PLACE_BETWEEN,
    SERVICES,
    VERSION,
    Object,
    attribute,
    district_term,
    linked,
    shared_id,
    taxonomies,
    terms,
    town_id,
)
from knowledge_base.live import Live, Published
from knowledge_base.vocabulary import Service, vocabulary

PROFILE = "https://docs.openreferral.org/en/v3.0/hsds/"
NATION, PREFECTURE = "全国", "この都道府県"
OPENAPI = "https://raw.githubusercontent.com/openreferral/specification/3.0/schema/openapi.json"


@dataclass(frozen=True)
class Tables:
    """Everything that is published, by id. Services hold all that belongs to them, down to the desk's address."""

    organizations: Mapping[str, Object]
    services: Mapping[str, Object]
    service_at_locations: Mapping[str, Object]
    locations: Mapping[str, Object]
    taxonomies: Mapping[str, Object]
    taxonomy_terms: Mapping[str, Object]


def about() -> Object:
    """What the standard has an API say of itself."""
    return {"version": VERSION, "profile": PROFILE, "openapi_url": OPENAPI}


def tables(published: Published, town: str, *, examples: bool = False) -> Tables:
    """All that counts now. `examples`: with the example sentences, and with the desks' links to what is no longer, or
    not yet, published: for the town's own copy."""
    writer = _Writer(published, town, examples)
    services = [writer.own(one) for one in sorted(published.services, key=lambda one: one.id)]
    services += [writer.national(one) for one in vocabulary().services.values()]
    return Tables(
        _by_id(writer.organizations.values()), _by_id(services),
        _by_id(at for service in services for at in service.get("service_at_locations", ())),
        _by_id(writer.locations.values()), taxonomies(), {**terms(), **_by_id(writer.districts.values())},
    )  # fmt: skip


def one_file(found: Tables) -> bytes:
    """All tables in one JSON. A desk stands once, under `locations`, and a service names it by `location_id`."""
    services = [
        {**one, "service_at_locations": [bare(at, without=("location",)) for at in one["service_at_locations"]]}
        if "service_at_locations" in one else one
        for one in found.services.values()
    ]  # fmt: skip
    parts: Mapping[str, Iterable[Object]] = {
        "organizations": found.organizations.values(), "services": services, "locations": found.locations.values(),
        "taxonomies": found.taxonomies.values(), "taxonomy_terms": found.taxonomy_terms.values(),
    }  # fmt: skip
    # An object a line, so that two files can be compared; `indent` would write ten times as slowly.
    written = [f"{_json(name)}: {_json(value)}" for name, value in about().items()]
    for name, objects in parts.items():
        lines = ",\n".join(map(_json, objects))
        written.append(f"{_json(name)}: [\n{lines}\n]")
    return ("{" + ",\n".join(written) + "}\n").encode()


def bare(given: Mapping[str, Any], without: Sequence[str] = ()) -> Object:
    """An object with only what stands in it once: no lists, and none in what it holds."""
    return {
        name: bare(value) if isinstance(value, Mapping) else value
        for name, value in given.items() if not isinstance(value, list) and name not in without
    }  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class _Writer:
    def __init__(self, published: Published, town: str, examples: bool) -> None:
        self._published, self._town, self._examples = published, town, examples
        self.districts = {one.id: district_term(town, one) for one in published.areas.districts}
        self.organizations = {
            "town": self._organization("town", town, f"{town}の支援と窓口です。"),
            "nation": self._organization(
                "nation",
                "全国共通の制度",
                f"法律や国の事業にもとづく支援のうち、{town}の窓口が登録されていないものです。",
            ),
        }
        desks = (one for one in published.entries.values() if one.kind == "desk")
        self.locations = {one.id: self._location(one) for one in sorted(desks, key=lambda one: one.id)}

    def own(self, service: Live) -> Object:
        """A service of the town's own."""
        content, id_ = _content(service), town_id(self._town, "service", service.id)
        marks = {
            "id": [service.id], "note": [content["note"]], "web": _odd(content["web"]), "reach": _reach(content),
        }  # fmt: skip
        if self._examples:
            marks["voice"] = content["voices"]
        return self._service(
            id_, service.id, content["fields"], content["like"], marks, content,
            name=content["name"], description=content["about"], url=uri(content["web"]),
            eligibility_description=content["who"], application_process=content["begin"],
            assured_date=content["checked"], **_cost(id_, content["cost"]), **_documents(id_, _lines(content["bring"])),
        )  # fmt: skip

    def national(self, service: Service) -> Object:
        """A service that is the same in every town, with this town's desks."""
        entry, id_ = entries().get(service.id), town_id(self._town, "service", service.id)
        marks: dict[str, Sequence[str]] = {"national": [service.id]}
        told: Object = {"description": service.about}
        if entry:
            marks |= {"after": [entry.after], "law": [entry.law], "easy": [entry.easy], "source": _sources(entry)}
            told = {
                "alternate_name": "、".join(entry.names), "description": entry.what, "url": uri(entry.source[0].url),
                "eligibility_description": entry.who, "application_process": entry.begin,
                "assured_date": entry.checked.isoformat() if entry.checked else "",
                **_cost(id_, entry.cost), **_documents(id_, entry.bring),
            }  # fmt: skip
        return self._service(id_, service.id, service.fields, service.id, marks, None, name=service.ja, **told)

    def _service(
        self, id_: str, ours: str, fields: Iterable[str], like: str, marks: Mapping[str, Sequence[str]],
        content: Mapping[str, Any] | None, **told: Any,
    ) -> Object:  # fmt: skip
        """`content`: of one of the town's own; None for a national one."""
        desks = sorted(self._published.serving.get(ours, ()), key=lambda one: one.id)
        organization = self.organizations["nation" if "national" in marks and not desks else "town"]
        terms = [attribute("service", id_, FIELDS, one) for one in fields if one in vocabulary().fields]
        if like in vocabulary().services:
            terms.append(attribute("service", id_, SERVICES, like))
        terms += self._in_districts("service", id_, content or {})
        return _filled(
            id=id_, organization_id=organization["id"], status="active", **told,
            service_areas=[
                _filled(
                    id=shared_id("area", id_, name), service_id=id_, name=name, extent=places,
                    extent_type="text" if places else "",
                )
                for name, places in self._areas(content, desks).items()
            ],
            service_at_locations=[self._at(id_, desk) for desk in desks],
            languages=[{"id": shared_id("language", id_), "service_id": id_, "name": "日本語", "code": "ja"}],
            organization=organization, attributes=[*terms, *_marked("service", id_, marks)],
        )  # fmt: skip

    def _areas(self, content: Mapping[str, Any] | None, desks: Sequence[Live]) -> dict[str, str]:
        """Where a service is for, each with the 町名 in it: as it says itself, else its desks' areas, unless one of
        them is for the whole town."""
        if content is None and not desks:
            return {NATION: ""}
        if own := self._area(content or {}):
            return own
        areas = [self._area(_content(desk)) for desk in desks]
        if areas and all(areas):
            return {name: places for area in areas for name, places in area.items()}
        return {self._town: ""}

    def _area(self, content: Mapping[str, Any]) -> dict[str, str]:
        """The area of one entry; none for the whole town."""
        reach = content.get("reach")
        if reach in ("prefecture", "nation"):
            return {NATION if reach == "nation" else self._published.areas.prefecture or PREFECTURE: ""}
        known = self._published.areas.by_id
        if districts := [known[one] for one in content.get("areas") or () if one in known]:
            return {one.name: PLACE_BETWEEN.join(one.spellings) for one in districts}
        return {content["area"]: ""} if content.get("area") else {}

    def _in_districts(self, entity: str, id_: str, content: Mapping[str, Any]) -> list[Object]:
        return [
            linked(entity, id_, DISTRICTS, self.districts[one])
            for one in content.get("areas") or () if one in self.districts
        ]  # fmt: skip

    def _at(self, service: str, desk: Live) -> Object:
        location = self.locations[desk.id]
        area = "、".join(self._area(_content(desk)))
        return _filled(
            id=shared_id("at", service, location["id"]), service_id=service, location_id=location["id"],
            description=f"受け持つ地域：{area}" if area else "", location=location,
        )  # fmt: skip

    def _location(self, desk: Live) -> Object:
        content, id_ = _content(desk), town_id(self._town, "desk", desk.id)
        served = content["services"] if self._examples else filter(self._is_published, content["services"])
        marks = {
            "serves": [" ".join(served)], "area": [content["area"]], "holidays": [content["holidays"] or "closed"],
            "checked": [content["checked"]], "web": _odd(content["web"]), "reach": _reach(content),
        }  # fmt: skip
        phone = {"id": shared_id("phone", id_), "location_id": id_, "number": content["phone"], "type": "voice"}
        return _filled(
            id=id_, location_type="physical" if content["address"] else "virtual", url=uri(content["web"]),
            organization_id=town_id(self._town, "organization", "town"), name=content["name"],
            description=content["note"], external_identifier=desk.id, external_identifier_type=OURS,
            addresses=[address(id_, content["address"], self._town)] if content["address"] else [],
            phones=[phone] if content["phone"] else [], schedules=schedules(id_, content),
            attributes=[*_marked("location", id_, marks), *self._in_districts("location", id_, content)],
        )  # fmt: skip

    def _is_published(self, service: str) -> bool:
        return service in vocabulary().services or service in self._published.entries

    def _organization(self, which: str, name: str, about: str) -> Object:
        return {"id": town_id(self._town, "organization", which), "name": name, "description": about}


def _content(entry: Live) -> Mapping[str, Any]:
    """What an entry says; a part that its version did not have yet is empty."""
    return defaultdict(str, entry.content)


def _reach(content: Mapping[str, Any]) -> list[str]:
    """Further than the town, which goes without saying."""
    reach = content["reach"]
    return [reach] if reach in ("prefecture", "nation") else []


def _filled(**parts: Any) -> Object:
    """Without what nobody filled in: an absent part says that better than an empty one."""
    return {name: value for name, value in parts.items() if value not in ("", [], None)}


def _marked(entity: str, id_: str, marks: Mapping[str, Sequence[str]]) -> list[Object]:
    return [
        attribute(entity, id_, MARKS, code, value, at)
        for code, values in marks.items() for at, value in enumerate(values) if value
    ]  # fmt: skip


def _cost(service: str, cost: str) -> Object:
    """Words, and an amount only where they say nothing but that it is free."""
    if not cost:
        return {}
    option: Object = {"id": shared_id("cost", service), "service_id": service, "amount_description": cost}
    if cost.rstrip("。") in ("無料", "無料です"):
        option |= {"amount": 0, "currency": "JPY"}
    return {"fees_description": cost, "cost_options": [option]}


def _documents(service: str, documents: Sequence[str]) -> Object:
    return {
        "required_documents": [
            {"id": shared_id("document", service, str(at)), "service_id": service, "document": document}
            for at, document in enumerate(documents)
        ]
    }


def _lines(text: str) -> list[str]:
    """One document of a line; as one where a line is empty, so that nothing of the text is lost."""
    lines = text.split("\n")
    return lines if all(line.strip() for line in lines) else [text] if text else []


def _sources(entry: Entry) -> list[str]:
    return [f"{one.name} {one.url}" for one in entry.source]


def _odd(web: str) -> list[str]:
    """An address that `uri` could not keep letter for letter."""
    return [web] if uri(web) != web else []


def _by_id(objects: Iterable[Object]) -> dict[str, Object]:
    return {one["id"]: one for one in objects}

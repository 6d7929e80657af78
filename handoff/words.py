"""The words of the handoff, read from one file: to residents when a person takes over, and on the staff's pages."""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from handoff.tongue import language, say
from knowledge_base import live
from knowledge_base.vocabulary import vocabulary

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Words:
    """One name for each id, by kind of id; an id that is unknown here is shown as it is."""

    resident: dict[str, dict[str, str]]
    relations_kindly: dict[str, str]
    someone: str
    others_kindly: dict[str, str]
    others: dict[str, str]
    fields_plainly: dict[str, str]
    household: str
    wish: str
    tried: str
    not_yet: str
    relations: dict[str, str]
    speakers: dict[str, str]
    channels: dict[str, str]
    languages: dict[str, str]
    unread: str
    unread_but_danger: str
    levels: dict[str, str]
    levels_mean: dict[str, str]
    kinds: dict[str, str]
    statuses: dict[str, str]
    topics: dict[str, str]
    confidences: dict[str, str]
    senders: dict[str, str]
    attachments: dict[str, str]
    taken_back: str
    events: dict[str, str]
    roles: dict[str, str]
    actions: dict[str, str]
    details: dict[str, str]
    topics_short: dict[str, str]
    ways: dict[str, str]
    sexes: dict[str, str]
    corrections: dict[str, str]
    correction_states: dict[str, str]
    means: dict[str, str]
    visits: dict[str, str]


@cache
def words() -> Words:
    """The words, as the file has them."""
    read: dict[str, Any] = yaml.safe_load((HERE / "words.yml").read_text(encoding="utf-8"))
    return Words(**read)


def spoken() -> Words:
    """The words in the language of the staff's pages. What goes to residents or onto official forms takes `words`."""
    return _spoken(language())


def field_name(field: str) -> str:
    """The field in Japanese, for official forms and letters."""
    known = vocabulary().fields.get(field)
    return known.ja if known else field


def spoken_field(field: str) -> str:
    """The field in the language of the staff's pages."""
    return say(field_name(field))


def spoken_fields() -> list[tuple[str, str]]:
    """Every field's id and name, in the knowledge base's order."""
    return [(id_, spoken_field(id_)) for id_ in vocabulary().fields]


def language_name(language: str) -> str:
    """The language as staff know it."""
    return words().languages.get(language, language)


def to_resident(what: str, language: str) -> str:
    """What a resident is told at a handover, in their language; in Japanese where there is no other."""
    told = words().resident
    return told.get(language, told["ja"])[what]


def service_name(service: str) -> str:
    """The service in Japanese: what it is called in the law, or by the town."""
    return live.now().name(service) or service


def spoken_service(service: str) -> str:
    """The service in the language of the staff's pages; what a town adds is called as the town calls it."""
    return say(service_name(service))


def confidence_in_words(confidence: float) -> str:
    """How sure the machine is, said rather than counted."""
    level = "high" if confidence >= 0.8 else "middle" if confidence >= 0.55 else "low"
    return spoken().confidences[level]


@cache
def _spoken(_language: str) -> Words:
    known = words()
    return Words(**{one.name: _said(getattr(known, one.name)) for one in fields(Words)})


def _said(told: Any) -> Any:
    return {id_: _said(part) for id_, part in told.items()} if isinstance(told, dict) else say(told)

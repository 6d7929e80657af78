"""The content of the knowledge base, typed and checked: fields, services, hotlines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml

CONTENT = Path(__file__).parent / "content"
SUPPORTS = ("soudan", "sanka", "chiiki")
T = TypeVar("T")


class ContentError(Exception):
    """The content is wrong; the message is one sentence that names the file, the entry and what is allowed."""


@dataclass(frozen=True, slots=True)
class Field:
    """分野. `covers` lists in Japanese what belongs to it; `support` is which of the three supports it opens into."""

    id: str
    ja: str
    support: str
    covers: str


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of service that any town has or can refer to. `about` is one sentence for residents."""

    id: str
    ja: str
    fields: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Hotline:
    """A public helpline. `free` is None where it depends on the region; only checked numbers may be shown.

    `looked_at`: when its number was last compared with public pages, or dialled.
    """

    id: str
    name: str
    number: str
    hours: str
    free: bool | None
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    number_checked: bool
    hours_checked: bool
    languages: tuple[str, ...]
    max_age: int | None
    note: str
    looked_at: date


@dataclass(frozen=True, slots=True)
class Vocabulary:
    fields: Mapping[str, Field]
    services: Mapping[str, Service]
    hotlines: Mapping[str, Hotline]


@cache
def vocabulary(folder: Path = CONTENT) -> Vocabulary:
    """Reads and checks all three files. Raises ContentError."""
    fields = _entries(folder / "fields.yml", "fields", _field)
    services = _entries(folder / "services.yml", "services", _service)
    checked = _checked_on(folder / "hotlines.yml")
    hotlines = _entries(folder / "hotlines.yml", "hotlines", lambda row: _hotline(row, checked))
    for service in services.values():
        _only_known(folder / "services.yml", service.id, service.fields, fields)
    for hotline in hotlines.values():
        _only_known(folder / "hotlines.yml", hotline.id, hotline.fields, fields)
    return Vocabulary(fields, services, hotlines)


def _entries(path: Path, key: str, build: Callable[[Mapping[str, Any]], T]) -> dict[str, T]:
    rows = _rows(path, key)
    entries: dict[str, T] = {}
    for at, row in enumerate(rows, start=1):
        name = row.get("id") if isinstance(row, Mapping) else None
        if not isinstance(name, str) or not name:
            raise ContentError(f"{path.name}: entry {at} has no id.")
        if name in entries:
            raise ContentError(f"{path.name}: the id {name} is there twice.")
        try:
            entries[name] = build(row)
        except KeyError as missing:
            raise ContentError(f"{path.name}: {name} lacks {missing.args[0]}.") from missing
        except (TypeError, ValueError) as wrong:
            raise ContentError(f"{path.name}: {name}: {wrong}") from wrong
    return entries


def _rows(path: Path, key: str) -> Iterable[Any]:
    rows = _file(path).get(key)
    if not isinstance(rows, list):
        raise ContentError(f"{path.name} must hold a list under `{key}:`.")
    return rows


def _checked_on(path: Path) -> date:
    """When the whole file was last compared with public pages."""
    found = _file(path).get("checked_on")
    if not isinstance(found, date):
        raise ContentError(f"{path.name} must hold a date under `checked_on:`.")
    return found


def _file(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContentError(f"{path.name} cannot be read as YAML.") from error
    return data if isinstance(data, Mapping) else {}


def _field(row: Mapping[str, Any]) -> Field:
    if row["support"] not in SUPPORTS:
        raise ValueError(f"support must be one of {', '.join(SUPPORTS)}.")
    return Field(row["id"], _text(row, "ja"), row["support"], _text(row, "covers"))


def _service(row: Mapping[str, Any]) -> Service:
    return Service(row["id"], _text(row, "ja"), _names(row, "fields"), _text(row, "about"))


def _hotline(row: Mapping[str, Any], checked: date) -> Hotline:
    number = _text(row, "number")
    if not number.strip("0123456789-#") == "":
        raise ValueError("number may hold digits, hyphens and # only.")
    return Hotline(
        id=row["id"],
        name=_text(row, "name"),
        number=number,
        hours=_text(row, "hours"),
        free=row["free"],
        kinds=_names(row, "for"),
        fields=_names(row, "fields") if "fields" in row else (),
        number_checked=row["number_checked"] is True,
        hours_checked=row["hours_checked"] is True,
        languages=_names(row, "languages") if "languages" in row else ("ja",),
        max_age=row.get("audience", {}).get("max_age"),
        note=row.get("note", ""),
        looked_at=_day(row.get("dialled_on", checked)),
    )


def _day(value: Any) -> date:
    if not isinstance(value, date):
        raise ValueError("dialled_on must be a date.")
    return value


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} must be text.")
    return value


def _names(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row[key]
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{key} must be a list of names.")
    return tuple(value)


def _only_known(path: Path, name: str, fields: Iterable[str], known: Mapping[str, Field]) -> None:
    for field in fields:
        if field not in known:
            raise ContentError(f"{path.name}: {name} names the field {field}, which is not in fields.yml.")

"""What the knowledge base says of each service, for residents and staff, and the desks of the demo town."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from knowledge_base.areas import REACHES
from knowledge_base.vocabulary import CONTENT, ContentError, vocabulary

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAYS = ("closed", "open")
FILLED_BY_TOWN = ("address", "hours", "phone", "web", "note")
LONGEST_SENTENCE = 60
LONGEST_EASY_SENTENCE = 40
KANJI_IN_A_ROW = 4

# National and official: the state's own pages, and bodies that a law or a ministry charges with the service.
OFFICIAL = (".go.jp", ".houterasu.or.jp", ".shakyo.or.jp", ".ganjoho.jp")
# A promise, a refusal or a slur: none of them is ours to write.
NEVER = ("対象外", "担当外", "必ず", "絶対", "きっと", "ナマポ")
# Numbers are kept in hotlines.yml and in a town's desks, where somebody dials and dates them.
PHONE = re.compile(
    r"[#＃]\d|(?<!\d)0\d{1,4}[-‐‑–−ー( ]?\d|\d{3,}[-‐‑–−ー]\d{2,}|\d{6,}|(?<!\d)1(?:10|18|19|71|88|89)(?![\d条円])"
)
KANJI = re.compile(rf"[一-鿿々〆]{{{KANJI_IN_A_ROW + 1},}}")
# What can never ring anybody: no number in Japan begins with three zeros.
MADE_UP_PHONE = re.compile(r"000-0000-\d{4}")


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry's facts stand: `name` says whose page it is and what it is called."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A service in full. `checked` is the day somebody read what it says against the text of its law or its programme;
    None says that nobody has done so yet.

    `easy` is the same in やさしい日本語, `town` what only the town can fill in, `names` what people also call it.
    """

    id: str
    names: tuple[str, ...]
    what: str
    who: str
    cost: str
    begin: str
    bring: tuple[str, ...]
    after: str
    law: str
    source: tuple[Source, ...]
    checked: date | None
    town: tuple[str, ...]
    easy: str


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours on some days of the week, the same on each of them."""

    days: tuple[str, ...]
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Desk:
    """Where people go in one town. A desk may serve many services, and a service may have a desk in each district."""

    id: str
    name: str
    address: str
    phone: str
    hours: tuple[Hours, ...]
    open_on_holidays: bool
    note: str
    services: tuple[str, ...]
    areas: tuple[str, ...] = ()
    reach: str = "town"


@cache
def entries(folder: Path = CONTENT / "entries") -> Mapping[str, Entry]:
    """Reads and checks one file after the other. Raises ContentError."""
    found: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.yml")):
        for name, row in _mapping(path).items():
            _known(path, name)
            if name in found:
                raise ContentError(f"{path.name}: {name} is described twice.")
            found[name] = _entry(path, name, row)
    return found


@cache
def demo_town(path: Path = CONTENT / "demo_town.yml") -> Mapping[str, Desk]:
    """The desks of うけとめ市, a town that does not exist. Raises ContentError."""
    rows = _mapping(path).get("desks")
    if not isinstance(rows, Mapping):
        raise ContentError(f"{path.name} must hold the desks under `desks:`.")
    desks = {name: _desk(path, name, row) for name, row in rows.items()}
    for desk in desks.values():
        for service in desk.services:
            _known(path, service)
    return desks


@cache
def demo_districts(path: Path = CONTENT / "demo_town.yml") -> Mapping[str, Any]:
    """The districts of うけとめ市, as they are kept in the database (storage/knowledge.py)."""
    town = _mapping(path)
    districts = [{name: one[name] for name in ("id", "name", "spellings")} for one in town["districts"]]
    return {
        "town": town["town"], "prefecture": "", "neighbours": town["neighbours"], "districts": districts,
        "next": len(districts) + 1,
    }  # fmt: skip


def sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<=[。！？])\s*", text.strip()) if sentence]


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContentError(f"{path.name} cannot be read as YAML.") from error
    if not isinstance(data, Mapping):
        raise ContentError(f"{path.name} must hold entries, each under its id.")
    return data


def _known(path: Path, name: str) -> None:
    if name not in vocabulary().services:
        raise ContentError(f"{path.name}: {name} is not the id of a service in services.yml.")


def _entry(path: Path, name: str, row: Any) -> Entry:
    try:
        entry = Entry(
            id=name,
            names=_texts(row, "names"),
            what=_prose(row, "what"),
            who=_prose(row, "who"),
            cost=_prose(row, "cost"),
            begin=_prose(row, "begin"),
            bring=_texts(row, "bring"),
            after=_prose(row, "after"),
            law=_text(row, "law"),
            source=_sources(row),
            checked=_date(row, "checked"),
            town=_chosen(row, "town", FILLED_BY_TOWN),
            easy=_easy(row),
        )
        _no_phone(entry)
    except KeyError as missing:
        raise ContentError(f"{path.name}: {name} lacks {missing.args[0]}.") from missing
    except (TypeError, ValueError) as wrong:
        raise ContentError(f"{path.name}: {name}: {wrong}") from wrong
    return entry


def _no_phone(entry: Entry) -> None:
    prose = (entry.what, entry.who, entry.cost, entry.begin, entry.after, entry.law, entry.easy)
    for text in chain(prose, entry.names, entry.bring, (source.name for source in entry.source)):
        if number := PHONE.search(unicodedata.normalize("NFKC", text)):
            raise ValueError(
                f"「{number.group()}」 looks like a phone number, which belongs in hotlines.yml or to a town."
            )


def _prose(row: Mapping[str, Any], key: str) -> str:
    text = _text(row, key)
    for word in NEVER:
        if word in text:
            raise ValueError(f"{key} must not say 「{word}」.")
    return _short(key, text, LONGEST_SENTENCE)


def _easy(row: Mapping[str, Any]) -> str:
    text = _prose(row, "easy")
    if word := KANJI.search(text):
        raise ValueError(f"easy may have {KANJI_IN_A_ROW} kanji in a row at most, not 「{word.group()}」.")
    if " " not in text:
        raise ValueError("easy must have spaces between the phrases.")
    return _short("easy", text, LONGEST_EASY_SENTENCE)


def _short(key: str, text: str, longest: int) -> str:
    for sentence in sentences(text):
        if len(sentence.replace(" ", "")) > longest:
            raise ValueError(f"{key} has a sentence longer than {longest} characters: 「{sentence}」")
    return text


def _sources(row: Mapping[str, Any]) -> tuple[Source, ...]:
    value = row["source"]
    if not isinstance(value, list) or not value:
        raise ValueError("source must be a list with at least one page.")
    return tuple(_source(page) for page in value)


def _source(page: Any) -> Source:
    source = Source(_text(page, "name"), _text(page, "url"))
    parts = urlsplit(source.url)
    if parts.scheme != "https" or not f".{parts.hostname or ''}".endswith(OFFICIAL):
        raise ValueError(f"{source.url} must be an https page of a national and official body.")
    return source


def _date(row: Mapping[str, Any], key: str) -> date | None:
    value = row[key]
    if value is not None and type(value) is not date:
        raise ValueError(f"{key} must be a date or null.")
    return value


def _desk(path: Path, name: str, row: Any) -> Desk:
    try:
        return Desk(
            id=name,
            name=_text(row, "name"),
            address=_text(row, "address"),
            phone=_made_up(row),
            hours=_hours(row),
            open_on_holidays=_one_of(row, "holidays", HOLIDAYS) == "open",
            note=_text(row, "note"),
            services=_texts(row, "services"),
            areas=_texts(row, "areas") if "areas" in row else (),
            reach=_one_of(row, "reach", REACHES) if "reach" in row else "town",
        )
    except KeyError as missing:
        raise ContentError(f"{path.name}: {name} lacks {missing.args[0]}.") from missing
    except (TypeError, ValueError) as wrong:
        raise ContentError(f"{path.name}: {name}: {wrong}") from wrong


def _made_up(row: Mapping[str, Any]) -> str:
    number = _text(row, "phone")
    if not MADE_UP_PHONE.fullmatch(number):
        raise ValueError("phone must be one that can never ring anybody, as 000-0000-1101.")
    return number


def _hours(row: Mapping[str, Any]) -> tuple[Hours, ...]:
    value = row["hours"]
    if not isinstance(value, list) or not value:
        raise ValueError("hours must be a list with days, from and until.")
    return tuple(_span(span) for span in value)


def _span(span: Mapping[str, Any]) -> Hours:
    hours = Hours(_chosen(span, "days", DAYS), _time(span, "from"), _time(span, "until"))
    if hours.start >= hours.end:
        raise ValueError(f"hours end at {hours.end:%H:%M}, which is not after they begin.")
    return hours


def _time(span: Mapping[str, Any], key: str) -> time:
    written = _text(span, key)
    if not (parts := re.fullmatch(r"(\d{1,2}):(\d{2})", written)):
        raise ValueError(f"{key} must be written as 8:30, not 「{written}」.")
    return time(int(parts[1]), int(parts[2]))


def _chosen(row: Mapping[str, Any], key: str, allowed: Iterable[str]) -> tuple[str, ...]:
    chosen = _texts(row, key)
    for name in chosen:
        if name not in allowed:
            raise ValueError(f"{key} may hold {', '.join(allowed)}, not {name}.")
    return chosen


def _one_of(row: Mapping[str, Any], key: str, allowed: Iterable[str]) -> str:
    value = _text(row, key)
    if value not in allowed:
        raise ValueError(f"{key} must be one of {', '.join(allowed)}.")
    return value


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} must be text.")
    return value


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row[key]
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name.strip() for name in value):
        raise ValueError(f"{key} must be a list of texts.")
    return tuple(value)

"""The official forms as data: handoff/forms.yml, and over it what the town's admin has changed.

The town's own tables are one row of `town_tables`, so that an update of Uketome never overwrites them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.orm import Session

from handoff.tongue import say
from storage.support import TownTable

FILE = Path(__file__).parent / "forms.yml"
TABLE = "forms"


@dataclass(frozen=True)
class Tick:
    """Something to tick, and what ticks it: fields (with words that must stand in what they rest on), or dangers."""

    id: str
    ja: str
    fields: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One item of a form."""

    id: str
    ja: str
    kind: str
    source: str = ""
    quotes: tuple[str, ...] = ()
    ticks: str = ""
    half: bool = False
    help: str = ""
    lines: int = 1

    @property
    def written(self) -> bool:
        """Whether text is written into it."""
        return self.kind in ("short", "long")


@dataclass(frozen=True)
class Section:
    """Items under one heading."""

    ja: str
    about: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class FormPlan:
    """One official form."""

    id: str
    ja: str
    file: str
    about: str
    sections: tuple[Section, ...]

    @property
    def items(self) -> list[Item]:
        """All its items, in order."""
        return [item for section in self.sections for item in section.items]


@dataclass(frozen=True)
class Book:
    """All forms, what is ticked in them, and the sentences of consent."""

    forms: Mapping[str, FormPlan]
    ticks: Mapping[str, tuple[Tick, ...]]
    consent: Mapping[str, str]
    version: int = 0

    def form(self, name: str) -> FormPlan:
        """Raises LookupError with a sentence."""
        if name not in self.forms:
            raise LookupError(say("その様式はありません。"))
        return self.forms[name]


@cache
def brought() -> Book:
    """The forms as this repository brings them."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    forms = {name: _form(name, form) for name, form in read["forms"].items()}
    return Book(forms, {name: ticks_of(rows) for name, rows in read["ticks"].items()}, dict(read["consent"]))


def book(session: Session) -> Book:
    """The forms as the town has them."""
    table = session.get(TownTable, TABLE)
    return with_changes(brought(), table.content, table.version) if table else brought()


def with_changes(given: Book, content: Mapping[str, Any], version: int) -> Book:
    """The book with the town's tables over it. What the town has not changed goes on as it is brought."""
    names, left_out = content.get("names", {}), set(content.get("left_out", ()))
    forms = {
        form.id: replace(form, sections=tuple(_renamed(form.id, part, names, left_out) for part in form.sections))
        for form in given.forms.values()
    }
    ticks = {**given.ticks, **{name: ticks_of(rows) for name, rows in content.get("ticks", {}).items()}}
    return Book(forms, ticks, {**given.consent, **content.get("consent", {})}, version)


def ticks_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Tick, ...]:
    """Rows of a table as they are kept."""
    lists = ("fields", "words", "kinds")
    return tuple(Tick(row["id"], row["ja"], **{key: tuple(row.get(key, ())) for key in lists}) for row in rows)


def rows_of(ticks: Sequence[Tick]) -> list[dict[str, Any]]:
    """Back: as they are kept."""
    return [
        {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(t).items()} for t in ticks
    ]


def may_be_left_out(form: str, item: Item) -> bool:
    """The items whose names stand in no official source can be renamed or left out; marks and the ground stay."""
    return form in ("intake", "plan") and item.kind not in ("fixed", "sign")


def _renamed(form: str, section: Section, names: Mapping[str, str], left_out: set[str]) -> Section:
    kept = [item for item in section.items if f"{form}.{item.id}" not in left_out]
    return replace(section, items=tuple(replace(i, ja=names.get(f"{form}.{i.id}", i.ja)) for i in kept))


def _form(name: str, read: Mapping[str, Any]) -> FormPlan:
    sections = tuple(
        Section(part["ja"], part.get("about", ""), tuple(_item(item) for item in part["items"]))
        for part in read["sections"]
    )
    return FormPlan(name, read["ja"], read["file"], read["about"], sections)


def _item(read: Mapping[str, Any]) -> Item:
    rest = {key: value for key, value in read.items() if key not in ("from", "quotes")}
    return Item(**rest, source=read.get("from", ""), quotes=tuple(read.get("quotes", ())))

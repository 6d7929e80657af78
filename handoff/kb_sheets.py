"""How entries stand in a sheet: which columns, what they are called, and what stands in their cells.

The sheets are Japanese whatever language the pages speak: they are the town's own files.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from handoff.kb_view import KIND_NAMES, LABELS, REACHES, STATE_NAMES
from knowledge_base import standing
from knowledge_base.names import Names, fields
from knowledge_base.town import WEEKDAYS

#: Of each kind a sheet of this name.
SHEETS = KIND_NAMES
GUIDE_NAME, CHOICES = "説明", "選択肢"
HOLIDAYS = {"closed": "休み", "open": "開いている"}
KEEP = "（変えないでください）"


@dataclass(frozen=True)
class Column:
    """`input` is what `town.read` calls it; id, version and state are the entry's own. `width` in letters."""

    input: str
    label: str
    width: int
    help: str

    @property
    def head(self) -> str:
        """What stands above it."""
        return f"{self.label}{KEEP}" if self.input in ("id", "version") else self.label


def _columns(input_: str, label: str, width: int, help: str) -> Iterator[Column]:
    """One column, and for hours one each day."""
    if input_ == "hours":
        yield from (Column(f"hours-{day}", label.format(day=letter), width, help) for day, letter in WEEKDAYS.items())
    else:
        yield Column(input_, label, width, help)


_TOLD = yaml.safe_load((Path(__file__).parent / "kb_sheets.yml").read_text(encoding="utf-8"))
GUIDE: tuple[str, ...] = tuple(_TOLD["guide"])
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    kind: tuple(column for name in names for column in _columns(name, **_TOLD["columns"][name]))
    for kind, names in _TOLD["sheets"].items()
}
#: Inputs that hold several values, one a line.
SEVERAL = ("fields", "services", "areas")
#: Other ways in which a head may be written.
ALSO: Mapping[str, str] = _TOLD["also"]


def cells(
    kind: str, id_: str, version: int, state: str, content: Mapping[str, Any], services: Names, areas: Names
) -> list[str]:
    """An entry as the texts of its row, in the order of its columns."""
    given = standing.typed(content)
    texts = {**given.single, "id": id_, "version": str(version), "state": STATE_NAMES[state]}
    texts["fields"] = "\n".join(fields().written(one) for one in given.several.get("fields", ()))
    texts["services"] = "\n".join(services.written(one) for one in given.several.get("services", ()))
    texts["areas"] = "\n".join(areas.written(one) for one in given.several.get("areas", ()))
    texts["reach"] = REACHES.get(given.single.get("reach", ""), "")
    texts["like"] = services.written(like) if (like := given.single.get("like", "")) else ""
    texts["holidays"] = HOLIDAYS.get(given.single.get("holidays", ""), "")
    return [texts.get(column.input, "") for column in COLUMNS[kind]]


def by_head(kind: str) -> dict[str, Column]:
    """The columns of a kind, by what may stand above them."""
    known = {plain(column.label): column for column in COLUMNS[kind]}
    of = {column.input: column for column in COLUMNS[kind]}
    return {**{plain(also): of[name] for also, name in ALSO.items() if name in of}, **known}


def kind_of(title: str, heads: Iterable[str]) -> str:
    """Which kind a table holds, by its sheet's name or by its heads; "" when it is none of ours."""
    for kind, name in SHEETS.items():
        if plain(title) == plain(name):
            return kind
    written = {plain(head) for head in heads}
    fits = {kind: len(written & by_head(kind).keys()) for kind in SHEETS}
    best = max(fits, key=lambda kind: fits[kind])
    return best if plain(LABELS["name"]) in written and fits[best] > 1 else ""


def plain(head: str) -> str:
    """A head without what people add to it: spaces, wide letters, 「変えないでください」."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", head)).replace(unicodedata.normalize("NFKC", KEEP), "")

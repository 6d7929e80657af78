"""What stands of a case after staff have corrected it: fields, services, area. One reading for every count.

`Case.assessment` keeps what the machine found; `Case.corrected` is laid over it. A part is corrected as a mapping by
id, which adds and takes away ({id: {"state": "wrong"}}), or as a list, which replaces what was found; a topic as text.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

#: What a correction says of a finding that does not hold.
GONE = ("removed", "declined", "wrong", "none")
#: A place by its name, as the finest of those that a text names: 「うけとめ市東町に住んでいます」 is 東町.
PLACE = re.compile(
    r"(?:[一-龥々ァ-ヶー]{1,8}?|(?<![一-龥々ぁ-ん])[ぁ-ん]{2,6}?|(?<=[市区郡])[ぁ-ん]{2,6}?)(?:団地|地区|町内|町|村|区|市)"
)
LONGEST_AREA = 20
#: Nothing was told of it; something was told, in which no name of a place is.
NOT_TOLD, NO_NAME = "", "?"


class Assessed(Protocol):
    """A case, or a row that holds as much of one."""

    @property
    def assessment(self) -> dict[str, Any]: ...
    @property
    def corrected(self) -> dict[str, Any]: ...


def fields_of(case: Assessed) -> list[str]:
    """The ids of the fields that are recorded of a case, each once."""
    return laid_over(case.assessment, case.corrected, "fields")


def services_of(case: Assessed) -> list[str]:
    """The ids of the services that were found for a case, each once."""
    return laid_over(case.assessment, case.corrected, "services")


def area_of(case: Assessed) -> str:
    """The name of the place where the household lives; NOT_TOLD, or NO_NAME."""
    corrected = _topic(case.corrected, "area")
    if corrected is not None:
        # A counselor wrote it for this very purpose, so that it stands as it is.
        return area_in(corrected) if PLACE.search(corrected) else corrected.strip()[:LONGEST_AREA]
    return area_in(_topic(case.assessment, "area") or "")


def area_in(told: str) -> str:
    """The name of the place in what was told; NOT_TOLD, or NO_NAME. Nothing else of the words."""
    if not told.strip():
        return NOT_TOLD
    names = PLACE.findall(told)
    finest = [name for name in names if not name.endswith("市")] or names
    return str(finest[-1]) if finest else NO_NAME


def laid_over(assessment: Mapping[str, Any], corrected: Mapping[str, Any], part: str) -> list[str]:
    """The ids of one part, as corrected."""
    found, over = list(_ids(assessment.get(part) or ())), corrected.get(part)
    if isinstance(over, Mapping):
        gone = {id_ for id_, said in over.items() if _is_gone(said)}
        found = [id_ for id_ in (*found, *over) if id_ not in gone]
    elif isinstance(over, list):
        found = list(_ids(over))
    return list(dict.fromkeys(found))


def _ids(entries: Iterable[Any]) -> Iterable[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, Mapping) and isinstance(entry.get("id"), str) and not _is_gone(entry):
            yield entry["id"]


def _is_gone(said: Any) -> bool:
    state = said.get("state") if isinstance(said, Mapping) else said
    return state in GONE or state is False or said is None


def _topic(part: Mapping[str, Any], topic: str) -> str | None:
    topics = part.get("topics")
    told = topics.get(topic) if isinstance(topics, Mapping) else None
    told = told.get("text") if isinstance(told, Mapping) else told
    return told if isinstance(told, str) else None

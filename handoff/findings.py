"""What stands of a case after staff have corrected it, as reports count it: fields, services, area. No words.

The corrections are read by handoff/corrections.py and places by handoff/finding.py, so that the reports, the case page
and the queue's filters never differ.
"""

from typing import Any, Protocol

from handoff import corrections, finding

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
    return _ids(corrections.fields(case.assessment, case.corrected or {}))


def services_of(case: Assessed) -> list[str]:
    """The ids of the services that were found for a case, each once."""
    return _ids(corrections.services(case.assessment, case.corrected or {}))


def area_of(case: Assessed) -> str:
    """The name of the place where the household lives; NOT_TOLD, or NO_NAME."""
    entry = (case.corrected or {}).get("topics", {}).get("area")
    if entry is None:
        return area_in((case.assessment.get("topics") or {}).get("area") or "")
    # A counselor wrote it for this very purpose, so that it stands as it is.
    return finding.place(entry["text"]) or entry["text"].strip()[:LONGEST_AREA]


def area_in(told: str) -> str:
    """The name of the place in what was told; NOT_TOLD, or NO_NAME. Nothing else of the words."""
    return (finding.place(told) or NO_NAME) if told.strip() else NOT_TOLD


def _ids(found: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(one["id"] for one in found if one["state"] != "wrong"))

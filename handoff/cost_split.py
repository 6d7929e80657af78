"""The cost split（按分）: minutes to fields, fields to funding systems. Whole minutes, none lost and none made.

The rule in force is the table of handoff/cost_split.yml, or what an admin has set over it (`TownTable`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.orm import Session

from knowledge_base.vocabulary import vocabulary
from storage.support import TownTable

FILE = Path(__file__).parent / "cost_split.yml"
TABLE = "cost_split"
COMMON = "common"
#: What is done with the minutes that belong to no single system.
SHARE, KEEP = "share", "keep"
#: Minutes for which no field is recorded, neither with the record nor with the case.
NO_FIELD = ""


@dataclass(frozen=True)
class Rule:
    """Which field counts to which system, and what is done with the common minutes. `version` 0: the file's own."""

    systems: Mapping[str, str]
    fields: Mapping[str, str]
    common: str
    version: int = 0
    changed_at: datetime | None = field(default=None, compare=False)

    def system(self, field_id: str) -> str:
        """The system of a field; common for what the table does not know."""
        return self.fields.get(field_id, COMMON)

    @property
    def own(self) -> list[str]:
        """The systems that pay for themselves, in order."""
        return [system for system in self.systems if system != COMMON]


@cache
def bundled() -> Rule:
    """The rule that this repository brings."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return Rule(read["systems"], read["fields"], read["common"])


def in_force(session: Session) -> Rule:
    """The rule of this town."""
    ours, set_here = bundled(), session.get(TownTable, TABLE)
    if set_here is None:
        return ours
    fields = {**ours.fields, **_only_known(set_here.content.get("fields"), ours.systems)}
    common = SHARE if set_here.content.get("common") == SHARE else KEEP
    return Rule(ours.systems, fields, common, set_here.version, set_here.changed_at)


def split(minutes: int, fields: Iterable[str]) -> dict[str, int]:
    """The minutes in equal whole parts; what is left over goes to the first fields in the vocabulary's order."""
    parts = sorted(set(fields), key=_rank) or [NO_FIELD]
    each, left = divmod(minutes, len(parts))
    return {part: each + (at < left) for at, part in enumerate(parts)}


def shared(minutes: Mapping[str, int], rule: Rule) -> dict[str, int]:
    """The minutes of one month by system, the common ones shared out in proportion, by the largest remainder.

    They stay common where the rule keeps them, and where no system has minutes of its own to go by.
    """
    own = {system: minutes.get(system, 0) for system in rule.own}
    common, whole = minutes.get(COMMON, 0), sum(own.values())
    if rule.common == KEEP or whole == 0:
        return {**own, COMMON: common}
    parts = {system: divmod(common * of_it, whole) for system, of_it in own.items()}
    left = common - sum(floor for floor, _ in parts.values())
    # The sort keeps the systems' own order among equals.
    first = sorted(parts, key=lambda system: -parts[system][1])[:left]
    return {system: own[system] + parts[system][0] + (system in first) for system in own} | {COMMON: 0}


@cache
def _order() -> dict[str, int]:
    return {id_: at for at, id_ in enumerate(vocabulary().fields)}


def _rank(field_id: str) -> tuple[int, str]:
    return _order().get(field_id, len(_order())), field_id


def _only_known(fields: Any, systems: Mapping[str, str]) -> dict[str, str]:
    given = fields if isinstance(fields, Mapping) else {}
    return {str(id_): system for id_, system in given.items() if system in systems}

"""What a file would change, worked out before anything is: new, changed, gone, wrong, the same. Then the writes.

Nothing here writes. A plan holds the number of every version that it was made on; `bulk.write` refuses when one of
them has been passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from knowledge_base import bring_areas
from knowledge_base.bulk import Write
from knowledge_base.rows import Brought, Row, Wrong
from knowledge_base.standing import Change, Content, Standing
from knowledge_base.town import Said
from knowledge_base.versions import Step

A_STEP = 200
NEW_DISTRICTS = "この町にまだない地区（{names}）も、いっしょに入れます。もとにもどしても、地区は残ります。"
#: Told how many rows are done, of how many.
Progress = Callable[[int, int], None]


@dataclass
class Plan:
    """What a file would do."""

    changes: list[Change] = field(default_factory=list)
    #: Id and number of the entries of its kinds that it does not have and that still count for something.
    gone: list[list[Any]] = field(default_factory=list)
    unchanged: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)
    #: Districts that come new with it, and the version of the town's own that this rests on.
    districts: list[dict[str, Any]] = field(default_factory=list)
    areas_on: int = 0

    @property
    def new(self) -> list[Change]:
        """Entries that nobody had."""
        return [one for one in self.changes if not one.opened_on]

    @property
    def changed(self) -> list[Change]:
        """Entries that were there."""
        return [one for one in self.changes if one.opened_on]

    def counts(self) -> dict[str, int]:
        """How many of each."""
        changed = len(self.changed)
        return {
            "new": len(self.changes) - changed, "changed": changed, "gone": len(self.gone), "wrong": len(self.wrong),
            "unchanged": self.unchanged,
        }  # fmt: skip

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Plan:
        """The inverse of `stored`."""
        return cls(
            [Change(**one) for one in stored["changes"]], stored["gone"], stored["unchanged"],
            [Wrong(**one) for one in stored["wrong"]], stored["notes"], stored.get("districts", []),
            stored.get("areas_on", 0),
        )  # fmt: skip


def plan(session: Session, brought: Brought, now: datetime, tell: Progress = lambda _done, _all: None) -> Plan:
    """What the file would do to what stands."""
    brought, districts, areas_on = bring_areas.place(session, brought)
    made = Plan(wrong=list(brought.wrong), notes=list(brought.notes), districts=districts, areas_on=areas_on)
    standing = Standing(session, brought, now, districts)
    ids = Counter(row.id for row in brought.rows if row.id)
    for at, row in enumerate(standing.rows):
        if at % A_STEP == 0:
            tell(at, len(brought.rows))
        wrong = dict(row.wrong) | standing.refused(row, ids)
        change = None if wrong.keys() & {"id", "version"} else standing.change(row, wrong)
        made.wrong += [
            Wrong(row.place, row.inputs.get(name, ""), sentence, values)
            for name, (sentence, values) in sorted(wrong.items(), key=lambda one: _place(row, one[0]))
        ]
        if not wrong and change:
            made.changes.append(change)
        made.unchanged += not wrong and change is None
    made.gone = standing.gone(brought.kinds, ids.keys())
    if districts and made.changes:
        made.notes.append((NEW_DISTRICTS, {"names": "、".join(one["name"] for one in districts)}))
    return made


def writes(made: Plan, as_: str, contents: Mapping[str, Content]) -> list[Write]:
    """What the plan writes, as published or as drafts. `contents`: of those that are gone, where they are retired."""
    if as_ == "draft":
        # A row that only has another state, and one that ends, would change what counts: not as a draft.
        drafts = [one for one in made.changes if one.state != "retired" and not one.same_content]
        return [Write(one.id, one.kind, one.opened_on, [(one.content, Step("draft"))]) for one in drafts]
    found = []
    for one in made.changes:
        state = _state(one)
        if not (one.same_content and state == one.was):
            found.append(Write(one.id, one.kind, one.opened_on, [(one.content, Step(state))]))
    gone = [Write(id_, "", number, [(contents[id_], Step("retired"))]) for id_, number in made.gone if id_ in contents]
    return found + gone


def _state(one: Change) -> str:
    state = one.state or "published"
    return "draft" if one.held and state in ("published", "review") else state


def _place(row: Row, name: str) -> int:
    known = list(row.inputs)
    return known.index(name) if name in known else len(known)

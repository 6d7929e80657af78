"""Districts that come with a file: those of the same name are ours, the others are planned as new ones.

They are the town's, not an entry's, so they come before the rows that name them; and undoing an import leaves them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from knowledge_base.areas import District, from_content, spelled_out
from knowledge_base.bulk import Changed
from knowledge_base.rows import Brought, Row
from knowledge_base.versions import areas
from storage.database import insert_new
from storage.knowledge import KbAreas

#: As the page of the districts has it (handoff/kb_areas.py).
MOST, MOST_SPELLINGS, LONGEST, SHORTEST_SPELLING = 80, 200, 40, 2
NO_ROOM = (
    "地区は{most}個までです。「{names}」を入れる場所がありません。使わない地区を消してから、もう一度入れてください。"
)


def place(session: Session, brought: Brought) -> tuple[Brought, list[dict[str, Any]], int]:
    """The file with our ids of its districts; those that are new; and the version of ours that this rests on."""
    newest = areas(session)
    content: Mapping[str, Any] = newest.content if newest else {}
    ours = from_content(newest.id if newest else 0, content).districts
    of = {plain: one for one in ours for name in (one.name, *one.spellings) for plain in spelled_out(name)}
    free, new, found = int(content.get("next", 1)), list[District](), dict[str, str]()
    for one in brought.districts:
        same = next((of[plain] for plain in spelled_out(one.name) if plain in of), None)
        if same is None and len(ours) + len(new) < MOST:
            same = _fitted(one, f"d{free}", of)
            of |= {plain: same for name in (same.name, *same.spellings) for plain in spelled_out(name)}
            free, new = free + 1, [*new, same]
        if same:
            found[one.id] = f"{same.name} [{same.id}]"
    no_room = {one.id: one.name for one in brought.districts if one.id not in found}
    rows = [_with_ours(row, found, no_room) for row in brought.rows] if brought.districts else brought.rows
    told = [{"id": one.id, "name": one.name, "spellings": list(one.spellings)} for one in new]
    return replace(brought, rows=rows), told, newest.id if newest else 0


def add(
    session: Session, districts: Sequence[Mapping[str, Any]], opened_on: int, town: str, staff_id: int, now: datetime
) -> None:
    """Writes new districts behind those that are there. Raises Changed when somebody has changed these meanwhile."""
    if not districts:
        return
    newest = areas(session)
    if (newest.id if newest else 0) != opened_on:
        raise Changed([])
    before = newest.content if newest else {"town": town, "prefecture": "", "neighbours": [], "districts": []}
    after = max(int(one["id"][1:]) for one in districts) + 1
    content = {**before, "districts": [*before["districts"], *districts], "next": after}
    values = {"id": opened_on + 1, "content": content, "staff_id": staff_id, "at": now}
    if session.execute(insert_new(session.get_bind().dialect.name, KbAreas).values(values)).scalar() is None:
        raise Changed([])


def _fitted(one: District, id_: str, taken: Mapping[str, District]) -> District:
    """Without what the page would refuse: a 町名 lies in one district only."""
    spellings = [
        name for name in one.spellings
        if SHORTEST_SPELLING <= len(name) <= LONGEST and not taken.keys() & set(spelled_out(name))
    ]  # fmt: skip
    return District(id_, " ".join(one.name.split())[:LONGEST], tuple(spellings[:MOST_SPELLINGS]))


def _with_ours(row: Row, found: Mapping[str, str], no_room: Mapping[str, str]) -> Row:
    """A row whose district has no room is wrong: without it, the entry would be valid for the whole town."""
    named = row.typed.several.get("areas", ())
    if not named:
        return row
    several = {**row.typed.several, "areas": [found[one] for one in named if one in found]}
    left = [no_room[one] for one in named if one in no_room]
    wrong = {"areas": (NO_ROOM, {"most": MOST, "names": "、".join(left)})} if left else {}
    return replace(row, typed=replace(row.typed, several=several), wrong={**row.wrong, **wrong})

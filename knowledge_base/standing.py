"""What the knowledge base holds of what a file names, and what a row makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from knowledge_base import names, shift_jis, town, versions
from knowledge_base.areas import from_content
from knowledge_base.bulk import chunks
from knowledge_base.days import write_days
from knowledge_base.entries import DAYS
from knowledge_base.opening import write_spans
from knowledge_base.rows import Brought, Row
from knowledge_base.town import Said, Typed
from storage.knowledge import KbEntry, KbVersion
from storage.texts import clean

#: Parts of an entry that are typed one a line.
_LINES = ("voices", "closed_on")
#: As many as the editor's form can hold.
MOST_SERVICES = 300
Content = Mapping[str, Any]
Problems = dict[str, Said]

PLANNED: Said = ("公開の予定が入っている項目です。予定を変えないために、下書きに入れます。", {})
CHANGED_SINCE = "この表を出したあとに、第{n}版が保存されています。新しい表を出して、そこに書き直してください。"
NO_SUCH = "この番号の項目はありません。新しい項目なら、番号を空けておいてください。"
NUMBER_TWICE = "同じ番号の行が、この表に{n}つあります。一つだけ残してください。"
WRONG_VERSION = "版の番号が違います。表を出したときのままにしておいてください。"
ENDED_AT_ONCE = "新しい項目を「終わり」にはできません。"
UNKNOWN = "「{name}」という名前のものはありません。"
SEVERAL = "「{name}」は二つ以上あります。「{example}」のように、項目番号を添えてください。"
TOO_MANY = "{most}までにしてください（いまは{now}あります）。"
NOT_NATIONAL = "全国の支援から選んでください。"
LETTER_LOST = "Shift_JISにない文字が「〓」になっています。もとの文字に直し、ExcelかUTF-8のCSVで入れてください。"


@dataclass
class Change:
    """One entry as it would become. `was`: its state before, "" for a new one; `held`: why it can be a draft only."""

    id: str
    kind: str
    place: str
    opened_on: int
    was: str
    state: str
    content: dict[str, Any]
    same_content: bool = False
    same_name: bool = False
    held: list[Said] = field(default_factory=list)


def known_services(session: Session) -> names.Names:
    """All services, as sheets call them."""
    own = session.execute(select(KbEntry.state, KbEntry.id, KbEntry.name).where(KbEntry.kind == "service"))
    return names.services((id_, name) for _ended, id_, name in sorted((s == "retired", id_, n) for s, id_, n in own))


def newest_contents(session: Session, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the newest version of each says."""
    return {id_: content for id_, _number, content, _state in _newest(session, ids)}


def typed(content: Content) -> Typed:
    """An entry's content as somebody would type it."""
    single = {name: value for name, value in content.items() if isinstance(value, str)}
    single["voices"] = "\n".join(content.get("voices", ()))
    single["closed_on"] = "\n".join(write_days(content.get("closed_on", ())))
    single |= {f"hours-{day}": write_spans(content.get("hours", {}).get(day, ())) for day in DAYS}
    several = {name: value for name, value in content.items() if isinstance(value, list) and name not in _LINES}
    return Typed(single, several)


def known_areas(session: Session) -> names.Names:
    """The town's districts, as sheets call them."""
    kept = versions.areas(session)
    return names.Names((one.id, one.name) for one in (from_content(kept.id, kept.content).districts if kept else ()))


class Standing:
    """What the knowledge base holds of what a file names."""

    def __init__(
        self, session: Session, brought: Brought, now: datetime, districts: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """`districts`: those that come new with the file."""
        self._entries = {
            id_: (kind, head, state, name)
            for id_, kind, head, state, name in session.execute(
                select(KbEntry.id, KbEntry.kind, KbEntry.head, KbEntry.state, KbEntry.name)
            )
        }
        self._shift_jis = brought.shift_jis
        self._foreign = brought.foreign
        self.rows = [row if row.id else replace(row, id=versions.new_id()) for row in brought.rows]
        self._new = {
            new.id
            for old, new in zip(brought.rows, self.rows, strict=True)
            if not old.id or (brought.foreign and old.id not in self._entries)
        }
        here = [row.id for row in brought.rows if row.id in self._entries]
        self._newest = {id_: (content, state) for id_, _number, content, state in _newest(session, here)}
        self._older = self._read_older(session)
        self._planned = _planned(session, now)
        self._fields = names.fields()
        self._services = self._all_services()
        self._areas = known_areas(session)
        for one in districts:
            self._areas.add(one["id"], one["name"])
        self._taken = {
            (kind, town.folded(name)) for kind, _head, state, name in self._entries.values() if state != "retired"
        }

    def refused(self, row: Row, ids: Mapping[str, int]) -> Problems:
        """What is wrong with which entry, and which version of it, a row names."""
        if ids.get(row.id, 0) > 1:
            return {"id": (NUMBER_TWICE, {"n": ids[row.id]})}
        if row.id in self._new:
            return {"state": (ENDED_AT_ONCE, {})} if row.state == "retired" else {}
        kind, head, _state, _name = self._entries.get(row.id, ("", 0, "", ""))
        if kind != row.kind:
            return {"id": (NO_SUCH, {})}
        opened = _number(row)
        if opened is not None and not 1 <= opened <= head:
            return {"version": (WRONG_VERSION, {})}
        return {}

    def change(self, row: Row, wrong: Problems) -> Change | None:
        """What the row makes of its entry; None where that is nothing. What is wrong is added to `wrong`."""
        _kind, head, state, _name = self._entries.get(row.id, ("", 0, "", ""))
        before, opened_state = self._opened(row)
        known = self._known(self._whole(row, before), before, wrong)
        read = town.read(row.kind, known)
        for name, said in read.problems.items():
            wrong.setdefault(name, said)
        # What later versions of this product keep beside what a sheet has.
        content = {**{key: value for key, value in (before or {}).items() if key not in read.content}, **read.content}
        if not before:
            taken = (row.kind, town.folded(str(content["name"]))) in self._taken
            lacking = list(read.lacking.values())
            return Change(row.id, row.kind, row.place, 0, "", row.state, content, False, taken, lacking)
        newest, _ = self._newest[row.id]
        wanted = row.state or opened_state
        same = _same(content, newest)
        if (same and (wanted == state or self._foreign)) or (_same(content, before) and wanted == opened_state):
            return None
        if before is not newest:
            wrong.setdefault("version", (CHANGED_SINCE, {"n": head}))
        held = [*read.lacking.values(), *([PLANNED] if row.id in self._planned else [])]
        return Change(row.id, row.kind, row.place, head, state, wanted, content, same, False, held)

    def gone(self, kinds: Iterable[str], ids: Iterable[str]) -> list[list[Any]]:
        """Entries of those kinds that are not among the ids, those that were ended before excepted."""
        there = set(ids)
        return [
            [id_, head]
            for id_, (kind, head, state, _name) in self._entries.items()
            if kind in kinds and id_ not in there and state != "retired"
        ]

    def _opened(self, row: Row) -> tuple[dict[str, Any] | None, str]:
        if row.id in self._new:
            return None, ""
        return self._older.get((row.id, _number(row) or 0), self._newest[row.id])

    def _whole(self, row: Row, before: Content | None) -> Typed:
        """What was typed, with what stands where the file says nothing of an input."""
        if before is None:
            return row.typed
        stands = typed(before)
        single = dict(row.typed.single)
        if self._shift_jis:
            single = {
                name: shift_jis.restore(clean(text), stands.single.get(name, "")) for name, text in single.items()
            }
        return Typed({**stands.single, **single}, {**stands.several, **row.typed.several})

    def _known(self, given: Typed, before: Content | None, wrong: Problems) -> Typed:
        """Names of fields and services as their ids."""
        single, several = dict(given.single), dict(given.several)
        if "fields" in several:
            several["fields"] = _ids(self._fields, "fields", several["fields"], (), wrong)
        if "services" in several:
            stood = (before or {}).get("services", ())
            several["services"] = _ids(self._services, "services", several["services"], stood, wrong)
        if "areas" in several:
            stood = (before or {}).get("areas", ())
            several["areas"] = _ids(self._areas, "areas", several["areas"], stood, wrong)
        if single.get("like", "").strip():
            [single["like"]] = _ids(self._services, "like", [single["like"]], (), wrong)[:1] or [""]
            if single["like"].startswith("town_"):
                wrong.setdefault("like", (NOT_NATIONAL, {}))
        if self._shift_jis:
            for name, text in single.items():
                if shift_jis.LACKING in text and shift_jis.LACKING not in str((before or {}).get(name, "")):
                    wrong.setdefault(name, (LETTER_LOST, {}))
        return Typed(single, several)

    def _all_services(self) -> names.Names:
        own = [
            (state == "retired", id_, name)
            for id_, (kind, _head, state, name) in self._entries.items()
            if kind == "service"
        ]
        found = names.services((id_, name) for _ended, id_, name in sorted(own))
        new = {
            row.id: clean(row.typed.single.get("name", ""))
            for row in self.rows
            if row.id in self._new and row.kind == "service"
        }
        # Desks of the same file may name them; a name that had a meaning before keeps it.
        taken = {id_ for id_, name in new.items() if found.meant(name)}
        for id_, name in new.items():
            (found.know if id_ in taken else found.add)(id_, name)
        return found

    def _read_older(self, session: Session) -> dict[tuple[str, int], tuple[dict[str, Any], str]]:
        """The versions that rows were written on, where there are newer ones."""
        wanted = {
            (row.id, number)
            for row in self.rows
            if row.id in self._newest and (number := _number(row)) and number < self._entries[row.id][1]
        }
        found = {}
        for part in chunks(sorted({id_ for id_, _number in wanted})):
            asked = select(KbVersion.entry_id, KbVersion.number, KbVersion.content, KbVersion.state)
            for id_, number, content, state in session.execute(asked.where(KbVersion.entry_id.in_(part))):
                if (id_, number) in wanted:
                    found[id_, number] = (content, state)
        return found


def _ids(
    known: names.Names, name: str, lines: Sequence[str], stood: Sequence[str], wrong: dict[str, Said]
) -> list[str]:
    ids, unknown, several = known.read(lines, stood)
    if unknown:
        wrong.setdefault(name, (UNKNOWN, {"name": unknown[0]}))
    elif several:
        example = f"{several[0]} [{known.meant(several[0])[0]}]"
        wrong.setdefault(name, (SEVERAL, {"name": several[0], "example": example}))
    elif len(ids) > MOST_SERVICES:
        wrong.setdefault(name, (TOO_MANY, {"most": MOST_SERVICES, "now": len(ids)}))
    return ids


def _same(one: Content, other: Content) -> bool:
    return _kept(one) == _kept(other)


def _kept(content: Content) -> dict[str, Any]:
    kept = {name: value for name, value in content.items() if value}
    return {**kept, "holidays": kept.get("holidays", "closed"), "reach": kept.get("reach", "town")}


def _number(row: Row) -> int | None:
    """The number of the version that the row was written on; None where nobody says."""
    text = row.typed.single.get("version", "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


def _newest(session: Session, ids: Sequence[str]) -> list[tuple[str, int, dict[str, Any], str]]:
    found: list[tuple[str, int, dict[str, Any], str]] = []
    for part in chunks(ids):
        asked = (
            select(KbVersion.entry_id, KbVersion.number, KbVersion.content, KbVersion.state)
            .join(KbEntry, and_(KbEntry.id == KbVersion.entry_id, KbEntry.head == KbVersion.number))
            .where(KbVersion.entry_id.in_(part))
        )
        found += [(id_, number, content, state) for id_, number, content, state in session.execute(asked)]
    return found


def _planned(session: Session, now: datetime) -> set[str]:
    """Entries of which a version will be published, and nothing newer was decided."""
    of = KbVersion
    plans = select(of.entry_id, func.max(of.number)).where(of.publish_at > now).group_by(of.entry_id)
    planned = {id_: number for id_, number in session.execute(plans)}
    for part in chunks(sorted(planned)):
        due = and_(of.state.in_(versions.DECIDED), or_(of.publish_at.is_(None), of.publish_at <= now))
        decided = select(of.entry_id, func.max(of.number)).where(of.entry_id.in_(part), due).group_by(of.entry_id)
        for id_, number in session.execute(decided):
            if number > planned[id_]:
                del planned[id_]
    return set(planned)

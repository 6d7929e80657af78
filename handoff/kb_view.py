"""An entry of the knowledge base made ready to be shown: its content in words, its versions, what two of them differ
in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import kb_desks
from handoff.moments import day_and_time, whole_day
from handoff.tongue import say
from handoff.words import spoken_field, spoken_service
from knowledge_base import live
from knowledge_base.days import write_days
from knowledge_base.opening import write_spans
from knowledge_base.town import WEEKDAYS
from storage.knowledge import KbEntry, KbVersion
from storage.models import Staff

KIND_NAMES = {"service": "町の支援", "desk": "窓口"}
STATE_NAMES = {"draft": "下書き", "review": "確認待ち", "published": "公開", "retired": "終わり"}
LABELS = {
    "name": "名前", "like": "近い支援", "about": "どんな支援か", "fields": "分野", "voices": "例文",
    "who": "だれが使えるか", "cost": "お金", "begin": "始めかた", "bring": "持ち物", "address": "住所",
    "phone": "電話", "hours": "受付時間", "holidays": "祝日", "closed_on": "臨時のお休み", "services": "受ける支援",
    "reach": "だれのため", "areas": "受け持つ地区", "area": "地域の説明",
    "web": "ホームページ", "note": "覚え書き", "checked": "内容を確かめた日",
}  # fmt: skip
REACHES = {"town": "町の人", "prefecture": "都道府県の人", "nation": "全国の人"}
HOLIDAYS = {"closed": "祝日と年末年始は休み", "open": "祝日と年末年始も開いている"}


def rows(session: Session, entries: Sequence[KbEntry], now: datetime) -> list[dict[str, Any]]:
    """The lines of the list."""
    counting = live.now().entries
    return [
        {
            "id": one.id,
            "name": one.name or say("（名前なし）"),
            "kind": say(KIND_NAMES[one.kind]),
            "fields": [spoken_field(name) for name in filter(None, one.fields.split("|"))],
            "state": one.state,
            "state_name": say(STATE_NAMES[one.state]),
            "counts": one.id in counting,
            "ahead": one.id in counting and counting[one.id].number != one.head,
            "checked": whole_day(one.checked_on) if one.checked_on else "",
            "changed": day_and_time(one.changed_at),
        }
        for one in entries
    ]


def versions(session: Session, rows: Sequence[KbVersion], now: datetime) -> list[dict[str, Any]]:
    """The history, newest first: who made which version when, and what it was for."""
    names = _names(session, rows)
    return [
        {
            "number": one.number,
            "state": one.state,
            "state_name": say(STATE_NAMES[one.state]),
            "at": day_and_time(one.at),
            "by": names.get(one.staff_id or 0, say("見本の読み込み")),
            "planned": day_and_time(one.publish_at) if one.publish_at and one.publish_at > now else "",
            "restored": one.restored,
            "successor": spoken_service(one.successor) if one.successor else "",
        }
        for one in rows
    ]


def who_saved(session: Session, version: KbVersion) -> str:
    """The name of whoever saved a version."""
    return _names(session, [version]).get(version.staff_id or 0, say("ほかの人"))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs, part by part: lines that are gone, and lines that are new."""
    found = []
    for name, label in LABELS.items():
        old, new = in_lines(name, before.get(name)), in_lines(name, after.get(name))
        if old != new:
            gone, come = [line for line in old if line not in new], [line for line in new if line not in old]
            found.append({"label": say(label), "gone": gone, "new": come, "order": not gone and not come})
    return found


def in_lines(name: str, value: Any) -> list[str]:
    """One part of an entry as lines of text."""
    if not value:
        return []
    if name in _IN_LINES:
        return _IN_LINES[name](value)
    return list(value) if isinstance(value, list) else str(value).split("\n")


#: What is kept in another form than it is read in.
_IN_LINES: Mapping[str, Callable[[Any], list[str]]] = {
    "fields": lambda value: [spoken_field(one) for one in value],
    "services": lambda value: [spoken_service(one) for one in value],
    "like": lambda value: [spoken_service(value)],
    "holidays": lambda value: [say(HOLIDAYS[value])],
    "reach": lambda value: [] if value == "town" else [say(REACHES[value])],
    "areas": lambda value: live.now().areas.names(value),
    "closed_on": write_days,
    "checked": lambda value: [whole_day(date.fromisoformat(value))],
    "hours": lambda value: [
        f"{say(letter)}　{write_spans(value[day])}" for day, letter in WEEKDAYS.items() if value.get(day)
    ],
}


def preview(kind: str, entry_id: str, content: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a resident and a counselor will see of it."""
    if kind == "desk":
        return {"contact": kb_desks.contact(content, now), "served": kb_desks.served(content)}
    own = kb_desks.contacts(entry_id, now) or kb_desks.contacts(content.get("like", ""), now)
    return {
        "name": content.get("name", ""),
        "about": content.get("about", ""),
        "facts": [
            (say(LABELS[name]), in_lines(name, content.get(name)))
            for name in ("who", "cost", "begin", "bring") if content.get(name)
        ],
        "note": content.get("note", ""),
        "web": content.get("web", ""),
        "fields": in_lines("fields", content.get("fields")),
        "desks": own,
    }  # fmt: skip


def _names(session: Session, rows: Sequence[KbVersion]) -> dict[int, str]:
    people = session.scalars(select(Staff).where(Staff.id.in_({row.staff_id for row in rows if row.staff_id})))
    return {staff.id: staff.name or staff.email for staff in people}

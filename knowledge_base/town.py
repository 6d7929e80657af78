"""A town's own services and desks: what an entry holds, and what may stand in it.

`read` is the one gate, for the editor's form and for every import: it takes what somebody typed, by the names of
INPUTS, and gives what is kept, or a sentence for each input that cannot be kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from knowledge_base import days
from knowledge_base.areas import REACHES
from knowledge_base.days import DaysError, read_days
from knowledge_base.entries import DAYS, Desk
from knowledge_base.opening import HoursError, read_spans, write_spans
from knowledge_base.vocabulary import vocabulary
from storage.texts import clean, says_something

KINDS = ("service", "desk")
FEWEST_VOICES, MOST_VOICES, LONGEST_VOICE, SHORTEST_VOICE = 3, 60, 200, 4
#: The plain texts of each kind, with the most letters they may have.
TEXTS: Mapping[str, Mapping[str, int]] = {
    "service": {"name": 60, "about": 200, "who": 600, "cost": 300, "begin": 600, "bring": 600, "note": 600},
    "desk": {"name": 60, "address": 120, "area": 120, "note": 600},
}
WEEKDAYS = dict(zip(DAYS, "月火水木金土日", strict=True))
SAME = ("〃", "同", "同上", "同じ", '"')
_HYPHENS = re.compile(r"[‐‑‒–—―−ーｰ()\s]+")
_PHONE = re.compile(r"0\d{1,4}-?\d{1,4}-?\d{3,4}|#\d{4}|1\d{2}")
_DISTRICT = re.compile(r"d[0-9]{1,6}")
_CLOSED = ("", "休み", "休", "閉", "なし", "-", "―")


Said = tuple[str, dict[str, object]]


@dataclass
class Typed:
    """What somebody typed: single inputs, and those that come several times."""

    single: Mapping[str, str]
    several: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass
class Read:
    """What is kept; what is wrong with it; and what a draft may still lack. By input a sentence with its values, for
    whoever shows it."""

    content: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, Said] = field(default_factory=dict)
    lacking: dict[str, Said] = field(default_factory=dict)

    def wrong(self, name: str, sentence: str, **values: object) -> None:
        self.problems.setdefault(name, (sentence, values))

    def lacks(self, name: str, sentence: str, **values: object) -> None:
        self.lacking.setdefault(name, (sentence, values))


def read(kind: str, typed: Typed) -> Read:
    """Everything of one entry at once, so that all that is wrong is said together."""
    found = Read()
    for name, most in TEXTS[kind].items():
        found.content[name] = _text(found, name, typed.single.get(name, ""), most)
    if not says_something(found.content["name"]):
        found.wrong("name", "名前を書いてください。")
    found.content["web"] = _web(found, typed.single.get("web", ""))
    found.content["checked"] = _day(found, typed.single.get("checked", ""))
    found.content.update(_reach(found, typed))
    (_service if kind == "service" else _desk)(found, typed)
    return found


def lines(text: str) -> list[str]:
    """One of a line, without empty ones and without what stands there twice."""
    return list(dict.fromkeys(filter(None, (" ".join(line.split()) for line in clean(text).split("\n")))))


def from_demo(desk: Desk) -> dict[str, Any]:
    """A desk of the demo town as an entry's content."""
    hours: dict[str, list[list[str]]] = {}
    for span in desk.hours:
        for day in span.days:
            hours.setdefault(day, []).append([f"{one.hour}:{one.minute:02}" for one in (span.start, span.end)])
    return {
        "name": desk.name, "address": desk.address, "area": "", "note": desk.note, "web": "", "checked": "",
        "phone": desk.phone, "hours": {day: hours[day] for day in DAYS if day in hours},
        "holidays": "open" if desk.open_on_holidays else "closed", "services": list(desk.services),
        "reach": desk.reach, "areas": list(desk.areas), "closed_on": [],
    }  # fmt: skip


def searched(content: Mapping[str, Any]) -> str:
    """Everything that the list's search looks at."""
    parts = [content.get(name, "") for name in ("name", "about", "address", "phone", "area", "note", "who")]
    return folded("\n".join([*parts, *content.get("voices", ())]))


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def fields_of(content: Mapping[str, Any]) -> list[str]:
    """The fields of a service, or of all services that a desk serves."""
    known = vocabulary().services
    of_services = [f for name in content.get("services", ()) if name in known for f in known[name].fields]
    return list(dict.fromkeys([*content.get("fields", ()), *of_services]))


def hours_in_words(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Days that are alike in one line: 月〜金 8:30〜17:15."""
    days = list(WEEKDAYS.values())
    return [
        (
            "・".join(f"{days[run[0]]}〜{days[run[-1]]}" if len(run) > 1 else days[run[0]] for run in runs),
            write_spans(spans),
        )
        for runs, spans in week_in_runs(content)
    ]


def week_in_runs(content: Mapping[str, Any]) -> list[tuple[list[list[int]], list[list[str]]]]:
    """The days with the same hours, and these: days by their place in the week, as runs of more than two that follow
    each other (月〜金) and single ones (月・水)."""
    alike: dict[str, tuple[list[int], list[list[str]]]] = {}
    for place, day in enumerate(DAYS):
        if spans := content.get("hours", {}).get(day):
            alike.setdefault(write_spans(spans), ([], spans))[0].append(place)
    return [(_runs(days), spans) for days, spans in alike.values()]


def _runs(days: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [part for run in runs for part in ([run] if len(run) > 2 else [[day] for day in run])]


def _service(found: Read, typed: Typed) -> None:
    names = vocabulary()
    like = typed.single.get("like", "")
    if like not in names.services:
        found.lacks("like", "どの支援に近いかを選んでください。")
    chosen = [name for name in typed.several.get("fields", ()) if name in names.fields]
    if not chosen:
        found.lacks("fields", "分野を一つ以上選んでください。")
    if not says_something(found.content["about"]):
        found.lacks("about", "どんな支援かを、1文で書いてください。")
    voices = lines(typed.single.get("voices", ""))
    _check_voices(found, voices)
    found.content.update(like=like, fields=list(dict.fromkeys(chosen)), voices=voices)


def _check_voices(found: Read, voices: Sequence[str]) -> None:
    if len(voices) < FEWEST_VOICES:
        found.lacks(
            "voices", "例文は{least}つ以上書いてください（いまは{now}つです）。", least=FEWEST_VOICES, now=len(voices)
        )
    elif len(voices) > MOST_VOICES:
        found.wrong(
            "voices", "例文は{most}までにしてください（いまは{now}つです）。", most=MOST_VOICES, now=len(voices)
        )
    for at, voice in enumerate(voices, start=1):
        if not SHORTEST_VOICE <= len(voice) <= LONGEST_VOICE:
            found.wrong(
                "voices", "{at}番目の例文は、{least}文字から{most}文字までで書いてください。",
                at=at, least=SHORTEST_VOICE, most=LONGEST_VOICE,
            )  # fmt: skip


def _desk(found: Read, typed: Typed) -> None:
    known = vocabulary().services
    services = [name for name in typed.several.get("services", ()) if name in known or name.startswith("town_")]
    if not services:
        found.lacks("services", "この窓口が受ける支援を、一つ以上選んでください。")
    if not found.content["address"] and not typed.single.get("phone", "").strip() and not found.content["web"]:
        found.lacks("address", "住所、電話、ホームページのどれか一つは書いてください。")
    holidays = typed.single.get("holidays", "closed")
    found.content.update(
        phone=_phone(found, typed.single.get("phone", "")),
        hours=_hours(found, typed.single),
        closed_on=_closed_on(found, typed.single.get("closed_on", "")),
        holidays=holidays if holidays in ("closed", "open") else "closed",
        services=list(dict.fromkeys(services)),
    )


def _reach(found: Read, typed: Typed) -> dict[str, Any]:
    """How far it reaches, and within the town which districts it is for (none: all). Which of these still are there is
    looked at when somebody's area is known (knowledge_base/areas.py)."""
    reach = typed.single.get("reach", "") or "town"
    areas = [one for one in typed.several.get("areas", ()) if _DISTRICT.fullmatch(one)]
    if reach not in REACHES:
        found.wrong("reach", "だれのためのものかを選んでください。")
    elif areas and reach != "town":
        found.wrong("areas", "地区を選ぶのは、この町の人のためのものだけです。")
    return {"reach": reach, "areas": list(dict.fromkeys(areas))}


def _closed_on(found: Read, written: str) -> list[list[str]]:
    typed = lines(written)
    if len(typed) > days.MOST:
        found.wrong("closed_on", "臨時のお休みは{most}行までにしてください。", most=days.MOST)
    try:
        return read_days(typed)
    except DaysError as wrong:
        sentence, line = wrong.args
        found.wrong("closed_on", sentence, at=typed.index(line) + 1)
        return []


def _text(found: Read, name: str, written: str, most: int) -> str:
    text = clean(written)
    if len(text) > most:
        found.wrong(name, "{most}文字までで書いてください（いまは{now}文字です）。", most=most, now=len(text))
    return text


def _phone(found: Read, written: str) -> str:
    """０３（１２３４）５６７８ and the like become 03-1234-5678."""
    plain = unicodedata.normalize("NFKC", clean(written))
    number = _HYPHENS.sub("-", plain).strip("-")
    if number and not _PHONE.fullmatch(number):
        found.wrong("phone", "電話番号を確かめてください。0から始まる番号を、03-1234-5678 のように書いてください。")
        return plain
    return number


def _web(found: Read, written: str) -> str:
    address = clean(written)
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        right = parts.scheme == "https" and "." in (parts.hostname or "") and not re.search(r"\s", address)
    except ValueError:
        right = False
    if not right or len(address) > 400:
        found.wrong("web", "ホームページは、https:// から始まるアドレスで書いてください。")
    return address


def _day(found: Read, written: str) -> str:
    if not written.strip():
        return ""
    try:
        return date.fromisoformat(unicodedata.normalize("NFKC", written.strip()).replace("/", "-")).isoformat()
    except ValueError:
        found.wrong("checked", "日付を選んでください。")
        return ""


def _hours(found: Read, single: Mapping[str, str]) -> dict[str, list[list[str]]]:
    week: dict[str, list[list[str]]] = {}
    before: list[list[str]] = []
    for day in DAYS:
        written = unicodedata.normalize("NFKC", single.get(f"hours-{day}", "")).strip()
        try:
            before = before if written in SAME else [] if written in _CLOSED else read_spans(written)
        except HoursError as wrong:
            found.wrong(f"hours-{day}", str(wrong))
        if before:
            week[day] = before
    return week

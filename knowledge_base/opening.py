"""Opening hours: as an office writes them, and whether it is open now, with Japan's public holidays."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from holidays import country_holidays

from knowledge_base.entries import DAYS

#: Weekday → from and until, as 8:30 and 17:15; a day that is not there is a day off.
Week = Mapping[str, Sequence[Sequence[str]]]

HOLIDAYS = country_holidays("JP")
#: Offices are shut around new year too, though only the first of January is a holiday by law.
NEW_YEAR = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
LOOK_AHEAD = 21
MOST_SPANS = 3
_BETWEEN = re.compile(r"\s*(?:から|より|[~〜～\-‐‑–—−ー―])\s*")
_NEXT = re.compile(r"[、,，/／・\n]+")
_CLOCK = re.compile(r"(\d{1,2})(?:[:：時](\d{1,2})?分?)?")


class HoursError(ValueError):
    """Hours cannot be read; the message is one sentence in Japanese."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a place is open; `until` when it closes today, `next` when it opens next, None where nobody can say."""

    open: bool
    until: datetime | None = None
    next: datetime | None = None


def read_spans(written: str) -> list[list[str]]:
    """「8:30〜12:00、13時から17時15分」 as [["8:30", "12:00"], ["13:00", "17:15"]]. Raises HoursError."""
    spans: list[list[str]] = []
    for part in filter(None, (part.strip() for part in _NEXT.split(unicodedata.normalize("NFKC", written)))):
        ends = _BETWEEN.split(part.removesuffix("まで").strip())
        if len(ends) != 2:
            raise HoursError("時間は、8:30〜17:15 のように書いてください。")
        start, end = (_clock(one) for one in ends)
        if start >= end:
            raise HoursError("終わりの時刻は、始まりよりあとにしてください。")
        if spans and start < _clock(spans[-1][1]):
            raise HoursError("時間が重なっています。早い順に書いてください。")
        spans.append([_written(start), _written(end)])
    if len(spans) > MOST_SPANS:
        raise HoursError("1日に書けるのは3つまでです。")
    return spans


def write_spans(spans: Sequence[Sequence[str]]) -> str:
    """The inverse of `read_spans`, as it stands in a form."""
    return "、".join(f"{start}〜{end}" for start, end in spans)


def open_now(week: Week, now: datetime, *, on_holidays: bool) -> Opening:
    """Whether it is open at `now` (local time), until when, and when it opens next. Nothing is known without hours."""
    if not any(week.values()):
        return Opening(False)
    for start, end in _spans(week, now, on_holidays):
        if start <= now < end:
            return Opening(True, until=end)
        if start > now:
            return Opening(False, next=start)
    return Opening(False)


def _spans(week: Week, now: datetime, on_holidays: bool) -> Iterator[tuple[datetime, datetime]]:
    for ahead in range(LOOK_AHEAD):
        day = (now + timedelta(days=ahead)).date()
        if on_holidays or not _day_off(day):
            for start, end in week.get(DAYS[day.weekday()], ()):
                yield tuple(datetime.combine(day, _clock(one), now.tzinfo) for one in (start, end))  # type: ignore[misc]


def _day_off(day: date) -> bool:
    return (day.month, day.day) in NEW_YEAR or day in HOLIDAYS


def _clock(written: str) -> time:
    found = _CLOCK.fullmatch(written.strip())
    hours, minutes = (int(found[1]), int(found[2] or 0)) if found else (99, 0)
    if hours > 23 or minutes > 59:
        raise HoursError("時刻は、0:00 から 23:59 までで、8:30 のように書いてください。")
    return time(hours, minutes)


def _written(clock: time) -> str:
    return f"{clock.hour}:{clock.minute:02}"

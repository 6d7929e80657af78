"""Opening hours: as an office writes them, and whether it is open now, with Japan's public holidays."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from holidays import country_holidays

from knowledge_base.entries import DAYS

#: Weekday → from and until, as 8:30 and 17:15; a day that is not there is a day off. An end that is not after its
#: beginning is on the next day: 20:00 to 2:00, or 0:00 to 0:00 for a whole day.
Week = Mapping[str, Sequence[Sequence[str]]]
#: Days on which a place is shut beyond that: the first, the last, and why.
ClosedOn = Sequence[Sequence[str]]

HOLIDAYS = country_holidays("JP")
#: Offices are shut around new year too, though only the first of January is a holiday by law.
NEW_YEAR = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
#: Longer than any closing of a few weeks; who is shut for longer says so in their note.
LOOK_AHEAD = 70
MOST_SPANS = 3
#: 「20:00〜翌2:00」
NEXT_DAY = "翌"
_BETWEEN = re.compile(r"\s*(?:から|より|[~〜～\-‐‑–—−ー―])\s*")
_NEXT = re.compile(r"[、,，/／・\n]+")
_CLOCK = re.compile(r"(\d{1,2})(?:[:：時](\d{1,2})?分?)?")


class HoursError(ValueError):
    """Hours cannot be read; the message is one sentence in Japanese."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether a place is open; `until` when it closes, `next` when it opens next, None where nobody can say (of a
    place that never closes, too). `shut`: the reason, or "", of a day on which it is shut out of turn."""

    open: bool
    until: datetime | None = None
    next: datetime | None = None
    shut: str | None = None


def read_spans(written: str) -> list[list[str]]:
    """「8:30〜12:00、13時から17時15分」 as [["8:30", "12:00"], ["13:00", "17:15"]]. Raises HoursError."""
    spans: list[list[str]] = []
    for part in filter(None, (part.strip() for part in _NEXT.split(unicodedata.normalize("NFKC", written)))):
        ends = _BETWEEN.split(part.removesuffix("まで").strip())
        if len(ends) != 2:
            raise HoursError("時間は、8:30〜17:15 のように書いてください。")
        start, end, crosses = _clock(ends[0]), *_end(ends[1])
        if not crosses and start >= end:
            raise HoursError(
                "終わりの時刻は、始まりよりあとにしてください。夜をまたぐときは、20:00〜翌2:00 のように書いてください。"
            )
        if crosses and start < end:
            raise HoursError("翌日の同じ時刻をこえる時間は書けません。一日じゅうなら、0:00〜24:00 と書いてください。")
        if spans and (start < _clock(spans[-1][1]) or _crosses(spans[-1])):
            raise HoursError("時間が重なっています。早い順に書いてください。")
        spans.append([_written(start), _written(end)])
    if len(spans) > MOST_SPANS:
        raise HoursError("1日に書けるのは3つまでです。")
    return spans


def write_spans(spans: Sequence[Sequence[str]]) -> str:
    """The inverse of `read_spans`, as it stands in a form."""
    return "、".join(f"{span[0]}〜{_end_written(span)}" for span in spans)


def open_now(week: Week, now: datetime, *, on_holidays: bool, closed_on: ClosedOn = ()) -> Opening:
    """Whether it is open at `now` (local time), until when, and when it opens next. Nothing is known without hours."""
    if not any(week.values()):
        return Opening(False)
    shut = next((why for first, last, why in closed_on if first <= now.date().isoformat() <= last), None)
    for start, end in _joined(_spans(week, now, on_holidays, closed_on)):
        if start <= now < end:
            return Opening(True, until=end if end - now < timedelta(days=LOOK_AHEAD - 2) else None)
        if start > now:
            return Opening(False, next=start, shut=shut)
    return Opening(False, shut=shut)


def closings(closed_on: ClosedOn, today: date) -> list[tuple[date, date, str]]:
    """The days on which a place is or will be shut out of turn, without those that are over."""
    days = ((date.fromisoformat(first), date.fromisoformat(last), why) for first, last, why in closed_on)
    return sorted(one for one in days if one[1] >= today)


def _joined(spans: Iterator[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Spans that follow each other without a gap are one: who is open day and night does not close at 24:00."""
    before: tuple[datetime, datetime] | None = None
    for start, end in spans:
        if before and start <= before[1]:
            before = before[0], max(before[1], end)
            continue
        if before:
            yield before
        before = start, end
    if before:
        yield before


def _spans(week: Week, now: datetime, on_holidays: bool, closed_on: ClosedOn) -> Iterator[tuple[datetime, datetime]]:
    """From yesterday on, whose night may not be over."""
    for ahead in range(-1, LOOK_AHEAD):
        day = (now + timedelta(days=ahead)).date()
        if (_day_off(day) and not on_holidays) or any(first <= day.isoformat() <= last for first, last, _ in closed_on):
            continue
        for span in week.get(DAYS[day.weekday()], ()):
            last = day + timedelta(days=1) if _crosses(span) else day
            yield (
                datetime.combine(day, _clock(span[0]), now.tzinfo),
                datetime.combine(last, _clock(span[1]), now.tzinfo),
            )


def _crosses(span: Sequence[str]) -> bool:
    return _clock(span[1]) <= _clock(span[0])


def _end(written: str) -> tuple[time, bool]:
    """The time at which something ends, and whether that is on the next day."""
    plain = written.strip().removeprefix(NEXT_DAY + "日").removeprefix(NEXT_DAY).strip()
    if re.fullmatch(r"24(?:[:：時](?:00分?)?)?", plain):
        return time(), True
    return _clock(plain), plain != written.strip()


def _end_written(span: Sequence[str]) -> str:
    if not _crosses(span):
        return span[1]
    return "24:00" if _clock(span[1]) == time() else f"{NEXT_DAY}{span[1]}"


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

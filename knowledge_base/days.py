"""Days on which a desk is shut out of turn, as somebody writes them: 「2026/12/28〜2027/1/4　改修工事」, one a line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

MOST, LONGEST_WHY, LONGEST_DAYS = 40, 60, 366
#: The first year of an era is one more than this.
_ERAS = {"令和": 2018, "R": 2018}
_YEAR = r"(?:(?:(令和|R)\s?)?(\d{1,4}|元)\s?[/年.-]\s?)?"
_DAY = rf"{_YEAR}(\d{{1,2}})\s?[/月.-]\s?(\d{{1,2}})日?\s?(?:\([月火水木金土日](?:曜日?)?\))?"
_LINE = re.compile(rf"{_DAY}(?:\s?(?:~|〜|から|–|—|―|ー|−)\s?{_DAY}(?:\s?まで)?)?(?:[\s、,:]+(.*))?")


class DaysError(ValueError):
    """A line cannot be read; the message is one sentence in Japanese, with {at} for the number of the line."""


def read_days(lines: Sequence[str]) -> list[list[str]]:
    """First day, last day (as 2026-12-28) and reason of each line, in the order of time. Raises DaysError."""
    found: list[list[str]] = []
    for line in lines:
        fits = _LINE.fullmatch(unicodedata.normalize("NFKC", line).strip())
        if not fits:
            raise DaysError("{at}行目は、2026/12/28〜2027/1/4　改修工事 のように書いてください。", line)
        first = _day(fits.groups()[:4], None, line)
        last = _day(fits.groups()[4:8], first, line) if fits[7] else first
        if not first <= last or (last - first).days >= LONGEST_DAYS:
            raise DaysError("{at}行目は、終わりの日を確かめてください。", line)
        why = " ".join((fits[9] or "").split())
        if len(why) > LONGEST_WHY:
            raise DaysError("{at}行目の理由が長すぎます。", line)
        found.append([first.isoformat(), last.isoformat(), why])
    return sorted(found)


def write_days(days: Sequence[Sequence[str]]) -> list[str]:
    """The inverse of `read_days`, as it stands in a form."""
    return [_line(date.fromisoformat(first), date.fromisoformat(last), why) for first, last, why in days]


def _line(first: date, last: date, why: str) -> str:
    until = "" if last == first else f"〜{_written(last)}"
    return f"{_written(first)}{until}" + (f"　{why}" if why else "")


def _written(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _day(parts: Sequence[str | None], first: date | None, line: str) -> date:
    """A day; of a last day the year may be missing, since it comes after the first."""
    era, year, month, day = parts
    if not year and first is None:
        raise DaysError("{at}行目に、年も書いてください。2026/12/28 のように。", line)
    number = first.year if not year and first else 1 if year == "元" else int(year or 0)
    number += _ERAS.get(era or "", 0)
    try:
        found = date(number, int(month or 0), int(day or 0))
        if not year and first and found < first:
            found = found.replace(year=number + 1)
    except ValueError:
        raise DaysError("{at}行目の日付を確かめてください。", line) from None
    if not 2000 <= found.year <= 2100:
        raise DaysError("{at}行目の年を確かめてください。", line)
    return found

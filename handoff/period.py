"""The time that a report is about: a month, a quarter, a fiscal year (April to March), or any days. In Japan's days."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from handoff.tongue import language, say
from storage.clock import JAPAN

FISCAL_YEAR_BEGINS = 4
EARLIEST = date(2015, 4, 1)
LONGEST_YEARS = 6
MONTH, QUARTER, YEAR = re.compile(r"(\d{4})-(\d{2})"), re.compile(r"(\d{4})-Q([1-4])"), re.compile(r"FY(\d{4})")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class NoPeriod(ValueError):
    """What was chosen is no time; the message is a sentence for people, `field` the input that it is about."""

    def __init__(self, sentence: str, field: str = "period") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Period:
    """From one day to another, both in it. `key` is how an address names it; "" when it was chosen by days."""

    first: date
    last: date
    key: str = ""

    @property
    def begins(self) -> datetime:
        """The first moment in it."""
        return datetime.combine(self.first, time(), JAPAN).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), JAPAN).astimezone(UTC)

    @property
    def name(self) -> str:
        """As people say it: 2026年11月, 2026年度第3四半期（10月〜12月）, 2026年度（令和8年度）"""
        if self.key.startswith("FY"):
            return _year_name(self.first.year)
        if "Q" in self.key:
            year, quarter = int(self.key[:4]), int(self.key[-1])
            return say(
                "{year}年度 第{quarter}四半期（{first}月〜{last}月）",
                year=year, quarter=quarter, first=self.first.month,
                last=self.last.month,
            )  # fmt: skip
        if self.key:
            return _month_name(self.first)
        return say("{first}から{last}まで", first=_day_name(self.first), last=_day_name(self.last))

    @property
    def days(self) -> str:
        """Its first and last day: 2026年4月1日〜2027年3月31日"""
        return f"{_day_name(self.first)}〜{_day_name(self.last)}"

    @property
    def query(self) -> dict[str, str]:
        """How an address says it."""
        return {"period": self.key} if self.key else {"from": self.first.isoformat(), "until": self.last.isoformat()}

    def months(self) -> list[str]:
        """The months in it, in order, as 2026-11."""
        return [f"{day.year:04}-{day.month:02}" for day in _months(self.first, self.last)]

    def moved(self, by: int) -> "Period | None":
        """The one of the same kind so many before or after; None where there is none."""
        if self.key.startswith("FY"):
            return _or_none(f"FY{self.first.year + by:04}")
        if "Q" in self.key:
            return _or_none(_quarter_key(_shifted(self.first, 3 * by)))
        if self.key:
            return _or_none(_month_key(_shifted(self.first, by)))
        return None


def chosen(query: Mapping[str, str], today: date) -> Period:
    """What the form says; this month when it says nothing. Days, where given, go before `period`. Raises NoPeriod."""
    first, last = query.get("from", "").strip(), query.get("until", "").strip()
    if first or last:
        return _between(first, last)
    key = query.get("period", "").strip()
    return by_key(key) if key else by_key(_month_key(today))


def by_key(key: str) -> Period:
    """2026-11, 2026-Q3 (of the fiscal year 2026) or FY2026. Raises NoPeriod."""
    first, months = _begins(key)
    if first is None or first < EARLIEST or first.year > 9000:
        raise NoPeriod(say("期間を選び直してください。"))
    return Period(first, _shifted(first, months) - timedelta(days=1), key)


def choices(today: date, since: date) -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be chosen from a list, newest first: groups of (key, name)."""
    first = max(EARLIEST, since)
    months = list(_months(first, today))[::-1][:24]
    quarters = dict.fromkeys(_quarter_key(day) for day in list(_months(first, today))[::-1][:36])
    years = dict.fromkeys(_fiscal_year(day) for day in list(_months(first, today))[::-1])
    return [
        (say("月"), [(_month_key(day), _month_name(day)) for day in months]),
        (say("四半期"), [(key, by_key(key).name) for key in quarters]),
        (say("年度"), [(f"FY{year:04}", _year_name(year)) for year in years]),
    ]


def month_name(month: str) -> str:
    """2026-11 as people write it."""
    return _month_name(date(int(month[:4]), int(month[5:]), 1))


def _begins(key: str) -> tuple[date | None, int]:
    if found := MONTH.fullmatch(key):
        year, month = int(found[1]), int(found[2])
        return (date(year, month, 1), 1) if year and 1 <= month <= 12 else (None, 1)
    if found := QUARTER.fullmatch(key):
        year = int(found[1])
        return (_shifted(date(year, FISCAL_YEAR_BEGINS, 1), 3 * (int(found[2]) - 1)), 3) if year else (None, 3)
    if found := YEAR.fullmatch(key):
        return (date(int(found[1]), FISCAL_YEAR_BEGINS, 1), 12) if int(found[1]) else (None, 12)
    return None, 0


def _between(first: str, last: str) -> Period:
    begins, ends = _day(first, "from"), _day(last, "until")
    if ends < begins:
        raise NoPeriod(say("終わりの日は、始まりの日と同じか、それより後にしてください。"), "until")
    if ends > _shifted(begins, 12 * LONGEST_YEARS):
        raise NoPeriod(say("期間は{years}年までにしてください。", years=LONGEST_YEARS), "until")
    return Period(begins, ends)


def _day(given: str, field: str) -> date:
    which = say("始まりの日") if field == "from" else say("終わりの日")
    if not given:
        raise NoPeriod(say("{which}も入れてください。", which=which), field)
    try:
        day = date.fromisoformat(given) if DAY.fullmatch(given) else None
    except ValueError:
        day = None
    if day is None:
        raise NoPeriod(say("{which}を「2026-11-23」のように入れてください。", which=which), field)
    if not EARLIEST <= day <= date(9000, 1, 1):
        raise NoPeriod(say("{which}は{year}年4月1日より後の日にしてください。", which=which, year=EARLIEST.year), field)
    return day


def _or_none(key: str) -> Period | None:
    try:
        return by_key(key)
    except NoPeriod:
        return None


def _months(first: date, last: date) -> Iterator[date]:
    day = first.replace(day=1)
    while day <= last:
        yield day
        day = _shifted(day, 1)


def _shifted(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, 28))


def _fiscal_year(day: date) -> int:
    return day.year if day.month >= FISCAL_YEAR_BEGINS else day.year - 1


def _month_key(day: date) -> str:
    return f"{day.year:04}-{day.month:02}"


def _quarter_key(day: date) -> str:
    return f"{_fiscal_year(day):04}-Q{(day.month - FISCAL_YEAR_BEGINS) % 12 // 3 + 1}"


def _day_name(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if language() == "ja" else day.isoformat()


def _month_name(day: date) -> str:
    return f"{day.year}年{day.month}月" if language() == "ja" else f"{day.year}-{day.month:02}"


def _year_name(year: int) -> str:
    if language() != "ja":
        return say("{year}年度", year=year)
    reiwa = year - 2018
    return f"{year}年度（令和{reiwa if reiwa > 1 else '元'}年度）" if reiwa >= 1 else f"{year}年度"

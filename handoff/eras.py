"""Dates as Japanese offices write them: by era, and read back however somebody writes them."""

import re
import unicodedata
from datetime import date, timedelta

#: First day, name, and the letters by which forms call it. The newest first.
ERAS = (
    (date(2019, 5, 1), "令和", "R"),
    (date(1989, 1, 8), "平成", "H"),
    (date(1926, 12, 25), "昭和", "S"),
    (date(1912, 7, 30), "大正", "T"),
    (date(1868, 1, 25), "明治", "M"),
)
BY_ERA = re.compile(
    r"(令和|平成|昭和|大正|明治|[RHSTM])\.?(元|\d{1,2})[年./-](\d{1,2})[月./-](\d{1,2})日?", re.IGNORECASE
)
BY_YEAR = re.compile(r"(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?|(\d{4})(\d{2})(\d{2})")


class NoDate(ValueError):
    """What was written is no date; the message is a sentence for the person who wrote it."""


def era_date(day: date) -> str:
    """令和8年11月27日"""
    for first, name, _letter in ERAS:
        if day >= first:
            year = day.year - first.year + 1
            return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"


def western_date(day: date) -> str:
    """2026年11月27日"""
    return f"{day.year}年{day.month}月{day.day}日"


def read_date(written: str) -> date:
    """The day that was written by era (昭和41年3月2日, S41.3.2) or year (1966-3-2, 1966年3月2日). Raises NoDate."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", written)).replace("−", "-").replace("ー", "-")
    if found := BY_ERA.fullmatch(plain):
        return _of_era(*found.groups())
    if found := BY_YEAR.fullmatch(plain):
        year, month, day = (part for part in found.groups() if part)
        return _day(int(year), int(month), int(day))
    raise NoDate("日付として読めません。「昭和41年3月2日」か「1966年3月2日」のように書いてください。")


def age(born: date, today: date) -> int:
    """The age in full years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _of_era(called: str, year: str, month: str, day: str) -> date:
    at, (first, name, _letter) = next(
        (at, era) for at, era in enumerate(ERAS) if called in era or called.upper() == era[2]
    )
    found = _day(first.year - 1 + (1 if year == "元" else int(year)), int(month), int(day))
    last = ERAS[at - 1][0] - timedelta(days=1) if at else date.max
    if found > last:
        raise NoDate(f"{name}は{era_date(last)}までです。年を確かめてください。")
    if found < first:
        raise NoDate(f"{name}は{era_date(first)}からです。年を確かめてください。")
    return found


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise NoDate("その日付はありません。月と日を確かめてください。") from None

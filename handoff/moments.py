"""Times as the staff's pages show them: as Japanese people write them, in English by setting."""

from datetime import date, datetime, timedelta

from handoff import japanese_moments
from handoff.tongue import language, say
from storage.clock import JAPAN

ENGLISH_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ENGLISH_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(moment: datetime) -> str:
    """11月23日（月）; Mon 23 Nov"""
    if language() == "ja":
        return japanese_moments.day(moment)
    here = moment.astimezone(JAPAN)
    return f"{ENGLISH_WEEKDAYS[here.weekday()]} {here.day} {ENGLISH_MONTHS[here.month - 1]}"


def whole_day(on: date) -> str:
    """2026年11月23日; 23 Nov 2026"""
    if language() == "ja":
        return japanese_moments.whole_day(on)
    return f"{on.day} {ENGLISH_MONTHS[on.month - 1]} {on.year}"


def month(moment: datetime) -> str:
    """2026年11月; Nov 2026"""
    here = moment.astimezone(JAPAN)
    return f"{here.year}年{here.month}月" if language() == "ja" else f"{ENGLISH_MONTHS[here.month - 1]} {here.year}"


def clock_time(moment: datetime) -> str:
    """14時5分; 14:05"""
    if language() == "ja":
        return japanese_moments.clock_time(moment)
    here = moment.astimezone(JAPAN)
    return f"{here.hour}:{here.minute:02}"


def day_and_time(moment: datetime) -> str:
    """11月23日（月） 14時5分; Mon 23 Nov, 14:05"""
    return f"{day(moment)}{' ' if language() == 'ja' else ', '}{clock_time(moment)}"


def whole_day_and_time(moment: datetime) -> str:
    """2026年11月23日（月） 14時5分; Mon 23 Nov 2026, 14:05"""
    year = moment.astimezone(JAPAN).year
    if language() == "ja":
        return f"{year}年{day_and_time(moment)}"
    return f"{day(moment)} {year}, {clock_time(moment)}"


def how_long(span: timedelta) -> str:
    """12分, 1時間20分, 3日; 12 min, 1 h 20 min, 3 days: as exact as one waits."""
    minutes = max(0, int(span.total_seconds() // 60))
    days = minutes // (24 * 60)
    if not days:
        return in_hours(minutes)
    return say("1日") if days == 1 else say("{days}日", days=days)


def in_hours(minutes: int) -> str:
    """25時間30分; 25 h 30 min: of work, which is not counted in days."""
    if language() == "ja":
        return japanese_moments.in_hours(minutes)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"

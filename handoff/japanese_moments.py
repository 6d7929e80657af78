"""Times as Japanese people write them: for residents, letters and official forms, whatever the staff's pages speak."""

from datetime import date, datetime

from storage.clock import JAPAN

WEEKDAYS = "月火水木金土日"


def day(moment: datetime) -> str:
    """11月23日（月）"""
    here = moment.astimezone(JAPAN)
    return f"{here.month}月{here.day}日（{WEEKDAYS[here.weekday()]}）"


def whole_day(on: date) -> str:
    """2026年11月23日"""
    return f"{on.year}年{on.month}月{on.day}日"


def clock_time(moment: datetime) -> str:
    """14時5分"""
    here = moment.astimezone(JAPAN)
    return f"{here.hour}時{here.minute}分"


def day_and_time(moment: datetime) -> str:
    """11月23日（月） 14時5分"""
    return f"{day(moment)} {clock_time(moment)}"


def in_hours(minutes: int) -> str:
    """80分 as 1時間20分: of work, which is not counted in days."""
    hours, rest = divmod(minutes, 60)
    return f"{hours}時間{rest}分" if hours and rest else f"{hours}時間" if hours else f"{rest}分"

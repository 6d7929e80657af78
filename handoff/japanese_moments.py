"""Times as Japanese people write them: for residents, letters and official forms, whatever the staff's pages speak."""

from datetime import date, datetime, timedelta

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


def how_long(span: timedelta) -> str:
    """12分, 1時間20分, 3日: as exact as one waits."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes}分"
    if minutes < 24 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours}時間{rest}分" if rest else f"{hours}時間"
    return f"{minutes // (24 * 60)}日"


def in_hours(minutes: int) -> str:
    """1時間20分 (80分)"""
    hours, rest = divmod(minutes, 60)
    return f"{hours}時間{rest}分" if hours and rest else f"{hours}時間" if hours else f"{rest}分"

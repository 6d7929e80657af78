"""Counted: how long people waited for a person, from when they began to wait to the first claim after it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import case, func, select

from handoff import charts
from handoff.case import LEVELS
from handoff.charts import Bar, Series
from handoff.counting import Scope
from handoff.moments import how_long
from handoff.period import month_name
from handoff.queue import STANDS
from handoff.report_cases import number_and_share
from handoff.report_tables import Block, Cell, Column, Report, Table, share
from handoff.tongue import say
from handoff.words import words
from storage.models import Case, CaseEvent

CLAIMED, WAITS, ENDED = "claimed", "waits", "ended"
PERCENTILES = (50, 90, 95)
#: The upper ends of the shown spans, in minutes, with their names; the last has none.
SPANS = (
    (15, "15分以内"), (60, "1時間以内"), (4 * 60, "4時間以内"), (24 * 60, "1日以内"), (3 * 24 * 60, "3日以内"),
    (None, "3日より長い"),
)  # fmt: skip


@dataclass
class Waits:
    """Some waits: how many ended with a claim after so many whole minutes, how many go on, how many ended otherwise."""

    minutes: Counter[int] = field(default_factory=Counter)
    waits: int = 0
    ended: int = 0

    @property
    def claimed(self) -> int:
        """How many ended with a claim."""
        return sum(self.minutes.values())

    def percentile(self, per_cent: int) -> int | None:
        """The shortest wait that so many per cent did not exceed (nearest rank); None where nobody was claimed."""
        rank, passed = -(-self.claimed * per_cent // 100), 0
        for minutes in sorted(self.minutes):
            passed += self.minutes[minutes]
            if passed >= rank:
                return minutes
        return None

    @property
    def longest(self) -> int | None:
        """The longest that ended with a claim."""
        return max(self.minutes, default=None)

    def take(self, stands: str, minutes: int) -> None:
        """Counts one wait."""
        if stands == CLAIMED:
            self.minutes[minutes] += 1
        elif stands == WAITS:
            self.waits += 1
        else:
            self.ended += 1


@dataclass
class WaitingFigures:
    """The waits that began in a time: all, by level of urgency (0 to 3), by month. And who waits now."""

    all: Waits = field(default_factory=Waits)
    levels: dict[int, Waits] = field(default_factory=dict)
    months: dict[str, Waits] = field(default_factory=dict)
    now_waiting: int = 0
    now_longest_since: datetime | None = None


def count(scope: Scope) -> WaitingFigures:
    """The figures: one look at each wait by the database, and at who waits now."""
    found, session = WaitingFigures(), scope.session
    claim = (
        select(func.min(CaseEvent.at))
        .where(CaseEvent.case_id == Case.id, CaseEvent.kind == "claimed", CaseEvent.at >= Case.waiting_since)
        .scalar_subquery()
    )
    waits = (
        scope.cases()
        .where(scope.within(Case.waiting_since))
        .with_only_columns(
            Case.urgency, scope.month(Case.waiting_since), scope.seconds(Case.waiting_since), scope.seconds(claim),
            case((STANDS["waiting"], WAITS), else_=ENDED),
        )
    )  # fmt: skip
    for level, month, since, claimed, stands in session.execute(waits):
        how, minutes = (stands, 0) if claimed is None else (CLAIMED, (int(claimed) - int(since)) // 60)
        found.months.setdefault(month, Waits()).take(how, minutes)
        found.levels.setdefault(level, Waits()).take(how, minutes)
        found.all.take(how, minutes)
    now = scope.cases().where(STANDS["waiting"]).with_only_columns(func.count(), func.min(Case.waiting_since))
    found.now_waiting, found.now_longest_since = session.execute(now).one()
    return found


def report(scope: Scope) -> Report:
    """The page."""
    found = count(scope)
    longest = how_long(scope.now - found.now_longest_since) if found.now_longest_since else ""
    return Report(
        subject="waiting",
        title=say("待ち時間"),
        lead=say("人の対応を待ち始めてから、職員がはじめて「担当する」を押すまでの時間です。この期間に待ち始めた相談を数えています。"),
        facts=[
            (say("真ん中の人（中央値）"), in_words(found.all.percentile(50)), ""),
            (say("10人に9人はこれ以内"), in_words(found.all.percentile(90)), ""),
            (say("いちばん長かった人"), in_words(found.all.longest), ""),
            (
                say("いま待っている人"), f"{found.now_waiting:,}",
                say("人。最長{longest}", longest=longest) if longest else "",
            ),
        ],
        blocks=[_by_level(found), _by_month(found), _by_span(found)],
        empty=not (found.all.claimed or found.all.waits or found.all.ended),
    )  # fmt: skip


def in_words(minutes: int | None) -> str:
    """12分, 1時間20分, 2日3時間; a dash where there is nothing to say."""
    if minutes is None:
        return "—"
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    parts = (
        [(days, say("{n}日", n=days)), (hours, say("{n}時間", n=hours))]
        if days
        else [(hours, say("{n}時間", n=hours)), (left, say("{n}分", n=left))]
    )
    return "".join(name for number, name in parts if number) or say("{n}分", n=0)


def _by_level(found: WaitingFigures) -> Block:
    title, levels = say("緊急の度合いごと"), [level for level in (3, 2, 1, 0) if level in found.levels]
    names = [say(words().levels[LEVELS[level]]) for level in levels]
    table = Table(
        "levels", title,
        say("度合いは、いま記録されているものです。時間は分で、端数は切り捨てます。「◯％」は、その割合の人がこれ以内で担当につながった時間です。"),
        _columns(say("度合い")),
        [_row(name, found.levels[level]) for name, level in zip(names, levels, strict=True)]
        + [_row(say("すべて"), found.all)],
        summed=True,
    )  # fmt: skip
    rows = [
        Bar(name, [waits.percentile(50) or 0], say("中央値 {time}", time=in_words(waits.percentile(50))))
        for name, waits in ((name, found.levels[level]) for name, level in zip(names, levels, strict=True))
        if waits.claimed
    ]
    return Block(table, charts.bars(title, say("棒は中央値です。"), rows), open=True)


def _by_month(found: WaitingFigures) -> Block:
    title, months = say("月ごと"), sorted(found.months)
    table = Table(
        "waiting_months", title, say("待ち始めた月です。"), _columns(say("月")),
        [_row(month_name(month), found.months[month]) for month in months],
    )  # fmt: skip
    series = [
        Series(name, [_hours(found.months[month].percentile(per_cent)) for month in months])
        for per_cent, name in ((50, say("中央値")), (90, say("90％")))
    ]
    desc = say("縦は時間、横は月です。")
    return Block(table, charts.lines(title, desc, [_short(month) for month in months], series, say("時間")))


def _by_span(found: WaitingFigures) -> Block:
    title, rows, low = say("待った長さ"), [], -1
    for most, name in SPANS:
        number = sum(
            n for minutes, n in found.all.minutes.items() if low < minutes and (most is None or minutes <= most)
        )
        rows.append((say(name), number))
        low = most or low
    table = Table(
        "spans", title, say("担当につながった相談を、待った長さで分けた数です。"),
        [Column(say("長さ"), "text"), Column(say("相談")), Column(say("割合（％）"), "figure", of=1)],
        [[name, number, share(number, found.all.claimed)] for name, number in rows],
    )  # fmt: skip
    drawn = [Bar(name, [n], number_and_share(n, found.all.claimed)) for name, n in rows]
    return Block(table, charts.bars(title, say("担当につながった相談の数です。"), drawn))


def _columns(first: str) -> list[Column]:
    return [
        Column(first, "text"), Column(say("担当につながった")),
        *(Column(say("{p}％（分）", p=p) if p != 50 else say("中央値（分）"), "figure", of=1) for p in PERCENTILES),
        Column(say("最長（分）"), "figure", of=1), Column(say("まだ待っている")), Column(say("担当なしで終わった")),
    ]  # fmt: skip


def _row(name: str, waits: Waits) -> list[Cell]:
    percentiles: Iterable[Cell] = (waits.percentile(per_cent) for per_cent in PERCENTILES)
    return [name, waits.claimed, *percentiles, waits.longest, waits.waits, waits.ended]


def _hours(minutes: int | None) -> float | None:
    return None if minutes is None else minutes / 60


def _short(month: str) -> str:
    return say("{n}月", n=int(month[5:]))

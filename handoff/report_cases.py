"""Counted: the cases that were opened in a time, by field, by what comes together, channel, hour, weekday and area."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from handoff import charts
from handoff.charts import Bar
from handoff.counting import Scope, in_order, listed
from handoff.findings import NO_NAME, NOT_TOLD, area_in, area_of, fields_of
from handoff.japanese_moments import WEEKDAYS
from handoff.moments import ENGLISH_WEEKDAYS
from handoff.period import month_name
from handoff.report_tables import Block, Column, Report, Table, share
from handoff.tongue import language, say
from handoff.words import spoken_field, words
from knowledge_base.vocabulary import vocabulary
from storage.models import Case

#: Most triples and areas shown; most fields in the drawn matrix.
TRIPLES, DRAWN_AREAS, DRAWN_FIELDS = 15, 12, 12
#: From Monday, Sunday being 0 in the database.
WEEK = (1, 2, 3, 4, 5, 6, 0)


@dataclass
class CaseFigures:
    """How many cases, by each. A case with several fields counts in each of them, and once in `cases`."""

    cases: int = 0
    without_field: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, ...]] = field(default_factory=Counter)
    triples: Counter[tuple[str, ...]] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    #: By (weekday, hour), Sunday being 0.
    hours: Counter[tuple[int, int]] = field(default_factory=Counter)
    areas: Counter[str] = field(default_factory=Counter)

    def take(self, fields: Sequence[str], number: int) -> None:
        """Counts so many cases with just these fields."""
        self.cases += number
        if not fields:
            self.without_field += number
        if len(fields) == 1:
            self.alone[fields[0]] += number
        in_line = list(in_order(vocabulary().fields, fields))
        self.fields.update(dict.fromkeys(in_line, number))
        self.pairs.update(dict.fromkeys(combinations(in_line, 2), number))
        self.triples.update(dict.fromkeys(combinations(in_line, 3), number))


def count(scope: Scope) -> CaseFigures:
    """The figures: one look at each case by the database, and the few corrected cases read whole."""
    found, session = CaseFigures(), scope.session
    seen = scope.opened().with_only_columns(
        scope.corrected(), scope.ids("fields"), scope.topic("area"), Case.channel, scope.month(Case.opened_at),
        scope.weekday(Case.opened_at), scope.hour(Case.opened_at),
    )  # fmt: skip
    rows = session.execute(seen).all()
    corrected, fields, areas, channels, months, days, hours = zip(*rows, strict=True) if rows else ((),) * 7
    for (changed, ids), number in Counter(zip(corrected, fields, strict=True)).items():
        if not changed:
            found.take(listed(ids), number)
    for (changed, told), number in Counter(zip(corrected, areas, strict=True)).items():
        if not changed:
            found.areas[area_in(told or "")] += number
    for case in session.scalars(scope.opened().where(scope.corrected())):
        found.take(fields_of(case), 1)
        found.areas[area_of(case)] += 1
    found.channels.update(channels)
    found.months.update(months)
    found.hours.update(zip(days, hours, strict=True))
    return found


def report(scope: Scope) -> Report:
    """The page."""
    found = count(scope)
    several = sum(found.fields.values())
    together = found.cases - found.without_field - sum(found.alone.values())
    return Report(
        subject="cases",
        title=say("相談の数"),
        lead=say("この期間に始まった相談を数えています。分野と地域は、職員が直したものは直したあとで数えます。"),
        facts=[
            (say("相談"), f"{found.cases:,}", say("件")),
            (say("二つ以上の分野にまたがる相談"), f"{share(together, found.cases):g}", say("％")),
            (say("相談ひとつあたりの分野"), f"{several / found.cases:.1f}" if found.cases else "0", ""),
            (say("分野が記録されていない相談"), f"{found.without_field:,}", say("件")),
        ],
        blocks=[
            _by_field(found), _pairs(found), _triples(found), _by_hour(found), _by_month(found), _by_channel(found),
            _by_area(found),
        ],
        empty=found.cases == 0,
    )  # fmt: skip


def _by_field(found: CaseFigures) -> Block:
    order = ranked(found.fields)
    title = say("分野ごと")
    table = Table(
        "fields", title,
        say("ひとつの相談に分野がいくつかあるときは、それぞれに数えます。割合は、すべての相談のうちの割合です。"),
        [
            Column(say("分野"), "text"), Column(say("相談")), Column(say("割合（％）"), "figure", of=1),
            Column(say("その分野だけの相談")),
        ],
        [[spoken_field(id_), number, share(number, found.cases), found.alone[id_]] for id_, number in order],
    )  # fmt: skip
    rows = [
        Bar(spoken_field(id_), [number], number_and_share(number, found.cases)) for id_, number in order
    ]  # fmt: skip
    return Block(table, charts.bars(title, _say_most(rows), rows))


def _pairs(found: CaseFigures) -> Block:
    title = say("いっしょに現れる分野（二つ）")
    table = Table(
        "pairs", title,
        say("同じ相談に二つの分野が記録された数です。三つ以上ある相談は、その中のどの組にも数えます。"),
        [Column(say("分野"), "text"), Column(say("分野"), "text"), Column(say("相談"))],
        [[spoken_field(a), spoken_field(b), number] for (a, b), number in _most(found.pairs)],
    )  # fmt: skip
    drawn = [id_ for id_, _ in ranked(found.fields)[:DRAWN_FIELDS]]
    names = [spoken_field(id_) for id_ in drawn]
    values = [[found.fields[a] if a == b else _pair(found, a, b) for b in drawn] for a in drawn]
    desc = say("ななめの枠は、その分野の相談の数です。多い方から{number}分野を描いています。", number=len(drawn))
    picture = charts.matrix(title, desc, names, names, values, upright=True, diagonal=True)
    return Block(table, picture)


def _triples(found: CaseFigures) -> Block:
    table = Table(
        "triples", say("いっしょに現れる分野（三つ）"),
        say("同じ相談に三つの分野が記録された数です。多い方から{number}組です。", number=TRIPLES),
        [Column(say("分野"), "text"), Column(say("分野"), "text"), Column(say("分野"), "text"), Column(say("相談"))],
        [[*map(spoken_field, ids), number] for ids, number in _most(found.triples)[:TRIPLES]],
    )  # fmt: skip
    return Block(table, open=True)


def _by_hour(found: CaseFigures) -> Block:
    title = say("曜日と時刻")
    heads = [say("曜日"), *map(str, range(24))]
    values = [[found.hours[day, hour] for hour in range(24)] for day in WEEK]
    names = [_weekday(day) for day in WEEK]
    table = Table(
        "hours", title, say("相談が始まった曜日と時刻（日本時間）です。列の数字は「何時台」かを表します。"),
        [Column(head, "count" if at else "text") for at, head in enumerate(heads)],
        [[name, *row] for name, row in zip(names, values, strict=True)],
    )  # fmt: skip
    desc = say("横は時刻、縦は曜日です。色が濃いほど多く、ますの中の数字が相談の数です。")
    return Block(table, charts.matrix(title, desc, names, heads[1:], values))


def _by_month(found: CaseFigures) -> Block:
    months = sorted(found.months.items())
    title = say("月ごと")
    table = Table(
        "months", title, say("相談が始まった月です。"), [Column(say("月"), "text"), Column(say("相談"))],
        [[month_name(month), number] for month, number in months],
    )  # fmt: skip
    rows = [Bar(month_name(month), [number], say("{number}件", number=f"{number:,}")) for month, number in months]
    return Block(table, charts.bars(title, _say_most(rows), rows))


def _by_channel(found: CaseFigures) -> Block:
    title, order = say("入口"), ranked(found.channels)
    names = [words().channels.get(channel, channel) for channel, _ in order]
    table = Table(
        "channels", title, say("どこから書かれたかです。"),
        [Column(say("入口"), "text"), Column(say("相談")), Column(say("割合（％）"), "figure", of=1)],
        [[name, number, share(number, found.cases)] for name, (_, number) in zip(names, order, strict=True)],
    )  # fmt: skip
    rows = [
        Bar(name, [number], number_and_share(number, found.cases))
        for name, (_, number) in zip(names, order, strict=True)
    ]
    return Block(table, charts.bars(title, _say_most(rows), rows))


def _by_area(found: CaseFigures) -> Block:
    title = say("地域")
    named = [(area, number) for area, number in ranked(found.areas) if area not in (NOT_TOLD, NO_NAME)]
    unnamed = [(area, found.areas[area]) for area in (NO_NAME, NOT_TOLD) if found.areas[area]]
    table = Table(
        "areas", title,
        say("住んでいる所として話された町の名です。町の名のほかの言葉は使いません。"),
        [Column(say("地域"), "text"), Column(say("相談")), Column(say("割合（％）"), "figure", of=1)],
        [[area_name(area), number, share(number, found.cases)] for area, number in (*named, *unnamed)],
    )  # fmt: skip
    rows = [
        Bar(area_name(area), [number], say("{number}件", number=f"{number:,}"))
        for area, number in (*named[:DRAWN_AREAS], *unnamed)
    ]
    return Block(table, charts.bars(title, _say_most(rows), rows))


def number_and_share(number: int, whole: int) -> str:
    """12件　34％, at the end of a bar."""
    return say("{number}件　{share}％", number=f"{number:,}", share=f"{share(number, whole):g}")


def area_name(area: str) -> str:
    """The area as staff read it."""
    return {NOT_TOLD: say("聞いていない"), NO_NAME: say("町の名が読み取れない")}.get(area, area)


def ranked(groups: Counter[str]) -> list[tuple[str, int]]:
    """Most first; equals in the order of their ids, so that two looks at the same town agree."""
    return sorted(groups.items(), key=lambda one: (-one[1], one[0]))


def _pair(found: CaseFigures, a: str, b: str) -> int:
    return found.pairs[a, b] or found.pairs[b, a]


def _most(groups: Counter[tuple[str, ...]]) -> list[tuple[tuple[str, ...], int]]:
    """Most first; equals in the vocabulary's order."""
    rank = {id_: at for at, id_ in enumerate(vocabulary().fields)}
    return sorted(groups.items(), key=lambda one: (-one[1], [rank.get(id_, len(rank)) for id_ in one[0]], one[0]))


def _weekday(day: int) -> str:
    return (WEEKDAYS if language() == "ja" else ENGLISH_WEEKDAYS)[day - 1]


def _say_most(rows: Sequence[Bar]) -> str:
    """The picture in one sentence, for who does not see it."""
    most = max(rows, key=lambda row: sum(row.parts), default=None)
    return say("いちばん多いのは{name}で、{said}です。", name=most.name, said=most.said) if most else ""

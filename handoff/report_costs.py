"""Counted: the minutes of support by field, by month and by funding system（按分）, every minute once."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import String, case, cast

from handoff import charts
from handoff.charts import Bar, Series
from handoff.cost_split import COMMON, NO_FIELD, SHARE, Rule, in_force, shared, split
from handoff.counting import Scope, in_order, listed
from handoff.findings import fields_of
from handoff.moments import day
from handoff.period import month_name
from handoff.report_tables import Block, Cell, Column, Report, Table, share
from handoff.tongue import say
from handoff.words import spoken_field
from knowledge_base.vocabulary import vocabulary
from storage.models import Case
from storage.support import SupportRecord

Minutes = defaultdict[tuple[str, str], int]


@dataclass
class CostFigures:
    """Minutes by (month, field), by (month, system), and by (month, system) with the common minutes shared out."""

    rule: Rule
    records: int = 0
    minutes: int = 0
    fields: Minutes = field(default_factory=lambda: defaultdict(int))
    systems: Minutes = field(default_factory=lambda: defaultdict(int))
    shared: Minutes = field(default_factory=lambda: defaultdict(int))

    @property
    def months(self) -> list[str]:
        """The months that have minutes, in order."""
        return sorted({month for month, _ in self.fields})


def count(scope: Scope) -> CostFigures:
    """The figures: one look at each record by the database; those of corrected cases by what was corrected."""
    found = CostFigures(in_force(scope.session))
    own = cast(SupportRecord.fields, String)
    of_case = (own == "[]") & scope.corrected()
    records = scope.cases().join(SupportRecord, SupportRecord.case_id == Case.id).where(scope.within(SupportRecord.at))
    month = scope.month(SupportRecord.at)
    plain = records.where(~of_case).with_only_columns(
        month, case((own == "[]", scope.ids("fields")), else_=own), SupportRecord.minutes
    )
    for (when, ids, minutes), number in Counter(map(tuple, scope.session.execute(plain))).items():
        fields = json.loads(ids) if (ids or "").startswith("[") else listed(ids)
        _take(found, when, fields, minutes, number)
    corrected = records.where(of_case).with_only_columns(Case, month, SupportRecord.minutes)
    for its_case, when, minutes in scope.session.execute(corrected):
        _take(found, when, fields_of(its_case), minutes, 1)
    for when in found.months:
        of_month = {system: found.systems[when, system] for system in found.rule.systems}
        for system, minutes in shared(of_month, found.rule).items():
            found.shared[when, system] = minutes
    return found


def report(scope: Scope) -> Report:
    """The page."""
    found = count(scope)
    no_field = sum(minutes for (_, id_), minutes in found.fields.items() if id_ == NO_FIELD)
    return Report(
        subject="costs",
        title=say("按分"),
        lead=say("支援経過記録の所要時間を、分野と、財源となる制度（介護・障害・子ども・困窮）に分けたものです。この期間に行った支援を数えています。"),
        facts=[
            (say("支援の時間"), f"{found.minutes:,}", say("分（{hours}時間）", hours=f"{found.minutes / 60:,.1f}")),
            (say("支援の記録"), f"{found.records:,}", say("件")),
            (say("分野が決まらない時間"), f"{no_field:,}", say("分")),
        ],
        blocks=[_shared(found), _by_system(found), _by_field(found)],
        empty=found.records == 0,
    )  # fmt: skip


def rule_in_words(rule: Rule) -> list[str]:
    """The rule, as it stands beside the figures."""
    common = (
        say(
            "「共通」の時間は、同じ月の四つの制度の時間の割合で四つに分けます。四つの時間がない月は「共通」のまま残します。"
        )
        if rule.common == SHARE
        else say("「共通」の時間は、どの制度にも分けず「共通」のまま残します。")
    )
    changed = (
        say("割り当ては{day}に変えたものです。前の月にも、いまの割り当てを使います。", day=day(rule.changed_at))
        if rule.changed_at
        else say("割り当ては、はじめの表のままです。")
    )
    return [
        say("記録ひとつの所要時間を、その記録に書かれた分野に同じ長さで分けます。記録に分野がなければ、相談の分野で分けます。"),
        say("1分より細かくは分けません。割り切れない分は、分野の表で先にあるものから1分ずつ足します。合計は記録の時間と必ず一致します。"),
        say("分野は、下の割り当てで制度に移します。割り当てのない分野と、分野が決まらない時間は「共通」です。"),
        common,
        changed,
    ]  # fmt: skip


def mapping_in_words(rule: Rule) -> list[tuple[str, list[str]]]:
    """Each system with its fields, by their names."""
    return [
        (say(name), [spoken_field(id_) for id_ in vocabulary().fields if rule.system(id_) == system])
        for system, name in rule.systems.items()
    ]


def _take(found: CostFigures, month: str, fields: Iterable[str], minutes: int, number: int) -> None:
    found.records += number
    found.minutes += minutes * number
    for id_, part in split(minutes, fields).items():
        found.fields[month, id_] += part * number
        found.systems[month, found.rule.system(id_)] += part * number


def _shared(found: CostFigures) -> Block:
    title = say("制度ごと（共通を分けたあと）")
    systems = [*found.rule.own, *([COMMON] if any(found.shared[m, COMMON] for m in found.months) else [])]
    table = _by_month(
        "costs_shared", title, say("単位は分です。国に示す按分の参考になる数字です。"), found, found.shared, systems
    )
    sums = [sum(found.shared[month, system] for month in found.months) for system in systems]
    rows = [
        Bar(
            _system(found.rule, system), [minutes], _minutes_and_share(minutes, found.minutes),
        )
        for system, minutes in zip(systems, sums, strict=True)
    ]  # fmt: skip
    return Block(table, charts.bars(title, say("棒は、この期間の時間の合計です。"), rows), open=True)


def _by_system(found: CostFigures) -> Block:
    title, systems = say("制度ごと（共通を分けるまえ）"), list(found.rule.systems)
    table = _by_month("costs_systems", title, say("単位は分です。"), found, found.systems, systems)
    series = [
        Series(_system(found.rule, system), [found.systems[month, system] / 60 for month in found.months])
        for system in systems
    ]
    names = [say("{n}月", n=int(month[5:])) for month in found.months]
    return Block(table, charts.lines(title, say("縦は時間、横は月です。"), names, series, say("時間")))


def _by_field(found: CostFigures) -> Block:
    fields = list(in_order([*vocabulary().fields, NO_FIELD], {id_ for _, id_ in found.fields}))
    title, sums = say("分野ごと"), {id_: sum(found.fields[month, id_] for month in found.months) for id_ in fields}
    body: list[list[Cell]] = [
        [_field(id_), _system(found.rule, found.rule.system(id_)), *(found.fields[m, id_] for m in found.months), sum_]
        for id_, sum_ in sums.items()
    ]
    foot: list[Cell] = [say("合計"), ""]
    foot += [sum(found.fields[month, id_] for id_ in fields) for month in found.months] + [found.minutes]
    names = [Column(say("分野"), "text"), Column(say("制度"), "text")]
    columns = [*names, *_months(found), Column(say("合計"), "figure")]
    table = Table("costs_fields", title, say("単位は分です。"), columns, [*body, foot], summed=True)
    rows = [
        Bar(_field(id_), [minutes], _minutes_and_share(minutes, found.minutes))
        for id_, minutes in sorted(sums.items(), key=lambda one: -one[1])
    ]  # fmt: skip
    return Block(table, charts.bars(title, say("棒は、この期間の時間の合計です。"), rows))


def _by_month(id_: str, title: str, note: str, found: CostFigures, minutes: Minutes, systems: list[str]) -> Table:
    rows: list[list[Cell]] = [
        [_system(found.rule, system), *(minutes[month, system] for month in found.months),
         sum(minutes[month, system] for month in found.months)]
        for system in systems
    ]  # fmt: skip
    foot: list[Cell] = [
        say("合計"),
        *(sum(minutes[month, system] for system in systems) for month in found.months),
        found.minutes,
    ]
    columns = [Column(say("制度"), "text"), *_months(found), Column(say("合計"), "figure")]
    return Table(id_, title, note, columns, [*rows, foot], summed=True)


def _months(found: CostFigures) -> list[Column]:
    return [Column(month_name(month), "figure") for month in found.months]


def _minutes_and_share(minutes: int, whole: int) -> str:
    return say("{minutes}分　{share}％", minutes=f"{minutes:,}", share=f"{share(minutes, whole):g}")


def _system(rule: Rule, system: str) -> str:
    return say(rule.systems[system])


def _field(id_: str) -> str:
    return spoken_field(id_) if id_ else say("分野が決まらない")

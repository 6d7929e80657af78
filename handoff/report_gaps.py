"""Counted: gaps（制度の狭間）. A field is recorded of a case, and of the services found for it none is for that field.

What was then done stands beside: how the case ended, which agencies came in, and the support that was recorded.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import ColumnElement, exists, func, select

from handoff import charts
from handoff.charts import Bar
from handoff.counting import Scope, listed
from handoff.findings import area_in, area_of, fields_of, services_of
from handoff.moments import day
from handoff.report_cases import area_name, ranked
from handoff.report_tables import Block, Column, Report, Table, share
from handoff.tongue import say
from handoff.words import spoken_field
from knowledge_base.vocabulary import vocabulary
from storage.models import Case
from storage.support import Involvement, SupportRecord

#: Where the kinds of outcome have their names.
NAMES = Path(__file__).parent / "support.yml"
OPEN, UNSAID = "open", ""
DRAWN_FIELDS, DRAWN_AREAS, CASES_SHOWN = 12, 10, 20


@dataclass
class Gap:
    """The gaps of one field: how many, and what was done."""

    cases: int = 0
    #: How they ended, by kind; OPEN: not yet, UNSAID: without a kind.
    outcomes: Counter[str] = field(default_factory=Counter)
    with_agencies: int = 0
    with_records: int = 0
    minutes: int = 0
    #: Open, without any agency and any record.
    nothing_done: int = 0


@dataclass
class GapFigures:
    """Needs and gaps by field; gaps by field and area; how many cases have a gap at all."""

    cases: int = 0
    with_gap: int = 0
    needs: Counter[str] = field(default_factory=Counter)
    gaps: dict[str, Gap] = field(default_factory=dict)
    areas: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Kind:
    """Cases of one kind, as the database grouped them."""

    fields: Sequence[str]
    services: Sequence[str]
    area: str
    outcome: str
    agencies: bool
    records: bool
    number: int
    minutes: int


def unmet(fields: Sequence[str], services: Sequence[str]) -> list[str]:
    """The fields for which none of the services is.

    A service that the vocabulary does not know (a town's own, since taken out) is held to fit: no gap without grounds.
    """
    known = vocabulary().services
    if not fields or any(service not in known for service in services):
        return []
    covered = {id_ for service in services for id_ in known[service].fields}
    return [id_ for id_ in fields if id_ not in covered]


def count(scope: Scope) -> GapFigures:
    """The figures: one look at each case by the database, and the few corrected cases read whole."""
    found, session = GapFigures(), scope.session
    plain = (
        scope.opened()
        .where(~scope.corrected())
        .with_only_columns(scope.ids("fields"), scope.ids("services"), scope.topic("area"), *_done())
    )
    kinds: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    for *kind, spent in session.execute(plain):
        of_kind = kinds[tuple(kind)]
        of_kind[0] += 1
        of_kind[1] += spent or 0
    for (fields, services, area, *done), (number, minutes) in kinds.items():
        _take(found, _Kind(listed(fields), listed(services), area_in(area or ""), *_said(done), number, int(minutes)))
    for case, *done, spent in session.execute(scope.opened().where(scope.corrected()).add_columns(*_done())):
        _take(found, _Kind(fields_of(case), services_of(case), area_of(case), *_said(done), 1, int(spent or 0)))
    return found


def report(scope: Scope) -> Report:
    """The page."""
    found = count(scope)
    nothing = sum(gap.nothing_done for gap in found.gaps.values())
    waiting = _untouched(scope)
    return Report(
        subject="gaps",
        title=say("制度の狭間"),
        lead=say(
            "相談に分野が記録されているのに、その相談で見つかったサービスの中に、その分野のものがひとつもなかったものを「狭間」として数えます。"
            "この期間に始まった相談です。"
        ),
        facts=[
            (
                say("狭間のある相談"), f"{found.with_gap:,}",
                say("件（{share}％）", share=f"{share(found.with_gap, found.cases):g}"),
            ),
            (say("狭間になった困りごと"), f"{sum(gap.cases for gap in found.gaps.values()):,}", say("件")),
            (say("まだ何もできていない困りごと"), f"{nothing:,}", say("件")),
        ],
        blocks=[_by_field(found), _done_by_field(found), _by_area(found)],
        empty=found.cases == 0,
        cases=waiting,
        cases_title=say("狭間があり、まだ何もできていない相談（新しい順に{number}件まで）", number=CASES_SHOWN),
    )  # fmt: skip


def outcome_name(kind: str) -> str:
    """How a case ended, as staff call it."""
    if kind == OPEN:
        return say("続いている")
    return say(_outcomes().get(kind, kind)) if kind else say("終わり方の記録なし")


@cache
def _outcomes() -> dict[str, str]:
    if not NAMES.exists():
        return {}
    read: dict[str, Any] = yaml.safe_load(NAMES.read_text(encoding="utf-8"))
    return dict(read.get("outcomes", {}))


def _done() -> list[ColumnElement[Any]]:
    """What was done with a case: closed or not, outcome, whether agencies and records are there; the minutes last."""
    spent = select(func.sum(SupportRecord.minutes)).where(SupportRecord.case_id == Case.id).scalar_subquery()
    return [
        Case.closed_at.is_(None).label("open"),
        Case.outcome_kind.label("outcome"),
        _with_agencies().label("agencies"),
        exists().where(SupportRecord.case_id == Case.id).label("records"),
        spent.label("minutes"),
    ]


def _with_agencies() -> ColumnElement[bool]:
    # As a set: no index leads from a case to the agencies that have left it.
    return Case.id.in_(select(Involvement.case_id))


def _said(done: Sequence[Any]) -> tuple[str, bool, bool]:
    still_open, outcome, agencies, records = done
    return OPEN if still_open else outcome or UNSAID, bool(agencies), bool(records)


def _take(found: GapFigures, kind: _Kind) -> None:
    found.cases += kind.number
    found.needs.update(dict.fromkeys(kind.fields, kind.number))
    missing = unmet(kind.fields, kind.services)
    found.with_gap += kind.number * bool(missing)
    for id_ in missing:
        gap = found.gaps.setdefault(id_, Gap())
        gap.cases += kind.number
        gap.outcomes[kind.outcome] += kind.number
        gap.with_agencies += kind.number * kind.agencies
        gap.with_records += kind.number * kind.records
        gap.minutes += kind.minutes
        gap.nothing_done += kind.number * (kind.outcome == OPEN and not kind.agencies and not kind.records)
        found.areas[id_, kind.area] += kind.number


def _order(found: GapFigures) -> list[str]:
    return [id_ for id_, _ in ranked(Counter({id_: gap.cases for id_, gap in found.gaps.items()}))]


def _by_field(found: GapFigures) -> Block:
    title = say("分野ごと")
    offered = Counter(id_ for service in vocabulary().services.values() for id_ in service.fields)
    table = Table(
        "gaps", title,
        say(
            "「困りごと」はその分野が記録された相談、「狭間」はそのうち、見つかったサービスにその分野のものがなかった相談です。"
            "「台帳のサービス」は、いま知識ベースにあるその分野のサービスの数です。"
        ),
        [
            Column(say("分野"), "text"), Column(say("困りごと")), Column(say("狭間")),
            Column(say("割合（％）"), "figure", of=2), Column(say("台帳のサービス"), "figure"),
        ],
        [
            [
                spoken_field(id_), found.needs[id_], found.gaps[id_].cases,
                share(found.gaps[id_].cases, found.needs[id_]), offered[id_],
            ]
            for id_ in _order(found)
        ],
    )  # fmt: skip
    rows = [
        Bar(
            spoken_field(id_), [found.gaps[id_].cases, found.needs[id_] - found.gaps[id_].cases],
            say("{gaps}件／{needs}件", gaps=found.gaps[id_].cases, needs=found.needs[id_]),
        )
        for id_ in _order(found)
    ]  # fmt: skip
    keys = [say("狭間"), say("サービスが見つかった")]
    return Block(table, charts.bars(title, say("棒の全体は、その分野の困りごとの数です。"), rows, keys), open=True)


def _done_by_field(found: GapFigures) -> Block:
    kinds = [kind for kind, _ in ranked(sum((gap.outcomes for gap in found.gaps.values()), Counter()))]
    table = Table(
        "gaps_done", say("そのあと、どうしたか"),
        say("狭間になった困りごとについて、相談がどう終わったか、関係機関が加わったか、支援の記録と時間がどれだけあるかです。"),
        [
            Column(say("分野"), "text"), Column(say("狭間")), *(Column(outcome_name(kind)) for kind in kinds),
            Column(say("関係機関が加わった")), Column(say("支援の記録がある")),
            Column(say("支援の時間（分）"), "figure", of=1), Column(say("まだ何もできていない")),
        ],
        [
            [
                spoken_field(id_), gap.cases, *(gap.outcomes[kind] for kind in kinds), gap.with_agencies,
                gap.with_records, gap.minutes, gap.nothing_done,
            ]
            for id_, gap in ((id_, found.gaps[id_]) for id_ in _order(found))
        ],
    )  # fmt: skip
    return Block(table, open=True)


def _by_area(found: GapFigures) -> Block:
    title = say("分野と地域")
    areas = [area for area, _ in ranked(_summed(found, at=1))]
    order, names = _order(found), [area_name(area) for area in areas]
    table = Table(
        "gaps_areas", title, say("狭間になった困りごとを、住んでいる地域ごとに数えたものです。"),
        [Column(say("分野"), "text"), *(Column(name) for name in names)],
        [[spoken_field(id_), *(found.areas[id_, area] for area in areas)] for id_ in order],
    )  # fmt: skip
    drawn, shown = order[:DRAWN_FIELDS], areas[:DRAWN_AREAS]
    desc = say("縦は分野、横は地域です。色が濃いほど多く、ますの中の数字が困りごとの数です。")
    values = [[found.areas[id_, area] for area in shown] for id_ in drawn]
    picture = charts.matrix(
        title, desc, [spoken_field(id_) for id_ in drawn], [area_name(area) for area in shown], values, upright=True
    )
    return Block(table, picture)


def _summed(found: GapFigures, at: int) -> Counter[str]:
    sums: Counter[str] = Counter()
    for key, number in found.areas.items():
        sums[key[at]] += number
    return sums


def _untouched(scope: Scope) -> list[tuple[str, str]]:
    """The newest open cases that have a gap and for which nothing was done: where to look next."""
    idle = scope.opened().where(
        Case.closed_at.is_(None),
        ~_with_agencies(),
        ~exists().where(SupportRecord.case_id == Case.id),
    )
    shown: list[tuple[str, str]] = []
    for case in scope.session.scalars(idle.order_by(Case.opened_at.desc()).limit(20 * CASES_SHOWN)):
        if missing := unmet(fields_of(case), services_of(case)):
            shown.append((case.id, f"{day(case.opened_at)}　{'、'.join(map(spoken_field, missing))}"))
    return shown[:CASES_SHOWN]

"""`python -m bench.reports_check [DATABASE_URL] [--cases 2000] [--postgres]`: whether the reports' figures are right.

Builds the demo town (or takes a database that is there), counts every figure of the reports as the pages do and as
bench/plain_counts.py does, and says where they differ, and how long each report took.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench import plain_counts
from handoff import report_cases, report_costs, report_gaps, report_load, report_waiting
from handoff.cost_split import in_force
from handoff.counting import Scope, nobody
from handoff.period import Period, by_key
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.models import Desk


def main() -> int:
    """0 when all figures agree."""
    parser = argparse.ArgumentParser(prog="python -m bench.reports_check", description=__doc__)
    parser.add_argument("database", nargs="?", help="a database that is there; else the demo town is built")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--only-times", action="store_true", help="without the slow second count")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="uketome-reports-") as folder:
        database = Database(options.database or f"sqlite:///{Path(folder) / 'town.db'}")
        try:
            if not options.database:
                from uketome import demo_town

                demo_town.build(database, Clock().now(), options.cases)
            return database.read_now(lambda session: _check(session, Clock().now(), options.only_times))
        finally:
            database.close()


def _check(session: Session, now: datetime, only_times: bool) -> int:
    today = now.astimezone(JAPAN).date()
    year = by_key(f"FY{today.year if today.month >= 4 else today.year - 1}")
    month = by_key(f"{today.year:04}-{today.month:02}")
    whole = Period(date(today.year - 2, today.month, 1), today)
    desks = [None, 0, *session.scalars(select(Desk.id).order_by(Desk.id).limit(2))]
    wrong = 0
    for period in (whole, year, month):
        print(f"{period.first} to {period.last}")
        for name, seconds in times(Scope(session, nobody(), period, now)):
            print(f"  {name:<8} {seconds * 1000:7.0f} ms")
        for desk in [] if only_times else desks:
            found = list(differences(Scope(session, nobody(), period, now, desk)))
            wrong += len(found)
            print(f"  desk {'all' if desk is None else desk}: {'agree' if not found else '; '.join(found)}")
    return 1 if wrong else 0


def times(scope: Scope) -> Iterator[tuple[str, float]]:
    """How long each whole report takes, in seconds."""
    reports: dict[str, Callable[[Scope], Any]] = {
        "cases": report_cases.report, "waiting": report_waiting.report, "load": report_load.report,
        "gaps": report_gaps.report, "costs": report_costs.report,
    }  # fmt: skip
    for name, make in reports.items():
        began = time.perf_counter()
        make(scope)
        yield name, time.perf_counter() - began


def differences(scope: Scope) -> Iterator[str]:
    """Where the reports and the plain count do not say the same, one sentence each."""
    ours, theirs = counted(scope), plainly(scope)
    for part, figures in theirs.items():
        for name in sorted({*figures, *ours[part]}, key=str):
            if figures.get(name) != ours[part].get(name):
                yield f"{part}/{name}: {ours[part].get(name)!r} is not {figures.get(name)!r}"


def plainly(scope: Scope) -> dict[str, dict[Any, Any]]:
    """Every figure, case by case."""
    town = plain_counts.read(scope.session, scope.desk)
    first, last, rule = scope.period.first, scope.period.last, in_force(scope.session)
    return {
        "cases": plain_counts.cases(town, first, last),
        "waiting": plain_counts.waiting(town, first, last),
        "load": plain_counts.load(town, scope.now.astimezone(JAPAN).date()),
        "gaps": plain_counts.gaps(town, first, last),
        "costs": plain_counts.costs(town, first, last, rule.fields, rule.common == "share"),
    }


def counted(scope: Scope) -> dict[str, dict[Any, Any]]:
    """Every figure as the reports count it, in the form of the plain count."""
    return {
        "cases": _cases(report_cases.count(scope)),
        "waiting": _waiting(report_waiting.count(scope)),
        "load": _load(report_load.count(scope)),
        "gaps": _gaps(report_gaps.count(scope)),
        "costs": _costs(report_costs.count(scope)),
    }


def _cases(found: report_cases.CaseFigures) -> dict[Any, Any]:
    sets = {"pairs": found.pairs, "triples": found.triples}
    names = ("cases", "without_field", "fields", "channels", "months", "hours", "areas")
    return {
        **{name: getattr(found, name) for name in names},
        "alone": +found.alone,
        **{name: {frozenset(ids): number for ids, number in groups.items()} for name, groups in sets.items()},
    }


def _waiting(found: report_waiting.WaitingFigures) -> dict[Any, Any]:
    groups: dict[Any, report_waiting.Waits] = {**found.levels, **found.months}
    if groups:
        groups["all"] = found.all
    return {
        key: [waits.claimed, *(waits.percentile(p) for p in (50, 90, 95)), waits.longest, waits.waits, waits.ended]
        for key, waits in groups.items()
    }


def _load(found: report_load.LoadFigures) -> dict[Any, Any]:
    desks: dict[Any, report_load.Load] = {**found.desks, **({"all": found.all} if found.desks else {})}
    return {
        "desks": {desk: list(astuple(load)) for desk, load in desks.items()},
        "people": {one: list(astuple(load)) for one, load in found.people.items()},
    }


def _gaps(found: report_gaps.GapFigures) -> dict[Any, Any]:
    return {
        "cases": found.cases, "with_gap": found.with_gap, "needs": found.needs, "areas": found.areas,
        "gaps": {
            id_: {
                "cases": gap.cases, "outcomes": gap.outcomes, "agencies": gap.with_agencies,
                "records": gap.with_records, "minutes": gap.minutes, "nothing": gap.nothing_done,
            }
            for id_, gap in found.gaps.items()
        },
    }  # fmt: skip


def _costs(found: report_costs.CostFigures) -> dict[Any, Any]:
    return {
        "records": found.records, "minutes": found.minutes,
        **{name: {key: n for key, n in getattr(found, name).items() if n} for name in ("fields", "systems", "shared")},
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

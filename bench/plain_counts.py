"""The reports' figures counted a second way: case by case in plain Python, slowly, from docs/reports.md alone.

It shares no counting with handoff/report_*.py: only the tables and the reading of corrections (handoff/findings.py).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff.findings import area_of, fields_of, services_of
from knowledge_base.vocabulary import vocabulary
from storage.models import Case, CaseEvent
from storage.support import Involvement, SupportRecord

TOKYO = timezone(timedelta(hours=9))
Counts = dict[Any, int]


@dataclass
class Town:
    """Everything, in memory."""

    cases: list[Case]
    claims: dict[str, list[datetime]]
    agencies: set[str]
    records: list[SupportRecord]
    records_of: dict[str, list[SupportRecord]]


def read(session: Session, desk: int | None = None) -> Town:
    """The town, or one desk of it (0: the cases of no desk)."""
    cases = list(session.scalars(select(Case)))
    cases = [case for case in cases if desk is None or (case.desk_id or 0) == desk]
    claims: dict[str, list[datetime]] = {}
    for event in session.scalars(select(CaseEvent)):
        if event.kind == "claimed":
            claims.setdefault(event.case_id, []).append(event.at)
    agencies = {one.case_id for one in session.scalars(select(Involvement))}
    mine = {case.id for case in cases}
    records = [one for one in session.scalars(select(SupportRecord)) if one.case_id in mine]
    records_of: dict[str, list[SupportRecord]] = {}
    for record in records:
        records_of.setdefault(record.case_id, []).append(record)
    return Town(cases, claims, agencies, records, records_of)


def cases(town: Town, first: date, last: date) -> dict[str, Any]:
    """What report_cases counts."""
    opened = [case for case in town.cases if first <= _here(case.opened_at).date() <= last]
    fields: Counts = {}
    alone: Counts = {}
    pairs: Counts = {}
    triples: Counts = {}
    out: dict[str, Any] = {"cases": len(opened), "without_field": 0}
    for case in opened:
        ids = fields_of(case)
        if len(ids) == 0:
            out["without_field"] += 1
        for a in ids:
            _add(fields, a)
            if len(ids) == 1:
                _add(alone, a)
            for b in ids:
                if a < b:
                    _add(pairs, frozenset((a, b)))
                for c in ids:
                    if a < b < c:
                        _add(triples, frozenset((a, b, c)))
    return out | {
        "fields": fields, "alone": alone, "pairs": pairs, "triples": triples,
        "channels": _counted(case.channel for case in opened),
        "months": _counted(_month(case.opened_at) for case in opened),
        "hours": _counted(
            ((_here(case.opened_at).weekday() + 1) % 7, _here(case.opened_at).hour) for case in opened
        ),
        "areas": _counted(area_of(case) for case in opened),
    }  # fmt: skip


def waiting(town: Town, first: date, last: date) -> dict[str, Any]:
    """What report_waiting counts: of each group how many were claimed, wait and ended; 50, 90, 95 % and the longest."""
    groups: dict[Any, dict[str, Any]] = {}
    for case in town.cases:
        since = case.waiting_since
        if since is None or not first <= _here(since).date() <= last:
            continue
        after = [at for at in town.claims.get(case.id, []) if at >= since]
        for key in ("all", case.urgency, _month(since)):
            group = groups.setdefault(key, {"waits": [], "waiting": 0, "ended": 0})
            if after:
                seconds = min(after).replace(microsecond=0) - since.replace(microsecond=0)
                group["waits"].append(int(seconds.total_seconds()) // 60)
            elif case.closed_at is None and case.claimed_by is None and case.following_since is None:
                group["waiting"] += 1
            else:
                group["ended"] += 1
    return {key: _percentiles(group) for key, group in groups.items()}


def load(town: Town, today: date) -> dict[str, Any]:
    """What report_load counts: open, collecting, waiting, claimed, following, overdue, unplanned."""
    desks: dict[Any, list[int]] = {}
    people: dict[Any, list[int]] = {}
    for case in town.cases:
        if case.closed_at is not None:
            continue
        if case.claimed_by is not None:
            stands = 2
        elif case.following_since is not None:
            stands = 3
        else:
            stands = 1 if case.waiting_since is not None else 0
        row = [1, 0, 0, 0, 0, 0, 0]
        row[1 + stands] = 1
        row[5] = 1 if case.next_contact_on is not None and case.next_contact_on < today else 0
        row[6] = 1 if case.next_contact_on is None and stands >= 2 else 0
        carriers = {case.claimed_by, case.responsible_id} - {None}
        _add_row(desks, "all", row)
        _add_row(desks, case.desk_id or 0, row)
        for one in carriers or {None}:
            _add_row(people, one, row)
    return {"desks": desks, "people": people}


def gaps(town: Town, first: date, last: date) -> dict[str, Any]:
    """What report_gaps counts."""
    services = vocabulary().services
    needs: Counts = {}
    areas: Counts = {}
    found: dict[str, dict[str, Any]] = {}
    opened = with_gap = 0
    for case in town.cases:
        if not first <= _here(case.opened_at).date() <= last:
            continue
        opened += 1
        records = town.records_of.get(case.id, [])
        agencies = case.id in town.agencies
        missing = 0
        for field in fields_of(case):
            _add(needs, field)
            if any(id_ not in services or field in services[id_].fields for id_ in services_of(case)):
                continue
            missing += 1
            gap = found.setdefault(
                field, {"cases": 0, "outcomes": {}, "agencies": 0, "records": 0, "minutes": 0, "nothing": 0}
            )
            gap["cases"] += 1
            _add(gap["outcomes"], "open" if case.closed_at is None else case.outcome_kind or "")
            gap["agencies"] += agencies
            gap["records"] += bool(records)
            gap["minutes"] += sum(one.minutes for one in records)
            gap["nothing"] += case.closed_at is None and not agencies and not records
            _add(areas, (field, area_of(case)))
        with_gap += missing > 0
    return {"cases": opened, "with_gap": with_gap, "needs": needs, "gaps": found, "areas": areas}


def costs(town: Town, first: date, last: date, mapping: Mapping[str, str], share: bool) -> dict[str, Any]:
    """What report_costs counts. `mapping`: field → system; all else is common. `share`: common is shared out."""
    by_id = {case.id: case for case in town.cases}
    order = list(vocabulary().fields)
    fields: Counts = {}
    systems: Counts = {}
    records = minutes = 0
    for record in town.records:
        if not first <= _here(record.at).date() <= last:
            continue
        records, minutes, month = records + 1, minutes + record.minutes, _month(record.at)
        parts = sorted(set(record.fields or fields_of(by_id[record.case_id])), key=order.index) or [""]
        for minute in range(record.minutes):
            # Dealt out like cards: as equal as whole minutes can be, the first fields before the last.
            part = parts[minute % len(parts)]
            _add(fields, (month, part))
            _add(systems, (month, mapping.get(part, "common")))
    shared: Counts = {}
    for month in sorted({month for month, _ in fields}):
        _share_out(month, systems, shared, share)
    return {
        "records": records, "minutes": minutes, "fields": fields, "systems": systems,
        "shared": {key: value for key, value in shared.items() if value},
    }  # fmt: skip


def _share_out(month: str, systems: Counts, shared: Counts, share: bool) -> None:
    own = ["kaigo", "shogai", "kodomo", "konkyu"]
    common, whole = systems.get((month, "common"), 0), sum(systems.get((month, one), 0) for one in own)
    for one in own:
        shared[month, one] = systems.get((month, one), 0)
    if not share or whole == 0:
        shared[month, "common"] = common
        return
    exact = {one: common * shared[month, one] / whole for one in own}
    remainders = {one: (common * shared[month, one]) % whole for one in own}
    left = common
    for one in own:
        shared[month, one] += math.floor(exact[one] + 1e-9)
        left -= math.floor(exact[one] + 1e-9)
    for one in sorted(own, key=lambda one: (-remainders[one], own.index(one)))[:left]:
        shared[month, one] += 1


def _percentiles(group: dict[str, Any]) -> list[int | None]:
    waits = sorted(group["waits"])
    at = [waits[math.ceil(len(waits) * p / 100) - 1] if waits else None for p in (50, 90, 95)]
    return [len(waits), *at, max(waits, default=None), group["waiting"], group["ended"]]


def _counted(keys: Iterable[Any]) -> Counts:
    counts: Counts = {}
    for key in keys:
        _add(counts, key)
    return counts


def _add(counts: Counts, key: Any) -> None:
    counts[key] = counts.get(key, 0) + 1


def _add_row(rows: dict[Any, list[int]], key: Any, row: list[int]) -> None:
    rows[key] = [a + b for a, b in zip(rows.get(key, [0] * len(row)), row, strict=True)]


def _here(moment: datetime) -> datetime:
    return moment.astimezone(TOKYO)


def _month(moment: datetime) -> str:
    return _here(moment).strftime("%Y-%m")

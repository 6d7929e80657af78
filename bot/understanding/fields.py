"""Evidence → the fields and services that are recorded, each with the clause it rests on."""

from __future__ import annotations

import numpy as np

from bot.understanding.assessment import FieldFinding, ServiceFinding
from bot.understanding.evidence import Evidence
from bot.understanding.heads import Floats
from knowledge_base.vocabulary import vocabulary

# RECORDED_FROM is near the best of a cross-validation on the voices; IN_CLAUSE_FROM is set by hand, still to be tuned.
RECORDED_FROM = 0.08
BESIDE_THE_SUREST = 0.18  # a field must weigh at least this share of the surest one
BESIDE_SCHOOL = 0.3  # school alone is `education`: `child` needs more of its own
IN_CLAUSE_FROM = 0.15
SERVICES_SHOWN = 5


def find_fields(evidence: Evidence, original: str) -> tuple[FieldFinding, ...]:
    """Surest first."""
    if not evidence.tells or not evidence.clauses:
        return ()
    found = []
    for at, name in enumerate(vocabulary().fields):
        if evidence.fields[at] >= _least(evidence.fields, name):
            clause = int(np.argmax(evidence.each[:, at]))
            quote = evidence.clauses[clause].quote(original)
            found.append(FieldFinding(name, confidence(evidence.fields[at]), quote, evidence.near(clause, at)))
    return tuple(sorted((f for f in found if f.quote), key=lambda f: -f.confidence))


def _least(shares: Floats, name: str) -> float:
    """What a field must weigh to be recorded beside the others."""
    least = max(RECORDED_FROM, BESIDE_THE_SUREST * float(shares.max()))
    if name == "child":
        education = list(vocabulary().fields).index("education")
        return max(least, BESIDE_SCHOOL * float(shares[education]))
    return least


def find_services(evidence: Evidence, fields: tuple[FieldFinding, ...], original: str) -> tuple[ServiceFinding, ...]:
    """The five likeliest kinds of services, best first; none where no field is found."""
    if not fields:
        return ()
    names = list(vocabulary().services.values())
    quotes = {f.id: f.quote for f in fields}
    best = np.argsort(-evidence.services, kind="stable")[:SERVICES_SHOWN]
    return tuple(
        ServiceFinding(
            names[at].id,
            round(float(evidence.services[at]), 3),
            next((quotes[f] for f in names[at].fields if f in quotes), fields[0].quote),
        )
        for at in best
    )


def troubles(evidence: Evidence, fields: tuple[FieldFinding, ...]) -> list[dict[str, float]]:
    """For each clause the fields that it tells of: only such as the whole text was found to tell."""
    names = list(vocabulary().fields)
    recorded = {f.id for f in fields}
    return [
        {name: float(row[at]) for at, name in enumerate(names) if name in recorded and row[at] >= IN_CLAUSE_FROM}
        for row in evidence.each
    ]


def confidence(share: float) -> float:
    """0.5 at the threshold, so that a counselor reads the number as it is meant."""
    odds = share / max(1 - share, 1e-6) * (1 - RECORDED_FROM) / RECORDED_FROM
    return round(float(odds / (1 + odds)), 3)


def clause_weights(evidence: Evidence) -> Floats:
    """How much each clause tells of any trouble."""
    return np.asarray(evidence.each.max(axis=1), np.float32) if len(evidence.each) else np.zeros(0, np.float32)

"""Evidence → the fields and services that are recorded, each with the clause it rests on."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from bot.understanding.assessment import FieldFinding, ServiceFinding, Urgency
from bot.understanding.evidence import Evidence
from bot.understanding.features import Floats
from knowledge_base.vocabulary import vocabulary

SERVICES_SHOWN = 5
SUICIDE_KINDS = ("suicide", "self_harm")
SUICIDE_TOLD = 0.95  # how sure a plain sign is, where the text as a whole alarms
#: Without any field sure enough to be recorded, services are shown for a text of so many letters and so probable a one.
TELLING, LIKELY = 15, 0.1
#: What an explanation shows of what missed: from this share of the least that was found on, and so many.
NEARLY, MISSED_SHOWN = 0.5, 5


def find_fields(evidence: Evidence, original: str) -> tuple[FieldFinding, ...]:
    """Surest first."""
    if not evidence.tells or not evidence.clauses:
        return ()
    found = []
    for at, name in enumerate(vocabulary().fields):
        if evidence.fields[at] >= evidence.recorded_from:
            clause = int(np.argmax(evidence.each[:, at]))
            quote = evidence.clauses[clause].quote(original)
            sure = round(float(evidence.fields[at]), 3)
            found.append(FieldFinding(name, sure, quote, evidence.near(clause, at)))
    return tuple(sorted((f for f in found if f.quote), key=lambda f: -f.confidence))


def with_danger(found: tuple[FieldFinding, ...], screened: Urgency, urgency: Urgency) -> tuple[FieldFinding, ...]:
    """With the wish to die that is said in so many words, where the words themselves resemble another field."""
    told = urgency.at_least("urgent") and screened.at_least("urgent") and screened.kinds[0] in SUICIDE_KINDS
    if not told or any(f.id == "suicide" for f in found):
        return found
    return tuple(sorted((FieldFinding("suicide", SUICIDE_TOLD, urgency.quote), *found), key=lambda f: -f.confidence))


def find_services(evidence: Evidence, fields: tuple[FieldFinding, ...], original: str) -> tuple[ServiceFinding, ...]:
    """The five likeliest kinds of services, best first; none where no field is found and no service is likely."""
    best = np.argsort(-evidence.services, kind="stable")[:SERVICES_SHOWN]
    if not evidence.tells or not evidence.clauses or not (fields or _likely(evidence, best[0], original)):
        return ()
    quotes = {f.id: f.quote for f in fields}
    whole = fields[0].quote if fields else evidence.clauses[int(clause_weights(evidence).argmax())].quote(original)
    found = []
    for at in best:
        name, own = evidence.service(int(at))
        quote = next((quotes[f] for f in own if f in quotes), whole)
        found.append(ServiceFinding(name, round(float(evidence.services[at]), 3), quote))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Found:
    """A field or a service, with what it rests on. `found`: whether a talk would record or show it."""

    id: str
    sure: float
    quote: str
    example: str
    found: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """Surest first; those that were found, and those that narrowly missed behind them."""

    fields: tuple[Found, ...]
    services: tuple[Found, ...]
    tells: bool


def explain(evidence: Evidence, recorded: tuple[FieldFinding, ...], original: str) -> Explained:
    """What is found in a text, where `recorded` are its fields, and what narrowly missed."""
    if not evidence.tells or not evidence.clauses:
        return Explained((), (), False)
    shown = {one.id for one in find_services(evidence, recorded, original)}
    return Explained(
        _explained_fields(evidence, recorded, original), _explained_services(evidence, original, shown), True
    )


def _explained_fields(evidence: Evidence, recorded: tuple[FieldFinding, ...], original: str) -> tuple[Found, ...]:
    names = list(vocabulary().fields)
    found = [Found(one.id, one.confidence, one.quote, one.example, found=True) for one in recorded]
    known = {one.id for one in recorded}
    for at in np.argsort(-evidence.fields, kind="stable"):
        nearly = evidence.fields[at] >= evidence.recorded_from * NEARLY and len(found) < MISSED_SHOWN
        if nearly and names[at] not in known:
            clause = int(np.argmax(evidence.each[:, at]))
            quote, near = evidence.clauses[clause].quote(original), evidence.near(clause, int(at))
            found.append(Found(names[at], round(float(evidence.fields[at]), 3), quote, near, found=False))
    return tuple(found)


def _explained_services(evidence: Evidence, original: str, shown: Container[str]) -> tuple[Found, ...]:
    order = list(vocabulary().fields)
    whole = int(clause_weights(evidence).argmax())
    found = []
    likeliest = np.argsort(-evidence.services, kind="stable")[: SERVICES_SHOWN + MISSED_SHOWN]
    for at in likeliest:
        if evidence.services[at] < NEARLY * evidence.services[likeliest[SERVICES_SHOWN - 1]]:
            break
        name, fields = evidence.service(int(at))
        own = [order.index(field) for field in fields]
        clause = int(evidence.each[:, own].max(axis=1).argmax()) if own else whole
        quote, near = evidence.clauses[clause].quote(original), evidence.near_service(clause, int(at))
        found.append(Found(name, round(float(evidence.services[at]), 3), quote, near, name in shown))
    return tuple(found)


def _likely(evidence: Evidence, service: int, original: str) -> bool:
    return len(original) >= TELLING and bool(evidence.services[service] >= LIKELY)


def clause_weights(evidence: Evidence) -> Floats:
    """How much each clause tells of any trouble."""
    return np.asarray(evidence.each.max(axis=1), np.float32) if len(evidence.each) else np.zeros(0, np.float32)

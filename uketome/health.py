"""Health: alive, ready, and figures for Prometheus. Health is the age of the oldest thing that is not done."""

from datetime import datetime

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.dialogue import Rasa
from handoff.case import LEVELS
from storage.clock import Clock
from storage.database import Database
from storage.models import Case, Delivery, Message, Turn
from storage.problems import Problem

LATE_S = 60.0


def routes(database: Database, clock: Clock, rasa: Rasa) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`."""
    router = APIRouter()

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz")
    async def ready() -> dict[str, object]:
        try:
            ages = await database.read(lambda session: oldest(session, clock.now()))
        except DBAPIError:
            raise Problem(503, "Not ready", "データベースが答えません。") from None
        late = [name for name, age in ages.items() if age > LATE_S]
        if late:
            raise Problem(
                503, "Not ready", "、".join(f"{LATE[name]}が{int(ages[name])}秒たまっています。" for name in late)
            )
        return {"status": "ready", "rasa": await rasa.ready(), **{f"{name}_s": age for name, age in ages.items()}}

    @router.get("/metrics")
    async def metrics() -> Response:
        figures = await database.read(lambda session: _figures(session, clock.now()))
        return Response(generate_latest(figures), media_type=CONTENT_TYPE_LATEST)

    return router


LATE = {"oldest_message": "お返事していないメッセージ", "oldest_reply": "届けていない返信"}


def oldest(session: Session, now: datetime) -> dict[str, float]:
    """Age in seconds of the oldest unhandled message and of the oldest undelivered reply; 0.0 where there is none."""
    message = session.scalar(select(func.min(Message.received_at)).where(Message.handled_at.is_(None)))
    reply = session.scalar(select(func.min(Delivery.created_at)).where(Delivery.done_at.is_(None)))
    return {"oldest_message": _age(message, now), "oldest_reply": _age(reply, now)}


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _figures(session: Session, now: datetime) -> CollectorRegistry:
    registry = CollectorRegistry()
    for name, age in oldest(session, now).items():
        Gauge(f"uketome_{name}_seconds", f"Age of the oldest {name} that is not done", registry=registry).set(age)
    turns = Gauge("uketome_turns", "Turns recorded, by who spoke", ["voice"], registry=registry)
    for voice, count in session.execute(select(Turn.voice, func.count()).group_by(Turn.voice)):
        turns.labels(voice).set(count)
    waiting = Gauge("uketome_cases_waiting", "Cases that wait for a person, by urgency", ["urgency"], registry=registry)
    counted = select(Case.urgency, func.count()).where(
        Case.closed_at.is_(None), Case.claimed_by.is_(None), Case.waiting_since.is_not(None)
    )
    for urgency, count in session.execute(counted.group_by(Case.urgency)):
        waiting.labels(LEVELS[urgency]).set(count)
    return registry

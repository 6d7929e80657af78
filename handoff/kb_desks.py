"""Where a service is found: the published desks that serve it, with what staff and residents need to go there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handoff.moments import clock_time, day_and_time
from handoff.tongue import say
from handoff.words import service_name
from knowledge_base import live, town
from knowledge_base.opening import open_now
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN

MOST = 4


def contacts(service: str, now: datetime) -> list[dict[str, Any]]:
    """The desks of a service, those that are open first."""
    found = [contact(desk.content, now) for desk in live.now().desks(service)]
    return sorted(found, key=lambda one: not one["open"])[:MOST]


def contact(content: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """One desk as it is shown; `opening` says in words whether it is open now."""
    opening = open_now(content.get("hours", {}), now.astimezone(JAPAN), on_holidays=content.get("holidays") == "open")
    if opening.until:
        said = say("いま開いています（{until}まで）", until=clock_time(opening.until))
    elif opening.next:
        said = say("いまは閉まっています。次は{next}から", next=day_and_time(opening.next))
    else:
        said = ""
    return {
        **{name: content.get(name, "") for name in ("name", "address", "phone", "note", "web", "area")},
        "hours": town.hours_in_words(content),
        "holidays": content.get("holidays", "closed"),
        "opening": said,
        "open": opening.open,
    }


def about(service: str) -> str:
    """One sentence on a service of the contract or of the town; "" when nobody knows it."""
    known = vocabulary().services.get(service)
    own = live.now().entries.get(service)
    return known.about if known else own.content.get("about", "") if own else ""


def every_service() -> list[str]:
    """The ids of all services that somebody may be referred to, the town's own first."""
    own = sorted(live.now().services, key=lambda one: str(one.content["name"]))
    return [*(one.id for one in own), *vocabulary().services]


def served(content: Mapping[str, Any]) -> list[str]:
    """The names of what a desk serves."""
    return [service_name(one) for one in content.get("services", ())]

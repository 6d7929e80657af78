"""Where a service is found: the published desks that serve it, with what staff and residents need to go there."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from handoff.moments import clock_time, day_and_time, whole_day
from handoff.tongue import say
from handoff.words import spoken_service
from knowledge_base import live, town
from knowledge_base.areas import UNKNOWN, Where
from knowledge_base.desks import opening
from knowledge_base.opening import Opening, closings
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN

#: A sentence with its values filled in, as `handoff.tongue.say`.
Say = Callable[..., str]
MOST = 4
#: Where each district has a desk and the resident's is not known, nobody is to miss theirs.
MOST_BY_DISTRICT = 16


def contacts(service: str, now: datetime, where: Where = UNKNOWN) -> list[dict[str, Any]]:
    """The desks of a service that staff are shown."""
    found = nearest(service, now, where)
    most = MOST_BY_DISTRICT if where.kind == "unknown" and any(one["areas"] for one in found) else MOST
    return found[:most]


def nearest(service: str, now: datetime, where: Where = UNKNOWN, say: Say = say) -> list[dict[str, Any]]:
    """All desks of a service, those that are open first; where a resident's area is known, the nearest before that."""
    published = live.now()
    ranked = [
        (published.areas.rank(desk.content, where) or 0, {"id": desk.id, **contact(desk.content, now, say)})
        for desk in published.desks(service, where)
    ]
    return [one for _, one in sorted(ranked, key=lambda one: (one[0], not one[1]["open"], one[1]["name"]))]


def where(told: str, address: str = "") -> Where:
    """Where a resident lives, by the address that staff have written down, else by what was told in the talk."""
    areas = live.now().areas
    known = areas.where(address)
    return areas.where(told) if known.kind == "unknown" else known


def where_in_words(where: Where) -> str:
    """What the suggestions are narrowed to; "" while the area is unknown."""
    if where.kind == "district":
        return say("{name}の窓口を先に出しています。", name=where.name)
    if where.kind == "elsewhere":
        return say(
            "住まいは{name}のようです。町の窓口は{town}の人のためのものなので、あとに出しています。",
            name=where.name, town=live.now().areas.town,
        )  # fmt: skip
    return ""


def for_others(service: str, where: Where) -> str:
    """Said of a service of the town's own that is for other people than this resident; "" where it is for them."""
    entry, areas = live.now().entries.get(service), live.now().areas
    if entry is None:
        return ""
    if areas.rank(entry.content, where) is None:
        return say("{names}の人のための支援です", names="・".join(areas.names(entry.content.get("areas", ()))))
    in_town = (entry.content.get("reach") or "town") == "town"
    return say("{town}の人のための支援です", town=areas.town) if where.kind == "elsewhere" and in_town else ""


def contact(content: Mapping[str, Any], now: datetime, say: Say = say) -> dict[str, Any]:
    """One desk as it is shown; `opening` says in words whether it is open now. `say`: in whose language."""
    found = opening(content, now)
    areas = live.now().areas.names(content.get("areas", ()))
    return {
        **{name: content.get(name, "") for name in ("name", "address", "phone", "note", "web")},
        "area": content.get("area", "") or "・".join(areas),
        "areas": areas,
        "hours": town.hours_in_words(content),
        "holidays": content.get("holidays", "closed"),
        "closings": [_closing(*one) for one in closings(content.get("closed_on", ()), now.astimezone(JAPAN).date())],
        "opening": _opening(found, now, say) if content.get("hours") else "",
        "open": found.open,
    }


def _opening(opening: Opening, now: datetime, say: Say) -> str:
    if opening.open and opening.until:
        return say("いま開いています（{until}まで）", until=_until(opening.until, now, say))
    if opening.open:
        return say("いま開いています")
    parts = [say("いまは閉まっています。") if opening.shut is None else _shut(opening.shut, say)]
    if opening.next:
        parts.append(say("次は{next}から", next=day_and_time(opening.next)))
    return "".join(parts)


def _shut(why: str, say: Say) -> str:
    return say("きょうは臨時のお休みです（{why}）。", why=why) if why else say("きょうは臨時のお休みです。")


def _until(until: datetime, now: datetime, say: Say) -> str:
    """Until midnight is until 24時 of this day, as offices say it."""
    here = until.astimezone(JAPAN)
    if here.date() == now.astimezone(JAPAN).date():
        return clock_time(until)
    if here - timedelta(days=1) <= now:
        return say("24時") if (here.hour, here.minute) == (0, 0) else say("翌日の{clock}", clock=clock_time(until))
    return day_and_time(until)


def _closing(first: date, last: date, why: str) -> str:
    """2026年12月28日〜2027年1月4日（改修工事）"""
    until = "" if first == last else f"〜{whole_day(last)}"
    return f"{whole_day(first)}{until}" + (f"（{why}）" if why else "")


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
    return [spoken_service(one) for one in content.get("services", ())]

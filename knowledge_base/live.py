"""What of the town's own knowledge counts now, held in every process and renewed within a second of a change.

Versions are only ever added, so a renewal reads what is new, not everything. What is published is told by a bell; a
bell that is lost, and a version whose time comes, are found by looking every second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from knowledge_base import versions
from knowledge_base.areas import UNKNOWN, Areas, Where, from_content
from knowledge_base.vocabulary import vocabulary
from storage.bells import Bells, in_time
from storage.clock import Clock
from storage.database import Database, unavailable
from storage.knowledge import KbVersion
from storage.logs import where

#: Rung after something was published or retired.
BELL = "knowledge"
LOOK_EVERY_S = 1.0
#: After a failure, unless something else is published before.
RETRY_S = 30.0
#: Ids may be committed out of order by several processes: so many before the last are looked at again.
OVERLAP = 50

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Live:
    """One published entry."""

    id: str
    kind: str
    number: int
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Published:
    """Everything that counts at one moment. Immutable: a renewal makes a new one."""

    entries: Mapping[str, Live] = field(default_factory=dict)
    #: Names of all that was ever published: a case of last year still names what it found.
    names: Mapping[str, str] = field(default_factory=dict)
    successors: Mapping[str, str] = field(default_factory=dict)
    #: Since when the newest cannot be taken in; None while all is well.
    failed_since: datetime | None = None
    serving: Mapping[str, Sequence[Live]] = field(default_factory=dict)
    areas: Areas = field(default_factory=Areas)

    @property
    def services(self) -> list[Live]:
        """The town's own services."""
        return [one for one in self.entries.values() if one.kind == "service"]

    def desks(self, service: str, where: Where = UNKNOWN) -> Sequence[Live]:
        """The desks that serve a service; those of the kind it is like, where it has none of its own. For somebody
        whose area is known the nearest first, without those of other districts."""
        own = self.serving.get(service)
        if own is None and (entry := self.entries.get(service)):
            own = self.serving.get(entry.content.get("like", ""))
        return self.areas.narrowed(own or (), where, lambda desk: desk.content)

    def name(self, service: str) -> str:
        """What a service of the contract or of the town is called; "" when nobody knows it."""
        known = vocabulary().services.get(service)
        return known.ja if known else self.names.get(service, "")


_now = Published()


def now() -> Published:
    """What counts in this process."""
    return _now


def hold(published: Published) -> None:
    """Puts what counts in this process, whole."""
    global _now  # one town, one knowledge: everything that shows a service asks for it
    _now = published


class Keeper:
    """Renews what counts, as long as the process runs. `take_in` puts the services into the search; when it fails,
    what counted before goes on counting, and staff are told."""

    def __init__(
        self, database: Database, bells: Bells, clock: Clock, take_in: Callable[[Sequence[Live]], None]
    ) -> None:
        self._database, self._bells, self._clock, self._take_in = database, bells, clock, take_in
        self._last = 0
        self._kinds: dict[str, str] = {}
        self._decided: dict[str, dict[int, KbVersion]] = {}
        self._new: set[str] = set()  # entries with versions that were not looked at yet
        self._planned: set[str] = set()  # entries with versions whose time will come
        self._counting: dict[str, int] = {}
        self._areas = Areas()
        self.published = Published()
        hold(self.published)

    async def run(self) -> None:
        """For ever."""
        while True:
            with self._bells.listening(BELL) as rung:
                await self.renew()
                await in_time(rung, RETRY_S if self.published.failed_since else LOOK_EVERY_S)

    async def renew(self) -> bool:
        """Takes in what is new. Whether anything was."""
        try:
            await self._database.read(self._read)
            return await asyncio.to_thread(self._renew, self._clock.now())
        except DBAPIError as error:
            if not unavailable(error):
                raise
            return False
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new, the old goes on counting
            log.error("knowledge.failed", error=where(error))
            if self.published.failed_since is None:
                self._hold(_failed(self.published, self._clock.now()))
            return False

    def _read(self, session: Session) -> None:
        for one, kind in versions.decided_since(session, max(0, self._last - OVERLAP)):
            decided = self._decided.setdefault(one.entry_id, {})
            if one.number not in decided:
                decided[one.number] = one
                self._kinds[one.entry_id] = kind
                self._new.add(one.entry_id)
            self._last = max(self._last, one.id)
        newest = versions.areas(session)
        if newest and newest.id != self._areas.number:
            self._areas = from_content(newest.id, newest.content)

    def _renew(self, moment: datetime) -> bool:
        looked_at = self._new | self._planned
        counting = dict(self._counting)
        for id_ in looked_at:
            if (number := _counts(self._decided[id_], moment)) is not None:
                counting[id_] = number
        planned = {id_ for id_ in looked_at if _has_plan(self._decided[id_], moment)}
        if counting == self._counting and self.published.failed_since is None:
            self._new.clear()
            self._planned = planned
            return self._renew_areas()
        published = self._build(counting)
        before = {one.id: one.number for one in self.published.services}
        if before != {one.id: one.number for one in published.services} or self.published.failed_since:
            self._take_in(published.services)
        self._counting, self._planned = counting, planned
        self._new.clear()
        self._hold(published)
        return True

    def _renew_areas(self) -> bool:
        if self._areas.number == self.published.areas.number:
            return False
        self._hold(replace(self.published, areas=self._areas))
        return True

    def _build(self, counting: Mapping[str, int]) -> Published:
        entries, names, successors = {}, {}, {}
        serving: dict[str, list[Live]] = {}
        left: dict[str, list[str]] = {}
        for id_, number in counting.items():
            one = self._decided[id_][number]
            names[id_] = one.content["name"]
            if one.state == "retired":
                successors[id_] = heir = one.successor or ""
                for service in one.content.get("services", ()):
                    left.setdefault(service, []).append(heir)
                continue
            entries[id_] = live = Live(id_, self._kinds[id_], number, one.content)
            for service in one.content.get("services", ()):
                serving.setdefault(service, []).append(live)
        for service, heirs in left.items():  # whoever took over a desk takes over what no other desk serves
            living = [entries[heir] for heir in dict.fromkeys(heirs) if heir in entries]
            if service not in serving and living:
                serving[service] = living
        return Published(entries, names, successors, None, serving, self._areas)

    def _hold(self, published: Published) -> None:
        self.published = published
        hold(published)


def _counts(decided: Mapping[int, KbVersion], moment: datetime) -> int | None:
    """The newest decision whose time has come: a later decision goes before an earlier schedule."""
    due = [number for number, one in decided.items() if one.publish_at is None or one.publish_at <= moment]
    return max(due, default=None)


def _has_plan(decided: Mapping[int, KbVersion], moment: datetime) -> bool:
    return any(one.publish_at is not None and one.publish_at > moment for one in decided.values())


def _failed(before: Published, moment: datetime) -> Published:
    return replace(before, failed_since=moment)

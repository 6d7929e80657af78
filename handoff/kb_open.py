"""What goes out as open data, shown to admins: whether it is on, at which addresses, and the file to hand on."""

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from handoff.access import SignedIn
from handoff.exports import attachment
from handoff.kb_pages import HERE, failed
from handoff.office import Office
from handoff.open_data import HERE as OPEN_HERE
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.tongue import say
from knowledge_base import hsds, live
from knowledge_base.vocabulary import vocabulary
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.settings import Settings

ADDRESSES = (
    ("/all.json", "すべてを一つのファイルで"),
    ("/services?full=true", "支援を1ページずつ（窓口つき）"),
    ("", "この公開データについて"),
)


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/open and /staff/kb/hsds.json."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/open", pages.show)
    router.add_api_route("/hsds.json", pages.download)
    return router


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def show(self, request: Request) -> Response:
        who = await self._office.look(request, _admin)
        published = live.now()
        settings = self._office.settings
        return page(
            "kb_open.html", who=who, here=HERE, tab=f"{HERE}/open", failed=failed(), on=settings.open_data,
            addresses=[(f"{settings.address}{OPEN_HERE}{path}", say(name)) for path, name in ADDRESSES],
            counts=_counts(published),
        )  # fmt: skip

    async def download(self, request: Request) -> Response:
        """What anybody may have; with `examples=1` the town's own copy."""
        await self._office.look(request, _admin)
        town, examples = self._office.settings.town, request.query_params.get("examples") == "1"

        def make() -> bytes:
            return hsds.one_file(hsds.tables(live.now(), town, examples=examples))

        day = self._office.clock.now().astimezone(JAPAN).date().isoformat()
        name = f"{town}_窓口と支援{'_例文つき' if examples else ''}_{day}.json"
        return attachment(await asyncio.to_thread(make), "application/json", name)


def _admin(_session: Session, who: SignedIn, _now: datetime) -> SignedIn:
    only(who, "admin")
    return who


def _counts(published: live.Published) -> list[tuple[str, Any]]:
    own = published.services
    return [
        (say("窓口"), len(published.entries) - len(own)),
        (say("町の支援"), len(own)),
        (say("全国の支援"), len(vocabulary().services)),
    ]

"""What goes out as open data: an admin looks at it, lets everybody fetch it, or stops that; and the file to hand on."""

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import open_data_switch as choice
from handoff.access import SignedIn
from handoff.exports import attachment
from handoff.kb_pages import HERE, failed
from handoff.office import Form, Office
from handoff.open_data import HERE as OPEN_HERE
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.slips import Sent, Slip, send
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
DONE = {
    "on": "オープンデータとして公開しました。いまから、だれでも取れます。",
    "off": "オープンデータの公開をやめました。いまから、だれも取れません。",
}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb/open and /staff/kb/hsds.json."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("/open", pages.show)
    router.add_api_route("/open", pages.switch, methods=["POST"])
    router.add_api_route("/open/preview", pages.preview)
    router.add_api_route("/hsds.json", pages.download)
    return router


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def show(self, request: Request) -> Response:
        return await self._show(request, Sent(), 200)

    async def switch(self, request: Request) -> Response:
        """Opens or shuts. To open wants a tick, as copies that others take cannot be called back."""
        settings = self._office.settings

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> str:
            only(who, "admin")
            on = form.get("act") == "on"
            if on and not settings.open_data:
                raise Slip({"": say("この町のシステムの設定で、公開できないようになっています。")}, 409)
            if on and form.get("seen") != "1":
                raise Slip({"seen": say("「入るもの」を確かめて、印を付けてください。")})
            choice.switch(session, who, on, now)
            return "on" if on else "off"

        done, sent, status = await send(self._office, request, "open", work)
        return RedirectResponse(f"{HERE}/open?done={done}", 303) if done else await self._show(request, sent, status)

    async def preview(self, request: Request) -> Response:
        """What anybody would get, in the browser, also while nobody gets it."""
        await self._office.look(request, _admin)
        return Response(await self._made(examples=False), media_type="application/json")

    async def download(self, request: Request) -> Response:
        """What anybody may have; with `examples=1` the town's own copy."""
        await self._office.look(request, _admin)
        town, examples = self._office.settings.town, request.query_params.get("examples") == "1"
        day = self._office.clock.now().astimezone(JAPAN).date().isoformat()
        name = f"{town}_窓口と支援{'_例文つき' if examples else ''}_{day}.json"
        return attachment(await self._made(examples=examples), "application/json", name)

    async def _made(self, *, examples: bool) -> bytes:
        town = self._office.settings.town
        return await asyncio.to_thread(lambda: hsds.one_file(hsds.tables(live.now(), town, examples=examples)))

    async def _show(self, request: Request, sent: Sent, status: int) -> Response:
        settings = self._office.settings

        def look(session: Session, who: SignedIn, now: datetime) -> tuple[SignedIn, bool]:
            return _admin(session, who, now), choice.is_chosen(session)

        who, chosen = await self._office.look(request, look)
        return page(
            "kb_open.html", status, who=who, here=HERE, tab=f"{HERE}/open", failed=failed(),
            on=chosen and settings.open_data, chosen=chosen, allowed=settings.open_data, problems=sent.problems,
            done=say(DONE.get(request.query_params.get("done", ""), "")),
            addresses=[(f"{settings.address}{OPEN_HERE}{path}", say(name)) for path, name in ADDRESSES],
            counts=_counts(live.now()),
        )  # fmt: skip


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

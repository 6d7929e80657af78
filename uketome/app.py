"""The application put together: connectors, turn, outbox, console, one of each, started and ended in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

import structlog
from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from bot.dialogue import Rasa
from bot.turn import Turns
from bot.understanding import Assessment, Reading, Understander
from bot.understanding.fields import Explained
from bot.understanding.segments import LocalService
from bot.worker import Worker, let_wait
from connectors import directory, line, line_quota, web
from connectors.base import Channel
from connectors.inbox import Inbox
from connectors.line_door import LineDoor
from connectors.outbox import Outbox
from handoff import (
    agency_pages,
    api,
    check_ins,
    console,
    cost_settings,
    drafts,
    examples,
    finding,
    form_settings,
    forms,
    kb_areas,
    kb_bring,
    kb_care,
    kb_entry,
    kb_export,
    kb_hotlines,
    kb_open,
    kb_own,
    kb_pages,
    kb_todo,
    kb_try,
    lease,
    letter_pages,
    me,
    meeting_pages,
    mending,
    notice_pages,
    open_data,
    presence,
    records,
    replies,
    reports,
    search,
    settings_pages,
    support_pages,
    today_pages,
    tongue,
    trail_pages,
)
from handoff.kb_weekly import Weekly
from handoff.notices import Notices
from handoff.pages import answer_no_such_page
from handoff.trail import Trail
from knowledge_base import helplines, live
from storage import bells as bell
from storage import schema
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database, unavailable
from storage.logs import where
from storage.models import Conversation
from storage.problems import Problem, answer_bad_request, answer_failure, answer_problem
from storage.settings import ROOT, Settings
from uketome import health

log = structlog.get_logger()

NODE_MODULES = ROOT / "node_modules"
#: Front-end packages, served from where npm put them.
ASSETS = {
    "tokens.css": NODE_MODULES / "@digital-go-jp/design-tokens/dist/tokens.css",
    "htmx.js": NODE_MODULES / "htmx.org/dist/htmx.min.js",
    "sse.js": NODE_MODULES / "htmx-ext-sse/dist/sse.min.js",
}
#: The console comes last: its verbs take any name (/staff/cases/{id}/{verb}).
STAFF_PAGES = (
    me,
    settings_pages,
    notice_pages,
    trail_pages,
    drafts,
    replies,
    search,
    agency_pages,
    support_pages,
    letter_pages,
    meeting_pages,
    today_pages,
    mending,
    examples,
    records,
    forms,
    form_settings,
    reports,
    cost_settings,
    kb_pages,
    kb_entry,
    kb_open,
    kb_own,
    kb_care,
    kb_todo,
    kb_hotlines,
    kb_areas,
    kb_export,
    kb_bring,
    console,
)
SWEEP_EVERY_S = 5.0
#: The sweep's own bell, for those who cannot wait for its next round.
SWEEP = "sweep"


class Service:
    """Everything of one process that lives as long as it does."""

    def __init__(self, settings: Settings, reader: Understander, clock: Clock, rasa: Rasa | None = None) -> None:
        self.settings, self.clock = settings, clock
        self.database = Database(settings.database)
        self.bells = Bells(settings.redis_url)
        self.rasa = rasa or Rasa(settings.rasa_url, settings.rasa_token, settings.rasa_timeout_s)
        self.inbox = Inbox(self.database, self.bells, clock)
        self.line = line.channel(settings) if settings.line_on else None
        self.channels: dict[str, Channel] = {"line": self.line} if self.line else {}
        self.outbox = Outbox(self.database, self.bells, clock, self.channels, LineDoor(settings))
        self.notices = Notices(settings, self.database, self.bells, clock)
        self.weekly = Weekly(settings, self.database, self.bells, clock)
        self.reader = reader.view()
        self.helplines = helplines.Keeper(self.database, self.bells, clock)
        self.knowledge = live.Keeper(self.database, self.bells, clock, self._take_in)
        turns = Turns(
            self.database, clock, settings, self.reader, self.rasa, self.outbox, lambda: self.knowledge.published
        )
        self.worker = Worker(self.database, self.bells, clock, settings, turns, self._show_typing)
        self.turns = turns

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs worker, outbox and the sweep; ends them with their work done."""
        schema.upgrade(self.database)
        loops: list[Callable[[], Awaitable[None]]] = [
            self.worker.run,
            self.outbox.run,
            self._sweep,
            self.bells.hear_afar,
            self._watch_quota,
            self._keep_presence,
            self._catch_up,
            self.notices.run,
            self.knowledge.run,
            self.helplines.run,
            self.weekly.run,
        ]
        tasks = [asyncio.create_task(_for_ever(loop)) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.worker.finish()
            await self.outbox.finish()
            await self._close()

    async def explain(self, text: str, draft: live.Live | None) -> Explained:
        """What is found in a sentence; with a draft, as if it were published."""
        reader = self.reader
        if draft:
            services = {**{one.id: one for one in live.now().services}, draft.id: draft}
            reader = reader.view()
            await asyncio.to_thread(reader.take_in, [local_service(one) for one in services.values()])
        return await asyncio.to_thread(reader.explain, text)

    async def understand(self, text: str) -> Reading:
        """What a text tells that belongs to no talk."""
        return await asyncio.to_thread(self.reader.read, text, Assessment())

    def _take_in(self, services: Sequence[live.Live]) -> None:
        self.reader.take_in([local_service(one) for one in services])

    async def _sweep(self) -> None:
        silence = timedelta(minutes=self.settings.silence_minutes)
        while True:
            now = self.clock.now()
            with contextlib.suppress(DBAPIError):  # the next sweep does it
                if await self.database.write(lambda session: let_wait(session, now, silence)):  # noqa: B023
                    self.bells.ring(bell.QUEUE)
                if lapsed := await self.database.write(lambda session: lease.let_lapse(session, now)):  # noqa: B023
                    self.bells.ring(bell.QUEUE, *map(bell.talk, lapsed))
                if sent := await self.database.write(lambda session: check_ins.send_due(session, now)):  # noqa: B023
                    self.bells.ring(bell.OUTBOX, *map(bell.talk, sent))
            await self.bells.wait(SWEEP, SWEEP_EVERY_S)

    async def _keep_presence(self) -> None:
        await presence.keep(self.database, self.bells)

    async def _catch_up(self) -> None:
        at: int | None = 0
        while at is not None:
            try:
                at = await self.database.write(lambda session: finding.catch_up(session, at or 0))  # noqa: B023
            except DBAPIError as error:
                if not unavailable(error):
                    raise
                await asyncio.sleep(1)

    async def _watch_quota(self) -> None:
        if self.line:
            await line_quota.watch(self.line, self.database, self.clock)

    async def _show_typing(self, conversation: Conversation) -> None:
        channel = self.channels.get(conversation.channel)
        # Where LINE is only a door, the answer being written will stand on the page.
        if channel and conversation.address and not self.settings.line_is_door:
            await channel.show_typing(conversation.address)

    async def _close(self) -> None:
        await self.rasa.close()
        await self.bells.close()
        for channel in self.channels.values():
            await channel.close()
        await asyncio.to_thread(self.database.close)


def create_app(service: Service) -> FastAPI:
    """The web application of a service."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    settings, database, bells, clock = service.settings, service.database, service.bells, service.clock
    tongue.speak(settings.staff_language)
    app = FastAPI(title="Uketome", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.trail = Trail(database, clock)
    app.add_exception_handler(Problem, answer_problem)
    app.add_exception_handler(HTTPException, answer_no_such_page)
    app.add_exception_handler(RequestValidationError, answer_bad_request)
    app.add_exception_handler(Exception, answer_failure)
    app.include_router(health.routes(service.database, clock, service.rasa))
    app.include_router(web.routes(settings, database, service.inbox, bells, clock))
    app.include_router(directory.routes(settings, clock, service.understand))
    if settings.line_on:
        app.include_router(line.routes(settings, service.inbox, clock))
    for pages in STAFF_PAGES:
        app.include_router(pages.routes(settings, database, bells, clock))
    app.include_router(kb_try.routes(settings, database, bells, clock, service.explain))
    app.include_router(api.routes(settings, database, bells, clock))
    app.include_router(open_data.routes(settings, database))
    app.add_api_route("/assets/{name}", asset, include_in_schema=False)
    app.mount("/static/console", StaticFiles(directory=ROOT / "handoff/static"))
    return app


def local_service(service: live.Live) -> LocalService:
    """A published service as the understanding takes it in."""
    content = service.content
    return LocalService(
        service.id, content["name"], content.get("about", ""), tuple(content.get("fields", ())),
        tuple(content.get("voices", ())),
    )  # fmt: skip


async def asset(name: str) -> Response:
    """A front-end package's file."""
    path = ASSETS.get(name)
    if path is None or not path.exists():
        raise Problem(404, "Not found", "その部品はありません。")
    return FileResponse(path, headers={"Cache-Control": "public, max-age=3600"})


async def _for_ever(loop: Callable[[], Awaitable[None]]) -> None:
    """Keeps a loop alive: what ends it by mistake is logged, and it begins again."""
    while True:
        try:
            await loop()
            return
        except Exception as error:  # noqa: BLE001 - a loop that ended would leave messages accepted and never answered
            log.error("loop.failed", loop=getattr(loop, "__qualname__", "?"), error=where(error))
            await asyncio.sleep(1)

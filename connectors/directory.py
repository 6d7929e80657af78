"""The public pages of services and desks, `/directory`: for anybody, without an account, a cookie or a script.

Nothing is kept of who looks or of what they look for: the words of a search come in a form, so that they stand in no
address and no log, and go out with the page.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.understanding import Reading
from bot.understanding.crisis import screen_text
from connectors import directory_view as view
from connectors.directory_words import easily, plainly
from connectors.pace import Pace, household
from connectors.pages import HERE, POLICY, SHOWN_TO_ALL
from handoff.body import Room, read_form
from handoff.japanese_moments import whole_day
from handoff.kb_desks import Say
from knowledge_base import live
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN, Clock
from storage.problems import Problem
from storage.settings import Settings
from storage.texts import clean, says_something

DIRECTORY = "/directory"
#: A search reads as much as a message of some length; a flood of them from one address waits.
LONGEST, SEARCHES_PER_MINUTE = 1_000, 60
FORM = Room(8, 64 * 1024)

Understand = Callable[[str], Awaitable[Reading]]

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


def routes(settings: Settings, clock: Clock, understand: Understand) -> APIRouter:
    """`/directory` and what is under it; where the town has switched it off, a page that leads to the talk."""
    router = APIRouter(prefix=DIRECTORY, include_in_schema=False)
    pages = _Pages(settings, clock, understand)
    reading = ["GET", "HEAD"]
    if settings.directory:
        router.add_api_route("", pages.home, methods=reading)
        router.add_api_route("", pages.search, methods=["POST"])
        router.add_api_route("/fields/{id}", pages.field, methods=reading)
        router.add_api_route("/desks", pages.desks, methods=reading)
        router.add_api_route("/desks/{id}", pages.desk, methods=reading)
        router.add_api_route("/services/{id}", pages.service, methods=reading)
    for path in ("", "/{path:path}"):
        router.add_api_route(path, pages.gone, methods=[*reading, "POST"])
    return router


class _Pages:
    def __init__(self, settings: Settings, clock: Clock, understand: Understand) -> None:
        self._settings, self._clock, self._understand = settings, clock, understand
        self._searches = Pace(SEARCHES_PER_MINUTE)

    async def home(self, request: Request) -> Response:
        say = _say(request)
        return self._page(
            "directory_home.html", request, say, fields=view.fields(say), desks=len(view.all_desks()), text="",
            districts=view.districts(), chosen="", problem="",
        )  # fmt: skip

    async def search(self, request: Request) -> Response:
        """What is found in somebody's own words. Danger in them is answered first, whatever else is wrong."""
        try:
            form = await read_form(request, FORM)
        except Problem as refused:
            return self._found(request, _say(request), status=refused.status, problem=refused.detail)
        say = easily if form.get("easy") == "1" else plainly
        text, chosen, now = clean(form.get("text", "")), form.get("district", ""), self._now
        shown: dict[str, Any] = {"text": text, "chosen": chosen}
        if problem := _wrong(text, say):
            shown["danger"] = view.danger(screen_text(text), None, (), now, say)
            return self._found(request, say, status=422, problem=problem, **shown)
        if seconds := self._searches.wait(household(request.client.host if request.client else ""), now):
            shown["danger"] = view.danger(screen_text(text), None, (), now, say)
            problem = say("続けてさがしすぎています。少し待って、もう一度さがしてください。")
            return self._found(
                request, say, status=429, problem=problem, headers={"Retry-After": str(seconds)}, **shown
            )
        reading = await self._understand(text)
        found = await asyncio.to_thread(view.search, reading, text, live.now().areas.of(chosen), now, say)
        return self._found(request, say, **shown, **found)

    async def field(self, request: Request, id: str) -> Response:
        if id not in vocabulary().fields:
            return self._gone(request)
        say, number = _say(request), _number(request)
        rows, more = view.page_of(view.services_of(id, say), number)
        return self._page(
            "directory_field.html", request, say, name=say(view.FIELDS[id]), rows=rows, number=number, more=more,
            lines=view.lines_of(id, self._now, say),
        )  # fmt: skip

    async def desks(self, request: Request) -> Response:
        say, number, only_open = _say(request), _number(request), request.query_params.get("open") == "1"
        found, more = view.page_of(view.open_desks(self._now) if only_open else view.all_desks(), number)
        rows = [view.desk_row(desk, self._now, say) for desk in found]
        return self._page(
            "directory_desks.html", request, say, rows=rows, number=number, more=more, only_open=only_open
        )

    async def desk(self, request: Request, id: str) -> Response:
        entry = live.now().entries.get(id)
        if entry is None or entry.kind != "desk":
            return self._gone(request, id)
        say = _say(request)
        return self._page("directory_desk.html", request, say, desk=view.desk(entry, self._now, say))

    async def service(self, request: Request, id: str) -> Response:
        say = _say(request)
        shown = view.service(id, self._now, say)
        return self._page("directory_service.html", request, say, service=shown) if shown else self._gone(request, id)

    async def gone(self, request: Request) -> Response:
        if self._settings.directory and request.url.path == f"{DIRECTORY}/":
            return RedirectResponse(DIRECTORY, 308)
        return self._gone(request)

    def _gone(self, request: Request, id: str = "") -> Response:
        return self._page("directory_gone.html", request, _say(request), 404, heir=view.heir(id), index=False)

    def _found(
        self, request: Request, say: Say, *, status: int = 200, headers: dict[str, str] | None = None, **shown: Any
    ) -> Response:
        blank: dict[str, Any] = {
            "text": "",
            "chosen": "",
            "problem": "",
            "danger": None,
            "services": [],
            "fields": [],
            "desks": [],
            "tells": False,
        }
        values = {**blank, **shown, "districts": view.districts(), "index": False}
        return self._page("directory_found.html", request, say, status, headers, **values)

    def _page(
        self, template: str, request: Request, say: Say, status: int = 200, headers: dict[str, str] | None = None,
        *, index: bool = True, **values: Any,
    ) -> Response:  # fmt: skip
        path, easy = request.url.path, say is easily
        html = _templates.get_template(template).render(
            _=say, easy=easy, query="?easy=1" if easy else "", path=path, index=index, town=self._settings.town,
            on=self._settings.directory, url=f"{self._settings.address}{path}", today=whole_day(self._now.date()),
            urgent=view.hotlines([vocabulary().hotlines[name] for name in SHOWN_TO_ALL], say), **values,
        )  # fmt: skip
        return HTMLResponse(html, status, {**_HEADERS, **({} if index else _UNSEEN), **(headers or {})})

    @property
    def _now(self) -> datetime:
        return self._clock.now().astimezone(JAPAN)


_HEADERS = {
    "Content-Security-Policy": POLICY.replace("form-action 'none'", "form-action 'self'"),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
#: What was found in somebody's words is neither kept by a browser nor found by a search engine.
_UNSEEN = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def _say(request: Request) -> Say:
    return easily if request.query_params.get("easy") == "1" else plainly


def _number(request: Request) -> int:
    number = request.query_params.get("page", "0")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 0


def _wrong(text: str, say: Say) -> str:
    if not says_something(text):
        return say("困っていることを書いてから、さがしてください。")
    if len(text) > LONGEST:
        return say("一度にさがせるのは{most}文字までです。いちばん困っていることだけにしてみてください。", most=LONGEST)
    return ""

"""The pages and files of the web channel: the widget's script, the demo town's page, the page behind LINE's door."""

import hashlib
import json
from pathlib import Path

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.words import languages
from connectors.line_door import PAGE
from knowledge_base.vocabulary import vocabulary
from storage.problems import Problem
from storage.settings import Settings

HERE = Path(__file__).parent
STATIC = HERE / "static"
SCRIPTS = ("widget.texts.js", "widget.talk.js", "widget.js")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
#: The helplines at the foot of the page: whoever reads it may be in danger before having written a word.
SHOWN_TO_ALL = ("police", "ambulance", "yorisoi")

# Nothing inline, nothing from elsewhere: what a resident's text might smuggle in cannot run.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def routes(settings: Settings) -> APIRouter:
    """`/widget.js`, `/`, `/talk` (for those who come from LINE) and `/static/web/…`."""
    router = APIRouter(include_in_schema=False)
    script = _File(_script(), TYPES[".js"])
    files = {path.name: _File(path.read_bytes(), TYPES[path.suffix]) for path in STATIC.glob("town*")}
    town, talk = (_File(_page(settings, name), "text/html") for name in ("town.html", "talk.html"))

    @router.api_route("/widget.js", methods=["GET", "HEAD"])
    async def widget(request: Request) -> Response:
        # A town's page on another origin loads it as it would an image; allowing CORS too lets it use `integrity`.
        return script.answer(request, {"Access-Control-Allow-Origin": "*"})

    @router.api_route("/static/web/{name}", methods=["GET", "HEAD"])
    async def static(name: str, request: Request) -> Response:
        if name not in files:
            raise Problem(404, "Not Found", "お探しのページは見つかりません。")
        return files[name].answer(request)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        return town.answer(request, {"Content-Security-Policy": POLICY})

    @router.api_route(PAGE, methods=["GET", "HEAD"])
    async def talk_page(request: Request) -> Response:
        return talk.answer(request, {"Content-Security-Policy": POLICY})

    return router


class _File:
    """A file that is kept in memory and known by the hash of its bytes."""

    def __init__(self, content: bytes, media_type: str) -> None:
        self._content, self._media_type = content, media_type
        self._etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    def answer(self, request: Request, headers: dict[str, str] | None = None) -> Response:
        """The file, or 304 when the browser has it. Browsers ask every time, so an upgrade is seen at once."""
        known = {
            "ETag": self._etag,
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            **(headers or {}),
        }
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=known)
        return Response(self._content, media_type=self._media_type, headers=known)


def _script() -> bytes:
    """The widget as the one script a town's page brings, without a name in that page's own scope."""
    texts, talk, element = ((STATIC / name).read_text("utf-8") for name in SCRIPTS)
    names = {code: known["name"] for code, known in languages().items()}
    texts = f"const LANGUAGES = {json.dumps(names, ensure_ascii=False)};\n{texts}"
    css = f"const CSS = {json.dumps((STATIC / 'widget.css').read_text('utf-8'))};\n"
    return "\n".join(['(() => {\n"use strict";', texts, css, talk, element, "})();\n"]).encode()


def _page(settings: Settings, name: str) -> bytes:
    templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    lines = vocabulary().hotlines
    return (
        templates.get_template(name)
        .render(
            town=settings.town,
            directory=settings.directory,
            opens=_in_words(settings.staff_from),
            shuts=_in_words(settings.staff_until),
            languages=[(code.split("-")[0], known["name"]) for code, known in languages().items()],
            urgent=[lines[name] for name in SHOWN_TO_ALL if lines[name].number_checked],
        )
        .encode()
    )


def _in_words(clock_time: str) -> str:
    hours, minutes = (int(part) for part in clock_time.split(":"))
    return f"{hours}時{minutes}分" if minutes else f"{hours}時"

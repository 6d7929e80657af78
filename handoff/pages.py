"""The staff's pages: templates, the headers that every answer carries, and what an error looks like."""

import hashlib
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from handoff.access import AGENCY_HOME, OVERSEERS, NotForAgencies, NotTheirs, SignedIn
from handoff.tongue import language, say
from handoff.words import spoken
from storage.database import unavailable
from storage.problems import Problem, answer_http_error

HERE = Path(__file__).parent
SIGN_IN = "/staff/sign-in"
NOT_THERE = "お探しのページは見つかりません。"
NOT_NOW = "いまは応じられません。少し待って、もう一度お試しください。"

# Nothing inline and nothing from elsewhere: what a resident's text might smuggle in cannot run.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

#: htmx without eval and without styles of its own, and with answers shown also when they say no.
HTMX = {
    "includeIndicatorStyles": False,
    "allowEval": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "[45]..", "swap": True, "error": True},
    ],
}

#: The sections of the staff's pages: address, name, and which roles see it (none: all of the town hall).
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("/staff", "相談の列", ()),
    ("/staff/today", "きょうの連絡", ()),
    ("/staff/meetings", "会議", ()),
    ("/staff/agencies", "関係機関", ()),
    ("/staff/reports", "集計", OVERSEERS),
    ("/staff/kb", "知識ベース", ("admin",)),
    ("/staff/settings", "設定", OVERSEERS),
)
#: The pages under /staff/settings: address, name, and which roles see it.
SETTINGS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("/staff/settings/people", "職員", ("admin",)),
    ("/staff/settings/desks", "窓口", ("admin",)),
    ("/staff/settings/replies", "定型文", OVERSEERS),
    ("/staff/settings/forms", "様式の表", ("admin",)),
    ("/staff/settings/cost-split", "按分の割り当て", ("admin",)),
    ("/staff/settings/examples", "申し出のあった例文", ("admin",)),
    ("/staff/settings/notices", "お知らせの送り先", ("admin",)),
    ("/staff/settings/trail", "閲覧と操作の記録", OVERSEERS),
)

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_templates.globals.update(_=say, language=language)


class SignInFirst(Exception):
    """Nobody is signed in, or not any more."""


class StaffRoute(APIRoute):
    """A route of the staff's pages: its answers carry the headers, its errors are pages with one sentence."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wraps the route."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                response = await handle(request)
            except SignInFirst:
                response = _to_sign_in(request)
            except Problem as problem:
                response = _say(request, problem.status, problem.detail, problem.headers)
            except NotForAgencies as elsewhere:
                response = _to_their_own(request, elsewhere)
            except (LookupError, RequestValidationError) as unknown:
                if isinstance(unknown, NotTheirs):
                    request.app.state.trail.note(unknown.staff_id, "refused", case_id=unknown.case_id)
                response = _say(request, 404, str(unknown) if isinstance(unknown, LookupError) else say(NOT_THERE))
            except DBAPIError as error:
                if not unavailable(error):
                    raise
                response = _say(request, 503, say(NOT_NOW), {"Retry-After": "5"})
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return guarded


def render(template: str, **values: Any) -> str:
    """A template with its values, every one of them escaped."""
    return _templates.get_template(template).render(words=spoken(), **values)


def page(template: str, status: int = 200, headers: dict[str, str] | None = None, /, **values: Any) -> HTMLResponse:
    """A whole page. `who` looks at it, None before anybody has signed in; `here` is the section it belongs to."""
    who = values.get("who")
    values = {"here": "", "tabs": settings_of(who), **values, "sections": _sections(who)}
    return HTMLResponse(
        render(template, version=_version(), htmx=json.dumps(HTMX), **values), status_code=status, headers=headers
    )


def settings_of(who: SignedIn | None) -> list[tuple[str, str]]:
    """The pages of the settings that somebody sees."""
    return [(address, name) for address, name, roles in SETTINGS if who and who.staff.role in roles]


def _sections(who: SignedIn | None) -> list[tuple[str, str]]:
    role = who.staff.role if who else "agency"
    return [
        (address, name) for address, name, roles in SECTIONS
        if (role in roles if roles else role != "agency")
    ]  # fmt: skip


def asked_by_htmx(request: Request) -> bool:
    """Whether a part of the page is wanted rather than a page."""
    return "hx-request" in request.headers


def _to_sign_in(request: Request) -> Response:
    if request.method == "GET" and not asked_by_htmx(request):
        return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path)}", 303)
    return Response(status_code=401, headers={"HX-Redirect": SIGN_IN})


def _to_their_own(request: Request, elsewhere: NotForAgencies) -> Response:
    """Where the sign-in leads everybody, somebody of an agency is led on to what is theirs."""
    if request.url.path == "/staff" and request.method == "GET":
        return RedirectResponse(AGENCY_HOME, 303)
    request.app.state.trail.note(elsewhere.staff_id, "refused_page")
    return _say(request, 404, str(elsewhere))


def _say(request: Request, status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    if asked_by_htmx(request):
        return HTMLResponse(render("problem_part.html", sentence=sentence), status, headers)
    return page("problem.html", status, headers, sentence=sentence, who=None)


async def answer_no_such_page(request: Request, error: Exception) -> Response:
    """The exception handler for addresses that no route has: under /staff people are told on a page."""
    if not isinstance(error, HTTPException) or not request.url.path.startswith("/staff"):
        return await answer_http_error(request, error)
    answer = _say(request, error.status_code, say(NOT_THERE))
    answer.headers.update(HEADERS)
    return answer


def _version() -> str:
    """Changes with the files, so that a browser never shows a new page in an old dress."""
    return _digest(b"".join(path.read_bytes() for path in sorted((HERE / "static").iterdir()) if path.is_file()))


def digest(html: str) -> str:
    """What a part of a page is compared by."""
    return _digest(html.encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]

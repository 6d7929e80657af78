"""LINE's API over HTTP: reads the call, asks the platform, lets go wrong what was asked to go wrong."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.line_platform import phone

if TYPE_CHECKING:
    from tests.line_platform.platform import Answer, Fault, LinePlatform

Call = Callable[[dict[str, Any], str | None], "Answer"]
Endpoint = Callable[[Request], Awaitable[Response]]


def create(platform: "LinePlatform") -> Starlette:
    """The application: LINE's endpoints, and the pages of the phone for `make demo`."""
    return Starlette(
        routes=[
            Route("/v2/bot/message/reply", _post(platform, platform.reply, may_fail=True), methods=["POST"]),
            Route("/v2/bot/message/push", _post(platform, platform.push, may_fail=True), methods=["POST"]),
            Route("/v2/bot/chat/loading/start", _post(platform, platform.loading, may_fail=False), methods=["POST"]),
            Route("/v2/bot/message/quota", _get(platform, lambda: _limit(platform.quota))),
            Route("/v2/bot/message/quota/consumption", _get(platform, lambda: {"totalUsage": platform.used})),
            *phone.routes(platform),
        ]
    )


def _limit(quota: int | None) -> dict[str, Any]:
    return {"type": "none"} if quota is None else {"type": "limited", "value": quota}


def _get(platform: "LinePlatform", body: Callable[[], dict[str, Any]]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        refused = platform.at_the_door(request.headers.get("authorization"))
        return _http(refused) if refused else JSONResponse(body())

    return endpoint


def _post(platform: "LinePlatform", call: Call, may_fail: bool) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        if platform.delay_s:
            await asyncio.sleep(platform.delay_s)
        if refused := platform.at_the_door(request.headers.get("authorization")):
            return _http(refused)
        fault = platform.next_fault() if may_fail else None
        if fault and not fault.accepted:
            return await _go_wrong(platform, fault)
        answer = _decide(platform, call, body, request)
        return await _go_wrong(platform, fault) if fault else _http(answer)

    return endpoint


def _decide(platform: "LinePlatform", call: Call, body: bytes, request: Request) -> "Answer":
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return platform.refuse("body", [("body", "The request body could not be parsed as JSON")])
    return call(parsed, request.headers.get("x-line-retry-key"))


async def _go_wrong(platform: "LinePlatform", fault: "Fault") -> Response:
    if fault.status is None:
        await platform.stopping.wait()  # never answered: the caller has hung up long before
    return JSONResponse({"message": fault.message}, fault.status or 504, fault.headers)


def _http(answer: "Answer") -> Response:
    return JSONResponse(answer.body, answer.status, answer.headers)

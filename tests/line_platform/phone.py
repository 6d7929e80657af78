"""A phone in the browser for `make demo`: a person writes as a LINE user and sees what the bot answers."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from tests.line_platform.platform import LinePlatform
    from tests.line_platform.webhooks import Webhook

PAGE = Path(__file__).parent / "phone.html"


def routes(platform: "LinePlatform") -> list[Route]:
    """The page, what stands in a talk, and what a thumb can do."""

    async def page(_request: Request) -> Response:
        return FileResponse(PAGE)

    async def talk(request: Request) -> Response:
        user = request.path_params["user"]
        lines = [{**asdict(line), "at": line.at.isoformat()} for line in platform.talks[user]]
        return JSONResponse(
            {
                "lines": lines,
                "typing": user in platform.typing and platform.typing[user] > platform.clock.now(),
                "blocked": user in platform.blocked,
            }
        )

    async def act(request: Request) -> Response:
        done = await _act(platform, request.path_params["user"], await request.json())
        return JSONResponse({"acknowledged": done.acknowledged, "status": done.status})

    return [
        Route("/", page),
        Route("/phone/{user}", talk),
        Route("/phone/{user}", act, methods=["POST"]),
    ]


async def _act(platform: "LinePlatform", user: str, wish: dict[str, Any]) -> "Webhook":
    kind = wish["kind"]
    if kind == "text":
        return await platform.say(user, wish["text"])
    if kind == "postback":
        return await platform.postback(user, wish["data"])
    if kind == "unsend":
        return await platform.unsend(user, wish["id"])
    if kind == "follow":
        return await platform.follow(user)
    if kind == "unfollow":
        return await platform.unfollow(user)
    return await platform.send(user, kind)

"""Routes that any page may read: no cookie or other thing a browser adds by itself is ever looked at behind them."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from storage.problems import Problem


def open_route(headers: Mapping[str, str], refused: Mapping[str, str]) -> type[APIRoute]:
    """A kind of route for pages of other origins: its answers carry `headers`, its refusals `refused`."""

    class OpenRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def opened(request: Request) -> Response:
                try:
                    response = await handle(request)
                except Problem as problem:
                    problem.headers = {**problem.headers, **refused}
                    raise
                response.headers.update(headers)
                return response

            return opened

    return OpenRoute

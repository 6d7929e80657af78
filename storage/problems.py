"""Errors for people: RFC 9457 problem answers, with one sentence and nothing of the inside."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class Problem(Exception):
    """Raised by a route; becomes an `application/problem+json` answer. `detail` is a sentence for people."""

    def __init__(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers or {}


async def answer_problem(_request: Request, problem: Exception) -> JSONResponse:
    """The exception handler for Problem."""
    if not isinstance(problem, Problem):
        raise problem
    return _answer(problem.status, problem.title, problem.detail, problem.headers)


async def answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    """The exception handler for what the framework refuses by itself: no such page, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    title = HTTPStatus(error.status_code).phrase
    return _answer(error.status_code, title, SENTENCES.get(error.status_code, title), dict(error.headers or {}))


async def answer_bad_request(_request: Request, _error: Exception) -> JSONResponse:
    """The exception handler for input of the wrong form. The framework's own answer would repeat that input."""
    return _answer(422, "Unprocessable Content", "送られた内容の形が違います。")


async def answer_failure(_request: Request, _error: Exception) -> JSONResponse:
    """The exception handler for mistakes of ours: nothing of the inside goes out."""
    return _answer(500, "Internal Server Error", "こちらの不具合です。少し待って、もう一度お試しください。")


SENTENCES = {404: "そのページはありません。", 405: "その操作はできません。"}


def _answer(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        {"type": "about:blank", "status": status, "title": title, "detail": detail},
        status,
        {"Content-Type": "application/problem+json", **(headers or {})},
    )


async def body_of(request: Request, most: int) -> bytes:
    """The request's body, of which never more than `most` bytes are read. Raises Problem 413 for a longer one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Problem(413, "Content Too Large", "送られた内容が大きすぎます。")
    return bytes(body)

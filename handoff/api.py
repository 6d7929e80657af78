"""The interface for staff systems: the queue, a case, and what can be done with it, by API token."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from handoff import access, desk, queue, record
from handoff.body import read_json
from handoff.case import Ended, HeldByAnother, Status
from handoff.record import plain_case
from handoff.trail import Trail
from handoff.tries import Tries
from storage import bells as bell
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database, unavailable
from storage.models import Case, Staff
from storage.problems import Problem
from storage.settings import Settings
from storage.texts import clean

T = TypeVar("T")
Change = Callable[[Session, Case, Staff, datetime], None]
TOO_OFTEN = "しばらく待って、もう一度お試しください。"
NOT_NOW = "いまは応じられません。少し待って、もう一度お試しください。"
PAGE = 50
#: In a quarter of an hour from one address: far above any mistake, far below guessing.
WRONG_TOKENS = 100


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """`/api/cases` and what lies under it."""
    api = _Api(database, bells, clock)
    router = APIRouter(prefix="/api/cases", tags=["cases, for staff systems"])
    router.add_api_route("", api.list)
    router.add_api_route("/{case_id}", api.show)
    router.add_api_route("/{case_id}/claim", api.claim, methods=["POST"])
    router.add_api_route("/{case_id}/release", api.release, methods=["POST"])
    router.add_api_route("/{case_id}/messages", api.answer, methods=["POST"], status_code=201)
    router.add_api_route("/{case_id}/close", api.close, methods=["POST"])
    return router


class _Api:
    def __init__(self, database: Database, bells: Bells, clock: Clock) -> None:
        self._database, self._bells, self._clock = database, bells, clock
        self._trail = Trail(database, clock)
        self._wrong_tokens = Tries(WRONG_TOKENS)

    async def list(self, request: Request) -> Response:
        staff = await self._caller(request, "cases:read")
        status, limit, cursor = _status(request), _limit(request), request.query_params.get("cursor")
        return JSONResponse(await self._read(lambda session: _list(session, staff, status, limit, cursor)))

    async def show(self, request: Request, case_id: str) -> Response:
        staff = await self._caller(request, "cases:read")
        shown = await self._read(lambda session: plain_case(session, access.case_of(session, staff, case_id)))
        self._trail.looked(staff, case_id, "read_by_system")
        return JSONResponse(shown)

    async def claim(self, request: Request, case_id: str) -> Response:
        return await self._change(await self._caller(request, "cases:write"), case_id, desk.take)

    async def release(self, request: Request, case_id: str) -> Response:
        return await self._change(await self._caller(request, "cases:write"), case_id, desk.release)

    async def answer(self, request: Request, case_id: str) -> Response:
        staff = await self._caller(request, "cases:write")
        text = _text(await read_json(request), "text")

        def say(session: Session, case: Case, staff: Staff, now: datetime) -> None:
            desk.answer(session, case, staff, text, now)

        return await self._change(staff, case_id, say, 201)

    async def close(self, request: Request, case_id: str) -> Response:
        staff = await self._caller(request, "cases:write")
        outcome = _text(await read_json(request), "outcome")

        def end(session: Session, case: Case, staff: Staff, now: datetime) -> None:
            desk.close(session, case, staff, outcome, now)

        return await self._change(staff, case_id, end)

    async def _change(self, staff: Staff, case_id: str, change: Change, status: int = 200) -> Response:
        """Changes the case, rings, and answers with what it is now."""
        now = self._clock.now()

        def work(session: Session) -> tuple[dict[str, Any], str]:
            case = access.case_of(session, staff, case_id, to_change=True)
            change(session, case, staff, now)
            session.flush()
            return plain_case(session, case), case.conversation_id

        shown, conversation_id = await _understood(self._database.write(work))
        self._bells.ring(bell.QUEUE, bell.OUTBOX, bell.talk(conversation_id))
        return JSONResponse(shown, status)

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await _understood(self._database.read(work))

    async def _caller(self, request: Request, scope: str) -> Staff:
        """The account behind the token. Raises Problem: 401, 403 without the scope, 429 after many wrong tokens."""
        token, now = _token(request), self._clock.now()
        address = request.client.host if request.client else ""
        if seconds := self._wrong_tokens.full(now, address):
            raise Problem(429, "Too Many Requests", TOO_OFTEN, {"Retry-After": str(seconds)})
        found = await self._read(lambda session: access.staff_of_token(session, token))
        if found is None:
            self._wrong_tokens.count(now, address)
            raise _who_are_you()
        staff, scopes = found
        if scope not in scopes:
            raise Problem(403, "Forbidden", f"このトークンには {scope} の範囲がありません。")
        return staff


def _list(session: Session, staff: Staff, status: Status | None, limit: int, cursor: str | None) -> dict[str, Any]:
    try:
        page = queue.page(session, staff, status, limit, cursor)
    except queue.NoCursor:
        raise _wrong("cursor には、前の答えの next_cursor をそのまま入れてください。") from None
    holders, complaints = queue.holders(session, page.cases), queue.complaints(session, page.cases)
    cases = [record.listed(case, complaints[case.id], holders) for case in page.cases]
    return {"cases": cases, "next_cursor": page.next}


async def _understood(asked: Awaitable[T]) -> T:
    """Turns what cannot be done into the answer that says so."""
    try:
        return await asked
    except (HeldByAnother, Ended) as conflict:
        raise Problem(409, "Conflict", str(conflict)) from None
    except LookupError as unknown:
        raise Problem(404, "Not Found", str(unknown)) from None
    except desk.TooLong as long:
        raise Problem(413, "Content Too Large", str(long)) from None
    except desk.Wrong as wrong:
        raise _wrong(str(wrong)) from None
    except DBAPIError as error:
        if not unavailable(error):
            raise
        raise Problem(503, "Service Unavailable", NOT_NOW, {"Retry-After": "5"}) from None


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _who_are_you()
    return token.strip()


def _status(request: Request) -> Status | None:
    given = request.query_params.get("status")
    if given is not None and given not in queue.STANDS:
        raise _wrong(f"status には {'、'.join(queue.STANDS)} のどれかを入れてください。")
    return given


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", str(PAGE))
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= queue.MOST):
        raise _wrong(f"limit には 1 から {queue.MOST} までの整数を入れてください。")
    return int(given)


def _text(body: dict[str, Any], name: str) -> str:
    given = body.get(name)
    if not isinstance(given, str) or not clean(given):
        raise _wrong(f"{name} に文字を入れてください。")
    return clean(given)


def _wrong(sentence: str) -> Problem:
    return Problem(422, "Unprocessable Content", sentence)


def _who_are_you() -> Problem:
    return Problem(401, "Unauthorized", "有効なトークンをつけてください。", {"WWW-Authenticate": "Bearer"})

"""The web channel: a browser's talk over HTTP (sessions, messages, long poll), and the pages that carry the widget.

There is no push to a browser: it asks for what is new, and waits in that question until something is.
"""

import asyncio
import json
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import CursorResult, bindparam, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.words import JAPANESE, known, words
from connectors import line_door, pages
from connectors.base import Inbound
from connectors.inbox import Inbox, Unavailable
from connectors.pace import Pace, household
from connectors.tokens import hash_of
from handoff import case
from storage import bells as names
from storage.bells import Bells, in_time
from storage.clock import Clock
from storage.database import Database, unavailable
from storage.models import Conversation, DoorLink, Message, new_id
from storage.open_routes import open_route
from storage.problems import Problem, body_of
from storage.settings import Settings
from storage.texts import clean, says_something

T = TypeVar("T")

CHANNEL = "web"
LONGEST_TEXT = 5_000
LONGEST_BODY = 64 * 1024
LONGEST_WAIT_S = 25
#: A waiting poll looks again this often, for what another process wrote without a bell that reaches here.
LOOK_AGAIN_S = 2.0
PAGE = 200
#: New talks a minute from one address: a school or a whole mobile network may stand behind one.
SESSIONS_PER_MINUTE = 60

#: Whose token has this hash: a talk that began on the web, or one that a browser came to through a link from LINE.
_MINE = func.coalesce(
    select(Conversation.id)
    .where(Conversation.channel == CHANNEL, Conversation.address == bindparam("address"))
    .scalar_subquery(),
    select(DoorLink.conversation_id).where(DoorLink.browser == bindparam("address")).scalar_subquery(),
)
FIND = select(Conversation.id, Conversation.knocked_at).where(Conversation.id == _MINE)
# Through the address: after the quick exit, a poll that began before it finds nothing. Only what is said in the talk:
# not what LINE was told, and not what came there without words.
NEW_MESSAGES = (
    select(
        Conversation.language,
        Message.id,
        Message.sender,
        Message.text,
        Message.choices,
        Message.written_at,
        Message.event_id,
    )
    .join(Conversation, Conversation.id == Message.conversation_id)
    .where(Message.conversation_id == _MINE, Message.kind == "text", Message.unsent_at.is_(None))
    .where(Message.id > bindparam("after"))
    .order_by(Message.id)
    .limit(PAGE)
)

# Any page may talk to the chat. That gives nothing away: no cookie or other thing a browser adds by itself is ever
# looked at, so a foreign page can only do what it holds a token for, and the token lives in its own origin's storage.
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
PREFLIGHT = {
    **OPEN,
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "86400",
}

OpenRoute = open_route(OPEN, OPEN)


def routes(settings: Settings, database: Database, inbox: Inbox, bells: Bells, clock: Clock) -> APIRouter:
    """The resident's web channel (`/chat/…`), the widget's script and the demo town's page."""
    chat = APIRouter(prefix="/chat", route_class=OpenRoute, tags=["resident's web channel"])
    new_talks, messages = Pace(SESSIONS_PER_MINUTE), Pace(settings.chat_messages_per_minute)

    def address(request: Request) -> str:
        return _address(request, settings.secret_key)

    async def talk(address: str, shown: int | None = None) -> str:
        return await _talk(database, address, shown)

    @chat.post("/sessions", status_code=201)
    async def begin(request: Request) -> JSONResponse:
        body = await _json(request)
        _keep_pace(new_talks, household(request.client.host if request.client else ""), clock.now())
        token, now = secrets.token_urlsafe(32), clock.now()
        first = await _first_messages(database, settings, body, hash_of(token, settings.secret_key), now)
        return JSONResponse({"token": token, "messages": first}, 201)

    @chat.post("/messages", status_code=202)
    async def receive(request: Request) -> JSONResponse:
        hashed = address(request)
        conversation = await talk(hashed)
        message_id, text = _written(await _json(request))
        now = clock.now()
        _keep_pace(messages, conversation, now)
        event = Inbound(
            CHANNEL, f"{conversation}:{message_id}", hashed, "text", now, text, conversation_id=conversation
        )
        try:
            [accepted] = await inbox.accept([event])
        except Unavailable:
            raise _not_now() from None
        return JSONResponse({"id": accepted.message_id}, 202 if accepted.new else 200)

    @chat.get("/messages")
    async def listen(request: Request) -> JSONResponse:
        after, wait = _number(request, "after", 2**62), _number(request, "wait", LONGEST_WAIT_S)
        hashed = address(request)
        conversation = await talk(hashed, after)
        # Listen first, then look, then wait: nothing falls in between.
        with bells.listening(names.talk(conversation)) as rung:
            found = await _when_there_is_something(lambda: _look(database, hashed, after), rung, wait, bells)
        return JSONResponse(found or {"messages": []})

    @chat.delete("/sessions", status_code=204)
    async def leave(request: Request) -> Response:
        hashed = address(request)
        conversation = await talk(hashed)
        await _reachable(database.write(lambda session: _forget(session, hashed)))
        bells.ring(names.talk(conversation))  # a poll that still waits ends now
        return Response(status_code=204)

    @chat.options("/{path:path}", include_in_schema=False)
    async def preflight(path: str) -> Response:
        return Response(status_code=204, headers=PREFLIGHT)

    router = APIRouter()
    router.include_router(chat)
    router.include_router(pages.routes(settings))
    return router


async def _talk(database: Database, address: str, shown: int | None) -> str:
    """The id of the browser's conversation. `shown`: up to which message it stands on the page. Raises Problem 401."""
    found = await _reachable(database.read(lambda session: _find(session, address)))
    if found is None:
        raise _no_talk()
    id_, knocked_at = found
    if knocked_at and shown is not None:  # LINE need not tell of an answer that the page shows
        await _reachable(database.write(lambda session: line_door.note_seen(session, id_, shown)))
    return id_


async def _first_messages(
    database: Database, settings: Settings, body: dict[str, Any], address: str, now: datetime
) -> list[dict[str, Any]]:
    """Begins a talk, or opens the one behind a link from LINE: what stands in it. Raises Problem 410: it is shut."""
    language = _language(body.get("lang"))
    if "link" not in body:
        return await _reachable(database.write(lambda session: _begin(session, address, language, settings.town, now)))
    link, opener = (hash_of(_secret(body, name), settings.secret_key) for name in ("link", "key"))
    try:
        return await _reachable(database.write(lambda session: _open(session, link, opener, address, now)))
    except line_door.Shut as shut:
        why = shut.why if body["link"] else "closed"
        raise Problem(410, "Gone", words(language).door[why]) from None


def _open(session: Session, link: str, opener: str, address: str, now: datetime) -> list[dict[str, Any]]:
    line_door.open_link(session, link, opener, address, now)
    session.flush()
    shown: list[dict[str, Any]] = (_since(session, address, 0) or {}).get("messages", [])
    return shown


async def _when_there_is_something(
    look: Callable[[], Awaitable[dict[str, Any] | None]], rung: asyncio.Event, seconds: float, bells: Bells
) -> dict[str, Any] | None:
    """What `look` finds, as soon as it finds anything; nothing when the time, the talk or the service is over."""
    now = asyncio.get_running_loop().time
    end = now() + seconds
    while True:
        rung.clear()
        found = await look()
        left = end - now()
        if found or found is None or left <= 0 or bells.over:
            return found
        await in_time(rung, min(left, LOOK_AGAIN_S))


async def _look(database: Database, address: str, after: int) -> dict[str, Any] | None:
    return await _reachable(database.read(lambda session: _since(session, address, after)))


def _since(session: Session, address: str, after: int) -> dict[str, Any] | None:
    """The next messages with the language that the talk is in now; empty when there are none, None when nobody has
    this address any more."""
    rows = session.execute(NEW_MESSAGES, {"address": address, "after": after}).all()
    if rows:
        return {"messages": [_shown(*row[1:]) for row in rows], "language": rows[0].language}
    return {} if _find(session, address) else None


def _shown(
    id_: int, sender: str, text: str, choices: list[str] | None, at: datetime, event_id: str | None = None
) -> dict[str, Any]:
    shown = {"id": id_, "from": sender, "text": text, "choices": choices or [], "at": at.isoformat()}
    # The browser recognises its own message by this and never shows it twice. (LINE's ids have no colon.)
    own_id = (event_id or "").partition(":")[2]
    return {**shown, "client_message_id": own_id} if own_id else shown


def _begin(session: Session, address: str, language: str, town: str, now: datetime) -> list[dict[str, Any]]:
    conversation = Conversation(id=new_id(), channel=CHANNEL, address=address, language=language, talk={}, failures=0)
    conversation.created_at = conversation.notice_at = now
    session.add(conversation)
    session.flush()
    said = [*words(language).notice_of(town), words(language).opening]
    first = [case.say(session, conversation, case.BOT, text, now, case=None) for text in said]
    return [_shown(message.id, message.sender, message.text, None, message.written_at) for message in first]


def _find(session: Session, address: str) -> tuple[str, datetime | None] | None:
    found = session.execute(FIND, {"address": address}).first()
    return (found.id, found.knocked_at) if found else None


def _forget(session: Session, address: str) -> bool:
    if line_door.close_browser(session, address):
        return True
    left = session.execute(
        update(Conversation)
        .where(Conversation.channel == CHANNEL, Conversation.address == address)
        .values(address=None)
    )
    return cast(CursorResult[Any], left).rowcount == 1


def _address(request: Request, key: bytes) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _no_talk()
    return hash_of(token.strip(), key)


def _secret(body: dict[str, Any], name: str) -> str:
    """What only one browser knows, of any form; where it is missing, what nobody knows."""
    given = body.get(name)
    return given if isinstance(given, str) and given else secrets.token_urlsafe(32)


async def _json(request: Request) -> dict[str, Any]:
    """The body as an object; an empty body is an empty object. Never reads more than may be sent."""
    body = await body_of(request, LONGEST_BODY)
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise Problem(400, "Bad Request", "送られた内容を読み取れませんでした。") from None
    if not isinstance(content, dict):
        raise Problem(422, "Unprocessable Content", "送られた内容の形が違います。")
    return content


def _written(body: dict[str, Any]) -> tuple[str, str]:
    """The browser's own id of the message, in its usual spelling, and the text."""
    message_id, text = body.get("client_message_id"), body.get("text")
    try:
        message_id = str(uuid.UUID(message_id if isinstance(message_id, str) else ""))
    except ValueError:
        raise Problem(422, "Unprocessable Content", "client_message_id には UUID を入れてください。") from None
    if not isinstance(text, str) or not says_something(text):
        raise Problem(422, "Unprocessable Content", "文字を入れてから送ってください。")
    if len(text) > LONGEST_TEXT:
        raise Problem(413, "Content Too Large", "一度に送れるのは5,000文字までです。分けて送ってください。")
    return message_id, clean(text)


def _language(given: object) -> str:
    """One of our languages; what is none becomes Japanese, since nobody is refused for that."""
    return known(given) if isinstance(given, str) else JAPANESE


def _number(request: Request, name: str, most: int) -> int:
    given = request.query_params.get(name, "0")
    if not re.fullmatch(r"[0-9]{1,19}", given) or int(given) > most:
        raise Problem(422, "Unprocessable Content", f"{name} には 0 から {most} までの整数を入れてください。")
    return int(given)


def _keep_pace(pace: Pace, key: str, now: datetime) -> None:
    if seconds := pace.wait(key, now):
        detail = "続けて送りすぎています。少し待って、もう一度送ってください。"
        raise Problem(429, "Too Many Requests", detail, {"Retry-After": str(seconds)})


async def _reachable(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except DBAPIError as error:
        if not unavailable(error):
            raise
        raise _not_now() from None


def _no_talk() -> Problem:
    detail = "この画面の相談は終わっています。もう一度はじめからお書きください。"
    return Problem(401, "Unauthorized", detail, {"WWW-Authenticate": "Bearer"})


def _not_now() -> Problem:
    detail = "いまは受け取れません。少し待って、もう一度送ってください。"
    return Problem(503, "Service Unavailable", detail, {"Retry-After": "5"})

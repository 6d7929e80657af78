"""LINE's webhooks, each into a real database: what is stored, what is dropped, what is refused."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from connectors import line, line_events
from connectors.inbox import Inbox
from storage import schema
from storage.bells import Bells
from storage.database import Database
from storage.models import Conversation, Message
from storage.problems import Problem, answer_problem
from storage.settings import Settings
from tests.conftest import RESENT
from tests.line_platform import CHANNEL_SECRET, settings
from tests.line_platform.webhooks import Sender
from tests.stand_ins.clock import SetClock

HANAKO = "U" + "1" * 32


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


class Door:
    """The webhook's route over a real database, and the way a webhook takes to it."""

    def __init__(self, database: Database, clock: SetClock) -> None:
        self.database, self.clock = database, clock
        self.maker = Sender("", CHANNEL_SECRET, clock)
        app = FastAPI()
        app.add_exception_handler(Problem, answer_problem)
        app.include_router(line.routes(settings(), Inbox(database, Bells(), clock), clock))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town")

    async def post(self, body: bytes, signature: str | None = None) -> httpx.Response:
        headers = {"X-Line-Signature": self.maker.sign(body) if signature is None else signature}
        return await self.http.post("/line/webhook", content=body, headers=headers)

    async def take(self, *events: Any) -> httpx.Response:
        """Sends, and again as long as it is not taken, as LINE does."""
        for _ in range(RESENT):
            answer = await self.post(self.body(*events))
            if answer.status_code != 503:
                break
        return answer

    @staticmethod
    def body(*events: Any) -> bytes:
        return json.dumps({"destination": "U0", "events": events}).encode()

    def stored(self) -> list[Message]:
        return self.database.read_now(lambda session: list(session.scalars(select(Message).order_by(Message.id))))

    def text_event(self, text: Any, **more: Any) -> dict[str, Any]:
        message = {"type": "text", "id": "100", "text": text}
        return self.maker.event(HANAKO, "message", replyToken="token", message=message, **more)


@pytest.fixture
async def door(database_url: str, clock: SetClock) -> AsyncIterator[Door]:
    database = Database(database_url)
    schema.upgrade(database)
    door = Door(database, clock)
    yield door
    await door.http.aclose()
    database.close()


MESSAGES: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "text", "text": "家賃が払えません"}, "text", "家賃が払えません"),
    ({"type": "sticker", "packageId": "1", "stickerId": "2", "text": "しょんぼり"}, "sticker", ""),
    ({"type": "image", "contentProvider": {"type": "line"}}, "image", ""),
    ({"type": "video", "duration": 60000}, "video", ""),
    ({"type": "audio", "duration": 60000}, "audio", ""),
    ({"type": "file", "fileName": "通知書.pdf", "fileSize": 5}, "file", "通知書.pdf"),
    ({"type": "location", "title": "自宅", "address": "本町1-1", "latitude": 35.0}, "location", "自宅\n本町1-1"),
    ({"type": "location", "latitude": 35.0, "longitude": 139.0}, "location", ""),
    ({"type": "hologram"}, "file", ""),
]


@pytest.mark.parametrize(("message", "kind", "text"), MESSAGES)
async def test_what_a_resident_sends_is_stored(door: Door, message: dict[str, Any], kind: str, text: str) -> None:
    event = door.maker.event(HANAKO, "message", replyToken="token", message={"id": "461", **message})
    assert (await door.take(event)).status_code == 200
    [stored] = door.stored()
    assert (stored.kind, stored.text, stored.channel_message_id) == (kind, text, "461")
    assert (stored.reply_token, stored.event_id, stored.sender) == ("token", event["webhookEventId"], "resident")
    assert stored.written_at == door.clock.now()


EVENTS: list[tuple[str, dict[str, Any], str, str, str | None]] = [
    ("follow", {"replyToken": "token", "follow": {"isUnblocked": False}}, "follow", "", None),
    ("unfollow", {}, "unfollow", "", None),
    ("unsend", {"unsend": {"messageId": "461"}}, "unsend", "", "461"),
    ("postback", {"postback": {"data": "person"}}, "text", "person", None),
    ("postback", {"postback": {"data": "do=p&displayText=%E4%BA%BA"}}, "text", "人", None),
]


@pytest.mark.parametrize(("type_", "more", "kind", "text", "message_id"), EVENTS)
async def test_other_events_that_concern_us(
    door: Door, type_: str, more: dict[str, Any], kind: str, text: str, message_id: str | None
) -> None:
    assert (await door.take(door.maker.event(HANAKO, type_, **more))).status_code == 200
    [stored] = door.stored()
    assert (stored.kind, stored.text, stored.channel_message_id) == (kind, text, message_id)


IGNORED: dict[str, Callable[[Door], Any]] = {
    "standby": lambda door: door.text_event("こんにちは", mode="standby"),
    "group without a user": lambda door: door.text_event("こんにちは", source={"type": "group", "groupId": "C1"}),
    "group": lambda door: door.text_event("こ", source={"type": "group", "groupId": "C1", "userId": HANAKO}),
    "room": lambda door: door.text_event("こんにちは", source={"type": "room", "roomId": "R1"}),
    "no source": lambda door: door.text_event("こんにちは", source=None),
    "join": lambda door: door.maker.event(HANAKO, "join", source={"type": "group", "groupId": "C1"}),
    "accountLink": lambda door: door.maker.event(HANAKO, "accountLink", link={"result": "ok"}),
    "videoPlayComplete": lambda door: door.maker.event(HANAKO, "videoPlayComplete"),
    "unheard of": lambda door: door.maker.event(HANAKO, "telepathy"),
    "a user id that is none": lambda door: door.text_event("こ", source={"type": "user", "userId": "U" * 500}),
    "no event at all": lambda _door: "telepathy",
}


@pytest.mark.parametrize("name", IGNORED)
async def test_what_does_not_concern_us_is_taken_and_dropped(door: Door, name: str) -> None:
    assert (await door.take(IGNORED[name](door), door.text_event("これは届く"))).status_code == 200
    assert [message.text for message in door.stored()] == ["これは届く"]


async def test_the_verification_call_of_lines_console(door: Door) -> None:
    assert (await door.take()).status_code == 200
    assert door.stored() == []


@pytest.mark.parametrize(
    "signature", ["", "AAAA", "あ", Sender("", "another-secret", SetClock()).sign(b'{"events":[]}')]
)
async def test_a_wrong_signature_is_refused_and_nothing_stored(door: Door, signature: str) -> None:
    body = json.dumps({"events": [door.text_event("こんにちは")]}).encode()
    headers = [(b"X-Line-Signature", signature.encode())] if signature else []
    answer = await door.http.post("/line/webhook", content=body, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "こんにちは" not in answer.text
    assert door.stored() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"{}", b'{"events":1}', b"\xff\xfe\xfa", b"[" * 100_000, b'{"events":"x"}']
)
async def test_a_signed_body_that_is_no_webhook(door: Door, body: bytes) -> None:
    assert (await door.post(body)).status_code == 400
    assert door.stored() == []


async def test_a_body_of_ten_megabytes(door: Door) -> None:
    assert (await door.post(b" " * 10_000_000)).status_code == 413


TEXTS = [
    ("a\x00b\x07c", "abc"),
    ("半\ud83d分", "半\ufffd分"),
    ("😢" * 3, "😢" * 3),
    ("一\r\n二", "一\n二"),
    ("\u202eひだり", "\u202eひだり"),
    ("/restart", "/restart"),
    ("<b>'; DROP TABLE cases;--</b> **x**", "<b>'; DROP TABLE cases;--</b> **x**"),
    ("あ" * 5_001, "あ" * 5_001),
    ("😢" * 10_000, "😢" * 10_000),
    ("", ""),
    (None, ""),
    (12, ""),
]


@pytest.mark.parametrize(("sent", "kept"), TEXTS, ids=range(len(TEXTS)))
async def test_any_text_is_kept(door: Door, sent: Any, kept: str) -> None:
    assert (await door.take(door.text_event(sent))).status_code == 200
    assert [message.text for message in door.stored()] == [kept]


async def test_redelivery_stores_nothing_twice(door: Door) -> None:
    first, second = door.text_event("一"), door.text_event("二")
    await door.take(first)
    again = [event | {"deliveryContext": {"isRedelivery": True}} for event in (second, first)]
    assert (await door.take(*again)).status_code == 200
    assert [message.text for message in door.stored()] == ["一", "二"]


async def test_an_event_without_an_id_is_known_by_what_it_says(door: Door) -> None:
    event = door.text_event("一")
    del event["webhookEventId"]
    await door.take(event)
    await door.take(event | {"deliveryContext": {"isRedelivery": True}})
    assert [message.text for message in door.stored()] == ["一"]


@pytest.mark.parametrize("timestamp", [None, "soon", -1, 10**20])
async def test_a_timestamp_that_is_none_becomes_now(door: Door, timestamp: Any) -> None:
    await door.take(door.text_event("一", timestamp=timestamp))
    assert [message.written_at for message in door.stored()] == [door.clock.now()]


async def test_unsent_words_are_gone(door: Door) -> None:
    await door.take(door.text_event("ひみつ"))
    await door.take(door.maker.event(HANAKO, "unsend", unsend={"messageId": "100"}))
    assert "ひみつ" not in [message.text for message in door.stored()]


async def test_blocking_and_coming_back(door: Door) -> None:
    def blocked() -> bool:
        return door.database.read_now(
            lambda session: session.scalars(select(Conversation)).one().blocked_at is not None
        )

    await door.take(door.maker.event(HANAKO, "unfollow"))
    assert blocked()
    await door.take(door.maker.event(HANAKO, "follow", replyToken="token"))
    assert not blocked()


async def test_a_locked_database_acknowledges_nothing(door: Door) -> None:
    with door.database.engine.connect() as other:
        # Holds the one connection that writes, as a lock by another process would.
        other.exec_driver_sql("SELECT 1")
        answer = await door.post(door.body(door.text_event("一")))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"


async def test_line_switched_off(clock: SetClock, tmp_path: Path) -> None:
    off = Settings.read(_env_file=None, line_channel_secret=None, line_channel_access_token=None)
    database = Database(f"sqlite:///{tmp_path / 'uketome.db'}")
    app = FastAPI()
    app.add_exception_handler(Problem, answer_problem)
    app.include_router(line.routes(off, Inbox(database, Bells(), clock)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town") as http:
        signature = Sender("", "", clock).sign(b'{"events":[]}')
        answer = await http.post("/line/webhook", content=b'{"events":[]}', headers={"X-Line-Signature": signature})
    assert answer.status_code == 404
    database.close()


def test_events_stay_in_their_order(clock: SetClock) -> None:
    events = [
        {"type": "message", "source": {"type": "user", "userId": HANAKO}, "message": {"type": "text", "text": str(n)}}
        for n in range(20)
    ]
    inbound, again = line_events.read(json.dumps({"events": events}).encode(), clock)
    assert [one.text for one in inbound] == [str(n) for n in range(20)]
    assert again == 0

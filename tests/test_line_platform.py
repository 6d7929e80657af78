"""The stand-in of LINE is as strict as LINE: what it refuses, and the phone that `make demo` shows."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.line_platform import CHANNEL_TOKEN, LinePlatform, rules

HANAKO = "U" + "1" * 32
AUTHORIZED = {"Authorization": f"Bearer {CHANNEL_TOKEN}"}
ONE = [{"type": "text", "text": "一"}]
BAD_CALLS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("message/push", {"to": HANAKO, "messages": []}, {}),
    ("message/push", {"to": HANAKO, "messages": ONE * 6}, {}),
    ("message/push", {"to": HANAKO, "messages": [{"type": "text", "text": ""}]}, {}),
    ("message/push", {"to": HANAKO, "messages": [{"type": "text", "text": "😢" * 2_501}]}, {}),
    ("message/push", {"to": HANAKO, "messages": [{"type": "text", "text": "\ud83d"}]}, {}),
    ("message/push", {"to": HANAKO, "messages": ONE}, {"X-Line-Retry-Key": "no-uuid"}),
    ("message/push", {"to": "", "messages": ONE}, {}),
    ("message/reply", {"replyToken": "t", "messages": ONE}, {"X-Line-Retry-Key": str(uuid.uuid4())}),
    ("chat/loading/start", {"chatId": HANAKO, "loadingSeconds": 7}, {}),
    ("chat/loading/start", {"chatId": HANAKO, "loadingSeconds": 65}, {}),
    ("chat/loading/start", {"chatId": "C" + "1" * 32}, {}),
]
BUTTON = {"type": "action", "action": {"type": "message", "label": "はい", "text": "はい"}}
for items in ([], [BUTTON] * 14, [{"type": "action", "action": {"type": "message", "label": "あ" * 21, "text": "x"}}]):
    BAD_CALLS.append(("message/push", {"to": HANAKO, "messages": [ONE[0] | {"quickReply": {"items": items}}]}, {}))


@pytest.fixture
async def platform() -> AsyncIterator[LinePlatform]:
    async with LinePlatform("http://127.0.0.1:9/line/webhook") as platform:
        yield platform


@pytest.mark.parametrize(("path", "body", "headers"), BAD_CALLS, ids=range(len(BAD_CALLS)))
async def test_calls_that_line_refuses(
    platform: LinePlatform, path: str, body: dict[str, Any], headers: dict[str, str]
) -> None:
    async with httpx.AsyncClient(base_url=platform.base_url, headers=AUTHORIZED) as http:
        answer = await http.post(f"/v2/bot/{path}", content=json.dumps(body), headers=headers)
    assert answer.status_code == 400
    assert len(platform.violations) == 1
    assert platform.received(HANAKO) == []


async def test_a_second_retry_key_names_the_first_request(platform: LinePlatform) -> None:
    body, key = {"to": HANAKO, "messages": ONE}, {"X-Line-Retry-Key": str(uuid.uuid4())}
    async with httpx.AsyncClient(base_url=platform.base_url, headers=AUTHORIZED) as http:
        first = await http.post("/v2/bot/message/push", json=body, headers=key)
        second = await http.post("/v2/bot/message/push", json=body, headers=key)
    assert (first.status_code, second.status_code) == (200, 409)
    assert second.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert second.json()["sentMessages"] == first.json()["sentMessages"]


async def test_the_phone_of_the_demo(platform: LinePlatform) -> None:
    async with httpx.AsyncClient(base_url=platform.base_url) as http:
        assert "<title>" in (await http.get("/")).text
        # Nobody listens at this webhook's address: the phone is told so, and what was written stands there.
        assert (await http.post(f"/phone/{HANAKO}", json={"kind": "text", "text": "一"})).json()[
            "acknowledged"
        ] is False
        push = {"to": HANAKO, "messages": [{"type": "text", "text": "二", "quickReply": {"items": [BUTTON]}}]}
        await http.post("/v2/bot/message/push", json=push, headers=AUTHORIZED)
        talk = (await http.get(f"/phone/{HANAKO}")).json()
    assert [(line["by"], line["text"]) for line in talk["lines"]] == [("user", "一"), ("bot", "二")]
    assert talk["lines"][1]["choices"] == [["はい", "はい"]]


def test_line_counts_utf16_units() -> None:
    assert [rules.units(text) for text in ("あ", "😢", "a😢")] == [1, 2, 3]

"""LINE's webhooks as fast as they are acknowledged, over plain sockets: the client must cost less than the server."""

import asyncio
import itertools
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.talk import TEXTS

if TYPE_CHECKING:
    from tests.line_platform import LinePlatform


async def post(
    platform: "LinePlatform", url: str, connections: int, seconds: float, residents: int, messages: int
) -> dict[str, Any]:
    """Posts until the time is over or so many messages are sent (0: no limit).

    Each connection speaks for residents of its own, in turn, and waits for each acknowledgement, as LINE does; so
    every resident's messages are posted in order. Returns seconds, latencies, and how many were not acknowledged.
    """
    began, latencies, refused = time.perf_counter(), list[float](), 0
    left = itertools.count(1)
    where = urlsplit(url)

    async def connection(number: int) -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        for turn in itertools.count():
            mine = range(number, residents, connections)
            user = f"U{mine[turn % len(mine)] + 1:032x}"
            if time.perf_counter() - began > seconds or (messages and next(left) > messages):
                break
            request = _request(platform, user, turn // len(mine), where.netloc, where.path)
            asked = time.perf_counter()
            writer.write(request)
            refused += not await _acknowledged(reader)
            latencies.append(time.perf_counter() - asked)
        writer.close()

    await asyncio.gather(*(connection(number) for number in range(connections)))
    return {"seconds": time.perf_counter() - began, "latencies": latencies, "refused": refused}


def _request(platform: "LinePlatform", user: str, at: int, host: str, path: str) -> bytes:
    text = f"{TEXTS[at % len(TEXTS)]}（{at + 1}）"
    message = {"type": "text", "id": f"{user[-6:]}{at}{time.time_ns()}", "text": text}
    event = platform.webhooks.event(user, "message", replyToken=platform.issue_token(user), message=message)
    body = json.dumps({"destination": "U" + "0" * 32, "events": [event]}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"X-Line-Signature: {platform.webhooks.sign(body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _acknowledged(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
    await reader.readexactly(int(length))
    return head.startswith(b"HTTP/1.1 200")

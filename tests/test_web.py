"""The resident's web channel over real HTTP: talks, messages, the long poll, bad input, the quick exit, the pages."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, select, text, update

from connectors.pace import Pace, household
from handoff import case
from storage.models import Conversation, Message
from storage.texts import clean, says_something
from tests.conftest import Resident, Town

WORDS = "夫が仕事を辞めてから、家賃を滞納しています"


@pytest.fixture
async def hanako(town: Town) -> Resident:
    """A resident whose page is open."""
    resident = town.resident()
    await resident.come()
    return resident


def message(words: object = WORDS, message_id: object = None) -> dict[str, object]:
    return {"client_message_id": message_id or str(uuid.uuid4()), "text": words}


async def post(town: Town, resident: Resident, content: bytes | dict[str, object]) -> httpx.Response:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await town.http.post("/chat/messages", content=raw, headers=resident.headers)


async def written(town: Town) -> list[str]:
    return [m.text for m in await town.messages() if m.sender == "resident"]


# Sessions


async def test_a_talk_begins_with_the_notice_and_one_open_question(town: Town) -> None:
    begun = await town.http.post("/chat/sessions", json={"lang": "ja"})
    assert begun.status_code == 201
    first = begun.json()["messages"]
    assert {m["from"] for m in first} == {"bot"}
    assert set(first[0]) == {"id", "from", "text", "choices", "at"}
    assert "機械" in first[0]["text"]
    assert "書いてください" in first[-1]["text"]


async def test_the_token_is_kept_only_as_its_hash(town: Town, hanako: Resident) -> None:
    [address] = await town.service.database.read(lambda session: session.scalars(select(Conversation.address)).all())
    assert address != hanako.token
    assert re.fullmatch("[0-9a-f]{64}", address or "")


async def test_nobody_is_refused_for_a_strange_language(town: Town) -> None:
    for body in (b"", b"{}", b'{"lang": 7}', '{"lang": "日本語"}'.encode(), b'{"lang": "../../x"}'):
        assert (await town.http.post("/chat/sessions", content=body)).status_code == 201, body


async def test_new_talks_from_one_address_are_limited_for_a_minute(town: Town) -> None:
    begun = [await town.http.post("/chat/sessions") for _ in range(61)]
    assert {answer.status_code for answer in begun[:60]} == {201}
    assert begun[60].status_code == 429
    town.clock.forward(seconds=int(begun[60].headers["Retry-After"]))
    assert (await town.http.post("/chat/sessions")).status_code == 201


# Messages


async def test_the_same_message_again_is_known_by_its_id(town: Town, hanako: Resident) -> None:
    same = message()
    first, again = await post(town, hanako, same), await post(town, hanako, same)
    other_spelling = await post(town, hanako, message(WORDS, str(same["client_message_id"]).upper()))
    assert [first.status_code, again.status_code, other_spelling.status_code] == [202, 200, 200]
    assert first.json() == again.json() == other_spelling.json()
    assert await written(town) == [WORDS]


async def test_two_residents_may_use_the_same_id(town: Town, hanako: Resident) -> None:
    stranger = town.resident()
    await stranger.come()
    same = message()
    assert [(await post(town, one, same)).status_code for one in (hanako, stranger)] == [202, 202]
    seen = [m for m in await stranger.new_messages(wait=0) if m["from"] == "resident"]
    assert len(seen) == 1, "nobody sees another's talk"
    assert seen[0]["client_message_id"] == same["client_message_id"]


TEXTS = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>**太字** [リンク](javascript:alert(1))",
    "'); DROP TABLE messages; --",
    "/restart",
    "{{ 7*7 }} ${7*7} %s",
    "👨‍👩‍👧" * 1000,
    "a\u202eb\u202cc",
    "あ" * 5000,
    "一行目\n\t二行目",
]


async def test_whatever_is_written_is_text(town: Town, hanako: Resident) -> None:
    for words in TEXTS:
        assert (await post(town, hanako, message(words))).status_code == 202, words
    assert await written(town) == TEXTS
    assert [m["text"] for m in await hanako.new_messages(wait=0) if m["from"] == "resident"] == TEXTS


async def test_control_characters_and_halves_of_characters_are_taken_out(town: Town, hanako: Resident) -> None:
    raw = json.dumps(message("助けて\x00\x07\x1b[31m\r\n家が\ud83dない\x85")).encode()
    assert (await post(town, hanako, raw)).status_code == 202
    assert await written(town) == ["助けて[31m\n家が\ufffdない"]


BAD_INPUT: list[tuple[bytes | dict[str, object], int]] = [
    (b'{"text": ', 400),
    (b"\xff\xfe\xfa", 400),
    (b"[" * 30_000, 400),
    (b"[]", 422),
    (b"", 422),
    (message(""), 422),
    (message(" \n　\t"), 422),
    (message("\u200b\u2060\x00"), 422),
    (message(None), 422),
    (message(["a"]), 422),
    (message(WORDS, "no-uuid"), 422),
    (message(WORDS, 7), 422),
    ({"text": WORDS}, 422),
    (message("あ" * 5001), 413),
    (message("😀" * 10_000), 413),
    (b'{"text": "' + b"a" * 10_000_000 + b'"}', 413),
]


async def test_bad_input_is_refused_with_a_sentence(town: Town, hanako: Resident) -> None:
    for content, status in BAD_INPUT:
        refused = await post(town, hanako, content)
        assert refused.status_code == status, content[:99] if isinstance(content, bytes) else content
        _is_a_problem(refused)
        assert WORDS not in refused.text
    assert await written(town) == []


async def test_a_body_that_never_ends_is_not_read_to_its_end(town: Town, hanako: Resident) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 2_000:
            sent += 1
            yield b"a" * 65_536

    try:
        refused = await town.http.post("/chat/messages", content=endless(), headers=hanako.headers)
        assert refused.status_code == 413
    except httpx.TransportError:
        assert sent < 2_000, "the connection was closed while it was still sending"


async def test_too_fast_is_told_for_how_long(town: Town, hanako: Resident) -> None:
    most = town.service.settings.chat_messages_per_minute
    for number in range(most):
        assert (await hanako.write(f"{number}")).status_code == 202
    refused = await hanako.write("まだあります")
    assert refused.status_code == 429
    _is_a_problem(refused)
    town.clock.forward(seconds=int(refused.headers["Retry-After"]))
    assert (await hanako.write("まだあります")).status_code == 202


async def test_a_locked_database_acknowledges_nothing_and_the_repetition_is_there_once(
    town: Town, hanako: Resident
) -> None:
    same = message()
    with _Locked(town):
        refused = await post(town, hanako, same)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert (await hanako.write(WORDS, str(same["client_message_id"]))).status_code in (200, 202)
    assert await written(town) == [WORDS]


async def test_without_a_good_token_there_is_nothing(town: Town, hanako: Resident) -> None:
    for given in (None, "", "Bearer", "Bearer x", "Basic eA==", hanako.token):
        headers = {} if given is None else {"Authorization": given}
        for answer in (
            await town.http.get("/chat/messages", headers=headers),
            await town.http.post("/chat/messages", json=message(), headers=headers),
            await town.http.delete("/chat/sessions", headers=headers),
        ):
            assert answer.status_code == 401, given
            _is_a_problem(answer)


# The long poll


async def test_a_poll_waits_for_the_answer(town: Town, hanako: Resident) -> None:
    waiting = asyncio.create_task(hanako.new_messages(wait=25))
    await post(town, hanako, message())
    assert [m["text"] for m in await waiting] == [WORDS]
    assert [m["from"] for m in await hanako.new_messages(wait=25)] == ["bot", "bot"]
    assert hanako.last_id == (await town.messages())[-1].id


async def test_a_poll_finds_what_another_process_wrote(town: Town, hanako: Resident) -> None:
    def beside(session: Any) -> None:
        talk = session.scalars(select(Conversation)).one()
        case.say(session, talk, case.COUNSELOR, "相談員の佐藤です。", town.clock.now(), case=None)

    waiting = asyncio.create_task(hanako.new_messages(wait=25))
    await asyncio.to_thread(town.service.database.write_now, beside)  # no bell rings
    assert [(m["from"], m["text"], m["choices"]) for m in await waiting] == [("counselor", "相談員の佐藤です。", [])]


async def test_a_bell_with_nothing_behind_it_does_not_end_the_wait(town: Town, hanako: Resident) -> None:
    waiting = asyncio.create_task(hanako.new_messages(wait=25))
    await town.until(lambda: _listens(town))
    town.service.bells.ring(*town.service.bells._waiting)
    await post(town, hanako, message())
    assert [m["text"] for m in await waiting] == [WORDS]


async def test_a_waiting_poll_ends_when_the_service_does(town: Town, hanako: Resident) -> None:
    waiting = asyncio.create_task(hanako.new_messages(wait=25))
    await town.until(lambda: _listens(town))
    town.service.bells.ring_out()
    assert await waiting == []


async def test_choices_come_with_their_message(town: Town, hanako: Resident) -> None:
    await post(town, hanako, message())
    await town.quiet()
    assert [m["choices"] for m in await hanako.new_messages()][-1] == ["とばす"]


async def test_what_was_taken_back_is_not_shown(town: Town, hanako: Resident) -> None:
    await post(town, hanako, message())
    await town.quiet()
    await town.service.database.write(
        lambda session: session.execute(
            update(Message).where(Message.sender == "resident").values(unsent_at=town.clock.now())
        ).close()
    )
    assert "resident" not in {m["from"] for m in await hanako.new_messages(wait=0)}


async def test_a_strange_question_is_refused(town: Town, hanako: Resident) -> None:
    for query in ("wait=26", "wait=-1", "wait=a", "wait=", "after=-1", "after=1.5", "after=" + "9" * 30):
        refused = await town.http.get(f"/chat/messages?{query}", headers=hanako.headers)
        assert refused.status_code == 422, query
        _is_a_problem(refused)


# The quick exit


async def test_after_the_quick_exit_the_token_is_worthless_and_the_case_stays(town: Town, hanako: Resident) -> None:
    await hanako.talk(WORDS)
    waiting = asyncio.create_task(hanako.new_messages(wait=25))
    await town.until(lambda: _listens(town))

    assert (await town.http.delete("/chat/sessions", headers=hanako.headers)).status_code == 204

    assert await waiting == [], "a poll that was waiting ends and tells nothing more"
    assert (await town.http.get("/chat/messages", headers=hanako.headers)).status_code == 401
    assert (await post(town, hanako, message())).status_code == 401
    assert (await town.http.delete("/chat/sessions", headers=hanako.headers)).status_code == 401
    assert len(await town.cases()) == 1
    assert await written(town) == [WORDS]


# A town's own page, and the demo page


async def test_a_page_of_another_origin_may_talk_to_the_chat(town: Town) -> None:
    asked = await town.http.options("/chat/messages", headers={"Origin": "https://town.example"})
    assert asked.status_code == 204
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    for answer in (asked, await town.http.post("/chat/sessions"), await town.http.get("/chat/messages")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*", "the refusals too"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_demo_page_runs_nothing_inline_and_asks_nobody_else(town: Town) -> None:
    page = await town.http.get("/")
    assert page.status_code == 200
    assert "うけとめ市" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)
    for address in re.findall(r'(?:src|href)="([^"#]+)"', page.text):
        assert address.startswith(("/", "tel:"))
        if address.startswith("/"):
            assert (await town.http.get(address)).status_code == 200, address


async def test_what_the_browser_has_is_not_sent_again(town: Town) -> None:
    for path in ("/", "/widget.js", "/static/web/town.css"):
        first = await town.http.get(path)
        again = await town.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b""), path
        assert (await town.http.head(path)).status_code == 200, path


async def test_the_widget_is_one_script_that_needs_nothing(town: Town) -> None:
    script = (await town.http.get("/widget.js")).text
    assert "import " not in script
    assert set(re.findall(r"https?://[\w.]+", script)) == {"https://www.jma.go.jp"}, "only the quick exit leaves"
    assert "innerHTML" not in script


async def test_no_other_file_is_served(town: Town) -> None:
    for name in ("widget.css", "nothing.css", "..%2Fweb.py", "%2e%2e%2fpages.py"):
        assert (await town.http.get(f"/static/web/{name}")).status_code == 404, name


# What needs no server


def test_a_pace_forgets_who_was_quiet_longest() -> None:
    pace, now = Pace(1, seconds=60, keys=2), datetime(2026, 11, 23, tzinfo=UTC)
    assert [pace.wait(key, now) for key in ("a", "a", "b", "c")] == [0, 60, 0, 0]
    assert pace.wait("a", now) == 0, "a was forgotten for c"
    assert pace.wait("c", now + timedelta(seconds=59.5)) == 1
    assert pace.wait("c", now + timedelta(seconds=60)) == 0


def test_one_household_is_one_client() -> None:
    assert household("2001:db8::1") == household("2001:db8::ffff:2") != household("2001:db8:0:1::1")
    assert household("192.0.2.1") != household("192.0.2.2")
    assert household("testclient") == "testclient"


def test_what_is_kept_of_a_text() -> None:
    assert clean("　a\r\nb\rc\x00 ") == "a\nb\nc"
    assert says_something("🫶🏽")
    assert not says_something("\u200d\u202e\n")


def _is_a_problem(answer: httpx.Response) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert re.search("[ぁ-ん].*。$", problem["detail"])
    assert "Traceback" not in answer.text


async def _listens(town: Town) -> bool:
    return any(name.startswith("talk:") for name in town.service.bells._waiting)


class _Locked:
    """The database, held by somebody else for as long as the block runs."""

    def __init__(self, town: Town) -> None:
        self._engine = create_engine(town.service.settings.database)

    def __enter__(self) -> None:
        self._held = self._engine.connect()
        if self._engine.dialect.name == "sqlite":
            raw: Any = self._held.connection.driver_connection
            raw.execute("BEGIN IMMEDIATE")
        else:
            self._held.execute(text("LOCK TABLE messages IN EXCLUSIVE MODE"))

    def __exit__(self, *_: object) -> None:
        self._held.connection.rollback()
        self._held.close()
        self._engine.dispose()

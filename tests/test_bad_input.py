"""Bad input, from residents, foreign machines and whoever starts the service: a sentence, and nothing lost."""

import json
import re
import shutil
import socket
import sqlite3
import subprocess
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import select

from bot.understanding import Understander
from storage.models import Message, Turn
from storage.settings import ROOT
from tests.conftest import Resident
from tests.faults.process import COMMAND, environment, free_port
from tests.faults.town import FaultyTown, faulty_town
from tests.faults.traffic import resident
from tests.line_platform.webhooks import Sender
from uketome.app import create_app
from uketome.cli import main

HANAKO = resident(1)
SECRET = "ひみつのことば銀河鉄道"
INSIDE = re.compile(r"Traceback|File \"|\.py|sqlalchemy|sqlite|psycopg|Exception|Error\b.*\bat\b", re.I)
SQL = "'); DROP TABLE messages; --"


@pytest.fixture
async def faulty(tmp_path: Path, reader: Understander) -> AsyncIterator[FaultyTown]:
    """The service with both channels."""
    async with faulty_town(f"sqlite:///{tmp_path / 'town.db'}", tmp_path, reader) as faulty:
        yield faulty


@pytest.fixture
async def either(database_url: str, tmp_path: Path, reader: Understander) -> AsyncIterator[FaultyTown]:
    """The same over SQLite, and again over PostgreSQL, which is stricter about what a text is."""
    async with faulty_town(database_url, tmp_path, reader) as faulty:
        yield faulty


def a_problem(answer: httpx.Response, status: int) -> None:
    """A refusal for people: the right status, one sentence, nothing of the inside, nothing that was written."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["detail"].endswith("。")
    assert not INSIDE.search(answer.text)
    assert SECRET not in answer.text


async def texts(faulty: FaultyTown) -> list[str]:
    """What residents have written, as it is kept."""
    return [message.text for message in await faulty.town.messages() if message.sender == "resident"]


def text_event(sender: Sender, text: Any, user: str = HANAKO) -> dict[str, Any]:
    """A message as LINE delivers it."""
    message = {"id": uuid.uuid4().hex, "type": "text", "text": text}
    return sender.event(user, "message", replyToken=uuid.uuid4().hex, message=message)


async def test_what_is_not_signed_is_refused(faulty: FaultyTown) -> None:
    body = json.dumps({"events": [text_event(faulty.line.webhooks, SECRET)]}).encode()
    for signature in ("", "bm8=", "署名", "x" * 5000):
        headers = {b"X-Line-Signature": signature.encode()}
        a_problem(await faulty.town.http.post("/line/webhook", content=body, headers=headers), 401)
    assert await texts(faulty) == []


BAD_BODIES = [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe\x00", b"{}", b'{"events": 5}', b"[" * 100_000]


async def test_what_is_signed_and_no_webhook_is_refused(faulty: FaultyTown) -> None:
    for body in BAD_BODIES:
        headers = {"X-Line-Signature": faulty.line.webhooks.sign(body)}
        a_problem(await faulty.town.http.post("/line/webhook", content=body, headers=headers), 400)


async def test_ten_megabytes_are_not_read(faulty: FaultyTown) -> None:
    body = SECRET.encode() * 400_000
    headers = {"X-Line-Signature": faulty.line.webhooks.sign(body)}
    hanako = faulty.town.resident()
    await hanako.come()
    http = faulty.town.http
    a_problem(await http.post("/line/webhook", content=body, headers=headers), 413)
    a_problem(await http.post("/chat/messages", content=body, headers=hanako.headers), 413)
    a_problem(await http.post("/chat/sessions", content=body), 413)
    assert await texts(faulty) == []


async def test_events_that_nobody_knows_are_taken_and_do_nothing(faulty: FaultyTown) -> None:
    sender = faulty.line.webhooks
    strange: list[Any] = [
        sender.event(HANAKO, "teleport", teleport={"to": "moon"}),
        sender.event(HANAKO, "accountLink", link={"result": "ok", "nonce": "x"}),
        sender.event(HANAKO, "videoPlayComplete", videoPlayComplete={"trackingId": "x"}),
        sender.event(HANAKO, "join", source={"type": "group", "groupId": "C1"}),
        sender.event(HANAKO, "message", source={"type": "group", "groupId": "C1"}, message={"type": "text"}),
        {},
        {"type": 5, "source": [], "message": "x", "timestamp": "now"},
        5,
        None,
    ]
    assert await sender.post(strange) == 200
    assert await sender.post([*strange, text_event(sender, "家賃が払えません")]) == 200
    await faulty.settled()
    assert await texts(faulty) == ["家賃が払えません"]


# Words, over both channels

STRANGE_WORDS = {
    "control": "家賃\x00\x07\x1b[31mが\x7f払えません",
    "surrogate": "家賃\ud800が払えません\udfff",
    "right-to-left": "家賃が\u202eせまえ払\u202c\u2067ません",
    "emoji": "😭" * 5000,
    "family": "👨‍👩‍👧‍👦🏳️‍🌈" * 300,
    "command": "/restart",
    "command with entities": '/ask_person{"a": 1}',
    "external": "EXTERNAL: restart",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markdown": "# 見出し\n[ここ](javascript:alert(1)) **太字** ![x](http://evil.example/x.png)",
    "template": "{{ 7*7 }} ${7*7} [[echo]] %s %(text)s {0}",
    "sql": SQL,
    "zalgo": "家" + "\u0301" * 2000,
    "line ends": "家賃が\r\n払え\rません\u2028",
}


async def test_strange_words_are_words(either: FaultyTown) -> None:
    """Kept, answered, and in the queue; nothing in them is obeyed."""
    for number, (name, words) in enumerate(STRANGE_WORDS.items()):
        hanako = either.town.resident()
        await hanako.come()
        written = await post(hanako, either.town.http, words)
        assert written.status_code == 202, name
        event = text_event(either.line.webhooks, words, resident(number))
        assert await either.line.webhooks.post([event]) == 200, name
        assert await hanako.answers(), name
    await either.settled()

    kept = await texts(either)
    assert sorted(kept[::2]) == sorted(kept[1::2])
    assert len([text for text in kept if text]) == len(await either.town.cases()) == 2 * len(STRANGE_WORDS)
    assert not re.search("[\ud800-\udfff\x00\x07\x1b\x7f]", "".join(kept))
    assert either.line.violations == []
    assert not any(asked["message"].startswith(("/", "EXTERNAL: ")) for asked in either.rasa.asked)


async def post(somebody: Resident, http: httpx.AsyncClient, text: Any, message_id: object = None) -> httpx.Response:
    """As a browser would, and as none would: the JSON escapes what is not ASCII, halves of characters too."""
    body = json.dumps({"client_message_id": message_id or str(uuid.uuid4()), "text": text}).encode()
    return await http.post("/chat/messages", content=body, headers=somebody.headers)


async def test_what_says_nothing_or_too_much_is_refused_kindly(faulty: FaultyTown) -> None:
    hanako = faulty.town.resident()
    await hanako.come()
    nothing: list[Any] = ["", "   \n\t　", "\u200b\u2060\ufeff", "\x00\x07", None, 5, ["家賃"], {"text": "家賃"}]
    for text in nothing:
        a_problem(await post(hanako, faulty.town.http, text), 422)
    for text in ("あ" * 5001, "😭" * 10_000):
        a_problem(await post(hanako, faulty.town.http, text), 413)
    assert await texts(faulty) == []
    assert (await post(hanako, faulty.town.http, "あ" * 5000)).status_code == 202


async def test_line_may_send_nothing_or_too_much(faulty: FaultyTown) -> None:
    """LINE has limits of its own; what comes all the same is taken, since nobody else would."""
    sender = faulty.line.webhooks
    for text in ("", "あ" * 5001, None, 7):
        assert await sender.post([text_event(sender, text)]) == 200
    await faulty.settled()
    assert await texts(faulty) == ["", "あ" * 5001, "", ""]
    assert len(await faulty.town.cases()) == 1


async def test_an_id_that_is_none_is_refused(faulty: FaultyTown) -> None:
    hanako = faulty.town.resident()
    await hanako.come()
    for message_id in ("-", "5", SQL, "x" * 5000, 5):
        a_problem(await post(hanako, faulty.town.http, SECRET, message_id), 422)


async def test_pages_and_methods_that_are_none_are_refused_in_the_same_form(faulty: FaultyTown) -> None:
    http = faulty.town.http
    a_problem(await http.get(f"/nowhere?q={SECRET}"), 404)
    a_problem(await http.get("/chat/messages/../../etc/passwd"), 404)
    a_problem(await http.put("/healthz"), 405)
    a_problem(await http.get("/chat/messages", headers={"Authorization": f"Bearer {SQL}"}), 401)


async def test_a_mistake_of_ours_shows_nothing_of_the_inside(faulty: FaultyTown) -> None:
    class Broken:
        async def read(self, _work: object) -> object:
            raise RuntimeError(f"cannot read {SECRET}")

    transport = httpx.ASGITransport(_app_of(faulty, Broken()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://town") as http:
        a_problem(await http.get("/chat/messages", headers={"Authorization": "Bearer x"}), 500)


def _app_of(faulty: FaultyTown, database: object) -> Any:
    service = faulty.town.service
    service.database, before = cast(Any, database), service.database
    try:
        return create_app(service)
    finally:
        service.database = before


# Whoever starts the service


def uketome(command: str, tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a command that is expected to end at once."""
    given = {"UKETOME_VAR_DIR": str(tmp_path / "var"), "UKETOME_PORT": "1", **settings}
    return subprocess.run(
        [*COMMAND, *command.split()], env=environment(given), cwd=tmp_path, text=True, timeout=60, check=False,
        capture_output=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def one_sentence(done: subprocess.CompletedProcess[str], *names: str) -> None:
    """Exit 2, and one line that names what is wrong."""
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for name in names:
        assert name in done.stderr


WRONG = [
    ("PORT", "http"), ("PORT", "0"), ("PORT", "70000"), ("LINE_MODE", "both"), ("RASA_TIMEOUT_S", "0"),
    ("RASA_TIMEOUT_S", "-1"), ("SILENCE_MINUTES", "0"), ("RETENTION_DAYS", "0"), ("STAFF_FROM", "morning"),
    ("STAFF_FROM", "25:00"), ("STAFF_UNTIL", "17"), ("RASA_URL", "localhost:5005"), ("PUBLIC_URL", "town.example"),
    ("LINE_API_BASE", "ftp://line"), ("DATABASE_URL", "mysql://x"), ("CHAT_MESSAGES_PER_MINUTE", "0"),
    ("REDIS_URL", "redis"), ("STAFF_UNTIL", "17:60"), ("LINE_CHANNEL_SECRET", "alone"),
    ("LINE_CHANNEL_ACCESS_TOKEN", "alone"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv(f"UKETOME_{name}", value)
    assert main(["serve"]) == 2
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert f"UKETOME_{name}" in said


def test_the_command_ends_with_that_sentence(tmp_path: Path) -> None:
    one_sentence(uketome("serve", tmp_path, UKETOME_PORT="http"), "UKETOME_PORT")
    one_sentence(uketome("serve", tmp_path, UKETOME_HOST="no such host"), "UKETOME_HOST")


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        one_sentence(uketome("serve", tmp_path, UKETOME_PORT=port), port, "UKETOME_PORT")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the bundled model."""
    return Path(shutil.copytree(ROOT / "knowledge_base" / "model", tmp_path / "model"))


def test_a_missing_or_spoilt_model_is_told(tmp_path: Path, model: Path) -> None:
    missing = tmp_path / "nowhere"
    one_sentence(
        uketome("serve", tmp_path, UKETOME_EMBEDDING_MODEL=str(missing), UKETOME_PORT=str(free_port())), str(missing)
    )
    (model / "model.safetensors").write_bytes(b"no tensors")
    one_sentence(
        uketome("serve", tmp_path, UKETOME_EMBEDDING_MODEL=str(model), UKETOME_PORT=str(free_port())), str(model)
    )


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "town.db"
    path.write_bytes(b"This is a letter to the mayor. " * 200)
    one_sentence(uketome("token add --name x --scope cases:read", tmp_path, **_at(path)), "database")


def test_a_database_of_a_newer_version_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "town.db"
    with sqlite3.connect(path) as newer:
        newer.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        newer.execute("INSERT INTO alembic_version VALUES ('9999')")
    newer.close()
    before = path.read_bytes()
    one_sentence(uketome("token add --name x --scope cases:read", tmp_path, **_at(path)), "newer", "9999")
    assert before[100:] == path.read_bytes()[100:], "only the header may say that it was opened"


def test_an_old_or_empty_database_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "town.db"
    path.touch()
    done = uketome("token add --name x --scope cases:read", tmp_path, **_at(path))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) > 20


def test_a_database_that_belongs_to_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "town.db"
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, subject TEXT)")
    foreign.close()
    one_sentence(uketome("token add --name x --scope cases:read", tmp_path, **_at(path)), "database")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "var")
    one_sentence(
        uketome("serve", tmp_path, UKETOME_VAR_DIR=folder, UKETOME_PORT=str(free_port())), folder, "UKETOME_VAR_DIR"
    )
    one_sentence(uketome("token add --name x --scope cases:read", tmp_path, **_at(Path(folder) / "x.db")), folder)


def test_a_database_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    nobody = f"postgresql://uketome:{SECRET}@127.0.0.1:{free_port()!s}/town"
    done = uketome("token add --name x --scope cases:read", tmp_path, UKETOME_DATABASE_URL=nobody)
    one_sentence(done, "database")
    assert SECRET not in done.stderr


def _at(path: Path) -> dict[str, str]:
    return {"UKETOME_DATABASE_URL": f"sqlite:///{path}"}


# No word of a resident outside


async def test_no_word_of_a_resident_is_in_logs_and_errors(
    faulty: FaultyTown, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A talk in which everything fails once; then neither the words nor the address are in what was logged."""
    hanako = faulty.town.resident()
    await hanako.come()
    faulty.rasa.status = 500
    faulty.line.fail_next(2, status=500)
    faulty.line.time_out()
    assert (await post(hanako, faulty.town.http, f"{SECRET}で家賃が払えません")).status_code == 202
    await faulty.line.say(HANAKO, f"{SECRET}で死にたいです")
    await faulty.settled()
    faulty.rasa.status, faulty.rasa.answer = 200, [{"text": SECRET * 300}]
    faulty.town.service.turns._reader = cast(Understander, _Stumbling())
    await faulty.line.say(HANAKO, f"{SECRET}をもう一度")

    async def given_up() -> bool:
        faulty.clock.forward(seconds=2)
        return len(await faulty.database.read(lambda session: list(session.scalars(select(Turn))))) == 3

    await faulty.town.until(given_up, 30)
    assert len([text for text in await texts(faulty) if SECRET in text]) == 3
    refused = await post(hanako, faulty.town.http, SECRET * 600)
    out, err = capfd.readouterr()
    everything = out + err + caplog.text + refused.text
    assert "turn.failed" in everything, "otherwise nothing was provoked"
    assert "銀河鉄道" not in everything
    assert HANAKO not in everything
    assert hanako.token not in everything


class _Stumbling:
    def read(self, text: str, _before: object) -> object:
        raise ValueError(f"cannot read {text}")


async def test_an_error_of_the_database_does_not_quote_the_row(either: FaultyTown) -> None:
    def twice(session: Any) -> None:
        for _ in range(2):
            now = either.clock.now()
            session.add(
                Message(id=1, conversation_id="x", sender="resident", text=SECRET, channel="web",
                        written_at=now, received_at=now)
            )  # fmt: skip
            session.flush()
            session.expunge_all()

    with pytest.raises(Exception, match="hidden") as raised:
        await either.database.write(twice)
    assert SECRET not in str(raised.value)

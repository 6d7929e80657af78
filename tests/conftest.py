"""The town of the tests: the whole service on a real port over a real database, and the people in it."""

import asyncio
import contextlib
import gc
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from bot.understanding import Understander
from handoff import access
from storage.models import Case, Delivery, Message
from storage.settings import Settings
from tests import migrated
from tests.stand_ins.clock import SetClock
from tests.stand_ins.hooks import StandInHooks
from tests.stand_ins.mail import StandInMail
from tests.stand_ins.postgres import Cluster
from tests.stand_ins.rasa import StandInRasa
from uketome.app import Service, create_app
from uketome.server import Server

#: How often a message is sent again that is not taken, here and by LINE's stand-in.
RESENT = 5
#: What these test is pages, papers and words, the same over any database, or needs processes of its own: over
#: PostgreSQL only with `--all`.
PAGES = {
    "test_access", "test_agencies", "test_api", "test_console", "test_corrections", "test_directory",
    "test_following", "test_forms", "test_kb_dying", "test_kb_fresh", "test_kb_hotlines", "test_kb_hsds", "test_kb_own",
    "test_line_door", "test_notices", "test_one_voice", "test_records", "test_reports", "test_settings", "test_waiting",
}  # fmt: skip
#: Pages in a browser beyond the walk through one case, and talks with the real Rasa: with `--all` (`make test-all`).
LONG = {
    "browser/test_casepage", "browser/test_forms", "browser/test_other_pages", "browser/test_queue",
    "browser/test_reports", "browser/test_settings", "browser/test_support",
}  # fmt: skip

#: And single tests of half a minute or more, of what seldom changes.
LONG_ONES = ("test_half_a_dozen", "test_no_two_voices", "test_kb_check_says")


def pytest_addoption(parser: pytest.Parser) -> None:
    """An option of ours."""
    parser.addoption("--all", action="store_true", help="also what takes long: every page, both databases")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what takes long and seldom shows anything that the rest does not."""
    if config.getoption("--all"):
        return
    left_out = [one for one in items if _takes_long(Path(one.path), one.name)]
    config.hook.pytest_deselected(items=left_out)
    gone = set(map(id, left_out))
    items[:] = [one for one in items if id(one) not in gone]


def _takes_long(path: Path, name: str) -> bool:
    twice = path.stem in PAGES and "[postgresql" in name
    return twice or f"{path.parent.name}/{path.stem}" in LONG or name.startswith(LONG_ONES)


@pytest.fixture(scope="session")
def reader() -> Understander:
    """The understanding with the bundled model, loaded once."""
    reader = Understander.load()
    gc.collect()  # and frozen, as in the product: a million objects need not be looked through at each collection
    gc.freeze()
    return reader


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL, started for this run."""
    cluster = Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hundreds of accounts are made and sign in: what a hash costs in the product is tested where it is made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


class _Prompt:
    """asyncio as uvicorn's server sees it here: it looks at once whether it shall end, not every tenth of a second."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


@pytest.fixture(scope="session", autouse=True)
def _prompt_servers() -> Iterator[None]:
    """A thousand services are started and ended: at a sixth of a second each, both cores would idle for minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uvicorn.server.asyncio", _Prompt())
        yield


@event.listens_for(Pool, "checkout")
def _without_syncing(connection: Any, record: Any, _proxy: object) -> None:
    """A disk that is busy with other things must fail no test: as with `fsync=off` on PostgreSQL's side.

    Processes that tests start, and kill, keep the product's own setting.
    """
    if isinstance(connection, sqlite3.Connection) and record.info.setdefault("synchronous", True):
        connection.execute("PRAGMA synchronous=OFF")
        record.info["synchronous"] = False


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database: the same tests run on both kinds."""
    if request.param == "sqlite":
        yield migrated.laid(f"sqlite:///{tmp_path / 'town.db'}")
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    new = cluster.new_database()
    yield new
    cluster.drop(new)


@pytest.fixture
async def rasa() -> AsyncIterator[StandInRasa]:
    """A Rasa that answers as it is told."""
    stand_in = StandInRasa()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def hooks() -> AsyncIterator[StandInHooks]:
    """Where notices are sent to over HTTP."""
    hooks = StandInHooks()
    await hooks.start()
    yield hooks
    await hooks.stop()


@pytest.fixture
async def mail() -> AsyncIterator[StandInMail]:
    """Where notices are sent to by mail."""
    mail = StandInMail()
    await mail.start()
    yield mail
    await mail.stop()


@pytest.fixture
async def town(database_url: str, tmp_path: Path, reader: Understander, rasa: StandInRasa) -> AsyncIterator["Town"]:
    """The running service with a web channel, a Rasa that is well, and a clock that stands still."""
    settings = Settings(database_url=database_url, var_dir=tmp_path / "var", rasa_url=rasa.url, rasa_timeout_s=0.5)
    async with running(settings, reader, SetClock()) as town:
        yield town


class Resident:
    """Somebody who writes on the town's web page."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http, self._written = http, 0
        self.token = ""
        self.last_id = 0

    async def come(self) -> list[dict[str, Any]]:
        """Opens the page: the first messages."""
        opened = await self._http.post("/chat/sessions", json={"lang": "ja"})
        assert opened.status_code == 201, opened.text
        self.token = opened.json()["token"]
        return await self.new_messages(wait=0)

    async def write(self, text: str, message_id: str | None = None) -> httpx.Response:
        """Sends one message, and again under the same name as long as it is not taken, as the page does."""
        self._written += 1
        made_up = f"00000000-0000-4000-8000-{self._written:012d}"
        body = {"client_message_id": message_id or made_up, "text": text}
        for sent in range(RESENT):
            answer = await self._http.post("/chat/messages", json=body, headers=self.headers)
            if sent and answer.status_code == 200:  # taken the first time, though too late to be told
                return httpx.Response(202, content=answer.content, headers=answer.headers)
            if answer.status_code != 503:
                break
        return answer

    async def new_messages(self, wait: int = 10) -> list[dict[str, Any]]:
        """What came since the last look."""
        found = await self._http.get(f"/chat/messages?after={self.last_id}&wait={wait}", headers=self.headers)
        assert found.status_code == 200, found.text
        messages: list[dict[str, Any]] = found.json()["messages"]
        self.last_id = messages[-1]["id"] if messages else self.last_id
        return messages

    async def answers(self) -> list[str]:
        """Waits for the answer to what was written: its texts."""
        while True:
            texts = [m["text"] for m in await self.new_messages() if m["from"] != "resident"]
            if texts:
                return texts

    async def talk(self, text: str) -> list[str]:
        """Writes, and waits for the answer."""
        written = await self.write(text)
        assert written.status_code == 202, written.text
        return await self.answers()

    @property
    def headers(self) -> dict[str, str]:
        """The browser's token."""
        return {"Authorization": f"Bearer {self.token}"}


class Town:
    """A running service, seen from outside (`http`) and, for what no page shows, from inside (`service`)."""

    def __init__(self, service: Service, clock: SetClock, http: httpx.AsyncClient) -> None:
        self.service, self.clock, self.http = service, clock, http

    def resident(self) -> Resident:
        """Somebody who has not come yet."""
        return Resident(self.http)

    async def cases(self) -> list[Case]:
        """All cases, oldest first."""
        return await self.service.database.read(_all_cases)

    async def messages(self) -> list[Message]:
        """All messages, in order."""
        return await self.service.database.read(_all_messages)

    async def until(self, holds: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
        """Waits until something that happens by itself has happened. Other work may fill the machine meanwhile."""
        async with asyncio.timeout(within_s):
            while not await holds():
                with contextlib.suppress(TimeoutError):
                    await self.service.bells.wait("queue", 0.05)

    async def quiet(self, within_s: float = 30.0) -> None:
        """Waits until nothing is left to do. What a busy machine could not send, and put off, is sent again."""

        async def nothing_left() -> bool:
            if again := await self.service.database.read(_put_off):
                self.clock.forward(seconds=max(0.0, (again - self.clock.now()).total_seconds()))
                self.service.bells.ring("outbox")
            return await self.service.database.read(_left_to_do) == 0

        await self.until(nothing_left, within_s)


def _all_cases(session: Session) -> list[Case]:
    return list(session.scalars(select(Case).order_by(Case.opened_at)))


def _all_messages(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).order_by(Message.id)))


def _left_to_do(session: Session) -> int:
    unhandled = select(func.count()).select_from(Message).where(Message.handled_at.is_(None))
    undelivered = select(func.count()).select_from(Delivery).where(Delivery.done_at.is_(None))
    return session.scalars(unhandled).one() + session.scalars(undelivered).one()


def _put_off(session: Session) -> datetime | None:
    tried = select(Delivery.next_at).where(Delivery.attempts > 0, Delivery.lease_until.is_(None))
    return session.scalar(tried.where(Delivery.done_at.is_(None)).order_by(Delivery.next_at).limit(1))


@contextlib.asynccontextmanager
async def running(settings: Settings, reader: Understander, clock: SetClock) -> AsyncIterator[Town]:
    """The service on a free port, until the block ends."""
    migrated.laid(settings.database)
    service = Service(settings, reader, clock)
    config = uvicorn.Config(
        create_app(service), host="127.0.0.1", port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1,
        timeout_keep_alive=60,  # a slow machine must not meet a connection that was idle and is just being ended
    )  # fmt: skip
    server = Server(config, service.bells)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done(), serving.exception()
            await asyncio.sleep(0)
        port = server.servers[0].sockets[0].getsockname()[1]
        # Without `verify`, each client would read all of the machine's certificates, which plain HTTP never needs.
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=40, verify=False) as http:
            yield Town(service, clock, http)
    finally:
        server.should_exit = True
        await serving

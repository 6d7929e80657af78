"""A process is killed over an import: nothing of it is there, the pages of the others say so, and it is begun again."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from handoff.kb_bring_work import SILENT
from storage.knowledge import KbEntry, KbImport, KbVersion
from storage.settings import ROOT
from tests.conftest import Town
from tests.desk import Colleague, at_work
from tests.faults.process import environment
from tests.test_kb import send
from tests.test_kb_bring import BOOK, IMPORT, applied, planned


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


class Dying:
    """Another process of the town, and a new one each time it has died."""

    def __init__(self, process: asyncio.subprocess.Process, town: Town) -> None:
        self._process, self._town = process, town

    async def over(self, doing: str, what: object) -> None:
        """It begins, and is killed in the middle."""
        assert self._process.stdin
        assert self._process.stdout
        told = "\t".join([self._town.clock.now().isoformat(), "1", doing, str(what)])
        self._process.stdin.write(f"{told}\n".encode())
        assert int(await self._process.stdout.readline()) == signal.SIGKILL


@pytest.fixture
async def dying(town: Town) -> AsyncIterator[Dying]:
    settings = town.service.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.dying_import", settings.database, str(settings.var_dir), cwd=ROOT,
        env=environment({}), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    yield Dying(process, town)
    assert process.stdin
    process.stdin.close()
    assert await process.wait() == 0


async def test_whatever_a_process_dies_over_can_be_done_by_another(
    town: Town, yamada: Colleague, dying: Dying, tmp_path: Path
) -> None:
    file = tmp_path / "表.xlsx"
    await asyncio.to_thread(file.write_bytes, BOOK)
    path, seen = await planned(yamada, BOOK)
    number = path.rpartition("/")[2]
    await dying.over("read", file)
    await dying.over("apply", number)
    assert await _rows(town) == (0, 0), "not one row of it"
    newest = await town.service.database.read(lambda session: session.scalar(select(func.max(KbImport.id))))
    assert "確かめています" in await _page(yamada, newest)
    assert "知識ベースに入れています" in await _page(yamada, number)
    assert (await applied(yamada, path, seen)).status_code == 409, "as long as it may still be at it"
    town.clock.forward(seconds=SILENT.total_seconds() + 1)
    told = await _page(yamada, newest)
    assert "読んでいる途中でサーバーが止まったため" in told
    assert 'type="file"' in told, "the file can be chosen again"
    again = await _page(yamada, number)
    assert "まだ何も入っていません。もう一度、入れられます。" in again
    assert (await applied(yamada, path, again)).status_code == 303
    before = await _rows(town)
    assert before == (1, 1)

    await dying.over("undo", number)
    assert await _rows(town) == before
    town.clock.forward(seconds=SILENT.total_seconds() + 1)
    again = await _page(yamada, number)
    assert "まだ何ももどっていません。もう一度、もどせます。" in again
    assert (await send(yamada, f"{path}/undo", {})).status_code == 303
    assert await _rows(town) == (1, 2)
    assert "サーバーが止まった" not in await _page(yamada, number)


async def _page(admin: Colleague, number: object) -> str:
    answer = await admin.http.get(f"{IMPORT}/{number}")
    assert answer.status_code == 200
    return answer.text


async def _rows(town: Town) -> tuple[int, int]:
    """Entries and versions."""
    return await town.service.database.read(
        lambda session: (
            session.scalar(select(func.count()).select_from(KbEntry)) or 0,
            session.scalar(select(func.count()).select_from(KbVersion)) or 0,
        )
    )

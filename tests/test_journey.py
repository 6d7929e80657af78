"""The main job, as a stranger meets it: `uketome run` with its real Rasa, a resident, a counselor, both channels."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from storage.settings import ROOT
from tests.conftest import Resident
from tests.line_platform import LinePlatform
from tests.product import Product

HANAKO = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"


@pytest.fixture
async def line() -> AsyncIterator[LinePlatform]:
    """LINE's stand-in, on the real clock."""
    async with LinePlatform(quota=None) as line:
        yield line
        assert line.violations == []


@pytest.mark.timeout(180)
async def test_from_the_first_message_to_the_counselors_answer(tmp_path: Path, line: LinePlatform) -> None:
    product = Product(tmp_path / "var", line)
    await product.start()
    line.webhooks.url = f"{product.address}/line/webhook"
    async with httpx.AsyncClient(base_url=product.address, timeout=40) as http:
        await product.rasa_is_ready(http)
        await _hanako_talks_on_the_web(http)
        await _taro_talks_on_line(line)
        await _a_staff_system_sees_and_answers(product, http, line)
    assert await product.stop() == 0
    assert not await _answers(product.address), "nothing is left running"
    with contextlib.closing(sqlite3.connect(tmp_path / "var/uketome.db")) as kept:
        [(password,)] = kept.execute("SELECT password_hash FROM staff WHERE email = 'sato@example.jp'")
    assert password.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "each guess at a stolen password costs 64 MiB"


async def _hanako_talks_on_the_web(http: httpx.AsyncClient) -> None:
    hanako = Resident(http)
    await hanako.come()
    first = await hanako.talk(HANAKO)
    assert any("「" in text for text in first), "it takes up her words"
    assert sum(text.count("？") + text.count("ですか") + text.count("ますか") for text in first) == 1, "one question"
    for text in ("去年の秋からです", "夫と娘とわたしの三人です", "とばす"):
        assert await hanako.talk(text)


async def _taro_talks_on_line(line: LinePlatform) -> None:
    taro = "U" + "2" * 32
    await line.say(taro, HANAKO)
    async with asyncio.timeout(20):
        while not line.received(taro):
            await asyncio.sleep(0)
    assert any("機械" in text for text in line.received(taro)), "the notice of use comes first"
    assert line.calls["push"] == 0, "a reply costs nothing of the month's quota"


async def _a_staff_system_sees_and_answers(product: Product, http: httpx.AsyncClient, line: LinePlatform) -> None:
    added = await product.do("staff", "add", "--email", "sato@example.jp", "--role", "counselor", "--password-stdin",
                             stdin="hana-no-michi-12\n")  # fmt: skip
    assert "sato@example.jp" in added
    token = await product.do("token", "add", "--name", "case-system", "--scope", "cases:read", "--scope", "cases:write")
    headers = {"Authorization": f"Bearer {token}"}
    listed = (await http.get("/api/cases", headers=headers)).json()["cases"]
    assert {case["channel"] for case in listed} == {"web", "line"}
    for case in listed:
        read = (await http.get(f"/api/cases/{case['id']}", headers=headers)).json()
        assert {"work", "education"} <= {field["id"] for field in read["fields"]}
        assert {"husband", "daughter"} <= {member["relation"] for member in read["members"]}
        written = "\n".join(message["text"] for message in read["messages"] if message["from"] == "resident")
        assert all(quote in written for field in read["fields"] for quote in field["quotes"])
        assert read["services"]
    over_line = next(case for case in listed if case["channel"] == "line")
    assert (await http.post(f"/api/cases/{over_line['id']}/claim", headers=headers)).status_code == 200
    said = await http.post(
        f"/api/cases/{over_line['id']}/messages", headers=headers, json={"text": "相談員の佐藤です。読みました。"}
    )
    assert said.status_code in (200, 201, 202), said.text
    async with asyncio.timeout(20):
        while "相談員の佐藤です。読みました。" not in line.received("U" + "2" * 32):
            await asyncio.sleep(0)


async def _answers(address: str) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            await http.get(address)
        except httpx.ConnectError:
            return False
        return True


def test_the_readme_names_what_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in ("bot", "nlu_data", "knowledge_base", "connectors", "handoff", "storage", "uketome", "tests"):
        assert f"`{folder}/`" in readme
        assert (ROOT / folder).is_dir()

"""Owners who are no admins: they confirm what is theirs or offer a change to it, and nothing else is theirs to see."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from knowledge_base import live
from storage.knowledge import KbVersion
from storage.models import Staff
from storage.support import AuditEntry
from tests.conftest import Town
from tests.desk import INPUT, Colleague, at_work
from tests.test_kb import MADO, counts, made, send

OWN = "/staff/kb/own"
CHECKED = {**MADO, "checked": "2025-11-20"}


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


async def press(colleague: Colleague, path: str, **inputs: Any) -> httpx.Response:
    """Sends a form of somebody who is no admin."""
    csrf = dict(INPUT.findall((await colleague.http.get("/staff/me")).text))
    return await colleague.http.post(path, data={**csrf, **inputs})


async def given(town: Town, yamada: Colleague, entry: str, email: str = "", version: str = "0") -> None:
    """An admin says who looks after an entry; "" for nobody."""
    id_ = await town.service.database.read(lambda s: s.scalar(select(Staff.id).where(Staff.email == email)))
    answer = await send(yamada, f"{entry}/care", {"owner": str(id_ or ""), "review": "", "version": version})
    assert answer.status_code == 303


async def versions(town: Town, entry: str) -> list[tuple[str, dict[str, Any]]]:
    """State and content of each, oldest first."""
    mine = select(KbVersion).where(KbVersion.entry_id == entry.rpartition("/")[2]).order_by(KbVersion.number)
    return await town.service.database.read(
        lambda session: [(one.state, dict(one.content)) for one in session.scalars(mine)]
    )


async def test_an_owner_confirms_what_is_theirs_and_reaches_nothing_else(
    town: Town, yamada: Colleague, sato: Colleague
) -> None:
    mine = await made(yamada, "desk", **CHECKED)
    theirs = await made(yamada, "desk", **{**CHECKED, "name": "ほかの課"})
    assert "いま、担当しているものはありません。" in (await sato.http.get(OWN)).text
    assert OWN not in (await sato.http.get("/staff/me")).text
    await given(town, yamada, mine, "sato@example.jp")
    await given(town, yamada, theirs, "yamada@example.jp")
    for page in (OWN, "/staff/me", "/staff/today"):
        shown = (await sato.http.get(page)).text
        assert "担当している窓口と支援" in shown, page
        assert "ほかの課" not in shown
    assert "2026年11月20日（見直す日が来ました）" in (await sato.http.get(OWN)).text

    other, before = theirs.rpartition("/")[2], await versions(town, theirs)
    for path in (f"{OWN}/{other}", f"{OWN}/town_none", f"{OWN}/%00", mine, theirs, f"{mine}/care", "/staff/kb"):
        assert (await sato.http.get(path)).status_code == 404, path
    offered = {**CHECKED, "phone": "000-0000-9999", "version": "1"}
    assert (await press(sato, f"{OWN}/{other}", **offered)).status_code == 404
    assert (await press(sato, f"{OWN}/{other}/confirm", version="1")).status_code == 404
    for path in (f"{mine}/confirm", mine, f"{mine}/retire", f"{mine}/care"):
        assert (await press(sato, path, **{**offered, "act": "publish"})).status_code == 404, path
    assert await versions(town, theirs) == before

    own = f"{OWN}/{mine.rpartition('/')[2]}"
    assert (await sato.http.post(f"{own}/confirm", data={"version": "1"})).status_code == 403, "a foreign form"
    assert (await press(sato, f"{own}/confirm", version="1")).status_code == 303
    [(_, old), (state, new)] = await versions(town, mine)
    assert (state, new) == ("published", {**old, "checked": "2026-11-24"})
    assert (await press(sato, f"{own}/confirm", version="1")).status_code == 409, "a page that is not the newest"
    assert await town.service.database.read(
        lambda session: session.scalars(
            select(AuditEntry.action).join(Staff, Staff.id == AuditEntry.staff_id).where(
                AuditEntry.detail == mine.rpartition("/")[2], Staff.email == "sato@example.jp"
            )
        ).all()
    ) == ["kb_confirmed"]  # fmt: skip
    await given(town, yamada, mine, version="1")
    assert (await sato.http.get(own)).status_code == 404, "not theirs any more"


async def test_what_an_owner_offers_waits_for_an_admin_and_nothing_is_lost(
    town: Town, yamada: Colleague, sato: Colleague
) -> None:
    entry = await made(yamada, "desk", **CHECKED)
    await given(town, yamada, entry, "sato@example.jp")
    own = f"{OWN}/{entry.rpartition('/')[2]}"
    assert "000-0000-1120" in (await sato.http.get(own)).text
    wrong = await press(sato, own, **{**CHECKED, "phone": "ないしょ", "note": "3番の窓口", "version": "1"})
    assert wrong.status_code == 422
    assert all(part in wrong.text for part in ("電話番号を確かめてください", "ないしょ", "3番の窓口"))
    same = await press(sato, own, **{**CHECKED, "version": "1"})
    assert same.status_code == 422
    assert "変わったところがありません" in same.text
    # Whatever the form says, it is never more than an offer.
    offered = {**CHECKED, "phone": "000-0000-9999", "act": "publish", "version": "1"}
    assert (await press(sato, own, **offered)).status_code == 303
    assert [state for state, _ in await versions(town, entry)] == ["published", "review"]
    await counts(town, MADO["name"])
    assert [one.content["phone"] for one in live.now().entries.values()] == ["000-0000-1120"]
    assert "確認を待っているもの" in (await yamada.http.get("/staff/kb/todo")).text
    assert (await press(sato, f"{own}/confirm", version="2")).status_code == 409
    late = await press(sato, own, **{**CHECKED, "note": "5番の窓口", "version": "1"})
    assert late.status_code == 409
    assert all(part in late.text for part in ("佐藤さんが第2版を保存しました", "5番の窓口", "000-0000-9999"))
    published = {**CHECKED, "phone": "000-0000-9999", "version": "2", "act": "publish"}
    assert (await send(yamada, entry, published)).status_code == 303
    assert (await press(sato, f"{own}/confirm", version="3")).status_code == 303

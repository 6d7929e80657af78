"""The admin's pages: people, desks, the audit trail; and what nobody may do there."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from handoff import audit
from storage.models import Case, Desk, Staff
from storage.support import AuditEntry
from tests.conftest import Town
from tests.desk import INPUT, PASSWORD, Colleague, a_case, add_staff, at_work, browser
from tests.test_access import WORDS, actions

OWN = re.compile(r'action="(/staff/settings/[\w/-]+)"[^>]*>\s*<input type="hidden" name="csrf" value="([^"]+)">'
                 r'(?:<input type="hidden" name="version" value="(\d+)">)?')  # fmt: skip


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


async def form(colleague: Colleague, action: str) -> dict[str, str]:
    """What is hidden in the form of that action."""
    where = "desks" if "/desks/" in action else "people"
    for found, csrf, version in OWN.findall((await colleague.http.get(f"/staff/settings/{where}")).text):
        if found == action:
            return {"csrf": csrf, "version": version}
    raise AssertionError(f"no form for {action}")


async def test_an_invitation_with_its_place_is_shown_once_and_can_be_taken_back(town: Town, yamada: Colleague) -> None:
    add = "/staff/settings/desks/add"
    assert (await yamada.http.post(add, data={**await form(yamada, add), "name": "介護"})).status_code == 303
    again = await yamada.http.post(add, data={**await form(yamada, add), "name": "介護"})
    assert (again.status_code, "その名前の窓口は、もうあります。" in again.text) == (422, True)
    ask = "/staff/settings/people/invite"
    [desk] = await town.service.database.read(lambda session: session.scalars(select(Desk.id)).all())
    wanted = {"role": "supervisor", "desk": str(desk), "agency": ""}
    shown = (await yamada.http.post(ask, data={**await form(yamada, ask), **wanted})).text
    [link] = re.findall(r'value="http[^"]+(/staff/invite/[^"]+)"', shown)
    assert link not in (await yamada.http.get("/staff/settings/people")).text
    async with browser(town) as http:
        hidden = dict(INPUT.findall((await http.get(link)).text))
        account = {"name": "高橋", "email": "takahashi@example.jp", "password": PASSWORD}
        assert (await http.post(link, data={**hidden, **account})).status_code == 303
    made = await town.service.database.read(
        lambda session: session.scalars(select(Staff).where(Staff.name == "高橋")).one()
    )
    assert (made.role, made.desk_id) == ("supervisor", desk)
    shown = (await yamada.http.post(ask, data={**await form(yamada, ask), **wanted})).text
    [link] = re.findall(r'value="http[^"]+(/staff/invite/[^"]+)"', shown)
    [which] = re.findall(r'name="which" value="(\w+)"', shown)
    back = "/staff/settings/people/withdraw"
    await yamada.http.post(back, data={**await form(yamada, back), "which": which})
    assert (await yamada.http.get(link)).status_code == 404
    for wrong in ({"role": "king"}, {"role": "agency"}, {"role": "counselor", "desk": "999"}):
        assert (await yamada.http.post(ask, data={**await form(yamada, ask), **wrong})).status_code == 422


async def test_who_is_no_admin_finds_none_of_it(town: Town, yamada: Colleague) -> None:
    victim = await add_staff(town, "犠牲", "victim@example.jp")
    for role in ("counselor", "supervisor"):
        async with at_work(town, role, f"{role}@example.jp", role) as other:
            csrf = dict(INPUT.findall(await other.queue()))
            for path in ("people", "desks", "notices"):
                assert (await other.http.get(f"/staff/settings/{path}")).status_code == 404
            for path in (f"people/{victim.id}/move", f"people/{victim.id}/disable", f"people/{victim.id}/reset",
                         "people/invite", "desks/add"):  # fmt: skip
                tried = {**csrf, "version": "1", "role": "admin", "name": "x"}
                assert (await other.http.post(f"/staff/settings/{path}", data=tried)).status_code == 404
            trail = await other.http.get("/staff/settings/trail")
            assert trail.status_code == (200 if role == "supervisor" else 404)
    foreign = await yamada.http.post(f"/staff/settings/people/{victim.id}/disable", data={"csrf": "x", "version": "1"})
    assert foreign.status_code == 403
    still = await town.service.database.read(lambda session: session.get_one(Staff, victim.id))
    assert (still.role, still.disabled_at) == ("counselor", None)


async def test_a_disabled_account_is_out_at_once_and_a_changed_one_sees_less(town: Town, yamada: Colleague) -> None:
    async with at_work(town, "佐藤", "sato@example.jp", "supervisor") as sato:
        staff = await town.service.database.read(
            lambda session: session.scalars(select(Staff).where(Staff.name == "佐藤")).one()
        )
        people = f"/staff/settings/people/{staff.id}"
        stale = await form(yamada, f"{people}/move")
        await yamada.http.post(f"{people}/move", data={**stale, "role": "counselor", "desk": "", "agency": ""})
        assert (await sato.http.get("/staff/settings/trail")).status_code == 404
        late = await yamada.http.post(f"{people}/disable", data=stale)
        assert (late.status_code, "ほかの人が先に変えました" in late.text) == (409, True)
        assert (await sato.http.get("/staff")).status_code == 200
        await yamada.http.post(f"{people}/disable", data=await form(yamada, f"{people}/disable"))
        assert (await sato.http.get("/staff")).status_code == 303
        assert (await sato.sign_in()).status_code == 403
        await yamada.http.post(f"{people}/enable", data=await form(yamada, f"{people}/enable"))
        assert (await sato.http.get("/staff")).status_code == 303  # what ended stays ended
        assert (await sato.sign_in()).status_code == 303
    done = [action for action, _ in await actions(town)]
    assert [action for action in done if action in ("access_changed", "disabled", "enabled")] == [
        "access_changed", "disabled", "enabled",
    ]  # fmt: skip


async def test_there_is_always_an_admin_also_when_two_take_each_others_place(town: Town, yamada: Colleague) -> None:
    async with at_work(town, "森", "mori@example.jp", "admin") as mori:
        ids = await town.service.database.read(lambda s: dict(s.execute(select(Staff.name, Staff.id)).all()))
        moves = {name: f"/staff/settings/people/{ids[name]}/move" for name in ("山田", "森")}
        lower = {"role": "counselor", "desk": "", "agency": ""}
        first, second = await form(mori, moves["山田"]), await form(yamada, moves["森"])
        answers = await asyncio.gather(
            mori.http.post(moves["山田"], data={**first, **lower}),
            yamada.http.post(moves["森"], data={**second, **lower}),
        )
        # The second comes too late in either way: as no admin any more, or as the last one that would go.
        assert sorted(answer.status_code for answer in answers) in ([303, 404], [303, 409])
        admins = await town.service.database.read(lambda s: s.scalars(select(Staff).where(Staff.role == "admin")).all())
        assert len(admins) == 1
        last = yamada if admins[0].name == "山田" else mori
        for verb in ("move", "disable"):
            action = f"/staff/settings/people/{admins[0].id}/{verb}"
            refused = await last.http.post(action, data={**await form(last, action), **lower})
            assert (refused.status_code, "管理者がだれもいなくなる" in refused.text) == (409, True)


async def test_desks_are_renamed_and_closed_and_a_stale_form_changes_nothing(town: Town, yamada: Colleague) -> None:
    add = "/staff/settings/desks/add"
    await yamada.http.post(add, data={**await form(yamada, add), "name": "<i>税</i>"})
    assert "&lt;i&gt;税" in (await yamada.http.get("/staff/settings/desks")).text
    rename, retire = "/staff/settings/desks/1/rename", "/staff/settings/desks/1/retire"
    stale = await form(yamada, rename)
    await yamada.http.post(rename, data={**stale, "name": "納税課"})
    late = await yamada.http.post(rename, data={**stale, "name": "別の名前"})
    assert late.status_code == 409
    assert 'value="別の名前"' in late.text
    await yamada.http.post(retire, data=await form(yamada, retire))
    kept = await town.service.database.read(lambda session: session.scalars(select(Desk)).one())
    assert (kept.name, kept.retired_at is not None) == ("納税課", True)
    for name in ("", "あ" * 41):
        assert (await yamada.http.post(add, data={**await form(yamada, add), "name": name})).status_code == 422


async def test_the_trail_is_read_by_person_case_and_day_and_exported_without_formulas(
    town: Town, yamada: Colleague
) -> None:
    case_id, other = await a_case(town, WORDS), await a_case(town, "ほかのこと")
    async with (
        at_work(town, "=cmd()", "evil@example.jp") as evil,
        at_work(town, "高橋", "boss@example.jp", "supervisor") as boss,
    ):
        await evil.open(case_id)
        await evil.open(other)
        await actions(town)
        page = (await yamada.http.get(f"/staff/settings/trail?case=https://town/staff/cases/{case_id}")).text
        assert page.count("相談を開きました") == 1
        assert "2026年11月24日（火） 10時0分" in page
        assert "あてはまる記録はありません" in (await yamada.http.get("/staff/settings/trail?day=2026-11-22")).text
        for query in ("case=nonsense", "day=yesterday", "day=9999-12-31", "day=0001-01-01"):
            assert 'class="wrong"' in (await yamada.http.get(f"/staff/settings/trail?{query}")).text
        of_cases = (await boss.http.get("/staff/settings/trail")).text
        assert "相談を開きました" in of_cases
        assert "サインインしました" not in of_cases
        csrf = dict(INPUT.findall(of_cases))
        told = await yamada.http.post(
            "/staff/settings/trail/export", data={**dict(INPUT.findall(page)), "person": "", "case": "", "day": ""}
        )
        rows = list(csv.reader(io.StringIO(told.content.decode("utf-8-sig"))))
        assert {row[1] for row in rows[1:]} >= {"'=cmd()", "山田"}
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
        boss_told = await boss.http.post("/staff/settings/trail/export", data=csrf)
        assert "サインイン" not in boss_told.text
        assert ("exported", None) in await actions(town)
        assert WORDS not in told.text


async def test_the_trail_cannot_be_changed_and_a_change_past_the_database_is_found(
    town: Town, yamada: Colleague
) -> None:
    await yamada.open(await a_case(town, WORDS))
    await actions(town)
    for statement in ("UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(DBAPIError):
            await town.service.database.write(lambda session: session.execute(text(statement)))  # noqa: B023
    csrf = dict(INPUT.findall((await yamada.http.get("/staff/settings/trail")).text))
    whole = (await yamada.http.post("/staff/settings/trail/check", data=csrf)).text
    assert "記録はすべてそろっています" in whole

    def forge(session: Session) -> int:
        if town.service.database.sqlite:
            session.execute(text("DROP TRIGGER audit_entries_update"))
        else:
            session.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        first = session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)).first()
        assert first
        session.execute(update(AuditEntry).where(AuditEntry.id == first).values(staff_id=999))
        return first

    forged = await town.service.database.write(forge)
    assert await town.service.database.read(audit.first_broken) == forged
    assert f"{forged}番の記録" in (await yamada.http.post("/staff/settings/trail/check", data=csrf)).text
    assert (await town.cases())[0].claimed_by is None
    assert await town.service.database.read(lambda session: session.scalars(select(Case.id)).first())


async def test_ids_in_the_trail_are_read_as_words_and_wrong_addresses_are_pages(town: Town, yamada: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    for path in (f"/staff/cases/{case_id}/forms/plan/xlsx", "/staff/reports/gaps?period=2026-11"):
        assert (await yamada.http.get(path)).status_code == 200
    page = (await yamada.http.get("/staff/settings/trail")).text
    assert "支援プラン・評価 Excel" in page
    assert "集計 制度の狭間 期間 2026-11" in page
    assert "report_seen" not in page
    for path, status in (("/staff/nowhere", 404), ("/staff/meetings/x", 404), ("/staff/settings/desks/add", 405)):
        answer = await yamada.http.get(path)
        assert (answer.status_code, "お探しのページは見つかりません。" in answer.text) == (status, True)
        assert "Content-Security-Policy" in answer.headers

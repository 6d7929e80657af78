"""One voice at a time: claims that lapse, transfers, drafts, canned replies, and answers that do not arrive."""

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handoff import access, desk
from handoff.case import HeldByAnother, status
from storage.database import Database
from storage.models import Case, CaseEvent, Conversation, Delivery, Desk, Staff
from storage.support import CannedReply, CaseNote, Draft
from tests.conftest import Town
from tests.desk import INPUT, Colleague, a_case, at_work, browser
from tests.test_agencies import an_agency, somebody_of
from tests.test_console import sentence, told
from uketome.app import SWEEP

WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
AT = re.compile(r'id="case-(\w+)"')
ASLEEP = "しばらく画面が動いていなかったため、担当を外れました。"


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


@pytest.fixture
async def suzuki(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        yield suzuki


async def the_case(town: Town, case_id: str) -> Case:
    return next(case for case in await town.cases() if case.id == case_id)


async def swept(town: Town, case_id: str, stands: str) -> Case:
    """Waits until the sweep has brought the case there."""
    town.service.bells.ring(SWEEP)

    async def there() -> bool:
        town.service.bells.ring(SWEEP)
        return status(await the_case(town, case_id)) == stands

    await town.until(there)
    return await the_case(town, case_id)


async def draft(colleague: Colleague, case_id: str, text: str, **more: str) -> int:
    form = dict(INPUT.findall(await colleague.queue()))
    sent = await colleague.http.post(f"/staff/cases/{case_id}/draft", data={**form, "text": text, **more})
    return sent.status_code


async def events(town: Town) -> list[str]:
    return await town.service.database.read(lambda s: list(s.scalars(select(CaseEvent.kind).order_by(CaseEvent.id))))


async def id_of(town: Town, name: str) -> int:
    return await town.service.database.read(
        lambda session: session.scalars(select(Staff.id).where(Staff.name == name)).one()
    )


# The claim is a lease


async def test_who_was_not_answered_waits_again_at_their_old_place(town: Town, sato: Colleague) -> None:
    first = await a_case(town, "先に来た人", minutes=60)
    second = await a_case(town, "あとに来た人", minutes=50)
    await sato.do(first, "claim")
    town.clock.forward(minutes=16)
    case = await swept(town, first, "waiting")
    assert case.responsible_id == await id_of(town, "佐藤")
    assert AT.findall(await sato.queue("?status=waiting")) == [first, second]
    assert "もとの順番で列に戻りました" in await sato.open(first)
    assert "しばらく画面が閉じていたため、担当を外れています。" in await sato.open(first)


async def test_who_was_answered_stays_with_their_counselor_and_comes_back_by_writing(
    town: Town, sato: Colleague
) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await town.quiet()
    [case] = await town.cases()
    await sato.do(case.id, "claim")
    town.clock.forward(minutes=1)
    await sato.do(case.id, "answer", text="読みました")
    town.clock.forward(minutes=16)
    case = await swept(town, case.id, "following")
    assert case.id in AT.findall(await sato.queue("?whose=mine"))
    await hanako.write("大家さんから電話が来ました")
    await town.quiet()
    case = await the_case(town, case.id)
    assert (status(case), case.waiting_since) == ("waiting", town.clock.now())
    assert "あなたを待っています" in await sato.queue()
    assert [kind for kind in await events(town) if kind in ("lapsed_following", "written_again")] == [
        "lapsed_following", "written_again",
    ]  # fmt: skip


async def test_an_answer_that_failed_on_its_way_is_none(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS, channel="line")
    await sato.do(case_id, "claim")
    await sato.do(case_id, "answer", text="読みました")
    now = town.clock.now()
    failed = update(Delivery).values(failed_at=now, done_at=now, error="LINEの送信数を使い切りました。")
    await town.service.database.write(lambda session: session.execute(failed))
    assert "あなたの担当のうち1件で" in await sato.queue()
    town.clock.forward(minutes=16)
    await swept(town, case_id, "waiting")
    assert "あなたの担当のうち1件で" in await sato.queue()


async def test_an_open_page_and_whatever_is_done_keep_the_claim(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    for sign in ("open", "live", "draft"):
        before = (await the_case(town, case_id)).claim_until
        town.clock.forward(minutes=10)
        if sign == "open":
            await sato.open(case_id)
        elif sign == "live":
            async with sato.http.stream("GET", f"/staff/cases/{case_id}/live?seen=") as answer:
                await anext(answer.aiter_lines())
        else:
            await draft(sato, case_id, "家賃のこと")
        after = (await the_case(town, case_id)).claim_until
        assert before
        assert after
        assert after > before, sign
    assert status(await the_case(town, case_id)) == "claimed"


async def test_a_colleagues_look_renews_nobodys_claim_and_a_staff_systems_never_lapses(
    town: Town, sato: Colleague, suzuki: Colleague
) -> None:
    case_id, systems = await a_case(town, WORDS), await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    now = town.clock.now()

    def by_system(session: Session) -> None:
        token = access.add_token(session, "県の相談システム", ["cases:write"], now)
        session.flush()
        found = access.staff_of_token(session, token)
        assert found
        desk.take(session, session.get_one(Case, systems), found[0], now)

    await town.service.database.write(by_system)
    town.clock.forward(minutes=14, seconds=50)
    await suzuki.open(case_id)
    town.clock.forward(seconds=20)
    await swept(town, case_id, "waiting")
    town.clock.forward(days=400)
    kept = await the_case(town, systems)
    assert (status(kept), kept.claim_until) == ("claimed", None)


async def test_a_browser_that_slept_is_refused_and_nothing_typed_is_lost(
    town: Town, sato: Colleague, suzuki: Colleague
) -> None:
    case_id = await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    town.clock.forward(hours=1)
    await swept(town, case_id, "waiting")
    await sato.sign_in()
    await suzuki.sign_in()
    late = await sato.do(case_id, "answer", text="ゆっくり書いた返事", answers="1")
    assert (late.status_code, sentence(late)[: len(ASLEEP)]) == (409, ASLEEP)
    assert "ゆっくり書いた返事" in late.text
    await suzuki.do(case_id, "claim")
    late = await sato.do(case_id, "answer", text="ゆっくり書いた返事、つづき", answers="1")
    assert (late.status_code, sentence(late)) == (409, "この相談は鈴木さんが担当しています。")
    page = await sato.open(case_id)
    assert "ゆっくり書いた返事、つづき" in page
    assert "書きかけのお返事（まだ送っていません）" in page
    assert "ゆっくり書いた" not in await suzuki.open(case_id)
    assert not any("ゆっくり書いた" in text for text in await told(town))


async def test_of_many_who_claim_at_once_in_several_processes_one_has_the_case(town: Town, database_url: str) -> None:
    now = town.clock.now()
    made = [await a_case(town, f"{i}番目") for i in range(4)]
    people = [
        await town.service.database.write(
            lambda session: access.add_staff_with(session, f"s{i}@example.jp", "counselor", "!", now, f"相談員{i}")  # noqa: B023
        )
        for i in range(4)
    ]
    url = str(town.service.settings.database)
    won: list[tuple[str, int]] = []
    start = threading.Barrier(len(people))

    def claims(staff: Staff) -> None:
        process = Database(url)
        try:
            for case_id in made:
                start.wait()

                def take(session: Session) -> None:
                    desk.take(session, access.case_of(session, staff, case_id, to_change=True), staff, now)  # noqa: B023

                try:
                    process.write_now(take)
                    won.append((case_id, staff.id))
                except HeldByAnother as held:
                    assert "さんが担当しています" in str(held)  # noqa: PT017 - one of many in its thread
        finally:
            process.close()

    await asyncio.gather(*(asyncio.to_thread(claims, staff) for staff in people))
    assert sorted(case_id for case_id, _ in won) == sorted(made)
    assert {case.id: case.claimed_by for case in await town.cases()} == dict(won)
    assert len(await told(town)) == len(made)


# Passing on


async def test_a_case_is_passed_to_a_person_with_a_note_that_the_resident_never_sees(
    town: Town, sato: Colleague, suzuki: Colleague
) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await town.quiet()
    await hanako.new_messages(wait=0)
    [case] = await town.cases()
    await sato.do(case.id, "claim")
    note = "あ" * 5_000
    passed = await sato.do(case.id, "transfer", to=f"staff-{await id_of(town, '鈴木')}", note=note)
    assert passed.status_code == 200
    assert "あなたを待っています" in await suzuki.queue()
    assert note in await suzuki.open(case.id)
    await suzuki.do(case.id, "claim")
    assert note in await suzuki.open(case.id)
    await hanako.answers()
    texts = [message.text for message in await town.messages()]
    assert "ここからは相談員の鈴木がお話をうかがいます。" in texts
    assert note not in texts
    assert (await the_case(town, case.id)).responsible_id == await id_of(town, "鈴木")


async def test_a_case_is_passed_to_a_desk_and_keeps_its_place(town: Town, sato: Colleague) -> None:
    now = town.clock.now()
    made = Desk(name="こども家庭課", created_at=now)
    await town.service.database.write(lambda session: session.add(made))
    first, second = await a_case(town, "先の人", minutes=9), await a_case(town, "あとの人", minutes=3)
    await sato.do(first, "claim")
    passed = await sato.do(first, "transfer", to=f"desk-{made.id}", note="")
    assert passed.headers["HX-Redirect"] == "/staff", "another desk's case is not theirs to look at any more"
    case = await the_case(town, first)
    assert (case.desk_id, case.responsible_id, status(case)) == (made.id, None, "waiting")
    assert AT.findall(await sato.queue("?status=waiting")) == [second]
    async with at_work(town, "高橋", "takahashi@example.jp", "supervisor") as takahashi:
        assert AT.findall(await takahashi.queue("?status=waiting")) == [first, second]
        assert "こども家庭課" in await takahashi.open(first)


async def test_a_transfer_that_cannot_be_is_a_sentence(town: Town, sato: Colleague, suzuki: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    refused = await sato.do(case_id, "transfer", to=f"staff-{await id_of(town, '鈴木')}")
    assert (refused.status_code, sentence(refused)) == (409, "先に「担当する」を押してください。")
    await sato.do(case_id, "claim")
    me = f"staff-{await id_of(town, '佐藤')}"
    async with somebody_of(town, await an_agency(town, "みどり中学校"), "tanaka@example.jp"):
        outside = f"staff-{await id_of(town, '田中')}"
    assert outside not in await sato.open(case_id)
    for to in (
        outside,
        "",
        "staff-",
        "staff-0",
        "staff-999",
        "desk-1",
        "agency-1",
        "staff-" + "9" * 30,
        "staff-１",
        me,
    ):
        assert (await sato.do(case_id, "transfer", to=to)).status_code == 422, to
    long = await sato.do(case_id, "transfer", to=f"staff-{await id_of(town, '鈴木')}", note="あ" * 5_001)
    assert (long.status_code, "5,000文字まで" in sentence(long)) == (422, True)
    assert (await the_case(town, case_id)).claimed_by == await id_of(town, "佐藤")
    assert await town.service.database.read(lambda s: s.scalars(select(CaseNote)).all()) == []


# Drafts


async def test_a_draft_is_there_again_in_another_browser_and_gone_once_sent(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    assert await draft(sato, case_id, "家賃の<b>こと", answers="1") == 204
    async with at_another_browser(town, sato) as elsewhere:
        assert "家賃の&lt;b&gt;こと</textarea>" in await elsewhere.open(case_id)
        await elsewhere.do(case_id, "answer", text="家賃のこと、聞かせてください", answers="1")
    stale = await sato.do(case_id, "answer", text="家賃のこと、です", answers="1")
    assert (stale.status_code, "別の画面から" in sentence(stale)) == (409, True)
    assert "家賃のこと、です" in await sato.open(case_id)
    # What was still on its way while the answer left is not a draft again.
    await sato.do(case_id, "answer", text="家賃のこと、です", answers="2")
    assert await draft(sato, case_id, "家賃のこと、です", answers="2") == 204
    assert await town.service.database.read(lambda s: s.scalars(select(Draft)).all()) == []
    assert len(await told(town)) == 3


async def test_colleagues_see_that_somebody_writes_but_not_what(town: Town, sato: Colleague, suzuki: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    await draft(sato, case_id, "ひみつの下書き")
    seen = await suzuki.open(case_id)
    assert "佐藤さんが、お返事を書いています。" in seen
    assert "ひみつ" not in seen
    assert "お返事を書いています" not in await sato.open(case_id)
    town.clock.forward(seconds=11)
    assert "お返事を書いています" not in await suzuki.open(case_id)
    assert await draft(sato, case_id, "あ" * 10_001) == 413
    assert await draft(sato, "0" * 32, "だれ") == 404
    assert (await sato.http.post(f"/staff/cases/{case_id}/draft", data={"text": "鍵なし"})).status_code == 403


@contextlib.asynccontextmanager
async def at_another_browser(town: Town, colleague: Colleague) -> AsyncIterator[Colleague]:
    """The same person somewhere else."""
    async with browser(town) as http:
        there = Colleague(http, colleague.email)
        await there.sign_in()
        yield there


# Canned replies


async def test_canned_replies_are_filled_in_for_whoever_writes(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    assert "定型文から書く" not in await sato.open(case_id)
    await sato.do(case_id, "claim")
    page = await sato.open(case_id)
    assert "うけとめ市の相談窓口の佐藤です。" in page
    assert "11月25日（水）までに、佐藤からお返事します。" in page
    assert not re.search(r"\{(相談員|窓口|町|きょう|あす)\}", page)


async def test_a_supervisor_changes_them_and_two_at_once_do_not_overwrite_each_other(
    town: Town, sato: Colleague
) -> None:
    address = "/staff/settings/replies"
    assert (await sato.http.get(address)).status_code == 403
    async with (
        at_work(town, "高橋", "takahashi@example.jp", "supervisor") as takahashi,
        at_work(town, "管理", "kanri@example.jp", "admin") as kanri,
    ):
        [reply, *others] = await replies(town)
        assert len(others) >= 11
        mine, theirs = [dict(INPUT.findall(await one.queue())) for one in (takahashi, kanri)]
        new = {"title": "ごあいさつ", "text": "{相談員}です。<b>", "version": "1"}
        saved = await takahashi.http.post(f"{address}/{reply.id}", data={**mine, **new})
        assert saved.status_code == 303
        stale = await kanri.http.post(f"{address}/{reply.id}", data={**theirs, **new, "text": "わたしの文"})
        assert stale.status_code == 409
        for words in ("高橋さんが直しています", "わたしの文", "{相談員}です。&lt;b&gt;"):
            assert words in stale.text
        for wrong in (
            {"text": "{だれ}です"},
            {"text": ""},
            {"title": "あ" * 41},
            {"desk": "99"},
            {"text": "あ" * 2_001},
        ):
            refused = await kanri.http.post(address, data={**theirs, "title": "題", "text": "文", **wrong})
            assert refused.status_code == 422, wrong
            assert "まだ保存していません。" in refused.text
        assert (await kanri.http.post(address, data={**theirs, "title": "題", "text": "文"})).status_code == 303
        gone = await kanri.http.post(f"{address}/{reply.id}/retire", data={**theirs, "version": "2"})
        assert gone.status_code == 303
        assert "ごあいさつ</h2>" not in (await kanri.http.get(address)).text
        assert (await kanri.http.post(f"{address}/{reply.id}", data={**theirs, **new})).status_code == 404
        assert (
            await sato.http.post(address, data={**dict(INPUT.findall(await sato.queue())), **new})
        ).status_code == 403


async def replies(town: Town) -> list[CannedReply]:
    return await town.service.database.read(lambda s: list(s.scalars(select(CannedReply).order_by(CannedReply.id))))


# What does not arrive


async def test_whoever_is_responsible_is_told_that_a_resident_has_blocked_us(
    town: Town, sato: Colleague, suzuki: Colleague
) -> None:
    case_id = await a_case(town, WORDS, channel="line")
    await sato.do(case_id, "claim")
    now = town.clock.now()
    await town.service.database.write(lambda session: session.execute(update(Conversation).values(blocked_at=now)))
    assert "あなたの担当のうち1件で" in await sato.queue()
    assert "あなたの担当のうち" not in await suzuki.queue()

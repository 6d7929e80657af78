"""Freshness: who looks after an entry, one click to confirm it, what there is to do, and the weekly summary."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.understanding import Understander
from handoff.kb_unfound import nouns, shared
from handoff.kb_weekly import Weekly
from knowledge_base import live
from storage.kb_care import KbLetter
from storage.knowledge import KbVersion
from storage.models import Case
from storage.settings import Settings
from storage.support import AuditEntry
from tests.conftest import Town, running
from tests.desk import Colleague, a_case, add_staff, at_work
from tests.stand_ins.clock import SetClock
from tests.stand_ins.hooks import StandInHooks
from tests.stand_ins.mail import StandInMail
from tests.test_kb import GAKKI, MADO, counts, made, send

TODO = "/staff/kb/todo"
CHECKED = {**MADO, "web": "https://www.example.jp/", "checked": "2026-11-20"}


@pytest.fixture
async def yamada(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "山田", "yamada@example.jp", "admin") as yamada:
        yield yamada


async def versions(town: Town) -> list[KbVersion]:
    return await town.service.database.read(
        lambda session: list(session.scalars(select(KbVersion).order_by(KbVersion.id)))
    )


async def seen(colleague: Colleague, path: str = TODO) -> str:
    shown = await colleague.http.get(path)
    assert shown.status_code == 200, shown.text
    return shown.text


def part(page: str, id_: str) -> str:
    """One section of a page."""
    return page.partition(f'id="{id_}-title"')[2].partition("</section>")[0]


async def test_owner_and_day_make_no_version_and_two_who_set_them_lose_nothing(town: Town, yamada: Colleague) -> None:
    sato = await add_staff(town, "佐藤", "sato@example.jp")
    entry = await made(yamada, "desk", **CHECKED)
    assert "2027年11月20日" in await seen(yamada, entry), "a year after it was confirmed"
    chosen = {"owner": str(sato.id), "review": "2026-12-01", "version": "0"}
    assert (await send(yamada, f"{entry}/care", chosen)).status_code == 303
    page = await seen(yamada, entry)
    assert "<dd>佐藤</dd>" in page
    assert "<dd>2026年12月1日</dd>" in page
    assert len(await versions(town)) == 1
    late = await send(yamada, f"{entry}/care", {"owner": "", "review": "2027-01-15", "version": "0"})
    assert late.status_code == 409
    assert 'value="2027-01-15"' in late.text
    for wrong in ({"review": "2026-11-24"}, {"review": "いつか"}, {"review": "2036-01-01"}, {"owner": "999"}):
        answer = await send(yamada, f"{entry}/care", {**chosen, "version": "1", **wrong})
        assert answer.status_code == 422, wrong
        assert 'aria-invalid="true"' in answer.text
    assert "<dd>2026年12月1日</dd>" in await seen(yamada, entry)
    trail = await town.service.database.read(
        lambda session: list(session.scalars(select(AuditEntry.action).where(AuditEntry.action == "kb_care")))
    )
    assert len(trail) == 1
    town.clock.forward(days=8)
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        assert "教育総務課" in part(await seen(suzuki), "overdue"), "the chosen day has come"
        assert "教育総務課" in await seen(suzuki, "/staff/kb?due=1")
        assert "教育総務課" not in await seen(suzuki, "/staff/kb?owner=me")
        assert "教育総務課" not in await seen(suzuki, "/staff/kb?owner=none")


async def test_one_click_confirms_what_is_published_and_leaves_a_draft_a_draft(town: Town, yamada: Colleague) -> None:
    entry = await made(yamada, "desk", **CHECKED)
    town.clock.forward(days=400)
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        assert "教育総務課" in part(await seen(suzuki), "overdue")
        done = await send(suzuki, f"{entry}/confirm", {"version": "1", "back": "todo"})
        assert done.headers["location"] == f"{TODO}?done=confirmed"
        assert "教育総務課" not in part(await seen(suzuki), "overdue")
        before, after = await versions(town)
        assert (after.state, after.content) == ("published", {**before.content, "checked": "2027-12-29"})

        async def counts_again() -> bool:
            return [one.number for one in live.now().entries.values()] == [2]

        await town.until(counts_again, 5)
        assert (await send(suzuki, f"{entry}/confirm", {"version": "1"})).status_code == 409
        assert (await send(suzuki, entry, {**CHECKED, "version": "2", "act": "save"})).status_code == 303
        assert (await send(suzuki, f"{entry}/confirm", {"version": "3"})).status_code == 303
        assert (await versions(town))[-1].state == "draft"
        assert [one.number for one in live.now().entries.values()] == [2]
        plan = {"publish-day": "2028-01-05", "publish-time": "09:00", "version": "4", "act": "publish"}
        assert (await send(suzuki, entry, {**CHECKED, **plan})).status_code == 303
        assert "先に予定を取りやめてください" in (await send(suzuki, f"{entry}/confirm", {"version": "5"})).text
        await send(suzuki, f"{entry}/retire", {"version": "5"})
        assert (await send(suzuki, f"{entry}/confirm", {"version": "6"})).status_code == 404
        assert len(await versions(town)) == 6


async def test_what_is_to_do_is_found_by_looking(town: Town, yamada: Colleague) -> None:
    await made(yamada, "desk", **{**CHECKED, "name": "電話のない課", "phone": ""})
    await made(yamada, "desk", "review", **{**MADO, "name": "確認に出した課"})
    await made(yamada, "desk", **{**CHECKED, "name": "去年の課", "checked": "2025-12-01"})
    entry = await made(yamada, "service", **GAKKI)
    await counts(town, "電話のない課", "去年の課", GAKKI["name"])
    page = await seen(yamada)
    assert "電話がありません" in part(page, "incomplete")
    assert "確認に出した課" in part(page, "review")
    assert part(page, "unchecked").index("一度も確かめていません") < part(page, "unchecked").index("2025年12月1日から")
    assert "4件" in part(page, "ownerless")
    assert "/staff/kb/services?unchecked=1" in page
    assert part(page, "unfound") == part(page, "overdue") == ""
    town.clock.forward(days=91)
    async with at_work(town, "鈴木", "suzuki@example.jp", "admin") as suzuki:
        page = await seen(suzuki)
        assert "去年の課" in part(page, "overdue")
        assert all(name in part(page, "unfound") for name in (GAKKI["name"], "電話のない課"))
        assert "確認に出した課" not in part(page, "unfound")
        await a_case(town, "楽器", found={"services": [{"id": entry.rpartition("/")[2], "score": 1, "quote": "楽器"}]})
        assert GAKKI["name"] not in part(await seen(suzuki), "unfound")
        # Counted as corrected: what a counselor added was found by somebody, what one called wrong was not.
        await town.service.database.write(_call_wrong)
        assert GAKKI["name"] in part(await seen(suzuki), "unfound")
    async with at_work(town, "佐藤", "sato@example.jp", "supervisor") as sato:
        for path in (TODO, f"{entry}/care"):
            assert (await sato.http.get(path)).status_code == 404


def _call_wrong(session: Session) -> None:
    case = session.scalars(select(Case)).one()
    [service] = case.assessment["services"]
    case.corrected = {"services": {service["id"]: {"state": "wrong", "quotes": [], "version": 1}}}


async def test_words_are_shown_only_when_three_residents_share_them(town: Town, yamada: Colleague) -> None:
    await a_case(town, "山田花子です。楽器を置く倉庫の鍵をなくしました。ひかり荘に住んでいます", "倉庫です", "倉庫")
    await a_case(town, "鈴木太郎といいます。倉庫の鍵が090-1234-5678")
    page = part(await seen(yamada), "words")
    assert "2件" in page
    assert "倉庫" not in page, "two residents, one of them three times"
    await a_case(town, "倉庫の鍵のこと。ひかり荘の山田花子さんに聞きました")
    await a_case(town, "倉庫で死にたい", level="immediate")
    told = {"fields": [{"id": "housing", "confidence": 1.0, "quotes": ["倉庫"], "example": ""}]}
    await a_case(town, "倉庫の楽器の家賃", found=told)
    page = part(await seen(yamada), "words")
    assert "3件" in page
    assert 'name="text" value="倉庫"' in page
    assert "3人" in page
    for hidden in ("山田", "花子", "鈴木", "ひかり", "楽器", "090", "5678", "なくし", "聞きました", "死"):
        assert hidden not in page, hidden
    tried = await send(yamada, "/staff/kb/try", {"text": "倉庫"})
    assert tried.status_code == 200


def test_no_name_is_a_noun_and_no_resident_counts_twice() -> None:
    assert nouns("田中さんと鈴木一郎が、うけとめ市桜町の市民病院で、倉庫の管理をしています") <= {"病院", "倉庫", "管理"}
    assert nouns("港町の緑団地から、ひまわり幼稚園の隣の倉庫まで。ことばのことです") == {"幼稚園", "倉庫"}
    assert shared([("a", "倉庫"), ("a", "倉庫"), ("b", "倉庫"), ("c", "管理")]) == []


@pytest.fixture
async def told(
    database_url: str, tmp_path: Path, hooks: StandInHooks, mail: StandInMail, reader: Understander
) -> AsyncIterator[Town]:
    """A town whose notices leave the house. Its clock begins on a Sunday evening."""
    settings = Settings(
        database_url=database_url, var_dir=tmp_path / "var", rasa_url="http://127.0.0.1:9",
        public_url="http://town.example", notice_chat_url=f"{hooks.url}/chat", smtp_url=mail.url,
        notice_mail_to="tantou@example.jp",
    )  # fmt: skip
    async with running(settings, reader, SetClock(datetime(2026, 11, 22, 10, 0, tzinfo=UTC))) as town:
        await town.service.weekly.round()
        yield town


def mails(mail: StandInMail) -> dict[str, str]:
    """What each reader was told, and forgets it."""
    read = [message_from_bytes(one.encode(), policy=policy.default) for one in mail.mails]
    mail.mails.clear()
    return {str(one["To"]): one.get_content() for one in read}


async def monday(town: Town, mail: StandInMail, days: float = 7) -> dict[str, str]:
    """Time passes; three processes look at once, one of them twice."""
    town.clock.forward(days=days)
    service = town.service
    other, third = (Weekly(service.settings, service.database, service.bells, town.clock) for _ in range(2))
    await asyncio.gather(service.weekly.round(), other.round(), third.round())
    await service.weekly.round()
    return mails(mail)


async def test_on_mondays_each_owner_hears_of_their_own_and_admins_of_everything_once(
    told: Town, hooks: StandInHooks, mail: StandInMail
) -> None:
    sato = await add_staff(told, "佐藤", "sato@example.jp")
    await add_staff(told, "鈴木", "suzuki@example.jp")
    async with at_work(told, "山田", "yamada@example.jp", "admin") as yamada:
        mine = await made(yamada, "desk", **{**CHECKED, "checked": "2025-11-20"})
        await made(yamada, "desk", **{**CHECKED, "name": "ほかの課", "checked": "2025-11-20"})
        await send(yamada, f"{mine}/care", {"owner": str(sato.id), "review": "", "version": "0"})
        await a_case(told, "ひみつの言葉です")
        assert await monday(told, mail, days=0.4) == {}, "a Monday, but not yet the morning"
        letters = await monday(told, mail, days=0.2)
        assert set(letters) == {"yamada@example.jp", "sato@example.jp"}
        assert "見直す日が来たもの：2件" in letters["yamada@example.jp"]
        assert "http://town.example/staff/kb/todo" in letters["yamada@example.jp"]
        assert "教育総務課（見直す日：2026年11月20日）" in letters["sato@example.jp"]
        assert "ほかの課" not in letters["sato@example.jp"]
        assert "http://town.example/staff/kb/own" in letters["sato@example.jp"]
        assert "/staff/kb/todo" not in letters["sato@example.jp"], "a page that is not theirs"
        weekly = [one for one in hooks.posted if "知識ベース" in one.body.encode().decode("unicode_escape")]
        assert len(weekly) == 1
        for one in (*letters.values(), *(one.body.encode().decode("unicode_escape") for one in weekly)):
            assert "ひみつ" not in one
        assert await monday(told, mail, days=6) == {}
        assert set(await monday(told, mail, days=22)) == set(letters), "three weeks of standing still are one letter"
        await yamada.sign_in()
        assert "週のまとめを止めました" in (await send(yamada, "/staff/settings/notices/weekly", {"act": "off"})).text
        assert await monday(told, mail) == {}


async def test_a_week_with_nothing_to_do_is_silent_and_a_lost_letter_is_sent_again(
    told: Town, mail: StandInMail
) -> None:
    await add_staff(told, "山田", "yamada@example.jp", "admin")
    assert await monday(told, mail) == {}
    town_dials = timedelta(days=182)
    mail.refuse = "450 later"
    assert await monday(told, mail, days=town_dials.days) == {}, "the helplines are to be dialled again"
    mail.refuse = ""
    told.clock.forward(minutes=2)
    await told.service.weekly.round()
    assert "電話相談の番号" in mails(mail)["yamada@example.jp"]
    left = await told.service.database.read(
        lambda session: session.scalar(select(func.count()).where(KbLetter.done_at.is_(None)))
    )
    assert left == 0

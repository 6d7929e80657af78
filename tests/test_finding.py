"""What the queue is filtered by and searched for: fields, areas, words, names; and that what is taken back is gone."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from connectors.base import Inbound
from handoff import finding, queue
from storage.models import Case, Message
from storage.support import Area, CaseMark, CaseWords, Client
from tests.conftest import Town
from tests.desk import INPUT, Colleague, a_case, at_work

HANAKO = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
AT = re.compile(r'id="case-(\w+)"')


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


def told(field: str, area: str = "") -> dict[str, object]:
    """An assessment with one field, and an area in the resident's words."""
    return {"fields": [{"id": field, "confidence": 0.9, "quotes": []}], "topics": {"area": area} if area else {}}


async def find(colleague: Colleague, asked: str) -> list[str]:
    """The cases that a search shows, in order."""
    form = dict(INPUT.findall(await colleague.queue()))
    shown = await colleague.http.post("/staff/search", data={**form, "asked": asked})
    assert shown.status_code == 200, shown.text
    assert asked not in str(shown.url)
    return AT.findall(shown.text)


async def write_name(town: Town, case_id: str, name: str, kana: str = "", address: str = "") -> None:
    """Staff write down whom a case is about."""
    now = town.clock.now()

    def write(session: Session) -> None:
        client = session.get(Client, case_id)
        if client is None:
            session.add(Client(case_id=case_id, name=name, kana=kana, address=address, changed_at=now, version=1))
        else:
            client.name, client.kana, client.address = name, kana, address

    await town.service.database.write(write)


async def test_the_queue_is_filtered_by_field_and_area_and_person(town: Town, sato: Colleague) -> None:
    child = await a_case(town, "娘のこと", minutes=9, found=told("child", "桜町に住んでいます"))
    work = await a_case(town, "仕事のこと", minutes=8, found=told("work", "桜町二丁目です"))
    both = await a_case(town, "親子のこと", minutes=7, found=told("child", "わたしは桜町の団地に"))
    names = await town.service.database.read(lambda session: {area.name: area.id for area in queue.areas(session)})
    assert set(names) == {"桜町", "桜町二丁目"}
    assert AT.findall(await sato.queue("?field=child")) == [child, both]
    assert AT.findall(await sato.queue(f"?area={names['桜町']}&status=waiting")) == [child, both]
    assert AT.findall(await sato.queue(f"?area={names['桜町二丁目']}&field=child")) == []
    await sato.do(work, "claim")
    assert AT.findall(await sato.queue("?whose=mine")) == [work]
    for nonsense in ("?field=nonsense", "?area=x", "?area=99999999999999999999", "?whose=you", "?field=child%00"):
        assert set(AT.findall(await sato.queue(nonsense))) == {child, work, both}


async def test_marks_follow_the_case_and_the_address_says_more_than_the_talk(town: Town) -> None:
    case_id = await a_case(town, "こまっています", found=told("child", "桜町です"))

    async def marks() -> set[str]:
        def read(session: Session) -> set[str]:
            areas = {f"area:{area.id}": area.name for area in session.scalars(select(Area))}
            return {areas.get(mark, mark) for mark in session.scalars(select(CaseMark.mark))}

        return await town.service.database.read(read)

    assert await marks() == {"field:child", "桜町"}
    await write_name(town, case_id, "山田 花子", address="うけとめ市西町1-2")
    assert await marks() == {"field:child", "西町"}

    def corrected(session: Session) -> None:
        session.get_one(Case, case_id).assessment = told("work", "桜町です")

    await town.service.database.write(corrected)
    assert await marks() == {"field:work", "西町"}


async def test_words_and_names_are_found_however_they_are_typed(town: Town, sato: Colleague) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.write(HANAKO)
    await town.quiet()
    [case] = await town.cases()
    other = await a_case(town, "ほかの人")
    await write_name(town, case.id, "山田 花子", "やまだ はなこ")
    for asked in ("滞納", "中学生の娘", "家賃　学校", "山田", "山田花子", "ヤマダ", "ﾊﾅｺ", "はなこ 滞納", "滞納。"):
        assert await find(sato, asked) == [case.id], asked
    for asked in (
        "納滞",
        "山田 太郎",
        "滞納 ほか",
        '滞納" OR "ほか',
        "%%",
        "_______",
        "'; DROP TABLE cases --",
        "NEAR(",
    ):
        shown = await sato.http.post("/staff/search", data={**dict(INPUT.findall(await sato.queue())), "asked": asked})
        assert AT.findall(shown.text) == [], asked
    await write_name(town, case.id, "田中 太郎")
    assert await find(sato, "山田") == []
    assert await find(sato, "田中") == [case.id]
    assert other not in await find(sato, "滞納")


async def test_a_search_for_too_little_says_so(town: Town, sato: Colleague) -> None:
    form = dict(INPUT.findall(await sato.queue()))
    answer = await sato.http.post("/staff/search", data={**form, "asked": "妻"})
    assert (answer.status_code, "2文字以上" in answer.text) == (422, True)
    assert (await sato.http.post("/staff/search", data={"asked": "滞納"})).status_code == 403


async def test_words_that_a_resident_takes_back_are_found_no_more(town: Town, sato: Colleague) -> None:
    said = {"channel": "line", "address": "U1", "written_at": town.clock.now()}
    words = Inbound(event_id="e1", kind="text", text=HANAKO, message_id="m1", **said)  # type: ignore[arg-type]
    await town.service.inbox.accept([words])
    await town.until(lambda: handled(town))
    assert len(await find(sato, "滞納")) == 1
    assert "滞納" in await sato.queue()
    back = Inbound(event_id="e2", kind="unsend", text="", message_id="m1", **said)  # type: ignore[arg-type]
    await town.service.inbox.accept([back])
    assert await find(sato, "滞納") == []
    assert "滞納" not in await sato.queue()
    left = await town.service.database.read(lambda session: session.scalar(select(func.count(CaseWords.id))))
    assert left == 0


async def handled(town: Town) -> bool:
    left = select(func.count()).select_from(Message).where(Message.handled_at.is_(None))
    return await town.service.database.read(lambda session: session.scalar(left)) == 0


async def test_what_came_before_there_was_an_index_is_taken_in(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, HANAKO, found=told("child"))
    assert await find(sato, "滞納") == []
    await town.service.database.write(lambda session: session.execute(delete(CaseMark)))
    assert await town.service.database.write(lambda session: finding.catch_up(session, 0))
    assert await town.service.database.write(lambda session: finding.catch_up(session, 0)) is None
    assert await find(sato, "滞納") == [case_id]
    assert AT.findall(await sato.queue("?field=child")) == [case_id]


@pytest.mark.parametrize("few", [0, finding.FEW])
async def test_the_newest_are_found_however_many_hold_the_words(
    town: Town, sato: Colleague, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    made = [await a_case(town, f"{month}月から家賃を滞納しています") for month in (8, 9, 10)]
    await a_case(town, "家賃は払い、税を滞納しています")
    await town.service.database.write(lambda session: finding.catch_up(session, 0))
    monkeypatch.setattr(finding, "FEW", few)
    monkeypatch.setattr(queue, "MOST_FOUND", 2)
    assert set(await find(sato, "家賃を滞納")) == set(made[1:])
    assert await find(sato, "9月から 滞納") == [made[1]]


async def test_what_is_looked_for_is_nowhere_in_the_logs(
    town: Town, sato: Colleague, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await asyncio.gather(*(find(sato, "山田花子") for _ in range(2)))
    assert "山田" not in caplog.text + "".join(capfd.readouterr())


@given(st.text(max_size=80))
def test_every_pair_of_neighbouring_letters_of_a_text_is_in_its_grams(told: str) -> None:
    plain = finding.letters(told)
    held = finding.grams(told)
    assert all(plain[at : at + 2] in held.split(" ") for at in range(len(plain) - 1))
    assert not set(held) & set('"%_*^():')


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("桜町に住んでいます", "桜町"), ("うけとめ市桜町二丁目です", "桜町二丁目"), ("西地区のあたり", "西地区"),
        ("ひばりが丘団地", "ひばりが丘団地"), ("言いたくありません", ""), ("", ""),
        ("わたしは さくら町です", "さくら町"), ("うけとめ市さくら町二丁目", "さくら町二丁目"), ("ちいさな町です", ""),
        ("このあたりの団地", ""), ("ひばりヶ丘団地", "ひばりヶ丘団地"),
    ],
)  # fmt: skip
def test_a_place_is_named_by_its_narrowest_part(words: str, name: str) -> None:
    assert finding.place(words) == name

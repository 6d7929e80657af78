"""LINE as a door: the notice, how many wait and a one-time link on LINE; the talk on the page; LINE only knocks."""

import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from bot.understanding import Understander
from bot.words import words
from handoff.case import LEVELS, status
from storage.models import Delivery, DoorLink, Message
from storage.settings import Settings, SettingsError
from tests.conftest import RESENT, Resident, Town, running
from tests.desk import Colleague, a_case, at_work
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform
from tests.stand_ins.clock import SetClock
from tests.stand_ins.rasa import StandInRasa
from tests.test_line_talk import settled
from uketome.app import SWEEP

HANAKO = "U" + "1" * 32
TROUBLE = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
DANGER = "もう死にたいです。今夜、薬をぜんぶ飲むつもりです"
ANSWER = "相談員の佐藤です。家賃のこと、いっしょに考えます。"
KNOCK = "お返事があります。"
DOOR = words().door
AnyMode = Callable[..., Settings]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def line(clock: SetClock) -> AsyncIterator[LinePlatform]:
    async with LinePlatform(clock=clock, redelivers=RESENT) as line:
        yield line
        assert line.violations == []


@pytest.fixture
def settings(database_url: str, tmp_path: Path, rasa: StandInRasa, line: LinePlatform) -> AnyMode:
    """The town's settings, in a mode of LINE's."""

    def make(mode: str = "door", **more: Any) -> Settings:
        return Settings.read(
            **{
                "_env_file": None,
                "database_url": database_url,
                "var_dir": tmp_path / "var",
                "rasa_url": rasa.url,
                "rasa_timeout_s": 0.5,
                "line_channel_secret": CHANNEL_SECRET,
                "line_channel_access_token": CHANNEL_TOKEN,
                "line_api_base": line.base_url,
                "public_url": "http://soudan.example.jp",
                "line_mode": mode,
                **more,
            }
        )

    return make


@pytest.fixture
async def town(settings: AnyMode, reader: Understander, line: LinePlatform, clock: SetClock) -> AsyncIterator[Town]:
    """A town where LINE is only a door."""
    async with running(settings(), reader, clock) as town:
        at(town, line)
        yield town


def at(town: Town, line: LinePlatform) -> None:
    line.webhooks.url = f"{town.http.base_url}/line/webhook"


class Visitor(Resident):
    """Somebody who comes to the page through a link from LINE; each is a browser of its own."""

    key = ""

    async def open(self, address: str) -> httpx.Response:
        """Opens the link, as the page does."""
        page = urlsplit(address)
        assert f"{page.scheme}://{page.netloc}{page.path}?{page.query}" == "http://soudan.example.jp/talk?"
        self.key = self.key or f"browser-{id(self)}"
        opened = await self._http.post("/chat/sessions", json={"lang": "ja", "link": page.fragment, "key": self.key})
        if opened.status_code == 201:
            self.token = opened.json()["token"]
            self.last_id = 0
        return opened

    async def page(self) -> list[str]:
        """All that stands on the page."""
        self.last_id = 0
        return [message["text"] for message in await self.new_messages(wait=0)]


async def come(town: Town, line: LinePlatform, *texts: str) -> None:
    """Hanako adds the account and writes there."""
    assert (await line.follow(HANAKO)).acknowledged
    await town.quiet()
    for text in texts:
        assert (await line.say(HANAKO, text)).acknowledged
        await town.quiet()


async def opened(town: Town, line: LinePlatform) -> Visitor:
    """Hanako's newest link, opened."""
    visitor = Visitor(town.http)
    answer = await visitor.open(line.links(HANAKO)[-1])
    assert answer.status_code == 201, answer.text
    visitor.last_id = answer.json()["messages"][-1]["id"]
    return visitor


async def refused(town: Town, address: str) -> str:
    """What another browser reads when it opens the link."""
    answer = await Visitor(town.http).open(address)
    assert answer.status_code == 410
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


def sent(line: LinePlatform) -> str:
    """All that LINE ever got to read from us."""
    return "\n".join(line.received(HANAKO))


def pieces(text: str) -> set[str]:
    """Every three characters that follow each other: none may stand on LINE unless the door itself says them."""
    return {text[at : at + 3] for at in range(len(text) - 2)}


async def knocks(town: Town, line: LinePlatform, clock: SetClock) -> int:
    """How often LINE has told of an answer, once there was time for it."""
    clock.forward(seconds=31)
    await settled(town, clock)
    return line.received(HANAKO).count(KNOCK)


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as colleague:
        yield colleague


async def answer(town: Town, sato: Colleague, text: str = ANSWER) -> str:
    """Sato answers Hanako's case."""
    [case] = await town.cases()
    if case.claimed_by is None:
        assert (await sato.do(case.id, "claim")).status_code == 200
    assert (await sato.do(case.id, "answer", text=text)).status_code == 200
    return case.id


async def count(town: Town, table: Any) -> int:
    return await town.service.database.read(lambda s: s.scalar(select(func.count()).select_from(table)) or 0)


# At the door


async def test_who_adds_the_account_reads_the_notice_how_many_wait_and_gets_a_link(
    town: Town, line: LinePlatform
) -> None:
    await come(town, line)
    notice, box = line.received(HANAKO)
    assert "うけとめ市のページでうかがいます" in notice
    assert "LINEの会社のサーバー" in notice
    assert DOOR["nobody_waits"] in box
    assert DOOR["once"] in box
    [button] = line.talks[HANAKO][-1].links
    assert button[0] == "相談のページをひらく"
    assert (line.calls["reply"], line.calls["push"]) == (1, 0)
    assert await town.cases() == []


async def test_how_many_wait_is_the_queues_own_number_without_oneself(town: Town, line: LinePlatform) -> None:
    for level in ("none", "urgent"):
        await a_case(town, "前から待っています", level=level)
    await a_case(town, "まだ話しています", waiting=False)
    await come(town, line, TROUBLE)
    town.clock.forward(minutes=31)
    town.service.bells.ring(SWEEP)
    await town.until(lambda: _waiting(town, 4))  # who fell silent, she among them
    await line.postback(HANAKO, "uketome-link")
    await town.quiet()
    counted = [re.findall("ほかに([0-9])人", text) for text in line.received(HANAKO)[1:]]
    assert counted == [["2"], ["2"], ["3"]]


async def _waiting(town: Town, number: int) -> bool:
    return [status(case) for case in await town.cases()].count("waiting") == number


async def test_what_is_written_on_line_is_answered_by_the_door_and_not_lost(
    town: Town, line: LinePlatform, rasa: StandInRasa
) -> None:
    await come(town, line, TROUBLE)
    assert line.received(HANAKO)[-1].startswith(DOOR["received"])
    assert len(line.links(HANAKO)) == 2
    assert not rasa.asked, "nobody asks a question that she would not see"
    [case] = await town.cases()
    assert {"work", "housing", "education"} <= {field["id"] for field in case.assessment["fields"]}

    hanako = await opened(town, line)
    shown = await hanako.page()
    assert "機械" in shown[0], "the notice of use stands first"
    assert TROUBLE in shown
    assert shown[-1] == DOOR["go_on"]
    assert not set(shown) & set(line.received(HANAKO)), "what LINE was told is not repeated on the page"


async def test_no_word_of_a_resident_goes_out_to_line(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line, TROUBLE, "八十の父も一人で暮らしています")
    hanako = await opened(town, line)
    await hanako.talk("借金が二百万円あります")
    await answer(town, sato)
    assert await knocks(town, line, clock) == 1
    for text in (TROUBLE, "八十の父も一人で暮らしています", "借金が二百万円あります", ANSWER):
        ours = pieces(sent(line)) & pieces(text)
        assert ours <= pieces("\n".join([*DOOR.values(), "うけとめ市"])), ours


async def test_the_notice_is_not_repeated_at_every_message(town: Town, line: LinePlatform, clock: SetClock) -> None:
    await come(town, line, "こんにちは", "あの")
    assert [len(text) > 80 for text in line.received(HANAKO)] == [True, False, False, False]
    assert len(set(line.links(HANAKO))) == 3
    clock.forward(hours=25)
    await line.say(HANAKO, "おはようございます")
    await town.quiet()
    assert sent(line).count("LINEの会社のサーバー") == 2


async def test_danger_on_line_gets_helplines_at_once_and_goes_to_the_top_of_the_queue(
    town: Town, line: LinePlatform
) -> None:
    await come(town, line)
    before = len(line.received(HANAKO))
    await line.say(HANAKO, DANGER)
    await town.quiet()
    danger, lines, box = line.received(HANAKO)[before:]
    assert "心配" in danger
    assert re.search(r"119|0120-279-338", lines)
    assert DOOR["received"] in box
    assert "お待ち" not in box, "nobody in danger stands in a line"
    [case] = await town.cases()
    assert status(case) == "waiting"
    assert LEVELS[case.urgency] in ("urgent", "immediate")
    # Told once more, it is shown once more.
    await line.say(HANAKO, DANGER)
    await town.quiet()
    assert line.received(HANAKO).count(lines) == 2
    assert line.calls["push"] == 0


async def test_an_answer_on_line_is_not_taken_for_one_to_the_pages_question(town: Town, line: LinePlatform) -> None:
    await come(town, line)
    hanako = await opened(town, line)
    assert "それは、いつごろからですか。" in await hanako.talk(TROUBLE)
    await line.say(HANAKO, "よろしくおねがいします")
    await town.quiet()
    [case] = await town.cases()
    assert "よろしく" not in str(case.assessment.get("topics"))


async def test_everything_delivered_again_makes_no_second_link(town: Town, line: LinePlatform) -> None:
    await come(town, line, TROUBLE)
    before, links = line.received(HANAKO), await count(town, DoorLink)
    assert await line.redeliver(everything=True) == 2
    await town.quiet()
    assert (line.received(HANAKO), await count(town, DoorLink)) == (before, links)


@pytest.mark.parametrize("fault", ["fail_next", "accept_then_fail"])
async def test_whatever_line_does_the_link_that_arrives_opens(
    town: Town, line: LinePlatform, clock: SetClock, fault: str
) -> None:
    getattr(line, fault)()
    await line.follow(HANAKO)
    await settled(town, clock)
    assert len(line.links(HANAKO)) == 1
    await opened(town, line)


async def test_no_animation_on_line_while_the_page_is_answered(
    town: Town, line: LinePlatform, rasa: StandInRasa
) -> None:
    await come(town, line)
    hanako = await opened(town, line)
    rasa.pause = 0.4
    await hanako.talk(TROUBLE)
    assert line.calls["loading"] == 0


# The link


async def test_the_link_opens_the_talk_and_the_talk_works(town: Town, line: LinePlatform) -> None:
    await come(town, line)
    before = line.received(HANAKO)
    hanako = await opened(town, line)
    assert "書いてください" in (await hanako.page())[-1]
    assert await hanako.talk(TROUBLE) == ["話してくださって、ありがとうございます。", "それは、いつごろからですか。"]
    await hanako.talk("去年の秋からです")
    [case] = await town.cases()
    assert case.assessment["topics"]["since"] == "去年の秋からです"
    assert case.channel == "line"
    assert line.received(HANAKO) == before, "the machine's answers are on the page alone"


async def test_another_browser_is_told_kindly_where_to_get_a_new_link(town: Town, line: LinePlatform) -> None:
    await come(town, line)
    [link] = line.links(HANAKO)
    hanako = await opened(town, line)
    said = await refused(town, link)
    assert "LINEにもどって" in said
    assert "消えていません" in said
    # Our answer may get lost on its way: the browser that opened it may ask again, and goes on.
    assert (await hanako.open(link)).status_code == 201
    assert await hanako.talk(TROUBLE)


async def test_a_link_is_good_for_a_day(town: Town, line: LinePlatform, clock: SetClock) -> None:
    await come(town, line)
    [link] = line.links(HANAKO)
    clock.forward(hours=24)
    assert await refused(town, link) == DOOR["expired"]
    await line.postback(HANAKO, "uketome-link")
    await town.quiet()
    assert await count(town, DoorLink) == 1, "what can open nothing any more is not kept"
    hanako = await opened(town, line)
    clock.forward(days=3)
    assert await hanako.talk(TROUBLE), "who has opened it goes on as long as the page stands"


async def test_without_a_link_the_page_says_where_to_get_one(town: Town, line: LinePlatform) -> None:
    for link in ("", 7, None):
        shut = await town.http.post("/chat/sessions", json={"link": link, "key": "k"})
        assert (shut.status_code, shut.headers["access-control-allow-origin"]) == (410, "*")
        assert "LINEにもどって" in shut.json()["detail"]
    assert await refused(town, "http://soudan.example.jp/talk#unheard-of") == DOOR["expired"]


async def test_the_button_for_a_new_link_needs_no_words(town: Town, line: LinePlatform) -> None:
    await come(town, line)
    [(label, wish)] = line.talks[HANAKO][-1].wishes
    assert label == "新しいボタンをもらう"
    await line.postback(HANAKO, wish)
    await town.quiet()
    assert len(set(line.links(HANAKO))) == 2
    assert await town.cases() == []
    hanako = await opened(town, line)
    assert len(await hanako.page()) == 2, "and leaves no trace on the page"


async def test_of_a_link_only_its_hash_is_kept_and_nothing_is_logged(
    town: Town, line: LinePlatform, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await come(town, line, TROUBLE)
    hanako = await opened(town, line)
    await refused(town, line.links(HANAKO)[-1])
    tokens = [urlsplit(link).fragment for link in line.links(HANAKO)]
    assert all(re.fullmatch("[A-Za-z0-9_-]{43}", token) for token in tokens)
    logs = caplog.text + "".join(capsys.readouterr())
    for secret in (*tokens, hanako.token):
        assert secret not in logs
    if town.service.database.sqlite:
        with sqlite3.connect(town.service.database.url.removeprefix("sqlite:///")) as database:
            kept = "\n".join(database.iterdump())
        assert not [secret for secret in (*tokens, hanako.token) if secret in kept]


async def test_the_quick_exit_closes_the_page_for_good_and_a_new_link_opens_the_same_talk(
    town: Town, line: LinePlatform
) -> None:
    await come(town, line)
    hanako = await opened(town, line)
    await hanako.talk(TROUBLE)
    assert (await town.http.delete("/chat/sessions", headers=hanako.headers)).status_code == 204
    assert (await town.http.get("/chat/messages", headers=hanako.headers)).status_code == 401
    assert (await hanako.open(line.links(HANAKO)[-1])).status_code == 410
    await line.postback(HANAKO, "uketome-link")
    await town.quiet()
    assert TROUBLE in await (await opened(town, line)).page()


async def test_what_was_taken_back_on_line_is_gone_from_the_page(town: Town, line: LinePlatform) -> None:
    await come(town, line)
    written = await line.say(HANAKO, TROUBLE)
    await town.quiet()
    await line.unsend(HANAKO, written.message_id)
    await town.quiet()
    shown = "\n".join(await (await opened(town, line)).page())
    assert "滞納" not in shown
    assert "家賃" not in str([case.assessment for case in await town.cases()])


# A person's answer


async def test_a_counselors_answer_is_told_of_once_without_its_words(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line, TROUBLE)
    await answer(town, sato)
    await answer(town, sato, "お返事が長くなりました。もう一つあります。")
    assert line.received(HANAKO)[-1] != KNOCK, "first it is looked whether the page is open"
    assert await knocks(town, line, clock) == 1
    assert line.talks[HANAKO][-1].links[0][0] == "お返事を読む"
    assert line.calls["push"] == 1
    await answer(town, sato, "三つめのお返事です。")
    assert await knocks(town, line, clock) == 1, "one push until it was opened"
    [case] = await town.cases()
    assert "まだ読まれていません" in await sato.open(case.id)

    hanako = await opened(town, line)
    shown = await hanako.page()
    assert [text for text in shown if "お返事" in text or "佐藤" in text][-3:] == [
        ANSWER, "お返事が長くなりました。もう一つあります。", "三つめのお返事です。",
    ]  # fmt: skip
    assert "まだ読まれていません" not in await sato.open(case.id)
    await answer(town, sato, "四つめのお返事です。")
    assert await knocks(town, line, clock) == 2, "it was opened: the next answer is told of again"
    assert (line.calls["push"], line.used) == (2, 2)


async def test_whoever_has_the_page_open_is_not_called(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line)
    hanako = await opened(town, line)
    await hanako.talk(TROUBLE)
    await answer(town, sato)
    await town.until(lambda: _knock_is_pending(town))
    while ANSWER not in await hanako.answers():
        pass
    await hanako.new_messages(wait=0)  # the page asks for what comes after it
    assert await knocks(town, line, clock) == 0
    assert line.calls["push"] == 0


async def _knock_is_pending(town: Town) -> bool:
    pending = select(func.count()).select_from(Delivery).where(Delivery.voice == "knock")
    return bool(await town.service.database.read(lambda session: session.scalar(pending)))


async def test_claiming_and_closing_call_nobody(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line, TROUBLE)
    [case] = await town.cases()
    await sato.do(case.id, "claim")
    await sato.do(case.id, "close", outcome="つながりました")
    assert await knocks(town, line, clock) == 0
    assert "佐藤" not in sent(line)
    assert any("佐藤" in text for text in await (await opened(town, line)).page())


async def test_who_writes_on_line_while_an_answer_waits_is_told_there(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line, TROUBLE)
    await answer(town, sato)
    await town.until(lambda: _knock_is_pending(town))
    await line.say(HANAKO, "もしもし")
    await town.until(lambda: _told(line))
    assert KNOCK in line.received(HANAKO)[-1]
    assert "待ち" not in line.received(HANAKO)[-1], "a person has her talk: she waits in no queue"
    assert await knocks(town, line, clock) == 0, "no push beside it"
    assert ANSWER in await (await opened(town, line)).page()


async def _told(line: LinePlatform) -> bool:
    return KNOCK in line.received(HANAKO)[-1]


async def test_the_machine_says_nothing_on_the_page_while_a_person_has_the_talk(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line, TROUBLE)
    [case] = await town.cases()
    await sato.do(case.id, "claim")
    await settled(town, clock)
    before = len(line.links(HANAKO))
    await line.say(HANAKO, "もしもし")
    await settled(town, clock)
    assert (await (await opened(town, line)).page())[-1] == "もしもし"
    assert len(line.links(HANAKO)) == before + 1, "the way to the page is shown all the same"


async def test_who_blocked_the_account_is_not_called_and_staff_see_it(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line, TROUBLE)
    hanako = await opened(town, line)
    clock.forward(seconds=1)
    await line.unfollow(HANAKO)
    await town.quiet()
    case_id = await answer(town, sato)
    assert "相談のページでお返事する" in await sato.open(case_id)
    assert await knocks(town, line, clock) == 0
    assert line.calls["push"] == 0
    assert "受信を止めました" in await sato.open(case_id)
    assert ANSWER in await hanako.page(), "the page does not depend on LINE"
    # What is written on the page says nothing about LINE.
    await hanako.write("ありがとうございます")
    await town.quiet()
    assert "受信を止めました" in await sato.open(case_id)

    clock.forward(seconds=1)
    await line.follow(HANAKO)
    await town.quiet()
    assert DOOR["once"] in line.received(HANAKO)[-1]
    await answer(town, sato, "おかえりなさい。")
    assert await knocks(town, line, clock) == 1


async def test_a_quota_that_is_used_up_is_seen_by_staff_and_tried_with_the_next_answer(
    town: Town, line: LinePlatform, clock: SetClock, sato: Colleague
) -> None:
    await come(town, line, TROUBLE)
    line.quota = 0
    await answer(town, sato)
    assert await knocks(town, line, clock) == 0
    assert "上限に達しました" in await sato.queue()
    line.quota = 200
    await answer(town, sato, "もう一度書きます。")
    assert await knocks(town, line, clock) == 1


# A restart, and the other mode


async def test_a_restart_in_between_changes_nothing(
    settings: AnyMode, reader: Understander, line: LinePlatform, clock: SetClock
) -> None:
    async with running(settings(), reader, clock) as town:
        at(town, line)
        await come(town, line, TROUBLE)
        first = await opened(town, line)
        await line.say(HANAKO, "もう一つ書きます")
        await town.quiet()
        async with at_work(town, "佐藤", "sato@example.jp") as sato:
            await answer(town, sato)
            await town.until(lambda: _knock_is_pending(town))
    async with running(settings(), reader, clock) as town:
        at(town, line)
        first._http = town.http
        assert ANSWER in await first.page(), "who has the page open goes on"
        second = await opened(town, line)
        assert await second.page() == await first.page()
        assert await knocks(town, line, clock) == 0, "it was seen meanwhile"


async def test_a_knock_that_was_due_while_we_were_down_comes_afterwards_once(
    settings: AnyMode, reader: Understander, line: LinePlatform, clock: SetClock
) -> None:
    async with running(settings(), reader, clock) as town:
        at(town, line)
        await come(town, line, TROUBLE)
        async with at_work(town, "佐藤", "sato@example.jp") as sato:
            await answer(town, sato)
    clock.forward(minutes=10)
    async with running(settings(), reader, clock) as town:
        assert await knocks(town, line, clock) == 1
    assert ANSWER not in sent(line)


async def test_what_the_talk_mode_had_not_sent_yet_stays_in_when_the_town_changes_to_the_door(
    settings: AnyMode, reader: Understander, line: LinePlatform, clock: SetClock
) -> None:
    async with running(settings("talk"), reader, clock) as town:
        at(town, line)
        await come(town, line)
        line.fail_next(50, status=429)
        await line.say(HANAKO, TROUBLE)
        await town.until(lambda: _turns(town, 2))
        async with at_work(town, "佐藤", "sato@example.jp") as sato:
            await answer(town, sato)
    before = len(line.received(HANAKO))
    line._faults.clear()
    async with running(settings(), reader, clock) as town:
        at(town, line)
        assert await knocks(town, line, clock) == 1
        assert line.received(HANAKO)[before:] == [KNOCK]
        assert {TROUBLE, ANSWER} <= set(await (await opened(town, line)).page())


async def _turns(town: Town, number: int) -> bool:
    done = select(func.count(Message.turn_id.distinct())).where(Message.sender == "resident")
    return await town.service.database.read(lambda session: session.scalar(done)) == number


async def test_a_wrong_door_is_refused_at_the_start(settings: AnyMode) -> None:
    with pytest.raises(SettingsError, match="UKETOME_PUBLIC_URL"):
        settings(public_url=None, line_api_base="https://api.line.me")
    assert not settings(line_channel_secret=None, line_channel_access_token=None, public_url=None).line_is_door

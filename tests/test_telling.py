"""Desks told to residents: who asks for one, at any moment and in any language; and what is named at the end."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.understanding import Understander
from bot.words import words
from knowledge_base import desks, live, versions
from knowledge_base.entries import DAYS
from knowledge_base.versions import Step
from storage.clock import JAPAN
from storage.models import CaseEvent
from storage.settings import Settings
from tests.conftest import RESENT, Resident, Town, running
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform
from tests.stand_ins.clock import SetClock
from tests.stand_ins.rasa import StandInRasa

OPEN = datetime(2026, 11, 24, 10, tzinfo=JAPAN)
RENT = "夫が仕事を辞めてから家賃を滞納しています"
DESK: dict[str, Any] = {
    "name": "生活支援課", "address": "うけとめ市中央1-1", "area": "", "note": "", "web": "", "checked": "",
    "phone": "000-0000-1102", "hours": {day: [["8:30", "17:15"]] for day in DAYS[:5]},
    "holidays": "closed", "services": ["seikatsu_hogo"],
}  # fmt: skip
#: As Rasa answers when a desk is asked for, in the middle of its own question.
FOUND = [{"custom": {"do": "show_desks"}}, {"text": "ここでも、このまま話せます。"},
         {"text": "さきほどのつづきも、どうぞ。"}, {"custom": {"do": "resume"}}]  # fmt: skip
MISSING = [{"text": "相談員が確かめて、お伝えします。"}, {"custom": {"do": "lacks_desk"}}]
WHICH = [{"text": "はい、窓口のことですね。"}, {"text": "どんなことの窓口か、書いてもらえますか。"},
         {"custom": {"do": "ask_desk"}}]  # fmt: skip
CONFIRMED = [{"text": "確かめてくださって、ありがとうございます。"}, {"custom": {"do": ["finish", "offer_services"]}}]
PHONE = re.compile(r"\d{2,}-\d+-\d{3,}")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """What is told is the same over either database."""
    return f"sqlite:///{tmp_path / 'town.db'}"


@pytest.fixture
async def town(database_url: str, tmp_path: Path, reader: Understander, rasa: StandInRasa) -> AsyncIterator[Town]:
    settings = Settings(database_url=database_url, var_dir=tmp_path / "var", rasa_url=rasa.url, rasa_timeout_s=5)
    async with running(settings, reader, SetClock(OPEN)) as town:
        yield town


async def publish(town: Town, *entries: tuple[str, str, dict[str, Any]]) -> None:
    """Publishes entries: kind, id and what differs from DESK."""

    def write(session: Session) -> None:
        for kind, id_, differs in entries:
            content = {**DESK, **differs} if kind == "desk" else differs
            versions.create(session, kind, content, None, town.clock.now(), Step("published"), id_)

    await town.service.database.write(write)
    await town.service.knowledge.renew()


async def retire(town: Town, id_: str, successor: str | None) -> None:
    def write(session: Session) -> None:
        newest = versions.version(session, id_)
        step = Step("retired", successor=successor)
        versions.add(session, id_, newest.number, newest.content, None, town.clock.now(), step)

    await town.service.database.write(write)
    await town.service.knowledge.renew()


async def somebody(town: Town) -> Resident:
    resident = town.resident()
    await resident.come()
    return resident


async def asks(resident: Resident, rasa: StandInRasa, text: str, answer: Any = FOUND) -> list[str]:
    rasa.answer = answer
    return await resident.talk(text)


def heard(rasa: StandInRasa) -> tuple[str, bool]:
    metadata = rasa.asked[-1]["metadata"]
    return metadata["desk"], metadata["asks_desk"]


async def test_who_asks_for_a_desk_is_told_it_and_may_still_answer_what_we_asked(town: Town, rasa: StandInRasa) -> None:
    await publish(town, ("desk", "town_1", {}))
    hanako = await somebody(town)
    assert (await hanako.talk(RENT))[-1] == "それは、いつごろからですか。"
    desk, *after = await asks(hanako, rasa, "生活保護の窓口はどこ")
    assert heard(rasa) == ("found", True)
    assert desk.split("\n") == [
        "生活保護のことは、こちらで聞けます。", "生活支援課", "うけとめ市中央1-1", "電話　000-0000-1102",
        "月〜金 8:30〜17:15", "祝日と年末年始は休みです。", "いま開いています（17時15分まで）。",
    ]  # fmt: skip
    assert after == ["ここでも、このまま話せます。", "さきほどのつづきも、どうぞ。"]
    rasa.say("うかがいました。")
    await hanako.talk("去年の秋からです")
    [case] = await town.cases()
    assert case.assessment["topics"]["since"] == "去年の秋からです"


@pytest.mark.parametrize(
    ("text", "state", "plainly"),
    [
        ("せいかつほごの まどぐちは どこ ですか", "found", True),
        ("生活支援課って何時まで", "found", True),
        ("支援課の電話番号を教えて", "found", True),
        ("収入がなくて暮らせません。生活保護はどこで申請できますか", "found", True),
        ("児童手当の窓口を教えて", "missing", True),
        ("市民プールの場所はどこですか", "missing", False),
        ("どこに電話すればいい？", "which", False),
        # What may be a question is told only where Rasa hears one, too.
        ("生活保護の窓口で怒られました", "found", False),
        ("夫がどこに行ったのか、だれにもわかりません。生活保護を受けています", "found", False),
        ("どこまで話せばいいですか", "none", False),
    ],
)
async def test_which_desk_is_meant(town: Town, rasa: StandInRasa, text: str, state: str, plainly: bool) -> None:
    await publish(town, ("desk", "town_1", {}))
    hanako = await somebody(town)
    said = await asks(hanako, rasa, text, FOUND if state == "found" else MISSING)
    assert heard(rasa) == (state, plainly)
    assert PHONE.findall("".join(said)) == (["000-0000-1102"] if state == "found" else []), "no number is made up"


async def test_a_desk_that_nobody_entered_is_left_to_a_person(town: Town, rasa: StandInRasa) -> None:
    hanako = await somebody(town)
    assert await asks(hanako, rasa, "生活保護の窓口はどこですか", MISSING) == ["相談員が確かめて、お伝えします。"]
    assert heard(rasa) == ("missing", True)
    assert await asks(hanako, rasa, "市民プールの場所を教えてください", MISSING)
    [case] = await town.cases()
    assert case.assessment["topics"] == {}, "a question is no wish"
    kinds = await town.service.database.read(lambda session: list(session.scalars(select(CaseEvent.kind))))
    assert "desk_lacking" in kinds


async def test_which_is_asked_and_a_word_is_enough(town: Town, rasa: StandInRasa) -> None:
    await publish(town, ("desk", "town_1", {}))
    hanako = await somebody(town)
    await asks(hanako, rasa, "介護の相談はどこ", WHICH)
    choices = (await hanako._http.get("/chat/messages?after=0", headers=hanako.headers)).json()["messages"][-1]
    assert 1 <= len(choices["choices"]) <= 3
    assert "地域包括支援センター" in choices["choices"]
    said = await asks(hanako, rasa, "生活保護")
    assert heard(rasa) == ("found", True)
    assert "000-0000-1102" in said[0]


async def test_a_retired_desk_is_told_no_more_and_its_successor_is(town: Town, rasa: StandInRasa) -> None:
    heir = {"name": "くらし課", "phone": "000-0000-1999", "services": ["kakei_kaizen"]}
    await publish(town, ("desk", "town_1", {}), ("desk", "town_2", heir))
    await retire(town, "town_1", "town_2")
    hanako = await somebody(town)
    for text in ("生活保護の窓口はどこ", "生活支援課の電話番号は？"):
        said = "".join(await asks(hanako, rasa, text))
        assert "くらし課" in said
        assert PHONE.findall(said) == ["000-0000-1999"]
    await retire(town, "town_2", None)
    await asks(hanako, rasa, "生活保護の窓口はどこ", MISSING)
    assert heard(rasa)[0] == "missing"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (datetime(2026, 11, 24, 19, tzinfo=JAPAN), "いまは閉まっています。次は11月25日（水）の8時30分からです。"),
        (datetime(2026, 12, 30, 10, tzinfo=JAPAN), "いまは閉まっています。次は1月4日（月）の8時30分からです。"),
        (datetime(2026, 11, 24, 7, tzinfo=JAPAN), "いまは閉まっています。次はきょうの8時30分からです。"),
    ],
)
async def test_a_closed_desk_says_when_it_opens(town: Town, rasa: StandInRasa, now: datetime, said: str) -> None:
    town.clock.forward(seconds=(now - OPEN).total_seconds())
    await publish(town, ("desk", "town_1", {}))
    hanako = await somebody(town)
    assert (await asks(hanako, rasa, "生活保護の窓口はどこ"))[0].split("\n")[-1] == said


async def test_danger_goes_first(town: Town, rasa: StandInRasa) -> None:
    await publish(town, ("desk", "town_1", {}))
    hanako = await somebody(town)
    answer = [{"text": "受けとめました。"}, {"custom": {"do": "show_hotlines"}}, {"text": "体の具合はどうですか。"}]
    text = "きのうから食べる物がなにもありません。生活保護の窓口はどこですか"
    _, lines, desk, question = await asks(hanako, rasa, text, answer)
    assert "0120-279-338" in lines
    assert "000-0000-1102" in desk
    assert question == "体の具合はどうですか。"


async def test_a_silent_rasa_costs_nobody_the_desk(town: Town, rasa: StandInRasa) -> None:
    await publish(town, ("desk", "town_1", {}))
    hanako = await somebody(town)
    assert any("000-0000-1102" in text for text in await asks(hanako, rasa, "生活保護の窓口はどこですか", []))


@pytest.mark.parametrize(
    ("language", "trouble", "question", "lacking"),
    [
        ("en", "I lost my job and I cannot pay my rent", "Where do I apply for public assistance?", "child allowance"),
        ("ja-easy", "しごとが なくなりました。やちんが はらえません。", "せいかつほごの まどぐちは どこ ですか",
         "じどうてあて"),
        ("vi", "Tôi mất việc và không trả được tiền nhà", "Xin bảo hộ sinh hoạt ở đâu? Số điện thoại là gì?",
         "trợ cấp trẻ em"),
    ],
)  # fmt: skip
async def test_in_every_language_the_desk_is_told_and_our_question_stays(
    town: Town, language: str, trouble: str, question: str, lacking: str
) -> None:
    await publish(town, ("desk", "town_1", {}))
    own = words(language)
    assert own.talk
    linh = await somebody(town)
    await linh.talk({"en": "English", "ja-easy": "やさしい日本語", "vi": "Tiếng Việt"}[language])
    assert own.talk.questions["since"] in (await linh.talk(trouble))[-1]
    desk, here, resume = await linh.talk(question)
    assert desk.startswith(own.desks["of"].format(service="生活保護"))
    assert own.desks["open"].format(until="17:15") in desk
    assert (here, resume) == (own.talk.desk["here"][0], own.talk.desk["resume"])
    [case] = await town.cases()
    assert "since" not in case.assessment["topics"]
    said = await linh.talk(question.replace("public assistance", lacking).replace("せいかつほご", lacking)
                           .replace("bảo hộ sinh hoạt", lacking))  # fmt: skip
    assert said[0] == own.talk.desk["missing"][0]
    assert not PHONE.findall("".join(said))


async def test_on_line_the_desk_comes_in_one_free_reply(
    tmp_path: Path, database_url: str, reader: Understander, rasa: StandInRasa
) -> None:
    clock = SetClock(OPEN)
    async with LinePlatform(clock=clock, redelivers=RESENT) as line:
        settings = Settings(
            database_url=database_url, var_dir=tmp_path / "var", rasa_url=rasa.url, rasa_timeout_s=5,
            line_channel_secret=CHANNEL_SECRET, line_channel_access_token=CHANNEL_TOKEN, line_api_base=line.base_url,
        )  # fmt: skip
        async with running(settings, reader, clock) as town:
            line.webhooks.url = f"{town.http.base_url}/line/webhook"
            await town.service.database.write(lambda session: versions.load_demo(session, clock.now()))
            await town.service.knowledge.renew()
            user = "U" + "1" * 32
            rasa.answer = FOUND
            await line.say(user, "地域包括支援センターと生活保護の窓口はどこですか")
            await town.quiet()
            [desk] = [text for text in line.received(user) if "こちらで聞けます" in text]
            assert len(PHONE.findall(desk)) == 2, "never more than two desks"
            assert "000-0000-1102" in desk
            assert line.calls["push"] == 0
        assert line.violations == []


# ---- 「こんな窓口もあります」


async def ends(town: Town, rasa: StandInRasa, *texts: str, person: bool = False) -> list[str]:
    """A talk up to its confirmed end: what is said there."""
    hanako = await somebody(town)
    for text in texts:
        rasa.say("うかがいました。", **({"do": "offer_person"} if person else {}))
        await hanako.talk(text)
    return await asks(hanako, rasa, "はい、合っています", CONFIRMED)


def offered(said: list[str]) -> list[str]:
    return [text for text in said if text.startswith(words().offers["intro"])]


async def test_at_the_end_services_are_named_with_why_and_nobody_is_sent_off(town: Town, rasa: StandInRasa) -> None:
    own = {"name": "楽器バンク", "about": "楽器を貸します。", "like": "shugaku_enjo", "fields": ["education"],
           "voices": ["楽器を買うお金がありません"] * 3}  # fmt: skip
    await publish(town, ("service", "town_9", own), ("desk", "town_1", {"services": ["jukyo_kakuho"]}))
    said = await ends(town, rasa, RENT, "夫は毎日お酒を飲んでいて、やめられません")
    [told] = offered(said)
    assert said[-1] == told, "what happens next was told before"
    intro, *services, close = told.split("\n\n")
    assert (intro, close) == (words().offers["intro"], words().offers["close"])
    assert 1 <= len(services) <= 3
    reasons = [service.split("\n")[1] for service in services]
    assert len(set(reasons)) == len(reasons)
    assert all(reason.endswith("を話してくださったので。") for reason in reasons)
    [rent] = [service for service in services if "住居確保給付金" in service]
    assert "電話　000-0000-1102" in rent
    assert "8:30〜17:15" in rent
    assert set(PHONE.findall(told)) == {"000-0000-1102"}
    assert told in [message.text for message in await town.messages()], "the counselor reads what was named"


async def test_who_may_live_in_either_district_is_not_sent_to_the_desk_of_one(town: Town, rasa: StandInRasa) -> None:
    north = {"name": "北の窓口", "services": ["jukyo_kakuho"], "areas": ["d1"], "phone": "000-0000-1111"}
    south = {**north, "name": "南の窓口", "areas": ["d2"], "phone": "000-0000-2222"}
    await publish(town, ("desk", "town_1", north), ("desk", "town_2", south))
    [told] = offered(await ends(town, rasa, RENT))
    assert "住居確保給付金" in told
    assert not PHONE.findall(told)
    every = {**north, "name": "どこの人も来られる窓口", "areas": [], "phone": "000-0000-3333"}
    await publish(town, ("desk", "town_3", every))
    [told] = offered(await ends(town, rasa, RENT))
    assert PHONE.findall(told) == ["000-0000-3333"]


@pytest.mark.parametrize(
    ("texts", "person"),
    [
        ((RENT, "もう死にたいです。今夜で終わりにします"), False),
        ((RENT, "夫に毎日殴られています"), False),
        ((RENT, "消えてしまいたいと思うことがあります"), False),
        ((f"{RENT}。ただ話を聞いてほしいだけです",), False),
        ((RENT, "ほかの窓口の紹介はいりません"), False),
        ((RENT,), True),
        (("地域包括支援センターの坂本です。担当しているご家庭の家賃の滞納について、ご相談があります",), False),
        (("こんにちは",), False),
    ],
)
async def test_nothing_is_named_where_that_would_be_no_help(
    town: Town, rasa: StandInRasa, texts: tuple[str, ...], person: bool
) -> None:
    await publish(town, ("desk", "town_1", {"services": ["jukyo_kakuho", "jiritsu_soudan"]}))
    assert not offered(await ends(town, rasa, *texts, person=person))


async def test_what_somebody_went_to_already_is_not_named_again(town: Town, rasa: StandInRasa) -> None:
    await publish(town, ("desk", "town_1", {"services": ["jukyo_kakuho", "jiritsu_soudan"]}))
    assert "住居確保給付金" in "".join(offered(await ends(town, rasa, RENT)))
    again = offered(await ends(town, rasa, RENT, "住居確保給付金は、もう断られました"))
    assert "住居確保給付金" not in "".join(again)


@pytest.mark.parametrize("tried", ["どこにも相談していません", "学校の支援の先生に、電話で相談したことがあります"])
async def test_a_word_that_many_names_hold_leaves_none_of_them_out(town: Town, rasa: StandInRasa, tried: str) -> None:
    rasa.say("うかがいました。", "だれかに話したことはありますか。", ask="tried")
    hanako = await somebody(town)
    await hanako.talk("夫は毎日お酒を飲んでいて、やめられません")
    rasa.say("うかがいました。")
    await hanako.talk(tried)
    [told] = offered(await asks(hanako, rasa, "はい、合っています", CONFIRMED))
    assert "依存症相談拠点" in told


async def test_services_are_named_once_in_a_conversation(town: Town, rasa: StandInRasa) -> None:
    hanako = await somebody(town)
    told = []
    for _ in range(3):
        rasa.say("うかがいました。")
        await hanako.talk(RENT)
        told += offered(await asks(hanako, rasa, "はい、合っています", CONFIRMED))
    assert len(told) == 1
    assert not PHONE.findall(told[0]), "the town has entered no desk"


async def test_who_wants_no_other_desk_told_is_shown_none(town: Town, rasa: StandInRasa) -> None:
    hanako = await somebody(town)
    await hanako.talk(RENT)
    rasa.say("わかりました。", do="consent", share=False)
    await hanako.talk("ほかには言わないでください")
    assert not offered(await asks(hanako, rasa, "はい、合っています", CONFIRMED))


async def test_in_easy_japanese_the_end_names_services_too(town: Town) -> None:
    own = words("ja-easy")
    assert own.talk
    linh = await somebody(town)
    await linh.talk("やさしい日本語")
    said = await linh.talk(RENT)
    for _ in range(8):
        if own.talk.enough in said:
            break
        said = await linh.talk({own.talk.questions["since"]: "先月から です"}.get(said[-1], "ひとりで すんで います"))
    [told] = [text for text in said if text.startswith(own.offers["intro"])]
    assert own.offers["because"].format(about=own.talk.fields["housing"]) in told
    assert told.endswith(own.offers["close"])


def test_the_search_for_names_holds_for_a_town_of_nothing() -> None:
    assert desks.named(live.Published(), "") == desks.Named()


@pytest.mark.parametrize("published", [("高齢福祉課", "障害福祉課", "税務課"), ("税務課", "障害福祉課", "高齢福祉課")])
def test_desks_that_a_text_calls_equally_come_in_one_order(published: tuple[str, ...]) -> None:
    entries = {name: live.Live(name, "desk", 1, {"name": name}) for name in published}
    called = desks.named(live.Published(entries), "税務課に行ったら、福祉課に行けと言われました").desks
    assert [one.id for one in called] == ["税務課", "障害福祉課", "高齢福祉課"]

"""About when a person reads: from the desk's hours and from how long others really waited, and never more than that."""

from datetime import datetime, timedelta

import pytest

from bot.words import languages, words
from handoff.waiting import FEWEST, Hours
from storage.clock import JAPAN
from tests.conftest import Town
from tests.desk import a_case, at_work
from tests.stand_ins.rasa import StandInRasa

HOURS = Hours.read("8:30", "17:15")
TROUBLE = "家賃を三か月滞納しています"
DANGER = "もう死にたいです。今夜、薬をぜんぶ飲むつもりです"
ABOUT = "このごろの様子では"


def japan(day: int, hour: int = 0, minute: int = 0, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=JAPAN)


# The desk's hours


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (japan(24, 10), None),
        (japan(24, 8, 29), japan(24, 8, 30)),
        (japan(24, 17, 15), japan(25, 8, 30)),
        (japan(27, 21), japan(30, 8, 30)),
        (japan(23, 10), japan(24, 8, 30)),  # a Monday, and Labour Thanksgiving Day
        (japan(28, 18, month=12), japan(4, 8, 30, month=1, year=2027)),
    ],
)
def test_when_the_desk_opens_next(now: datetime, opens: datetime | None) -> None:
    assert HOURS.next_opening(now) == opens


@pytest.mark.parametrize(
    ("start", "end", "open_for"),
    [
        (japan(24, 10), japan(24, 12), timedelta(hours=2)),
        (japan(24, 7), japan(24, 9), timedelta(minutes=30)),
        (japan(24, 16, 15), japan(25, 9, 30), timedelta(hours=2)),
        (japan(20, 16, 15), japan(24, 9, 30), timedelta(hours=2)),  # a weekend and a holiday between
        (japan(28), japan(29), timedelta()),
    ],
)
def test_how_long_the_desk_was_open(start: datetime, end: datetime, open_for: timedelta) -> None:
    assert HOURS.between(start, end) == open_for


@pytest.mark.parametrize(
    ("now", "wait", "moment"),
    [
        (japan(24, 10), timedelta(), japan(24, 10)),
        (japan(24, 10), timedelta(minutes=1), japan(24, 10, 30)),
        (japan(24, 10), timedelta(hours=2), japan(24, 12)),
        (japan(24, 16, 15), timedelta(hours=2), japan(25, 9, 30)),
        (japan(24, 17, 10), timedelta(minutes=2), japan(25, 8, 30)),  # half past five would be after the end
        (japan(27, 21), timedelta(minutes=30), japan(30, 9)),
    ],
)
def test_a_time_is_told_to_the_half_hour_and_only_when_the_desk_is_open(
    now: datetime, wait: timedelta, moment: datetime
) -> None:
    assert HOURS.after(now, wait) == moment


# What a resident is told


async def took(town: Town, *minutes: float, level: str = "none") -> None:
    """Residents waited so long, each, until somebody took their case."""
    cases = [await a_case(town, TROUBLE, level=level, minutes=waited) for waited in minutes]
    async with at_work(town, "佐藤", f"sato{len(await town.cases())}@example.jp") as sato:
        for case in cases:
            assert (await sato.do(case, "claim")).status_code == 200


async def ends(town: Town, rasa: StandInRasa, text: str = TROUBLE) -> str:
    """What a resident reads at the end of the talk."""
    somebody = town.resident()
    await somebody.come()
    await somebody.talk(text)
    rasa.answer = [{"text": "ありがとうございました。"}, {"custom": {"do": "finish"}}]
    return (await somebody.talk("以上です"))[-1]


async def test_with_too_few_to_go_by_only_the_hours_are_told(town: Town, rasa: StandInRasa) -> None:
    await took(town, *[60] * (FEWEST - 1))
    end = await ends(town, rasa)
    assert "いまは窓口が開いている時間です" in end
    assert ABOUT not in end


async def test_what_is_told_is_what_others_waited(town: Town, rasa: StandInRasa) -> None:
    await took(town, *[20, 20, 20, 50, 50, 50])
    assert f"{ABOUT}、読みはじめるのはきょうの11時ごろです。" in await ends(town, rasa)


async def test_nights_do_not_count_as_waiting_and_at_night_it_is_the_next_day(town: Town, rasa: StandInRasa) -> None:
    await took(town, *[14 * 60] * FEWEST)  # since eight in the evening: an hour and a half of it the desk was open
    assert "きょうの11時30分ごろ" in await ends(town, rasa)
    town.clock.forward(hours=11)
    end = await ends(town, rasa)
    assert "いまは窓口が閉まっています。次に開くのは、11月25日（水）の8時30分です。" in end
    assert "読みはじめるのは11月25日（水）の10時ごろです。" in end


async def test_who_still_waits_counts_once_it_is_longer_than_usual(town: Town, rasa: StandInRasa) -> None:
    await took(town, *[20] * FEWEST)
    for _ in range(3):
        await a_case(town, TROUBLE, minutes=5)
    assert "きょうの10時30分ごろ" in await ends(town, rasa)
    for _ in range(4):
        await a_case(town, TROUBLE, minutes=80)
    assert "きょうの11時30分ごろ" in await ends(town, rasa)


async def test_danger_is_read_first_and_says_nothing_of_the_others(town: Town, rasa: StandInRasa) -> None:
    await took(town, *[1] * FEWEST, level="immediate")
    assert ABOUT not in await ends(town, rasa)
    end = await ends(town, rasa, DANGER)
    assert "きょうの10時30分ごろ" in end
    assert words().hotlines["urgent"] in end, "what to do if it gets worse"


async def test_what_is_long_ago_tells_nothing(town: Town, rasa: StandInRasa) -> None:
    await took(town, *[60] * FEWEST)
    town.clock.forward(days=31)
    assert ABOUT not in await ends(town, rasa)


async def test_who_asks_when_is_told_and_not_told_again_at_the_end(town: Town, rasa: StandInRasa) -> None:
    await took(town, *[50] * FEWEST)
    somebody = town.resident()
    await somebody.come()
    await somebody.talk(TROUBLE)
    rasa.answer = [{"custom": {"do": "show_when"}}, {"text": "お返事は、ここに届きます。"}]
    told = await somebody.talk("いつ返事もらえますか")
    assert told[-2].startswith("いまは窓口が開いている時間です。")
    assert "きょうの11時ごろ" in told[-2]
    rasa.answer = [{"text": "ありがとうございました。"}, {"custom": {"do": "finish"}}]
    end = (await somebody.talk("以上です"))[-1]
    assert "このあと、相談員が読んで" in end
    assert "開いている時間" not in end


@pytest.mark.parametrize("language", [name for name in languages() if name != "ja"])
async def test_it_is_told_in_every_language(town: Town, language: str) -> None:
    await took(town, *[50] * FEWEST)
    own = words(language)
    assert own.talk
    somebody = town.resident()
    somebody.token = (await town.http.post("/chat/sessions", json={"lang": language})).json()["token"]
    await somebody.new_messages(wait=0)
    await somebody.talk({"ja-easy": "しごとが なくなりました。"}.get(language, "12345 67890 12345"))
    end = (await somebody.talk(own.talk.hears["done"][0]))[-1]
    eleven = own.opening_time(japan(24, 11), japan(24, 10))
    assert end.split("\n") == [
        own.next_steps["reads"], own.next_steps["open"], own.next_steps["about"].format(about=eleven),
        own.next_steps["worse"],
    ]  # fmt: skip

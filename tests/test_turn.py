"""The turn, seen from the web page: what comes back, what stands in the queue, and what a silent Rasa changes."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.words import words
from handoff.case import status
from tests.conftest import Town
from tests.stand_ins.rasa import StandInRasa
from uketome.app import SWEEP

HANAKO = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"


async def test_first_message_is_answered_and_stands_in_the_queue(town: Town) -> None:
    hanako = town.resident()
    opening = await hanako.come()
    assert [m["from"] for m in opening] == ["bot"] * len(opening)
    assert "機械" in opening[0]["text"]

    answer = await hanako.talk(HANAKO)

    assert answer == ["話してくださって、ありがとうございます。", "それは、いつごろからですか。"]
    (case,) = await town.cases()
    assert status(case) == "collecting"
    found = {field["id"] for field in case.assessment["fields"]}
    assert {"work", "housing", "education"} <= found
    assert "家賃" in case.complaint


async def test_a_burst_of_fragments_is_one_turn_with_one_answer(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    rasa.pause = 0.2
    await hanako.write("あの")
    await asyncio.gather(*(hanako.write(text) for text in ("家賃が", "払えなくて", "どうしたらいいか")))
    await town.quiet()

    turns = {m.turn_id for m in await town.messages() if m.sender == "resident"}
    assert len(turns) <= 2, "the fragments that waited while the first turn ran are taken together"
    assert len([m for m in await town.messages() if m.sender == "bot" and m.turn_id]) == 2 * len(turns)


async def test_the_answer_to_a_question_is_filed_under_its_topic(town: Town) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(HANAKO)
    await hanako.talk("去年の秋からです")

    (case,) = await town.cases()
    assert case.assessment["topics"]["since"] == "去年の秋からです"


@pytest.mark.parametrize(
    ("answer", "status_code"),
    [
        ([], 200),
        (b"<html>", 200),
        ({"text": "no list"}, 200),
        ([{"text": ""}], 200),
        ([{"text": 7}], 200),
        ([{"image": "x"}], 200),
        ([{"text": "長" * 2000}], 200),
        ([{"text": "ほんとう？"}], 500),
    ],
)
async def test_a_rasa_that_answers_nonsense_is_never_seen(
    town: Town, rasa: StandInRasa, answer: object, status_code: int
) -> None:
    rasa.answer, rasa.status = answer, status_code
    hanako = town.resident()
    await hanako.come()

    said = await hanako.talk(HANAKO)

    assert any("相談員が、かならず読みます。" in text for text in said)
    (case,) = await town.cases()
    assert status(case) == "waiting", "a person is needed where the dialogue failed"


async def test_a_frozen_or_dead_rasa_is_left_alone_for_a_while(town: Town, rasa: StandInRasa) -> None:
    rasa.pause = 30
    hanako, taro = town.resident(), town.resident()
    await hanako.come()
    await taro.come()
    await hanako.talk("眠れません")
    asked = len(rasa.asked)
    await taro.talk("仕事がありません")
    assert len(rasa.asked) == asked, "nobody waits for the time-out a second time"


async def test_an_idle_connection_that_rasa_ends_costs_no_answer(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    rasa.hang_ups = 1
    assert await hanako.talk(HANAKO) == ["話してくださって、ありがとうございます。", "それは、いつごろからですか。"]
    rasa.hang_ups = 2
    assert words().reception.person in "".join(await hanako.talk("去年の秋からです"))


async def test_the_next_trouble_is_not_filed_as_an_answer(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(HANAKO)
    await hanako.talk("夫は毎日お酒を飲んで、どなります")
    rasa.say("はい、とばします。", do="skip")
    await hanako.talk("とばす")

    (case,) = await town.cases()
    assert case.assessment["topics"]["since"] == "夫が仕事を辞めてから"


async def test_danger_brings_verified_numbers_and_the_top_of_the_queue_without_rasa(
    town: Town, rasa: StandInRasa
) -> None:
    rasa.answer = []
    hanako, taro = town.resident(), town.resident()
    await taro.come()
    await taro.talk("仕事がありません")
    await hanako.come()
    said = "\n".join(await hanako.talk("もう死にたいです。今夜で終わりにします"))

    assert "0120-279-338" in said
    by_urgency = sorted(await town.cases(), key=lambda case: -case.urgency)
    assert by_urgency[0].urgency >= 2
    assert status(by_urgency[0]) == "waiting"


async def test_text_that_looks_like_a_command_is_text(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk("/restart")
    await hanako.talk('  /ask_person{"a": 1}')
    assert [asked["message"][0] for asked in rasa.asked] == ["／", "／"]


async def test_rasa_gets_no_more_than_it_needs(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk("長い話です。" * 400)
    (asked,) = rasa.asked
    assert len(asked["message"]) <= 200
    assert hanako.token not in str(asked)


async def test_summary_and_end_are_filled_in_by_the_service(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(HANAKO)
    rasa.answer = [
        {"text": "ここまでのお話です。"},
        {"custom": {"do": "show_summary"}},
        {"text": "ちがうところはありますか。"},
    ]
    shown = await hanako.talk("以上です")
    assert any(text.startswith("こう受けとめました。") for text in shown)
    rasa.answer = [{"text": "ありがとうございました。"}, {"custom": {"do": "finish"}}]
    ended = await hanako.talk("はい、合っています")
    assert any("窓口が開いている時間" in text for text in ended)
    (case,) = await town.cases()
    assert status(case) == "waiting"


async def test_whoever_falls_silent_waits_for_a_person(town: Town) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk("こんにちは")
    town.clock.forward(minutes=31)
    town.service.bells.ring(SWEEP)

    async def waits() -> bool:
        return [status(case) for case in await town.cases()] == ["waiting"]

    await town.until(waits)


async def test_no_answer_is_the_words_of_another_language_file(town: Town) -> None:
    assert words("../ja").opening == words("ja").opening


texts = st.text(min_size=1, max_size=300).filter(lambda text: text.strip())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(texts, min_size=1, max_size=3), rasa_answers=st.sampled_from(["well", "empty", "dead"]))
async def test_no_path_ends_outside_the_queue(
    town: Town, rasa: StandInRasa, written: list[str], rasa_answers: str
) -> None:
    rasa.status = {"well": 200, "empty": 200, "dead": 500}[rasa_answers]
    somebody = town.resident()
    await somebody.come()
    answered = [await somebody.write(text) for text in written]
    await town.quiet()

    accepted = [response.json()["id"] for response in answered if response.status_code == 202]
    by_id = {message.id: message for message in await town.messages()}
    open_cases = {case.id for case in await town.cases() if case.closed_at is None}
    for message_id in accepted:
        assert by_id[message_id].turn_id is not None
        assert by_id[message_id].case_id in open_cases


async def asked_with(town: Town, rasa: StandInRasa, *texts: str) -> dict[str, object]:
    """What Rasa was told of the last of these texts."""
    hanako = town.resident()
    await hanako.come()
    for text in texts:
        await hanako.talk(text)
    metadata: dict[str, object] = rasa.asked[-1]["metadata"]
    return metadata


async def test_who_has_no_place_to_sleep_is_not_asked_where_they_live(town: Town, rasa: StandInRasa) -> None:
    assert (await asked_with(town, rasa, "今夜寝るところがない"))["place"] == "now"
    assert (await asked_with(town, rasa, HANAKO))["place"] == "home"


async def test_a_text_without_a_letter_is_known_as_one(town: Town, rasa: StandInRasa) -> None:
    assert (await asked_with(town, rasa, "😭😭😭"))["wordless"] is True
    assert (await asked_with(town, rasa, "あ"))["wordless"] is False


async def test_whoever_fears_to_be_seen_is_first_asked_whether_it_is_safe(town: Town, rasa: StandInRasa) -> None:
    known = await asked_with(town, rasa, "夫に見られたら困るので、短く書きます")
    assert (known["topic"], known["careful"]) == ("contact", True)


async def test_a_mother_who_fears_her_own_hand_is_shown_how_to_step_back(town: Town, rasa: StandInRasa) -> None:
    known = await asked_with(town, rasa, "赤ちゃんが泣きやまなくて", "ゆさぶってしまいそうで、こわいです")
    assert known["danger_kind"] == "harm"
    assert (await asked_with(town, rasa, "夫に毎日殴られています"))["danger_kind"] == "violence"


async def test_a_question_names_the_one_it_is_about(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    rasa.say("うかがいました。", "[[who]]は、どなたかと暮らしていますか。")
    said = await hanako.talk("妹が二人の子を抱えて働いています。妹は眠れていません")
    assert said[-1] == "妹さんは、どなたかと暮らしていますか。"


async def test_a_yes_to_the_summary_leaves_what_was_confirmed(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(HANAKO)
    await hanako.talk("ばあちゃんのトイレと、うつの母の薬を、毎日ぼくがやってます")
    [before] = await town.cases()
    for reply in ("はい、合っています", "ここで大丈夫です", "とばす"):
        await hanako.talk(reply)
    [after] = await town.cases()
    for what in ("household", "fields", "services", "speaker", "urgency"):
        assert after.assessment[what] == before.assessment[what]


async def test_what_is_said_to_the_summary_stands_before_the_counselor(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(HANAKO)
    rasa.say("書いてくださって、ありがとうございます。", do="correct")
    await hanako.talk("亡くなったのは、妹の夫の父です")
    await hanako.talk("妹の夫は元気です")
    [case] = await town.cases()
    assert "【まとめを見て】「亡くなったのは、妹の夫の父です……妹の夫は元気です」" in case.summary


async def test_a_long_letter_is_not_forgotten_at_the_next_short_answer(town: Town, rasa: StandInRasa) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.talk(f"母は八十四で、要介護三です。息子は二十六で、仕事についていません。{'順に書きます。' * 250}")
    await hanako.talk("妻と四人です")
    [case] = await town.cases()
    members = {member["relation"]: member for member in case.assessment["household"]["members"]}
    assert members["mother"]["age"] == 84
    assert {"son", "wife"} <= set(members)

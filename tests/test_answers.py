"""What is filed as an answer, and what is not: the next trouble must not stand before a counselor as a wish."""

from pathlib import Path

import pytest
import yaml

from bot.answers import answers, has_no_place, may_be_seen, of_now, says_nothing_new, to_take_up, told, with_told
from bot.understanding import Assessment, Reading

TELLS = Reading(tells=True)


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("since", "去年の秋からです"),
        ("since", "三か月くらい"),
        ("since", "おじいさんが なくなってからです"),
        ("since", "わからない"),
        ("household", "夫と娘と息子とわたしの四人です"),
        ("household", "ひとりぐらしです"),
        ("household", "母っちゃと二人だ"),
        ("tried", "役所に電話したら、別の課にまわされました"),
        ("tried", "だれにも言うておりません"),
        ("tried", "まだです"),
        ("wish", "家賃のことを、まずどうにかしたいです"),
        ("wish", "息子が外に出られるようになれば"),
        ("wish", "ちょっと休みたか"),
        ("contact", "昼のあいだだけ、ここに書いてください"),
        ("contact", "電話がいいです"),
        ("area", "川原の団地です"),
    ],
)
def test_an_answer_is_filed_whatever_else_it_tells(topic: str, text: str) -> None:
    assert answers(topic, text, TELLS, ())


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("since", "息子に知られるのがこわいです"),
        ("since", "夫にお金をぜんぶ取りあげられています"),
        ("tried", "夫は毎日お酒を飲んで、パチンコにもつぎこみます"),
        ("wish", "わたしはパートを二つかけもちしています"),
        ("contact", "わたしが行くと怒るし"),
        ("area", "仕事もあるし"),
        ("household", "上司がどなる"),
    ],
)
def test_the_next_trouble_is_no_answer(topic: str, text: str) -> None:
    assert not answers(topic, text, TELLS, ())


@pytest.mark.parametrize("does", ["skip", "aside", "offer_person", "finish", "delete_request", "correct"])
def test_what_was_meant_otherwise_is_no_answer(does: str) -> None:
    assert answers("since", "去年からです", TELLS, ["show_summary"])
    assert not answers("since", "去年からです", TELLS, [does])


@pytest.mark.parametrize("text", ["いつ返事もらえますか", "去年から？", "…", "あ", "うーん"])
def test_a_question_back_or_a_sigh_is_no_answer(text: str) -> None:
    assert not answers("since", text, Reading(), ())


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("since", "先週の水曜、契約をしてしまいました"),
        ("since", "去年の秋に、弟を亡くしました"),
        ("since", "もう二年になるばい"),
        ("household", "ひとりぐらしです"),
        ("household", "息子と二人で暮らしております"),
        ("household", "友だちの家を転々としています"),
        ("since", "来月離婚します"),
        ("since", "三月に定年になりました"),
        ("tried", "だれにも言えなくて"),
        ("tried", "だれにも言わないできました"),
        ("tried", "だれとも はなさない ひが つづきます"),
        ("contact", "電話はできないので、文字でお願いします"),
        ("contact", "でんわには でられません"),
    ],
)
def test_what_was_told_is_not_asked(topic: str, said: str) -> None:
    assert told(topic, f"こんにちは\n{said}")


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("since", "母の年金が足りません"),
        ("since", "十一歳です"),
        ("household", "夫が飲みます"),
        ("wish", "休みたいです"),
        ("since", "来月から給料が出ません"),
        ("tried", "だれにも言わない？"),
        ("tried", "だれにも言わないでください"),
        ("tried", "だれにも言わないで"),
        ("tried", "だれにも話さないでよ"),
        ("contact", "電話がいいです"),
    ],
)
def test_what_was_not_told_may_be_asked(topic: str, said: str) -> None:
    assert not told(topic, said)


def test_what_was_told_by_itself_stands_before_the_counselor() -> None:
    told_now = with_told(Assessment(), "会社をやめました。だれにも言えなくて。ずっとです", 200)
    assert told_now.topics == {"tried": "だれにも言えなくて"}
    assert (
        with_told(told_now.with_topic("tried", "姉に話した"), "だれとも話していません", 200).topics["tried"]
        == "姉に話した"
    )


def test_what_is_still_to_come_is_not_since_when() -> None:
    assert of_now(Reading(topics={"since": "二週間くらい入院になりそうです", "wish": "休みたい"})).topics == {
        "wish": "休みたい"
    }
    assert of_now(Reading(topics={"since": "先週から"})).topics == {"since": "先週から"}


DOMAIN = Path(__file__).parent.parent / "bot/rasa/domain.yml"


def _buttons() -> set[str]:
    responses = yaml.safe_load(DOMAIN.read_text(encoding="utf-8"))["responses"]
    wordings = [one for name, all_of_it in responses.items() if name != "utter_change_language" for one in all_of_it]
    return {button[kind] for one in wordings for button in one.get("buttons", ()) for kind in ("title", "payload")}


def test_our_own_buttons_change_nothing_that_was_understood() -> None:
    assert {text for text in _buttons() if not says_nothing_new(text)} == set()


@pytest.mark.parametrize(
    "text", ["わかりませんが、夫が飲みます", "はい、母も寝こんでいます", "電話がいいですが、夫に見られます"]
)
def test_a_reply_that_tells_more_is_read(text: str) -> None:
    assert not says_nothing_new(text)


def test_a_fear_to_be_seen_is_heard() -> None:
    assert may_be_seen("夫に見られたら困るので、短く書きます")
    assert may_be_seen("夫が携帯を見るので、昼だけにしてください")
    assert may_be_seen("夫が携帯を見て、怒ります")
    assert not may_be_seen("夫が職を失いました")
    assert not may_be_seen("スマホを見て知りました。息子は一日中、画面を見てばかりです")


def test_who_has_somewhere_to_sleep_may_be_asked_where_they_live() -> None:
    assert has_no_place("今夜から寝るところがありません")
    assert not has_no_place("寝る場所はあるけど、仕事がないです")


@pytest.mark.parametrize(
    ("echo", "text", "taken_up"),
    [
        ("母のことで", "母のことで", None),
        ("鍋を焦がし", "鍋を焦がしたり", "鍋を焦がしたり"),
        ("家賃が払えません", "家賃が払えません", "家賃が払えません"),
    ],
)
def test_only_what_can_be_said_back_is_taken_up(echo: str, text: str, taken_up: str | None) -> None:
    assert to_take_up(echo, text) == taken_up

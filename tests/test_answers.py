"""What is filed as an answer, and what is not: the next trouble must not stand before a counselor as a wish."""

import pytest

from bot.answers import answers, told
from bot.understanding import Reading

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


@pytest.mark.parametrize("text", ["いつ返事もらえますか", "去年から？", "…", "あ"])
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
    ],
)
def test_what_was_not_told_may_be_asked(topic: str, said: str) -> None:
    assert not told(topic, said)

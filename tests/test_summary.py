"""The summary: nothing that was not told, in words that its readers use."""

from typing import Any

import pytest

from handoff import kin, summary, understood
from handoff.words import words
from knowledge_base.vocabulary import vocabulary

MOTHER = {
    "speaker": "self",
    "urgency": {"level": "urgent", "kinds": ["no_food"], "quote": "今日食べるものがありません"},
    "fields": [
        {"id": "poverty", "confidence": 0.95, "quotes": ["今日食べるものがありません"], "example": ""},
        {"id": "housing", "confidence": 0.9, "quotes": ["家賃を滞納していて"], "example": ""},
        {"id": "work", "confidence": 0.8, "quotes": ["夫が仕事を辞めて"], "example": ""},
        {"id": "education", "confidence": 0.8, "quotes": ["娘も学校に行けていません"], "example": ""},
    ],
    "services": [],
    "household": {
        "members": [
            {"relation": "self", "age": None, "fields": ["poverty"], "quotes": ["今日食べるものがありません"]},
            {"relation": "husband", "age": 47, "fields": ["work"], "quotes": ["夫が仕事を辞めて"]},
            {"relation": "daughter", "age": 14, "fields": ["education"], "quotes": ["娘も学校に行けていません"]},
        ],
        "focus": None,
    },
    "topics": {"since": "夫が仕事を辞めてから", "wish": "娘が学校に行けるように"},
}  # fmt: skip
NOTHING: dict[str, Any] = {}


def test_a_counselor_reads_danger_first_and_then_who_what_and_since_when() -> None:
    lines = summary.summarise(MOTHER).splitlines()
    assert [line[1 : line.index("】")] for line in lines] == [
        "危険", "話した人", "困りごと", "いつから", "世帯", "分野", "のぞみ", "まだ聞いていないこと",
    ]  # fmt: skip
    assert lines[0] == "【危険】緊急（食べる物がない）「今日食べるものがありません」"
    assert "夫（47歳）：雇用・就労／娘（14歳）：教育・不登校" in lines[4]
    assert lines[-1] == "【まだ聞いていないこと】これまでに試したこと、連絡のとりかた、お住まいの地域"


def test_a_resident_reads_a_line_a_person_in_everyday_words() -> None:
    assert understood.for_resident(MOTHER) == [
        "あなた：毎日の暮らしのこと。「今日食べるものがありません」",
        "夫（47歳）：仕事のこと。「夫が仕事を辞めて」",
        "娘さん（14歳）：学校や勉強のこと。「娘も学校に行けていません」",
        "そのほか：住まいのこと。「家賃を滞納していて」",
        "のぞみ：「娘が学校に行けるように」",
    ]


SAID = (
    "夫（47）が去年仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません\n"
    "息子はハタチで、アルバイトが三日と続きません。小さいころから人と話すのが苦手でした\nばあちゃんと五人です"
)

PART_TIME = "アルバイトが三日と続きません"


def test_whoever_was_named_stands_there_with_words_of_their_own() -> None:
    found = {
        "speaker": "family",
        "said": SAID,
        "fields": [
            {"id": "work", "confidence": 0.9, "quotes": ["夫（47）が去年仕事を辞めてから", PART_TIME]},
            {"id": "education", "confidence": 0.9, "quotes": ["中学生の娘も学校に行けていません"]},
        ],
        "household": {
            "members": [
                _member("self", quotes=["わたしはパートを二つかけもちしています"]),
                _member("husband", "work", age=47, quotes=["夫（47）が去年仕事を辞めてから"]),
                _member("daughter", quotes=["中学生の娘も学校に行けていません"]),
                _member("son", quotes=["息子はハタチで"]),
                _member("grandmother", quotes=["ばあちゃんと五人です"]),
            ]
        },
    }  # fmt: skip
    assert understood.for_resident(found) == [
        "あなた：「わたしはパートを二つかけもちしています」",
        "夫（47歳）：仕事のこと。「夫（47）が去年仕事を辞めてから」",
        "娘さん：学校や勉強のこと。「中学生の娘も学校に行けていません」",
        "息子さん：仕事のこと。「息子はハタチで、アルバイトが三日と続きません」",
        "おばあさん：「ばあちゃんと五人です」",
    ]
    of_household = dict(summary.lines(found, ""))["世帯"]
    assert "息子「息子はハタチで、アルバイトが三日と続きません」" in of_household


@pytest.mark.parametrize(
    ("relation", "words_of_another"),
    [
        ("father", "祖父が入院しました"), ("father", "夫の父が入院しました"), ("mother", "叔母が毎日来ます"),
        ("mother", "祖父母が入院しました"), ("husband", "いろいろ工夫もしました"),
        ("daughter", "孫娘が学校に行きません"), ("younger_brother", "兄弟がけんかをします"),
    ],
)  # fmt: skip
def test_nobody_is_quoted_with_the_words_of_another_whose_name_holds_theirs(
    relation: str, words_of_another: str
) -> None:
    assert kin.own_words(_member(relation), words_of_another) == ""


def test_what_stands_beside_a_name_is_not_put_to_it() -> None:
    quote = "母の介護で仕事をやめました"
    found: dict[str, Any] = {
        "said": quote,
        "fields": [{"id": "work", "confidence": 0.9, "quotes": [quote]}],
        "household": {"members": [_member("self", "work", quotes=[quote]), _member("mother", quotes=[quote])]},
    }
    told = [f"あなた：仕事のこと。「{quote}」", f"お母さん：「{quote}」"]
    assert understood.for_resident(found) == told
    found["fields"] = [*found["fields"], {"id": "elderly", "confidence": 0.9, "quotes": [quote]}]
    assert understood.for_resident(found) == [*told, "そのほか：年を重ねてからの暮らしのこと"]


def test_who_harms_is_not_named_with_the_harm_as_their_trouble() -> None:
    quote = "兄が母をたたきます"
    found = {
        "said": quote,
        "fields": [{"id": "abuse", "confidence": 0.9, "quotes": [quote]}],
        "household": {"members": [_member("older_brother", quotes=[quote])]},
    }
    assert understood.for_resident(found)[0] == f"お兄さん：「{quote}」"


def test_who_writes_for_themselves_alone_reads_all_troubles_as_theirs() -> None:
    found = {"said": "毎日つらいです", "fields": [{"id": "health", "confidence": 0.9, "quotes": ["毎日つらいです"]}]}
    assert understood.for_resident(found) == ["あなた：こころと体の調子のこと。「毎日つらいです」"]


def test_what_is_doubtful_or_answers_another_question_is_not_read_back() -> None:
    found = {
        "said": "家賃が払えない。うるさい",
        "fields": [
            {"id": "housing", "confidence": 0.9, "quotes": ["家賃が払えない", "港町です"]},
            {"id": "abuse", "confidence": 0.4, "quotes": ["うるさい"]},
        ],
        "topics": {"area": "港町です", "tried": "まだです", "wish": "わからない"},
    }
    assert understood.for_resident(found) == [
        "あなた：住まいのこと。「家賃が払えない」",
        f"これまで：{words().not_yet}",
    ]


def test_a_wish_to_die_is_read_back_only_where_it_was_heard() -> None:
    quote = "これで全部です"
    found = {"said": quote, "fields": [{"id": "suicide", "confidence": 0.9, "quotes": [quote]}]}
    assert understood.for_resident(found) == []
    of_another = found | {"household": {"members": [_member("son", "suicide", quotes=["息子がなにも話しません"])]}}
    assert understood.for_resident(of_another) == ["息子さん：「息子がなにも話しません」"]


def test_a_child_is_called_a_child() -> None:
    found = {"household": {"members": [_member("other", age=0, quotes=["四か月の赤ちゃんがいて"])]}}
    assert understood.for_resident(found) == ["赤ちゃん（0歳）：「四か月の赤ちゃんがいて」"]
    assert dict(summary.lines(found, ""))["世帯"] == "赤ちゃん（0歳）「四か月の赤ちゃんがいて」"


def test_a_question_says_of_whom_where_that_is_plain() -> None:
    sister, father = _member("younger_sister", "health"), _member("father")
    assert understood.called({"household": {"members": [_member("self"), sister, father]}}) == "妹さん"
    assert understood.called({"household": {"members": [sister | {"fields": []}, father]}}) == words().someone
    assert understood.called(NOTHING) == words().someone


def _member(relation: str, *fields: str, age: int | None = None, quotes: list[str] | None = None) -> dict[str, Any]:
    return {"relation": relation, "age": age, "fields": list(fields), "quotes": quotes or []}


def test_a_resident_is_told_no_name_of_a_field_or_a_desk() -> None:
    for field in vocabulary().fields.values():
        found = {"fields": [{"id": field.id, "confidence": 0.9, "quotes": ["ことば"], "example": ""}]}
        [line] = understood.for_resident(
            found | {"urgency": {"level": "watch", "kinds": ["suicide"], "quote": "ことば"}}
        )
        assert field.id not in line
        assert not any(jargon in line for jargon in ("支援", "対策", "就労", "困窮", "依存", "障害", "虐待", "・"))


def test_every_name_of_the_vocabulary_has_words() -> None:
    assert set(words().fields_plainly) == set(vocabulary().fields)
    assert set(words().relations) == set(words().relations_kindly)
    kinds = {kind for hotline in vocabulary().hotlines.values() for kind in hotline.kinds}
    assert kinds <= set(words().kinds)


def test_the_complaint_is_made_of_quotes_alone_danger_first_each_once() -> None:
    assert summary.complaint(MOTHER) == (
        "今日食べるものがありません……家賃を滞納していて……夫が仕事を辞めて……娘も学校に行けていません"
    )


def test_the_complaint_stays_within_its_measure() -> None:
    quotes = [f"{i}{'あ' * 80}" for i in range(5)]
    long = {"fields": [{"id": "work", "confidence": 0.9, "quotes": quotes, "example": ""}]}
    assert summary.complaint(long) == f"{quotes[0]}……{quotes[1]}"
    endless = {"fields": [{"id": "work", "confidence": 0.9, "quotes": ["あ" * 900], "example": ""}]}
    assert len(summary.complaint(endless)) == 200


def test_where_nothing_was_told_nothing_is_said() -> None:
    assert summary.complaint(NOTHING) == ""
    assert understood.for_resident(NOTHING) == []
    assert summary.summarise(NOTHING).splitlines()[0] == "【話した人】ご本人"
    assert summary.not_asked({}) == ["since", "household", "tried", "wishes", "contact", "area"]


def test_what_is_cut_is_cut_at_a_boundary_and_says_so() -> None:
    assert summary.shorten("短い", 10) == "短い"
    assert summary.shorten("家賃が払えません。電話も止まりそうです", 14) == "家賃が払えません…"
    assert summary.shorten("あ" * 20, 10) == "あ" * 9 + "…"

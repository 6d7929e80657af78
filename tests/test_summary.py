"""The summary: nothing that was not told, in words that its readers use."""

from typing import Any

from handoff import summary
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
    assert summary.for_resident(MOTHER) == [
        "あなた：毎日の暮らしのこと「今日食べるものがありません」",
        "夫（47歳）：仕事のこと「夫が仕事を辞めて」",
        "娘さん（14歳）：学校や勉強のこと「娘も学校に行けていません」",
        "暮らし：住まいのこと「家賃を滞納していて」",
        "のぞみ：「娘が学校に行けるように」",
    ]


def test_a_resident_is_told_no_name_of_a_field_or_a_desk() -> None:
    for field in vocabulary().fields.values():
        found = {"fields": [{"id": field.id, "confidence": 0.9, "quotes": ["ことば"], "example": ""}]}
        [line] = summary.for_resident(found)
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
    assert summary.for_resident(NOTHING) == []
    assert summary.summarise(NOTHING).splitlines()[0] == "【話した人】ご本人"
    assert summary.not_asked({}) == ["since", "household", "tried", "wishes", "contact", "area"]


def test_what_is_cut_is_cut_at_a_boundary_and_says_so() -> None:
    assert summary.shorten("短い", 10) == "短い"
    assert summary.shorten("家賃が払えません。電話も止まりそうです", 14) == "家賃が払えません…"
    assert summary.shorten("あ" * 20, 10) == "あ" * 9 + "…"

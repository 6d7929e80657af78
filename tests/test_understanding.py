"""What a text tells: findings with their quotes, bad input, and the commands over it."""

import io
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding import Assessment, Understander
from bot.understanding.clauses import fold, split
from knowledge_base.vocabulary import vocabulary
from tests.reading import read
from uketome import understand

README = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"


def test_the_sentence_of_the_readme(reader: Understander) -> None:
    assessment, reading = read(reader, README)
    found = {f.id for f in assessment.fields}
    assert {"work", "housing", "education"} <= found
    ages = {m.relation: m.age for m in assessment.members}
    assert ages == {"husband": None, "daughter": None, "self": None}  # 「中学生」 is no age
    assert reading.tells
    assert reading.urgency.level == "none"
    assert reading.echo is not None
    assert len(reading.echo) <= 25
    assert reading.echo in README
    assert 1 <= len(reading.services) <= 5


@pytest.mark.parametrize(
    "text",
    [
        "こんにちは",
        "あのう",
        "えっと、あの",
        "ありがとうございました。",
        "ごみの日はいつですか",
        "住民票の取り方を教えてください",
        "はい",
        "👍",
    ],
)
def test_small_talk_and_administration_tell_nothing(reader: Understander, text: str) -> None:
    _, reading = read(reader, text)
    assert reading.fields == ()
    assert reading.services == ()
    assert not reading.tells
    assert reading.echo is None


def test_quotes_of_every_finding_stand_in_the_text(reader: Understander) -> None:
    text = "父が八十五で認知症が進み、母は腰痛です。\nわたしは52、介護で仕事を休みがちで給料が減りました。死にたい"
    reading = reader.read(text, Assessment())
    quotes = [f.quote for f in reading.fields] + [s.quote for s in reading.services] + [reading.urgency.quote]
    quotes += [q for m in reading.members for q in m.quotes] + list(reading.topics.values())
    assert quotes
    assert all(quote and quote in text for quote in quotes)


ANY = st.text(st.characters(exclude_categories=[]), max_size=200) | st.text(
    "夫妻母父が死にたい家賃。、「」\n 4７歳私は娘\u3000", max_size=120
)


@settings(max_examples=200, deadline=None)
@given(ANY)
def test_whatever_is_written_quotes_are_its_own_words(reader: Understander, text: str) -> None:
    reading = reader.read(text, Assessment())
    known = vocabulary()
    assert all(f.id in known.fields and f.quote in text and 0 <= f.confidence <= 1 for f in reading.fields)
    assert all(s.id in known.services and s.quote in text for s in reading.services)
    assert all(q in text for m in reading.members for q in m.quotes)
    assert reading.urgency.quote in text
    assert (reading.urgency.quote == "") == (reading.urgency.level == "none")
    assert all(words in text for words in reading.topics.values())
    assert reading.echo is None or (reading.echo in text and len(reading.echo) <= 25)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t　",
        "😀" * 10_000,
        "\ud800\udfff",
        "\u202e\u202d\u2066",
        "\x00\x01\x07\x1b",
        "12345 67890",
        "asdfghjkl qwerty",
        "縺薙ｓ縺ｫ縺｡縺ｯ",
        "Ж" * 100,
        "<script>alert(1)</script>",
        "９８７６５４３２１",
        "👨‍👩‍👧",
        "😭",
        "ã\x81\x82ã\x81\x84ã\x81\x86",
        "สวัสดีครับ",
        "안녕하세요",
        "wwwwwwww",
        "ああああああああ",
        "？？？？",
    ],
)
def test_what_says_nothing_makes_no_field(reader: Understander, text: str) -> None:
    reading = reader.read(text, Assessment())
    assert reading.fields == ()
    assert reading.members == ()
    assert reading.urgency.level == "none"


def test_very_long_text_and_the_same_word_a_thousand_times(reader: Understander) -> None:
    long = "家賃が払えません。" * 600
    found = {f.id for f in reader.read(long, Assessment()).fields}
    assert "housing" in found
    reader.read("つらい" * 1000, Assessment())
    reader.read("私は夫と" * 1250, Assessment())


@pytest.mark.parametrize("word", ["はい。", "あの、", "ありがとう", "😀", "7", "ね", "the ", "田中"])
def test_a_word_that_tells_nothing_tells_nothing_a_thousand_times(reader: Understander, word: str) -> None:
    reading = reader.read(word * 1000, Assessment())
    assert reading.fields == ()
    assert reading.urgency.level == "none"


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("ﾔﾁﾝｶﾞﾊﾗｴﾏｾﾝ", "ヤチンガハラエマセン"),
        ("母は８５歳でデイサービスに通っています", "母は85歳でデイサービスに通っています"),
        ("ﾃﾞｨｻｰﾋﾞｽを断られ、介護でもう限界です", "ディサービスを断られ、介護でもう限界です"),
        ("Ｉ　ｗａｎｔ　ｔｏ　ｄｉｅ", "I want to die"),
    ],
)
def test_narrow_and_wide_letters_tell_the_same(reader: Understander, narrow: str, wide: str) -> None:
    one, other = reader.read(narrow, Assessment()), reader.read(wide, Assessment())
    assert [finding.id for finding in one.fields] == [finding.id for finding in other.fields]
    assert one.urgency.level == other.urgency.level
    assert [(m.relation, m.age, m.fields) for m in one.members] == [
        (m.relation, m.age, m.fields) for m in other.members
    ]
    assert all(finding.quote in narrow for finding in one.fields)


def test_trouble_stands_out_of_five_thousand_letters(reader: Understander) -> None:
    text = "庭の柿が色づきました。" * 200 + "実は夫に毎晩殴られています。" + "お茶をいただきました。" * 200
    reading = reader.read(text, Assessment())
    assert reading.urgency.at_least("urgent")
    assert "殴られ" in reading.urgency.quote


def test_what_the_text_tells_of_its_own_accord(reader: Understander) -> None:
    reading = reader.read(
        "去年から母と二人暮らしです。役所に相談したら断られました。話を聞いてほしいです", Assessment()
    )
    assert {"since", "household", "tried", "wish"} <= reading.told


@pytest.mark.parametrize(
    "text",
    [
        "もう死にたい",
        "夫に殴られて血が出た",
        "山田花子さんにお金を返せません",
        "電話は0901234567です、家賃が払えません",
    ],
)
def test_an_echo_never_repeats_danger_names_or_numbers(reader: Understander, text: str) -> None:
    echo = reader.read(text, Assessment()).echo or ""
    assert not any(word in echo for word in ("死", "殴", "血", "山田", "090"))


def test_an_answer_to_a_question_replaces_what_was_told() -> None:
    assert Assessment(topics={"since": "昔から"}).with_topic("since", "三年前").topics == {"since": "三年前"}


def test_json_and_back(reader: Understander) -> None:
    assessment, _ = read(reader, README, "私は45です。もう死にたい")
    assert Assessment.from_json(json.loads(json.dumps(assessment.to_json()))) == assessment
    assert Assessment.from_json({}) == Assessment()


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_clauses_cover_the_text_in_order(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    clauses = split(folded)
    assert all(a.end <= b.start for a, b in pairwise(clauses))
    assert all(folded[c.start : c.end] == c.text for c in clauses)


def test_the_command_answers_line_by_line() -> None:
    rows = [
        {"id": "a", "text": README},
        {"id": "b", "turns": ["妻が入院しました", "52です"]},
        {"id": "c", "text": "\ud800"},
    ]
    out = io.StringIO()
    understand.run(io.StringIO("\n".join(json.dumps(row) for row in rows) + "\n\n"), out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [a["id"] for a in answers] == ["a", "b", "c"]
    assert {"fields", "services", "urgency", "members"} <= set(answers[0])
    assert {(m["relation"], m["age"]) for m in answers[1]["members"]} >= {("wife", 52)}


@pytest.mark.parametrize("line", ["{", "[]", '{"id": 1}', '{"id": 1, "turns": [1]}'])
def test_the_command_names_the_line_that_it_cannot_read(line: str) -> None:
    with pytest.raises(understand.InputError, match="1"):
        understand.run(io.StringIO(line), io.StringIO())


def test_find_ranks_a_collection(tmp_path: Path) -> None:
    corpus = tmp_path / "faq.jsonl"
    entries = {
        "trash": "粗大ごみの出し方を教えてください",
        "book": "図書館の開館時間",
        "tax": "住民税の納付が難しいとき",
    }
    corpus.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in entries.items()), encoding="utf-8")
    out = io.StringIO()
    understand.find(corpus, io.StringIO('{"id": "q", "text": "税金が払えない"}\n{"id": "e", "text": ""}\n'), out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert answers[0]["hits"][0]["id"] == "tax"
    assert len(answers[0]["hits"]) == 3

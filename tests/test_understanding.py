"""What a text tells: findings with their quotes, households, danger, bad input, and the commands over it."""

import io
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.understanding import Assessment, Reading, Understander
from bot.understanding.ages import age_after, age_before, number
from bot.understanding.clauses import fold, split
from bot.understanding.relations import mentions
from knowledge_base.vocabulary import vocabulary
from uketome import understand

README = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"


def read(reader: Understander, *turns: str) -> tuple[Assessment, Reading]:
    assessment = Assessment()
    for turn in turns:
        reading = reader.read(turn, assessment)
        assessment = assessment.take_in(reading)
    return assessment, reading


def ages(assessment: Assessment) -> dict[str, int | None]:
    return {m.relation: m.age for m in assessment.members}


def test_the_sentence_of_the_readme(reader: Understander) -> None:
    assessment, reading = read(reader, README)
    found = {f.id for f in assessment.fields}
    assert {"work", "housing", "education"} <= found
    assert set(ages(assessment)) == {"husband", "daughter", "self"}
    assert ages(assessment)["daughter"] is None  # 「中学生」 is no age
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


@pytest.mark.parametrize("first", [1490, 1600, 6000])
def test_nobody_told_of_in_a_long_talk_is_forgotten_later(reader: Understander, first: int) -> None:
    """Whether it grows too long to be read anew at once, or with a later answer."""
    told = Assessment()
    begins = "母は84歳で、要介護3です。"
    for text in (
        begins + "順に書きます。" * ((first - len(begins)) // 7),
        "息子は26歳で、仕事についていません",
        "妻と4人です",
    ):
        told = told.take_in(reader.read(text, told))
    assert {"mother", "son", "wife"} <= {member.relation for member in told.members}
    assert [member.age for member in told.members if member.relation == "mother"] == [84]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("もう死にたいです", "suicide"),
        ("も う し に た い", "suicide"),
        ("夫に殴られています。今夜も怖いです", "dv"),
        ("三日も何も食べていません。お金もありません", "no_food"),
        ("今夜泊まるところがありません", "no_shelter"),
        ("父が風呂で倒れて返事をしません", "medical_emergency"),
        ("もう介護に疲れて、母を殺してしまいそうです", "harm_to_others"),
        ("もうむりです。I don't want to live", "suicide"),
        ("ごはんを たべて いません。おかねも ありません", "no_food"),
    ],
)
def test_danger_is_seen_with_its_kind(reader: Understander, text: str, kind: str) -> None:
    urgency = reader.read(text, Assessment()).urgency
    assert urgency.at_least("urgent")
    assert kind in urgency.kinds


@pytest.mark.parametrize(
    "text",
    [
        "死ぬほど眠いです",
        "昨日見た映画で主人公が自殺する場面に泣きました",
        "暑くて死にそうです笑",
        "カレー に し た い",
        "必死で働いています",
        "I don't want to die",
        "I don't want to live here",
        "ayaw ko pa mamatay",
        "父がすこしでも休めるようにしてあげたい",
        "でんきが きれて、くらいなかで ごはんを たべています",
        "赤ちゃんが泣きやまなくて、もう三日ほとんど寝てません",
        "主人がぼけてしもうて、夜中に出ていこうとするとよ",
        "元カレに鍵を返してもらえません。暴力とかはなかったです",
        "もうやめたいです。今日はここまでにします",
        "妹が少し休めるようにしてあげたい",
        "ごめんなさい、子どもが起きたので一旦終わります",
        "娘が帰ってきたので消えますね、また夜に",
        "痛み止めは何錠飲めば効きますか",
        "夫が死んだら健康保険がどうなるか教えてください",
        "下の子を置いていけないので、窓口に連れていきます",
        "デイサービスを使って親子で楽になりました",
        "1歳の子を家に置いて行けません",
        "犬の首にひもをかけて散歩しています",
        "バーベキューの練炭ってどこで買えますか",
        "部活の先輩、怒るとマジで殺されるんで笑 明日は早起きします",
    ],
)
def test_words_of_danger_without_danger_page_nobody(reader: Understander, text: str) -> None:
    assert not reader.read(text, Assessment()).urgency.at_least("urgent")


@pytest.mark.parametrize(
    "text",
    [
        "赤ちゃんが泣きやまなくて、ゆさぶってしまいそうです",
        "赤ちゃんがぐったりして、泣き声も出しません",
        "主人がぼけてしもうて、夜中に出ていって、まだ帰ってこんとよ。外は雪たい",
        "主人がぼけてしもうて、夜中に出ていくとよ。今夜もまだ帰ってこん、外は雪たい",
        "母がぼけて、夜中に帰ると言って出ていこうとします。もう二人で楽になりたい",
        "赤ちゃんが泣きやまなくて三日寝てません。この子と終わりにします",
        "暴力はなかったです、先週までは。",
        "夫に財布を取り上げられています。暴力はないです",
        "今日で終わりにします。今までありがとうございました",
        "今日はここまでにします。さようなら",
        "人間って何錠飲んだら起きなくなるの",
        "家内の三回忌がすんだら、わしもそっちへ行こうと思っとります",
        "わしが死んだら保険が下りる。そうすりゃ借金も片づく",
        "もう電車に飛び込みたくなる",
        "障害のある息子を置いていけない。連れていくしかないと思うようになりました",
        "障害のある娘と二人で、楽になる方法ばかり考えてしまいます",
        "寝たきりの夫のおむつ、怒鳴りながら替えてます。つねってしまうこともあります",
        "部屋で一人で産みました。まだだれも知りません",
        "4歳と1歳を寝かせてから夜の店に出てます。二人だけで朝まで",
        "兄が荒れると母と私は近所のコインランドリーで朝まで待ちます",
        "包丁研いだ。あの上司が出てくるのを駅で待ってる",
        "娘がカミソリを集めているのを見つけました",
        "夫が帰ってきたので切ります。助けて",
        "お父さんが来たので切ります。布団に入ってくる音がします",
        "また夜中に赤ちゃんがぐったりして、ミルクを飲みません",
        "家族が帰ってきたので消えます。もう戻りません",
        "また明日って言えるのもこれが最後",
        "怒ると本当に殺されるので逃げたいです",
        "夫に、私が締め出されました。もう三時間外にいます",
        "七輪と練炭を買いました。車の中にいます",
    ],
)
def test_what_stands_beside_such_words_is_heard(reader: Understander, text: str) -> None:
    assert reader.read(text, Assessment()).urgency.at_least("urgent")


def test_a_wish_to_die_that_is_likely_told_is_watched(reader: Understander) -> None:
    for text in (
        "私がいないほうがこの家はうまくいくと思います",
        "主人の葬式が終わりました。私も早くそっちに呼んでほしい",
    ):
        assert reader.read(text, Assessment()).urgency.at_least("watch")


def test_the_bereaved_are_not_watched_for_their_grief(reader: Understander) -> None:
    bereaved = reader.read("兄の自死から一年、命日が近い。雨の音がいやです", Assessment())
    assert bereaved.urgency.level == "none"


def test_a_wish_to_die_that_is_said_plainly_is_recorded(reader: Understander) -> None:
    plain = reader.read("橋の上にいます", Assessment())
    assert plain.urgency.at_least("urgent")
    assert "suicide" in {f.id for f in plain.fields}


def test_who_fears_their_own_hands_is_shown_a_voice_and_who_has_shaken_a_child_an_ambulance(
    reader: Understander,
) -> None:
    fears = reader.read("赤ちゃんが泣きやまなくて、ゆさぶってしまいそうで、こわいです", Assessment())
    assert fears.urgency.level == "urgent"
    has = reader.read("赤ちゃんを揺さぶってしまいました。ぐったりして目を開けません", Assessment())
    assert has.urgency.level == "immediate"


def test_danger_stays_when_the_talk_goes_on(reader: Understander) -> None:
    assessment, _ = read(reader, "もう死にたいです", "すみません、大丈夫です", "住所は言いたくないです")
    assert assessment.urgency.at_least("urgent")
    assert assessment.urgency.quote == "もう死にたいです"


def test_a_household_over_several_turns(reader: Understander) -> None:
    assessment, _ = read(
        reader,
        "中2の娘が学校を休みがちで、夜になると遊びに出てしまうんです",
        "夫は47です。仕事もしないで昼からお酒とパチンコです",
        "上の息子は22。何度も仕事を変わっています",
        "私は45で、パートを二つ掛け持ちしています。税金が払えていません",
        "父は去年亡くなりました。猫が一匹います",
    )
    assert ages(assessment) == {"daughter": 14, "husband": 47, "son": 22, "self": 45}
    fields = {m.relation: set(m.fields) for m in assessment.members}
    assert "education" in fields["daughter"]
    assert "addiction" in fields["husband"]
    assert "finance" in fields["self"]


def test_whoever_has_died_has_no_trouble_now(reader: Understander) -> None:
    assessment, _ = read(reader, "家内に先立たれて二年になります。私は81です", "ひとりで炊事も掃除もできません")
    assert "wife" not in ages(assessment)
    assert [m.fields for m in assessment.members if m.relation == "self"] == [("elderly",)]


@pytest.mark.parametrize("who", ["職場の後輩のことで相談です", "隣の奥さんが心配です", "幼なじみの話です"])
def test_a_friend_or_neighbour_told_of_is_the_client(reader: Understander, who: str) -> None:
    assessment, _ = read(reader, f"{who}。29の女性です。会社に行けなくなって、夜も眠れていません")
    assert assessment.speaker == "neighbor"
    assert ages(assessment) == {"client": 29}


@pytest.mark.parametrize(
    "text",
    [
        "大家ですねん。二階の62の女の人、家賃が五か月止まってます",
        "タクシーに乗りゆう者やけんど、なじみの爺さまが八十八でよ、店にも医者にもよう行かん",
        "隣のおやじ、雪かきしてねんだ。七十三だ。夜も眠れねって",
        "元バイト仲間の24女、サラ金で210万。取り立ての電話で震えてる",
        "こんばんは。大家をしている者です。一階の六十七の男の人が、ごみに埋もれて暮らしています",
    ],
)
def test_whoever_the_writer_knows_by_work_or_as_a_neighbour_is_the_client(reader: Understander, text: str) -> None:
    assessment, _ = read(reader, text)
    assert assessment.speaker == "neighbor"
    assert [m.relation for m in assessment.members] == ["client"]


@pytest.mark.parametrize(
    "text",
    [
        "隣の旦那さんが毎晩うるさくて眠れません",
        "保証人になっていた友人が逃げて、請求がうちに来ました",
        "この町に友達が一人もいません",
        "この春まで民生委員をしておりました。今度は訪ねてもらう番です",
        "子ども食堂をやってみたいです",
        "町内会長をやってますが、うちの女房が去年からぼけて困っとります。私は七十三です",
        "職場の先輩のことで相談です。毎日『使えない』って言われて、朝になると吐きます",
        "毎週来るヘルパーさんが来なくなって困っています。わしは八十四",
    ],
)
def test_trouble_with_others_is_the_writers_own(reader: Understander, text: str) -> None:
    assessment, _ = read(reader, text)
    assert assessment.speaker not in ("neighbor", "agency")


def test_the_child_that_calls_a_writer_away_is_nobody_of_the_case(reader: Understander) -> None:
    assessment, _ = read(
        reader,
        "大家ですねん。二階の62の女の人、家賃が五か月止まってます",
        "ごめんなさい、子どもが起きたので一旦終わります",
    )
    assert [m.relation for m in assessment.members] == ["client"]


def test_what_becomes_of_a_child_after_my_death_is_no_wish_to_die(reader: Understander) -> None:
    _, worried = read(
        reader, "七十九の母です。四十八の娘はもう何年も外に出ません。わたしが死んだら、娘はどうなるのでしょう"
    )
    assert {"hikikomori", "suicide"} & {f.id for f in worried.fields} == {"hikikomori"}
    _, hints = read(reader, "私が死んだら誰も困らないし、そのほうがいいのかもって")
    assert "suicide" in {f.id for f in hints.fields}


def test_fear_of_being_read_is_a_sign(reader: Understander) -> None:
    _, reading = read(reader, "主人に見つかったら怖いので、手短に書きます")
    assert reading.urgency.at_least("watch")
    assert "dv" in reading.urgency.kinds


def test_an_agency_tells_of_its_client_and_is_no_member(reader: Understander) -> None:
    assessment, _ = read(
        reader, "ケアマネジャーです。担当の84歳女性、長男さん58歳が退職して介護しています。私から見ても疲れています"
    )
    assert assessment.speaker == "agency"
    assert ages(assessment) == {"client": 84, "son": 58}


@pytest.mark.parametrize(
    ("from_where", "age"),
    [("市立東中学校の教員です", 14), ("高校の養護教諭です", 17), ("小学校の担任です", 8), ("民生委員です", 8)],
)
def test_a_pupil_of_an_agency_is_in_the_school_that_it_writes_from(
    reader: Understander, from_where: str, age: int
) -> None:
    assessment, _ = read(reader, f"{from_where}。2年生の男子生徒の件でご相談です", "母親が寝たきりに近い様子です")
    assert ages(assessment)["client"] == age


def test_a_later_first_person_does_not_turn_an_agency_into_a_resident(reader: Understander) -> None:
    assessment, _ = read(reader, "地域包括の者です。81歳の男性のことで", "私は明日は不在です")
    assert assessment.speaker == "agency"


@pytest.mark.parametrize(
    ("text", "age"),
    [("夫は四十七です", 47), ("夫47", 47), ("夫（47）", 47), ("夫は3年前から", None), ("夫は60代です", None)],
)
def test_ages_after_a_person(text: str, age: int | None) -> None:
    (mention,) = mentions(fold(text))
    assert age_after(fold(text)[mention.end :]) == age


@pytest.mark.parametrize(
    ("text", "age"),
    [("６歳の娘", 6), ("中２の娘", 14), ("四十になる娘", 40), ("小4の息子", 10), ("三か月の赤ちゃん", 0)],
)
def test_ages_before_a_person(text: str, age: int) -> None:
    (mention,) = mentions(fold(text))
    assert age_before(fold(text)[: mention.start]) == age


def test_kanji_numbers() -> None:
    assert [number(n) for n in ("十", "十七", "四十", "四十七", "百一", "百", "8")] == [10, 17, 40, 47, 101, 100, 8]


@pytest.mark.parametrize("text", ["大丈夫です", "母子家庭です", "夫婦とは何か", "映画の主人公"])
def test_words_that_only_look_like_people(text: str) -> None:
    assert mentions(fold(text)) == ()


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

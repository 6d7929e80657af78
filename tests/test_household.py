"""Whose trouble it is: the members of a household over several turns, and who writes."""

import json

import pytest

from bot.understanding import Assessment, Understander
from tests.reading import read


def ages(assessment: Assessment) -> dict[str, int | None]:
    return {m.relation: m.age for m in assessment.members}


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
        "隣家のことで。おばあさん八十四が、夜中に道へ出ています",
        "友だちのことでもいいですか。中2の女の子です。ごはんをもらえないみたいです",
        "病院で断られた友人がいます。41です。熱が下がりません",
        "班長をしとります。あすこのじいさまは八十八で、夜も灯りがつかんのです",
    ],
)
def test_whoever_the_writer_knows_by_work_or_as_a_neighbour_is_the_client(reader: Understander, text: str) -> None:
    assessment, _ = read(reader, text)
    assert assessment.speaker == "neighbor"
    assert [m.relation for m in assessment.members] == ["client"]


@pytest.mark.parametrize(
    "text",
    [
        "駅前の交番です。82歳の女性を保護しました。家が分からないそうです",
        "ドラッグストアの薬剤師です。三十八の女性が、咳止めを毎日二箱買っていきます",
        "檀那寺の者でございます。五十五の奥様が、眠れておられません",
    ],
)
def test_whoever_meets_the_client_at_work_is_no_member(reader: Understander, text: str) -> None:
    assessment, _ = read(reader, text)
    assert assessment.speaker in ("agency", "neighbor")
    assert [m.relation for m in assessment.members] == ["client"]


@pytest.mark.parametrize(
    "text",
    [
        "里親になって二年目です。小2の子をお預かりしています。夫は57です。私がもう続けられません",
        "私は全盲の六十歳です。食堂を断られました。家内は五十八で弱視です",
        "元教員です。家内が物忘れで、目が離せません",
        "保証人になっていた友人が逃げて、請求がうちに来ました",
        "この町に友達が一人もいません",
        "この春まで民生委員をしておりました。今度は訪ねてもらう番です",
        "子ども食堂をやってみたいです",
        "町内会長をやってますが、うちの女房が去年からぼけて困っとります。私は七十三です",
        "職場の先輩のことで相談です。毎日『使えない』って言われて、朝になると吐きます",
        "毎週来るヘルパーさんが来なくなって困っています。わしは八十四",
        "隣の旦那さんが毎晩うるさくて眠れません",
        "相談できる友人がいますが、お金のことは言えません。家賃が払えません",
        "仲のいい友達がいましたが、引っ越してから一人です",
        "薬局で、薬が買えませんでした。お金がありません",
        "新聞配達で、腰を痛めました。仕事に出られません",
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


def test_what_one_turn_says_plainly_stays_theirs_in_a_long_talk(reader: Understander) -> None:
    assessment, _ = read(
        reader,
        "妹は31です。仕事が続かなくて、これからどう生きていけばいいか分からないと言います",
        "夫は40で、腸の病気で入院しています。入院費が毎月かかって大変です",
        "母は70ですが、畑もやって元気です。父は会社を畳みましたが、囲碁に通って楽しそうです",
        "私は38で、パートに出ています",
    )
    fields = {member.relation: set(member.fields) for member in assessment.members}
    assert "medical" in fields["husband"]
    assert fields["younger_sister"] & {"youth", "work"}
    assert not fields["mother"]


def test_turns_before_weigh_as_much_after_a_restart(reader: Understander) -> None:
    before, _ = read(reader, "弟は29です。三年も部屋から出ず、だれとも話しません", "母は60で、膝の手術を待っています")
    again = Assessment.from_json(json.loads(json.dumps(before.to_json())))
    assert again == before
    assert again.weighed["hikikomori"] > 0.5
    text = "父は64です"
    assert reader.read(text, again) == reader.read(text, before)


@pytest.mark.parametrize(
    ("text", "relation", "growing_old"),
    [
        ("父は82、歩いて買い物に行くくらい達者です。心配なのは弟で、50になるのに部屋から出ません", "father", False),
        ("父は82、足が弱って買い物にも行けません。弟は50で、市役所に勤めています", "father", True),
        ("母は85で元気がなく、一日寝てばかりで物忘れも増えました。私は働いています", "mother", True),
    ],
)
def test_whoever_is_old_and_well_has_no_trouble_of_old_age(
    reader: Understander, text: str, relation: str, growing_old: bool
) -> None:
    assessment, _ = read(reader, text)
    [fields] = [member.fields for member in assessment.members if member.relation == relation]
    assert ("elderly" in fields) == growing_old

"""Who is told of, how old, and what they are to the writer: rules that need no model."""

from re import _parser  # type: ignore[attr-defined]  # the only one who knows what a pattern may begin with
from typing import Any

import pytest

from bot.understanding.ages import age_after, age_before, number
from bot.understanding.assessment import Household
from bot.understanding.clauses import fold, split
from bot.understanding.people import People, lives_elsewhere
from bot.understanding.relations import FIRST_LETTERS, RELATION_WORDS, mentions


def told(text: str, speaker: str = "self") -> set[tuple[str, int | None]]:
    """Relation and age of everybody whom a text names, the dead and gone excepted."""
    people = People(Household(), speaker)
    people.hear_all(split(fold(text)))
    return {(p.relation, p.age) for p in people.persons if (p.mentioned or p.age is not None) and not p.left}


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("わしは八十。ばあさんは七十八、リウマチで", {("self", 80), ("wife", 78)}),
        ("わたしは高2。ばあちゃんは78で、よく転びます", {("self", 17), ("grandmother", 78)}),
        ("孫を育ててます。七歳の女の子です", {("grandchild", 7)}),
        ("娘が二人おります。上の子は高2、下の子は中2です", {("daughter", 17), ("daughter", 14)}),
        ("上が小6、下が小4、どっちも男です", {("son", 12), ("son", 10)}),
        ("連れ子は小1の男の子です", {("son", 7)}),
        ("娘は中2です。下に弟がいて小1です", {("daughter", 14), ("son", 7)}),
        ("姉が離婚しました。旦那さんは消防で、姉は33です", {("older_sister", 33), ("relative", None)}),
        ("息子は四十五、嫁は四十三です", {("son", 45), ("relative", 43)}),
        ("母の彼氏が来るたび外に出ます。母は38", {("other", None), ("mother", 38)}),
        ("夫の おかあさん 77。わたしの 買い物を 見ます", {("mother_in_law", 77), ("self", None)}),
        ("義母は85です。お母さんは夜中に起きます", {("mother_in_law", 85)}),
        ("娘夫婦が近くにいます", {("daughter", None), ("relative", None)}),
        ("おら八十。ばさまは七十七、足が悪い", {("self", 80), ("wife", 77)}),
        ("おかあの足が悪いさ。にいに39は飲んでばっかり", {("mother", None), ("older_brother", 39)}),
        ("主人の鞄から手紙が出てきました。本人は四十四です", {("husband", 44)}),
        ("36の姉としては、妹29が心配です", {("self", 36), ("younger_sister", 29)}),
        ("床屋のおやじです。嫁には言えん", {("self", None), ("wife", None)}),
        ("うちの中3は塾に通ってます", {("other", 15)}),
        ("小5の娘は兄の足音がすると隠れます。兄は中3です", {("daughter", 11), ("son", 15)}),
        ("孫娘が学校に行きません。小5です", {("grandchild", 11)}),
        ("七十九にもなって、お父ちゃん82の世話です", {("self", 79), ("husband", 82)}),
        ("俺は81。ばあちゃんは79で、寝たきりだ", {("self", 81), ("wife", 79)}),
        ("わたしは44。お母さん71が転びました", {("self", 44), ("mother", 71)}),
        ("息子は四十六、役場勤め。その姉のほうで、五十一", {("son", 46), ("daughter", 51)}),
        ("娘は五十です。姉のほうは五十三、大阪にいます", {("daughter", 50), ("daughter", 53)}),
        ("小6です。お父さんの奥さんが、ごはんをくれません", {("self", 12), ("father", None), ("mother", None)}),
        ("夫の弟24と暮らしています。夫の妹は31です", {("relative", 24), ("relative", 31)}),
        ("妹47の旦那さんが賭け事で。姪は中3です", {("younger_sister", 47), ("relative", None), ("relative", 15)}),
        ("主人の兄が居候です。義兄は61です", {("relative", 61)}),
        ("そこの甥がな、十九で、家を出ません", {("relative", 19)}),
        ("息子が三人。上は五十八、下は四十九です", {("son", 58), ("son", None), ("son", 49)}),
        ("めいが通帳を持っています。めいは49です", {("relative", 49)}),
        ("うちのめいが通帳を持っています", {("relative", None)}),
        ("わたしのつまが入院しました", {("self", None), ("wife", None)}),
        ("八十一です。お父ちゃん84は寝たきりです。お父ちゃんの薬が高いです", {("self", 81), ("husband", 84)}),
        ("旦那の兄は62です。旦那の妹は55です", {("relative", 62), ("relative", 55)}),
        ("おとぅ66は酒ばっかり、おかぁは入院です", {("father", 66), ("mother", None)}),
    ],
)
def test_who_a_word_means_depends_on_who_writes(text: str, who: set[tuple[str, int | None]]) -> None:
    assert told(text) == who


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("利用者の女性（27・知的障害）が、お母さんと二人暮らしです。お母さん、58歳", {("client", 27), ("mother", 58)}),
        ("19歳の方です。実家のお母さまは41歳", {("client", 19), ("mother", 41)}),
        ("46歳女性、入院中。中1の女児と小3の男児がおります", {("client", 46), ("daughter", 13), ("son", 9)}),
        ("お母さんは26、お父さんは24です", {("client", 26), ("husband", 24)}),
        ("84歳女性。二階に息子さん56。母親も声を聞くだけです", {("client", 84), ("son", 56)}),
        ("要介護2の女性76。ご主人は78。奥さまが這って消しました", {("client", 76), ("husband", 78)}),
        ("83歳女性。息子さん58歳。息子さんの奥さまが通います", {("client", 83), ("son", 58), ("relative", None)}),
        ("40の奥さん。小5の坊主がいて、姉っこは中2", {("client", 40), ("son", 11), ("daughter", 14)}),
        (
            "33の奥さんです。下の男の子は五つ。お姉ちゃんの小3の子がいます",
            {("client", 33), ("son", 5), ("daughter", 9)},
        ),
        (
            "24歳の男性です。父56、母55。息子さんの足音を気にしています",
            {("client", 24), ("father", 56), ("mother", 55)},
        ),
        ("利用者34歳女性。長男は小4。祖母（58）が通っています", {("client", 34), ("son", 10), ("mother", 58)}),
        ("55歳男性、お母さま88の認知症で離職しました", {("client", 55), ("mother", 88)}),
        ("旋盤を任せとる五十二の男が休みます", {("client", 52)}),
        ("小学校の養護教諭です。小4男児、お母さんが入院中", {("client", 10), ("mother", None)}),
    ],
)
def test_who_a_word_means_when_an_agency_writes(text: str, who: set[tuple[str, int | None]]) -> None:
    assert told(text, "agency") >= who


def everybody(text: str, speaker: str = "self") -> list[tuple[str, int | None]]:
    """The same for each person, though another be alike, without who writes."""
    people = People(Household(), speaker)
    people.hear_all(split(fold(text)))
    return [(p.relation, p.age) for p in people.persons if p.relation != "self"]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("中2と小5の息子がいます", [("son", 14), ("son", 11)]),
        ("8歳と5歳の娘を一人で育てています", [("daughter", 8), ("daughter", 5)]),
        ("夫26と一歳の息子がいます", [("husband", 26), ("son", 1)]),
        ("息子は十五、中3です", [("son", 15)]),
        ("娘二人です", [("daughter", None), ("daughter", None)]),
        ("娘と二人で暮らしています", [("daughter", None)]),
        ("妹が二人の子を抱えて働いています", [("younger_sister", None)]),
        ("娘は二人で暮らしています。娘が三人家族になりました", [("daughter", None)]),
        ("夜勤の日は私と弟の二人です", [("younger_brother", None)]),
        ("小学生の子どもが二人います", [("other", None)]),  # whether sons or daughters is told later
        (
            "弟が二人いて、小5と小2です。母は夜いません",
            [("younger_brother", 11), ("younger_brother", 8), ("mother", None)],
        ),
        ("孫二人と暮らしています。中3と小6です", [("grandchild", 15), ("grandchild", 12)]),
        ("子どもは3人。小4、小1、3歳です", [("other", 10), ("other", 7), ("other", 3)]),
        ("子どもは四歳と二歳。四歳の女の子が叩きます", [("daughter", 4), ("other", 2)]),
        ("両親は78と75。父がぼけてきました", [("father", 78), ("mother", 75)]),
        ("父と母は八十三と八十です", [("father", 83), ("mother", 80)]),
        ("長男と次男は8歳と5歳です", [("son", 8), ("son", 5)]),
        ("4歳と2歳と0歳がいます", [("other", 4), ("other", 2), ("other", 0)]),
        ("5歳と2歳の子がいて働けません", [("other", 5), ("other", 2)]),
        ("隣の5歳の子が毎晩泣いています", []),
        ("3歳の双子を育てています", [("other", 3), ("other", 3)]),
        ("双子の娘が小1で、夫は遅い", [("daughter", 7), ("daughter", 7), ("husband", None)]),
        ("私と双子の妹も34です", [("younger_sister", 34)]),
        ("3歳と5ヶ月の息子がいます", [("son", 3), ("son", 0)]),
        ("子ども3人(高1、中1、小4)います", [("other", 16), ("other", 13), ("other", 10)]),
        ("子ども三人、高1女子、中1男子、小4男子です", [("daughter", 16), ("son", 13), ("son", 10)]),
        ("高1男子の母です", [("son", 16)]),
        ("息子が二人、一人は高2、もう一人は小6", [("son", 17), ("son", 12)]),
        ("お孫さんは八つと五つ、二人とも元気", [("grandchild", 8), ("grandchild", 5)]),
        ("弟２人　１１さいと８さい　おなかすいた", [("younger_brother", 11), ("younger_brother", 8)]),
        ("じいじ91ばあば89、二人で畑", [("grandfather", 91), ("grandmother", 89)]),
        ("父が七十九で母が七十六なんですが", [("father", 79), ("mother", 76)]),
        ("シングルで小3と年長の男の子を育てています", [("son", 9), ("son", None)]),  # 年長 is no age
        ("妹が三人おります。いちばん下の妹は五十九", [("younger_sister", age) for age in (None, None, 59)]),
    ],
)
def test_several_are_told_of_in_one_breath(text: str, who: list[tuple[str, int | None]]) -> None:
    assert sorted(everybody(text), key=str) == sorted(who, key=str)


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("隣の家の小3と小1の女の子が夜も二人でいます", [("client", 9), ("younger_sister", 7)]),
        ("本校4年男子と2年女子のきょうだいです", [("client", 10), ("younger_sister", 8)]),
        ("37歳女性。子ども2人(10歳女、7歳男)を同伴", [("client", 37), ("daughter", 10), ("son", 7)]),
        ("88歳男性と85歳の妻。妻が要介護3で夫が介護疲れ", [("client", 88), ("wife", 85)]),
        ("友だちの母親が飲んでばかりで、友だちが食べていません", [("client", None), ("mother", None)]),
    ],
)
def test_others_tell_of_several(text: str, who: list[tuple[str, int | None]]) -> None:
    assert everybody(text, "neighbor") == who


@pytest.mark.parametrize(
    ("text", "writer"),
    [
        ("中2女子です。学校に行きたくない", 14),
        ("高2の男子です。死にたいです", 17),
        ("中1の女子がいじめてきます。私も中1です", 13),
        ("小3の子がいます", None),
        ("妻が息子を置いて出て行きました。4歳です", None),
        ("隣の子二人(小3と小5)がいつもうちに来ます", None),
    ],
)
def test_whose_age_it_is_when_children_are_told_of(text: str, writer: int | None) -> None:
    people = People(Household(), "self")
    people.hear_all(split(fold(text)))
    assert next(p.age for p in people.persons if p.relation == "self") == writer


def test_the_elder_and_the_younger_of_those_told_of_are_no_others() -> None:
    told_of = everybody("中2と小5の息子がいます。上の子は学校に行かず、下の子は元気。子どもたちに食べさせたい")
    assert told_of == [("son", 14), ("son", 11)]
    assert everybody("孫が二人、中3と小6。上の子が荒れています") == [("grandchild", 15), ("grandchild", 12)]


def test_months_of_a_pregnancy_are_nobodys_age() -> None:
    assert everybody("息子は独身、娘は妊娠七か月です") == [("son", None), ("daughter", None)]


def test_whoever_leaves_the_children_behind_is_gone_and_they_are_not() -> None:
    assert told("夫が子どもを置いて出て行きました") == {("other", None)}
    assert told("妻が4歳と2歳の娘を置いて出て行きました") == {("daughter", 4), ("daughter", 2)}


@pytest.mark.parametrize(
    "text",
    [
        "父は会ったことがありません",
        "父はどこにいるのか分かりません",
        "母さんは俺が三つのとき死んだ",
        "夫は去年病気で。",
        "子どもはいません",
        "子どもができませんでした",
        "お腹に赤ちゃんがいます",
        "父も母も亡くなって八年です",
        "去年の春に長男が逝きました。はたちでした",
        "奥さんはとうに仏さんよ",
        "別居の夫に頭を下げたくありません",
        "父の会社の社宅です。父は去年亡くなりました",
        "名義が曾祖父のままです",
        "女房には逃げられた",
        "寮母さん大好き",
        "米は乳母車で運びます",
        "母は若い男性と出ていったきり、住所も知れません",
        "母親は所在が分かりません",
        "義父はとうに病死しています",
        "弟が去年の冬、自分で命を絶ちました",
        "仏壇の親父に線香をあげました",
        "彼氏はアカウントごと消えました",
        "妻と別れ、仕事もなくしました",
    ],
)
def test_who_is_not_there_is_nobody(text: str) -> None:
    assert {relation for relation, _ in told(text)} <= {"self"}


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("お父さんは私が小5のとき出ていきました。高2です", {("self", 17)}),
        ("母は六十で会社を辞めました。いま62", {("mother", 62)}),
        ("主人が亡くなって一年です。六十九です", {("self", 69)}),
        ("夫に知られずに相談したいです。41です。夫は49です", {("self", 41), ("husband", 49)}),
        ("母さんがパートから帰って寝る。高1です。母さん45", {("self", 16), ("mother", 45)}),
        ("妹は中1です。妹ではなく弟です", {("younger_brother", 13)}),
        ("ハタチの息子が部屋から出ません", {("son", 20)}),
        ("娘ははたちです", {("daughter", 20)}),
        ("母は七十九です。すみません、母は78でした", {("mother", 78)}),
        ("妻は五十、いや誕生日が来て51か。黙っています", {("wife", 51)}),
        ("父は七十八、すみません先月で七十九です", {("father", 79)}),
        ("23歳の私が高1の妹と暮らしています", {("self", 23), ("younger_sister", 16)}),
        ("じいちゃん80とばあちゃん79は豆腐屋です", {("grandfather", 80), ("grandmother", 79)}),
        ("3歳の上の子、言葉が出ません", {("other", 3)}),
        ("要介護4の父と暮らしています", {("father", None)}),
        ("今年七十になる妻が鍋の火を忘れます", {("wife", 70)}),
        ("0歳の息子がいます", {("son", 0)}),
        ("娘が薬を飲まなくなって3か月です", {("daughter", None)}),
        ("母が一人で田舎に住んでて、76です", {("mother", 76)}),
        ("六十、妻は五十八です", {("self", 60), ("wife", 58)}),
        ("夫に首を絞められました。27です", {("husband", None), ("self", 27)}),
        ("母は82で、私が看てます。すみません、83でした", {("mother", 83), ("self", None)}),
        ("夫は五十、いやな上司がいます", {("husband", 50)}),
        ("娘の熱が、39です", {("daughter", None)}),
        ("嫁はんに先立たれて五年。今年で78や", {("self", 78)}),
        ("女房に逃げられて三年、今年60だ", {("self", 60)}),
        ("弟は三十三にもなって働きません", {("younger_brother", 33)}),
        ("息子は病院に3か月います", {("son", None)}),
    ],
)
def test_an_age_is_theirs_who_may_have_it(text: str, who: set[tuple[str, int | None]]) -> None:
    assert told(text) == who


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("父のズボンが汚れています", {"father"}),
        ("家にいにくいです", set()),
        ("何かがあってからでは遅い", set()),
        ("ねえねえ、聞いてください", set()),
        ("男手ひとつで娘二人です", {"daughter"}),
        ("息子が自殺してしまいそうです", {"son"}),
        ("認知症の父が夜中に出ていって、まだ見つかりません", {"father"}),
        ("別居の母が認知症で、介護に通っています", {"mother"}),
        ("妹は葬式にも降りてきませんでした", {"younger_sister"}),
        ("近所の妹が毎晩来てくれます", {"younger_sister"}),
        ("雪国へ嫁さ行った娘が心配です", {"daughter"}),
        ("弟の所在が分かりました", {"younger_brother"}),
        ("近所の妹が去年亡くなりました", set()),
    ],
)
def test_words_within_words_and_those_who_are_still_here(text: str, who: set[str]) -> None:
    assert {relation for relation, _ in told(text)} - {"self"} == who


@pytest.mark.parametrize(
    "text", ["わたしは嫁いで隣の県です", "私は飛行機の距離で、電話だけです", "ぼくは下宿で、盆に帰るだけです"]
)
def test_a_writer_who_lives_elsewhere(text: str) -> None:
    assert lives_elsewhere(split(fold(text)))
    assert not lives_elsewhere(split(fold("母と二人で暮らしています")))


def test_every_word_for_a_person_begins_with_a_known_letter() -> None:
    assert beginnings(_parser.parse(RELATION_WORDS)) == set(FIRST_LETTERS)


def beginnings(pattern: Any) -> set[str]:
    """The letters that a match may begin with."""
    letters: set[str] = set()
    for op, argument in pattern:
        more, may_be_empty = _beginnings_of(str(op), argument)
        letters |= more
        if not may_be_empty:
            break
    return letters


def _beginnings_of(op: str, argument: Any) -> tuple[set[str], bool]:
    if op == "LITERAL":
        return {chr(argument)}, False
    if op == "IN":
        assert all(str(kind) == "LITERAL" for kind, _ in argument)
        return {chr(letter) for _, letter in argument}, False
    if op == "BRANCH":
        return set().union(*(beginnings(one) for one in argument[1])), False
    if op == "SUBPATTERN":
        return beginnings(argument[3]), False
    if op == "MAX_REPEAT":
        return beginnings(argument[2]), argument[0] == 0
    assert op in ("ASSERT", "ASSERT_NOT", "AT")
    return set(), True


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

"""Danger: heard with its kind and where nobody names it, and not where the words only sound so."""

import pytest

from bot.understanding import Assessment, Understander
from tests.reading import read


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
    explained = {f.id: (f.found, f.quote) for f in reader.explain("橋の上にいます").fields}
    assert explained["suicide"] == (True, "橋の上にいます"), "who tries a text sees what a talk would record"


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

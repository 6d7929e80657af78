"""Whether words answer the question that was asked, or go on telling; and whether they have told it already.

A resident owes us no answer. Who writes the next trouble instead must not read it back as their wish, and the counselor
must not find it there. So words are filed as an answer when they show a sign of one, or tell of nothing else.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.understanding import Assessment, Reading

#: What the bot did in its answer that shows that the words before were meant otherwise.
NO_ANSWERS = frozenset(
    {
        "skip", "aside", "show_when", "show_desks", "ask_desk", "lacks_desk", "offer_person", "finish",
        "delete_request", "correct", "consent",
    }
)  # fmt: skip

_NUMBER = r"[0-9０-９一二三四五六七八九十数半何]"
_FAMILY = (
    "(?:夫|妻|主人|家内|旦那|嫁|父|母|両親|親|兄|姉|弟|妹|息子|娘|子ども|こども|祖父|祖母|孫|"
    "ばあ|じい|かあ|とう|友だち|ともだち)"
)
_SINCE = (
    rf"{_NUMBER}+\s*(?:年|か月|ヶ月|カ月|ヵ月|ケ月|週|日)(?:も|に|前|間|ほど|くらい|ぐらい|ぐれえ|から|、|。|$)|ひと月|ふた月|"
    rf"{_NUMBER}+\s*(?:年|か月|ヶ月|カ月|ヵ月|ケ月|週間?|日)(?=[^。、\n]{{1,6}}[てで](?:い?ない|い?なく|い?ません))|"
    r"(?:先|去|昨|一昨)(?:年|月|週)(?!金)|(?:春|夏|秋|冬|昔|むかし|小学|中学|高校|年生|学期|まえ|くらい|ころ|ごろ|頃)から|"
    rf"{_NUMBER}+月に|来(?:年|月|週)(?!から)|[小中高][一二三1-3]から|最近|このごろ|さいきん|せんげつ|せんしゅう|おととい|おととし|ずっと|(?:て|で)から"
)
_HOUSEHOLD = (
    rf"(?:{_NUMBER}人|ひとり|ふたり|独り)(?:暮|ぐらし|で暮|で住|家族|親家庭)|[二三四五六2-6]人で(?!す)|"
    r"同居|独居|別に暮ら|(?:友だち|友達|知り合い|親戚)の(?:家|うち|ところ)|"
    rf"{_FAMILY}[^。、]{{0,6}}と[^。、]{{0,8}}(?:人|ふたり|暮ら|住)"
)
_NOBODY = (
    r"(?:だれ|誰|どこ)(?:に|と)も[^。\n]{0,6}(?:言|い[えっ]|話|はな|相談|頼)[^。\n]{0,6}"
    r"(?:ない|ません|なく|ねえ|へん|おらん)(?![?？]|で(?:くだ|ほし|ね|よ|[。、…！!\s]|$))"
)
_NO_CALLS = (
    r"(?:電話|でんわ)(?:は|が|には?|も)?(?:[^。\n]{0,2}(?:できない|できません|できん|できず|使え|つかえ|出られ|でられ)|苦手|にがて|無理|むり|こわ)|"
    r"文字で(?:お願い|話|やりとり|書)"
)
#: What shows that words tell it, wherever they stand.
_TOLD = {
    "since": re.compile(_SINCE),
    "household": re.compile(_HOUSEHOLD),
    "tried": re.compile(_NOBODY),
    "contact": re.compile(_NO_CALLS),
}
#: Enough not to be asked, and too little to stand before a counselor as what was told.
_VAGUE = re.compile(r"ずっと")
#: What shows that words answer the question about it, when they come right after.
_SIGNS = {
    "since": re.compile(
        rf"{_SINCE}|{_NUMBER}+\s*(?:月|歳|才|時)|きのう|きょう|今年|今月|今週|前|ころ|ごろ|頃|わから|わかん|忘れ"
    ),
    "household": re.compile(
        rf"{_HOUSEHOLD}|(?:{_NUMBER}人|ひとり|ふたり|独り)|{_FAMILY}[^。]{{0,6}}(?:と|だけ|です|だ|$)|家族|だれも|いません|いない"
    ),
    "tried": re.compile(
        r"相談し|話し|話せ|言っ|言い|言え|いっ(?:た|て)|行っ(?!てしま)|行き|電話し|聞い|聞き|ききま|頼|借り|調べ|申請|届|手紙|通(?:って|い)|"
        r"まだ|[てで](?:い|お)?(?:ない|ません|りません)|"
        r"(?:特に|何も|なにも|なんも|だれも|誰も|どこも)[^。\n]{0,8}(?:ない|ません|ねえ|へん)|"
        r"^(?:ない|ありません|いません|いない)|はじめて|初めて|だれに|誰に|どこに|だけ|知って|変わ"
    ),
    "wish": re.compile(
        r"たい|たか|ほしい|欲しい|よう(?:に|な)|できれば|たら|なれば|いいな|まず|とにかく|わから|わかん|特に|までの|でえ$"
    ),
    "contact": re.compile(
        r"電話|でんわ|内線|相談室|事業所|職員室|ここ|ライン|LINE|メール|番号|手紙|来て|連絡|返事|書いて|どこでも|いつでも|昼|夜|朝|夕|時|曜|平日|土日|"
        r"[0-9０-９]{4}"
    ),
    "area": re.compile(
        r"[市区町村丁駅]|団地|地区|近く|あたり|辺|方(?:です|だ|たい|や)|そば|[がヶケ]丘|台(?:です|$)|公園|橋|山手|まち(?:です|$)"
    ),
}
#: Words that end the telling, or tell of what is still to come: neither says since when it is.
_SIGH = re.compile(r"^(?:う|ん|え|あ)[ー〜んっとの、。…]*$")
_ENDS = re.compile(r"^(?:それ|これ)(?:だけ|で(?:全部|以上))|^以上|(?:です|ます)。?\n?以上です$")
_COMING = re.compile(r"来(?:年|月|週)|こんど|今度|予定|なりそう")
#: Half a sentence tells what is still on somebody's mind: 「わたしが行くと怒るし」.
_GOES_ON = re.compile(r"[^す]し$|(?:けど|けれど|のに)$")
#: Where somebody is at this moment is no way to reach them.
_NOW = re.compile(r"^(?:いま|今)は")
_ASKS = ("?", "？", "ですか", "ますか", "でしょうか", "ませんか", "のかな", "いいかな", "でしょう")
_SENTENCE = re.compile(r"(?<=[。！!？?\n])")
#: Bare replies, most of them our own buttons. They tell of nobody, and of no trouble.
_BARE = re.compile(
    r"(?:はい、?)?(?:合っています|伝えていいです|お願いします)|はい|いいえ|うん|ええ|とばす|あとで(?:決めます)?|わかりません|"
    r"ここで(?:大丈夫|安全)です|電話がいいです|見られるかもしれません|ちがうところがある|(?:まだ)?知(?:ってい|り)ま(?:す|せん)|"
    r"(?:これ|それ)(?:だけ|で(?:全部|以上))(?:です|だよ?)?|以上です|(?:どうも)?ありがとうございま(?:す|した)"
)
#: Where an answer could be seen by somebody else, whatever else is told.
_EYES = re.compile(
    r"(?:夫|妻|彼|主人|旦那|だんな|嫁|親|父|母|息子|娘|兄|姉|家族|相手)[^。\n]{0,4}に(?:見ら|みら|見つか|のぞか|読ま|ばれ|バレ)|"
    r"(?:携帯|けいたい|ケータイ|スマホ|ライン|LINE|画面)[^。\n]{0,4}(?:を|も)(?:見(?!て(?:くだ|ほし|もら|知|調べ|連絡|書|ばかり)|すぎ|過ぎ)|みら|チェック|のぞ|調べ)"
)
_NOWHERE = re.compile(
    r"(?:寝る|泊まる|帰る|行く)(?:ところ|所|場所|先|家)(?:(?!ある|あり(?!ませ))[^。\n]){0,8}(?:ない|ありません|なくな|までで)|ネットカフェ|路上で|車中泊|野宿"
)
#: A quote that only names somebody, or breaks off: said back it would sound like a slip of the tongue.
_ONLY_NAMES = re.compile(r"^.{1,6}(?:のこと(?:で|も|は|です)?|が|は|も|を|に)$")
_SHORTEST = 2
#: So short a reply that tells of no trouble is one to our question, whatever it says.
_A_FEW = 12


def answers(topic: str, text: str, reading: Reading, does: Iterable[str]) -> bool:
    """Whether `text` was meant as the answer to the question about `topic`. `does`: what our answer to it does."""
    stripped = text.strip()
    if len(stripped) < _SHORTEST or asks_back(stripped) or NO_ANSWERS & set(does):
        return False
    if _ENDS.search(stripped) or _SIGH.search(stripped):
        return False
    if topic == "since":
        return bool(_SIGNS[topic].search(stripped)) and not _COMING.search(stripped)
    if topic in reading.topics or _SIGNS[topic].search(stripped):
        return True
    if topic == "contact" and _NOW.match(stripped):
        return False
    return not reading.tells and len(stripped) <= _A_FEW and not _GOES_ON.search(stripped)


def with_told(assessment: Assessment, text: str, most: int) -> Assessment:
    """What a text tells by itself stands before the counselor, too: what is not asked must not be missing."""
    for topic in _TOLD:
        if topic not in assessment.topics and (sentence := next(_telling(topic, text), "")):
            assessment = assessment.with_topic(topic, sentence[:most])
    return assessment


def _telling(topic: str, text: str) -> Iterator[str]:
    for sentence in map(str.strip, _SENTENCE.split(text)):
        found = _TOLD[topic].search(sentence)
        if found and not _VAGUE.fullmatch(found[0]) and not (topic == "since" and _COMING.search(sentence)):
            yield sentence.strip("。… ")


def of_now(reading: Reading) -> Reading:
    """Without what is still to come: 「二週間の入院になりそう」 is not since when it is."""
    if not _COMING.search(reading.topics.get("since", "")):
        return reading
    return replace(reading, topics={topic: words for topic, words in reading.topics.items() if topic != "since"})


def says_nothing_new(text: str) -> bool:
    """Whether a text is a bare reply: it must not move what was understood, least of all what was just confirmed."""
    return bool(_BARE.fullmatch(text.strip().rstrip("。")))


def has_no_place(said: str) -> bool:
    """Whether somebody told that there is nowhere they could sleep, or go."""
    return bool(_NOWHERE.search(said))


def may_be_seen(said: str) -> bool:
    """Whether somebody told that others could read along."""
    return bool(_EYES.search(said))


def to_take_up(echo: str | None, text: str) -> str | None:
    """The words to take up, where they can be said back."""
    if echo is None or _ONLY_NAMES.search(echo):
        return None
    return f"{echo}たり" if f"{echo}たり" in text else echo


def asks_back(text: str) -> bool:
    """Whether a text ends as a question."""
    return text.strip().endswith(_ASKS)


def told(topic: str, said: str) -> bool:
    """Whether what was written so far seems to have told it, so that it is not asked: a doubt is no reason to ask."""
    return topic in _TOLD and bool(_TOLD[topic].search(said))

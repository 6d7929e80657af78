"""Answers that tell only who, when, where, how to reach or yes and no, or hesitate: no trouble is read into them."""

# ruff: noqa: E501 - a pattern is read best in one piece

from __future__ import annotations

import re

from bot.understanding.relations import RELATION_WORDS, mentions

LONGEST = 40
# An age of 75 and more is left standing: 「八十七、ひとりです」 tells of something.
_NUMBERS = r"(?<![0-9])(?:[1-6]?[0-9]|7[0-4])(?![0-9])|(?<![七八九])十[一二三四五六七八九]?|[一二三四五六数]十?|何(?=[年人日時])|半(?=年|月|分)"
_TIMES = (
    r"去年|昨年|一昨年|おととし|今年|先月|今月|来月|先週|今週|来週|週末|毎日|毎週|きのう|昨日|おととい|一昨日|きょう|今日|あした|明日|今|いま(?!す|し)|"
    r"[月火水木金土日]曜日?|平日|土日|祝日|午前中?|午後|お昼|昼間|昼休み|夕方|夜|朝|昼|春|夏|秋|冬|はじめ|終わり|途中|最近|このごろ|むかし|昔|ずっと|もう|だいぶ|少し|ちょっと|"
    r"いつでも|いつ|ぐらい|くらい|ごろ|ころ|頃|ほど|前|後|あと|過ぎ|すぎ|年|か月|ヶ月|カ月|週間|日間|日|月|時間|時|分|歳|才|から|まで|より"
)
_PEOPLE = (
    r"家族|夫婦|親子|同居|別居|暮らして|暮らし|ぐらし|住んで|住まい|みんな|ひとり|ふたり|人|名|つ目|つ|小学生|中学生|高校生|大学生|保育園児|園児|社会人|"
    r"上の|下の|一番|末っ子|子|だけ|ペット|[犬猫鳥魚]|匹|おります|おり|います|いる|いない|いて"
)
_PLACES = r"[一-龥]{1,3}(?:[町市区村県]|丁目|地区|団地)|[北南東西]側?|駅前|駅|港|川|山|海|小学校|学校|公園|役所|近く|そば|となり|隣|向こう|ほう|方|あたり|辺|所|ところ|市内|町内"
_CONTACT = (
    r"電話番号|電話|連絡先|連絡|メール|ショートメール|ライン|line|手紙|留守電|留守|折り返し|つながります|つながる|出られます|出られる|かけて|入れて|おいて|あいています|空いて|"
    r"お願いします|お願い|ください|下さい|大丈夫|結構|かまいません|いりません|いいです|よい|いい|なら|苦手"
)
_YES_NO = (
    r"はい|いいえ|いえ|いや|ええ|うん|そうです|そう|合って|違い?ます|ちがいます|まちがい|間違い|そのとおり|だいたい|ありません|ないです|ない|ます|思います|思う|たぶん|"
    r"です|でした|だった|だと|だ|ですね|かな|けど|して|しています|した"
)
_PROMISE = r"(?:(?:親|家族|学校|先生|会社|友だち|友達|誰|だれ)に(?:は|も)?)?(?:言わ|いわ|話さ)ない(?:って|で|と|でと)?(?:約束して)?(?:くれ|もらえ)ます(?:か|よね)"
_ASKING = r"(?:人|相談員さん?|職員さん?)と(?:直接|ちょくせつ)?(?:話|はな)し(?:を?したい|たい)|誰が読"  # 「人と話したい」 is a button
_HESITATING = r"(?:どうも)?ありがとう(?:ございま(?:す|した))?|お世話に?なりました|あのう?|あのー|え[っー]と|ええと|うーん|もしもし|すみません|すいません|ごめんなさい|こんにちは|こんばんは|おはよう"
_ALL_TOLD = r"(?:話|はなし)?(?:は|も)?これで(?:全部|ぜんぶ|以上)(?=です|になります|$)|以上(?=です|になります|$)|(?:話|はなし|今日|きょう)は(?:ここまで|このへん|このくらい)(?:に(?:します|しておきます|させてください)|で(?:す|いいです))?$"
_KNOWN = re.compile(
    "|".join((_PROMISE, _ASKING, _HESITATING, _ALL_TOLD, _TIMES, _PEOPLE, _PLACES, _CONTACT, _YES_NO, _NUMBERS))
)
# Most clauses hold a kanji that stands in none of these patterns: so they are known at a glance.
_FOREIGN = re.compile(f"[一-龥](?<![{''.join(sorted(set(re.findall('[一-龥]', _KNOWN.pattern + RELATION_WORDS))))}])")
_PLACE = re.compile("[町市区村県団]|丁目|地区")
_BETWEEN = re.compile(r"[\sはがもとのにでをへやかよねなわ、。,.・！!…~〜ー]")


def is_plain(folded: str) -> bool:
    """Whether nothing is left once people, times, places, ways to be reached, yes or no and "well" are taken away."""
    if len(folded) > LONGEST or (_FOREIGN.search(folded) and not _PLACE.search(folded)):
        return False
    rest = folded
    for mention in reversed(mentions(folded)):
        if mention.gone:
            return False
        rest = rest[: mention.start] + " " + rest[mention.end :]
    return not _BETWEEN.sub("", _KNOWN.sub(" ", rest))

"""What a text tells of its own accord, so that nobody is asked again; and a phrase of it to answer with."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.understanding.clauses import Clause

ECHO_LONGEST = 25
_ECHO_SHORTEST = 5

_N = r"[0-9０-９一二三四五六七八九十数半何]"
_SIGNS: dict[str, re.Pattern[str]] = {
    "since": re.compile(
        rf"{_N}+(?:年|ヶ月|か月|カ月|ヵ月|週間|日)(?:も|前|間|以上|くらい|ほど|近く|になり|たち|目|(?=[^。、\n]{{1,6}}[てで](?:い?ない|い?なく|い?ません)))|(?:先月|先週|去年|昨年|一昨年|今年|今月|"
        rf"この春|この夏|この秋|この冬|最近|このごろ|ここ数|{_N}+月|春|夏|秋|冬|子どもの頃|小さい頃|昔)(?:から|ごろから|頃から|より)|"
        r"てから(?:ずっと|は)?|以来|ここ(?:数|[0-9一二三])"
    ),
    "household": re.compile(
        r"(?:[一二三四五六七八九1-9]人|ひとり|ふたり|独り)(?:暮らし|家族|で暮ら|で住)|一人暮らし|独居|同居|(?:夫|妻|母|父|両親|息子|娘|祖母|祖父)と"
        r"(?:暮|住|[二三四2-4ふ]|私)|母子家庭|父子家庭|ひとり親|シングル|家族は"
    ),
    "tried": re.compile(
        r"(?:市役所|役所|役場|区役所|窓口|病院|クリニック|学校|先生|警察|ハローワーク|包括|ケアマネ|社協|児相|弁護士|法テラス|民生委員|保健所|センター|担任)"
        r".{0,14}(?:相談した|相談しました|相談して|聞いた|聞きました|行った|行きました|行って|言われ|断られ|電話した|電話しました|話した|話しました|頼ん)|"
        r"(?:申請|相談)(?:した|しました|しても|したけど|したのに|中)"
    ),
    "wish": re.compile(
        r"(?:てほしい|て欲しい|てもらいたい|ていただきたい|て頂きたい|(?<!死に)(?<!消え)(?<!殺し)(?<![るいたなの]み)たいです|(?<!死に)(?<!消え)(?<!殺し)たいと(?:思|考え)|ようになりたい|"
        r"できるように|(?:知り|教えて|聞き|話し|相談し|働き|続け|暮らし|休み|会い|離れ|別れ|辞め|住み)たい|教えてください|助けてください|探しています)"
    ),
    "contact": re.compile(
        r"0\d{1,4}-?\d{1,4}-?\d{3,4}|[\w.+-]+@[\w-]+\.[\w.]+|(?:電話|連絡|メール|line|ライン)(?:は|を)?.{0,10}(?:ください|下さい|お願い|つなが|出られ|できません|困り)"
    ),
    "area": re.compile(r"[一-龥ぁ-んァ-ヶ]{1,6}(?:[市区町村]|丁目|団地|地区|町内)(?:に|の|で|在住|です|から)"),
}
_CIVIC = re.compile(
    r"(?:市|町|村|区)(?:の(?:人|方|職員|窓口|広報|ホームページ|サイト|冊子)|立|営|民)|近くの|この町|隣の市|隣町"
)

_NOT_TO_ECHO = re.compile(
    r"死|殺|消え(?:たい|てしま|てなく)|自殺|自傷|首を|飛び降り|リスカ|リストカット|切っ(?:た|て)|切る|傷|遺書|薬を|過量|od|殴|叩|蹴|たた(?:か|い|く)|なぐ|"
    r"ぶた|暴力|虐待|dv|レイプ|性的|性暴力|触られ|触ら|襲|犯|脅|首絞|刺|包丁|血|痣|あざ|怒鳴|いなくなりたい|終わりに|生きて(?:い|る|いる)|"
    r"https?|www|@|[0-9０-９]{4,}|さん|くん|ちゃん|君|様|氏|名前|番地|丁目|号室|クソ|バカ|馬鹿|あほ|ごめん|すみません|こんにちは|はじめまして|お世話に"
)
_NATURAL_END = re.compile(
    r"(?:て|で|ており|し|が|ません|ないです|ます|です|ました|でした|ない|た|る|い|ず|ん|う|けど|けれど|とのこと|そう)$"
)
_LEADING = re.compile(
    r"^(?:それで|それに|そして|だから|でも|ただ|あと|もう|実は|じつは|あの|えっと|まあ|で|また|さらに|その上|そのうえ|ちなみに)、?"
)
_TRAILING = re.compile(r"(?:のですが|んですが|ですが|ますが|けれども|けれど|けど|のに|ので|から|が|し|のは|とか|たり)$")


def topics_of(clauses: Sequence[Clause], original: str) -> dict[str, str]:
    """Topic → the clause that tells it, in the resident's words."""
    found: dict[str, str] = {}
    lines = "\n".join(clause.text for clause in clauses)  # most topics are not told: one look for all clauses says so
    for topic, sign in _SIGNS.items():
        for clause in clauses if sign.search(lines) else ():
            hit = sign.search(clause.text)
            if hit and not (topic == "area" and _CIVIC.search(clause.text)):
                found[topic] = clause.quote(original)
                break
    return found


def echo_of(clauses: Sequence[Clause], weights: Sequence[float], original: str) -> str | None:
    """The weightiest clause that reads well inside 「」 and may be said back; None when there is none."""
    order = sorted(range(len(clauses)), key=lambda at: -weights[at])
    for at in order:
        if weights[at] <= 0:
            return None
        phrase = _phrase(clauses[at], original)
        if phrase is not None:
            return phrase
    return None


def _phrase(clause: Clause, original: str) -> str | None:
    words = clause.quote(original)
    if _NOT_TO_ECHO.search(clause.text):
        return None
    lead = _LEADING.match(words)
    words = words[lead.end() :] if lead else words
    words = _TRAILING.sub("", words) if len(words) > _ECHO_SHORTEST else words
    while len(words) > ECHO_LONGEST:  # drop from the front, at a natural joint
        joint = re.search(r"[、　 ]|(?<=[のはがを])", words[1:])
        if joint is None or len(words) - joint.end() - 1 < _ECHO_SHORTEST:
            return None
        words = words[joint.end() + 1 :]
    printable = words.isprintable() and not re.search(r"[「」『』\n\r\[\]{}<>/]", words)
    if len(words) < _ECHO_SHORTEST or not printable or not _NATURAL_END.search(words):
        return None
    return words

"""Ages as they are told: beside somebody, alone, as years of school, in kanji."""

# ruff: noqa: E501 - a pattern is read best in one piece

from __future__ import annotations

import re

_DIGITS = {"〇": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_NUMBER = r"(?P<number>はたち|ハタチ|[0-9]{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|百[一二三四五六七八九]?|[一二三四五六七八九](?=[歳才つ]))"
_GRADE = r"(?P<school>小|中|高)(?:学校?|校)?(?P<grade>[1-6一二三四五六])(?:年(?!前))?生?(?!の?(?:とき|時|頃|ころ)|から)|(?<![0-9])(?P<year>[1-6一二三四五六])年(?:生(?!の?(?:とき|時|頃|ころ)|から)|(?=男子|女子|男児|女児))"
_UNIT = r"(?!\s*(?:[0-9]|年|か月|ヶ月|カ月|ヵ月|月|日|時|分|回|人|にん|ねん|かい|まん|えん|名|万|千|円|キロ|度|代|%|％|枚|本|台|階|号|週|錠|畳|個|件|社|つ目|番|割|倍|過ぎ|すぎ|前後|くらい|ぐらい|近|半ば|手前|以上|度目|丁目|ページ|か所|種|匹|頭))"
_NEWBORN = re.compile("(?<![0-9])0(?:歳|才|さい)")
_MONTHS = re.compile(
    r"(?<![てで後もう娠にへ])(?:生後)?[0-9一二三四五六七八九十]+(?:か|ヶ|カ|ヵ)月(?=の(?:赤|子|娘|息子|女|男|長|次|双)|です|で(?!き)|い(?:て|る|ま)|になる)|生まれたばかり|新生児|生後"
)
_AFTER = re.compile(
    rf"^(?:さん|さま|様|ちゃん|くん|君|親|はん|やん|どん|ゃ|のほう|の方)?(?:の[一-龥ァ-ヶa-z]{{1,4}}(?:様|さん|さま|氏))?(?:[がは][よねな]|が|も)?(?:(?:(?:一緒に)?(?:同居して|住んで|暮らして))?(?:い(?:て|まして)|おって|おりまして)、?|独(?:身|り身)で、?)?(?:[(（](?=[0-9]))?[(（はがもので、,・ 　:：]{{0,6}}(?:要(?:介護|支援)[0-9]、)?(?:もう|今年で?|今(?!年)|いま|まだ|ことし|来月で|先月で?|先週で?|今月で?|(?:今年の)?[0-9]{{1,2}}月[でに]|当年|この春|本年|現在|満|たしか|が){{0,4}}[、 　]{{0,4}}(?:{_NUMBER}(?:(?P<sure>歳|才|さい|つ)(?!過ぎ|すぎ|前後|くらい|ぐらい|の(?:とき|時|頃|ころ|誕生日)|まで|から)|{_UNIT}(?=$|[)）、。・です 　はがもにの\n(（男女嫁じだよねっ父母祖妻兄姉弟妹]|な(?:ん|の)|ば[あば]|じ[いじ]|や(?!年)|と(?:(?![0-9一二三四五六七八九書言思聞い])|(?=[0-9一二三四五六七八九十]{{1,3}}(?:歳|才|つ)の)))(?!で(?:辞め|やめ|仕事|会社|定年|退職|引退|亡くな|死|結婚|嫁|産|倒れ|失)))|{_GRADE})"
)
_BEFORE = re.compile(
    rf"(?:^|[^0-9一二三四五六七八九十年月日護援度分級第]|先日|今年|来年|昨年|去年|[来今]月)(?:{_NUMBER}(?:歳|才|さい|つ)?(?:になる|になった|に(?:なり|なった)ます|の|で|、)?|(?:{_GRADE})(?:くらい|ぐらい)?(?:の|で|になる|、)?)$"
)
_ALONE = re.compile(
    rf"(?:^|[、。\n 　(（]|(?<=[き来え]て)|すみません|ごめん(?:なさい)?|初診)(?:年は|歳は|年齢は|とし|(?:いま|今|今年|ことし|先月|今月|先週|こないだ)[はで]?、?|いや[^、。0-9]{{0,8}}?|(?:[あこそ]の子|あの人|本人|あれ|あちら|当人)[はが]、?(?:もう|今年で?)?)?(?:{_NUMBER}(?:(?:歳|才|さい)(?!の(?!女|男))|{_UNIT})(?:です|で|、|。|$|か(?=$|。|、)|になり|になる|にもな[っり]|女|男|の(?:女|男)|\n|だよ|だ|(?:や|じゃ|よ)(?=$|。|、|\n|ねん|けん|けど)|　| )|{_GRADE}(?:です|で|、|。|$|女|男|の(?:女|男)|\n|だよ|だ|(?:や|じゃ|よ)(?=$|。|、|\n|ねん|けん|けど)|　| ))"
)
#: 「五十、いや誕生日が来て51か」
_CORRECTED = re.compile(
    rf"^、?(?:いや(?=[、 ]|誕|年|もう|[0-9一二三四五六七八九])|いえ|すみません|ごめん(?:なさい)?|訂正)[、 ]?[^、。0-9一二三四五六七八九十]{{0,10}}?(?:{_NUMBER}(?:歳|才|さい)?(?=か|です|で|に|だ|や|じゃ|。|$)|{_GRADE})"
)
_BOYS_AND_GIRLS = ("男子", "女子", "男児", "女児", "男", "女")
_YEAR = re.compile("(?<![0-9])[1-6]年$")
_SCHOOLS = {"小": 6, "中": 12, "高": 15}  # years of those who enter
_YEARS = 3  # of the middle and the high school
_OWN_SCHOOL = re.compile(r"(小|中|高)(?:学校?|校|等学校|等部|学部)(?!生|[0-9一二三四五六])|(定時制)")


def school_of(text: str) -> str:
    """Which school an agency writes from, a key of `_SCHOOLS`; "" when it names none: 「中学で担任をしています」."""
    match = _OWN_SCHOOL.search(text)
    return (match[1] or "高") if match else ""


def age_after(stretch: str, school: str = "") -> int | None:
    """The age that follows a mention: 「夫は47」「娘16（高1）」. `school`: where a bare 「2年生」 goes to."""
    match = _AFTER.match(stretch)
    if match is None:
        return None
    corrected = _CORRECTED.match(stretch[match.end() :])
    return _age(corrected or match, school)


def age_before(stretch: str, school: str = "") -> int | None:
    """The age in front of a mention: 「6歳の娘」「四十になる娘」「中2の息子」."""
    if re.search(r"(?:か|ヶ|カ|ヵ)月の?$|生まれたばかりの$", stretch):
        return 0
    match = _BEFORE.search(stretch)
    return _age(match, school) if match else None


def age_in_one_word(before: str, word: str, school: str = "") -> int | None:
    """The age that is told in one word with boy or girl, as on a form: 「高1女子、中1男子」「4年男子」「10歳女」."""
    if word not in _BOYS_AND_GIRLS or before.endswith("の"):
        return None
    return age_before(f"{before}生" if _YEAR.search(before) else before, school)


def age_alone(text: str, school: str = "") -> tuple[int, int] | None:
    """An age with nobody beside it, and its place: 「47。夜勤の朝になると…」."""
    match = _ALONE.search(text)
    age = _age(match, school) if match else None
    return (age, match.start()) if match and age is not None else None


def is_baby(clause: str) -> bool:
    return bool(_MONTHS.search(clause))


def _age(match: re.Match[str], school: str) -> int | None:
    if match["number"]:
        age = number(match["number"])
        return age if 0 < age <= 110 or _NEWBORN.search(match.group()) else None
    if match["school"]:
        return number(match["grade"]) + _SCHOOLS[match["school"]]
    if not match["year"]:
        return None
    year = number(match["year"])
    return year + _SCHOOLS[school if school and year <= _YEARS else "小"]


def number(digits: str) -> int:
    """47, 四十七, 十七, 百一, はたち."""
    if digits in ("はたち", "ハタチ"):
        return 20
    if digits.isascii():
        return int(digits)
    if "百" in digits:
        return 100 + (_DIGITS.get(digits[-1], 0) if len(digits) > 1 else 0)
    tens, ten, ones = digits.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + (_DIGITS[ones] if ones else 0)

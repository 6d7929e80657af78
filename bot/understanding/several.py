"""Several persons told of in one breath: 「中2と小5の息子」「娘が二人」「両親は78と75」."""

from __future__ import annotations

import re

from bot.understanding.ages import age_before, number

LONGEST_LIST = 80  # letters, for the same reason as relations.MOST
_AGE = (
    r"(?:(?:生後)?[0-9一二三四五六七八九十]{1,2}(?:か|ヶ|カ|ヵ|ケ)月|[小中高](?:学校?|校)?[1-6一二三四五六](?:年(?:生)?)?|年[少中長](?:さん)?|"
    r"(?:[0-9]{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九](?=[歳才つ]))(?:歳|才|さい|つ)?)"
)
_ABOUT = "(?:くらい|ぐらい)?"
_YEAR = "[1-6一二三四五六]年生?"  # of the school before: 「小学2年と5年」
_AND = r"(?:と|、|で、|・|,)[ 　]?(?:もう(?:一人|ひとり)は)?"
_LIST = rf"(?P<ages>(?:(?:一人|ひとり)は)?{_AGE}{_ABOUT}(?:{_AND}(?:{_YEAR}|{_AGE}){_ABOUT})+)"
_PEOPLE = "(?:二人|三人|四人|ふたり|[2-4](?:人|にん))"
_FIRST = "(?:上から|それぞれ|いま|今)?"
_BEHIND = (
    rf"[ 　]*(?=です|で(?:、|。|$|ござ|や|な)|[。)）をが]|、(?!{_AGE})|、?(?:どちら|どっち|二人と)も|"
    r"だ|や|じゃ|な(?:ん|の)|に(?:なり|なる)|います|$)"
)
_BEFORE = re.compile(rf"(?:^|[、。 　はがもにでのと]|たぶん){_LIST}(?:になる)?の[2-5二三四五]?$")
_AFTER = re.compile(
    rf"^(?:さん|ちゃん|くん|たち|ら)?[がはもの]?、?(?:{_PEOPLE}(?:い(?:て|ます|まして)|おり(?:まして|ます)?)?)?"
    rf"[、。はが(（ 　]{{0,3}}{_FIRST}{_LIST}{_BEHIND}"
)
_ALONE = re.compile(rf"^[ 　]*{_FIRST}{_LIST}(?P<there>が(?:い(?:ます|る|て)|おり))?{_BEHIND}?")
_ONE = re.compile(f"(?<![小中高校学]){_YEAR}|{_AGE}")
#: 「両親(ともに83歳)」
_ALL = re.compile(
    rf"^(?:が|は|も)?[、(（]?(?:とも|ともに|共に|(?:二人|ふたり|三人|どちら|どっち)とも|みんな)(?P<age>{_AGE})(?=です|で|。|、|[)）]|$)"
)
#: Not 「妹が二人の子を」, 「娘は二人で暮らして」, 「息子が三人家族で」.
_COUNT = re.compile(
    rf"^(?:さん|ちゃん)?(?:ばかり|だけ)?(?:[がはを、も](?!{_PEOPLE}の|(?<=[はを]){_PEOPLE}で(?!す)))?(?P<count>{_PEOPLE})"
    r"(?!目|暮らし|ぐらし|きり|分|前|家族|兄弟|姉妹|世帯)"
)
_COUNTS = {"二": 2, "ふ": 2, "三": 3, "四": 4}
_SCHOOLS = "小中高"
Ages = tuple[int | None, ...]  # None for who is told of without an age: 「年長」


def ages_in_front(stretch: str) -> Ages:
    """The ages of several in front of a word: 「中2と小5の」. Empty where it is one, or none."""
    return _ages(_BEFORE.search(stretch[-LONGEST_LIST:]))


def ages_behind(stretch: str) -> tuple[Ages, int]:
    """The ages of several behind a word, and where they end: 「が二人、中3と小6」「は78と75」."""
    match = _AFTER.match(stretch[:LONGEST_LIST])
    ages = _ages(match)
    return ages, match.end("ages") if match and ages else 0


def ages_alone(text: str) -> tuple[Ages, bool]:
    """The ages of several, with nobody beside them, and whether these are said to be there: 「小5と小2です」, 「4歳と
    2歳がいます」."""
    match = _ALONE.match(text[:LONGEST_LIST])
    return _ages(match), bool(match and match["there"])


def age_of_all(stretch: str) -> int | None:
    """The age that all have whom the word before means: 「両親(ともに83歳)」."""
    match = _ALL.match(stretch)
    return _age(match["age"]) if match else None


def how_many(stretch: str) -> int:
    """How many the word before means: 「が二人」. 1 where nothing is said of it."""
    match = _COUNT.match(stretch)
    return 1 if match is None else _COUNTS.get(match["count"][0]) or number(match["count"][0])


def _ages(match: re.Match[str] | None) -> Ages:
    told = _ONE.findall(match["ages"]) if match else []
    for at, one in enumerate(told[1:], 1):
        if one[1:2] == "年" and told[at - 1][0] in _SCHOOLS:
            told[at] = told[at - 1][0] + one
    ages = tuple(map(_age, told))
    if len(ages) == 2 and told[0][0] not in _SCHOOLS and told[1][0] in _SCHOOLS:
        first, second = ages
        if first and second and abs(first - second) <= 1:
            return ()  # 「十五、中3です」: the age of one, told twice
    return ages


def _age(told: str) -> int | None:
    if told.endswith("月"):
        return number(re.sub("生後|.月$", "", told)) // 12
    return None if told[0] == "年" else age_before(told.removesuffix("さん"))

"""Several persons told of in one breath: 「中2と小5の息子」「娘が二人」「両親は78と75」."""

from __future__ import annotations

import re

from bot.understanding.ages import age_before, number

_AGE = (
    r"(?:[小中高](?:学校?|校)?[1-6一二三四五六](?:年生?)?|年[少中長]|"
    r"(?:[0-9]{1,2}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二三四五六七八九](?=[歳才つ]))(?:歳|才|さい|つ)?)"
)
_LIST = rf"(?P<ages>{_AGE}(?:(?:と|、|・|,)[ 　]?{_AGE})+)"
_PEOPLE = "(?:二人|三人|四人|ふたり|[2-4]人)"
_FIRST = "(?:上から|それぞれ|いま|今)?"
_BEHIND = r"(?=です|で(?:、|。|$)|[。)）をが]|、(?![0-9一二三四五六七八九十])|だ|に(?:なり|なる)|$)"
_BEFORE = re.compile(rf"(?:^|[、。 　はがもにでのと]){_LIST}(?:になる)?の$")
_AFTER = re.compile(
    rf"^(?:さん|ちゃん|くん|たち)?[がはもの]?、?(?:{_PEOPLE}(?:い(?:て|ます|まして)|おり(?:まして|ます)?)?)?"
    rf"[、。はが(（ 　]{{0,3}}{_FIRST}{_LIST}{_BEHIND}"
)
_ALONE = re.compile(rf"^[ 　]*{_FIRST}{_LIST}{_BEHIND}")
_ONE = re.compile(_AGE)
#: Not 「妹が二人の子を」, 「娘は二人で暮らして」, 「息子が三人家族で」.
_COUNT = re.compile(
    rf"^(?:さん|ちゃん)?(?:ばかり|だけ)?(?:[がは、も](?!{_PEOPLE}の|(?<=は){_PEOPLE}で(?!す)))?(?P<count>{_PEOPLE})"
    r"(?!目|暮らし|ぐらし|きり|分|前|家族|兄弟|姉妹|世帯)"
)
_COUNTS = {"二": 2, "ふ": 2, "三": 3, "四": 4}
_SCHOOLS = "小中高"
_OF_NURSERY = {"少": 4, "中": 5, "長": 6}


def ages_in_front(stretch: str) -> tuple[int, ...]:
    """The ages of several in front of a word: 「中2と小5の」. Empty where it is one, or none."""
    return _ages(_BEFORE.search(stretch))


def ages_behind(stretch: str) -> tuple[int, ...]:
    """The ages of several behind a word: 「が二人、中3と小6」「は78と75」."""
    return _ages(_AFTER.match(stretch))


def ages_alone(text: str) -> tuple[int, ...]:
    """The ages of several, with nobody beside them: 「小5と小2です」."""
    return _ages(_ALONE.match(text))


def how_many(stretch: str) -> int:
    """How many the word before means: 「が二人」. 1 where nothing is said of it."""
    match = _COUNT.match(stretch)
    return 1 if match is None else _COUNTS.get(match["count"][0]) or number(match["count"][0])


def _ages(match: re.Match[str] | None) -> tuple[int, ...]:
    told = _ONE.findall(match["ages"]) if match else []
    ages = tuple(age for age in map(_age, told) if age is not None)
    # 「十五、中3です」 is the age of one, told twice.
    twice = len(told) == len(ages) == 2 and told[0][0] not in _SCHOOLS and told[1][0] in _SCHOOLS
    return () if twice and abs(ages[0] - ages[1]) <= 1 else ages


def _age(told: str) -> int | None:
    return _OF_NURSERY[told[1]] if told[0] == "年" else age_before(told)

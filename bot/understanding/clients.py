"""Whom a word means when somebody else writes, an agency or a neighbour: the first one of whom they tell is the client,
and what kin call one another is seen from the client: 「84女性。二階に息子さん。母親も声を聞くだけ」.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.understanding.ages import age_after, age_before
from bot.understanding.persons import Person, Persons
from bot.understanding.relations import GROWN_UP, Mention

FATHERS = ("父", "父親", "お父さん", "お父様", "お父さま", "パパ")
MOTHERS = ("母", "母親", "お母さん", "お母様", "お母さま", "ママ")
_MEN, _WOMEN = ("男性", "男", "男の方", "男の人", "青年"), ("女性", "女", "女の方", "女の人")
_HUSBANDS, _WIVES = ("ご主人", "旦那さん"), ("奥さん", "奥様", "奥さま")
CHILD = ("男の子", "女の子", "男子", "女子", "男児", "女児")
_OLD_ONES, _OLD_TITLES = ("じい", "ばあ", "爺", "婆", "おじい", "おばあ"), ("さん", "ちゃん", "さま", "様")
_HEADS = (  # 「気がかりなご一家が。ご主人が七十二」
    *_HUSBANDS, *_WIVES, "お父さん", "お父様", "お母さん", *CHILD,
    *(f"{one}{title}" for one in _OLD_ONES for title in _OLD_TITLES),
)  # fmt: skip
_SOMEBODYS = re.compile(r"(?:お?(?:隣|となり)|近所|お?向かい|友達|友だち|知り合い|同僚)の$")
_FRIENDS = re.compile("(?P<who>友達|友だち|友人|同僚|後輩|先輩|同級生|知り合い|知人)の$")
_OBJECT = re.compile(r"(?:さん|さま|様)?(?:に|を|の|と|から)")  # 「旦那さんにお金を渡してもらえない」
_STILL_A_CHILD = 45  # years; older ones are called by their name, and not by what they are to their parents
_OF_PARENTS, _GENERATION = range(GROWN_UP, 60), range(15, 46)  # years
_AS_PARENT = {"grandmother": "mother", "grandfather": "father"}


def from_client(told: Persons, mention: Mention, text: str) -> Mention:
    """A mention as it is meant in what another writes of the client."""
    client, word, after = told.client, text[mention.start : mention.end], text[mention.end :]
    if word in ("旦那", "だんな") and after.startswith("さん"):
        word = "旦那さん"
    if mention.relation == "client":
        return _a_word_for_client(client, mention, word, text)
    if mention.relation == "self":
        return mention
    before = text[: mention.start]
    if friend := _FRIENDS.search(before):  # 「友だちの母親が飲んでばかりで」: it is about the friend
        told.teller().called = told.teller().called or friend["who"]
        return replace(mention, gone=False)
    if client is None:
        return _the_first_told(mention, text, word)
    if mention.gone and not client.mentioned and _SOMEBODYS.search(before):  # 「隣の者です。お隣のおじいさんが」
        return replace(mention, relation="client", called=word, gone=False)
    if not mention.gone and _is_client(told, client, word, after):
        return replace(mention, relation="client", called="")
    if told.have_child and _is_parent(client, mention, after):
        return replace(mention, relation=_AS_PARENT[mention.relation])
    return mention if mention.gone else _once_known(told, client, mention, word, after)


def is_grown_up(client: Person) -> bool:
    return (client.age or 0) >= GROWN_UP or client.called in (*MOTHERS, *FATHERS, *_HUSBANDS, *_WIVES)


def as_sibling(mention: Mention, text: str, age: int | None, of_client: int | None) -> Mention:
    """「隣の小3と小1の女の子」「4年男子と2年女子」: one is the client, the other a brother or sister."""
    word = text[mention.start : mention.end]
    one = "brother" if word.startswith(("男", "息子")) else "sister" if word.startswith(("女", "娘")) else ""
    if not one or age is None or of_client is None:
        return mention
    return replace(mention, relation=f"{'older' if age > of_client else 'younger'}_{one}", called="")


def _a_word_for_client(client: Person | None, mention: Mention, word: str, text: str) -> Mention:
    """A small one told of behind a client who is grown up is their child: 「46歳女性。中1の女児と小3の男児」."""
    if client is not None and (client.age or 0) >= GROWN_UP:
        age = age_before(text[: mention.start])
        if word in CHILD or (word in ("男", "女") and age is not None and age < GROWN_UP):
            return replace(mention, relation="son" if word.startswith("男") else "daughter", called="")
    return replace(mention, called=word) if word in (*_MEN, *_WOMEN) else mention


def _the_first_told(mention: Mention, text: str, word: str) -> Mention:
    """Is the client, whatever they are called, and 「隣の奥さん」 too; but not who is dead."""
    if mention.gone and not _SOMEBODYS.search(text[: mention.start]):
        return mention
    return replace(mention, relation="client", called=word, gone=False)


def _once_known(told: Persons, client: Person, mention: Mention, word: str, after: str) -> Mention:
    if _is_the_first(told, client, word) and not (word in _HUSBANDS and _OBJECT.match(after)):
        return replace(mention, relation="client", called=word)
    if word in FATHERS and client.called in MOTHERS:
        return replace(mention, relation="husband", called="")
    if word in MOTHERS and client.called in FATHERS:
        return replace(mention, relation="wife", called="")
    small = word in CHILD and client.age is None and not is_grown_up(client) and len(told.every) == 1
    again = client.called == word or small
    return replace(mention, relation="client", called="") if again else mention


def _is_the_first(told: Persons, client: Person, word: str) -> bool:
    """Whether nobody was named yet, and this may be the client."""
    if client.mentioned or "client" in told.here or len(told.every) > 1:
        return False
    return word in _HEADS or (word in (*FATHERS, *MOTHERS) and client.age is None)


def _is_client(told: Persons, client: Person, word: str, after: str) -> bool:
    """Whether their own kin would call the client so: 「女性76、ご主人78。奥さまが」「24歳男性。母が、息子を」."""
    man, woman = client.called in (*_MEN, *FATHERS), client.called in (*_WOMEN, *MOTHERS)
    if (woman and word in _WIVES) or (man and word in _HUSBANDS):
        return True
    if (woman and word == "妻" and "husband" in told.relations) or (man and word == "夫" and "wife" in told.relations):
        return True
    if age_after(after) not in (None, client.age):
        return False
    if told.have_child:
        own = ("father", FATHERS) if man else ("mother", MOTHERS)
        return (man or woman) and word in own[1] and own[0] not in told.relations
    as_child = (man and word in ("息子", "息子さん")) or (woman and word in ("娘", "娘さん"))
    return as_child and bool({"father", "mother"} & told.relations) and (client.age or 0) < _STILL_A_CHILD


def _is_parent(client: Person, mention: Mention, after: str) -> bool:
    """「利用者34歳女性。長男は小4。祖母（58）」: whom the client's child calls so is the client's own parent."""
    if mention.relation not in _AS_PARENT or client.age is None or client.age not in _OF_PARENTS:
        return False
    age = age_after(after)
    return age is None or age - client.age in _GENERATION

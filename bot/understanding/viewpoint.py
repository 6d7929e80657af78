"""Whom a word means, seen from who writes: 「ばあさん」 of an old man is his wife, 「お姉ちゃん」 of a mother her
daughter, the first one of whom an agency tells the client.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.understanding.ages import age_after, age_before
from bot.understanding.clauses import Clause
from bot.understanding.persons import Person, Persons
from bot.understanding.relations import Mention, all_children, is_partner

_FATHERS = ("父", "父親", "お父さん", "お父様", "お父さま", "パパ")
_MOTHERS = ("母", "母親", "お母さん", "お母様", "お母さま", "ママ")
_MEN, _WOMEN = ("男性", "男", "男の方", "男の人", "青年"), ("女性", "女", "女の方", "女の人")
_HUSBANDS = ("ご主人", "旦那さん")
_MARRIED = (*_HUSBANDS, "奥さん", "奥様", "奥さま")
_CHILD = ("男の子", "女の子", "男子", "女子", "男児", "女児")
_OLD_ONES, _OLD_TITLES = ("じい", "ばあ", "爺", "婆"), ("さん", "ちゃん", "さま", "様")
_HEADS = (  # 「気がかりなご一家が。ご主人が七十二」
    "ご主人", "旦那さん", "お父さん", "お父様", "お母さん", "奥さん", "奥様", "おばあさん", "おじいさん",
    "おばあちゃん", "おじいちゃん", "奥さま", *(f"{one}{title}" for one in _OLD_ONES for title in _OLD_TITLES), *_CHILD,
)  # fmt: skip
_THEMSELF = ("本人", "ご本人")
_NOT_OF_CLIENT = ("彼女", "彼", "うちの子")
_SOMEBODYS = re.compile(r"(?:お?(?:隣|となり)|近所|お?向かい|友達|友だち|知り合い|同僚)の$")
_GROWN_UP, _OLD_CHILD = 23, 45
_PARENTS_AGE, _GENERATION = range(_GROWN_UP, 60), range(15, 46)  # years
_AS_PARENT = {"grandmother": "mother", "grandfather": "father"}
_AS_SPOUSE = {"grandmother": "wife", "grandfather": "husband"}
_OLD_PAIR = re.compile(r"(?:お)?(?:じい|ばあ|爺|婆)(?:さん|さま|様)?$|じじ|ばば$|[じば]さま$|(?:じっ|ばっ)ちゃん?$")
_OLD_WRITER = re.compile(
    r"わし(?:ら|ゃ|[はがもの、0-9一二三四五六七八九])|わたしら年寄|おら[はが]|^孫(?:を|が|の(?!手))|"
    r"(?:私|わたし|わたくし|自分|うち)[はがも]?、?(?:今年|もう)?(?:[6-9][0-9]|[六七八九]十)",
    re.MULTILINE,
)
_YOUNG_WRITER = re.compile(
    r"(?:わし|私|わたし|俺|おれ|自分|うち)[はがも]?、?(?:今年|もう)?(?:[1-5][0-9](?!年|回|万|円|分|日|時|キロ)|[二三四五]十)"
)
_NOT_OWN = ("grandchild", "relative")  # children of a kin
_AS_CHILD = {"older_brother": "son", "younger_brother": "son", "older_sister": "daughter", "younger_sister": "daughter"}
_OF_CHILDREN = re.compile(r"(?:[上下]に|双子の|その|[上下]の|年[少中長]の|(?:子|娘|息子)の|(?:子|娘|息子|[長次][女男])(?:さん|ちゃん|くん)?[はがも]、?)$")
_ONE_OF_TWO = re.compile(r"(?:さん|ちゃん|くん)?の(?:ほう|方)")
_ELDER_YOUNGER = {"上の": ("上の", "長男", "長女"), "下の": ("下の", "次男", "次女", "二男", "二女", "末の")}
_POLITE = ("さん", "さま", "様")
_HAVE_WIVES = ("son", "older_brother", "younger_brother")
_HAVE_HUSBANDS = ("daughter", "older_sister", "younger_sister")


def look_ahead(told: Persons, clauses: Sequence[Clause]) -> None:
    """What the text tells of its writer anywhere: whether they are old, whether all their children are sons."""
    text = "\n".join(clause.text for clause in clauses)
    told.old = (told.old or bool(_OLD_WRITER.search(text))) and not _YOUNG_WRITER.search(text)
    told.children = told.children or all_children(text)


def as_meant(told: Persons, mention: Mention, text: str, before: Sequence[Mention] = ()) -> Mention | None:
    """A mention as it is meant; None: nobody of the household. `before`: those of the same clause."""
    word = text[mention.start : mention.end]
    if told.about_other:
        meant = mention
        if told.client or all(m.relation != "client" for m in before):
            meant = _as_child_of_client(told, _from_client(told, mention, text), text)
        meant = _as_spoken_of(told, meant, word)
        return None if meant.relation == "self" or word in _NOT_OF_CLIENT else meant
    if mention.relation == "client":
        return _as_focus(told, mention) if word in _THEMSELF else None
    if not _is_one_of_theirs(told, word):
        return None
    return _as_spoken_of(told, _as_spouse(told, _from_writer(told, mention, text), word), word)


def _as_focus(told: Persons, mention: Mention) -> Mention | None:
    """「主人の鞄から手紙が。本人は四十四」: who was spoken of last, where that is not the writer."""
    one = told.focus
    if one is None or one.teller or one.relation == "relative":
        return None
    return replace(mention, relation=one.relation, called=one.called)


def _is_one_of_theirs(told: Persons, word: str) -> bool:
    """Not 「母親」 of the writer's own child, nor 「上は」 where no children were told of."""
    if word in ("上", "下"):
        return bool(told.children) or any(p.child or p.relation in _NOT_OWN for p in told.every)
    return word not in ("母親", "ママ") or not (told.have_child or "grandchild" in told.relations)


def _from_client(told: Persons, mention: Mention, text: str) -> Mention:
    """When another writes, the first person told of is the client, whatever they are called: 「隣の奥さん」, and a
    small one told of behind a client who is grown up is their child: 「46歳女性。中1の女児と小3の男児」."""
    client, word = told.client, text[mention.start : mention.end]
    if client is not None and mention.relation == "client" and word in _CHILD and (client.age or 0) >= _GROWN_UP:
        return replace(mention, relation="son" if word.startswith("男") else "daughter", called="")
    if mention.relation == "client" and word in (*_MEN, *_WOMEN):
        return replace(mention, called=word)
    if mention.relation in ("self", "client"):
        return mention
    if client is not None and not mention.gone and _is_client(told, client, word, text[mention.end :]):
        return replace(mention, relation="client", called="")
    if client is not None and told.have_child and _is_parent(client, mention, age_after(text[mention.end :])):
        return replace(mention, relation=_AS_PARENT[mention.relation])
    if mention.gone:
        if client is not None or not _SOMEBODYS.search(text[: mention.start]):
            return mention
        mention = replace(mention, gone=False)
    if client is None or _is_the_first(told, client, word):
        return replace(mention, relation="client", called=word)
    if word in _FATHERS and client.called in _MOTHERS:
        return replace(mention, relation="husband", called="")
    if word in _MOTHERS and client.called in _FATHERS:
        return replace(mention, relation="wife", called="")
    again = client.called == word or (word in _CHILD and client.age is None and len(told.every) == 1)
    return replace(mention, relation="client", called="") if again else mention


def _is_client(told: Persons, client: Person, word: str, after: str) -> bool:
    """「84女性。二階の息子さん。母親も声を聞くだけ」, 「女性76、ご主人78。奥さまが」: as their own kin would call them."""
    man, woman = client.called in (*_MEN, *_FATHERS), client.called in (*_WOMEN, *_MOTHERS)
    if (woman and word.startswith("奥")) or (man and word in _HUSBANDS):
        return True
    if _is_their_child(told, client, man, woman, word):
        return age_after(after) in (None, client.age)
    parent = (man and word in _FATHERS) or (woman and word in _MOTHERS)
    age = age_after(after)
    none_else = ("father" if man else "mother") not in told.relations
    return bool(parent) and told.have_child and none_else and age in (None, client.age)


def _is_their_child(told: Persons, client: Person, man: bool, woman: bool, word: str) -> bool:
    """「二十四の男性。母が、息子さんの足音を」: as their own parents would call them."""
    parents = {"father", "mother"} & told.relations
    named = (man and word in ("息子", "息子さん")) or (woman and word in ("娘", "娘さん"))
    return named and bool(parents) and not told.have_child and (client.age or 0) < _OLD_CHILD


def _is_parent(client: Person, mention: Mention, age: int | None) -> bool:
    """「利用者34歳女性。長男は小4。祖母（58）」: whom the client's child calls so is the client's own parent."""
    if mention.relation not in _AS_PARENT or client.age not in _PARENTS_AGE:
        return False
    return age is None or age - client.age in _GENERATION


def _is_the_first(told: Persons, client: Person, word: str) -> bool:
    """Whether nobody was named yet, and this may be the client."""
    if client.mentioned or len(told.every) > 1:
        return False
    return word in _HEADS or (word in (*_FATHERS, *_MOTHERS) and client.age is None)


def _as_child_of_client(told: Persons, mention: Mention, text: str) -> Mention:
    client = told.client
    if client is None or mention.relation not in _AS_CHILD or mention.relation in told.relations:
        return mention
    grown_up = (client.age or 0) >= _GROWN_UP or client.called in (*_MOTHERS, *_FATHERS, *_MARRIED)
    return _as_child(told, mention, text) if grown_up else mention


def _from_writer(told: Persons, mention: Mention, text: str) -> Mention:
    """Kin of kin are none of the writer's own: 「息子は小6、姉の高2は」「息子は四十五、嫁は四十三」「母の彼氏」."""
    word, relations = text[mention.start : mention.end], told.relations
    if word in ("父親", "パパ") and told.have_child and "wife" not in relations:
        return replace(mention, relation="husband")
    if mention.relation == "partner" and "partner" not in relations:
        anothers = next((p for p in told.every if is_partner(p.called)), None)
        return mention if anothers is None else replace(mention, relation="other", called=anothers.called)
    if mention.relation == "other" and mention.called in _ELDER_YOUNGER:
        return _elder_or_younger(told, mention)
    in_law = f"{mention.relation}_in_law"
    if in_law in relations and mention.relation not in relations and word.startswith("お"):
        return replace(mention, relation=in_law)
    if mention.relation in ("wife", "husband") and _is_of_kin(told, mention.relation, word, text[mention.end :]):
        return replace(mention, relation="relative")
    if mention.relation in _AS_CHILD and mention.relation not in relations:
        return _as_child(told, mention, text)
    return mention


def _elder_or_younger(told: Persons, mention: Mention) -> Mention:
    """Of children or grandchildren told of the one whom 「上」 or 「下の子」 means."""
    alike = [p for p in told.every if (p.child or p.relation in _NOT_OWN) and p.called]
    one = next((p for p in alike if p.called in _ELDER_YOUNGER[mention.called]), None)
    if one is None:
        return replace(mention, relation=told.children or "other")
    return replace(mention, relation=one.relation, called=one.called)


def _is_of_kin(told: Persons, relation: str, word: str, after: str) -> bool:
    """Whether a wife or husband is not the writer's own: 「息子は四十五、嫁は四十三」「姉が離婚。旦那さんは」."""
    own = any(p.relation == relation and not p.left for p in told.every)
    if word.startswith("嫁"):
        married = any(p.relation in (*_HAVE_WIVES, "husband") for p in told.every)
        return not after.startswith("はん") and (told.old or (married and not own))
    polite = word.startswith("ご") or word.endswith(_POLITE) or after.startswith(_POLITE) or word == "亭主"
    kin = _HAVE_WIVES if relation == "wife" else _HAVE_HUSBANDS
    return polite and not own and told.focus is not None and told.focus.relation in kin


def _as_child(told: Persons, mention: Mention, text: str) -> Mention:
    """「下に弟がいて小1」, of children or grandchildren that were told of: one of them."""
    word, before, after = text[mention.start : mention.end], text[: mention.start], text[mention.end :]
    age = age_after(after, told.school) or age_before(before, told.school)
    if age is not None and age >= _GROWN_UP:
        return mention
    said_so = age is not None or _OF_CHILDREN.search(before) or _ONE_OF_TWO.match(after)
    if said_so and told.focus is not None and told.focus.relation in _NOT_OWN:
        return replace(mention, relation=told.focus.relation, called=word)
    relation = _AS_CHILD[mention.relation]
    same = [
        p for p in told.every if p.child and p.relation == relation and age in (None, p.age) and p is not told.focus
    ]
    if same and (said_so or word.endswith("ちゃん")):
        return replace(mention, relation=relation, called=same[-1].called)
    return replace(mention, relation=relation, called=word) if said_so and told.have_child else mention


def _as_spouse(told: Persons, mention: Mention, word: str) -> Mention:
    """「わしは八十、ばあさんは七十八」: the old call their own husband and wife as their grandchildren would."""
    own = told.old and mention.relation in _AS_SPOUSE and _OLD_PAIR.match(word)
    return replace(mention, relation=_AS_SPOUSE[mention.relation]) if own else mention


def _as_spoken_of(told: Persons, mention: Mention, word: str) -> Mention:
    """「孫を育てています。七歳の女の子です」: one and the same, or another grandchild."""
    one = told.focus
    if one is None or one.relation not in _NOT_OWN:
        return mention
    small = (one.age or 0) < _GROWN_UP and word.endswith(_CHILD)
    return replace(mention, relation=one.relation) if small or word in ("上", "下") else mention

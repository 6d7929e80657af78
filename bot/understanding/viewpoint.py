"""Whom a word means, seen from who writes: 「ばあさん」 of an old man is his wife, 「お姉ちゃん」 of a mother her
daughter. Where another writes of a client, `clients` says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.understanding.ages import age_after, age_before
from bot.understanding.clauses import Clause
from bot.understanding.clients import CHILD, from_client, is_grown_up
from bot.understanding.persons import Person, Persons
from bot.understanding.relations import CHILDREN, GROWN_UP, Mention, all_children, is_partner

_THEMSELF = ("本人", "ご本人")
_BOY_OR_GIRL = {"男子": "son", "男児": "son", "女子": "daughter", "女児": "daughter"}
_THEIRS = re.compile(r"が(?:い(?:ます|る|て)|おり)|を(?:育て|抱え|預か)|と|の(?:母|父|親|保護者|シングル)")
_NOT_OF_CLIENT = ("彼女", "彼", "うちの子")
_AS_SPOUSE = {"grandmother": "wife", "grandfather": "husband", "mother": "wife", "father": "husband"}
_APART = 12  # years: so much older is nobody's parent
_OLD_PAIR = re.compile(r"(?:お)?(?:じい|ばあ|爺|婆)(?:さん|さま|様)?$|じじ|ばば$|[じば]さま$|(?:じっ|ばっ)ちゃん?$")
_OLD_WRITER = re.compile(
    r"わし(?:ら|ゃ|[はがもの、0-9一二三四五六七八九])|わたしら年寄|おら(?:[はが]、?)?(?:[6-9][0-9]|[六七八九]十)|^孫(?:を|が|の(?!手))|"
    r"(?:私|わたし|わたくし|俺|おれ|オレ|自分|うち|[わあ]たしゃ)[はがも]?、?(?:今年|もう)?(?:[6-9][0-9]|[六七八九]十)",
    re.MULTILINE,
)
_YOUNG_WRITER = re.compile(
    r"(?:わし|私|わたし|俺|おれ|自分|うち)[はがも]?、?(?:今年|もう)?(?:[1-5][0-9](?!年|回|万|円|分|日|時|キロ)|[二三四五]十)"
)
_NOT_OWN = ("grandchild", "relative")  # children of a kin
_AS_CHILD = {"older_brother": "son", "younger_brother": "son", "older_sister": "daughter", "younger_sister": "daughter"}
_OF_CHILDREN = re.compile(
    r"(?:[上下]に|双子の|その|[上下]の|年[少中長]の|(?:子|娘|息子)の|(?:子|娘|息子|[長次][女男])(?:さん|ちゃん|くん)?[はがも]、?)$"
)
_ONE_OF_TWO = re.compile(r"(?:さん|ちゃん|くん)?の(?:ほう|方)")
_ELDER_YOUNGER = {"上の": ("上の", "長男", "長女"), "下の": ("下の", "次男", "次女", "二男", "二女", "末の")}
_OF_FATHER = re.compile("(?<![祖義叔伯])(?:パパ|父|父親|お父さん)の$")
_POLITE = ("さん", "さま", "様")
_HAVE_WIVES = ("son", "older_brother", "younger_brother")
_HAVE_HUSBANDS = ("daughter", "older_sister", "younger_sister")


def look_ahead(told: Persons, clauses: Sequence[Clause]) -> None:
    """What the text tells of its writer anywhere: whether they are old, whether all their children are sons."""
    text = "\n".join(clause.text for clause in clauses)
    told.old = (told.old or bool(_OLD_WRITER.search(text))) and not _YOUNG_WRITER.search(text)
    told.children = told.children or all_children(text)


def as_meant(told: Persons, mention: Mention, text: str) -> Mention | None:
    """A mention as it is meant; None: nobody of the household."""
    word = text[mention.start : mention.end]
    if told.about_other:
        meant = mention
        if told.client or "client" not in told.here:
            meant = _as_child_of_client(told, from_client(told, mention, text), text)
        if meant.relation == "other" and meant.called in _ELDER_YOUNGER and told.have_child:
            meant = _elder_or_younger(told, meant)
        meant = _as_spoken_of(told, meant, word)
        return None if meant.relation == "self" or word in _NOT_OF_CLIENT else meant
    if mention.relation == "client":
        return _as_focus(told, mention) if word in _THEMSELF else _as_own_child(told, mention, text)
    if not _is_one_of_theirs(told, word):
        return None
    return _as_spoken_of(told, _as_spouse(told, _from_writer(told, mention, text), text), word)


def _as_own_child(told: Persons, mention: Mention, text: str) -> Mention | None:
    """「子ども三人、高1女子、中1男子」「中1男子の母です」, and not 「中2女子です」, who writes so of herself."""
    word, after = text[mention.start : mention.end], text[mention.end :]
    if word not in _BOY_OR_GIRL or not (told.have_child or _THEIRS.match(after)):
        return None
    return replace(mention, relation=_BOY_OR_GIRL[word])


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


def _as_child_of_client(told: Persons, mention: Mention, text: str) -> Mention:
    client = told.client
    if client is None or mention.relation not in _AS_CHILD or mention.relation in told.relations:
        return mention
    return _as_child(told, mention, text) if is_grown_up(client) else mention


def _from_writer(told: Persons, mention: Mention, text: str) -> Mention:
    """Kin of kin are none of the writer's own: 「息子は小6、姉の高2は」「息子は四十五、嫁は四十三」「母の彼氏」."""
    word, relations = text[mention.start : mention.end], told.relations
    if word in ("父親", "パパ") and told.have_child and "wife" not in relations:
        return replace(mention, relation="husband")
    if word.endswith("とうちゃん") and told.have_child and "husband" in relations:
        return replace(mention, relation="husband")
    if mention.relation == "wife" and _OF_FATHER.search(text[: mention.start]):
        return replace(mention, relation="mother")
    if mention.relation == "partner" and "partner" not in relations:
        anothers = next((p for p in told.every if is_partner(p.called)), None)
        return mention if anothers is None else replace(mention, relation="other", called=anothers.called)
    if mention.relation == "other" and mention.called in _ELDER_YOUNGER:
        return _elder_or_younger(told, mention)
    in_law = f"{mention.relation}_in_law"
    if in_law in relations and mention.relation not in relations and word.startswith("お"):
        return replace(mention, relation=in_law)
    if mention.relation in ("wife", "husband") and _is_of_kin(told, mention.relation, word, text[mention.end :]):
        return replace(mention, relation="relative", called=word)
    if mention.relation in _AS_CHILD and mention.relation not in relations:
        return _as_child(told, mention, text)
    return mention


def _elder_or_younger(told: Persons, mention: Mention) -> Mention:
    """Of children or grandchildren told of the one whom 「上」 or 「下の子」 means."""
    alike = [p for p in told.every if (p.child or p.relation in _NOT_OWN) and p.called]
    one = next((p for p in alike if p.called in _ELDER_YOUNGER[mention.called]), None)
    one = one or _eldest_or_youngest(told, mention.called)
    if one is None:
        return replace(mention, relation=told.children or "other")
    return replace(mention, relation=one.relation, called=one.called)


def _eldest_or_youngest(told: Persons, called: str) -> Person | None:
    """「中2と小5の息子がいます。上の子は…」「息子が二人。上は…」: of several the one who is meant, called so from now
    on."""
    children = [p for p in told.every if p.child or p.relation in _NOT_OWN]
    alike = [p for p in children if p.age is None and not p.called and p.relation == children[0].relation]
    if len(alike) == len(children) > 1:
        one = alike[0] if called == "上の" else alike[-1]
        one.called = called
        return one
    aged = [p for p in children if p.age is not None]
    if len({p.age for p in aged}) < 2:
        return None
    one = (max if called == "上の" else min)(aged, key=lambda p: p.age or 0)
    if one.called:
        return None
    one.called = called
    return one


def _is_of_kin(told: Persons, relation: str, word: str, after: str) -> bool:
    """Whether a wife or husband is not the writer's own: 「息子は四十五、嫁は四十三」「姉が離婚。旦那さんは」."""
    own = any(p.relation == relation and not p.left for p in told.every)
    if word.startswith("嫁"):
        married = any(p.relation in (*_HAVE_WIVES, "husband") for p in told.every)
        return not after.startswith("はん") and (told.old or (married and not own))
    polite = word.startswith("ご") or word.endswith(_POLITE) or after.startswith(_POLITE) or word == "亭主"
    kin = _HAVE_WIVES if relation == "wife" else _HAVE_HUSBANDS
    of = told.here[-1] if told.here else told.focus.relation if told.focus else ""
    return polite and not own and of in kin


def _as_child(told: Persons, mention: Mention, text: str) -> Mention:
    """「下に弟がいて小1」, of children or grandchildren that were told of: one of them."""
    word, before, after = text[mention.start : mention.end], text[: mention.start], text[mention.end :]
    age = age_after(after, told.school) or age_before(before, told.school)
    one_of_two = before.endswith("その") or _ONE_OF_TWO.match(after)
    if age is not None and age >= GROWN_UP and not (one_of_two and told.have_child):
        return mention
    said_so = age is not None or _OF_CHILDREN.search(before) or _ONE_OF_TWO.match(after)
    if said_so and told.focus is not None and told.focus.relation in _NOT_OWN:
        return replace(mention, relation=told.focus.relation, called=word)
    relation = _AS_CHILD[mention.relation]
    same = [
        p for p in told.every if p.child and p.relation == relation and age in (None, p.age) and p is not told.focus
    ]
    if same and (said_so or word.endswith("ちゃん") or any(p.called == word for p in same)):
        return replace(mention, relation=relation, called=same[-1].called)
    return (
        replace(mention, relation=relation, called=word) if (said_so or told.children) and told.have_child else mention
    )


def _as_spouse(told: Persons, mention: Mention, text: str) -> Mention:
    """「わしは八十、ばあさんは七十八」「八十一です。お父ちゃん84は」: the old call their own husband and wife as their
    grandchildren or children would."""
    word = text[mention.start : mention.end]
    if told.old and mention.relation in ("grandmother", "grandfather") and _OLD_PAIR.match(word):
        return replace(mention, relation=_AS_SPOUSE[mention.relation])
    again = next((p for p in told.every if p.relation in ("husband", "wife") and p.called == word), None)
    if again is not None:
        return replace(mention, relation=again.relation, called=word)
    one = told.first("self")
    age = age_after(text[mention.end :]) if mention.relation in _AS_SPOUSE else None
    if mention.relation in told.relations or one is None or one.age is None or age is None:
        return mention
    if one.age < GROWN_UP or abs(age - one.age) > _APART:
        return mention
    return replace(mention, relation=_AS_SPOUSE[mention.relation], called=word)


def _as_spoken_of(told: Persons, mention: Mention, word: str) -> Mention:
    """「孫を育てています。七歳の女の子です」: one and the same, or another grandchild."""
    one = told.focus
    here = next((relation for relation in told.here if relation in _NOT_OWN), None)
    if here and mention.relation in CHILDREN and word.endswith(CHILD):
        return replace(mention, relation=here)  # 「孫は4歳の女の子と1歳の男の子です」
    if one is None or one.relation not in _NOT_OWN:
        return mention
    small = (one.age or 0) < GROWN_UP and word.endswith(CHILD)
    return replace(mention, relation=one.relation) if small or word in ("上", "下") else mention

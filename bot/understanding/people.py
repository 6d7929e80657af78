"""Who is told of, clause by clause: one person for all the words that mean them, how old, and how a clause speaks of
each. What it means for them is weighed in `owners`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bot.understanding.assessment import Household, Member
from bot.understanding.clauses import Clause
from bot.understanding.features import Floats
from bot.understanding.relations import (
    CHILDREN,
    Mention,
    age_after,
    age_alone,
    age_before,
    all_children,
    is_baby,
    is_partner,
    mentions,
    school_of,
)

_TITLE = r"^(?:さん|さま|様|ちゃん|くん|君|親|たち|のほう|の方|ども)?(?:[(（][^)）]{1,8}[)）])?[0-9]{0,3}(?:歳|才)?"
_SUBJECT = re.compile(_TITLE + r"(?:は|が|も|、|だけ|って|なんか|:|：|　| )")
_BODY = r"(?:の(?:腕|手|足|髪|頭|顔|背中|お?尻|耳|ほお|頬|首|胸|お?腹|体|身体|太もも))?"
_DONE_TO = re.compile(_TITLE + _BODY + r"(?:を|に(?!よる)|へ)")
_SUBJECT_OF_PASSIVE = re.compile(r"^(?:さん|ちゃん|くん|君|親|たち|の方)?[0-9]{0,3}(?:が|は|も|を|の(?!暴|dv|虐待))")
_DOER = re.compile(_TITLE + r"(?:から|による)")
_OWNS = re.compile(_TITLE + r"の(?!こと|件|様子|話|ほう|方|面倒|世話|介護|腕|手|足|髪|頭|顔|背中|首|胸|体|身体)")
_LIVES = re.compile(_TITLE + r"(?:と|も)[^、。]{0,8}(?:暮らし|ぐらし|住|同居)")
_WITH = re.compile(_TITLE + r"(?:と|や|とか)")
_SUFFERS = re.compile(r"[らさたかわ]れ(?:る|た|て|ま|そう|続け)")
_DOES = re.compile(
    r"殴|なぐ|叩|たた[くきい]|蹴|怒鳴|どな|暴|投げ|つね|絞め|脅|監視|束縛|閉じ込|取り上げ|突き飛ば|"
    r"手を(?:上げ|あげ|出)|dv"
)
# Said with nobody named, a wish is the writer's own: Japanese wishes in the first person, unless somebody else said it.
_WISHES_DEATH = re.compile(
    r"(?:死に|しに|消え|いなくなり)たい(?!と|って|とか|なんて|んじゃ|みたい|らし|そう)|死のうと思(?:う|い|って)"
)
_HOUSE_MATTER = re.compile(
    r"家賃|電気|ガス|水道|光熱|生活費|食費|食べる?(?:物|もの)|米びつ|貯金|貯え|蓄え|管理費|更新料|大家|アパート|団地|立ち?退|引っ越|近所|回覧板|町内|自治会"
)
_ME = r"(?:私|わたし|わたくし|自分|僕|ぼく|俺|おれ|わし)"
_AWAY = (
    r"(?:県外|他県|海外|外国|遠方|遠く|よそ|隣町|隣の(?:市|町|県|区|集落)|(?:すぐ)?(?:近く|近所|町内|別のところ)[にで](?:住|暮ら|い)|近所のアパート|別(?:に|々に|の)|離れて|下宿|実家を出|家を出て|実家(?:から|の近く)|"
    r"飛行機|(?:電車|車|新幹線|バス|船)で[^、。]{0,8}(?:分|時間)|土日(?:だけ|に)|嫁(?:い|に出)|結婚して(?:い|出|る|別|近|$|、)|東京|大阪|名古屋|札幌|福岡|仙台|横浜|京都|広島|埼玉|千葉|神奈川)"
)
_ELSEWHERE = re.compile(
    rf"{_ME}[^。\n「」]{{0,16}}?{_AWAY}|隣の市に嫁|県外に(?:いて|おり|住)|嫁いで|実家の両親と(?:弟|妹|兄|姉)の|"
    r"(?:結婚|就職)[^、。]{0,4}で?(?:家を)?出て[いるま]"
)
_CORRECTION = re.compile(r"(?:間違え|まちがえ|すみません|ごめん|(?<!お)いや(?=[^、。]{0,10}(?:から|た[らと]))|じゃなくて|ではなく|訂正|あ、|いや、|誕生日(?:が|を)?(?:来|き|迎|過))")
_SOMEBODYS = re.compile(r"(?:お?(?:隣|となり)|近所|お?向かい|友達|友だち|知り合い|同僚)の$")
_FATHERS = ("父", "父親", "お父さん", "お父様", "お父さま", "パパ")
_MOTHERS = ("母", "母親", "お母さん", "お母様", "お母さま", "ママ")
_CHILD = ("男の子", "女の子", "男子", "女子", "男児", "女児")
_ANYBODY = (
    *_CHILD,
    "お母さん",
    "おばあさん",
    "おじいさん",
    "おばあちゃん",
    "奥さん",
    "奥様",
)
_HEADS = (
    "ご主人",
    "旦那さん",
    "お父さん",
    "お父様",
    "奥さん",
    "奥様",
    *_ANYBODY,
)  # 「気がかりなご一家が。ご主人が七十二」
_AS_CHILD = {"older_brother": "son", "younger_brother": "son", "older_sister": "daughter", "younger_sister": "daughter"}
_GROWN_UP = 23
_SMALL = ("grandchild", "relative")
_OF_CHILDREN = re.compile(r"(?:[上下]に|双子の|その|[上下]の|年[少中長]の|(?:子|娘|息子)の)$")
_ONE_OF_TWO = re.compile(r"(?:さん|ちゃん|くん)?の(?:ほう|方)")
_WAS = re.compile("でした|だった")
_AGE_FIRST = re.compile(r"[ 　]*[0-9一二三四五六七八九十]{1,3}(?:歳|才|さい)?[、。 　]")
_HIS = ("son", "older_brother", "younger_brother")
_HERS = ("daughter", "older_sister", "younger_sister")
_ELDER_YOUNGER = {"上の": ("上の", "長男", "長女"), "下の": ("下の", "次男", "次女", "二男", "二女", "末の")}
_SPOKEN_OF = 3  # clauses
_CHAN = re.compile("ちゃん$")
_OLDER = ("father", "mother", "grandfather", "grandmother", "older_brother", "older_sister")
_LEAST_AGE = {
    "husband": 17, "wife": 16, "partner": 13, "father": 30, "mother": 28, "father_in_law": 38, "mother_in_law": 36,
    "grandfather": 45, "grandmother": 45,
}  # fmt: skip
_OLD = 58
_OLD_WRITER = re.compile(r"わし(?:ら|ゃ|[はがもの、0-9一二三四五六七八九])|わたしら年寄|おら[はが]|(?:私|わたし|わたくし|自分|うち)[はがも]?、?(?:今年|もう)?(?:[6-9][0-9]|[六七八九]十)|^孫(?:を|が|の(?!手))")
_YOUNG_WRITER = re.compile(r"(?:わし|私|わたし|俺|おれ|自分|うち)[はがも]?、?(?:今年|もう)?(?:[1-5][0-9](?!年|回|万|円|分|日|時|キロ)|[二三四五]十)")
_OLD_PAIR = re.compile(r"(?:お)?(?:じい|ばあ)(?:さん)?$|じじ|ばば$")
_AS_SPOUSE = {"grandmother": "wife", "grandfather": "husband"}
_SECOND_ONE = (*CHILDREN, "grandchild", "relative", "younger_brother", "younger_sister")


@dataclass
class Person:
    relation: str
    age: int | None = None
    called: str = ""
    fields: list[str] = field(default_factory=list)
    quotes: tuple[str, ...] = ()
    known: bool = False  # from an earlier text
    teller: bool = False  # the writer, or the one whom an agency or a neighbour writes about
    mentioned: int = 0
    gone: int = 0  # mentions by which they are dead, divorced or have left for good
    subject: int = 0
    owning: int = 0  # only 「父の遺産」
    living: int = 0  # 「祖母と二人暮らし」
    age_guessed: bool = False  # told with nobody beside it

    @property
    def left(self) -> bool:
        """Dead, divorced or gone for good, whenever they are named: what is told is no longer their trouble."""
        return 0 < self.gone == self.mentioned

    @property
    def child(self) -> bool:
        return self.relation in CHILDREN and not is_partner(self.called)

    def member(self) -> Member:
        return Member(self.relation, self.age, tuple(self.fields), self.quotes, self.called)


@dataclass(frozen=True, slots=True)
class Link:
    """How one clause speaks of one person: the names of `seen` are `LINKS`; `names`: whether they are named in it;
    `at`: where in the text, from and to."""

    person: Person
    seen: tuple[float, ...]
    names: bool
    at: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """How a text speaks of one person. `links`: clauses × LINKS; `at`: where they are named; `first`: the first clause
    that names them, if any does; `wishes_death`: the writer says so of themself."""

    person: Person
    links: Floats
    at: tuple[tuple[int, int], ...]
    first: int | None
    wishes_death: bool


@dataclass(frozen=True, slots=True)
class _Matter:
    """What a clause is about, whoever is meant: something done to somebody, violence, rent or light or neighbours."""

    suffers: bool
    does: bool
    of_house: bool

    @classmethod
    def of(cls, text: str) -> _Matter:
        return cls(*(bool(pattern.search(text)) for pattern in (_SUFFERS, _DOES, _HOUSE_MATTER)))


LINKS = (
    "always",
    "subject",
    "done_to",
    "doer",
    "owns",
    "beside",
    "mentioned",
    "spoken_of",  # nobody is named here, and this person was named last
    "spoken_of_by_others",  # others are named here, and this person was named last
    "teller_alone",  # the teller, where nobody is named and nobody was before
    "teller_unnamed",  # the teller, where nobody is named but somebody was named before
    "teller_beside",  # the teller, where only others are named
    "house_matter_spoken_of",  # nobody is named, it is about rent, light or neighbours, and this person was named last
    "house_matter_teller",
    "same_sentence",
    "only_one",
    "suffers",
    "suffers_teller",
    "does_subject",
    "does_done_to",
    "does_teller",
    "rule_suffers",  # violence is told, and by the grammar this is the one who suffers it
    "rule_does",  # violence is told, and this is not the one
    "not_yet",  # nobody has spoken of this person so far
)


_NOT_YET = (*(0.0 for _ in LINKS[1:]), 1.0)


class People:
    """The persons told of so far, and who is spoken of now."""

    def __init__(self, before: Household, speaker: str) -> None:
        self.persons = [
            Person(m.relation, m.age, m.called, list(m.fields), m.quotes, known=True) for m in before.members
        ]
        self.persons += [Person(m.relation, m.age, m.called, [], m.quotes, mentioned=1) for m in before.aside]
        self.about_other = speaker in ("agency", "neighbor")
        self.focus = self.persons[before.focus] if before.focus is not None else None
        self._sentence: tuple[int, list[Person]] = (-1, [])
        self._just_met: Person | None = None  # in this clause
        self._spoken_of = [self.focus] if self.focus is not None else []  # the last first
        self._wishes_death = False
        self._children = ""  # sons or daughters, where all are the one
        self._school = ""  # the one that an agency writes from
        self._old = any(p.relation == "self" and (p.age or 0) >= _OLD for p in self.persons)
        if not self.about_other or self.persons:
            self.teller()

    def teller(self) -> Person:
        """The writer; the client, when an agency or a neighbour writes."""
        relation = "client" if self.about_other else "self"
        person = next((p for p in self.persons if p.relation == relation), None)
        if person is None:
            person = Person(relation)
            self.persons.append(person)
        person.teller = True
        return person

    def hear_all(self, clauses: Sequence[Clause]) -> list[Heard]:
        """Everybody known or named in the clauses, in the order in which they came."""
        young = any(_YOUNG_WRITER.search(clause.text) for clause in clauses)
        self._old = not young and (self._old or any(_OLD_WRITER.search(clause.text) for clause in clauses))
        self._children = self._children or next(filter(None, (all_children(clause.text) for clause in clauses)), "")
        links = [self.hear(clause) for clause in clauses]
        return [self._heard(person, links) for person in self.persons]

    def _heard(self, person: Person, links: Sequence[Sequence[Link]]) -> Heard:
        own = [next((link for link in of_clause if link.person is person), None) for of_clause in links]
        rows = [_NOT_YET if link is None else (*link.seen, 0.0) for link in own]
        return Heard(
            person,
            np.array(rows, np.float32).reshape(len(links), len(LINKS)),
            tuple(place for link in own if link for place in link.at),
            next((number for number, link in enumerate(own) if link and link.names), None),
            wishes_death=person.teller and self._wishes_death,
        )

    def hear(self, clause: Clause) -> list[Link]:
        if self.about_other:
            self._school = school_of(clause.text) or self._school
        found = [self._seen_from_parent(self._seen_from_client(m, clause), clause) for m in mentions(clause.text, self.about_other)]
        found = [self._seen_as_spoken_of(self._seen_from_old(m, clause), clause) for m in found]
        found = [m for m in found if self._counts(m, clause)]
        self._just_met = None
        told = [self._meet(m, clause, found) for m in found]
        alone = None if found else self._age_alone(clause)
        if self.about_other and not self.persons:
            self.teller()
        matter = _Matter.of(clause.text)
        self._wishes_death |= not found and not self.about_other and bool(_WISHES_DEATH.search(clause.text))
        sufferer = self._sufferer(clause, found, told, matter)
        places = [(clause.start + m.start, clause.start + m.end) for m in found]
        links = [
            Link(
                p,
                (*self._seen(p, clause, found, told, matter), *_violence(p, sufferer)),
                p in told or p is alone,
                tuple(place for place, meant in zip(places, told, strict=True) if meant is p),
            )
            for p in self.persons
        ]
        self._go_on(clause, told, found, alone)
        return links

    def _go_on(self, clause: Clause, told: Sequence[Person], found: Sequence[Mention], alone: Person | None) -> None:
        subject = next((p for m, p in zip(found, told, strict=True) if _SUBJECT.match(clause.text[m.end :])), None)
        here = next((p for p in told if not p.left), told[0] if told else None)
        self.focus = subject or here or alone or self.focus
        self._spoken_of = [p for p in (self.focus, *self._spoken_of) if p is not None][:_SPOKEN_OF]
        number, before = self._sentence
        self._sentence = (clause.sentence, [*(before if number == clause.sentence else []), *told])

    def _seen(
        self, person: Person, clause: Clause, found: Sequence[Mention], told: Sequence[Person], matter: _Matter
    ) -> tuple[float, ...]:
        after = [clause.text[m.end :] for m, p in zip(found, told, strict=True) if p is person]
        subject, done_to, doer, owns, beside = (
            any(pattern.match(rest) for rest in after) for pattern in (_SUBJECT, _DONE_TO, _DOER, _OWNS, _WITH)
        )
        suffers, does, house = matter.suffers, matter.does, matter.of_house and not told
        unnamed_teller = person.teller and not after
        return tuple(
            map(
                float,
                (
                    True, subject, done_to, doer, owns, beside, bool(after),
                    not told and person is self.focus,
                    bool(told) and not after and person is self.focus,
                    unnamed_teller and not told and self.focus is None,
                    unnamed_teller and not told and self.focus is not None,
                    unnamed_teller and bool(told),
                    house and person is self.focus,
                    house and person.teller,
                    self._sentence[0] == clause.sentence and person in self._sentence[1],
                    len(self.persons) == 1,
                    suffers and bool(after), suffers and unnamed_teller,
                    does and subject, does and (done_to or beside), does and unnamed_teller,
                ),
            )
        )  # fmt: skip

    def _sufferer(
        self, clause: Clause, found: Sequence[Mention], told: Sequence[Person], matter: _Matter
    ) -> Person | None:
        """Whom violence is done to: 「夫に殴られる」「夫が殴る」 the teller, 「母を叩く」 the one named. None: no
        violence is told, or nobody is named."""
        if not found or not matter.does:
            return None
        done_to = _SUBJECT_OF_PASSIVE if matter.suffers else _DONE_TO
        for mention, person in zip(found, told, strict=True):
            if done_to.match(clause.text[mention.end :]):
                return person
        return self.teller()

    def _counts(self, mention: Mention, clause: Clause) -> bool:
        """Not the agency's own 「私」; not 「彼女」 for a client; not 「本人」 in a resident's; not the children's
        「パパ」 beside a husband."""
        word = clause.text[mention.start : mention.end]
        if self.about_other:
            return mention.relation != "self" and word not in ("彼女", "彼", "うちの子")
        if mention.relation == "client":
            return False
        if word in ("上", "下") and not self._children and not any(p.child or p.relation in _SMALL for p in self.persons):
            return False
        return word not in ("母親", "ママ") or not any(p.child for p in self.persons)

    def _seen_from_client(self, mention: Mention, clause: Clause) -> Mention:
        """When another writes, the first person told of is the client, whatever they are called: 「隣の奥さん」."""
        if not self.about_other or mention.relation in ("self", "client"):
            return mention
        if mention.gone:
            somebodys = _SOMEBODYS.search(clause.text[: mention.start])
            if not somebodys or any(p.relation == "client" for p in self.persons):
                return mention
            mention = replace(mention, gone=False)
        client = next((p for p in self.persons if p.relation == "client"), None)
        word = clause.text[mention.start : mention.end]
        parent = word in (*_FATHERS, *_MOTHERS) and client is not None and client.age is None
        nobody_yet = client is not None and not client.mentioned and len(self.persons) == 1 and (word in _HEADS or parent)
        if client is None or nobody_yet:
            return replace(mention, relation="client", called=word)
        if word in _CHILD and mention.relation == "client" and (client.age or 0) >= _GROWN_UP:
            return replace(mention, relation="son" if word.startswith("男") else "daughter", called="")
        if word in _FATHERS and client.called in _MOTHERS:
            return replace(mention, relation="husband", called="")
        if word in _MOTHERS and client.called in _FATHERS:
            return replace(mention, relation="wife", called="")
        again = client.called == word or (word in _CHILD and client.age is None and len(self.persons) == 1)
        return replace(mention, relation="client", called="") if again else mention

    def _seen_from_old(self, mention: Mention, clause: Clause) -> Mention:
        """「わしは八十、ばあさんは七十八」: the old call their own husband and wife so, as their grandchildren would."""
        if not self._old or self.about_other or mention.relation not in _AS_SPOUSE:
            return mention
        if not _OLD_PAIR.match(clause.text[mention.start : mention.end]):
            return mention
        return replace(mention, relation=_AS_SPOUSE[mention.relation])

    def _seen_as_spoken_of(self, mention: Mention, clause: Clause) -> Mention:
        """「孫を育てています。七歳の女の子です」: one and the same, or another grandchild."""
        one = self.focus
        word = clause.text[mention.start : mention.end]
        if one is not None and one.relation in _SMALL and word in ("上", "下"):
            return replace(mention, relation=one.relation)
        if one is None or one.relation not in _SMALL or (one.age or 0) >= _GROWN_UP:
            return mention
        if not word.endswith(_CHILD):
            return mention
        return replace(mention, relation=one.relation)

    def _seen_from_parent(self, mention: Mention, clause: Clause) -> Mention:
        """「息子は小6、姉の高2は」: a child's sister is a child; 「息子は四十五、嫁は四十三」: a son's wife is none of
        the writer's."""
        relations = {p.relation for p in self.persons}
        if self.about_other:
            grown_up = (self.teller().age or 0) >= _GROWN_UP or self.teller().called in (*_MOTHERS, *_FATHERS)
            small = grown_up and mention.relation in _AS_CHILD and mention.relation not in relations
            return self._as_child(mention, clause.text) if small else mention
        word = clause.text[mention.start : mention.end]
        if word in ("父親", "パパ") and any(p.child for p in self.persons) and "wife" not in relations:
            return replace(mention, relation="husband")
        if mention.relation == "partner" and "partner" not in relations:
            anothers = next((p for p in self.persons if is_partner(p.called)), None)
            return mention if anothers is None else replace(mention, relation="other", called=anothers.called)
        if mention.relation == "other" and mention.called in _ELDER_YOUNGER:
            one = self._elder_or_younger(mention.called)
            if one is not None:
                return replace(mention, relation=one.relation, called=one.called)
            return replace(mention, relation=self._children or "other")
        in_law = f"{mention.relation}_in_law"
        if in_law in relations and mention.relation not in relations and word.startswith("お"):
            return replace(mention, relation=in_law)
        if mention.relation in ("wife", "husband") and self._of_kin(word, mention.relation, clause.text[mention.end :]):
            return replace(mention, relation="relative")
        if mention.relation in _AS_CHILD and mention.relation not in relations:
            return self._as_child(mention, clause.text)
        return mention

    def _of_kin(self, word: str, relation: str, after: str) -> bool:
        """「息子は四十五、嫁は四十三」「姉が離婚。旦那さんは」: the wife or husband of a kin, and not the writer's."""
        own = any(p.relation == relation and not p.left for p in self.persons)
        kin = _HIS if relation == "wife" else _HERS
        if word.startswith("嫁"):
            if after.startswith("はん"):
                return False
            return self._old or (not own and any(p.relation in (*_HIS, "husband") for p in self.persons))
        polite = word.endswith(("さん", "様")) or after.startswith(("さん", "さま", "様")) or word.startswith("ご")
        spoken_of = self.focus is not None and self.focus.relation in kin
        return spoken_of and not own and (polite or word == "亭主")

    def _elder_or_younger(self, called: str) -> Person | None:
        """Of children or grandchildren told of the one whom 「上」 or 「下」 means."""
        alike = [p for p in self.persons if (p.child or p.relation in _SMALL) and p.called]
        return next((p for p in alike if p.called in _ELDER_YOUNGER[called]), None)

    def _as_child(self, mention: Mention, text: str) -> Mention:
        """「下に弟がいて小1」, of children or grandchildren that were told of: one of them."""
        word = text[mention.start : mention.end]
        age = age_after(text[mention.end :], self._school) or age_before(text[: mention.start], self._school)
        said_so = _OF_CHILDREN.search(text[: mention.start]) or _ONE_OF_TWO.match(text[mention.end :])
        if age is not None and age >= _GROWN_UP:
            return mention
        if self.focus is not None and self.focus.relation in _SMALL and (age is not None or said_so):
            return replace(mention, relation=self.focus.relation, called=word)
        relation = _AS_CHILD[mention.relation]
        children = [p for p in self.persons if p.child]
        same = [p for p in children if p.relation == relation and age in (None, p.age) and p is not self.focus]
        if same and (said_so or age is not None or _CHAN.search(word)):
            return replace(mention, relation=relation, called=same[-1].called)
        if children and (age is not None or said_so):
            return replace(mention, relation=relation, called=word)
        return mention

    def _meet(self, mention: Mention, clause: Clause, found: Sequence[Mention]) -> Person:
        """The person whom a mention means: one already known, or a new one."""
        text = clause.text
        age = age_after(text[mention.end :], self._school)
        before = max((m.end for m in found if m.end <= mention.start), default=0)
        if age is None and (before == 0 or age_after(text[before:]) is None):  # what follows another is theirs
            age = age_before(text[before : mention.start], self._school)
            if age is not None and self._is_of_focus(text[: mention.start], age):
                age = None
        if age is None and is_baby(text) and mention.relation in CHILDREN:
            age = 0
        person = self._known(mention, age)
        if person is None:
            if mention.relation == "client" and any(p.relation == "client" for p in self.persons):
                return self.teller()
            person = Person(mention.relation, called=mention.called, teller=mention.relation in ("self", "client"))
            self.persons.append(person)
        if age is not None and (person.age is None or person.age_guessed or _CORRECTION.search(text)):
            self._now_known(person, age)
        if mention.relation in CHILDREN and person.relation == "other" and mention.relation != "other":
            person.relation = mention.relation
        person.called = person.called or mention.called
        self._just_met = person
        person.mentioned += 1
        person.gone += mention.gone
        person.subject += bool(_SUBJECT.match(text[mention.end :]))
        person.owning += bool(_OWNS.match(text[mention.end :]))
        person.living += bool(_LIVES.match(text[mention.end :]))
        return person

    def _is_of_focus(self, before: str, age: int) -> bool:
        """「夫の母 72、私の…」: an age that opens a clause goes with the one named before."""
        one = self.focus
        if one is None or one.age is not None or not _AGE_FIRST.fullmatch(before) or not self._may_be(one, age):
            return False
        one.age = age
        return True

    def _known(self, mention: Mention, age: int | None) -> Person | None:
        same = [p for p in self.persons if p.relation == mention.relation]
        if mention.relation in ("son", "daughter"):  # 「下の子は小6の娘で」: one and the same
            same = [p for p in self.persons if p.child and p.relation == "other" and (p.age is None or p is self._just_met)] or same
        if mention.called:
            same = [p for p in same if p.called in ("", mention.called)]
            same.sort(key=lambda p: p.called != mention.called)
        fitting = [p for p in same if age is None or p.age in (None, age)]
        if not fitting and same and mention.relation not in _SECOND_ONE:
            return same[-1]  # nobody has two husbands: a second age is a correction
        if not fitting:
            return None
        return fitting[0] if mention.called else fitting[-1]

    def _age_alone(self, clause: Clause) -> Person | None:
        alone = age_alone(clause.text, self._school)
        if alone is None:
            return None
        corrected = bool(_CORRECTION.search(clause.text))
        spoken_of = (p for p in self._spoken_of if (p.age is None or corrected) and self._may_be(p, alone[0]))
        person = next(spoken_of, None) or self.teller()
        if self.focus is not None and self.focus.left and _WAS.search(clause.text):
            person = self.focus
        if person.age is None or corrected:
            person.age, person.age_guessed = alone[0], person.age is None
        person.mentioned += 1
        return person


    def _now_known(self, person: Person, age: int) -> None:
        """A person's age, named beside them. What was taken for it before is another's: 「夫に知られたくない。32です。
        夫は40」."""
        before = person.age if person.age_guessed and person.age != age else None
        person.age, person.age_guessed = age, False
        if before is not None:
            others = [p for p in (*self._spoken_of, *reversed(self.persons), self.teller()) if p is not person]
            if not person.teller and self.teller().age is None:
                others.insert(0, self.teller())
            other = next((p for p in others if p.age is None and not p.left and self._may_be(p, before)), None)
            if other is not None:
                other.age, other.age_guessed = before, True

    def _may_be(self, person: Person, age: int) -> bool:
        """Whether a person may be so old, and be spoken of at all."""
        if person.left or age < _LEAST_AGE.get(person.relation, 0):
            return False
        known = self.teller().age if not self.about_other else None
        return known is None or not (person.relation in _OLDER and age < known)


def _violence(person: Person, sufferer: Person | None) -> tuple[float, float]:
    return float(person is sufferer), float(sufferer is not None and person is not sufferer)


def lives_elsewhere(clauses: Sequence[Clause]) -> bool:
    """Whether the writer says to live apart from those they write about."""
    return any(_ELSEWHERE.search(clause.text) for clause in clauses)

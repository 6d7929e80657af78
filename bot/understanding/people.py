"""Who is told of, clause by clause: one person for all the words that mean them, how old, and how a clause speaks of
each. What it means for them is weighed in `whose`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.understanding.ages import school_of
from bot.understanding.assessment import Household
from bot.understanding.clauses import Clause
from bot.understanding.clients import as_sibling
from bot.understanding.features import Floats
from bot.understanding.persons import Person, Persons
from bot.understanding.relations import CHILDREN, Mention, kin_of
from bot.understanding.relations import mentions as mentions_in
from bot.understanding.viewpoint import as_meant, look_ahead
from bot.understanding.whose_age import NEARLY, AgesTold

_TITLE = r"^(?:さん|さま|様|ちゃん|くん|君|親|たち|のほう|の方|ども)?(?:[(（][^)）]{1,8}[)）])?[0-9]{0,3}(?:歳|才)?"
_SUBJECT = re.compile(_TITLE + r"(?:は|が|も|、|だけ|って|なんか|:|：|　| )")
_BODY = r"(?:の(?:腕|手|足|髪|頭|顔|背中|お?尻|耳|ほお|頬|首|胸|お?腹|体|身体|太もも))?"
_DONE_TO = re.compile(_TITLE + _BODY + r"(?:を|に(?!よる)|へ)")
_SUBJECT_OF_PASSIVE = re.compile(r"^(?:さん|ちゃん|くん|君|親|たち|の方)?[0-9]{0,3}(?:が|は|も|を|の(?!暴|dv|虐待))")
_DOER = re.compile(_TITLE + r"(?:から|による)")
_OWNS = re.compile(_TITLE + r"の(?!こと|件|様子|話|ほう|方|面倒|世話|介護|腕|手|足|髪|頭|顔|背中|首|胸|体|身体)")
#: 「母の介護で」「弟を看ています」
_CARED_FOR = re.compile(
    _TITLE + r"(?:の(?:介護|看病|看護|世話|面倒|下の世話)(?:で|を|に|が|も|は|と|、|し|$)|"
    r"を(?:(?:ひとり|一人|家|自宅)で)?(?:介護|看病|看[てとる]|みて(?:い|る|ます|き)|世話し))"
)
_SERVED = re.compile(
    _TITLE
    + r"の(?:おむつ|オムツ|トイレ|薬|ごはん|ご飯|食事|弁当|洗濯|お?風呂|入浴|着替え|送り迎え|付き添い)[とをもや、]"
)
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
_SPOKEN_OF = 3  # clauses
_CHILDREN_ALL = ("子ども", "子供", "こども")
_LOOKED_AHEAD = 3  # clauses
_SECOND_ONE = (*CHILDREN, "grandchild", "relative", "younger_brother", "younger_sister")


@dataclass(frozen=True, slots=True)
class Link:
    """How one clause speaks of one person: the names of `seen` are `LINKS`; `names`: whether they are named in it;
    `at`: where in the text, from and to."""

    person: Person
    seen: tuple[bool, ...]
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


_NOT_NAMED = (False,) * 5
_NOT_YET = (*(False for _ in LINKS[1:]), True)


class People:
    """The persons told of so far, and who is spoken of now."""

    def __init__(self, before: Household, speaker: str) -> None:
        self._all = Persons.of(before, speaker)
        self._sentence: tuple[int, list[Person]] = (-1, [])
        self._just_met: Person | None = None  # in this clause
        self._ages = AgesTold(self._all)
        self._wishes_death = False
        if not self.about_other or self.persons:
            self._all.teller()

    @property
    def persons(self) -> list[Person]:
        return self._all.every

    @property
    def about_other(self) -> bool:
        return self._all.about_other

    @property
    def focus(self) -> Person | None:
        return self._all.focus

    def hear_all(self, clauses: Sequence[Clause]) -> list[Heard]:
        """Everybody known or named in the clauses, in the order in which they came."""
        look_ahead(self._all, clauses)
        links = [self.hear(clause, _rest(clauses, at)) for at, clause in enumerate(clauses)]
        # Nobody is forgotten: the links of a clause are those of the first persons, in their order.
        own = [[*(of[who] for of in links if who < len(of))] for who in range(len(self.persons))]
        not_yet = [len(links) - len(some) for some in own]
        seen = [[*[_NOT_YET] * late, *(link.seen for link in some)] for late, some in zip(not_yet, own, strict=True)]
        rows = np.array(seen, np.float32).reshape(len(own), len(links), len(LINKS))
        return [self._heard(*of) for of in zip(self.persons, rows, own, not_yet, strict=True)]

    def _heard(self, person: Person, rows: Floats, links: Sequence[Link], not_yet: int) -> Heard:
        first = next((number for number, link in enumerate(links, not_yet) if link.names), None)
        at = tuple(place for link in links for place in link.at)
        return Heard(person, rows, at, first, wishes_death=person.teller and self._wishes_death)

    def hear(self, clause: Clause, rest: str) -> list[Link]:
        """How the clause speaks of each. `rest`: how its sentence goes on, for a list of ages may."""
        if self.about_other:
            self._all.school = school_of(clause.text) or self._all.school
        found = self._found(clause.text, rest)
        self._ages.begin(clause)
        self._just_met = None
        told: list[Person] = []
        for at, m in enumerate(found):
            told.append(self._meet(m, clause, found, _beside(found[: at + 1], told)))
        self._ages.together(clause, rest, found, told)
        alone = self._ages.beside_others(clause, found, told) if found else self._ages.alone(clause, rest)
        if self.about_other and not self.persons:
            self._all.teller()
        self._care(clause, found, told)
        matter = _Matter.of(clause.text)
        self._wishes_death |= not found and not self.about_other and bool(_WISHES_DEATH.search(clause.text))
        sufferer = self._sufferer(clause, found, told, matter)
        self._ages.teller_suffers = matter.suffers and sufferer is not None and sufferer.teller
        places = [(clause.start + m.start, clause.start + m.end) for m in found]
        links = [
            Link(
                p,
                (*self._seen(p, clause, found, told, matter), *_violence(p, sufferer), False),
                p in told or p is alone,
                tuple(place for place, meant in zip(places, told, strict=True) if meant is p),
            )
            for p in self.persons
        ]
        self._go_on(clause, told, found, alone)
        return links

    def _care(self, clause: Clause, found: Sequence[Mention], told: Sequence[Person]) -> None:
        """Who cares for whom: whoever the clause is about, or the writer."""
        after = [clause.text[mention.end :] for mention in found]
        cared_for = [p for p, rest in zip(told, after, strict=True) if _CARED_FOR.match(rest) or _is_served(p, rest)]
        cared_for = [person for person in cared_for if not person.teller or self.about_other]
        if not cared_for:
            return
        others = (p for p, rest in zip(told, after, strict=True) if p not in cared_for and _SUBJECT.match(rest))
        carer = next(others, None) or (None if self.about_other else self._all.teller())
        if carer is not None and carer not in cared_for:
            carer.cares += 1
        for person in cared_for:
            person.cared_for += 1

    def _found(self, text: str, rest: str) -> list[Mention]:
        found: list[Mention] = []
        for mention in mentions_in(text, self.about_other, rest):
            self._all.here = [one.relation for one in found]
            meant = as_meant(self._all, mention, text)
            found += [] if meant is None else [meant]
        return found

    def _go_on(self, clause: Clause, told: Sequence[Person], found: Sequence[Mention], alone: Person | None) -> None:
        subject = next((p for m, p in zip(found, told, strict=True) if _SUBJECT.match(clause.text[m.end :])), None)
        here = next((p for p in told if not p.left), told[0] if told else None)
        self._all.focus = subject or here or alone or self.focus
        self._ages.spoken_of = [p for p in (self.focus, *self._ages.spoken_of) if p is not None][:_SPOKEN_OF]
        number, before = self._sentence
        self._sentence = (clause.sentence, [*(before if number == clause.sentence else []), *told])

    def _seen(
        self, person: Person, clause: Clause, found: Sequence[Mention], told: Sequence[Person], matter: _Matter
    ) -> tuple[bool, ...]:
        after = [clause.text[m.end :] for m, p in zip(found, told, strict=True) if p is person]
        subject, done_to, doer, owns, beside = (
            tuple(any(pattern.match(rest) for rest in after) for pattern in (_SUBJECT, _DONE_TO, _DOER, _OWNS, _WITH))
            if after
            else _NOT_NAMED
        )
        focus = self._all.focus
        suffers, does, house = matter.suffers, matter.does, matter.of_house and not told
        unnamed_teller = person.teller and not after
        return (
            True, subject, done_to, doer, owns, beside, bool(after),
            not told and person is focus,
            bool(told) and not after and person is focus,
            unnamed_teller and not told and focus is None,
            unnamed_teller and not told and focus is not None,
            unnamed_teller and bool(told),
            house and person is focus,
            house and person.teller,
            self._sentence[0] == clause.sentence and person in self._sentence[1],
            len(self._all.every) == 1,
            suffers and bool(after), suffers and unnamed_teller,
            does and subject, does and (done_to or beside), does and unnamed_teller,
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
        return self._all.teller()

    def _meet(self, mention: Mention, clause: Clause, found: Sequence[Mention], beside: Sequence[Person]) -> Person:
        """The person whom a mention means: one already known, or a new one; none of those whom the same word means
        `beside` them."""
        text, age = clause.text, mention.age if mention.age is not None else self._ages.beside(mention, clause, found)
        if beside and beside[0].relation == "client" and beside[0].age != age:
            mention = as_sibling(mention, text, age, beside[0].age)
        person = (
            self._so_old(mention, text, age)
            or self._any_child(text[mention.start : mention.end], age)
            or self._known(mention, age, beside)
            or self._taken_back(mention)
            or self._new(mention)
        )
        if age is not None and (person.age is None or person.age_guessed or self._ages.corrected):
            self._ages.now_known(person, age)
        if mention.instead_of == person.relation or (person.relation == "other" and mention.relation in CHILDREN):
            person.relation = mention.relation
        person.called = person.called or mention.called
        self._just_met = person
        person.mentioned += 1
        person.gone += mention.gone
        person.subject += bool(_SUBJECT.match(text[mention.end :]))
        person.owning += bool(_OWNS.match(text[mention.end :])) and not mention.gone
        person.living += bool(_LIVES.match(text[mention.end :]))
        return person

    def _so_old(self, mention: Mention, text: str, age: int | None) -> Person | None:
        """「弟が二人。小4の子はサッカー」: whoever is so old, or one of those told of together, of no age yet."""
        if text[mention.start : mention.end] != "子":
            return None
        if age is None:  # 「お姉ちゃんの小4の子」
            one = self._just_met
            return one if one and one.child and one.age and text[: mention.start].endswith("の") else None
        so_old = next((p for p in self.persons if p.age == age), None)
        return so_old or next((p for p in self._ages.several if p.age is None), None)

    def _any_child(self, word: str, age: int | None) -> Person | None:
        """「夫が子どもを置いて」, once sons or daughters are told of: these, and none beside them."""
        known = [p for p in self.persons if p.child and p.relation != "other" and not p.left]
        if age is not None or word not in _CHILDREN_ALL or not known:
            return None
        return self.focus if self.focus in known else known[-1]

    def _taken_back(self, mention: Mention) -> Person | None:
        """「妹ではなく弟です」: the sister told of before."""
        return self._all.first(mention.instead_of) if mention.instead_of else None

    def _new(self, mention: Mention) -> Person:
        if mention.relation == "client" and self._all.client is not None:
            return self._all.client  # an agency has one
        person = Person(mention.relation, called=mention.called, teller=mention.relation in ("self", "client"))
        self.persons.append(person)
        return person

    def _known(self, mention: Mention, age: int | None, beside: Sequence[Person]) -> Person | None:
        others = [p for p in self.persons if p not in beside]
        same = [p for p in others if p.relation == mention.relation]
        if mention.relation in ("son", "daughter"):  # 「下の子は小6の娘で」: one and the same
            same = [
                p for p in others if p.child and p.relation == "other" and (p.age in (None, age) or p is self._just_met)
            ] or same
        if mention.called:
            same = [p for p in same if p.called in ("", mention.called) or _is_same_kin(p, mention)]
            same.sort(key=lambda p: p.called != mention.called)
        fitting = [
            p for p in same if age is None or p.age in (None, age) or (p.age_guessed and p.relation == "relative")
        ]
        if not fitting and self._ages.corrected:
            fitting = [p for p in same if p.age is not None and age is not None and abs(p.age - age) <= NEARLY]
        if not fitting and same and mention.relation not in _SECOND_ONE and not beside:
            return same[-1]  # nobody has two husbands: a second age is a correction
        if not fitting:
            return None
        return fitting[0] if mention.called else fitting[-1]


def _rest(clauses: Sequence[Clause], at: int) -> str:
    """How the sentence goes on behind a clause."""
    number, text = clauses[at].sentence, ""
    for clause in clauses[at + 1 : at + 1 + _LOOKED_AHEAD]:
        text += clause.text if clause.sentence == number else ""
    return text


def _is_served(person: Person, rest: str) -> bool:
    """「ばあちゃんのトイレと」; but every parent serves a child so."""
    return not person.child and not person.left and bool(_SERVED.match(rest))


def _beside(found: Sequence[Mention], told: Sequence[Person]) -> list[Person]:
    """Those whom the same word means as the last mention; of a client, who was told of in the same clause."""
    last = found[-1]
    return [
        person for one, person in zip(found, told, strict=False)
        if one.start == last.start or (one.relation == last.relation == "client")
    ]  # fmt: skip


def _is_same_kin(person: Person, mention: Mention) -> bool:
    return mention.relation == "relative" and kin_of(person.called) == kin_of(mention.called)


def _violence(person: Person, sufferer: Person | None) -> tuple[bool, bool]:
    return person is sufferer, sufferer is not None and person is not sufferer


def lives_elsewhere(clauses: Sequence[Clause]) -> bool:
    """Whether the writer says to live apart from those they write about."""
    return any(_ELSEWHERE.search(clause.text) for clause in clauses)

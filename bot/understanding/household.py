"""Who belongs to the household, how old, and whose trouble is whose; goes on over several turns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.understanding.assessment import Assessment, Household, Member, add_quote
from bot.understanding.clauses import Clause
from bot.understanding.relations import (
    CHILDREN,
    Mention,
    age_after,
    age_alone,
    age_before,
    is_baby,
    mentions,
)

ELDERS = (
    "grandfather",
    "grandmother",
    "father",
    "mother",
    "father_in_law",
    "mother_in_law",
    "client",
    "husband",
    "wife",
)
# Troubles of the whole house stand with the writer, unless the clause names somebody as their subject.
OF_THE_HOUSE = {"finance", "housing", "poverty", "isolation", "living"}
_SUBJECT = re.compile(
    r"^(?:さん|さま|様|ちゃん|親|のほう|の方)?(?:[(（][^)）]{1,8}[)）])?[0-9]{0,3}(?:は|が|も|、|だけ)"
)
_SUFFERS = re.compile(r"[らさたかわ]れ(?:る|た|て|ま|そう|続け)")
_DOES = re.compile(
    r"殴|なぐ|叩|たた[くきい]|蹴|怒鳴|どな|暴|投げ|つね|絞め|脅|監視|束縛|閉じ込|取り上げ|突き飛ば|"
    r"手を(?:上げ|あげ|出)|dv"
)
_NOT_DOER = re.compile(r"^(?:さん|ちゃん|くん|君|親|たち|の方)?[0-9]{0,3}(?:が|は|も|を|の(?!暴|dv|虐待))")
_DONE_TO = re.compile(r"^(?:さん|ちゃん|くん|君|親|たち|の方)?[0-9]{0,3}(?:を|に(?!よる)|の(?!暴|dv|虐待|こと|言))")
_ELSEWHERE = re.compile(
    r"(?:私|自分|僕|俺|わたし)(?:は|も)?(?:隣(?:の市|町)|県外|遠方|離れて|別に|別の|他県|東京|実家を出)|嫁いで|実家の両親と(?:弟|妹|兄|姉)の"
)
_CORRECTION = re.compile(r"(?:間違え|まちがえ|じゃなくて|ではなく|訂正|あ、|いや、|もう誕生日)")


@dataclass
class _Person:
    relation: str
    age: int | None = None
    called: str = ""
    fields: list[str] = field(default_factory=list)
    quotes: tuple[str, ...] = ()
    gone: bool = False

    def member(self) -> Member:
        return Member(self.relation, self.age, tuple(self.fields), self.quotes, self.called)


def read_household(
    clauses: Sequence[Clause],
    troubles: Sequence[Mapping[str, float]],
    before: Assessment,
    speaker: str | None,
    original: str,
) -> Household:
    """The household after this text. `troubles`: for each clause, the fields that it tells of and how surely."""
    people = _People(before.household, before.speaking(speaker))
    for clause, fields in zip(clauses, troubles, strict=True):
        people.hear(clause, fields, original)
    if any(_ELSEWHERE.search(clause.text) for clause in clauses):
        people.writer_lives_elsewhere()
    return people.household()


class _People:
    """The persons told of so far, and who is spoken of now."""

    def __init__(self, before: Household, speaker: str) -> None:
        self._people = [_Person(m.relation, m.age, m.called, list(m.fields), m.quotes) for m in before.members]
        self._focus = self._people[before.focus] if before.focus is not None else None
        self._about_other = speaker in ("agency", "neighbor")
        self._sentence = -1

    def hear(self, clause: Clause, fields: Mapping[str, float], original: str) -> None:
        found = [self._seen_from_client(m, clause) for m in mentions(clause.text)]
        found = [m for m in found if self._counts(m, clause)]
        told = [self._meet(m, clause) for m in found]
        here = [p for p in told if not p.gone]
        subject = self._subject(clause, found, told)
        if not found:
            subject = self._age_alone(clause) or subject
        quote = clause.quote(original)
        for person in here:
            person.quotes = person.quotes or add_quote((), quote)
        for name in fields:
            owner = self._sufferer(clause, found, told, subject) if name == "abuse" else None
            owner = owner or self._owner(name, subject, here, bool(found))
            if owner is not None and not owner.gone:
                owner.quotes = add_quote(owner.quotes, quote)
                if name not in owner.fields:
                    owner.fields.append(name)
        if subject is not None and not subject.gone:
            self._focus = subject
        self._sentence = clause.sentence

    def _counts(self, mention: Mention, clause: Clause) -> bool:
        """Not the agency's own 「私」; not 「彼女」 for a client; not 「本人」 in a resident's; not the children's
        「パパ」 beside a husband."""
        word = clause.text[mention.start : mention.end]
        if self._about_other:
            return mention.relation != "self" and word not in ("彼女", "彼")
        if mention.relation == "client":
            return False
        parents = any(p.relation in CHILDREN for p in self._people)
        return not (parents and word in ("父親", "母親", "パパ", "ママ"))

    def _seen_from_client(self, mention: Mention, clause: Clause) -> Mention:
        """When another writes, the first person told of is the client, whatever they are called: 「隣の奥さん」."""
        if not self._about_other or mention.relation in ("self", "client") or mention.gone:
            return mention
        client = next((p for p in self._people if p.relation == "client"), None)
        word = clause.text[mention.start : mention.end]
        if client is None:
            return replace(mention, relation="client", called=word)
        return replace(mention, relation="client", called="") if client.called == word else mention

    def _meet(self, mention: Mention, clause: Clause) -> _Person:
        """The person whom a mention means: one already known, or a new one."""
        text = clause.text
        # the next mention's age is not this one's
        later = age_after(text[mention.end :])
        age = later if later is not None else age_before(text[: mention.start])
        if age is None and is_baby(text) and mention.relation in CHILDREN:
            age = 0
        person = self._known(mention, age)
        if person is None:
            person = _Person(mention.relation, called=mention.called)
            if mention.relation == "client" and any(p.relation == "client" for p in self._people):
                return next(p for p in self._people if p.relation == "client")
            self._people.append(person)
        person.gone = person.gone or mention.gone
        if age is not None and (person.age is None or _CORRECTION.search(text)):
            person.age = age
        if mention.relation in CHILDREN and person.relation == "other" and mention.relation != "other":
            person.relation = mention.relation
        person.called = person.called or mention.called
        return person

    def _known(self, mention: Mention, age: int | None) -> _Person | None:
        same = [p for p in self._people if p.relation == mention.relation]
        if mention.relation in ("son", "daughter"):
            same = [p for p in self._people if p.relation == "other" and p.age is None] or same
        if mention.called:
            same = [p for p in same if p.called in ("", mention.called)]
            same.sort(key=lambda p: p.called != mention.called)
        fitting = [p for p in same if age is None or p.age in (None, age)]
        if (
            not fitting
            and same
            and mention.relation not in (*CHILDREN, "grandchild", "relative", "younger_brother", "younger_sister")
        ):
            return same[-1]  # nobody has two husbands: a second age is a correction
        if not fitting:
            return None
        return fitting[0] if mention.called else fitting[-1]

    def _subject(self, clause: Clause, found: Sequence[Mention], told: Sequence[_Person]) -> _Person | None:
        for mention, person in zip(found, told, strict=True):
            if _SUBJECT.match(clause.text[mention.end :]):
                return person
        if told:
            return told[0]
        return self._focus

    def _age_alone(self, clause: Clause) -> _Person | None:
        alone = age_alone(clause.text)
        if alone is None:
            return None
        person = self._focus if self._focus is not None and self._focus.age is None else None
        if person is None:
            person = self._client() if self._about_other else self._writer()
        if person.age is None or _CORRECTION.search(clause.text):
            person.age = alone[0]
        return person

    def _owner(self, name: str, subject: _Person | None, here: Sequence[_Person], explicit: bool) -> _Person | None:
        teller = self._client() if self._about_other else self._writer()
        if name == "carer":
            return subject if explicit and subject is not None and subject.relation not in ELDERS[:6] else teller
        if name == "elderly":
            elders = [p for p in (*here, *([self._focus] if self._focus else [])) if p.relation in ELDERS]
            return elders[0] if elders else teller
        if name == "education":
            children = [p for p in (*here, *([self._focus] if self._focus else [])) if p.relation in CHILDREN]
            return children[0] if children else subject or teller
        if name in OF_THE_HOUSE and not explicit:
            return teller
        return subject or teller

    def _sufferer(
        self, clause: Clause, found: Sequence[Mention], told: Sequence[_Person], subject: _Person | None
    ) -> _Person | None:
        """Whom violence is done to: 「夫に殴られる」「夫が殴る」 the teller, 「母を叩く」 the one named."""
        if not found:
            return None
        passive = _SUFFERS.search(clause.text)
        if not passive and not _DOES.search(clause.text):
            return subject
        done_to = _NOT_DOER if passive else _DONE_TO
        for mention, person in zip(found, told, strict=True):
            if done_to.match(clause.text[mention.end :]):
                return person
        return self._client() if self._about_other else self._writer()

    def _writer(self) -> _Person:
        return self._one("self")

    def _client(self) -> _Person:
        return self._one("client")

    def _one(self, relation: str) -> _Person:
        person = next((p for p in self._people if p.relation == relation), None)
        if person is None:
            person = _Person(relation)
            self._people.append(person)
        return person

    def writer_lives_elsewhere(self) -> None:
        for person in self._people:
            if person.relation == "self" and not person.fields:
                person.gone = True

    def household(self) -> Household:
        stay = [p for p in self._people if not p.gone]
        if stay and not self._about_other and not any(p.relation == "self" for p in self._people):
            writer = _Person("self", quotes=stay[0].quotes)
            stay.append(writer)
        for person in stay:
            if not person.quotes:
                person.quotes = next((p.quotes for p in stay if p.quotes), ())
        shown = [p for p in stay if p.quotes]
        focus = next((at for at, p in enumerate(shown) if p is self._focus), None)
        return Household(tuple(p.member() for p in shown), focus)

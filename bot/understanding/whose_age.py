"""Whose an age is that a text tells: beside somebody, alone, one for each of several, or put right afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.understanding.ages import age_after, age_alone, age_before, age_in_one_word, is_baby
from bot.understanding.clauses import Clause
from bot.understanding.persons import Person, Persons
from bot.understanding.relations import CHILDREN, GROWN_UP, Mention
from bot.understanding.several import Ages, ages_alone, ages_behind

NEARLY = 3  # years by which an age is corrected
_CORRECTION = re.compile(
    r"(?:間違え|まちがえ|すみません|ごめん|(?<!お)いや(?=[^、。]{0,10}(?:から|た[らと]|[0-9十]))|じゃなくて|ではなく|訂正|さっき[^、。]{1,8}と(?:書い|言っ)|あ、|いや、|誕生日(?:が|を)?(?:来|き|迎|過))"
)
_MISTAKEN = re.compile(r"^[^、。]{0,4}(?:間違え|まちがえ|訂正)[^、。]{0,6}[、。]?$")
_AGE_LAST = re.compile(
    r"[、 　](?:もう|今年で?|いま|今)?"
    r"(?:[0-9]{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[小中高][1-6一二三四五六])(?:歳|才|さい)?(?:です|や|じゃ|だ)?。?$"
)
_WAS = re.compile("でした|だった")
_AGE_FIRST = re.compile(r"[ 　]*[0-9一二三四五六七八九十]{1,3}(?:歳|才|さい)?[、。 　]")
_PARTICLES = tuple("がはもとにを、")
_OLDER = ("father", "mother", "grandfather", "grandmother", "older_brother", "older_sister")
_LEAST_AGE = {
    "husband": 17, "wife": 16, "partner": 13, "father": 30, "mother": 28, "father_in_law": 38, "mother_in_law": 36,
    "grandfather": 45, "grandmother": 45,
}  # fmt: skip
_WRITE, _HAVE_CHILDREN = 6, 16  # years
_OF_SOMEBODY = re.compile("(?:子|児|人|方|さん|くん|ちゃん)[(（]$")
_JOINED = ("と", "や", "、")


class AgesTold:
    """Goes through a text with `people`, clause by clause."""

    def __init__(self, told: Persons) -> None:
        self._all = told
        self.spoken_of = [told.focus] if told.focus is not None else []  # the last first
        self.several: list[Person] = []  # whom one word meant last: 「娘が二人」
        self.corrected = self._mistaken = False  # an age is, in this clause; the last one was
        self.teller_suffers = False  # in the last clause: 「夫に首を絞められました。27です」
        self._twins = False
        self._listed_until = 0  # where the last list of ages ended that was given to them

    def begin(self, clause: Clause) -> None:
        self.corrected = bool(_CORRECTION.search(clause.text)) or self._mistaken
        self._mistaken = bool(_MISTAKEN.search(clause.text))

    def together(self, clause: Clause, rest: str, found: Sequence[Mention], told: Sequence[Person]) -> None:
        """Those who were named last with one word, or joined: 「娘が二人」「弟と妹が」; and how old each is: 「父と母は
        78と75」."""
        groups: list[list[Person]] = []
        last: Mention | None = None
        for mention, person in zip(found, told, strict=True):
            joined = last and (mention.start == last.start or clause.text[last.end : mention.start] in _JOINED)
            groups[-1].append(person) if joined else groups.append([person])
            last = mention
        together = next((group for group in reversed(groups) if len(group) > 1), None)
        if together is not None:
            self.several, self._twins = together, "双子" in clause.text
        ages, end = ages_behind(clause.text[last.end :] + rest) if last else ((), 0)
        if last and len(ages) > 1 and len(ages) == len(groups[-1]):
            self._listed_until = clause.start + last.end + end
            for person, age in zip(groups[-1], ages, strict=True):
                person.age = age

    def beside(self, mention: Mention, clause: Clause, found: Sequence[Mention]) -> int | None:
        text = clause.text
        word = text[mention.start : mention.end]
        if (age := age_in_one_word(text[: mention.start], word, self._all.school)) is not None:
            return age
        age = None if _is_of_next(mention, text, found) else age_after(text[mention.end :], self._all.school)
        last = max((m for m in found if m.end <= mention.start), key=lambda m: m.end, default=None)
        before = last.end if last else 0
        if age is None:
            age = age_before(text[before : mention.start], self._all.school)
            # What follows another is theirs, unless it leads over to this one: 「夫26と一歳の息子」.
            after = age_after(text[before:]) if last and not _is_of_next(last, text, found) else None
            theirs = after is not None and (after == age or "と" not in text[before : mention.start])
            if age is not None and (theirs or self._is_of_focus(text[: mention.start], age)):
                age = None
        return 0 if age is None and is_baby(text) and mention.relation in CHILDREN else age

    def _is_of_focus(self, before: str, age: int) -> bool:
        """「夫の母 72、私の…」: an age that opens a clause goes with the one named before."""
        one = self._all.focus
        if one is None or one.age is not None or not _AGE_FIRST.fullmatch(before) or not self._may_be(one, age):
            return False
        one.age = age
        return True

    def alone(self, clause: Clause, rest: str) -> Person | None:
        if clause.start < self._listed_until:
            return None
        ages, there = ages_alone(clause.text + rest)
        if ages and (several := self._who_are(ages, there)):
            self._listed_until = clause.end + len(rest)
            return several
        alone = age_alone(clause.text, self._all.school)
        if alone is None:
            return None
        corrected = self.corrected
        spoken_of = (p for p in self.spoken_of if (p.age is None or corrected) and self._may_be(p, alone[0]))
        near = [p for p in self._all.every if corrected and p.age is not None and abs(p.age - alone[0]) <= NEARLY]
        if self.teller_suffers and self._all.teller().age is None:
            near = [self._all.teller()]
        person = near[-1] if near else next(spoken_of, None) or self._whose(alone[0])
        if person is None or _OF_SOMEBODY.search(clause.text[: alone[1] + 1]):
            return None
        if self._all.focus is not None and self._all.focus.left and _WAS.search(clause.text):
            person = self._all.focus
        for one in self.several if self._twins and person in self.several else [person]:
            if one.age is None or corrected:
                one.age, one.age_guessed = alone[0], one.age is None
        person.gone += person.left  # 「長男が逝きました。はたちでした」: still gone
        person.mentioned += 1
        return person

    def _whose(self, age: int) -> Person | None:
        """Whose age it is that was told with nobody beside it, where nobody spoken of can be so old: the writer's, but
        not of an age at which nobody writes, or has a child: then the child's."""
        teller = self._all.teller()
        if self._all.about_other or age >= (_HAVE_CHILDREN if self._all.have_child else _WRITE):
            return teller
        return next((p for p in reversed(self._all.every) if p.child and p.age is None and not p.left), None)

    def _who_are(self, ages: Ages, there: bool) -> Person | None:
        """「弟が二人います。小5と小2です」「子どもは三人。小4、小1、3歳」: the first. `there`: 「4歳と2歳がいる」."""
        one = self._all.focus
        several = self.several if one in self.several else [one] if one and one.relation == "other" else []
        if any(p.age is not None for p in several) or len(several) not in (1, len(ages)):
            several = []
        if not several and not (there and max(age or 0 for age in ages) < GROWN_UP):
            return None
        more = [Person("other", mentioned=1) for _ in ages[len(several) :]]
        self._all.every.extend(more)
        for person, age in zip([*several, *more], ages, strict=True):
            person.age = age
        return [*several, *more][0]

    def beside_others(self, clause: Clause, found: Sequence[Mention], told: Sequence[Person]) -> Person | None:
        """「息子が不登校で、14です」: an age that ends a clause is theirs of whom it speaks; 「六十、妻は五十八」: one
        that opens it, where the one named there has their own, is the writer's."""
        text = clause.text
        opens = _AGE_FIRST.fullmatch(text[: found[0].start])
        if opens and told[0].age is not None and not told[0].age_guessed:
            first, teller = age_alone(opens.group(), self._all.school), self._all.teller()
            if first is not None and teller.age is None and first[0] != told[0].age:
                teller.age, teller.age_guessed = first[0], True
                return teller
        ends = None if "熱" in text else _AGE_LAST.search(text, found[-1].end)  # 「娘の熱が、39です」
        last = age_alone(ends.group().lstrip("、 　で"), self._all.school) if ends else None
        if last is None:
            return None
        if told[-1].left and self._all.teller().age is None:  # 「女房に逃げられて二年、今年62だ」
            self._all.teller().age, self._all.teller().age_guessed = last[0], True
            return self._all.teller()
        if not self._may_be(told[-1], last[0]):
            return None
        corrects = self.corrected and told[-1].age is not None and abs(told[-1].age - last[0]) <= NEARLY
        if told[-1].age is not None and not corrects:
            return None
        told[-1].age, told[-1].age_guessed = last[0], True
        return told[-1]

    def now_known(self, person: Person, age: int) -> None:
        """A person's age, named beside them. What was taken for it before is another's: 「夫に知られたくない。32です。
        夫は40」."""
        before = person.age if person.age_guessed and person.age != age else None
        person.age, person.age_guessed = age, False
        if before is not None:
            others = [p for p in (*self.spoken_of, *reversed(self._all.every), self._all.teller()) if p is not person]
            if not person.teller and self._all.teller().age is None:
                others.insert(0, self._all.teller())
            other = next((p for p in others if p.age is None and not p.left and self._may_be(p, before)), None)
            if other is not None:
                other.age, other.age_guessed = before, True

    def _may_be(self, person: Person, age: int) -> bool:
        """Whether a person may be so old, and be spoken of at all."""
        if person.left or age < _LEAST_AGE.get(person.relation, 0):
            return False
        known = self._all.teller().age if not self._all.about_other else None
        return known is None or not (person.relation in _OLDER and age < known)


def _is_of_next(mention: Mention, text: str, found: Sequence[Mention]) -> bool:
    """「23歳の私が高1の妹と」: an age behind a particle and before the next person's word is theirs."""
    behind = next((m for m in found if m.start > mention.end), None)
    if behind and behind.relation in CHILDREN and mention.relation in (*CHILDREN, "grandchild"):
        return False  # 「下の子は1歳の男の子」: one and the same
    between = text[mention.end : behind.start] if behind else ""
    return between.endswith("の") and between[:1] in _PARTICLES and age_before(between) is not None

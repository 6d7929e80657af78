"""The persons of a talk, and what is known of who writes and of whom is spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.understanding.assessment import Household, Member
from bot.understanding.relations import CHILDREN, is_partner

OLD = 58  # years of age of a writer who calls husband or wife 「じいさん」「ばあさん」


@dataclass(eq=False)  # two of whom the same is known are still two
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
    owning: int = 0  # mentions by which only something of theirs is named: 「父の会社」
    living: int = 0  # 「祖母と二人暮らし」
    cares: int = 0  # for somebody: 「母の介護をしています」
    cared_for: int = 0
    age_guessed: bool = False  # told with nobody beside it

    @property
    def left(self) -> bool:
        """Dead, divorced or gone for good, whenever they are named: what is told is no longer their trouble."""
        return self.gone > 0 and self.gone + self.owning >= self.mentioned

    @property
    def child(self) -> bool:
        return self.relation in CHILDREN and not is_partner(self.called)

    def member(self) -> Member:
        return Member(self.relation, self.age, tuple(self.fields), self.quotes, self.called)


@dataclass
class Persons:
    """Those told of so far. `about_other`: an agency or a neighbour writes, about a client."""

    every: list[Person]
    focus: Person | None  # whom the last clauses speak of
    about_other: bool
    school: str = ""  # the one that an agency writes from
    old: bool = False  # the writer
    here: Sequence[str] = ()  # the relations of those named before in the same clause
    children: str = ""  # "son" or "daughter", where all the children are the one

    @classmethod
    def of(cls, before: Household, speaker: str) -> Persons:
        every = [Person(m.relation, m.age, m.called, list(m.fields), m.quotes, known=True) for m in before.members]
        every += [Person(m.relation, m.age, m.called, [], m.quotes, mentioned=1) for m in before.aside]
        focus = every[before.focus] if before.focus is not None else None
        old = any(p.relation == "self" and (p.age or 0) >= OLD for p in every)
        return cls(every, focus, speaker in ("agency", "neighbor"), old=old)

    @property
    def client(self) -> Person | None:
        return self.first("client")

    @property
    def relations(self) -> set[str]:
        return {*(p.relation for p in self.every), *self.here}

    @property
    def have_child(self) -> bool:
        return any(p.child for p in self.every) or any(relation in CHILDREN for relation in self.here)

    def first(self, relation: str) -> Person | None:
        return next((p for p in self.every if p.relation == relation), None)

    def teller(self) -> Person:
        """The writer; the client, when an agency or a neighbour writes."""
        relation = "client" if self.about_other else "self"
        person = self.first(relation)
        if person is None:
            person = Person(relation)
            self.every.append(person)
        person.teller = True
        return person

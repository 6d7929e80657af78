"""Learns whose trouble is whose from the household conversations. A part of `build_heads`, which says what the heads
read in each clause without having seen the conversation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression

from bot.understanding.assessment import Household
from bot.understanding.clauses import Clause, split
from bot.understanding.evidence import OddsOf
from bot.understanding.features import Floats
from bot.understanding.owners import (
    ABUSE,
    OWNERS,
    SIGNS,
    TRAITS,
    Owners,
    Seen,
    by_rule,
    own_clauses,
    signs_of,
    traits_of,
)
from bot.understanding.people import LINKS, People, Person, lives_elsewhere
from bot.understanding.speaker import speaker_of
from bot.understanding.voices import HouseholdVoice
from knowledge_base.vocabulary import vocabulary

PARTS_READ = 5
SMALL, SMALLER = 0.1, 1.0  # wish for small factors: of those for all fields, and of what one field has beside them
ROUNDS = 60
OF_THE_HOUSE = ("housing", "finance", "poverty", "isolation")  # the writer's, unless somebody else is named
_NOBODY = -50.0


@dataclass
class Conversation:
    """`each` (clauses × fields), `whole` (fields) and `speakers`: log-odds by heads that have not seen this
    conversation."""

    told: HouseholdVoice
    folded: str
    each: Floats
    whole: Floats
    speakers: Floats
    of_clauses: OddsOf


@dataclass
class Someone:
    """One person of one conversation, as `People` has found them."""

    conversation: int
    person: Person
    seen: list[Seen]
    own: Floats
    traits: Floats
    signs: Floats
    member: Mapping[str, Any] | None  # as labelled; None: nobody whom the labels know


def build(conversations: Sequence[Conversation], out: Path = OWNERS) -> dict[str, float]:
    """Writes the factors; returns figures of a reading in five parts."""
    people = [someone for at, one in enumerate(conversations) for someone in _people_of(at, one)]
    part = np.random.default_rng(0).permutation(len(conversations)) % PARTS_READ
    readings: list[tuple[Someone, Floats, float]] = []
    for number in range(PARTS_READ):
        owners = _learn(conversations, [p for p in people if part[p.conversation] != number])
        these = [p for p in people if part[p.conversation] == number]
        readings += [(p, _owned(owners, conversations, p), _there(owners, p)) for p in these]
    owners = _learn(conversations, people)
    owned_from, exists_from, figures = _best_cuts(conversations, readings)
    out.write_text(json.dumps(_named(owners, owned_from, exists_from), indent=1) + "\n", encoding="utf-8")
    return figures


def _seen(people: People, clauses: Sequence[Clause]) -> dict[int, list[Seen]]:
    seen: dict[int, list[Seen]] = {}
    for number, clause in enumerate(clauses):
        for link in people.hear(clause):
            seen.setdefault(id(link.person), []).append(Seen(number, link.seen))
    return seen


def _people_of(at: int, conversation: Conversation) -> list[Someone]:
    people = People(Household(), speaker_of(conversation.speakers) or "self")
    clauses = split(conversation.folded)[: len(conversation.each)]
    seen = _seen(people, clauses)
    elsewhere = lives_elsewhere(clauses)
    members = _matched(people.persons, conversation.told.members)
    heard = [seen.get(id(person), []) for person in people.persons]
    own: list[Floats] = list(conversation.of_clauses([own_clauses(one) for one in heard])) if heard else []
    return [
        Someone(
            at, person, one, odds, traits_of(person, people.about_other),
            signs_of(person, people.about_other, elsewhere), members.get(id(person)),
        )
        for person, one, odds in zip(people.persons, heard, own, strict=True)
    ]  # fmt: skip


def _matched(people: Sequence[Person], members: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """As eval/score.py matches them: the same relation, and the same age where both give one."""
    left, matched = list(people), {}
    for member in members:
        age = member.get("age")
        person = next(
            (p for p in left if p.relation == member["relation"] and (None in (p.age, age) or p.age == age)), None
        )
        if person is not None:
            left = [p for p in left if p is not person]
            matched[id(person)] = member
    return matched


class _Model(torch.nn.Module):
    """`Owners.owned` in torch, for many people at once."""

    def __init__(self) -> None:
        super().__init__()
        fields = len(vocabulary().fields)
        self.links = torch.nn.Parameter(torch.zeros(len(LINKS), 1))
        self.links_of_field = torch.nn.Parameter(torch.zeros(len(LINKS), fields))
        self.by_rule = torch.zeros(len(LINKS), fields)  # where the factors start from
        for link, start in (("house_matter_spoken_of", -2.0), ("house_matter_teller", 2.0)):
            self.by_rule[LINKS.index(link), [list(vocabulary().fields).index(f) for f in OF_THE_HOUSE]] = start
        self.traits = torch.nn.Parameter(torch.zeros(len(TRAITS), 1))
        self.traits_of_field = torch.nn.Parameter(torch.zeros(len(TRAITS), fields))
        self.of_texts = torch.nn.Parameter(torch.tensor([0.5, 0.3, 0.2, 0.0]))  # clause, whole, own, own_likely

    def forward(
        self, owner: torch.Tensor, links: torch.Tensor, each: torch.Tensor, texts: torch.Tensor, traits: torch.Tensor
    ) -> torch.Tensor:
        """`owner`: of each link the person; `texts`: persons × fields × (whole, own, own_likely)."""
        scores = links @ (self.links + self.links_of_field) + self.of_texts[0] * each
        at = owner[:, None].expand_as(scores)
        top = torch.full((len(traits), scores.shape[1]), _NOBODY).scatter_reduce(0, at, scores.detach(), "amax")
        total = torch.zeros_like(top).index_add(0, owner, torch.exp(scores - top[owner]))
        return top + torch.log(total + 1e-9) + traits @ (self.traits + self.traits_of_field) + texts @ self.of_texts[1:]

    def large(self) -> torch.Tensor:
        held = self.links_of_field - self.by_rule
        for_all = self.links.square().sum() + self.traits.square().sum()
        return SMALL * for_all + SMALLER * (held.square().sum() + self.traits_of_field.square().sum())


def _learn(conversations: Sequence[Conversation], people: Sequence[Someone]) -> Owners:
    known = [p for p in people if p.member is not None and p.seen]
    owner = torch.from_numpy(np.repeat(np.arange(len(known)), [len(p.seen) for p in known]))
    links = _tensor([one.links for p in known for one in p.seen])
    each = _tensor([conversations[p.conversation].each[one.clause] for p in known for one in p.seen])
    texts = _tensor([np.stack([conversations[p.conversation].whole, p.own, p.own.clip(0)], axis=-1) for p in known])
    traits = _tensor([p.traits for p in known])
    wanted = _tensor([[float(f in p.member["fields"]) for f in vocabulary().fields] for p in known if p.member])
    of_violence = torch.zeros(wanted.shape)
    of_violence[:, ABUSE] = _tensor([by_rule(p.seen, conversations[p.conversation].whole[ABUSE]) for p in known])
    torch.manual_seed(0)
    model = _Model()
    solver = torch.optim.LBFGS(model.parameters(), max_iter=ROUNDS, history_size=12, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        odds = model(owner, links, each, texts, traits) + of_violence
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(odds, wanted, reduction="sum")
        total = wrong + model.large()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(loss)  # type: ignore[no-untyped-call]
    clause, whole, own, own_likely = model.of_texts.detach().tolist()
    exists = LogisticRegression(C=1.0, max_iter=500, fit_intercept=False)
    exists.fit(np.stack([p.signs for p in people]), [p.member is not None for p in people])
    return Owners(
        links=(model.links + model.links_of_field).detach().numpy(),
        traits=(model.traits + model.traits_of_field).detach().numpy(),
        clause=clause,
        whole=whole,
        own=own,
        own_likely=own_likely,
        exists=np.asarray(exists.coef_[0], np.float32),
        owned_from=0.5,
        exists_from=0.5,
    )


def _tensor(rows: Sequence[object]) -> torch.Tensor:
    return torch.from_numpy(np.array(rows, np.float32))


def _owned(owners: Owners, conversations: Sequence[Conversation], person: Someone) -> Floats:
    conversation = conversations[person.conversation]
    if not person.seen:
        return np.zeros(len(conversation.whole), np.float32)
    return owners.owned(person.seen, person.traits, conversation.each, conversation.whole, person.own)[0]


def _there(owners: Owners, person: Someone) -> float:
    return float(1 / (1 + np.exp(-float(person.signs @ owners.exists))))


def _best_cuts(
    conversations: Sequence[Conversation], readings: Sequence[tuple[Someone, Floats, float]]
) -> tuple[float, float, dict[str, float]]:
    exists = max(np.arange(0.25, 0.7, 0.05), key=lambda cut: _scores(conversations, readings, 0.5, cut)["member_f1"])
    owned = max(
        np.arange(0.15, 0.7, 0.025), key=lambda cut: _scores(conversations, readings, cut, exists)["member_field_f1"]
    )
    figures = {"conversations": len(conversations)} | _scores(conversations, readings, owned, exists)
    return round(float(owned), 3), round(float(exists), 3), figures


def _scores(
    conversations: Sequence[Conversation],
    readings: Sequence[tuple[Someone, Floats, float]],
    owned_from: float,
    exists_from: float,
) -> dict[str, float]:
    """As eval/score.py counts."""
    names = np.array(list(vocabulary().fields))
    right: npt.NDArray[np.int64] = np.zeros(2, np.int64)  # members, fields of members
    found = np.zeros(2, np.int64)
    told = np.array(
        [
            sum(len(c.told.members) for c in conversations),
            sum(len(member["fields"]) for c in conversations for member in c.told.members),
        ]
    )
    for person, probability, there in readings:
        if there >= exists_from:
            fields = set(names[probability >= owned_from])
            found += (1, len(fields))
            if person.member is not None:
                right += (1, len(fields & set(person.member["fields"])))
    scores = 2 * right / np.maximum(found + told, 1)
    return {"member_f1": round(float(scores[0]), 4), "member_field_f1": round(float(scores[1]), 4)}


def _named(owners: Owners, owned_from: float, exists_from: float) -> dict[str, Any]:
    fields = list(vocabulary().fields)

    def table(names: Sequence[str], factors: Floats) -> dict[str, dict[str, float]]:
        return {
            n: {f: round(float(x), 3) for f, x in zip(fields, row, strict=True)}
            for n, row in zip(names, factors, strict=True)
        }

    return {
        "owned_from": owned_from,
        "exists_from": exists_from,
        "clause": round(owners.clause, 3),
        "whole": round(owners.whole, 3),
        "own": round(owners.own, 3),
        "own_likely": round(owners.own_likely, 3),
        "exists": {name: round(float(x), 3) for name, x in zip(SIGNS, owners.exists, strict=True)},
        "links": table(LINKS, owners.links),
        "traits": table(TRAITS, owners.traits),
    }

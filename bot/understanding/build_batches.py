"""Lessons side by side, so that the encoder learns from many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from bot.understanding.build_lessons import NOT_LEARNED, Lesson, Lessons
from bot.understanding.build_net import FIELDS, OUTPUTS, PADDING, ManyPersons
from bot.understanding.owners import SPOKEN
from bot.understanding.traits import TRAITS

BATCH = 64
TOGETHER = 40  # batches among which texts of like length are put together, which saves padding


@dataclass(frozen=True)
class Batch:
    """`ids` texts × tokens; `wanted` texts × outputs. The other tensors have a row for each stretch of a text
    (`part_`), for each text that tells of one matter alone or half of a joined one (`some_`), and for each text whose
    persons are known (`of_`): `…row`: which text; `…inside`: which of its tokens, `of_there`: which persons are."""

    ids: Tensor
    wanted: Tensor
    part_row: Tensor
    part_inside: Tensor
    part_wanted: Tensor
    some_row: Tensor
    some_inside: Tensor
    some_wanted: Tensor
    of_row: Tensor
    of_there: Tensor
    of_mentions: Tensor
    of_links: Tensor
    of_traits: Tensor
    of_wanted: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, one.name).to(device, non_blocking=True) for one in fields(self)))

    @property
    def persons(self) -> ManyPersons:
        return ManyPersons(self.of_there, self.of_mentions, self.of_links, self.of_traits)

    @classmethod
    def of(cls, lessons: Sequence[Lesson]) -> Batch:
        tokens = max(len(lesson.ids) for lesson in lessons)
        parts = [(row, *part) for row, lesson in enumerate(lessons) for part in lesson.parts]
        some = [
            (row, 0, len(lesson.ids), lesson.wanted) for row, lesson in enumerate(lessons) if _tells_of_some(lesson)
        ]
        some += parts
        return cls(
            torch.tensor([lesson.ids + [PADDING] * (tokens - len(lesson.ids)) for lesson in lessons]),
            torch.stack([lesson.wanted for lesson in lessons]),
            *_stretches(parts, tokens, OUTPUTS),
            *_stretches(some, tokens, FIELDS),
            *_persons(lessons, tokens),
        )


def _tells_of_some(lesson: Lesson) -> bool:
    return lesson.persons is None and not lesson.parts


def _stretches(several: Sequence[tuple[int, int, int, Tensor]], tokens: int, outputs: int) -> tuple[Tensor, ...]:
    places = torch.arange(tokens)
    inside = [(places >= first) & (places < behind) for _, first, behind, _ in several]
    return (
        torch.tensor([row for row, *_ in several], dtype=torch.long),
        torch.stack(inside) if inside else torch.zeros(0, tokens, dtype=torch.bool),
        torch.stack([wanted[:outputs] for *_, wanted in several]) if several else torch.zeros(0, outputs),
    )


def _persons(lessons: Sequence[Lesson], tokens: int) -> tuple[Tensor, ...]:
    known = [(row, lesson.persons) for row, lesson in enumerate(lessons) if lesson.persons is not None]
    size = (len(known), max((len(persons.wanted) for _, persons in known), default=0))
    there = torch.zeros(size, dtype=torch.bool)
    mentions, links = torch.zeros(*size, tokens), torch.zeros(*size, tokens, len(SPOKEN))
    traits, wanted = torch.zeros(*size, len(TRAITS)), torch.full((*size, FIELDS), NOT_LEARNED)
    for at, (_, persons) in enumerate(known):
        count, length = persons.mentions.shape
        there[at, :count] = True
        mentions[at, :count, :length] = persons.mentions.float()
        links[at, :count, :length] = persons.links.float()
        traits[at, :count], wanted[at, :count] = persons.traits, persons.wanted
    return torch.tensor([row for row, _ in known], dtype=torch.long), there, mentions, links, traits, wanted


class Batches(IterableDataset[Batch]):
    """Without end; every worker that loads them shows everything in an order of its own."""

    def __init__(self, lessons: Lessons, seed: int) -> None:
        self._lessons, self._seed = lessons, seed

    def __iter__(self) -> Iterator[Batch]:
        info = torch.utils.data.get_worker_info()
        self._lessons.seed(1000 * self._seed + (info.id if info else 0))
        while True:
            shown = self._lessons.once()
            for first in range(0, len(shown), BATCH * TOGETHER):
                some = sorted(shown[first : first + BATCH * TOGETHER], key=lambda lesson: len(lesson.ids))
                groups = [some[at : at + BATCH] for at in range(0, len(some), BATCH)]
                yield from (Batch.of(groups[at]) for at in torch.randperm(len(groups)).tolist())

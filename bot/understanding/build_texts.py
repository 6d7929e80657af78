"""The texts that everything is learned from, with what is wanted of each, and the fifth of them that is held back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.understanding.danger_signs import KINDS
from bot.understanding.features import Floats
from bot.understanding.heads import DANGER, SPEAKERS
from bot.understanding.persons import Person
from bot.understanding.voices import HouseholdVoice, Voice, read_households, read_voices
from knowledge_base.vocabulary import vocabulary

NOT_LEARNED = float("nan")
HELD_BACK = 5  # a fifth of the texts


@dataclass
class Texts:
    """`outputs`: voices, households, descriptions × outputs: 1 yes, 0 no, NOT_LEARNED left out. `held`: the rows of
    the voices and households that what is fitted and shown stands on; nothing else has been learned from them."""

    voices: list[Voice]
    households: list[HouseholdVoice]
    descriptions: list[Description]
    outputs: Floats
    held: npt.NDArray[np.int64]

    @classmethod
    def read(cls) -> Texts:
        voices, households, described = read_voices(), read_households(), descriptions()
        texts = [voice.text for voice in voices] + [told.text for told in households]
        held = np.flatnonzero([_is_held_back(text) for text in texts])
        return cls(voices, households, described, outputs(voices, households, described), held)

    def all(self) -> Iterator[str]:
        yield from (voice.text for voice in self.voices)
        yield from (told.text for told in self.households)
        yield from (description.text for description in self.descriptions)

    def learned(self, held_back: bool) -> npt.NDArray[np.int64]:
        """The rows of the voices and households to learn from."""
        every = np.arange(len(self.voices) + len(self.households))
        return np.setdiff1d(every, self.held) if held_back else every


def _is_held_back(text: str) -> bool:
    """By the text itself, so that texts that are added later move none of the others."""
    return hashlib.sha256(text.encode()).digest()[0] % HELD_BACK == 0


@dataclass(frozen=True, slots=True)
class Description:
    """A text of the knowledge base: what a field covers, or what a service is."""

    text: str
    fields: tuple[str, ...]
    service: str | None


def descriptions() -> list[Description]:
    names = vocabulary()
    found = []
    for field in names.fields.values():
        covered = [part for part in re.split("[、（）()]", field.covers) if len(part) > 1]
        found += [Description(text, (field.id,), None) for text in (field.ja, field.covers, *covered)]
    for service in names.services.values():
        found += [Description(text, service.fields, service.id) for text in (service.ja, service.about)]
    return found


#: Public sets of plain sentences, and the key of each that holds Japanese.
_PLAIN = {"commonsense_moral/sentences.jsonl": "text", "tanaka_small/ja_en.jsonl": "ja"}
EVERY = 6  # of them every sixth


def more(folder: Path) -> list[str]:
    """Sentences of daily life with no label: JCommonsenseMorality (MIT) and the Tanaka corpus (CC BY)."""
    rows = [
        json.loads(line)[key]
        for name, key in _PLAIN.items()
        for line in (folder / name).read_text(encoding="utf-8").splitlines()
    ]
    return rows[::EVERY]


def outputs(voices: Sequence[Voice], households: Sequence[HouseholdVoice], described: Sequence[Description]) -> Floats:
    names = vocabulary()
    rows = [
        [_graded(f, v) for f in names.fields]
        + [float(s in v.services) for s in names.services]
        + _danger(v)
        + [float(v.speaker == who) for who in SPEAKERS]
        + [_tells(v)]
        for v in voices
    ]
    rows += [
        [float(f in h.fields) for f in names.fields]
        + [NOT_LEARNED] * (len(names.services) + len(DANGER) + len(SPEAKERS))
        + [1.0]
        for h in households
    ]
    rows += [
        [float(f in d.fields) for f in names.fields]
        + [float(s == d.service) if d.service else NOT_LEARNED for s in names.services]
        + [NOT_LEARNED] * (len(DANGER) + len(SPEAKERS))
        + [1.0]
        for d in described
    ]
    return np.array(rows, np.float32)


def _graded(field: str, voice: Voice) -> float:
    """What may be recorded says neither yes nor no; where nothing must be, nothing should be."""
    open_to_either = field in voice.may and (voice.must or voice.level != "none")
    return NOT_LEARNED if open_to_either else float(field in voice.must)


def _danger(voice: Voice) -> list[float]:
    """Urgent or above (of voices in between nothing is learned), immediate, any sign, kinds."""
    alarm = NOT_LEARNED if voice.level == "watch" else float(voice.level in ("urgent", "immediate"))
    return [
        alarm,
        float(voice.level == "immediate"),
        float(voice.level != "none"),
        *(float(k in voice.kinds) for k in KINDS),
    ]


def _tells(voice: Voice) -> float:
    return 1.0 if voice.must else NOT_LEARNED if voice.level != "none" else 0.0


def matched(people: Sequence[Person], members: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """As eval/score.py matches them: the same relation, and the same age where both give one."""
    left, found = list(people), {}
    for member in members:
        age = member.get("age")
        person = next(
            (p for p in left if p.relation == member["relation"] and (None in (p.age, age) or p.age == age)), None
        )
        if person is not None:
            left = [p for p in left if p is not person]
            found[id(person)] = member
    return found

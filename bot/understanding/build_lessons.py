"""What the encoder learns from: each voice with its labels, two voices joined, households with whose trouble is whose.

Nothing is written into the data: texts are changed only as they are shown, at every showing in another way.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from bot.understanding.assessment import Household
from bot.understanding.build_net import FIELDS, OUTPUTS
from bot.understanding.build_texts import matched
from bot.understanding.clauses import fold, split
from bot.understanding.encoder import BEGIN, END, LONGEST, NOWHERE, UNKNOWN, named
from bot.understanding.features import Floats
from bot.understanding.heads import PARTS
from bot.understanding.owners import spoken_of
from bot.understanding.people import People
from bot.understanding.persons import Person
from bot.understanding.traits import traits_of
from bot.understanding.voices import HouseholdVoice, Voice
from knowledge_base.vocabulary import vocabulary
from knowledge_base.words import sounds_of

NOT_LEARNED = float("nan")
JOINED = 0.3  # share of the voices that are shown together with another one
ALONE = 0.5  # of the others that tell of one person alone, the share shown as this person's troubles
IN_KANA = 0.1  # share that are shown in hiragana alone
LOST = 0.1  # mean share of the tokens that are not shown
LONGEST_JOINED = 120
SPEAKERS = slice(PARTS[2], PARTS[3])

#: Told the other way round, a household is another household with the same troubles.
_TURNED = {
    "息子": "娘", "長男": "長女", "次男": "次女", "三男": "三女", "男の子": "女の子", "男児": "女児",
    "父": "母", "パパ": "ママ", "とうさん": "かあさん", "兄": "姉", "弟": "妹", "じい": "ばあ", "おじ": "おば",
}  # fmt: skip
_TURNED |= {other: one for one, other in _TURNED.items()}
_TURNED_RELATIONS = {
    "son": "daughter", "father": "mother", "father_in_law": "mother_in_law", "older_brother": "older_sister",
    "younger_brother": "younger_sister", "grandfather": "grandmother",
}  # fmt: skip
_TURNED_RELATIONS |= {other: one for one, other in _TURNED_RELATIONS.items()}
_TURN = re.compile("|".join(sorted(_TURNED, key=len, reverse=True)))
_NOT_TO_TURN = re.compile("父母|母父|兄弟|姉妹|兄妹|姉弟|妊|出産|産後|生理|授乳|母子|父子|産科|婦人|つわり")


@dataclass(frozen=True)
class Persons:
    """Persons of a text. `mentions` persons × tokens: which tokens name them; `links` persons × tokens × SPOKEN;
    `traits` persons × TRAITS; `wanted` persons × fields: 1 yes, 0 no, NOT_LEARNED."""

    mentions: Tensor
    links: Tensor
    traits: Tensor
    wanted: Tensor


@dataclass(frozen=True)
class Lesson:
    """`wanted`: of heads' outputs; `parts`: (first token, behind the last, wanted) of each text of a joined one."""

    ids: list[int]
    wanted: Tensor
    parts: list[tuple[int, int, Tensor]] = field(default_factory=list)
    persons: Persons | None = None


@dataclass
class _Text:
    """A text as tokens; `voice`: not a description; `alone`: as the troubles of the only person told of."""

    written: list[int]
    kana: list[int]
    wanted: Tensor
    voice: bool
    alone: Lesson | None = None


class Lessons:
    """All that is learned, and how it is shown."""

    def __init__(self, tokenizer: Tokenizer, seed: int) -> None:
        self._tokenizer = tokenizer
        self._draw = random.Random(seed)
        self._texts: list[_Text] = []
        self._persons: list[list[Lesson]] = []  # as written, and told the other way round

    def add_voices(self, voices: Sequence[Voice], wanted: Floats) -> None:
        texts = self._as_texts([voice.text for voice in voices], wanted, True)
        for voice, text in zip(voices, texts, strict=True):
            if voice.must and voice.speaker != "family":  # a family tells of two at least
                about_other = voice.speaker in ("agency", "neighbor")
                lesson = self.with_persons(voice.text, text.wanted, about_other, alone(voice))
                text.alone = lesson if lesson.persons is not None else None
        self._texts += texts

    def add_descriptions(self, texts: Sequence[str], wanted: Floats) -> None:
        self._texts += self._as_texts(texts, wanted, False)

    def add_unlabelled(self, texts: Sequence[str]) -> None:
        """Texts of which only teachers can say something."""
        self._texts += self._as_texts(texts, np.full((len(texts), OUTPUTS), NOT_LEARNED, np.float32), False)

    def _as_texts(self, texts: Sequence[str], wanted: Floats, voices: bool) -> list[_Text]:
        folded = [fold(text) for text in texts]
        written, kana = self._ids(folded), self._ids([in_kana(text) for text in folded])
        return [
            _Text(one, sounds, torch.from_numpy(row), voices)
            for one, sounds, row in zip(written, kana, wanted, strict=True)
        ]

    def add_households(self, households: Sequence[HouseholdVoice], wanted: Floats) -> None:
        for told, row in zip(households, wanted, strict=True):
            both = [told, turned(told)] if not _NOT_TO_TURN.search(told.text) else [told]
            of = torch.from_numpy(row)
            self._persons.append([self.with_persons(one.text, of, one.about_other, members_of(one)) for one in both])

    def seed(self, seed: int) -> None:
        """How all is shown from now on."""
        self._draw = random.Random(seed)

    def __len__(self) -> int:
        return len(self._texts) + len(self._persons)

    def once(self) -> list[Lesson]:
        """Everything once, in another order and another way each time."""
        joinable = [text for text in self._texts if text.voice]
        shown = [self._show(text, joinable) for text in self._texts]
        shown += [self._dim(self._draw.choice(both)) for both in self._persons]
        self._draw.shuffle(shown)
        return shown

    def _show(self, text: _Text, joinable: Sequence[_Text]) -> Lesson:
        if text.voice and len(text.written) < LONGEST_JOINED and self._draw.random() < JOINED:
            return self._join(text, self._draw.choice(joinable))
        if text.alone is not None and self._draw.random() < ALONE:
            return self._dim(text.alone)
        return Lesson(_framed(self._thin(text)), text.wanted)

    def _join(self, text: _Text, other: _Text) -> Lesson:
        both = [(self._thin(one)[:LONGEST_JOINED], one.wanted) for one in (text, other)]
        self._draw.shuffle(both)
        (first, of_first), (second, of_second) = both
        middle = 1 + len(first)
        parts = [(1, middle, of_first), (middle, middle + len(second), of_second)]
        return Lesson(_framed(first + second), joined(of_first, of_second), parts)

    def _thin(self, text: _Text) -> list[int]:
        """The tokens of a text, some of them left out or unreadable."""
        ids = text.kana if self._draw.random() < IN_KANA else text.written
        share = self._draw.random() * 2 * LOST
        left = [one if self._draw.random() > share else self._draw.choice((UNKNOWN, None)) for one in ids]
        return [one for one in left if one is not None] or ids

    def _dim(self, lesson: Lesson) -> Lesson:
        """Some tokens unreadable; none left out, since the persons' masks count them."""
        share = self._draw.random() * LOST
        edges = (BEGIN, END)
        dim = [one if one in edges or self._draw.random() > share else UNKNOWN for one in lesson.ids]
        return replace(lesson, ids=dim)

    def with_persons(self, text: str, wanted: Tensor, about_other: bool, labels: Labels) -> Lesson:
        folded = fold(text)
        clauses = split(folded)
        people = People(Household(), "agency" if about_other else "self")
        heard = people.hear_all(clauses)
        encoding = self._tokenizer.encode(folded, add_special_tokens=False)
        places = np.array([(NOWHERE, NOWHERE), *encoding.offsets[: LONGEST - 2], (NOWHERE, NOWHERE)], np.int64)
        ids, wants = _framed(encoding.ids), labels(people.persons)
        if all(want is None for want in wants) or not clauses:
            return Lesson(ids, wanted)
        nothing = np.full(FIELDS, NOT_LEARNED, np.float32)
        persons = Persons(
            torch.from_numpy(np.stack([named(one.at, places[:, 0], places[:, 1]) for one in heard])),
            torch.from_numpy(spoken_of(heard, clauses, places[:, 0])),
            torch.from_numpy(np.stack([traits_of(one.person, people.about_other) for one in heard])),
            torch.from_numpy(np.stack([nothing if want is None else want for want in wants])),
        )
        return Lesson(ids, wanted, [], persons)

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [one.ids[: LONGEST - 2] for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def _framed(ids: Sequence[int]) -> list[int]:
    return [BEGIN, *ids[: LONGEST - 2], END]


def joined(one: Tensor, other: Tensor) -> Tensor:
    """What two texts tell together: a yes of either; not learned where one is not learned; nobody's speaker."""
    most = torch.maximum(torch.nan_to_num(one, nan=-1.0), torch.nan_to_num(other, nan=-1.0))
    open_ = (torch.isnan(one) | torch.isnan(other)) & (most < 1)
    wanted = torch.where(open_, torch.tensor(NOT_LEARNED), most)
    wanted[SPEAKERS] = NOT_LEARNED
    return wanted


def in_kana(text: str) -> str:
    """As a child writes it, or somebody who does not look for kanji: by Sudachi's readings."""
    pieces, last = [], 0
    for start, end, sound in sounds_of(text):
        pieces.append(text[last:start])
        kanji = any("一" <= letter <= "龥" for letter in text[start:end])
        pieces.append(hiragana(sound) if kanji else text[start:end])
        last = end
    return "".join((*pieces, text[last:]))


def hiragana(text: str) -> str:
    return "".join(chr(ord(letter) - 0x60) if "ァ" <= letter <= "ヶ" else letter for letter in text)


def turned(told: HouseholdVoice) -> HouseholdVoice:
    """Sons for daughters, fathers for mothers."""
    turns = tuple(_TURN.sub(lambda match: _TURNED[match.group()], turn) for turn in told.turns)
    members = [{**m, "relation": _TURNED_RELATIONS.get(m["relation"], m["relation"])} for m in told.members]
    return HouseholdVoice(turns, tuple(members))


#: Persons as found → for each what is wanted of the fields; None: nothing is known of this one.
Labels = Callable[[Sequence[Person]], Sequence[Floats | None]]


def members_of(told: HouseholdVoice) -> Labels:
    def of(people: Sequence[Person]) -> list[Floats | None]:
        known = matched(people, told.members)
        return [_fields(known[id(p)]["fields"]) if id(p) in known else None for p in people]

    return of


def alone(voice: Voice) -> Labels:
    """All troubles are the only person's; where there are several, nothing is known."""
    own = _fields(voice.must, voice.may)
    return lambda people: [own] if len(people) == 1 else [None] * len(people)


def _fields(must: Iterable[str], may: frozenset[str] = frozenset()) -> Floats:
    names = vocabulary().fields
    return np.array([1.0 if f in must else NOT_LEARNED if f in may else 0.0 for f in names], np.float32)


assert len(vocabulary().fields) == FIELDS

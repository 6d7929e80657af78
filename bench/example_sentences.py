"""Made-up services of a town in any number, with example sentences that differ: clauses of the repository's own voices
(nlu_data/voices), put together anew by a seed. No person wrote them; they are as long, and their words as common, as
what people write.
"""

import random
from collections.abc import Iterator
from functools import cache

from bot.understanding.clauses import fold, split, trim
from bot.understanding.segments import LocalService
from bot.understanding.voices import Voice, read_voices
from knowledge_base.vocabulary import vocabulary

VOICES_EACH = 3
QUERIES_FROM = 10  # every tenth voice is kept for queries: none of its clauses stands in a sentence
_ENDS = ("。", "。", "", "。どうしたらいいでしょうか。", "。相談できるところはありますか。", "。困っています。")
_JOINTS = ("。", "、", "。それに", "。そのうえ", "。実は", "、")
_KINDS = (
    "相談室",
    "支援センター",
    "おたすけ隊",
    "教室",
    "給付金",
    "貸し出し",
    "見守り",
    "居場所",
    "訪問",
    "つなぎ資金",
)


def services(count: int, seed: int = 1) -> Iterator[LocalService]:
    """Each of one field or two, with three example sentences."""
    names, clauses, chance = vocabulary().fields, _clauses(), random.Random(seed)
    fields = [name for name in names if name in clauses]
    for number in range(count):
        own = tuple(chance.sample(fields, chance.choice((1, 1, 2))))
        voices = tuple(_sentence(chance, own) for _ in range(VOICES_EACH))
        name = f"{names[own[0]].ja}の{chance.choice(_KINDS)}{number}"
        about = f"{chance.choice(clauses[own[0]])}という人を助ける"
        yield LocalService(f"town_{number}", name, about, own, voices)


def queries(count: int, seed: int = 1) -> list[str]:
    """Whole voices, none of whose clauses stands in a sentence."""
    held_back = [voice.text for voice in read_voices()[::QUERIES_FROM] if voice.must]
    return random.Random(seed).sample(held_back, count)


def _sentence(chance: random.Random, fields: tuple[str, ...]) -> str:
    clauses = _clauses()
    parts = [chance.choice(clauses[chance.choice(fields)]) for _ in range(chance.choice((1, 2, 2, 3, 3, 4)))]
    text = parts[0]
    for part in parts[1:]:
        text += chance.choice(_JOINTS) + part
    return text + chance.choice(_ENDS) + (f"{chance.randint(2, 98)}歳です。" if chance.random() < 0.3 else "")


@cache
def _clauses() -> dict[str, list[str]]:
    """By field, without those of the voices that are kept for queries."""
    found: dict[str, list[str]] = {}
    for at, voice in enumerate(read_voices()):
        if at % QUERIES_FROM:
            for field in sorted(voice.must):
                found.setdefault(field, []).extend(_of(voice))
    return found


def _of(voice: Voice) -> list[str]:
    return [quote for clause in split(fold(voice.text)) if len(quote := trim(clause.quote(voice.text))) > 5]

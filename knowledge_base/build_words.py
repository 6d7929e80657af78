"""First half of the model's build: counts of words, chiVe's vectors out of ja-ginza, and the tokenizer over both."""

from __future__ import annotations

import json
import math
import pickle
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sudachipy import Dictionary, SplitMode
from tokenizers import Tokenizer, normalizers
from tokenizers.models import Unigram

# Names of the public sets that are counted, and how many lines of each: enough to know common words
# from rare ones, few enough to be counted in minutes.
CORPORA = {
    "real_persona_chat/dialogues.jsonl": 9000,
    "jaquad/train_paragraphs.jsonl": 5000,
    "jsts/jsts_v1.3_train.jsonl": 20000,
    "commonsense_moral/sentences.jsonl": 20000,
    "jsick/jsick_train_trial.jsonl": 5000,
}
TEXT_KEYS = {"id", "label", "speaker", "must", "may", "services", "urgency", "dialogue_id", "quote", "members"}
_MASK = (1 << 64) - 1
_MURMUR = 0xC6A4A7935BD1E995


class Words:
    """How often each surface form was seen, and which dictionary form Sudachi gave it, how often."""

    def __init__(self) -> None:
        self.surfaces: Counter[str] = Counter()
        self.forms: defaultdict[str, Counter[str]] = defaultdict(Counter)


def count_words(data: Path, voices: Path, cache: Path) -> Words:
    if cache.exists():
        words: Words = pickle.loads(cache.read_bytes())
        return words
    words = Words()
    tokenizer = Dictionary().tokenizer()
    for text in _texts(data, voices):
        for long_unit in tokenizer.tokenize(text, SplitMode.C):
            for unit in {m.surface(): m for m in (long_unit, *long_unit.split(SplitMode.A))}.values():
                surface = unit.surface().strip().replace(" ", "")
                if surface:
                    words.surfaces[surface] += 1
                    words.forms[surface][unit.normalized_form()] += 1
    cache.write_bytes(pickle.dumps(words))
    return words


def normalise(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _texts(data: Path, voices: Path) -> Iterator[str]:
    sources = [(data / name, limit) for name, limit in CORPORA.items()]
    sources += [(path, 100_000) for path in sorted(voices.glob("*.jsonl"))]
    for path, limit in sources:
        for line in path.read_text(encoding="utf-8").splitlines()[:limit]:
            for text in _strings(json.loads(line)):
                yield from (part for part in normalise(text).split("\n") if part and len(part) < 4000)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in TEXT_KEYS:
                yield from _strings(item)


def read_chive(ginza: Path) -> tuple[dict[str, int], npt.NDArray[np.float32]]:
    """Word → row and the rows (20,000 × 300) from the unpacked wheel of ja-ginza.

    Read without spaCy: strings.json holds the words, key2row (MessagePack) rows by spaCy's 64-bit hash of them.
    """
    vocab = next(ginza.glob("**/vocab/vectors")).parent
    rows = _key2row((vocab / "key2row").read_bytes())
    strings: list[str] = json.loads((vocab / "strings.json").read_text(encoding="utf-8"))
    words = {word: rows[key] for word in strings if (key := _murmur64(word.encode())) in rows}
    return words, np.load(vocab / "vectors").astype(np.float32)


def _key2row(data: bytes) -> dict[int, int]:
    size, at = int.from_bytes(data[1:5], "big"), 5
    rows: dict[int, int] = {}
    for _ in range(size):
        key, at = _unpack_uint(data, at)
        rows[key], at = _unpack_uint(data, at)
    return rows


def _unpack_uint(data: bytes, at: int) -> tuple[int, int]:
    tag = data[at]
    if tag < 0x80:
        return tag, at + 1
    width = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}[tag]
    return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width


def _murmur64(data: bytes, seed: int = 1) -> int:
    value = seed ^ (len(data) * _MURMUR & _MASK)
    whole = len(data) - len(data) % 8
    for start in range(0, whole, 8):
        block = int.from_bytes(data[start : start + 8], "little") * _MURMUR & _MASK
        block = (block ^ (block >> 47)) * _MURMUR & _MASK
        value = (value ^ block) * _MURMUR & _MASK
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * _MURMUR & _MASK
    value = (value ^ (value >> 47)) * _MURMUR & _MASK
    return value ^ (value >> 47)


def read_lexicon(data: Path) -> set[str]:
    """Words of two dictionaries: which of chiVe's 480,000 keys are words that a person would write."""
    synonyms = (data / "sudachi_synonyms/synonyms.txt").read_text(encoding="utf-8").splitlines()
    lemmas = (data / "wikt_synsets/synsets.jsonl").read_text(encoding="utf-8").splitlines()
    words = [line.split(",")[8] for line in synonyms if line.count(",") >= 8]
    words += [word for line in lemmas for word in _strings(json.loads(line))]
    return {normalise(word) for word in words}


class Table:
    """The token table before training: token i has the vector rows[mapping[i]] × weights[i]."""

    def __init__(
        self,
        tokens: list[str],
        counts: list[float],
        mapping: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float32],
        rows: npt.NDArray[np.float32],
    ) -> None:
        self.tokens, self.counts, self.mapping, self.weights, self.rows = tokens, counts, mapping, weights, rows

    def tokenizer(self) -> Tokenizer:
        """A unigram lattice over the words: the likeliest cut; single characters stand in for unknown words."""
        total = sum(self.counts)
        scores = [(t, math.log(c / total)) for t, c in zip(self.tokens, self.counts, strict=True)]
        tokenizer = Tokenizer(Unigram(scores, unk_id=0, byte_fallback=False))
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
        return tokenizer


def build_table(
    words: Words, lexicon: set[str], chive: dict[str, int], vectors: npt.NDArray[np.float32], a: float = 3e-4
) -> Table:
    """Surface forms share the row of their dictionary form, so that 「辞めて」 and 「辞める」 are trained together."""
    total = sum(words.surfaces.values())
    tokens, counts, mapping, weights = ["<unk>"], [0.1], [0], [0.0]
    rows = [
        np.zeros(vectors.shape[1], np.float32),
        *(vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)),
    ]
    own: dict[str, int] = {}
    for surface, count in words.surfaces.most_common():
        form = words.forms[surface].most_common(1)[0][0]
        row = chive.get(form, chive.get(surface))
        if len(surface) > 1 and (count < 2 or (row is None and count < 3)):
            continue  # rare: better cut into known pieces
        if row is None:
            own.setdefault(form, len(vectors) + 1 + len(own))
        tokens.append(surface)
        counts.append(count)
        mapping.append(row + 1 if row is not None else own[form])
        weights.append(a / (a + count / total))
    seen = set(tokens)
    for word in sorted(lexicon - seen):  # words never seen in the corpora: findable, and weighted as rare
        if 2 <= len(word) <= 6 and word in chive and _plain(word):
            tokens.append(word)
            counts.append(0.5)
            mapping.append(chive[word] + 1)
            weights.append(1.0)
    rows += [_from_characters(form, chive, vectors) for form in own]
    return Table(tokens, counts, np.array(mapping), np.array(weights, np.float32), np.array(rows, np.float32))


def _plain(word: str) -> bool:
    """Kanji, kana and letters only; of hiragana words chiVe knows too many accidental ones."""
    return word.isalpha() and not all("ぁ" <= c <= "ん" for c in word)


def _from_characters(form: str, chive: dict[str, int], vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    known = [vectors[chive[c]] for c in form if c in chive]
    if not known:
        return np.zeros(vectors.shape[1], np.float32)
    mean = np.mean(known, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), np.float32)

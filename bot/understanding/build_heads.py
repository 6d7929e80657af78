"""Learns the heads from the voices: `python -m bot.understanding.build_heads`. Only this needs scikit-learn."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from bot.understanding.clauses import fold
from bot.understanding.features import SIZE, Features, features
from bot.understanding.heads import HEADS, KINDS, MEANING_SHARE, Heads, weighted
from bot.understanding.voices import Voice, read_voices
from knowledge_base import embedding
from knowledge_base.vocabulary import vocabulary

Labels = npt.NDArray[np.float32]  # texts × outputs: 1 yes, 0 no, NOT_LEARNED left out
NOT_LEARNED = float("nan")
STRENGTH = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HEADS)
    options = parser.parse_args()
    voices = read_voices()
    embedder = embedding.load()
    if not isinstance(embedder, embedding.StaticEmbedder):
        parser.error("the heads stand on the bundled token table")
    taught = descriptions()
    seen = features(embedder, [fold(text) for text in (*(v.text for v in voices), *(d.text for d in taught))])
    learn(seen, outputs(voices, taught)).save(options.out)


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


def outputs(voices: Sequence[Voice], taught: Sequence[Description]) -> dict[str, Labels]:
    names = vocabulary()
    fields = [[_graded(f, v) for f in names.fields] for v in voices]
    fields += [[float(f in d.fields) for f in names.fields] for d in taught]
    services = [[float(s in v.services) for s in names.services] for v in voices]
    services += [[float(s == d.service) if d.service else NOT_LEARNED for s in names.services] for d in taught]
    danger = [
        [_alarm(v), float(v.level == "immediate"), float(v.level != "none"), *(float(k in v.kinds) for k in KINDS)]
        for v in voices
    ]
    danger += [[NOT_LEARNED] * len(danger[0])] * len(taught)
    return {
        "fields": np.array(fields, np.float32),
        "services": np.array(services, np.float32),
        "danger": np.array(danger, np.float32),
    }


def _alarm(voice: Voice) -> float:
    """Urgent or above; of voices in between nothing is learned."""
    return NOT_LEARNED if voice.level == "watch" else float(voice.level in ("urgent", "immediate"))


def _graded(field: str, voice: Voice) -> float:
    return NOT_LEARNED if field in voice.may else float(field in voice.must)


def learn(seen: Sequence[Features], labels: dict[str, Labels]) -> Heads:
    rarity = _rarity(seen)
    table = _matrix(seen, rarity)
    weights, steps, biases = {}, {}, {}
    for name, wanted in labels.items():
        columns = [_one(table, wanted[:, at], rare=name == "danger") for at in range(wanted.shape[1])]
        exact = np.stack([w for w, _ in columns], axis=1)
        steps[name] = np.asarray(np.abs(exact).max(axis=0) / 127, np.float32)
        weights[name] = np.round(exact / steps[name]).astype(np.int8)
        biases[name] = np.array([b for _, b in columns], np.float32)
    return Heads(rarity, weights, steps, biases)


def _one(
    table: sparse.csr_matrix, wanted: npt.NDArray[np.float32], rare: bool
) -> tuple[npt.NDArray[np.float64], float]:
    """`rare`: a missed yes costs as much as all the noes together."""
    rows = np.flatnonzero(~np.isnan(wanted))
    model = LogisticRegression(C=STRENGTH, solver="liblinear", class_weight="balanced" if rare else None)
    model.fit(table[rows], wanted[rows] > 0.5)
    return model.coef_[0], float(model.intercept_[0])


def _rarity(seen: Sequence[Features]) -> npt.NDArray[np.float32]:
    counts = np.zeros(2 * SIZE, np.float32)
    for one in seen:
        counts[one.at] += 1
    return np.asarray(np.log((1 + len(seen)) / (1 + counts)) + 1, np.float32)


def _matrix(seen: Sequence[Features], rarity: npt.NDArray[np.float32]) -> sparse.csr_matrix:
    values = [weighted(one, rarity) for one in seen]
    ends = np.cumsum([0, *(len(one.at) for one in seen)])
    table = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate([one.at for one in seen]), ends), shape=(len(seen), 2 * SIZE)
    )
    return sparse.hstack([table, sparse.csr_matrix(MEANING_SHARE * np.stack([one.dense for one in seen]))]).tocsr()


if __name__ == "__main__":
    main()

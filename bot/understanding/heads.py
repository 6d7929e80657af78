"""The learned heads: one linear layer over `features`, for fields, services and danger. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.understanding.danger_signs import KINDS
from bot.understanding.features import FAMILIES, SIZE, Features, Floats
from bot.understanding.mix import Mix
from knowledge_base.vocabulary import vocabulary

HEADS = Path(__file__).parent / "heads.npz"
DANGER = ("urgent", "immediate", "any", *KINDS)  # "urgent": urgent or above
SPEAKERS = ("self", "family", "neighbor", "agency")
# Where services, danger, speakers and the last one (any field told at all) begin.
PARTS = tuple(accumulate((len(vocabulary().fields), len(vocabulary().services), len(DANGER), len(SPEAKERS))))


@dataclass(frozen=True, slots=True)
class Heads:
    """`weights`: (SIZE + dense) × outputs, one byte each; times `steps` they are the real ones. Outputs in order:
    fields and services as in the vocabulary, then DANGER, then SPEAKERS, then
    whether any trouble is told."""

    rarity: Floats
    weights: npt.NDArray[np.int8]
    steps: Floats
    biases: Floats
    mix: Mix

    @classmethod
    def load(cls, path: Path = HEADS) -> Heads:
        """Raises OSError or ValueError when the file is missing or damaged."""
        with np.load(path) as kept:
            arrays = dict(kept)
        rarity = arrays["rarity"].astype(np.float32)
        return cls(rarity, arrays["weights"], arrays["steps"], arrays["biases"], Mix.from_arrays(arrays))

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path,
            allow_pickle=False,
            rarity=self.rarity.astype(np.float16),
            weights=self.weights,
            steps=self.steps,
            biases=self.biases,
            **self.mix.to_arrays(),
        )

    def odds(self, texts: Sequence[Features]) -> Floats:
        """Log-odds, texts × outputs."""
        scores = np.stack([one.dense for one in texts]) @ self.weights[SIZE:].astype(np.float32)
        for row, one in zip(scores, texts, strict=True):
            row += weighted(one, self.rarity) @ self.weights[one.at].astype(np.float32)
        return np.asarray(scores * self.steps + self.biases, np.float32)


def weighted(one: Features, rarity: Floats) -> Floats:
    """The sparse values with rare ones raised, each family of its length."""
    values = one.value * rarity[one.at]
    start = 0
    for family, end in zip(FAMILIES, one.ends, strict=True):
        part = values[start:end]
        part *= family.share**0.5 / max(float(np.linalg.norm(part)), 1e-9)
        start = end
    return values

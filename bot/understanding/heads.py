"""The learned heads: one linear layer over `features`, for fields, services and danger. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.understanding.features import SIZE, Features

HEADS = Path(__file__).parent / "heads.npz"
KINDS = (
    "suicide", "self_harm", "child_abuse", "dv", "elder_abuse", "disability_abuse", "sexual_violence", "no_food",
    "no_shelter", "utilities_cut", "medical_emergency", "harm_to_others",
)  # fmt: skip
OUTPUTS = ("fields", "services", "danger")
MEANING_SHARE = 1.0  # weight of the text's vector beside its words and letters
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heads:
    """`weights[name]`: (2 × SIZE + dense) × outputs, one byte each; times `steps[name]` they
    are the real ones. `danger` is urgent-or-above, immediate, any sign, then KINDS."""

    rarity: Floats
    weights: dict[str, npt.NDArray[np.int8]]
    steps: dict[str, Floats]
    biases: dict[str, Floats]

    @classmethod
    def load(cls, path: Path = HEADS) -> Heads:
        """Raises OSError or ValueError when the file is missing or damaged."""
        with np.load(path) as kept:
            weights = {name: kept[f"{name}_weights"] for name in OUTPUTS}
            steps = {name: kept[f"{name}_steps"] for name in OUTPUTS}
            biases = {name: kept[f"{name}_biases"] for name in OUTPUTS}
            return cls(kept["rarity"], weights, steps, biases)

    def save(self, path: Path) -> None:
        kept: dict[str, npt.NDArray[np.generic]] = {"rarity": self.rarity}
        for name in OUTPUTS:
            kept[f"{name}_weights"] = self.weights[name]
            kept[f"{name}_steps"] = self.steps[name]
            kept[f"{name}_biases"] = self.biases[name]
        np.savez_compressed(path, allow_pickle=False, **kept)

    def weigh(self, texts: Sequence[Features], name: str) -> Floats:
        """Probabilities, texts × outputs."""
        weights = self.weights[name]
        scores = np.zeros((len(texts), weights.shape[1]), np.float32)
        for at, one in enumerate(texts):
            scores[at] = weighted(one, self.rarity) @ weights[one.at].astype(np.float32)
            scores[at] += MEANING_SHARE * one.dense @ weights[2 * SIZE :].astype(np.float32)
        return np.asarray(1 / (1 + np.exp(-(scores * self.steps[name] + self.biases[name]))), np.float32)


def weighted(one: Features, rarity: Floats) -> Floats:
    """The sparse values with rare ones raised; words and letters each of length one."""
    values = one.value * rarity[one.at]
    words = one.at < SIZE
    for half in (words, ~words):
        values[half] /= max(float(np.linalg.norm(values[half])), 1e-9)
    return values

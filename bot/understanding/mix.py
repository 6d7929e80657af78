"""How counted words (the heads), the encoder and the nearest voices are put together, so that a probability comes out.

The few numbers here are fitted on a fifth of the voices that nothing else had been learned from (`build_heads`);
docs/understanding.md shows how well the probabilities hold.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from bot.understanding.features import Floats

IN_DOUBT = 0.5


@dataclass(frozen=True, slots=True)
class Mix:
    """Each a row of factors, the constant last. What they stand for is in the method of the same name."""

    of_fields: Floats
    of_clauses: Floats
    of_services: Floats
    of_local_services: Floats
    of_danger: Floats
    recorded_from: float  # a field is recorded from this probability on, or from IN_DOUBT on: see `least`
    alarm_from: float  # a text is urgent from this probability on
    immediate_from: float  # log-odds of the head from which an urgent text is immediate
    watch_from: float  # log-odds of the head from which a text that is not urgent is one to watch

    def least(self, tells: float) -> float:
        """The probability from which a field is recorded: where it is likelier than not that the text tells of no
        trouble (`tells`, log-odds), a field must be likelier than not by itself."""
        return self.recorded_from if tells >= 0 else max(self.recorded_from, IN_DOUBT)

    def fields(self, counted: Floats, read: Floats, each: Floats, near: Floats, tells: float) -> Floats:
        """`counted`, `read`: log-odds of the whole text by the heads and by the encoder; `each`: of its clauses by the
        encoder; `near`: shares of the nearest voices; `tells`: log-odds that any trouble is told."""
        return _probability(self.of_fields, seen_of_fields(counted, read, each, near, tells))

    def clauses(self, odds: Floats) -> Floats:
        return _probability(self.of_clauses, odds[..., None])

    def services(self, counted: Floats, read: Floats, near: Floats) -> Floats:
        return _probability(self.of_services, seen_of_services(counted, read, near))

    def local_services(self, likeness: Floats, told: Floats) -> Floats:
        """Services that no head knows: by the likeness of their own voices (neighbours.Near.local), and by the log-odds
        of the likeliest of their fields."""
        return _probability(self.of_local_services, np.concatenate([likeness, told[:, None]], axis=1))

    def danger(self, seen: Floats) -> float:
        """`seen`: what crisis.py has seen of one text."""
        return float(_probability(self.of_danger, seen))

    def to_arrays(self) -> dict[str, Floats]:
        return {f"mix_{one.name}": np.array(getattr(self, one.name), np.float32) for one in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats]) -> Mix:
        """Raises KeyError where one is missing."""
        kept = {one.name: arrays[f"mix_{one.name}"] for one in fields(cls)}
        return cls(**{name: value if value.ndim else float(value) for name, value in kept.items()})  # type: ignore[arg-type]


def seen_of_fields(counted: Floats, read: Floats, each: Floats, near: Floats, tells: float) -> Floats:
    """Fields × (whole text counted, and read, its surest clause, nearest voices, doubt whether anything is told)."""
    surest = each.max(axis=0) if len(each) else read
    doubt = np.full_like(near, np.logaddexp(0.0, -tells))  # none where something is surely told
    return np.stack([counted, read, np.maximum(surest, read - CLAUSE_AT_MOST_BELOW), share_odds(near), doubt], axis=-1)


def seen_of_services(counted: Floats, read: Floats, near: Floats) -> Floats:
    return np.stack([counted, read, share_odds(near)], axis=-1)


CLAUSE_AT_MOST_BELOW = 6.0  # answers that tell nothing are set far below; the whole text still speaks


def odds_of(probability: Floats) -> Floats:
    """Log-odds, kept within ten."""
    within = np.clip(probability, 5e-5, 1 - 5e-5)
    return np.asarray(np.log(within / (1 - within)), np.float32)


def share_odds(share: Floats | np.float32) -> Floats:
    return np.asarray(np.log((share + 0.02) / (1.02 - share)), np.float32)


def _probability(factors: Floats, seen: Floats) -> Floats:
    odds = seen @ factors[:-1] + factors[-1]
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -60, 60))), np.float32)

"""How heads, encoder and neighbours are put together, fitted on the fifth of the voices that none of them has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from bot.understanding import crisis
from bot.understanding.build_texts import Texts
from bot.understanding.clauses import split
from bot.understanding.encoder import Encoder
from bot.understanding.features import Floats
from bot.understanding.heads import PARTS
from bot.understanding.mix import IN_DOUBT, Mix, odds_of, seen_of_fields, seen_of_services
from bot.understanding.neighbours import NEAREST, labels, shares_of
from bot.understanding.voices import Voice
from knowledge_base.vocabulary import vocabulary

IN_FAVOUR = 0.4  # log-odds: what a town has added itself is shown rather than not
LOCAL_VOICES = 3  # as many as a town must give for a service of its own
PLAIN = 0.004  # of F1
ALARMS_ALLOWED = 0.05  # share of harmless voices that may be read as urgent
WATCHED_ALLOWED = 0.08  # and of those that may be read as ones to watch, though they are none
FIELDS, SERVICES, DANGER, SPEAKERS = (slice(first, behind) for first, behind in zip((0, *PARTS), PARTS, strict=False))
TELLS = PARTS[-1]


@dataclass
class Reading:
    """What was said of each text that was held back. Rows of all are `texts.held`; the last ones are households."""

    encoder: Encoder
    folded: list[str]
    voices: list[Voice]
    counted: Floats  # × outputs
    read: Floats  # × outputs
    each: list[Floats]  # of each text clauses × outputs
    near: Floats  # × (fields, services, urgent)
    local: Floats  # × services × (likeness of the nearest two of three voices, of the nearest of all)

    @property
    def tells(self) -> Floats:
        return np.asarray((self.counted[:, TELLS] + self.read[:, TELLS]) / 2, np.float32)


def read(
    texts: Texts, folded: Sequence[str], counted: Floats, alike: Floats, known: npt.NDArray[np.int64], encoder: Encoder
) -> Reading:
    """`alike`: held × `known` voices."""
    given = labels([texts.voices[at] for at in known])
    near = np.zeros((len(texts.held), given.shape[1]), np.float32)
    for at, row in enumerate(alike):
        order = np.argsort(-row, kind="stable")[:NEAREST]
        near[at] = shares_of(row[order]) @ given[order]
    own = [folded[at] for at in texts.held]
    parts = [encoder.parts(text, split(text)) for text in own]
    return Reading(
        encoder=encoder,
        folded=own,
        voices=[texts.voices[at] for at in texts.held if at < len(texts.voices)],
        counted=counted,
        read=np.stack([encoder.head(one.whole).max(axis=0) for one in parts]),
        each=[encoder.head(one.vectors) for one in parts],
        near=near,
        local=_as_local([texts.voices[at].services for at in known], alike),
    )


def _as_local(services: Sequence[tuple[str, ...]], alike: Floats) -> Floats:
    """Every service as if a town had added it with three voices, and no head knew it."""
    draw = np.random.default_rng(1)
    seen = np.zeros((len(alike), len(vocabulary().services), 3), np.float32)
    seen[:, :, 2] = alike.max(axis=1)[:, None]
    for at, service in enumerate(vocabulary().services):
        first = [one for one, named in enumerate(services) if service in named[:2]]
        own = first if len(first) >= LOCAL_VOICES else [one for one, named in enumerate(services) if service in named]
        chosen = draw.choice(own, LOCAL_VOICES, replace=False)
        seen[:, at, :2] = -np.sort(-alike[:, chosen], axis=1)[:, :2]
    return seen


def fit(texts: Texts, reading: Reading) -> Mix:
    count = len(reading.voices)
    wanted = texts.outputs[texts.held[:count]]
    tells = np.flatnonzero(wanted[:, SERVICES].any(axis=1))
    of_fields = _factors(fields_seen(reading)[:count], wanted[:, FIELDS])
    local = _with_fields(reading.local[:count], _probabilities(fields_seen(reading)[:count], of_fields))
    mix = Mix(
        of_fields=of_fields,
        of_clauses=_factors(reading.read[:count, FIELDS, None], wanted[:, FIELDS]),
        of_services=_factors(_services_seen(reading), wanted[:, SERVICES]),
        of_local_services=_factors(local[tells], wanted[tells, SERVICES]) + _constant(IN_FAVOUR, local),
        of_danger=_factors(_danger_seen(reading), wanted[:, DANGER.start]),
        recorded_from=0.0, alarm_from=0.0, immediate_from=0.0, watch_from=0.0,
    )  # fmt: skip
    alarm = _danger_probabilities(reading, mix)
    calm = np.array([voice.level == "none" for voice in reading.voices])
    level = (reading.counted + reading.read)[:, DANGER] / 2
    of_watch = level[:count, 2]
    return replace(
        mix,
        recorded_from=round(_recorded_from(reading, field_probabilities(reading, mix)[:count]), 3),
        alarm_from=round(float(np.quantile(alarm[calm], 1 - ALARMS_ALLOWED)), 4),
        immediate_from=_best_cut(reading, level[:, 1], "urgent", "immediate"),
        watch_from=round(float(np.quantile(of_watch[calm], 1 - WATCHED_ALLOWED)), 3),
    )


def _with_fields(local: Floats, probability: Floats) -> Floats:
    """With the log-odds of the likeliest of each service's fields."""
    order = list(vocabulary().fields)
    told = [
        odds_of(probability[:, [order.index(f) for f in service.fields]].max(axis=1))
        for service in vocabulary().services.values()
    ]
    return np.concatenate([local, np.stack(told, axis=1)[..., None]], axis=2)


def _recorded_from(reading: Reading, probability: Floats) -> float:
    """Near the best F1 there is a wide plain; on it as low as may be, for a trouble that is missed costs more than one
    that the counselor strikes out."""
    tells = reading.tells[: len(reading.voices)]
    cuts = np.arange(0.1, 0.5, 0.01)
    scores = {cut: field_scores(reading.voices, probability, _least(cut, tells)) for cut in cuts}
    best = max(score["f1"] for score in scores.values())
    return float(min(cut for cut, score in scores.items() if score["f1"] >= best - PLAIN))


def _least(cut: float, tells: Floats) -> Floats:
    """As Mix.least, for many texts at once."""
    return np.where(tells >= 0, cut, max(cut, IN_DOUBT))[:, None].astype(np.float32)


def _constant(more: float, seen: Floats) -> Floats:
    """What is added to the factors of `seen` to make everything so much likelier."""
    return np.array([0.0] * seen.shape[-1] + [more], np.float32)


def _factors(seen: npt.NDArray[np.float32], wanted: Floats) -> Floats:
    """The last axis of `seen` against yes and no."""
    rows = ~np.isnan(wanted).ravel()
    model = LogisticRegression(C=100.0, max_iter=500)
    model.fit(seen.reshape(-1, seen.shape[-1])[rows], wanted.ravel()[rows] > 0.5)
    return np.array([*model.coef_[0], model.intercept_[0]], np.float32)


def _best_cut(reading: Reading, odds: npt.NDArray[np.floating[Any]], below: str, above: str) -> float:
    """Where the two levels are told apart with the fewest mistakes of both."""
    levels = np.array([voice.level for voice in reading.voices])
    of_voices = odds[: len(levels)]
    low, high = of_voices[levels == below], of_voices[levels == above]
    cuts = np.quantile(np.concatenate([low, high]), np.linspace(0.02, 0.98, 97))
    return round(float(max(cuts, key=lambda cut: (low < cut).mean() + (high >= cut).mean())), 3)


def fields_seen(reading: Reading) -> Floats:
    """Texts × fields × what the mix weighs."""
    rows = [
        seen_of_fields(
            reading.counted[at, FIELDS], reading.read[at, FIELDS], reading.each[at][:, FIELDS],
            reading.near[at, FIELDS], float(tells),
        )
        for at, tells in enumerate(reading.tells)
    ]  # fmt: skip
    return np.stack(rows)


def _services_seen(reading: Reading) -> Floats:
    seen = seen_of_services(reading.counted[:, SERVICES], reading.read[:, SERVICES], reading.near[:, SERVICES])
    return seen[: len(reading.voices)]


def _danger_seen(reading: Reading) -> Floats:
    rows = []
    for at, voice in enumerate(reading.voices):
        folded, clauses = reading.folded[at], split(reading.folded[at])
        told, odds = crisis.screen(folded, clauses, voice.text), reading.each[at][:, DANGER]
        counted, read, near = reading.counted[at, DANGER], reading.read[at, DANGER], float(reading.near[at, -1])
        rows.append(crisis.seen(told, clauses, counted, read, odds, near))
    return np.array(rows, np.float32)


def field_probabilities(reading: Reading, mix: Mix) -> Floats:
    return _probabilities(fields_seen(reading), mix.of_fields)


def _danger_probabilities(reading: Reading, mix: Mix) -> Floats:
    return _probabilities(_danger_seen(reading), mix.of_danger)


def _probabilities(seen: Floats, factors: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(seen @ factors[:-1] + factors[-1]))), np.float32)


def field_scores(voices: Sequence[Voice], probability: Floats, least: Floats) -> dict[str, float]:
    """As eval/score.py counts: must for recall, must and may for precision."""
    names = list(vocabulary().fields)
    must = np.array([[f in v.must for f in names] for v in voices])
    fine = must | np.array([[f in v.may for f in names] for v in voices])
    found = probability >= least
    recall, precision = (found & must).sum() / must.sum(), (found & fine).sum() / max(found.sum(), 1)
    return {"f1": 2 * recall * precision / (recall + precision), "recall": recall, "precision": precision}


def figures(texts: Texts, reading: Reading, mix: Mix) -> dict[str, object]:
    """What the held-back fifth says: printed, kept in heads.json and shown in docs/understanding.md."""
    voices = reading.voices
    probability = field_probabilities(reading, mix)[: len(voices)]
    least = _least(mix.recorded_from, reading.tells[: len(voices)])
    alarm = _danger_probabilities(reading, mix)
    level = np.array([voice.level for voice in voices])
    danger = np.isin(level, ("urgent", "immediate"))
    of_watch = (reading.counted + reading.read)[: len(voices), DANGER][:, 2] / 2
    return {
        "voices": len(texts.voices),
        "held back": len(voices),
        "fields": {k: round(float(v), 4) for k, v in field_scores(voices, probability, least).items()},
        "services": service_scores(voices, _services_seen(reading) @ mix.of_services[:-1]),
        "crisis": {
            "recall": round(float((alarm[danger] >= mix.alarm_from).mean()), 4),
            "false_alarms": round(float((alarm[level == "none"] >= mix.alarm_from).mean()), 4),
        },
        "watch": round(float((of_watch[level == "watch"] >= mix.watch_from).mean()), 4),
        "mix": {name: np.round(value, 3).tolist() for name, value in mix.to_arrays().items()},
        "reliability": reliability(voices, probability),
    }


def service_scores(voices: Sequence[Voice], scores: Floats) -> dict[str, float]:
    names = list(vocabulary().services)
    rows = []
    for voice, row in zip(voices, scores, strict=True):
        if voice.services:
            found = [names[at] for at in np.argsort(-row)[:5]]
            hits = len(set(found) & set(voice.services))
            rows.append((found[0] in voice.services, hits > 0, hits / min(5, len(voice.services))))
    means = [round(float(mean), 4) for mean in np.array(rows, np.float64).mean(axis=0)]
    return dict(zip(("hit@1", "hit@5", "recall@5"), means, strict=True))


def reliability(voices: Sequence[Voice], probability: Floats) -> list[dict[str, float]]:
    """Of findings said to be so sure, how many a counselor would record or defend."""
    names = list(vocabulary().fields)
    fine = np.array([[f in v.must or f in v.may for f in names] for v in voices])
    rows = []
    for low in np.arange(0.0, 1.0, 0.1):
        inside = (probability >= low) & (probability < low + 0.1 + 1e-6 * (low > 0.85))
        if inside.any():
            rows.append(
                {
                    "from": round(float(low), 1), "findings": int(inside.sum()),
                    "said": round(float(probability[inside].mean()), 3), "true": round(float(fine[inside].mean()), 3),
                }
            )  # fmt: skip
    return rows

"""Learns the heads from the voices: `python -m bot.understanding.build_heads`. Only this needs torch and scikit-learn.

The voices are read in five parts, each by heads and neighbours that have not seen it; on that the mix of both is
fitted, and the figures printed are of that reading. Then the heads are learned from all.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import torch
from scipy import linalg, sparse
from sklearn.linear_model import LogisticRegression

from bot.understanding import build_owners, crisis
from bot.understanding.build_owners import Conversation
from bot.understanding.clauses import fold, split
from bot.understanding.danger_signs import KINDS
from bot.understanding.evidence import OddsOf
from bot.understanding.features import SIZE, Counted, Features, Floats, Kinds
from bot.understanding.heads import DANGER, HEADS, PARTS, SPEAKERS, Heads, weighted
from bot.understanding.mix import IN_DOUBT, Mix, seen_of_fields, share_odds
from bot.understanding.neighbours import NEAREST, labels, shares_of, together
from bot.understanding.voices import HouseholdVoice, Voice, read_households, read_voices
from knowledge_base import embedding
from knowledge_base.embedding import StaticEmbedder
from knowledge_base.index import Lexical
from knowledge_base.vocabulary import vocabulary

NOT_LEARNED = float("nan")
STRENGTH = 10.0  # of the data against the wish for small weights; 4 and 25 are within 0.3 points
ROUNDS = 60
PARTS_READ = 5
COARSE, FINE = 600, 1500  # groups of words
LOCAL_VOICES = 3  # as many as a town must give for a service of its own
PLAIN = 0.003  # of F1
ALARMS_ALLOWED = 0.06  # share of harmless voices that may be read as urgent
FIGURES = Path(__file__).parent / "heads.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HEADS)
    options = parser.parse_args()
    bundled = embedding.load()
    if not isinstance(bundled, StaticEmbedder):
        parser.error("the heads stand on the bundled token table")
    texts = Texts.read(bundled)
    unseen = read_in_parts(texts)
    mix = fit_mix(texts, unseen)
    figures = figures_of(texts, unseen, mix)
    figures["households"] = build_owners.build(conversations(texts, unseen, mix))
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    learned = learn(texts, np.arange(len(texts.seen)))
    pack(learned, texts, mix).save(options.out)
    print(json.dumps({key: value for key, value in figures.items() if key != "reliability"}))  # noqa: T201


@dataclass
class Texts:
    """The voices with their features, and the descriptions of the knowledge base behind them."""

    voices: list[Voice]
    households: list[HouseholdVoice]  # behind the voices in everything below
    folded: list[str]
    seen: list[list[Features]]  # of the whole and of each clause
    taught: list[Features]
    outputs: Floats  # voices, households, descriptions × outputs: 1 yes, 0 no, NOT_LEARNED left out
    bundled: StaticEmbedder
    kinds: Kinds
    rarity: Floats
    table: sparse.csr_matrix  # one row for each whole text, the descriptions behind
    clauses: sparse.csr_matrix
    owner: npt.NDArray[np.int64]  # of each clause the voice
    alike: Floats  # voices and households × voices and households

    @classmethod
    def read(cls, bundled: StaticEmbedder) -> Texts:
        voices, households = read_voices(), read_households()
        folded = [fold(text) for text in (*(v.text for v in voices), *(h.text for h in households))]
        kinds = word_kinds(bundled, folded)
        seen = [Counted(bundled, kinds, text).passages_and([[(0, len(text))]], split(text)) for text in folded]
        described = descriptions()
        taught = [Counted(bundled, kinds, fold(one.text)).of([[(0, len(one.text))]])[0] for one in described]
        wholes = [one[0] for one in seen] + taught
        rarity = _rarity(wholes)
        owner = np.repeat(np.arange(len(seen)), [len(one) - 1 for one in seen])
        return cls(
            voices, households, folded, seen, taught, outputs(voices, households, described),
            bundled, kinds, rarity,
            matrix(wholes, rarity), matrix([clause for one in seen for clause in one[1:]], rarity),
            owner, _alike([one[0] for one in seen]),
        )  # fmt: skip


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


def word_kinds(bundled: StaticEmbedder, texts: Sequence[str]) -> Kinds:
    """Groups of the words that the voices use, by k-means over their vectors; every other word joins the nearest."""
    table = bundled.rows()
    used = sorted({row for text in texts for row in bundled.tokens(text).rows.tolist() if table[row].any()})
    groups = []
    for count in (COARSE, FINE):
        means = faiss.Kmeans(table.shape[1], count, niter=20, seed=1, spherical=True, min_points_per_centroid=1)
        means.train(table[used])
        groups.append(means.index.search(table, 3)[1].astype(np.int16))
    return Kinds(*groups)


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


def matrix(seen: Sequence[Features], rarity: Floats) -> sparse.csr_matrix:
    values = [weighted(one, rarity) for one in seen]
    ends = np.cumsum([0, *(len(one.at) for one in seen)])
    table = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate([one.at for one in seen]), ends), shape=(len(seen), SIZE)
    )
    return sparse.hstack([table, sparse.csr_matrix(np.stack([one.dense for one in seen]))]).tocsr().astype(np.float32)


def _rarity(seen: Sequence[Features]) -> Floats:
    counts = np.zeros(SIZE, np.float32)
    for one in seen:
        counts[one.at] += 1
    return np.asarray(np.log((1 + len(seen)) / (1 + counts)) + 1, np.float32)


def _alike(wholes: Sequence[Features]) -> Floats:
    words = [one.words for one in wholes]
    lexical = Lexical(words)
    vectors = np.stack([one.dense for one in wholes])
    return together(vectors @ vectors.T, np.stack([lexical.scores(one) for one in words]))


@dataclass
class Learned:
    weights: Floats  # features × outputs
    biases: Floats


def learn(texts: Texts, rows: npt.NDArray[np.int64]) -> Learned:
    """Logistic regression for all outputs at once, solved over the texts and not over the features: there are ten
    times as many of these."""
    rows = np.concatenate([rows, np.arange(len(texts.seen), texts.table.shape[0])])
    table = texts.table[rows]
    inner = (table @ table.T).toarray().astype(np.float64) + 1e-3 * np.eye(len(rows))
    root = linalg.cholesky(inner, lower=True).astype(np.float32)
    shares, biases = _solve(torch.from_numpy(root), texts.outputs[rows])
    duals = linalg.solve_triangular(root.T, shares, lower=False).astype(np.float32)
    return Learned(np.asarray(table.T @ duals, np.float32), biases)


def _solve(root: torch.Tensor, wanted: Floats) -> tuple[Floats, Floats]:
    known = torch.from_numpy((~np.isnan(wanted)).astype(np.float32))
    yes = torch.from_numpy(np.nan_to_num(wanted))
    shares = torch.zeros(wanted.shape, requires_grad=True)
    biases = torch.full((wanted.shape[1],), -2.0, requires_grad=True)
    solver = torch.optim.LBFGS([shares, biases], max_iter=ROUNDS, history_size=15, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        odds = root @ shares + biases
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(odds, yes, reduction="none")
        total = STRENGTH * (wrong * known).sum() + 0.5 * shares.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    solver.step(loss)  # type: ignore[no-untyped-call]
    return shares.detach().numpy(), biases.detach().numpy()


@dataclass
class Unseen:
    """What heads and neighbours said of each voice that they had not seen."""

    odds: Floats  # voices × outputs
    clauses: Floats  # clauses × outputs
    near: Floats  # voices × (fields, services, urgent)
    local: Floats  # voices × services × (likeness of the nearest two of three voices, of the nearest of all)
    part: npt.NDArray[np.int64]  # of each voice
    learned: list[Learned]  # for each part, from the others, the fields alone


def read_in_parts(texts: Texts) -> Unseen:
    count, width = len(texts.seen), texts.outputs.shape[1]
    known = labels(texts.voices)
    part = np.random.default_rng(0).permutation(count) % PARTS_READ
    unseen = Unseen(
        np.zeros((count, width), np.float32), np.zeros((len(texts.owner), width), np.float32),
        np.zeros((count, known.shape[1]), np.float32), np.zeros((count, PARTS[1] - PARTS[0], 3), np.float32), part, [],
    )  # fmt: skip
    for number in range(PARTS_READ):
        others, these = np.flatnonzero(part != number), np.flatnonzero(part == number)
        learned = learn(texts, others)
        unseen.learned.append(Learned(learned.weights[:, : PARTS[0]].copy(), learned.biases[: PARTS[0]]))
        unseen.odds[these] = texts.table[these] @ learned.weights + learned.biases
        clauses = np.flatnonzero(part[texts.owner] == number)
        unseen.clauses[clauses] = texts.clauses[clauses] @ learned.weights + learned.biases
        voices = others[others < len(texts.voices)]
        for one in these:
            likeness, at = nearest(texts.alike[one], voices)
            unseen.near[one] = shares_of(likeness) @ known[at]
        unseen.local[these] = _as_local(texts, these, voices)
        print(f"part {number + 1} of {PARTS_READ}", flush=True)  # noqa: T201 - a build script
    return unseen


def nearest(alike: Floats, others: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64]]:
    order = others[np.argsort(-alike[others], kind="stable")[:NEAREST]]
    return alike[order], order


def _as_local(texts: Texts, these: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> Floats:
    """Every service as if a town had added it with three voices, and no head knew it."""
    draw = np.random.default_rng(1)
    seen = np.zeros((len(these), PARTS[1] - PARTS[0], 3), np.float32)
    seen[:, :, 2] = texts.alike[np.ix_(these, others)].max(axis=1)[:, None]
    for at, service in enumerate(vocabulary().services):
        first = [one for one in others if service in texts.voices[one].services[:2]]
        own = first if len(first) >= LOCAL_VOICES else [one for one in others if service in texts.voices[one].services]
        chosen = draw.choice(own, LOCAL_VOICES, replace=False)
        seen[:, at, :2] = -np.sort(-texts.alike[np.ix_(these, chosen)], axis=1)[:, :2]
    return seen


def fit_mix(texts: Texts, unseen: Unseen) -> Mix:
    fields, services, *_ = PARTS
    count = len(texts.voices)
    wanted = texts.outputs[:count]
    of_fields = _factors(_fields_seen(texts, unseen)[:count], wanted[:, :fields])
    of_services = _factors(_services_seen(texts, unseen), wanted[:, fields:services])
    tells = np.flatnonzero(wanted[:, fields:services].any(axis=1))
    mix = Mix(
        of_fields=of_fields,
        of_clauses=_factors(unseen.odds[:count, :fields, None], wanted[:, :fields]),
        of_services=of_services,
        of_local_services=_factors(unseen.local[tells], wanted[tells, fields:services]),
        of_danger=_factors(_danger_seen(texts, unseen), wanted[:, services]),
        recorded_from=0.0, alarm_from=0.0, immediate_from=0.0, watch_from=0.0,
    )  # fmt: skip
    probability = _field_probabilities(texts, unseen, mix)[:count]
    recorded = _recorded_from(texts.voices, probability, unseen.odds[:count, PARTS[3]])
    alarm = _danger_probabilities(texts, unseen, mix)
    calm = np.array([voice.level == "none" for voice in texts.voices])
    return replace(
        mix,
        recorded_from=round(float(recorded), 3),
        alarm_from=round(float(np.quantile(alarm[calm], 1 - ALARMS_ALLOWED)), 4),
        immediate_from=_best_cut(texts, unseen.odds[:, services + 1], "urgent", "immediate"),
        watch_from=_best_cut(texts, unseen.odds[:, services + 2], "none", "watch"),
    )


def _recorded_from(voices: Sequence[Voice], probability: Floats, tells: Floats) -> float:
    """Near the best F1 there is a wide plain; on it where recall and precision are most alike."""
    cuts = np.arange(0.1, 0.5, 0.01)
    scores = {cut: field_scores(voices, probability, _least(cut, tells)) for cut in cuts}
    best = max(score["f1"] for score in scores.values())
    plain = [cut for cut, score in scores.items() if score["f1"] >= best - PLAIN]
    return float(min(plain, key=lambda cut: abs(scores[cut]["recall"] - scores[cut]["precision"])))


def _least(cut: float, tells: Floats) -> Floats:
    """As Mix.least, for many texts at once."""
    return np.where(tells >= 0, cut, max(cut, IN_DOUBT))[:, None].astype(np.float32)


def _factors(seen: npt.NDArray[np.float32], wanted: Floats) -> Floats:
    """The last axis of `seen` against yes and no."""
    rows = ~np.isnan(wanted).ravel()
    model = LogisticRegression(C=100.0, max_iter=500)
    model.fit(seen.reshape(-1, seen.shape[-1])[rows], wanted.ravel()[rows] > 0.5)
    return np.array([*model.coef_[0], model.intercept_[0]], np.float32)


def _best_cut(texts: Texts, odds: Floats, below: str, above: str) -> float:
    """Where the two levels are told apart with the fewest mistakes of both."""
    low = np.array([odds[at] for at, voice in enumerate(texts.voices) if voice.level == below])
    high = np.array([odds[at] for at, voice in enumerate(texts.voices) if voice.level == above])
    cuts = np.quantile(np.concatenate([low, high]), np.linspace(0.02, 0.98, 97))
    return round(float(max(cuts, key=lambda cut: (low < cut).mean() + (high >= cut).mean())), 3)


def _fields_seen(texts: Texts, unseen: Unseen) -> Floats:
    fields = PARTS[0]
    rows = []
    first = 0
    for at, seen in enumerate(texts.seen):
        last = first + len(seen) - 1
        odds = np.concatenate([unseen.odds[at : at + 1, :fields], unseen.clauses[first:last, :fields]])
        rows.append(seen_of_fields(odds, unseen.near[at, :fields], unseen.odds[at, PARTS[3]]))
        first = last
    return np.stack(rows)


def _services_seen(texts: Texts, unseen: Unseen) -> Floats:
    fields, services, *_ = PARTS
    seen = np.stack([unseen.odds[:, fields:services], share_odds(unseen.near[:, fields:services])], axis=-1)
    return np.asarray(seen[: len(texts.voices)], np.float32)


def _danger_seen(texts: Texts, unseen: Unseen) -> Floats:
    rows = []
    for at, voice in enumerate(texts.voices):
        folded = texts.folded[at]
        clauses = split(folded)
        own = unseen.clauses[texts.owner == at][:, PARTS[1] : PARTS[2]]
        told = crisis.screen(folded, clauses, voice.text)
        rows.append(crisis.seen(told, clauses, unseen.odds[at, PARTS[1] : PARTS[2]], own, float(unseen.near[at, -1])))
    return np.array(rows, np.float32)


def _field_probabilities(texts: Texts, unseen: Unseen, mix: Mix) -> Floats:
    odds = _fields_seen(texts, unseen) @ mix.of_fields[:-1] + mix.of_fields[-1]
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _danger_probabilities(texts: Texts, unseen: Unseen, mix: Mix) -> Floats:
    odds = _danger_seen(texts, unseen) @ mix.of_danger[:-1] + mix.of_danger[-1]
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def field_scores(voices: Sequence[Voice], probability: Floats, least: Floats) -> dict[str, float]:
    """As eval/score.py counts: must for recall, must and may for precision."""
    names = list(vocabulary().fields)
    must = np.array([[f in v.must for f in names] for v in voices])
    fine = must | np.array([[f in v.may for f in names] for v in voices])
    found = probability >= least
    recall, precision = (found & must).sum() / must.sum(), (found & fine).sum() / max(found.sum(), 1)
    return {"f1": 2 * recall * precision / (recall + precision), "recall": recall, "precision": precision}


def conversations(texts: Texts, unseen: Unseen, mix: Mix) -> list[Conversation]:
    """The households with what heads that have not seen them say of their clauses."""
    fields, first = PARTS[0], len(texts.voices)
    wholes = np.clip(_fields_seen(texts, unseen)[first:] @ mix.of_fields[:-1] + mix.of_fields[-1], -10, 10)
    each = np.clip(unseen.clauses[:, :fields] * mix.of_clauses[0] + mix.of_clauses[1], -10, 10)
    return [
        Conversation(
            told,
            texts.folded[first + at],
            each[texts.owner == first + at],
            wholes[at],
            unseen.odds[first + at, PARTS[2] : PARTS[3]],
            _of_clauses(texts, unseen, first + at),
        )
        for at, told in enumerate(texts.households)
    ]


def _of_clauses(texts: Texts, unseen: Unseen, at: int) -> OddsOf:
    learned, clauses = unseen.learned[unseen.part[at]], split(texts.folded[at])
    counted = Counted(texts.bundled, texts.kinds, texts.folded[at])

    def of(several: Sequence[Sequence[int]]) -> Floats:
        spans = [[(clauses[one].start, clauses[one].end) for one in some] for some in several]
        return np.asarray(matrix(counted.of(spans), texts.rarity) @ learned.weights + learned.biases, np.float32)

    return of


def figures_of(texts: Texts, unseen: Unseen, mix: Mix) -> dict[str, object]:
    """What the parts say of the whole: printed, kept in heads.json and shown in docs/understanding.md."""
    probability = _field_probabilities(texts, unseen, mix)[: len(texts.voices)]
    least = _least(mix.recorded_from, unseen.odds[: len(texts.voices), PARTS[3]])
    alarm = _danger_probabilities(texts, unseen, mix)
    level = np.array([voice.level for voice in texts.voices])
    danger = np.isin(level, ("urgent", "immediate"))
    return {
        "voices": len(texts.voices),
        "fields": {k: round(float(v), 4) for k, v in field_scores(texts.voices, probability, least).items()},
        "services": service_scores(texts.voices, _services_seen(texts, unseen) @ mix.of_services[:-1]),
        "crisis": {
            "recall": round(float((alarm[danger] >= mix.alarm_from).mean()), 4),
            "false_alarms": round(float((alarm[level == "none"] >= mix.alarm_from).mean()), 4),
        },
        "mix": {name: np.round(value, 3).tolist() for name, value in mix.to_arrays().items()},
        "reliability": reliability(texts, probability),
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


def reliability(texts: Texts, probability: Floats) -> list[dict[str, float]]:
    """Of findings said to be so sure, how many a counselor would record or defend."""
    names = list(vocabulary().fields)
    fine = np.array([[f in v.must or f in v.may for f in names] for v in texts.voices])
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


def pack(learned: Learned, texts: Texts, mix: Mix) -> Heads:
    """One byte a weight; features seen once only are dropped: they say nothing of other texts."""
    weights = learned.weights.copy()
    counts = np.asarray((texts.table[:, :SIZE] != 0).sum(axis=0)).ravel()
    weights[:SIZE][counts < 2] = 0
    steps = np.asarray(np.abs(weights).max(axis=0) / 127, np.float32)
    return Heads(texts.rarity, np.round(weights / steps).astype(np.int8), steps, learned.biases, texts.kinds, mix)


if __name__ == "__main__":
    main()

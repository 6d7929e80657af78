"""Learns the heads over counted words, then how they, the encoder and the neighbours are put together:
`python -m bot.understanding.build_heads`, after `build_encoder`. It needs torch and scikit-learn. Five minutes.

A fifth of the voices is held back: heads, encoder and neighbours that have not seen it read it, the mix is fitted on
that (`build_mix`), and the figures printed are of that reading. Then the heads are learned from all. After it comes
`build_owners`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from bot.understanding import build_mix, read_once
from bot.understanding.build_mix import Reading
from bot.understanding.build_texts import Texts
from bot.understanding.clauses import fold
from bot.understanding.encoder import Encoder
from bot.understanding.features import SIZE, Counted, Features, Floats
from bot.understanding.heads import HEADS, Heads, weighted
from bot.understanding.mix import Mix
from bot.understanding.segments import together
from knowledge_base import embedding
from knowledge_base.embedding import StaticEmbedder
from knowledge_base.lexicon import Lexicon, Spelled, WordSearch

STRENGTH = 10.0  # of the data against the wish for small weights; 4 and 25 are within 0.3 points
ROUNDS = 60
UNSEEN = Path("var/encoder-unseen")  # the encoder that has not seen what is held back
FIGURES = Path(__file__).parent / "heads.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HEADS)
    options = parser.parse_args()
    bundled = embedding.load()
    if not isinstance(bundled, StaticEmbedder):
        parser.error("the heads stand on the bundled token table")
    texts = Texts.read()
    counted = CountedTexts.of(texts, bundled)
    reading = read_what_was_held_back(texts, counted, Encoder(UNSEEN), bundled)
    mix = build_mix.fit(texts, reading)
    figures = build_mix.figures(texts, reading, mix)
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    pack(learn(texts, counted, texts.learned(held_back=False)), counted, mix).save(options.out)
    read_once.keep([voice.text for voice in texts.voices], bundled)
    print(json.dumps({key: value for key, value in figures.items() if key != "reliability"}))  # noqa: T201


@dataclass
class CountedTexts:
    """Voices, households and descriptions as counted words; one row of `table` for each."""

    folded: list[str]
    seen: list[Features]
    rarity: Floats
    table: sparse.csr_matrix

    @classmethod
    def of(cls, texts: Texts, bundled: StaticEmbedder) -> CountedTexts:
        folded = [fold(text) for text in texts.all()]
        seen = [Counted(bundled, text).of([[(0, len(text))]])[0] for text in folded]
        rarity = _rarity(seen)
        return cls(folded, seen, rarity, matrix(seen, rarity))


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


@dataclass
class Learned:
    weights: Floats  # features × outputs
    biases: Floats


def learn(texts: Texts, counted: CountedTexts, rows: npt.NDArray[np.int64]) -> Learned:
    """Logistic regression for all outputs at once, from the voices and households at `rows` and all descriptions;
    solved over the texts and not over the features: there are ten times as many of these."""
    first = len(texts.voices) + len(texts.households)
    rows = np.concatenate([rows, np.arange(first, len(counted.seen))])
    table = counted.table[rows]
    inner = torch.from_numpy((table @ table.T).toarray()).double()
    inner.diagonal().add_(1e-3)
    root = torch.linalg.cholesky(inner).float()  # SciPy's breaks off at matrices as large as this
    shares, biases = _solve(root, texts.outputs[rows])
    duals = torch.linalg.solve_triangular(root.T, torch.from_numpy(shares), upper=True).numpy()
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


def read_what_was_held_back(texts: Texts, counted: CountedTexts, encoder: Encoder, bundled: StaticEmbedder) -> Reading:
    learned = learn(texts, counted, texts.learned(held_back=True))
    odds = np.asarray(counted.table[texts.held] @ learned.weights + learned.biases, np.float32)
    known = texts.learned(held_back=True)
    known = known[known < len(texts.voices)]
    return build_mix.read(texts, counted.folded, odds, _alike(counted.seen, texts.held, known, bundled), known, encoder)


def _alike(
    seen: Sequence[Features], these: npt.NDArray[np.int64], known: npt.NDArray[np.int64], bundled: StaticEmbedder
) -> Floats:
    """How like each of `these` is to each of the `known`, as the neighbours are found."""
    words = Spelled.of(seen[at].words for at in known)
    lexicon = Lexicon(words.rarity(bundled.many_forms), bundled.forms_of)
    search = WordSearch(lexicon.count(words))
    vectors = np.stack([seen[at].dense for at in known])
    return np.stack([together(vectors @ seen[at].dense, search.scores(lexicon.ask(seen[at].words))) for at in these])


def pack(learned: Learned, counted: CountedTexts, mix: Mix) -> Heads:
    """One byte a weight; features seen once only are dropped: they say nothing of other texts."""
    weights = learned.weights.copy()
    counts = np.asarray((counted.table[:, :SIZE] != 0).sum(axis=0)).ravel()
    weights[:SIZE][counts < 2] = 0
    steps = np.asarray(np.abs(weights).max(axis=0) / 127, np.float32)
    return Heads(counted.rarity, np.round(weights / steps).astype(np.int8), steps, learned.biases, mix)


if __name__ == "__main__":
    main()

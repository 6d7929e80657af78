"""Item 4: the search as a town's own knowledge grows, beside 10³ to 10⁶ example sentences.

The sentences are made up (bench/example_sentences.py): services with three each, so that at 10⁵ sentences there are
33,334 services, and with their names and descriptions 166,670 texts are searched. The queries are voices none of whose
clauses stands in a sentence.

*One query* is the search among the town's own, given a text's words and vector: the texts that come nearest, with what
they are labelled with, and the services that may be meant, with their probabilities. *Read* is the whole of a text:
danger, encoder, bundled voices, town's own, household; so what does not grow is in it too. CPU is what the kernel gave
the thread: on a machine that others use, the clock also counts what they did meanwhile.

`python -m bench.search_growth 1000` measures one size in a process of its own, held to one core, and prints one line of
JSON.
"""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bench.example_sentences import VOICES_EACH, queries, services
from bench.measure import median, memory_mb, percentile
from bench.understanding import ONE_CORE

SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUERIES, READ = 300, 60
COMPARED_UP_TO = 100_000  # sentences; with weighing every text
ASKED_FOR = 10


def run(rounds: int) -> dict[str, dict[str, float]]:
    """By number of sentences; medians of the rounds over one index."""
    return {str(size): _in_a_process(size, rounds) for size in SIZES}


def _in_a_process(size: int, rounds: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.search_growth", str(size), str(rounds)]
    made: dict[str, float] = json.loads(subprocess.check_output(command, env={**os.environ, **ONE_CORE}))
    return made


def measure(size: int, rounds: int) -> dict[str, float]:
    """One size, in this process."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # Imported here: the core is chosen first.
    from bot.understanding import Assessment, Understander

    reader = Understander.load()
    own = list(services(-(-size // VOICES_EACH)))
    gc.collect()
    before = memory_mb(os.getpid())[0]
    spent, build_cpu = _timed(lambda: reader.take_in(own))
    gc.collect()
    after = memory_mb(os.getpid())[0]
    texts = queries(QUERIES)
    search = _Search(reader, texts)
    asked = [_latencies(search.ask, range(len(texts))) for _ in range(rounds)]
    read = [_latencies(lambda text: reader.read(text, Assessment()), texts[:READ]) for _ in range(rounds)]
    found = {
        "services": len(own), "build_s": spent, "build_cpu_s": build_cpu,
        "memory_mb": after - before, "process_mb": after,
        **_percentiles("query", asked), **_percentiles("read", read),
        "take_in_one_s": median(_timed(partial(reader.take_in, [*own, *one]))[0] for one in _one_more(rounds)),
    }  # fmt: skip
    return found | (search.agreement() if size <= COMPARED_UP_TO else {})


class _Search:
    """Queries, ready for the search among the town's own."""

    def __init__(self, reader: Any, texts: Sequence[str]) -> None:
        from bot.understanding.clauses import fold, split

        weigher = reader._weigher
        self._local, self._sureness = weigher._neighbours.local, weigher._heads.mix.local_services
        folded = [fold(text) for text in texts]
        self._vectors = weigher._bundled.embed(folded)
        self._words = [weigher._bundled.forms_of(text) for text in folded]
        self._odds = [weigher.weigh(text, split(text)).told for text in folded]

    def ask(self, number: int, local: Any = None) -> tuple[Any, Any]:
        from bot.understanding.neighbours import NEAREST

        local = local or self._local
        looks = local.look(self._words[number], self._vectors[number])
        nearest = local.nearest(looks, NEAREST)
        return nearest, local.likely([looks], self._odds[number], 0.5, self._sureness)

    def agreement(self) -> dict[str, float]:
        """Of the nearest texts and of the likeliest services that weighing every text would find: which share is, and
        what that would take."""
        from bot.understanding.local import Local
        from knowledge_base.cells import Cells

        local = self._local
        whole = [
            replace(one, vectors=one.vectors.vectors(slice(None))) if isinstance(one.vectors, Cells) else one
            for one in local._segments
        ]
        every = Local(whole, local._embedder, local._lexicon)
        same_texts = same_services = 0.0
        spent = []
        for number in range(len(self._words)):
            (near, _), own = self.ask(number)
            began = time.thread_time()
            (all_near, _), all_own = self.ask(number, every)
            spent.append(time.thread_time() - began)
            least = sorted(all_near)[-ASKED_FOR] - 1e-4
            same_texts += min(ASKED_FOR, sum(near >= least)) / ASKED_FOR
            wanted = set(all_own.places[(-all_own.sure).argsort(kind="stable")[:ASKED_FOR]])
            same_services += len(wanted & set(own.places[(-own.sure).argsort(kind="stable")[:ASKED_FOR]])) / ASKED_FOR
        return {
            "same_texts": same_texts / len(self._words), "same_services": same_services / len(self._words),
            "every_text_cpu_p50_ms": median(spent) * 1000,
        }  # fmt: skip


def _one_more(rounds: int) -> Iterable[Any]:
    return (list(services(1, seed=100 + number)) for number in range(rounds))


def _latencies(work: Callable[[Any], Any], over: Iterable[Any]) -> list[tuple[float, float]]:
    return [_timed(partial(work, one)) for one in over]


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock, and CPU seconds of this thread."""
    began, cpu = time.perf_counter(), time.thread_time()
    work()
    return time.perf_counter() - began, time.thread_time() - cpu


def _percentiles(name: str, rounds: Sequence[Sequence[tuple[float, float]]]) -> dict[str, float]:
    return {
        f"{name}{kind}_p{percent}_ms": median(percentile([pair[at] for pair in one], percent) for one in rounds) * 1000
        for at, kind in enumerate(("", "_cpu"))
        for percent in (50, 95, 99)
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3)))

"""Item 1, a turn: the whole product over LINE, beside bare Rasa with its recommended pipeline and with ours."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import processes
from bench.measure import cpu_s, median, percentile
from bench.processes import Driver

RESIDENTS = (1, 16, 64)


@dataclass
class Subject:
    """Something that answers residents: its load driver, its processes by name, and its rounds by residents."""

    driver: Driver
    pids: dict[str, int]
    rounds: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def measure(self, residents: int, seconds: float) -> None:
        """One round."""
        pids = {**self.pids, "driver": self.driver.process.pid}
        before = {name: cpu_s(pid) for name, pid in pids.items()}
        loaded = self.driver.do("load", residents=residents, seconds=seconds)
        turns = len(loaded["latencies"])
        self.rounds.setdefault(residents, []).append(
            {
                "turns_per_s": turns / loaded["seconds"],
                "p50_ms": percentile(loaded["latencies"], 50) * 1000,
                "p95_ms": percentile(loaded["latencies"], 95) * 1000,
                "p99_ms": percentile(loaded["latencies"], 99) * 1000,
                "cpu_ms": {name: (cpu_s(pid) - before[name]) * 1000 / turns for name, pid in pids.items()},
            }
        )

    def result(self) -> dict[str, Any]:
        """The medians of the rounds, by residents."""
        return {
            str(residents): {
                **{name: median(one[name] for one in rounds) for name in ("turns_per_s", "p50_ms", "p95_ms", "p99_ms")},
                "cpu_ms": {name: median(one["cpu_ms"][name] for one in rounds) for name in rounds[0]["cpu_ms"]},
            }
            for residents, rounds in self.rounds.items()
        }


def run(folder: Path, rounds: int, seconds: float, only: str = "") -> dict[str, Any]:
    """Medians by subject and number of residents. The subjects take turns, so that all see the same machine."""
    with contextlib.ExitStack() as stack:
        subjects = {
            name: stack.enter_context(begin(folder)) for name, begin in SUBJECTS.items() if not only or name == only
        }
        for subject in subjects.values():  # what is loaded at the first call is loaded
            subject.driver.do("load", residents=4, seconds=2.0)
        for _ in range(rounds):
            for residents in RESIDENTS:
                for subject in subjects.values():
                    subject.measure(residents, seconds)
        return {name: subject.result() for name, subject in subjects.items()}


@contextlib.contextmanager
def whole_product(folder: Path) -> Iterator[Subject]:
    """The product, with everything durable."""
    with processes.product(folder / "product") as product, processes.line_driver(product) as driver:
        yield Subject(driver, {"service": product.process.pid, "rasa": product.rasa_pid})


@contextlib.contextmanager
def recommended_rasa(folder: Path) -> Iterator[Subject]:
    """Bare Rasa with the pipeline it recommends, trained on the same data."""
    processes.train_peer()
    with _rasa(processes.bare_rasa(processes.PEER_MODEL, folder / "recommended.log")) as subject:
        yield subject


@contextlib.contextmanager
def lean_rasa(folder: Path) -> Iterator[Subject]:
    """Bare Rasa with our pipeline: the product's limit."""
    with _rasa(processes.bare_rasa(processes.OUR_MODEL, folder / "lean.log")) as subject:
        yield subject


@contextlib.contextmanager
def own_rasa(folder: Path) -> Iterator[Subject]:
    """Rasa as the product runs it, with its own tracker store, alone."""
    with _rasa(processes.our_rasa(folder / "own"), processes.TOKEN) as subject:
        yield subject


@contextlib.contextmanager
def _rasa(
    server: "contextlib.AbstractContextManager[tuple[subprocess.Popen[bytes], str]]", token: str = ""
) -> Iterator[Subject]:
    with server as (process, url), processes.driver("rest", url, *([token] if token else [])) as driver:
        yield Subject(driver, {"rasa": process.pid})


SUBJECTS = {
    "product": whole_product,
    "rasa, recommended pipeline": recommended_rasa,
    "rasa, our pipeline": lean_rasa,
    "rasa, our pipeline and tracker": own_rasa,
}

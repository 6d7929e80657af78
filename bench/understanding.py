"""Item 3, understanding: texts a second on one core, p50 and p95 of a text of 200 characters, and the time to load.

`python -m bench.understanding` measures in a process of its own, held to one core, and prints one line of JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.measure import median, percentile

LENGTH = 200
TEXTS = 400
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


def run(rounds: int) -> dict[str, float]:
    """Medians of the rounds, each in a new process."""
    found = [_round() for _ in range(rounds)]
    return {name: median(one[name] for one in found) for name in found[0]}


def _round() -> dict[str, float]:
    command = [sys.executable, "-m", "bench.understanding"]
    made: dict[str, float] = json.loads(subprocess.check_output(command, env={**os.environ, **ONE_CORE}))
    return made


def measure() -> dict[str, float]:
    """One round, in this process."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    began = time.perf_counter()
    # Imported here: loading is what is timed.
    from bot.understanding import Assessment, Understander
    from bot.understanding.crisis import screen_text

    reader = Understander.load()
    loaded = time.perf_counter() - began
    texts = _texts()
    for text in texts[:20]:
        reader.read(text, Assessment())
    latencies = _timed(lambda text: reader.read(text, Assessment()), texts)
    return {
        "texts_per_s": len(latencies) / sum(latencies),
        **{f"p{percent}_ms": percentile(latencies, percent) * 1000 for percent in (50, 95, 99)},
        "screen_p95_ms": percentile(_timed(screen_text, texts), 95) * 1000,
        "load_s": loaded,
    }


def _timed(read: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Seconds a text."""
    latencies = []
    for text in texts:
        asked = time.perf_counter()
        read(text)
        latencies.append(time.perf_counter() - asked)
    return latencies


def _texts() -> list[str]:
    """Texts of 200 characters, each made of voices of residents from the training data, as one would tell them."""
    from bot.understanding.voices import VOICES

    lines = [line for path in sorted(VOICES.glob("v*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    voices: list[Any] = [json.loads(line)["text"] for line in lines if line]
    whole = "。".join(voices)
    return [whole[at * LENGTH : (at + 1) * LENGTH] for at in range(min(TEXTS, len(whole) // LENGTH))]


if __name__ == "__main__":
    print(json.dumps(measure()))

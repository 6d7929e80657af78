"""Item 5, growth of a conversation: a turn at message 5, 50 and 500, timed in turn so that all see the same machine."""

from pathlib import Path
from typing import Any

from bench import processes
from bench.measure import percentile

LONG = 500


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """p50 and p95 in milliseconds at message 5, about 50 and about 500, over 20 turns a round."""
    with processes.product(folder / "product") as product, processes.line_driver(product) as driver:
        timed = driver.do("grow", messages=LONG, every=20 * rounds)
    names = {"young": "message 5", "middle": f"message {LONG // 10}", "old": f"message {LONG}"}
    return {
        names[name]: {"p50_ms": percentile(all_, 50) * 1000, "p95_ms": percentile(all_, 95) * 1000}
        for name, all_ in timed.items()
    }

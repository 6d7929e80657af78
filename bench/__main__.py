"""`python -m bench [turn ack understand start ...] [--rounds 3] [--seconds 5]`: measures, one table.

Everything goes into bench/results.json too. Parts that were not asked for keep their last results there.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import ack, conversation, kb_import, queue, save_to_hit, search_growth, start, turn, understanding
from bench.table import table

RESULTS = Path(__file__).parent / "results.json"
PARTS = ("understand", "start", "search-growth", "save-to-hit", "kb-import", "conversation", "queue", "ack", "turn")


def main() -> int:
    """The parts that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--rounds", type=int, default=3, help="medians are of so many (3)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of load in each measurement (5)")
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    results = _earlier()
    for part in [part for part in PARTS if not wanted.parts or part in wanted.parts]:
        began = time.monotonic()
        print(f"bench: {part} …", file=sys.stderr, end=" ", flush=True)
        results[part] = measure(part, wanted.rounds, wanted.seconds)
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
        results["machine"] = machine()
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(results))
    return 0


def measure(part: str, rounds: int, seconds: float) -> dict[str, Any]:
    """One part, over a database of its own."""
    if part == "search-growth":
        return dict(search_growth.run(rounds))
    with tempfile.TemporaryDirectory(prefix="uketome-bench-") as name:
        folder = Path(name)
        if part == "turn":
            return turn.run(folder, rounds, seconds)
        if part == "ack":
            return ack.run(folder, rounds, seconds)
        if part == "conversation":
            return conversation.run(folder, rounds)
        if part == "queue":
            return queue.run(folder, rounds)
        if part == "save-to-hit":
            return save_to_hit.run(folder, rounds)
        if part == "kb-import":
            return kb_import.run(folder, rounds)
        if part == "start":
            return start.run(folder, rounds)
        return dict(understanding.run(rounds))


def machine() -> dict[str, Any]:
    """What it was measured on; the load says whether others used it too."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "load": os.getloadavg()[0],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")


def _earlier() -> dict[str, Any]:
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else {}


if __name__ == "__main__":
    raise SystemExit(main())

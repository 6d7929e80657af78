"""Figures: percentiles, and what a process costs in CPU time and memory, as the kernel counts it."""

import os
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed; 0.0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def median(values: Iterable[float]) -> float:
    """The median; 0.0 for none."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far, with its threads; children that it has not waited for count for themselves."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def memory_mb(pid: int) -> tuple[float, float]:
    """(RSS, PSS) of a process in MB: with what it shares, and with its part of that."""
    kb = {"Rss": 0, "Pss": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        if name.rstrip(":") in kb:
            kb[name.rstrip(":")] = int(value)
    return kb["Rss"] / 1024, kb["Pss"] / 1024


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def disk_mb(*places: Path) -> float:
    """What files take on the disk, links not followed."""
    return sum(_kb_on_disk(place) for place in places) / 1024


def _kb_on_disk(place: Path) -> float:
    if not place.exists():
        return 0.0
    files = (Path(folder) / name for folder, _, names in os.walk(place) for name in names)
    return sum(file.lstat().st_blocks for file in files) / 2

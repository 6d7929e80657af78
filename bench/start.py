"""Item 7, start and size: from the command to the first answer without and with Rasa, memory, and the install."""

import time
from pathlib import Path
from typing import Any

from bench import processes
from bench.measure import disk_mb, median, memory_mb
from storage.settings import ROOT


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """Medians in seconds; memory in MB after some talks; disk in MB."""
    found = [_round(folder) for _ in range(rounds)]
    medians = {name: median(one["seconds"][name] for one in found) for name in found[0]["seconds"]}
    return {"seconds": medians, "memory_mb": found[-1]["memory_mb"], "disk_mb": _disk()}


def _round(folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    with processes.product(folder / "product", wait_for_rasa=False) as product:
        listens = time.monotonic() - began
        with processes.line_driver(product) as driver:
            connected = time.monotonic()
            first = driver.do("load", residents=1, seconds=0.001)["latencies"][0]
            processes.until(product.process, lambda: processes.rasa_ready(product.url))
            with_rasa = time.monotonic() - began
            second = driver.do("load", residents=1, seconds=0.001)["latencies"][0]
            driver.do("load", residents=16, seconds=5)
            memory = {"service": product.process.pid, "rasa": product.rasa_pid}
            return {
                # The stand-in's own start is not the product's.
                "seconds": {
                    "to listening": listens,
                    "to the first answer, Rasa not up yet": listens + first,
                    "to the first answer by Rasa": with_rasa + second,
                    "start of the stand-in (in the line above)": connected - began - listens,
                },
                "memory_mb": {
                    name: dict(zip(("rss", "pss"), memory_mb(pid), strict=True)) for name, pid in memory.items()
                },
            }


def _disk() -> dict[str, float]:
    folders = {
        "service's environment": [ROOT / ".venv"],
        "Rasa's environment": [ROOT / ".venv-rasa"],
        "front-end packages": [ROOT / "node_modules"],
        "the repository's own files": [
            ROOT / name
            for name in ("bot", "connectors", "handoff", "knowledge_base", "nlu_data", "storage", "uketome", "tests")
        ],
    }
    return {name: disk_mb(*places) for name, places in folders.items()}

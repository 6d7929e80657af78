"""Item 2, the acknowledgement: durable webhooks a second while turns are worked off, beside what FastAPI can do bare;
and a burst of 5,000 messages from 1,000 residents, audited afterwards."""

import contextlib
import json
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import processes
from bench.measure import median, percentile
from bench.processes import Driver, Product
from uketome.rasa_process import free_port

CONNECTIONS = 64
RESIDENTS = 1_000
BURST = 5_000
WORKED_OFF_WITHIN_S = 240.0


def run(folder: Path, rounds: int, seconds: float) -> dict[str, Any]:
    """Medians by subject, and what became of the burst."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    with (
        processes.product(folder / "product") as product,
        _bare(folder) as bare,
        processes.line_driver(product) as driver,
    ):
        burst = _burst(driver, product)
        subjects = {"product": product.webhook, "one insert": f"{bare}/insert", "nothing": f"{bare}/nothing"}
        for _ in range(rounds):
            for name, url in subjects.items():
                found[name].append(_figures(_post(driver, url, seconds)))
                _until_worked_off(product)
    medians = {name: {key: median(one[key] for one in ones) for key in ones[0]} for name, ones in found.items()}
    return {**medians, "burst": burst}


def _burst(driver: Driver, product: Product) -> dict[str, Any]:
    began = time.monotonic()
    posted = _post(driver, product.webhook, 600, BURST)
    acknowledged_s = time.monotonic() - began
    _until_worked_off(product)
    worked_off_s = time.monotonic() - began
    wrong = audit(product.database, driver.do("phones"), BURST)
    return {**_figures(posted), "acknowledged_s": acknowledged_s, "worked_off_s": worked_off_s, "wrong": wrong}


def audit(database: Path, phones: dict[str, Any], messages: int) -> list[str]:
    """Everything that is not as it must be: empty when nothing was lost, doubled or out of order."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:
        wrong = [f"{count} {what}" for what, sql in MUST_BE_ZERO.items() if (count := rows.execute(sql).fetchone()[0])]
        stored = rows.execute("SELECT count(*) FROM messages WHERE sender = 'resident'").fetchone()[0]
        if stored != messages:
            wrong.append(f"{stored} messages stored of {messages}")
        ours: dict[str, list[str]] = defaultdict(list)
        for user, text in rows.execute(SAID):
            ours[user].append(text)
    received: dict[str, list[str]] = {user: texts for user, texts in phones["received"].items() if texts}
    wrong += [f"the phone of {user} shows something else" for user in ours if ours[user] != received.get(user)]
    return wrong + list(phones["violations"])


SAID = """SELECT c.address, m.text FROM messages m JOIN conversations c ON c.id = m.conversation_id
WHERE m.sender = 'bot' ORDER BY m.id"""
MUST_BE_ZERO = {
    "messages in no turn": "SELECT count(*) FROM messages WHERE sender = 'resident' AND turn_id IS NULL",
    "turns without an answer": """SELECT count(*) FROM turns WHERE id NOT IN
        (SELECT turn_id FROM messages WHERE sender = 'bot')""",
    "answers not delivered": "SELECT count(*) FROM deliveries WHERE sent_at IS NULL",
    "answers delivered twice": """SELECT count(*) FROM (SELECT 1 FROM attempts WHERE arrived
        GROUP BY delivery_id HAVING count(*) > 1)""",
    "messages out of order": """SELECT count(*) FROM messages a JOIN messages b ON a.conversation_id = b.conversation_id
        AND a.sender = 'resident' AND b.sender = 'resident' AND a.id < b.id WHERE a.turn_id > b.turn_id""",
    "residents who are not in the queue": """SELECT count(*) FROM conversations WHERE id NOT IN
        (SELECT conversation_id FROM cases)""",
}


def _post(driver: Driver, url: str, seconds: float, messages: int = 0) -> dict[str, Any]:
    return driver.do("post", url=url, connections=CONNECTIONS, seconds=seconds, residents=RESIDENTS, messages=messages)


def _figures(posted: dict[str, Any]) -> dict[str, float]:
    latencies = posted["latencies"]
    return {
        "per_s": len(latencies) / posted["seconds"],
        **{f"p{percent}_ms": percentile(latencies, percent) * 1000 for percent in (50, 95, 99)},
        "refused": posted["refused"],
    }


def _until_worked_off(product: Product) -> None:
    began = time.monotonic()
    while True:
        ages = json.loads(processes.get(f"{product.url}/readyz") or "{}")
        if ages and not ages["oldest_message_s"] and not ages["oldest_reply_s"]:
            return
        if time.monotonic() - began > WORKED_OFF_WITHIN_S:
            raise RuntimeError("the product did not work off what it has acknowledged")
        time.sleep(0.1)


@contextlib.contextmanager
def _bare(folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "bench.bare", str(port), str(folder / "bare.db")]
    with processes.running(command, folder / "bare.log") as process:
        processes.until(process, lambda: processes.listens(port))
        yield f"http://127.0.0.1:{port}"

"""Processes of the town that die over an import, by SIGKILL, at the worst moment: all is written, nothing committed.

`python -m tests.faults.dying_import DATABASE FOLDER` reads a line for each: the time, whose import, and `read` with the
file, or `apply` or `undo` with the number, parted by tabs; it answers with the signal that the process died of.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from handoff.kb_bring_work import Work
from handoff.office import Office
from knowledge_base import bring, bulk
from storage.bells import Bells
from storage.database import Database
from storage.settings import Settings
from tests.stand_ins.clock import SetClock


def main(url: str, folder: str) -> None:
    """One process for each line. Each is a copy of this one, which has read the modules once."""
    for line in sys.stdin:
        if process := os.fork():
            print(os.WTERMSIG(os.waitpid(process, 0)[1]), flush=True)  # noqa: T201
        else:
            asyncio.run(begin(url, folder, *line.rstrip("\n").split("\t")))


async def begin(url: str, folder: str, now: str, staff: str, doing: str, what: str) -> None:
    """Begins the work, and dies of it."""
    settings = Settings(database_url=url, var_dir=Path(folder))
    work = Work(Office(settings, Database(settings.database), Bells(), SetClock(datetime.fromisoformat(now))))
    bring.plan, bulk.write = dying(bring.plan), dying(bulk.write)
    if doing == "read":
        await work.read(int(staff), "表.xlsx", Path(what).read_bytes())
    elif doing == "apply":
        await work.apply(int(what), int(staff), "published", retire=False)
    else:
        await work.undo(int(what), int(staff))


def dying(work: Callable[..., Any]) -> Callable[..., Any]:
    """Does it, and never comes back."""

    def done(*given: Any) -> None:
        work(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    return done


if __name__ == "__main__":
    main(*sys.argv[1:])

"""`make transcripts`: plays the cast, writes tests/transcripts/ anew, and prints the figures of docs/conversation.md.

Names of residents play only these; `--check` writes nothing.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from bot.understanding import Understander
from storage import logs
from tests.simulation.cast import Resident, cast
from tests.simulation.must import missed
from tests.simulation.rules import RULES, broken
from tests.simulation.run import play_all
from tests.simulation.transcript import FOLDER, Transcript


def main(arguments: list[str]) -> int:
    """1 where a rule is broken; the transcripts are written all the same, to be looked at."""
    names = {name for name in arguments if not name.startswith("-")}
    everybody = cast()
    chosen = [resident for resident in everybody if not names or resident.name in names]
    logs.set_up()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        talks = asyncio.run(play_all(Path(folder), Understander.load(), chosen))
    if "--check" not in arguments:
        _write(talks, everything=not names)
    faults = _faults(chosen, talks)
    print("\n".join(faults), file=sys.stderr)
    print(
        f"{len(chosen)} residents, {len(talks)} talks, {sum(len(talk.turns) for talk in talks)} turns, "
        f"{len(RULES)} rules, {len(faults)} faults, {time.monotonic() - began:.0f} s"
    )
    return 1 if faults else 0


def _write(talks: list[Transcript], everything: bool) -> None:
    FOLDER.mkdir(exist_ok=True)
    for talk in talks:
        (FOLDER / talk.file).write_text(talk.text, encoding="utf-8")
    for left in FOLDER.glob("*.txt") if everything else ():
        if left.name not in {talk.file for talk in talks}:
            os.unlink(left)


def _faults(residents: list[Resident], talks: list[Transcript]) -> list[str]:
    by_name = {resident.name: resident for resident in residents}
    return [
        f"{talk.name}.{talk.channel}: {fault}"
        for talk in talks
        for fault in [*broken(talk), *missed(by_name[talk.name], talk)]
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

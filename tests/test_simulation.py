"""Every resident of tests/residents/ is met well, on every channel, and is told what the committed transcript says."""

import difflib
from pathlib import Path

import pytest

from bot.understanding import Understander
from tests.simulation.cast import Resident, cast
from tests.simulation.must import missed
from tests.simulation.rules import broken
from tests.simulation.run import play_all
from tests.simulation.transcript import FOLDER, Transcript

#: The whole of what the issue names, by the names of their files.
NAMED = {
    "hanako", "yoshio", "miho",  # the three family cases of the policy
    "okoru", "damaru", "warau", "rin", "sakamoto", "linh", "shinitai", "tobasu", "sanjuu",
}  # fmt: skip


def test_the_cast_is_whole() -> None:
    residents = cast()
    assert len(residents) >= 40
    assert {resident.name for resident in residents} >= NAMED
    assert len({resident.who for resident in residents}) == len(residents), "each is a person of their own"


def test_no_transcript_is_left_of_who_is_gone() -> None:
    played = {f"{resident.name}.{channel}.txt" for one in cast() for resident, channel in one.plays}
    assert {path.name for path in FOLDER.glob("*.txt")} == played


@pytest.mark.timeout(900)
async def test_every_resident_is_met_well(tmp_path: Path, reader: Understander) -> None:
    residents = {resident.name: resident for resident in cast()}
    talks = await play_all(tmp_path, reader, residents.values())
    faults = "\n".join(fault for talk in talks for fault in _faults(residents[talk.name], talk))
    changes = "\n".join(change for talk in talks if (change := _change(talk)))
    assert not faults, f"\n{faults}"
    assert not changes, f"What is said has changed. If it is better so: make transcripts\n{changes}"


def _faults(resident: Resident, talk: Transcript) -> list[str]:
    return [f"{talk.file}: {fault}" for fault in [*broken(talk), *missed(resident, talk)]]


def _change(talk: Transcript) -> str:
    """How the talk differs from the committed one; "" where it does not."""
    path = FOLDER / talk.file
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(kept.splitlines(), talk.text.splitlines(), f"kept/{path.name}", "now", lineterm="")
    return "\n".join(lines)

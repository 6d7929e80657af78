"""The residents of tests/residents/ are met well; and their transcripts hold nothing that is not said any more.

The suite plays the dozen that the product was promised for; `make simulate` plays everybody.
"""

import difflib
from collections import defaultdict
from pathlib import Path

import pytest

from bot.understanding import Understander
from tests.simulation.cast import Resident, cast
from tests.simulation.must import missed
from tests.simulation.rules import broken
from tests.simulation.run import play_all
from tests.simulation.transcript import FOLDER, Transcript
from tests.simulation.wording import every_sentence, unsaid

#: The whole of what the issue names, by the names of their files.
NAMED = {
    "hanako", "yoshio", "miho",  # the three family cases of the policy
    "okoru", "damaru", "warau", "rin", "sakamoto", "linh", "shinitai", "tobasu", "sanjuu",
}  # fmt: skip
#: Those of them who play in every run of the suite; `make simulate` plays everybody.
PLAYED = {"hanako", "okoru", "rin", "linh", "shinitai", "tobasu"}


def test_the_cast_is_whole() -> None:
    residents = cast()
    assert len(residents) >= 40
    assert {resident.name for resident in residents} >= NAMED
    assert len({resident.who for resident in residents}) == len(residents), "each is a person of their own"


def test_no_transcript_is_left_of_who_is_gone() -> None:
    played = {f"{resident.name}.{channel}.txt" for one in cast() for resident, channel in one.plays}
    assert {path.name for path in FOLDER.glob("*.txt")} == played


def test_the_transcripts_hold_what_is_said_now() -> None:
    gone: dict[str, list[str]] = defaultdict(list)
    for path in sorted(FOLDER.glob("*.txt")):
        for sentence in unsaid(path.read_text(encoding="utf-8")):
            gone[sentence].append(path.name)
    changes = "\n".join(_change(sentence, files) for sentence, files in gone.items())
    assert not gone, f"These words were changed. If they are better so, `make transcripts` writes them anew.\n{changes}"


def test_a_changed_word_is_found() -> None:
    kept = (FOLDER / "hanako.web.txt").read_text(encoding="utf-8")
    assert not list(unsaid(kept))
    assert list(unsaid(kept.replace("よく来てくださいました", "よくいらっしゃいました"))) == [
        "よくいらっしゃいました。"
    ]


@pytest.mark.timeout(900)
async def test_half_a_dozen_residents_are_met_well(tmp_path: Path, reader: Understander) -> None:
    residents = {resident.name: resident for resident in cast() if resident.name in PLAYED}
    talks = await play_all(tmp_path, reader, residents.values())
    faults = "\n".join(fault for talk in talks for fault in _faults(residents[talk.name], talk))
    assert not faults, f"\n{faults}"
    assert not [sentence for talk in talks for sentence in unsaid(talk.text)], "the machine says what no file holds"


def _faults(resident: Resident, talk: Transcript) -> list[str]:
    return [f"{talk.file}: {fault}" for fault in [*broken(talk), *missed(resident, talk)]]


def _change(sentence: str, files: list[str]) -> str:
    """The sentence that is gone, what is most like it now, and who was told it."""
    [nearest] = difflib.get_close_matches(sentence, every_sentence(), 1, 0.0)
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return f"- {sentence}\n+ {nearest}\n  in {', '.join(files[:3])}{more}"

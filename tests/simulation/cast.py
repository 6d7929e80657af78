"""The cast: who the residents are, what they write, and what must have come of it. Read from tests/residents/."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from storage.clock import JAPAN

FOLDER = Path(__file__).resolve().parent.parent / "residents"
CHANNELS = ("web", "line")
#: What a resident can do in one step of the script; the README of the format is docs/conversation.md.
STEPS = ("says", "skips", "tap", "answer", "summary", "send", "unsend", "wait", "counselor", "leaves", "comes")
ONLY_ON_LINE = ("send", "unsend")
MUSTS = (
    "fields", "any_field", "no_fields", "members", "names", "level", "at_most", "kinds", "speaker", "share",
    "waits_for", "cases", "linked", "said", "tells", "hides", "wishes", "since", "area", "delete_wanted",
    "questions_at_most",
)  # fmt: skip
#: A Tuesday at ten, when the desk is open.
BEGINS = datetime(2026, 11, 24, 10, 0, tzinfo=JAPAN)

Step = dict[str, Any]


@dataclass(frozen=True)
class Resident:
    """One of the cast. `answers`: what they say to a question, by its topic; to any other they skip."""

    name: str
    called: str
    who: str
    script: tuple[Step, ...]
    channels: tuple[str, ...] = CHANNELS
    answers: dict[str, str] = field(default_factory=dict)
    must: dict[str, Any] = field(default_factory=dict)
    begins: datetime = BEGINS

    @property
    def plays(self) -> Iterator[tuple["Resident", str]]:
        """Once on each of their channels."""
        return ((self, channel) for channel in self.channels)


def cast(folder: Path = FOLDER) -> list[Resident]:
    """Everybody, by the name of their file. Raises ValueError where a script says what nobody can do."""
    return [read(path) for path in sorted(folder.glob("*.yml"))]


def read(path: Path) -> Resident:
    """One resident."""
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    steps = tuple(_step(one) for one in given.pop("script"))
    begins = given.pop("begins", None)
    more = {"begins": begins.replace(tzinfo=JAPAN)} if begins else {}
    channels = tuple(given.pop("channels", CHANNELS))
    resident = Resident(name=path.stem, script=steps, channels=channels, **given, **more)
    for wrong in _wrong(resident):
        raise ValueError(f"{path.name}: {wrong}")
    return resident


def _step(given: Any) -> Step:
    """A text or several in a row are what is said; all else says by its key what it is."""
    return {"says": given} if isinstance(given, (str, list)) else dict(given)


def _wrong(resident: Resident) -> Iterator[str]:
    for step in resident.script:
        kinds = [kind for kind in STEPS if kind in step]
        if len(kinds) != 1 or set(step) - {*kinds, "tells"}:
            yield f"no such step: {step}"
        elif kinds[0] in ONLY_ON_LINE and "web" in resident.channels:
            yield f"the web page has no {kinds[0]}"
    if unknown := set(resident.must) - set(MUSTS):
        yield f"no such must: {unknown}"
    if not set(resident.channels) <= set(CHANNELS):
        yield f"no such channel: {resident.channels}"

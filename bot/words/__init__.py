"""What the service itself says to residents: read from one file a language, never written in code."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Reception:
    """What is said when Rasa is silent; lists hold wordings of the same thing."""

    thanks: list[str]
    took_up: list[str]
    person: str
    invite: str
    danger: list[str]
    attachment: str


@dataclass(frozen=True)
class Words:
    """The words of one language. `[[echo]]` stands for the resident's own words."""

    notice: list[str]
    opening: str
    reception: Reception
    hotlines: dict[str, str]
    summary: dict[str, str]
    next_steps: dict[str, str]
    unsent: str
    door: dict[str, str]

    def notice_of(self, town: str) -> list[str]:
        """The notice of use (個人情報保護法 62条), with the town's name."""
        return [text.format(town=town) for text in self.notice]


@cache
def words(language: str = "ja") -> Words:
    """The words of a language; Japanese where there are none yet."""
    # Japanese also for single blocks that a language does not have yet.
    read = {**_file("ja"), **_file(language)}
    return Words(**{**read, "reception": Reception(**read["reception"])})


def _file(language: str) -> dict[str, Any]:
    path = FOLDER / f"{language}.yml"
    if not language.isalnum() or not path.exists():
        return {}
    read: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return read

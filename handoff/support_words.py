"""The words of support, from two files: what staff choose from (support.yml), what residents get (check_ins.yml)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


@dataclass(frozen=True)
class SupportWords:
    """What staff choose from, by its id; of each ground and kind of meeting also what it means."""

    agency_kinds: list[str]
    grounds: dict[str, dict[str, str]]
    audiences: dict[str, str]
    meetings: dict[str, dict[str, str]]
    outcomes: dict[str, str]
    letter: dict[str, str]


@dataclass(frozen=True)
class CheckInWords:
    """Check-in messages in one language: texts to begin from, how to stop them, and what is said then."""

    texts: list[str]
    hint: str
    stops: list[str]
    alone: list[str]
    stopped: str


@cache
def support_words() -> SupportWords:
    """The words of support, as the file has them."""
    return SupportWords(**_read("support.yml"))


@cache
def check_in_words(language: str) -> CheckInWords:
    """Those of a language; Japanese where there are none."""
    known = _read("check_ins.yml")["languages"]
    return CheckInWords(**known.get(language, known["ja"]))


@cache
def beside_stop() -> tuple[int, list[str]]:
    """What may stand beside the words that stop the messages: so many letters before, and polite endings after."""
    read = _read("check_ins.yml")
    return int(read["room"]), list(read["endings"])


def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    return read

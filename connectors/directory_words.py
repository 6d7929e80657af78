"""The two ways in which the public pages speak: plain Japanese, and やさしい日本語 (connectors/directory_easy.yml).

As with the staff's English (handoff/tongue.py) a sentence is its own key; what the catalogue lacks is shown plainly.
"""

from functools import cache
from pathlib import Path

import yaml

EASY = Path(__file__).with_name("directory_easy.yml")


def plainly(sentence: str, **values: object) -> str:
    """The sentence with its {names} filled in."""
    return sentence.format(**values) if values else sentence


def easily(sentence: str, **values: object) -> str:
    """The sentence in やさしい日本語."""
    return plainly(catalogue().get(sentence, sentence), **values)


@cache
def catalogue() -> dict[str, str]:
    """All that is known in やさしい日本語, by its Japanese."""
    read: dict[str, str] = yaml.safe_load(EASY.read_text(encoding="utf-8"))
    return read

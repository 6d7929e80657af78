"""The language of the staff's pages: Japanese as it stands in templates and code, English by setting.

A sentence is its own key, as with gettext: `_("担当する")`. The catalogues (handoff/english/*.yml) map it to English.
What no catalogue knows is shown in Japanese, never left out; a test lists what is missing.
"""

from functools import cache
from pathlib import Path

import yaml

ENGLISH = Path(__file__).parent / "english"
_chosen = "ja"


def speak(language: str) -> None:
    """Sets the language of this process's staff pages: ja or en."""
    global _chosen  # one town, one language: every page asks for it
    _chosen = language


def language() -> str:
    """The language of the staff's pages, as `lang` names it."""
    return _chosen


def say(japanese: str, **values: object) -> str:
    """The sentence in the language of the staff's pages, with its {names} filled in."""
    sentence = english().get(japanese, japanese) if _chosen == "en" else japanese
    return sentence.format(**values) if values else sentence


@cache
def english() -> dict[str, str]:
    """All that is known in English, by its Japanese."""
    known: dict[str, str] = {}
    for path in sorted(ENGLISH.glob("*.yml")):
        known.update(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    return known

"""What the service itself says to residents: read from one file a language, never written in code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.hotlines import EMERGENCY, as_line
from knowledge_base.vocabulary import Hotline

FOLDER = Path(__file__).parent
JAPANESE = "ja"


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
class Talk:
    """What leads a talk without Rasa (bot/other_languages.py); lists hold wordings of the same thing.

    `buttons` are sent as they are shown; `hears` holds what else means the same when somebody writes it. `services`:
    what some services are called in this language; `fields`: a trouble as the reason for what is named at the end.
    """

    careful: list[str]
    danger: dict[str, list[str]]
    stay: str
    questions: dict[str, str]
    buttons: dict[str, str]
    hears: dict[str, list[str]]
    skipped: list[str]
    tired: str
    person: list[str]
    share_yes: str
    share_no: str
    share_later: str
    cannot_answer: list[str]
    added: list[str]
    enough: str
    desk: dict[str, Any]
    services: dict[str, list[str]]
    fields: dict[str, str]


@dataclass(frozen=True)
class Words:
    """The words of one language. `[[echo]]` stands for the resident's own words.

    `talk` and `lines` (how a helpline is told) are None in Japanese: there Rasa leads, and the knowledge base speaks.
    """

    notice: list[str]
    opening: str
    chosen: str
    reception: Reception
    hotlines: dict[str, str]
    summary: dict[str, str]
    next_steps: dict[str, str]
    desks: dict[str, Any]
    offers: dict[str, str]
    times: dict[str, Any]
    unsent: str
    door: dict[str, str]
    lines: dict[str, Any] | None = None
    talk: Talk | None = None

    def notice_of(self, town: str) -> list[str]:
        """The notice of use (個人情報保護法 62条), with the town's name."""
        return [text.format(town=town) for text in self.notice]

    def opening_time(self, opens: datetime, now: datetime) -> str:
        """When the desk opens next, as it is said; both are the resident's local time."""
        times, clock = self.times, self.clock(opens)
        if opens.date() == now.date():
            return str(times["today"].format(clock=clock))
        month = times["months"][opens.month - 1] if "months" in times else opens.month
        weekday = times["weekdays"][opens.weekday()]
        return str(times["later"].format(clock=clock, month=month, day=opens.day, weekday=weekday))

    def clock(self, at: datetime) -> str:
        """A time of day, as it is said."""
        whole = self.times["clock"] if at.minute else self.times["full_hour"]
        return str(whole.format(hour=at.hour, minute=at.minute))

    def hotlines_of(self, chosen: Sequence[Hotline], language: str) -> list[str]:
        """The helplines, a line each; where one of them is an emergency call, also what to say there."""
        if self.lines is None:
            return [as_line(line) for line in chosen]
        emergency = any(line.id in EMERGENCY.values() for line in chosen)
        return [*(self._hotline(line, language) for line in chosen), *([self.lines["say"]] if emergency else [])]

    def _hotline(self, line: Hotline, language: str) -> str:
        """Name, number, and what is known of it. What has no translation yet is left out."""
        assert self.lines
        phrases = self.lines["phrases"]
        facts = [phrases.get(line.hours, "")] if line.hours_checked else []
        facts.append(self.lines["free"] if line.free else "")
        if language in line.languages:
            facts.append(phrases.get(line.note, ""))
        elif line.id not in EMERGENCY.values():
            facts.append(self.lines["in_japanese"])
        name = self.lines["names"].get(line.id, line.name)
        return str(self.lines["between"].join(filter(None, [name, line.number, " · ".join(filter(None, facts))])))


@cache
def words(language: str = JAPANESE) -> Words:
    """The words of a language; Japanese where there are none."""
    read = _read(f"{language if language in languages() else JAPANESE}.yml")
    talk = Talk(**read["talk"]) if "talk" in read else None
    return Words(**{**read, "reception": Reception(**read["reception"]), "talk": talk})


@cache
def languages() -> dict[str, dict[str, Any]]:
    """Every language of the talk by its code, with its names and what it is recognised by (languages.yml)."""
    return _read("languages.yml")


def known(tag: str) -> str:
    """The language that a browser's tag (pt-BR, zh-Hant, fil) means; Japanese when it is none of ours."""
    code = {"fil": "tl"}.get(tag.split("-")[0].lower(), tag.split("-")[0].lower())
    return next((name for name in (tag, code) if name in languages()), JAPANESE)


def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return read

"""A transcript: what happened in one talk, turn by turn, and its text for people to read and to compare."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from handoff.words import words
from storage.clock import JAPAN

FOLDER = Path(__file__).resolve().parent.parent / "transcripts"
CHANNELS = {"web": "ウェブ", "line": "LINE"}
WEEKDAYS = "月火水木金土日"
BOT = "うけとめ"
COUNSELOR = "相談員"
CONSENT = {None: "まだ聞いていない", True: "伝えてよい", False: "伝えない"}
#: As wide as a review shows without scrolling, in full-width characters.
WIDTH = 44
#: Of a very long text only the beginning is shown.
LONGEST_TEXT = 400


@dataclass(frozen=True)
class Said:
    """One message that the resident sees. `by`: bot or counselor."""

    by: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """One thing that was done, and everything that was said to it.

    `by`: resident, counselor or time. `did`: what was written, or in 〈〉 what happened. `asks`: the topic that the
    answer asks. `level`: the danger of the open case after it. `tells`: topics that the words answer by themselves, as
    who wrote the script sees it. `answers`: the topic of the question that they answer. `skips`: one was left out.
    `held`: a person had the talk when it happened. `stage`: where the talk stands after it. `case`: how many there are.
    """

    at: datetime
    by: str
    did: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    asks: str | None = None
    level: str = "none"
    tells: tuple[str, ...] = ()
    answers: str | None = None
    skips: bool = False
    held: bool = False
    stage: str = "opening"
    case: int = 0

    @property
    def bot(self) -> tuple[str, ...]:
        """What the machine said."""
        return tuple(one.text for one in self.said if one.by == "bot")


@dataclass(frozen=True)
class Transcript:
    """One talk of one resident on one channel. `cases`: as the interface for staff systems gives them, oldest first,
    each with `why`: what put it among the waiting."""

    name: str
    called: str
    who: str
    channel: str
    turns: tuple[Turn, ...]
    cases: tuple[dict[str, Any], ...] = field(default_factory=tuple)

    @property
    def file(self) -> str:
        """The name of the file that keeps it."""
        return f"{self.name}.{self.channel}.txt"

    @property
    def text(self) -> str:
        """The whole of it, for people."""
        return "\n".join(_lines(self)) + "\n"


def _lines(transcript: Transcript) -> Iterator[str]:
    yield f"{transcript.who}（{CHANNELS[transcript.channel]}）"
    day = None
    for turn in transcript.turns:
        here = turn.at.astimezone(JAPAN)
        if here.date() != day:
            day = here.date()
            yield f"\n―― {day.year}年{day.month}月{day.day}日（{WEEKDAYS[day.weekday()]}）"
        yield ""
        yield from _turn(turn, transcript.called, f"{here:%H:%M}")
    for number, case in enumerate(transcript.cases, start=1):
        yield f"\n════ {COUNSELOR}に見えること" + (f"（{number}件目）" if len(transcript.cases) > 1 else "")
        yield from _case(case)


def _turn(turn: Turn, called: str, time: str) -> Iterator[str]:
    speaker = {"resident": called, "counselor": COUNSELOR, "time": ""}[turn.by]
    for text in turn.did:
        yield from _spoken(f"{time}  {speaker}".rstrip(), text)
    for one in turn.said:
        yield from _spoken(f"       {BOT if one.by == 'bot' else COUNSELOR}", one.text)
        if one.choices:
            yield "           " + " ".join(f"［{choice}］" for choice in one.choices)


def _spoken(speaker: str, text: str) -> Iterator[str]:
    if text.startswith("〈"):
        yield f"{speaker}  {text}"
        return
    yield speaker
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}…\n（全部で{len(text):,}文字）"
    for line in text.split("\n"):
        yield from _wrapped(line, WIDTH, " " * 11, " " * 11) or [""]


def _case(case: dict[str, Any]) -> Iterator[str]:
    status = words().statuses[case["status"]]
    why = words().events.get(case["why"] or "", "")
    yield f"【状態】{status}" + (f"（{why}）" if why else "") + ("　※前の相談のつづき" if case["previous_id"] else "")
    for line in case["summary"].split("\n"):
        yield from _wrapped(line, WIDTH + 11, "", "  ")
    yield f"【ほかの窓口に】{CONSENT[case['consent']['share']]}"
    if case["delete_wanted"]:
        yield "【削除のご希望】あり"


def _wrapped(line: str, width: int, first: str, later: str) -> list[str]:
    """Cut where the width ends, as Japanese is; a mark that ends a sentence never begins a line."""
    cut: list[str] = []
    while line:
        indent = later if cut else first
        end = width - len(indent)
        while end < len(line) and line[end] in "。、」）・…":
            end += 1
        if _narrow(line[end - 1 : end + 1]) and line[end : end + 1].isalnum():  # within a word of English or Vietnamese
            end = line.rfind(" ", 0, end) + 1 or end
        cut.append((indent + line[:end]).rstrip())
        line = line[end:]
    return cut


def _narrow(letters: str) -> bool:
    return all(unicodedata.east_asian_width(letter) not in "WFA" for letter in letters)

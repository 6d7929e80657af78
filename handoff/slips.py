"""What was entered wrongly: a sentence for each input, so that a page can show them beside what was typed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TypeVar

from fastapi import Request
from sqlalchemy.orm import Session

from handoff.access import SignedIn
from handoff.case import Ended, HeldByAnother
from handoff.office import Form, Office
from handoff.tongue import say
from storage.clock import JAPAN
from storage.texts import clean, says_something

T = TypeVar("T")

CHANGED_MEANWHILE = (
    "ほかの人が先に書きかえました。いまの内容を確かめて、もう一度送ってください。書いたものは残っています。"
)


class Slip(Exception):
    """A form cannot be used: `problems` by the name of the input ("" is the form as a whole), each a sentence."""

    def __init__(self, problems: Mapping[str, str], status: int = 422) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems, self.status = dict(problems), status


@dataclass(frozen=True)
class Sent:
    """A form as it stands on the page: which one, what was typed, and what is wrong with it."""

    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def of(self, form: str) -> "Sent":
        """What was sent by this form; nothing when it was another."""
        return self if self.form == form else Sent()

    def get(self, name: str, otherwise: object = "") -> str:
        """What was typed into an input, or what stands there before anybody typed."""
        return str(self.typed.get(name, otherwise if otherwise is not None else ""))


class Entered:
    """What was entered in a form, read input by input; what is wrong is gathered, so that all of it is said at once."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.problems: dict[str, str] = {}

    def text(self, name: str, most: int, *, needed: str = "") -> str:
        """A text up to so many letters; `needed` is the sentence when there is none."""
        text = clean(self._form.get(name, ""))
        if len(text) > most:
            self.problems[name] = say(
                "{most}文字までで書いてください（いまは{now}文字です）。", most=most, now=len(text)
            )
        elif needed and not says_something(text):
            self.problems[name] = needed
        return text

    def one_of(self, name: str, known: Mapping[str, object] | list[str], needed: str) -> str:
        """One of what could be chosen."""
        chosen = self._form.get(name, "")
        if chosen not in known:
            self.problems[name] = needed
        return chosen

    def number(self, name: str, least: int, most: int, sentence: str) -> int:
        """A whole number within bounds."""
        written = self._form.get(name, "").strip()
        if written.isdecimal() and least <= int(written[:9]) <= most:
            return int(written)
        self.problems[name] = sentence
        return least

    def day(self, name: str) -> date | None:
        """A day as browsers write it: 2026-11-27. None when there is none or it is wrong."""
        try:
            found = date.fromisoformat(self._form.get(name, "").strip())
        except ValueError:
            self.problems[name] = say("日付を選んでください。")
            return None
        if not 2000 <= found.year <= 2100:
            self.problems[name] = say("日付を確かめてください。")
            return None
        return found

    def moment(self, day: str, clock: str) -> datetime | None:
        """A day and a time of Japan's clock, as one moment."""
        on = self.day(day)
        try:
            at = time.fromisoformat(self._form.get(clock, "").strip())
        except ValueError:
            self.problems[clock] = say("時刻を選んでください。")
            return None
        return datetime.combine(on, at.replace(tzinfo=None), JAPAN) if on else None

    def done(self) -> None:
        """Raises Slip when something is wrong."""
        if self.problems:
            raise Slip(self.problems)


def same_version(form: Mapping[str, str], stands: int) -> None:
    """Raises Slip 409 when the form was opened before somebody else changed what it is about."""
    if form.get("version") != str(stands):
        raise Slip({"": say(CHANGED_MEANWHILE)}, 409)


async def send(
    office: Office, request: Request, form_name: str, work: Callable[[Session, SignedIn, Form, datetime], T]
) -> tuple[T | None, Sent, int]:
    """Does what a form says: what came of it, or the form as it was sent and the status of the page that shows it."""
    typed: dict[str, str] = {}

    def noted(session: Session, who: SignedIn, form: Form, now: datetime) -> T:
        typed.update(form)
        return work(session, who, form, now)

    try:
        return await office.change(request, noted), Sent(), 200
    except Slip as slip:
        return None, Sent(form_name, typed, slip.problems), slip.status
    except (HeldByAnother, Ended) as conflict:
        return None, Sent(form_name, typed, {"": str(conflict)}), 409


def number_in(form: Form, name: str) -> int:
    """A number that a form brings back; -1 for what is none."""
    number = form.get(name, "")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else -1

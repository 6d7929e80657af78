"""A case's official form as it stands: what is taken from the case, and over it what was changed by hand.

Only what differs from the case is kept. A page says what it showed by digests: a text that comes back as it was shown
was not changed by hand, also where the case itself has changed meanwhile.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import facts
from handoff.body import Inputs
from handoff.facts import Facts
from handoff.formbook import Book, FormPlan, Item, Tick
from handoff.tongue import say
from storage.models import Case, Message, Staff
from storage.support import FormSheet
from storage.texts import clean

LONGEST_SHORT, LONGEST_LONG = 200, 5_000
NONE = "none"


class Stale(Exception):
    """Somebody else changed it since the page was opened; the message is a sentence."""


@dataclass
class Entry:
    """One item: what the case gives, and what stands there now. For what is ticked, the ids; `most`: that with ◎."""

    item: Item
    derived: str = ""
    value: str = ""
    ticks: tuple[Tick, ...] = ()
    derived_on: set[str] = field(default_factory=set)
    on: set[str] = field(default_factory=set)
    derived_most: str = ""
    most: str = ""
    problem: str = ""
    #: What somebody else has saved meanwhile, where it differs from what is being typed.
    theirs: str | None = None

    @property
    def by_hand(self) -> bool:
        """Whether anything here differs from the case."""
        return (self.value, self.on, self.most) != (self.derived, self.derived_on, self.derived_most)

    @property
    def shown(self) -> str:
        """What stands there, told in one line."""
        if self.item.kind == "marks":
            names = {tick.id: tick.ja for tick in self.ticks}
            return "、".join(f"{'◎' if id_ == self.most else '○'}{names[id_]}" for id_ in names if id_ in self.on)
        if self.ticks:
            return "、".join(tick.ja for tick in self.ticks if tick.id in self.on)
        return self.value

    @property
    def digest(self) -> str:
        """Of what the case gives."""
        return digest(self.derived)

    @property
    def given(self) -> str:
        """Of what is ticked: what the case gives, as the page brings it back."""
        return " ".join(sorted(self.derived_on))


@dataclass
class Sheet:
    """A form of a case. `version` 0: nobody has changed anything by hand yet."""

    plan: FormPlan
    entries: dict[str, Entry]
    version: int
    changed_at: datetime | None = None
    changed_by: str = ""
    #: Words were taken back by the resident after somebody wrote here.
    lost_words: bool = False


def sheet(session: Session, book: Book, plan: FormPlan, found: Facts) -> Sheet:
    """The form as it stands."""
    row = _row(session, found.case, plan.id)
    entries = {item.id: entry(book, item, found, row.values if row else {}) for item in plan.items}
    if row is None:
        return Sheet(plan, entries, 0)
    staff = session.get(Staff, row.changed_by)
    by = staff.called if staff else ""
    return Sheet(plan, entries, row.version, row.changed_at, by, bool(row.values) and _lost_words(session, row))


def entry(book: Book, item: Item, found: Facts, values: Mapping[str, Any]) -> Entry:
    """One item, with what was changed by hand over what the case gives."""
    ticks = book.ticks.get(item.ticks, ())
    if not ticks:
        derived = _plain(item, facts.derived(found, item.source, item.quotes))
        kept = values.get(item.id)
        return Entry(item, derived, kept if isinstance(kept, str) else derived)
    derived_on = facts.ticked(found.seen, ticks) if item.kind != "choice" else set()
    most = facts.most_troubling(found.seen, ticks) if item.kind == "marks" else ""
    kept = values.get(item.id)
    changed = kept if isinstance(kept, dict) else {}
    on = {tick.id for tick in ticks if changed.get(tick.id, tick.id in derived_on)}
    chosen = changed.get("◎", most)
    chosen = chosen if chosen in on else ""
    return Entry(item, ticks=ticks, derived_on=derived_on, on=on, derived_most=most, most=chosen)


def read(shown: Sheet, form: Inputs) -> bool:
    """Puts what a form says in the place of what stands on the sheet; False where something is too long."""
    for one in shown.entries.values():
        if one.item.written and one.item.id in form:
            _read_text(one, form)
        elif one.ticks and f"at-{one.item.id}" in form:
            _read_ticks(one, form)
    return not any(one.problem for one in shown.entries.values())


def restore(shown: Sheet, name: str) -> None:
    """One item as the case gives it."""
    if one := shown.entries.get(name):
        one.value, one.on, one.most, one.problem = one.derived, set(one.derived_on), one.derived_most, ""


def save(session: Session, case: Case, shown: Sheet, version: int, staff: Staff, now: datetime) -> bool:
    """Keeps what differs from the case; False where nothing changed. Raises Stale."""
    # The case's row is held, so that of two who save at once one is told.
    row = _row(session, case, shown.plan.id)
    if (row.version if row else 0) != version:
        raise Stale
    values = {one.item.id: _kept(one) for one in shown.entries.values() if one.by_hand}
    if (row.values if row else {}) == values:
        return False
    if row is None:
        row = FormSheet(case_id=case.id, form=shown.plan.id, values={}, version=0, changed_at=now, changed_by=staff.id)
        session.add(row)
    row.values, row.changed_at, row.changed_by, row.version = values, now, staff.id, row.version + 1
    session.flush()
    return True


def digest(text: str) -> str:
    """Short, and says nothing of the text: what a page brings back of what it showed."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _read_text(one: Entry, form: Inputs) -> None:
    given = _plain(one.item, form[one.item.id])
    untouched = digest(given) == form.get(f"was-{one.item.id}")
    one.value = one.derived if untouched else given
    most = LONGEST_SHORT if one.item.kind == "short" else LONGEST_LONG
    if not untouched and len(given) > most:
        one.problem = say(
            "{most}文字までで書いてください。いまは{long}文字です。", most=f"{most:,}", long=f"{len(given):,}"
        )


def _read_ticks(one: Entry, form: Inputs) -> None:
    chosen, was = set(form.all(one.item.id)), set(form.get(f"at-{one.item.id}", "").split())
    # As with texts: what came back as it was shown follows the case.
    one.on = {
        tick.id for tick in one.ticks
        if (tick.id in one.derived_on if (tick.id in chosen) == (tick.id in was) else tick.id in chosen)
    }  # fmt: skip
    if one.item.kind == "marks":
        most = form.get("most", NONE)
        one.most = one.derived_most if most == form.get("was-most") else most
        # Who takes the ○ away and leaves the ◎ where it was wants neither; who moves the ◎ wants both.
        if one.most not in {tick.id for tick in one.ticks} or (most == form.get("now-most") and most not in chosen):
            one.most = ""
        if one.most:
            one.on.add(one.most)


def _plain(item: Item, text: str) -> str:
    """As an input gives it back: one line where there is one, no space around it."""
    plain = clean(text)
    return " ".join(plain.split("\n")) if item.kind == "short" else plain


def _kept(one: Entry) -> Any:
    if not one.ticks:
        return one.value
    kept: dict[str, Any] = {
        tick.id: tick.id in one.on for tick in one.ticks if (tick.id in one.on) != (tick.id in one.derived_on)
    }
    return {**kept, "◎": one.most} if one.most != one.derived_most else kept


def _row(session: Session, case: Case, form: str) -> FormSheet | None:
    wanted = select(FormSheet).where(FormSheet.case_id == case.id, FormSheet.form == form)
    return session.scalars(wanted).one_or_none()


def _lost_words(session: Session, row: FormSheet) -> bool:
    wanted = select(Message.id).where(Message.case_id == row.case_id, Message.unsent_at > row.changed_at).limit(1)
    return session.scalars(wanted).first() is not None

"""What a counselor's form does to a case: reads it, checks it, lays it over what the machine found, and keeps both.

Every verb wants the case read with `access.case_of(…, to_change=True)`: the row is held until the commit, so that of
two who correct the same at once the second finds another `version` than the one they saw.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import case as cases
from handoff import corrections, kb_desks, summary
from handoff.case import LEVELS, RESIDENT
from handoff.desk import Wrong
from handoff.tongue import say
from handoff.words import words
from knowledge_base.vocabulary import vocabulary
from storage.models import Case, Message, Staff, new_id
from storage.support import Client, Correction
from storage.texts import clean

Form = Mapping[str, str]
SEXES = ("male", "female", "other")
WAYS = ("line", "web", "phone", "visit", "none")
ANSWERS: dict[str, bool | None] = {"yes": True, "no": False, "": None}
SECTIONS = {"field": "fields", "service": "services", "member": "members", "topic": "topics"}
LONGEST_TEXT, LONGEST_REASON, LONGEST_WHEN, OLDEST = 500, 200, 100, 120
LONGEST_SENTENCE, MOST_SENTENCES = 160, 80
_PHONE = re.compile(r"[0-9+() -]{6,20}")
_END = re.compile(r"(?<=[。！？!?\n])")


class Mistaken(Wrong):
    """An input that cannot be used; `at` is its name, so that the sentence can stand beside it."""

    def __init__(self, sentence: str, at: str = "") -> None:
        super().__init__(sentence)
        self.at = at


class Stale(Exception):
    """Somebody else has corrected the same meanwhile; the message is a sentence."""


@dataclass(frozen=True)
class Change:
    """One correction: what the machine has, and the overlay's new entry (None: the machine's reading stands again)."""

    what: str
    key: str
    found: Mapping[str, Any]
    entry: dict[str, Any] | None


def correct(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> None:
    """Does what one form of the case's page says. Raises Mistaken, Stale."""
    what = form.get("what", "")
    if what in _COLUMNS:
        _keep(session, case, staff, _COLUMNS[what](session, case, staff, form, now), now)
    elif what in _OVERLAY:
        change = _OVERLAY[what](session, case, form)
        _lay(session, case, staff, change, form, now)
    else:
        raise Mistaken(say("何を訂正するのかが分かりませんでした。"))
    _reckon(session, case, now)


def sentences(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """What the resident said, a sentence each, newest last, with the name by which a form chooses it."""
    found = [
        (f"{message.id}.{at}", sentence)
        for message in messages
        if message.sender == RESIDENT and message.kind == "text" and message.unsent_at is None
        for at, sentence in enumerate(_sentences(message.text))
        if len(sentence) > 1
    ]
    return found[-MOST_SENTENCES:]


def share_version(case: Case) -> str:
    """What a form about consent must bring back."""
    return f"{case.share}{case.share_at.isoformat() if case.share_at else ''}"


def _sentences(text: str) -> list[str]:
    parts = [part.strip() for part in _END.split(text)]
    return [part[:LONGEST_SENTENCE] for part in parts if part]


# Findings in the overlay


def _finding(session: Session, case: Case, form: Form, what: str) -> Change:
    known = vocabulary().fields if what == "field" else kb_desks.every_service()
    found = {one["id"]: one for one in case.assessment.get(SECTIONS[what], ())}
    key, act = form.get("key", ""), form.get("act", "")
    if key not in known and key not in found and key not in case.corrected.get(SECTIONS[what], {}):
        raise Mistaken(say("どれを加えるかを選んでください。"), "key")
    state = {"confirm": "confirmed", "wrong": "wrong", "add": "added", "undo": ""}.get(act)
    if state is None:
        raise Mistaken(say("何を訂正するのかが分かりませんでした。"))
    entry = {"state": state, **(_rests(session, case, form) if state == "added" else {"quotes": []})}
    return Change(what, key, found.get(key, {}), entry if state else None)


def _member(session: Session, case: Case, form: Form) -> Change:
    found = dict(zip(corrections.keys(summary.members(case.assessment)), summary.members(case.assessment), strict=True))
    entries = case.corrected.get("members", {})
    key, act = form.get("key", ""), form.get("act", "")
    if act == "add":
        return Change("member", f"added-{new_id()[:12]}", {}, {"state": "added", **_person(session, case, form)})
    if key not in found and key not in entries:
        raise Stale(
            say(
                "この人についての機械の読みが、開いているあいだに変わりました。新しい内容を見て、もう一度お願いします。"
            )
        )
    then = found.get(key) or entries.get(key, {}).get("found") or {}
    if act == "undo":
        return Change("member", key, then, None)
    if act == "wrong":
        return Change("member", key, then, {"state": "wrong", "found": then, "quotes": [], "rests": ""})
    state = "changed" if then else "added"
    return Change("member", key, then, {"state": state, "found": then, **_person(session, case, form)})


def _person(session: Session, case: Case, form: Form) -> dict[str, Any]:
    relation, sex, age = form.get("relation", ""), form.get("sex", ""), clean(form.get("age", ""))
    if relation not in words().relations:
        raise Mistaken(say("続柄を選んでください。"), "relation")
    if sex and sex not in SEXES:
        raise Mistaken(say("性別を選んでください。"), "sex")
    # What the browser sends as wide digits is a number to Japanese people, and to int().
    if age and not (age.isdecimal() and len(age) <= 3 and int(age) <= OLDEST):
        raise Mistaken(say("年齢は、0から120までの数で入れてください。分からないときは空けてください。"), "age")
    return {
        "relation": relation,
        "age": int(age) if age else None,
        "sex": sex,
        "together": form.get("together", "yes") != "no",
        "fields": [field for field in vocabulary().fields if form.get(f"field-{field}")],
        **_rests(session, case, form),
    }


def _topic(session: Session, case: Case, form: Form) -> Change:
    key = form.get("key", "")
    if key not in corrections.TOPICS:
        raise Mistaken(say("何を訂正するのかが分かりませんでした。"))
    told = case.assessment.get("topics", {}).get(key, "")
    found = {"quote": told} if told else {}
    if form.get("act") == "undo":
        return Change("topic", key, found, None)
    text = _text(form, "text", LONGEST_TEXT)
    return Change("topic", key, found, {"state": "changed", "text": text, **_rests(session, case, form)})


def _speaker(_session: Session, case: Case, form: Form) -> Change:
    found = {"value": case.assessment.get("speaker", "self")}
    if form.get("act") == "undo":
        return Change("speaker", "", found, None)
    if form.get("value") not in words().speakers:
        raise Mistaken(say("だれが話しているかを選んでください。"), "value")
    return Change("speaker", "", found, {"state": "changed", "value": form["value"], "quotes": [], "rests": "told"})


def _urgency(session: Session, case: Case, form: Form) -> Change:
    found = summary.urgency(case.assessment)
    if form.get("act") == "undo":
        return Change("urgency", "", found, None)
    level, reason = form.get("level", ""), clean(form.get("reason", ""))
    if level not in LEVELS:
        raise Mistaken(say("緊急度を選んでください。"), "level")
    if not reason:
        raise Mistaken(say("緊急度を変える理由を書いてください。"), "reason")
    if len(reason) > LONGEST_REASON:
        raise Mistaken(say("理由は{most}文字までで書いてください。", most=LONGEST_REASON), "reason")
    entry = {"state": "changed", "level": level, "reason": reason, **_rests(session, case, form)}
    return Change("urgency", "", found, entry)


def _rests(session: Session, case: Case, form: Form) -> dict[str, Any]:
    """The sentence of the talk that a correction rests on, or that it was told otherwise."""
    chosen = form.get("rests", "")
    if chosen in ("", "told"):
        return {"quotes": [], "rests": "told"}
    id_, _, at = chosen.partition(".")
    if id_.isascii() and id_.isdecimal() and at.isascii() and at.isdecimal() and len(chosen) < 18:
        message = session.scalars(
            select(Message).where(
                Message.id == int(id_), Message.case_id == case.id, Message.sender == RESIDENT,
                Message.unsent_at.is_(None),
            )
        ).one_or_none()  # fmt: skip
        said = _sentences(message.text) if message else []
        if int(at) < len(said):
            return {"quotes": [said[int(at)]], "rests": "talk"}
    raise Mistaken(say("選んだ言葉は、本人が取り消しました。もう一度選んでください。"), "rests")


def _lay(session: Session, case: Case, staff: Staff, change: Change, form: Form, now: datetime) -> None:
    """Puts the entry into the overlay, and a row of it beside."""
    section = SECTIONS.get(change.what, change.what)
    alone = change.what not in SECTIONS
    before = case.corrected.get(section, {})
    entry = before if alone else before.get(change.key, {})
    if form.get("version", "0") != str(entry.get("version", 0)) or (change.entry is None and not entry):
        raise _stale()
    row = _keep(session, case, staff, change, now)
    new = {**change.entry, "version": row.id} if change.entry is not None else {}
    if alone:
        entries = new
    else:
        entries = {**before, change.key: new} if new else {key: e for key, e in before.items() if key != change.key}
    case.corrected = {**case.corrected, section: entries}
    if not entries:
        case.corrected = {key: one for key, one in case.corrected.items() if key != section}
    if entry.get("version"):
        _withdraw_example(session, entry["version"])


def _keep(session: Session, case: Case, staff: Staff, change: Change, now: datetime) -> Correction:
    row = Correction(
        case_id=case.id, staff_id=staff.id, at=now, what=change.what, key=change.key, found=dict(change.found),
        corrected={"state": "undone"} if change.entry is None else change.entry,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _withdraw_example(session: Session, correction: int) -> None:
    """What was corrected again is no example any more, unless the admin has taken it."""
    row = session.get(Correction, correction)
    if row and row.example_state is None:
        row.example = None


# What has columns of its own


def _share(_session: Session, case: Case, _staff: Staff, form: Form, now: datetime) -> Change:
    if form.get("version", "") != share_version(case):
        raise _stale()
    if form.get("value", "") not in ANSWERS:
        raise Mistaken(say("伝えてよいかどうかを選んでください。"), "value")
    found = {"share": case.share, "at": case.share_at.isoformat() if case.share_at else None}
    case.share = ANSWERS[form.get("value", "")]
    case.share_at = None if case.share is None else now
    return Change("topic", "share", found, {"state": "changed", "share": case.share})


def _contact(session: Session, case: Case, staff: Staff, form: Form, now: datetime) -> Change:
    client = session.get(Client, case.id, with_for_update=True)
    if form.get("version", "") != str(client.version if client else 0):
        raise _stale()
    by, phone, safe = form.get("by", ""), clean(form.get("phone", "")), form.get("safe", "")
    if by and by not in WAYS:
        raise Mistaken(say("連絡のしかたを選んでください。"), "by")
    if phone and not _PHONE.fullmatch(phone):
        raise Mistaken(say("電話番号は、数字とハイフンで入れてください。"), "phone")
    if safe not in ANSWERS:
        raise Mistaken(say("連絡してよいかどうかを選んでください。"), "safe")
    when = clean(form.get("when", ""))
    if len(when) > LONGEST_WHEN:
        raise Mistaken(say("連絡できる時間は{most}文字までで書いてください。", most=LONGEST_WHEN), "when")
    client = client or Client(case_id=case.id, version=0, changed_at=now, phone_mobile="", phone_home="")
    found = {"by": client.reach_by, "when": client.reach_when, "phone": phone_of(client), "safe": client.reach_safe}
    client.reach_by, client.reach_when, client.reach_safe = by, when, ANSWERS[safe]
    if phone != phone_of(client):
        mobile = not phone or re.sub(r"\D", "", phone).startswith(("070", "080", "090"))
        client.phone_mobile = phone if mobile else ""
        client.phone_home = phone if not mobile else client.phone_home if phone else ""
    client.version, client.changed_at, client.changed_by = client.version + 1, now, staff.id
    session.add(client)
    session.flush()
    said = {"state": "changed", "by": by, "when": when, "phone": phone, "safe": ANSWERS[safe]}
    return Change("topic", "contact", found, said)


def phone_of(client: Client) -> str:
    """The number to try first."""
    return client.phone_mobile or client.phone_home or ""


_OVERLAY: dict[str, Callable[[Session, Case, Form], Change]] = {
    "field": lambda session, case, form: _finding(session, case, form, "field"),
    "service": lambda session, case, form: _finding(session, case, form, "service"),
    "member": _member,
    "topic": _topic,
    "speaker": _speaker,
    "urgency": _urgency,
}
_COLUMNS: dict[str, Callable[[Session, Case, Staff, Form, datetime], Change]] = {"share": _share, "contact": _contact}


def _reckon(session: Session, case: Case, now: datetime) -> None:
    """The queue's key, and the summary in words, after a correction."""
    corrections.reckon(case)
    if case.urgency >= LEVELS.index("urgent") and not case.closed_at:
        cases.wait_for_person(session, case, now, "danger")
    written = "" if case.language.startswith("ja") else "\n".join(_written(session, case))
    case.summary = summary.summarise(corrections.of(case), case.complaint, language=case.language, written=written)


def _written(session: Session, case: Case) -> list[str]:
    said = select(Message.text).where(
        Message.case_id == case.id, Message.sender == RESIDENT, Message.unsent_at.is_(None), Message.text != ""
    )
    return list(session.scalars(said.order_by(Message.id)))


def _text(form: Form, name: str, most: int) -> str:
    text = clean(form.get(name, ""))
    if not text:
        raise Mistaken(say("ことばを入れてください。"), name)
    if len(text) > most:
        raise Mistaken(say("{most}文字までで書いてください。", most=most), name)
    return text


def _stale() -> Stale:
    return Stale(
        say("開いているあいだに、ほかの人がここを訂正しました。いまの内容を見て、よければもう一度送ってください。")
    )

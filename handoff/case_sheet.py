"""The case on one page: what the machine found and what staff corrected, made ready so that templates only lay out."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import corrections, examples, family, family_map, kb_desks, record, summary
from handoff.case import LEVELS
from handoff.correcting import phone_of, sentences, share_version
from handoff.corrections import TOPICS
from handoff.moments import day, day_and_time
from handoff.tongue import say
from handoff.words import confidence_in_words, spoken, spoken_field, spoken_service
from knowledge_base import helplines
from knowledge_base.areas import Where
from knowledge_base.hotlines import choose
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN
from storage.models import Agency, Case, Conversation, Message, Staff
from storage.support import Client, Correction, Involvement

LOG_SHOWN = 30
LONGEST_CHOICE = 60


def sheet(
    session: Session, case: Case, conversation: Conversation, messages: Sequence[Message], staff: Staff, now: datetime
) -> dict[str, Any]:
    """Everything that was understood of a case, with who corrected what."""
    rows = list(session.scalars(select(Correction).where(Correction.case_id == case.id).order_by(Correction.id.desc())))
    log = _Log(rows, _names(session, rows))
    client = session.get(Client, case.id)
    stands = corrections.of(case)
    fields = _fields(case, log)
    members = _members(case, log)
    where = kb_desks.where(stands["topics"].get("area") or "", client.address if client else "")
    return {
        "danger": _danger(case, log),
        "speaker": _speaker(case, log),
        "contact": _contact(case, conversation, client),
        "consent": _consent(case),
        "fields": [one for one in fields if one["state"] != "wrong"],
        "wrong_fields": [one for one in fields if one["state"] == "wrong"],
        "members": [one for one in members if one["state"] != "wrong"],
        "wrong_members": [one for one in members if one["state"] == "wrong"],
        "aside": [spoken().relations.get(one.get("relation", ""), "") for one in _aside(case)],
        "map": family.on_page(case, client),
        "topics": _topics(case, stands, log),
        "involved": _involved(session, case),
        "services": _services(case, log, now, where),
        "where": kb_desks.where_in_words(where),
        "hotlines": _hotlines(stands, case.language, now),
        "not_asked": [spoken().topics[topic] for topic in record.not_asked(case, client)],
        "sentences": [(name, summary.shorten(said, LONGEST_CHOICE)) for name, said in reversed(sentences(messages))],
        "all_fields": [(field, spoken_field(field)) for field in vocabulary().fields],
        "all_services": [(service, spoken_service(service)) for service in kb_desks.every_service()],
        "offers": examples.offers(rows, case, staff),
        "log": [log.line(row) for row in rows[:LOG_SHOWN]],
    }


class _Log:
    """Who corrected what, by the id of the row."""

    def __init__(self, rows: Sequence[Correction], names: Mapping[int, str]) -> None:
        self._rows, self._names = {row.id: row for row in rows}, names

    def by(self, version: int) -> str:
        """「佐藤さん、11月23日（月）」; "" when nothing was corrected."""
        row = self._rows.get(version)
        return f"{self._names.get(row.staff_id, '')}さん、{day(row.at)}" if row else ""

    def line(self, row: Correction) -> dict[str, str]:
        """One line of the list of corrections: what it was about, the machine's reading, and what staff say."""
        return {
            "at": day_and_time(row.at),
            "by": self._names.get(row.staff_id, ""),
            "about": _about(row),
            "found": _in_words(row.what, row.key, row.found),
            "corrected": _in_words(row.what, row.key, row.corrected),
        }


def marked(text: str, fields: Sequence[Mapping[str, Any]]) -> Markup:
    """A resident's text, with the words behind each field marked and numbered as the fields are."""
    spans = [
        (start, start + len(quote), field["n"])
        for field in fields
        for quote in field["quotes"]
        if quote and (start := text.find(quote)) >= 0
    ]
    edges = sorted({0, len(text), *(edge for start, end, _ in spans for edge in (start, end))})
    parts = []
    for start, end in itertools.pairwise(edges):
        of = [str(n) for a, b, n in spans if a <= start and end <= b]
        ends = " ".join(dict.fromkeys(str(n) for _, b, n in spans if b == end))
        piece = escape(text[start:end])
        shown = Markup(' data-n="{}"').format(ends) if ends else Markup("")
        parts.append(Markup("<mark{}>{}</mark>").format(shown, piece) if of else piece)
    return Markup("").join(parts)


def _danger(case: Case, log: _Log) -> dict[str, Any]:
    stands, machine = corrections.urgency(case.assessment, case.corrected), summary.urgency(case.assessment)
    level = LEVELS[case.urgency]
    return {
        "level": level,
        "kinds": "、".join(spoken().kinds.get(kind, kind) for kind in stands["kinds"]),
        "quote": stands["quote"],
        "means": spoken().levels_mean[level],
        "reason": stands.get("reason", ""),
        "raised": stands.get("raised", False),
        "found": spoken().levels[machine["level"]],
        "found_quote": machine["quote"],
        "state": stands["state"],
        "version": stands["version"],
        "by": log.by(stands["version"]),
    }


def _speaker(case: Case, log: _Log) -> dict[str, Any]:
    found = case.assessment.get("speaker", "self")
    entry = case.corrected.get("speaker") or {}
    value = entry.get("value") or found
    return {
        "value": value,
        "name": spoken().speakers.get(value, value),
        "found": spoken().speakers.get(found, found),
        "version": entry.get("version", 0),
        "by": log.by(entry.get("version", 0)),
    }


def _contact(case: Case, conversation: Conversation, client: Client | None) -> dict[str, Any]:
    plain = record.contact(case, conversation, client)
    known = client.reach_safe if client else None
    if not record.reachable(conversation) and plain["by"] == "none":
        safe, how = say("届きません"), "care"
    elif known is not None:
        safe, how = (say("連絡してよい（職員が確認）"), "fine") if known else (say("連絡に注意（職員が確認）"), "care")
    elif not plain["safe"]:
        safe, how = say("注意：暴力が語られ、ほかの人に見られるおそれがあります"), "care"
    else:
        safe, how = say("安全かどうかは、まだ確かめていません"), "unknown"
    return {
        **plain,
        "way": spoken().ways.get(plain["by"], plain["by"]),
        "safe_in_words": safe,
        "how": how,
        "reach_by": client.reach_by if client else "",
        "reach_when": client.reach_when if client else "",
        "reach_phone": phone_of(client) if client else "",
        "reach_safe": {True: "yes", False: "no", None: ""}[known],
        "version": client.version if client else 0,
        "found": case.assessment.get("topics", {}).get("contact", ""),
    }


def _consent(case: Case) -> dict[str, str]:
    return {
        "name": _share_in_words(case.share),
        "value": {True: "yes", False: "no", None: ""}[case.share],
        "at": day(case.share_at) if case.share_at else "",
        "version": share_version(case),
    }


def _fields(case: Case, log: _Log) -> list[dict[str, Any]]:
    found = corrections.fields(case.assessment, case.corrected)
    number = 0
    shown = []
    for one in found:
        number += one["state"] != "wrong"
        sure = confidence_in_words(one["confidence"]) if one["found"] else say("職員が加えました")
        shown.append({**one, "n": number, "name": spoken_field(one["id"]), "sure": sure, "by": log.by(one["version"])})
    return shown


def _services(case: Case, log: _Log, now: datetime, where: Where) -> list[dict[str, Any]]:
    return [
        {
            **one,
            "name": spoken_service(one["id"]),
            "about": kb_desks.about(one["id"]),
            "desks": kb_desks.contacts(one["id"], now, where),
            "for_others": kb_desks.for_others(one["id"], where),
            "by": log.by(one["version"]),
        }
        for one in corrections.services(case.assessment, case.corrected)
    ]


def _members(case: Case, log: _Log) -> list[dict[str, Any]]:
    return [
        {
            **one,
            "name": spoken().relations.get(one["relation"], spoken().relations["other"]),
            "sex": one["sex"] or _sex(one["relation"]),
            "names": [spoken_field(field) for field in one["fields"]],
            "was": _in_words("member", "", one["found"]) if one["state"] == "changed" else "",
            "by": log.by(one["version"]),
        }
        for one in corrections.members(case.assessment, case.corrected)
    ]


def _aside(case: Case) -> list[dict[str, Any]]:
    return list((case.assessment.get("household") or {}).get("aside", ()))


def _topics(case: Case, stands: Mapping[str, Any], log: _Log) -> list[dict[str, Any]]:
    found, entries = case.assessment.get("topics", {}), case.corrected.get("topics", {})
    shown = []
    for topic in TOPICS:
        entry = entries.get(topic, {})
        shown.append(
            {
                "key": topic,
                "label": spoken().topics_short[topic],
                "text": stands["topics"].get(topic, ""),
                "quoted": not entry,
                "quotes": entry.get("quotes", []),
                "found": found.get(topic, "") if entry else "",
                "version": entry.get("version", 0),
                "by": log.by(entry.get("version", 0)),
            }
        )
    return shown


def _involved(session: Session, case: Case) -> list[dict[str, str]]:
    rows = session.execute(
        select(Involvement, Agency)
        .join(Agency, Agency.id == Involvement.agency_id)
        .where(Involvement.case_id == case.id, Involvement.until.is_(None))
        .order_by(Involvement.id)
    )
    return [{"name": agency.name, "role": one.role, "since": day(one.since)} for one, agency in rows]


def _hotlines(stands: Mapping[str, Any], language: str, now: datetime) -> list[dict[str, str]]:
    """National lines whose number was checked, for what was told: to pass on, and to ring oneself."""
    kinds = stands["urgency"]["kinds"] if stands.get("urgency") else ()
    fields = [one["id"] for one in stands.get("fields", ())]
    lines = choose(
        kinds, age=None, language=language[:2], now=now.astimezone(JAPAN), fields=fields, periods=helplines.now()
    )
    return [{"name": one.name, "number": one.number, "hours": one.hours if one.hours_checked else ""} for one in lines]


def _sex(relation: str) -> str:
    return "male" if relation in family_map.MEN else "female" if relation in family_map.WOMEN else ""


def _about(row: Correction) -> str:
    name = {
        "field": spoken_field(row.key), "service": spoken_service(row.key),
        "topic": spoken().topics_short.get(row.key, row.key),
    }.get(row.what, "")  # fmt: skip
    kind = spoken().corrections[row.what]
    return f"{kind}：{name}" if name and row.what != "topic" else name or kind


def _in_words(what: str, key: str, said: Mapping[str, Any] | None) -> str:
    """One side of a correction: what the machine had, or what staff say."""
    said = said or {}
    state = spoken().correction_states.get(said.get("state", ""), "")
    if said.get("state") in ("undone", "wrong", "confirmed"):
        return state
    if what == "urgency" and said.get("level"):
        return spoken().levels[said["level"]] + (f"（{said['reason']}）" if said.get("reason") else "")
    if what == "speaker":
        return spoken().speakers.get(said.get("value", ""), "")
    if what == "member":
        return _member_in_words(said)
    if what == "topic" and key == "share":
        return _share_in_words(said.get("share"))
    if what == "topic" and key == "contact":
        way = spoken().ways.get(said.get("by", ""), "")
        return "、".join(part for part in (way, said.get("phone", ""), said.get("when", "")) if part)
    quotes = said.get("quotes") or ([said["quote"]] if said.get("quote") else [])
    return str(said.get("text") or "".join(f"「{quote}」" for quote in quotes) or state)


def _share_in_words(share: bool | None) -> str:
    return say("まだ聞いていません") if share is None else say("伝えてよい") if share else say("伝えないでほしい")


def _member_in_words(said: Mapping[str, Any]) -> str:
    if not said.get("relation"):
        return ""
    name = spoken().relations.get(said["relation"], spoken().relations["other"])
    age = " " + say("{age}歳", age=said["age"]) if said.get("age") is not None else ""
    apart = say("（別に暮らす）") if said.get("together") is False else ""
    fields = "・".join(spoken_field(field) for field in said.get("fields", ()))
    return name + age + apart + (f"：{fields}" if fields else "")


def _names(session: Session, rows: Sequence[Correction]) -> dict[int, str]:
    people = session.scalars(select(Staff).where(Staff.id.in_({row.staff_id for row in rows})))
    return {staff.id: staff.called for staff in people}

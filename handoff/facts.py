"""What the official forms take from a case: derived each time, so that words that are taken back are gone here too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import corrections, eras, queue, summary
from handoff.access import CONSENT
from handoff.case import LEVELS
from handoff.formbook import Tick
from handoff.support_words import support_words
from handoff.words import field_name, words
from storage.clock import JAPAN
from storage.models import Agency, Case, Staff
from storage.support import Client, Involvement

Assessment = Mapping[str, Any]
#: Of a member of the household, where staff have said it.
LIVES = {"True": "同居", "False": "別居"}


@dataclass(frozen=True)
class Facts:
    """A case, and beside it what forms ask for."""

    case: Case
    seen: Assessment
    complaint: str
    client: Client | None
    involved: list[tuple[Involvement, Agency]]
    previous: list[Case]
    responsible: str

    @property
    def topics(self) -> Mapping[str, str]:
        """What was told of each topic."""
        return self.seen.get("topics") or {}


def facts(session: Session, case: Case) -> Facts:
    """Everything that a form may take from the case."""
    involved = session.execute(
        select(Involvement, Agency)
        .join(Agency, Agency.id == Involvement.agency_id)
        .where(Involvement.case_id == case.id, Involvement.until.is_(None))
        .order_by(Involvement.id)
    )
    staff = session.get(Staff, case.responsible_id or case.claimed_by or 0)
    return Facts(
        case, seen(case), queue.complaints(session, [case])[case.id], session.get(Client, case.id),
        [(involvement, agency) for involvement, agency in involved], _previous(session, case),
        staff.called if staff else "",
    )  # fmt: skip


def seen(case: Case) -> Assessment:
    """The assessment as staff have corrected it."""
    return corrections.of(case)


def derived(found: Facts, source: str, quotes: Sequence[str]) -> str:
    """What an item of a form is filled with."""
    if source:
        return SOURCES[source](found)
    return _quotes(found.seen, set(quotes)) if quotes else ""


def ticked(found: Assessment, ticks: Sequence[Tick]) -> set[str]:
    """The ids of what is ticked."""
    return {tick.id for tick in ticks if _hits(found, tick, _fields(found))}


def most_troubling(found: Assessment, ticks: Sequence[Tick]) -> str:
    """The tick of the surest field, of the client's own where they have any; "" where nothing was found.

    Of several that share the field: the one whose words were written.
    """
    recorded = _fields(found)
    own = {
        field for member in summary.members(found) if member.get("relation") in ("self", "client")
        for field in member.get("fields", ())
    }  # fmt: skip
    order = sorted(recorded, key=lambda field: (field not in own, -recorded[field][0]))
    for field in order:
        hits = [t for t in ticks if field in t.fields and _hits(found, t, {field: recorded[field]})]
        if hits:
            return max(hits, key=lambda tick: bool(tick.words)).id
    return next((tick.id for tick in ticks if _hits(found, tick, {})), "")


def _hits(found: Assessment, tick: Tick, recorded: Mapping[str, tuple[float, str]]) -> bool:
    if set(tick.kinds) & set(summary.urgency(found)["kinds"]):
        return True
    told = [recorded[field][1] for field in tick.fields if field in recorded]
    return bool(told) and (not tick.words or any(word in text for word in tick.words for text in told))


def _fields(found: Assessment) -> dict[str, tuple[float, str]]:
    """Every field recorded for anyone of the household: how sure, and the words that it rests on."""
    fields: dict[str, tuple[float, str]] = {}
    for field in found.get("fields") or ():
        fields[field["id"]] = (float(field.get("confidence", 1.0)), "\n".join(field.get("quotes", ())))
    for member in summary.members(found):
        for field in member.get("fields", ()):
            sure, told = fields.get(field, (0.0, ""))
            fields[field] = (sure, "\n".join([told, *member.get("quotes", ())]))
    return fields


def _quotes(found: Assessment, wanted: set[str]) -> str:
    """What the fields rest on, a line each, with whose it is: 夫（47歳）：「朝から酒を飲む」."""
    members = summary.members(found)
    recorded = [field for field in found.get("fields") or () if field["id"] in wanted]
    quotes = [quote for field in recorded for quote in field.get("quotes", ())]
    # Somebody has a field of which the case as a whole has no words: then theirs.
    known = {field["id"] for field in recorded}
    quotes += [
        quote for member in members if (wanted & set(member.get("fields", ()))) - known
        for quote in member.get("quotes", ())
    ]  # fmt: skip
    return "\n".join(f"{_whose(quote, members)}「{quote}」" for quote in dict.fromkeys(quotes) if quote)


def _whose(quote: str, members: Sequence[Mapping[str, Any]]) -> str:
    of = [member for member in members if any(quote in own or own in quote for own in member.get("quotes", ()) if own)]
    return f"{_person(of[0])}：" if len(of) == 1 else ""


def _person(member: Mapping[str, Any]) -> str:
    name = words().relations.get(member.get("relation", "other"), words().relations["other"])
    return name + (f"（{member['age']}歳）" if member.get("age") is not None else "")


def _day(moment: datetime | None) -> str:
    return eras.era_date(moment.astimezone(JAPAN).date()) if moment else ""


def _complaint_and_wish(found: Facts) -> str:
    told = [
        ("", found.complaint), ("いつから", found.topics.get("since", "")),
        ("これまでに試したこと", found.topics.get("tried", "")), ("どうなるとよいか", found.topics.get("wish", "")),
    ]  # fmt: skip
    return "\n".join(f"{name}：「{text}」" if name else f"「{text}」" for name, text in told if text)


def _quoted(text: str) -> str:
    return f"「{text}」" if text else ""


def _route(found: Facts) -> str:
    channel = words().channels.get(found.case.channel, found.case.channel)
    return f"{channel}（{words().speakers.get(found.seen.get('speaker', 'self'), '')}から）"


def _previous(session: Session, case: Case) -> list[Case]:
    """The cases of the same resident before this one, newest first, as far as a form has room."""
    chain: list[Case] = []
    at = case.previous_id
    while at and len(chain) < 5 and (before := session.get(Case, at)):
        chain.append(before)
        at = before.previous_id
    return chain


def _history(found: Facts) -> str:
    return "、".join(f"{_day(one.opened_at)}から" + (f"{_day(one.closed_at)}まで" if one.closed_at else "")
                    for one in found.previous) or "なし（初めて）"  # fmt: skip


def _family(found: Facts) -> str:
    lines = [
        "　".join(
            part for part in (
                _person(member), LIVES.get(str(member.get("together")), ""),
                "・".join(map(field_name, member.get("fields", ()))),
            ) if part
        )
        for member in summary.members(found.seen)
    ]  # fmt: skip
    return "\n".join(lines) or _quoted(found.topics.get("household", ""))


def _family_count(found: Facts) -> str:
    count = len(summary.members(found.seen))
    return f"{count}人（お話に出た人）" if count else ""


def _emergency(found: Facts) -> str:
    danger = summary.urgency(found.seen)
    level = LEVELS[found.case.urgency]
    if level == "none":
        return ""
    kinds = summary.kinds_in_words(danger["kinds"])
    return f"{words().levels[level]}{f'（{kinds}）' if kinds else ''}{_quoted(danger['quote'])}"


def _issues(found: Facts) -> str:
    return "\n".join(
        f"{field_name(field)}" + (f"：{_quoted(told.strip().splitlines()[0])}" if told.strip() else "")
        for field, (_, told) in sorted(_fields(found.seen).items(), key=lambda one: -one[1][0])
    )


def _roles(found: Facts) -> str:
    return "\n".join(
        f"{agency.name}：{involvement.role or '（役割を書いてください）'}" for involvement, agency in found.involved
    )


def _ground(found: Facts) -> str:
    """On which ground what stands on the sheet may be shared."""
    case = found.case
    if case.share:
        first = f"本人同意{f'（{_day(case.share_at)}）' if case.share_at else ''}により、関係機関と共有できます。"
    else:
        first = (
            f"本人の同意は{'ありません' if case.share is False else 'まだ確かめていません'}。"
            "重層的支援会議では扱えません。支援会議（社会福祉法第106条の6）では、守秘義務のもとで共有できます。"
        )
    grounds = support_words().grounds
    others = [
        f"{agency.name}：{grounds[involvement.ground]['on_paper']}" for involvement, agency in found.involved
        if involvement.ground in grounds and (involvement.ground != CONSENT or not case.share)
    ]  # fmt: skip
    return first + (f"\n共有している機関と根拠　{'、'.join(others)}" if others else "")


def _next_contact(found: Facts) -> str:
    day = found.case.next_contact_on
    return eras.era_date(day) if day else ""


SOURCES: dict[str, Callable[[Facts], str]] = {
    "received_on": lambda found: _day(found.case.opened_at),
    "receiver": lambda found: found.responsible,
    "complaint_and_wish": _complaint_and_wish,
    "complaint": lambda found: _quoted(found.complaint),
    "consent_on": lambda found: _day(found.case.share_at) if found.case.share else "",
    "ground": _ground,
    "route": _route,
    "history": _history,
    "since": lambda found: _quoted(found.topics.get("since", "")),
    "tried": lambda found: _quoted(found.topics.get("tried", "")),
    "wish": lambda found: _quoted(found.topics.get("wish", "")),
    "family": _family,
    "family_count": _family_count,
    "emergency": _emergency,
    "issues": _issues,
    "roles": _roles,
    "next_contact": _next_contact,
    "outcome": lambda found: found.case.outcome or "",
}

"""What staff have corrected, laid over what the machine found. Pure functions over a case's two JSON columns.

`Case.assessment` is the machine's and is written by every turn; `Case.corrected` is staff's and no turn writes it (but
for the mark `raised`, below). Both are kept; `laid_over` gives the two as one, in the assessment's own form, and is
what everybody else should read. The shape of `Case.corrected`, where everything may be missing:

    fields, services   {id: {state, quotes}}: state confirmed, wrong or added
    members            {key: {state, found, relation, age, sex, together, fields, quotes}}: state changed, wrong or
                       added; `found` is the machine's member as it was then, by which it is known again
    topics             {since | wish | tried | area | involved: {text, quotes}}
    speaker            {value}
    urgency            {level, reason, quotes, raised}: `raised` is danger that a later turn read (level, kinds, quote)

Every entry also has `rests` (talk: on its quotes; told: it was heard otherwise), and `version`, the id of the
Correction row that made it: a form must bring it back, so that nobody overwrites what they have not seen. An entry
that was undone is not there any more; the Correction rows tell of it. Consent and contact are columns (`Case.share`,
Client), with Correction rows all the same.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from handoff import summary
from handoff.summary import LEVELS
from storage.models import Case

Found = Mapping[str, Any]
Entry = dict[str, Any]

#: The topics that staff can put into words; `involved` is theirs alone, since the machine does not ask for it.
TOPICS = ("since", "wish", "tried", "area", "involved")
#: How the interface calls the state of a finding.
STATES = {"confirmed": "confirmed", "added": "corrected", "changed": "corrected"}
_FRIENDS = ("friend", "neighbor")


def of(case: Case) -> dict[str, Any]:
    """The case's assessment as staff have corrected it."""
    return laid_over(case.assessment, case.corrected)


def laid_over(assessment: Found, corrected: Found) -> dict[str, Any]:
    """The assessment with the corrections in it; what is wrong is left out, and every finding has its `state`."""
    topics = {**assessment.get("topics", {})}
    topics |= {topic: entry["text"] for topic, entry in corrected.get("topics", {}).items()}
    return {
        **assessment,
        "fields": _right(fields(assessment, corrected)),
        "services": _right(services(assessment, corrected)),
        "household": {**(assessment.get("household") or {}), "members": _right(members(assessment, corrected))},
        "speaker": (corrected.get("speaker") or {}).get("value") or assessment.get("speaker", "self"),
        "urgency": urgency(assessment, corrected),
        "topics": topics,
    }


def fields(assessment: Found, corrected: Found) -> list[Entry]:
    """Every field that anybody found, the machine's first, with `state`, `version`, and what the machine `found`."""
    blank = {"confidence": 1.0, "quotes": [], "example": ""}
    entries = corrected.get("fields", {})
    return [
        {**found, "quotes": list(dict.fromkeys([*found.get("quotes", ()), *entry.get("quotes", ())])), **_stands(entry)}
        for found, entry in _merged(assessment.get("fields", ()), entries, blank)
    ]


def services(assessment: Found, corrected: Found) -> list[Entry]:
    """Every service that anybody thought of, as `fields` gives them."""
    entries = corrected.get("services", {})
    return [
        {**found, "quote": found.get("quote") or next(iter(entry.get("quotes", ())), ""), **_stands(entry)}
        for found, entry in _merged(assessment.get("services", ()), entries, {"score": 1.0, "quote": ""})
    ]


def members(assessment: Found, corrected: Found) -> list[Entry]:
    """Everybody whom anybody counts to the household, with their `key`, `sex` and `together`.

    A machine's member whom staff changed is staff's alone from then on, also when the machine drops or renames them.
    """
    found, entries = summary.members(assessment), dict(corrected.get("members", {}))
    known = _known_again(found, entries)
    shown = []
    for at, (key, member) in enumerate(zip(keys(found), found, strict=True)):
        entry = entries.pop(known[at]) if at in known else {}
        shown.append(_member(known.get(at, key), member, entry))
    shown += [_member(key, {}, entry) for key, entry in entries.items() if entry["state"] != "wrong"]
    return shown


def urgency(assessment: Found, corrected: Found) -> dict[str, Any]:
    """Level, kinds and quote as they stand now; after a correction also its `reason`, and whether it was `raised`."""
    found, entry = summary.urgency(assessment), corrected.get("urgency")
    if not entry:
        return {**found, **_stands({})}
    stands = {**_stands({"state": "changed", **entry}), "reason": entry.get("reason", ""), "raised": False}
    raised = entry.get("raised")
    if raised:
        return {**stands, **raised, "raised": True}
    if entry["level"] == "none":
        return {"level": "none", "kinds": [], "quote": "", **stands}
    quote = next(iter(entry.get("quotes", ())), "") or found["quote"]
    return {"level": entry["level"], "kinds": found["kinds"], "quote": quote, **stands}


def reckon(case: Case, read: Found | None = None) -> None:
    """Sets the queue's key. `read`: the danger (level, kinds, quote) that this turn's words alone told.

    The rule, in this one place: without a correction the machine's level stands. With one, staff's does, until a
    later turn reads more danger than staff's level: then that stands, and the correction remains beside it. So a
    correction quiets what staff have seen, and never what they have not.
    """
    entry = case.corrected.get("urgency")
    if entry and read and LEVELS.index(read["level"]) > LEVELS.index(_level(entry)):
        raised = {"level": read["level"], "kinds": list(read["kinds"]), "quote": read["quote"]}
        case.corrected = {**case.corrected, "urgency": {**entry, "raised": raised}}
    case.urgency = LEVELS.index(urgency(case.assessment, case.corrected)["level"])


def keys(found: Iterable[Found]) -> list[str]:
    """A name for each of the machine's members, the same from turn to turn for as long as their first quote is."""
    given: list[str] = []
    for member in found:
        told = "\n".join([member.get("called", ""), *list(member.get("quotes", ()))[:1]])
        key = f"{member.get('relation', 'other')}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
        given.append(key if key not in given else f"{key}-{len(given)}")
    return given


def _merged(found: Iterable[Found], entries: Mapping[str, Entry], blank: Found) -> Iterator[tuple[Entry, Entry]]:
    left = dict(entries)
    for one in found:
        yield {**blank, **one, "found": True}, left.pop(one["id"], {})
    for id_, entry in left.items():
        # What staff called wrong and the machine does not find any more is nothing to show.
        if entry["state"] != "wrong":
            yield {"id": id_, **blank, "found": False}, entry


def _stands(entry: Found) -> Entry:
    return {"state": entry.get("state", "found"), "version": entry.get("version", 0), "rests": entry.get("rests", "")}


def _right(findings: Iterable[Entry]) -> list[Entry]:
    return [one for one in findings if one["state"] != "wrong"]


def _level(entry: Found) -> str:
    level: str = (entry.get("raised") or entry)["level"]
    return level


def _member(key: str, found: Found, entry: Found) -> Entry:
    told = entry if entry.get("state") in ("changed", "added") else {}
    relation = told.get("relation") or found.get("relation") or entry.get("found", {}).get("relation", "other")
    quotes = list(dict.fromkeys([*found.get("quotes", ()), *entry.get("quotes", ())]))
    return {
        "key": key,
        "relation": relation,
        "age": told["age"] if told else found.get("age"),
        "fields": list(told["fields"] if told else found.get("fields", ())),
        "quotes": quotes,
        "called": found.get("called", ""),
        "sex": told.get("sex", ""),
        # Whom the machine counts as a member lives there as far as is known; friends and neighbours do not.
        "together": told["together"] if told else relation not in _FRIENDS,
        "found": dict(found) or None,
        **_stands(entry),
    }


def _known_again(found: Sequence[Found], entries: Mapping[str, Entry]) -> dict[int, str]:
    """Which of the machine's members each entry is about, since the machine reads the household anew at every turn."""
    known: dict[int, str] = {}
    for key, entry in entries.items():
        then = entry.get("found")
        if not then:
            continue
        same = [at for at, one in enumerate(found) if one.get("relation") == then.get("relation") and at not in known]
        likest = max(same, key=lambda at: _likeness(found[at], then), default=None)
        if likest is not None and (len(same) == 1 or _likeness(found[likest], then) > 0):
            known[likest] = key
    return known


def _likeness(one: Found, then: Found) -> int:
    called = bool(one.get("called")) and one.get("called") == then.get("called")
    quotes = len({*one.get("quotes", ())} & {*then.get("quotes", ())})
    age = one.get("age") is not None and one.get("age") == then.get("age")
    return 4 * called + 2 * quotes + age

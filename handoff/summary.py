"""What was understood, in words, for the counselor, who has one minute. What the resident checks: understood.py.

Pure functions over an assessment as it is stored (`bot.understanding.Assessment.to_json`). Nothing is said that was
not told: every line is a quote or the name of what a quote was filed under, and what is unknown is listed as not asked.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from handoff import kin
from handoff.words import field_name, language_name, words

Assessment = Mapping[str, Any]

#: Of danger, from none up: the queue's first key is the place in here.
LEVELS = ("none", "watch", "urgent", "immediate")
LONGEST_COMPLAINT = 200
#: The assessment's topics by the names that the interface for staff systems uses.
TOPICS = {
    "since": "since",
    "household": "household",
    "tried": "tried",
    "wish": "wishes",
    "contact": "contact",
    "area": "area",
}


def summarise(assessment: Assessment, told: str = "", *, language: str = "ja", written: str = "") -> str:
    """What a counselor reads in one minute: one line each, `told` being the complaint.

    `written`: all that was written, where its language is not understood.
    """
    shown = lines(assessment, "" if written else told or complaint(assessment), language, written)
    return "\n".join(f"【{label}】{text}" for label, text in shown)


def lines(assessment: Assessment, told: str, language: str = "ja", written: str = "") -> list[tuple[str, str]]:
    """The summary's lines as (label, text), in the order in which a counselor needs them."""
    topics, said = assessment.get("topics", {}), assessment.get("said", "")
    found = [
        ("危険", _danger(assessment)),
        ("話した人", words().speakers.get(assessment.get("speaker", "self"), "")),
        ("ことば", _language(assessment, language)),
        ("困りごと", _quoted(told)),
        ("書かれたこと", _quoted(written)),
        ("いつから", _quoted(topics.get("since", ""))),
        (
            "世帯",
            "／".join(_member(member, said) for member in members(assessment)) or _quoted(topics.get("household", "")),
        ),
        ("分野", "、".join(field_name(field["id"]) for field in assessment.get("fields", ()))),
        ("のぞみ", _quoted(topics.get("wish", ""))),
        ("試したこと", _quoted(topics.get("tried", ""))),
        ("連絡", _quoted(topics.get("contact", ""))),
        ("地域", _quoted(topics.get("area", ""))),
        ("まとめを見て", _quoted(topics.get("added", ""))),
        ("まだ聞いていないこと", "、".join(words().topics[topic] for topic in unasked(assessment, True))),
    ]
    return [(label, text) for label, text in found if text]


def complaint(assessment: Assessment) -> str:
    """The trouble in the resident's own words, at most 200 characters: the quotes that the findings rest on.

    "" when nothing was told yet. Made of quotes alone, so that words that were taken back are gone here too.
    """
    quotes = _quotes(assessment)
    chosen: list[str] = []
    for quote in quotes:
        if len("……".join([*chosen, quote])) <= LONGEST_COMPLAINT:
            chosen.append(quote)
    return "……".join(chosen) or shorten(quotes[0] if quotes else "", LONGEST_COMPLAINT)


def not_asked(topics: Mapping[str, Any]) -> list[str]:
    """The topics that nobody has told of, by the interface's names (`words().topics` says them in Japanese)."""
    return [name for topic, name in TOPICS.items() if not topics.get(topic)]


def unasked(assessment: Assessment, share: bool | None) -> list[str]:
    """What is not known yet of a case: topics, and whether other desks may be told."""
    told = dict(assessment.get("topics", {}))
    if any(member.get("relation") != "self" for member in members(assessment)):
        told["household"] = True
    return not_asked(told) + ([] if share is not None else ["share"])


def members(assessment: Assessment) -> list[dict[str, Any]]:
    """Everybody of the household who was told of."""
    return list((assessment.get("household") or {}).get("members") or assessment.get("members") or ())


def household(assessment: Assessment) -> str:
    """The household in one line: 本人・夫 47歳・娘 14歳."""
    return "・".join(_name_and_age(member) for member in members(assessment))


def urgency(assessment: Assessment) -> dict[str, Any]:
    """Level, kinds and quote; level none where nothing was found."""
    found = assessment.get("urgency") or {}
    return {
        "level": found.get("level", "none"),
        "kinds": list(found.get("kinds", ())),
        "quote": found.get("quote", ""),
    }


def kinds_in_words(kinds: Iterable[str]) -> str:
    """The kinds of danger as staff call them."""
    return "、".join(words().kinds.get(kind, kind) for kind in kinds)


def shorten(text: str, most: int) -> str:
    """The text's beginning, cut at a natural boundary where one is near, and marked as cut."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    head = text[: most - 1]
    end = max(head.rfind(mark) for mark in "。、！？ ")
    return (head[:end] if end >= most // 2 else head) + "…"


def _language(assessment: Assessment, language: str) -> str:
    """The language, and how far the machine understood it; nothing to say in Japanese."""
    if language == "ja":
        return ""
    if language.startswith("ja"):
        return language_name(language)
    return f"{language_name(language)}。{unread(assessment, language)}"


def unread(assessment: Assessment, language: str) -> str:
    """How little the machine has read of another language; nothing to say in Japanese."""
    if language.startswith("ja"):
        return ""
    return words().unread_but_danger if urgency(assessment)["level"] != "none" else words().unread


def _danger(assessment: Assessment) -> str:
    found = urgency(assessment)
    if found["level"] == "none":
        return ""
    kinds = kinds_in_words(found["kinds"])
    return f"{words().levels[found['level']]}{f'（{kinds}）' if kinds else ''}{_quoted(found['quote'])}"


def _member(member: Mapping[str, Any], said: str) -> str:
    age = member.get("age")
    name = kin.name(member, kindly=False) + (f"（{age}歳）" if age is not None else "")
    fields = "・".join(field_name(field) for field in member.get("fields", ()))
    if fields or member.get("relation") == "self":
        return f"{name}：{fields}" if fields else name
    own = kin.own_words(member, said)
    return f"{name}「{shorten(own, kin.LONGEST_SENTENCE)}」" if own else name


def _name_and_age(member: Mapping[str, Any]) -> str:
    age = member.get("age")
    return kin.name(member, kindly=False) + (f" {age}歳" if age is not None else "")


def _quotes(assessment: Assessment) -> list[str]:
    """Every quote once, those of danger first; one that stands inside another is left out."""
    found = [urgency(assessment)["quote"]]
    found += [quote for field in assessment.get("fields", ()) for quote in field.get("quotes", ())]
    found += [quote for member in members(assessment) for quote in member.get("quotes", ())]
    once = [quote for quote in dict.fromkeys(found) if quote]
    return [quote for quote in once if not any(quote != other and quote in other for other in once)]


def _quoted(text: str) -> str:
    return f"「{text}」" if text else ""

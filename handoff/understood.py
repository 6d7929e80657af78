"""「こう受けとめました」: what was understood, a line a person, for the resident to confirm or correct.

Every line is the everyday name of a trouble with the words it rests on. Whoever was named stands here: where no
trouble was put to them, with the clause that tells of them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from handoff import kin
from handoff.summary import members, shorten, urgency
from handoff.words import words

Assessment = Mapping[str, Any]
Member = dict[str, Any]

LONGEST_QUOTE = kin.LONGEST_SENTENCE
MOST_QUOTES, MOST_FIELDS, MOST_LEFT = 2, 4, 3
#: What is less sure than this is for the counselor, and is not read back to who never said it; the second, without
#: words of its own.
SURE, PLAIN = 0.5, 0.8
#: Put to a person, but not found in the talk as a whole: not read back to who never said it.
HURTS_IF_WRONG = frozenset({"suicide", "abuse", "carer", "rights", "multicultural"})
#: 「とてもつらい気持ち」 is read back only where it was heard in what was said.
OF_DEATH = frozenset({"suicide", "self_harm"})
#: Who does harm is the subject of the clause as well: such a trouble is put to nobody by that.
NOT_BY_SUBJECT = frozenset({"abuse", "rights", "suicide"})
#: 「わかりません」 is kept for the counselor; read back as one's wish it would be mockery.
_UNSURE = re.compile(r"^.{0,4}わか(?:らな|りませ|んな|らん|りまへ).{0,4}$|わからない(?:です)?$")
_I = re.compile(r"(?:わたし|私|ぼく|僕|俺|おれ|うち|自分)[がはも]")
_NOT_YET = re.compile(
    r"^(?:まだ|とくに|特に)?(?:だれにも|どこにも|なにも|何も)?(?:ない|いない|ありません|いません|いいえ|まだ)?(?:です|だ)?$"
)
_UNREADABLE = re.compile(r"(?:か|[?？]|ください|教えて|どうしたら)$|^.{1,6}(?:のこと(?:で|も|は)?|が|は|を|も)$")


def for_resident(assessment: Assessment) -> list[str]:
    """The lines, those of the household first."""
    people = _people(assessment)
    lines = _of_people(people, assessment)
    return [*lines, *_of_nobody(people, assessment, lines), *_of_talk(assessment)]


def called(assessment: Assessment) -> str:
    """Whom a question is about who tells of somebody else: 妹さん, where it is plain; else その方."""
    others = [member for member in members(assessment) if member.get("relation") not in ("self", "client")]
    told = [member for member in others if member.get("fields")] or others
    return kin.name(told[0], kindly=True) if len(told) == 1 else words().someone


def _people(assessment: Assessment) -> list[Member]:
    """Everybody, with the troubles that are plainly theirs: those found for them; of those that were found for nobody,
    the ones in whose words they are the subject; and, where nobody else was named, all of the one who writes."""
    unfounded = HURTS_IF_WRONG - {field["id"] for field in assessment.get("fields", ())}
    unfounded |= frozenset() if OF_DEATH & set(urgency(assessment)["kinds"]) else {"suicide"}
    people = [
        {**member, "fields": [field for field in member.get("fields", ()) if field not in unfounded]}
        for member in members(assessment)
    ]
    others = [one for one in people if one["relation"] not in ("self", "client")]
    left = _left(people, assessment)
    if assessment.get("speaker", "self") == "self" and not others:
        writer = next((one for one in people if one["relation"] == "self"), None) or {"relation": "self"}
        left = [field for field in left if field.get("confidence", 1) >= SURE]
        writer["fields"] = [*writer.get("fields", ()), *(field["id"] for field in left)]
        writer["quotes"] = list(dict.fromkeys([*writer.get("quotes", ()), *_quotes_of(left)]))
        return [writer, *(one for one in people if one["relation"] == "client")]
    for one in others:
        one["fields"] = [*one.get("fields", ()), *_by_subject(one, left, assessment)]
    return people


def _by_subject(member: Member, left: Sequence[Mapping[str, Any]], assessment: Assessment) -> Iterator[str]:
    """The troubles whose words have this person as their subject."""
    subject, topic, said = kin.subject_of(member), kin.topic_of(member), assessment.get("said", "")
    alone = () if member.get("fields") else assessment.get("fields", ())
    for field in {field["id"]: field for field in (*left, *alone)}.values():
        quotes = field.get("quotes", ())
        clause = field in left and any(subject.search(quote) for quote in quotes)
        sentence = any(topic.search(kin.whole(quote, said)) for quote in quotes)
        if field["id"] not in NOT_BY_SUBJECT and (clause or sentence):
            yield field["id"]


def _of_people(people: Sequence[Member], assessment: Assessment) -> list[str]:
    lines: dict[str, list[str]] = {}
    shown: set[str] = set()
    for member in people:
        others = [one for one in people if one is not member]
        if told := _told_of(member, others, assessment, shown):
            lines.setdefault(told, []).append(_named(member, assessment.get("speaker", "self")))
    # Who is named in the same words shares a line: お父さん、お母さん：「両親と三人です」
    return [f"{'、'.join(names)}：{told}" for told, names in lines.items()]


def _told_of(member: Member, others: Sequence[Member], assessment: Assessment, shown: set[str]) -> str:
    """The troubles of one person, with the words that tell them. `shown`: what stands in a line before; added to."""
    said, fields, writer = assessment.get("said", ""), member.get("fields", ()), member["relation"] == "self"
    quotes = _without(member.get("quotes", ()), _answered(assessment))
    if writer:
        quotes = quotes if fields else _without(quotes, [assessment.get("topics", {}).get("since", "")])
        quotes = _of_writer(quotes, others, said, bool(fields))
        said = "" if any(kin.tells_of_another(kin.whole(quote, said), others) for quote in quotes) else said
    elif member["relation"] != "client" and not (fields and quotes):
        quotes = [own] if (own := kin.own_words(member, said)) else list(member.get("quotes", ()))
    told = _readable(quotes, said, writer or bool(fields), shown)
    if not told and not fields and not writer:
        told = quotes[:1]  # in the words of another line, rather than not at all
    shown.update(told)
    return _matters(fields[:MOST_FIELDS], told)


def _of_writer(quotes: Sequence[str], others: Sequence[Member], said: str, has_fields: bool) -> list[str]:
    """The writer's own words: not those that tell of somebody else, where there are any others."""
    own = [quote for quote in quotes if not kin.tells_of_another(quote, others) and not kin.says_little(quote)]
    apart = [quote for quote in own if _I.search(quote) or not kin.tells_of_another(kin.whole(quote, said), others)]
    return apart or (own if has_fields else [])


def _of_nobody(people: Sequence[Member], assessment: Assessment, lines: Sequence[str]) -> list[str]:
    """The troubles that are told of nobody in particular, where words can be quoted that stand in no line yet."""
    left = [field for field in _left(people, assessment) if field.get("confidence", 1) >= SURE][:MOST_LEFT]
    since = assessment.get("topics", {}).get("since", "")
    quotes = _without(_quotes_of(left), [*_answered(assessment), since, *lines])
    told = [one for one in _readable(quotes, assessment.get("said", ""), True, set()) if not _within(one, lines)][:1]
    named = [field["id"] for field in left if told or _plain(field)]
    return [f"{words().household}：{_matters(named, told)}"] if named else []


def _plain(field: Mapping[str, Any]) -> bool:
    """Whether a trouble is told by its name alone, where its words stand in a line already."""
    return field.get("confidence", 1) >= PLAIN and field["id"] not in HURTS_IF_WRONG


def _of_talk(assessment: Assessment) -> Iterator[str]:
    topics = assessment.get("topics", {})
    tried, wish = topics.get("tried", ""), topics.get("wish", "")
    if tried and _NOT_YET.match(tried.strip("。 ")):
        yield f"{words().tried}：{words().not_yet}"
    elif tried and not _UNSURE.search(tried):
        yield f"{words().tried}：「{shorten(tried, LONGEST_QUOTE)}」"
    if wish and not _UNSURE.search(wish):
        yield f"{words().wish}：「{shorten(wish, LONGEST_QUOTE)}」"


def _left(people: Sequence[Member], assessment: Assessment) -> list[Mapping[str, Any]]:
    of_someone = {field for member in people for field in member.get("fields", ())}
    of_someone |= set() if OF_DEATH & set(urgency(assessment)["kinds"]) else {"suicide"}
    return [field for field in assessment.get("fields", ()) if field["id"] not in of_someone]


def _answered(assessment: Assessment) -> list[str]:
    """What has a line of its own, or is only how and where somebody can be reached."""
    topics = assessment.get("topics", {})
    return [topics[topic] for topic in ("tried", "wish", "contact", "area") if topics.get(topic)]


def _readable(quotes: Iterable[str], said: str, can_do_without: bool, shown: set[str]) -> list[str]:
    """The quotes as they can be read back: whole where they are short and not shown yet, each once; no question to the
    town, and no bare name."""
    told = list(dict.fromkeys(full if (full := kin.whole(quote, said)) not in shown else quote for quote in quotes))
    told = [one for one in told if one and one not in shown and not (can_do_without and _UNREADABLE.search(one))]
    return [one for one in told if not any(one != other and one in other for other in told)][:MOST_QUOTES]


def _without(quotes: Iterable[str], texts: Sequence[str]) -> list[str]:
    return [quote for quote in dict.fromkeys(quotes) if not _within(quote, texts)]


def _within(quote: str, texts: Sequence[str]) -> bool:
    return any(quote in text for text in texts)


def _quotes_of(fields: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (quote for field in fields for quote in field.get("quotes", ()))


def _matters(fields: Iterable[str], quotes: Sequence[str]) -> str:
    named = "、".join(dict.fromkeys(words().fields_plainly.get(field, field) for field in fields))
    own = "".join(f"「{shorten(quote, LONGEST_QUOTE)}」" for quote in quotes)
    return f"{named}。{own}" if named and own else named + own


def _named(member: Member, speaker: str) -> str:
    """What somebody is called, with their age; who tells of a neighbour would not call them 「ご本人」."""
    age, of_neighbor = member.get("age"), member["relation"] == "client" and speaker == "neighbor"
    return (words().someone if of_neighbor else kin.name(member, kindly=True)) + (
        f"（{age}歳）" if age is not None else ""
    )

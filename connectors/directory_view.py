"""What the public pages show: published services and desks, made ready so that templates only lay out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from bot.understanding import Reading, Urgency
from bot.words import words
from connectors.directory_words import easily
from handoff import kb_desks
from handoff.japanese_moments import whole_day
from handoff.kb_desks import Say
from knowledge_base import live, town
from knowledge_base.areas import UNKNOWN, Where
from knowledge_base.desks import opening
from knowledge_base.entries import entries
from knowledge_base.hotlines import choose
from knowledge_base.live import Live
from knowledge_base.vocabulary import Hotline, vocabulary

T = TypeVar("T")

A_PAGE = 100
MOST_BY_NAME, MOST_FIELDS = 5, 3
#: A shorter name would be found in too many sentences, and a longer question in no name.
SHORTEST_NAME, SHORTEST_ASKED, LONGEST_ASKED = 3, 2, 20
#: The fields as people call what troubles them.
FIELDS = {
    "poverty": "生活費や食べ物のこと", "finance": "借金や支払いのこと", "housing": "住まいや家賃のこと",
    "work": "仕事のこと", "child": "子どもや子育てのこと",
    "education": "学校や勉強のこと", "youth": "若い人のこれからのこと",
    "hikikomori": "家から出られないこと", "elderly": "高齢の人や介護のこと", "carer": "家族の世話で疲れたとき",
    "disability": "障害のこと", "medical": "病気や医療費のこと", "health": "こころと体の調子のこと",
    "addiction": "お酒やギャンブルなどのこと", "suicide": "消えたいほど、つらいとき", "abuse": "暴力やこわい思いのこと",
    "isolation": "話す人や居場所のこと", "rights": "お金や契約の管理が心配なとき", "justice": "法律や離婚、相続のこと",
    "consumer": "だまされたかもしれないとき", "multicultural": "外国の人やことばのこと",
    "living": "買い物や移動、ごみ、近所のこと", "community": "地域を手伝いたいとき",
}  # fmt: skip

#: The kinds of danger that a field is about.
DANGERS = {"suicide": ("suicide",), "abuse": ("dv", "child_abuse")}


def fields(say: Say) -> list[tuple[str, str]]:
    """Every field's id and name, in the order in which they are shown."""
    return [(id_, say(name)) for id_, name in FIELDS.items()]


def districts() -> list[tuple[str, str]]:
    """The districts that somebody may choose theirs from."""
    return [(one.id, one.name) for one in live.now().areas.districts]


def all_desks() -> list[Live]:
    """Every desk that is published, by name."""
    return sorted(
        (one for one in live.now().entries.values() if one.kind == "desk"), key=lambda one: str(one.content["name"])
    )


def open_desks(now: datetime) -> list[Live]:
    """Those of them that are open."""
    return [one for one in all_desks() if opening(one.content, now).open]


def page_of(rows: Sequence[T], number: int) -> tuple[Sequence[T], bool]:
    """One page of a long list, and whether there is another."""
    return rows[number * A_PAGE : (number + 1) * A_PAGE], len(rows) > (number + 1) * A_PAGE


def services_of(field: str, say: Say) -> list[dict[str, Any]]:
    """The services of a field, the town's own first."""
    own = [one.id for one in live.now().services if field in one.content.get("fields", ())]
    return [_row(id_, say) for id_ in (*own, *(s.id for s in vocabulary().services.values() if field in s.fields))]


def desk_row(entry: Live, now: datetime, say: Say) -> dict[str, Any]:
    """A desk in a list."""
    return {"id": entry.id, **kb_desks.contact(entry.content, now, say)}


def desk(entry: Live, now: datetime, say: Say) -> dict[str, Any]:
    """A desk with everything that one needs to go there."""
    served = [one for one in entry.content.get("services", ()) if live.now().name(one)]
    return {
        **desk_row(entry, now, say),
        "checked": _day(entry.content.get("checked", "")),
        "served": [_served(one, say) for one in served if one not in live.now().successors],
    }


def service(id_: str, now: datetime, say: Say) -> dict[str, Any] | None:
    """A service in full, one of the town's own or of the contract; None where nobody knows it."""
    own, known, entry = live.now().entries.get(id_), vocabulary().services.get(id_), entries().get(id_)
    if own and own.kind == "service":
        return {**_own(own, say), "desks": _desks(id_, now, say)}
    if known is None:
        return None
    facts = [
        (say("どんな支援か"), entry.what), (say("だれが使えるか"), entry.who), (say("お金"), entry.cost),
        (say("始めかた"), entry.begin), (say("そのあと"), entry.after),
    ] if entry else []  # fmt: skip
    return {
        **_row(id_, say),
        "about": known.about,
        "easy": entry.easy if entry else "",
        "facts": facts,
        "bring": entry.bring if entry else (),
        "law": entry.law if entry else "",
        "sources": entry.source if entry else (),
        "checked": whole_day(entry.checked) if entry and entry.checked else "",
        "note": "", "web": "", "like": None, "of_town": False,
        "desks": _desks(id_, now, say),
        "own": [(one.id, one.content["name"]) for one in live.now().services if one.content.get("like") == id_],
    }  # fmt: skip


def search(reading: Reading, text: str, where: Where, now: datetime, say: Say) -> dict[str, Any]:
    """What is found in somebody's words: by their names, and by what they tell."""
    asked = _plain(text)
    named = [one for one in _all_services() if _fits(asked, _names(one))][:MOST_BY_NAME]
    found = [
        one for one in dict.fromkeys([*named, *(found.id for found in reading.services)])
        if one not in live.now().entries or live.now().areas.rank(live.now().entries[one].content, where) is not None
    ]  # fmt: skip
    desks = [one for one in all_desks() if _fits(asked, [one.content["name"]])][:MOST_BY_NAME]
    age = next((member.age for member in reading.members if member.relation == "self"), None)
    return {
        "danger": danger(reading.urgency, age, [one.id for one in reading.fields], now, say),
        "services": [{**_row(one, say), "desks": _desks(one, now, say, where)} for one in found],
        "desks": [desk_row(one, now, say) for one in desks],
        "fields": [(id_, say(FIELDS[id_])) for id_ in _fields_in(asked, reading)],
        "tells": reading.tells,
    }


def danger(urgency: Urgency, age: int | None, fields: Iterable[str], now: datetime, say: Say) -> dict[str, Any] | None:
    """The helplines for the danger that somebody's words tell of; None where they tell of none."""
    if urgency.level == "none":
        return None
    immediate = urgency.level == "immediate"
    chosen = choose(urgency.kinds, age=age, language="ja", now=now, fields=fields, immediate=immediate)
    spoken = words("ja-easy" if say is easily else "ja").hotlines
    return {"intro": spoken["urgent" if immediate else "intro"], "lines": hotlines(chosen, say)}


def lines_of(field: str, now: datetime, say: Say) -> list[dict[str, str]]:
    """The helplines of a field: by the danger that it is about, where it is about one."""
    kinds = DANGERS.get(field, ())
    return hotlines(choose(kinds, age=None, language="ja", now=now, fields=[field]), say)


def hotlines(chosen: Iterable[Hotline], say: Say) -> list[dict[str, str]]:
    """Helplines as they are shown. Only numbers that somebody has checked."""
    easy = words("ja-easy").lines if say is easily else None
    return [
        {
            "name": easy["names"].get(line.id, line.name) if easy else line.name,
            "number": line.number,
            "facts": "・".join(filter(None, [
                (easy["phrases"].get(line.hours, "") if easy else line.hours) if line.hours_checked else "",
                (easy["free"] if easy else "無料") if line.free else "",
            ])),
        }
        for line in chosen if line.number_checked
    ]  # fmt: skip


def heir(id_: str) -> tuple[str, str] | None:
    """Where to go instead of what has been retired: address and name."""
    after = live.now().successors.get(id_, "")
    entry, known = live.now().entries.get(after), vocabulary().services.get(after)
    if entry:
        return f"/directory/{entry.kind}s/{after}", str(entry.content["name"])
    return (f"/directory/services/{after}", known.ja) if known else None


def _row(id_: str, say: Say) -> dict[str, Any]:
    """A service in a list."""
    entry = entries().get(id_)
    about = entry.easy if entry and say is easily else kb_desks.about(id_)
    return {"id": id_, "name": live.now().name(id_), "about": about}


def _own(entry: Live, say: Say) -> dict[str, Any]:
    content, like = entry.content, entry.content.get("like", "")
    areas = live.now().areas.names(content.get("areas", ()))
    labels = (("who", say("だれが使えるか")), ("cost", say("お金")), ("begin", say("始めかた")))
    return {
        "id": entry.id, "name": content["name"], "about": content.get("about", ""), "easy": "",
        "facts": [
            *([(say("だれのため"), say("{area}に住む人", area="・".join(areas)))] if areas else []),
            *((label, content[name]) for name, label in labels if content.get(name)),
        ],
        "bring": town.lines(content.get("bring", "")), "law": "", "sources": (),
        "checked": _day(content.get("checked", "")), "note": content.get("note", ""), "web": content.get("web", ""),
        "like": (like, live.now().name(like)) if like in vocabulary().services else None, "own": [], "of_town": True,
    }  # fmt: skip


def _desks(service: str, now: datetime, say: Say, where: Where = UNKNOWN) -> list[dict[str, Any]]:
    return kb_desks.nearest(service, now, where, say)[:A_PAGE]


def _served(service: str, say: Say) -> dict[str, Any]:
    """A service as its desk's page shows it: with what to bring."""
    own, entry = live.now().entries.get(service), entries().get(service)
    bring = town.lines(own.content.get("bring", "")) if own else list(entry.bring) if entry else []
    return {**_row(service, say), "bring": bring}


def _all_services() -> list[str]:
    return [*(one.id for one in live.now().services), *vocabulary().services]


def _names(service: str) -> list[str]:
    entry = entries().get(service)
    return [live.now().name(service), *(entry.names if entry else ())]


def _fields_in(asked: str, reading: Reading) -> list[str]:
    """The fields that somebody named, and those that their words tell of."""
    named = [
        one.id for one in vocabulary().fields.values()
        if any(len(part) >= SHORTEST_ASKED and part in asked for part in _plain(one.ja).split("・"))
    ]  # fmt: skip
    return list(dict.fromkeys([*named, *(one.id for one in reading.fields)]))[:MOST_FIELDS]


def _fits(asked: str, names: Iterable[str]) -> bool:
    """Whether somebody wrote a name, or a part of it."""
    part = SHORTEST_ASKED <= len(asked) <= LONGEST_ASKED
    return any(
        (len(name) >= SHORTEST_NAME and name in asked) or (part and asked in name) for name in map(_plain, names)
    )


def _plain(text: str) -> str:
    return "".join(town.folded(text).split())


def _day(written: str) -> str:
    return whole_day(datetime.fromisoformat(written)) if written else ""

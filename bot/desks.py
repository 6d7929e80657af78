"""Who asks for a desk is told it: 「生活保護の窓口はどこ」. What is told comes from the town's knowledge base alone.

Which service is meant is looked for in the names of services and desks, then in what the understanding finds in the
message, then in what it found before. Where none is sure the resident is asked; nothing is made up.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.answers import asks_back
from bot.understanding import Assessment, Reading
from bot.understanding.assessment import ServiceFinding
from bot.words import Words
from knowledge_base import desks
from knowledge_base.areas import Where
from knowledge_base.live import Live, Published
from knowledge_base.town import week_in_runs
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN

#: At most so many desks in one answer, and services to choose from.
MOST, MOST_CHOICES = 2, 3
#: From here on a service is what the message means; down to here it may be, and is offered, unless it is called by its
#: name somewhere; what was found earlier in the talk must be surer, since nothing in the message says so.
MEANT, PERHAPS, SURE = 0.6, 0.25, 0.7
#: Nobody is shown to a desk for these unless they name it: who reads along would know.
UNNAMED = frozenset({"abuse", "suicide"})
#: A name of a service so long fills a sentence by itself.
LONGEST_NAME = 24

_WHERE = re.compile(
    r"どこ(?!か|も|にも|でも|まで|となく)|何課|どの課|なん?の課|何番|なんばん|何時|なんじ|場所|ばしょ|住所|電話番号|でんわばんごう|"
    r"番号|連絡先|窓口|まどぐち|問い?合わせ|(?:あい|開い|やっ)て(?:い?ま|る|い)|土日|土曜|日曜"
)
_ASKS = re.compile(
    r"(?:[?？]|か|の|ん|かな|かなあ|だろう|でしょう|って|は|どこ|(?:何時|なんじ|いつ)(?:まで|から)?|何番|教えて|おしえて|知りたい(?:です)?|しりたい(?:です)?|"
    r"ください|下さい|ほしい(?:です)?|番号|窓口|まどぐち|場所|住所|連絡先|(?:行け|いけ|すれ|聞け|話せ)ば(?:いい|よい|ええ))$"
)
_SENTENCE = re.compile(r"(?<=[。！!?？\n])")
_GOES = re.compile(
    r"どこ(?:の[^。]{1,8})?(?:に|へ|で|さ|から)?[^。]{0,8}(?:相談|電話|聞|きけ|行(?!った(?!ら))|いけ|いったら|申|手続|連絡|頼|話せ)"
)
#: What is left of a question when these are taken away names what is asked for.
_EMPTY = re.compile(
    r"どこ|何課|何番|何時|場所|住所|電話番?号?|番号|連絡先?|窓口|問合?|合|土日|土曜日?|日曜日?|平日|相談|申請|手続|市役所|役所|役場|"
    r"区役所|町|市|課|係|担当|教|知|行|聞|話|開|閉|今|明日|日|時間|予約|必要|近|人|場|方|ところ|所|支援|福祉|制度|サービス|ください|センター"
)
_NOUN = re.compile(r"[一-鿿々ァ-ヶー]{2,}")


@dataclass(frozen=True)
class Told:
    """Desks of one service. `called`: the service's name; "" where the desk was asked for by its own."""

    called: str
    desks: tuple[Live, ...]


@dataclass(frozen=True)
class Asked:
    """The desk that a message may ask for. `state`: none, found, missing (the town has entered none), which (it is not
    clear which; `choices`: names that may be meant). `plainly`: no guess is needed to hear that it is asked for."""

    state: str = "none"
    plainly: bool = False
    told: tuple[Told, ...] = ()
    more: bool = False
    choices: tuple[str, ...] = ()


NOT_ASKED = Asked()


def look(
    published: Published,
    text: str,
    reading: Reading,
    before: Assessment,
    now: datetime,
    *,
    expected: bool,
    heard: bool,
    own: Words,
) -> Asked:
    """What is asked for, and what the town knows of it. `expected`: we asked which desk it is. `heard`: a message in
    another language asks for one."""
    written = re.sub(r"[ \t　]+", "", text)
    asking = [one for one in _SENTENCE.split(written) if _WHERE.search(one)]
    if not (asking or expected or heard):
        return NOT_ASKED
    asks = heard or any(_ASKS.search(one.strip("。！!\n")) or asks_back(one) for one in asking)
    goes = heard or (asks and any(_GOES.search(one) for one in asking))
    by_name = desks.named(published, "".join(asking) or text)
    if goes and not (by_name.services or by_name.desks):
        by_name = desks.named(published, text)
    where = published.areas.where(before.topics.get("area", ""))
    services = by_name.services or tuple((id_, "") for id_ in _in_language(text, own))
    if services or by_name.desks:
        return _told(published, services, by_name.desks, now, where, plainly=asks or expected)
    called = [id_ for id_, _ in desks.named(published, text).services]
    likely = [one for one in reading.services if one.score >= (PERHAPS if one.id in called else MEANT)]
    if likely:
        return _told(published, [(one.id, "") for one in likely], (), now, where, plainly=goes or expected)
    if perhaps := _names(published, (one.id for one in reading.services if one.score >= PERHAPS)):
        return Asked("which", goes, choices=perhaps) if not expected else NOT_ASKED
    if any(_NOUN.search(_EMPTY.sub(" ", one)) for one in asking):
        return Asked("missing", plainly=heard)
    if known := [(one.id, "") for one in sure(before.services)]:
        return _told(published, known, (), now, where, plainly=heard)
    return NOT_ASKED if expected else Asked("which", plainly=heard)


def without_wish(reading: Reading, asked: Asked) -> Reading:
    """Who asks for a desk wishes to know it, and that is all: 「教えてください」 is not how they want it to be."""
    if asked.state == "none" or not (asked.plainly or not reading.tells):
        return reading
    return replace(reading, topics={topic: told for topic, told in reading.topics.items() if topic != "wish"})


def sure(services: Iterable[ServiceFinding]) -> list[ServiceFinding]:
    """Those that were surely found and may be named without being asked for by name."""
    return [one for one in services if one.score >= SURE and not UNNAMED & set(fields_of(one.id))]


def fields_of(service: str, published: Published | None = None) -> Sequence[str]:
    """The fields of a service of the contract or of the town."""
    known = vocabulary().services.get(service)
    own = published.entries.get(service) if published else None
    return known.fields if known else own.content.get("fields", ()) if own else ()


def blocks(asked: Asked, own: Words, now: datetime) -> Iterator[str]:
    """The message that tells the desks, or nothing."""
    told = [_block(one, own, now) for one in asked.told]
    if told:
        yield "\n\n".join([*told, *([own.desks["more"]] if asked.more else [])])


def contact(desk: Live, own: Words, now: datetime) -> list[str]:
    """Name, address, number, hours and whether it is open, a line each; what is not known is left out."""
    known, phrases = desk.content, own.desks
    lines = [known["name"], known.get("address", ""), reached(desk, own), *hours(desk, own)]
    if known.get("hours") and known.get("holidays") != "open":
        lines.append(phrases["holidays"])
    return [line for line in (*lines, opening(desk, own, now)) if line]


def reached(desk: Live, own: Words) -> str:
    """The desk's number, or its page where it has none."""
    known = desk.content
    return str(own.desks["phone"].format(phone=known["phone"]) if known.get("phone") else known.get("web", ""))


def hours(desk: Live, own: Words) -> list[str]:
    """The hours in words, a line each: 月〜金 8:30〜17:15."""
    days, phrases = own.desks["days"], own.desks
    return [
        f"{phrases['beside'].join(_run(run, days, phrases['to']) for run in runs)} {_spans(spans, phrases)}"
        for runs, spans in week_in_runs(desk.content)
    ]


def opening(desk: Live, own: Words, now: datetime) -> str:
    """Whether it is open now, and until when, or when it opens next; "" where nobody knows."""
    found, here = desks.opening(desk.content, now), now.astimezone(JAPAN)
    if found.until:
        return str(own.desks["open"].format(until=own.clock(found.until)))
    return str(own.desks["shut"].format(opens=own.opening_time(found.next, here))) if found.next else ""


def _told(
    published: Published,
    services: Sequence[tuple[str, str]],
    by_name: Sequence[Live],
    now: datetime,
    where: Where,
    *,
    plainly: bool,
) -> Asked:
    told, shown, more = [], {desk.id for desk in by_name[:MOST]}, len(by_name) > MOST
    if by_name:
        told.append(Told("", tuple(by_name[:MOST])))
    called = [name for _, name in services]
    each = MOST if len(services) == 1 else 1
    for id_, name in services:
        serving = [desk for desk in desks.serving(published, id_, now, where) if desk.id not in shown]
        here = serving[: min(each, MOST - len(shown))]
        if here:
            shown |= {desk.id for desk in here}
            own = name if name and called.count(name) == 1 else published.name(desks.successor(published, id_))
            told.append(Told(own, tuple(here)))
            more = more or (len(serving) > len(here) and len(services) == 1)
    return Asked("found" if told else "missing", plainly, tuple(told), more)


def _block(told: Told, own: Words, now: datetime) -> str:
    phrases, long = own.desks, len(told.called) > LONGEST_NAME
    intro = phrases["of"].format(service=told.called) if told.called and not long else phrases["here"]
    return "\n\n".join(["\n".join([intro, *contact(told.desks[0], own, now)]),
                        *("\n".join(contact(desk, own, now)) for desk in told.desks[1:])])  # fmt: skip


def _names(published: Published, services: Iterable[str]) -> tuple[str, ...]:
    may = [id_ for id_ in services if not UNNAMED & set(fields_of(id_, published))]
    return tuple(published.name(id_) for id_ in may)[:MOST_CHOICES]


def _in_language(text: str, own: Words) -> list[str]:
    """Services called by a name that the resident's language has for them."""
    if own.talk is None:
        return []
    said = text.casefold()
    return [id_ for id_, names in own.talk.services.items() if any(name.casefold() in said for name in names)]


def _run(run: Sequence[int], days: Sequence[str], to: str) -> str:
    return f"{days[run[0]]}{to}{days[run[-1]]}" if len(run) > 1 else days[run[0]]


def _spans(spans: Sequence[Sequence[str]], phrases: dict[str, str]) -> str:
    return phrases["and"].join(f"{start}{phrases['to']}{end}" for start, end in spans)

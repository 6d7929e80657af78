"""「こんな窓口もあります」: at the end, at most three services that were surely found, with why. Never to send off.

Not to who is in danger, nor where somebody at home may read along; not to an agency, and not to who wants a person,
wants only to be heard, or wants no other desk to know. Once in a conversation.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot import desks
from bot.answers import may_be_seen
from bot.talk import DANGER_KINDS, Talk
from bot.understanding import Assessment
from bot.understanding.assessment import ServiceFinding
from bot.words import Words
from handoff.words import words as handoff_words
from knowledge_base.desks import named as named_in
from knowledge_base.desks import only_one_serving, successor
from knowledge_base.live import Live, Published
from knowledge_base.vocabulary import vocabulary

MOST = 3
#: What people call a service is often a part of its name: 「包括」, 「ハローワーク」.
_NOUN = re.compile(r"[一-鿿々]{2,}|[ァ-ヶー]{4,}")
#: What stands in one name alone, and yet calls no service: 「学校に話した」 is not フリースクール・学校外の居場所.
_EVERYDAY = frozenset({"学校", "電話", "相手", "女性"})
#: A trouble must be as sure as the service: what is said as its reason was told.
SURE_FIELD = desks.SURE
#: Of what danger there may be a hint: want, and illness. Everything else is no moment for a list.
MAY = frozenset({*DANGER_KINDS["need"], *DANGER_KINDS["medical"]})

_ONLY_HEARD = re.compile(
    r"(?:聞い|きい|話し|はなし|書い|相談し)(?:て|た)?[^。\n]{0,10}(?:だけ|もらえれば|くれれば|もらえたら|くれたら)|"
    r"(?:窓口|紹介|案内|制度|支援|役所)[^。\n]{0,8}(?:いら(?:ない|ん)|いりません|必要ない|必要ありません|けっこうです|結構です|"
    r"ほしくない|行きたくない|行きたくありません)"
)


@dataclass(frozen=True)
class Offer:
    """One service, the field that is its reason, and its desk where the town has entered one."""

    name: str
    field: str
    desk: Live | None


def choose(published: Published, talk: Talk, assessment: Assessment, now: datetime) -> tuple[Offer, ...]:
    """What to name at the end, surest first, each for another trouble; often nothing."""
    if talk.told_services or talk.wants_person or not _may(assessment):
        return ()
    told = {field.id for field in assessment.fields if field.confidence >= SURE_FIELD}
    known = _known(published, assessment)
    where = published.areas.where(assessment.topics.get("area", ""))
    offers: dict[str, Offer] = {}
    for found in _own_first(desks.sure(assessment.services), assessment):
        id_ = successor(published, found.id)
        if known(id_):
            continue
        fields = [field for field in desks.fields_of(id_, published) if field in told and field not in offers]
        if fields and len(offers) < MOST and not desks.UNNAMED & set(desks.fields_of(id_, published)):
            desk = only_one_serving(published, id_, now, where)
            offers[fields[0]] = Offer(published.name(id_), fields[0], desk)
    return tuple(offers.values())


def message(offers: tuple[Offer, ...], own: Words, now: datetime) -> Iterator[str]:
    """The list, or nothing."""
    if offers:
        shown: set[str] = set()
        listed = ["\n".join(_one(offer, shown, own, now)) for offer in offers]
        yield "\n\n".join([own.offers["intro"], *listed, own.offers["close"]])


def _may(assessment: Assessment) -> bool:
    quiet = set(assessment.urgency.kinds) <= MAY and not assessment.urgency.at_least("urgent")
    dangers = desks.UNNAMED & {field.id for field in assessment.fields}
    wants = "\n".join([assessment.said, *assessment.topics.values()])
    if may_be_seen(assessment.said):
        return False
    return quiet and not dangers and assessment.speaker != "agency" and not _ONLY_HEARD.search(wants)


def _own_first(services: list[ServiceFinding], assessment: Assessment) -> list[ServiceFinding]:
    """What is for the one who writes comes first: a boy who cares for his grandmother needs more than her desk."""
    if assessment.speaker != "self":
        return services
    own = {field for member in assessment.members if member.relation == "self" for field in member.fields}
    return sorted(services, key=lambda found: not own & set(desks.fields_of(found.id)[:1]))


def _known(published: Published, assessment: Assessment) -> Callable[[str], bool]:
    """Whether somebody has told of a service by themselves: who turned back at its door is not shown the door again."""
    named = {id_ for id_, _ in named_in(published, assessment.said).services}
    tried = set(filter(_calls_one, _NOUN.findall(assessment.topics.get("tried", ""))))
    return lambda id_: id_ in named or any(noun in published.name(id_) for noun in tried)


def _calls_one(noun: str) -> bool:
    """Whether a noun can call a service: 「相談」, which stands in a quarter of all names, calls none of them."""
    return noun not in _EVERYDAY and sum(noun in service.ja for service in vocabulary().services.values()) <= 1


def _one(offer: Offer, shown: set[str], own: Words, now: datetime) -> Iterator[str]:
    yield own.offers["name"].format(service=offer.name)
    about = own.talk.fields if own.talk else handoff_words().fields_plainly
    yield own.offers["because"].format(about=about[offer.field])
    if offer.desk is None:
        return
    known = offer.desk.content
    if offer.desk.id in shown:
        yield own.offers["same"].format(desk=known["name"])
        return
    shown.add(offer.desk.id)
    yield from filter(None, (known["name"], desks.reached(offer.desk, own), *desks.hours(offer.desk, own)))

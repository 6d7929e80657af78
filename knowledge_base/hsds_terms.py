"""The ids and the taxonomies of our HSDS: what an export writes, and an import knows again.

HSDS has no place for some of what an entry holds (a desk's holidays, the law behind a service): it stands in an
`attribute`, HSDS's own way of saying more, with a term of the taxonomy MARKS and its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from hashlib import sha1
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from knowledge_base.areas import District
from knowledge_base.vocabulary import vocabulary

VERSION = "3.0"
ROOT = uuid5(NAMESPACE_URL, "urn:uketome:hsds")
#: The scheme of a location's `external_identifier`.
OURS = "uketome"
OWN_ID = re.compile(r"town_[0-9a-z_]{1,35}")
DISTRICT_ID = re.compile(r"d[0-9]{1,6}")
#: What a district's description begins with, and what stands between the 町名 in it.
PLACES, PLACE_BETWEEN = "町名など：", "、"

Object = dict[str, Any]

FIELDS, SERVICES, MARKS, DISTRICTS = "fields", "services", "marks", "districts"
TAXONOMIES: Mapping[str, tuple[str, str]] = {
    FIELDS: ("うけとめの分野", "困りごとの分野。町によらず同じです。"),
    SERVICES: ("全国の支援", "どの町にもある支援の種類。町によらず同じです。"),
    MARKS: ("うけとめの項目", "HSDSに欄のない事がらの名前。値は attribute の value に入ります。"),
    DISTRICTS: ("地区", "町を分けた地区。町ごとに違います。"),
}
_MARKS: Mapping[str, tuple[str, str]] = {
    "id": ("うけとめの番号", "この町での番号。"),
    "national": ("全国共通", "法律や国の事業にもとづき、全国どこにでもある支援。"),
    "note": ("覚え書き", "予約のこと、来やすくなるひとこと。"),
    "law": ("根拠", "根拠となる法律や要綱。"),
    "source": ("出典", "内容のもとになった、国や公の機関のページ。"),
    "after": ("そのあと", "始めたあとのこと。"),
    "easy": ("やさしい日本語", "同じ内容を、やさしい日本語で書いたもの。"),
    "serves": ("受ける支援", "窓口が受ける支援の番号。空白で区切ります。"),
    "reach": (
        "だれのためのものか",
        "prefecture は都道府県の人、nation は全国の人。ないときは、町の人。",
    ),
    "area": ("受け持つ地域", "窓口が受け持つ地域。ないときは、町じゅう。"),
    "holidays": ("祝日と年末年始", "closed は休み、open は開いています。"),
    "closed": ("臨時の休み", "schedule の valid_from から valid_to まで休み。値は、その理由。"),
    "checked": ("内容を確かめた日", "だれかが内容を確かめた日。"),
    "web": ("ホームページ", "登録されたとおりのアドレス。"),
    "voice": ("例文", "この支援が必要な人が書きそうな文。検索に使います。"),
}


def shared_id(*parts: str) -> str:
    """An id that is the same in every town."""
    return _id(ROOT, parts)


def town_id(town: str, *parts: str) -> str:
    """An id of one town's own: the same as long as the town keeps its name."""
    return _id(_space(town), parts)


@cache
def _space(town: str) -> UUID:
    return uuid5(ROOT, f"town/{town}")


def _id(space: UUID, parts: tuple[str, ...]) -> str:
    """As `uuid5` has it, which takes ten times as long; a large town has hundreds of thousands of them."""
    made = bytearray(sha1(space.bytes + "/".join(parts).encode(), usedforsecurity=False).digest()[:16])
    made[6], made[8] = made[6] & 0x0F | 0x50, made[8] & 0x3F | 0x80
    code = made.hex()
    return f"{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:]}"


@cache
def taxonomies() -> Mapping[str, Object]:
    """All of them, by id."""
    return {
        id_: {"id": id_, "name": name, "description": about, "version": "1"}
        for id_, (name, about) in ((shared_id("taxonomy", code), told) for code, told in TAXONOMIES.items())
    }


@cache
def terms() -> Mapping[str, Object]:
    """Every term that is the same in every town, by id."""
    names = vocabulary()
    told = {
        FIELDS: {one.id: (one.ja, one.covers) for one in names.fields.values()},
        SERVICES: {one.id: (one.ja, one.about) for one in names.services.values()},
        MARKS: _MARKS,
    }
    return {
        term_id(taxonomy, code): _term(taxonomy, code, name, about)
        for taxonomy, ones in told.items() for code, (name, about) in ones.items()
    }  # fmt: skip


@cache
def known() -> Mapping[str, tuple[str, str]]:
    """Taxonomy and code of each term, by its id."""
    return {
        term_id(taxonomy, code): (taxonomy, code)
        for taxonomy, ones in (
            (FIELDS, vocabulary().fields), (SERVICES, vocabulary().services), (MARKS, _MARKS)
        ) for code in ones
    }  # fmt: skip


def term_id(taxonomy: str, code: str) -> str:
    """The id of a term."""
    return shared_id("term", taxonomy, code)


def attribute(entity: str, link_id: str, taxonomy: str, code: str, value: str = "", at: int = 0) -> Object:
    """A term attached to an entity; `at` tells several of the same term apart."""
    return linked(entity, link_id, taxonomy, terms()[term_id(taxonomy, code)], value, at)


def linked(entity: str, link_id: str, taxonomy: str, term: Object, value: str = "", at: int = 0) -> Object:
    """The same, of a term that only this town has."""
    made: Object = {
        "id": shared_id("attribute", link_id, taxonomy, term["code"], str(at)), "link_id": link_id,
        "link_entity": entity, "taxonomy_term_id": term["id"], "taxonomy_term": term,
    }  # fmt: skip
    return {**made, "value": value} if value else made


def district_term(town: str, district: District) -> Object:
    """A district of a town, with the 町名 in it."""
    about = f"{PLACES}{PLACE_BETWEEN.join(district.spellings)}" if district.spellings else "この町の地区。"
    return {
        **_term(DISTRICTS, district.id, district.name, about), "id": town_id(town, "district", district.id),
    }  # fmt: skip


def district_of(term: Mapping[str, Any], town: str) -> District | None:
    """The inverse of `district_term`; None for another town's, and for what is none. Without `town` anybody's."""
    code, name, about = (term.get(part) for part in ("code", "name", "description"))
    if term.get("taxonomy_id") != shared_id("taxonomy", DISTRICTS) or not isinstance(name, str) or not name.strip():
        return None
    if not isinstance(code, str) or not DISTRICT_ID.fullmatch(code):
        return None
    if town and term.get("id") != town_id(town, "district", code):
        return None
    places = about.removeprefix(PLACES) if isinstance(about, str) and about.startswith(PLACES) else ""
    return District(code, name, tuple(filter(None, places.split(PLACE_BETWEEN))))


def _term(taxonomy: str, code: str, name: str, about: str) -> Object:
    return {
        "id": term_id(taxonomy, code), "code": code, "name": name, "description": about, "language": "ja",
        "taxonomy": TAXONOMIES[taxonomy][0], "taxonomy_id": shared_id("taxonomy", taxonomy),
    }  # fmt: skip

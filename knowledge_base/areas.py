"""The town's districts, which of them somebody who says where they live lives in, and what that narrows.

Nothing is guessed: where two districts fit, or none, the area is unknown, and an unknown area never hides anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

PREFECTURES = (
    "北海道", "青森県", "岩手県", "宮城県", "秋田県", "山形県", "福島県", "茨城県", "栃木県",
    "群馬県", "埼玉県", "千葉県", "東京都", "神奈川県", "新潟県", "富山県", "石川県", "福井県",
    "山梨県", "長野県", "岐阜県", "静岡県", "愛知県", "三重県", "滋賀県", "京都府", "大阪府",
    "兵庫県", "奈良県", "和歌山県", "鳥取県", "島根県", "岡山県", "広島県", "山口県", "徳島県",
    "香川県", "愛媛県", "高知県", "福岡県", "佐賀県", "長崎県", "熊本県", "大分県", "宮崎県",
    "鹿児島県", "沖縄県",
)  # fmt: skip
#: How far an entry reaches: the town (or some of its districts), its prefecture, the whole nation.
REACHES = ("town", "prefecture", "nation")
MOST_CHOME = 60
T = TypeVar("T")

_NUMERALS = {letter: at for at, letter in enumerate("〇一二三四五六七八九")}
_KANJI = "一-龥々〆"
_DASH = re.compile(r"[‐‑‒–—―−ｰ]|(?<=\d)ー(?=\d)")
_KANJI_CHOME = re.compile(r"([一二三四五六七八九]?十?[一二三四五六七八九]?)(?=丁目)")
_SHORT_CHOME = re.compile(rf"(?<=[{_KANJI}ぁ-んァ-ヶ])(\d{{1,2}})(?=-\d)")
_CHOMES = re.compile(r"(.*?[^\d~-])(\d{1,2})(?:丁目)?(?:[~〜-]|から)(\d{1,2})丁目")
_SOME_CHOMES = re.compile(r"(.*?[^\d~・-])(\d{1,2}(?:・\d{1,2})+)丁目")
#: What may stand before a name without making it another one (南栄町 is not 栄町, みなみ本町 not 本町), and behind it
#: (本町田 is not 本町).
_BEFORE = re.compile(rf"(?:^|[^{_KANJI}ぁ-んァ-ヶー]|[市区町村郡県都府道]|[はがをにのでともへや])$")
_BEHIND = re.compile(rf"(?:$|[^{_KANJI}]|[在周付近方小中学駅内側団地番公])")
#: Another town by its own name, of two letters or more. Names in hiragana cannot be told from the words before them:
#: those an admin lists.
_TOWN = re.compile(rf"([{_KANJI}ァ-ヶー]{{2,6}}市)(?![内外場民役営立])")
_NO_TOWN = ("都市", "朝市", "青空市")


@dataclass(frozen=True, slots=True)
class District:
    """A part of the town. `spellings`: how else people call it, and the 町名 that belong to it, as typed."""

    id: str
    name: str
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Where:
    """Where somebody lives, as far as it is known. `kind`: unknown, district, elsewhere; `name` as the town calls it,
    of another town as it was written."""

    kind: str = "unknown"
    district: str = ""
    name: str = ""


UNKNOWN = Where()


@dataclass(frozen=True)
class Areas:
    """The town and its districts, as an admin has entered them; `number` is the version."""

    number: int = 0
    town: str = ""
    prefecture: str = ""
    neighbours: tuple[str, ...] = ()
    districts: tuple[District, ...] = field(default=())

    def where(self, told: str) -> Where:
        """Where somebody lives who says this. Two districts in it, or a district and another town, are unknown."""
        plain = spelled(told)
        if not plain:
            return UNKNOWN
        here, away = self._districts_in(plain), self._elsewhere_in(plain)
        if away and not here:
            return Where("elsewhere", name=away)
        if len(here) != 1 or away:
            return UNKNOWN
        [district] = here
        return Where("district", district.id, district.name)

    def of(self, district: str) -> Where:
        """The area of a district by its id; unknown where there is none."""
        found = self.by_id.get(district)
        return Where("district", found.id, found.name) if found else UNKNOWN

    def names(self, ids: Iterable[str]) -> list[str]:
        """What districts are called; those that are no more are left out."""
        return [self.by_id[one].name for one in ids if one in self.by_id]

    @cached_property
    def by_id(self) -> Mapping[str, District]:
        """The districts by their ids."""
        return {one.id: one for one in self.districts}

    def rank(self, content: Mapping[str, Any], where: Where) -> int | None:
        """How near an entry is to somebody: less is nearer, None: it is for other districts. 0 for all while the area
        is unknown."""
        reach = content.get("reach") or "town"
        if where.kind == "unknown":
            return 0
        if where.kind == "elsewhere":
            return 0 if reach != "town" else 1
        own = [one for one in content.get("areas", ()) if one in self.by_id] if reach == "town" else []
        return 1 if not own else 0 if where.district in own else None

    def narrowed(self, found: Sequence[T], where: Where, content: Callable[[T], Mapping[str, Any]]) -> list[T]:
        """The entries for somebody who lives there, the nearest first; the others only where nothing else is left."""
        ranks = {at: self.rank(content(one), where) for at, one in enumerate(found)}
        fitting = {at: rank for at, rank in ranks.items() if rank is not None}
        kept = fitting or dict.fromkeys(ranks, 0)
        return [found[at] for at in sorted(kept, key=lambda at: (kept[at], at))]

    def _districts_in(self, plain: str) -> set[District]:
        """The districts whose names stand in it, a name within a longer one left out (本町 in 本町3丁目). None where it
        is not sure that any of them is a name by itself."""
        found = [
            (match.start(), match.end(), district)
            for spelling, district in self._spellings
            for match in re.finditer(re.escape(spelling), plain)
        ]
        longest = [
            (start, end, one) for start, end, one in found
            if not any(a <= start and end <= b and (a, b) != (start, end) for a, b, _ in found)
            and not self._follows_another_town(plain[:start])
        ]  # fmt: skip
        sure = any(_stands_alone(plain, start, end) for start, end, _ in longest)
        return {one for _, _, one in longest} if sure else set()

    def _follows_another_town(self, before: str) -> bool:
        return any(match.end() == len(before) and not self._is_own(match[0]) for match in self._towns_in(before))

    def _elsewhere_in(self, plain: str) -> str:
        """The name of another town or prefecture in it; "" where there is none."""
        return next((match[0] for match in self._towns_in(plain) if not self._is_own(match[0])), "")

    def _towns_in(self, plain: str) -> Iterator[re.Match[str]]:
        """Towns and prefectures, ours and others: first by the names we know, the longer before the shorter."""
        known = list(re.finditer("|".join(map(re.escape, self._others)), plain)) if self._others else []
        yield from known
        if self.town:
            taken = {at for match in known for at in range(*match.span())}
            yield from (
                match for match in _TOWN.finditer(plain)
                if not match[1].endswith(_NO_TOWN) and not taken & set(range(*match.span()))
            )  # fmt: skip

    def _is_own(self, name: str) -> bool:
        """Also where words before it are read into it, as in 現在本市."""
        return name.endswith(spelled(self.town)) if name not in self._named else name == spelled(self.town)

    @cached_property
    def _named(self) -> frozenset[str]:
        """The names of other towns and prefectures."""
        prefectures = [one for one in PREFECTURES if one != self.prefecture] if self.prefecture else []
        return frozenset(filter(None, (*map(spelled, self.neighbours), *prefectures)))

    @cached_property
    def _others(self) -> list[str]:
        own = [spelled(self.town)] if self.town else []
        return sorted((*self._named, *own), key=len, reverse=True)

    @cached_property
    def _spellings(self) -> list[tuple[str, District]]:
        return [
            (one, district) for district in self.districts
            for name in (district.name, *district.spellings) for one in spelled_out(name)
        ]  # fmt: skip


def spelled(text: str) -> str:
    """A place without the differences that people do not mean: width, spaces, 一丁目 and 1丁目, 1-2, ヶ and が."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()
    plain = _DASH.sub("-", plain)
    plain = re.sub(rf"(?<=[{_KANJI}])[ヶケヵ](?=[{_KANJI}])", "が", plain)
    plain = re.sub(rf"(?<=[{_KANJI}])[ノ之](?=[{_KANJI}])", "の", plain)
    plain = _KANJI_CHOME.sub(lambda found: str(_number(found[1])) if found[1] else "", plain)
    return _SHORT_CHOME.sub(r"\1丁目", plain)


def spelled_out(name: str) -> list[str]:
    """栄町1〜3丁目 is three names, 栄町1・3丁目 two."""
    plain = spelled(name)
    short = re.sub("丁目(?=[~〜・-]|から)", "", plain)
    if some := _SOME_CHOMES.fullmatch(short):
        return [f"{some[1]}{int(number)}丁目" for number in some[2].split("・")]
    if chomes := _CHOMES.fullmatch(short):
        first, last = int(chomes[2]), int(chomes[3])
        return [f"{chomes[1]}{number}丁目" for number in range(first, min(last, first + MOST_CHOME) + 1)]
    return [plain] if plain else []


def from_content(number: int, content: Mapping[str, Any]) -> Areas:
    """What is kept in the database (storage/knowledge.py), typed."""
    return Areas(
        number, content.get("town", ""), content.get("prefecture", ""), tuple(content.get("neighbours", ())),
        tuple(District(one["id"], one["name"], tuple(one["spellings"])) for one in content.get("districts", ())),
    )  # fmt: skip


def _number(kanji: str) -> int:
    tens, ten, ones = kanji.partition("十") if "十" in kanji else ("", "", kanji)
    return (_NUMERALS.get(tens, 1) * 10 if ten else 0) + _NUMERALS.get(ones, 0)


def _stands_alone(plain: str, start: int, end: int) -> bool:
    digits_go_on = plain[end - 1].isdigit() and plain[end : end + 1].isdigit()
    fits_behind = plain[:end].endswith("丁目") or bool(_BEHIND.match(plain, end))
    return not digits_go_on and fits_behind and bool(_BEFORE.search(plain[:start]))

"""Desks as HSDS locations, and back: addresses, web addresses, and opening hours as rules of RFC 5545."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from knowledge_base import town
from knowledge_base.entries import DAYS
from knowledge_base.hsds_terms import MARKS, Object, attribute, shared_id, term_id
from knowledge_base.opening import write_spans
from knowledge_base.town import Said

BYDAY = dict(zip(DAYS, ("MO", "TU", "WE", "TH", "FR", "SA", "SU"), strict=True))
_DAY_OF = {code: day for day, code in BYDAY.items()}
#: Hours from then on, in Japan, which has no summer time.
OFFSET, TIMEZONE = "+09:00", 9
HOLIDAYS = {
    "closed": "祝日と年末年始（12月29日から1月3日まで）は休みです。",
    "open": "祝日と年末年始も開いています。",
}
_PREFECTURE = (
    "北海道|東京都|(?:大阪|京都)府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井"
    "|山梨|長野|岐阜|静岡|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎"
    "|熊本|大分|宮崎|鹿児島|沖縄)県"
)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
#: What makes a rule more than every week: nothing that a desk's hours could say.
_NOT_WEEKLY = ("count", "until", "valid_to", "bymonthday", "byweekno", "byyearday")


def address(location_id: str, written: str, town_name: str) -> Object:
    """An address in the parts that are known for sure; what is not known is empty, as the schema wants every part.

    The parts put together again (`written_address`) are what was written, letter for letter.
    """
    parts = re.fullmatch(rf"(?:〒(\d{{3}}-\d{{4}}) )?({_PREFECTURE})?({re.escape(town_name)})?(.*)", written, re.DOTALL)
    code, state, city, rest = (part or "" for part in parts.groups()) if parts else ("", "", "", written)
    made = {"address_1": rest, "city": city, "state_province": state, "postal_code": code}
    if not rest or written_address(made) != written:
        made = {"address_1": written, "city": "", "state_province": "", "postal_code": ""}
    return {
        "id": shared_id("address", location_id), "location_id": location_id, **made, "country": "JP",
        "address_type": "physical",
    }  # fmt: skip


def written_address(parts: Mapping[str, Any]) -> str:
    """The parts in the order in which Japanese write them, none of them twice."""
    get = {name: value.strip() if isinstance(value, str) else "" for name, value in parts.items()}
    street = "".join(filter(None, (raw_text(parts, "address_1"), raw_text(parts, "address_2"))))
    for part in (get.get("city", ""), get.get("state_province", "")):
        street = street if street.startswith(part) else part + street
    code = get.get("postal_code", "")
    return f"〒{code} {street}" if code and code not in street else street


def raw_text(given: Mapping[str, Any], name: str) -> str:
    """A text of an object; "" where there is none."""
    value = given.get(name)
    return value if isinstance(value, str) else ""


def uri(written: str) -> str:
    """A web address in the letters that a URI may have; "" where it cannot be put into them."""
    try:
        parts = urlsplit(written)
        host = (parts.hostname or "").encode("idna").decode()
        port = f":{parts.port}" if parts.port else ""
        path, query, fragment = (_quoted(part) for part in (parts.path, parts.query, parts.fragment))
    except (UnicodeError, ValueError):
        return ""
    if not re.fullmatch(r"[a-z0-9.-]+", host):
        return ""
    return urlunsplit((parts.scheme, host + port, path, query, fragment))


def _quoted(part: str) -> str:
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quote(part, safe="/%:@!$&'()*+,;=-._~?"))


def schedules(location_id: str, content: Mapping[str, Any]) -> list[Object]:
    """The week of a desk, a rule for each span of hours with the days that have it; then the days on which it is shut
    out of turn, each a rule without hours that holds for these days alone."""
    return [*_weekly(location_id, content), *_shut(location_id, content)]


def shut(rules: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[Mapping[str, Any]]]:
    """The days out of turn of what we wrote ourselves, as the form has them; and the other rules."""
    closed = term_id(MARKS, "closed")
    days: list[str] = []
    others: list[Mapping[str, Any]] = []
    for rule in rules:
        attributes = rule.get("attributes")
        marks = [
            one for one in (attributes if isinstance(attributes, list) else ())
            if isinstance(one, Mapping) and one.get("taxonomy_term_id") == closed
        ]  # fmt: skip
        if marks:
            first, last = raw_text(rule, "valid_from"), raw_text(rule, "valid_to")
            days.append(f"{first}〜{last}　{raw_text(marks[0], 'value')}")
        else:
            others.append(rule)
    return days, others


def _shut(location_id: str, content: Mapping[str, Any]) -> Iterator[Object]:
    for at, (first, last, why) in enumerate(content.get("closed_on") or ()):
        id_ = shared_id("shut", location_id, str(at))
        yield {
            "id": id_, "location_id": location_id, "valid_from": first, "valid_to": last,
            "description": f"臨時の休み：{why}" if why else "臨時の休み",
            "attributes": [attribute("schedule", id_, MARKS, "closed", why)],
        }  # fmt: skip


def _weekly(location_id: str, content: Mapping[str, Any]) -> list[Object]:
    days: dict[tuple[str, str], list[str]] = {}
    for day in DAYS:
        for start, end in content.get("hours", {}).get(day, ()):
            days.setdefault((start, end), []).append(day)
    return [
        {
            "id": shared_id("schedule", location_id, start, end), "location_id": location_id, "freq": "WEEKLY",
            "wkst": "MO", "byday": ",".join(BYDAY[day] for day in on), "opens_at": f"{start:0>5}{OFFSET}",
            "closes_at": f"{end:0>5}{OFFSET}", "timezone": TIMEZONE,
            "description": " ".join(town.hours_in_words({"hours": {day: [[start, end]] for day in on}})[0]),
            "notes": HOLIDAYS[content.get("holidays", "closed")],
        }
        for (start, end), on in days.items()
    ]  # fmt: skip


def week(rules: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], list[Said]]:
    """The hours as the form has them, by input; and what could not be read of them."""
    spans: dict[str, set[tuple[str, str]]] = {}
    left_out: list[Said] = []
    for rule in rules:
        days, start, end = _days(rule), _time(rule, "opens_at"), _time(rule, "closes_at")
        if end == "24:00":
            end = "23:59"
        if not days or not start or not end or f"{start:0>5}" >= f"{end:0>5}":
            left_out.append(
                ("受付時間「{rule}」は、毎週の時間として読めないので入れませんでした。", {"rule": _told(rule)})
            )
            continue
        for day in days:
            spans.setdefault(day, set()).add((start, end))
    by_clock = {day: sorted(ones, key=lambda one: f"{one[0]:0>5}") for day, ones in spans.items()}
    return {f"hours-{day}": write_spans(by_clock[day]) for day in DAYS if day in by_clock}, left_out


def _days(rule: Mapping[str, Any]) -> list[str]:
    every = rule.get("interval")
    if rule.get("freq") not in (None, "", "WEEKLY") or any(rule.get(name) for name in _NOT_WEEKLY):
        return []
    if every not in (None, "", 1, "1"):
        return []
    codes = [code.strip().upper() for code in raw_text(rule, "byday").split(",")]
    return [_DAY_OF[code] for code in codes] if all(code in _DAY_OF for code in codes) else []


def _time(rule: Mapping[str, Any], name: str) -> str:
    """A clock time in Japan as 8:30; "" for what is none, or is another place's. Without an offset it is taken as
    Japan's, whatever the standard says of UTC: nobody opens a Japanese desk's day at half past five in the evening."""
    found = _CLOCK.fullmatch(raw_text(rule, name).strip())
    if not found:
        return ""
    offset = (found[3] or "").replace(":", "")
    if (offset and offset != "+0900") or (not offset and rule.get("timezone") not in (None, "", TIMEZONE)):
        return ""
    return f"{int(found[1])}:{found[2]}"


def _told(rule: Mapping[str, Any]) -> str:
    names = ("description", "freq", "byday", "opens_at", "closes_at", "valid_to", "until")
    return " ".join(filter(None, (raw_text(rule, name).strip() for name in names)))[:100] or "―"

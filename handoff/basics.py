"""基本情報: what official forms ask of whom a case is about, read as people write it."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from handoff import access, eras
from handoff.body import Inputs
from handoff.eras import NoDate
from handoff.sheets import Stale
from handoff.tongue import say
from storage.models import Case, Staff
from storage.support import Client
from storage.texts import clean

GENDERS = ("男", "女", "他")
REACH = {"line": "LINE", "web": "ウェブ", "phone": "電話", "visit": "訪問", "letter": "手紙"}
SAFE = {"yes": True, "no": False, "": None}
#: The inputs, and the most characters of each.
LONGEST = {
    "name": 100, "kana": 100, "address": 200, "phone_home": 40, "phone_mobile": 40, "email": 254, "teller_name": 100,
    "teller_phone": 40, "teller_relation": 60, "reach_when": 200,
}  # fmt: skip
PHONES = ("phone_home", "phone_mobile", "teller_phone")
HYPHENS = re.compile("[‐‑‒–—―−ーｰ-]+")
PHONE = re.compile(r"\+?[0-9]+(-[0-9]+)*")


@dataclass
class Basics:
    """The inputs as they stand on the page, and what is wrong with them, by name."""

    values: dict[str, str]
    problems: dict[str, str]
    version: int
    #: What somebody else has saved meanwhile, where it differs, by name.
    theirs: dict[str, str]
    born_on: date | None = None


def shown(session: Session, case: Case) -> Basics:
    """What is known, as the page's inputs hold it."""
    client = session.get(Client, case.id)
    return Basics(_values(client), {}, client.version if client else 0, {}, client.born_on if client else None)


def read(form: Inputs, today: date) -> Basics:
    """What was entered: digits and hyphens made plain, each mistake with its sentence."""
    values = {name: " ".join(clean(form.get(name, "")).split("\n")) for name in LONGEST}
    values["born"] = clean(form.get("born", ""))[:40]
    values["gender"] = form.get("gender", "") if form.get("gender") in GENDERS else ""
    values["reach_by"] = form.get("reach_by", "") if form.get("reach_by") in REACH else ""
    values["reach_safe"] = form.get("reach_safe", "") if form.get("reach_safe") in SAFE else ""
    version = form.get("version", "0")
    found = Basics(values, {}, int(version) if version.isdecimal() and len(version) < 9 else 0, {})
    for name, most in LONGEST.items():
        if len(values[name]) > most:
            found.problems[name] = say("{most}文字までで書いてください。", most=most)
    for name in PHONES:
        _read_phone(found, name)
    _read_email(found)
    _read_birth(found, today)
    return found


def save(session: Session, case: Case, given: Basics, staff: Staff, now: datetime) -> bool:
    """Writes it down; False where nothing changed. Raises Stale, with theirs in `given`. Wants the case held."""
    client = session.get(Client, case.id)
    stands = _values(client)
    if (client.version if client else 0) != given.version:
        given.theirs = {name: text for name, text in stands.items() if text != given.values.get(name, "")}
        given.version = client.version if client else 0
        raise Stale
    if stands == {**given.values, "born": eras.era_date(given.born_on) if given.born_on else ""}:
        return False
    if client is None:
        client = Client(case_id=case.id, version=0, changed_at=now)
        session.add(client)
    for name in (*LONGEST, "gender", "reach_by"):
        setattr(client, name, given.values[name])
    client.born_on, client.reach_safe = given.born_on, SAFE[given.values["reach_safe"]]
    client.changed_at, client.changed_by, client.version = now, staff.id, client.version + 1
    session.flush()
    return True


def _values(client: Client | None) -> dict[str, str]:
    names = (*LONGEST, "gender", "reach_by")
    if client is None:
        return {**dict.fromkeys(names, ""), "born": "", "reach_safe": ""}
    values = {name: str(getattr(client, name) or "") for name in names}
    values["born"] = eras.era_date(client.born_on) if client.born_on else ""
    values["reach_safe"] = {True: "yes", False: "no", None: ""}[client.reach_safe]
    return values


def _read_phone(found: Basics, name: str) -> None:
    """０９０（１２３４）５６７８ as 090-1234-5678. What is no number stays as it was written, with a sentence."""
    given = found.values[name]
    if not given or name in found.problems:
        return
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", HYPHENS.sub("-", given)))
    plain = HYPHENS.sub("-", re.sub(r"[()]", "-", plain)).strip("-")
    digits = re.sub(r"\D", "", plain)
    if not PHONE.fullmatch(plain) or not 9 <= len(digits) <= 15:
        found.problems[name] = say("電話番号を確かめてください。数字とハイフンで、市外局番から書きます。")
    else:
        found.values[name] = plain


def _read_email(found: Basics) -> None:
    given = unicodedata.normalize("NFKC", found.values["email"]).replace(" ", "")
    if given and not access.EMAIL.fullmatch(given):
        found.problems.setdefault("email", say("メールアドレスを確かめてください。"))
    elif given:
        found.values["email"] = given


def _read_birth(found: Basics, today: date) -> None:
    given = found.values["born"]
    if not given:
        return
    try:
        born = eras.read_date(given)
    except NoDate as wrong:
        found.problems["born"] = say(str(wrong))
        return
    if born > today or eras.age(born, today) > 130:
        found.problems["born"] = say("生年月日を確かめてください。")
    else:
        found.born_on = born

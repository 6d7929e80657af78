"""What a case is found by: marks for the queue's filters (fields, area), and pairs of letters for the search.

Both are kept with the case, in the transaction that changes it, by whichever program part changes it. Japanese has no
spaces, and what people look for has two letters more often than three (滞納, 佐藤): so the index holds pairs of letters
rather than words or trigrams. It needs no extension, whose installation a town's database may not allow.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    column,
    delete,
    event,
    func,
    inspect,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.orm import AttributeState, Mapper, Session

from handoff import corrections
from storage.database import insert_new
from storage.models import Case, Message
from storage.support import Area, CaseMark, CaseWords, Client

#: A shorter term would find nearly every case.
SHORTEST_TERM = 2
MOST_TERMS = 5
LONGEST_SEARCH = 100
#: So many messages and names are looked up and put in order; more are met on a walk (on PostgreSQL).
FEW = 5000
#: Messages that are taken in at once, by a service that has just started.
CATCH_UP = 200
_PLACE = re.compile(
    # うけとめ市 is written in part with kana, of which the last letter is no particle: its 市 is not the place's.
    r"(?:(?<=[ぁ-ん])(?<![はがをにのでともへや])[市区町村])?"
    r"((?:[ぁ-ん]{2,5}(?:が(?=[丘台])|(?=[ヶケ][丘台])))?[一-龥々ァ-ヶー]{1,8}(?:町内|丁目|団地|地区|[市区町村])"
    # さくら町 begins a phrase, or follows its town; となりの町 and ちいさな町 are no names.
    r"|(?:(?<![一-龥々ぁ-んァ-ヶー])|(?<=[市区郡]))[ぁ-ん]{2,6}(?<![はがをにのでともへやない])(?:町内|団地|地区|[町村])"
    r"(?:[一-龥]{1,2}丁目)?)"
)
#: 桜町 says more than うけとめ市, and 桜町二丁目 more than 桜町.
_NARROW = ("丁目", "団地", "町内", "地区", "町", "村", "区", "市")
_KATAKANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


def field_mark(field: str) -> str:
    """What a case with this field is marked by."""
    return f"field:{field}"


def area_mark(area_id: int) -> str:
    """What a case from this area is marked by."""
    return f"area:{area_id}"


def place(told: str) -> str:
    """The narrowest name of a place in what was told; "" where there is none."""
    found = _PLACE.findall(unicodedata.normalize("NFKC", told))
    return min(found, key=lambda name: next(i for i, end in enumerate(_NARROW) if name.endswith(end)), default="")


def letters(told: str) -> str:
    """The letters and digits alone, with the differences gone that people do not type: width, case, kind of kana."""
    plain = unicodedata.normalize("NFKC", told).casefold().translate(_KATAKANA)
    return "".join(one for one in plain if unicodedata.category(one)[0] in "LN")


def grams(told: str) -> str:
    """The pairs of neighbouring letters, in order."""
    plain = letters(told)
    return " ".join(plain[at : at + 2] for at in range(len(plain) - 1)) or plain


def terms(asked: str) -> list[str]:
    """What is looked for: every term must be found."""
    plain = (letters(term) for term in unicodedata.normalize("NFKC", asked[:LONGEST_SEARCH]).split())
    return [term for term in dict.fromkeys(plain) if len(term) >= SHORTEST_TERM][:MOST_TERMS]


def add_words(session: Session, case_id: str, messages: Iterable[Message]) -> None:
    """The words of messages that have come to a case can be searched from now on."""
    rows = [
        {"case_id": case_id, "message_id": message.id, "grams": grams(message.text)}
        for message in messages
        if message.text and message.unsent_at is None
    ]
    if rows:
        session.connection().execute(_ADD, rows)


def forget_words(session: Session, message_id: int) -> None:
    """The words of a message that was taken back are not found any more."""
    session.connection().execute(_FORGET, {"of": message_id})


def catch_up(session: Session, after: int) -> int | None:
    """Takes in messages that came before there was an index, or past it; where to go on, None at the end."""
    unknown = (
        select(Message)
        .where(
            Message.id > after,
            Message.sender == "resident",
            Message.case_id.is_not(None),
            Message.text != "",
            Message.unsent_at.is_(None),
            ~select(CaseWords.id).where(CaseWords.message_id == Message.id).exists(),
        )
        .order_by(Message.id)
        .limit(CATCH_UP)
        .with_for_update()  # so that nobody takes one back while it is read
    )
    messages = session.scalars(unknown).all()
    connection = session.connection()
    for message in messages:
        row = {"case_id": message.case_id, "message_id": message.id, "grams": grams(message.text)}
        connection.execute(insert_new(connection.dialect.name, CaseWords), row)
    for case in session.scalars(select(Case).where(Case.id.in_({message.case_id for message in messages}))):
        renew_marks(connection, case.id, corrections.of(case))
    return messages[-1].id if messages else None


def newest_with(session: Session, asked: Select[Any], term: str) -> Select[Any]:
    """Those of `asked`, which joins CaseWords, that hold the term, the newest first."""
    wanted = grams(term)
    if session.get_bind().dialect.name == "sqlite":
        # In quotes, pairs are found in their order only; what was put between them is letters and digits alone.
        asked = asked.join(_FTS, _FTS.c.rowid == CaseWords.id).where(text("case_words_fts MATCH :pairs"))
        return asked.order_by(_FTS.c.rowid.desc()).params(pairs=f'"{wanted}"')
    # Not LIKE, of which PostgreSQL expects hardly any find, so that it would not walk.
    holds = func.strpos(CaseWords.grams, wanted) > 0
    has_pairs = _pairs(CaseWords.grams).op("@>")(_pairs(literal(wanted)))
    # Few are looked up by the index and put in order; of many, a walk from the newest soon meets enough.
    found = asked.where(holds, has_pairs) if _are_few(session, holds & has_pairs) else asked.where(holds)
    return found.order_by(CaseWords.id.desc())


def _are_few(session: Session, found: ColumnElement[bool]) -> bool:
    met = select(CaseWords.id).where(found).limit(FEW + 1).subquery()
    return (session.scalar(select(func.count()).select_from(met)) or 0) <= FEW


def _pairs(told: ColumnElement[str] | Any) -> ColumnElement[Any]:
    # As the index has it, the blank not a parameter: else it would not be seen to be the same.
    return func.string_to_array(told, literal_column("' '"))


def also_holds(term: str) -> ColumnElement[bool]:
    """Whether any row of the same case holds the term: for the few cases that another term has found."""
    other = CaseWords.__table__.alias("other")
    return (
        select(other.c.id)
        .where(other.c.case_id == CaseWords.case_id, other.c.grams.contains(grams(term)))
        .correlate(CaseWords.__table__)
        .exists()
    )


_FTS = table("case_words_fts", column("rowid"))
_ADD = CaseWords.__table__.insert()  # type: ignore[attr-defined]
_FORGET = delete(CaseWords).where(CaseWords.message_id == bindparam("of"))
_FORGET_NAME = delete(CaseWords).where(CaseWords.case_id == bindparam("of"), CaseWords.message_id.is_(None))
_MARKS = select(CaseMark.mark).where(CaseMark.case_id == bindparam("of"))
_MARK = CaseMark.__table__.insert()  # type: ignore[attr-defined]
_UNMARK = delete(CaseMark).where(
    CaseMark.case_id == bindparam("of"), CaseMark.mark.in_(bindparam("these", expanding=True))
)


# Kept by the mapper, so that no part of the program that changes a case or a client can forget to.


def _assessed(_mapper: Mapper[Any], connection: Connection, case: Case) -> None:
    parts = inspect(case).attrs
    if not (parts.assessment.history.has_changes() or parts.corrected.history.has_changes()):
        return
    before = corrections.laid_over(_before(parts.assessment), _before(parts.corrected))
    now = corrections.laid_over(case.assessment, case.corrected or {})
    if _told(before) != _told(now):
        renew_marks(connection, case.id, now)


def _before(part: AttributeState) -> dict[str, Any]:
    history = part.history
    return (history.deleted[0] if history.deleted else history.unchanged[0] if history.unchanged else None) or {}


def _named(_mapper: Mapper[Any], connection: Connection, client: Client) -> None:
    connection.execute(_FORGET_NAME, {"of": client.case_id})
    names = [grams(name) for name in (client.name, client.kana) if name and letters(name)]
    if names:
        connection.execute(_ADD, [{"case_id": client.case_id, "message_id": None, "grams": name} for name in names])
    found, corrected = connection.execute(
        select(Case.assessment, Case.corrected).where(Case.id == client.case_id)
    ).one()
    renew_marks(connection, client.case_id, corrections.laid_over(found, corrected), client.address or "")


for _moment in ("after_insert", "after_update"):
    event.listen(Case, _moment, _assessed)
    event.listen(Client, _moment, _named)


def renew_marks(connection: Connection, case_id: str, assessment: dict[str, Any], address: str | None = None) -> None:
    """Marks the case by its fields and its area: the client's address where staff have written it down."""
    fields, area = _told(assessment)
    if address is None:
        address = connection.execute(select(Client.address).where(Client.case_id == case_id)).scalar() or ""
    area = place(address) or area
    wanted = {field_mark(field) for field in fields} | ({area_mark(_area(connection, area))} if area else set())
    there = set(connection.execute(_MARKS, {"of": case_id}).scalars())
    if gone := there - wanted:
        connection.execute(_UNMARK, {"of": case_id, "these": list(gone)})
    if new := wanted - there:
        connection.execute(_MARK, [{"case_id": case_id, "mark": mark} for mark in sorted(new)])


def _told(assessment: dict[str, Any]) -> tuple[frozenset[str], str]:
    fields = frozenset(str(field["id"])[:30] for field in assessment.get("fields", ()))
    return fields, place(str(assessment.get("topics", {}).get("area") or ""))


def _area(connection: Connection, name: str) -> int:
    new = connection.execute(insert_new(connection.dialect.name, Area), {"name": name}).scalar()
    return int(new or connection.execute(select(Area.id).where(Area.name == name)).scalar_one())

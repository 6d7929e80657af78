"""支援経過記録: entries of what was done in a case, when, with whom, how long."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from handoff import facts
from handoff.body import Inputs
from handoff.sheets import Stale
from handoff.tongue import say
from handoff.words import words
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN
from storage.models import Case, Staff
from storage.support import SupportRecord
from storage.texts import clean

PAGE = 60
LONGEST_CONTENT, LONGEST_LINE = 5_000, 200
MOST_MINUTES = 24 * 60
INPUT = "%Y-%m-%dT%H:%M"
#: Clocks differ a little; more than that ahead is a slip of the pen.
AHEAD = timedelta(minutes=10)


@dataclass
class Entry:
    """An entry as the page's inputs hold it, and what is wrong with it, by name."""

    at: str = ""
    whom: str = ""
    means: str = ""
    minutes: str = ""
    content: str = ""
    next_plan: str = ""
    visit: str = ""
    letter_left: bool = False
    fields: list[str] = field(default_factory=list)
    version: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    #: What somebody else has saved meanwhile, where it differs: name and text.
    theirs: list[tuple[str, str]] = field(default_factory=list)
    moment: datetime | None = None


def blank(now: datetime) -> Entry:
    """A new one: now."""
    return Entry(at=now.astimezone(JAPAN).strftime(INPUT))


def shown(record: SupportRecord) -> Entry:
    """One that was written before, to be changed."""
    return Entry(
        record.at.astimezone(JAPAN).strftime(INPUT), record.whom, record.means, str(record.minutes), record.content,
        record.next_plan, record.visit or "", record.letter_left, list(record.fields), record.version,
    )  # fmt: skip


def read(form: Inputs, now: datetime) -> Entry:
    """What was entered, each mistake with its sentence."""
    version = form.get("version", "0")
    given = Entry(
        at=form.get("at", "")[:20], whom=" ".join(clean(form.get("whom", "")).split("\n")), means=form.get("means", ""),
        minutes=form.get("minutes", "").translate(str.maketrans("０１２３４５６７８９", "0123456789")).strip()[:10],
        content=clean(form.get("content", "")), next_plan=clean(form.get("next_plan", "")),
        visit=form.get("visit", ""), letter_left="letter_left" in form,
        fields=[one for one in dict.fromkeys(form.all("fields")) if one in vocabulary().fields],
        version=int(version) if version.isdecimal() and len(version) < 9 else 0,
    )  # fmt: skip
    _read_moment(given, now)
    if given.means not in words().means:
        given.means = ""
        given.problems["means"] = say("手段を選んでください。")
    if not given.minutes.isdecimal() or not 0 < int(given.minutes) <= MOST_MINUTES:
        given.problems["minutes"] = say("所要時間は、1分から1,440分（24時間）までの数字で書いてください。")
    if given.means != "visit" or given.visit not in words().visits:
        given.visit, given.letter_left = "", given.letter_left and given.means == "visit"
    if not given.content:
        given.problems["content"] = say("内容を書いてください。")
    for name, most in (("whom", LONGEST_LINE), ("content", LONGEST_CONTENT), ("next_plan", LONGEST_CONTENT)):
        if (long := len(getattr(given, name))) > most:
            given.problems[name] = say(
                "{most}文字までで書いてください。いまは{long}文字です。長いときは、二つの記録に分けられます。",
                most=f"{most:,}", long=f"{long:,}",
            )  # fmt: skip
    return given


def add(session: Session, case: Case, given: Entry, staff: Staff, now: datetime) -> SupportRecord | None:
    """Writes a new entry; None where the very same was written already (the button was pressed twice)."""
    assert given.moment
    same = select(SupportRecord.id).where(
        SupportRecord.case_id == case.id, SupportRecord.staff_id == staff.id, SupportRecord.at == given.moment,
        SupportRecord.means == given.means, SupportRecord.content == given.content,
    )  # fmt: skip
    if session.scalars(same.limit(1)).first():
        return None
    record = SupportRecord(case_id=case.id, staff_id=staff.id, version=0)
    _put(record, given, now)
    session.add(record)
    session.flush()
    return record


def change(record: SupportRecord, given: Entry, now: datetime) -> None:
    """Changes an entry. Raises Stale, with what stands in `given`. Wants the case held."""
    if record.version != given.version:
        given.theirs, given.version = _differing(shown(record), given), record.version
        raise Stale
    _put(record, given, now)


def entry(session: Session, case: Case, record_id: str) -> SupportRecord:
    """One entry of the case. Raises LookupError."""
    found = session.get(SupportRecord, int(record_id)) if record_id.isdecimal() and len(record_id) < 10 else None
    if found is None or found.case_id != case.id:
        raise LookupError(say("その記録は見つかりません。"))
    return found


def page(session: Session, case: Case, before: str = "") -> tuple[list[tuple[SupportRecord, str]], str]:
    """Entries with the names of who wrote them, newest first, and where the next page begins ("" at the end)."""
    wanted = select(SupportRecord, Staff).join(Staff, Staff.id == SupportRecord.staff_id)
    wanted = wanted.where(SupportRecord.case_id == case.id)
    if before.isdecimal() and len(before) < 10 and (last := session.get(SupportRecord, int(before))):
        wanted = wanted.where(tuple_(SupportRecord.at, SupportRecord.id) < (last.at, last.id))
    rows = session.execute(wanted.order_by(SupportRecord.at.desc(), SupportRecord.id.desc()).limit(PAGE + 1)).all()
    found = [(record, staff.called) for record, staff in rows]
    return found[:PAGE], str(found[PAGE - 1][0].id) if len(found) > PAGE else ""


def everything(session: Session, case: Case) -> list[tuple[SupportRecord, str]]:
    """Every entry, oldest first, as it stands on paper."""
    rows = session.execute(
        select(SupportRecord, Staff)
        .join(Staff, Staff.id == SupportRecord.staff_id)
        .where(SupportRecord.case_id == case.id)
        .order_by(SupportRecord.at, SupportRecord.id)
    )
    return [(record, staff.called) for record, staff in rows]


def total(session: Session, case: Case) -> tuple[int, int]:
    """How many entries, and how many minutes in all."""
    counted = select(func.count(), func.coalesce(func.sum(SupportRecord.minutes), 0))
    count, minutes = session.execute(counted.where(SupportRecord.case_id == case.id)).one()
    return count, minutes


def fields_of(case: Case) -> list[str]:
    """The fields that the case has: among which minutes are divided where an entry names none."""
    return [field["id"] for field in facts.seen(case).get("fields") or () if field["id"] in vocabulary().fields]


def _read_moment(given: Entry, now: datetime) -> None:
    try:
        moment = datetime.fromisoformat(given.at).replace(tzinfo=JAPAN)
    except ValueError:
        given.problems["at"] = say("日時を入れてください。")
        return
    if moment > now + AHEAD:
        given.problems["at"] = say("これから先の日時です。記録には、もうあったことを書きます。")
    elif moment.year < 2000:
        given.problems["at"] = say("日時を確かめてください。")
    else:
        given.moment = moment


def _put(record: SupportRecord, given: Entry, now: datetime) -> None:
    assert given.moment
    record.at, record.whom, record.means, record.minutes = given.moment, given.whom, given.means, int(given.minutes)
    record.content, record.next_plan, record.fields = given.content, given.next_plan, given.fields
    record.visit, record.letter_left = given.visit or None, given.letter_left
    record.changed_at, record.version = now, record.version + 1


def _differing(stands: Entry, given: Entry) -> list[tuple[str, str]]:
    names = {"whom": "対象（誰に）", "minutes": "所要時間", "content": "内容", "next_plan": "次の予定", "at": "日時"}
    return [
        (say(label), str(getattr(stands, name)).replace("T", " ")) for name, label in names.items()
        if getattr(stands, name) != getattr(given, name)
    ]  # fmt: skip

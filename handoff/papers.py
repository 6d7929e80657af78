"""The official forms on paper: which cells stand on each sheet (handoff/grid.py), from a case's form."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from handoff import eras, family, grid
from handoff.facts import Facts
from handoff.formbook import Book, FormPlan
from handoff.grid import COLUMNS, LOOKS, Cell, Paper, Row
from handoff.japanese_moments import in_hours
from handoff.sheets import Entry, Sheet
from handoff.words import words
from storage.clock import JAPAN
from storage.models import Case
from storage.support import Client, SupportRecord

NAME = 5
FULL = COLUMNS - NAME
HALF = COLUMNS // 2 - NAME
#: Of a drawing, in points: a third of a page.
DRAWING_MOST = 250.0
MEANS = ("phone", "visit_here", "visit", "accompany", "meeting", "letter")


@dataclass(frozen=True)
class Heading:
    """What stands on every sheet of a case: town, case, and the day on which it was printed."""

    town: str
    case: Case
    printed: datetime

    @property
    def number(self) -> str:
        """What the case is called on paper: it says nothing of anybody."""
        return self.case.id[:8]

    @property
    def day(self) -> str:
        """27 November 2026 as 令和8年11月27日."""
        return eras.era_date(self.printed.astimezone(JAPAN).date())

    def foot(self, form: FormPlan) -> str:
        """At the foot of each page."""
        return f"{form.ja}　ID {self.number}　{self.day}出力"


def title_of(form: FormPlan, case: Case) -> str:
    """The form's name; of 相談受付・申込票, which of its two versions."""
    if form.id == "moushikomi":
        return f"{form.ja}（{'同意あり' if case.share else '同意なし'}）"
    return form.ja


def application(heading: Heading, book: Book, sheet: Sheet, found: Facts) -> list[Paper]:
    """相談受付・申込票: one page; what has no room there goes on on a second sheet (別紙)."""
    entries, foot = sheet.entries, heading.foot(sheet.plan)
    above = [
        *_title(heading, title_of(sheet.plan, heading.case)),
        [
            _name("ID", 3), Cell(heading.number, 5, "short"),
            _name("受付日", 3), Cell(entries["received_on"].value, 6, "short"),
            _name("受付者", 3), Cell(entries["receiver"].value, 4, "short"),
        ],
        *_basic(found, heading.printed),
        *_marks(entries["concerns"]),
        [Cell(sheet.plan.sections[2].ja, COLUMNS, "band")],
    ]  # fmt: skip
    below = list(_consent(book, entries, found))
    width = Paper("", [], "").width
    # Counted as the workbook counts, so that both part at the same place.
    used = sum(grid.heights([*above, *below], width, 0.93)) + 2 * grid.ABOVE
    look = LOOKS["value"]
    room = max(6, int((Paper("", [], "").height - used) // look.leading))
    text = entries["wishes"].value
    here, rest = grid.cut(text, grid.inner_width(COLUMNS, width) * 0.93, look, room)
    if rest:
        here, rest = grid.cut(text, grid.inner_width(COLUMNS, width) * 0.93, look, room - 1)
        here += "\n（別紙につづく）"
    first = Paper(sheet.plan.ja, [*above, [Cell(here, COLUMNS, "value", lines=room)], *below], foot, one_page=True)
    return [first, _attached(heading, sheet.plan, sheet.plan.sections[2].ja, rest)] if rest else [first]


def generic(heading: Heading, sheet: Sheet, found: Facts) -> list[Paper]:
    """Any form as its data file lays it out: name beside value, two short ones in a row."""
    rows = [
        *_title(heading, sheet.plan.ja),
        [_name("ID", 3), Cell(heading.number, 5, "short"), _name("氏名", 3), Cell(_name_of(found.client), 13, "short")],
    ]
    for section in sheet.plan.sections:
        rows.append([Cell(section.ja + (f"（{section.about}）" if section.about else ""), COLUMNS, "band")])
        rows += _pairs([sheet.entries[item.id] for item in section.items], found)
    return [Paper(sheet.plan.ja, rows, heading.foot(sheet.plan))]


def records(heading: Heading, form: FormPlan, found: Facts, kept: Sequence[tuple[SupportRecord, str]]) -> list[Paper]:
    """支援経過記録: a lying page, oldest first; `kept` is each record with the name of who wrote it."""
    spans = (3, 3, 2, 2, 2, 9, 3)
    names = ("日時", "対象（誰に）", "手段", "所要時間", "対応者", "内容", "次の予定")
    head = [
        *_title(heading, form.ja),
        [_name("ID", 3), Cell(heading.number, 3, "short"), _name("氏名", 2), Cell(_name_of(found.client), 6, "short"),
         _name("所要時間の計", 4), Cell(in_hours(sum(record.minutes for record, _ in kept)), 6, "short")],
        [Cell(name, span, "head") for name, span in zip(names, spans, strict=True)],
    ]  # fmt: skip
    rows = [
        [
            Cell(text, span, kind)
            for text, span, kind in zip(
                _record(record, staff), spans, ("small", "small", "centre", "centre", "small", "small", "small"),
                strict=True,
            )
        ]
        for record, staff in kept
    ]  # fmt: skip
    if not rows:
        rows = [[Cell("まだ記録はありません。", COLUMNS, "small")]]
    return [Paper(form.ja, [*head, *rows], heading.foot(form), lying=True, repeated=(len(head) - 1,))]


def _record(record: SupportRecord, staff: str) -> tuple[str, ...]:
    at = record.at.astimezone(JAPAN)
    means = words().means.get(record.means, record.means)
    visit = words().visits.get(record.visit or "", "")
    told = [f"〔訪問：{visit}{'、手紙を残した' if record.letter_left else ''}〕"] if visit else []
    return (
        f"{eras.era_date(at.date())}\n{at.hour}時{at.minute:02}分", record.whom, means, f"{record.minutes}分", staff,
        "\n".join([*told, record.content]), record.next_plan,
    )  # fmt: skip


def _title(heading: Heading, title: str) -> list[Row]:
    return [[Cell(title, COLUMNS, "title")], [Cell(heading.town, COLUMNS, "right")]]


def _name(text: str, span: int, rows: int = 1) -> Cell:
    return Cell(text, span, "name", rows=rows)


def _name_of(client: Client | None) -> str:
    return (client.name + (f"（{client.kana}）" if client.kana else "")) if client else ""


def _basic(found: Facts, printed: datetime) -> Iterator[Row]:
    def told(name: str) -> str:
        return str(getattr(found.client, name)) if found.client else ""

    gender = "　".join(f"{'■' if told('gender') == one else '□'}{one}" for one in ("男", "女", "他"))
    yield [Cell("基本情報（書ける範囲で）", COLUMNS, "band")]
    yield [_name("ふりがな", 4), Cell(told("kana"), 11, "short"), _name("性別", 3), Cell(gender, 6, "short")]
    yield [
        _name("氏名", 4), Cell(told("name"), 11, "short", lines=2),
        _name("生年月日", 3), Cell(_born(found.client, printed), 6, "short", lines=2),
    ]  # fmt: skip
    yield [_name("住所", 4), Cell(told("address"), 20, "short", lines=2)]
    yield [
        _name("電話", 4), _name("自宅", 2), Cell(told("phone_home"), 8, "short"),
        _name("携帯", 2), Cell(told("phone_mobile"), 8, "short"),
    ]  # fmt: skip
    yield [_name("E-mail", 4), Cell(told("email"), 20, "short")]
    yield [
        _name("来談者がご本人以外の場合", 4, rows=2), _name("氏名", 2), Cell(told("teller_name"), 8, "short"),
        _name("電話", 2), Cell(told("teller_phone"), 8, "short"),
    ]  # fmt: skip
    relation = told("teller_relation") or "家族（続柄　　　　）・その他（　　　　　　）"
    yield [_name("ご本人との関係", 5), Cell(relation, 15, "short")]


def _born(client: Client | None, printed: datetime) -> str:
    if client is None or client.born_on is None:
        return "　　　年　　月　　日\n（　　歳）"
    years = eras.age(client.born_on, printed.astimezone(JAPAN).date())
    return f"{eras.era_date(client.born_on)}（{years}歳）"


def _marks(entry: Entry) -> Iterator[Row]:
    """Two columns of items, read downwards."""
    yield [Cell("ご相談の内容（当てはまるものに○、一番お困りのことに◎）", COLUMNS, "band")]
    half = -(-len(entry.ticks) // 2)
    for left in range(half):
        row: Row = []
        for at in (left, left + half):
            if at < len(entry.ticks):
                tick = entry.ticks[at]
                mark = "◎" if tick.id == entry.most else "○" if tick.id in entry.on else ""
                row += [Cell(mark, 2, "mark"), Cell(tick.ja, 10, "short")]
            else:
                row += [Cell("", 2, "mark"), Cell("", 10, "short")]
        yield row


def _consent(book: Book, entries: dict[str, Entry], found: Facts) -> Iterator[Row]:
    given = bool(found.case.share)
    band = "利用申込みと、関係機関との情報共有への同意" if given else "関係機関との情報共有への同意"
    yield [Cell(band, COLUMNS, "band")]
    yield [Cell(book.consent["given" if given else "missing"].strip().replace("\n ", "\n"), COLUMNS, "small")]
    if given:
        yield [_name("年月日", 4), Cell(entries["consent_on"].value or "令和　　年　　月　　日", 8, "short"),
               _name("署名", 3), Cell("", 9, "short", lines=2)]  # fmt: skip
    yield [_name("情報共有の根拠", 4), Cell(entries["ground"].value, 20, "note")]


def _attached(heading: Heading, form: FormPlan, name: str, text: str) -> Paper:
    rows = [
        [Cell(f"別紙　{form.ja}", COLUMNS, "title")],
        [_name("ID", 3), Cell(heading.number, 21, "short")],
        [Cell(f"{name}（つづき）", COLUMNS, "band")],
        [Cell(text, COLUMNS, "value")],
    ]
    return Paper("別紙", rows, heading.foot(form))


def _pairs(entries: Sequence[Entry], found: Facts) -> Iterator[Row]:
    """The items of a section, two halves in a row."""
    waiting: Entry | None = None
    for one in entries:
        if one.item.half and waiting:
            yield _half(waiting) + _half(one)
            waiting = None
        elif one.item.half:
            waiting = one
        else:
            if waiting:
                yield [_name(waiting.item.ja, NAME), Cell(waiting.value, FULL, "short")]
                waiting = None
            yield from _drawn(one, found) if one.item.kind == "drawing" else _whole(one)
    if waiting:
        yield [_name(waiting.item.ja, NAME), Cell(waiting.value, FULL, "short")]


def _half(one: Entry) -> Row:
    return [_name(one.item.ja, NAME), Cell(one.value, HALF, "short")]


def _whole(one: Entry) -> Iterator[Row]:
    if one.item.kind == "sign":
        yield [
            _name(one.item.ja, NAME),
            Cell("令和　　年　　月　　日", 7, "short", lines=2),
            _name("署名", 3),
            Cell("", 9, "short"),
        ]
    elif one.item.kind == "checks":
        yield from _boxes(one)
    elif one.ticks:
        boxes = [f"{'■' if tick.id in one.on else '□'}{tick.ja}" for tick in one.ticks]
        told = "\n".join("　　".join(boxes[at : at + 3]) for at in range(0, len(boxes), 3))
        yield [_name(one.item.ja, NAME), Cell(told, FULL, "short")]
    else:
        yield [_name(one.item.ja, NAME), Cell(one.value, FULL, "value", lines=3 if one.item.kind == "long" else 1)]


def _drawn(one: Entry, found: Facts) -> Iterator[Row]:
    """The household as far as it is known, or room to draw it."""
    width = grid.inner_width(FULL, Paper("", [], "").width)
    picture = family.on_paper(found.case, found.client, width, DRAWING_MOST)
    yield [_name(one.item.ja, NAME), Cell("", FULL, "value", lines=one.item.lines, picture=picture)]


def _boxes(one: Entry) -> Iterator[Row]:
    """Three columns of boxes."""
    told = [f"{'■' if tick.id in one.on else '□'}{tick.ja}" for tick in one.ticks]
    told += [""] * (-len(told) % 3)
    for at in range(0, len(told), 3):
        yield [Cell(text, 8, "small") for text in told[at : at + 3]]

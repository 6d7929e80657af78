"""Reads a sheet or a CSV that somebody brought into rows, each with the place where it stood.

A value that a spreadsheet has made of what was typed (a number of a phone, a date of an address) is not guessed back:
the place is named. Dates may be written however offices write them.
"""

import csv
import io
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from handoff import kb_file, kb_sheets
from handoff.eras import NoDate, read_date
from handoff.kb_sheets import Column
from handoff.kb_view import REACHES, STATE_NAMES
from knowledge_base import hsds_read
from knowledge_base.rows import Brought, NotRead, Row, Wrong
from knowledge_base.town import Said, Typed

MOST_ROWS = 20_000
#: Of what an HSDS file has and we have no place for.
MOST_NOTES = 50
MOST_COLUMNS = 60
#: A title may stand above the heads.
HEADS_WITHIN = 5
#: What openpyxl raises over a file that no spreadsheet has written.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, OSError, LookupError, ValueError, TypeError, AttributeError, SyntaxError,
    ArithmeticError, EOFError, RecursionError, AssertionError,
)  # fmt: skip
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3}\d+:[A-Z]{1,3}\d+)\"")
#: Letters that XML cannot hold, as spreadsheets write them.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
#: What our own CSV puts an apostrophe before, so that no spreadsheet runs it.
_GUARDED = re.compile(r"^'+\s*[=+\-@＝＋－＠]")

NO_VALUE = "数式が入っていて、値が保存されていません。セルをコピーし、「値として貼り付け」をしてください。"
DATE_MADE = "日付になっています。書きたかった文字に直してください（セルの表示形式を「文字列」にしてから）。"
ZERO_LOST = (
    "電話番号の先頭の0が消えているようです（{number}）。セルの表示形式を「文字列」にして、0から書き直してください。"
)
NO_DAY = "日付として読めません。2026年4月1日 か 令和8年4月1日 のように書いてください。"

# Of features of a sheet that we do not use anyway.
warnings.filterwarnings("ignore", module=r"openpyxl\.")


@dataclass(frozen=True, slots=True)
class _Fault:
    """A cell without a value that can be read."""

    said: Said


_Value = str | int | float | bool | datetime | date | time | timedelta | _Fault | None
_Lines = Iterator[tuple[int, Sequence[_Value]]]


def read(content: bytes, town: str = "") -> Brought:
    """What the file holds. `town`: whose knowledge base it is brought into. Raises NotRead when nothing can be read."""
    kind = kb_file.kind_of(content)
    if kind == "json":
        return _read_hsds(content, town)
    if kind == "xlsx":
        return _read_xlsx(content)
    if kind == "csv":
        return _read_csv(content)
    raise NotRead(kb_file.NO_TABLE)


def _read_hsds(content: bytes, town: str) -> Brought:
    """Open data lacks what is not open, so that what is missing in it is not gone."""
    rows, districts = hsds_read.read_file(content, town)
    if len(rows) > MOST_ROWS:
        raise NotRead("{most}件までにしてください（いまは{now}件あります）。", most=MOST_ROWS, now=len(rows))
    told = [(row.place, sentence.format(**values)) for row in rows for sentence, values in row.left_out]
    notes: list[Said] = [("{place}：{told}", {"place": place, "told": one}) for place, one in told[:MOST_NOTES]]
    if len(told) > MOST_NOTES:
        notes.append(("入れられないものが、ほかに{n}件あります。", {"n": len(told) - MOST_NOTES}))
    return Brought(rows, notes=notes, foreign=True, districts=districts)


def _read_xlsx(content: bytes) -> Brought:
    brought = Brought()
    try:
        with closing(load_workbook(io.BytesIO(content), read_only=True, data_only=True)) as book:
            formulas = _formulas(content)
            for sheet in book.worksheets:
                if sheet.title in (kb_sheets.GUIDE_NAME, kb_sheets.CHOICES):
                    continue
                lines = _lines(sheet, formulas.get(sheet.title, set()))
                if _take(brought, sheet.title, lines):
                    _say_merged(brought, content, sheet)
                    _note_formulas(brought, sheet.title, formulas)
    except NotRead:
        raise
    except _BROKEN:
        raise NotRead(kb_file.BROKEN) from None
    if not brought.kinds:
        raise NotRead(
            "「町の支援」と「窓口」のどちらの表も見つかりません。表の1行目に、「名前」などの見出しを書いてください。"
        )
    return brought


def _lines(sheet: Any, formulas: set[tuple[int, int]]) -> _Lines:
    for number, row in enumerate(sheet.iter_rows(max_row=1_048_576, max_col=MOST_COLUMNS), start=1):
        values: list[_Value] = [_value(cell) for cell in row]
        if formulas:
            for at, value in enumerate(values):
                if value is None and (number, at + 1) in formulas:
                    values[at] = _Fault((NO_VALUE, {}))
        yield number, values


def _value(cell: Any) -> _Value:
    value: _Value = cell.value
    if isinstance(value, str):
        if cell.data_type == "e":
            return _Fault(("エラー（{error}）になっています。値を書き直してください。", {"error": value}))
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
    return value


def _formulas(content: bytes) -> dict[str, set[tuple[int, int]]]:
    """By sheet, where formulas stand. Their values are what counts; a second look is needed to know that they are."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = [name for name in packed.namelist() if name.startswith("xl/worksheets/")]
        if not any(_FORMULA.search(packed.read(name)) for name in parts):
            return {}
    with closing(load_workbook(io.BytesIO(content), read_only=True)) as book:
        return {
            sheet.title: {
                (number, at)
                for number, row in enumerate(sheet.iter_rows(max_row=1_048_576, max_col=MOST_COLUMNS), start=1)
                for at, cell in enumerate(row, start=1)
                if cell.data_type == "f"
            }
            for sheet in book.worksheets
        }


def _note_formulas(brought: Brought, title: str, formulas: Mapping[str, set[tuple[int, int]]]) -> None:
    if found := sorted(formulas.get(title, ())):
        row, column = found[0]
        brought.notes.append((
            "「{sheet}」の{cell}など{n}か所は数式です。いま見えている値を入れます。",
            {"sheet": title, "cell": f"{get_column_letter(column)}{row}", "n": len(found)},
        ))  # fmt: skip


def _say_merged(brought: Brought, content: bytes, sheet: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        merged = _MERGED.findall(packed.read(sheet._worksheet_path))
    for cells in merged:
        first, last = cells.decode().split(":")
        row = re.sub(r"\D", "", first)
        brought.wrong.append(Wrong(
            _place(sheet.title, int(row)), f"{first}〜{last}",
            "セルが結合されています。結合を解いて、どの行にも値を書いてください。", {},
        ))  # fmt: skip


def _read_csv(content: bytes) -> Brought:
    text, shift_jis = _decode(content)
    brought = Brought(shift_jis=shift_jis)
    head = text.partition("\n")[0]
    tabs = "\t" in head and "," not in head
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if tabs else ",", strict=True)

    def lines() -> _Lines:
        for number, row in enumerate(reader, start=1):
            yield number, [cell[1:] if _GUARDED.match(cell) else cell for cell in row]

    try:
        taken = _take(brought, "", lines())
    except csv.Error:
        raise NotRead(
            'CSVの{line}行目の近くで、引用符（"）の使いかたが違います。"で始まる値は"で閉じ、値の中の"は二つ続けて書いてください。',
            line=reader.line_num,
        ) from None
    if not taken:
        raise NotRead("1行目に、「名前」などの見出しが見つかりません。見出しの行を消さずに、もう一度保存してください。")
    return brought


def _decode(content: bytes) -> tuple[str, bool]:
    """The text, and whether it came in Shift_JIS. Excel's own kinds, told apart by what is there."""
    if content.startswith(kb_file.UTF_16):
        ways: tuple[str, ...] = ("utf-16",)
    else:
        ways = ("utf-8-sig",) if content.startswith(b"\xef\xbb\xbf") else ("utf-8", "cp932")
    at = 0
    for way in ways:
        try:
            return content.decode(way), way == "cp932"
        except UnicodeDecodeError as error:
            at = error.start
    raise NotRead(
        "{line}行目に、読めない文字があります。ExcelでCSV（UTF-8）として保存し直してください。",
        line=content.count(b"\n", 0, at) + 1,
    )


def _take(brought: Brought, title: str, lines: _Lines) -> bool:
    """Reads a table, when it is one of ours."""
    heads, at = _heads(lines)
    kind = kb_sheets.kind_of(title, heads)
    if not kind:
        if any(heads):
            brought.notes.append(("「{sheet}」は、「町の支援」でも「窓口」でもないので読みません。", {"sheet": title}))
        return False
    columns = _columns(brought, kind, title, heads, at)
    brought.kinds.add(kind)
    for number, values in lines:
        texts = [value for value in values if value not in (None, "")]
        if not texts or not any(str(value).strip() for value in texts):
            continue
        brought.rows.append(_row(kind, title, number, columns, values))
        if len(brought.rows) > MOST_ROWS:
            raise NotRead("一度に入れられるのは{most}行までです。ファイルを分けてください。", most=f"{MOST_ROWS:,}")
    return True


def _heads(lines: _Lines) -> tuple[list[str], int]:
    """The line of the heads, and its number: the first with 「名前」, or else the first with anything."""
    first: tuple[list[str], int] = ([], 1)
    for number, values in lines:
        heads = ["" if isinstance(one, _Fault) or one is None else str(one).strip() for one in values]
        if kb_sheets.kind_of("", heads):
            return heads, number
        if any(heads) and not any(first[0]):
            first = heads, number
        if number >= HEADS_WITHIN:
            break
    return first


def _columns(brought: Brought, kind: str, title: str, heads: Sequence[str], number: int) -> dict[int, Column]:
    known, found = kb_sheets.by_head(kind), dict[int, Column]()
    place = _place(title, number)
    for at, head in enumerate(heads):
        if not head:
            continue
        column = known.get(kb_sheets.plain(head))
        if column is None:
            sentence = "この見出しの列はありません。見出しを直すか、いらない列なら消してください。"
            brought.wrong.append(Wrong(place, head[:40], sentence))
        elif column in found.values():
            brought.wrong.append(Wrong(place, head[:40], "同じ見出しの列が二つあります。一つにしてください。"))
        else:
            found[at] = column
    _say_missing(brought, kind, title, place, [column.input for column in found.values()])
    return found


def _say_missing(brought: Brought, kind: str, title: str, place: str, found: Sequence[str]) -> None:
    missing = [column for column in kb_sheets.COLUMNS[kind] if column.input not in found]
    sheet = title or kb_sheets.SHEETS[kind]
    if "name" not in found:
        brought.wrong.append(Wrong(place, "名前", "「名前」の列がありません。"))
    if "id" not in found:
        brought.notes.append(("「{sheet}」に項目番号の列がないので、どの行も新しい項目になります。", {"sheet": sheet}))
    elif missing:
        labels = "、".join(column.label for column in missing if column.input != "name")
        brought.notes.append((
            "「{sheet}」にない列（{columns}）は、いまある項目では、いまの内容のままにします。",
            {"sheet": sheet, "columns": labels},
        ))  # fmt: skip


def _row(kind: str, title: str, number: int, columns: Mapping[int, Column], values: Sequence[_Value]) -> Row:
    texts, wrong = dict[str, str](), dict[str, Said]()
    for at, column in columns.items():
        text, fault = _text(column, values[at] if at < len(values) else None)
        texts[column.input] = text
        if fault:
            wrong[column.input] = fault
    for at, value in enumerate(values):
        if at not in columns and value not in (None, "") and not isinstance(value, _Fault) and str(value).strip():
            wrong.setdefault("", ("{column}列に、見出しのない値があります。", {"column": get_column_letter(at + 1)}))
    state = _chosen(texts, wrong, "state", STATE_NAMES, "公開・下書き・確認待ち・終わり のどれかにしてください。")
    if "holidays" in texts:
        texts["holidays"] = (
            _chosen(texts, wrong, "holidays", kb_sheets.HOLIDAYS, "休み・開いている のどちらかにしてください。")
            or "closed"
        )
    if "reach" in texts:
        texts["reach"] = (
            _chosen(texts, wrong, "reach", REACHES, "町の人・都道府県の人・全国の人 のどれかにしてください。") or "town"
        )
    several = {name: texts.pop(name).split("\n") for name in kb_sheets.SEVERAL if name in texts}
    inputs = {column.input: column.label for column in columns.values()}
    return Row(
        _place(title, number), kind, texts.pop("id", "").strip(), Typed(texts, several), inputs, state, wrong=wrong
    )


def _chosen(texts: dict[str, str], wrong: dict[str, Said], name: str, known: Mapping[str, str], sentence: str) -> str:
    written = unicodedata.normalize("NFKC", texts.get(name, "")).strip()
    found = next((id_ for id_, shown in known.items() if written == shown), "")
    if written and not found:
        wrong.setdefault(name, (sentence, {}))
    return found


def _text(column: Column, value: _Value) -> tuple[str, Said | None]:
    """What stands in a cell, and what is wrong with it."""
    if isinstance(value, _Fault):
        return "", value.said
    if column.input == "checked":
        return _day(value)
    if column.input == "closed_on" and isinstance(value, date):
        return f"{value.year}/{value.month}/{value.day}", None
    text, fault = _plain_text(value)
    if column.input == "phone" and re.fullmatch(r"[2-9]\d{8}|1\d{8,9}|[2-9]\d{9}", unicodedata.normalize("NFKC", text)):
        return text, (ZERO_LOST, {"number": text})
    return text, fault


def _plain_text(value: _Value) -> tuple[str, Said | None]:
    if isinstance(value, datetime | date):
        return "", (DATE_MADE, {})
    if isinstance(value, time | timedelta):
        seconds = value.seconds if isinstance(value, timedelta) else value.hour * 3600 + value.minute * 60
        return f"{seconds // 3600}:{seconds // 60 % 60:02}", None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return "" if value is None else str(value), None


def _day(value: _Value) -> tuple[str, Said | None]:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat(), None
    text = "" if value is None else str(value).strip()
    if not text:
        return "", None
    try:
        return read_date(text).isoformat(), None
    except NoDate:
        return text, (NO_DAY, {})


def _place(title: str, row: int) -> str:
    return f"「{title}」の{row}行目" if title else f"{row}行目"

"""Entries as files: an Excel book with a sheet for each kind and one that explains, and CSV in UTF-8 or Shift_JIS."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation

from handoff import kb_sheets
from handoff.cells import write_text
from handoff.kb_sheets import Column
from handoff.kb_view import REACHES, STATE_NAMES
from knowledge_base import shift_jis
from knowledge_base.vocabulary import vocabulary

#: Where the drop-downs end: room to add.
LAST_ROW = 20_001
#: What a spreadsheet would run, also behind apostrophes that stand there already, so that one can be taken off again.
_FORMULA = re.compile(r"^'*\s*[=+\-@＝＋－＠]")
#: What XML cannot hold is written by its number; so is what only looks like that.
_ESCAPE = re.compile("[\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_TOP = Alignment(wrap_text=True, vertical="top")
_HEAD, _KEEP = "D9E6FF", "E6E6E6"


@dataclass
class Table:
    """The entries of one kind, each a row of texts."""

    kind: str
    rows: list[list[str]]


def as_csv(table: Table, *, in_shift_jis: bool = False) -> bytes:
    """UTF-8 with the mark that Excel needs, or Shift_JIS with 〓 for what it lacks."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.head for column in kb_sheets.COLUMNS[table.kind]])
    writer.writerows([[f"'{text}" if _FORMULA.match(text) else text for text in row] for row in table.rows])
    text = out.getvalue()
    return shift_jis.fit(text).encode("cp932") if in_shift_jis else text.encode("utf-8-sig")


def as_xlsx(tables: Sequence[Table]) -> bytes:
    """A book that explains itself: heads that stay, notes on them, and lists to choose from."""
    book = Workbook(write_only=True)
    for name, bold, colour in (("kb-text", False, ""), ("kb-keep", False, _KEEP), ("kb-head", True, _HEAD)):
        book.add_named_style(_style(name, bold, colour))
    for table in tables:
        _table(book, table)
    _guide(book)
    _choices(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _style(name: str, bold: bool, colour: str) -> NamedStyle:
    fill = PatternFill("solid", fgColor=colour) if colour else PatternFill()
    return NamedStyle(name, font=Font(bold=bold), fill=fill, alignment=_TOP, number_format="@")


def _table(book: Workbook, table: Table) -> None:
    sheet: Any = book.create_sheet(kb_sheets.SHEETS[table.kind])
    columns = kb_sheets.COLUMNS[table.kind]
    sheet.freeze_panes = "E2"
    for at, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = column.width
        if lists := _list(column):
            letter = get_column_letter(at)
            lists.add(f"{letter}2:{letter}{LAST_ROW}")
            sheet.data_validations.append(lists)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{max(2, len(table.rows) + 1)}"
    sheet.append([_head(sheet, column) for column in columns])
    for row in table.rows:
        sheet.append([_cell(sheet, column, text) for column, text in zip(columns, row, strict=True)])


def _head(sheet: Any, column: Column) -> Any:
    cell: Any = WriteOnlyCell(sheet)
    cell.style = "kb-head"
    write_text(cell, column.head)
    cell.comment = Comment(column.help, "うけとめ", width=320, height=110)
    return cell


def _cell(sheet: Any, column: Column, text: str) -> Any:
    keep = column.input in ("id", "version")
    if not text and not keep:
        return None
    cell: Any = WriteOnlyCell(sheet)
    cell.style = "kb-keep" if keep else "kb-text"
    if column.input == "checked" and text >= "1901":
        cell.value, cell.number_format = date.fromisoformat(text), "yyyy/m/d"
    elif column.input == "version" and text:
        cell.value, cell.number_format = int(text), "0"
    else:
        write_text(cell, _ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    return cell


def _list(column: Column) -> DataValidation | None:
    """What may be chosen in a column."""
    known = {"state": STATE_NAMES, "holidays": kb_sheets.HOLIDAYS, "reach": REACHES}
    chosen = known[column.input].values() if column.input in known else None
    if chosen is not None:
        formula = f'"{",".join(chosen)}"'
    elif column.input == "like":
        formula = f"{quote_sheetname(kb_sheets.CHOICES)}!$B$2:$B${len(vocabulary().services) + 1}"
    else:
        return None
    return DataValidation(
        "list", formula1=formula, allow_blank=True, showErrorMessage=True, errorTitle=column.label,
        error="一覧から選んでください。",
    )  # fmt: skip


def _guide(book: Workbook) -> None:
    sheet: Any = book.create_sheet(kb_sheets.GUIDE_NAME)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 96
    for row in _guide_rows():
        cells = []
        for text in row:
            cell: Any = WriteOnlyCell(sheet)
            cell.style = "kb-head" if len(row) == 2 and row[1] == "" else "kb-text"
            write_text(cell, text)
            cells.append(cell)
        sheet.append(cells)


def _guide_rows() -> Iterator[tuple[str, str]]:
    yield "この表の使いかた", ""
    yield from (("", line) for line in kb_sheets.GUIDE)
    for kind, columns in kb_sheets.COLUMNS.items():
        yield f"「{kb_sheets.SHEETS[kind]}」の列", ""
        yield from ((column.label, column.help) for column in columns)


def _choices(book: Workbook) -> None:
    """The names that may be written, in a sheet of their own: 23 fields and 96 services are too many for a list."""
    sheet: Any = book.create_sheet(kb_sheets.CHOICES)
    fields = [one.ja for one in vocabulary().fields.values()]
    services = [one.ja for one in vocabulary().services.values()]
    sheet.freeze_panes = "A2"
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 28, 48
    rows = [("分野", "全国の支援"), *((fields[at] if at < len(fields) else "", one) for at, one in enumerate(services))]
    for row in rows:
        cells = []
        for text in row:
            cell: Any = WriteOnlyCell(sheet)
            cell.style = "kb-head" if row is rows[0] else "kb-text"
            write_text(cell, text)
            cells.append(cell)
        sheet.append(cells)

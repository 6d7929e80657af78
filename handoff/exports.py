"""Tables as files for the office's spreadsheets: CSV (UTF-8 with its mark, which Excel needs) and XLSX."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from fastapi import Response
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from handoff.cells import harmless, write_text
from handoff.report_tables import Cell, Table

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NOT_IN_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
LONGEST_SHEET_NAME, WIDEST = 31, 48
HEAD = PatternFill("solid", fgColor="E8EDF7")


def as_csv(table: Table) -> bytes:
    """One table: its heads, its rows, nothing else, so that other programs can read it."""
    return rows_as_csv([[column.name for column in table.columns], *table.rows])


def rows_as_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """The rows as they are, the first of them the heads."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([[harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(about: Sequence[tuple[str, str]], tables: Sequence[Table]) -> bytes:
    """A sheet that says what was counted and how, and one for each table."""
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = "はじめに"
    for row in about:
        first.append([""] * len(row))
        for at, words in enumerate(row, start=1):
            _write(first, first.max_row, at, words)
            first.cell(first.max_row, at).alignment = Alignment(wrap_text=True, vertical="top")
    first.column_dimensions["A"].width, first.column_dimensions["B"].width = 26, 90
    for table in tables:
        _sheet(book, table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def attachment(content: bytes, kind: str, name: str) -> Response:
    """The answer that a browser saves as a file of that name."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return Response(
        content, media_type=kind,
        headers={"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"},
    )  # fmt: skip


def _sheet(book: Workbook, table: Table) -> None:
    sheet = book.create_sheet(_sheet_name(table.title, book.sheetnames))
    for at, column in enumerate(table.columns, start=1):
        _write(sheet, 1, at, column.name)
        head = sheet.cell(1, at)
        head.font, head.fill = Font(bold=True), HEAD
        head.alignment = Alignment(wrap_text=True, vertical="top")
    for at, row in enumerate(table.rows, start=2):
        for place, cell in enumerate(row, start=1):
            _write(sheet, at, place, cell)
    if table.summed and table.rows:
        for cell in sheet[len(table.rows) + 1]:
            cell.font = Font(bold=True)
    for at, column in enumerate(table.columns, start=1):
        names = [column.name, *(str(row[at - 1]) for row in table.rows)]
        width = max((sum(2 if ord(letter) > 0x2FF else 1 for letter in name) for name in names), default=8)
        sheet.column_dimensions[get_column_letter(at)].width = min(WIDEST, max(8, width + 2))
    sheet.freeze_panes = "B2"


def _write(sheet: Worksheet, row: int, column: int, value: Cell) -> None:
    cell: Any = sheet.cell(row, column)
    if isinstance(value, str):
        write_text(cell, value)
    else:
        cell.value = value


def _sheet_name(title: str, taken: Sequence[str]) -> str:
    name = NOT_IN_SHEET_NAME.sub(" ", title)[:LONGEST_SHEET_NAME]
    return name if name not in taken else f"{name[: LONGEST_SHEET_NAME - 3]} {len(taken)}"

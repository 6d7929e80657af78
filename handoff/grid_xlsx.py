"""Sheets of handoff/grid.py as a workbook that prints on A4: merged cells, borders, heights, the print area.

Every cell is text: what somebody wrote can begin with = and is shown as it was written, never calculated.
"""

import io
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from handoff import grid
from handoff.cells import write_text
from handoff.grid import COLUMNS, Look, Paper, Placed

FONT = "BIZ UDPゴシック"
THIN = Side(style="thin", color="000000")
#: Another font than ours may be wider: lines are counted as if the cells were so much narrower.
SLACK = 0.93
#: Columns are counted in digits of the default font. This one is everywhere, or one of the same widths is.
DEFAULT = "Arial"
#: Of a column, in millimetres a digit; a little more than it is, so that the sheet never needs a second page across.
CHARACTER = 1.95
#: So many lines of a long text in one row, where a page is not high.
PIECE_LYING = 6
#: Of a page's height, what we fill: the rest is for printers that have less room.
FILLED = 0.96


def xlsx(title: str, papers: Sequence[Paper]) -> bytes:
    """The sheets as one workbook, a worksheet each."""
    book: Any = Workbook()
    book.remove(book.active)
    # The default font, by which columns are counted, has no public name in openpyxl.
    book._named_styles["Normal"].font = Font(name=DEFAULT, size=10)
    book._fonts[0] = Font(name=DEFAULT, size=10)
    book.properties.title, book.properties.creator = title, ""
    for one in papers:
        _draw(book.create_sheet(one.name[:31]), one)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _draw(sheet: Worksheet, given: Paper) -> None:
    rows = grid.flowing(given.rows, given.width * SLACK, PIECE_LYING if given.lying else grid.MOST_LINES)
    heights = grid.heights(rows, given.width, SLACK)
    pages = [list(range(len(rows)))] if given.one_page else grid.pages(
        rows, heights, given.height * FILLED, given.repeated
    )  # fmt: skip
    for column in range(1, COLUMNS + 1):
        sheet.column_dimensions[get_column_letter(column)].width = given.width / grid.POINTS / COLUMNS / CHARACTER
    for at, height in enumerate(heights):
        sheet.row_dimensions[at + 1].height = round(height, 1)
    ends = {page[-1] for page in pages}
    for one in grid.place(rows):
        _write(sheet, one, closed={one.row, one.row - 1} & ends)
    for end in sorted(ends)[:-1]:
        sheet.row_breaks.append(Break(id=end + 1))
    _set_up(sheet, given, len(rows))


def _write(sheet: Worksheet, one: Placed, closed: set[int]) -> None:
    """One cell. `closed`: at the end of a page (and where the next begins) also a text that goes on has a line."""
    cell, look = one.cell, one.cell.look
    top, left = one.row + 1, one.column + 1
    bottom, right = top + cell.rows - 1, left + cell.span - 1
    over = THIN if not cell.from_above or one.row - 1 in closed else None
    under = THIN if not cell.into_below or one.row in closed else None
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            if look.ruled:
                sheet.cell(row, column).border = Border(
                    left=THIN if column == left else None,
                    right=THIN if column == right else None,
                    top=over if row == top else None,
                    bottom=under if row == bottom else None,
                )
    first: Any = sheet.cell(top, left)
    if cell.text:
        write_text(first, cell.text)
    _dress(first, look)
    if (top, left) != (bottom, right):
        sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)


def _dress(cell: SheetCell, look: Look) -> None:
    cell.font = Font(name=FONT, size=look.size, bold=look.bold)
    cell.alignment = Alignment(horizontal=look.align, vertical="center" if look.middle else "top", wrap_text=True)
    if look.tint:
        cell.fill = PatternFill("solid", fgColor=look.tint)


def _set_up(sheet: Worksheet, given: Paper, rows: int) -> None:
    """A4, as wide as the page; where the form is one page, no higher than it."""
    sheet.print_area = f"A1:{get_column_letter(COLUMNS)}{rows}"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape" if given.lying else "portrait"
    # As wide as the page also where columns come out wider than counted; our page breaks stand all the same.
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 1 if given.one_page else 0
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left = margins.right = 0.6
    margins.top, margins.bottom, margins.header, margins.footer = 0.5, 0.7, 0.3, 0.35
    footer: Any = sheet.oddFooter
    footer.left.text, footer.right.text = given.foot.replace("&", "&&"), "&P / &N"
    footer.left.size = footer.right.size = 8
    if given.repeated:
        first, last = given.repeated[0] + 1, given.repeated[-1] + 1
        sheet.print_title_rows = f"{first}:{last}"
        sheet.freeze_panes = f"A{last + 1}"
    sheet.sheet_view.showGridLines = False

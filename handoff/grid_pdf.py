"""Sheets of handoff/grid.py as a PDF: every row as high as was measured, every page closed with a line."""

import io
from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor, black
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from handoff import grid, paper
from handoff.grid import ABOVE, COLUMNS, SIDE, Paper, Picture, Placed

LEFT, TOP, FOOT = 18 * mm, 14 * mm, 9 * mm
SMALLEST = 0.75
#: In the place of a character that the font has not, as printers have always done.
MISSING = "〓"


def pdf(title: str, papers: Sequence[Paper]) -> bytes:
    """The sheets as one document, its pages counted."""
    paper.styles()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    canvas.setTitle(title)
    sheets = [_Sheet(one) for one in papers]
    pages = sum(len(sheet.pages) for sheet in sheets)
    number = 0
    for sheet in sheets:
        for page in sheet.pages:
            number += 1
            sheet.draw(canvas, page, f"{number} / {pages}")
            canvas.showPage()
    canvas.save()
    return out.getvalue()


class _Sheet:
    def __init__(self, given: Paper) -> None:
        self.paper = given
        self.rows = grid.flowing(given.rows, given.width, piece=1, sentences=False)
        self.heights = grid.heights(self.rows, given.width)
        self.placed = grid.place(self.rows)
        # What is one page stays one, a little smaller where it must be.
        self.scale = max(SMALLEST, min(1.0, given.height / sum(self.heights))) if given.one_page else 1.0
        self.pages = grid.pages(self.rows, self.heights, given.height / self.scale, given.repeated)

    def draw(self, canvas: Canvas, page: list[int], number: str) -> None:
        """One page."""
        size = landscape(A4) if self.paper.lying else A4
        canvas.setPageSize(size)
        canvas.setFont(paper.TEXT, 8)
        canvas.drawString(LEFT, FOOT, self.paper.foot)
        canvas.drawRightString(size[0] - LEFT, FOOT, number)
        canvas.translate(LEFT + self.paper.width * (1 - self.scale) / 2, size[1] - TOP)
        canvas.scale(self.scale, self.scale)
        tops, y = {}, 0.0
        for at in page:
            tops[at] = y
            y -= self.heights[at]
        for one in self.placed:
            if one.row in tops:
                self._draw_cell(canvas, one, tops[one.row], first=one.row == page[0], last=one.row == page[-1])

    def _draw_cell(self, canvas: Canvas, one: Placed, top: float, *, first: bool, last: bool) -> None:
        cell, look = one.cell, one.cell.look
        unit = self.paper.width / COLUMNS
        left, right = one.column * unit, (one.column + cell.span) * unit
        bottom = top - sum(self.heights[one.row : one.row + cell.rows])
        if look.tint:
            canvas.setFillColor(HexColor(f"#{look.tint}"))
            canvas.rect(left, bottom, right - left, top - bottom, stroke=0, fill=1)
            canvas.setFillColor(black)
        if look.ruled:
            canvas.setLineWidth(0.5)
            canvas.line(left, top, left, bottom)
            canvas.line(right, top, right, bottom)
            if first or not cell.from_above:
                canvas.line(left, top, right, top)
            if last or not cell.into_below:
                canvas.line(left, bottom, right, bottom)
        if cell.picture:
            self._show(canvas, cell.picture, left, top)
        self._write(canvas, one, left, right, top, bottom)

    def _show(self, canvas: Canvas, picture: Picture, left: float, top: float) -> None:
        image = ImageReader(io.BytesIO(picture.png))
        canvas.drawImage(image, left + SIDE, top - ABOVE - picture.height, picture.width, picture.height)

    def _write(self, canvas: Canvas, one: Placed, left: float, right: float, top: float, bottom: float) -> None:
        look = one.cell.look
        font = paper.BOLD if look.bold else paper.TEXT
        lines = grid.wrap(one.cell.text, right - left - 2 * SIDE, look)
        canvas.setFont(font, look.size)
        over = 0.0 if one.cell.from_above else ABOVE
        if look.middle and not one.cell.from_above and not one.cell.into_below:
            over = (top - bottom - len(lines) * look.leading) / 2
        y = top - over - look.leading / 2 - look.size * 0.36
        for line in lines:
            told = "".join(one if one == " " or _has(one, font) else MISSING for one in line)
            if look.align == "center":
                canvas.drawCentredString((left + right) / 2, y, told)
            elif look.align == "right":
                canvas.drawRightString(right - SIDE, y, told)
            else:
                canvas.drawString(left + SIDE, y, told)
            y -= look.leading


def _has(character: str, font: str) -> bool:
    face: Any = pdfmetrics.getFont(font)
    return ord(character) in face.face.charToGlyph

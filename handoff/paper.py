"""Paper: PDF on A4 with the Japanese font embedded (BIZ UDPGothic, made to be read easily), from where npm put it."""

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

from storage.settings import ROOT

FONTS = ROOT / "node_modules/@expo-google-fonts/biz-udpgothic"
TEXT, BOLD = "BIZUDPGothic", "BIZUDPGothic-Bold"
TEXT_FILE = FONTS / "400Regular/BIZUDPGothic_400Regular.ttf"
BOLD_FILE = FONTS / "700Bold/BIZUDPGothic_700Bold.ttf"


@cache
def styles() -> dict[str, ParagraphStyle]:
    """title, head, text, small and right, in the embedded font; lines break as Japanese lines do."""
    pdfmetrics.registerFont(TTFont(TEXT, TEXT_FILE))
    pdfmetrics.registerFont(TTFont(BOLD, BOLD_FILE))

    def style(name: str, font: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
        return ParagraphStyle(name, fontName=font, fontSize=size, leading=leading, wordWrap="CJK", **more)

    return {
        "title": style("title", BOLD, 15, 21, alignment=1, spaceAfter=4 * mm),
        "head": style("head", BOLD, 10.5, 15, spaceBefore=4 * mm, spaceAfter=1.5 * mm),
        "text": style("text", TEXT, 10, 15.5),
        "small": style("small", TEXT, 8, 11.5),
        "right": style("right", TEXT, 10, 15.5, alignment=2),
    }


def words(text: str, style: str = "text") -> Paragraph:
    """A paragraph of plain text: what looks like markup in it is text, and its line breaks stay."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Paragraph(safe.replace("\n", "<br/>"), styles()[style])


def grid(rows: Sequence[Sequence[Flowable]], widths: Sequence[float], *, heads: bool = True) -> Table:
    """A ruled table, its widths in millimetres; with `heads` the first column is tinted as names of the rows."""
    table = Table([list(row) for row in rows], colWidths=[width * mm for width in widths])
    ruled: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    if heads:
        ruled.append(("BACKGROUND", (0, 0), (0, -1), colors.HexColor("#f2f2f2")))
    table.setStyle(TableStyle(ruled))
    return table


def pdf(title: str, parts: Sequence[Flowable], foot: str = "") -> bytes:
    """The document: A4, 18 mm margins, `foot` and the page's number at the bottom of each page."""
    styles()
    out = io.BytesIO()

    def at_foot(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(TEXT, 8)
        canvas.drawString(18 * mm, 9 * mm, foot)
        canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, str(canvas.getPageNumber()))

    document = SimpleDocTemplate(
        out, pagesize=A4, title=title, author="", leftMargin=18 * mm, rightMargin=18 * mm, topMargin=16 * mm,
        bottomMargin=18 * mm,
    )  # fmt: skip
    document.build(list(parts), onFirstPage=at_foot, onLaterPages=at_foot)
    return out.getvalue()

"""Text in a spreadsheet's cell: kept from being taken for a formula (=cmd()), and from what XML cannot hold.

Names of desks, people and places come from many hands, and whoever opens the file trusts it.
"""

import re
from typing import Any

#: What a spreadsheet may take for the beginning of a formula, also in full width.
_FORMULA = re.compile(r"^[\s\x00-\x1f]*[=+\-@＝＋－＠]")
#: What a worksheet's XML cannot hold.
_NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")


def harmless(text: str) -> str:
    """The text as a CSV may hold it: what a spreadsheet would run begins with an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text


def write_text(cell: Any, text: str) -> None:
    """Writes text as text into an openpyxl cell, whatever it begins with, also when somebody edits the cell later."""
    cell.value = _NO_XML.sub("", text)
    cell.data_type = "s"
    cell.quotePrefix = bool(_FORMULA.match(text))

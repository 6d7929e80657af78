"""Text in Shift_JIS as Windows has it (cp932): what it lacks is never lost without a word."""

from difflib import SequenceMatcher

#: In the place of a letter that Shift_JIS lacks, as printers set it where a letter was missing.
LACKING = "〓"
#: The same signs under two numbers: Windows knows only the second. 〜 stands in every desk's hours.
TWINS = str.maketrans({"〜": "～", "−": "－", "‖": "∥", "—": "―", "¢": "￠", "£": "￡", "¬": "￢"})


def fit(text: str) -> str:
    """The text with twins changed, and LACKING for whatever else Shift_JIS lacks."""
    text = text.translate(TWINS)
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return "".join(one if fits(one) else LACKING for one in text)
    return text


def lacks(text: str) -> list[str]:
    """The letters that Shift_JIS lacks, each once, in order."""
    return list(dict.fromkeys(one for one in text.translate(TWINS) if not fits(one)))


def fits(text: str) -> bool:
    """Whether Shift_JIS has every letter, as it stands."""
    try:
        return text.encode("cp932").decode("cp932") == text
    except UnicodeError:
        return False


def restore(text: str, before: str) -> str:
    """A text that came back in Shift_JIS, with the lines that nobody changed as they were before."""
    if text == fit(before):
        return before
    were, lines = before.split("\n"), text.split("\n")
    fitted = [fit(line) for line in were]
    for block in SequenceMatcher(None, fitted, lines, autojunk=False).get_matching_blocks():
        lines[block.b : block.b + block.size] = were[block.a : block.a + block.size]
    return "\n".join(lines)

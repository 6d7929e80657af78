"""What of a text is kept: everything that somebody wrote, without what only machines mean."""

import re
import unicodedata

# Control characters except newline and tab. NUL alone would already be refused by PostgreSQL.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with plain newlines and without control characters; halves of characters become U+FFFD.

    Markup, SQL, emoji and the marks of right-to-left writing stay: they are text, and are shown as text.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE_SURROGATE.sub("\ufffd", _CONTROL.sub("", lines)).strip()


def says_something(text: str) -> bool:
    """Whether there is anything to read: not only white space and invisible characters."""
    return any(unicodedata.category(character) not in ("Cc", "Cf", "Zs", "Zl", "Zp") for character in text)

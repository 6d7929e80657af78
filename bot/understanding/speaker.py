"""Who is speaking about whom: the person themself, family, a neighbour, an agency."""

from __future__ import annotations

import re

import numpy as np

from bot.understanding.features import Floats
from bot.understanding.heads import SPEAKERS

ABOUT_OTHERS = ("agency", "neighbor")
SURE_FROM = 0.5  # log-odds by which it must lead that somebody writes of themself or of kin

_ACQUAINTANCE = (
    r"友人|友だち|友達|ともだち|親友|幼なじみ|同期|同僚|後輩|先輩|同級生|ママ友|パパ友|知り合い|知人|[^、。\n]{1,6}仲間|"
    r"(?:職場|バイト|アルバイト|パート)(?:先)?の(?:子|人)|クラスの(?:子|友)"
)
_NEIGHBOUR = (
    r"(?:お?(?:隣|となり)|お?向かい|近所|裏|[上下二三]の?階|三軒(?:先|隣)|同じ(?:階|棟|団地|アパート|寮))"
    r"(?:さん|の[^、。\n]{0,10}(?:方|人|家|宅|さん|子|夫婦|お?じい|お?ばあ|婆|爺|奥|坊や))"
)
_ABOUT_SOMEBODY = re.compile(
    rf"(?:{_ACQUAINTANCE}|{_NEIGHBOUR})[^、。\n]{{0,10}}(?:のこと(?:で(?!も)|なん|を|です|だ)|"
    r"の(?:家|うち|おうち|お宅|ところ)(?:の(?:話|こと)|が|、)|の(?:話|件)(?:で|です|なん|して|$)|(?:が|を)(?:とても|すごく)?心配)",
    re.MULTILINE,
)
_FIRST_SENTENCE = re.compile(r"[^。\n！？]*")


def tells_of_somebody(said: str) -> bool:
    """Whether the first sentence says that somebody outside the family is meant: 「職場の後輩のことで」."""
    first = _FIRST_SENTENCE.match(said.lstrip())
    return bool(first and _ABOUT_SOMEBODY.search(first.group()))


def speaker_of(odds: Floats) -> str | None:
    """ "self", "family", "neighbor" or "agency"; None when the text does not show it. `odds`: of heads.SPEAKERS."""
    of = dict(zip(SPEAKERS, odds.tolist(), strict=True))
    lead = max(of[who] for who in ABOUT_OTHERS) - max(of[who] for who in SPEAKERS if who not in ABOUT_OTHERS)
    return SPEAKERS[int(np.argmax(odds))] if lead >= 0 or lead <= -SURE_FROM else None

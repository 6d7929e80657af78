"""Who is speaking about whom: the person themself, family, a neighbour, an agency."""

from __future__ import annotations

import numpy as np

from bot.understanding.features import Floats
from bot.understanding.heads import SPEAKERS

ABOUT_OTHERS = ("agency", "neighbor")
SURE_FROM = 0.5  # log-odds by which one side must lead: somebody who writes of themself, or of one who is no kin


def speaker_of(odds: Floats) -> str | None:
    """ "self", "family", "neighbor" or "agency"; None when the text does not show it. `odds`: of heads.SPEAKERS."""
    of = dict(zip(SPEAKERS, odds.tolist(), strict=True))
    lead = max(of[who] for who in ABOUT_OTHERS) - max(of[who] for who in SPEAKERS if who not in ABOUT_OTHERS)
    return SPEAKERS[int(np.argmax(odds))] if abs(lead) >= SURE_FROM else None

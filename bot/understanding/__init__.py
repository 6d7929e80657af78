"""Understanding: what a free text tells, with the words it rests on. Pure functions over the text and the index."""

from bot.understanding.assessment import (
    LEVELS,
    TOPICS,
    Assessment,
    FieldFinding,
    FieldRecord,
    Household,
    Member,
    Reading,
    ServiceFinding,
    Urgency,
)
from bot.understanding.understander import Understander

__all__ = [
    "LEVELS",
    "TOPICS",
    "Assessment",
    "FieldFinding",
    "FieldRecord",
    "Household",
    "Member",
    "Reading",
    "ServiceFinding",
    "Understander",
    "Urgency",
]

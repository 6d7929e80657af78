"""What a resident of the bench writes: one ordinary talk, with the metadata that the service sends to Rasa for it."""

from typing import Any

#: Every resident writes this talk and then a new resident comes: Rasa's in-memory tracker never grows long.
TEXTS = (
    "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません",
    "半年くらい前からです",
    "夫と娘と三人です",
    "市役所に電話しましたが、どこに言えばいいかわからなくて切ってしまいました",
    "娘がまた学校に行けるようになってほしいです",
    "ここで大丈夫です",
)

_TOPICS = ("since", "household", "tried", "wish", "contact", "area")
_TELLING = (True, False, False, False, True, False)


def metadata(at: int) -> dict[str, Any]:
    """What the service would tell Rasa about the message at this place of the talk."""
    return {
        "stage": "listening",
        "topic": _TOPICS[at],
        "asked": _TOPICS[at - 1] if at else "none",
        "danger": "none",
        "danger_kind": "none",
        "speaker": "self",
        "tells": _TELLING[at],
        "echo": _TELLING[at],
        "attachment": "none",
        "skips": 0,
    }

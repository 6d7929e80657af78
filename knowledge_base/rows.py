"""One entry as it comes from outside (a sheet, a CSV, an HSDS file), before anybody has looked whether it is right.

Every way in makes these; `knowledge_base.town.read` says what is wrong with them, and only when nothing is are they
written, all together (`knowledge_base.versions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge_base.town import Said, Typed


@dataclass(frozen=True)
class Row:
    """`place`: where it stood, as whoever brought it finds it again (「窓口」の5行目). `id`: "" for a new one.

    `inputs`: what each input of `town.read` is called there (列「電話」), for the sentence on what is wrong with it.
    """

    place: str
    kind: str
    id: str
    typed: Typed
    inputs: Mapping[str, str] = field(default_factory=dict)
    #: published, draft or retired: what the row should become; "" leaves that to whoever brings it in.
    state: str = ""
    #: What stood there and has no place with us, each in a sentence with its values.
    left_out: Sequence[Said] = ()


class NotRead(ValueError):
    """A file cannot be read at all. The sentence, with its values, is for whoever brought it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.said: Said = (sentence, values)

"""One entry as it comes from outside (a sheet, a CSV, an HSDS file), before anybody has looked whether it is right.

Every way in makes these; `knowledge_base.town.read` says what is wrong with them, and only when nothing is are they
written, all together (`knowledge_base.versions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from knowledge_base.areas import District
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
    #: What is wrong where it stood, before `town.read` looks (a formula without a value): by input, a sentence.
    wrong: Mapping[str, Said] = field(default_factory=dict)


class NotRead(ValueError):
    """A file cannot be read at all. The sentence, with its values, is for whoever brought it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.said: Said = (sentence, values)


@dataclass(frozen=True)
class Wrong:
    """What keeps a file from being taken in: where, and a sentence with its values."""

    place: str
    column: str
    sentence: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Brought:
    """A file as it was read. `notes` are what whoever brought it should know; `shift_jis`: it could not hold every
    letter."""

    rows: list[Row] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    notes: list[Said] = field(default_factory=list)
    #: Of which kinds the file has a whole table: what it lacks of them is gone from it.
    kinds: set[str] = field(default_factory=set)
    shift_jis: bool = False
    #: It comes with ids of its own: what nobody here knows by them is new, under that id.
    foreign: bool = False
    #: The town's districts that it knows, by the ids that its rows name them by.
    districts: list[District] = field(default_factory=list)

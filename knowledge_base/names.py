"""What services and fields are called where people write them by name, and which one a name means."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache

from knowledge_base import shift_jis
from knowledge_base.town import folded
from knowledge_base.vocabulary import vocabulary

#: 楽器バンク [town_0123456789]: a name with its id, where the name alone could be another's.
_WITH_ID = re.compile(r".*\[([^\[\]]+)\]", re.DOTALL)
_BETWEEN = re.compile(r"[、,，;；]")


class Names:
    """Of one kind of thing. What is given later does not take a name away from what has it."""

    def __init__(self, known: Iterable[tuple[str, str]]) -> None:
        self._names: dict[str, str] = {}
        self._ids: dict[str, list[str]] = {}
        for id_, name in known:
            self.add(id_, name)

    def add(self, id_: str, name: str) -> None:
        """One more."""
        self._names[id_] = name
        self._ids.setdefault(_plain(name), []).append(id_)

    def know(self, id_: str, name: str) -> None:
        """One more that is meant by its id only: its name is another's already."""
        self._names[id_] = name

    def written(self, id_: str) -> str:
        """The name where it can mean nothing else, with the id where it could."""
        name = " ".join(self._names.get(id_, "").split())
        if self.meant(name) == [id_] and shift_jis.fits(name) and not _WITH_ID.fullmatch(name):
            return name
        return f"{name} [{id_}]".strip()

    def meant(self, text: str) -> Sequence[str]:
        """The ids that a text may mean: one where it is clear, none where nobody knows it."""
        if found := _WITH_ID.fullmatch(text.strip()):
            return [found[1]] if found[1] in self._names else []
        text = text.strip()
        return self._ids.get(_plain(text), [text] if text in self._names else [])

    def read(self, lines: Iterable[str], stood: Collection[str] = ()) -> tuple[list[str], list[str], list[str]]:
        """The ids meant, one a line or several between commas; what nobody knows; and what may mean several.

        An id of `stood` stays, also where nobody knows any more what it was.
        """
        known: list[str] = []
        unknown: list[str] = []
        several: list[str] = []
        for one in self._parts(lines):
            found = _WITH_ID.fullmatch(one)
            meant = [found[1]] if found and found[1] in stood else self.meant(one)
            (known if len(meant) == 1 else several if meant else unknown).append(meant[0] if len(meant) == 1 else one)
        return known, unknown, several

    def _parts(self, lines: Iterable[str]) -> Iterable[str]:
        for line in map(str.strip, lines):
            # A name may have a comma of its own.
            whole = self.meant(line) or _WITH_ID.fullmatch(line)
            yield from [line] if whole else filter(None, map(str.strip, _BETWEEN.split(line)))


def services(own: Iterable[tuple[str, str]]) -> Names:
    """The services of the contract, and the town's own."""
    return Names([*((one.id, one.ja) for one in vocabulary().services.values()), *own])


@cache
def fields() -> Names:
    """The fields of the contract."""
    return Names((one.id, one.ja) for one in vocabulary().fields.values())


def _plain(name: str) -> str:
    return " ".join(folded(name).split())

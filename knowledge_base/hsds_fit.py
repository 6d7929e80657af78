"""Reading what others wrote: any shape of JSON without falling over it, any length of text fitted into our inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge_base import town
from knowledge_base.hsds_places import raw_text
from knowledge_base.town import Said, Typed
from storage.texts import clean

#: Where an object stood in the file, and the object.
Place = tuple[str, Mapping[str, Any]]

TOO_LONG = "「{text}…」は長いので、{most}文字までにしました。"
UNREADABLE = "「{text}」は、こちらの形にならないので入れませんでした。"
SHOWN = 40


def text(given: Mapping[str, Any], name: str) -> str:
    """A text of an object; "" where something else or nothing stands there."""
    return clean(raw_text(given, name))


def objects(given: Mapping[str, Any], name: str, place: str) -> list[Place]:
    """The objects of a list of an object."""
    listed = given.get(name)
    at = f"{place}.{name}" if place else name
    return [(f"{at}[{n}]", one) for n, one in enumerate(listed if isinstance(listed, list) else ()) if _is_object(one)]


class Fitting:
    """Inputs out of somebody else's data, so that `town.read` finds nothing wrong but a missing name."""

    def __init__(self, kind: str, typed: Typed) -> None:
        self.left_out: list[Said] = []
        self._kind, self._most = kind, town.TEXTS[kind]
        self._single = {name: clean(value) for name, value in typed.single.items()}
        if kind == "service":
            self._single["about"] = self._overflow(self._single.get("about", ""))
        for name, most in self._most.items():
            self._single[name] = self._cut(self._single.get(name, ""), most)
        self.typed = Typed(self._single, typed.several)
        self._drop_what_is_wrong()

    def _overflow(self, about: str) -> str:
        """One sentence stands above; what else was told goes under it, with the notes."""
        most = self._most["about"]
        if len(about) <= most:
            return about
        end = max(about.rfind(mark, 0, most) for mark in "。\n") + 1
        if end:
            self._single["note"] = "\n".join(filter(None, (about[end:].strip(), self._single.get("note", ""))))
            return about[:end].strip()
        return about

    def _cut(self, written: str, most: int) -> str:
        if len(written) <= most:
            return written
        self.left_out.append((TOO_LONG, {"text": written[:SHOWN], "most": most}))
        return written[:most].strip()

    def _drop_what_is_wrong(self) -> None:
        for name in town.read(self._kind, self.typed).problems:
            if name != "name":
                self.left_out.append((UNREADABLE, {"text": self._single.pop(name, "")[:SHOWN]}))


def _is_object(one: object) -> bool:
    return isinstance(one, Mapping)

"""What comes in from staff and staff systems, read up to a limit."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

from storage.problems import Problem, body_of

#: Room for the longest answer, percent-encoded.
LONGEST_BODY = 128 * 1024
#: A box for each field, and what else a form of one person asks.
MOST_INPUTS = 40


@dataclass(frozen=True)
class Room:
    """How much a form may bring."""

    inputs: int = MOST_INPUTS
    bytes: int = LONGEST_BODY


SMALL = Room()
#: A table of the town's, some inputs a row.
ROWS = Room(200)
#: An official form: many items, some of them 5,000 characters long, which are nine times as many bytes.
SHEET = Room(1_500, 1536 * 1024)


class Inputs(dict[str, str]):
    """The inputs of a form, by name; of a name that comes several times (checkboxes), `all` has every value."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = list(pairs)
        super().__init__(self._pairs)

    def all(self, name: str) -> list[str]:
        """Every value of that name, in order."""
        return [value for known, value in self._pairs if known == name]


async def read_form(request: Request, room: Room = SMALL) -> Inputs:
    """The inputs of a form, by name; passwords must not be made plain, so nothing is."""
    body = await body_of(request, room.bytes)
    try:
        return Inputs(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=room.inputs))
    except ValueError:
        raise Problem(422, "Unprocessable Content", "送られた内容を読み取れませんでした。") from None


async def read_json(request: Request) -> dict[str, Any]:
    """The body as an object; an empty body is an empty object."""
    body = await body_of(request, LONGEST_BODY)
    try:
        content = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise Problem(422, "Unprocessable Content", "送られた内容を JSON として読み取れませんでした。") from None
    if not isinstance(content, dict):
        raise Problem(422, "Unprocessable Content", "JSON のオブジェクトを送ってください。")
    return content

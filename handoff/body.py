"""What comes in from staff and staff systems, read up to a limit."""

import json
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

from storage.problems import Problem, body_of

#: Room for the longest answer, percent-encoded.
LONGEST_BODY = 128 * 1024
MOST_INPUTS = 200


async def read_form(request: Request) -> dict[str, str]:
    """The inputs of a form, by name; passwords must not be made plain, so nothing is."""
    body = await body_of(request, LONGEST_BODY)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_INPUTS))
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

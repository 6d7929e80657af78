"""The published schemas of HSDS 3, which refer to each other; kept beside the repository, not in it."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from storage.settings import ROOT

FOLDER = ROOT.parent / "shared/contract/hsds"
#: The characters of RFC 3986. Without a package of its own, jsonschema takes any text for a URI.
URI = re.compile(r"[a-z][a-z0-9+.-]*://(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
FORMATS = FormatChecker(["uuid", "email"])
#: What openapi.json says of a page.
PAGE = {"total_items": int, "total_pages": int, "page_number": int, "size": int, "first_page": bool, "last_page": bool,
        "empty": bool, "contents": list}  # fmt: skip

needs_schemas = pytest.mark.skipif(
    not FOLDER.exists(), reason="the schemas of HSDS are not here: ../shared/contract/hsds"
)


@FORMATS.checks("uri")  # type: ignore[untyped-decorator]
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(URI.fullmatch(value))


def complaints(kind: str, given: Any) -> list[str]:
    """What the schema of a kind has against an object, and which of its parts the schema does not know."""
    found = [f"{error.json_path}: {error.message}" for error in _validator(kind).iter_errors(given)]
    return [*found, *_unknown(kind, given, kind)]


def _unknown(kind: str, given: Any, at: str) -> Iterator[str]:
    parts = _schemas()[f"{kind}.json"]["properties"]
    for name, value in given.items():
        schema = parts.get(name)
        if schema is None:
            yield f"{at}.{name} is no part of the schema"
            continue
        refers = schema.get("$ref") or schema.get("items", {}).get("$ref")
        for one in (value if isinstance(value, list) else [value]) if refers else ():
            yield from _unknown(refers.removesuffix(".json"), one, f"{at}.{name}")


@cache
def _validator(kind: str) -> Draft202012Validator:
    found = [(name, Resource.from_contents(one, default_specification=DRAFT202012)) for name, one in _schemas().items()]
    registry: Registry[Any] = Registry().with_resources(found)
    return Draft202012Validator({"$ref": f"{kind}.json"}, registry=registry, format_checker=FORMATS)


@cache
def _schemas() -> Mapping[str, Any]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json")}

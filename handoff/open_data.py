"""What is published, as open data for everybody: HSDS 3 under /open/hsds, where an admin has switched it on.

Pages, names and parameters are those of the standard's openapi.json; a parameter of it that is not known here narrows
nothing. Whoever keeps a copy asks again with the ETag, so that a desk that was closed disappears there too.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import DBAPIError

from handoff.open_data_switch import is_public
from knowledge_base import hsds, live, town
from knowledge_base.hsds import Tables
from knowledge_base.hsds_terms import Object
from storage.database import Database, unavailable
from storage.open_routes import open_route
from storage.problems import Problem
from storage.settings import Settings

HERE = "/open/hsds"
COLLECTIONS = ("services", "organizations", "service_at_locations", "taxonomies", "taxonomy_terms")
A_PAGE, LARGEST_PAGE, LAST_PAGE, LONGEST_SEARCH = 50, 200, 100_000, 100
OFF = "この町は、オープンデータを公開していません。"
NOT_NOW = "いまは応じられません。少し待って、もう一度お試しください。"
NOT_THERE = "その番号のものは、公開されていません。"

# Public to everybody: no cookie is ever looked at. Kept copies must be asked about at each use.
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag",
    "Cache-Control": "public, no-cache",
    "X-Content-Type-Options": "nosniff",
}

OpenRoute = open_route(OPEN, {**OPEN, "Cache-Control": "no-store"})


class Kept:
    """What is published as HSDS, made anew only after it changed."""

    def __init__(self, town: str) -> None:
        self._town = town
        self._tables: tuple[live.Published, Tables] | None = None
        self._file: tuple[Tables, bytes] | None = None

    def tables(self) -> Tables:
        """All tables as they are now."""
        published = live.now()
        if self._tables is None or self._tables[0] is not published:
            self._tables = published, hsds.tables(published, self._town)
        return self._tables[1]

    def file(self) -> bytes:
        """The same in one JSON."""
        tables = self.tables()
        if self._file is None or self._file[0] is not tables:
            self._file = tables, hsds.one_file(tables)
        return self._file[1]


def routes(settings: Settings, database: Database) -> APIRouter:
    """/open/hsds, its collections, and /open/hsds/all.json."""
    router = APIRouter(prefix=HERE, route_class=OpenRoute, include_in_schema=False)
    pages = _Pages(settings, database)
    for path in ("", "/"):
        router.add_api_route(path, pages.about, methods=["GET", "HEAD"])
    router.add_api_route("/all.json", pages.everything, methods=["GET", "HEAD"])
    for name in COLLECTIONS:
        router.add_api_route(f"/{name}", pages.listed(name), methods=["GET", "HEAD"])
        router.add_api_route(f"/{name}/{{id}}", pages.one(name), methods=["GET", "HEAD"])
    return router


class _Pages:
    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database, self._kept = settings, database, Kept(settings.town)

    async def about(self, request: Request) -> Response:
        return await self._answer(request, lambda: _json(hsds.about()))

    async def everything(self, request: Request) -> Response:
        return await self._answer(request, self._kept.file)

    def listed(self, name: str) -> Callable[..., Any]:
        """A collection, page by page."""

        async def route(request: Request) -> Response:
            return await self._answer(
                request, lambda: _json(_Asked(request.query_params).page_of(name, self._kept.tables()))
            )

        return route

    def one(self, name: str) -> Callable[..., Any]:
        """One object of a collection, with all that belongs to it."""

        async def route(request: Request, id: str) -> Response:
            return await self._answer(request, lambda: self._one(name, id))

        return route

    async def _answer(self, request: Request, make: Callable[[], bytes]) -> Response:
        """Made beside the others' requests, as thousands of entries take a while."""
        if not await self._is_public():
            raise Problem(404, "Not Found", OFF)
        return await asyncio.to_thread(lambda: _answer(request, make()))

    async def _is_public(self) -> bool:
        try:
            return await self._database.read(lambda session: is_public(session, self._settings))
        except DBAPIError as error:
            if not unavailable(error):
                raise
            raise Problem(503, "Service Unavailable", NOT_NOW, {"Retry-After": "5"}) from None

    def _one(self, name: str, id_: str) -> bytes:
        tables = self._kept.tables()
        found = _collection(tables, name).get(id_)
        if found is None:
            raise Problem(404, "Not Found", NOT_THERE)
        if name == "organizations":
            services = [one for one in tables.services.values() if one["organization_id"] == id_]
            found = {**found, "services": [{part: one[part] for part in ("id", "name", "status")} for one in services]}
        return _json(found)


class _Asked:
    """What a page is narrowed to. Raises Problem 422 for what cannot be meant."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self._page = _number(query, "page", 1, LAST_PAGE)
        self._per_page = _number(query, "per_page", A_PAGE, LARGEST_PAGE)
        self._full = _one_of(query, "full", "false", ("true", "false")) == "true"
        _one_of(query, "format", "json", ("json",))
        self._words = town.folded(query.get("search", "")).split()
        if len(query.get("search", "")) > LONGEST_SEARCH:
            raise Problem(422, "Unprocessable Content", f"search は{LONGEST_SEARCH}文字までにしてください。")
        self._by = {
            name: query[name] for name in ("organization_id", "taxonomy_id", "taxonomy_term_id") if query.get(name)
        }

    def page_of(self, name: str, tables: Tables) -> Object:
        """The page as the standard has it."""
        fitting = [one for one in _collection(tables, name).values() if self._fits(one, tables)]
        shown = fitting[(self._page - 1) * self._per_page : self._page * self._per_page]
        pages = -(-len(fitting) // self._per_page)
        return {
            "total_items": len(fitting), "total_pages": pages, "page_number": self._page, "size": len(shown),
            "first_page": self._page == 1, "last_page": self._page >= pages, "empty": not shown,
            "contents": shown if self._full else [hsds.bare(one) for one in shown],
        }  # fmt: skip

    def _fits(self, one: Object, tables: Tables) -> bool:
        # A service at a location is looked for by its service.
        about = tables.services.get(one.get("service_id", ""), one)
        text = town.folded("\n".join(about.get(name, "") for name in ("name", "alternate_name", "description")))
        terms = [attribute["taxonomy_term"] for attribute in about.get("attributes", ())] or [about]
        return (
            all(word in text for word in self._words)
            and self._by.get("organization_id", about.get("organization_id")) == about.get("organization_id")
            and any(self._by.get("taxonomy_id", term.get("taxonomy_id")) == term.get("taxonomy_id") for term in terms)
            and any(self._by.get("taxonomy_term_id", term["id"]) == term["id"] for term in terms)
        )


def _collection(tables: Tables, name: str) -> Mapping[str, Object]:
    found: Mapping[str, Object] = getattr(tables, name)
    return found


def _number(query: Mapping[str, str], name: str, otherwise: int, most: int) -> int:
    given = query.get(name)
    if given is None:
        return otherwise
    if given.isascii() and given.isdecimal() and len(given) < 8 and 1 <= int(given) <= most:
        return int(given)
    raise Problem(422, "Unprocessable Content", f"{name} には 1 から {most} までの整数を入れてください。")


def _one_of(query: Mapping[str, str], name: str, otherwise: str, allowed: tuple[str, ...]) -> str:
    given = query.get(name, otherwise)
    if given not in allowed:
        raise Problem(422, "Unprocessable Content", f"{name} に入れられるのは {'、'.join(allowed)} です。")
    return given


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()


def _answer(request: Request, body: bytes) -> Response:
    """The answer, or 304 for whoever has it already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(body, media_type="application/json", headers={"ETag": etag})

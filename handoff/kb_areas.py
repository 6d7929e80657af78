"""The town's districts: which there are, and what else people call them. `/staff/kb/areas`"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from handoff import audit
from handoff.access import SignedIn
from handoff.body import Room
from handoff.kb_pages import HERE, failed
from handoff.moments import day_and_time
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.slips import CHANGED_MEANWHILE, Slip
from handoff.tongue import say
from knowledge_base import live, versions
from knowledge_base.areas import PREFECTURES, Where, spelled, spelled_out
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database, insert_new
from storage.knowledge import KbAreas
from storage.models import Staff
from storage.settings import Settings
from storage.texts import clean

AREAS = f"{HERE}/areas"
FORM = Room(400, 256 * 1024)
MOST, MOST_SPELLINGS, LONGEST, LONGEST_TOLD = 80, 200, 40, 200
#: Empty rows below those that are filled.
MORE_ROWS = 3
_BETWEEN = re.compile(r"[、，,\n]+")


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """The page, its form, and the form that tries an address."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=AREAS, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("", pages.show)
    router.add_api_route("", pages.save, methods=["POST"])
    router.add_api_route("/try", pages.try_one, methods=["POST"])
    return router


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def show(self, request: Request) -> Response:
        done = say("保存しました。すぐに使われます。") if "done" in request.query_params else ""
        return await self._page(request, done=done)

    async def save(self, request: Request) -> Response:
        sent: list[Form] = []

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> None:
            only(who, "admin")
            sent.append(form)
            _save(session, who, form, now)

        try:
            await self._office.change(request, work, FORM)
        except Slip as slip:
            return await self._page(request, slip.status, form=sent[-1], problems=slip.problems)
        self._office.bells.ring(live.BELL)
        return RedirectResponse(f"{AREAS}?done=1", 303)

    async def try_one(self, request: Request) -> Response:
        """Which district somebody who writes this would be taken to live in. Kept nowhere."""

        def work(_session: Session, who: SignedIn, form: Form, _now: datetime) -> str:
            only(who, "admin")
            return clean(form.get("told", ""))[:LONGEST_TOLD]

        told = await self._office.ask(request, work)
        return await self._page(request, told=told, found=_in_words(live.now().areas.where(told)) if told else "")

    async def _page(
        self, request: Request, status: int = 200, *, form: Form | None = None,
        problems: Mapping[str, str] | None = None, done: str = "", told: str = "", found: str = "",
    ) -> Response:  # fmt: skip
        def look(session: Session, who: SignedIn, _now: datetime) -> dict[str, Any]:
            only(who, "admin")
            newest = versions.areas(session)
            stands = _as_form(newest.content if newest else {"town": self._office.settings.town})
            by = session.get(Staff, newest.staff_id) if newest and newest.staff_id else None
            return {
                "who": who, "head": newest.id if newest else 0, "shown": form if form is not None else stands,
                "rows": list(_rows(form if form is not None else stands)),
                "theirs": [row for row in _rows(stands) if row["name"]] if status == 409 else [],
                "by": by.called if by else "", "at": day_and_time(newest.at) if newest else "",
            }  # fmt: skip

        shown = await self._office.look(request, look)
        return page(
            "kb_areas.html", status, here=HERE, tab=AREAS, failed=failed(), problems=problems or {}, done=done,
            prefectures=PREFECTURES, longest=LONGEST, longest_told=LONGEST_TOLD, told=told, found=found, **shown,
        )  # fmt: skip


def _in_words(where: Where) -> str:
    if where.kind == "district":
        return say("{name}の人として、窓口をしぼります。", name=where.name)
    if where.kind == "elsewhere":
        return say("町の外（{name}）の人と読みます。窓口は隠さず、町の人のための窓口だと伝えます。", name=where.name)
    return say("どの地区かは分かりません。窓口はすべて案内します。")


def _save(session: Session, who: SignedIn, form: Form, now: datetime) -> None:
    newest = versions.areas(session)
    number = newest.id if newest else 0
    content = _read(form, newest.content if newest else {})
    if form.get("version") != str(number):
        raise Slip({"": say(CHANGED_MEANWHILE)}, 409)
    values = {"id": number + 1, "content": content, "staff_id": who.staff.id, "at": now}
    new = session.execute(insert_new(session.get_bind().dialect.name, KbAreas).values(values)).scalar()
    if new is None:
        raise Slip({"": say(CHANGED_MEANWHILE)}, 409)
    audit.enter(session, who.staff, "kb_areas", now, detail=str(number + 1))


def _read(form: Form, before: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of the form. Raises Slip with every sentence at once."""
    problems: dict[str, str] = {}
    town, prefecture = clean(form.get("town", "")), form.get("prefecture", "")
    neighbours = _parts(form.get("neighbours", ""))
    if not town or len(town) > LONGEST:
        problems["town"] = say("町の名前を、{most}文字までで書いてください。", most=LONGEST)
    if any(spelled(one) == spelled(town) for one in neighbours):
        problems["neighbours"] = say("この町の名前は、となりの市町村には入れないでください。")
    if len(neighbours) > MOST_SPELLINGS or any(not 2 <= len(one) <= LONGEST for one in neighbours):
        problems["neighbours"] = say("となりの市町村は、1つ2文字から{most}文字までで書いてください。", most=LONGEST)
    known = {one["id"] for one in before.get("districts", ())}
    free = int(before.get("next", 1))
    districts: list[dict[str, Any]] = []
    for row in _rows(form, blank=0):
        if not row["name"] and not row["also"]:
            continue
        _check(row, problems)
        id_ = row["id"] if row["id"] in known else f"d{free}"
        free += id_ == f"d{free}"
        districts.append({"id": id_, "name": row["name"], "spellings": _parts(row["also"]), "n": row["n"]})
    _check_all(districts, neighbours, problems)
    _check_gone(before, {one["id"] for one in districts}, problems)
    if problems:
        raise Slip(problems)
    kept = [{name: one[name] for name in ("id", "name", "spellings")} for one in districts]
    prefecture = prefecture if prefecture in PREFECTURES else ""
    return {"town": town, "prefecture": prefecture, "neighbours": neighbours, "districts": kept, "next": free}


def _check(row: Mapping[str, str], problems: dict[str, str]) -> None:
    """One row by itself."""
    parts = _parts(row["also"])
    if not row["name"] or len(row["name"]) > LONGEST:
        problems[f"name-{row['n']}"] = say("地区の名前を、{most}文字までで書いてください。", most=LONGEST)
    if len(parts) > MOST_SPELLINGS:
        problems[f"also-{row['n']}"] = say("町名は、1つの地区に{most}までです。", most=MOST_SPELLINGS)
    for part in parts:
        if part[:1].isdigit():
            problems[f"also-{row['n']}"] = say(
                "「{part}」は、栄町1・2丁目 のように、町名から書いてください。", part=part[:LONGEST]
            )
        elif not 2 <= len(part) <= LONGEST:
            problems[f"also-{row['n']}"] = say(
                "「{part}」は、2文字から{most}文字までで書いてください。", part=part[:LONGEST], most=LONGEST
            )


def _check_all(districts: Sequence[Mapping[str, Any]], neighbours: Sequence[str], problems: dict[str, str]) -> None:
    """No name twice: one address must not lie in two districts, nor in another town."""
    if len(districts) > MOST:
        problems[""] = say("地区は{most}までです。", most=MOST)
    of: dict[str, str] = {spelled(one): say("となりの市町村") for one in neighbours}
    for one in districts:
        own: set[str] = set()
        for at, name in enumerate([one["name"], *one["spellings"]]):
            for plain in spelled_out(name):
                if plain in of:
                    problems.setdefault(
                        f"{'also' if at else 'name'}-{one['n']}",
                        say(
                            "「{name}」は、{other}にもあります。どちらか一つにしてください。",
                            name=name,
                            other=of[plain],
                        ),
                    )
                own.add(plain)
        of.update(dict.fromkeys(own, one["name"]))


def _check_gone(before: Mapping[str, Any], left: set[str], problems: dict[str, str]) -> None:
    """A district that a desk is for does not go: the desk would be shown to the whole town."""
    for one in before.get("districts", ()):
        using = [
            entry.content["name"]
            for entry in live.now().entries.values()
            if one["id"] in entry.content.get("areas", ())
        ]
        if one["id"] not in left and using:
            problems[""] = say(
                "{district}は、{desks}が受け持っています。先に、そちらの地区を変えてください。",
                district=one["name"], desks="、".join(using[:5]),
            )  # fmt: skip


def _as_form(content: Mapping[str, Any]) -> dict[str, str]:
    """What is kept, as it stands in the form."""
    form = {name: content.get(name, "") for name in ("town", "prefecture")}
    form["neighbours"] = "、".join(content.get("neighbours", ()))
    for n, one in enumerate(content.get("districts", ())):
        form |= {f"id-{n}": one["id"], f"name-{n}": one["name"], f"also-{n}": "、".join(one["spellings"])}
    return form


def _rows(form: Mapping[str, str], blank: int = MORE_ROWS) -> Iterator[dict[str, str]]:
    """The rows of the form, some empty ones behind those that are filled."""
    filled = [
        n for n in range(MOST + MORE_ROWS) if form.get(f"name-{n}", "").strip() or form.get(f"also-{n}", "").strip()
    ]
    for n in [*filled, *range((filled[-1] + 1) if filled else 0, ((filled[-1] + 1) if filled else 0) + blank)]:
        yield {
            "n": str(n), "id": form.get(f"id-{n}", ""), "name": " ".join(clean(form.get(f"name-{n}", "")).split()),
            "also": clean(form.get(f"also-{n}", "")),
        }  # fmt: skip


def _parts(written: str) -> list[str]:
    """「本町、栄町1〜3丁目」 as two."""
    return list(dict.fromkeys(filter(None, (" ".join(one.split()) for one in _BETWEEN.split(clean(written))))))

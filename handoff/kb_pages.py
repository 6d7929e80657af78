"""The knowledge base: the list of the town's own entries, and the bundled services. Whoever is no admin finds none."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from handoff import audit, kb_desks, kb_view
from handoff.access import SignedIn
from handoff.moments import day_and_time, whole_day
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.tongue import say
from handoff.words import spoken_field, spoken_fields
from knowledge_base import care, live, town, versions
from knowledge_base.entries import entries
from knowledge_base.vocabulary import Service, vocabulary
from storage.bells import Bells
from storage.clock import JAPAN, Clock
from storage.database import Database
from storage.knowledge import KbEntry
from storage.settings import Settings

HERE = "/staff/kb"
A_PAGE = 100
LONGEST_SEARCH = 100
OWNERS = {"me": "自分", "none": "いない"}
DONE = {"demo": "見本の町の窓口を入れて、公開しました。"}


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock) -> APIRouter:
    """/staff/kb, /staff/kb/services and /staff/kb/demo."""
    pages = _Pages(Office(settings, database, bells, clock))
    router = APIRouter(prefix=HERE, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("", pages.listed)
    router.add_api_route("/services", pages.bundled)
    router.add_api_route("/services/{id}", pages.service)
    router.add_api_route("/demo", pages.demo, methods=["POST"])
    return router


def failed() -> str:
    """The sentence for staff while the newest cannot be taken in; "" while all is well."""
    since = live.now().failed_since
    return (
        say(
            "{at}に公開した内容を、検索に入れられませんでした。いまは前の内容のまま動いています。",
            at=day_and_time(since),
        )
        if since
        else ""
    )


class _Pages:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def listed(self, request: Request) -> Response:
        asked = _Asked(request)

        def look(session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            only(who, "admin")
            found = versions.listed(asked.q, asked.kind, asked.field, asked.state, unchecked=asked.unchecked)
            today = now.astimezone(JAPAN).date()
            found = care.narrowed(found, owner=asked.owner_of(who.staff.id), due=today if asked.due else None)
            total = session.scalar(select(func.count()).select_from(found.order_by(None).subquery())) or 0
            shown = session.scalars(found.offset(asked.page * A_PAGE).limit(A_PAGE)).all()
            any_ = total or session.scalar(select(KbEntry.id).limit(1)) is not None
            return {"who": who, "rows": kb_view.rows(session, shown, now), "total": total, "any": bool(any_)}

        shown = await self._office.look(request, look)
        return page(
            "kb.html", here=HERE, tab=HERE, failed=failed(), asked=asked, fields=spoken_fields(), a_page=A_PAGE,
            owners=list(OWNERS.items()),
            kinds=list(kb_view.KIND_NAMES.items()), states=list(kb_view.STATE_NAMES.items()),
            done=say(DONE.get(request.query_params.get("done", ""), "")), **shown,
        )  # fmt: skip

    async def bundled(self, request: Request) -> Response:
        asked = _Asked(request)

        def look(_session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            only(who, "admin")
            rows = [_bundled_row(one, now) for one in vocabulary().services.values() if asked.fits(one)]
            return {"who": who, "rows": rows}

        shown = await self._office.look(request, look)
        return page(
            "kb_services.html", here=HERE, tab=f"{HERE}/services", failed=failed(), asked=asked, fields=spoken_fields(),
            **shown,
        )  # fmt: skip

    async def service(self, request: Request, id: str) -> Response:
        def look(_session: Session, who: SignedIn, now: datetime) -> dict[str, Any]:
            only(who, "admin")
            if id not in vocabulary().services:
                raise LookupError(say("その支援は見つかりません。"))
            return {"who": who, "desks": kb_desks.contacts(id, now), "own": _own(id)}

        shown = await self._office.look(request, look)
        service = vocabulary().services[id]
        return page(
            "kb_service.html", here=HERE, tab=f"{HERE}/services", failed=failed(), service=service,
            fields=[spoken_field(one) for one in service.fields], entry=entries().get(id),
            checked=_checked(id), **shown,
        )  # fmt: skip

    async def demo(self, request: Request) -> Response:
        def work(session: Session, who: SignedIn, _form: Form, now: datetime) -> None:
            only(who, "admin")
            versions.load_demo(session, now)
            audit.enter(session, who.staff, "kb_demo", now)

        await self._office.change(request, work)
        self._office.bells.ring(live.BELL)
        return RedirectResponse(f"{HERE}?done=demo", 303)


class _Asked:
    """What the list is narrowed to, as it stands in the address."""

    def __init__(self, request: Request) -> None:
        asked = request.query_params
        self.q = asked.get("q", "").strip()[:LONGEST_SEARCH]
        self.kind = _known(asked.get("kind", ""), kb_view.KIND_NAMES)
        self.field = _known(asked.get("field", ""), vocabulary().fields)
        self.state = _known(asked.get("state", ""), kb_view.STATE_NAMES)
        self.unchecked = asked.get("unchecked") == "1"
        self.owner = _known(asked.get("owner", ""), OWNERS)
        self.due = asked.get("due") == "1"
        number = asked.get("page", "0")
        self.page = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 0

    @property
    def anything(self) -> bool:
        return bool(self.q or self.kind or self.field or self.state or self.unchecked or self.owner or self.due)

    def owner_of(self, me: int) -> int | None:
        """Whose entries: mine, nobody's (care.NOBODY), or anybody's (None)."""
        return {"me": me, "none": care.NOBODY}.get(self.owner)

    def fits(self, service: Service) -> bool:
        """Whether a bundled service is among what is asked for."""
        entry = entries().get(service.id)
        text = town.folded(" ".join([service.ja, service.about, *(entry.names if entry else ())]))
        return (
            all(word in text for word in town.folded(self.q).split())
            and (not self.field or self.field in service.fields)
            and not (self.unchecked and entry and entry.checked)
        )


def _known(value: str, known: Any) -> str:
    return value if value in known else ""


def _bundled_row(service: Service, now: datetime) -> dict[str, Any]:
    return {
        "id": service.id,
        "name": say(service.ja),
        "fields": [spoken_field(one) for one in service.fields],
        "desks": [one["name"] for one in kb_desks.contacts(service.id, now)],
        "checked": _checked(service.id),
    }


def _checked(service: str) -> str:
    entry = entries().get(service)
    return whole_day(entry.checked) if entry and entry.checked else ""


def _own(service: str) -> list[tuple[str, str]]:
    """The town's own services of that kind."""
    return [(one.id, one.content["name"]) for one in live.now().services if one.content.get("like") == service]

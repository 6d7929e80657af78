"""Try a sentence: what would be found in it, how sure, by which example and clause, and what narrowly missed.

The sentence comes in a form and goes out with the page. It is kept nowhere, but when an admin adds it to a service as
an example.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from handoff import audit
from handoff.access import SignedIn
from handoff.kb_pages import HERE, failed
from handoff.office import Form, Office
from handoff.pages import StaffRoute, page
from handoff.settings_pages import only
from handoff.slips import Slip
from handoff.tongue import say
from handoff.words import confidence_in_words, spoken_field, spoken_service
from knowledge_base import live, town, versions
from knowledge_base.live import Live
from storage.bells import Bells
from storage.clock import Clock
from storage.database import Database
from storage.knowledge import KbEntry
from storage.settings import Settings
from storage.texts import clean

TRY = f"{HERE}/try"
LONGEST = 1_000


class Found(Protocol):
    """A field or a service, as the understanding explains it."""

    @property
    def id(self) -> str: ...
    @property
    def sure(self) -> float: ...
    @property
    def quote(self) -> str: ...
    @property
    def example(self) -> str: ...
    @property
    def found(self) -> bool: ...


class Explained(Protocol):
    """What was found in a sentence, surest first, and what missed behind it."""

    @property
    def fields(self) -> Sequence[Found]: ...
    @property
    def services(self) -> Sequence[Found]: ...
    @property
    def tells(self) -> bool: ...


#: The understanding, given by uketome/app.py: a sentence, and a draft to put in the place of what is published.
Explain = Callable[[str, Live | None], Awaitable[Explained]]


def routes(settings: Settings, database: Database, bells: Bells, clock: Clock, explain: Explain) -> APIRouter:
    """/staff/kb/try."""
    pages = _Pages(Office(settings, database, bells, clock), explain)
    router = APIRouter(prefix=TRY, route_class=StaffRoute, include_in_schema=False)
    router.add_api_route("", pages.begin)
    router.add_api_route("", pages.ask, methods=["POST"])
    router.add_api_route("/add", pages.add, methods=["POST"])
    return router


class _Pages:
    def __init__(self, office: Office, explain: Explain) -> None:
        self._office, self._explain = office, explain

    async def begin(self, request: Request) -> Response:
        who, choices = await self._office.look(request, _services)
        return page("kb_try.html", here=HERE, tab=TRY, who=who, failed=failed(), **_shown(choices))

    async def ask(self, request: Request) -> Response:
        asked: dict[str, Any] = {}

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> list[dict[str, Any]]:
            asked.update(who=who, text=clean(form.get("text", "")), draft=form.get("draft", ""))
            return _services(session, who, now)[1]

        choices = await self._office.ask(request, work)
        return await self._answer(choices, **asked)

    async def add(self, request: Request) -> Response:
        """「これが見つかるはずだった」: the sentence becomes an example in a draft, whose effect is shown at once."""
        asked: dict[str, Any] = {}

        def work(session: Session, who: SignedIn, form: Form, now: datetime) -> list[dict[str, Any]]:
            asked.update(who=who, text=clean(form.get("text", "")), draft=form.get("entry", ""))
            only(who, "admin")
            _add(session, who, asked["draft"], asked["text"], now)
            return _services(session, who, now)[1]

        try:
            choices = await self._office.change(request, work)
        except Slip as slip:
            _, choices = await self._office.look(request, _services)
            return await self._answer(choices, **{**asked, "draft": ""}, problem=str(slip), status=slip.status)
        return await self._answer(choices, **asked, added=True)

    async def _answer(
        self, choices: list[dict[str, Any]], *, who: SignedIn, text: str, draft: str, problem: str = "",
        status: int = 200, added: bool = False,
    ) -> Response:  # fmt: skip
        problem = problem or _wrong(text)
        chosen = next((one for one in choices if one["id"] == draft), None)
        as_is = with_draft = None
        if not _wrong(text):
            as_is = await self._explain(text, None)
            if chosen and chosen["draft"]:
                with_draft = await self._explain(text, Live(chosen["id"], "service", chosen["head"], chosen["content"]))
        shown = _shown(choices, text, as_is, with_draft, chosen, added=added)
        status = 422 if problem and status == 200 else status
        return page(
            "kb_try.html", status, here=HERE, tab=TRY, who=who, failed=failed(), **{**shown, "problem": problem}
        )


def _wrong(text: str) -> str:
    if not text:
        return say("試す文を書いてください。")
    return say("文は{most}文字までで書いてください。", most=LONGEST) if len(text) > LONGEST else ""


def _services(session: Session, who: SignedIn, _now: datetime) -> tuple[SignedIn, list[dict[str, Any]]]:
    """The town's own services, each with its newest version where that one does not count yet."""
    only(who, "admin")
    counting = live.now().entries
    found = []
    for entry in session.scalars(
        select(KbEntry).where(KbEntry.kind == "service", KbEntry.state != "retired").order_by(KbEntry.name).limit(500)
    ):
        draft = entry.id not in counting or counting[entry.id].number != entry.head
        content = versions.version(session, entry.id).content if draft else {}
        found.append({"id": entry.id, "name": entry.name, "head": entry.head, "draft": draft, "content": content})
    return who, found


def _add(session: Session, who: SignedIn, entry_id: str, text: str, now: datetime) -> None:
    entry = versions.entry(session, entry_id, to_change=True)
    if entry is None or entry.kind != "service":
        raise Slip({"entry": say("どの支援に加えるかを選んでください。")})
    voice = " ".join(text.split())
    if not town.SHORTEST_VOICE <= len(voice) <= town.LONGEST_VOICE:
        raise Slip(
            {
                "text": say(
                    "例文にするには、{least}文字から{most}文字までにしてください。",
                    least=town.SHORTEST_VOICE, most=town.LONGEST_VOICE,
                )
            }
        )  # fmt: skip
    content = dict(versions.version(session, entry_id).content)
    if voice in content.get("voices", ()):
        return
    content["voices"] = [*content.get("voices", ()), voice]
    if len(content["voices"]) > town.MOST_VOICES:
        raise Slip({"text": say("この支援の例文は、もういっぱいです。")})
    versions.add(session, entry_id, entry.head, content, who.staff.id, now)
    audit.enter(session, who.staff, "kb_draft", now, detail=entry_id)


def _shown(
    choices: list[dict[str, Any]],
    text: str = "",
    as_is: Explained | None = None,
    with_draft: Explained | None = None,
    chosen: Mapping[str, Any] | None = None,
    *,
    added: bool = False,
) -> dict[str, Any]:
    names = {one["id"]: one["name"] for one in choices}

    def name(service: str) -> str:
        return names.get(service) or spoken_service(service)

    result = with_draft or as_is
    return {
        "text": text,
        "problem": "",
        "services": [(one["id"], one["name"]) for one in choices],
        "drafts": [(one["id"], one["name"]) for one in choices if one["draft"]],
        "chosen": chosen,
        "added": added,
        "tells": result.tells if result else None,
        "fields": _rows(result.fields, spoken_field) if result else [],
        "found": _rows(result.services, name) if result else [],
        "before": [one["name"] for one in _rows(as_is.services, name) if one["found"]]
        if with_draft and as_is
        else None,
    }


def _rows(found: Sequence[Found], name: Callable[[str], str]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "name": name(one.id),
            "sure": confidence_in_words(one.sure),
            "score": round(one.sure * 100),
            "quote": one.quote,
            "example": one.example,
            "found": one.found,
        }
        for one in found
    ]

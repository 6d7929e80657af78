"""The desk of the tests: counselors with a browser each, and cases that wait for them."""

import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy.orm import Session

from handoff import access, case, summary
from handoff.case import LEVELS
from storage.models import Conversation, Message, Staff, new_id
from tests.conftest import Town

PASSWORD = "hana-no-michi-12"
INPUT = re.compile(r'name="(csrf|key)" value="([^"]+)"')
HTMX = {"HX-Request": "true"}


class Colleague:
    """A staff member at their own browser."""

    def __init__(self, http: httpx.AsyncClient, email: str) -> None:
        self.http, self.email = http, email

    async def sign_in(self, password: str = PASSWORD, email: str | None = None, **more: str) -> httpx.Response:
        """Fills in the sign-in page."""
        form = dict(INPUT.findall((await self.http.get("/staff/sign-in")).text))
        return await self.http.post(
            "/staff/sign-in", data={**form, "email": email or self.email, "password": password, **more}
        )

    async def queue(self, query: str = "") -> str:
        """The queue page."""
        shown = await self.http.get(f"/staff{query}")
        assert shown.status_code == 200, shown.text
        return shown.text

    async def open(self, case_id: str) -> str:
        """The case's page."""
        shown = await self.http.get(f"/staff/cases/{case_id}")
        assert shown.status_code == 200, shown.text
        return shown.text

    async def do(self, case_id: str, verb: str, **inputs: str) -> httpx.Response:
        """Presses a button of the case's page, as htmx does."""
        form = dict(INPUT.findall(await self.queue()))
        return await self.http.post(f"/staff/cases/{case_id}/{verb}", data={**form, **inputs}, headers=HTMX)


@contextlib.asynccontextmanager
async def browser(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A browser with its own cookies; redirects are looked at, not followed."""
    async with httpx.AsyncClient(base_url=town.http.base_url, timeout=30, verify=False) as http:
        yield http


@contextlib.asynccontextmanager
async def at_work(town: Town, name: str, email: str, role: str = "counselor") -> AsyncIterator[Colleague]:
    """A staff member who has an account and is signed in."""
    await add_staff(town, name, email, role)
    async with browser(town) as http:
        colleague = Colleague(http, email)
        signed_in = await colleague.sign_in()
        assert signed_in.status_code == 303, signed_in.text
        yield colleague


async def add_staff(
    town: Town, name: str, email: str, role: str = "counselor", *, agency_id: int | None = None
) -> Staff:
    """An account with PASSWORD."""
    now = town.clock.now()
    return await town.service.database.write(
        lambda session: access.add_staff(session, email, role, PASSWORD, now, name, agency_id=agency_id)
    )


async def a_case(
    town: Town,
    *texts: str,
    level: str = "none",
    waiting: bool = True,
    minutes: float = 0,
    channel: str = "web",
    found: dict[str, Any] | None = None,
) -> str:
    """A case whose resident wrote the texts and has waited that long; its id."""
    since = town.clock.now() - timedelta(minutes=minutes)

    def begin(session: Session) -> str:
        conversation = Conversation(
            id=new_id(), channel=channel, address=new_id(), language="ja", created_at=since, notice_at=since, talk={},
            failures=0,
        )  # fmt: skip
        session.add(conversation)
        session.flush()
        opened = case.begin_case(session, conversation, since)
        session.add_all(_written(conversation, opened.id, texts))
        quote = texts[0] if texts else ""
        opened.assessment = {"urgency": {"level": level, "kinds": [], "quote": quote if level != "none" else ""}}
        opened.assessment = {**opened.assessment, **(found or {})}
        opened.urgency = LEVELS.index(level)
        opened.complaint, opened.summary = quote, summary.summarise(opened.assessment, quote)
        if waiting:
            case.wait_for_person(session, opened, since, "finished")
        return opened.id

    return await town.service.database.write(begin)


def _written(conversation: Conversation, case_id: str, texts: Sequence[str]) -> list[Message]:
    at = conversation.created_at
    return [
        Message(
            conversation_id=conversation.id, case_id=case_id, sender="resident", kind="text", text=text,
            channel=conversation.channel, event_id=new_id(), written_at=at, received_at=at, handled_at=at,
        )
        for text in texts
    ]  # fmt: skip

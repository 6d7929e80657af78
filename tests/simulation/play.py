"""Plays one resident on one channel, and writes down what was done and said."""

import contextlib
import uuid
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.talk import TOPICS
from bot.words import languages
from bot.words import words as bot_words
from handoff.case import LEVELS
from handoff.words import words
from storage.models import Case, CaseEvent, Conversation
from tests.conftest import Resident as Browser
from tests.conftest import Town
from tests.line_platform import LinePlatform, Webhook
from tests.simulation.cast import Resident, Step
from tests.simulation.stage import PATIENCE_S, Stage
from tests.simulation.transcript import Said, Transcript, Turn
from uketome.app import SWEEP

SKIP = "とばす"
#: How a question is left out by a button, in every language.
SKIPS = {SKIP, *(own.buttons["skip"] for language in languages() if (own := bot_words(language).talk))}
#: Taps that leave a question out.
SKIPPING = {*SKIPS, "あとで決めます"}
MOST_TRIES = 20
#: Between two things that a resident does.
PACE = timedelta(minutes=1)
WHY = ("danger", "person_wanted", "person_offered", "finished", "silence", "delete_wanted", "waiting")
UNITS = {"minutes": "分", "hours": "時間", "days": "日"}


async def play(stage: Stage, resident: Resident, channel: str) -> Transcript:
    """The whole talk, and what a counselor finds after it. Raises AssertionError where the script cannot be played."""
    async with stage.town(f"{resident.name}.{channel}", resident.begins) as (town, line, token):
        phone: Phone = OnLine(line) if channel == "line" else OnTheWeb(town)
        player = _Player(town, phone, resident, token)
        await player.play()
        return Transcript(
            resident.name, resident.called, resident.who, channel, tuple(player.turns), tuple(await player.cases())
        )


class Phone(Protocol):
    """A resident's end of a channel."""

    async def come(self) -> None:
        """Adds the account, or opens the page."""

    async def write(self, texts: Sequence[str]) -> None:
        """Sends texts in a row."""

    async def send(self, kind: str) -> None:
        """Sends what is no text."""

    async def unsend(self, beginning: str) -> None:
        """Takes back the message that begins so."""

    async def leave(self) -> None:
        """Blocks the account, or leaves by the quick exit."""

    async def seen(self) -> list[str]:
        """The texts that came since the last look."""


class OnLine:
    """LINE: a burst comes in one webhook, and is one turn."""

    USER = "U" + "7" * 32

    def __init__(self, line: LinePlatform) -> None:
        self._line, self._looked = line, 0

    async def come(self) -> None:
        await self._delivered(self._line.follow(self.USER))

    async def write(self, texts: Sequence[str]) -> None:
        assert await self._line.say_in_a_row(self.USER, texts) == 200

    async def send(self, kind: str) -> None:
        await self._delivered(self._line.send(self.USER, kind))

    async def unsend(self, beginning: str) -> None:
        [sent] = [one for one in self._line.talks[self.USER] if one.by == "user" and one.text.startswith(beginning)]
        await self._delivered(self._line.unsend(self.USER, sent.id))

    async def leave(self) -> None:
        await self._delivered(self._line.unfollow(self.USER))

    async def _delivered(self, doing: Awaitable[Webhook]) -> None:
        """As LINE does it: again and again, until the bot takes it."""
        webhook = await doing
        while not webhook.acknowledged:
            await self._line.redeliver()

    async def seen(self) -> list[str]:
        received = self._line.received(self.USER)
        new, self._looked = received[self._looked :], len(received)
        return new


class OnTheWeb:
    """The web page: each text is a message of its own, and is answered before the next is written."""

    def __init__(self, town: Town) -> None:
        self._town, self._browser = town, Browser(town.http)

    async def come(self) -> None:
        self._browser = self._town.resident()
        # What the page shows at its opening is read like all else, from the beginning of the talk.
        await self._browser.come()
        self._browser.last_id = 0

    async def write(self, texts: Sequence[str]) -> None:
        for text in texts:
            await self._written(text, str(uuid.uuid4()))
            await self._town.quiet(PATIENCE_S)

    async def _written(self, text: str, message_id: str) -> None:
        """Sends it as the page does: the same again while the database is busy, or where the connection was lost."""
        for _ in range(MOST_TRIES):
            with contextlib.suppress(httpx.TransportError):
                written = await self._browser.write(text, message_id)
                if written.status_code != 503:
                    assert written.is_success, written.text
                    return
        raise AssertionError("the service does not take a message")

    async def send(self, kind: str) -> None:
        raise AssertionError(f"the web page cannot send a {kind}")

    async def unsend(self, beginning: str) -> None:
        raise AssertionError("the web page cannot take a message back")

    async def leave(self) -> None:
        left = await self._town.http.delete("/chat/sessions", headers=self._browser.headers)
        assert left.status_code == 204, left.text

    async def seen(self) -> list[str]:
        found = await self._town.http.get(
            f"/chat/messages?after={self._browser.last_id}", headers=self._browser.headers
        )
        if found.status_code == 401:  # after the quick exit there is nothing to see
            return []
        messages = found.json()["messages"]
        self._browser.last_id = messages[-1]["id"] if messages else self._browser.last_id
        return [message["text"] for message in messages if message["from"] != "resident"]


class _Player:
    def __init__(self, town: Town, phone: Phone, resident: Resident, token: str) -> None:
        self._town, self._phone, self._resident = town, phone, resident
        self._http, self._staff = town.http, {"Authorization": f"Bearer {token}"}
        self._last_id = 0
        self._asked: tuple[int, Any] = (0, None)
        self.turns: list[Turn] = []

    async def play(self) -> None:
        """All steps; then the resident falls silent, as all do sooner or later."""
        await self._comes("")
        for step in self._resident.script:
            [(kind, what)] = [(kind, what) for kind, what in step.items() if kind != "tells"]
            await getattr(self, f"_{kind}")(what, **_told(step))
        if any(not case.waiting_since and not case.closed_at for case in await self._town.cases()):
            await self._wait({"minutes": 40})

    async def cases(self) -> list[dict[str, Any]]:
        """Every case as the counselor's system reads it, with what put it among the waiting."""
        found = []
        for case in await self._town.cases():
            shown = await self._http.get(f"/api/cases/{case.id}", headers=self._staff)
            assert shown.status_code == 200, shown.text
            why = await self._town.service.database.read(lambda session, of=case.id: _why(session, of))  # type: ignore[misc]
            found.append({**shown.json(), "why": why, "delete_wanted": case.delete_wanted_at is not None})
        return found

    # What a step of the script is

    async def _comes(self, _what: Any) -> None:
        await self._phone.come()
        await self._turn("resident", [f"〈{words().attachments['follow']}〉" if self._on_line else "〈ページを開く〉"])

    async def _says(self, what: str | list[str] | dict[str, Any], tells: tuple[str, ...] = ()) -> None:
        texts = _texts(what)
        # On the web every fragment has its answer; on LINE they are one turn.
        for burst in [texts] if self._on_line else [[text] for text in texts]:
            await self._write(burst, tells=tells)

    async def _skips(self, what: str) -> None:
        await self._write([what], skips=True)

    async def _tap(self, what: str, answers: str | None = None) -> None:
        offered = self._choices()
        assert what in offered, f"{self._resident.name}: {what} is not among {offered}"
        await self._write([what], shown=[f"［{what}］"], skips=what in SKIPPING, answers=answers)

    async def _answer(self, what: int | str) -> None:
        """Answers so many questions, or "all" that come."""
        left = 99 if what == "all" else int(what)
        while left and (topic := (await self._talk()).get("open_topic")) in TOPICS:
            left -= 1
            offered = self._choices()
            answer = self._resident.answers.get(topic) or next((one for one in offered if one in SKIPS), SKIP)
            if answer in offered:
                await self._tap(answer, topic)
            else:
                await self._write([answer], skips=answer in SKIPS, answers=topic)

    async def _summary(self, what: str | list[str]) -> None:
        """Says this to the summary, where one is shown."""
        for text in [what] if isinstance(what, str) else what:
            if (await self._talk()).get("stage") == "confirming":
                await (self._tap(text) if text in self._choices() else self._write([text]))

    async def _send(self, what: str) -> None:
        await self._act(self._phone.send(what), [f"〈{words().attachments[what]}〉"])

    async def _unsend(self, what: str) -> None:
        await self._act(self._phone.unsend(what), [f"〈{words().attachments['unsend']}：{what}〉"])

    async def _leaves(self, _what: Any) -> None:
        await self._act(self._phone.leave(), ["〈ブロックする〉" if self._on_line else "〈「すぐに閉じる」を押す〉"])

    async def _wait(self, what: dict[str, int]) -> None:
        self._town.clock.forward(**what)
        await self._swept()
        later = "、".join(f"{number}{UNITS[unit]}" for unit, number in what.items())
        await self._turn("time", [f"〈{later}たつ〉"])

    async def _counselor(self, what: str | dict[str, str]) -> None:
        verb, body = (what, None) if isinstance(what, str) else next(iter(what.items()))
        open_case = (await self._town.cases())[-1]
        path, json = {
            "claims": ("claim", None),
            "releases": ("release", None),
            "says": ("messages", {"text": body}),
            "closes": ("close", {"outcome": body}),
        }[verb]
        self._town.clock.forward(seconds=PACE.total_seconds())
        done = await self._http.post(f"/api/cases/{open_case.id}/{path}", headers=self._staff, json=json)
        assert done.is_success, done.text
        did = {
            "claims": "〈担当する〉",
            "releases": "〈列に戻す〉",
            "says": "〈返事を書く〉",
            "closes": f"〈終える：{body}〉",
        }
        await self._turn("counselor", [did[verb]])

    # How it is done

    async def _write(self, texts: list[str], *, shown: list[str] | None = None, **more: Any) -> None:
        await self._act(self._phone.write(texts), shown or texts, **more)

    async def _act(self, doing: Awaitable[None], shown: list[str], **more: Any) -> None:
        self._town.clock.forward(seconds=PACE.total_seconds())
        held = await self._held()
        await doing
        await self._turn("resident", shown, held=held, **more)

    async def _turn(self, by: str, did: list[str], **more: Any) -> None:
        await self._town.quiet(PATIENCE_S)
        seen, said = await self._phone.seen(), await self._said()
        assert seen == [one.text for one in said][: len(seen)], "what is kept is not what was shown"
        said = said[: len(seen)]
        talk, cases = await self._talk(), await self._town.cases()
        is_open = bool(cases) and cases[-1].closed_at is None
        asks = talk.get("open_topic") if any(one.by == "bot" for one in said) else None
        # A question that only stays open, while something else is answered, is not asked again.
        kept, self._asked = (
            asks in TOPICS and (len(cases), talk["asked"]) == self._asked,
            (len(cases), talk.get("asked")),
        )
        turn = Turn(
            self._town.clock.now(), by, tuple(did), tuple(said),
            asks=None if kept else asks,
            level=_level(cases[-1]) if is_open else "none",
            stage=talk.get("stage", "opening"),
            case=len(cases),
        )  # fmt: skip
        self.turns.append(replace(turn, **more))

    async def _swept(self) -> None:
        """Waits until the sweep has seen what time it is."""
        silence = timedelta(minutes=self._town.service.settings.silence_minutes)
        now = self._town.clock.now()

        async def nobody_is_silent() -> bool:
            self._town.service.bells.ring(SWEEP)
            return not await self._town.service.database.read(lambda session: _silent(session, now - silence))

        await self._town.until(nobody_is_silent, PATIENCE_S)

    async def _talk(self) -> dict[str, Any]:
        return await self._town.service.database.read(_newest_talk)

    async def _held(self) -> bool:
        cases = await self._town.cases()
        return bool(cases) and cases[-1].closed_at is None and cases[-1].claimed_by is not None

    async def _said(self) -> list[Said]:
        """What was said to the resident since the last look, as it is kept."""
        new = [one for one in await self._town.messages() if one.id > self._last_id]
        self._last_id = new[-1].id if new else self._last_id
        return [Said(one.sender, one.text, tuple(one.choices or ())) for one in new if one.sender != "resident"]

    def _choices(self) -> tuple[str, ...]:
        said = next((turn.said for turn in reversed(self.turns) if turn.said), ())
        return said[-1].choices if said else ()

    @property
    def _on_line(self) -> bool:
        return isinstance(self._phone, OnLine)


def _texts(what: str | list[str] | dict[str, Any]) -> list[str]:
    """One text, several in a row, or one that goes on until it is so long."""
    if isinstance(what, dict):
        text, length = what["text"], what["fills"]
        return [(text * (length // len(text) + 1))[:length]]
    return [what] if isinstance(what, str) else what


def _told(step: Step) -> dict[str, tuple[str, ...]]:
    return {"tells": tuple(step["tells"])} if "tells" in step else {}


def _level(case: Case) -> str:
    return LEVELS[case.urgency]


def _newest_talk(session: Session) -> dict[str, Any]:
    newest = select(Conversation.talk).order_by(Conversation.created_at.desc()).limit(1)
    return session.scalars(newest).first() or {}


def _silent(session: Session, before: Any) -> bool:
    silent = select(Case.id).where(
        Case.waiting_since.is_(None), Case.closed_at.is_(None), Case.claimed_by.is_(None), Case.last_message_at < before
    )
    return session.scalars(silent).first() is not None


def _why(session: Session, case_id: str) -> str | None:
    """What put the case among the waiting."""
    kinds = select(CaseEvent.kind).where(CaseEvent.case_id == case_id, CaseEvent.kind.in_(WHY)).order_by(CaseEvent.id)
    return session.scalars(kinds).first()

"""The interface for staff systems: the contract's shape, who may do what, and what bad input is answered."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from handoff import access
from storage.models import Message, Staff
from tests.conftest import Town
from tests.desk import a_case

WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
FOUND = {
    "speaker": "self",
    "urgency": {"level": "urgent", "kinds": ["no_food"], "quote": "食べるものがない"},
    "fields": [{"id": "housing", "confidence": 0.93, "quotes": ["家賃を滞納していて"], "example": ""}],
    "services": [{"id": "jiritsu_soudan", "score": 0.8, "quote": "家賃を滞納していて"}],
    "household": {
        "members": [{"relation": "husband", "age": 47, "fields": ["work"], "quotes": ["夫が仕事を辞めて"]}],
        "focus": None,
    },
    "topics": {"since": "夫が仕事を辞めてから", "wish": "娘が学校に行けるように"},
}
#: The contract's keys, and what each of them is.
SHAPE: dict[str, Any] = {
    "id": str, "status": str, "opened_at": str, "waiting_since": str, "claimed_by": type(None), "channel": str,
    "language": str, "speaker": str, "urgency": dict, "complaint": str, "summary": str, "fields": list, "members": list,
    "services": list, "wishes": str, "tried": type(None), "involved": list, "area": type(None), "contact": dict,
    "consent": dict, "not_asked": list, "messages": list,
}  # fmt: skip


class System:
    """A staff system with its token."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http, self._headers = http, {"Authorization": f"Bearer {token}"}

    async def get(self, path: str = "") -> httpx.Response:
        return await self._http.get(f"/api/cases{path}", headers=self._headers)

    async def post(self, path: str, json: object = None, content: bytes | None = None) -> httpx.Response:
        return await self._http.post(f"/api/cases{path}", json=json, content=content, headers=self._headers)


async def system(town: Town, *scopes: str, name: str = "県の相談システム") -> System:
    now = town.clock.now()
    token = await town.service.database.write(
        lambda session: access.add_token(session, name, list(scopes or ("cases:read", "cases:write")), now)
    )
    return System(town.http, token)


@pytest.fixture
async def theirs(town: Town) -> System:
    return await system(town)


def says(answer: httpx.Response, status: int, words: str = "") -> None:
    """A problem for people: its status, and one sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].endswith("。")
    assert words in answer.json()["detail"]


async def test_a_case_has_the_contracts_shape(town: Town, theirs: System) -> None:
    case_id = await a_case(town, WORDS, level="urgent", found=FOUND, minutes=12)
    case = (await theirs.get(f"/{case_id}")).json()
    assert {name: type(case[name]) for name in SHAPE} == SHAPE
    assert case["id"] == case_id
    assert case["status"] == "waiting"
    assert case["urgency"] == FOUND["urgency"]
    assert case["complaint"] == WORDS
    assert case["fields"] == [{"id": "housing", "confidence": 0.93, "quotes": ["家賃を滞納していて"], "state": "found"}]
    [husband] = case["members"]
    assert husband == {
        "relation": "husband", "age": 47, "fields": ["work"], "quotes": ["夫が仕事を辞めて"], "sex": None,
        "together": True, "state": "found",
    }  # fmt: skip
    [service] = case["services"]
    assert service == {
        "id": "jiritsu_soudan", "name": "生活困窮者自立相談支援", "score": 0.8, "quote": "家賃を滞納していて",
        "state": "found",
    }  # fmt: skip
    assert case["contact"] == {"by": "web", "phone": None, "when": None, "safe": True}
    assert case["consent"] == {"notice_at": case["opened_at"], "share": None, "at": None}
    assert case["not_asked"] == ["tried", "contact", "area", "share"]
    [message] = case["messages"]
    assert {"id", "from", "text", "at"} <= set(message)
    assert (message["from"], message["text"]) == ("resident", WORDS)


async def test_the_list_is_the_queue_in_its_order_page_by_page(town: Town, theirs: System) -> None:
    long = await a_case(town, WORDS, minutes=90)
    short = await a_case(town, WORDS, minutes=3)
    danger = await a_case(town, WORDS, level="immediate")
    await a_case(town, WORDS, waiting=False)
    first = (await theirs.get("?status=waiting&limit=2")).json()
    rest = (await theirs.get(f"?status=waiting&limit=2&cursor={first['next_cursor']}")).json()
    assert [case["id"] for case in (*first["cases"], *rest["cases"])] == [danger, long, short]
    assert rest["next_cursor"] is None
    assert len((await theirs.get()).json()["cases"]) == 4


async def test_one_case_from_claim_to_close(town: Town, theirs: System) -> None:
    case_id = await a_case(town, WORDS, minutes=12)
    claimed = (await theirs.post(f"/{case_id}/claim")).json()
    assert (claimed["status"], claimed["claimed_by"]) == ("claimed", "県の相談システム")
    answered = await theirs.post(f"/{case_id}/messages", {"text": "お話を聞かせてください。"})
    assert answered.status_code == 201
    assert [m["from"] for m in answered.json()["messages"]] == ["resident", "counselor", "counselor"]
    assert answered.json()["messages"][-1]["text"] == "お話を聞かせてください。"
    released = (await theirs.post(f"/{case_id}/release")).json()
    assert (released["status"], released["waiting_since"]) == ("waiting", claimed["waiting_since"])
    await theirs.post(f"/{case_id}/claim")
    closed = (await theirs.post(f"/{case_id}/close", {"outcome": "自立相談につないだ"})).json()
    assert (closed["status"], closed["outcome"]) == ("closed", "自立相談につないだ")
    says(await theirs.post(f"/{case_id}/claim"), 409, "終わっています")
    says(await theirs.post(f"/{case_id}/close", {"outcome": "もう一度"}), 409, "終わっています")


async def test_of_two_systems_one_gets_the_case_and_the_other_is_told_who_has_it(town: Town, theirs: System) -> None:
    others = await system(town, name="市の相談システム")
    case_id = await a_case(town, WORDS)
    first, second = await asyncio.gather(theirs.post(f"/{case_id}/claim"), others.post(f"/{case_id}/claim"))
    assert sorted([first.status_code, second.status_code]) == [200, 409]
    won, lost = (first, second) if first.status_code == 200 else (second, first)
    says(lost, 409, won.json()["claimed_by"])
    told = [m for m in won.json()["messages"] if m["from"] == "counselor"]
    assert len(told) == 1
    loser = others if lost is second else theirs
    says(await loser.post(f"/{case_id}/messages", {"text": "こんにちは"}), 409)
    says(await loser.post(f"/{case_id}/release"), 409)
    says(await loser.post(f"/{case_id}/close", {"outcome": "終わり"}), 409)


async def test_claiming_twice_tells_the_resident_once(town: Town, theirs: System) -> None:
    case_id = await a_case(town, WORDS)
    await theirs.post(f"/{case_id}/claim")
    again = await theirs.post(f"/{case_id}/claim")
    assert again.status_code == 200
    assert [m["text"] for m in again.json()["messages"][1:]] == ["ここからは相談員がお話をうかがいます。"]


async def test_nobody_speaks_without_holding_the_case(town: Town, theirs: System) -> None:
    case_id = await a_case(town, WORDS)
    says(await theirs.post(f"/{case_id}/messages", {"text": "こんにちは"}), 409, "担当する")
    assert [m.text for m in await town.messages()] == [WORDS]


async def test_who_is_not_known_is_told_so_and_nothing_else(town: Town, theirs: System) -> None:
    case_id = await a_case(town, WORDS)
    for authorization in ("", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer あ".encode().decode("latin-1")):
        headers = {b"Authorization": authorization.encode("latin-1")} if authorization else {}
        answer = await town.http.get(f"/api/cases/{case_id}", headers=headers)
        says(answer, 401)
        assert "WWW-Authenticate" in answer.headers


async def test_a_scope_opens_only_what_it_names(town: Town) -> None:
    case_id = await a_case(town, WORDS)
    reader, editor = await system(town, "cases:read"), await system(town, "kb:write")
    assert (await reader.get(f"/{case_id}")).status_code == 200
    says(await reader.post(f"/{case_id}/claim"), 403, "cases:write")
    says(await reader.post(f"/{case_id}/messages", {"text": "あ"}), 403)
    says(await editor.get(), 403, "cases:read")
    [case] = await town.cases()
    assert case.claimed_by is None


async def test_wrong_tokens_without_end_are_slowed_down(town: Town, theirs: System) -> None:
    for _ in range(100):
        await town.http.get("/api/cases", headers={"Authorization": "Bearer guess"})
    answer = await town.http.get("/api/cases", headers={"Authorization": "Bearer guess"})
    says(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0
    town.clock.forward(minutes=16)
    assert (await theirs.get()).status_code == 200


@pytest.mark.parametrize("case_id", ["0" * 32, "x", "%00", "..", "' OR 1=1 --", "a" * 3000])
async def test_an_unknown_case_is_not_found(theirs: System, case_id: str) -> None:
    answer = await theirs.get(f"/{case_id}")
    assert answer.status_code == 404
    says(await theirs.post(f"/{'f' * 32}/claim"), 404)


@pytest.mark.parametrize(
    "query", ["?status=lost", "?limit=0", "?limit=201", "?limit=-1", "?limit=x", "?limit=٣", "?cursor=x", "?cursor=%00"]
)
async def test_a_wrong_question_is_refused_with_a_sentence(theirs: System, query: str) -> None:
    says(await theirs.get(query), 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422), (b"{", 422), (b"[]", 422), (b"null", 422), (b"{}", 422), (b'{"text": ""}', 422),
        (b'{"text": 5}', 422),
        (b'{"text": " \\u0000\\u0007 "}', 422), (b"\xff\xfe", 422), (b"[" * 100_000, 422),
        (('{"text": "' + "あ" * 5_001 + '"}').encode(), 413),
        (b'{"text": "' + b"a" * 200_000 + b'"}', 413),
    ],
)  # fmt: skip
async def test_a_bad_body_is_refused_and_nothing_is_said(town: Town, theirs: System, body: bytes, status: int) -> None:
    case_id = await a_case(town, WORDS)
    await theirs.post(f"/{case_id}/claim")
    before = len(await town.messages())
    says(await theirs.post(f"/{case_id}/messages", content=body), status)
    assert len(await town.messages()) == before


async def test_half_characters_and_control_characters_do_not_reach_the_resident(town: Town, theirs: System) -> None:
    case_id = await a_case(town, WORDS)
    await theirs.post(f"/{case_id}/claim")
    await theirs.post(f"/{case_id}/messages", content=b'{"text": "a\\ud800b\\u0000c\\r\\nd"}')
    assert (await town.messages())[-1].text == "a\ufffdbc\nd"


async def test_a_token_is_kept_as_its_hash_and_its_account_cannot_sign_in(town: Town, theirs: System) -> None:
    [account] = await town.service.database.read(lambda session: session.scalars(select(Staff)).all())
    assert account.disabled_at is not None
    assert not await access.right_password(account, "!")
    assert access.is_system(account)


async def test_after_the_quick_exit_a_case_stays_and_says_that_nothing_reaches_the_resident(town: Town) -> None:
    theirs = await system(town)
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await town.quiet()
    [case] = await town.cases()
    await town.http.delete("/chat/sessions", headers=hanako.headers)
    shown = (await theirs.get(f"/{case.id}")).json()
    assert shown["contact"] == {"by": "none", "phone": None, "when": None, "safe": False}
    assert [m["text"] for m in shown["messages"] if m["from"] == "resident"] == [WORDS]


async def test_words_that_were_taken_back_are_shown_to_nobody(town: Town, theirs: System) -> None:
    case_id = await a_case(town, WORDS)

    gone = {"text": "", "unsent_at": town.clock.now()}
    await town.service.database.write(
        lambda s: s.execute(update(Message).values(gone).where(Message.case_id == case_id))
    )
    shown = await theirs.get(f"/{case_id}")
    assert "取り消しました" in shown.text

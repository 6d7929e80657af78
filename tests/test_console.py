"""The counselors' pages over real HTTP: coming in, the queue, one case between several people, and bad input."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select, update

from handoff import access, live
from handoff.case import status
from handoff.tries import Tries
from storage import bells as bell
from storage.models import Case, CaseEvent, Conversation, Delivery, Notice, Staff, StaffSession
from tests.conftest import Town
from tests.desk import HTMX, INPUT, PASSWORD, Colleague, a_case, add_staff, at_work, browser

WORDS = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"
SENTENCE = re.compile(r'<p class="problem" role="alert">([^<]+)</p>')


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


@pytest.fixture
async def suzuki(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "鈴木", "suzuki@example.jp") as suzuki:
        yield suzuki


@pytest.fixture
async def stranger(town: Town) -> AsyncIterator[Colleague]:
    """Somebody at the sign-in page who has no account."""
    async with browser(town) as http:
        yield Colleague(http, "stranger@example.jp")


def sentence(answer: httpx.Response) -> str:
    found = SENTENCE.search(answer.text)
    assert found, answer.text
    return found[1]


async def told(town: Town) -> list[str]:
    """What staff said to residents."""
    return [message.text for message in await town.messages() if message.sender == "counselor"]


async def only_case(town: Town) -> Case:
    [case] = await town.cases()
    return case


# Coming in


async def test_without_a_session_every_page_leads_to_the_sign_in(town: Town, stranger: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    for path in ("/staff", "/staff?status=waiting", f"/staff/cases/{case_id}"):
        answer = await stranger.http.get(path)
        assert (answer.status_code, answer.headers["location"][:14]) == (303, "/staff/sign-in")
        assert WORDS not in answer.text
    for path in (f"/staff/cases/{case_id}/claim", "/staff/sign-out"):
        assert (await stranger.http.post(path)).status_code == 401
    for path in ("/staff/live", f"/staff/cases/{case_id}/live"):
        assert (await stranger.http.get(path, headers=HTMX)).status_code == 401
    assert (await only_case(town)).claimed_by is None


async def test_after_the_sign_in_one_is_where_one_wanted_to_go(town: Town) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    async with browser(town) as http:
        sato = Colleague(http, "SATO@example.jp ")
        assert (await sato.sign_in(next="/staff/cases/abc")).headers["location"] == "/staff/cases/abc"
    for elsewhere in (
        "https://evil.example",
        "//evil.example",
        "/staff/cases//evil",
        "/staff/cases/\\evil",
        "/\t/evil",
    ):
        async with browser(town) as http:
            assert (await Colleague(http, "sato@example.jp").sign_in(next=elsewhere)).headers["location"] == "/staff"


async def test_a_wrong_password_and_an_unknown_account_sound_the_same(town: Town, stranger: Colleague) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    wrong = await stranger.sign_in("wrong-password", "sato@example.jp")
    unknown = await stranger.sign_in("wrong-password", "nobody@example.jp")
    assert wrong.status_code == unknown.status_code == 403
    assert sentence(wrong) == sentence(unknown) == "メールアドレスかパスワードが違います。"


async def test_after_ten_wrong_passwords_the_right_one_must_wait_too(town: Town, stranger: Colleague) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    for _ in range(10):
        assert (await stranger.sign_in("wrong-password", "sato@example.jp")).status_code == 403
    refused = await stranger.sign_in(PASSWORD, "sato@example.jp")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 15 * 60
    assert "15分ほど待って" in sentence(refused)
    town.clock.forward(minutes=15, seconds=1)
    assert (await stranger.sign_in(PASSWORD, "sato@example.jp")).status_code == 303


async def test_guesses_that_come_at_once_are_counted_too(town: Town, stranger: Colleague) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    form = dict(INPUT.findall((await stranger.http.get("/staff/sign-in")).text))
    guess = {**form, "email": "sato@example.jp", "password": "wrong-password"}
    answers = await asyncio.gather(*(stranger.http.post("/staff/sign-in", data=guess) for _ in range(14)))
    assert sorted(answer.status_code for answer in answers) == [403] * 10 + [429] * 4


def test_tries_count_by_key_within_a_window_and_are_forgiven_by_success() -> None:
    tries, now = Tries(3), datetime(2026, 11, 23, tzinfo=UTC)
    assert [tries.count(now, "account", "address") for _ in range(4)] == [0, 0, 0, 900]
    assert tries.count(now, "another account", "address") == 900
    assert tries.count(now, "another account", "another address") == 0
    assert tries.full(now + timedelta(minutes=5), "account") == 600
    assert tries.count(now + timedelta(minutes=15), "account", "address") == 0
    tries.succeeded("account", "address")
    assert [tries.count(now + timedelta(minutes=15), "account", "address") for _ in range(4)] == [0, 0, 0, 900]


async def test_a_form_from_another_site_signs_nobody_in(town: Town, stranger: Colleague) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    answer = await stranger.http.post("/staff/sign-in", data={"email": "sato@example.jp", "password": PASSWORD})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(town: Town) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    async with browser(town) as http:
        cookie = (await Colleague(http, "sato@example.jp").sign_in()).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        kept = await town.service.database.read(lambda session: session.scalars(select(StaffSession)).one())
        assert kept.token_hash not in cookie
        assert http.cookies["uketome_staff"] != kept.token_hash


async def test_after_signing_out_the_old_cookie_opens_nothing(town: Town, sato: Colleague) -> None:
    stolen = sato.http.cookies["uketome_staff"]
    form = dict(INPUT.findall(await sato.queue()))
    await sato.http.post("/staff/sign-out", data=form)
    with_it = {"Cookie": f"uketome_staff={stolen}"}
    assert (await town.http.get("/staff", headers=with_it)).status_code == 303


async def test_a_session_ends_after_twelve_hours_and_with_the_account(
    town: Town, sato: Colleague, suzuki: Colleague
) -> None:
    now = town.clock.now()
    gone = update(Staff).where(Staff.email == suzuki.email).values(disabled_at=now)
    await town.service.database.write(lambda session: session.execute(gone))
    assert (await suzuki.http.get("/staff")).status_code == 303
    assert (await suzuki.sign_in()).status_code == 403
    town.clock.forward(hours=12)
    assert (await sato.http.get("/staff")).status_code == 303


async def test_an_invitation_makes_one_admin_and_works_once(town: Town) -> None:
    now = town.clock.now()
    token = await town.service.database.write(lambda session: access.invite(session, "admin", now))
    account = {"name": "山田", "email": "yamada@example.jp", "password": PASSWORD}
    async with browser(town) as http, browser(town) as late:
        page = f"/staff/invite/{token}"
        form = dict(INPUT.findall((await http.get(page)).text))
        late_form = dict(INPUT.findall((await late.get(page)).text))
        short = await http.post(page, data={**form, **account, "password": "too-short"})
        assert (short.status_code, sentence(short)) == (422, "パスワードは10文字以上にしてください。")
        form = dict(INPUT.findall(short.text))
        assert (await http.post(page, data={**form, **account})).headers["location"] == "/staff"
        assert "山田" in (await http.get("/staff")).text
        again = await late.post(page, data={**late_form, **account, "email": "second@example.jp"})
        assert again.status_code == 404
        assert (await late.get(page)).status_code == 404
    [admin] = await town.service.database.read(lambda session: session.scalars(select(Staff)).all())
    assert (admin.role, admin.name) == ("admin", "山田")


async def test_an_invitation_is_not_used_up_by_a_mistake_and_goes_stale(town: Town) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    now = town.clock.now()
    token = await town.service.database.write(lambda session: access.invite(session, "counselor", now))
    async with browser(town) as http:
        page = f"/staff/invite/{token}"
        for email in ("sato@example.jp", "no address", "x@token.invalid", ""):
            form = dict(INPUT.findall((await http.get(page)).text))
            answer = await http.post(page, data={**form, "name": "田中", "email": email, "password": PASSWORD})
            assert answer.status_code == 422
            assert sentence(answer).endswith("。")
        town.clock.forward(days=7)
        assert (await http.get(page)).status_code == 404
    assert (await stranger_page(town)).status_code == 404


async def stranger_page(town: Town) -> httpx.Response:
    return await town.http.get("/staff/invite/guessed")


# The queue


async def test_the_queue_shows_who_needs_a_person_first(town: Town, sato: Colleague) -> None:
    await a_case(town, "借金が減りません", minutes=90)
    await a_case(town, "死にたいです", level="immediate", minutes=2)
    await a_case(town, "まだ話しています", waiting=False)
    page = await sato.queue()
    places = [page.index(words) for words in ("死にたいです", "借金が減りません", "まだ話しています")]
    assert places == sorted(places)
    assert 'data-title="● (2) 相談の列' in page
    for words in ("いますぐ", "2分", "1時間30分"):
        assert words in page


async def test_a_written_trouble_is_in_the_queue_with_its_own_words(town: Town, sato: Colleague) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await town.quiet()
    case = await only_case(town)
    assert f"/staff/cases/{case.id}" in await sato.queue()
    assert WORDS in await sato.open(case.id)


async def test_who_was_not_understood_is_seen_by_what_they_wrote(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, "あのう", "ちょっと")
    no_complaint = update(Case).values(complaint="")
    await town.service.database.write(lambda session: session.execute(no_complaint))
    for page in (await sato.queue(), await sato.open(case_id)):
        assert "あのう" in page


async def test_long_queues_are_leafed_through(town: Town, sato: Colleague) -> None:
    made = [await a_case(town, f"{i}番目のこと", minutes=100 - i) for i in range(53)]
    first = await sato.queue()
    [more] = re.findall(r'href="(/staff\?status=waiting&amp;cursor=[^"]+)"', first)
    second = (await sato.http.get(more.replace("&amp;", "&"))).text
    assert re.findall(r'id="case-(\w+)"', first + second) == made
    for query in ("?cursor=nonsense", "?status=waiting&cursor=nonsense"):
        assert (await sato.http.get(f"/staff{query}")).status_code == 303


async def test_notices_and_answers_that_did_not_arrive_are_seen(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS, channel="line")
    await sato.do(case_id, "claim")
    now = town.clock.now()

    def fail(session: object) -> None:
        failed = update(Delivery).values(failed_at=now, done_at=now, error="LINEの送信数を使い切りました。")
        session.execute(failed)  # type: ignore[attr-defined]
        session.add(Notice(kind="quota", sentence="LINEの送信数を使い切りました。", at=now))  # type: ignore[attr-defined]

    await town.service.database.write(fail)
    page = await sato.queue()
    assert "お返事が届いていません" in page
    assert "お知らせ" in page
    assert "届きませんでした。LINEの送信数を使い切りました。" in await sato.open(case_id)


async def test_html_that_a_resident_writes_is_text(town: Town, sato: Colleague) -> None:
    evil = '<script>alert(1)</script><img src=x onerror=alert(1)>" onmouseover="x'
    found = {"fields": [{"id": evil, "confidence": 0.9, "quotes": [evil]}], "topics": {"wish": evil}}
    case_id = await a_case(town, evil, level="urgent", found=found)
    for page in (await sato.queue(), await sato.open(case_id)):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert '" onmouseover="' not in page
        assert "&lt;script&gt;alert(1)" in page


async def test_pages_allow_no_script_but_ours_and_are_kept_nowhere(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    for path in ("/staff", f"/staff/cases/{case_id}", "/staff/sign-in", "/staff/cases/nothing"):
        answer = await sato.http.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)


# One case


async def test_a_case_from_claim_to_close(town: Town, sato: Colleague) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await town.quiet()
    await hanako.new_messages(wait=0)
    case = await only_case(town)
    assert (await sato.do(case.id, "claim")).status_code == 200
    assert await hanako.answers() == ["ここからは相談員の佐藤がお話をうかがいます。"]
    await sato.do(case.id, "answer", text="佐藤です。\r\n家賃のこと、くわしく聞かせてください。")
    assert await hanako.answers() == ["佐藤です。\n家賃のこと、くわしく聞かせてください。"]
    closed = await sato.do(case.id, "close", outcome="自立相談につないだ")
    assert "自立相談につないだ" in closed.text
    [goodbye] = await hanako.answers()
    assert "いつでも" in goodbye
    assert "自立相談" not in goodbye
    case = await only_case(town)
    assert status(case) == "closed"
    events = await town.service.database.read(lambda session: session.scalars(select(CaseEvent.kind)).all())
    assert [kind for kind in events if kind in ("opened", "claimed", "replied", "closed")] == [
        "opened", "claimed", "replied", "closed",
    ]  # fmt: skip


async def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told_by_whom(
    town: Town, sato: Colleague, suzuki: Colleague
) -> None:
    for _ in range(5):
        case_id = await a_case(town, WORDS)
        answers = await asyncio.gather(sato.do(case_id, "claim"), suzuki.do(case_id, "claim"))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        lost = next(answer for answer in answers if answer.status_code == 409)
        winner = "佐藤" if lost is answers[1] else "鈴木"
        assert sentence(lost) == f"この相談は{winner}さんが担当しています。"
    assert len(await told(town)) == 5


async def test_only_who_holds_the_case_speaks_and_changes_it(town: Town, sato: Colleague, suzuki: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    assert sentence(await suzuki.do(case_id, "answer", text="こんにちは")) == "先に「担当する」を押してください。"
    await sato.do(case_id, "claim")
    for verb in ("answer", "release", "hand-back", "close"):
        refused = await suzuki.do(case_id, verb, text="こんにちは", outcome="終わり")
        assert (refused.status_code, sentence(refused)) == (409, "この相談は佐藤さんが担当しています。")
    assert await told(town) == ["ここからは相談員の佐藤がお話をうかがいます。"]
    assert "担当する</button>" not in await suzuki.open(case_id)


async def test_a_released_case_is_back_at_its_old_place(town: Town, sato: Colleague, suzuki: Colleague) -> None:
    first = await a_case(town, "先に来た人", minutes=60)
    second = await a_case(town, "あとに来た人", minutes=5)
    await sato.do(first, "claim")
    town.clock.forward(minutes=10)
    await sato.do(first, "release")
    assert re.findall(r'id="case-(\w+)"', await suzuki.queue("?status=waiting")) == [first, second]
    assert (await suzuki.do(first, "claim")).status_code == 200


async def test_a_supervisor_frees_a_case_whose_counselor_is_away(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    async with at_work(town, "高橋", "takahashi@example.jp", "supervisor") as takahashi:
        assert "佐藤さんの担当を外す" in await takahashi.open(case_id)
        assert (await takahashi.do(case_id, "answer", text="こんにちは")).status_code == 409
        assert (await takahashi.do(case_id, "release")).status_code == 200
    assert status(await only_case(town)) == "waiting"


async def test_handed_back_the_machine_listens_again(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    await sato.do(case_id, "hand-back")
    assert status(await only_case(town)) == "collecting"
    assert "機械" in (await told(town))[-1]


async def test_a_resident_who_writes_long_after_the_end_has_a_new_case(town: Town, sato: Colleague) -> None:
    hanako = town.resident()
    await hanako.come()
    await hanako.write(WORDS)
    await town.quiet()
    case = await only_case(town)
    await sato.do(case.id, "claim")
    await sato.do(case.id, "close", outcome="つないだ")
    assert sentence(await sato.do(case.id, "claim")) == "この相談は終わっています。"
    town.clock.forward(days=31)
    await sato.sign_in()
    await hanako.write("また困っています")
    await town.quiet()
    old, new = await town.cases()
    assert new.previous_id == old.id
    assert f"/staff/cases/{old.id}" in await sato.open(new.id)


async def test_without_scripts_the_same_forms_work(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    form = dict(INPUT.findall(await sato.open(case_id)))
    claimed = await sato.http.post(f"/staff/cases/{case_id}/claim", data=form)
    assert (claimed.status_code, claimed.headers["location"]) == (303, f"/staff/cases/{case_id}")
    empty = await sato.http.post(f"/staff/cases/{case_id}/answer", data={**form, "text": " \u0000 "})
    assert (empty.status_code, sentence(empty)) == (422, "お返事の文を書いてください。")
    assert "<html" in empty.text


async def test_a_form_without_the_sessions_key_changes_nothing(town: Town, sato: Colleague, suzuki: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    anothers = dict(INPUT.findall(await suzuki.open(case_id)))
    for form in ({}, {"csrf": ""}, {"csrf": "guess"}, {"csrf": "あ"}, anothers):
        answer = await sato.http.post(f"/staff/cases/{case_id}/claim", data=form)
        assert answer.status_code == 403
        assert "開き直して" in answer.text
    assert (await only_case(town)).claimed_by is None


@pytest.mark.parametrize(
    ("text", "sentence_told"),
    [
        ("", "お返事の文を書いてください。"),
        (" \n\t ", "お返事の文を書いてください。"),
        ("あ" * 5_001, "一度に送れるのは5,000文字までです。分けて送ってください。"),
        ("👪" * 2_501, "一度に送れるのは5,000文字までです。分けて送ってください。"),
    ],
)
async def test_an_answer_that_cannot_be_sent_is_refused_and_kept(
    town: Town, sato: Colleague, text: str, sentence_told: str
) -> None:
    case_id = await a_case(town, WORDS)
    await sato.do(case_id, "claim")
    refused = await sato.do(case_id, "answer", text=text)
    assert (refused.status_code, sentence(refused)) == (422, sentence_told)
    assert text.strip() in refused.text
    assert len(await told(town)) == 1


async def test_a_body_beyond_all_measure_is_refused(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    assert (await sato.do(case_id, "answer", text="a" * 10_000_000)).status_code == 413
    form = dict(INPUT.findall(await sato.queue()))
    many = {**form, **{f"input{i}": "" for i in range(50)}}
    assert (await sato.http.post(f"/staff/cases/{case_id}/claim", data=many)).status_code == 422


@pytest.mark.parametrize("case_id", ["0" * 32, "x", "%00", "' OR 1=1 --", "%F0%9F%91%AA", "a" * 2_000])
async def test_a_case_that_is_not_there_is_one_sentence(town: Town, sato: Colleague, case_id: str) -> None:
    await a_case(town, WORDS)
    for path in (f"/staff/cases/{case_id}", f"/staff/cases/{case_id}/live"):
        answer = await sato.http.get(path)
        assert (answer.status_code, "その相談は見つかりません。" in answer.text) == (404, True)
    assert (await sato.do(case_id, "claim")).status_code == 404
    assert (await sato.do((await only_case(town)).id, "dance")).status_code == 404


async def test_a_resident_who_left_cannot_be_answered_and_the_page_says_so(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS, channel="line")
    now = town.clock.now()
    await town.service.database.write(lambda session: session.execute(update(Conversation).values(blocked_at=now)))
    assert "お返事は届きません" in await sato.open(case_id)


async def test_no_word_of_a_resident_is_logged(
    town: Town, sato: Colleague, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    case_id = await a_case(town, WORDS)
    await sato.open(case_id)
    await sato.do(case_id, "claim")
    await sato.do(case_id, "answer", text="佐藤が読みました")
    printed = caplog.text + "".join(capfd.readouterr())
    for words in ("滞納", "佐藤が読みました", PASSWORD):
        assert words not in printed


# Live


async def test_a_page_is_told_of_what_changed_and_of_nothing_else(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    token = sato.http.cookies["uketome_staff"]
    async with sato.http.stream("GET", "/staff/live?seen=") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: board"
        await _until(lines, "data:", WORDS)
        await _until(lines, ":")
        await sato.do(case_id, "claim")
        await _until(lines, "event: board")
        await _until(lines, "data:", "わたしの担当")
        await _until(lines, ":")
        now = town.clock.now()
        await town.service.database.write(lambda session: access.end_session(session, token, now))
        town.service.bells.ring(bell.QUEUE)
        await _until(lines, "event: gone")


async def test_a_browser_that_has_everything_is_sent_nothing(town: Town) -> None:
    parts = {"talk": "<p>話</p>", "desk": "<p>返事</p>"}

    async def look() -> live.Parts:
        return parts

    events = live.events(look, town.service.bells, "test", live.known(parts))
    assert await anext(events) == ":\n\n"
    parts["talk"] = "<p>話</p>\n<p>つづき</p>"
    town.service.bells.ring("test")
    changed = await anext(events)
    assert changed.startswith("event: talk\n")
    assert changed.endswith("\ndata: <p>話</p>\ndata: <p>つづき</p>\n\n")
    assert await anext(events) == ":\n\n"
    await events.aclose()  # type: ignore[attr-defined]


async def _until(lines: AsyncIterator[str], begins: str, holds: str = "") -> None:
    async with asyncio.timeout(15):
        async for line in lines:
            if line.startswith(begins) and holds in line:
                return
    raise AssertionError(f"the stream ended before {begins} {holds}")

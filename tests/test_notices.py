"""Notices that leave the house, against real small servers: told once, tried again, and never a resident's word."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_string, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.understanding import Understander
from handoff import case as cases
from handoff.notices import Notices
from handoff.sending import PAUSES
from storage.bells import Bells
from storage.models import Case
from storage.settings import Settings
from storage.support import OutgoingNotice
from tests.conftest import Town, running
from tests.desk import INPUT, a_case, add_staff, at_work
from tests.stand_ins.clock import SetClock
from tests.stand_ins.hooks import StandInHooks
from tests.stand_ins.mail import PASSWORD as MAIL_PASSWORD
from tests.stand_ins.mail import USER, StandInMail, make_certificate

WORDS = "山田花子です。夫に毎晩なぐられていて、もう死にたいです"
SECRET = "secret-of-the-hook"


@pytest.fixture
def settings(database_url: str, tmp_path: Path, hooks: StandInHooks, mail: StandInMail) -> Settings:
    return Settings(
        database_url=database_url, var_dir=tmp_path / "var", rasa_url="http://127.0.0.1:9",
        public_url="http://town.example", notice_webhook_url=f"{hooks.url}/hook", notice_webhook_secret=SECRET,
        notice_chat_url=f"{hooks.url}/chat", smtp_url=mail.url, notice_mail_to="tantou@example.jp, boss@example.jp",
    )  # fmt: skip


@pytest.fixture
async def town(settings: Settings, reader: Understander) -> AsyncIterator[Town]:
    """The service with every target set."""
    async with running(settings, reader, SetClock()) as town:
        yield town


async def rows(town: Town) -> list[OutgoingNotice]:
    return await town.service.database.read(
        lambda session: list(session.scalars(select(OutgoingNotice).order_by(OutgoingNotice.id)))
    )


async def settled(town: Town, count: int) -> list[OutgoingNotice]:
    """Waits until so many notices are sent, or given up."""

    async def done() -> bool:
        return sum(row.done_at is not None for row in await rows(town)) == count

    await town.until(done)
    return await rows(town)


async def look(town: Town) -> None:
    """One look more, as the loop takes it."""
    await town.service.notices.round()


async def test_danger_is_told_to_every_target_at_once_without_a_word_of_the_resident(
    town: Town, hooks: StandInHooks, mail: StandInMail
) -> None:
    case_id = await a_case(town, WORDS, level="immediate", minutes=3)
    town.service.bells.ring("queue")
    await settled(town, 3)
    posted = {one.path: one for one in hooks.posted}
    assert sorted(posted) == ["/chat", "/hook"]
    hook, url = posted["/hook"], f"http://town.example/staff/cases/{case_id}"
    told = json.loads(hook.body)
    assert {name: told[name] for name in ("kind", "case_id", "level", "waiting_minutes", "url")} == {
        "kind": "danger", "case_id": case_id, "level": "immediate", "waiting_minutes": 3, "url": url,
    }  # fmt: skip
    signed = f"{hook.headers['Uketome-Timestamp']}.{hook.body}".encode()
    assert hook.headers["Uketome-Signature"] == "sha256=" + hmac.new(SECRET.encode(), signed, "sha256").hexdigest()
    assert url in json.loads(posted["/chat"].body)["text"]
    [sent] = mail.mails
    read = message_from_string(sent, policy=policy.default)
    assert (read["To"], read["From"]) == ("tantou@example.jp, boss@example.jp", "uketome@town.example")
    body = read.get_body()
    assert body
    assert url in body.get_content()
    everything = f"{hook.body}{json.loads(posted['/chat'].body)}{read['Subject']}{body.get_content()}"
    for piece in ("山田", "花子", "死にたい", "なぐら", "suicide"):
        assert piece not in everything


async def test_each_is_told_once_also_by_two_processes_and_after_it_waited(
    town: Town, hooks: StandInHooks, settings: Settings
) -> None:
    other = Notices(settings, town.service.database, Bells(), town.clock)
    case_id = await a_case(town, WORDS, level="urgent")
    await asyncio.gather(look(town), other.round(), look(town), other.round())
    await settled(town, 3)
    town.clock.forward(minutes=61)  # now it waits too long as well: that is another notice
    await asyncio.gather(look(town), other.round())
    await settled(town, 6)
    change = update(Case).where(Case.id == case_id)
    for urgency in (0, 3):
        await town.service.database.write(lambda s: s.execute(change.values(urgency=urgency)))  # noqa: B023
        town.clock.forward(hours=1)
        await look(town)
    assert len(await rows(town)) == 6
    kinds = [json.loads(one.body)["kind"] for one in hooks.posted if one.path == "/hook"]
    assert sorted(kinds) == ["danger", "waiting"]


async def test_only_who_waits_for_somebody_is_told_of(town: Town) -> None:
    staff, now = await add_staff(town, "佐藤", "sato@example.jp"), town.clock.now()
    held, closed, following = [await a_case(town, WORDS, level="none", minutes=59) for _ in range(3)]
    await a_case(town, WORDS, waiting=False, minutes=500)
    await a_case(town, WORDS, level="watch", minutes=30)
    long_ago = await a_case(town, WORDS, minutes=60 * 24 * 3)

    def work(session: Session) -> None:
        cases.claim(session, held, staff, now)
        cases.close(session, session.get_one(Case, closed), staff, "つないだ", now)
        session.get_one(Case, following).following_since = now

    await town.service.database.write(work)
    town.clock.forward(minutes=2)
    await look(town)
    assert await rows(town) == [], long_ago
    waiting = await a_case(town, WORDS, minutes=61)
    talking = await a_case(town, WORDS, level="urgent", waiting=False)
    await look(town)
    assert {(row.case_id, row.kind) for row in await rows(town)} == {(waiting, "waiting"), (talking, "danger")}


async def test_what_fails_is_tried_again_and_in_the_end_shown(
    town: Town, hooks: StandInHooks, mail: StandInMail
) -> None:
    hooks.status, mail.refuse = 503, "550 no such box"
    await a_case(town, WORDS, level="immediate")
    await look(town)

    async def failed_once() -> bool:
        return sum(row.error is not None for row in await rows(town)) == 3

    await town.until(failed_once)
    by_target = {row.target: row for row in await rows(town)}
    assert by_target["mail"].done_at is not None
    assert by_target["webhook"].done_at is None
    await look(town)
    assert len(hooks.posted) == 2  # not before its time
    hooks.status = 200
    town.clock.forward(minutes=1)
    await look(town)
    await settled(town, 3)
    assert {row.target: row.sent_at is not None for row in await rows(town)} == {
        "webhook": True, "chat": True, "mail": False,
    }  # fmt: skip
    async with at_work(town, "山田", "admin@example.jp", "admin") as admin:
        page = (await admin.http.get("/staff/settings/notices")).text
        assert "メールサーバーが受けとりませんでした（550）。" in page
        assert "もう送りません" in page
        assert SECRET not in page
        assert "/hook" not in page


async def test_it_is_given_up_after_a_day_of_tries(town: Town, hooks: StandInHooks) -> None:
    hooks.status = 500
    await a_case(town, WORDS, level="immediate")
    for pause in (timedelta(0), *PAUSES, timedelta(days=1)):
        town.clock.forward(seconds=pause.total_seconds() + 61)
        await look(town)
    tries = [told for one in hooks.posted if one.path == "/hook" and (told := json.loads(one.body))["kind"] == "danger"]
    assert len(tries) == len(PAUSES) + 1
    assert len({told["id"] for told in tries}) == 1


async def test_what_a_dead_process_had_claimed_is_sent_by_the_next(
    town: Town, hooks: StandInHooks, settings: Settings
) -> None:
    now = town.clock.now()
    dead = Notices(settings, town.service.database, Bells(), town.clock)
    await a_case(town, WORDS, level="immediate")
    claimed = await town.service.database.write(lambda session: dead._claim(session, now))
    assert len(claimed) == 3
    await look(town)
    assert hooks.posted == []
    town.clock.forward(seconds=61)
    await look(town)
    await settled(town, 3)
    assert len(hooks.posted) == 2


async def test_who_was_taken_on_before_anybody_was_told_is_told_if_they_wait_again(
    town: Town, hooks: StandInHooks, mail: StandInMail
) -> None:
    hooks.status, mail.refuse = 500, "450 later"
    staff = await add_staff(town, "佐藤", "sato@example.jp")
    case_id = await a_case(town, WORDS, level="urgent")
    await look(town)
    now = town.clock.now()
    await town.service.database.write(lambda session: cases.claim(session, case_id, staff, now))
    town.clock.forward(minutes=1)
    await look(town)
    count = await town.service.database.read(
        lambda s: s.scalar(select(func.count()).where(OutgoingNotice.done_at.is_(None)))
    )
    assert count == 0
    assert len([one for one in hooks.posted if one.path == "/hook"]) == 1


async def test_the_admin_tries_a_target_and_is_told_what_became_of_it(
    town: Town, hooks: StandInHooks, mail: StandInMail
) -> None:
    async with (
        at_work(town, "山田", "admin@example.jp", "admin") as admin,
        at_work(town, "佐藤", "sato@example.jp") as sato,
    ):
        page = (await admin.http.get("/staff/settings/notices")).text
        form = dict(INPUT.findall(page))

        async def press(target: str) -> Any:
            return await admin.http.post("/staff/settings/notices/test", data={**form, "target": target})

        assert "メールに試しのお知らせを送りました。" in (await press("mail")).text
        assert len(mail.mails) == 1
        hooks.status = 404
        assert "チャットに届きませんでした。送り先が受けとりませんでした（404）。" in (await press("chat")).text
        await hooks.stop()
        assert "送り先につながりませんでした。" in (await press("webhook")).text
        assert (await press("pigeon")).status_code == 404
        assert (await sato.http.get("/staff/settings/notices")).status_code == 404
        foreign = await sato.http.post(
            "/staff/settings/notices/test", data={**dict(INPUT.findall(await sato.queue())), "target": "mail"}
        )
        assert foreign.status_code == 404
        assert len(mail.mails) == 1


@pytest.fixture
async def strict_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandInMail]:
    """A mail server that takes nothing from strangers, nor a password over a line that others may read."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # as an operator trusts a town's own server
    mail = StandInMail(certificate)
    await mail.start()
    yield mail
    await mail.stop()


async def tried_mail(settings: Settings, reader: Understander, address: str) -> str:
    """The admin's page after a try with that mail server."""
    async with (
        running(settings.model_copy(update={"smtp_url": address}), reader, SetClock()) as town,
        at_work(town, "山田", "admin@example.jp", "admin") as admin,
    ):
        form = dict(INPUT.findall((await admin.http.get("/staff/settings/notices")).text))
        return (await admin.http.post("/staff/settings/notices/test", data={**form, "target": "mail"})).text


async def test_mail_is_sent_over_tls_by_who_signs_in(
    settings: Settings, reader: Understander, strict_mail: StandInMail
) -> None:
    address = f"smtp://{USER}:{MAIL_PASSWORD}@127.0.0.1:{strict_mail.port}"
    assert "メールに試しのお知らせを送りました。" in await tried_mail(settings, reader, address)
    assert len(strict_mail.mails) == 1
    assert strict_mail.heard == ["EHLO", "STARTTLS"]


async def test_a_wrong_password_of_the_mail_server_is_said(
    settings: Settings, reader: Understander, strict_mail: StandInMail
) -> None:
    refused = await tried_mail(settings, reader, f"smtp://{USER}:wrong@127.0.0.1:{strict_mail.port}")
    assert "メールサーバーにサインインできませんでした。" in refused
    assert strict_mail.mails == []


async def test_no_password_goes_over_a_line_that_others_may_read(
    settings: Settings, reader: Understander, mail: StandInMail
) -> None:
    told = await tried_mail(settings, reader, mail.url.replace("//", f"//{USER}:{MAIL_PASSWORD}@"))
    assert "メールサーバーが暗号化（STARTTLS）に応じないため、送りませんでした。" in told
    assert "AUTH" not in mail.heard
    assert mail.mails == []


async def test_a_mail_server_that_nobody_vouches_for_gets_nothing(
    settings: Settings, reader: Understander, strict_mail: StandInMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    address = f"smtp://{USER}:{MAIL_PASSWORD}@127.0.0.1:{strict_mail.port}"
    assert "メールサーバーにつながりませんでした。" in await tried_mail(settings, reader, address)
    assert strict_mail.mails == []

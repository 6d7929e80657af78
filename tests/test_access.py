"""Who may see which case, how sessions end, the second factor, one's own page; and everything that must not work."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handoff import access, presence, queue
from handoff.second_factor import SecondFactor, new_secret
from handoff.second_step import WRONG_CODE
from storage.models import Agency, Case, Desk, Staff, StaffSession
from storage.settings import Settings, SettingsError
from storage.support import AuditEntry, Involvement
from tests.conftest import Town, running
from tests.desk import INPUT, PASSWORD, Colleague, a_case, add_staff, at_work, browser
from tests.test_console import sentence

WORDS = "家賃を滞納していて、電気も止まりそうです"
SEALED = re.compile(r'name="(csrf|key|sealed)" value="([^"]+)"')


@pytest.fixture
async def sato(town: Town) -> AsyncIterator[Colleague]:
    async with at_work(town, "佐藤", "sato@example.jp") as sato:
        yield sato


async def change(town: Town, statement: Any) -> None:
    await town.service.database.write(lambda session: session.execute(statement))


async def add(town: Town, row: Any) -> int:
    """A row more; its id."""

    def work(session: Session) -> int:
        session.add(row)
        session.flush()
        return int(row.id)

    return await town.service.database.write(work)


async def actions(town: Town) -> list[tuple[str, str | None]]:
    """The audit trail: what was done, and with which case."""
    await town.service.database.write(lambda session: session.execute(select(1)))  # what was handed over stands now
    rows = await town.service.database.read(
        lambda session: session.execute(select(AuditEntry.action, AuditEntry.case_id).order_by(AuditEntry.id)).all()
    )
    return [(action, case_id) for action, case_id in rows]


# Who sees what


async def test_a_counselor_sees_the_intake_their_desk_what_is_theirs_and_danger(town: Town) -> None:
    now = town.clock.now()
    care, tax = await add(town, Desk(name="介護", created_at=now)), await add(town, Desk(name="納税", created_at=now))
    mari, ken = await add_staff(town, "真理", "mari@example.jp"), await add_staff(town, "健", "ken@example.jp")
    boss = await add_staff(town, "高橋", "boss@example.jp", "supervisor")
    await change(town, update(Staff).where(Staff.id == mari.id).values(desk_id=care))
    made = {name: await a_case(town, WORDS) for name in ("intake", "care", "tax", "held", "responsible", "closed")}
    made["danger"] = await a_case(town, WORDS, level="urgent")
    made["old danger"] = await a_case(town, WORDS, level="urgent")
    placed = {"care": care, **dict.fromkeys(("tax", "held", "responsible", "closed", "danger", "old danger"), tax)}
    for name, desk in placed.items():
        await change(town, update(Case).where(Case.id == made[name]).values(desk_id=desk))
    await change(town, update(Case).where(Case.id == made["held"]).values(claimed_by=mari.id))
    await change(town, update(Case).where(Case.id == made["responsible"]).values(responsible_id=mari.id))
    await change(town, update(Case).where(Case.id.in_((made["closed"], made["old danger"]))).values(closed_at=now))

    async def seen(staff: Staff) -> set[str]:
        fresh = await town.service.database.read(lambda session: session.get_one(Staff, staff.id))
        ids = await town.service.database.read(
            lambda session: session.scalars(access.cases_of(fresh).with_only_columns(Case.id)).all()
        )
        return {name for name, id_ in made.items() if id_ in ids}

    assert await seen(mari) == {"intake", "care", "held", "responsible", "danger"}
    assert await seen(ken) == {"intake", "danger"}
    assert await seen(boss) == set(made)
    counted = await town.service.database.read(lambda session: queue.counts(session, ken))
    assert counted["waiting"] == 2
    await change(town, update(Staff).where(Staff.id == boss.id).values(disabled_at=now))
    assert await seen(boss) == set()


async def test_another_desks_case_is_not_found_by_any_way_and_the_trail_knows(town: Town, sato: Colleague) -> None:
    desk = await add(town, Desk(name="納税", created_at=town.clock.now()))
    case_id, closed = await a_case(town, WORDS), await a_case(town, "終わったこと")
    await change(town, update(Case).where(Case.id.in_((case_id, closed))).values(desk_id=desk))
    await change(town, update(Case).where(Case.id == closed).values(closed_at=town.clock.now()))
    missing = await sato.http.get(f"/staff/cases/{'0' * 32}")
    for path in (f"/staff/cases/{case_id}", f"/staff/cases/{case_id}/live"):
        answer = await sato.http.get(path)
        assert (answer.status_code, answer.text) == (404, missing.text)
    for verb in ("claim", "answer", "close", "release", "hand-back"):
        assert (await sato.do(case_id, verb, text="こんにちは", outcome="終わり")).status_code == 404
    for query in ("", "?status=waiting", "?status=closed"):
        assert case_id not in await sato.queue(query)
        assert closed not in await sato.queue(query)
    refused = [entry for entry in await actions(town) if entry[0] == "refused"]
    assert refused == [("refused", case_id)] * 7
    assert [case.claimed_by for case in await town.cases()] == [None, None]


async def test_an_agency_sees_what_it_takes_part_in_and_no_page_of_the_town_hall(town: Town) -> None:
    now = town.clock.now()
    school, clinic = (
        await add(town, Agency(name="中学校", created_at=now)),
        await add(town, Agency(name="診療所", created_at=now)),
    )
    theirs, over, others, danger = [await a_case(town, WORDS, level="urgent") for _ in range(4)]
    for case_id, agency, until in ((theirs, school, None), (over, school, now), (others, clinic, None)):
        await add(town, Involvement(case_id=case_id, agency_id=agency, ground="106_6", since=now, until=until, role=""))
    async with browser(town) as http:
        teacher = Colleague(http, "teacher@example.jp")
        await town.service.database.write(
            lambda s: access.add_staff(s, teacher.email, "agency", PASSWORD, now, "先生", agency_id=school)
        )
        await teacher.sign_in()
        staff = await town.service.database.read(lambda session: access.staff_by_email(session, teacher.email))
        assert staff
        found = await town.service.database.read(lambda s: s.scalars(access.cases_of(staff)).all())
        assert [case.id for case in found] == [theirs]
        for case_id in (over, others, danger):
            with pytest.raises(access.NotTheirs):
                await town.service.database.read(lambda s: access.case_of(s, staff, case_id))  # noqa: B023
        queue_page = await http.get("/staff")
        assert (queue_page.status_code, queue_page.headers["location"]) == (303, access.AGENCY_HOME)
        case_pages = ("", "/live", "/support", "/letter", "/records", "/forms", "/forms/basic", "/forms/plan")
        pages = ("live", "today", "meetings", "agencies", "reports/cases", "settings/people", "settings/trail")
        for path in (*(f"cases/{theirs}{page}" for page in case_pages), *pages):
            answer = await http.get(f"/staff/{path}")
            assert answer.status_code == 404
            assert WORDS not in answer.text
        csrf = dict(INPUT.findall((await http.get("/staff/me")).text))
        for verb in ("claim", "answer", "close"):
            assert (await http.post(f"/staff/cases/{theirs}/{verb}", data=csrf)).status_code == 404
    with pytest.raises(access.Refused):
        await town.service.database.write(
            lambda s: access.add_staff_with(s, "x@example.jp", "counselor", "!", now, agency_id=school)
        )


async def test_a_look_is_one_entry_a_quarter_of_an_hour(town: Town, sato: Colleague) -> None:
    case_id = await a_case(town, WORDS)
    for minutes in (0, 5, 9, 2, 20):
        town.clock.forward(minutes=minutes)
        await sato.open(case_id)
    assert (await actions(town)).count(("looked", case_id)) == 3
    token = await town.service.database.write(lambda s: access.add_token(s, "t", ["cases:read"], town.clock.now()))
    for _ in range(2):
        read = await town.http.get(f"/api/cases/{case_id}", headers={"Authorization": f"Bearer {token}"})
        assert read.status_code == 200
    assert (await actions(town)).count(("read_by_system", case_id)) == 1


# Sessions


async def test_a_session_that_nobody_uses_for_an_hour_ends_and_use_keeps_it(town: Town, sato: Colleague) -> None:
    async def seen() -> bool:
        town.service.bells.ring(presence.PRESENCE)
        last = await town.service.database.read(lambda session: session.scalars(select(StaffSession.seen_at)).one())
        return last == town.clock.now()

    for _ in range(3):
        town.clock.forward(minutes=50)
        assert (await sato.http.get("/staff")).status_code == 200
        await town.until(seen)
    town.clock.forward(minutes=61)
    assert (await sato.http.get("/staff")).status_code == 303


async def test_every_sign_in_is_a_new_session_and_a_changed_password_ends_the_others(
    town: Town, sato: Colleague
) -> None:
    old = sato.http.cookies["uketome_staff"]
    await sato.sign_in()
    stolen = {"Cookie": f"uketome_staff={old}"}
    assert (await town.http.get("/staff", headers=stolen)).status_code == 303
    async with browser(town) as elsewhere:
        await Colleague(elsewhere, sato.email).sign_in()
        page = (await sato.http.get("/staff/me")).text
        assert page.count("からサインアウト") == 1
        csrf = dict(INPUT.findall(page))
        wrong = await sato.http.post("/staff/me/password", data={**csrf, "old": "wrong-one-1", "new": "a-new-password"})
        assert (wrong.status_code, "いまのパスワードが違います" in wrong.text) == (403, True)
        short = await sato.http.post("/staff/me/password", data={**csrf, "old": PASSWORD, "new": "short"})
        assert (short.status_code, "10文字以上" in short.text) == (422, True)
        assert (await elsewhere.get("/staff")).status_code == 200
        done = await sato.http.post("/staff/me/password", data={**csrf, "old": PASSWORD, "new": "a-new-password"})
        assert done.headers["location"] == "/staff/me?done=password"
        assert (await elsewhere.get("/staff")).status_code == 303
        assert (await sato.http.get("/staff")).status_code == 200
        assert (await Colleague(elsewhere, sato.email).sign_in()).status_code == 403
        assert (await Colleague(elsewhere, sato.email).sign_in("a-new-password")).status_code == 303
        ids = re.findall(r'name="which" value="(\w+)"', (await sato.http.get("/staff/me")).text)
        assert len(ids) == 2
        await sato.http.post("/staff/me/sessions/end", data={**csrf, "which": ids[0]})
        assert (await elsewhere.get("/staff")).status_code == 303
    for path in ("name", "password", "second-factor", "second-factor/off", "sessions/end"):
        assert (await sato.http.post(f"/staff/me/{path}", data={"csrf": "guessed"})).status_code == 403


async def test_ones_own_name_is_changed_and_html_in_it_is_text(town: Town, sato: Colleague) -> None:
    csrf = dict(INPUT.findall((await sato.http.get("/staff/me")).text))
    await sato.http.post("/staff/me/name", data={**csrf, "name": "<b>佐藤花</b>"})
    assert "&lt;b&gt;佐藤花" in await sato.queue()
    for name in (" ", "あ" * 61):
        assert (await sato.http.post("/staff/me/name", data={**csrf, "name": name})).status_code == 422


# The second factor


async def test_the_second_factor_from_setting_it_up_to_leaving_it(town: Town, sato: Colleague) -> None:
    csrf = dict(INPUT.findall((await sato.http.get("/staff/me")).text))
    offered = await sato.http.post("/staff/me/second-factor", data={**csrf, "password": PASSWORD})
    assert "<svg" in offered.text
    assert not re.search(r"<style| style=|<script(?![^>]* src=)", offered.text)
    [secret] = re.findall(r'class="secret"[^>]*>([A-Z2-7 ]+)<', offered.text)
    app = pyotp.TOTP(secret.replace(" ", ""))

    def code(steps: int = 0) -> str:
        return app.generate_otp(int(town.clock.now().timestamp()) // 30 + steps)

    form = dict(SEALED.findall(offered.text))
    wrong = await sato.http.post("/staff/me/second-factor/confirm", data={**form, "code": code(5)})
    assert wrong.status_code == 422
    codes = await sato.http.post("/staff/me/second-factor/confirm", data={**form, "code": code()})
    recovery = re.findall(r"<li>(\w{5}-\w{5})</li>", codes.text)
    assert len(recovery) == 10
    kept = await town.service.database.read(lambda session: session.scalars(select(Staff)).one())
    assert kept.totp_secret
    assert app.secret not in kept.totp_secret
    async with browser(town) as http:
        door = Colleague(http, sato.email)

        async def enter(given: str) -> int:
            if not (form := dict(INPUT.findall((await http.get("/staff/sign-in/code")).text))):
                await door.sign_in()
                form = dict(INPUT.findall((await http.get("/staff/sign-in/code")).text))
            return (await http.post("/staff/sign-in/code", data={**form, "code": given})).status_code

        assert (await door.sign_in()).headers["location"] == "/staff/sign-in/code"
        assert (await http.get("/staff")).status_code == 303
        assert await enter(code()) == 403  # it was used to set it up
        assert await enter(code(2)) == 403
        assert await enter(" ".join(code(1).translate(str.maketrans("0123456789", "０１２３４５６７８９")))) == 303
        assert (await http.get("/staff")).status_code == 200
        assert await enter(code(1)) == 403
        assert await enter(recovery[3].upper()) == 303
        assert await enter(recovery[3]) == 403
    off = await sato.http.post("/staff/me/second-factor/off", data={**csrf, "password": "wrong-password"})
    assert off.status_code == 403
    await sato.http.post("/staff/me/second-factor/off", data={**csrf, "password": PASSWORD})
    async with browser(town) as http:
        assert (await Colleague(http, sato.email).sign_in()).headers["location"] == "/staff"
    done = {action for action, _ in await actions(town)}
    assert {"second_factor_on", "second_factor_off", "recovery_code_used", "sign_in_failed", "signed_in"} <= done


async def test_codes_cannot_be_guessed_and_half_a_sign_in_goes_stale(town: Town) -> None:
    staff = await add_staff(town, "佐藤", "sato@example.jp")
    second, now, secret = SecondFactor(town.service.settings), town.clock.now(), new_secret()
    code = pyotp.TOTP(secret).generate_otp(int(now.timestamp()) // 30)
    assert await town.service.database.write(lambda s: second.set_up(s, staff, secret, code, now))
    async with browser(town) as http:
        await Colleague(http, staff.email).sign_in()
        answers = []
        for guess in range(11):
            form = dict(INPUT.findall((await http.get("/staff/sign-in/code")).text))
            answers.append(await http.post("/staff/sign-in/code", data={**form, "code": f"{guess:06d}"}))
        assert [answer.status_code for answer in answers] == [403] * 10 + [429]
        assert sentence(answers[0]) == WRONG_CODE
        assert (await http.post("/staff/sign-in/code", data={"code": "1"})).status_code == 403
        town.clock.forward(minutes=16)
        form = dict(INPUT.findall((await http.get("/staff/sign-in")).text))
        late = await http.post("/staff/sign-in/code", data={**form, "code": "000000"})
        assert (late.status_code, late.headers["location"]) == (303, "/staff/sign-in")
    async with browser(town) as http:
        http.cookies.set("uketome_half", "forged", path="/staff/sign-in")
        assert (await http.get("/staff/sign-in/code")).headers["location"] == "/staff/sign-in"


async def test_where_it_is_required_nobody_comes_in_without_setting_it_up(
    town: Town, reader: Any, database_url: str, tmp_path: Any
) -> None:
    await add_staff(town, "佐藤", "sato@example.jp")
    settings = Settings(
        database_url=database_url, var_dir=tmp_path / "var", second_factor="required", rasa_url="http://127.0.0.1:9"
    )
    async with running(settings, reader, town.clock) as strict, browser(strict) as http:
        sato = Colleague(http, "sato@example.jp")
        assert (await sato.sign_in()).headers["location"] == "/staff/sign-in/second-factor"
        assert (await http.get("/staff")).status_code == 303
        page = (await http.get("/staff/sign-in/second-factor")).text
        [secret] = re.findall(r'class="secret"[^>]*>([A-Z2-7 ]+)<', page)
        code = pyotp.TOTP(secret.replace(" ", "")).generate_otp(int(town.clock.now().timestamp()) // 30)
        done = await http.post("/staff/sign-in/second-factor", data={**dict(SEALED.findall(page)), "code": code})
        assert "予備のコード" in done.text
        assert (await http.get("/staff")).status_code == 200
        csrf = dict(INPUT.findall((await http.get("/staff/me")).text))
        kept = await http.post("/staff/me/second-factor/off", data={**csrf, "password": PASSWORD})
        assert kept.status_code == 422
        assert (await http.get("/staff/sign-in/second-factor")).status_code == 303


@pytest.mark.parametrize(
    "given",
    [{"oidc_issuer": "https://id.example"}, {"smtp_url": "smtp://x"}, {"notice_webhook_url": "https://x"},
     {"smtp_url": "http://x", "notice_mail_to": "a@example.jp"}, {"second_factor": "sometimes"},
     {"notice_chat_url": "chat"}],
)  # fmt: skip
def test_settings_that_are_half_or_wrong_stop_the_start(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="UKETOME_"):
        Settings.read(**given)

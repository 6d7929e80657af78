"""Sign-in by the town's own accounts, against a small provider over real HTTP; and every answer that must not count."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select, update

from bot.understanding import Understander
from handoff.oidc import AWAY, NOT_GENUINE
from handoff.town_sign_in import NO_ACCOUNT, TOO_LATE, UNVERIFIED
from storage.models import Staff
from storage.settings import Settings
from tests.conftest import Town, running
from tests.desk import add_staff, browser
from tests.stand_ins.clock import SetClock
from tests.stand_ins.oidc import CLIENT, SECRET, StandInOidc
from tests.test_console import sentence


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database is enough here: the subject is the provider."""
    return f"sqlite:///{tmp_path / 'town.db'}"


@pytest.fixture
async def provider() -> AsyncIterator[StandInOidc]:
    provider = StandInOidc()
    await provider.start()
    yield provider
    await provider.stop()


@pytest.fixture
async def town(database_url: str, tmp_path: Path, reader: Understander, provider: StandInOidc) -> AsyncIterator[Town]:
    """The service, with the provider set and 佐藤's account."""
    settings = Settings(
        database_url=database_url, var_dir=tmp_path / "var", rasa_url="http://127.0.0.1:9", oidc_issuer=provider.url,
        oidc_client_id=CLIENT, oidc_client_secret=SECRET, oidc_name="市のアカウント", public_url="http://town.example",
    )  # fmt: skip
    async with running(settings, reader, SetClock()) as town:
        await add_staff(town, "佐藤", "sato@example.jp")
        yield town


async def come(http: httpx.AsyncClient, provider: StandInOidc, **forged: str) -> httpx.Response:
    """Presses the button, signs in at the provider, and comes back."""
    there = await http.get("/staff/sign-in/town?next=/staff/cases/abc")
    if there.status_code != 303:
        return there
    async with httpx.AsyncClient() as outside:
        back = httpx.URL((await outside.get(there.headers["location"])).headers["location"])
    assert back.host == "town.example"
    return await http.get(back.path, params={**dict(back.params), **forged})


async def staff(town: Town) -> Staff:
    return await town.service.database.read(lambda session: session.scalars(select(Staff)).one())


async def change(town: Town, **values: Any) -> None:
    await town.service.database.write(lambda session: session.execute(update(Staff).values(**values)))


async def test_the_first_time_binds_by_verified_address_and_then_the_subject_counts(
    town: Town, provider: StandInOidc
) -> None:
    async with browser(town) as http:
        assert "市のアカウントでサインイン" in (await http.get("/staff/sign-in")).text
        came = await come(http, provider)
        assert (came.status_code, came.headers["location"]) == (303, "/staff/cases/abc")
        assert "佐藤" in (await http.get("/staff")).text
    [asked] = provider.asked
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    assert (await staff(town)).oidc_subject == f"{provider.url} 1001"
    provider.claims = {"sub": "1001", "email": "married@example.jp", "email_verified": True}
    async with browser(town) as http:
        assert (await come(http, provider)).status_code == 303
    provider.claims = {"sub": "2002", "email": "sato@example.jp", "email_verified": True}
    async with browser(town) as http:  # the address was given to somebody new
        assert sentence(await come(http, provider)) == NO_ACCOUNT


async def test_it_makes_no_account_and_opens_no_closed_one(town: Town, provider: StandInOidc) -> None:
    async with browser(town) as http:
        provider.claims = {"sub": "1", "email": "stranger@example.jp", "email_verified": True}
        assert sentence(await come(http, provider)) == NO_ACCOUNT
        for claims in ({"email_verified": False}, {}):
            provider.claims = {"sub": "1001", "email": "sato@example.jp", **claims}
            assert sentence(await come(http, provider)) == UNVERIFIED
        assert (await staff(town)).oidc_subject is None
        provider.claims = {"sub": "1001", "email": "sato@example.jp", "email_verified": True}
        assert (await come(http, provider)).status_code == 303
    await change(town, disabled_at=town.clock.now())
    async with browser(town) as http:
        assert sentence(await come(http, provider)) == NO_ACCOUNT
        assert (await http.get("/staff")).status_code == 303


async def test_answers_that_are_not_the_providers_to_this_browser_do_not_count(
    town: Town, provider: StandInOidc
) -> None:
    async with browser(town) as http, browser(town) as victim:
        assert sentence(await come(http, provider, state="another")) == TOO_LATE
        assert sentence(await come(http, provider, code="guessed")) == NOT_GENUINE
        assert (await come(http, provider, code="")).status_code == 403
        # An attacker's own way back, given to somebody else as a link.
        there = await http.get("/staff/sign-in/town")
        async with httpx.AsyncClient() as outside:
            back = httpx.URL((await outside.get(there.headers["location"])).headers["location"])
        assert sentence(await victim.get(back.path, params=dict(back.params))) == TOO_LATE
        provider.nonce = "another"
        assert sentence(await come(http, provider)) == NOT_GENUINE
        provider.nonce = None
        good = provider.claims
        for wrong in ({"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1}):
            provider.claims = {**good, **wrong}
            assert sentence(await come(http, provider)) == NOT_GENUINE
        provider.claims = good
        provider.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        assert sentence(await come(http, provider)) == NOT_GENUINE
        await provider.stop()
        assert sentence(await come(http, provider)) == AWAY
        for page in ("/staff",):
            assert (await http.get(page)).status_code == 303
    assert (await staff(town)).oidc_subject is None

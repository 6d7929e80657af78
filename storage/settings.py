"""Settings: read once from the environment or `.env`, typed, and refused with one sentence when wrong."""

import contextlib
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
LINE_API = "https://api.line.me"
CLOCK_TIME = r"^([01]?[0-9]|2[0-3]):[0-5][0-9]$"


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that names it and what is allowed."""


class Settings(BaseSettings):
    """Every setting, under the prefix `UKETOME_`. Use `Settings.read()`, which says what is wrong in a sentence."""

    model_config = SettingsConfigDict(env_prefix="UKETOME_", env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str | None = None
    database_url: str = ""
    redis_url: str | None = None
    var_dir: Path = ROOT / "var"

    line_channel_secret: str | None = None
    line_channel_access_token: str | None = None
    line_api_base: str = LINE_API
    line_data_api_base: str = "https://api-data.line.me"
    line_mode: Literal["talk", "door"] = "talk"

    rasa_url: str | None = None
    rasa_token: str | None = None
    rasa_timeout_s: float = Field(default=3.0, gt=0, le=30)

    #: Whether admins may let everybody fetch what is published, as HSDS 3 under /open/hsds.
    open_data: bool = True
    embedding_model: str | None = None
    secret_key_file: Path | None = None
    silence_minutes: float = Field(default=30, gt=0, le=24 * 60)
    retention_days: int = Field(default=365 * 5, ge=1)
    #: How long after its end a case is opened again by the resident's next message; later a new one begins.
    reopen_days: int = Field(default=30, ge=0)

    town: str = "うけとめ市"
    #: The public pages of services and desks, /directory.
    directory: bool = True
    staff_from: str = Field(default="8:30", pattern=CLOCK_TIME)
    staff_until: str = Field(default="17:15", pattern=CLOCK_TIME)
    chat_messages_per_minute: int = Field(default=40, ge=1)
    staff_language: Literal["ja", "en"] = "ja"
    sign_in_tries: int = Field(default=10, ge=1)
    second_factor: Literal["off", "optional", "required"] = "optional"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_name: str = "庁内のアカウント"

    notice_waiting_minutes: float = Field(default=60, gt=0, le=7 * 24 * 60)
    notice_webhook_url: str | None = None
    notice_webhook_secret: str | None = None
    notice_chat_url: str | None = None
    smtp_url: str | None = None
    notice_mail_to: str | None = None
    notice_mail_from: str | None = None

    @classmethod
    def read(cls, **given: Any) -> "Settings":
        """The settings of this process. Raises SettingsError with one sentence for the first wrong value."""
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = "UKETOME_" + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(f"{name} is wrong: {first['msg']}.") from None

    @field_validator(
        "public_url", "redis_url", "rasa_url", "line_channel_secret", "line_channel_access_token", "oidc_issuer",
        "oidc_client_id", "oidc_client_secret", "notice_webhook_url", "notice_webhook_secret", "notice_chat_url",
        "smtp_url", "notice_mail_to", "notice_mail_from", mode="before",
    )  # fmt: skip
    @classmethod
    def empty_is_unset(cls, value: str | None) -> str | None:
        """`UKETOME_X=` in a file means the same as no line at all."""
        return value or None

    @field_validator(
        "public_url", "rasa_url", "line_api_base", "line_data_api_base", "oidc_issuer", "notice_webhook_url",
        "notice_chat_url",
    )  # fmt: skip
    @classmethod
    def web_address(cls, value: str | None) -> str | None:
        """Addresses must be http(s) and lose their last slash."""
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with http:// or https://")
        return value.rstrip("/") if value else value

    @field_validator("smtp_url")
    @classmethod
    def mail_server(cls, value: str | None) -> str | None:
        """smtp:// speaks TLS once the server offers it, smtps:// from the first byte."""
        if value is not None and not value.startswith(("smtp://", "smtps://")):
            raise ValueError("it must begin with smtp:// or smtps://")
        return value

    @field_validator("redis_url")
    @classmethod
    def known_redis(cls, value: str | None) -> str | None:
        """As Redis writes its addresses."""
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("it must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("database_url")
    @classmethod
    def known_database(cls, value: str) -> str:
        """SQLite and PostgreSQL are what the tests run."""
        if value and not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("it must begin with sqlite:/// or postgresql://")
        return value.replace("postgresql://", "postgresql+psycopg://", 1)

    @model_validator(mode="after")
    def line_is_whole_or_off(self) -> "Settings":
        """LINE needs both its secret and its token; one alone is a mistake, none means off."""
        if (self.line_channel_secret is None) != (self.line_channel_access_token is None):
            raise SettingsError(
                "UKETOME_LINE_CHANNEL_SECRET and UKETOME_LINE_CHANNEL_ACCESS_TOKEN belong together: "
                "set both, or neither."
            )
        return self

    @model_validator(mode="after")
    def whole_or_off(self) -> "Settings":
        """A way in, or a way for notices, of which a part is missing is a mistake; without any of it, it is off."""
        for names in (
            ("oidc_issuer", "oidc_client_id", "oidc_client_secret"),
            ("notice_webhook_url", "notice_webhook_secret"),
            ("smtp_url", "notice_mail_to"),
        ):
            if 0 < sum(getattr(self, name) is not None for name in names) < len(names):
                raise SettingsError(f"{_and(names)} belong together: set all of them, or none.")
        return self

    @model_validator(mode="after")
    def door_leads_somewhere(self) -> "Settings":
        """The door's links are opened on residents' phones, which our own machine's name would lead nowhere."""
        if self.line_is_door and self.line_api_base == LINE_API and self.public_url is None:
            raise SettingsError(
                "UKETOME_LINE_MODE=door needs UKETOME_PUBLIC_URL: "
                "the https address at which residents reach this service."
            )
        return self

    @property
    def database(self) -> str:
        """The database's address: the setting, or a SQLite file under `var/`."""
        return self.database_url or f"sqlite:///{self.var_dir / 'uketome.db'}"

    @property
    def line_on(self) -> bool:
        """Whether LINE is connected."""
        return self.line_channel_secret is not None

    @property
    def line_is_door(self) -> bool:
        """Whether LINE only leads to the talk on the town's own page (government guideline of 30 April 2021)."""
        return self.line_on and self.line_mode == "door"

    @property
    def address(self) -> str:
        """Where people reach this service, without a last slash."""
        return (
            self.public_url
            or f"http://{'localhost' if self.host in ('127.0.0.1', '0.0.0.0') else self.host}:{self.port}"
        )

    @cached_property
    def secret_key(self) -> bytes:
        """The key that tokens are hashed with; made at the first start, readable by the service's user only."""
        path = self.secret_key_file or self.var_dir / "secret.key"
        try:
            if not path.exists():
                _make_key(path)
            key = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"The key file {path} cannot be used ({error.strerror}).") from None
        if len(key) < 16:
            raise SettingsError(f"UKETOME_SECRET_KEY_FILE is wrong: {path} must hold at least 16 bytes.")
        return key


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(f"UKETOME_{name.upper()}" for name in names)


def make_folder(path: Path) -> None:
    """The folder, made where it is missing. Raises SettingsError when that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {path} cannot be made ({error.strerror}): set UKETOME_VAR_DIR or UKETOME_DATABASE_URL "
            "to a place where the service may write."
        ) from None


def _make_key(path: Path) -> None:
    # Whole or not at all, and never over another's: two processes may start at the same moment.
    make_folder(path.parent)
    mine = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(32))
    with contextlib.suppress(FileExistsError):
        os.link(mine, path)
    mine.unlink()

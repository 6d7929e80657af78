"""Where notices leave to: a signed webhook, e-mail, a chat's incoming webhook. One short function for each.

What leaves is the same everywhere and never a resident's word or name: which case (as a link that wants a sign-in), how
urgent, what the notice is about, how long the case has waited.
"""

import asyncio
import hmac
import json
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

import aiohttp

from handoff.tongue import say
from handoff.words import words
from storage.settings import Settings

TIMEOUT_S = 10
#: What is worth another try; any other 4xx says that the address or the secret is wrong.
RETRYABLE = {408, 425, 429}


class NoticeError(Exception):
    """The notice did not arrive; the message is a sentence for staff. `retryable`: it may arrive later."""

    def __init__(self, sentence: str, *, retryable: bool) -> None:
        super().__init__(sentence)
        self.retryable = retryable


@dataclass(frozen=True)
class Word:
    """What is told."""

    id: str
    #: danger, waiting, weekly, or test
    kind: str
    case_id: str | None
    level: str
    waiting_minutes: int
    url: str
    at: datetime
    #: Of the weekly summary: what it says, and to whom a mail goes ("": to the addresses of the settings).
    told: str = ""
    to: str = ""

    @property
    def sentence(self) -> str:
        """For people, in one line; the weekly summary has several."""
        if self.kind == "weekly":
            return self.told
        if self.kind == "test":
            return say("これは試しのお知らせです。届いていれば、設定は正しくできています。")
        level = words().levels[self.level] or say("なし")
        if self.kind == "danger":
            return say("命や暮らしの危険のしるしがある相談が、人を待っています（緊急度：{level}）。", level=level)
        return say("{minutes}分、人の返事を待っている相談があります。", minutes=self.waiting_minutes)


Send = Callable[[Word], Awaitable[None]]


def targets(settings: Settings) -> dict[str, Send]:
    """The targets that are set, by name."""
    found: dict[str, Send] = {}
    if settings.notice_webhook_url:
        found["webhook"] = lambda word: _webhook(settings, word)
    if settings.smtp_url:
        found["mail"] = lambda word: _mail(settings, word)
    if settings.notice_chat_url:
        found["chat"] = lambda word: _chat(settings, word)
    return found


async def _webhook(settings: Settings, word: Word) -> None:
    """JSON, with `Uketome-Signature: sha256=…`: HMAC-SHA256 of `timestamp.body` under the shared secret."""
    body = json.dumps(
        {
            "id": word.id, "kind": word.kind, "case_id": word.case_id, "level": word.level,
            "waiting_minutes": word.waiting_minutes, "url": word.url, "at": word.at.isoformat(),
            **({"text": word.told} if word.told else {}),
        }
    )  # fmt: skip
    timestamp = str(int(word.at.timestamp()))
    secret = (settings.notice_webhook_secret or "").encode()
    headers = {
        "Uketome-Timestamp": timestamp,
        "Uketome-Signature": "sha256=" + hmac.new(secret, f"{timestamp}.{body}".encode(), "sha256").hexdigest(),
    }
    await _post(settings.notice_webhook_url or "", body, headers)


async def _chat(settings: Settings, word: Word) -> None:
    """Slack's form, which most chats take; LINE WORKS has its own."""
    url = settings.notice_chat_url or ""
    if (urlsplit(url).hostname or "").endswith("worksmobile.com"):
        opens = say("やることを開く") if word.kind == "weekly" else say("相談を開く")
        button = {"label": opens, "url": word.url}
        content: dict[str, object] = {"title": _subject(word), "body": {"text": word.sentence}, "button": button}
    else:
        content = {"text": f"{word.sentence}\n{word.url}"}
    await _post(url, json.dumps(content), {})


async def _mail(settings: Settings, word: Word) -> None:
    mail = EmailMessage()
    mail["Subject"] = _subject(word)
    mail["From"] = sender(settings)
    mail["To"] = word.to or settings.notice_mail_to
    mail["Date"] = format_datetime(word.at)
    # The same for every try, so that a mail that was sent twice is known for one.
    mail["Message-ID"] = f"<{word.id}@{sender(settings).rpartition('@')[2]}>" if word.kind != "test" else make_msgid()
    link = f"{word.url}\n\n" if word.url else ""
    mail.set_content(f"{word.sentence}\n\n{link}" + say("うけとめ（{town}）", town=settings.town) + "\n")
    try:
        await asyncio.to_thread(_smtp, settings.smtp_url or "", mail)
    except smtplib.SMTPAuthenticationError:
        raise NoticeError(say("メールサーバーにサインインできませんでした。"), retryable=False) from None
    except smtplib.SMTPResponseException as answer:
        refused = say("メールサーバーが受けとりませんでした（{code}）。", code=answer.smtp_code)
        raise NoticeError(refused, retryable=answer.smtp_code < 500) from None
    except smtplib.SMTPRecipientsRefused:
        raise NoticeError(say("メールサーバーが宛先を受けつけませんでした。"), retryable=False) from None
    except (OSError, smtplib.SMTPException):
        raise NoticeError(say("メールサーバーにつながりませんでした。"), retryable=True) from None


def sender(settings: Settings) -> str:
    """The address that mails come from."""
    if settings.notice_mail_from:
        return settings.notice_mail_from
    user = unquote(urlsplit(settings.smtp_url or "").username or "")
    return user if "@" in user else f"uketome@{urlsplit(settings.address).hostname or 'localhost'}"


def _smtp(address: str, mail: EmailMessage) -> None:
    to, context = urlsplit(address), ssl.create_default_context()
    host = to.hostname or "localhost"
    if to.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, to.port or 465, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, to.port or 587, timeout=TIMEOUT_S)
    with server:
        server.ehlo()
        if to.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif to.scheme == "smtp" and to.username:
            # A password goes over no line that others may read.
            raise NoticeError(
                say("メールサーバーが暗号化（STARTTLS）に応じないため、送りませんでした。"), retryable=False
            )
        if to.username:
            server.login(unquote(to.username), unquote(to.password or ""))
        server.send_message(mail)


async def _post(url: str, body: str, headers: dict[str, str]) -> None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    headers = {"Content-Type": "application/json; charset=utf-8", **headers}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            # Not followed: what is signed for one address is not for another.
            http.post(url, data=body.encode(), headers=headers, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise NoticeError(say("送り先につながりませんでした。"), retryable=True) from None
    if status >= 300:
        later = status >= 500 or status in RETRYABLE
        raise NoticeError(say("送り先が受けとりませんでした（{code}）。", code=status), retryable=later)


def _subject(word: Word) -> str:
    if word.kind == "weekly":
        return say("【うけとめ】知識ベースの今週のやること")
    if word.kind == "danger":
        return say("【うけとめ】{level}：人を待っている相談があります", level=words().levels[word.level])
    return (
        say("【うけとめ】長く待っている相談があります") if word.kind == "waiting" else say("【うけとめ】試しのお知らせ")
    )

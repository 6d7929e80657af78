"""Our answers to LINE, with LINE's own SDK: replies, pushes, the loading animation, the quota; and what errors mean."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import structlog
from aiohttp import ClientConnectorError, ClientError, ClientTimeout, ConnectionTimeoutError
from linebot.v3.messaging import (
    AsyncApiClient,
    AsyncMessagingApi,
    ButtonsTemplate,
    Configuration,
    Message,
    MessageAction,
    PostbackAction,
    PushMessageRequest,
    QuickReply,
    QuickReplyItem,
    ReplyMessageRequest,
    ShowLoadingAnimationRequest,
    TemplateMessage,
    TextMessage,
    URIAction,
)
from linebot.v3.messaging.exceptions import ApiException

from connectors.base import Button, Outbound, Said, SendError
from connectors.line_events import LINK_WANTED
from storage.settings import Settings

T = TypeVar("T")
log = structlog.get_logger()

#: LINE's limits (developers.line.biz, Messaging API reference). Lengths count UTF-16 code units.
MOST_MESSAGES = 5
LONGEST_TEXT = 5_000
MOST_CHOICES = 13
LONGEST_LABEL = 20
LONGEST_CHOICE = 300
#: Over buttons that stand in a box of their own.
LONGEST_BOXED = 160
TYPING_S = 20
#: Longer than LINE takes, shorter than the outbox's lease.
TIMEOUT_S = 5.0
CONNECTIONS = 64
SENTENCE_END = re.compile(r"[。！？!?\n]")


class LineChannel:
    """Sends through LINE's API: a reply while its token lives, since replies are free of quota, else a push.

    A push carries a retry key, so that a repetition is taken once. A reply has only its one-use token: whoever repeats
    a reply in doubt (`SendError.ambiguous`) with the same token, and hears that the token is used (`token_gone`), knows
    that the first call arrived, as nobody else has the token and the outbox tries it only while it is young.
    """

    name = "line"

    def __init__(self, settings: Settings, timeout_s: float = TIMEOUT_S) -> None:
        self._configuration = Configuration(
            host=settings.line_api_base, access_token=settings.line_channel_access_token or ""
        )
        self._configuration.connection_pool_maxsize = CONNECTIONS
        self._timeout = ClientTimeout(total=timeout_s, sock_connect=timeout_s * 0.6)
        self._api: AsyncMessagingApi | None = None

    async def send(self, outbound: Outbound) -> None:
        """Delivers, or raises SendError."""
        messages = _line_messages(outbound.messages)
        if outbound.reply_token:
            reply = ReplyMessageRequest(replyToken=outbound.reply_token, messages=messages)
            # Never a retry key here: LINE refuses a reply that has one.
            await self._call("reply", lambda api: api.reply_message(reply, _request_timeout=self._timeout))
        else:
            push = PushMessageRequest(to=outbound.address, messages=messages)
            key = outbound.retry_key
            await self._call("push", lambda api: api.push_message(push, key, _request_timeout=self._timeout))

    async def show_typing(self, address: str) -> None:
        """Shows the loading animation until our answer comes; the talk goes on without it as well."""
        start = ShowLoadingAnimationRequest(chatId=address, loadingSeconds=TYPING_S)
        try:
            await self._call("typing", lambda api: api.show_loading_animation(start, _request_timeout=self._timeout))
        except SendError as error:
            log.info("line.no_animation", why=error.sentence)

    async def quota(self) -> tuple[int | None, int]:
        """(how many pushes the plan allows this month, None for any number; how many were sent). Raises SendError."""
        limit: Any = await self._call("quota", lambda api: api.get_message_quota(_request_timeout=self._timeout))
        used: Any = await self._call(
            "quota", lambda api: api.get_message_quota_consumption(_request_timeout=self._timeout)
        )
        return limit.value if limit.type == "limited" else None, used.total_usage

    async def close(self) -> None:
        """Lets go of the connections."""
        if self._api:
            await self._api.api_client.close()
            self._api = None

    async def _call(self, via: str, call: Callable[[AsyncMessagingApi], Awaitable[T]]) -> T | None:
        """The SDK's answer; None when LINE had taken this very call before. Raises SendError."""
        # Made at the first call: the SDK's client wants a running event loop.
        self._api = self._api or AsyncMessagingApi(AsyncApiClient(self._configuration))
        try:
            return await call(self._api)
        except ApiException as error:
            if verdict := judge(via, error.status, str(error.body)):
                raise verdict.as_error(error.status, _seconds(error)) from None
            return None
        except (ClientConnectorError, ConnectionTimeoutError):
            raise NOT_REACHED.as_error() from None
        except (ClientError, TimeoutError):
            raise NO_ANSWER.as_error() from None
        except ValueError:  # the SDK could not read the answer, which may have been a yes
            raise NO_ANSWER.as_error() from None


class Verdict(NamedTuple):
    """What a failure means; `sentence` is for staff."""

    sentence: str
    retryable: bool = False
    token_gone: bool = False
    ambiguous: bool = False

    def as_error(self, code: int | None = None, retry_after: float | None = None) -> SendError:
        """As the outbox wants it."""
        return SendError(self.sentence, self.retryable, self.token_gone, retry_after, self.ambiguous, code)


NOT_REACHED = Verdict("LINEにつながりませんでした。", retryable=True)
NO_ANSWER = Verdict("LINEから答えがありませんでした。", retryable=True, ambiguous=True)
#: (which call, status, what LINE's message contains, what it means); the first that fits. "" fits every call and text.
VERDICTS: tuple[tuple[str, range, str, Verdict | None], ...] = (
    ("reply", range(400, 401), "reply token", Verdict("返信の期限が過ぎました。", retryable=True, token_gone=True)),
    ("push", range(400, 401), "Failed to send", Verdict("この方にはLINEで届きません。ブロックか退会かもしれません。")),
    ("", range(400, 401), "", Verdict("LINEが文面を受けつけませんでした。")),
    ("", range(401, 402), "", Verdict("LINEのアクセストークンが無効です。設定を確かめてください。")),
    ("", range(403, 404), "", Verdict("LINEの契約では、この送信ができません。LINEの管理画面を確かめてください。")),
    ("", range(404, 405), "", Verdict("この方にはLINEで届きません。ブロックか退会かもしれません。")),
    ("push", range(409, 410), "", None),  # this retry key was accepted before: it has arrived
    ("", range(429, 430), "monthly limit", Verdict("LINEの今月の送信数が上限に達しました。契約を確かめてください。")),
    ("", range(429, 430), "", Verdict("LINEが混みあっています。", retryable=True)),
    ("", range(500, 600), "", Verdict("LINEの側で障害が起きています。", retryable=True, ambiguous=True)),
    ("", range(1000), "", Verdict("LINEが受けつけませんでした。")),
)


def judge(via: str, status: int, said: str) -> Verdict | None:
    """What LINE's refusal means; None when it means that the message has arrived."""
    return next(
        verdict
        for call, statuses, part, verdict in VERDICTS
        if call in ("", via) and status in statuses and part.lower() in said.lower()
    )


def _seconds(error: ApiException) -> float | None:
    said = (error.headers or {}).get("Retry-After", "")
    return float(said) if said.isdecimal() else None


# Our messages in LINE's form


def _line_messages(messages: tuple[Said, ...]) -> list[Message]:
    boxes = [_box(said.text, said.button) for said in messages if said.button]
    return [*_texts(tuple(said for said in messages if not said.button), MOST_MESSAGES - len(boxes)), *boxes]


def _texts(messages: tuple[Said, ...], most: int) -> list[Message]:
    texts = [piece for said in messages for piece in split(said.text)]
    if len(texts) > most:
        texts = list(split("\n\n".join(said.text for said in messages)))
    if len(texts) > most:
        raise SendError("長すぎて、LINEで一度に送れません。", retryable=False)
    # LINE shows quick replies only under the last message.
    choices = next((said.choices for said in reversed(messages) if said.choices), ())
    return [TextMessage(text=text, quickReply=None) for text in texts[:-1]] + [
        TextMessage(text=text, quickReply=_quick_reply(choices)) for text in texts[-1:]
    ]


def _box(text: str, button: Button) -> TemplateMessage:
    """Text over buttons. Not an address within a text: LINE's servers would fetch that, to show a preview of it."""
    text = cut(text, LONGEST_BOXED)
    actions = [
        URIAction(label=_label(button.label), uri=button.address, altUri=None),
        PostbackAction(
            label=_label(button.renew), data=LINK_WANTED, displayText=None, text=None, inputOption=None,
            fillInText=None,
        ),
    ]  # fmt: skip
    return TemplateMessage(
        altText=text,
        quickReply=None,
        template=ButtonsTemplate(
            text=text, actions=actions, title=None, thumbnailImageUrl=None, imageAspectRatio=None, imageSize=None,
            imageBackgroundColor=None, defaultAction=None,
        ),
    )  # fmt: skip


def _quick_reply(choices: tuple[str, ...]) -> QuickReply | None:
    items = [
        QuickReplyItem(action=MessageAction(label=_label(choice), text=cut(choice, LONGEST_CHOICE)))
        for choice in choices[:MOST_CHOICES]
    ]
    return QuickReply(items=items) if items else None


def _label(choice: str) -> str:
    short = cut(choice, LONGEST_LABEL)
    return short if short == choice else cut(choice, LONGEST_LABEL - 1) + "…"


def split(text: str) -> Iterator[str]:
    """The text in pieces that LINE takes, each ending with a sentence where one ends in its second half."""
    while piece := cut(text, LONGEST_TEXT):
        if len(piece) < len(text):
            ends = [end.end() for end in SENTENCE_END.finditer(piece, len(piece) // 2)]
            piece = piece[: ends[-1]] if ends else piece
        yield piece
        text = text[len(piece) :]


def cut(text: str, units: int) -> str:
    """The longest beginning of at most so many UTF-16 units. A character is never cut in two."""
    if len(text) * 2 <= units:
        return text
    return text.encode("utf-16-le", "replace")[: units * 2].decode("utf-16-le", "ignore")

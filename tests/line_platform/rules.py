"""LINE's rules for what a bot sends, as pure functions: each returns what is wrong, or nothing."""

import uuid
from typing import Any

MESSAGES = 5
TEXT_UNITS = 5_000
QUICK_REPLIES = 13
LABEL = 20
ACTION_TEXT = 300
ALT_TEXT = 400
BOX_TEXT = 160
BOX_ACTIONS = 4
ADDRESS = 1_000
SCHEMES = ("http://", "https://", "line://", "tel:")

Wrong = tuple[str, str]  # (property, what is wrong), as LINE's `details` have them


def units(text: str) -> int:
    """The length that LINE counts: UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def wrong_messages(messages: Any) -> list[Wrong]:
    """What is wrong with the `messages` of a reply or push."""
    if not isinstance(messages, list) or not 1 <= len(messages) <= MESSAGES:
        return [("messages", f"Size must be between 1 and {MESSAGES}")]
    return [wrong for at, message in enumerate(messages) for wrong in _wrong_message(message, f"messages[{at}]")]


def wrong_retry_key(key: str | None) -> list[Wrong]:
    """A retry key must be a UUID in its usual form."""
    if key is None:
        return []
    try:
        usual = str(uuid.UUID(key)) == key.lower()
    except ValueError:
        usual = False
    return [] if usual else [("X-Line-Retry-Key", "must be a UUID in hexadecimal format")]


def wrong_loading(body: dict[str, Any]) -> list[Wrong]:
    """The loading animation: one-to-one chats, 5 to 60 seconds in steps of 5."""
    seconds = body.get("loadingSeconds", 20)
    if not str(body.get("chatId", "")).startswith("U"):
        return [("chatId", "must be a user ID")]
    if not isinstance(seconds, int) or not 5 <= seconds <= 60 or seconds % 5:
        return [("loadingSeconds", "must be a multiple of 5 between 5 and 60")]
    return []


def _wrong_message(message: Any, where: str) -> list[Wrong]:
    if isinstance(message, dict) and message.get("type") == "template":
        return _wrong_template(message, where)
    if not isinstance(message, dict) or message.get("type") != "text":
        return [(f"{where}.type", "the stand-in takes text messages and templates only")]
    return _wrong_text(message.get("text"), f"{where}.text", TEXT_UNITS) + _wrong_quick_reply(message, where)


def _wrong_template(message: dict[str, Any], where: str) -> list[Wrong]:
    box = message.get("template")
    if not isinstance(box, dict) or box.get("type") != "buttons":
        return [(f"{where}.template.type", "the stand-in takes buttons only")]
    actions = box.get("actions")
    if not isinstance(actions, list) or not 1 <= len(actions) <= BOX_ACTIONS:
        return [(f"{where}.template.actions", f"Size must be between 1 and {BOX_ACTIONS}")]
    return [
        *_wrong_text(message.get("altText"), f"{where}.altText", ALT_TEXT),
        *_wrong_text(box.get("text"), f"{where}.template.text", BOX_TEXT),
        *(wrong for at, one in enumerate(actions) for wrong in _wrong_action(one, f"{where}.template.actions[{at}]")),
    ]


def _wrong_action(action: Any, where: str) -> list[Wrong]:
    wrong = _wrong_text(action.get("label"), f"{where}.label", LABEL)
    if action.get("type") == "postback":
        return wrong + _wrong_text(action.get("data"), f"{where}.data", ACTION_TEXT)
    if action.get("type") != "uri":
        return [(f"{where}.type", "the stand-in takes uri and postback actions only")]
    wrong += _wrong_text(action.get("uri"), f"{where}.uri", ADDRESS)
    return wrong if str(action.get("uri")).startswith(SCHEMES) else [*wrong, (f"{where}.uri", "has no known scheme")]


def _wrong_text(text: Any, where: str, most: int) -> list[Wrong]:
    if not isinstance(text, str) or not text:
        return [(where, "May not be empty")]
    if units(text) > most:
        return [(where, f"Length must be between 0 and {most}")]
    if any("\ud800" <= character <= "\udfff" for character in text):
        return [(where, "is not Unicode text")]
    return []


def _wrong_quick_reply(message: dict[str, Any], where: str) -> list[Wrong]:
    if "quickReply" not in message:
        return []
    where += ".quickReply.items"
    items = message["quickReply"].get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= QUICK_REPLIES:
        return [(where, f"Size must be between 1 and {QUICK_REPLIES}")]
    return [wrong for at, item in enumerate(items) for wrong in _wrong_item(item, f"{where}[{at}]")]


def _wrong_item(item: Any, where: str) -> list[Wrong]:
    action = item.get("action", {}) if isinstance(item, dict) else {}
    if action.get("type") != "message":
        return [(f"{where}.action.type", "the stand-in takes message actions only")]
    return _wrong_text(action.get("label"), f"{where}.action.label", LABEL) + _wrong_text(
        action.get("text"), f"{where}.action.text", ACTION_TEXT
    )

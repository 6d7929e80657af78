"""LINE's rules for what a bot sends, as pure functions: each returns what is wrong, or nothing."""

import uuid
from typing import Any

MESSAGES = 5
TEXT_UNITS = 5_000
QUICK_REPLIES = 13
LABEL = 20
ACTION_TEXT = 300

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
    if not isinstance(message, dict) or message.get("type") != "text":
        return [(f"{where}.type", "the stand-in takes text messages only")]
    return _wrong_text(message.get("text"), f"{where}.text", TEXT_UNITS) + _wrong_quick_reply(message, where)


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

"""Plays every kind of message against the trained model: there is always an answer, and it keeps the contract.

`python bot/rasa/check.py`, with the Python of Rasa's environment. Prints one line, or what is wrong, and then exits 1.
Intents are given, not guessed: this tests rules and responses; `rasa test nlu` tests the guessing.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rasa.shared.core.constants import DEFAULT_INTENTS

from serve import VAR, quiet_logs, set_environment

LONGEST_SENTENCE = 40  # characters
LONGEST_NOD = 10  # 「わかりました」 may stand in many wordings; all longer sentences stand in one
MOST_TEXTS = 3  # in one answer
DANGERS = ("none", "suicide", "violence", "need", "medical", "harm")


def main() -> int:
    """Plays all; 0 when nothing is wrong."""
    set_environment()
    quiet_logs()
    wrong, played = asyncio.run(play_all(VAR / "model.tar.gz"))
    for line in wrong[:40]:
        print(line)
    print(f"{played} messages answered, {len(wrong)} wrong")
    return 1 if wrong else 0


async def play_all(model: Path) -> tuple[list[str], int]:
    """What is wrong (a sentence each), and how many messages were played."""
    from rasa.core.agent import Agent
    from rasa.core.tracker_store import InMemoryTrackerStore

    from components.circumstances import Circumstances
    from components.wording import FreshWording

    agent = Agent.load(str(model), generator=FreshWording(), tracker_store=InMemoryTrackerStore(None))
    wrong, played = [*wrong_texts(agent.domain.responses), *twice_said(agent.domain.responses)], 0
    for played, (intent, metadata) in enumerate(messages(agent.domain.intents), start=1):
        known = Circumstances.read(metadata)
        settled = known.settle(intent, 1.0, 0.5, 20)
        answer = await say(agent, str(played), settled, metadata, known.words(settled, 20))
        wrong += [f"{fault}: {intent} {metadata} -> {answer}" for fault in faults(intent, metadata, answer)]
    return wrong, played


def messages(intents: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every intent in every stage, for every topic, danger, speaker and attachment that changes the answer."""
    own = [intent for intent in intents if intent not in DEFAULT_INTENTS]
    stages = ("opening", "listening", "summary", "confirming", "done")
    topics = ("none", "since", "household", "tried", "wish", "contact", "area", "share")
    for intent, stage, topic in itertools.product(own, stages, topics):
        for tells, speaker, skips in itertools.product((True, False), ("self", "family", "agency"), (0, 2)):
            yield (
                intent,
                {"stage": stage, "topic": topic, "tells": tells, "speaker": speaker, "skips": skips, "asked": "share"},
            )
    for intent, stage, kind, level in itertools.product(own, stages, DANGERS, ("watch", "urgent", "immediate")):
        yield intent, {"stage": stage, "topic": "since", "danger": level, "danger_kind": kind, "echo": True}
    for stage, desk, topic, tells in itertools.product(stages, ("found", "missing", "which"), topics, (True, False)):
        known = {"stage": stage, "topic": topic, "asked": topic, "desk": desk, "tells": tells}
        yield "ask_service", {**known, "asks_desk": True}
        yield "ask_service", {**known, "danger": "immediate", "danger_kind": "suicide", "asks_desk": True}
    for intent, stage, sent in itertools.product(own, stages, ("sticker", "image", "audio", "location")):
        yield intent, {"stage": stage, "topic": "wish", "attachment": sent}


async def say(
    agent: Any, sender: str, intent: str, metadata: dict[str, Any], words: dict[str, str]
) -> list[dict[str, Any]]:
    """One message with its intent given, in a conversation of its own."""
    from rasa.core.channels.channel import UserMessage

    from components.channel import OrderedOutput
    from components.circumstances import entity

    heard = {
        "text": "…",
        "intent": {"name": intent, "confidence": 1.0},
        "entities": [entity(name, value) for name, value in words.items()],
    }
    output = OrderedOutput()
    await agent.handle_message(UserMessage("…", output, sender, heard, "rest", metadata=metadata))
    return output.messages


def wrong_texts(responses: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What is wrong with any variation, also those that are said only later in a talk."""
    for name, variations in responses.items():
        for text in (variation["text"] for variation in variations):
            if any(len(sentence) >= LONGEST_SENTENCE for sentence in re.split("[。？.?]", text)):
                yield f"a long sentence: {text}"
            if re.search(r"\d|なぜ|どうして|担当外|\{|！", text):
                yield f"a number, a why, a brace or a shout: {text}"
            if text.count("か。") > (1 if name == "utter_next" else 0):
                yield f"a question too many: {text}"


def twice_said(responses: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Sentences that stand in two wordings: one talk could meet both. The same words under two conditions are one."""
    homes: dict[str, set[str]] = {}
    for variations in responses.values():
        for text in (variation["text"] for variation in variations):
            for sentence in re.split("[。？.?]", text):
                homes.setdefault(sentence.strip(), set()).add(text)
    for sentence, texts in homes.items():
        if len(sentence) > LONGEST_NOD and len(texts) > 1:
            yield f"said in {len(texts)} wordings: {sentence}"


def faults(intent: str, metadata: dict[str, Any], answer: list[dict[str, Any]]) -> Iterator[str]:
    """The rules of the contract that an answer breaks."""
    texts = [message["text"] for message in answer if message.get("text")]
    deeds = [message["custom"].get("do") for message in answer if message.get("custom")]
    in_danger = metadata.get("danger") in ("urgent", "immediate")
    if not texts or len(texts) > MOST_TEXTS:
        yield f"{len(texts)} texts"
    if sum(text.count("か。") + text.count("？") for text in texts) > 1 or any("か。" in text for text in texts[:-1]):
        yield "more than one question, or not in the last text"
    if not metadata.get("echo") and any("[[echo]]" in text for text in texts):
        yield "an echo without words"
    if in_danger != ("show_hotlines" in deeds):
        yield "hotlines where there is no danger, or none where there is"
    if in_danger and any("ask" in (message.get("custom") or {}) for message in answer):
        yield "a small question in danger"
    if (metadata.get("desk") == "found" and not in_danger) != ("show_desks" in deeds):
        yield "a desk where none is known, or none where one is asked for"
    if intent == "ask_person" and not metadata.get("attachment") and "offer_person" not in deeds:
        yield "asked for a person, not offered one"


if __name__ == "__main__":
    sys.exit(main())

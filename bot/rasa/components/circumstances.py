"""What the service knows about a message (its `metadata`) becomes entities that rules and responses can depend on.

The service decides what is unknown, how dangerous it is and who speaks; this component only puts that
into the few words which `domain.yml` names: `stage`, `asked`, `telling`, `tone`, `desk` and `next`.
It also settles the intent: what tells of a trouble is never taken for a small question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message

STAGES = ("listening", "opening", "summary", "confirming", "done")
TOPICS = ("none", "since", "household", "tried", "wish", "contact", "area", "share")
LEVELS = ("none", "watch", "urgent", "immediate")
DANGERS = ("none", "suicide", "violence", "need", "medical", "harm")
SPEAKERS = ("self", "family", "neighbor", "agency")
DESKS = ("none", "found", "missing", "which")
PLACES = ("home", "now", "there")
ATTACHMENTS = ("none", "sticker", "image", "video", "audio", "file", "location")

QUESTIONS = {
    "ask_who_reads",
    "ask_is_machine",
    "ask_cost",
    "ask_when_reply",
    "ask_privacy",
    "ask_service",
    "ask_next",
    "ask_how",
    "change_language",
}
DESK = "ask_service"
# After these the bot waits: another question would talk over what was just asked for.
WAITING = {"ask_person"}
# What follows who wants their words gone, and who is angry, has words of its own: neither is waiting, nor is questioned.
FOLLOWED = {"delete_request": "deletion", "angry": "after_anger"}
# Topics that are asked in other words when somebody speaks about another person.
ABOUT_OTHERS = {"household", "tried", "wish"}
A_FEW_CHARACTERS = 12
SHORT = 20
SHORT_FOR_A_DESK = 32
# Where a question of ours is open, or a trouble is heard, these are believed only when they are quite sure.
QUITE_SURE = 0.8
# What a question for a desk does not stand over.
OVER_A_DESK = {"ask_person", "delete_request"}
HARDLY_ANSWERS = {"angry", "joke"}
# Short replies to a question. A few words that mean one of these are not taken for a new trouble.
REPLIES = {"skip", "dont_know", "later", "thats_all", "goodbye", "thanks", "affirm", "deny"}
# 「桜町です」 is answered by a nod, also where danger was told before.
NODDED_AT = {"contact", "area"}
# Replies to a question that leave it open: it is not asked again at once.
NO_ANSWERS = ("skip", "dont_know", "share_yes", "share_no")


@dataclass(frozen=True)
class Circumstances:
    """The metadata of one message. Whatever is unknown, missing or garbage counts as its first, harmless value."""

    stage: str
    topic: str
    asked: str
    danger: str
    careful: bool
    speaker: str
    attachment: str
    tells: bool
    echo: bool
    watch: bool
    skips: int
    returns: bool
    asks: bool
    desk: str
    asks_desk: bool
    place: str
    answers: bool
    wordless: bool

    @classmethod
    def read(cls, metadata: Any) -> Circumstances:
        """Takes anything; the contract is in README.md."""
        given = metadata if isinstance(metadata, dict) else {}
        level = one_of(LEVELS, given.get("danger"))
        kind = one_of(DANGERS, given.get("danger_kind"))
        skips = given.get("skips")
        return cls(
            stage=one_of(STAGES, given.get("stage")),
            topic=one_of(TOPICS, given.get("topic")),
            asked=one_of(TOPICS, given.get("asked")),
            danger=("other" if kind == "none" else kind) if level in ("urgent", "immediate") else "none",
            careful=given.get("careful") is True,
            speaker=one_of(SPEAKERS, given.get("speaker")),
            attachment=one_of(ATTACHMENTS, given.get("attachment")),
            tells=given.get("tells") is True,
            echo=given.get("echo") is True,
            watch=level == "watch",
            skips=skips if isinstance(skips, int) else 0,
            returns=given.get("returns") is True,
            asks=given.get("asks") is True,
            desk=one_of(DESKS, given.get("desk")),
            asks_desk=given.get("asks_desk") is True,
            place=one_of(PLACES, given.get("place")),
            answers=given.get("answers") is True,
            wordless=given.get("wordless") is True,
        )

    def settle(self, intent: str, confidence: float, sure: float, length: int) -> str:
        """The intent to act on, for a text of so many characters. Told troubles win, except over what must never be
        overheard."""
        if self.asks_desk and self.danger == "none" and self.attachment == "none":
            return intent if intent in OVER_A_DESK and confidence >= QUITE_SURE else DESK
        if confidence < sure or self.attachment != "none":
            return "tell_trouble"
        if self.danger != "none":
            return intent if intent in ("ask_person", "delete_request") else "tell_trouble"
        if self.asked != "none" and intent in HARDLY_ANSWERS and confidence < QUITE_SURE:
            return "tell_trouble"  # 「沢口だ」 is a place, and no anger
        if intent == "thats_all" and confidence >= QUITE_SURE and length <= A_FEW_CHARACTERS:
            return intent
        if intent == "share_no" and self.asked != "share":
            return "ask_privacy"  # 「親には言わないで」 is a worry, and no answer to what was never asked
        if intent in REPLIES and self.asked != "none" and length <= A_FEW_CHARACTERS:
            return intent
        if intent == "angry" and confidence >= QUITE_SURE and self.asked == "none":
            return intent  # 「三回もたらい回しにされた」 wants an apology first, and no question
        if self.tells and not self._stands_beside_a_trouble(intent):
            return "tell_trouble"
        return intent

    def _stands_beside_a_trouble(self, intent: str) -> bool:
        if intent == "wrong_summary":
            return self.stage == "confirming"
        if intent in ("share_yes", "share_no"):
            return self.asked == "share"
        return intent in ("ask_person", "delete_request") or intent in QUESTIONS

    def words(self, intent: str, length: int) -> dict[str, str]:
        """The six entities for a message of that intent and so many characters."""
        return {
            "stage": self.stage,
            "asked": "share" if self.asked == "share" else "other",
            "telling": "trouble" if self.tells and not self._only_asks(intent, length) else "nothing",
            "tone": self.tone(length),
            "desk": self.desk,
            "next": self.next_step(intent, length),
        }

    def _only_asks(self, intent: str, length: int) -> bool:
        """Whether a short question is all there is: 「だれにも言わない？」 tells of no trouble that could be taken up."""
        if intent == DESK and self.asks_desk:
            return length <= SHORT_FOR_A_DESK
        return self.asks and intent in QUESTIONS and length <= SHORT

    def tone(self, length: int) -> str:
        """How to take up what was written; see `utter_heard` in domain.yml."""
        if self.danger != "none":
            return self.danger
        if self.attachment != "none" and not self.tells:
            return self.attachment if self.attachment in ("sticker", "location") else "attachment"
        if self.speaker == "agency":
            return "agency"
        if self._is_nodded_at(length):
            return "answer"
        if self.wordless and not self.watch:
            return "wordless"
        if self.asks and not self.tells and not self.watch:
            return "question"
        if self.watch:
            return "watch_echo" if self.echo else "watch"
        if self.returns:
            return "back"
        if self.echo:
            return "echo"
        # A few words to our question are no confession: 「駅の南です」 wants a nod.
        return "answer" if self.asked != "none" and not self.tells and length <= SHORT else "plain"

    def _is_nodded_at(self, length: int) -> bool:
        """Whether, danger or not, a few words tell how or where somebody can be reached, and want no comfort."""
        return self.answers and self.asked in NODDED_AT and not self.tells and length <= SHORT

    def next_step(self, intent: str, length: int) -> str:
        """What follows the answer; see `utter_next` in domain.yml. In danger nothing is asked but safety."""
        if self.danger != "none":
            return f"safe_{self.danger}"
        if intent in WAITING:
            return "wait"
        if intent in FOLLOWED:
            return FOLLOWED[intent]
        if intent == DESK and self.desk == "which":
            return "which_desk"
        if self.stage == "done":
            return "again"
        if self.stage == "confirming":
            return self._after_summary(intent, length)
        if self.skips == 1 and intent == "skip":
            return "tired"
        if intent == DESK and (not self.tells or self._only_asks(intent, length)):
            return self._goes_on()
        if self.stage == "summary":
            return "summary"
        if self.stage == "opening" and not self.tells:
            return "invite"
        return self._question(intent)

    def _goes_on(self) -> str:
        """After a question for a desk, and nothing more: what was asked before stays open, and nothing new is asked."""
        if self.asked == "none":
            return "invite" if self.stage == "opening" else "open"
        own_buttons = self.asked == "share" or (self.asked == "contact" and not self.careful)
        return f"resume_{self.asked}" if own_buttons else "resume"

    def _after_summary(self, intent: str, length: int) -> str:
        if intent == "tell_trouble":
            return "added"
        if intent in ("wrong_summary", "deny"):
            return "corrected" if self.tells or length > A_FEW_CHARACTERS else "which"
        return "confirm"

    def _question(self, intent: str) -> str:
        if self.topic == "none" or (self.topic == self.asked and intent in NO_ANSWERS):
            return "open"
        if self.speaker == "agency":
            # An agency's referral lacks two things only: whether the person knows, and how to reach them.
            return "agency_contact" if self.topic == "contact" else "agency_wish"
        if self.careful and self.topic == "contact":
            return "contact_safe"
        if self.topic == "area" and self.place != "home":
            return f"area_{self.place}"
        if self.speaker != "self" and self.topic in ABOUT_OTHERS:
            return f"about_{self.topic}"
        return self.topic


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class MetadataEntities(GraphComponent):
    """Comes last in the pipeline: settles the intent by the metadata and adds the six entities."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`sure`: below this confidence a text is taken as telling of a trouble, never as not understood."""
        return {"sure": 0.5}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MetadataEntities:
        """Called by Rasa."""
        return cls(config)

    def __init__(self, config: dict[str, Any]) -> None:
        """Takes the merged settings."""
        self._sure = float(config["sure"])

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds entities and sets the intent of each message."""
        for message in messages:
            if message.get(METADATA) is not None:
                self._take_in(message, Circumstances.read(message.get(METADATA)))
        return messages

    def _take_in(self, message: Message, known: Circumstances) -> None:
        found = message.get(INTENT) or {}
        confidence = float(found.get("confidence") or 0.0)
        text = message.get(TEXT) or ""
        intent = known.settle(found.get("name") or "", confidence, self._sure, len(text))
        message.set(INTENT, {"name": intent, "confidence": confidence}, add_to_output=True)
        words = known.words(intent, len(text))
        if intent == "change_language" and text.isascii():
            words["tone"] = "latin"
        message.set(ENTITIES, [entity(name, value) for name, value in words.items()], add_to_output=True)


def entity(name: str, value: str) -> dict[str, Any]:
    """One entity as Rasa keeps them; it rests on no characters of the text."""
    return {"entity": name, "value": value, "start": 0, "end": 0, "extractor": "MetadataEntities"}


def one_of(allowed: tuple[str, ...], value: Any) -> str:
    """The value where it is allowed, else the first one."""
    return value if isinstance(value, str) and value in allowed else allowed[0]

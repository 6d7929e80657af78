"""Which variation of a response is said: the one said longest ago; and what follows is left out before it is repeated."""

from __future__ import annotations

import copy
from typing import Any

from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

# It always stands after another answer, so that it can be left out.
FOLLOWS = "utter_next"


class FreshWording(TemplatedNaturalLanguageGenerator):
    """Variations in the order of domain.yml: unsaid ones first. Rasa would draw lots, and say one twice in a row."""

    def __init__(self, endpoint_config: EndpointConfig | None = None, domain: Domain | None = None) -> None:
        """Called by Rasa; the responses come with the model."""
        super().__init__(domain.responses if domain else {})

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> dict[str, Any] | None:
        """The response to say now, or None where domain.yml has none."""
        if utter_action not in self.responses:
            return None
        slots = {name: slot.value for name, slot in tracker.slots.items()}
        variations = ResponseVariationFilter(self.responses)
        fitting = variations.responses_for_utter_action(utter_action, output_channel, slots)
        if not fitting:
            return None
        said = [event.text for event in tracker.events if isinstance(event, BotUttered)]
        chosen = copy.deepcopy(min(fitting, key=lambda response: last_place(said, response.get("text"))))
        if utter_action == FOLLOWS and may_be_left_out(chosen) and chosen.get("text") in said:
            del chosen["text"]  # what it does is still done: helplines stand in its payload
            chosen.pop("buttons", None)
        return chosen


def may_be_left_out(response: dict[str, Any]) -> bool:
    """Whether the answer before it is enough: not for a question about a topic, nor for the words under a summary."""
    custom = response.get("custom") or {}
    return "ask" not in custom and custom.get("do") != "show_summary"


def last_place(said: list[str | None], text: str | None) -> int:
    """Where in `said` the text stands last; -1 where it was never said."""
    return max((at for at, one in enumerate(said) if one == text), default=-1)

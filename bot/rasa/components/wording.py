"""Which variation of a response is said: the one said longest ago, so that the bot does not repeat itself."""

from __future__ import annotations

import copy
from typing import Any

from rasa.core.nlg.generator import ResponseVariationFilter
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig


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
        return copy.deepcopy(min(fitting, key=lambda response: last_place(said, response.get("text"))))


def last_place(said: list[str | None], text: str | None) -> int:
    """Where in `said` the text stands last; -1 where it was never said."""
    return max((at for at, one in enumerate(said) if one == text), default=-1)

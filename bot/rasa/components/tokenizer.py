"""Japanese words for Rasa: Sudachi in mode A, because Rasa's own WhitespaceTokenizer refuses `ja`."""

from __future__ import annotations

from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message
from sudachipy import Dictionary, Morpheme, SplitMode

# Sudachi refuses more than 49,149 bytes at once; Rasa needs no more than the end of a message anyway.
LONGEST = 1_000
#: Parts of speech of what is no word.
MARKS = ("補助記号", "記号", "空白")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class SudachiTokenizer(Tokenizer):
    """Cuts a text into its shortest words. Their normalized forms let はらえ and 払え meet,
    their sounds ありがとう and アリガトウ."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The settings that Rasa's base class asks for."""
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "token_pattern": None}

    @staticmethod
    def required_packages() -> list[str]:
        """What must be installed."""
        return ["sudachipy", "sudachidict_core"]

    def __init__(self, config: dict[str, Any]) -> None:
        """Loads the dictionary once; it is mapped from disk, so this takes milliseconds."""
        super().__init__(config)
        self._words = Dictionary().tokenizer(mode=SplitMode.A)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """The words of a text. Never empty, because the classifier cannot take a text without features."""
        text = without_surrogates(message.get(attribute)[-LONGEST:])
        words = [word for word in self._words.tokenize(text) if not word.surface().isspace()]
        tokens = [
            Token(
                word.surface(), word.begin(), word.end(), {"sound": sound(word)}, lemma=word.normalized_form()
            )
            for word in words
        ]
        return tokens or [Token("…", 0)]


def sound(word: Morpheme) -> str:
    """How it is read; a mark stays itself, for Sudachi reads 「？」 and 「。」 alike (キゴウ)."""
    return word.surface() if word.part_of_speech()[0] in MARKS else word.reading_form()


def without_surrogates(text: str) -> str:
    """The text with each half of a broken emoji replaced: Sudachi and SQL take UTF-8 only."""
    return text.encode("utf-8", "replace").decode("utf-8")

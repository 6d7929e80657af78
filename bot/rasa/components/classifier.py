"""The intent of a message, by its words, its letters and its sounds: logistic regression over tf-idf.

Three views, because a short message has little to go by: the words in their normalized form (払う, はらう), the letters
as they were written (a dialect's ending, half a word), and the sounds (ありがとう, アリガトウ). Trained by scikit-learn;
asked with numpy alone, which takes half a millisecond.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.nlu.constants import TOKENS_NAMES
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

KEPT = "intents"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class WordsLettersSounds(IntentClassifier, GraphComponent):
    """Needs the tokens of `SudachiTokenizer`; no featurizer."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """scikit-learn's inverse strength of regularization, and its steps at most."""
        return {"C": 20.0, "max_iter": 300}

    @staticmethod
    def required_packages() -> list[str]:
        """What must be installed."""
        return ["sklearn", "scipy"]

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> WordsLettersSounds:
        """Called by Rasa before training."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> WordsLettersSounds:
        """Called by Rasa with a trained model."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            known = json.loads((folder / f"{KEPT}.json").read_text(encoding="utf-8"))
            component._intents, component._columns = known["intents"], known["columns"]
            with np.load(folder / f"{KEPT}.npz") as arrays:
                component._rarity, component._weights, component._biases = (
                    arrays[name] for name in ("rarity", "weights", "biases")
                )
        return component

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        """Called by `create` and `load`."""
        self._config, self._storage, self._resource = config, model_storage, resource
        self._intents: list[str] = []
        self._columns: list[dict[str, int]] = [{} for _ in VIEWS]  # of each view, its pieces and their columns
        self._rarity = np.zeros(0)
        self._weights = np.zeros((0, 0))  # columns × intents
        self._biases = np.zeros(0)

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from the examples and keeps what was learned."""
        examples = [e for e in training_data.intent_examples if e.get(INTENT) and e.get(TEXT)]
        counted = [self._counted(example) for example in examples]
        self._learn_columns(counted)
        rows = [self._row(one) for one in counted]
        ends = np.cumsum([0, *(len(at) for at, _ in rows)])
        table = csr_matrix(
            (np.concatenate([v for _, v in rows]), np.concatenate([at for at, _ in rows]), ends),
            shape=(len(rows), len(self._rarity)),
        )
        model = LogisticRegression(
            C=self._config["C"], max_iter=self._config["max_iter"], class_weight="balanced", random_state=42
        )
        model.fit(table, [example.get(INTENT) for example in examples])
        self._intents = model.classes_.tolist()
        self._weights, self._biases = model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)
        self._keep()
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets the likeliest intent and its probability. (No ranking: nothing here reads it.)"""
        for message in messages:
            at, values = self._row(self._counted(message))
            scores = values @ self._weights[at] + self._biases
            chances = np.exp(scores - scores.max())
            best = int(chances.argmax())
            confidence = float(chances[best] / chances.sum())
            message.set(INTENT, {"name": self._intents[best], "confidence": confidence}, add_to_output=True)
        return messages

    def _counted(self, message: Message) -> list[Counter[str]]:
        tokens = message.get(TOKENS_NAMES[TEXT]) or []
        return [Counter(view(tokens)) for view in VIEWS]

    def _learn_columns(self, counted: list[list[Counter[str]]]) -> None:
        rarity: list[float] = []
        for place, columns in enumerate(self._columns):
            seen = Counter(piece for one in counted for piece in one[place])
            for piece, times in sorted(seen.items()):
                columns[piece] = len(rarity)
                rarity.append(np.log((1 + len(counted)) / (1 + times)) + 1)
        self._rarity = np.array(rarity, np.float32)

    def _row(self, counted: list[Counter[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Columns and their tf-idf, each view of length one."""
        places, weights = [], []
        for columns, pieces in zip(self._columns, counted):
            known = [(columns[piece], times) for piece, times in pieces.items() if piece in columns]
            at = np.array([column for column, _ in known], np.int64)
            value = (1 + np.log(np.array([times for _, times in known], np.float32))) * self._rarity[at]
            places.append(at)
            weights.append(value / max(float(np.linalg.norm(value)), 1e-9))
        return np.concatenate(places), np.concatenate(weights)

    def _keep(self) -> None:
        with self._storage.write_to(self._resource) as folder:
            known = {"intents": self._intents, "columns": self._columns}
            (folder / f"{KEPT}.json").write_text(json.dumps(known, ensure_ascii=False), encoding="utf-8")
            np.savez_compressed(
                folder / f"{KEPT}.npz", rarity=self._rarity, weights=self._weights, biases=self._biases
            )


def words(tokens: list[Token]) -> Iterator[str]:
    """Words and pairs of words, in their normalized form."""
    forms = [token.lemma for token in tokens]
    yield from forms
    yield from (f"{one} {other}" for one, other in zip(forms, forms[1:]))


def letters(tokens: list[Token]) -> Iterator[str]:
    """One to four letters in a row, as they were written; the ends count."""
    return runs(f"^{''.join(token.text for token in tokens)}$", 1, 4)


def sounds(tokens: list[Token]) -> Iterator[str]:
    """Two to five kana in a row, as it is read; the ends count."""
    return runs(f"^{''.join(token.get('sound') or token.text for token in tokens)}$", 2, 5)


def runs(text: str, shortest: int, longest: int) -> Iterator[str]:
    """Every stretch of so many letters."""
    for length in range(shortest, longest + 1):
        for start in range(len(text) - length + 1):
            yield text[start : start + length]


VIEWS: tuple[Callable[[list[Token]], Iterator[str]], ...] = (words, letters, sounds)

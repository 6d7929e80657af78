"""The example texts: formats, numbers, no two alike; the households with their quotes."""

from collections import Counter

import pytest

from bot.understanding.voices import read_households
from knowledge_base.vocabulary import vocabulary
from nlu_data.voices_check import Alike, counts, faults, read, too_alike

RELATIONS = {
    "self", "husband", "wife", "partner", "father", "mother", "son", "daughter", "older_brother", "younger_brother",
    "older_sister", "younger_sister", "grandfather", "grandmother", "grandchild", "father_in_law", "mother_in_law",
    "relative", "friend", "neighbor", "client", "other",
}  # fmt: skip


def test_every_voice_has_the_agreed_form() -> None:
    rows = list(read())
    assert [f"{row['id']} {fault}" for row in rows for fault in faults(row)] == []
    assert [name for name, count in Counter(row["id"] for row in rows).items() if count > 1] == []


def test_there_are_enough_of_every_kind() -> None:
    held = counts(list(read()))
    assert held["texts"] >= 6000
    assert held["households"] >= 400
    assert min(held["fields"][name] for name in vocabulary().fields) >= 200
    assert min(held["services"][name] for name in vocabulary().services) >= 25
    assert sum(held["levels"][level] for level in ("watch", "urgent", "immediate")) >= 1500
    assert held["nothing to record"] >= 800


def test_no_two_voices_are_nearly_the_same() -> None:
    assert list(too_alike([(row["id"], row["text"]) for row in read()])) == []


def test_a_near_copy_would_be_seen() -> None:
    texts = [("a", "家賃が三か月たまって、大家さんが来ました"), ("b", "家賃が三か月たまって、大家さんが来ます")]
    assert [(one.one, one.other) for one in too_alike(texts)] == [("a", "b")]
    assert list(too_alike([("a", "はい"), ("b", "はい。")])) == []
    assert all(isinstance(one, Alike) for one in too_alike(texts))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"must": ["money"]}, "field money is unknown"),
        ({"may": ["work"]}, "in must and in may"),
        ({"services": ["soup"]}, "service soup is unknown"),
        ({"urgency": {"level": "urgent", "kinds": []}}, "do not go together"),
        ({"speaker": "dog"}, "speaker dog is unknown"),
        ({"text": " "}, "has no text"),
    ],
)
def test_a_wrong_label_is_named(change: dict[str, object], said: str) -> None:
    right = {
        "text": "仕事をやめました", "speaker": "self", "must": ["work"], "may": [], "services": ["hello_work"],
        "urgency": {"level": "none", "kinds": []},
    }  # fmt: skip
    assert list(faults(right)) == []
    assert any(said in fault for fault in faults(right | change))


def test_every_household_quotes_its_own_turns() -> None:
    for told in [*read_households(), *read_households(apart=True)]:
        assert told.members, told.turns
        for member in told.members:
            assert member["relation"] in RELATIONS
            assert set(member["fields"]) <= set(vocabulary().fields)
            assert any(member["quote"] in turn for turn in told.turns), member
            assert "age" not in member or 0 <= member["age"] <= 110

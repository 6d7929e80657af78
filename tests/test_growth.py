"""Many services of a town's own: a rough look loses nothing that counts, and what is gone is never found."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bench.example_sentences import queries, services
from bot.understanding import Assessment, Understander, segments
from bot.understanding.clauses import fold
from bot.understanding.features import Floats, Ints
from bot.understanding.local import Local
from bot.understanding.segments import LocalService, nearest_two, together
from bot.understanding.voices import read_voices
from knowledge_base.cells import Cells
from knowledge_base.embedding import BUNDLED, StaticEmbedder
from knowledge_base.lexicon import Counted, Lexicon, Rarity, Spelled, WordSearch
from knowledge_base.vocabulary import vocabulary

MANY = 2_000  # services, ten thousand texts
ODDS = np.linspace(-6, 2, len(vocabulary().fields), dtype=np.float32)  # some fields are told, some are not


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder(BUNDLED)


@pytest.fixture(scope="module")
def lexicon(embedder: StaticEmbedder) -> Lexicon:
    words = Spelled.of(embedder.forms_of(voice.text) for voice in read_voices()[::10])
    return Lexicon(words.rarity(embedder.many_forms), embedder.forms_of)


@pytest.fixture(scope="module")
def own() -> list[LocalService]:
    return list(services(MANY))


@pytest.fixture(scope="module")
def many(own: list[LocalService], embedder: StaticEmbedder, lexicon: Lexicon) -> Local:
    """Looked at roughly, though they are not so many yet that they would have to be."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segments, "EXACT_UP_TO", 5_000)
        return Local((), embedder, lexicon).next(own)


def cosines(texts: Sequence[Ints], rarity: Rarity, words: Ints) -> Floats:
    """How alike texts are in their words, as one would work it out by hand."""

    def weighed(words: Ints) -> dict[int, float]:
        raised = {word: math.log1p(n) * float(rarity[word]) for word, n in Counter(words.tolist()).items()}
        length = math.hypot(*raised.values())
        return {word: value / length for word, value in raised.items()}

    asked = weighed(words)
    return np.array([sum(asked.get(w, 0) * value for w, value in weighed(text).items()) for text in texts], np.float32)


def worth(likeness: Floats, told: Floats) -> Floats:
    """As the mix weighs them, near enough."""
    return likeness @ np.array([3.3, 1.8, -0.7], np.float32) + 0.4 * told


def asked(embedder: StaticEmbedder, text: str) -> tuple[Ints, Floats]:
    return embedder.forms_of(fold(text)), embedder.embed([fold(text)])[0]


def likeliest(local: Local, words: Ints, vector: Floats, most: int) -> dict[str, float]:
    own = local.likely([local.look(words, vector)], ODDS, 0.5, worth)
    best = np.argsort(-own.sure, kind="stable")[:most]
    return {local.service(int(own.places[at])).id: round(float(own.sure[at]), 2) for at in best}


def test_rare_words_are_those_of_few_texts() -> None:
    rain, umbrella, never_seen = range(3)
    rarity = Spelled.of(map(np.array, [[rain, rain, umbrella], np.zeros(0, np.int64), [rain]])).rarity(3)
    assert rarity[rain] == pytest.approx(math.log(4 / 3) + 1)
    assert rarity[umbrella] == pytest.approx(math.log(4 / 2) + 1)
    assert rarity[never_seen] == pytest.approx(math.log(4) + 1)


def test_words_weigh_as_by_hand(own: list[LocalService], lexicon: Lexicon) -> None:
    texts = [lexicon.words_of(fold(text)) for one in own[:300] for text in one.texts]
    texts.insert(7, np.zeros(0, np.int64))
    search = WordSearch(Counted.together([lexicon.count(Spelled.of(part)) for part in (texts[:100], texts[100:])]))
    assert (search._common[0] >= 0).any()  # some words stand in so many texts that they are added up otherwise
    some = np.array([3, 7, 250, len(texts) - 1])
    for text in queries(20):
        words = lexicon.words_of(fold(text))
        expected, question = cosines(texts, lexicon.rarity, words), lexicon.ask(words)
        np.testing.assert_allclose(search.scores(question), expected, atol=1e-5)
        np.testing.assert_allclose(search.scores_of(question, some), expected[some], atol=1e-5)
    in_none = np.setdiff1d(np.arange(len(lexicon.rarity)), np.concatenate(texts))
    assert not search.scores(lexicon.ask(in_none[[0, -1]])).any()


def test_a_rough_look_finds_what_weighing_every_text_finds(many: Local, embedder: StaticEmbedder) -> None:
    (segment,) = many._segments
    assert isinstance(segment.vectors, Cells)
    every = Local([replace(segment, vectors=segment.vectors.vectors(slice(None)))], embedder, many._lexicon)
    texts, same = queries(60), 0
    for text in texts:
        words, vector = asked(embedder, text)
        rough, whole = likeliest(many, words, vector, 10), likeliest(every, words, vector, 10)
        same += len(rough.items() & whole.items())
        near, labels = many.nearest(many.look(words, vector), 24)
        all_near, all_labels = every.nearest(every.look(words, vector), 24)
        np.testing.assert_allclose(np.sort(near)[-10:], np.sort(all_near)[-10:], atol=0.01)
        assert labels.shape == all_labels.shape
    assert same >= 0.98 * 10 * len(texts)


def test_few_texts_are_all_weighed(own: list[LocalService], embedder: StaticEmbedder, lexicon: Lexicon) -> None:
    some = own[:200]
    local = Local((), embedder, lexicon).next(some[:120]).next(some)
    folded = [fold(text) for one in some for text in one.texts]
    starts = np.cumsum([0, *(len(one.texts) for one in some)])
    forms, vectors = [lexicon.words_of(text) for text in folded], embedder.embed(folded)
    for text in queries(10):
        words, vector = asked(embedder, text)
        both = nearest_two(together(vectors @ vector, cosines(forms, lexicon.rarity, words)), starts)
        expected = {one.id: float(best) for one, best in zip(some, both @ np.array([1, 10], np.float32), strict=True)}
        own_now = local.likely([local.look(words, vector)], ODDS, 0.5, lambda like, _: like[:, 0] + 10 * like[:, 1])
        found = {local.service(int(at)).id: float(sure) for at, sure in zip(own_now.places, own_now.sure, strict=True)}
        assert found == pytest.approx(expected, abs=1e-4)


def test_what_is_gone_is_never_found(many: Local, own: list[LocalService], embedder: StaticEmbedder) -> None:
    half = many.next([one for at, one in enumerate(own) if at % 2])
    gone = {one.id for at, one in enumerate(own) if not at % 2}
    for one in own[:40:2]:
        words, vector = asked(embedder, one.voices[0])
        assert one.id in likeliest(many, words, vector, MANY)
        found = likeliest(half, words, vector, MANY)
        assert found
        assert not found.keys() & gone
        assert len(half.nearest(half.look(words, vector), 24)[0]) == 24
    assert not half.next([])


def test_a_text_of_which_nothing_is_known_finds_nothing_near(many: Local, embedder: StaticEmbedder) -> None:
    nothing = many.look(*asked(embedder, ""))
    assert not (many.nearest(nothing, 24)[0] > 0).any()
    assert not (many.likely([nothing], ODDS, 0.5, lambda like, _: like[:, 0]).sure > 0).any()


def test_many_saves_leave_few_segments(own: list[LocalService], embedder: StaticEmbedder, lexicon: Lexicon,
                                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("bot.understanding.local.FULL", 20)
    monkeypatch.setattr("bot.understanding.local.EXACT_UP_TO", 300)
    local = Local((), embedder, lexicon)
    standing: list[LocalService] = []
    for number, one in enumerate(own[:90]):
        standing = [*standing, one]
        if number % 3 == 2:  # one is written anew, one goes
            standing = [replace(standing[0], about=f"改めました{number}"), *standing[2:]]
        local = local.next(standing)
    assert len(local._segments) <= 6
    at_once = Local((), embedder, lexicon).next(standing)
    for text in queries(5):
        words, vector = asked(embedder, text)
        assert likeliest(local, words, vector, 100) == likeliest(at_once, words, vector, 100)
        assert len(likeliest(local, words, vector, 100)) == len(standing)


def test_a_service_with_nothing_to_read_does_no_harm(embedder: StaticEmbedder, lexicon: Lexicon) -> None:
    empty = LocalService("empty", "", "", (), ())
    signs = LocalService("signs", "……", "", (), ("！！！",))
    local = Local((), embedder, lexicon).next([empty, signs])
    words, vector = asked(embedder, "家賃が払えません")
    assert likeliest(local, words, vector, 5).keys() == {"empty", "signs"}
    assert local.example(words, vector, 1) in signs.texts
    none = Local((), embedder, lexicon)
    assert not none
    assert not none.likely([none.look(words, vector)], ODDS, 0.5, worth).places.size


def test_a_long_text_beside_many_services(
    reader: Understander, own: list[LocalService], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weighed in passages, each of which finds services of its own."""
    monkeypatch.setattr(segments, "EXACT_UP_TO", 500)
    monkeypatch.setattr(segments, "SERVICES", 20)
    beside = reader.view()  # what it takes in, other tests do not see
    beside.take_in(own[:300])
    assert len(beside.read("。".join(queries(40))[:1200], Assessment()).services) == 5
    assert any(one.id == own[7].id for one in beside.explain("。".join(own[7].voices)).services)

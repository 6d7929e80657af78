"""The knowledge base: its content, helplines, the embedding model, the index."""

import io
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from bot.understanding.voices import read_voices
from knowledge_base import embedding
from knowledge_base.hotlines import as_line, choose
from knowledge_base.index import Collection, Index, embed_once
from knowledge_base.vocabulary import CONTENT, ContentError, vocabulary
from uketome import kb

NIGHT = datetime(2026, 11, 24, 3, 0)
EVENING = datetime(2026, 11, 24, 18, 0)


def numbers(
    *kinds: str, age: int | None = None, language: str = "ja", now: datetime = NIGHT, immediate: bool = False
) -> list[str]:
    return [line.id for line in choose(kinds, age=age, language=language, now=now, immediate=immediate)]


def test_all_fields_services_and_hotlines_are_there() -> None:
    content = vocabulary()
    assert len(content.fields) == 23
    assert len(content.services) == 96
    assert content.hotlines["dv_plus"].number == "0120-279-889"
    assert all(service.about.endswith("。") for service in content.services.values())
    assert all(service.fields for service in content.services.values())


def test_every_field_has_at_least_fifteen_voices_and_every_service_one() -> None:
    voices = read_voices()
    fields = Counter(field for voice in voices for field in voice.must)
    services = Counter(service for voice in voices for service in voice.services)
    assert set(fields) == set(vocabulary().fields)
    assert min(fields.values()) >= 15
    assert set(services) == set(vocabulary().services)


@pytest.mark.parametrize(
    ("name", "before", "after", "sentence"),
    [
        ("services.yml", "ja: 生活保護\n", "js: 生活保護\n", "seikatsu_hogo lacks ja"),
        ("services.yml", "[poverty]", "[wealth]", "field wealth"),
        ("services.yml", "id: jukyo_kakuho", "id: jiritsu_soudan", "twice"),
        ("fields.yml", "support: soudan", "support: none", "support must be one of"),
        ("hotlines.yml", '"0120-279-889"', '"0120-CALL-ME"', "number may hold digits"),
        ("fields.yml", "fields:", "fields: [", "cannot be read as YAML"),
        ("fields.yml", "fields:", "felds:", "must hold a list"),
    ],
)
def test_wrong_content_is_refused_with_a_sentence(
    tmp_path: Path, name: str, before: str, after: str, sentence: str
) -> None:
    folder = Path(shutil.copytree(CONTENT, tmp_path / "content"))
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ContentError, match=sentence):
        vocabulary(folder)


def test_the_right_lines_for_each_danger() -> None:
    assert numbers("suicide")[0] == "yorisoi"
    assert numbers("suicide", immediate=True)[0] == "ambulance"
    assert numbers("dv")[0] == "dv_plus"
    assert numbers("dv", immediate=True) == ["police", "dv_plus"]
    assert numbers("child_abuse", age=35)[0] == "jiso_189"
    assert numbers("medical_emergency") == ["ambulance"]
    assert numbers() == []


def test_a_child_gets_a_childs_line_and_nobody_else_does() -> None:
    assert numbers("suicide", age=14)[0] == "kodomo_sos"
    for age in (None, 19, 80):
        shown = numbers("suicide", "self_harm", "child_abuse", "medical_emergency", age=age, now=EVENING)
        assert not {"childline", "kodomo_sos", "kodomo_8000"} & set(shown)


@pytest.mark.parametrize("kind", ["suicide", "dv", "no_food", "sexual_violence", "harm_to_others", "child_abuse"])
@pytest.mark.parametrize("age", [None, 10, 40])
def test_at_most_two_lines_all_checked_and_free_ones_before_paid_ones(kind: str, age: int | None) -> None:
    lines = choose([kind], age=age, language="ja", now=NIGHT)
    assert 1 <= len(lines) <= 2
    assert all(line.number_checked for line in lines)
    free = [line.free is True for line in lines]
    assert free == sorted(free, reverse=True)


def test_lines_by_field_and_by_language() -> None:
    assert [line.id for line in choose([], age=None, language="ja", now=NIGHT, fields=["consumer"])] == ["consumer_188"]
    assert choose([], age=None, language="ja", now=NIGHT, fields=["isolation"]) == []  # #9999 only in its period
    assert "vi" in choose(["suicide"], age=None, language="vi", now=NIGHT)[0].languages


def test_a_line_in_japanese_shows_only_checked_hours() -> None:
    lines = vocabulary().hotlines
    assert as_line(lines["yorisoi"]) == "よりそいホットライン　0120-279-338　24時間・年中無休・無料"
    assert as_line(lines["inochi_sos"]) == "#いのちSOS　0120-061-338　無料"


def test_the_bundled_model_gives_what_sentence_transformers_gives() -> None:
    from sentence_transformers import SentenceTransformer

    texts = ["家賃を滞納しています", "娘が学校に行けません", "", "😀", "Hello、ｈｅｌｌｏ"]
    ours = embedding.load().embed(texts)
    theirs = SentenceTransformer(str(embedding.BUNDLED), device="cpu").encode(texts, convert_to_numpy=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert ours.dtype == np.float32


def test_near_texts_are_nearer_than_far_ones() -> None:
    rent, arrears, cat = embedding.load().embed(["家賃が払えません", "アパートの賃料を滞納している", "猫がかわいい"])
    assert rent @ arrears > rent @ cat


@pytest.mark.parametrize("broken", ["model.safetensors", "tokenizer.json", "modules.json"])
def test_a_damaged_model_is_one_clear_sentence(tmp_path: Path, broken: str) -> None:
    folder = Path(shutil.copytree(embedding.BUNDLED, tmp_path / "model"))
    (folder / broken).write_bytes(b"{ not a model")
    with pytest.raises(embedding.ModelError, match="damaged"):
        embedding.load(folder)


def test_a_missing_model_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(embedding.ModelError, match="missing"):
        embedding.load(tmp_path / "nowhere")


def test_nothing_is_embedded_twice(tmp_path: Path) -> None:
    class Counting:
        name = "counting"
        calls = 0

        def embed(self, texts: list[str]) -> embedding.Vectors:
            self.calls += 1
            return np.ones((len(texts), 4), np.float32)

    embedder = Counting()
    for _ in range(2):
        embed_once(embedder, ["a", "b"], tmp_path)
    assert embedder.calls == 1
    embed_once(embedder, ["a", "c"], tmp_path)
    assert embedder.calls == 2


def test_search_finds_the_nearest_and_never_more_than_there_are() -> None:
    vectors = np.eye(3, dtype=np.float32)
    scores, at = Index(vectors).search(vectors[1:2], 10)
    assert at[0, 0] == 1
    assert scores.shape == (1, 3)


def test_a_collection_finds_by_meaning_and_by_letters() -> None:
    collection = Collection(embedding.load(), ["粗大ごみの申し込み", "保育園の入園手続き", "水道料金の支払い"])
    assert collection.search("子どもを預けたい")[0].at == 1
    assert collection.search("水道")[0].at == 2


def test_kb_check_says_what_another_model_changes(tmp_path: Path) -> None:
    twin = Path(shutil.copytree(embedding.BUNDLED, tmp_path / "twin"))
    said = io.StringIO()
    kb.check(said, str(twin))
    assert "bundled model: 300 dimensions" in said.getvalue()
    assert f"{twin}: 300 dimensions" in said.getvalue()
    assert "100% are the same" in said.getvalue()


def test_kb_check_without_another_model_says_so() -> None:
    said = io.StringIO()
    kb.check(said, None)
    assert "UKETOME_EMBEDDING_MODEL is not set" in said.getvalue()

"""Held-out check texts (nlu_data/checks): answers, plain danger, harmless words, pages; no voice repeats them."""

import json
import shutil
from pathlib import Path

import pytest

from bot.understanding import Assessment, Understander, evidence, read_once
from bot.understanding.crisis import screen_text
from bot.understanding.encoder import FOLDER, Encoder
from bot.understanding.heads import Heads
from bot.understanding.owners import Owners
from bot.understanding.voices import read_voices
from knowledge_base.embedding import BUNDLED, ModelError, StaticEmbedder

CHECKS = Path(__file__).parents[1] / "nlu_data" / "checks"
README = "夫が仕事を辞めてから家賃を滞納していて、中学生の娘も学校に行けていません"


def rows(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (CHECKS / f"{name}.jsonl").read_text("utf-8").splitlines()]


def texts(name: str) -> list[str]:
    return [str(row["text"]) for row in rows(name)]


def test_no_check_text_was_learned() -> None:
    learned = {voice.text for voice in read_voices()}
    assert not learned & {*texts("ordinary"), *texts("danger"), *texts("harmless"), *texts("pages")}


def test_ordinary_answers_record_nothing_and_alarm_nobody(reader: Understander) -> None:
    readings = {text: reader.read(text, Assessment()) for text in texts("ordinary")}
    recorded = [text for text, reading in readings.items() if reading.fields]
    alarmed = [text for text, reading in readings.items() if reading.urgency.at_least("urgent")]
    assert len(recorded) <= 0.03 * len(readings), recorded
    assert len(alarmed) <= 0.01 * len(readings), alarmed


def test_no_plain_danger_is_missed(reader: Understander) -> None:
    for row in rows("danger"):
        urgency = reader.read(str(row["text"]), Assessment()).urgency
        assert urgency.at_least("urgent"), row["text"]
        assert isinstance(row["kinds"], list)
        assert set(urgency.kinds) & set(row["kinds"]), row["text"]


def test_harmless_words_alarm_rarely(reader: Understander) -> None:
    readings = {text: reader.read(text, Assessment()) for text in texts("harmless")}
    alarmed = [text for text, reading in readings.items() if reading.urgency.at_least("urgent")]
    assert len(alarmed) <= 0.1 * len(readings), alarmed


@pytest.mark.parametrize(
    "text",
    [
        "人と話したい", "娘と二人です", "'; DROP TABLE cases; --", "誰が読むの", "はい、合っています",
        "去年の秋からです",
        "とばす", "以上です", "ありがとうございます", "夫と娘とわたしの三人です", "電話は夜なら大丈夫です", "東町です",
    ],
)  # fmt: skip
def test_answers_inside_a_talk_invent_nothing(reader: Understander, text: str) -> None:
    reading = reader.read(text, Assessment())
    assert reading.fields == ()
    assert reading.urgency.level == "none"
    assert all(member.fields == () for member in reading.members)


def test_the_readme_sentence_gives_its_fields_and_is_unsure_of_any_other(reader: Understander) -> None:
    reading = reader.read(README, Assessment())
    found = {finding.id: finding.confidence for finding in reading.fields}
    told = {"work", "finance", "housing", "education"}
    assert told - {"finance"} <= set(found)
    assert all(sure < 0.35 for field, sure in found.items() if field not in told), found
    members = {member.relation: set(member.fields) for member in reading.members}
    assert "work" in members["husband"]
    assert "education" not in members["husband"]
    assert members["daughter"] == {"education"}


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("夫に殴られています", "self"),
        ("夫が私を殴ります", "self"),
        ("夫が娘を叩きます", "daughter"),
        ("息子が夫に叩かれています", "son"),
        ("ヘルパーが祖母の腕をつねります。あざだらけです", "grandmother"),
    ],
)
def test_violence_stands_with_the_one_who_suffers_it(reader: Understander, text: str, relation: str) -> None:
    members = reader.read(text, Assessment()).members
    assert [member.relation for member in members if "abuse" in member.fields] == [relation]


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("娘が学校に行っていません。もう死にたいです", "self"),
        ("父の介護で眠れません。消えたい", "self"),
        ("中学生の息子が「死にたい」と言います", "son"),
    ],
)
def test_a_wish_to_die_is_the_writers_own_unless_another_says_it(
    reader: Understander, text: str, relation: str
) -> None:
    members = reader.read(text, Assessment()).members
    assert [member.relation for member in members if "suicide" in member.fields] == [relation]


@pytest.mark.parametrize(
    "text", ["今から死にます", "死なせてください", "死ぬことにしました", "いまから、死にます。ごめんなさい"]
)
def test_words_of_farewell_are_danger_without_any_model(text: str) -> None:
    assert screen_text(text).at_least("urgent")


def test_an_example_is_a_voice_labelled_with_the_field(reader: Understander) -> None:
    labelled = {voice.text: voice.must for voice in read_voices()}
    for text in (README, "夫に殴られています", "眠れません"):
        for finding in reader.read(text, Assessment()).fields:
            assert finding.example == "" or finding.id in labelled[finding.example]


def test_the_screen_sees_danger_without_any_model() -> None:
    assert "suicide" in screen_text("もう死にたいです").kinds
    assert screen_text("夫が、" * 1700).level == "none"
    assert screen_text("").level == "none"


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_missing_or_broken_heads_are_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "heads.npz"
    if content is not None:
        path.write_bytes(content)
    load = Heads.load
    monkeypatch.setattr(Heads, "load", lambda: load(path))
    with pytest.raises(ModelError, match="heads"):
        Understander.load()


@pytest.mark.parametrize("name", ["tokenizer.json", "weights.npz", "layers.onnx"])
@pytest.mark.parametrize("content", [None, b"", b"no archive", b"{}"])
def test_a_missing_or_broken_encoder_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None
) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "encoder"))
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    monkeypatch.setattr(evidence, "Encoder", lambda: Encoder(folder))
    with pytest.raises(ModelError, match="encoder"):
        Understander.load()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[1, 2", b"[]", b"\xff\xfe"])
def test_missing_or_broken_owners_are_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "owners.json"
    if content is not None:
        path.write_bytes(content)
    load = Owners.load
    monkeypatch.setattr(Owners, "load", lambda encoder: load(encoder, path))
    with pytest.raises(ModelError, match="household"):
        Understander.load()


def test_the_voices_were_read_as_they_stand_now() -> None:
    """Else every start reads thirteen thousand texts: `python -m bot.understanding.build_voices` mends it."""
    bundled, voices = StaticEmbedder(BUNDLED), [voice.text for voice in read_voices()]
    kept = read_once._kept(voices, bundled, read_once.KEPT)
    assert kept is not None
    some = range(0, len(voices), 97)
    anew = read_once.read_anew([voices[at] for at in some], bundled)
    for number, at in enumerate(some):
        assert kept.tokens[at].tolist() == anew.tokens[number].tolist()


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04"])
def test_voices_that_were_read_of_others_or_are_damaged_are_read_anew(tmp_path: Path, content: bytes | None) -> None:
    bundled, path = StaticEmbedder(BUNDLED), tmp_path / "voices.npz"
    if content is not None:
        path.write_bytes(content)
    assert read_once.read(["家賃が払えません"], bundled, path).words.words[0] == bundled.forms_of("家賃")[0]
    read_once.keep(["家賃が払えません"], bundled, path)
    assert read_once.read(["電気が止まりました"], bundled, path).words.words[0] == bundled.forms_of("電気")[0]

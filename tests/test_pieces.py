"""Our way of cutting a text into pieces finds what the tokenizers find that the models were trained with."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from bot.understanding import encoder
from bot.understanding.clauses import fold
from bot.understanding.voices import read_voices
from knowledge_base import embedding, pieces
from knowledge_base.pieces import NOTHING, Cutter, OtherPieces, Pieces

KEPT = {"embedding": embedding.BUNDLED / "tokenizer.json", "encoder": encoder.FOLDER / "tokenizer.json"}
WORDS = ["家賃が", "払えない", "ｶﾞｽ", "…", "㈱", "\u200b", " ", "  ", "\n", "㍻", "🏠", "𠮷", "Hello", "１２", "。", "▁"]


@pytest.fixture(scope="module", params=list(KEPT))
def both(request: pytest.FixtureRequest) -> tuple[Cutter, Tokenizer]:
    path: Path = KEPT[request.param]
    described = path.read_text(encoding="utf-8")
    return pieces.read(described), Tokenizer.from_str(described)


def assert_the_same(both: tuple[Cutter, Tokenizer], folded: str) -> None:
    cutter, tokenizer = both
    assert isinstance(cutter, Pieces)
    if cutter.spelled[0] == "<unk>":  # the embedding model's: it is given a text without what means nothing
        folded = folded.replace(NOTHING, "")
    cut, expected = cutter.cut(folded), tokenizer.encode(folded, add_special_tokens=False)
    ours = [cutter.spelled[at] for at in cut.ids]
    theirs = [tokenizer.id_to_token(at) or "" for at in expected.ids]
    if ours != theirs:  # nine dots are eight and one, or one and eight: the same pieces are as likely in either order
        assert (sorted(ours), "".join(ours)) == (sorted(theirs), "".join(theirs))
        return
    assert list(zip(cut.start.tolist(), cut.end.tolist(), strict=True)) == expected.offsets


def test_voices(both: tuple[Cutter, Tokenizer]) -> None:
    for voice in read_voices()[::29]:
        assert_the_same(both, fold(voice.text))


@example([" ", "\u200b", " "])
@example(["払えない", "…", "…", "…"])
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
def test_any_letters(both: tuple[Cutter, Tokenizer], words: list[str]) -> None:
    assert_the_same(both, fold("".join(words)))


def test_a_vocabulary_of_another_kind_is_read_by_tokenizers(both: tuple[Cutter, Tokenizer]) -> None:
    described = both[1].to_str().replace('"NFKC"', '"NFC"')
    other = pieces.read(described)
    assert isinstance(other, OtherPieces)
    cut = other.cut("家賃が払えません")
    assert cut.ids.tolist() == both[0].cut("家賃が払えません").ids.tolist()
    assert np.all(cut.start <= cut.end)

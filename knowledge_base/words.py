"""Japanese text → words with their places, dictionary forms and readings, by Sudachi."""

from __future__ import annotations

import re
import threading
from typing import NamedTuple

from sudachipy import Dictionary, Morpheme, SplitMode, Tokenizer

_SURROGATES = re.compile("[\ud800-\udfff]")
_SIGNS = ("補助記号", "空白")
_CONTENT = ("名詞", "動詞", "形容詞", "形状詞", "副詞", "感動詞", "代名詞", "接頭辞", "接尾辞", "助動詞")
_local = threading.local()  # a tokenizer serves one thread
_kinds: dict[int, tuple[bool, bool]] = {}  # part of speech → whether it is a word, and whether it is content


class Word(NamedTuple):
    """`form`: the dictionary's own spelling, so that 辞めて, やめた and 止める meet."""

    start: int
    end: int
    form: str
    content: bool  # carries meaning of its own: not a particle


def words_of(text: str) -> list[Word]:
    """Short units, in order, without signs and blanks."""
    found = []
    for unit in _tokenizer().tokenize(_SURROGATES.sub("�", text), SplitMode.A):
        word, content = _kind(unit)
        if word:
            found.append(Word(unit.begin(), unit.end(), unit.normalized_form(), content))
    return found


def sounds_of(text: str) -> list[tuple[int, int, str]]:
    """Where each word begins and ends, and how it sounds, in katakana."""
    units = _tokenizer().tokenize(_SURROGATES.sub("�", text), SplitMode.A)
    return [(u.begin(), u.end(), u.reading_form() or katakana(u.surface())) for u in units if _kind(u)[0]]


def _kind(unit: Morpheme) -> tuple[bool, bool]:
    number = unit.part_of_speech_id()
    if number not in _kinds:
        name = unit.part_of_speech()[0]
        _kinds[number] = name not in _SIGNS, name in _CONTENT
    return _kinds[number]


def katakana(text: str) -> str:
    return "".join(chr(ord(letter) + 0x60) if "ぁ" <= letter <= "ゖ" else letter for letter in text)


def _tokenizer() -> Tokenizer:
    if not hasattr(_local, "tokenizer"):
        _local.tokenizer = Dictionary().tokenizer()
    tokenizer: Tokenizer = _local.tokenizer
    return tokenizer

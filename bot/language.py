"""Which language a resident writes: chosen by its name, or recognised where that is sure. Nothing is guessed."""

import re
import unicodedata
from functools import cache

from bot.words import JAPANESE, languages

#: Names of languages, greetings, what a button says: none is longer.
LONGEST_PHRASE = 120
#: Of the letters, so many must be of one script.
MOST_OF_IT = 0.5
#: So much Japanese beside other letters, and nothing else is recognised: somebody quotes, or mixes.
SOME_KANA = 4
#: Where a language is settled, fewer letters say nothing: a name, an address, a greeting, a button of before.
KANA_TO_CHANGE, JAPANESE_TO_CHANGE, LETTERS_TO_CHANGE = 9, 14, 4
#: So many different words of a language, and this part of all of them.
WORDS_NEEDED, WORDS_TO_CHANGE, PART_NEEDED = 2, 3, 0.25

#: What stands behind the name of a language that is asked for.
ASKED_FOR = (
    "でおねがいします",
    "でお願いします",
    "でお願い",
    "で話したいです",
    "で話したい",
    "で書いてもいいですか",
    "でかいてもいいですか",
    "で話せますか",
    "でもいいですか",
    "はできますか",
    "で",
    "please",
    "porfavor",
    "해주세요",
)

_SCRIPTS = {
    "kana": re.compile("[ぁ-ゖァ-ヺ]"),
    "han": re.compile("[㐀-䶿一-鿿々]"),
    "hangul": re.compile("[가-힣]"),  # no single jamo: young Japanese write ㅠㅠ
    "devanagari": re.compile("[\u0900-\u0963\u0970-\u097f]"),
    "latin": re.compile("[a-zà-öø-ɏḀ-ỿ]"),
}
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_VIETNAMESE = re.compile("[ăđơưạ-ỹ]")
_LATIN_WORD = re.compile("[a-zà-öø-ɏḀ-ỿ]+(?:'[a-z]+)?")


def bare(text: str) -> str:
    """Letters and digits alone, to compare what was written with what was meant; nothing of what is longer than that
    can be."""
    if len(text) > LONGEST_PHRASE:
        return ""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if unicodedata.category(c)[0] in "LMN")


def chosen(text: str) -> str | None:
    """The language whose name this text is, or asks for: 「英語でお願いします」, “Hello. Can I write in English?”."""
    said = bare(text)
    for greeting in _greetings():
        if said.startswith(greeting) and (asked := _asked().get(said.removeprefix(greeting))):
            return asked
    asked_for = next((said.removesuffix(ending) for ending in ASKED_FOR if said.endswith(ending)), said)
    return _names().get(said) or _asked().get(said) or _names().get(asked_for)


def spoken(text: str, before: str, *, settled: bool) -> str:
    """The language to go on in: that of the text where it is sure, else the one `before`.

    `settled`: something was said in it already, or it was chosen; then it takes more to leave it.
    """
    if name := chosen(text):
        return name
    found = recognised(text, settled=settled)
    if found is None or (found, before) == (JAPANESE, "ja-easy"):
        return before
    return found


def recognised(text: str, *, settled: bool = False) -> str | None:
    """The language of the text, or None where it is not sure."""
    plain = _ADDRESS.sub(" ", unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))
    count = {name: len(script.findall(plain)) for name, script in _SCRIPTS.items()}
    letters = sum(count.values())
    least = LETTERS_TO_CHANGE if settled else 1
    if letters < least:
        return None
    if count["kana"] and count["kana"] + count["han"] >= letters * MOST_OF_IT:
        enough = count["kana"] >= KANA_TO_CHANGE and count["kana"] + count["han"] >= JAPANESE_TO_CHANGE
        return JAPANESE if enough or not settled else None
    if count["kana"] >= SOME_KANA:
        return None
    most = max(count, key=lambda name: count[name])
    if count[most] < max(least, letters * MOST_OF_IT):
        return None
    return _of_script(most, plain, settled)


def _of_script(script: str, plain: str, settled: bool) -> str | None:
    if script == "hangul":
        return "ko"
    if script == "devanagari":
        return None if set(re.split(r"[\s,.!?।॥]+", plain)) & set(languages()["ne"]["not"]) else "ne"
    if script == "han":
        return "zh" if any(piece in plain for piece in languages()["zh"]["words"]) or _alone(plain) == "zh" else None
    if script == "latin":
        return _by_words(plain, settled)
    return None


def _by_words(plain: str, settled: bool) -> str | None:
    if not settled and (greeting := _alone(plain)):
        return greeting
    written = _LATIN_WORD.findall(plain)
    line = f" {' '.join(written)} "
    found = {
        language: sum(f" {word} " in line for word in known["words"])
        for language, known in languages().items()
        if "words" in known and language != "zh"
    }
    listed = set(languages()["vi"]["words"])
    found["vi"] += len({word for word in written if _VIETNAMESE.search(word) and word not in listed})
    first, second = sorted(found, key=lambda language: -found[language])[:2]
    needed = max(WORDS_TO_CHANGE if settled else WORDS_NEEDED, len(set(written)) * PART_NEEDED)
    if {first, second} == {"en", "tl"} and found["tl"] >= WORDS_NEEDED:
        # English words stand in everyday Filipino; the other way round hardly ever.
        return "tl" if found["en"] + found["tl"] >= needed else None
    return first if found[first] >= needed and found[first] > found[second] else None


def _alone(plain: str) -> str | None:
    return _greetings().get(bare(plain))


@cache
def _names() -> dict[str, str]:
    return {bare(name): code for code, known in languages().items() for name in (known["name"], *known["also"])}


@cache
def _asked() -> dict[str, str]:
    return {bare(text): code for code, known in languages().items() for text in known.get("asks", ())}


@cache
def _greetings() -> dict[str, str]:
    return {bare(text): code for code, known in languages().items() for text in known.get("alone", ())}

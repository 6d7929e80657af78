"""Makes a sentence nobody's: names, places, organisations, ages, telephone numbers and the like become 〇〇.

Pure, and careful on the side of the person: rather a word too many is gone than one too few, since a counselor reads
the sentence afterwards and can put a harmless word back. Nothing here knows who anybody is.
"""

import re
import threading
import unicodedata

from sudachipy import Dictionary, Morpheme, SplitMode, Tokenizer

_local = threading.local()  # a tokenizer serves one thread
BLANK, NUMBER = "〇〇", "〇"
#: Digits as they come after NFKC, and as Japanese write them.
_DIGIT = "[0-9〇一二三四五六七八九十百]"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"https?://[^\s、。]+|www\.[^\s、。]+"), BLANK),
    (re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"), BLANK),
    (re.compile(r"@[A-Za-z0-9_.-]{2,}"), BLANK),
    (re.compile(r"\+?\d[\d\s()‐－ー-]{5,}\d"), BLANK),
    (re.compile(r"〒?\d{3}\s?[-‐－ー]\s?\d{4}(?!\d)"), BLANK),
    (re.compile(r"([0-9一二三四五六七八九十]+(丁目|番地|番|号室|号棟|号)([-の]?\d+(?![\d丁番号]))?)+"), BLANK),
    (re.compile(r"\d+-\d+(-\d+)*"), BLANK),
    (re.compile(rf"(明治|大正|昭和|平成|令和|西暦)\s?({_DIGIT}+|元)年?"), BLANK + "年"),
    (re.compile(r"(?<!\d)(19|20)\d\d年"), BLANK + "年"),
    (re.compile(rf"{_DIGIT}+月{_DIGIT}+日"), f"{NUMBER}月{NUMBER}日"),
    (re.compile(rf"{_DIGIT}+\s?(歳|才|さい|代)"), NUMBER + r"\1"),
    # 「85の母」「47になる夫」「14です」: an age that does not say so.
    (re.compile(r"(?<![\d.])\d{1,3}(?=(の|になる|になった|です|で、|だ|、|。|と\d|$))"), NUMBER),
    (re.compile(r"\d{5,}(?!\s?[円万])"), BLANK),
)
#: What makes the words before it the name of a place or an organisation.
_PLACE = re.compile(
    "^(都|道|府|県|市|区|町|村|郡|駅|小学校|中学校|高校|高等学校|大学|専門学校|学園|学校|幼稚園|保育園|保育所|こども園|病院|医院"
    "|クリニック|診療所|薬局|会社|株式会社|有限会社|法人|商店|商会|工業|工場|建設|製作所|事務所|支店|本店|銀行|信用金庫|団地|荘"
    "|ハイツ|コーポ|マンション|アパート|ビル|教会|寺|神社|ホーム|苑|センター|事業所|組合|新聞|スーパー)$"
)
_TITLE = re.compile("^(さん|くん|君|ちゃん|様|さま|氏|先生|医師|議員|社長|店長|課長|部長|係長|主任|教諭|巡査)$")
#: Words that stand before such a word and name nobody.
_NOBODY = {
    "父", "母", "兄", "姉", "弟", "妹", "息子", "娘", "夫", "妻", "祖父", "祖母", "孫", "叔父", "叔母", "伯父",
    "伯母", "主人", "旦那", "奥", "嫁", "婿", "姑", "舅", "子", "お子", "赤", "坊", "皆", "みな", "大家",
    "医者", "看護師", "保健師", "民生委員", "相談員", "職員", "担当", "客", "店員", "近所", "隣", "お隣",
    "友達", "おじ", "おば", "じい", "ばあ", "おじい", "おばあ", "担任", "校長", "主治医", "市", "町", "村",
    "区", "県", "地元", "実家", "学校", "小学校", "中学校", "高校", "大学", "会社", "病院", "精神科", "老人",
    "私立", "公立", "県立", "市立", "総合", "救急", "介護", "福祉", "相談", "支援", "地域", "包括", "子ども",
    "高齢", "グループ", "職業", "安定", "市役所", "役所", "定時制", "通信制", "特別", "養護",
}  # fmt: skip
#: Proper nouns that name no one's person, place or firm.
_HARMLESS = {"LINE", "ハローワーク", "日本", "日本語", "DV", "ADHD", "ASD", "パチンコ", "コロナ", "アルツハイマー"}


def blanked(text: str) -> str:
    """The text with whatever could tell who it was in blanks."""
    text = unicodedata.normalize("NFKC", text)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    units = list(tokenizer().tokenize(text, SplitMode.C))
    gone = _names(units)
    out: list[str] = []
    for at, unit in enumerate(units):
        if at not in gone:
            out.append(unit.surface())
        elif not out or out[-1] != BLANK:
            out.append(BLANK)
    return re.sub(rf"(?:{BLANK}\s*)+{BLANK}", BLANK, "".join(out))


def still_tells(text: str) -> bool:
    """Whether a wording still holds what `blanked` would take out."""
    plain = unicodedata.normalize("NFKC", text)
    return blanked(plain) != plain


def _names(units: list[Morpheme]) -> set[int]:
    gone = {at for at, unit in enumerate(units) if _proper(unit)}
    for at, unit in enumerate(units):
        surface = unit.surface()
        if _PLACE.match(surface) or _TITLE.match(surface):
            gone |= set(_run_before(units, at))
    return gone


def _run_before(units: list[Morpheme], at: int) -> list[int]:
    """The nouns right before, unless they name nobody: 「ひかり中学校」 but not 「娘の中学校」."""
    run = []
    for before in range(at - 1, -1, -1):
        unit = units[before]
        if not _noun(unit) or unit.surface() in _NOBODY or _PLACE.match(unit.surface()) or BLANK in unit.surface():
            break
        run.append(before)
    return run


def _proper(unit: Morpheme) -> bool:
    kinds = unit.part_of_speech()
    if unit.surface() in _HARMLESS or not re.search(r"\w", unit.surface()) or set(unit.surface()) <= {"〇"}:
        return False
    unknown = bool(unit.is_oov()) and kinds[0] == "名詞" and kinds[1] != "数詞" and len(unit.surface()) > 1
    return kinds[1] == "固有名詞" or unknown


def _noun(unit: Morpheme) -> bool:
    kinds = unit.part_of_speech()
    return kinds[0] in ("名詞", "接頭辞", "形状詞") and kinds[1] != "数詞"


def tokenizer() -> Tokenizer:
    """The tokenizer of this thread."""
    if not hasattr(_local, "tokenizer"):
        _local.tokenizer = Dictionary().tokenizer()
    tokenizer: Tokenizer = _local.tokenizer
    return tokenizer

"""What people wrote in which nothing was found: how many talks a week, and which words they share. Never whose.

A word is shown only when at least three residents wrote it, each counted once however much they wrote; and only a
common noun, after everything that may be a name, a place, a firm, an age or a number was taken out. No sentence is
shown, nor any piece of one: three people seldom write the same, and one may be known by how they say it. Left out are
talks in danger, those whose resident wants them deleted, and messages that were taken back.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from sudachipy import SplitMode

from handoff import blanks
from handoff.kb_tasks import lately
from storage.clock import JAPAN
from storage.models import Case, Message

#: How many residents must have written a word before anybody sees it.
FEWEST = 3
SHOWN_WORDS, SHOWN_WEEKS = 30, 8
#: The newest messages that are read for it: a page must not grow with the years.
MOST_MESSAGES = 2_000
JAPANESE = ("ja", "ja-easy")
_HIRAGANA = re.compile("[ぁ-んー〇]+")
#: 港町, 緑団地: a place or a firm for whoever lives there, though the dictionary holds the whole for a common noun.
_PLACE = re.compile(
    ".*(?:[市区町村県郡駅寺荘苑]|駅前|丁目|団地|地区|ハイツ|コーポ)$"
    "|.+(?:学校|高校|大学|学園|幼稚園|保育園|保育所|こども園|病院|医院|クリニック|診療所|薬局|会社|法人|商店|商会|工業"
    "|工場|建設|製作所|事務所|支店|本店|銀行|金庫|マンション|アパート|ビル|教会|神社|ホーム|センター|事業所|組合|新聞|スーパー)$"
)
_KINDS = {"一般", "サ変可能", "形状詞可能", "サ変形状詞可能"}
#: Who, and what every talk is about: they say nothing of what is missing.
_EMPTY = {
    "自分", "本人", "家族", "両親", "主人", "旦那", "息子", "子供", "子ども", "母親", "父親", "兄弟", "姉妹", "義父",
    "義母", "義兄", "義弟", "義姉", "義妹", "祖父", "祖母", "夫婦", "親子", "親戚", "友達", "友人", "知人", "地区",
    "近所", "相談", "電話", "連絡", "返事", "質問", "お願い", "気持ち", "状態", "状況", "感じ", "場合", "関係",
    "問題", "意味", "理由", "方法", "名前", "メール", "ライン", "挨拶",
}  # fmt: skip


@dataclass(frozen=True)
class Unfound:
    """`weeks`: each Monday with how many talks began in that week in which nothing was found, the newest first.
    `words`: with how many residents wrote each, the commonest first. `talks`: how many there are at all."""

    talks: int = 0
    weeks: Sequence[tuple[date, int]] = ()
    words: Sequence[tuple[str, int]] = ()


def gather(session: Session, now: datetime) -> Unfound:
    """Over the last half year."""
    scope = lately(session, now)
    nothing = scope.opened().where(
        scope.ids("fields").is_(None), scope.ids("services").is_(None), Case.urgency == 0,
        Case.language.in_(JAPANESE), Case.delete_wanted_at.is_(None),
    )  # fmt: skip
    began = session.scalars(nothing.with_only_columns(Case.opened_at)).all()
    if not began:
        return Unfound()
    written = (
        select(Case.conversation_id, Message.text)
        .join(Message, Message.case_id == Case.id)
        .where(
            Case.id.in_(nothing.with_only_columns(Case.id)), Message.sender == "resident", Message.kind == "text",
            Message.unsent_at.is_(None), Message.text != "",
        )
        .order_by(Message.id.desc())
        .limit(MOST_MESSAGES)
    )  # fmt: skip
    return Unfound(len(began), _weeks(began, now), shared((of, text) for of, text in session.execute(written)))


def shared(written: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """The words that enough residents share, from pairs of who and what."""
    by: defaultdict[str, set[str]] = defaultdict(set)
    for of, text in written:
        for word in nouns(text):
            by[word].add(of)
    counted = Counter({word: len(people) for word, people in by.items() if len(people) >= FEWEST})
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:SHOWN_WORDS]


def nouns(text: str) -> set[str]:
    """The common nouns of a text that are nobody's."""
    found = set()
    for unit in blanks.tokenizer().tokenize(blanks.blanked(text), SplitMode.C):
        kinds, word = unit.part_of_speech(), unit.surface()
        common = kinds[0] == "名詞" and kinds[1] == "普通名詞" and kinds[2] in _KINDS and not unit.is_oov()
        # One letter alone is as often a surname (林, 森) as a thing, and what is all hiragana (こと, もの) is no thing.
        if common and len(word) > 1 and word not in _EMPTY and not _HIRAGANA.fullmatch(word) and not _PLACE.match(word):
            found.add(word)
    return found


def _weeks(began: Iterable[datetime], now: datetime) -> list[tuple[date, int]]:
    counted = Counter(monday(moment) for moment in began)
    this = monday(now)
    return [(week, counted[week]) for ago in range(SHOWN_WEEKS) for week in [this - timedelta(weeks=ago)]]


def monday(moment: datetime) -> date:
    """The Monday of a moment's week, in Japan."""
    day = moment.astimezone(JAPAN).date()
    return day - timedelta(days=day.weekday())

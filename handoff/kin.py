"""Whose words are whose: which clause of a talk tells of whom, where the understanding has put no trouble to a person.

Nothing is guessed: a clause belongs to somebody only where they are its subject (娘が, 息子は, 妹も), and it is quoted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from handoff.words import words

Member = Mapping[str, Any]

#: A sentence up to so long is quoted whole: half of one reads like a slip of the tongue.
LONGEST_SENTENCE = 40
#: The words by which somebody is called. Within another word they call nobody, or somebody else: 祖父, 夫の母, 工夫.
NAMES = {
    "husband": "(?<![丈工大農漁])夫|主人|旦那|だんな|亭主|おっと",
    "wife": "妻|家内|嫁|女房|奥さん|つま",
    "partner": "彼氏|彼女|恋人|婚約者|パートナー",
    "father": "(?<![祖義伯叔神])(?<![夫妻]の)父|おやじ|親父|パパ|お?とう(?:さん|ちゃん)",
    "mother": "(?<![祖義伯叔保])(?<![祖義]父)(?<![夫妻]の)母|おふくろ|ママ|お?かあ(?:さん|ちゃん)",
    "son": "(?<!孫)息子|むすこ|長男|次男|三男|せがれ",
    "daughter": "(?<!孫)娘|むすめ|長女|次女|三女",
    "older_brother": "(?<![義従])兄|あに",
    "younger_brother": "(?<![義従兄])弟|おとうと",
    "older_sister": "(?<![義従])姉|あね",
    "younger_sister": "(?<![義従姉])妹|いもうと",
    "grandfather": "祖父|お?じい(?:さん|ちゃん)?",
    "grandmother": "祖母|お?ばあ(?:さん|ちゃん)?",
    "grandchild": "孫(?:娘|息子)?",
    "father_in_law": "義父|[夫妻]の父|舅",
    "mother_in_law": "義母|[夫妻]の母|姑",
    "relative": "義[兄弟姉妹]|叔父|伯父|叔母|伯母|甥|姪|いとこ|親戚",
    "friend": "友だち|友達|友人|親友",
    "other": "赤ちゃん|赤ん坊|双子|子ども|子供|こども|(?:上|下|うち|末|こ|あ)の子",
}
_AFTER = r"(?:さん|ちゃん|親|貴|たち)?(?:（[^）]{1,8}）|\([^)]{1,8}\))?"
_SENTENCE = re.compile(r"(?<=[。！!？?\n])")
_CLAUSE = re.compile(r"(?<=[、。！!？?\n])")
#: 「母と妻とわたしの四人です」「夫と子どもと三人です」: who is at home, and no trouble of anybody's.
_ONLY_AT_HOME = re.compile(
    r"(?:[0-9０-９一二三四五六七八九]人|ふたり|わたし|私|ぼく|僕)(?:(?:で|と)?(?:暮らし[^。]*|です|だ|や)?)$"
)
_ONLY_AGE = re.compile(
    r"[はがもで]、?[0-9０-９〇一二三四五六七八九十ハタチ]{1,4}(?:歳|才)?(?:です|だ|で|になります|でした)?$"
)


def own_words(member: Member, said: str) -> str:
    """The words that tell of this person; "" where there are none.

    Those come first in which the understanding has seen them, then those of which they are the subject; what tells of
    no trouble (an age, who is at home) comes last.
    """
    subject = subject_of(member)
    quotes = [whole(quote, said) for quote in member.get("quotes", ())]
    told = [sentence for sentence in _pieces(_SENTENCE, said) if subject.search(sentence)]
    clauses = [clause for sentence in told for clause in _pieces(_CLAUSE, sentence) if subject.search(clause)]
    short = [sentence for sentence in told if len(sentence) <= LONGEST_SENTENCE and not _two_tell(sentence)]
    candidates = list(dict.fromkeys(filter(None, [*quotes, *short, *clauses])))
    return min(candidates, key=says_little, default="")


def subject_of(member: Member) -> re.Pattern[str]:
    """What shows that a clause tells of this person."""
    return _subject(member.get("relation", "other"))


def whole(quote: str, said: str) -> str:
    """The sentence in which a quote stands, where it is short and tells of one person; else the quote."""
    for sentence in _pieces(_SENTENCE, said):
        if quote and quote in sentence:
            return sentence if len(sentence) <= LONGEST_SENTENCE and not _two_tell(sentence) else quote
    return quote


def name(member: Member, kindly: bool) -> str:
    """What somebody is called: a child by the word that was used, for 「身近な方」 is no name for a baby."""
    told, relation = words(), member.get("relation", "other")
    if relation == "other":
        known = told.others_kindly if kindly else told.others
        used = next(
            (called for word, called in known.items() if any(word in one for one in member.get("quotes", ()))), ""
        )
        if used:
            return used
    names = told.relations_kindly if kindly else told.relations
    return names.get(relation, names["other"])


def topic_of(member: Member) -> re.Pattern[str]:
    """What shows that all of a sentence is about this person: 「息子はハタチで、仕事が続きません」."""
    return re.compile(rf"^[^、]{{0,8}}(?:{NAMES.get(member.get('relation', ''), '(?!)')}){_AFTER}は")


def says_little(told: str) -> bool:
    """Whether words tell only who is at home, or how old somebody is."""
    return bool(_ONLY_AT_HOME.search(told) or _ONLY_AGE.search(told))


def tells_of_another(quote: str, others: Iterable[Member]) -> bool:
    """Whether one of the others is the subject of a quote."""
    return any(subject_of(other).search(quote) for other in others)


def _subject(relation: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{NAMES.get(relation, '(?!)')}){_AFTER}[はがも](?!と)")


def _two_tell(sentence: str) -> bool:
    """Whether two people are told of in one sentence: then it is quoted clause by clause."""
    return sum(1 for relation in NAMES if _subject(relation).search(sentence)) > 1


def _pieces(cut: re.Pattern[str], text: str) -> Iterator[str]:
    return (piece for part in cut.split(text) if (piece := part.strip(" 　\t\n、。…")))

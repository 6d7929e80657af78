"""Whose trouble it is: what the encoder says of each person (`owners`), what the whole talk and its turns tell, and how
the clauses speak of whom, weighed together. numpy only.

The factors are learned from conversations that neither encoder nor heads know (`build_owners`), and stand in
owners.json under the names of SEEN. What grammar says has the last word (`rules_of`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.understanding.columns import ABUSE, CARER, ELDERLY, FIELDS, SUICIDE
from bot.understanding.encoder import Masks
from bot.understanding.evidence import Evidence
from bot.understanding.features import Floats, Ints
from bot.understanding.mix import odds_of
from bot.understanding.people import LINKS, Heard
from bot.understanding.traits import TRAITS

OLD, NOT_OLD = 75, 60  # years
HARDLY = 0.3  # what neither the talk nor any turn tells more probably is nobody's; 0.2 and 0.25 are as good
_HARDLY = float(np.log(HARDLY / (1 - HARDLY)))
SURELY = 1.5  # log-odds from which what is told should be somebody's,
SCARCELY = 0.1  # where it is anybody's so probably
RULE = 8.0  # log-odds by which grammar decides,
CARES = 3.0  # and of care, where others may help unnamed
NOT_THEIRS = -20.0  # log-odds
BESIDE = 1.0  # log-odds: a trouble is also another's who has it nearly as surely as the surest
_ALONE = 6.0  # log-odds by which somebody leads where nobody else is told of
_NO_CLAUSE = -9.0  # log-odds of what no clause says

#: What takes it back: 「元気がありません」「去年まで元気だった」.
_NOT = (
    r"(?!(?:が|は|も|なんて)?(?:全然|全く|まったく|もう)?(?:な(?:い|く|さ|か)|あり?ま|出な)|じゃ(?:な|あり)|で(?:は)?(?:な|あり)|"
    r"に(?:なら|なれ)|を(?:なく|失|出)|だった|でした|と(?:は)?(?:言え|いえ)|そうに(?:は)?(?:な|見え)|か(?:どうか|分|わ))"
)
#: Whoever is well: 「母は八十二、畑もやって達者です」.
_WELL = re.compile(
    rf"(?:元気|げんき|達者|丈夫|健康(?!診|保|に不安)|平気(?!で[^す、。])|余裕|順調|まめ|朗らか|すこやか|無事|"
    rf"(?:ふつう|普通)(?!に[^、。]{{0,8}}(?:ない|ませ|なく))|機嫌(?!が?悪|を(?:損|取|と))){_NOT}|"
    r"[ぴピ]ん[ぴピ]ん|ピンピン|しゃんと|かくしゃく|けろっと|明るい|"
    r"変わり(?:な|あり?ま)|(?:なん|何)ともな[いく]|問題な[いく]|心配(?:は)?(?:な[いく]|いら|いり|ご無用|して(?:い)?な)|"
    r"困って(?:は)?(?:い|お)?(?:な|ま?せん|らん)|楽し(?:く(?!な)|そう(?!じゃ|では)|い(?!ことが|こともな)|ん)|うまくやって|"
    r"よう?く?食べ(?!ない|られ)|よく笑(?!わ)|笑って(?!い?な)|恵まれ(?!な|ず|ま?せん)|しっかり(?!し(?:ない|て(?:い)?な))|"
    r"張り切|太っ|きちんと(?![^、。]{0,6}ない)|働いて(?:い)?(?:ます|る|て)|勤め(?:て|は)"
)
_MENTIONED, _SUBJECT = LINKS.index("mentioned"), LINKS.index("subject")
_SUFFERS, _DOES = LINKS.index("rule_suffers"), LINKS.index("rule_does")
_SPOKEN_OF, _TELLER_ALONE = LINKS.index("spoken_of"), LINKS.index("teller_alone")

SEEN = (
    "told", "told_by_a_turn", "told_at_least", "told_at_most", "told_by_a_clause",
    "said", "said_before_others", "said_by_turns", "said_by_turns_before_others", "surest",
    "eldest", "old", "not_old",  # as are the other two with "old": of growing old alone
    "near", "near_before_others", "spoken_of", "subject",
    "well", "well_though_old", "share_well", "old_and_cared_for",
    *(f"of {name}" for name in FIELDS), *TRAITS,
)  # fmt: skip
_PLACE = {name: at for at, name in enumerate(SEEN)}
_OF_TRAITS = len(SEEN) - len(TRAITS)
_OF_FIELDS = _OF_TRAITS - len(FIELDS)


@dataclass(frozen=True, slots=True)
class Whose:
    """`factors`: of SEEN, the constant last; `owned_from`: the least probability from which a trouble is somebody's."""

    factors: Floats
    owned_from: float

    @classmethod
    def from_json(cls, kept: Mapping[str, float], owned_from: float) -> Whose:
        """Raises KeyError where a factor is missing."""
        return cls(np.array([*(kept[name] for name in SEEN), kept["constant"]], np.float32), owned_from)

    def theirs(self, seen: Floats, rules: Floats) -> Masks:
        """Which troubles are whose, persons × fields. What is surely told is the trouble of whom it is said most
        surely, if of anybody at all."""
        probability = self.probability(seen, rules)
        if not probability.size:
            return probability >= self.owned_from
        most = probability.max(axis=0)
        surely = (seen[_PLACE["told_at_most"]][0] >= SURELY) & (most >= SCARCELY)
        return np.asarray((probability >= self.owned_from) | (surely & (probability == most)), np.bool_)

    def probability(self, seen: Floats, rules: Floats) -> Floats:
        """Persons × fields. `seen`: what `seen_of` gives, `rules`: what `rules_of` does."""
        odds = np.tensordot(self.factors[:-1], seen, 1) + self.factors[-1] + rules
        if len(odds):
            odds = np.where(odds < odds.max(axis=0) - BESIDE, NOT_THEIRS, odds)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def is_told(evidence: Evidence) -> Masks:
    """Which fields are told probably enough to be anybody's."""
    return np.maximum(evidence.told, evidence.told_by_a_turn) >= _HARDLY


def seen_of(
    heard: Sequence[Heard], traits: Floats, said: Floats, by_turns: Floats, evidence: Evidence, told_of: Ints
) -> Floats:
    """SEEN × persons × the fields `told_of`. `traits`: persons × TRAITS; `said`, `by_turns`: what the encoder says of
    each, of the whole talk and of its turns by themselves."""
    persons, fields = said.shape
    links = np.stack([one.links for one in heard])
    clauses = odds_of(evidence.each[:, told_of])
    spoken_of = (links[..., _SPOKEN_OF] > 0) | (links[..., _TELLER_ALONE] > 0)
    mine = spoken_of | (links[..., _MENTIONED] > 0)
    near, well = _most_of(clauses, mine), _share_well(evidence, mine)
    told, turn = evidence.told[told_of], evidence.told_by_a_turn[told_of]
    here = np.array([not one.person.left for one in heard])
    lead, lead_by_turns = _before_others(said, here), _before_others(by_turns, here)
    seen = {
        "told": told,
        "told_by_a_turn": turn,
        "told_at_least": np.minimum(told, turn),
        "told_at_most": np.maximum(told, turn),
        "told_by_a_clause": clauses.max(axis=0),
        "said": said,
        "said_before_others": lead,
        "said_by_turns": by_turns,
        "said_by_turns_before_others": lead_by_turns,
        "surest": lead + lead_by_turns >= 0,
        "near": near,
        "near_before_others": _before_others(near, here),
        "spoken_of": _most_of(clauses, spoken_of),
        "subject": _most_of(clauses, links[..., _SUBJECT] > 0),
        "well": well[:, None] > 0,
        "share_well": well[:, None],
        **_of_age(heard, well, told_of),
    }
    table = np.zeros((len(SEEN), persons, fields), np.float32)
    for name, value in seen.items():
        table[_PLACE[name]] = value
    table[_OF_FIELDS + told_of, :, np.arange(fields)] = 1
    table[_OF_TRAITS:] = traits.T[:, :, None]
    return table


def rules_of(heard: Sequence[Heard], evidence: Evidence, told_of: Ints) -> Floats:
    """What grammar alone decides, persons × fields, as log-odds: violence stands with the one who suffers it and not
    with the one who does it, a wish to die with the writer who says so, care with whoever cares, and nothing with those
    who have left; where nobody else is told of, what is likely told is the only one's."""
    rules = np.zeros((len(heard), len(told_of)), np.float32)
    rules[:, told_of == ABUSE] = [[_by_grammar(one, tells_violence(evidence))] for one in heard]
    if any(one.wishes_death for one in heard):
        rules[:, told_of == SUICIDE] = [[RULE if one.wishes_death else -RULE] for one in heard]
    if any(one.person.cares for one in heard):
        rules[:, told_of == CARER] = [[CARES if one.person.cares else -CARES] for one in heard]
    if sum(not one.person.left for one in heard) == 1:
        likely = (evidence.told + evidence.told_by_a_turn)[told_of] > 0
        rules[(rules == 0) & likely] = RULE
    rules[[one.person.left for one in heard]] = NOT_THEIRS
    return rules


def tells_violence(evidence: Evidence) -> bool:
    return bool(max(evidence.told[ABUSE], evidence.told_by_a_turn[ABUSE]) > 0)


def _most_of(clauses: Floats, which: Masks) -> Floats:
    """Persons × fields: the most that any of the clauses `which` (persons × clauses) says."""
    return np.array([clauses[some].max(axis=0, initial=_NO_CLAUSE) for some in which], np.float32)


def _before_others(odds: Floats, here: Masks) -> Floats:
    """By how much each is before the surest of the others who are `here`, and have not died or left."""
    among = np.where(here[:, None], odds, -np.inf)
    order = np.sort(among, axis=0)
    next_best = order[-2] if len(order) > 1 else np.full_like(order[-1], -np.inf)
    others = np.where(among == order[-1], next_best, order[-1])
    return np.asarray(np.where(np.isinf(others), _ALONE, odds - others), np.float32)


def _by_grammar(one: Heard, told: bool) -> float:
    """Violence, where any is `told`: for the one to whom it is done, against those of whom it is only told that they do
    it."""
    if suffers(one):
        return RULE * told
    return -RULE * bool(one.links[:, _DOES].any())


def suffers(one: Heard) -> bool:
    """Whether violence is done to them, by the grammar of a clause."""
    return bool(one.links[:, _SUFFERS].any())


def _share_well(evidence: Evidence, mine: Masks) -> Floats:
    """Of the clauses on each (`mine`: persons × clauses), how many say that they are well."""
    well = np.array([bool(_WELL.search(clause.text)) for clause in evidence.clauses])
    return np.asarray((mine & well).sum(axis=1) / np.maximum(mine.sum(axis=1), 1), np.float32)


def _of_age(heard: Sequence[Heard], well: Floats, told_of: Ints) -> dict[str, Floats]:
    """What counts for growing old alone."""
    ages = np.array([one.person.age or 0 for one in heard])
    of_each = {
        "eldest": (ages >= OLD) & (np.arange(len(ages)) == ages.argmax()),
        "old": ages >= OLD,
        "not_old": (ages > 0) & (ages < NOT_OLD),
        "old_and_cared_for": [one.person.cared_for > 0 for one in heard],
        "well_though_old": well > 0,
    }
    here = (told_of == ELDERLY).astype(np.float32)
    return {name: np.outer(np.asarray(those, np.float32), here) for name, those in of_each.items()}

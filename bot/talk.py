"""Where a talk stands, and what may be asked next: the little that must be known from one turn to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.answers import answers, asks_back, has_no_place, may_be_seen, says_nothing_new, told, with_told
from bot.desks import Asked
from bot.understanding import Assessment, Reading, Urgency

#: What is gently found out, in this order, unless the resident told it by themselves.
TOPICS = ("since", "household", "tried", "wish", "contact", "area", "share")
#: A referral in one message is enough: only what referrals lack is asked.
AGENCY_TOPICS = ("wish", "contact")
#: After danger was told only what helps a person to reach them; and who wants a person is not questioned by a machine.
DANGER_TOPICS = ("contact", "area")
AGENCY_DANGER_TOPICS = PERSON_TOPICS = ("contact",)
MOST_QUESTIONS = 6
MOST_SKIPS = 2
#: Rasa's trackers must not grow for years; within one, no wording comes back before the others were said.
TURNS_A_TRACKER = 64
LONGEST_TOPIC = 200
#: Who asked for a desk in the middle of our question may answer it afterwards.
KEEP_OPEN = frozenset({"show_desks", "ask_desk", "lacks_desk", "resume"})

#: Who offers help is not asked about their own home.
HELPER_TOPICS = ("contact", "area")
LONGEST_ADDED, SHORTEST_ADDED = 400, 6
CHILDREN = ("son", "daughter", "grandchild")
#: Who fears to hurt them is shown how to step back; the words for who is hurt would miss them.
IN_CARE = frozenset({"child_abuse", "elder_abuse", "disability_abuse"})
#: What children see of violence against their mother is told by hers: her lines are enough, and no new alarm.
WITH_DV = frozenset({"child_abuse"})

DANGER_KINDS = {
    "suicide": ("suicide", "self_harm"),
    "violence": ("dv", "child_abuse", "elder_abuse", "disability_abuse", "sexual_violence"),
    "medical": ("medical_emergency",),
    "harm": ("harm_to_others",),
    "need": ("no_food", "no_shelter", "utilities_cut"),
}


@dataclass(frozen=True)
class Talk:
    """The state of one talk, kept with its conversation as JSON.

    `stage`: opening (nothing told yet), listening, confirming (the summary was shown), done (the talk was ended).
    `open_topic`: what our last question asked. `skips`: questions left out in a row; once they are MOST_SKIPS they stay
    so, for who was asked enough was asked enough. `told_lines`: the kinds of danger for which helplines were shown
    already, so that they are not shown again at every turn. `wants_person`: a person was asked for, or offered.
    `returns`: somebody begins anew whose last case was closed, and has not written since. `told_when`: about when a
    person reads was asked for, and told.
    """

    stage: str = "opening"
    asked: tuple[str, ...] = ()
    open_topic: str | None = None
    skips: int = 0
    turns: int = 0
    told_lines: tuple[str, ...] = ()
    wants_person: bool = False
    returns: bool = False
    told_when: bool = False
    which_desk: bool = False
    told_services: bool = False

    def anew(self) -> Talk:
        """The talk of who writes again after an end. Only the count goes on, since Rasa's trackers are named by it; and
        services are named once in a conversation."""
        returns = self.returns or self.stage != "opening"
        return Talk(turns=self.turns, returns=returns, told_services=self.told_services)

    def file(
        self,
        text: str,
        attachment: str,
        reading: Reading,
        assessment: Assessment,
        does: Iterable[str],
        answered: bool | None = None,
    ) -> Assessment:
        """The assessment with the answer to our last question under its topic, where the text is one.

        `does`: what our answer to this text does. It is known only now whether the question was left out. `answered`:
        whether the text answers, where that is known already (in other languages than Japanese).
        """
        if attachment == "location":
            return assessment.with_topic("area", text.strip()[:LONGEST_TOPIC]) if text.strip() else assessment
        topic = self.open_topic
        assessment = _with_added(with_told(assessment, text, LONGEST_TOPIC), text, does)
        if attachment != "none" or topic not in TOPICS or topic == "share":
            return assessment
        if not (answers(topic, text, reading, does) if answered is None else answered):
            return assessment
        return assessment.with_topic(topic, text.strip()[:LONGEST_TOPIC])

    def next_topic(self, assessment: Assessment) -> str:
        """What is still unknown and was not asked, or "none" when enough was asked."""
        if len(self.asked) >= MOST_QUESTIONS or self.skips >= MOST_SKIPS:
            return "none"
        known = {*assessment.topics, *self.asked}
        if len(assessment.members) > 2:  # who has named two others at home has told who lives there
            known.add("household")
        open_ones = (topic for topic in self._topics(assessment) if topic not in known)
        return next((topic for topic in open_ones if not told(topic, assessment.said)), "none")

    def metadata(
        self, text: str, reading: Reading, assessment: Assessment, attachment: str, asked: Asked
    ) -> dict[str, Any]:
        """What Rasa needs to choose its words: bot/rasa/README.md lists the keys. No resident's words."""
        topic = self.next_topic(assessment)
        return {
            "stage": self._stage_now(topic, assessment),
            "topic": topic,
            "asked": self.open_topic or "none",
            "danger": _danger(reading, assessment),
            "danger_kind": _danger_kind(danger_now(reading, assessment), assessment.speaker),
            "careful": _careful(assessment),
            "place": _place(assessment),
            "speaker": _spoken_about(assessment),
            "tells": reading.tells,
            "echo": reading.echo is not None and not _fled_from(assessment.urgency),
            "answers": self.open_topic in ("contact", "area") and answers(self.open_topic, text, reading, ()),
            "wordless": bool(text.strip()) and not any(letter.isalnum() for letter in text),
            "attachment": attachment,
            "skips": self.skips,
            "returns": self.returns,
            "asks": asks_back(text),
            "desk": asked.state,
            "asks_desk": asked.plainly,
        }

    def after(
        self,
        asks: str | None,
        does: Iterable[str],
        reading: Reading,
        assessment: Assessment,
        named_services: bool = False,
    ) -> Talk:
        """The talk after our answer, which asked `asks` and did `does`."""
        danger = danger_now(reading, assessment)
        did = set(does)
        return replace(
            self,
            stage=self._stage_after(did, assessment),
            asked=self.asked if asks is None or asks in self.asked else (*self.asked, asks),
            open_topic=self.open_topic if asks is None and did & KEEP_OPEN else asks,
            skips=self._skips_after(did),
            turns=self.turns + 1,
            told_lines=(*self.told_lines, *danger.kinds) if "show_hotlines" in did else self.told_lines,
            wants_person=self.wants_person or "offer_person" in did,
            returns=False,
            told_when=self.told_when or "show_when" in did,
            which_desk="ask_desk" in did,
            told_services=self.told_services or named_services,
        )

    def lines_are_news(self, danger: Urgency) -> bool:
        """Whether helplines should be shown now: for another danger than before, and always when a life is at stake."""
        told = {*self.told_lines, *(WITH_DV if "dv" in self.told_lines else ())}
        return danger.level == "immediate" or not set(danger.kinds) <= told

    @property
    def tracker(self) -> int:
        """Which of the conversation's trackers Rasa shall use now."""
        return self.turns // TURNS_A_TRACKER

    def to_json(self) -> dict[str, Any]:
        """For the conversation's row."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Talk:
        """From the conversation's row; an empty one is a talk that has not begun."""
        lists = {name: tuple(data.get(name, ())) for name in ("asked", "told_lines")}
        return cls(**{**data, **lists})

    def _topics(self, assessment: Assessment) -> tuple[str, ...]:
        in_danger, agency = assessment.urgency.at_least("urgent"), assessment.speaker == "agency"
        if in_danger and agency:
            return AGENCY_DANGER_TOPICS
        if in_danger:
            return DANGER_TOPICS[::-1] if _ambulance(assessment.urgency) else DANGER_TOPICS
        if self.wants_person:
            return PERSON_TOPICS
        if agency:
            return AGENCY_TOPICS
        if {field.id for field in assessment.fields} == {"community"}:
            return HELPER_TOPICS
        if may_be_seen(assessment.said):
            return ("contact", *(topic for topic in TOPICS if topic != "contact"))
        return TOPICS

    def _skips_after(self, did: set[str]) -> int:
        if "skip" in did:
            return min(self.skips + 1, MOST_SKIPS)
        return self.skips if self.skips >= MOST_SKIPS else 0

    def _stage_now(self, topic: str, assessment: Assessment) -> str:
        if (
            self.stage == "listening"
            and topic == "none"
            and self.skips < MOST_SKIPS
            and not _tells_of_death(assessment)
        ):
            return "summary"
        return "listening" if self.stage == "opening" and assessment.tells else self.stage

    def _stage_after(self, did: set[str], assessment: Assessment) -> str:
        if "finish" in did:
            return "done"
        if "show_summary" in did:
            return "confirming"
        if self.stage == "opening" and assessment.tells:
            return "listening"
        return self.stage


def _ambulance(urgency: Urgency) -> bool:
    """Whether somebody may have to be found at once, so that the place is asked first."""
    by_ambulance = {*DANGER_KINDS["suicide"], *DANGER_KINDS["medical"]}
    return urgency.level == "immediate" and bool(by_ambulance & set(urgency.kinds[:1]))


def _careful(assessment: Assessment) -> bool:
    """Whether an answer could be read by the one who does violence, so that we ask first whether it is safe."""
    urgency = assessment.urgency
    if may_be_seen(assessment.said):
        return True
    worst = urgency.kinds[0] if urgency.kinds else ""
    return worst == "dv" or (worst in DANGER_KINDS["violence"] and urgency.at_least("urgent"))


def _place(assessment: Assessment) -> str:
    """Which place is asked for: 「お住まいは」 would be mockery for who has nowhere to sleep."""
    if assessment.speaker == "neighbor":
        return "there"
    lost = "no_shelter" in assessment.urgency.kinds or has_no_place(assessment.said)
    return "now" if lost or _ambulance(assessment.urgency) else "home"


def _fled_from(urgency: Urgency) -> bool:
    """In violence a fact of the day (「夕方に帰ってきます」) is not said back."""
    return urgency.at_least("urgent") and bool(set(DANGER_KINDS["violence"]) & set(urgency.kinds))


def _with_added(assessment: Assessment, text: str, does: Iterable[str]) -> Assessment:
    """What was said to the summary, in the resident's words, after what was said to it before."""
    if "correct" not in set(does) or len(text.strip()) < SHORTEST_ADDED or says_nothing_new(text):
        return assessment
    before = assessment.topics.get("added", "")
    return assessment.with_topic("added", "……".join(filter(None, [before, text.strip()]))[:LONGEST_ADDED])


def _tells_of_death(assessment: Assessment) -> bool:
    """Then no summary is put before the resident unasked: it would read their own words back to them as items."""
    return assessment.urgency.at_least("urgent") and bool(set(DANGER_KINDS["suicide"]) & set(assessment.urgency.kinds))


def danger_now(reading: Reading, assessment: Assessment) -> Urgency:
    """The danger of these words, or, where they tell of none, what was told before."""
    return reading.urgency if reading.urgency.kinds else assessment.urgency


def _spoken_about(assessment: Assessment) -> str:
    """Whose talk it is. Who tells of several people at home, of their child, or of themselves too, tells of their own
    home: 「その方」 would be nobody, or a strange word for one's daughter."""
    if assessment.speaker != "family":
        return assessment.speaker
    troubled = [member for member in assessment.members if member.fields]
    own_home = len(troubled) > 1 or any(member.relation == "self" for member in troubled)
    return "self" if own_home or any(member.relation in CHILDREN for member in assessment.members) else "family"


def _danger(reading: Reading, assessment: Assessment) -> str:
    # Danger once told is not forgotten: later turns stay careful, though they do not alarm again.
    if reading.urgency.level == "none" and assessment.urgency.at_least("urgent"):
        return "watch"
    return reading.urgency.level


def _danger_kind(danger: Urgency, speaker: str) -> str:
    """The group of a danger, seen by who writes: a mother who fears to shake her child is in no danger herself."""
    kinds, group = set(danger.kinds), danger_group(danger.kinds)
    own_hand = "harm_to_others" in kinds and kinds & set(DANGER_KINDS["violence"]) <= IN_CARE
    return "harm" if group == "violence" and own_hand and speaker in ("self", "family") else group


def danger_group(kinds: Iterable[str]) -> str:
    """The kind of danger as far as the words depend on it, or "none"."""
    return next((group for group, members in DANGER_KINDS.items() if set(kinds) & set(members)), "none")

"""One made-up case after the other, as rows: what was written, what was understood, what was done, and when."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from handoff import summary
from handoff.case import LEVELS
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN
from storage.models import Base, Case, CaseEvent, Conversation, Message, Staff
from storage.support import CaseNote, CheckIn, Client, Correction, Involvement, Meeting, MeetingCase, SupportRecord
from uketome import demo_people as people

VOICES = Path(__file__).resolve().parent.parent / "nlu_data/voices"
DAYS = 365
#: How many write at each hour of the day, Monday to Friday; on weekends the late hours count more.
HOURS = (3, 2, 1, 1, 1, 1, 2, 4, 7, 11, 12, 9, 8, 9, 10, 9, 8, 7, 7, 8, 10, 12, 10, 6)
OPENS, SHUTS = time(8, 30), time(17, 15)
#: Median minutes until somebody claims, by level, once the desk is open.
CLAIM_AFTER = (240, 75, 22, 6)
#: How support is given, how often, and its usual minutes.
MEANS = (
    ("phone", 40, 15), ("visit_here", 22, 50), ("visit", 14, 70), ("accompany", 6, 110), ("meeting", 8, 60),
    ("letter", 10, 10),
)  # fmt: skip

Voice = dict[str, Any]


@dataclass(frozen=True)
class Town:
    """The town hall: its desks' ids, the counselors of each, the agencies with the fields they come in for."""

    desks: Sequence[int]
    counselors: Sequence[Sequence[Staff]]
    agencies: Sequence[tuple[int, Sequence[str]]]


@dataclass
class Rows:
    """Rows by table, in the order in which they can be inserted."""

    tables: dict[type[Base], list[dict[str, Any]]] = field(
        default_factory=lambda: {
            table: [] for table in (
                Conversation, Case, Message, CaseEvent, Client, Involvement, CaseNote, SupportRecord, CheckIn,
                Correction,
            )
        }
    )  # fmt: skip

    def add(self, table: type[Base], **values: Any) -> None:
        """One row."""
        self.tables[table].append(values)

    def in_order(self) -> Iterator[tuple[type[Base], list[dict[str, Any]]]]:
        """Tables with their rows."""
        yield from self.tables.items()


def voices() -> tuple[list[Voice], list[Voice], list[Voice]]:
    """Texts that tell of a trouble, texts that do not, and whole households."""
    texts: list[Voice] = []
    for path in sorted(VOICES.glob("v*.jsonl")):
        if path.stem not in ("v73", "v40"):  # other languages, which the labels alone would not make readable
            texts += map(json.loads, path.read_text("utf-8").splitlines())
    households = [
        household for path in sorted(VOICES.glob("households*.jsonl"))
        for household in map(json.loads, path.read_text("utf-8").splitlines())
        if any(member.get("fields") for member in household["members"])
    ]  # fmt: skip
    return [one for one in texts if one["must"]], [one for one in texts if not one["must"]], households


class Life:
    """Makes the town's cases, by chance and by habit."""

    def __init__(
        self, chance: random.Random, now: datetime, town: Town, heard: tuple[list[Voice], list[Voice], list[Voice]]
    ) -> None:
        self._chance, self._now, self._town = chance, now, town
        self._troubles, self._small_talk, self._households = heard
        self._met: list[tuple[str, bool, datetime, datetime]] = []

    def rows(self, cases: int, full_talks: int) -> Rows:
        """Some cases, of which so many talked at length."""
        rows = Rows()
        for at in range(cases):
            self._one(rows, at < full_talks or self._chance.random() < 0.01)
        return rows

    def for_meeting(self, kind: str, held: datetime, most: int) -> list[str]:
        """Cases that were open on that day; for 重層的支援会議 only with consent."""
        fit = [id_ for id_, share, since, until in self._met if since < held < until and (share or kind == "support")]
        return self._chance.sample(fit, min(most, len(fit)))

    def meeting_cases(self, meeting: Meeting, case_ids: Sequence[str]) -> list[MeetingCase]:
        """What was decided there."""
        return [
            MeetingCase(
                meeting_id=meeting.id, case_id=id_, decisions=self._chance.choice(people.DECISIONS),
                added_by=meeting.created_by, added_at=meeting.created_at,
            )
            for id_ in case_ids
        ]  # fmt: skip

    def _one(self, rows: Rows, at_length: bool) -> None:
        chance = self._chance
        opened = self._moment()
        channel = "line" if chance.random() < 0.58 else "web"
        conversation, case = self._id(), self._id()
        talk, assessment = self._talk(at_length)
        told = summary.complaint(assessment)
        rows.add(
            Conversation, id=conversation, channel=channel, language="ja", created_at=opened, notice_at=opened, talk={},
            address=f"U{self._id()}" if channel == "line" else self._id() + self._id(), failures=0,
        )  # fmt: skip
        last = self._write(rows, conversation, case, channel, talk, opened)
        share = chance.choices((True, False, None), (62, 8, 30))[0]
        level = LEVELS.index(assessment["urgency"]["level"])
        row: dict[str, Any] = dict.fromkeys(
            (
                "previous_id", "waiting_since", "claimed_by", "claimed_at", "claim_until", "responsible_id", "desk_id",
                "following_since", "next_contact_on", "next_contact_note", "check_ins_stopped_at", "closed_at",
                "outcome", "outcome_kind", "person_wanted_at", "delete_wanted_at",
            )
        )  # fmt: skip
        row |= {
            "id": case, "conversation_id": conversation, "channel": channel, "language": "ja", "opened_at": opened,
            "last_message_at": last, "urgency": level, "assessment": assessment, "corrected": {}, "complaint": told,
            "summary": summary.summarise(assessment, told), "share": share,
            "share_at": last if share is not None else None,
        }  # fmt: skip
        rows.add(Case, **row)
        kept = rows.tables[Case][-1]
        self._event(rows, case, opened, "opened")
        self._wait(rows, kept, last)
        if kept["waiting_since"]:
            self._serve(rows, kept)

    def _moment(self) -> datetime:
        """When somebody writes: a little more often than a year ago, and at the hours when people do."""
        chance = self._chance
        ago = DAYS * min(chance.random(), chance.random() * 1.6)
        day = (self._now - timedelta(days=ago)).astimezone(JAPAN)
        if day.weekday() >= 5 and chance.random() < 0.4:
            day -= timedelta(days=2)
        hour = chance.choices(range(24), HOURS)[0]
        moment = day.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0)
        return moment if moment < self._now else moment - timedelta(days=1)

    def _talk(self, at_length: bool) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        """Who wrote what, and what was understood."""
        chance = self._chance
        if at_length:
            household = chance.choice(self._households)
            told, assessment = list(household["turns"]), self._understood_household(household)
        else:
            voice = chance.choice(self._small_talk if chance.random() < 0.06 else self._troubles)
            told, assessment = [voice["text"]], self._understood(voice)
        talk = [("bot", self._opening()), ("resident", told[0]), ("bot", chance.choice(people.BOT_HEARS))]
        for turn in told[1:]:
            talk += [("bot", chance.choice(people.BOT_GOES_ON)), ("resident", turn)]
        if chance.random() < 0.8:
            talk += [("bot", people.BOT_ASKS), ("resident", self._area(assessment))]
        return [*talk, ("bot", people.BOT_ENDS)], assessment

    def _area(self, assessment: dict[str, Any]) -> str:
        chance = self._chance
        if chance.random() < 0.07:
            said = chance.choice(people.HIDES_AREA)
        else:
            weights = range(len(people.AREAS) + 2, 2, -1)
            said = chance.choice(people.LIVES).format(area=chance.choices(people.AREAS, weights)[0])
        assessment["topics"]["area"] = said
        return said

    def _opening(self) -> str:
        return "いま、気にかかっていることを、どこからでも書いてください。まとまっていなくてかまいません。"

    def _understood(self, voice: Voice) -> dict[str, Any]:
        """The labels as an assessment; now and then a service was not found."""
        chance, quote = self._chance, _first_sentence(voice["text"])
        fields = [*voice["must"], *(one for one in voice["may"] if chance.random() < 0.3)]
        services = [one for one in voice["services"] if chance.random() < 0.85]
        danger = voice["urgency"]
        return self._assessment(
            [(id_, quote) for id_ in fields], [(id_, quote) for id_ in services], voice["speaker"],
            {**danger, "quote": quote if danger["level"] != "none" else ""}, [],
        )  # fmt: skip

    def _understood_household(self, household: Voice) -> dict[str, Any]:
        fields: dict[str, str] = {}
        for member in household["members"]:
            for id_ in member.get("fields", ()):
                fields.setdefault(id_, member["quote"])
        services = {
            self._chance.choice([one.id for one in vocabulary().services.values() if id_ in one.fields]): quote
            for id_, quote in fields.items() if self._chance.random() < 0.85
        }  # fmt: skip
        members = [
            {
                "relation": member["relation"], "age": member.get("age"), "fields": member.get("fields", []),
                "quotes": [member["quote"]], "called": "",
            }
            for member in household["members"]
        ]  # fmt: skip
        speaker = "agency" if any(member["relation"] == "client" for member in household["members"]) else "family"
        danger = {"level": "none", "kinds": [], "quote": ""}
        return self._assessment(list(fields.items()), list(services.items()), speaker, danger, members)

    def _assessment(
        self,
        fields: Sequence[tuple[str, str]],
        services: Sequence[tuple[str, str]],
        speaker: str,
        urgency: dict[str, Any],
        members: list[dict[str, Any]],
    ) -> dict[str, Any]:
        chance = self._chance
        found = [
            {"id": id_, "confidence": round(chance.uniform(0.56, 0.98), 2), "quotes": [quote], "example": ""}
            for id_, quote in dict(fields).items()
        ]
        return {
            "urgency": urgency,
            "fields": sorted(found, key=lambda one: -float(str(one["confidence"]))),
            "services": [
                {"id": id_, "score": round(chance.uniform(0.5, 0.95), 2), "quote": quote} for id_, quote in services[:5]
            ],
            "household": {"members": members, "focus": None, "aside": []},
            "speaker": speaker, "topics": {}, "tells": bool(fields), "said": "",
        }  # fmt: skip

    def _write(
        self, rows: Rows, conversation: str, case: str, channel: str, talk: list[tuple[str, str]], began: datetime
    ) -> datetime:
        at = began
        for sender, text in talk:
            at += timedelta(seconds=1 if sender == "bot" else self._chance.randrange(15, 200))
            at = min(at, self._now)
            self._message(rows, conversation, case, channel, sender, text, at)
        return at

    def _message(
        self, rows: Rows, conversation: str, case: str, channel: str, sender: str, text: str, at: datetime,
        staff: int | None = None,
    ) -> None:  # fmt: skip
        rows.add(
            Message, conversation_id=conversation, case_id=case, sender=sender, kind="text", text=text, channel=channel,
            event_id=self._id() if sender == "resident" else None, written_at=at, received_at=at, handled_at=at,
            staff_id=staff,
        )  # fmt: skip

    def _wait(self, rows: Rows, case: dict[str, Any], last: datetime) -> None:
        """From when a person is needed; whoever wrote just now still talks with the machine."""
        why = self._chance.choices(("finished", "silence", "person_wanted"), (70, 20, 10))[0]
        since = last + timedelta(minutes=30 if why == "silence" else 0)
        if case["urgency"] >= 2:
            why, since = "danger", case["opened_at"] + timedelta(seconds=30)
        if since >= self._now:
            return
        case["waiting_since"] = since
        case["person_wanted_at"] = since if why == "person_wanted" else None
        self._event(rows, case["id"], since, why)

    def _serve(self, rows: Rows, case: dict[str, Any]) -> None:
        """A counselor takes it on, today or later; what comes of it."""
        chance = self._chance
        if chance.random() < 0.012:
            ended = case["waiting_since"] + timedelta(hours=chance.randrange(2, 70))
            if ended < self._now:
                case |= {"closed_at": ended, "outcome": "同じ人の二重の相談だった。", "outcome_kind": "other"}
                self._event(rows, case["id"], ended, "closed")
            return
        claimed = self._claimed(case)
        if claimed >= self._now:
            return
        desk = self._desk(case)
        staff = chance.choice(self._town.counselors[desk])
        case |= {
            "desk_id": self._town.desks[desk] if desk or chance.random() < 0.6 else None,
            "responsible_id": staff.id,
        }
        self._event(rows, case["id"], claimed, "claimed", staff.id)
        said = claimed + timedelta(minutes=chance.randrange(1, 25))
        if said < self._now:
            text = chance.choice(people.COUNSELOR_SAYS).format(name=staff.name.split()[0])
            self._message(rows, case["conversation_id"], case["id"], case["channel"], "counselor", text, said, staff.id)
            self._event(rows, case["id"], said, "replied", staff.id)
        until = self._end(rows, case, claimed, staff)
        self._support(rows, case, claimed, until, staff)
        if case["share"] or chance.random() < 0.4:
            self._met.append((case["id"], bool(case["share"]), claimed, until))

    def _claimed(self, case: dict[str, Any]) -> datetime:
        """When: from when the desk is open, sooner where it presses."""
        chance, level, since = self._chance, case["urgency"], case["waiting_since"]
        on_call = chance.random() < (0, 0, 0.6, 0.96)[level]
        begins = since if on_call else _next_open(since)
        minutes = CLAIM_AFTER[level] * chance.lognormvariate(0, 0.9)
        claimed: datetime = begins + timedelta(minutes=minutes)
        return claimed if on_call else _next_open(claimed)

    def _desk(self, case: dict[str, Any]) -> int:
        fields = [one["id"] for one in case["assessment"]["fields"]]
        several = len(fields) > 2 or not fields
        return 0 if several or self._chance.random() < 0.2 else people.DESK_OF.get(fields[0], 0)

    def _end(self, rows: Rows, case: dict[str, Any], claimed: datetime, staff: Staff) -> datetime:
        """Closed with an outcome, followed, or still held; until when there is something to record."""
        chance, now = self._chance, self._now
        ended = _next_open(claimed + timedelta(days=38 * chance.lognormvariate(0, 0.9)))
        if ended < now:
            kind = chance.choices(list(people.OUTCOMES), people.OUTCOME_WEIGHTS)[0]
            case |= {"closed_at": ended, "outcome": people.OUTCOMES[kind], "outcome_kind": kind}
            self._event(rows, case["id"], ended, "closed", staff.id)
            return ended
        if now - claimed < timedelta(days=6) and chance.random() < 0.5:
            case |= {"claimed_by": staff.id, "claimed_at": claimed}
        else:
            case["following_since"] = min(claimed + timedelta(days=chance.randrange(1, 5)), now)
        if chance.random() < 0.9:
            ahead = chance.choices((-1, 0, 1), (14, 6, 80))[0] * chance.randrange(1, 40)
            case["next_contact_on"] = (now + timedelta(days=ahead)).astimezone(JAPAN).date()
            case["next_contact_note"] = chance.choice(people.NEXT_CONTACTS)
        return now

    def _support(self, rows: Rows, case: dict[str, Any], since: datetime, until: datetime, staff: Staff) -> None:
        """Records, agencies, notes, corrections, check-ins, and who the client is."""
        chance, id_ = self._chance, case["id"]
        fields = [one["id"] for one in case["assessment"]["fields"]]
        for _ in range(min(12, int(chance.expovariate(1 / 3)))):
            self._record(rows, id_, fields, since, until, staff)
        if fields and chance.random() < 0.34:
            self._agency(rows, case, fields, since, staff)
        if chance.random() < 0.22:
            rows.add(
                CaseNote, case_id=id_, staff_id=staff.id, audience="staff", text=chance.choice(people.NOTES), at=since,
                changed_at=since, version=1,
            )  # fmt: skip
        if chance.random() < 0.2:
            rows.add(
                Client, case_id=id_, name=f"{chance.choice(people.FAMILY_NAMES)} {chance.choice(people.FIRST_NAMES)}",
                changed_at=since, changed_by=staff.id, version=1,
            )  # fmt: skip
        if len(fields) > 1 and chance.random() < 0.06:
            self._correct(rows, case, fields, since, staff)
        if case["following_since"] and case["channel"] == "web" and chance.random() < 0.05:
            due = self._now + timedelta(days=chance.randrange(3, 30))
            rows.add(
                CheckIn,
                case_id=id_,
                staff_id=staff.id,
                text=people.CHECK_IN,
                due_at=due,
                created_at=case["following_since"],
            )

    def _record(self, rows: Rows, id_: str, fields: list[str], since: datetime, until: datetime, staff: Staff) -> None:
        chance = self._chance
        means, _, usual = chance.choices(MEANS, [weight for _, weight, _ in MEANS])[0]
        at = _next_open(since + (until - since) * chance.random())
        if at > self._now:
            return
        minutes = max(5, round(usual * chance.lognormvariate(0, 0.4) / 5) * 5)
        own = chance.sample(fields, chance.randrange(1, len(fields) + 1)) if fields and chance.random() < 0.45 else []
        rows.add(
            SupportRecord, case_id=id_, staff_id=staff.id, at=at, whom=chance.choice(people.WHOM), means=means,
            minutes=minutes - (chance.random() < 0.15), content=chance.choice(people.RECORDS[means]),
            next_plan="", fields=own, visit=self._visit() if means == "visit" else None,
            letter_left=means == "visit" and chance.random() < 0.2, changed_at=at, version=1,
        )  # fmt: skip

    def _visit(self) -> str:
        return self._chance.choices(("met", "absent", "not_opened", "refused"), (70, 15, 10, 5))[0]

    def _agency(self, rows: Rows, case: dict[str, Any], fields: list[str], since: datetime, staff: Staff) -> None:
        fit = [agency for agency, comes_for in self._town.agencies if set(comes_for) & set(fields)]
        for agency in self._chance.sample(fit, min(len(fit), self._chance.choice((1, 1, 2)))):
            ground = "consent" if case["share"] else "emergency" if case["urgency"] == 3 else "106_6"
            rows.add(
                Involvement, case_id=case["id"], agency_id=agency, role="いっしょに見守る", ground=ground, since=since,
                until=case["closed_at"], staff_id=staff.id,
            )  # fmt: skip

    def _correct(self, rows: Rows, case: dict[str, Any], fields: list[str], since: datetime, staff: Staff) -> None:
        """The counselor takes one field out, and the rest stands as confirmed."""
        gone = fields[-1]
        entry = {"state": "wrong", "quotes": [], "rests": "told", "version": 0}
        case["corrected"] = {"fields": {gone: entry}}
        found = next(one for one in case["assessment"]["fields"] if one["id"] == gone)
        rows.add(
            Correction, case_id=case["id"], staff_id=staff.id, at=since, what="field", key=gone, found=found,
            corrected=entry,
        )  # fmt: skip

    def _event(self, rows: Rows, case: str, at: datetime, kind: str, staff: int | None = None) -> None:
        rows.add(CaseEvent, case_id=case, at=at, kind=kind, staff_id=staff, note=None)

    def _id(self) -> str:
        return f"{self._chance.getrandbits(128):032x}"


def _next_open(moment: datetime) -> datetime:
    """The moment itself when the desk is open, else when it opens next."""
    here = moment.astimezone(JAPAN)
    if here.weekday() < 5 and here.time() >= SHUTS:
        here = (here + timedelta(days=1)).replace(hour=OPENS.hour, minute=OPENS.minute, second=0)
    while here.weekday() >= 5:
        here = (here + timedelta(days=1)).replace(hour=OPENS.hour, minute=OPENS.minute, second=0)
    return max(here, here.replace(hour=OPENS.hour, minute=OPENS.minute, second=0)) if here.time() < OPENS else here


def _first_sentence(text: str) -> str:
    """What a finding rests on: words of the text itself."""
    for end in "。！？!?\n":
        head, mark, _ = text.partition(end)
        if mark and 4 <= len(head) <= 80:
            return head
    return text[:80]

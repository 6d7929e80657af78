"""A case as it is shown to staff systems: the JSON of the interface, and the talk behind it."""

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handoff import corrections, queue, summary
from handoff.case import LEVELS, status
from handoff.words import service_name, words
from storage.models import Agency, Case, Conversation, Delivery, Message, Staff
from storage.support import Client, Involvement

#: Of one case; the newest, since a talk may go on for years.
MOST_MESSAGES = 500
#: Where these are told, the wrong person may read what we send.
CARE_IN_CONTACT = {"dv", "child_abuse", "elder_abuse", "disability_abuse", "sexual_violence"}


def plain_case(session: Session, case: Case) -> dict[str, Any]:
    """One case in full."""
    conversation = session.get_one(Conversation, case.conversation_id)
    stands, client = corrections.of(case), session.get(Client, case.id)
    topics = stands.get("topics", {})
    names = {case.claimed_by: _staff_name(session, case.claimed_by)} if case.claimed_by else {}
    return {
        **listed(case, queue.complaints(session, [case])[case.id], names),
        "summary": case.summary,
        "services": [
            {
                "id": found["id"],
                "name": service_name(found["id"]),
                "score": found["score"],
                "quote": found["quote"],
                "state": corrections.STATES.get(found["state"], found["state"]),
            }
            for found in stands["services"]
        ],
        "wishes": topics.get("wish") or None,
        "tried": topics.get("tried") or None,
        "involved": _involved(session, case, topics.get("involved", "")),
        "area": topics.get("area") or None,
        "since": topics.get("since") or None,
        "contact": contact(case, conversation, client),
        "consent": {"notice_at": _iso(conversation.notice_at), "share": case.share, "at": _iso(case.share_at)},
        "not_asked": not_asked(case, client),
        "outcome": case.outcome,
        "previous_id": case.previous_id,
        "messages": [_plain_message(message, delivery) for message, delivery in talk(session, case)],
    }


def listed(case: Case, complaint: str, holders: dict[int, str]) -> dict[str, Any]:
    """One case as the queue lists it, as staff have corrected it."""
    assessment = corrections.of(case)
    return {
        "id": case.id,
        "status": status(case),
        "opened_at": _iso(case.opened_at),
        "waiting_since": _iso(case.waiting_since),
        "closed_at": _iso(case.closed_at),
        "claimed_by": holders.get(case.claimed_by) if case.claimed_by else None,
        "channel": case.channel,
        "language": case.language,
        "speaker": assessment.get("speaker", "self"),
        # The row's level is the queue's key: what is shown can never differ from what the order rests on.
        "urgency": {**summary.urgency(assessment), "level": LEVELS[case.urgency]},
        "complaint": complaint,
        "fields": [
            {
                "id": field["id"], "confidence": field["confidence"], "quotes": field["quotes"],
                "state": corrections.STATES.get(field["state"], field["state"]),
            }
            for field in assessment.get("fields", ())
        ],
        "members": [
            {
                "relation": member.get("relation"), "age": member.get("age"), "fields": list(member.get("fields", ())),
                "quotes": list(member.get("quotes", ())), "sex": member["sex"] or None, "together": member["together"],
                "state": corrections.STATES.get(member["state"], member["state"]),
            }
            for member in summary.members(assessment)
        ],
    }  # fmt: skip


def talk(session: Session, case: Case) -> list[tuple[Message, Delivery | None]]:
    """The messages of a case in order, each with its delivery where its channel needs one."""
    # What came before anything was told (a follow, the notice) belongs to no case, and to this talk all the same.
    newest = session.execute(
        select(Message, Delivery)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .where(
            Message.conversation_id == case.conversation_id, or_(Message.case_id == case.id, Message.case_id.is_(None))
        )
        .order_by(Message.id.desc())
        .limit(MOST_MESSAGES)
    )
    entries: list[tuple[Message, Delivery | None]] = [(message, delivery) for message, delivery in newest]
    return entries[::-1]


def shown_text(message: Message) -> str:
    """What stands for a message: its words, or what came instead of words."""
    if message.unsent_at:
        return words().taken_back
    if message.kind == "text" or message.kind not in words().attachments:
        return message.text
    return f"（{words().attachments[message.kind]}）" + (f"\n{message.text}" if message.text else "")


def delivery_state(message: Message, delivery: Delivery | None) -> str:
    """sent, waiting, failed or withdrawn; shown where the browser fetches it itself."""
    if delivery is None:
        return "shown"
    if delivery.sent_at:
        return "sent"
    if delivery.failed_at:
        return "failed"
    return "withdrawn" if delivery.done_at else "waiting"


def _plain_message(message: Message, delivery: Delivery | None) -> dict[str, Any]:
    plain = {
        "id": message.id, "from": message.sender, "text": shown_text(message), "at": _iso(message.written_at),
        "kind": message.kind,
    }  # fmt: skip
    if message.sender == "resident":
        return plain
    return {**plain, "delivery": delivery_state(message, delivery), "error": delivery.error if delivery else None}


def contact(case: Case, conversation: Conversation, client: Client | None) -> dict[str, Any]:
    """How the resident can be reached: as staff have written it down, else through the channel they came by.

    After the quick exit, or blocked, not through the channel any more.
    """
    open_channel = reachable(conversation)
    told_of_violence = CARE_IN_CONTACT & set(summary.urgency(case.assessment)["kinds"])
    by = client.reach_by if client else ""
    if not open_channel and by in ("", "line", "web"):
        by = "none"
    known = client.reach_safe if client else None
    return {
        "by": by or case.channel,
        "phone": ((client.phone_mobile or client.phone_home) if client else "") or None,
        "when": (client.reach_when if client else "") or case.assessment.get("topics", {}).get("contact") or None,
        "safe": known if known is not None and by != "none" else open_channel and not told_of_violence,
    }


def not_asked(case: Case, client: Client | None) -> list[str]:
    """What nobody knows yet of a case, by the interface's names: what staff have written down is known."""
    unasked = summary.unasked(corrections.of(case), case.share)
    reach = client and (client.reach_by or client.reach_when)
    return [topic for topic in unasked if not (topic == "contact" and reach)]


def reachable(conversation: Conversation) -> bool:
    """Whether what we write into the channel arrives."""
    return conversation.address is not None and conversation.blocked_at is None


def _involved(session: Session, case: Case, told: str) -> list[dict[str, Any]]:
    """The agencies that take part now, as what, and since when; and others that staff have noted, by name alone."""
    found = session.execute(
        select(Agency.name, Agency.kind, Involvement.role, Involvement.since)
        .join(Involvement, Involvement.agency_id == Agency.id)
        .where(Involvement.case_id == case.id, Involvement.until.is_(None))
        .order_by(Involvement.since, Involvement.id)
    )
    parts = [{"name": name, "kind": kind, "role": role, "since": _iso(since)} for name, kind, role, since in found]
    return parts + [{"name": line, "kind": "", "role": "", "since": None} for line in told.split("\n") if line]


def _staff_name(session: Session, staff_id: int) -> str:
    staff = session.get(Staff, staff_id)
    return staff.called if staff else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

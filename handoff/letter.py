"""The letter of referral（つなぎ状）: begun from the case, edited by staff, made as PDF; with consent or a ground."""

from collections.abc import Mapping
from datetime import datetime

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer
from sqlalchemy.orm import Session

from handoff import access, agencies, corrections, queue, summary
from handoff import case as cases
from handoff.japanese_moments import day
from handoff.paper import grid, pdf, words
from handoff.slips import Entered
from handoff.support_words import support_words
from handoff.tongue import say
from handoff.words import words as known_words
from storage.clock import JAPAN
from storage.models import Agency, Case, Staff
from storage.support import Client

#: What of a letter is edited, by its input: what it is called, and how long it may be.
PARTS: dict[str, tuple[str, int]] = {
    "to": ("あて先", 200),
    "client": ("ご本人", 500),
    "complaint": ("ご相談の内容", 3000),
    "household": ("ご家族", 1000),
    "matters": ("かかわりそうなこと", 1000),
    "wishes": ("ご本人の希望", 1000),
    "ask": ("お願いしたいこと", 3000),
    "contact": ("この件の連絡先", 500),
}
WIDTHS = (34, 135.5)


def begin(session: Session, case: Case, agency: Agency | None, staff: Staff, town: str) -> dict[str, str]:
    """What the letter says before anybody edits it: in Japanese, whatever the staff's pages speak."""
    client = session.get(Client, case.id)
    topics = corrections.of(case).get("topics", {})
    return {
        "to": f"{agency.name}　御中" if agency else "",
        "client": _client(client),
        "complaint": queue.complaints(session, [case])[case.id],
        "household": summary.household(corrections.of(case)) or "うかがっていません",
        "matters": _matters(case),
        "wishes": topics.get("wish") or "まだうかがっていません",
        "ask": support_words().letter["ask"],
        "contact": f"{town}　相談窓口　担当 {staff.called}",
    }


def _client(client: Client | None) -> str:
    if client is None or not client.name:
        return "お名前は、うかがっていません"
    phone = client.phone_mobile or client.phone_home
    return "　".join(
        filter(None, (f"{client.name} 様", f"（{client.kana}）" if client.kana else "", phone, client.address))
    )


def _matters(case: Case) -> str:
    """The fields in plain words: a matter, never a diagnosis."""
    plain = known_words().fields_plainly
    found = [plain.get(field["id"], field["id"]) for field in corrections.of(case).get("fields", ())]
    return "、".join(dict.fromkeys(found)) or "まだはっきりしていません"


def read(case: Case, form: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The letter as it was edited, and its ground. Raises Slip: something is missing, or the ground does not hold."""
    inputs = Entered(dict(form))
    texts = {name: inputs.text(name, most) for name, (_, most) in PARTS.items()}
    for name in ("to", "ask", "contact"):
        if not texts[name] and name not in inputs.problems:
            inputs.problems[name] = say("書いてください。")
    ground = form.get("ground", "")
    inputs.done()
    agencies.check_ground(case, ground)
    return texts, ground


def consent_line(ground: str) -> str:
    """What the letter says of consent. Not edited: it must be true."""
    own = support_words().letter
    if ground == access.CONSENT:
        return own["given"]
    return own["without"].format(ground=support_words().grounds[ground]["name"])


def make(
    session: Session, case: Case, texts: Mapping[str, str], ground: str, staff: Staff, town: str, now: datetime
) -> bytes:
    """The PDF; that it was made is an event of the case."""
    cases.note(session, case, "letter_made", now, staff, say(support_words().grounds[ground]["name"]))
    here = now.astimezone(JAPAN)
    parts: list[Flowable] = [
        words(f"{here.year}年{day(now)}", "right"),
        words(texts["to"]),
        Spacer(1, 2 * mm),
        words("つなぎ状（ご相談の引きつぎのお願い）", "title"),
        words(
            f"いつもお世話になっております。{town}の相談窓口です。つぎのご相談について、お力をお借りしたく、お伝えします。"
        ),
        Spacer(1, 3 * mm),
        grid([(words("ご本人"), words(texts["client"] or "―"))], WIDTHS),
    ]
    # Paragraphs under their heads, not rows of a table: a row is not broken over two pages, and a text may be long.
    for name in ("complaint", "household", "matters", "wishes", "ask"):
        parts += [words(PARTS[name][0], "head"), words(texts[name] or "―")]
    parts += [words("同意について", "head"), words(consent_line(ground)), Spacer(1, 4 * mm)]
    parts += [words(support_words().letter["closing"]), Spacer(1, 3 * mm)]
    parts.append(grid([(words(PARTS["contact"][0]), words(texts["contact"]))], WIDTHS))
    return pdf("つなぎ状", parts, f"{town}　相談番号 {case.id[:8]}　取扱注意")

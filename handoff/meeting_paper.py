"""Agenda and minutes of a support meeting, on paper. No names of clients: a case is spoken of by its number."""

from datetime import datetime
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Spacer

from handoff.japanese_moments import day, day_and_time
from handoff.paper import grid, pdf, words
from handoff.support_words import support_words
from storage.support import Meeting

TITLES = {"agenda": "次第", "minutes": "会議録"}
WIDTHS = (34, 135.5)


def make(
    paper: str,
    meeting: Meeting,
    attendees: list[tuple[int, str, str]],
    cases: list[dict[str, Any]],
    town: str,
    now: datetime,
) -> bytes:
    """The PDF; `cases` are those that may be opened in this meeting, and no others."""
    kind = support_words().meetings[meeting.kind]
    title = f"{kind['name']} {TITLES[paper]}"
    parts: list[Flowable] = [words(title, "title"), _head(meeting, kind, attendees), Spacer(1, 3 * mm)]
    parts += [words("守秘義務", "head"), words(kind["duty"])]
    parts.append(words("議題" if paper == "agenda" else "話し合ったことと、決まったこと", "head"))
    if not cases:
        parts.append(words("開ける相談は、まだありません。"))
    for number, case in enumerate(cases, 1):
        parts += _case(number, case, paper)
    return pdf(title, parts, f"{town}　{title}　{day(now)}作成　取扱注意")


def number_of(case_id: str) -> str:
    """How a case is called on paper: its beginning is enough to find it, and says nothing."""
    return case_id[:8]


def _head(meeting: Meeting, kind: dict[str, str], attendees: list[tuple[int, str, str]]) -> Flowable:
    people = "\n".join("　".join(filter(None, (agency, name))) for _, agency, name in attendees)
    rows = [
        ("名称", meeting.title),
        ("根拠", f"{kind['law']}　{kind['consent']}"),
        ("日時", day_and_time(meeting.held_at)),
        ("場所", meeting.place or "―"),
        ("出席者", people or "―"),
    ]
    return grid([(words(name), words(text)) for name, text in rows], WIDTHS)


def _case(number: int, case: dict[str, Any], paper: str) -> list[Flowable]:
    rows = [
        (f"相談 {number}", f"番号 {number_of(case['id'])}"),
        ("困りごと", case["complaint"] or "―"),
        ("世帯", case["household"] or "―"),
        ("分野", "、".join(case["fields"]) or "―"),
        ("本人の希望", case["wish"] or "まだ聞いていません"),
    ]
    told = grid([(words(name), words(text)) for name, text in rows], WIDTHS)
    if paper == "agenda":
        return [KeepTogether([told, words("メモ", "head"), Spacer(1, 28 * mm)])]
    # Outside the table: what was decided may be longer than a page, and a row is not broken.
    decided = words(case["decisions"] or "（まだ書かれていません）")
    return [KeepTogether([told, words("決まったこと", "head")]), decided, Spacer(1, 6 * mm)]

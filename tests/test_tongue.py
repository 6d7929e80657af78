"""The staff's pages in English: every sentence that templates and code mark for it has its English."""

import ast
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from string import Formatter

import pytest

from bot.understanding import Understander
from handoff import tongue
from handoff.support_words import support_words
from handoff.tongue import english
from handoff.words import words
from knowledge_base.vocabulary import vocabulary
from storage.settings import ROOT, Settings
from tests.conftest import Town, running
from tests.desk import a_case, at_work
from tests.stand_ins.clock import SetClock
from tests.stand_ins.rasa import StandInRasa

HANDOFF = ROOT / "handoff"
#: `_("…")` of a template, in either kind of quotes.
MARKED = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龥]")
#: Sections of words.yml that staff see; `resident` and the kind words of summaries go to residents, in their languages.
OF_STAFF = (
    "speakers", "levels", "levels_mean", "statuses", "senders", "events", "roles", "actions", "details",
    "topics_short", "ways", "sexes", "corrections", "correction_states", "means", "visits",
)  # fmt: skip


@pytest.mark.parametrize("path", sorted(HANDOFF.glob("templates/*.html")), ids=lambda path: path.name)
def test_what_a_template_says_has_its_english(path: Path) -> None:
    said = {ast.literal_eval(found) for found in MARKED.findall(path.read_text(encoding="utf-8"))}
    assert sorted(said - english().keys()) == []


def test_what_the_code_says_has_its_english() -> None:
    said = {(path.name, sentence) for path in sorted(HANDOFF.glob("*.py")) for sentence in _said(path)}
    assert sorted(one for one in said if one[1] not in english()) == []


def test_the_words_of_staff_have_their_english() -> None:
    said = {(kind, name) for kind in OF_STAFF for name in getattr(words(), kind).values() if JAPANESE.search(name)}
    assert sorted(one for one in said if one[1] not in english()) == []


def test_fields_services_and_kinds_of_agencies_have_their_english() -> None:
    names = [one.ja for one in vocabulary().fields.values()] + [one.ja for one in vocabulary().services.values()]
    assert [name for name in (*names, *support_words().agency_kinds) if name not in english()] == []


@pytest.fixture
async def english_town(
    database_url: str, tmp_path: Path, reader: Understander, rasa: StandInRasa
) -> AsyncIterator[Town]:
    settings = Settings(
        database_url=database_url, var_dir=tmp_path / "var", rasa_url=rasa.url, rasa_timeout_s=0.5,
        staff_language="en",
    )  # fmt: skip
    async with running(settings, reader, SetClock()) as town:
        yield town
    tongue.speak("ja")


async def test_pages_speak_english_and_official_forms_stay_japanese(english_town: Town) -> None:
    found = {"fields": [{"id": "housing", "confidence": 0.9, "quotes": ["家賃が払えません"]}]}
    case_id = await a_case(english_town, "家賃が払えません", minutes=80, found=found)
    async with at_work(english_town, "佐藤", "sato@example.jp") as sato:
        queue, page = await sato.queue(), await sato.open(case_id)
        plan = (await sato.http.get(f"/staff/cases/{case_id}/forms/plan")).text
        letter = (await sato.http.get(f"/staff/cases/{case_id}/letter")).text
    assert "Housing" in queue
    assert "1 h 20 min" in queue
    assert "Tue 24 Nov" in page
    assert not re.search("住まい|[0-9]月[0-9]+日", queue + page)
    assert "住まい：「家賃が払えません」" in plan
    assert "相談窓口　担当 佐藤" in letter


def test_the_english_fills_in_what_the_japanese_does() -> None:
    assert [japanese for japanese, told in english().items() if _names(japanese) != _names(told)] == []


def test_every_entry_of_the_audit_trail_is_named() -> None:
    written = {action for path in HANDOFF.glob("*.py") for action in _entered(path)}
    assert written > {"looked", "exported", "refused", "report_seen", "signed_in"}
    assert sorted(written - words().actions.keys()) == []


def _said(path: Path) -> Iterator[str]:
    read = ast.parse(path.read_text(encoding="utf-8"))
    named = {
        line.targets[0].id: line.value
        for line in read.body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)
    }
    for call in ast.walk(read):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("say", "tongue.say"):
            for first in call.args[:1]:
                # say("a" if … else "b") says either.
                first = named.get(first.id, first) if isinstance(first, ast.Name) else first
                yield from (one.value for one in ast.walk(first) if _is_sentence(one))  # type: ignore[attr-defined]


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(JAPANESE.search(node.value))


def _entered(path: Path) -> Iterator[str]:
    """The actions that code enters into the trail: by audit.enter, by Trail, and by pages' own short names for them."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = ast.unparse(call.func)
        at = {"audit.enter": 2, "enter_as": 2, "self._enter": 1, "self._note": 1, "self._trail.looked": 2}.get(name)
        at = 1 if name.endswith("trail.note") else at
        if at is not None and len(call.args) > at:
            yield from (one.value for one in ast.walk(call.args[at]) if _is_action(one))  # type: ignore[attr-defined]


def _is_action(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier()


def _names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}

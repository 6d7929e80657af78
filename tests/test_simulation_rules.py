"""Each rule of the simulation can fail: it finds the fault in a transcript that was doctored to break it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from storage.clock import JAPAN
from tests.simulation.cast import Resident, read
from tests.simulation.must import missed
from tests.simulation.rules import RULES, broken
from tests.simulation.transcript import Said, Transcript, Turn

AT = datetime(2026, 11, 23, 10, 0, tzinfo=JAPAN)


def turn(did: str, *bot: str, by: str = "resident", case: int = 1, **more: Any) -> Turn:
    """One turn of a talk."""
    return Turn(AT, by, (did,), tuple(Said("bot", text) for text in bot), case=case, **more)


def case_seen(**more: Any) -> dict[str, Any]:
    """What a counselor's system reads of a case."""
    seen = {
        "status": "waiting", "why": "finished", "previous_id": None, "summary": "【困りごと】「家賃が払えません」",
        "since": "去年からです", "tried": None, "wishes": None, "area": None, "contact": {"when": None},
        "consent": {"share": None}, "delete_wanted": False, "speaker": "self",
        "urgency": {"level": "none", "kinds": []}, "fields": [{"id": "housing"}],
        "members": [{"relation": "husband", "age": 47, "fields": ["work"]}],
    }  # fmt: skip
    return {**seen, **more}


LINES = "いますぐ声を聞いてほしいときは、ここに電話できます。\nよりそいホットライン　0120-279-338　24時間・無料"
DESK = "生活保護のことは、こちらで聞けます。\n生活支援課\n電話　"
SUMMARY = "こう受けとめました。"
OFFER = "こんな窓口もあります。\n"
GOOD = Transcript(
    "hanako",
    "花子",
    "花子、家賃が払えない",
    "web",
    (
        turn(
            "家賃が払えません", "「家賃が払えません」ということ、受けとめました。", "いつごろからですか。", asks="since"
        ),
        turn(
            "去年からです",
            "教えてもらえて、助かります。",
            "おうちには、どなたがいますか。",
            asks="household",
            answers="since",
        ),
        turn("［とばす］", "はい、答えないままで大丈夫です。", "頼れている人はいますか。", asks="tried", skips=True),
        turn(
            "もう食べる物もないです",
            "まず、今日を過ごせることが大切です。",
            LINES,
            "寝る場所はありますか。",
            level="urgent",
        ),
        turn(
            "あります", "はい、読んでいます。", "お返事は、ここに届けば大丈夫ですか。", level="urgent", asks="contact"
        ),
        turn("〈担当する〉", by="counselor", level="urgent"),
        turn("お願いします", level="urgent", held=True),
    ),
    (case_seen(),),
)


def with_turn(*turns: Turn) -> Transcript:
    """The good talk, and then this."""
    return replace(GOOD, turns=(*GOOD.turns, *turns))


def only(*turns: Turn) -> Transcript:
    """A talk of nothing but this."""
    return replace(GOOD, turns=turns)


def at_the_end(*bot: str, **more: Any) -> Transcript:
    """The good talk, and then this said to it."""
    return with_turn(turn("はい", *bot, level="urgent", **more))


def asked_for_a_wish(then: str, **more: Any) -> Transcript:
    """Asked for a wish, somebody writes something else, and it is filed as one."""
    asked = turn("家賃が払えません", "うかがいました。", "どうなるとよいと思いますか。", asks="wish")
    return replace(only(asked, turn(then, "受けとめました。", **more)), cases=(case_seen(wishes=then),))


BAD: dict[str, Transcript] = {
    "one_question_a_turn": at_the_end("いつごろからですか。", "おひとりですか。"),
    "never_says_twice": at_the_end("教えてもらえて、助かります。"),
    "never_asks_what_was_said": only(
        turn("夫と二人です", "うかがいました。", "どなたと暮らしていますか。", asks="household", tells=("household",))
    ),
    "asks_little": only(*(turn(f"それが{n}つめ", f"{n}はどうですか。", asks="wish") for n in range(7))),
    "no_question_after_two_skips": only(
        turn("家賃", "うかがいました。", "いつからですか。", asks="since"),
        turn("とばす", "わかりました。", "どなたがいますか。", asks="household", skips=True),
        turn("とばす", "はい。", "試したことはありますか。", asks="tried", skips=True),
    ),
    "refuses_nobody": at_the_end("それは担当外です。"),
    "numbers_are_verified": at_the_end("0120-000-000にかけてください。"),
    "sentences_are_short": at_the_end(f"{'あ' * 40}。"),
    "never_asks_why": at_the_end("なぜ払えないのですか。"),
    "promises_nothing": at_the_end("かならずよくなります。"),
    "careful_after_danger": at_the_end("うかがいました。", "いつごろからのことでしょうか。", asks="since"),
    "danger_gets_a_number": only(turn("もう死にたい", "受けとめました。", level="urgent")),
    "offers_little_and_once": only(turn("はい", f"{OFFER}\n・生活保護"), turn("はい", f"{OFFER}\n・生活保護")),
    "silent_while_held": at_the_end("受けとめました。", held=True),
    "answers_every_time": at_the_end(),
    "leaves_no_gap": at_the_end("「[[echo]]」のこと、読みました。"),
    "files_only_answers": asked_for_a_wish("夫も病気です"),
    "names_everybody": only(turn("はい", f"{SUMMARY}\nあなた：住まいのこと。「家賃が払えません」")),
    "summarises_in_whole_words": only(turn("はい", f"{SUMMARY}\n夫：仕事のこと。「あ」\nあなた：家のこと。「あ」")),
    "takes_up_whole_words": only(turn("母のことで", "「母のことで」と、うかがいました。")),
    "comforts_no_address": only(turn("桜町です", "そのお気持ちのまま、書いてください。", answers="area")),
    "asks_no_home_of_the_homeless": only(
        turn("今夜泊まるところがない", LINES, level="urgent"),
        turn("公園です", "うかがいました。", "お住まいは、どのあたりですか。", asks="area", level="urgent"),
    ),
    "ends_in_the_queue": replace(GOOD, cases=(case_seen(status="collecting"),)),
}


def test_a_good_talk_breaks_no_rule() -> None:
    assert broken(GOOD) == []


def test_every_rule_has_a_talk_that_breaks_it() -> None:
    assert set(BAD) == {rule.__name__ for rule in RULES}
    assert all(rule.__doc__ for rule in RULES)


@pytest.mark.parametrize("name", BAD)
def test_the_rule_finds_its_fault(name: str) -> None:
    [rule] = [rule for rule in RULES if rule.__name__ == name]
    assert broken(BAD[name], [rule]), name


MORE_BAD: dict[str, tuple[str, Transcript]] = {
    "a topic that was answered is asked again": (
        "never_asks_what_was_said",
        at_the_end("うかがいました。", "それは、いつごろからのことでしょうか。", asks="since"),
    ),
    "a cheerful word in danger": ("careful_after_danger", at_the_end("おしゃべりも、どうぞ。")),
    "a small question in the very turn of danger": (
        "careful_after_danger",
        only(turn("殴られています", LINES, "ここに返事をしても大丈夫ですか。", asks="contact", level="urgent")),
    ),
    "nobody has a case": ("ends_in_the_queue", replace(GOOD, cases=())),
    "questions with a mark": ("one_question_a_turn", at_the_end("いつから？ どこで？")),
    "a question and a request": (
        "one_question_a_turn",
        at_the_end("どこがちがうか教えてください。ほかは合っていますか。"),
    ),
    "a skip is filed": ("files_only_answers", asked_for_a_wish("とばす", skips=True)),
    "four services in a list": ("offers_little_and_once", only(turn("はい", OFFER + "\n・窓口" * 4))),
    "a list after danger was told": ("offers_little_and_once", at_the_end(f"{OFFER}\n・生活保護")),
    "a desk's number that is not the town's": (
        "numbers_are_verified",
        at_the_end("生活保護のことは、こちらで聞けます。\n生活支援課\n電話　000-0000-9999"),
    ),
    "a line with nobody's words": (
        "names_everybody",
        only(turn("はい", f"{SUMMARY}\n夫：仕事のこと\nあなた：")),
    ),
    "a question that is read back": (
        "summarises_in_whole_words",
        only(turn("はい", f"{SUMMARY}\n夫：住まいのこと。「窓口はどこですか」")),
    ),
    "half a verb": ("takes_up_whole_words", only(turn("鍋を焦がしたり", "「鍋を焦がし」と、うかがいました。"))),
    "a number at once beside its name": ("numbers_are_verified", at_the_end("いのちの電話　0120-783-555　毎日")),
}


@pytest.mark.parametrize("what", MORE_BAD)
def test_the_rule_finds_this_too(what: str) -> None:
    name, talk = MORE_BAD[what]
    assert any(fault.startswith(name) for fault in broken(talk))


FINE: dict[str, Transcript] = {
    "the resident's own words, however long and whatever they hold": at_the_end(
        f"「なぜ担当外なのかと{'あ' * 40}」のこと、うかがいました。"
    ),
    "a nod that comes again": with_turn(*(turn("ええ", "わかりました。", level="urgent") for _ in range(2))),
    "the one promise that the office keeps": at_the_end("相談員が、かならず読みます。"),
    "an age and a date, which are no telephone numbers": at_the_end("110歳、11月30日の8時30分からです。"),
    "a desk of the town, whenever it is asked for": with_turn(
        *(turn("どこですか", f"{DESK}000-0000-1102", level="urgent") for _ in range(2))
    ),
    "a list of three at the end": only(turn("はい", OFFER + "\n・窓口" * 3)),
    "a summary to which somebody is added": only(
        turn("はい", f"{SUMMARY}\nあなた：住まいのこと。「家賃が払えません」"), turn("夫も病気です", "うかがいました。")
    ),
    "comfort for who tells their place and new danger": only(
        turn("桜町です。死にたい", "とてもつらい中で、書いてくださいました。", LINES, answers="area", level="urgent")
    ),
    "a new case, in which all begins anew": with_turn(
        turn("また困っています", "教えてもらえて、助かります。", "いつごろからですか。", asks="since", case=2)
    ),
}


@pytest.mark.parametrize("what", FINE)
def test_no_rule_finds_fault_with(what: str) -> None:
    assert broken(FINE[what]) == []


@pytest.mark.parametrize(
    ("must", "wanted"),
    [
        ("tells", ["母の年金"]), ("hides", ["家賃"]),
        ("fields", ["housing", "health"]), ("any_field", ["health"]), ("no_fields", ["housing"]), ("members", ["wife"]),
        ("members", [{"relation": "husband", "age": 46}]), ("level", "watch"), ("kinds", ["dv"]), ("speaker", "agency"),
        ("names", {"夫": "仕事"}), ("share", True), ("waits_for", "danger"), ("cases", 2), ("linked", True),
        ("said", ["110"]), ("wishes", "働く"),
        ("since", "先週"), ("area", "本町"), ("delete_wanted", True), ("questions_at_most", 3),
    ],
)  # fmt: skip
def test_what_must_hold_can_fail(must: str, wanted: Any) -> None:
    assert list(missed(_resident({must: wanted}), GOOD))


def test_what_must_hold_can_hold() -> None:
    must = {"fields": ["housing", "work"], "members": ["husband|wife"], "level": "none", "at_most": "none", "cases": 1}
    assert not list(missed(_resident(must), GOOD))
    named = only(turn("はい", f"{SUMMARY}\n夫（47歳）：仕事のこと。「仕事を辞めて」"))
    assert not list(missed(_resident({"names": {"夫（47歳）": "仕事を辞めて"}}), named))
    assert list(missed(_resident({"at_most": "watch"}), replace(GOOD, cases=(_urgent(),))))


def _urgent() -> dict[str, Any]:
    return case_seen(urgency={"level": "urgent", "kinds": []})


def _resident(must: dict[str, Any]) -> Resident:
    return Resident("hanako", "花子", "花子", ({"says": "はい"},), must=must)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("- {shouts: おい}", "no such step"),
        ("- {says: はい, loudly: true}", "no such step"),
        ("- {unsend: はい}", "the web page has no unsend"),
    ],
)
def test_a_script_that_nobody_can_play_is_refused(tmp_path: Path, script: str, why: str) -> None:
    path = tmp_path / "dareka.yml"
    path.write_text(f"who: だれか\ncalled: だれか\nscript:\n{script}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=why):
        read(path)


def test_a_transcript_reads_well() -> None:
    talk = replace(GOOD, turns=GOOD.turns[:1])
    assert talk.text == SHOWN


SHOWN = """\
花子、家賃が払えない（ウェブ）

―― 2026年11月23日（月）

10:00  花子
           家賃が払えません
       うけとめ
           「家賃が払えません」ということ、受けとめました。
       うけとめ
           いつごろからですか。

════ 相談員に見えること
【状態】待っている（機械とのお話が終わりました）
【困りごと】「家賃が払えません」
【ほかの窓口に】まだ聞いていない
"""

"""The rules of a talk. Each takes a transcript and tells, in sentences, where it breaks the rule; mostly nowhere."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from bot.answers import says_nothing_new
from bot.talk import MOST_QUESTIONS, MOST_SKIPS, TOPICS
from bot.words import languages, words
from handoff import kin
from handoff.case import LEVELS
from handoff.words import words as handoff_words
from knowledge_base.entries import demo_town
from knowledge_base.vocabulary import vocabulary
from tests.simulation.transcript import Transcript, Turn

LONGEST_SENTENCE = 40
#: 「はい」「わかりました」「受けとめました」: a nod may come again.
LONGEST_NOD = 10
#: In danger only these are asked: how to reach the person, and where they are.
ASKED_IN_DANGER = {"contact", "area"}
DANGER = ("urgent", "immediate")
#: A service in a list begins so, and so many may be named.
OFFERED, MOST_OFFERS = "・", 3

QUOTED = re.compile(r"「[^「」]*(?:「[^「」]*」[^「」]*)*」")
QUOTED_ABROAD = re.compile("“[^”]*”")
REQUEST = re.compile(r"(?:どこ|何|いつ|だれ|どれ).*教えて(?:ください|いただけますか|もらえますか)$")
REFUSAL = re.compile(
    r"担当外|対応でき|対応して(?:い)?ません|(?:お受け|お答え|ご案内|お手伝い)でき(?:ません|かねます)|ほかの窓口へ|別の窓口|"
    r"理解できません|わかりませんでした|もう一度(?:入力|書いて)|エラー|対象外|受け付けて(?:い)?ません|管轄"
)
PROMISE = re.compile(
    r"治り|治ります|良くなり|よくなり|解決します|解決できます|絶対|必ず|かならず|きっと|間違いなく|すぐに(?:助け|来|行)|"
    r"心配(?:は)?(?:いりません|ありません)|安心して(?:ください|大丈夫)|助けます|もう大丈夫|大丈夫になり|うまくいき"
)
#: That a person reads is what the office does do, every time: the one promise that the notice makes.
KEPT_PROMISE = re.compile(r"相談員(?:が|も)?、?かならず読みます")
WHY = re.compile(r"なぜ|どうして|なんで|理由は")
CHEERFUL = re.compile(r"うれし|楽し|おしゃべり|とばしましょう|[！!♪☆]|こんにちは|よかったですね")
TELEPHONE = re.compile(
    r"(?<![0-9０-９])(?:[#＃][0-9]{4}|0[0-9]{1,3}-[0-9-]{4,9}[0-9]|0[0-9]{8,10}|1(?:10|18|19|88|89))(?![0-9歳年月日時分円])"
)

#: A piece that only names somebody, or breaks off within a verb.
FRAGMENT = re.compile(r"^.{1,6}(?:のこと(?:で|も|は)|が|は|を)$")
FEELING = re.compile(r"つら|お気持ち|気持ちのまま|大変だった|しんど|苦し|こわい中|休みながら|力がいる")
HOMELESS = re.compile(
    r"(?:寝る|泊まる|帰る|行く)(?:ところ|所|場所|先|家)(?:(?!ある|あり(?!ませ))[^。\n]){0,8}(?:ない|ありません|なくな|までで)"
)

Rule = Callable[[Transcript], Iterator[str]]


def one_question_a_turn(talk: Transcript) -> Iterator[str]:
    """At most one question in all that is said at once: two are a form to fill in."""
    for turn in talk.turns:
        asked = [sentence for text in _own(turn, talk) for sentence in sentences(text) if is_question(sentence)]
        if len(asked) > 1:
            yield f"{len(asked)} questions at once: {' '.join(asked)}"


def never_says_twice(talk: Transcript) -> Iterator[str]:
    """No sentence stands twice in one talk: who hears the same again was not listened to.

    Left out: the notice of use and the words under it (who comes anew reads them anew), helplines (their words are
    those of who runs them), desks (the town's own words), the lines of a summary (the resident's own words), what is
    said when a person takes over, whether the desk is open (true of that moment), and nods of up to ten letters, which
    people repeat as well. A new case begins anew.
    """
    said: Counter[tuple[int, str]] = Counter()
    for turn in talk.turns:
        for text in _own(turn, talk):
            said.update((max(turn.case, 1), one) for one in sentences(text) if len(one) > LONGEST_NOD)
    yield from (f"said {times} times: {sentence}" for (_, sentence), times in said.items() if times > 1)


def never_asks_what_was_said(talk: Transcript) -> Iterator[str]:
    """What was answered, or told by oneself (`tells` in the script), is not asked any more."""
    known: set[tuple[int, str]] = set()
    open_topic, last = None, 1
    for turn in talk.turns:
        case = max(turn.case, 1)
        if turn.by == "counselor" or case != last:
            open_topic = None  # what is written to a person, or after an end, does not answer the machine
        last = case
        if turn.by == "resident":
            known |= {(case, topic) for topic in turn.tells}
            if open_topic and not turn.skips:
                known.add((case, open_topic))
        if turn.bot and turn.asks and (case, turn.asks) in known:
            yield f"asked for {turn.asks}, which was told: {turn.bot[-1]}"
        open_topic = turn.asks if turn.bot else open_topic


def asks_little(talk: Transcript) -> Iterator[str]:
    """At most six questions from the first word to the end of a case."""
    asked = Counter(max(turn.case, 1) for turn in talk.turns if turn.bot and turn.asks in TOPICS)
    yield from (f"{times} questions" for times in asked.values() if times > MOST_QUESTIONS)


def no_question_after_two_skips(talk: Transcript) -> Iterator[str]:
    """Who left out two questions in a row does not want to be asked, for the rest of the case."""
    skipped, case = 0, 0
    for turn in talk.turns:
        if turn.case != case and turn.case > 1:
            skipped = 0
        case = turn.case
        if turn.by == "resident" and skipped < MOST_SKIPS:
            skipped = skipped + 1 if turn.skips else 0
        if skipped >= MOST_SKIPS and turn.bot and turn.asks in TOPICS:
            yield f"asked after {skipped} skips: {turn.bot[-1]}"


def refuses_nobody(talk: Transcript) -> Iterator[str]:
    """No 担当外, no other desk to go to, no "not understood"."""
    yield from _found(REFUSAL, talk, "a refusal")


def numbers_are_verified(talk: Transcript) -> Iterator[str]:
    """Every telephone number stands in the knowledge base: a helpline's with its check, or a desk's of the town."""
    good = {line.number for line in vocabulary().hotlines.values() if line.number_checked}
    good |= {desk.phone for desk in demo_town().values()}
    for turn in talk.turns:
        for text in turn.bot:
            wrong = set(TELEPHONE.findall(QUOTED.sub("", text))) - good
            yield from (f"a number from nowhere: {number}" for number in wrong)


def sentences_are_short(talk: Transcript) -> Iterator[str]:
    """Under 40 characters, the resident's own words aside."""
    for turn in talk.turns:
        for text in _own(turn, talk):
            for sentence in sentences(text):
                if _width(QUOTED_ABROAD.sub("“”", QUOTED.sub("「」", sentence))) >= LONGEST_SENTENCE:
                    yield f"a long sentence: {sentence}"


def never_asks_why(talk: Transcript) -> Iterator[str]:
    """「なぜ」 and 「どうして」 sound like blame."""
    yield from _found(WHY, talk, "a why")


def promises_nothing(talk: Transcript) -> Iterator[str]:
    """Nothing about how it will end; only that a person reads, which is done every time."""
    for turn in talk.turns:
        for text in turn.bot:
            if PROMISE.search(KEPT_PROMISE.sub("", QUOTED.sub("", text))):
                yield f"a promise: {text}"


def careful_after_danger(talk: Transcript) -> Iterator[str]:
    """From the moment danger is told: no cheerful word, and of the topics only how to reach the person and where they
    are. In that very turn not even these: the answer asks about safety, if it asks anything."""
    before = "none"
    for turn in talk.turns:
        if turn.level in DANGER and turn.bot:
            if turn.asks in TOPICS and (turn.asks not in ASKED_IN_DANGER or before not in DANGER):
                yield f"a small question in danger: {turn.bot[-1]}"
            if cheerful := [text for text in turn.bot if CHEERFUL.search(QUOTED.sub("", text))]:
                yield f"cheerful in danger: {cheerful[0]}"
        before = turn.level


def danger_gets_a_number(talk: Transcript) -> Iterator[str]:
    """Where danger is told for the first time, and no person holds the talk, a verified number stands in the answer."""
    before = "none"
    for turn in talk.turns:
        new = turn.level in DANGER and before not in DANGER
        if new and turn.by == "resident" and not turn.held and not any(TELEPHONE.search(text) for text in turn.bot):
            yield f"danger and no number: {' '.join(turn.did)[:40]}"
        before = turn.level


def offers_little_and_once(talk: Transcript) -> Iterator[str]:
    """「こんな窓口もあります」 names three services at most, once in a talk, and never after danger was told."""
    lists = 0
    in_danger = False
    for turn in talk.turns:
        in_danger = in_danger or turn.level in DANGER
        for text in (text for text in turn.bot if text.startswith(_offers())):
            lists += 1
            if in_danger:
                yield f"services are listed after danger: {text}"
            if (named := sum(line.startswith(OFFERED) for line in text.split("\n"))) not in range(1, MOST_OFFERS + 1):
                yield f"{named} services are listed"
    if lists > 1:
        yield f"services are listed {lists} times"


def silent_while_held(talk: Transcript) -> Iterator[str]:
    """While a person has the talk the machine says nothing: no two voices at once."""
    yield from (f"spoke while a person held the talk: {turn.bot[0]}" for turn in talk.turns if turn.held and turn.bot)


def answers_every_time(talk: Transcript) -> Iterator[str]:
    """Whoever wrote is answered, unless a person holds the talk; taking words back or leaving wants no answer."""
    for turn in talk.turns:
        wrote = turn.by == "resident" and not all(text.startswith("〈") for text in turn.did)
        if wrote and not turn.held and not turn.bot:
            yield f"no answer to: {' '.join(turn.did)[:40]}"


def leaves_no_gap(talk: Transcript) -> Iterator[str]:
    """No unfilled place of a text reaches a resident."""
    yield from _found(re.compile(r"\[\[|\]\]|\{|\}|None|null|utter_|「」"), talk, "a gap", quoted=True)


def names_everybody(talk: Transcript) -> Iterator[str]:
    """Whoever the counselor finds in the household stands in the summary that was confirmed, with their words."""
    lines = last_summary(talk)
    if not lines or not _only_confirmed(talk):
        return
    case = talk.cases[-1]
    for member in case["members"]:
        name = kin.name(member, kindly=True)
        of_them = [line for line in lines if any(one.startswith(name) for one in line.split("：")[0].split("、"))]
        if member["relation"] not in ("self", "client") and not of_them:
            yield f"not in the summary: {name}"
    yield from (f"nobody's words: {line}" for line in lines[1:] if not line.split("：", 1)[-1].strip())


def summarises_in_whole_words(talk: Transcript) -> Iterator[str]:
    """A summary says nothing twice, reads no question back, and quotes no mere 「母のことで」."""
    for turn in talk.turns:
        for text in (text for text in turn.bot if text.startswith(words().summary["intro"])):
            told = [line for line in text.split("\n") if not line.split("：", 1)[-1].startswith("「")]
            quotes = [quote.strip("「」") for line in told for quote in QUOTED.findall(line)]
            yield from (f"twice in a summary: {one}" for one, times in Counter(quotes).items() if times > 1)
            yield from (f"no words to read back: {one}" for one in quotes if FRAGMENT.search(one) or is_question(one))


def takes_up_whole_words(talk: Transcript) -> Iterator[str]:
    """What is taken up can be said back: neither a bare name nor half a verb."""
    for turn in talk.turns:
        for text in turn.bot[:1]:
            if text.startswith("「") or text.startswith("つらい中で、「"):
                quotes = [one.strip("「」") for one in QUOTED.findall(text)]
                yield from (f"a fragment: {one}" for one in quotes if FRAGMENT.search(one))
                yield from (f"half a verb: {one}" for one in quotes if f"{one}たり" in "".join(turn.did))


def comforts_no_address(talk: Transcript) -> Iterator[str]:
    """「桜町です」 is a fact: an answer about a feeling shows that nobody read it."""
    before = "none"
    for turn in talk.turns:
        told = turn.answers in ("contact", "area") and LEVELS.index(turn.level) <= LEVELS.index(before)
        if told and turn.bot and FEELING.search(turn.bot[0]):
            yield f"{turn.bot[0]} to: {' '.join(turn.did)[:40]}"
        before = turn.level


def asks_no_home_of_the_homeless(talk: Transcript) -> Iterator[str]:
    """Who has no place to sleep is asked where they are, and not where they live."""
    homeless = False
    for turn in talk.turns:
        homeless = homeless or (turn.by == "resident" and bool(HOMELESS.search("\n".join(turn.did))))
        if homeless and any(text.startswith("お住まい") or "にお住まいか" in text for text in turn.bot):
            yield f"asked for a home: {turn.bot[-1]}"


def ends_in_the_queue(talk: Transcript) -> Iterator[str]:
    """Whoever wrote anything is waited for by a person at the end, or has met one."""
    wrote = any(turn.by == "resident" and not turn.did[0].startswith("〈") for turn in talk.turns)
    if wrote and not talk.cases:
        yield "no case"
    for case in talk.cases:
        if case["status"] not in ("waiting", "claimed", "following", "closed"):
            yield f"the case is {case['status']}"


def files_only_answers(talk: Transcript) -> Iterator[str]:
    """What stands before the counselor as an answer was meant as one: not a skip, nor the next trouble, nor a question
    back."""
    for number, case in enumerate(talk.cases, start=1):
        filed = {"since": case["since"], "tried": case["tried"], "wish": case["wishes"], "area": case["area"]}
        filed["contact"] = case["contact"]["when"]
        open_topic = None
        for turn in talk.turns:
            meant = turn.answers == open_topic or open_topic in turn.tells
            written = "\n".join(turn.did).strip()
            if turn.case == number and open_topic and not meant and written and filed.get(open_topic) == written[:200]:
                yield f"filed as {open_topic}: {written[:40]}"
            open_topic = turn.asks if turn.bot else open_topic


RULES: tuple[Rule, ...] = (
    one_question_a_turn,
    never_says_twice,
    never_asks_what_was_said,
    asks_little,
    no_question_after_two_skips,
    refuses_nobody,
    numbers_are_verified,
    sentences_are_short,
    never_asks_why,
    promises_nothing,
    careful_after_danger,
    danger_gets_a_number,
    offers_little_and_once,
    silent_while_held,
    answers_every_time,
    leaves_no_gap,
    files_only_answers,
    names_everybody,
    summarises_in_whole_words,
    takes_up_whole_words,
    comforts_no_address,
    asks_no_home_of_the_homeless,
    ends_in_the_queue,
)


def last_summary(talk: Transcript) -> list[str]:
    """The lines of the summary that was shown last, without its first; none where none was shown."""
    shown = [text for turn in talk.turns for text in turn.bot if text.startswith(words().summary["intro"])]
    return shown[-1].split("\n")[1:] if shown else []


def _only_confirmed(talk: Transcript) -> bool:
    """Whether nothing was told after the last summary."""
    after: list[str] = []
    for turn in talk.turns:
        if turn.by == "resident":
            after += [text.strip("［］") for text in turn.did]
        if any(text.startswith(words().summary["intro"]) for text in turn.bot):
            after = []
    return all(says_nothing_new(text) or text.startswith("〈") for text in after)


def broken(talk: Transcript, rules: Iterable[Rule] = RULES) -> list[str]:
    """Every breach of every rule, as a sentence that begins with the rule's name."""
    return [f"{rule.__name__}: {what}" for rule in rules for what in rule(talk)]


def sentences(text: str) -> list[str]:
    """The sentences of what was said, without their ends; a quote is one piece, whatever stands in it."""
    quotes: list[str] = []

    def keep(found: re.Match[str]) -> str:
        quotes.append(found[0])
        return "\0"

    parts = re.split(r"[。\n]|(?<=[？?])|(?<=[a-z”]\.) ", QUOTED.sub(keep, text))
    kept = iter(quotes)
    return [re.sub("\0", lambda _: next(kept), part).strip() for part in parts if part.strip()]


def is_question(sentence: str) -> bool:
    """Whether an answer is expected."""
    bare = QUOTED.sub("", sentence).strip()
    return bare.endswith(("？", "?", "か")) or bool(REQUEST.search(bare))


def _width(sentence: str) -> float:
    """Its letters, where two of English or Vietnamese are as wide as one of Japanese."""
    return sum(1 if unicodedata.east_asian_width(letter) in "WFA" else 0.5 for letter in sentence)


def _own(turn: Turn, talk: Transcript) -> Iterator[str]:
    """What the bot said in words of its own: no notice and opening, no helplines, no summary."""
    own, town = words(), "うけとめ市"
    notice = own.notice_of(town)
    fixed = {*notice, "\n".join(notice), *(text for own in handoff_words().resident.values() for text in own.values())}
    for text in turn.bot:
        if text.startswith((own.summary["intro"], own.hotlines["intro"], own.hotlines["urgent"])) or _of_the_town(text):
            continue
        for part in (*notice, own.opening, *own.next_steps["open"].split("\n")):
            text = text.replace(part, "").strip()
        if text and text not in fixed:
            yield text


def _offers() -> tuple[str, ...]:
    return tuple(words(language).offers["intro"] for language in languages())


def _of_the_town(text: str) -> bool:
    """Whether a message tells desks."""
    return text.startswith(_offers()) or any(
        text.startswith(own.desks["here"]) or re.match(re.escape(own.desks["of"]).replace(r"\{service\}", ".+"), text)
        for own in map(words, languages())
    )


def _found(what: re.Pattern[str], talk: Transcript, name: str, quoted: bool = False) -> Iterator[str]:
    for turn in talk.turns:
        for text in turn.bot:
            if what.search(text if quoted else QUOTED.sub("", text)):
                yield f"{name}: {text}"

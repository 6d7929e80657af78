"""The talk in nine languages: the words, what is recognised, danger and what only sounds like it, whole talks."""

import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.compose import ECHO
from bot.language import bare, chosen, recognised, spoken
from bot.other_languages import LONGEST_NOD, SENTENCE_ENDS
from bot.talk import TOPICS
from bot.understanding import Understander
from bot.understanding.crisis import screen_text
from bot.understanding.danger_signs import KINDS
from bot.words import FOLDER, known, languages, words
from handoff.case import status
from handoff.waiting import Hours
from handoff.words import language_name, to_resident
from handoff.words import words as staff_words
from knowledge_base.hotlines import choose
from knowledge_base.vocabulary import vocabulary
from storage.clock import JAPAN
from storage.settings import Settings
from tests.conftest import RESENT, Resident, Town, running
from tests.desk import at_work
from tests.line_platform import CHANNEL_SECRET, CHANNEL_TOKEN, LinePlatform
from tests.stand_ins.clock import SetClock
from tests.stand_ins.rasa import StandInRasa

OTHERS = ("ja-easy", "en", "zh", "ko", "vi", "pt", "tl", "ne")
FOREIGN = OTHERS[1:]
#: Of the eight: a trouble that is no danger, and a short answer to "since when".
TROUBLE = {
    "ja-easy": ("しごとが なくなりました。やちんが はらえません。", "先月から です"),
    "en": ("I lost my job and I cannot pay my rent", "since last month"),
    "zh": ("我失业了，付不起房租，不知道怎么办", "从上个月开始"),
    "ko": ("일자리를 잃어서 집세를 낼 수 없어요", "지난달부터요"),
    "vi": ("Tôi mất việc và không trả được tiền nhà", "từ tháng trước"),
    "pt": ("Perdi o emprego e não consigo pagar o aluguel", "desde o mês passado"),
    "tl": ("Nawalan po ako ng trabaho at wala akong pambayad sa bahay", "noong nakaraang buwan"),
    "ne": ("मेरो काम छुट्यो, घरभाडा तिर्न सकिनँ", "गत महिनादेखि"),
}
DANGER: dict[str, list[tuple[str, str]]] = {
    "ja-easy": [
        ("もう しにたい です", "suicide"),
        ("たべものが ありません", "no_food"),
        ("ねる ところが ない です", "no_shelter"),
        ("おっとに なぐられます", "dv"),
        ("あかちゃんが いきを して いません", "medical_emergency"),
    ],
    "en": [
        ("I want to die.", "suicide"),
        ("i don't wanna be here. i'm going to kill myself tonight", "suicide"),
        ("My husband hits me when he drinks", "dv"),
        ("My dad beats me every night", "child_abuse"),
        ("We have no food and no money", "no_food"),
        ("I have nowhere to sleep tonight", "no_shelter"),
        ("My mother can't breathe", "medical_emergency"),
        ("Our electricity was cut off", "utilities_cut"),
    ],
    "zh": [
        ("我不想活了", "suicide"),
        ("累死了，真的活不下去", "suicide"),
        ("老公喝了酒就打我", "dv"),
        ("家里没有吃的，孩子饿着肚子", "no_food"),
        ("今晚没有地方睡", "no_shelter"),
        ("我妈妈喘不过气，叫不醒", "medical_emergency"),
        ("电被停了", "utilities_cut"),
    ],
    "ko": [
        ("죽고 싶어요", "suicide"),
        ("힘들어 죽겠어요. 더 이상 살고 싶지 않아요", "suicide"),
        ("남편이 자꾸 때려요", "dv"),
        ("먹을 것이 없어요", "no_food"),
        ("오늘 잘 곳이 없어요", "no_shelter"),
        ("아기가 숨을 안 쉬어요", "medical_emergency"),
        ("전기가 끊겼어요", "utilities_cut"),
    ],
    "vi": [
        ("Tôi muốn chết", "suicide"),
        ("tôi không muốn sống nữa", "suicide"),
        ("Chồng tôi hay đánh tôi", "dv"),
        ("Nhà tôi không có gì để ăn", "no_food"),
        ("Đêm nay tôi không có chỗ ngủ", "no_shelter"),
        ("Con tôi không thở được", "medical_emergency"),
        ("Nhà tôi bị cắt điện", "utilities_cut"),
    ],
    "pt": [
        ("Eu quero morrer", "suicide"),
        ("Não quero mais viver", "suicide"),
        ("Meu marido me bate", "dv"),
        ("Não temos comida em casa", "no_food"),
        ("Não tenho onde dormir hoje", "no_shelter"),
        ("Meu filho não consegue respirar", "medical_emergency"),
        ("Cortaram a luz aqui", "utilities_cut"),
    ],
    "tl": [
        ("Gusto ko na pong mamatay", "suicide"),
        ("Ayaw ko na mabuhay", "suicide"),
        ("Binubugbog po ako ng asawa ko", "dv"),
        ("Wala na po kaming pagkain", "no_food"),
        ("Wala po akong matutulugan ngayong gabi", "no_shelter"),
        ("Hindi po makahinga ang nanay ko", "medical_emergency"),
        ("Naputulan po kami ng kuryente", "utilities_cut"),
    ],
    "ne": [
        ("मलाई मर्न मन लाग्यो", "suicide"),
        ("अब बाँच्न मन छैन", "suicide"),
        ("श्रीमानले मलाई कुट्नुहुन्छ", "dv"),
        ("घरमा खानेकुरा छैन", "no_food"),
        ("आज सुत्ने ठाउँ छैन", "no_shelter"),
        ("बच्चाले सास फेर्न सकेको छैन", "medical_emergency"),
        ("बत्ती काटिदियो", "utilities_cut"),
    ],
}
HARMLESS = {
    "ja-easy": [
        "わらいすぎて いきが できない",
        "ほんを かえしに たいしかんへ いきました",
        "おなかが すいて しにそうです",
    ],
    "en": [
        "I'm dying of laughter",
        "haha I can't breathe, that was so funny",
        "I'm starving, what's for dinner?",
        "My husband beats me at chess every time",
        "This cake is to die for",
        "I cut myself shaving",
        "My phone is dying",
    ],
    "zh": [
        "笑死我了",
        "饿死了，晚饭吃什么？",
        "我想死你了",
        "今天热死了",
        "明天打我手机",
        "周末没地方去",
        "我不想死",
    ],
    "ko": [
        "웃겨 죽겠어요",
        "배고파 죽겠다, 저녁 뭐 먹지?",
        "보고 싶어 죽겠어",
        "웃겨서 숨을 못 쉬겠어요",
        "주말에 갈 데가 없네",
    ],
    "vi": [
        "cười chết mất",
        "đói chết đi được, tối nay ăn gì?",
        "Chồng tôi đi đá bóng",
        "Con tôi tập đánh đàn",
        "buồn cười muốn chết",
    ],
    "pt": [
        "Estou morrendo de rir",
        "Morrendo de fome, o que tem para jantar?",
        "Quero morrer de vergonha",
        "Vou matar a saudade",
        "Não consigo respirar de rir",
        "bateu uma saudade",
    ],
    "tl": [
        "Mamamatay na ako sa tawa",
        "Gutom na ako, ano ang ulam?",
        "Papatayin ko na ang ilaw",
        "Patay ako sa gutom, kain tayo",
        "Hindi ako makahinga sa kakatawa",
    ],
    "ne": [
        "हाँसेर मरें",
        "भोकले मरें, खाना के छ?",
        "फ्रिजमा केही खाने कुरा छैन, बजार जाऊँ",
        "हाँस्दा हाँस्दा सास फेर्न सकिनँ",
    ],
}
GRADES_1_TO_3 = set(
    "一右雨円王音下火花貝学気九休玉金空月犬見五口校左三山子四糸字耳七車手十出女小上森人水正生青夕石赤千川先早草足村大男竹中虫町天田土二日入年白八百文木本名目立力林六"
    "引羽雲園遠何科夏家歌画回会海絵外角楽活間丸岩顔汽記帰弓牛魚京強教近兄形計元言原戸古午後語工公広交光考行高黄合谷国黒今才細作算止市矢姉思紙寺自時室社弱首秋週春書少場色食心新親図数西声星晴切雪船線前組走多太体台地池知茶昼長鳥朝直通弟店点電刀冬当東答頭同道読内南肉馬売買麦半番父風分聞米歩母方北毎妹万明鳴毛門夜野友用曜来里理話"
    "悪安暗医委意育員院飲運泳駅央横屋温化荷界開階寒感漢館岸起期客究急級宮球去橋業曲局銀区苦具君係軽血決研県庫湖向幸港号根祭皿仕死使始指歯詩次事持式実写者主守取酒受州拾終習集住重宿所暑助昭消商章勝乗植申身神真深進世整昔全相送想息速族他打対待代第題炭短談着注柱丁帳調追定庭笛鉄転都度投豆島湯登等動童農波配倍箱畑発反坂板皮悲美鼻筆氷表秒病品負部服福物平返勉放味命面問役薬由油有遊予羊洋葉陽様落流旅両緑礼列練路和"
)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind of database is enough here: the subject is the words."""
    return f"sqlite:///{tmp_path / 'town.db'}"


# The words


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def shape(value: Any) -> Any:
    """Names and kinds of a file's parts: with these equal, nothing that is said in one language lacks in another."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items() if name != "months"}
    return "several" if isinstance(value, list) else "one"


def read(language: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / f"{language}.yml").read_text("utf-8"))
    return content


def test_every_language_has_its_file_and_every_file_its_language() -> None:
    files = {path.stem for path in FOLDER.glob("*.yml")} - {"languages"}
    assert files == set(languages()) == {"ja", *OTHERS} == set(staff_words().languages)
    assert set(staff_words().resident) == set(languages())


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_that_is_said_lacks_in_a_language(language: str) -> None:
    own = read(language)
    talk, lines = own.pop("talk"), own.pop("lines")
    assert shape(own) == shape(read("ja"))
    assert shape(talk) == shape(read("en")["talk"])
    assert set(talk["questions"]) == set(TOPICS)
    assert set(lines["phrases"]) == set(read("en")["lines"]["phrases"])
    assert {line.id for line in shown_anywhere()} <= set(lines["names"])


def shown_anywhere() -> list[Any]:
    """Every helpline that a danger can bring in these languages."""
    found = [
        line
        for kind in KINDS
        for language in ("ja", *FOREIGN)
        for age in (None, 15, 40)
        for hour in (3, 12, 18)
        for immediate in (False, True)
        for line in choose([kind], age=age, language=language, now=at(hour), immediate=immediate)
    ]
    return list(dict.fromkeys(found))


def at(hour: int) -> datetime:
    return datetime(2026, 11, 24, hour, tzinfo=JAPAN)


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_are_short(language: str) -> None:
    own = read(language)
    own["talk"].pop("hears")
    longest = 40 if language in ("ja-easy", "zh", "ko") else 100
    told = [*texts({**own, "lines": own["lines"]["say"]}), *(to_resident(what, language) for what in HANDOVERS)]
    for sentence in (one.strip() for text in told for one in re.split(r"(?<=[.!?。？！।])|\n", text)):
        assert len(sentence) <= longest, (len(sentence), sentence)


HANDOVERS = ("taken_over", "taken_over_unnamed", "handed_back", "closed")


@pytest.mark.parametrize("language", OTHERS)
def test_one_question_a_turn_and_no_why(language: str) -> None:
    own = words(language)
    assert own.talk
    for topic, question in own.talk.questions.items():
        marks = len(re.findall(r"[?？]|ですか|ましたか|いますか", question))
        assert marks == 1, topic
    said = " ".join(texts({**read(language), "talk": {**read(language)["talk"], "hears": {}}})).casefold()
    for why in ("why ", "为什么", "왜 ", "tại sao", "por que ", "por quê", "bakit", "किन ", "なぜ", "どうして"):
        assert why not in said


@pytest.mark.parametrize("language", OTHERS)
def test_a_button_fits_on_line_and_means_what_it_says(language: str) -> None:
    from bot.other_languages import BUTTONS_OF, hear

    own = words(language)
    assert own.talk
    for name, button in own.talk.buttons.items():
        assert len(button.encode("utf-16-le")) // 2 <= 20, button
        topic = next((topic for topic, names in BUTTONS_OF.items() if name in names), "since")
        assert hear(button, own, topic).means == name
        assert chosen(button) is None


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_stands_in_two_wordings(language: str) -> None:
    own = words(language)
    assert own.talk
    talk, reception = own.talk, own.reception
    lists = [
        reception.thanks,
        reception.took_up,
        talk.careful,
        talk.skipped,
        talk.added,
        talk.person,
        talk.cannot_answer,
    ]
    one_each = [talk.enough, talk.tired, talk.share_yes, talk.share_no, talk.share_later, reception.invite]
    homes: dict[str, set[str]] = {}
    for wording in {*(one for wordings in lists for one in wordings), *one_each, *own.next_steps.values()}:
        for sentence in SENTENCE_ENDS.split(wording):
            homes.setdefault(sentence, set()).add(wording)
    long = {
        sentence: found for sentence, found in homes.items() if len(sentence) > LONGEST_NOD and ECHO not in sentence
    }
    assert not [sentence for sentence, found in long.items() if len(found) > 1]
    for wordings in [*lists, *talk.danger.values()]:
        assert len(set(wordings)) == len(wordings) > 1


@pytest.mark.parametrize("language", ["ja", *OTHERS])
def test_the_door_fits_on_lines_buttons(language: str) -> None:
    door = words(language).door
    for button in (door["open"], door["read"], door["renew"]):
        assert len(button.encode("utf-16-le")) // 2 <= 20, button
    many = max((door["others_wait"].format(count=999), door["many_wait"].format(count=1000)), key=len)
    for text in ("\n".join([door["received"], many, door["once"]]), "\n".join([door["answered"], door["once"]])):
        assert len(text.encode("utf-16-le")) // 2 <= 160, text
    assert all(door["renew"] in door[shut] for shut in ("used", "expired", "closed")), "the button is named as it reads"


def test_easy_japanese_has_no_hard_kanji_and_blanks_between_words() -> None:
    own = read("ja-easy")
    own["talk"].pop("hears")
    own["lines"].pop("phrases")
    told = "".join([*texts(own), *staff_words().resident["ja-easy"].values()])
    assert {letter for letter in told if "一" <= letter <= "鿿"} <= GRADES_1_TO_3
    assert all(" " in question for question in own["talk"]["questions"].values())


@pytest.mark.parametrize("language", OTHERS)
def test_when_the_desk_opens(language: str) -> None:
    own = words(language)
    friday_night = datetime(2026, 11, 27, 21, tzinfo=JAPAN)
    monday = Hours.read("8:30", "17:15").next_opening(friday_night)
    assert monday == datetime(2026, 11, 30, 8, 30, tzinfo=JAPAN)
    assert "8:30" in own.opening_time(monday, friday_night)
    assert "30" in own.opening_time(monday, friday_night).replace("8:30", "")
    assert "30" not in own.opening_time(monday, monday).replace("8:30", "")
    assert words("ja").opening_time(monday, friday_night) == "11月30日（月）の8時30分"


# Helplines


@pytest.mark.parametrize("language", OTHERS)
def test_at_most_two_verified_numbers_in_the_language(language: str) -> None:
    own, verified = words(language), {line.number for line in vocabulary().hotlines.values() if line.number_checked}
    for kind in KINDS:
        for immediate in (False, True):
            chosen_lines = choose(
                [kind], age=None, language=language.removesuffix("-easy"), now=at(12), immediate=immediate
            )
            told = own.hotlines_of(chosen_lines, language.removesuffix("-easy"))
            with_number = [line for line in told if re.search(r"[0-9]{3}", line)]
            assert 1 <= len(with_number) <= 2
            for line in with_number:
                assert any(number in line for number in verified), line
                if language != "ja-easy":
                    assert not re.search("[ぁ-ゖァ-ヺ]", line), line


def test_the_line_that_speaks_the_language_comes_first() -> None:
    for language in FOREIGN:
        first, *_ = choose(["sexual_violence"], age=None, language=language, now=at(12))
        assert language in first.languages
        assert "10:00-22:00" in words(language).hotlines_of([first], language)[0]


# Recognition


def test_a_language_is_chosen_by_its_name() -> None:
    for code, names in languages().items():
        for name in (names["name"], names["name"].upper(), f" {names['name']}。", *names["also"]):
            assert chosen(name) == code, name
    for asked, code in (
        ("英語でお願いします", "en"),
        ("やさしい にほんごで おねがいします", "ja-easy"),
        ("English, please!", "en"),
    ):
        assert chosen(asked) == code, asked
    for name, known_as in languages().items():
        for asked in known_as.get("asks", ()):
            assert chosen(f"{asked}?") == name, asked
    assert chosen("Hello. Can I write in English?") == "en"
    assert chosen("I speak English") is None
    assert chosen("") is None


def test_no_name_and_no_word_belongs_to_two_languages() -> None:
    for part in ("also", "asks", "words", "alone"):
        said = [bare(word) for entry in languages().values() for word in {*entry.get(part, ())}]
        assert len(said) == len(set(said)), [word for word in said if said.count(word) > 1]


@pytest.mark.parametrize("language", FOREIGN)
def test_each_language_is_recognised(language: str) -> None:
    for text in (TROUBLE[language][0], *(text for text, _ in DANGER[language])):
        assert recognised(text) == language, text
    assert recognised(TROUBLE[language][0], settled=True) == language
    assert recognised(unicodedata.normalize("NFD", TROUBLE[language][0])) == language


@pytest.mark.parametrize(
    "text",
    [
        "", "…", "110", "😢😢", "DV", "LINE", "OK", "help", "thank you", "Sato Hanako", "https://example.com/the-and-for",
        "家賃滞納", "生活保護申請", "吃音相談", "watashi wa okane ga nai desu", "tasukete kudasai onegai shimasu",
        "No tengo dinero para pagar la casa, estoy sola con mis hijos", "Je n'ai pas d'argent, aidez-moi",
        "Saya tidak punya uang untuk makan", "Ich weiß nicht was ich machen soll", "मुझे मदद चाहिए, मेरे पास पैसे नहीं हैं",
        "家賃が払えません help me please", "Помогите, пожалуйста", "ผมไม่มีเงิน",
    ],
)  # fmt: skip
def test_what_is_not_sure_is_not_guessed(text: str) -> None:
    assert recognised(text) in (None, "ja")
    assert spoken(text, "vi", settled=True) == "vi"


japanese = st.text(
    alphabet="あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん夫仕事家賃",
    min_size=1,
)


@given(japanese, st.sampled_from(["", " OK", " LINE", "😢"]))
def test_whoever_writes_kana_is_answered_in_japanese(text: str, more: str) -> None:
    assert spoken(text + more, "ja", settled=False) == "ja"
    assert spoken(text + more, "ja-easy", settled=True) == "ja-easy"


@given(st.text(max_size=60))
def test_any_text_has_one_of_the_nine_or_none(text: str) -> None:
    for settled in (False, True):
        assert recognised(text, settled=settled) in {None, *languages()}
    if recognised(text, settled=True) is not None:
        assert recognised(text) == recognised(text, settled=True)


@given(
    st.sampled_from(FOREIGN),
    st.sampled_from(["はい", "さいたま市", "ハイツ202", "OK", "LINE", "090-0000-0000", "?", "大阪"]),
)
def test_a_settled_language_stays_for_names_and_short_answers(language: str, text: str) -> None:
    assert spoken(text, language, settled=True) == language


@pytest.mark.parametrize("language", FOREIGN)
def test_a_settled_language_gives_way_to_a_whole_sentence(language: str) -> None:
    assert spoken("仕事がなくなって、家賃が払えません", language, settled=True) == "ja"
    other = "en" if language != "en" else "vi"
    assert spoken(TROUBLE[other][0], language, settled=True) == other


def test_what_a_browser_calls_a_language() -> None:
    tags = {"pt-BR": "pt", "zh-Hant": "zh", "fil": "tl", "fil-PH": "tl", "ja-easy": "ja-easy", "EN": "en", "fr": "ja"}
    assert {tag: known(tag) for tag in tags} == tags


# Danger


@pytest.mark.parametrize(("language", "text", "kind"), [(one, *told) for one in OTHERS for told in DANGER[one]])
def test_danger_is_seen_in_every_language(language: str, text: str, kind: str) -> None:
    urgency = screen_text(text)
    assert urgency.at_least("urgent"), text
    assert kind in urgency.kinds
    assert urgency.quote in text


@pytest.mark.parametrize(("language", "text"), [(one, text) for one in OTHERS for text in HARMLESS[one]])
def test_idioms_do_not_alarm(language: str, text: str) -> None:
    assert not screen_text(text).at_least("urgent"), text


def test_japanese_reads_as_before_beside_other_languages() -> None:
    for text in (
        "自殺予防講演会",
        "検査にいきたいへん混んでいた",
        "子孫の孩子という言葉",
        "確認しにたいへん時間がかかる",
    ):
        assert screen_text(text).level == "none", text


# Whole talks


async def a_talk(town: Town, language: str) -> Resident:
    """A resident whose page is in this language."""
    somebody = town.resident()
    opened = await town.http.post("/chat/sessions", json={"lang": language})
    somebody.token = opened.json()["token"]
    first = await somebody.new_messages(wait=0)
    assert [m["text"] for m in first] == [*words(language).notice_of("うけとめ市"), words(language).opening]
    return somebody


async def said(somebody: Resident, text: str) -> tuple[str, list[str]]:
    """Writes; the answer as one text, and its buttons."""
    assert (await somebody.write(text)).status_code == 202
    while True:
        answers = [m for m in await somebody.new_messages() if m["from"] == "bot"]
        if answers:
            return "\n".join(m["text"] for m in answers), answers[-1]["choices"]


def talk_words(language: str) -> Any:
    talk = words(language).talk
    assert talk
    return talk


@pytest.mark.parametrize("language", OTHERS)
async def test_a_whole_talk_on_the_web(town: Town, rasa: StandInRasa, language: str) -> None:
    own, talk = words(language), talk_words(language)
    trouble, since = TROUBLE[language]
    mai = await a_talk(town, language)

    answer, choices = await said(mai, trouble)
    assert talk.questions["since"] in answer
    assert choices == [talk.buttons["skip"], talk.buttons["person"]]
    before = answer.split("\n")[0]
    answer, _ = await said(mai, since)
    assert answer.split("\n")[0] != before, "the same is not said twice in a row"
    assert talk.questions["household"] in answer
    answer, _ = await said(mai, talk.buttons["skip"])
    assert talk.questions["tried"] in answer
    answer, _ = await said(mai, since)
    assert talk.questions["wish"] in answer
    answer, _ = await said(mai, since)
    assert talk.questions["contact"] in answer
    answer, _ = await said(mai, talk.buttons["here"])
    assert talk.questions["area"] in answer
    answer, choices = await said(mai, since)
    assert talk.enough in answer
    assert own.next_steps["worse"] in answer
    assert not choices, "after six questions nothing more is asked"
    answer, _ = await said(mai, trouble)
    assert answer in talk.added

    assert rasa.asked == [], "Rasa knows Japanese only"
    (case,) = await town.cases()
    assert (case.language, status(case)) == (language, "waiting")
    assert case.assessment["topics"]["since"] == since
    assert case.assessment["topics"].get("household") is None, "what was left out is not taken for an answer"
    assert language_name(language) in case.summary
    if language != "ja-easy":
        assert not case.assessment["fields"], "nothing is guessed"
        assert trouble in case.summary, "the words are there in full"
        assert "読み取っていません" in case.summary
        assert case.complaint.startswith(trouble[:20])


@pytest.mark.parametrize("language", OTHERS)
async def test_in_a_long_talk_nothing_is_said_twice(town: Town, language: str) -> None:
    mai = await a_talk(town, language)
    told: list[str] = []
    for text in (TROUBLE[language][0], *[f"{TROUBLE[language][1]} {n}" for n in range(7)]):
        told += (await said(mai, text))[0].split("\n")
    sentences = [one for line in told for one in SENTENCE_ENDS.split(line) if len(one) > LONGEST_NOD]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("language", FOREIGN)
async def test_who_says_it_in_japanese_is_understood(town: Town, language: str) -> None:
    mai = await a_talk(town, language)
    await said(mai, TROUBLE[language][0])
    await said(mai, "とばす")
    assert (await said(mai, "言いたくないです"))[0] == talk_words(language).tired


@pytest.mark.parametrize("language", OTHERS)
async def test_two_skips_and_a_person_is_offered(town: Town, language: str) -> None:
    talk = talk_words(language)
    mai = await a_talk(town, language)
    await said(mai, TROUBLE[language][0])
    await said(mai, talk.hears["skip"][0].upper())
    answer, choices = await said(mai, talk.buttons["skip"])
    assert (answer, choices) == (talk.tired, [talk.buttons["person"]])
    answer, choices = await said(mai, talk.buttons["person"])
    assert answer in talk.person
    answer, choices = await said(mai, TROUBLE[language][0])
    assert answer in talk.added
    (case,) = await town.cases()
    assert case.person_wanted_at
    assert status(case) == "waiting"


@pytest.mark.parametrize("language", OTHERS)
async def test_danger_brings_numbers_and_no_question(town: Town, language: str) -> None:
    mai = await a_talk(town, language)
    text, kind = DANGER[language][0]
    answer, choices = await said(mai, text)
    assert "0120-279-338" in answer
    assert any(wording in answer for wording in talk_words(language).danger[kind])
    assert not [question for question in talk_words(language).questions.values() if question in answer]
    assert not choices
    (case,) = await town.cases()
    assert status(case) == "waiting"
    assert case.urgency >= 2
    assert text.strip("。. ") in case.assessment["urgency"]["quote"] + "。"


async def test_a_question_is_not_answered_with_a_guess(town: Town) -> None:
    mai = await a_talk(town, "en")
    await said(mai, TROUBLE["en"][0])
    for asked, wording in zip(("Will I lose my visa?", "Really?"), talk_words("en").cannot_answer, strict=False):
        answer, _ = await said(mai, asked)
        assert wording in answer
    (case,) = await town.cases()
    assert "since" not in case.assessment["topics"]


async def test_sharing_is_asked_where_there_is_room_and_the_answer_is_kept(town: Town) -> None:
    mai = await a_talk(town, "en")
    talk = talk_words("en")
    await said(mai, TROUBLE["en"][0])
    for _ in range(2):
        await said(mai, "it began last month")
    assert (await said(mai, "yes"))[0].split("\n")[0] not in (talk.share_yes, talk.share_no), "nobody asked to share"
    (case,) = await town.cases()
    assert case.share is None


async def test_a_greeting_opens_and_a_language_alone_is_no_case(town: Town) -> None:
    mai = await a_talk(town, "ja")
    answer, _ = await said(mai, "English")
    assert answer.split("\n")[0] == words("en").notice_of("うけとめ市")[0].split("\n")[0]
    assert words("en").chosen in answer
    assert await town.cases() == []
    answer, _ = await said(mai, "Hello")
    assert answer == words("en").opening
    (case,) = await town.cases()
    assert case.language == "en"


async def test_the_language_is_recognised_changes_and_goes_back(town: Town, rasa: StandInRasa) -> None:
    mai = await a_talk(town, "ja")
    answer, _ = await said(mai, TROUBLE["vi"][0])
    assert answer.startswith(words("vi").notice_of("うけとめ市")[0])
    assert talk_words("vi").questions["since"] in answer
    page = (await town.http.get("/chat/messages", headers=mai.headers)).json()
    assert page["language"] == "vi", "the widget follows"
    await said(mai, "大阪")
    assert rasa.asked == []
    answer, _ = await said(mai, "日本語")
    assert words("ja").chosen in answer
    await said(mai, "夫が仕事を辞めてから家賃を滞納しています")
    assert len(rasa.asked) == 1
    (case,) = await town.cases()
    assert case.language == "ja"


async def test_staff_see_the_language_and_the_resident_is_told_in_it(town: Town) -> None:
    mai = await a_talk(town, "vi")
    await said(mai, TROUBLE["vi"][0])
    await said(mai, talk_words("vi").buttons["person"])
    async with at_work(town, "佐藤", "sato@town.example") as sato:
        (case,) = await town.cases()
        assert "ベトナム語" in await sato.queue()
        shown = await sato.open(case.id)
        assert "ベトナム語" in shown
        assert TROUBLE["vi"][0] in shown
        assert "翻訳して読んでください" in shown
        assert (await sato.do(case.id, "claim")).status_code == 200
    told = [m["text"] for m in await mai.new_messages() if m["from"] == "counselor"]
    assert told == [to_resident("taken_over", "vi").format(name="佐藤")]


# LINE

MAI = "U" + "2" * 32


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def line(clock: SetClock) -> AsyncIterator[LinePlatform]:
    async with LinePlatform(clock=clock, redelivers=RESENT) as line:
        yield line


@pytest.fixture
async def line_town(
    database_url: str, tmp_path: Path, reader: Understander, rasa: StandInRasa, line: LinePlatform, clock: SetClock
) -> AsyncIterator[Town]:
    """The service with LINE, which is the stand-in."""
    settings = Settings(
        database_url=database_url, var_dir=tmp_path / "var", rasa_url=rasa.url, rasa_timeout_s=0.5,
        line_channel_secret=CHANNEL_SECRET, line_channel_access_token=CHANNEL_TOKEN, line_api_base=line.base_url,
    )  # fmt: skip
    async with running(settings, reader, clock) as town:
        line.webhooks.url = f"{town.http.base_url}/line/webhook"
        yield town
    assert line.violations == []


async def on_line(town: Town, line: LinePlatform, text: str) -> list[str]:
    before = len(line.received(MAI))
    await line.say(MAI, text)
    await town.quiet()
    return line.received(MAI)[before:]


async def test_whoever_adds_the_account_may_choose_a_language(line_town: Town, line: LinePlatform) -> None:
    await line.follow(MAI)
    await line_town.quiet()
    assert line.choices(MAI) == [known_as["name"] for known_as in languages().values()]
    for code in (*OTHERS, "ja"):
        answer = await on_line(line_town, line, languages()[code]["name"])
        assert words(code).chosen in answer
        assert words(code).opening in answer
    assert await line_town.cases() == []


@pytest.mark.parametrize("language", FOREIGN)
async def test_a_short_talk_on_line_is_recognised_from_its_first_message(
    line_town: Town, line: LinePlatform, language: str
) -> None:
    talk = talk_words(language)
    await line.follow(MAI)
    await line_town.quiet()
    answer = await on_line(line_town, line, TROUBLE[language][0])
    assert answer[0] == "\n".join(words(language).notice_of("うけとめ市"))
    assert answer[-1] == talk.questions["since"]
    assert line.choices(MAI) == [talk.buttons["skip"], talk.buttons["person"]]
    assert talk.questions["household"] == (await on_line(line_town, line, TROUBLE[language][1]))[-1]
    assert (await on_line(line_town, line, talk.buttons["person"]))[0] in talk.person
    (case,) = await line_town.cases()
    assert (case.language, status(case)) == (language, "waiting")


async def test_words_taken_back_leave_the_quotes_of_every_language(line_town: Town, line: LinePlatform) -> None:
    sent = await line.say(MAI, TROUBLE["en"][0])
    await line_town.quiet()
    assert any("“" in m.text for m in await line_town.messages() if m.sender == "bot")
    await line.unsend(MAI, sent.message_id)
    await line_town.quiet()
    assert not [m for m in await line_town.messages() if "rent" in m.text]
    for case in await line_town.cases():
        assert "rent" not in f"{case.assessment} {case.complaint} {case.summary}"

"""Words for people: finds each mention in a text, with its place."""

# ruff: noqa: E501 - a pattern is read best in one piece

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from bot.understanding.ages import age_before
from bot.understanding.several import age_of_all, ages_behind, ages_in_front, how_many

MOST = 60  # mentions in one clause: nobody makes more, and no letters sent in ill will keep the reading busy
GROWN_UP = 23  # years
CHILDREN = ("son", "daughter", "other")


@dataclass(frozen=True, slots=True)
class Mention:
    """`called` is the word that tells siblings of one relation apart (長男, 上の); "" for a plain 息子."""

    start: int
    end: int
    relation: str
    called: str = ""
    gone: bool = False  # dead, divorced or left for good
    instead_of: str = ""  # the relation that this one corrects: 「妹ではなく弟です」
    age: int | None = None  # of one of several: 「中2と小5の息子」


# Relation → the words for it. Words of one letter are guarded in `_NOT_AFTER` and `_NOT_BEFORE`.
_WORDS: dict[str, str] = {
    "relative": r"(?:息子|長男|次男|三男|兄|弟)(?:さん)?の(?:お?嫁(?:さん)?|妻|奥さん|奥さま|奥様|彼女)|(?:娘|長女|次女|姉|妹)(?:さん)?の(?:夫|旦那|だんな|亭主|婿)(?:さん)?|"
    r"(?:夫|おっと|ご?主人|旦那|だんな|うちの人|妻|家内|父|母|おやじ|おふくろ|彼|彼女|相手|相方|パートナー)(?:さん|[0-9]{2})?の[ 　]?(?:お?(?:兄|弟|姉|妹)(?:さん)?|おとうと|いもうと|おにいさん|おねえさん)|義理の(?:兄|弟|姉|妹)|(?:兄|弟|姉|妹)(?:さん)?の(?:子|息子|娘)|兄嫁|弟嫁|お嫁さん|義(?:兄|弟|姉|妹)|"
    r"大?叔父|伯父|大?叔母|伯母|おじ(?=[がはのも0-9])|おば(?=[がはのも0-9])|おじさん(?=の家|と二人|が倒)|おばさん(?=の家|と二人)|甥(?:っ子)?|姪(?:っ子)?|(?<![ぁ-ねは-ん])めい(?=[がはも])|(?:娘|お)?婿(?!です|入|養子)(?:さん)?|いとこ(?!ろ)|従兄弟?|従姉妹?|従妹|親戚(?=[がは]|の(?:人|おじ|おば|家|方))|ひい(?:お?ばあ|お?じい)(?:さん|ちゃん|さま|様)?|曾祖母|曽祖母",
    "father_in_law": r"(?:夫|おっと|ご?主人|旦那|だんな|妻|家内|嫁)(?:さん)?の[ 　]?(?:お?父(?:さん|親)?|おとうさん|おとん|おやじ)|義理の(?:お?父(?:さん|親)?)|義父(?!母)|お?義父さん|舅|しゅうと(?!め)",
    "mother_in_law": r"(?:夫|おっと|ご?主人|旦那|だんな|妻|家内|嫁)(?:さん)?の[ 　]?(?:お?母(?:さん|親|さま|様)?|おかあさん|おかん|おふくろ)|義理の(?:お?母(?:さん|親)?)|義母|お?義母さん|姑|しゅうとめ|お姑さん",
    "both_in_law": r"義(?:理の)?両親|義父母|(?:夫|主人|妻)の(?:両親|親)",
    "grandchild": r"(?:息子|娘|長男|長女|次女|次男)の(?:子ども|子供|子|息子|娘)|(?:上の|下の)?孫(?:娘|息子)?(?!の手)|まご(?=[はがのも 　])",
    "grandfather": r"祖父(?!母)|おじい(?:さま|様)|おじいちゃん|おじいさん|じいちゃん|じいさん|爺(?:さん|さま|様|ちゃん)|じいさま|じい様|じっちゃん?|(?<!お)じさま|じいじ|じじ|おじい(?=[がはのもと、0-9])",
    "grandmother": r"祖母|おばあ(?:さま|様)|おばあちゃん|おばあさん|ばあちゃん|ばあさん|婆(?:さん|さま|様|ちゃん)|ばあさま|ばあ様|ばっちゃん?|(?<!お)ばさま|ばあば|ばば(?=が|は|も)|おば[あぁ](?=[がはのもと、0-9])",
    "both_grand": r"祖父母",
    "daughter_and_hers": r"(?:長女|次女|娘)(?:さん)?夫婦",
    "son_and_his": r"(?:長男|次男|息子|せがれ|倅)(?:さん)?夫婦",
    "both_parents": r"両親|父母|ふた親|親二人|父さん母さん",
    "husband": r"夫|ご?主人|旦那|だんな|ダンナ|亭主|うちの人|うちん人|おっと|つれあい|連れ(?:合|あ)い|宿六",
    "wife": r"妻|おくさん|(?<![ぁ-ん一-龥])か[かが]あ(?=[がはのも、])|おっかあ|家内|奥さん|奥さま|奥様|かみさん|女房|嫁(?!ぎ|い|入|姑|さ(?:行|い[っぐ])|に(?:行|い[っくきか]|来|出|もら|取|や[るっ]|ほし|欲し)|が(?:来|れ|せ|ん))|(?<![ぁ-ねは-ん])つま(?=が|は|の|も|、|を|[ 　]|$)|細君",
    "partner": r"彼氏|彼女|彼ピ|恋人|交際相手|婚約者|内縁の(?:夫|妻|男性|女性)|同棲相手|同居人の彼|相方|パートナー|(?:一緒に|いっしょに)(?:住んで|暮らして)(?:い)?る人|彼(?=[はがのもと、0-9])",
    "father": r"お?父(?:さん|親|ちゃん|さま|様|上)?|おとうさん|とうさん|とうちゃん|とーちゃん|おとん|親父|おやじ|オヤジ|パパ|(?<![ぁ-ん一-龥])ぱぱ(?=[ 　がはのも、])|おっとう|おとっつぁん|おと[うぅ](?=[がはのも、0-9])|ちち(?=が|は|の|、)",
    "mother": r"(?<!寮)お?母(?:さん|親|ちゃん|さま|様|上)?|おかあさん|かあさん|かあちゃん|かーちゃん|おかん|オカン|おふくろ|お袋|ママ(?!友|さん)|(?<![ぁ-ん一-龥])まま(?=[ 　がはのも、])|おっかさん|おか[あぁ](?=[がはのも、0-9])|はは(?=が|は|の|、)",
    "son": r"(?:上の|下の|一番上の|末の|真ん中の)?(?:息子|むすこ|男の子|おとこのこ)|末息子|長男|次男|二男|三男|四男|末っ子の男|せがれ|倅|坊主(?=が|は|も)|坊や|(?<![ァ-ヶ])ボン(?=[がはのも、0-9])|ご子息",
    "daughter": r"(?:上の|下の|一番上の|末の|真ん中の)?(?:娘(?!婿|夫婦)|むすめ|女の子|おんなのこ)|末娘|長女|次女|二女|三女|お嬢(?:さん|さま|様)|ご息女",
    "older_brother": r"お?兄(?:さん|ちゃん|貴|き|っこ)?|おにいちゃん|おにいさん|あにき|にいちゃん|(?<![ぁ-ん一-龥])にいに(?=[がはのも、0-9])|おにい(?=[がはのも、])|(?<![ぁ-ん一-龥])あんちゃん|アニキ",
    "younger_brother": r"弟|おとうと",
    "older_sister": r"お?姉(?:さん|ちゃん|貴|っこ)?|おねえちゃん|おねえさん|ねえちゃん|(?<![ぁ-ん一-龥])(?:ねえねえ|ねぇねぇ|ねえね|ねぇね)(?=[がはのも0-9])|おねえ(?=[がはのも、])|あねき|アネキ",
    "younger_sister": r"妹|いもうと",
    "other": r"(?:(?<=[歳才]の)|(?<=[小中高][1-6一二三四五六]の)|(?<=年生の)|(?<=年[少中長]の)|(?<=か月の)|(?<=つの)|(?<=番目の))子(?=[がをはもと、]|の(?:母|父|親|育児|世話))|(?<![ぁ-んァ-ヶ一-龥])子(?=[0-9一二三四五六七八九十]{1,2}(?:歳|才|か月|ヶ月))|(?<=[2-5二三四五])児(?=の(?:母|父|親|シングル|ママ|パパ))|双子(?=[がを]|の(?:母|父|親|育児))|(?:上の|下の|一番上の|末の|うちの)(?:子|こ)(?=[^供ど])|(?:上の|下の|一番上の|末の|うちの)(?=(?:[小中高][1-6一二三四五六](?:年生?|生)?|(?:[2-7][0-9]|[二三四五六七]十[一二三四五六七八九]?)(?!、))[はがも、])|(?:うちの)?(?:子ども|子供|こども)(?!食堂|会|園|の(?:頃|ころ|とき|時)|家庭|たちの|部屋|医療|連れ|手当)|お子さん(?=[がはも、0-9])|(?<![以年同目の頭])[上下](?=[はが](?:もう|まだ|今年)?(?:[0-9一二三四五六七八九十]+(?:つ|歳|才|、|で|の|$)|小[1-6]|中[1-3一二三]|高[1-3一二三]|年[少中長]|(?:小|中|高|大)学|高校|保育|社会人))|連れ子(?!です|で、|だ)|生まれたばかりの子|赤ん坊|赤ちゃん|乳児",
    "nobody": r"曾祖父|曽祖父|高祖父|ご?先祖",
    "friend": r"ルームメイト|(?:一緒に(?:住んで|暮らして)(?:い)?る)(?:友人|友達|友だち)|(?:友人|友達|友だち|親友)(?=が|は|の(?:こと|様子)|、|[0-9])",
    "client": r"(?<=[歳0-9一二三四五六七八九十]の)(?:方|(?:男|女)(?!性|児|の?子|です|だ|じゃ|や)(?:の[人方])?|お?客|常連|青年|人(?=[がはも、]))|(?<=[0-9歳])(?:男|女)(?=[、。 　\n(（)）]|$)|ご?本人(?:さま|様)?|利用者(?:さま|様|さん)?|患者(?:さん|様)?|(?:その|この)方|男の方|女の方|(?<=の)(?:人|子)(?=(?:で|、)、?[0-9一二三四五六七八九十])|男性(?!名義)|女性|生徒|児童(?!相談|手当|扶養|委員|館|クラブ|発達|課|デイ|の?福祉|精神)|男児|女児|男子(?!校)|女子(?!校|会)|少女|少年(?!院|サポート|法|課|鑑別|事件|相談)",
    "self": r"私|わたし|わたくし|あたし|アタシ|僕|ぼく|ボク|俺|おれ|オレ|自分|わし|おら(?=[はがもの、0-9一二三四五六七八九小中高])|(?<![ぁ-ん])わい(?=[はがも、0-9])|あたい|うち(?=[はがも]、?(?!の|に|で))|(?<![のぁ-ん])うち(?=(?:独身)?(?:[一二三四五六七八九]?十|[1-9][0-9])(?![0-9人万円年回割]))",
}
_NOT_AFTER = {
    "父": "祖義叔伯神",
    "母": "祖義叔伯保父乳",
    "夫": "丈工大農漁",
    "本人": "日",
    "妻": "",
    "兄": "義従父",
    "弟": "義従子兄",
    "姉": "義従",
    "妹": "義従姉",
}
_NOT_BEFORE = {
    "父": "子兄母方",
    "母": "子国語校体乳屋性",
    "夫": "婦",
    "妻": "子帯",
    "兄": "弟妹",
    "弟": "子妹",
    "姉": "妹弟",
    "娘": "婿",
    "主人": "公",
    "自分": "でで自",
    "彼": "女氏岸",
}
RELATION_WORDS = "|".join(_WORDS.values())
#: What any of the words begins with (tests/test_persons.py asks them): most letters of a text are none of these, and
#: need not be tried with every word.
FIRST_LETTERS = (
    "あいうおかこごしじせそだちつとにねはばひぱふぼまむめわアオダパボマル一三上下両双主乳二交亭人伯俺倅僕兄児内利友叔同四坊大夫奥女妹妻姉姑姪"
    "娘婚婿嫁子孫家宿少弟彼従恋息患方旦末本次母父生甥男相真祖私細義自舅親赤連長爺婆客常青先曽曾高"
)
_MENTION = re.compile(
    f"(?=[{FIRST_LETTERS}])(?:" + "|".join(f"(?P<{name}>{words})" for name, words in _WORDS.items()) + ")"
)
_QUOTED = re.compile(
    r"[「『][^」』]*[」』]?|^[^「『]*[」』]"
)  # in somebody else's mouth 「お父さん」 is another person
_KIN_TITLE = re.compile("^お(?=[嫁婿])|(?:さん|さま|様|っ子)$")
_CALLED = re.compile(r"長男|次男|二男|三男|四男|長女|次女|二女|三女|一番上|[上下](?:の|$)|末の|真ん中")
_PARTNER = re.compile(r"彼氏|彼女|彼ピ|恋人|交際相手|婚約者|内縁の(?:夫|妻|男性|女性)|相方|パートナー")
_OF_ANOTHER = re.compile(r"(?:孫|子|子ら|子たち|甥|姪|姪っ子|甥っ子|従妹|いとこ)の$")
_OF_PARTNER = re.compile(r"(?:彼氏?|彼女|パートナー|相方|恋人)の$")
_OF_KIN = re.compile(
    r"(?:母|母さん|母親|ママ|おかん|姉|姉ちゃん|妹|娘|次女|長女|息子|長男|次男|兄|弟)(?:さん)?[のがと]$"
)
_SIBLINGS = ("兄", "弟", "姉", "妹")
_CAN_BE_SEVERAL = (
    *CHILDREN, "grandchild", "younger_brother", "younger_sister", "older_brother", "older_sister", "relative",
)  # fmt: skip
_TWINS = re.compile("双子(?:の[^、。]{1,4})?$")
_NOBODY = "nobody"  # of whom anything is told
_SEVERAL: dict[str, tuple[str, ...]] = {
    _NOBODY: (),
    "both_parents": ("father", "mother"),
    "both_in_law": ("father_in_law", "mother_in_law"),
    "both_grand": ("grandfather", "grandmother"),
    "daughter_and_hers": ("daughter", "relative"),
    "son_and_his": ("son", "relative"),
}
_GONE_BEFORE = re.compile(
    r"(?:亡き|亡くなった|死んだ|死別した|出て(?:い|行)?った|元の?|前の|別れた|離婚した|他界した|昔の|先妻|先立った|(?:仏壇|位牌|遺影|お?墓)の|(?<!近)隣の|近所の|お隣の|向かいの|友達の|友だちの|知り合いの|同僚の|よその)$"
)
_GONE_AFTER = re.compile(
    r"^(?:さん|さま|様|ちゃん|親|上|を|と|に|は|が|も|の|、)*(?:[^、。！？\n「」『』]{0,14}?)(?:亡くな|亡くし|亡くさ|亡[うぐ]|自殺し(?:た(?!い)|まし)|命を絶|自死|生前|生きて(?:い)?た(?:ら|ころ|頃)|遺産|遺言|形見|百日|葬式|看取(?:って|りまし|った(?!ら))|いなくな|夜逃げ|(?:見|会っ)たこと(?:も|が|は)?(?:な|ありませ)|どこにいる(?:の?か)?(?:分か|わか|知)|音信|絶縁|連絡先(?:は|も)?不明|(?:年前|去年|昨年|先月|おととし)に?病気で(?:$|。|、)|他界|死去|死別|死に(?:ました|まして)|死んで|死んだ|逝(?:き|っ|去)|"
    r"先立|見送(?:り|っ|られ)|旅立|蒸発|失踪|行方(?:不明|知れ|が)|住所も知れ|所在(?:が|も|は)?(?:(?:わか|分か)(?:ら|りませ)|知れ|不明)|(?:病|急)死|アカウントごと消|年ま[えへ]に?[ 　]?なくな[っり]|仏(?:さん|様|さま)(?:です|よ|どす|や|じゃ|だ|に)|出て(?:い|行)?った(?:っ?きり|と(?:の|いう|聞)|そう|らし|よう)|出て(?:い|行)かれ|出て(?:い?って(?:それきり|しまい|から)|いきました|い?った|行き|いき(?=、|$))|別居(?:中|し|と|、)|(?:は|も)(?:もう)?(?:いない|いません|おりません|おらん|おらず)(?:$|。|、)|(?:は|も)知ら(?:ない|ん)(?:$|。|、)|葬儀|四十九日|三回忌|一周忌|仏壇(?!の[父母親夫妻兄姉]))"
)
#: 「弟が去年の秋、自分で命を絶ちました」: when stands between.
_DIED_WHEN = re.compile(
    r"^(?:さん)?(?:が|は)(?:去年|昨年|一昨年|おととし|今年|先月|先日|この[春夏秋冬]|[0-9一二三四五六七八九十]+年前)[^、。！？\n]{0,6}、(?:自分で)?(?:命を絶[っち]|亡くな[っり]|病死|自死|他界)"
)
_PARTED = re.compile(
    r"^(?:さん|さま|様|親|を|と|に|は|が|も|の|、)*(?:[^、。！？\n]{0,14}?)(?:離婚(?:し(?:ました|て|た(?!い))|後|。|$)|逃げられ(?:た|て|まし)|別れ(?:ました|て(?!ほしい)|た(?!い)|、|$))"
)
_LEFT = re.compile(
    r"^(?:さん|に|は|が|も|の|、)*[^、。！？\n]{0,14}?出て(?:い|行)?って(?:$|。|、|生活費|養育費|お金|連絡|もう|戻|帰(?:ら|って?こ))"
)
#: 「夫が子どもを置いて出て行きました」: the one who stays, and the one who goes.
_LEFT_BEHIND = re.compile(r"^(?:さん|たち|ら)?(?:二人|三人|ふたり|[2-4]人)?を(?:置い|おい|残し|のこし|連れ|つれ)")
_LEAVES_BEHIND = re.compile(
    r"^(?:さん)?(?:は|が)[^。！？\n]{0,24}?を(?:置いて|おいて|残して|のこして)[^。！？\n、]{0,6}?(?:出て(?:い|行)|家を出|いなくな|実家に(?:帰|戻)ったき)"
)
_LIVES_APART = re.compile(r"別居(?:中)?の$")
_SPOUSES = ("husband", "wife", "partner")
_COUPLE = ("husband", "wife", "partner", "father", "mother", "both_parents", "relative")
_NOT_GONE = re.compile(
    r"亡くな(?:る|り)そう|死んで(?:終わり|おわり|しま(?:[いお]う|いそう|いたい)|ほしい|やる|やろう|楽に)|死に(?:たい|たく)|死んでしまいたい|出て行け|亡くなったら|亡き(?:あと|後)が心配|亡くし(?:たら|そう)|(?:夫|妻|母|父)(?:を|に)(?:亡くした|先立たれた)[^、。]*(?:母|父|祖母)|^[0-9]{0,3}(?:は|が|も)[^、。]{0,4}葬(?:式|儀)に"
)


@lru_cache(maxsize=256)  # a text is looked at from several sides
def mentions(text: str, of_others: bool = False, rest: str = "") -> tuple[Mention, ...]:
    """Every mention of a person in the order of the text (folded letters). `of_others`: nothing is said of the writer,
    who is no kin. `rest`: how the sentence goes on behind the text."""
    return tuple(islice(_mentions(text, of_others, rest), MOST))


def _mentions(text: str, of_others: bool, rest: str) -> Iterator[Mention]:
    quoted = [m.span() for m in _QUOTED.finditer(text)]
    writer_named = someone_named = False
    for match in _MENTION.finditer(text):
        if not _is_word(text, match) or any(start < match.start() < end for start, end in quoted):
            continue
        if _NOT_MEANT.match(text[match.end() :]) or _UNBORN.search(text[: match.start()]):
            continue
        if not of_others and _is_writer(text, match, someone_named):
            if not writer_named:
                yield Mention(match.start(), match.end(), "self")
            writer_named = someone_named = True
            continue
        child = match.group() in _CHILD
        if child and not of_others and _SOMEBODYS_CHILD.search(text[: match.start()]):
            continue
        if match.group() == "児" and someone_named:  # 「妹は二児の母で」
            continue
        name = _relation(text, match, of_others)
        gone = name not in ("self", "client") and _is_gone(text, match, rest)
        called, instead_of = _called(match.group(), name), _instead_of(text, match)
        for relation, age in _each(text, match, name, bool(called), rest):
            yield Mention(match.start(), match.end(), relation, called, gone, instead_of, age)
        writer_named |= name == "self"
        someone_named |= name != _NOBODY and not child  # 「三児の母です」, 「5歳の子の母です」


def _relation(text: str, match: re.Match[str], of_others: bool) -> str:
    """What the words around make of a word: 「彼女のお母さん」「母の彼氏」「子どもは小1の男」."""
    name, before = str(match.lastgroup), text[: match.start()]
    if name in ("father", "mother"):
        if _OF_ANOTHER.search(before):
            return _NOBODY
        return f"{name}_in_law" if not of_others and _OF_PARTNER.search(before) else name
    if name == "partner" and _OF_KIN.search(before):
        return "other"
    if name == "other":
        told = _BOY_OR_GIRL.match(text[match.end() :])
        return _BOY_GIRL[told["one"]] if told else name
    return name


def _each(text: str, match: re.Match[str], name: str, alone: bool, rest: str) -> list[tuple[str, int | None]]:
    """Relation and age of each whom one word means: 「中2と小5の息子」「娘が二人」「両親は78と75」. `alone`: it is a word
    for one of several, 「長男」. `rest`: how the sentence goes on behind the clause."""
    relations, after = _SEVERAL.get(name, (name,)), text[match.end() :]
    ages, _ = ages_behind(after + rest)
    many = how_many(after)
    if name in _CAN_BE_SEVERAL and (many > 1 or not alone):
        ages = ages_in_front(text[: match.start()]) or ages
        may_be_twins = name in (*CHILDREN, "grandchild")
        twins = 2 if may_be_twins and _TWINS.search(text, max(0, match.start() - 4), match.end()) else 1
        relations *= max(twins, len(ages), many if name != "other" else 1)
    known = ages if len(ages) == len(relations) else (age_of_all(after),) * len(relations)
    return [*zip(relations, known, strict=True)]


def _instead_of(text: str, match: re.Match[str]) -> str:
    """The relation of the word that is taken back in front of a mention."""
    denied = _DENIED.search(text[: match.start()]) if _IS.match(text[match.end() :]) else None
    before = _MENTION.match(text, denied.start()) if denied else None
    return str(before.lastgroup) if before and denied and before.end() == denied.end("word") else ""


def _called(word: str, relation: str) -> str:
    if relation == "relative":  # 「姪」 and 「妹の夫」 are two of them
        return _KIN_TITLE.sub("", word)
    match = _CALLED.match(word) or (_PARTNER.match(word) if relation == "other" else None)
    called = match.group() if match else ""
    return f"{called}の" if called in ("上", "下") else called


#: What one relative may be called in turn: 「主人の兄」 and 「義兄」, 「父の弟」 and 「叔父」.
_KIN = (
    (re.compile("[父母]の(?:お?[兄弟]|おとうと|おにい)|[叔伯]父|おじ"), "uncle"),
    (re.compile("[父母]の(?:お?[姉妹]|いもうと|おねえ)|[叔伯]母|おば"), "aunt"),
    (re.compile("甥|の(?:息子|長男|次男)$"), "nephew"),
    (re.compile("姪|めい|の(?:娘|長女|次女)$"), "niece"),
    (re.compile("(?:息子|[長次三]男)(?:さん)?の(?:お?嫁|妻|奥|彼女)|^嫁$"), "son's wife"),
    (re.compile("(?:嫁|の妻|の奥さん|の奥さま|の奥様)$"), "wife"),
    (re.compile("(?:婿|旦那|だんな|亭主|夫)$"), "husband"),
    (re.compile("兄$"), "brother"),
    (re.compile("弟$"), "younger brother"),
    (re.compile("姉$"), "sister"),
    (re.compile("妹$"), "younger sister"),
)


def kin_of(called: str) -> str:
    """One word for all that mean the same kin."""
    return next((kin for pattern, kin in _KIN if pattern.search(called)), called)


def _is_writer(text: str, match: re.Match[str], someone_named: bool) -> bool:
    """「39の嫁の私」「わたしは妹で」「三人の子の母です」「私は近くに住む娘です」: the writer's own part, and not another person."""
    rest = text[match.end() :]
    if match.lastgroup in ("self", "client"):
        return False
    if _WRITER.match(rest):
        return True
    if _IS.match(rest) and _AS_FOR_ME.search(text[: match.start()]):
        return True
    if not _IS_ONE.match(rest):
        return False
    part = _PART_OF.search(text[: match.start()]) and not someone_named and not _is_small(text, match)
    return bool(part or _I_AM.search(text[: match.start()]))


def _is_small(text: str, match: re.Match[str]) -> bool:
    """「中3の息子です」: no child of fifteen writes so of themself."""
    age = age_before(text[: match.start()]) if match.lastgroup in (*CHILDREN, "grandchild") else None
    return match.group() in _SMALL or (age is not None and age < GROWN_UP)


def _is_word(text: str, match: re.Match[str]) -> bool:
    """Whether a short word stands alone: 母 is not in 母子家庭, 夫 not in 大丈夫."""
    word = match.group()
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return not (before and before in _NOT_AFTER.get(word, "")) and not (after and after in _NOT_BEFORE.get(word, ""))


def _is_gone(text: str, match: re.Match[str], rest: str) -> bool:
    near_by = match.group() in _SIBLINGS and text[: match.start()].endswith("近所の")  # no neighbour
    if not near_by and _GONE_BEFORE.search(text[max(0, match.start() - 6) : match.start()]):
        return True
    stretch = re.split(r"[。！？\n]", text[match.end() : match.end() + 26])[0]
    inner = _MENTION.search(stretch)  # what is said of the next person is not said of this one
    if inner and stretch[: inner.start()] in _BOTH:  # but of both where they are joined
        stretch = stretch[inner.end() :]
    elif inner and inner.start() > 0 and not _goes_with(inner, stretch):
        stretch = stretch[: inner.start()]
    apart = match.lastgroup in _COUPLE and _PARTED.match(stretch)
    if match.lastgroup in _SPOUSES:
        apart = apart or _LEFT.match(stretch) or _LIVES_APART.search(text[: match.start()])
    gone = _GONE_AFTER.match(stretch) or _DIED_WHEN.match(text[match.end() :] + rest) or apart
    if match.lastgroup in (*CHILDREN, "grandchild") and _LEFT_BEHIND.match(stretch):
        return False
    if match.lastgroup in _SPOUSES and _LEAVES_BEHIND.match(text[match.end() :]):
        return True
    return bool(gone) and not _NOT_GONE.search(stretch)


def _goes_with(inner: re.Match[str], stretch: str) -> bool:
    """「父は私が三つのときに亡くなり」「母親は男性と出ていったきり」: no household's next person."""
    return inner.lastgroup == "self" or (inner.lastgroup == "client" and stretch[inner.end() :].startswith("と出て"))


_BOTH = ("も", "と", "や")  # 「父も母も亡くなって」
_NOT_MEANT = re.compile(
    r"^(?:じゃなく|ではなく|でなく|のほうじゃな|(?:さん|は|が|も|の話は)*(?:まだ|一人も|誰も|ひとりも)*[、 ]?(?:い(?:ない|ませ|らっしゃ(?:らな|いませ))|おら(?:ん|れませ|れな)|おりませ|でき(?:な|ませ|ん|た|まし)|授から|ほしい|欲しい)|[がは]多[いく]|[がは]一人もい)"
)
_DENIED = re.compile(r"(?P<word>[^、。はがもの]{1,4})(?:では|じゃ|で)なく(?:て)?、?$")
_CHILD = ("子", "児", "双子")
_SOMEBODYS_CHILD = re.compile("(?:隣|となり|近所|向かい|友達|友だち|知り合い|同僚|クラス|よそ|教室|園)の[^、。]{0,5}$")
_UNBORN = re.compile(r"(?:お腹|おなか|腹)(?:の中)?[にの](?:[0-9一二三四五六七八九十]+(?:か|ヶ|カ|ヵ)月の)?$")
_WRITER = re.compile(r"^(?:として(?:は|も|、)|の(?:私|わたし|わたくし|僕|ぼく|俺|おれ|自分|立場)|でもある)")
_IS_ONE = re.compile(r"^(?:です|でして|で[、。0-9一二三四五六七八九十小中高大]|だ|、|の?[0-9一二三四五六七八九十]+|$)")
_SMALL = ("男の子", "女の子", "赤ちゃん", "赤ん坊")
_I_AM = re.compile(
    r"(?:私|わたし|わたくし|僕|ぼく|俺|おれ|自分|わし)(?:[0-9一二三四五六七八九十]+歳?)?(?:は|が|も)?(?:同居の|いちばん(?:上|下)の|大学生の|[0-9一二三四五六七八九十]+歳?の|その)?$"
)
_IS = re.compile(r"^(?:です|でして|だけど|ですが)")
_AS_FOR_ME = re.compile(r"(?:私|わたし|わたくし|僕|ぼく|俺|おれ|自分)は[^、。はがも]{1,24}$")
_PART_OF = re.compile(
    r"(?:の子の|児の|本家の|(?:(?<![部小])屋|店|食堂|工場|宿)の|[0-9一二三四五六七八九十]歳?の|(?:[0-9十]|、)一人)$|(?:^|[、。])(?:同居の)$"
)
_ALL_CHILDREN = re.compile(
    r"(?:息子|男の子|男児|(?P<girls>娘|女の子|女児))(?:さん)?(?:ばかり|だけ|が|は|ばっかり)?(?:、|で)?(?:二人|三人|四人|ふたり|[2-5]人|たち)(?!目)|(?:どっちも|どちらも|二人とも|2人とも)(?:男|(?P<women>女))(?!性)"
)


def all_children(text: str) -> str:
    """「娘が二人おります」「どっちも男」: what all the children are, "son" or "daughter"; "" when it is not told."""
    match = _ALL_CHILDREN.search(text)
    if match is None:
        return ""
    return "daughter" if match["girls"] or match["women"] else "son"


#: 「子どもは小1の男」「下の子(5)男児」
_BOY_OR_GIRL = re.compile(
    r"^(?:は|が|も|、|・| |　|さん)*[(（]?(?:まだ|もう|今年で?)?(?:[0-9一二三四五六七八九十]{1,3}(?:歳|才|さい|つ)?半?|[小中高](?:学校?|校)?[1-6一二三四五六](?:年生?)?|年[少中長](?:さん)?)[)）]?(?:です|で)?[、。の ]*(?P<one>男|女)(?!の(?:人|先生|方)|性|友)"
)
_BOY_GIRL = {"男": "son", "女": "daughter"}


def is_partner(called: str) -> bool:
    """Whether somebody of no other relation is called the partner of a kin: 「母の彼氏」."""
    return bool(_PARTNER.match(called))

"""Who is speaking about whom: the person themself, family, a neighbour, an agency."""

from __future__ import annotations

import re

import numpy as np

from bot.understanding.features import Floats
from bot.understanding.heads import SPEAKERS

ABOUT_OTHERS = ("agency", "neighbor")
SURE_FROM = 0.5  # log-odds by which it must lead that somebody writes of themself or of kin

_ACQUAINTANCE = (
    r"友人|ダチ(?=が|は|の)|教え子|友だち|友達|ともだち|親友|幼なじみ|同期|同僚|後輩|先輩|同級生|ママ友|パパ友|知り合い|知人|[^、。\n]{1,6}仲間|"
    r"(?:職場|バイト|アルバイト|(?<!ア)パート)(?:先)?の(?:子|人)|クラスの(?:子|友)"
)
_NEIGHBOUR = (
    r"(?:隣家|隣宅|お?(?:隣|となり)|お?向かい|近所|裏|[上下二三]の?階|三軒(?:先|隣)|同じ(?:階|棟|団地|アパート|寮))"
    r"(?:さん|(?<=[家宅])|の[^、。\n]{0,10}(?:方|人|家|宅|さん|子|夫婦|お?じい|お?ばあ|婆|爺|奥|坊や))"
)
_ABOUT_SOMEBODY = re.compile(
    rf"(?:{_ACQUAINTANCE}|{_NEIGHBOUR})[^、。\n]{{0,10}}(?:のこと(?:で(?!も(?!い[いー]))|なん|を|です|だ)|"
    r"の(?:家|うち|おうち|お宅|ところ)(?:の(?:話|こと)|が|、)|の(?:話|件)(?:で|です|なん|して|$)|(?:が|を)(?:とても|すごく)?心配)",
    re.MULTILINE,
)
#: Who looks after others by office, and says so: 「大家ですねん」, but not 「子ども食堂をやってみたい」.
_OFFICE = re.compile(
    r"(?:大家|家主|区長|班長|組長|町内?会長|自治会長|民生委員(?!さん|を?[^、。\n]{0,6}年)|児童委員(?!さん)|保護司|駐在|援助会員|(?<!元)ボラ(?:ンティア)?|フードバンク|"
    r"(?:地域|子ども|こども)食堂|検針(?:の者|員|で|に)|配食|移動販売|見守り(?:隊|員)|管理人|管理組合|(?:同じ階段|町内|貸しとる|貸している)の?者|アパート[^。\n]{0,3}貸し(?:とる|てる|ている))"
    r"[^。\nにが]{0,8}?(?:です(?!か)|だけ?ど|だけん|だげん|だが|でして|じゃけ|んじゃけど|んだけど|や(?:けん|けど|ねん)|を(?:し(?!ておりました|ていました)|つとめ|務め|やっ(?!てみ))|"
    r"やって(?!み|い?ると)|やっと|しと[りる]|しよ|ばし|でございま|とる者|なんで|の[^、。\n]{1,6}(?:です|と申))"
)
#: Who meets others at work: no office, and so only where the whole text leaves it open whose trouble it is.
_AT_WORK = re.compile(
    r"^(?!(?:私|わたし|うち|俺|僕|息子|娘|夫|妻|主人|旦那|父|母|仕事|パート|バイト)[はがも])[^。\n]{0,14}?"
    r"(?:(?:交番|駐在所|保育園[^、。\n]{0,4}|薬剤師|薬局|教頭|校長|園長|養護教諭|支援学校[^、。\n]{0,4}|訪問[^、。\n]{1,6}(?:者|職員)|農家|床屋|理容室|美容室|商店|お茶屋|電器屋|"
    r"新聞店|配達|人事(?:担当)?|(?:児童館|学童)[^、。\n]{0,5}|(?:店|コンビニ|スーパー|ネカフェ|食堂)の(?:オーナー|店長|夜勤|店員))"
    r"(?:の者|の主人|員)?(?:です(?!か)|でございま|をしており|をやっており|ばしと|やっと)|"
    r"回って(?:い?る|おる)(?:者|もん)|"
    r"(?:寺|教会|きょうかい|田んぼ|畑|店|会社|団体|施設)の[ 　]?(?:者|もの|もん)(?:です|でござい|だけん|じゃけ|やけ)"
    r"|民生委員の[^、。\n]{0,4}メモ)"
)
_PERSON = r"(?:人|男|女|子|親子|兄弟|姉妹|爺|婆|じい|ばあ|おばあ|おじい|奥さん|方|さん)"
#: Whoever comes to the writer's shop, works for them or rents from them.
_KNOWN_BY_WORK = re.compile(
    r"常連さん(?!も|が[^。]{0,6}(?:減|いなく|来な))|(?<!幼)なじみの|馴染みの|お客の(?!残|前|迷惑|ご迷惑)|年来の(?:お?客|友|つ?付?き?合い)|お?茶(?:飲|の)み友|借りに来る[^。、\n]{0,6}(?:子|人)|"
    r"(?:うち|わし|私|わたし)(?:ん|の)?(?:とこ|ところ|店|床屋|食堂|工場)?[にへ]?[^。\n]{0,10}(?:来|通っ)てくれ(?:る|よる|てる|とる)(?!ヘルパー|先生|看護|ケアマネ|娘|息子|人がい)|"
    r"(?:毎(?:日|晩|朝|週|夕|年)|いつも|よく|時々|たまに|ちょくちょく)[^。\n]{0,14}"
    rf"(?:来(?:る|られる|よる)|来て(?:い|く)?れ?る|買いに[来く]る|座って(?:い)?る|並んでる|寄る)(?![^。、\n]{{0,6}}(?:ヘルパー|ケアマネ|看護師|先生|配達))[^。、\n]{{0,12}}{_PERSON}|"
    rf"(?:使|雇)っ(?:てん|とる|ている|てる|てます)|を任せ(?:とる|てる|ている)[^。、\n]{{0,10}}{_PERSON}|"
    r"借り(?:とる|てる|ている)のは|部屋に住んでる(?:人|子|方)|店子の|(?:働い|来)て(?:くれて)?(?:い?る|とる)[^。、\n]{0,8}(?:実習生|派遣の人|従業員)|うちの(?:店子|従業員|実習生|生徒(?!が減|が[^。]{0,6}やめ)|社員|部下)"
)
#: A neighbour who is spoken of, with none of the words for what neighbours do to one another.
_NEIGHBOUR_IS = re.compile(
    r"(?:お?(?:隣|となり)|お?向かい|裏|同じ(?:階|棟|団地|アパート|寮|階段))"
    r"(?:の[^、。\n]{0,10}?(?:おやじ|親父|[じば]っちゃ|じい|ばあ|爺|婆|奥さん|旦那|ご主人|女の子|男の子|兄弟|姉妹|夫婦|方|お?宅)|さん|、)"
    r"[^。、\nにを]{0,3}(?:が|は|も|の|、|こと|[　 ])"
)
_NUISANCE = re.compile(
    r"うるさ|騒音|物音|足音|音[がで]|ごみ|ゴミ|[臭匂]い|におい|いやがらせ|嫌がらせ|文句|苦情|境界|植木|枝|竹|鳴き声|吠え|煙|タバコ|たばこ|"
    r"駐車|けんか|喧嘩|もめ|揉め|にらま|睨|怖|こわ|無視|悪口|怒鳴られ|言われ|殺され"
)
#: A friend of whom the first sentence tells; that there is none tells of the writer.
_FRIEND_IS = re.compile(
    rf"(?:{_ACQUAINTANCE})(?:の(?:お?(?:母|父)(?:さん|親)|ママ|パパ|親|両親|ご?(?:主人|家族)|夫|旦那(?:さん)?|奥さん|妻|息子|娘|子ども))?"
    r"(?:さん|ちゃん|くん)?(?:[(（][^)）]{{1,8}}[)）])?(?:の?[0-9一二三四五六七八九十]{{1,3}}(?:歳|才)?[^、。\n]{{0,4}})?"
    r"(?:が(?!い?(?:ない|なく|おら|でき|ほしい|欲し|少な|減|ゼロ|いま?せん|ひとり|一人|みんな))|"
    r"は(?!い?(?:ない|おら|いま?せん|ゼロ|みんな))|も(?!い?(?:ない|おら|いま?せん|でき))|、|から|で(?!も|す|した|しょ))"
)
#: The same, with their age beside them: 「元バイト仲間の24女」.
_FRIEND_OF_AGE = re.compile(
    rf"(?:{_ACQUAINTANCE})[（(の]?[0-9一二三四五六七八九十]{{1,3}}(?:(?:歳|才)|の?(?:女|男)|の(?:子|人)|[)）])"
)
#: 「三軒続けて断られた友人がいます」
_FRIEND_WHO = re.compile(
    rf"(?:れた|れて(?:い)?る|困って(?:い)?る|苦しんで(?:い)?る)(?:{_ACQUAINTANCE})が(?:いて|いま(?!せ|した)|いる|おりま(?!せ))"
    r"(?!す?(?:が|けど))"
)
#: And who fears for a friend writes of the friend.
_FRIEND_IN_DANGER = re.compile(
    rf"(?:{_ACQUAINTANCE})(?:さん|ちゃん|くん)?[がは、][^。\n]{{0,12}}(?:リスカ|死(?:に|の|ぬ)|消え|飛び|手首|いなくなる)"
)
#: What a neighbour does to the writer, and how the writer takes it.
_DONE_TO_ME = re.compile(
    r"うるさ|騒音|物音|足音|音[がで]|(?:ごみ|ゴミ)を?(?:捨て|出|置)|[臭匂]い|いやがらせ|嫌がらせ|文句|境界|植木|枝|鳴き声|吠え|煙|無断|駐車"
)
_I_MIND = re.compile(
    r"眠れ|寝られ|困って|困り|やめてくれ|やめてほし|つら|しんど|ストレス|我慢|がまん|引っ越し|耐え|迷惑|頭が(?:いた|痛)"
)
_FOR_THEM = re.compile(r"心配|悲鳴|虐待|殴|叩|たたい|泣い|泣き|倒れ|やせ|痩せ|あざ|助けて|様子|見かけ")
#: The writer's own trouble, whoever is named first: 「町内会長をやってますが、うちの女房が」.
_OWN = re.compile(
    r"うちの(?:女房|家内|妻|嫁|夫|主人|旦那|子(?!たち|は元気)|息子|娘|母|父|ばあ|じい)(?!(?:さん)?[にも]「)|自分の(?!こと(?:では|じゃ)|店|家の前|部屋)|"
    r"(?:わし|私|わたし|俺|おれ|うち)の(?:薬|体|病|年金|家賃|借金|こと(?:を|、))|住み込み|貸した[らのが]|貸したお?金|ブロックされ|"
    r"(?:私|わたし|わたくし|わし|俺|おれ|僕|ぼく)(?:は|ゃ)?、?(?:[1-9][0-9]|[二三四五六七八九]?十[一二三四五六七八九]?)(?![年月0-9]|代の?民生)|(?:に|から|毎日)[^。、「]{0,10}(?:言われ|吐かれ|のぞかれ|叩かれ|たたかれ|無視され|いじめられ)[^「」]{0,40}(?:眠れ|寝れ|吐き|つら|行きたくない|行けない|立てなく|こわい|怖い|しんど|です。?$)"
)
_GREETING = re.compile(
    r"(?:(?:こんばんは|こんにちは|はじめまして|おはようございます|すみません|失礼します|お世話になります|夜分(?:に|遅くに?)?(?:失礼します|すみません)?|相談いいですか|"
    r"[^。！？\n]{0,10}(?<!のこと)でもいいですか|相談(?:があります|です))[。、！!？?\s]*)+"
)
_FIRST_SENTENCE = re.compile(r"[^。\n！？]*")
_SECOND_TOO = re.compile(r"[^。\n！？]*[。\n！？]?[^。\n！？]*")
#: Hints, where they may stand, and by how much (log-odds) the whole text may sound like the writer's own trouble and
#: still be somebody else's: so far that hardly any conversation or voice of the writer's own is lost to them.
_HINTS = (
    (_ABOUT_SOMEBODY, _FIRST_SENTENCE, -5.0),
    (_OFFICE, _FIRST_SENTENCE, -5.5),
    (_FRIEND_OF_AGE, _FIRST_SENTENCE, -5.0),
    (_KNOWN_BY_WORK, _SECOND_TOO, -3.0),
    (_FRIEND_IN_DANGER, _FIRST_SENTENCE, -5.0),
    (_FRIEND_IS, _FIRST_SENTENCE, -2.5),
    (_FRIEND_WHO, _FIRST_SENTENCE, -5.0),
    (_AT_WORK, _FIRST_SENTENCE, -2.5),
)
#: No agency speaks so of its own: 「家内は六十で」「夫は58、もと消防士で」.
_OWN_HOUSE = re.compile(
    r"家内[はが]|うちの(?:夫|主人|妻|嫁)[はが]|(?:^|[。\n 　])(?:夫|妻|主人|旦那)は[0-9二三四五六七八九]",
)
_OF_A_CLIENT = re.compile(r"女性|男性|[女男][子児]|生徒|児童(?!相談)|利用者|本人|担当|様")
_SURE_LEAD_OF_AGENCY = 2.5
_SURE_LEAD = 2.0  # from here on the whole text speaks of somebody else, whatever words stand in it
_NEIGHBOUR_LEAD = -3.0


def who_writes(said: str, odds: Floats) -> str | None:
    """ "self", "family", "neighbor" or "agency"; None when the text does not show it. `odds`: of heads.SPEAKERS."""
    lead = _lead_of_others(odds)
    who = SPEAKERS[int(np.argmax(odds))] if lead >= 0 or lead <= -SURE_FROM else None
    first = _first(_FIRST_SENTENCE, said)
    at_work = _AT_WORK.search(first)
    if who != "agency" and _tells_of_somebody(said, lead):
        return max(ABOUT_OTHERS, key=lambda other: odds[SPEAKERS.index(other)]) if at_work else "neighbor"
    if who == "agency" and not at_work and lead < _SURE_LEAD_OF_AGENCY and _is_of_own_house(said):
        return "family"
    return "self" if who == "neighbor" and _is_put_upon(said, lead) else who


def _is_of_own_house(said: str) -> bool:
    return bool(_OWN_HOUSE.search(said)) and not _OF_A_CLIENT.search(said)


def _tells_of_somebody(said: str, lead: float) -> bool:
    """Whether the first words say that somebody outside the family is meant: 「職場の後輩のことで」「大家ですねん」."""
    if lead < 0 and _OWN.search(said):
        return False
    if any(lead >= least and pattern.search(_first(where, said)) for pattern, where, least in _HINTS):
        return True
    first = _first(_FIRST_SENTENCE, said)
    return lead >= _NEIGHBOUR_LEAD and bool(_NEIGHBOUR_IS.search(first)) and not _NUISANCE.search(said)


def _is_put_upon(said: str, lead: float) -> bool:
    """Whether a neighbour is named for what they do to the writer: 「隣の旦那さんが毎晩うるさくて眠れません」."""
    if lead < _SURE_LEAD and _OWN.search(said):
        return True
    named = _NEIGHBOUR_IS.search(_first(_FIRST_SENTENCE, said))
    done = named and _DONE_TO_ME.search(said) and _I_MIND.search(said)
    return bool(done) and not _FOR_THEM.search(said)


def _first(sentences: re.Pattern[str], said: str) -> str:
    greeting = _GREETING.match(said.lstrip())
    found = sentences.match(said.lstrip()[greeting.end() if greeting else 0 :])
    return found.group() if found else ""


def _lead_of_others(odds: Floats) -> float:
    of: dict[str, float] = dict(zip(SPEAKERS, odds.tolist(), strict=True))
    return max(of[who] for who in ABOUT_OTHERS) - max(of[who] for who in SPEAKERS if who not in ABOUT_OTHERS)

"""The plain words of danger in the languages that nothing else here reads, and what makes them harmless.

Nobody of a mother tongue has checked them yet (docs/languages.md). Idioms are taken out of a sentence before it is
searched, so that 「累死了，不想活了」 still alarms. Each language is only looked for in its own letters.
"""

# ruff: noqa: E501 - a pattern is read best in one piece; the letters are those of their languages

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.understanding.assessment import LEVELS, Urgency
from bot.understanding.clauses import MAX_LENGTH, trim

_SENTENCE = re.compile(r"[^.!?。！？．।॥\n…]+")
_KANA, _HAN = re.compile("[ぁ-ゖァ-ヺ]"), re.compile("[一-鿿]")
_LATIN, _HANGUL, _DEVANAGARI = re.compile("[a-z]{2}"), re.compile("[가-힣]"), re.compile("[\u0900-\u097f]")


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language: the letters it is looked for in, and beside which not; its idioms; its signs."""

    letters: re.Pattern[str]
    harmless: re.Pattern[str]
    signs: tuple[tuple[str, str, re.Pattern[str]], ...]
    never_beside: re.Pattern[str] | None = None

    def is_in(self, sentence: str) -> bool:
        return bool(self.letters.search(sentence)) and not (self.never_beside and self.never_beside.search(sentence))


def more_urgent(told: Urgency, text: str) -> Urgency:
    """`told`, or what these words tell where that is more; kinds add up. Its quote is the sentence that tells it."""
    text = text[:MAX_LENGTH]
    plain = _plain(text)
    tongues = [tongue for tongue in TONGUES if tongue.letters.search(plain)]
    found = [
        (LEVELS.index(level), kind, trim(sentence.group()))
        for sentence in _SENTENCE.finditer(text)
        for level, kind in _of_sentence(sentence.group(), tongues)
    ]
    if not found:
        return told
    found.sort(key=lambda one: -one[0])
    kinds = tuple(dict.fromkeys((*told.kinds, *(kind for _, kind, _ in found))))
    level, _, quote = found[0]
    return Urgency(LEVELS[level], kinds, quote) if level > LEVELS.index(told.level) else replace(told, kinds=kinds)


def _of_sentence(sentence: str, tongues: Sequence[Tongue]) -> list[tuple[str, str]]:
    plain = _plain(sentence)
    return [
        (level, kind)
        for tongue in tongues
        if tongue.is_in(plain)
        for left in [tongue.harmless.sub(" ~ ", plain)]
        for kind, level, pattern in tongue.signs
        if pattern.search(left)
    ]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def _tongue(
    letters: re.Pattern[str], harmless: str, *signs: tuple[str, str, str], never_beside: re.Pattern[str] | None = None
) -> Tongue:
    compiled = tuple((kind, level, re.compile(pattern)) for kind, level, pattern in signs)
    return Tongue(letters, re.compile(harmless), compiled, never_beside)


_EN_WHO = r"husband|wife|boyfriend|girlfriend|partner|fianc[eé]e?|ex|he|she"
_EN_HITS = r"hits?|beats?|beating|hitting|punch(?:es|ed|ing)?|kick(?:s|ed|ing)?|chok(?:es?|ed|ing)|slap(?:s|ped|ping)?|strangl(?:es?|ed|ing)"

ENGLISH = _tongue(
    _LATIN,
    r"(?:can'?t|cannot|could(?:n'?t| not)) (?:even )?breathe?.{0,25}(?:laugh\w*|lol|haha\w*|lmao)|(?:laugh\w*|lol|haha\w*|lmao|funny).{0,30}(?:breathe|dying|dead|die\b)|"
    r"(?:dying|die|died) (?:of|from) (?:laugh\w+|boredom|embarrassment|shame|curiosity|heat|cold)|dying to \w+|to die for|(?:battery|phone|plant|tree)s? (?:is|are|was|were) (?:dying|dead)|"
    r"(?:don'?t|do not|never|didn'?t|not) (?:really |ever )?(?:want(?:ed)?|going|wanna|thinking|thought)(?: to| about| of)? (?:die|dying|kill\w*|suicide)|not suicidal|"
    r"(?:hits?|beats?|beating|kicks?|kicked|punch(?:es|ed)?) (?:me|us|my \w+) (?:at|in) (?:chess|tennis|cards?|games?|the game|a game|a race|football|soccer|ping.?pong|shogi|mario\w*)|"
    r"cut (?:myself|my (?:finger|thumb)) (?:while |when )?(?:shaving|cooking|chopping|by accident)|(?:suicide squad|suicide prevention)|unconscious bias|"
    r"(?:nothing|no food|don'?t have any food) (?:to eat )?in the fridge.{0,40}|no food allerg\w+|nowhere to go (?:this|on|for) (?:weekend|holiday|vacation|the weekend)",
    ("suicide", "urgent", r"\b(?:want|wanna|wish i could|going|gonna|planning|ready|decided|thinking (?:about|of)|thought (?:about|of)|feel like)(?: to)? (?:die|dying|just die|kill(?:ing)? myself|end(?:ing)? (?:my life|it all))\b"),
    ("suicide", "urgent", r"\b(?:kill(?:ing)? myself|suicid\w*|end my (?:own )?life|take my (?:own )?life|better off dead|(?:don'?t|do not) want to (?:live(?! (?:here|there|in|with|near|at|on|alone|like)\b)|be alive|be here anymore|wake up)|no reason to live|can'?t go on living|wish i (?:was|were) dead|tired of living)\b"),
    ("suicide", "immediate", r"\b(?:die|kill myself|end (?:it all|my life)) (?:tonight|today|now|right now)\b|\b(?:tonight|right now|today) (?:i|i'm|i am|i'll|i will) .{0,15}(?:die|kill myself|end (?:it|my life))\b|\b(?:suicide|goodbye) note\b|\btook (?:all|a lot of|too many)(?: of)?(?: the| my)? (?:pills|medicine|tablets)\b|\b(?:on|at) (?:the|a) (?:edge of (?:the|a) )?(?:bridge|roof).{0,30}\b(?:jump|die|end)\b"),
    ("self_harm", "urgent", r"\b(?:cut|cutting|hurt|hurting|burn|burning) (?:myself|my (?:arms?|wrists?))\b"),
    ("dv", "urgent", rf"\b(?:{_EN_WHO})\b.{{0,25}}\b(?:{_EN_HITS}) (?:me|us)\b|\b(?:{_EN_WHO})\b.{{0,25}}\b(?:(?:wants|threatens|threatened|going) to|will) kill me\b|\b(?:i am|i'm|i was|i get|getting|being|been) (?:beaten|hit|choked|strangled|punched)\b.{{0,12}}\bby my (?:husband|wife|boyfriend|girlfriend|partner|ex)\b|\bdomestic (?:violence|abuse)\b|\bafraid of my (?:husband|boyfriend|partner)\b"),
    ("child_abuse", "urgent", rf"\b(?:dad|daddy|mom|mommy|mum|father|mother|stepfather|stepmother|stepdad|parents)\b.{{0,20}}\b(?:{_EN_HITS}) (?:me|us)\b|\b(?:{_EN_HITS}) (?:my|our|the|his|her) (?:little |own )?(?:son|daughter|child|children|kids?|baby)\b"),
    ("sexual_violence", "urgent", r"\b(?:raped?|rapes|sexually (?:abus|assault|harass)\w+|molest\w+|forced me to have sex)\b"),
    ("no_food", "urgent", r"\b(?:(?:have|got|there'?s|with) (?:no|nothing)|nothing|no|don'?t have(?: any| enough)?|ran out of|out of|can'?t (?:buy|afford|get))(?: more| left| money for| enough)? (?:any )?(?:food|to eat|groceries|formula|milk for)\b|\b(?:haven'?t|hasn'?t|have not|not) eaten (?:anything )?(?:for|in|since) .{0,8}(?:days?|yesterday|two|three)\b|\bno money.{0,25}\b(?:food|eat)\b|\b(?:kids?|children|baby|son|daughter)\b.{0,12}\bstarving\b"),
    ("no_shelter", "urgent", r"\b(?:nowhere|no place|don'?t have (?:a place|anywhere|any place)) (?:to (?:sleep|stay|live|go)|left to go)\b|\b(?:i am|i'm|we are|we're|became|become) homeless\b|\b(?:kicked|threw|thrown|kicking) (?:me|us) out\b|\b(?:kicked|thrown) out of (?:the|my|our) (?:house|home|apartment|room|flat)\b|\b(?:been|was|were|got|being) evicted\b|\bsleep(?:ing)? (?:in (?:my|the|a|our) car|on the streets?|outside|rough|in (?:a|the) park|at (?:a|the) station)\b"),
    ("utilities_cut", "urgent", r"\b(?:electricity|power|gas|water)\b.{0,12}\b(?:was|were|been|is|got|are)\b.{0,9}\b(?:cut|shut|turned|switched) off\b|\bthey (?:have )?(?:cut|shut|turned) off (?:the|our|my) (?:electricity|power|gas|water)\b"),
    ("medical_emergency", "immediate", r"\b(?:can'?t|cannot|can not) breathe\b|\b(?:not|stopped) breathing\b|\bunconscious\b|\b(?:won'?t|doesn'?t|can'?t) wake (?:up|him|her)\b|\b(?:strong |bad )?chest pain\b|\bhaving a (?:stroke|seizure)\b|\bbleeding (?:a lot|badly|heavily)\b|\bbleeding (?:won'?t|doesn'?t) stop\b|\bswallowed (?:poison|bleach|pills|a battery)\b"),
    ("medical_emergency", "urgent", r"\b(?:no|out of|without)(?: any| more| my)? (?:insulin|dialysis)\b"),
    ("harm_to_others", "urgent", r"\b(?:want|going|gonna|might|will|afraid i'?(?:ll| will)?|about)(?: to)? (?:kill|stab|strangle|hurt) (?:him|her|them|someone|somebody|my (?:husband|wife|son|daughter|child|children|kids?|baby|mother|father|mom|dad))\b"),
)  # fmt: skip

CHINESE = _tongue(
    _HAN,
    r"(?:想|爱|愛)死(?:你|我|他|她|您|大家|了你)|(?:笑|累|热|熱|冷|气|氣|烦|煩|吓|嚇|困|忙|美|羞|丢|臭|吵|酸|辣|甜|疼|乐|高兴|开心|饿|餓|渴|胖)死(?:了|我了|人了?|个人|啦)?|死(?:机|党|板|角|宅|记硬背)|"
    r"(?:不想|没想|没有想|從?没想过|没想过|不会|不會)(?:要|过)?(?:去)?(?:死|自杀)|自杀(?:小队|预防)|笑得.{0,8}(?:呼吸|喘)\S{0,4}|(?:电影|小说|电视剧|游戏)里.{0,30}|冰箱里.{0,12}(?:没有|没什么).{0,4}吃的|这家店.{0,12}没.{0,4}吃的|打我(?:电话|手机|微信)|(?:周末|假期|放假).{0,6}没(?:有)?地方去",
    ("suicide", "urgent", r"想(?:去)?死|不想(?:再)?活|活不下去|自杀|轻生|寻死|结束(?:自己的?)?生命|结束自己|了结自己|死了算了|活着没(?:有)?(?:意思|意义)|不如死了|想(?:要)?消失"),
    ("suicide", "immediate", r"(?:今晚|今天|现在|马上|今夜).{0,8}(?:去死|想死|要死|自杀|跳楼|结束生命)|要跳楼|想跳楼|遗书|上吊|吞了.{0,4}药|吃了(?:很多|一瓶|整瓶|大量|好多)(?:安眠)?药"),
    ("self_harm", "urgent", r"割(?:了)?(?:腕|手腕|自己)|自残|伤害自己"),
    ("dv", "urgent", r"(?:丈夫|老公|妻子|老婆|男朋友|男友|女朋友|前夫|同居)\S{0,10}(?:打(?:我|了我|人|骂)|揍我|掐我|踢我|家暴|杀了?我|威胁我)|(?:被|遭)(?:丈夫|老公|男朋友|男友|前夫|老婆|妻子).{0,6}(?:打|揍|掐|踢)|家暴|家庭暴力"),
    ("child_abuse", "urgent", r"(?:爸爸|妈妈|父亲|母亲|爸|妈|继父|后爸|父母)\S{0,8}(?:打我|打了我|揍我|虐待|不给我?饭)|打(?:了)?(?:孩子|小孩|儿子|女儿|宝宝)|虐待(?:孩子|儿童|儿子|女儿)"),
    ("sexual_violence", "urgent", r"强奸|强暴|性侵|性骚扰|猥亵"),
    ("no_food", "urgent", r"没(?:有)?(?:东西|饭|什么|钱吃|钱买)\S{0,3}吃|没(?:有)?(?:饭吃|吃的|食物|米|奶粉|粮食)|没钱(?:吃饭|买(?:吃的|饭|米|奶粉|菜))|(?:几|两|三|好几)天没(?:有)?吃|吃不(?:上|起)饭|买不起(?:吃的|米|奶粉|食物)|饿着肚子"),
    ("no_shelter", "urgent", r"没(?:有)?地方(?:住|睡|去|可去|可住)|无家可归|没(?:有)?家可回|流落街头|露宿|睡(?:在)?(?:大街|马路|公园|车里|车站|街上)|(?:被|把我)?(?:赶|撵)(?:出|了出)(?:家|来|去|门)"),
    ("utilities_cut", "urgent", r"(?:被|给)?(?:断|停)(?:了)?(?:水|电|气|煤气)了|(?:水|电|煤气|燃气)(?:都)?(?:被|给)?(?:断|停)了"),
    ("medical_emergency", "immediate", r"(?:不能|无法|没法|喘不上|喘不过|不会)(?:呼吸|气)|呼吸不(?:了|上)|没有?呼吸|停止呼吸|没有?意识|失去意识|昏迷|昏倒|晕倒|叫不醒|胸口(?:很|好|非常)?(?:痛|疼)|抽搐|血止不住|流血不止|流了很多血"),
    ("harm_to_others", "urgent", r"(?:想|要|会)(?:杀|杀死|捅|掐死|伤害)(?:了|死)?(?:他|她|孩子|丈夫|老公|老婆|妈|爸|儿子|女儿|人)"),
    never_beside=_KANA,
)  # fmt: skip

_KO_HITS = r"때려|때리|때렸|때립|맞았|맞고 ?있|맞고 ?살|폭행|폭력|목을 ?조|목을 ?졸|발로 ?차"

KOREAN = _tongue(
    _HANGUL,
    r"(?:배고파|웃겨|더워|추워|졸려|피곤해|보고 ?싶어|힘들어|심심해|바빠|귀여워|무서워|좋아|쪽팔려|창피해)서? ?(?:죽겠|죽을|죽는 ?줄)\S*|웃겨 ?죽\S*|죽을 ?만큼 ?\S+|죽고 ?싶지(?:는|도)? ?않\S*|자살골|죽여 ?(?:준다|주네|주는|줘요|줍니다)\S*|"
    r"(?:웃겨|웃어|웃느라|웃다가).{0,10}숨\S* ?(?:못|막|안|쉴).{0,6}|숨 ?막히(?:게|는|도록) ?\S+|(?:냉장고|메뉴).{0,12}먹을 ?(?:것|게|거)\S* ?없\S*|(?:주말|휴일|방학|연휴).{0,10}갈 ?(?:곳|데)\S* ?없\S*|(?:영화|소설|드라마|게임)(?:에서|속).{0,30}",
    ("suicide", "urgent", r"죽고 ?싶|자살|살고 ?싶지 ?않|살기 ?(?:가 ?)?싫|사라지고 ?싶|목숨을 ?끊|죽는 ?게 ?(?:나|낫)|죽어 ?버리고|극단적(?:인)? ?선택|살 ?이유가 ?없|더 ?(?:이상 ?)?(?:못 ?살겠|살 ?수 ?없)"),
    ("suicide", "immediate", r"(?:오늘|지금|오늘 ?밤|내일).{0,8}(?:죽을 ?거|죽으려|죽겠습니다|자살|뛰어내릴)|유서|목을 ?매|뛰어내리(?:려|고 ?싶|겠)|약을 ?(?:많이|다|모두|전부) ?먹었"),
    ("self_harm", "urgent", r"자해|손목을 ?(?:그|긋|베)|자신을 ?(?:다치게|상처)"),
    ("dv", "urgent", rf"(?:남편|아내|남자 ?친구|남친|여자 ?친구|여친|전남편|전 남편|애인|동거인)\S{{0,3}}.{{0,12}}(?:{_KO_HITS}|죽이겠다|죽인다고)|(?:가정|데이트) ?폭력"),
    ("child_abuse", "urgent", rf"(?:아빠|엄마|아버지|어머니|새아빠|새엄마|계부|계모|부모님?)\S{{0,3}}.{{0,10}}(?:{_KO_HITS})|(?:아이|아들|딸|아기)(?:를|을|한테|에게)? ?(?:자꾸 ?|또 ?)?(?:때려|때리|때렸|때립)|학대"),
    ("sexual_violence", "urgent", r"성폭행|성폭력|강간|성추행"),
    ("no_food", "urgent", r"먹(?:을|일) ?(?:것|게|거|음식|쌀|밥)?(?:이|가|도)? ?(?:하나도 ?|아무것도 ?)?(?:없|떨어졌)|(?:며칠|이틀|사흘|어제부터).{0,10}(?:못 ?먹|굶)|굶고 ?있|굶었|(?:분유|쌀|음식|먹을 ?것).{0,6}살 ?돈\S? ?없"),
    ("no_shelter", "urgent", r"(?:잘|갈|살|머물|지낼) ?(?:곳|데|집)(?:이|가|도|은)? ?없|노숙|(?:집|방)에서 ?쫓겨|쫓겨났"),
    ("utilities_cut", "urgent", r"(?:전기|가스|수도|물)(?:가|이|도)? ?.{0,4}(?:끊겼|끊어졌|끊겨|끊긴)"),
    ("medical_emergency", "immediate", r"숨을? ?(?:못 ?쉬|쉴 ?수 ?(?:가 ?)?없|안 ?쉬)|숨이 ?(?:안 ?쉬어|막혀|멎)|의식(?:이|을)? ?(?:없|잃)|쓰러졌|쓰러져서|피가 ?(?:안 ?멈|멈추지)|가슴이 ?(?:너무 ?|심하게 ?)?(?:조여|쥐어)|발작을?"),
    ("harm_to_others", "urgent", r"(?:죽이고|찌르고|해치고) ?싶|죽여 ?버리(?:고|겠)"),
)  # fmt: skip

_VI_WHO = r"(?:chồng|vợ|bạn trai|bạn gái|người yêu|anh ấy|anh ta|chồng cũ)"

VIETNAMESE = _tongue(
    _LATIN,
    r"(?:buồn cười|cười|đói|nóng|lạnh|mệt|ngon|thèm|vui|sợ|ngại|xấu hổ|yêu|thích|bận|nhớ) (?:muốn |đến |gần |sắp |phát )?chết(?: đi được| mất| luôn| được)?|chết cười|(?:không|chưa) (?:hề )?muốn chết|cười.{0,15}(?:không thở|ngất|khó thở|thở không)\S*(?: được| nổi)?|ngất ngây|"
    r"(?:đánh|đá) (?:bóng|cờ|bài|răng|máy|giá|cầu|đàn|trống|vần|thức|golf|bi)|tủ lạnh.{0,25}|(?:trong|bộ) (?:phim|truyện|game).{0,30}|(?:cuối tuần|ngày nghỉ).{0,15}(?:không|chẳng) (?:có|biết) (?:chỗ|nơi)(?: nào)?(?: để)? đi",
    ("suicide", "urgent", r"\bmuốn chết\b|\btự (?:tử|sát|vẫn)\b|không (?:còn )?(?:muốn|thiết) sống|chết (?:đi )?(?:cho|còn|thì) (?:xong|rồi|hơn)|kết thúc (?:cuộc đời|cuộc sống|mạng sống)|\bchán sống\b|muốn biến mất|\bmuon chet\b|\bkhong muon song\b"),
    ("suicide", "immediate", r"(?:đêm nay|tối nay|hôm nay|bây giờ|ngay bây giờ).{0,15}(?:sẽ chết|muốn chết|tự tử|tự sát|kết thúc)|\bnhảy (?:lầu|cầu|sông)\b|thư tuyệt mệnh|\btreo cổ\b|(?:uống|đã uống) (?:hết|cả|rất nhiều|cả lọ|nhiều) .{0,8}thuốc ngủ"),
    ("self_harm", "urgent", r"\b(?:cắt|rạch) (?:cổ )?tay\b|tự làm (?:đau|hại) (?:bản thân|mình)|tự hại"),
    ("dv", "urgent", rf"\b{_VI_WHO}\b.{{0,18}}\b(?:đánh|đấm|đá|tát|bóp cổ|bạo hành|dọa giết|đòi giết)\b|\bbị {_VI_WHO}.{{0,8}}\b(?:đánh|đập|bạo hành)\b|bạo lực gia đình|\bbạo hành\b|\bchong .{{0,8}}danh (?:toi|em)\b"),
    ("child_abuse", "urgent", r"\b(?:bố|ba|cha|mẹ|dượng|mẹ kế)\b.{0,12}\b(?:đánh|đập|bạo hành|bỏ đói) (?:em|con|tôi|cháu|đập)\b|\bđánh (?:đập )?(?:con|đứa bé|đứa trẻ|bé|trẻ em)\b"),
    ("sexual_violence", "urgent", r"hiếp dâm|cưỡng (?:hiếp|bức)|xâm hại|quấy rối tình dục|lạm dụng tình dục"),
    ("no_food", "urgent", r"\b(?:không|chẳng|hết)(?: còn| có)?(?: gì| tiền| cái gì| đồ| tiền mua)?(?: để| mà)? (?:ăn\b(?! kiêng| cay| thịt| được| gì| cơm)|đồ ăn|thức ăn|gạo\b|sữa cho)|\bkhông có (?:cơm|gì) (?:để |mà )?ăn\b|nhịn đói|(?:mấy|hai|ba|nhiều) ngày.{0,12}(?:không|chưa)(?: được| có gì)? ăn|\bkhong co (?:gi|tien).{0,6} an\b"),
    ("no_shelter", "urgent", r"\b(?:không|chẳng)(?: còn| có)+ (?:chỗ|nơi|nhà)(?: nào)?(?: để)? ?(?:ở|ngủ|đi|về)\b|\bbị đuổi (?:ra )?(?:khỏi )?(?:nhà|phòng)|vô gia cư|ngủ (?:ngoài đường|ở công viên|trong xe|ngoài công viên|ở ga)"),
    ("utilities_cut", "urgent", r"\bbị cắt (?:điện|nước|ga|gas)\b|\b(?:điện|nước|ga|gas) (?:đã |vừa )?bị cắt\b"),
    ("medical_emergency", "immediate", r"không (?:thể )?thở|thở không được|ngừng thở|bất tỉnh|\bngất xỉu\b|hôn mê|co giật|đau (?:thắt )?ngực|chảy máu (?:nhiều|không ngừng|không cầm)|gọi không dậy"),
    ("harm_to_others", "urgent", r"(?:muốn|sẽ|định) (?:giết|đâm) (?:chồng|vợ|con|nó|hắn|người|mẹ|bố|anh ta|cô ta)"),
)  # fmt: skip

_PT_WHO = r"(?:marido|esposo|esposa|mulher|namorad[oa]|companheir[oa]|ex|ele|ela)"

PORTUGUESE = _tongue(
    _LATIN,
    r"morr\w+ de (?:rir|sono|calor|frio|vergonha|saudades?|medo|vontade|amor|cansaço|inveja|tédio|curiosidade)|me mat\w+ de (?:rir|trabalhar|estudar|tanto)|n[ãa]o (?:quero|queria|vou|penso em) (?:morrer|me matar)|de morrer|matar (?:aulas?|a saudade|saudades?|a fome|o tempo)|esquadr[ãa]o suicida|"
    r"bateu (?:uma )?(?:saudade|fome|sono|vontade)|bat(?:e|er|eu) (?:papo|palmas?)|me (?:bate|bateu|ganha) (?:no|na|em) (?:jogo|xadrez|videogame|corrida|futebol)|(?:rir|rindo|risada|ri tanto).{0,25}respirar|respirar de (?:tanto )?rir|desmai\w+ de (?:rir|sono|cansaço|vontade)|geladeira.{0,25}|(?:filme|novela|livro|jogo).{0,30}",
    ("suicide", "urgent", r"\b(?:quero|queria|vontade de|preferia|melhor) (?:s[óo] )?morrer\b|\bme matar\b|\bsuic[íi]d\w*|acabar com (?:a )?minha vida|tirar (?:a )?minha (?:pr[óo]pria )?vida|n[ãa]o quero mais viver|n[ãa]o (?:aguento|tenho vontade de)(?: mais)? viver|sumir d(?:este|esse|o) mundo|cansad[oa] de viver"),
    ("suicide", "immediate", r"\b(?:hoje|agora|esta noite|essa noite)\b.{0,12}\b(?:vou morrer|quero morrer|me matar|acabar com (?:tudo|minha vida))|\bme matar (?:hoje|agora)|carta de despedida|tomei (?:todos|muitos|um monte d\w+|v[áa]rios).{0,8}(?:rem[ée]dios|comprimidos)|vou me (?:jogar|enforcar)"),
    ("self_harm", "urgent", r"\bme cort(?:o|ei|ando)\b(?! (?:cozinhando|fazendo|sem querer|com papel))|me machuco de prop[óo]sito|cortar os pulsos"),
    ("dv", "urgent", rf"\b{_PT_WHO}\b.{{0,20}}\b(?:me (?:bat\w+|agred\w+|espanc\w+|enforc\w+|ameaç\w+|ameac\w+|chut\w+|soc\w+)|bat\w+ em mim|(?:quer|vai) me matar)|\bapanh(?:o|ei|ando) d[oae]\b|viol[êe]ncia dom[ée]stica|medo d[oe] meu marido"),
    ("child_abuse", "urgent", r"\b(?:pai|m[ãa]e|padrasto|madrasta|pais)\b.{0,12}\b(?:me (?:bat\w+|espanc\w+)|bat\w+ em mim)|\b(?:bat\w+|espanc\w+|agred\w+) (?:no|na|nos|nas|em|o|a)? ?(?:meu|minha|meus|minhas|nosso|nossa)? ?(?:filh\w+|crian[çc]\w+|beb[êe])\b"),
    ("sexual_violence", "urgent", r"\bestupr\w+|abus\w+ sexual\w*|abusou de mim|viol[êe]ncia sexual|ass[ée]dio sexual"),
    ("no_food", "urgent", r"\b(?:n[ãa]o (?:tenho|temos|tem|h[áa])|sem|acabou)(?: mais| a| o| nada)* (?:o que comer|que comer|comida(?! (?:picante|italiana|japonesa))|dinheiro (?:para|pra) (?:comer|comida|comprar comida)|leite (?:para|pra))|nada (?:para|pra) comer|\bpass(?:o|a|amos|am|ando|ei) fome\b|(?:dias|ontem)\b.{0,12}\bsem comer|n[ãa]o com(?:o|emos|i|eu)\b.{0,12}\bdias"),
    ("no_shelter", "urgent", r"\b(?:n[ãa]o (?:tenho|temos|h[áa])|sem)(?: mais| um| nenhum)* ?(?:lugar (?:para|pra)|onde) (?:dormir|morar|ficar|viver|ir)\b|\bsem[- ]teto\b|\bmor(?:o|ando|amos) na rua|\bdorm\w+ (?:na rua|no carro|no parque|na esta[çc][ãa]o)|expuls\w+ de casa|\bdespejad[oa]s?\b|colocou (?:para|pra) fora de casa"),
    ("utilities_cut", "urgent", r"\bcortaram (?:a |o |nossa |minha )?(?:luz|[áa]gua|g[áa]s|energia)|\b(?:luz|[áa]gua|g[áa]s|energia) (?:foi |est[áa] )?cortad[ao]"),
    ("medical_emergency", "immediate", r"n[ãa]o (?:consigo|consegue|estou conseguindo|est[áa] conseguindo) respirar|parou de respirar|n[ãa]o (?:est[áa] )?respira(?:ndo)?\b|\bdesmai(?:ou|ei)\b|\binconsciente\b|dor (?:muito )?(?:forte )?no peito|convuls\w+|\binfarto\b|sangr\w+ muito|n[ãa]o p[áa]ra de sangrar|n[ãa]o acorda\b"),
    ("harm_to_others", "urgent", r"\b(?:quero|vou|vontade de|medo de) (?:matar|esfaquear|machucar) (?:ele|ela|algu[ée]m|meu (?:marido|filho|pai)|minha (?:mulher|esposa|filha|m[ãa]e))\b"),
)  # fmt: skip

_TL_HITS = r"binubugbog|binugbog|sinasaktan|sinaktan|sinusuntok|sinuntok|sinasakal|sinakal|pinapalo|hinahampas|sinisipa"

FILIPINO = _tongue(
    _LATIN,
    r"(?:patay|mamamatay|mamatay|namatay|namamatay)(?: na)?(?: po)?(?: ako| kami)? (?:sa|kaka)[ -]?(?:tawa|gutom|hiya|inip|kilig|init|lamig|tatawa)\w*|(?:ayaw ko|ayoko|ayaw)(?: po)?(?: pa)?(?:ng)? mamatay|(?:papatayin|patayin)(?: ko)?(?: na| po| muna)* (?:ang|yung|iyong) (?:ilaw|tv|telebisyon|aircon|makina|cellphone|electric fan|kalan|computer)|"
    r"(?:tawa|tatawa|kakatawa|natatawa)\w*.{0,20}makahinga|makahinga.{0,15}(?:tawa|kakatawa)\w*|(?:sa ref|sa menu).{0,25}|walang pagkain sa (?:ref|menu).{0,25}|(?:sa pelikula|sa teleserye|sa laro).{0,30}|(?:weekend|bakasyon).{0,12}walang mapuntahan|walang mapuntahan.{0,8}(?:weekend|bakasyon)",
    ("suicide", "urgent", r"\bgusto ko(?:ng)?(?: na| po| nang| pong)* ?(?:mamatay|mawala na)|\bmagpakamatay|\bmagpapakamatay|\bnagpapakamatay|\b(?:ayaw ko|ayoko)(?: na| po| nang| nang)*(?:ng)? mabuhay|tapusin (?:ko )?(?:na )?(?:ang )?(?:aking )?buhay|wala nang (?:saysay|kwenta|kuwenta) ang buhay|mas mabuti pa(?:ng)? mamatay"),
    ("suicide", "immediate", r"\b(?:ngayong gabi|ngayon|mamaya)\b.{0,15}(?:magpapakamatay|magpakamatay|gusto ko na(?:ng)?(?: po(?:ng)?)? mamatay)|(?:magpapakamatay|magpakamatay).{0,20}\b(?:ngayong gabi|ngayon|mamaya)\b|\bmagbibigti|\bininom ko (?:ang )?lahat ng gamot|\btatalon (?:na )?ako sa (?:tulay|bubong|bintana)"),
    ("self_harm", "urgent", r"\b(?:hinihiwa|sinusugatan|sinasaktan|nilalaslas) ko (?:po )?(?:ang )?(?:sarili|pulso|braso)|\bnaglaslas|\blaslas"),
    ("dv", "urgent", rf"\b(?:asawa|mister|misis|boyfriend|girlfriend|nobyo|kinakasama|live-in|partner|ex)\b.{{0,20}}\b(?:{_TL_HITS}|papatayin (?:niya )?ako)|\b(?:{_TL_HITS})(?: po)?(?: na)?(?: ako)?(?: po)?(?: ng)?(?: aking)? (?:asawa|mister|boyfriend|kinakasama|partner|nobyo)|\b(?:{_TL_HITS}) niya (?:po )?ako"),
    ("child_abuse", "urgent", rf"\b(?:tatay|nanay|papa|mama|ama|ina|amain|madrasta|magulang)\b.{{0,15}}\b(?:{_TL_HITS})|\b(?:{_TL_HITS})(?: po)?(?: niya| nila| ako)?(?: po)?(?: ng| ang| ni)?(?: aking| mga)? (?:anak|bata|tatay|nanay|papa|mama)"),
    ("sexual_violence", "urgent", r"\bginahasa|\bni-?rape|\bhinipuan|\bminolestiya|\bpanggagahasa|\binabuso"),
    ("no_food", "urgent", r"\bwala(?:ng)?(?: na| po(?:ng)?| kami(?:ng)?| ako(?:ng)?| nang)* ?(?:pagkain|makain|makakain|bigas|pangkain|pambili ng (?:pagkain|bigas|gatas)|gatas)|\b(?:ilang|dalawang|tatlong) araw.{0,12}(?:hindi|di|walang).{0,8}(?:kumakain|nakakain|kain)|\bgutom na gutom (?:na )?(?:po )?(?:ang )?(?:mga )?(?:anak|bata)"),
    ("no_shelter", "urgent", r"\bwala(?:ng)?(?: na| po(?:ng)?| kami(?:ng)?| ako(?:ng)?| nang)* ?(?:matutulugan|matulugan|matirhan|matitirhan|matuluyan|tutuluyan|mapupuntahan|mapuntahan|uuwian|tirahan)|\bpinalayas|\bnatutulog .{0,12}(?:kalsada|kalye|parke|kotse|istasyon)"),
    ("utilities_cut", "urgent", r"\b(?:pinutulan|naputulan)(?: na| po| kami| ako)*(?: ng)? (?:kuryente|tubig|gas)|\bpinutol (?:na )?(?:po )?(?:ang )?(?:kuryente|tubig|gas)"),
    ("medical_emergency", "immediate", r"\b(?:hindi|di)(?: po| na| ako| siya)* (?:makahinga|humihinga)|\bnawalan (?:po |siya |ako )*ng malay|\bwalang malay|\bmasakit .{0,10}dibdib|\bkombulsyon|\bkinukombulsyon|\b(?:hindi|ayaw) (?:po )?(?:siya )?(?:na )?magising|\bhindi tumitigil ang (?:dugo|pagdurugo)"),
    ("harm_to_others", "urgent", r"\b(?:papatayin|sasaksakin|mapapatay) ko (?:siya|sila|ang (?:asawa|anak|tatay|nanay))|\bgusto ko(?:ng)?(?: na| po| siya(?:ng)?| nang)* ?(?:patayin|saksakin)"),
)  # fmt: skip

_NE_HITS = r"(?:पिट्|पिटे|कुट्|कुटे|कुटपिट|हान्छ|हान्नुहुन्छ|घाँटी थिच्)"

NEPALI = _tongue(
    _DEVANAGARI,
    r"हाँस(?:े|्द|ेर)\S*.{0,10}(?:म\S+|सास.{0,15})|(?:भोक|गर्मी|लाज|जाडो|निद्रा|खुशी)ले म\S+|मर्न मन (?:छैन|लाग्दैन)|मर्न चाहन्नँ?|आत्महत्या रोकथाम|(?:फिल्म|उपन्यास|कथा|गेम)मा.{0,30}|फ्रिजमा.{0,25}",
    ("suicide", "urgent", r"मर्न मन|मर्न चाहन्छु|मर्ने सोच|आत्महत्या|बाँच्न मन (?:छैन|लाग्दैन)|बाँच्न चाहन्न|बाँच्नुको (?:अर्थ|मतलब)|मरे(?:कै)? (?:हुन्थ्यो|राम्रो)|जीवन अन्त्य|बाँचेर के"),
    ("suicide", "immediate", r"(?:आज|अहिले|आज राति|भोलि).{0,10}(?:मर्छु|आत्महत्या)|झुण्डि(?:न|ए)|विष खा|सबै औषधि खा|पुलबाट हाम"),
    ("self_harm", "urgent", r"हात काट्(?:छु|दै|न मन)|आफैंलाई (?:चोट|काट|दुख)"),
    ("dv", "urgent", rf"(?:श्रीमान|श्रीमती|लोग्ने|बुढा|बुढी|प्रेमी|केटा साथी)\S*.{{0,18}}(?:{_NE_HITS}|मार्छु भन|मार्ने धम्की)|घरेलु हिंसा"),
    ("child_abuse", "urgent", rf"(?:बुबा|आमा|सौतेनी|बाबा)\S*.{{0,12}}{_NE_HITS}|(?:छोरा|छोरी|बच्चा)\S*.{{0,8}}{_NE_HITS}"),
    ("sexual_violence", "urgent", r"बलात्कार|यौन (?:हिंसा|दुर्व्यवहार|शोषण)"),
    ("no_food", "urgent", r"खाने ?(?:कुरा )?(?:केही )?(?:पनि )?(?:छैन|सकियो)|खानेकुरा (?:केही )?(?:पनि )?(?:छैन|सकियो)|खाना (?:पनि )?(?:छैन|सकियो)|खाना किन्ने पैसा|भोकै (?:छ|छौं|बस)|केही (?:पनि )?खाएको छैन|खान पाएको छैन|चामल (?:पनि )?(?:छैन|सकियो)"),
    ("no_shelter", "urgent", r"(?:सुत्ने|बस्ने|जाने) (?:ठाउँ|घर)\S* (?:पनि )?छैन|घरबाट निकाल|(?:सडक|पार्क|स्टेशन)मा (?:सुत|बस्)|घरबारविहीन"),
    ("utilities_cut", "urgent", r"(?:बत्ती|बिजुली|पानी|ग्यास)(?:को लाइन)? (?:काटि|काटे|काट्यो|काटिदि)"),
    ("medical_emergency", "immediate", r"सास (?:फेर्न|लिन) (?:सकि|सक्दि|सकेको|गाह्रो)|सास रोकि|सास फेरेको छैन|बेहोस|होस (?:छैन|हरा|गुमा)|छाती (?:धेरै |साह्रै )?दुख|रगत (?:रोकि|धेरै बग)|(?:बोलाउँदा|उठाउँदा) (?:पनि )?(?:उठ|बोल)्?दैन"),
    ("harm_to_others", "urgent", r"(?:मार्न|मारिदिन) मन|मारिदिन्छु"),
)  # fmt: skip

NEPALI_IN_LATIN = _tongue(
    _LATIN,
    r"hasera.{0,10}mar\w+|marna man (?:chh?aina|lagdaina)",
    ("suicide", "urgent", r"\bmarna man\b|\bmarna chahan?chh?u\b|\bbanchna man chh?aina\b|\baa?tmahatya\b"),
    ("dv", "urgent", r"\b(?:shriman|sriman|logne|budha)\w*\b.{0,15}\b(?:kut|pit)\w+"),
    ("no_food", "urgent", r"\bkhane ?kura (?:pani |kehi )*chh?aina\b|\bkhana (?:pani )?chh?aina\b"),
    ("no_shelter", "urgent", r"\b(?:sutne|basne) thau(?:n|m)? (?:pani )?chh?aina\b"),
)  # fmt: skip

_B = r"(?:^|(?<=[\s、。「]))(?:もう|ほんとうに|ほんとに|わたしは|ぼくは|とても)?\s*"

EASY_JAPANESE = _tongue(
    _KANA,
    r"わら(?:い|って|う)\S*\s*.{0,8}いき\S*\s*(?:でき|くるし)\S*|(?:しに|きえ)たく\s*(?:ない|ありません)|れいぞうこ.{0,20}|(?:えいが|ゲーム|ものがたり|まんが)\S*.{0,20}",
    ("suicide", "urgent", rf"{_B}(?:しにたい|シニタイ|きえたい|いなくなりたい)(?:\s|です|$|と|。)|いきて\s*(?:いたく|いたくは)\s*(?:ない|ありません)|いきるのが?\s*(?:つらい|いや)|じさつ\s*(?:したい|しようと)"),
    ("suicide", "immediate", r"(?:こんや|きょう|いま|これから)\s*(?:しにます|しぬ|しのうと|しにたい)|くすりを?\s*(?:ぜんぶ|たくさん)\s*のみました"),
    ("dv", "urgent", r"(?:おっと|だんな|つま|かれし|かれ|パートナー)(?:に|が|から)\s*.{0,8}(?:たたか|なぐ|け(?:ら|り)|ぶた|ころす|くび(?:を|も)\s*しめ)"),
    ("child_abuse", "urgent", r"(?:おとうさん|おかあさん|ちち|はは|パパ|ママ|おや)(?:に|が|から)\s*.{0,8}(?:たたか|たたき|なぐ|けら|けり|ぶた|ごはんを\s*くれ)"),
    ("no_food", "urgent", r"(?:たべもの|たべる\s*もの|ごはん|おこめ|ミルク)(?:が|も|は)\s*(?:ない|ありません|なくなりました|かえません)|なにも\s*たべて\s*(?:いません|いない|ない|ません)"),
    ("no_shelter", "urgent", r"(?:ねる|すむ|とまる|いく|かえる)\s*(?:ところ|いえ|ばしょ)(?:が|も|は)\s*(?:ない|ありません)|いえを\s*おいださ|(?:そと|こうえん|くるま|えき)で\s*ねて"),
    ("utilities_cut", "urgent", r"(?:でんき|ガス|がす|すいどう|みず)(?:が|も)\s*(?:とまり|とまって|とめられ)"),
    ("medical_emergency", "immediate", r"いき(?:が|を|も)\s*(?:できません|できない|してい?ません|してい?ない|して\s*い(?:ません|ない))|いしきが\s*(?:ない|ありません)|たおれて\s*.{0,6}(?:うごき|おき|へんじ)|むねが\s*(?:とても\s*)?いたい|ちが\s*とまりません"),
    ("harm_to_others", "urgent", rf"{_B}ころしたい|ころして\s*しまい"),
    never_beside=_HAN,
)  # fmt: skip

TONGUES = (
    ENGLISH, CHINESE, KOREAN, VIETNAMESE, PORTUGUESE, FILIPINO, NEPALI, NEPALI_IN_LATIN, EASY_JAPANESE,
)  # fmt: skip

_LEFT = 6  # letters beside a denial: "I", "po"


def only_denied(text: str) -> bool:
    """Whether all that is said in another language than Japanese is an idiom or a denial of these words."""
    sentences = [*map(_plain, _SENTENCE.findall(text))]
    return bool(sentences) and any(
        all(tongue.is_in(one) for one in sentences)
        and len(re.findall(r"\w", "".join(tongue.harmless.sub("", one) for one in sentences))) <= _LEFT
        for tongue in TONGUES
        if tongue is not EASY_JAPANESE
    )

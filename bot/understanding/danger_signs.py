"""The words of danger: data for the screen in crisis.py. What makes them harmless stands in harmless.py."""

# ruff: noqa: E501 - a pattern is read best in one piece

from __future__ import annotations

import re
from dataclasses import dataclass

KINDS = (
    "suicide", "self_harm", "child_abuse", "dv", "elder_abuse", "disability_abuse", "sexual_violence", "no_food",
    "no_shelter", "utilities_cut", "medical_emergency", "harm_to_others",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sign:
    """`pattern` tells of danger; where `before` is given, only if that stands up to `reach` letters in front of it.

    Two patterns instead of 「夫.{0,18}殴る」: that one would be slow on a text of 5,000 夫.
    """

    kind: str
    level: str
    pattern: re.Pattern[str]
    before: re.Pattern[str] | None = None
    reach: int = 0


def _sign(kind: str, level: str, pattern: str, before: str | None = None, reach: int = 0) -> Sign:
    # Each clause is a line of its own: ^ and $ are its ends, and no pattern reaches into the next.
    compiled = re.compile(before) if before else None
    return Sign(kind, level, re.compile(pattern, re.MULTILINE), compiled, reach)


_PARTNER = r"夫|旦那|だんな|主人|彼氏|彼|元カレ|元彼|妻|嫁|パートナー|同棲相手|あの人|うちの人|husband|boyfriend|wife"
_PARENT = r"ママ|パパ|お父さん|お母さん|おとうさん|おかあさん|父|母|親|お兄ちゃん"
_CHILD = r"子ども|子供|息子|娘|赤ちゃん|赤ん坊|長男|長女|次男|次女|[0-9]歳|上の子|下の子|子"
_OLD = r"母|父|祖母|祖父|おばあちゃん|おじいちゃん|ばあちゃん|じいちゃん|利用者|高齢|[789][0-9]歳"
_BEATEN = r"(?:殴ら|なぐら|叩か|たたか|蹴ら|けら|ぶた|ひっぱたか|首を(?:絞め|しめ)ら|突き飛ばさ|投げつけら|引きずら)れ"
_TAKEN = (
    r"(?:お金|給料|生活費|通帳|カード|財布|スマホ|携帯|保険証|パスポート|鍵)[をもは、]?(?:ぜんぶ|全部|みんな)?"
    r"(?:取り?上げ|取りあげ|とりあげ|隠さ|持たせて(?:くれ|もらえ))"
)

#: Of a baby this kills, and a mother who fears it seldom names the child in the same sentence.
_SHAKES = r"(?:揺さぶ|ゆさぶ|ゆすぶ)(?:っ|り|る)[^。、\n]{0,5}(?:しま[いうっ]|ちゃ[いうっ]|そうで|そうに|たくな)"
#: Who fears for a child in their own hands is heard, whatever it resembles.
HANDS_THAT_FAIL = re.compile(rf"{_SHAKES}|心中(?:か|し(?!た映|た劇)|する)")

#: Each is looked for in one clause.
SIGNS: tuple[Sign, ...] = (
    # wanting to die
    _sign("suicide", "urgent", r"(?:死に|タヒに|たひに)た(?:い|く(?:て|なる|なっ|なり|ない訳))"),
    _sign("suicide", "urgent", r"^(?:もう|まじ|ほんと)?(?:しに|4に)たい|(?:もう|まじ|ほんと)(?:しに|4に)たい"),
    _sign("suicide", "urgent", r"消えてしまいたい|消えたい|いなくなりたい|希死念慮(?!って|とは)|楽に(?:死|逝)"),
    _sign("suicide", "urgent", r"自[殺死](?:したい|しよう|を考え|も考え|未遂|しそう|する方法)"),
    _sign(
        "suicide",
        "urgent",
        r"死(?:ぬ方法|ぬしか|ぬつもり|ぬこと(?:に(?:し|決め)|を決め)|なせて(?:ください|下さい|くれ|ほしい)|んだ(?:ほう|方)が(?:まし|マシ|いい|楽|らく)|んでしま(?:いた|おう|え)|のうと(?:思って|考えて|決め))",
    ),
    _sign(
        "suicide",
        "urgent",
        r"生き(?:てい(?:たく|とう|る意味|る価値|く自信|くのが|ても|るの(?:が|に疲))|るの(?:が|に)?(?:つらい|辛い|疲れ|しんどい|もう|嫌|いや))|(?:目が|もう)覚めなければ",
    ),
    _sign("suicide", "immediate", r"遺書(?:を|も|は|まで)?(?:書[いき]|かい|かき|用意|置[いき]|残[しす])"),
    _sign("suicide", "immediate", r"(?:ロープ|縄|練炭|薬)(?:を|は|も)?(?:もう)?(?:買っ|用意|準備|ためて|集め)"),
    _sign("suicide", "immediate", r"(?:今夜|今日|明日|これから|今から|いまから)、?(?:死(?!んだ)|逝|終わりに|おしまいに|飛び[降お])"),
    _sign(
        "suicide",
        "immediate",
        r"(?:屋上|踏切|橋の上|線路|ベランダの柵)[にへでの](?:いま|立っ|いる|います|来)|み(?:んな|なさん).{0,4}(?:今まで|いままで)?ありがとう.{0,12}(?:さよなら|さようなら|おしまい|終わり)",
    ),
    _sign("suicide", "immediate", r"(?:薬|錠剤)(?:を|、)?(?:全部|ぜんぶ|大量|たくさん|[0-9]{2,3}錠).{0,6}飲(?:ん|み)(?!き)"),
    _sign("suicide", "immediate", r"飛び降り(?:る(?!系)|ます|よう)|首を(?:吊|つ)(?:る|り|ろ)"),
    _sign("suicide", "watch", r"死(?:ねば|のう|んでもいい)|迎えに?が?来て|どうでもいい|希望が(?:ない|見えない)|生きがいがない|あの世"),
    # asking how
    _sign("suicide", "urgent", r"(?:何|なん)(?:錠|粒|階|メートル)[^。]{0,8}(?:飲|のん|落ち)[^。]{0,10}(?:起き(?:なく|ない)|死|確実|意識|効)|高さから(?:落ち|飛び)たら|苦し(?:くない|まない|まずにすむ)(?:死|逝|方法)(?!.{0,10}(?:検査|カメラ|治療|出産|注射|麻酔))|(?:海|川)に入(?:った|れ)ら何分|楽な(?:死|逝)"),
    _sign("suicide", "urgent", r"練炭(?!.{0,24}(?:こたつ|コタツ|七輪|火鉢|バーベキュー|bbq|キャンプ|焼|肉|魚))[^。]{0,16}(?:買え|一人|ひとり|足り|車)|(?:睡眠薬|眠剤|薬)を?[^。]{0,2}お?酒で[^。]{0,3}(?:飲ん|のん)だら"),
    _sign("suicide", "urgent", r"(?:電車|線路|ホーム|踏切|海|川|車道?)[にへから]{0,2}飛び込み(?:たい|たく|そう)|首(?:を)?(?:くく|括)(?:る|り|ろ|れ)(?!.{0,3}犬)"),
    _sign("suicide", "urgent", r"死のうとし(?:て|た|ま)|吸い込まれ(?:そう|たく)(?!.{0,6}(?:空|景色|瞳|目|星|青|絵))"),
    _sign("suicide", "immediate", r"首に(?:ひも|紐|縄|ロープ|コード)を?(?:かけ|巻|まい)"),
    _sign("sexual_violence", "urgent", r"(?:着替え|お?風呂|寝ているところ)を?(?:のぞ[かくい]|覗[かくい])"),
    _sign("harm_to_others", "urgent", r"(?:水|ごはん|ご飯|薬)をやらな(?:ければ|かったら|きゃ)[^。]{0,8}(?:終わ|おわ|死|逝)|(?:食事|飯|ごはん|味噌汁|お茶)に[^。]{0,4}(?:薬|毒|洗剤)を?(?:混ぜ|入れ)(?:よう|たい|てや|れば)"),
    # hurting oneself
    _sign(
        "self_harm",
        "urgent",
        r"リスカ(?!ワ|レ|ル)|リストカット|アムカ|自(?:傷|分[でを](?:傷つけ|切|殴))|\bod(?:し|、|した|\b)|オーバードーズ|壁に頭を",
    ),
    _sign("self_harm", "urgent", r"(?:手首|腕|うで|足|体)(?:を|も|また)?(?:また)?(?:傷つけ|切(?!れ|断|り傷)|きっ)"),
    # violence between partners
    _sign(
        "dv",
        "urgent",
        rf"{_BEATEN}|殴[るり]|叩く|蹴(?:る|って)|手を(?:上げ|あげ|出(?!し?たのは))|暴(?:力|れ)|首を(?!長く|かし|振)|髪を(?:引|つか)|物を投げ|刃物|包丁|怒鳴り?つけ|監視|殺[すさ]|\b(?:hits?|beats?|chokes?)\b",
        _PARTNER,
        18,
    ),
    _sign("dv", "urgent", _TAKEN, _PARTNER, 18),
    _sign("dv", "watch", r"(?:(?:見られ|読まれ|気づかれ|ばれ|バレ)(?:たら|ると|ては|ちゃ)|見つか(?:ったら|ると|っては|っちゃ))[^。、\n]{0,4}(?:困|怖|こわ|まず|大変|いけ|だめ|殺)", _PARTNER, 12),
    _sign("dv", "urgent", r"\bdv\b|ｄｖ|モラハラ夫|夫から逃げ|夫.{0,2}逃げたい"),
    _sign("dv", "immediate", r"(?:殴|蹴)られて|暴れて|包丁を", r"今|いま|さっき|これから", 10),
    _sign("dv", "immediate", r"包丁を?(?:もって|持って|振り|向け)(?!.{0,5}料理)"),
    # children
    _sign("child_abuse", "urgent", _PARENT, rf"{_BEATEN}|虐待|閉じ込め|とじこめ|締め出|しめだ|ごはんを?(?:くれない|もらえ|食べさせて)", 20),
    _sign(
        "child_abuse",
        "urgent",
        rf"{_BEATEN}|たた[くい]|叩く|なぐ[るっ]|殴る|ける(?![。、ー])|蹴る|(?:ごはん|ご飯)を?(?:くれ(?:ない|ません)|もらえ)",
        _PARENT,
        12,
    ),
    _sign(
        "child_abuse",
        "urgent",
        r"(?:叩い|たたい|殴っ|蹴っ|つねっ)て|手を(?:上げ|あげ)て|叩かれ|殴られ|あざ(?!や)|痣|虐待|揺さぶ|放置|置き去り|閉め出",
        _CHILD,
        14,
    ),
    _sign("child_abuse", "urgent", _SHAKES),
    _sign("child_abuse", "urgent", r"\b(?:hits?|beats?) me\b", r"daddy|dad|mom|mommy|father|mother", 20),
    _sign(
        "harm_to_others",
        "urgent",
        r"(?:殺し|刺し|殺め|首を(?:絞め|しめ))(?:たい|たく|そう|てしまい|てしまお|てやり|てやろ|よう)|手にかけ(?:たい|そう|てしま)|道連れに(?:し|死)|一緒に死|一家で死|心中(?!お|を)",
    ),
    _sign("harm_to_others", "urgent", r"(?:叩い|たたい|殴っ|手を出し|首を(?:絞め|しめ))てしま(?:い|う|っ)", r"子|母|父|親|夫|妻", 10),
    _sign(
        "elder_abuse",
        "urgent",
        r"殴られ|叩かれ|叩いて|たたいてしま|殴って|あざ(?!や)|痣|縛|つね[らりっ]|食べさせて(?:もらえ|い?ない)|虐待|年金を(?:取り上げ|使い込)",
        _OLD,
        30,
    ),
    _sign(
        "disability_abuse", "urgent", r"殴|叩|たたか|蹴|つね[らりっ]|縛|閉じ込め|あざ(?!や)|どな", r"施設|職員|事業所|作業所|世話人|支援員", 20
    ),
    _sign("disability_abuse", "urgent", r"殴ら|叩か|叩いて|縛|閉じ込め|虐待", r"障害|自閉|知的", 30),
    _sign(
        "sexual_violence",
        "urgent",
        r"レイプ|強姦|性(?:暴力|被害|的[なに])|無理やり(?:.{0,4}(?:された|だった|され|さわ|キス|ホテル))|(?:触ら|さわら|襲わ|おそわ)れ(?!.{0,4}た(?:猫|犬))|痴漢(?:され|に(?:あ|遭))|盗撮され|ふとんに はい",
    ),
    _sign("sexual_violence", "urgent", r"触[らっ]|さわ[らっり]", r"(?:体|からだ|胸|お尻|おしり|太もも)", 6),
    _sign("sexual_violence", "urgent", r"布団に入って", r"父|兄|叔父|おじ|男|上司|先生|彼|職員", 12),
    # need
    _sign("no_food", "urgent", r"食べてい?(?:ない|ません)|たべてない|何も食べ|水しか飲", r"(?:[二三四五六2-9]|数)日", 14),
    _sign("no_food", "urgent", r"(?:食べ(?:させ)?る|食う|たべる)(?:もの|物)[がもは、]?.{0,6}(?:ない|無い|ありません|なくな|買え|尽き|つき)"),
    _sign(
        "no_food",
        "urgent",
        r"(?:米|ミルク|食費|めし|飯|ご飯|ごはん)[がもをは]?(?:買え(?!る|ま(?:す|した))|ない$|ないです|尽き|底をつ)|水だけで|所持金が?(?:[0-9]{1,3}円|ゼロ|ありません|なし)|財布(?:に|の中).{0,4}[0-9]{1,3}円",
    ),
    _sign("no_shelter", "urgent", r"(?:泊まる|寝る|ねる|住む|帰る)(?:所|ところ|場所|とこ|家)[がもは]?(?:ない|無い|ありません|なくな)"),
    _sign("no_shelter", "urgent", r"(?:公園|駅|車|橋の下|ネットカフェ|ネカフェ|車中|路上)[でに](?:寝|ねて|暮らし|生活|泊ま|住ん)(?!.{0,6}(?:好き|趣味|楽し))"),
    _sign("no_shelter", "urgent", r"家を(?:追い出|出され)|追い出され(?:た|て|ました)|野宿|ホームレス"),
    _sign(
        "utilities_cut",
        "urgent",
        r"(?:電気|ガス|水道|水|ライフライン)[がもをと、]{0,2}(?:止め|とめ)られ|(?:電気|ガス|水道|水|ライフライン)[がも](?:止まっ|止まりました|使えな)|灯油が買え",
    ),
    # life and limb
    _sign(
        "medical_emergency",
        "immediate",
        r"(?:倒|たお)れて.{0,12}(?:返事|意識|動か|起き)|意識が(?:ない|ありません|もうろう|なくな)|(?:息|呼吸)[をが](?:してい?ない|でき(?:ない|ません)|止ま|くるしい|苦し)|(?:呼んで|ゆすって)も.{0,6}(?:起き|返事|反応)|胸が?(?:締め|しめ)つけ.{0,12}(?:しびれ|冷や汗|痛)",
    ),
    _sign("medical_emergency", "immediate", r"けいれん|痙攣|ろれつが|片側が動か|血が止まらな|誤飲|飲み込ん"),
    _sign("medical_emergency", "immediate", r"(?:人工呼吸器|酸素|吸引器).{0,14}(?:止ま|切れ|停電)|停電.{0,10}(?:人工呼吸器|酸素|吸引)"),
    _sign(
        "medical_emergency",
        "urgent",
        r"(?:インスリン|透析|心臓の薬|抗がん剤).{0,12}(?:切れ|ない|ありません|行って(?:い)?ない|行けて(?:い)?ない|やめ|打てな|抜)|水(?:分)?も(?:飲め|飲ん|とれ)",
    ),
)  # fmt: skip

#: What takes more than a clause to tell: looked for in the whole text, whose clauses are lines.
TOLD_AT_LENGTH: tuple[Sign, ...] = (
    # a child in secret
    _sign("medical_emergency", "immediate", r"(?:産んだ|生んだ|出産した)こと[^。]{0,6}(?:誰|だれ)にも|(?:部屋|トイレ|お?風呂|家)で[^。]{0,3}(?:一人|ひとり)で(?:産|生)(?:み|ん)"),
    # a plan with a time, a place, an end
    _sign("suicide", "urgent", r"(?:来[週月年]|今月末|もうすぐ|たぶん)[^。]{0,8}(?:私|わたし|俺|おれ|自分|僕|ぼく)[^。]{0,3}(?:もう)?いない(?:[。\n]|ので|から|と思)"),
    _sign("suicide", "urgent", r"(?:死んだ|逝った|おらんようになった|いなくなった)ら[^。]{0,8}保険(?:金)?(?:が|で|も)"),
    _sign("suicide", "urgent", r"最後の(?:メッセージ|ライン|line|連絡)[^。]{0,6}。?[^。]{0,12}ありがとう"),
    _sign("suicide", "urgent", r"(?:三回忌|一周忌|四十九日|納骨|墓)[^。]{0,20}そっち[^。]{0,4}(?:行|逝|い)[くきこっ]|(?:家内|妻|夫|主人|亡)[^。]{0,8}(?:ところ|とこ|そば)[へに、\n]{0,3}そろそろ"),
    _sign("suicide", "watch", r"(?:私|わたし|俺|おれ|僕|ぼく|自分|うち)(?:が|なんか|は)(?:もう)?(?:いない|おらん|居ない)(?:ほう|方)が|もう?お世話になることも(?:ない|ありません)"),
    _sign("harm_to_others", "urgent", r"(?:残して|置いて)は?(?:い[けか]|行[けか]|逝[けか])(?:ない|ません|ん)[^。]{0,3}。?[^。]{0,6}連れて(?:い|行|逝)[くこき]"),
    _sign("harm_to_others", "urgent", r"(?:二人|ふたり|一緒|親子)(?:で|に)[、\n]{0,2}楽にな(?:る|り|れ|ろ)"),
    _sign("harm_to_others", "immediate", r"(?:包丁|ナイフ|刃物)を?(?:研い|とい|買っ|持っ|用意し)[^。]{0,3}。?[^。]{0,18}(?:待って(?:い?る|ます)|待ち伏せ|会いに行)(?!.{0,6}(?:お客|注文))"),
    # those who cannot help themselves
    _sign("self_harm", "urgent", r"(?:カミソリ|かみそり|剃刀|カッター)(?:を|の刃を)[^。]{0,4}(?:集め|隠し|ためて)|腕を見せ(?:て)?くれ(?:ない|ません)"),
    _sign("elder_abuse", "urgent", r"(?:寝たきり|要介護|おむつ|認知症|ぼけ)[^。]{0,40}。?[^。]{0,6}(?:つねっ|叩い|たたい|はたい|ひっぱたい)てしま[ういっ]"),
    _sign("child_abuse", "urgent", r"(?:[0-6一二三四五六][歳さ]|赤ちゃん|子ども)[^。]{0,14}寝かせて[^。]{0,6}(?:夜の?店|店|夜勤|仕事)[^。]{0,5}(?:出|行)(?:て|って|ます)"),
    _sign("child_abuse", "urgent", r"(?:[0-6一二三四五六][歳さ]|赤ちゃん|子ども)[^。]{0,16}(?:外から(?:鍵|かぎ)|閉じこめ|閉じ込め|とじこめ)[^。]{0,14}(?:出勤|仕事|出かけ|出てき)"),
    _sign("sexual_violence", "urgent", r"(?:娘|妹|孫|中[1-3一二三]|高[1-3一二三]|1[0-7](?:歳|です)?)[^。]{0,12}(?:おじさん|男の人|知らない人|知らん人|大人)[^。]{0,4}(?:と|に)会って[^。]{0,10}お?金"),
    _sign("no_food", "watch", r"(?:おにぎり|パン|カップ麺|ラーメン|弁当)を?(?:一|ひと|1)[つ個本杯袋枚]?を?[^。]{0,4}(?:[二三四五2-5]人|みんな|家族|きょうだい)で(?:分け|わけ|半分)"),
    _sign("dv", "urgent", r"(?:怖|こわ)く?て[^。]{0,6}(?:車|外|公園|トイレ|風呂場|押し入れ)[^。]{0,5}(?:寝て|過ごし|隠れ)|(?:荒れる|暴れる|酔う|怒る)と[^。]{0,16}(?:コインランドリー|車の中|公園|ファミレス|ネットカフェ|外)で[^。]{0,4}(?:待|過ご|寝|朝まで)"),
)  # fmt: skip

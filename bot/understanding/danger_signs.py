"""The words of danger, and what makes them harmless: data for the screen in crisis.py."""

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
HANDS_THAT_FAIL = re.compile(_SHAKES)

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

# What makes a sign harmless, when it stands in the same sentence.
_IDIOM = re.compile(
    r"死(?:ぬ|に|に(?:たい|たく)(?:なる)?)(?:ほど|くらい|ぐらい)(?!.{0,60}(?:殴|叩|怖|苦し|つらい|辛い))|死ぬほど(?:眠|笑|うま|おいし|好き|楽し|暑|寒|恥|ほめ|食べ|練習)|"
    r"(?:暑|寒|腹|眠|笑い|かわい|尊|忙し)(?:すぎて|くて|って).{0,4}(?:死|しぬ|し)(?:ぬ|に)|笑いすぎ|(?:すいて|減って)死に(?:そう|ます)|恥ずか|殺す気か|悩殺|秒殺|殺人的|死語|必死|死守|切腹"
)
_STORY = re.compile(
    r"映画|ドラマ|小説|漫画|マンガ|アニメ|ゲームの?(?:中|話)|歌詞|劇(?:の|を|で|、)|芝居|舞台|俳句|川柳|短歌|読書|本を読|展示|展覧|ニュース(?:で|を)|新聞で|"
    r"落語|朗読|紙芝居|合唱|演劇|セリフ|せりふ|推し|ライブ|番組|講演|講座|研修|論文|卒論|レポート|授業で習|自由研究|ボランティア(?:を|に|の|が)?(?:したい|興味|募集|でき)|"
    r"学びたい|勉強(?:して|した|中|のため)|作文|研究して|夢を(?:見|み)|夢でした|えん罪|ボクシング|空手|柔道|プロレス|ポスター|予防の|防止の"
)
_DENIED = re.compile(
    r"(?:たい|自殺|死|暴力|虐待|dv|そんな|叩い|殴)(?:とか|なんて|とまで|わけ|訳|など|とは|という(?:こと|気持ち))?(?:では|じゃ|は|も|まで)?"
    r"(?:ない(?:です|けど|が|ん|。|、|$)|ありません|思っていません|思わない|考えていません)"
)
#: That somebody may rest is a kind wish; that they be "eased" may be another.
_KIND_WISH = re.compile(
    r"(?:休め|休ませ|やすませ|眠れる|ゆっくり(?:でき|させ|休)|息抜き)[^。、\n]{0,8}"
    r"(?:(?:あげ|やり)たい|ほしい|くれたら)"
)
_HARMLESS = (_IDIOM, _STORY, _DENIED, _KIND_WISH)
_NO_VIOLENCE = re.compile(
    r"(?:暴力|手を(?:上げ|あげ)(?:られ)?|殴られ|叩かれ)(?:とか|なんか|なんて|など)?(?:る?(?:こと|事))?(?:は|も|まで)?"
    r"(?:なかった|ありませんでした|ありません|ないです|ない(?:$|。|、|けど|し)|されてい?(?:ない|ません)|受けてい?(?:ない|ません)|振るわれてい?(?:ない|ません))"
)
_FEAR_OR_CONTROL = re.compile(
    r"怖|こわ|おび|脅|監視|束縛|見張|取り上げ|財布|通帳|携帯|スマホ|閉じ込|待ち伏せ|つけ(?:て|られ)|毎晩|毎日|何度も|やめてくれ|殺|首|逃げ|"
    r"無理やり|泣|怒鳴|どな|壊|投げ|土下座|外出|許可|(?<!い)まで(?:は|、)|先週|きのう|昨日|あざ|傷|切れ|腫れ"
)
#: Whoever has a meal before them is not without food.
_EATS = re.compile(
    r"(?:ごはん|ご飯|めし|飯)\s*[をはも]\s*(?:食べ|たべ)"
    r"(?:て(?!\s*(?:い?ない|ません|い?ません|なかった|おらん|へん|ほしい))|とる|よる|とります)"
)
#: A child that cries on and a night without sleep are no illness, where nothing else is told of the body.
_CRIES_ON = re.compile(r"泣き?(?:やま|止ま|続け|っぱなし)|夜泣き|なきやま|ぐず(?:って|る|り)")
_ILL = re.compile(
    r"ぐったり|熱|ねつ|息|いき|呼吸|吐|はいて|飲ま|飲み?(?:が悪|たがら)|のま|食べない|揺|ゆさ|ゆすっ|叩|たたい|殴|口を|落と|落ち|"
    r"ひきつ|けいれん|血|おかし|変(?:な|です|だ)|へん(?:な|です)|顔色|唇|冷た|動か|意識|痛|けが|怪我|やけど|発疹|下痢|おしっこ|薬|"
    r"助けて|手が|手を上|怖|こわ|壊|投げ|布団"
)
#: Whoever has forgotten where home is wants to go there, and not to die.
_FORGETFUL = re.compile(r"ぼけ|ボケ|呆け|認知症|物忘れ|もの忘れ|まだらボケ|徘徊")
_GOES_OUT = re.compile(
    r"(?:出て|出で|帰[るろ]|帰りたい|外に出|外さ出|歩いて)(?:い?こう|行こう|い?く|行く|う|言|と言|って|いきたが|行きたが|い?か)"
)
_WANTS_AN_END = re.compile(
    r"死|しに|しぬ|消え|いなくなりたい|逝|お迎え|おらん(?:ほう|方)|いない(?:ほう|方)|飛び|殺|首|心中|楽に(?:な|し)|らくに|おしまい|"
    r"終わ(?:り|ら)|おわ(?:り|ら)|生き(?:て|た)|道連れ|一緒に(?:い[きこっ]|行)|二人で(?:い[きこっ]|行)"
)
_IS_OUT = re.compile(
    r"帰って(?:こ|き|ない|来)|戻(?:ら|って)|見つから|見当たら|見失|いなくな|おらん(?:よう|く|ごと)|行方|探し"
)
_HARMS = re.compile(r"包丁|鎌|刃物|刺|振り上げ|殴|叩|たた[くか]|暴")
#: What becomes of mine when I am gone: the worry of the old, and of parents of grown children.
AFTER_ME = re.compile(
    r"(?:わたし|私|あたし|わし|うち|おれ|俺|自分|親)(?:たち|ら)?(?:が|も)?(?:先に)?"
    r"(?:死んだ|逝った|いなくなった|おらんようになった|おらんくなった|亡くなった|死んでしまった)(?:ら|あと|後)"
    r"[^。\n]{0,20}(?:どう(?:なる|なり|なん|する|した|やって)|(?:誰|だれ)(?:が|に|か)|心配|困(?:る|り)|行き場|ひとりに|一人に)"
)
#: Who leaves for today, or is tired of writing, ends the talk; a farewell is another thing.
_ENDS_THE_TALK = re.compile(
    r"(?:今日|きょう)は?(?:もう)?(?:ここまで|このへん|この辺|これで|(?:終わり|おわり)に)|(?:つづき|続き)は(?:また|明日|あした|今度)|"
    r"(?:書く|打つ|話す|相談する|この話|ライン|LINE|line)(?:の|こと)?(?:を|は|も)?(?:もう)?(?:やめ|終わり|おわり|しんど|疲れ)"
)
_FAREWELL = re.compile(
    r"死|しに|しぬ|消え|いなく|今まで|いままで|これまで|お世話|さよなら|さようなら|遺|薬|飛び|首|命|いのち|人生|全部|ぜんぶ|"
    r"何もかも|すべて|生き|楽に|らくに|限界|ごめん(?:な|ね)|許して|おしまい|二度と"
)
_SHORT_WISH = 30  # letters
_LONG_AGO = re.compile(
    r"[0-9一二三四五六七八九十]年(?:以上)?も?前|昔|若い(?:頃|ころ)|(?:子ども|小さい|十代|学生)の?(?:頃|ころ|時)|以前は|かつて|あの頃|当時"
)
_OVER_NOW = re.compile(
    r"(?:いま|今)は|もう(?:大丈夫|平気|すっかり)|おかげで|落ち着|元気|なくなりました|感謝|しとらん|していません"
)
_GIVEN_UP = re.compile(r"(?:やめて|卒業して)[0-9一二三四五六七八九十百]{1,5}(?:日|年|か月)")


def only_denies_violence(text: str) -> bool:
    """Whether violence is named to say that there was none, and nothing is told of fear or control beside it."""
    return bool(_NO_VIOLENCE.search(text)) and not (_FEAR_OR_CONTROL.search(text) or _WANTS_AN_END.search(text))


def eats(text: str) -> bool:
    return bool(_EATS.search(text))


def only_cries(text: str) -> bool:
    """Whether a child cries and nothing is told that would be an illness: 「泣きやまなくて、三日寝てません」."""
    return bool(_CRIES_ON.search(text)) and not (_ILL.search(text) or _WANTS_AN_END.search(text))


def only_goes_out(text: str) -> bool:
    """Whether somebody who forgets wants to go out and is still there, and nobody speaks of an end or of harm."""
    if not (_FORGETFUL.search(text) and _GOES_OUT.search(text)):
        return False
    return not any(pattern.search(text) for pattern in (_WANTS_AN_END, _IS_OUT, _HARMS))


def only_ends_the_talk(text: str) -> bool:
    """Whether somebody only stops writing: 「もうやめたいです。今日はここまでにします」 is no wish to die."""
    return bool(_ENDS_THE_TALK.search(text)) and not (_FAREWELL.search(text) or _HARMS.search(text))


def only_wishes_well(text: str) -> bool:
    """Whether a short answer wishes somebody rest, and no more: 「妹が少し休めるようにしてあげたい」."""
    unheard = _WANTS_AN_END.search(text) or _HARMS.search(text)
    return len(text) <= _SHORT_WISH and bool(_KIND_WISH.search(text)) and not unheard


def looks_harmless(sentence: str) -> bool:
    """Whether the words are an idiom, a story, denied, or told as long past."""
    if any(pattern.search(sentence) for pattern in _HARMLESS) or _GIVEN_UP.search(sentence):
        return True
    long_ago = _LONG_AGO.search(sentence)
    return bool(long_ago and _OVER_NOW.search(sentence, long_ago.end()))

"""What makes words of danger harmless: idioms, stories, what is denied or long past, and what belies mere likeness."""

# ruff: noqa: E501 - a pattern is read best in one piece

from __future__ import annotations

import re
from functools import lru_cache

# In the same sentence as a sign.
_IDIOM = re.compile(
    r"死(?:ぬ|に|に(?:たい|たく)(?:なる)?)(?:ほど|くらい|ぐらい)(?!.{0,60}(?:殴|叩|怖|苦し|つらい|辛い))|死ぬほど(?:眠|笑|うま|おいし|好き|楽し|暑|寒|恥|ほめ|食べ|練習)|"
    r"(?:暑|寒|腹|眠|笑い|かわい|尊|忙し)(?:すぎて|くて|って).{0,4}(?:死|しぬ|し)(?:ぬ|に)|笑いすぎ|(?:すいて|減って)死に(?:そう|ます)|恥ずか|殺す気か|殺される(?:んで|わ|かも)?、?(?:笑|w)|悩殺|秒殺|殺人的|死語|必死|死守|切腹"
)
_STORY = re.compile(
    r"(?:バーベキュー|bbq|焼肉|さんま)[^。\n]{0,12}練炭(?!.{0,20}(?:車|ひとり|一人|閉め))|映画|ドラマ|小説|漫画|マンガ|アニメ|ゲームの?(?:中|話)|歌詞|劇(?:の|を|で|、)|芝居|舞台|俳句|川柳|短歌|読書|本を読|展示|展覧|ニュース(?:で|を)|新聞で|"
    r"落語|朗読|紙芝居|合唱|演劇|セリフ|せりふ|推し|ライブ|番組|講演|講座|研修|論文|卒論|レポート|授業で習|自由研究|ボランティア(?:を|に|の|が)?(?:したい|興味|募集|でき)|"
    r"学びたい|勉強(?:して|した|中|のため)|作文|研究して|夢を(?:見|み)|夢でした|えん罪|ボクシング|空手|柔道|プロレス|ポスター|予防の|防止の"
)
_DENIED = re.compile(
    r"たい[…・.]{0,3}(?:じゃなくて|じゃなかった|ではなくて)|自分で[^。\n]{0,16}締め出され|"
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
#: Who leaves for today or is tired of writing ends the talk; a farewell is another thing.
_ENDS_THE_TALK = re.compile(
    r"(?:今日|きょう)は?(?:もう)?(?:ここまで|このへん|この辺|これで|(?:終わり|おわり)に)|"
    r"(?:書く|打つ|話す|相談する|この話|ライン|line)(?:の|こと)?(?:を|は|も)?(?:もう)?(?:やめ|終わり|おわり|しんど|疲れ)"
)
#: Whoever is called away, or means to come back; said as the whole message, in these pieces and nothing else. A partner
#: or a father who comes in is no such piece: he is the very reason why a victim stops writing.
_SORRY = r"あ|ごめん(?:なさい|ね)?|すみません"
_BY_CHILD = r"(?:子ども|子供|赤ちゃん|上の子|下の子|お客さん?|電話)(?:が|に)?、?(?:起き(?:た|ちゃった|ました)|泣いてい?る|呼んでい?る|来た|鳴ってい?る|いる)(?:ので|から)?"
_BY_KIN = r"(?:母|娘|息子|孫|祖母|ばあちゃん)(?:が|に)?、?(?:起き(?:た|ました)|呼んでい?る|来た|帰ってきた|いる)(?:ので|から)?"
_OFF = r"(?:もう疲れたので)?(?:今日|きょう)は(?:このへんで(?:失礼します)?|この辺で(?:失礼します)?|寝ます)|(?:これで|いったん|一旦|とりあえず|今は)?、?(?:終わります|おわります|終わりにします|失礼します|切りますね?|消えますね|話せません)"
_BACK = r"また(?:あとで|後で|のちほど|明日|あした|夜に?|来週|今度|こんど)(?:書きます|来ます|連絡します|うかがいます|にします)?|また(?:書きます|来ます|連絡します)|(?:つづき|続き)は(?:また|明日|あした|今度)(?:で|に(?:します)?)?"
_BYE = r"さよなら|さようなら|では|じゃあ|おやすみ(?:なさい)?"
_CALLED_AWAY = re.compile(rf"(?:(?:{_SORRY}|{_BY_CHILD}|{_OFF}|{_BACK}|{_BYE})[ね、。！!\s]*){{1,6}}")
_CALLED_BY_KIN = re.compile(rf"(?:(?:{_SORRY}|{_BY_KIN}|{_OFF}|{_BACK}|{_BYE})[ね、。！!\s]*){{1,6}}")
_FOR_NOW = re.compile(rf"{_BY_CHILD}|{_BY_KIN}|{_BACK}|いったん|一旦")
_FAREWELL = re.compile(
    r"死|しに|しぬ|消え|いなく|今まで|いままで|これまで|お世話|遺|薬|飛び|首|命|いのち|人生|全部|ぜんぶ|"
    r"何もかも|すべて|生き|楽に|らくに|限界|許して|おしまい|二度と|ごめん|さよなら|さようなら|もう戻|来世|最後|助けて"
)
_AT_MOST = 40  # letters: who tells more than that does more than leave
#: Whoever has lost somebody to suicide is no more in danger for it alone.
_BEREAVED = re.compile(
    r"逝(?:った|って|っち|かれ|きました|去)|亡(?:く(?:な|し)|き|父|母|夫|妻)|自死|遺|命日|葬|法事|線香|グリーフ|人身事故|七回忌|[一三]回忌|一周忌"
)
_WOULD_FOLLOW = re.compile(
    r"そっち|そちら|(?:私|わたし|わし|俺|おれ|僕|ぼく)も(?:早く|はやく|一緒|そろそろ|もう)|後を(?:追|おっ)|会いに行き|(?:ところ|とこ|そば)[へに]?(?:行|逝|い)き"
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


def is_bereaved(text: str) -> bool:
    """Whether a death is told of, and not that the writer would follow."""
    return bool(_BEREAVED.search(text)) and not _WOULD_FOLLOW.search(text)


def only_ends_the_talk(text: str) -> bool:
    """Whether somebody only stops writing: 「もうやめたいです。今日はここまでにします」 is no wish to die."""
    if is_called_away(text) or (_CALLED_BY_KIN.fullmatch(text.strip()) and _FOR_NOW.search(text)):
        return True
    if len(text) > _AT_MOST or not _ENDS_THE_TALK.search(text):
        return False
    return not any(pattern.search(text) for pattern in (_FAREWELL, _HARMS, _FEAR_OR_CONTROL, _ILL))


def is_called_away(text: str) -> bool:
    """Whether the whole message only says that somebody leaves for now: 「子どもが起きたので一旦終わります」."""
    return bool(_CALLED_AWAY.fullmatch(text.strip()) and _FOR_NOW.search(text))


def only_wishes_well(text: str) -> bool:
    """Whether a short answer wishes somebody rest, and no more: 「妹が少し休めるようにしてあげたい」."""
    unheard = _WANTS_AN_END.search(text) or _HARMS.search(text)
    return len(text) <= _SHORT_WISH and bool(_KIND_WISH.search(text)) and not unheard


@lru_cache(maxsize=256)  # clauses are looked at alone, and as a sentence where it has no other
def looks_harmless(sentence: str) -> bool:
    """Whether the words are an idiom, a story, denied, or told as long past."""
    if any(pattern.search(sentence) for pattern in _HARMLESS) or _GIVEN_UP.search(sentence):
        return True
    long_ago = _LONG_AGO.search(sentence)
    return bool(long_ago and _OVER_NOW.search(sentence, long_ago.end()))

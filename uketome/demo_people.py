"""Who lives and works in the made-up town, and what is written there. Every name is invented."""

DESKS = ("福祉まるごと相談室", "高齢者支援課", "障害福祉課", "こども家庭課", "生活支援課")
#: Which desk takes on a case by its first field; the others stay with the first desk.
DESK_OF = {
    "elderly": 1, "carer": 1, "disability": 2, "child": 3, "education": 3, "poverty": 4, "work": 4, "finance": 4,
    "housing": 4, "hikikomori": 4, "consumer": 4, "justice": 4, "medical": 1, "living": 1, "rights": 1, "isolation": 1,
    "abuse": 3, "youth": 3, "health": 2, "addiction": 2,
}  # fmt: skip
#: Name, address, role, desk.
STAFF = (
    ("朝倉 みのり", "asakura", "counselor", 0), ("井手 健吾", "ide", "counselor", 0),
    ("宇佐美 遥", "usami", "counselor", 0), ("榎本 大地", "enomoto", "counselor", 1),
    ("大槻 さち", "otsuki", "counselor", 1), ("桐谷 冬樹", "kiriya", "counselor", 2),
    ("古賀 すみれ", "koga", "counselor", 2), ("志村 直", "shimura", "counselor", 3),
    ("瀬戸 ひかり", "seto", "counselor", 3), ("田所 亮", "tadokoro", "counselor", 4),
    ("津村 あやめ", "tsumura", "counselor", 4), ("中条 学", "nakajo", "counselor", 4),
    ("根岸 千尋", "negishi", "supervisor", 0), ("野上 俊", "nogami", "supervisor", None),
    ("花房 環", "hanabusa", "admin", None),
)  # fmt: skip
#: Name, kind, the fields for which it comes in.
AGENCIES = (
    ("うけとめ中央地域包括支援センター", "地域包括支援センター", ("elderly", "carer")),
    ("うけとめ西地域包括支援センター", "地域包括支援センター", ("elderly", "carer", "isolation")),
    ("うけとめ市社会福祉協議会", "社会福祉協議会", ("poverty", "finance", "rights", "community", "living")),
    ("相談支援事業所 こもれび", "障害者相談支援", ("disability", "health")),
    ("うけとめ総合病院 地域連携室", "医療機関", ("medical", "health", "suicide", "addiction")),
    ("東小学校", "学校", ("education", "child")),
    ("緑ヶ丘中学校", "学校", ("education", "youth")),
    ("うけとめ若者サポートステーション", "就労支援", ("work", "youth", "hikikomori")),
    ("県中央児童相談所", "児童相談所", ("child", "abuse")),
    ("法律相談センター うけとめ", "法律", ("justice", "finance", "consumer")),
    ("NPO法人 となりの台所", "地域の団体", ("poverty", "isolation", "community")),
    ("うけとめ国際交流ひろば", "地域の団体", ("multicultural",)),
)
AREAS = ("東町", "西町", "本町", "緑ヶ丘団地", "川原町", "南町", "北山地区", "さくら町", "港町", "新田町")
FAMILY_NAMES = (
    "青柳",
    "飯島",
    "梅沢",
    "柏木",
    "倉田",
    "桑原",
    "笹川",
    "杉浦",
    "滝本",
    "戸田",
    "沼田",
    "浜口",
    "牧野",
    "三枝",
)
FIRST_NAMES = ("一郎", "和子", "健", "節子", "翔太", "美咲", "正", "よし子", "大輔", "由香", "実", "千代", "拓海", "彩")
BOT_HEARS = (
    "書いてくださって、ありがとうございます。つらい中、よく話してくださいました。",
    "読みました。ひとりで抱えてこられたのですね。",
    "話してくださって、ありがとうございます。ゆっくりで大丈夫です。",
)
BOT_ASKS = "さしつかえなければ、お住まいの町の名を教えてください。書かなくてもかまいません。"
BOT_ENDS = "ありがとうございます。相談員が読んで、ここにお返事します。また何か思い出したら、いつでも書いてください。"
BOT_GOES_ON = ("もう少し聞かせてください。", "いまは、どうされていますか。", "ほかに気がかりなことはありますか。")
LIVES = ("{area}に住んでいます", "{area}です", "うけとめ市{area}に住んでいます", "{area}のあたりです")
HIDES_AREA = ("それはまだ言いたくないです", "前と同じところです")
COUNSELOR_SAYS = (
    "書いてくださって、ありがとうございます。相談員の{name}です。いっしょに考えさせてください。",
    "相談員の{name}です。読ませていただきました。いちばん急ぐことから、いっしょに進めましょう。",
    "はじめまして、{name}です。まず、きょう困っていることから聞かせていただけますか。",
)
RECORDS = {
    "phone": ("電話でいまの様子をうかがった。", "電話で手続きの進み具合を確かめた。"),
    "visit_here": ("来所。世帯の状況を聞き取り、書類をいっしょに書いた。", "来所。これからの予定を相談した。"),
    "visit": ("訪問。玄関先で話をうかがった。", "訪問。部屋の様子と暮らしぶりを見せていただいた。"),
    "accompany": ("窓口まで同行し、申請に立ち会った。", "受診に同行した。"),
    "meeting": ("関係機関と役割を話し合った。", "個別の打ち合わせで支援の方針を確かめた。"),
    "letter": ("お便りを送った。", "メッセージで次の約束を確かめた。"),
}
WHOM = ("ご本人", "ご家族", "関係機関", "ご本人とご家族")
NEXT_CONTACTS = ("様子をうかがう電話", "申請の結果を聞く", "訪問の約束", "受診のあとの様子を聞く", "書類の受け取り")
NOTES = (
    "急がず、週に一度の連絡を続ける。", "ご家族のあいだで話が食い違っている。別々にうかがう。",
    "次の会議で関係機関の役割を確かめたい。", "訪問は午後を希望されている。",
)  # fmt: skip
OUTCOMES = {
    "settled": "生活の見通しが立ち、ご本人と話し合って終えた。",
    "other_agency": "関係機関が主に支えることになり、引き継いだ。",
    "information": "制度と窓口をお伝えした。",
    "moved": "市外へ転居された。",
    "own_wish": "もう大丈夫とのことで、ご本人の希望で終えた。",
    "no_contact": "三か月のあいだ連絡がとれなかった。手紙を残した。",
    "other": "",
}
OUTCOME_WEIGHTS = (38, 22, 18, 4, 8, 7, 3)
DECISIONS = (
    "主担当を決め、月に一度ようすを確かめる。", "学校と地域包括が同じ日に訪問する。",
    "家計の相談と就労の準備を並べて進める。",
    "ご本人の希望をもう一度うかがってから決める。",
)  # fmt: skip
CHECK_IN = "その後、いかがですか。お返事はなくてもかまいません。ここはいつでも開いています。"

// What the chat widget says by itself, in each language it speaks. Becomes part of /widget.js.
const TEXTS = {
  ja: {
    launch: "相談する", unread: "新しい返事があります", title: "くらしの相談", machine: "機械の受付です",
    exit: "すぐに閉じる", fold: "たたむ", log: "相談のやりとり", input: "いま困っていること、気になること", send: "送る",
    hint: "どこからでも、書けるところから", choices: "ボタンでも、文章でも答えられます", typing: "お返事を書いています",
    help: "「すぐに閉じる」で、話を画面から消して別のページへ移ります。", keys: "Escキーを2回押しても同じです。",
    sending: "送信中", failed: "送れませんでした。", retry: "もう一度送る", refused: "送れませんでした。",
    offline: "いま、つながっていません。つながったら自動で送ります。", tooLong: "一度に送れるのは5,000文字までです。分けて送ってください。",
    left: (n) => `あと${n}文字書けます`, me: "あなた", bot: "機械の受付", counselor: "相談員",
    time: (d) => `${d.getHours()}時${d.getMinutes()}分`,
  },
  en: {
    launch: "Talk to us", unread: "There is a new reply", title: "Help with daily life", machine: "You are writing to a machine",
    exit: "Leave now", fold: "Fold", log: "Our talk", input: "What is on your mind", send: "Send",
    hint: "Start anywhere you like", choices: "Use a button or your own words", typing: "A reply is being written",
    help: "“Leave now” clears this talk from the screen and opens another page.", keys: "Pressing Esc twice does the same.",
    sending: "Sending", failed: "Not sent.", retry: "Send again", refused: "Not sent.",
    offline: "You are offline. Your words will be sent when you are back.", tooLong: "Up to 5,000 characters at a time, please.",
    left: (n) => `${n} characters left`, me: "You", bot: "Machine", counselor: "Counselor",
    time: (d) => d.toLocaleTimeString("en", { hour: "numeric", minute: "2-digit" }),
  },
};

// Small behaviours of the staff's pages: each works alone, and every page works without them.

// Ctrl+Enter (⌘+Enter) sends an answer; never while a Japanese conversion is open.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
  if (event.target instanceof HTMLTextAreaElement && "send" in event.target.dataset) event.target.form.requestSubmit();
});

// Keys of the queue and of a case: j k down and up, c claims, r answers, ? tells of them. Never while somebody types.
const keys = document.getElementById("keys");
const rows = () => [...document.querySelectorAll(".board .open")];
const step = (by) => {
  const at = rows().indexOf(document.activeElement);
  rows()[at < 0 ? 0 : Math.max(0, at + by)]?.focus();
};
const inFocus = () => document.activeElement?.closest(".row");
const answerBox = () => document.querySelector("#desk [data-send]") ?? document.querySelector("#desk form[action$='/claim'] button");
const does = {
  j: () => step(1),
  k: () => step(-1),
  c: () => (inFocus()?.querySelector(".take") ?? document.querySelector("#desk form[action$='/claim']"))?.requestSubmit(),
  r: () => {
    const open = inFocus()?.querySelector(".open");
    if (open) location.assign(`${open.href}#answer`);
    else answerBox()?.focus();
  },
  "?": () => (keys?.open ? keys.close() : keys?.showModal()),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && "cr?".includes(event.key)) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]") || !Object.hasOwn(does, event.key)) return;
  if (keys?.open && event.key !== "?") return;
  event.preventDefault();
  does[event.key]();
});
for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", does["?"]);
}
if (location.hash === "#answer") answerBox()?.focus();

// The talk shows its newest words, unless somebody reads further up.
const talk = document.getElementById("talk");
if (talk) {
  let reading = false;
  const toEnd = () => { if (!reading) talk.scrollTop = talk.scrollHeight; };
  talk.addEventListener("scroll", () => { reading = talk.scrollHeight - talk.scrollTop - talk.clientHeight > 80; });
  new MutationObserver(toEnd).observe(talk, { childList: true, subtree: true });
  toEnd();
}

// The page's title says how many wait, also in a tab that is not looked at.
const board = document.getElementById("board");
if (board) {
  const entitle = () => { document.title = board.querySelector("[data-title]")?.dataset.title ?? document.title; };
  new MutationObserver(entitle).observe(board, { childList: true });
  entitle();
}

// What a click has brought already is not put in its place again: what is open or being typed there stays.
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const [, comes] = /data-digest="(\w+)"/.exec(event.detail.data) ?? [];
  const stands = event.target.querySelector?.(":scope > [data-digest]")?.dataset.digest;
  if (comes && comes === stands) event.preventDefault();
});

// Who has just taken a case writes next.
document.addEventListener("done-claim", () => document.querySelector("#desk textarea")?.focus());

// The session has ended: what is on the page does not live any more, and says so.
document.addEventListener("htmx:sseClose", (event) => {
  if (event.detail.type === "message") document.getElementById("stale").hidden = false;
});

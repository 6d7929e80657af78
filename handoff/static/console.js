// Small behaviours of the staff's pages: each works alone, and every page works without them.

// Ctrl+Enter (⌘+Enter) sends an answer; never while a Japanese conversion is open.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
  if (event.target instanceof HTMLTextAreaElement && "send" in event.target.dataset) event.target.form.requestSubmit();
});

// j and k go down and up the queue, while the focus is in it.
document.addEventListener("keydown", (event) => {
  if ((event.key !== "j" && event.key !== "k") || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...document.querySelectorAll(".board .open")];
  const at = rows.indexOf(document.activeElement);
  if (at >= 0) rows[at + (event.key === "j" ? 1 : -1)]?.focus();
});

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

// Small behaviours of the case's page: each works alone, and the page works without them.

// A place in the talk as a range, also where marks cut the text into pieces.
const rangeOf = (words, quote) => {
  const at = words.textContent.indexOf(quote);
  if (at < 0) return null;
  const range = new Range();
  const pieces = document.createTreeWalker(words, NodeFilter.SHOW_TEXT);
  let passed = 0;
  for (let piece = pieces.nextNode(); piece; passed += piece.length, piece = pieces.nextNode()) {
    const begins = at - passed;
    const ends = at + quote.length - passed;
    if (begins >= 0 && begins < piece.length) range.setStart(piece, begins);
    if (ends > 0 && ends <= piece.length) { range.setEnd(piece, ends); break; }
  }
  return range;
};

// Pointing at a finding lights the words that it rests on, and so does reaching it with the keyboard.
const light = (quotes) => {
  if (!("highlights" in CSS)) return null;
  CSS.highlights.delete("found");
  const ranges = [];
  for (const words of quotes.length ? document.querySelectorAll(".said-resident .words") : []) {
    ranges.push(...quotes.map((quote) => rangeOf(words, quote)).filter(Boolean));
  }
  if (ranges.length) CSS.highlights.set("found", new Highlight(...ranges));
  return ranges[0];
};
const quotesOf = (element) => {
  const quote = element.closest?.("[data-quote]");
  const found = quote ? [quote] : element.closest?.("[data-finding]")?.querySelectorAll("[data-quote]") ?? [];
  return [...found].map((one) => one.dataset.quote);
};
document.addEventListener("pointerover", (event) => light(quotesOf(event.target)));
const show = (event) => {
  const first = light(quotesOf(event.target));
  const talk = document.getElementById("talk");
  if (!first || !talk) return;
  // Within the talk alone: the page itself stays where it is.
  const [words, frame] = [first.getBoundingClientRect(), talk.getBoundingClientRect()];
  if (words.top < frame.top || words.bottom > frame.bottom) talk.scrollTop += words.top - frame.top - frame.height / 3;
};
document.addEventListener("focusin", show);
document.addEventListener("click", (event) => { if (event.target.closest("[data-quote]")) show(event); });

// While somebody corrects, what they correct is not changed under their hands; it is told, and shown when they are done.
const correcting = (part) => part.querySelector?.("details.mend[open]");
let late = false;
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  if (event.defaultPrevented || !correcting(event.target)) return;
  event.preventDefault();
  late = true;
  document.getElementById("news").hidden = false;
});
document.addEventListener("toggle", () => {
  if (!late || correcting(document)) return;
  late = false;
  document.getElementById("news").hidden = true;
  htmx.ajax("GET", location.pathname, { swap: "none" });
}, true);
const done = () => { late = false; document.getElementById("news").hidden = true; };
document.addEventListener("done-corrected", done);
document.addEventListener("done-offered", done);

// Escape closes what is open to be corrected, and leads back to where one was.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  const open = document.activeElement?.closest?.("details.mend[open]") ?? document.querySelector(".case-head details.mend[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// One panel of the head at a time: they lie over what is below.
document.addEventListener("toggle", (event) => {
  if (!event.target.open || !event.target.matches?.(".case-head details.mend")) return;
  for (const other of document.querySelectorAll(".case-head details.mend[open]")) if (other !== event.target) other.open = false;
}, true);

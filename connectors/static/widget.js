// The chat widget: the custom element <uketome-chat> with a shadow DOM, and what puts it into a town's page.
//   <script src="https://…/widget.js" data-town="うけとめ市"></script>           a button at the bottom right
//   <uketome-chat inline></uketome-chat> <script src="…/widget.js"></script>     standing open in the page
//   <uketome-chat inline linked></uketome-chat>                                  opens only with a one-time link from LINE
// Script attributes: data-town, data-lang (ja, ja-easy, en, zh, ko, vi, pt, tl, ne), data-exit (where the quick exit goes).
// The server joins widget.texts.js, widget.css (as CSS), widget.talk.js and this file into the one script /widget.js.
const TYPING_AFTER_MS = 300;
const TYPING_MOST_MS = 20_000;
const SMALL_SCREEN = "(max-width: 599px), (max-height: 479px)"; // as in widget.css
const NEUTRAL_PAGE = "https://www.jma.go.jp/"; // the weather: what anybody might have been looking at

class UketomeChat extends HTMLElement {
  #t; #language; #talk; #parts = {}; #mine = new Map(); #shown = new Set(); #lastFrom; #typing = []; #escapedAt = -1e9; #composed = false; #composedAt = -1e9; #offline = false;

  connectedCallback() {
    if (this.shadowRoot) return;
    this.#use(store.read().language || known(this.lang || SCRIPT.dataset.lang || "ja"));
    dress(this.attachShadow({ mode: "open" }));
    this.#build();
    const linked = this.hasAttribute("linked");
    this.#talk = new Talk(this.#language, this.#view(), linked);
    // A new link in a page that stands open changes only what is behind the #.
    if (linked) addEventListener("hashchange", () => LINK.test(location.hash) && location.reload());
    document.addEventListener("keydown", (event) => this.#onEscape(event), true);
    if (this.#inline || this.#talk.kept) this.#talk.begin();
    if (!this.#inline && store.read().open) this.#unfold(false);
  }

  get #inline() { return this.hasAttribute("inline"); }

  #use(language) {
    this.#language = language;
    this.#t = TEXTS[language];
    this.lang = language.split("-")[0]; // for fonts and screen readers easy Japanese is Japanese
  }

  #build() {
    const t = this.#t;
    const p = this.#parts;
    p.messages = h("div", { class: "messages" });
    p.typing = h("div", { class: "typing", hidden: true, "aria-hidden": "true", title: t.typing }, h("i"), h("i"), h("i"));
    p.choices = h("div", { class: "choices", role: "group", "aria-label": t.choices, hidden: true });
    p.log = h("div", { class: "log", tabindex: "0", role: "log", "aria-live": "polite", "aria-label": t.log }, this.#tongues(), p.messages, p.choices, p.typing);
    [p.header, p.form] = [this.#header(), this.#form()];
    p.panel = h(this.#inline ? "section" : "dialog", { class: "panel", lang: this.lang, "aria-labelledby": "title" }, p.header, p.log, p.form);
    this.shadowRoot.append(p.panel);
    // A keyboard that comes up, or a notice above the input, must not push the newest words out of sight.
    let atEnd = false;
    p.log.addEventListener("scroll", () => { atEnd = p.log.scrollHeight - p.log.scrollTop - p.log.clientHeight < 24; });
    new ResizeObserver(() => { if (atEnd) p.log.scrollTop = p.log.scrollHeight; }).observe(p.log);
    if (!this.#inline) this.#buildLauncher();
  }

  /** The choice of a language; whoever writes in theirs is recognised too. */
  #tongues() {
    const options = Object.entries(LANGUAGES).map(([code, name]) =>
      h("option", { value: code, lang: code.split("-")[0], selected: code === this.#language }, name));
    this.#parts.language = h("select", { id: "language", onchange: (event) => this.#choose(event.target.value) }, ...options);
    return h("p", { class: "tongues" }, h("label", { for: "language" }, h("span", { lang: "en" }, "Language"), "（ことば）"), this.#parts.language);
  }

  #choose(language) {
    this.#speak(language);
    this.#talk.choose(language);
  }

  /** Goes on in another language; what was said stays as it was. */
  #speak(language) {
    if (language === this.#language || !TEXTS[language]) return;
    const p = this.#parts;
    const writing = this.shadowRoot.activeElement === p.input;
    this.#use(language);
    store.write({ language });
    p.panel.lang = this.lang;
    p.language.value = language;
    p.log.setAttribute("aria-label", this.#t.log);
    p.typing.title = this.#t.typing;
    p.choices.setAttribute("aria-label", this.#t.choices);
    p.header.replaceWith(p.header = this.#header());
    p.form.replaceWith(p.form = this.#form());
    if (p.launcher) {
      p.launcher.lang = this.lang;
      p.launcher.firstChild.data = this.#t.launch;
      p.unread.setAttribute("aria-label", this.#t.unread);
    }
    if (writing) p.input.focus({ preventScroll: true });
  }

  #header() {
    const t = this.#t;
    const town = this.getAttribute("town") || SCRIPT.dataset.town || "";
    return h("header", {},
      h("div", { class: "who" }, h("h2", { id: "title" }, h("span", { class: "far" }, town + " "), t.title), h("p", {}, t.machine)),
      ...(this.#inline ? [] : [h("button", { class: "fold", type: "button", onclick: () => this.#fold() }, t.fold)]),
      h("button", { class: "exit", type: "button", "aria-describedby": "help", onclick: () => this.#leave() }, t.exit));
  }

  #form() {
    const t = this.#t;
    const p = this.#parts;
    p.status = h("p", { class: "status", role: "status" });
    p.input = h("textarea", {
      id: "input", rows: "2", placeholder: t.hint, autocomplete: "off", enterkeyhint: sendsByEnter() ? "send" : "enter",
      oninput: () => this.#onInput(), onkeydown: (event) => this.#onEnter(event),
      oncompositionend: (event) => this.#onComposed(event),
    });
    p.input.value = store.read().draft ?? "";
    const keys = h("span", { class: "keys", hidden: !sendsByEnter() }, t.keys);
    return p.form = h("form", { onsubmit: (event) => { event.preventDefault(); this.#submit(); } },
      p.status, h("label", { class: "far", for: "input" }, t.input), p.input, h("button", { class: "send" }, t.send),
      h("p", { class: "help", id: "help" }, t.help, keys));
  }

  #buildLauncher() {
    const p = this.#parts;
    p.unread = h("span", { class: "unread", role: "img", "aria-label": this.#t.unread, hidden: true });
    p.launcher = h("button", {
      class: "launcher", type: "button", lang: this.lang, "aria-haspopup": "dialog", onclick: () => this.#unfold(true),
    }, this.#t.launch, p.unread);
    this.shadowRoot.append(p.launcher);
    p.panel.addEventListener("cancel", (event) => event.preventDefault()); // Esc is counted in #onEscape
    p.panel.addEventListener("close", () => this.#folded());
    // A phone's keyboard covers the page without making it smaller; only this viewport knows.
    window.visualViewport?.addEventListener("resize", () => p.panel.style.setProperty("--seen", visualViewport.height + "px"));
  }

  // ---- open and close
  #unfold(byHand) {
    const { panel, launcher, unread, input } = this.#parts;
    if (panel.open) return;
    // Full screen on a phone: what lies behind must not be reached. Beside the page, it may.
    if (matchMedia(SMALL_SCREEN).matches) panel.showModal();
    else panel.show();
    launcher.hidden = unread.hidden = true;
    store.write({ open: true });
    this.#talk.begin();
    if (byHand) input.focus();
  }

  #fold() { this.#parts.panel.close(); }

  #folded() {
    this.#parts.launcher.hidden = false;
    store.write({ open: false });
    this.#parts.launcher.focus();
  }

  /** The quick exit: first nothing is to be seen, then the token goes, then the page, without a way back. */
  #leave() {
    document.documentElement.style.display = "none";
    document.title = "";
    this.#parts.input.value = "";
    this.#clear();
    this.#talk.leave();
    location.replace(this.getAttribute("exit") || SCRIPT.dataset.exit || NEUTRAL_PAGE);
  }

  // ---- keys and input
  #onEscape(event) {
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
    // Whoever throws a conversion away presses it more than once: that must not throw the talk away.
    if (event.timeStamp - this.#composedAt < 1000) return;
    const open = this.#inline || this.#parts.panel.open;
    if (event.timeStamp - this.#escapedAt < 1000) return this.#leave();
    if (!open || !this.#talk.begun) return;
    this.#escapedAt = event.timeStamp;
    if (!this.#inline) this.#fold();
  }

  #onComposed(event) {
    // Safari ends the conversion before it tells of the Enter that ended it: that Enter still belongs to it.
    this.#composed = true;
    setTimeout(() => { this.#composed = false; });
    this.#composedAt = event.timeStamp;
  }

  #onEnter(event) {
    // 229: the key belongs to the input method. An Enter that picks a conversion never sends.
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229 || this.#composed) return;
    if (event.shiftKey || event.altKey || !(sendsByEnter() || event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.#submit();
  }

  #onInput() {
    const { input } = this.#parts;
    input.style.height = "auto";
    input.style.height = input.scrollHeight + 2 + "px";
    store.write({ draft: input.value });
    this.#tell();
  }

  #tell() {
    const left = LONGEST - [...this.#parts.input.value.trim()].length;
    const problem = left < 0 ? this.#t.tooLong : this.#offline ? this.#t.offline : "";
    this.#parts.status.textContent = problem || (left < 500 ? this.#t.left(left) : "");
  }

  #submit() {
    const { input } = this.#parts;
    const text = input.value.trim();
    input.focus({ preventScroll: true }); // a phone's keyboard stays, and the page where it is
    if (!text || [...text].length > LONGEST) return this.#tell();
    input.value = "";
    this.#onInput();
    this.#talk.begin();
    this.#talk.send(text);
  }

  /** There is no talk to be written in here: what to do instead stands in its place. */
  #shut(why) {
    this.#clear();
    this.#parts.form.hidden = true;
    this.setAttribute("shut", "");
    this.#parts.messages.replaceChildren(h("p", { class: "said shut" }, why));
  }

  // ---- what the talk tells
  #view() {
    return {
      show: (messages, resumed) => this.#show(messages, resumed),
      clear: () => this.#clear(),
      shut: (why) => this.#shut(why),
      reachable: (is) => { this.#offline = !is; this.#tell(); },
      sending: (item) => this.#state(item, h("span", { "aria-hidden": "true" }, this.#t.sending)),
      sent: (item) => { this.#state(item); this.#expectAnswer(); },
      failed: (item) => this.#state(item, h("span", {}, this.#t.failed), h("button", { type: "button", onclick: () => this.#talk.wake() }, this.#t.retry)),
      // The server's own sentence is Japanese.
      refused: (item, why) => this.#state(item, h("span", {}, (this.#language === "ja" && why) || this.#t.refused)),
      language: (language) => this.#speak(language),
    };
  }

  #show(messages, resumed) {
    const added = messages.filter((message) => !this.#known(message)).map((message) => this.#add(message));
    const last = messages.at(-1);
    if (last.from !== "resident") {
      this.#expectNothing();
      this.#offer(last.choices);
    }
    if (!added.length) return;
    if (!this.#inline && !this.#parts.panel.open && !resumed) this.#parts.unread.hidden = false;
    // The first new bubble comes into view, and as much after it as fits.
    const newest = resumed && messages.some((message) => message.from === "resident") ? added.at(-1) : added[0];
    // Above the very first stands the choice of a language.
    if (newest === this.#parts.messages.firstChild) this.#parts.log.scrollTop = 0;
    else this.#scrollTo(newest);
  }

  #known(message) {
    const mine = this.#mine.get(message.client_message_id);
    if (mine) this.#shown.add(message.id);
    if (this.#shown.has(message.id)) return true;
    this.#shown.add(message.id);
    return false;
  }

  #add(message) {
    const bubble = this.#bubble(message.from, message.text);
    if (message.client_message_id) this.#mine.set(message.client_message_id, { bubble });
    // What has not been sent yet stays last, as it will stand after a reload.
    const unsent = [...this.#mine.values()].find((mine) => mine.state);
    const label = this.#label(message);
    this.#parts.messages.insertBefore(bubble, unsent?.bubble ?? null);
    if (label) bubble.before(label);
    return label ?? bubble;
  }

  #bubble(from, text) {
    const says = h("span", { class: "far" }, (this.#t[from === "resident" ? "me" : from] ?? "") + "：");
    return h("p", { class: "said " + from, lang: this.lang, dir: "auto" }, says, ...(from === "resident" ? [text] : withNumbers(text)));
  }

  #label({ from, at }) {
    const again = from === this.#lastFrom;
    this.#lastFrom = from;
    if (again || from === "resident") return null;
    return h("p", { class: "from", "aria-hidden": "true" }, `${this.#t[from]}　${this.#t.time(new Date(at))}`);
  }

  /** Shows one's own message, and how it stands with it; nothing more to say once it has arrived. */
  #state(item, ...says) {
    const mine = this.#mine.get(item.id) ?? this.#addMine(item);
    mine.state?.remove();
    mine.state = says.length ? h("p", { class: "state" }, ...says) : undefined;
    if (mine.state) mine.bubble.after(mine.state);
  }

  #addMine(item) {
    const mine = { bubble: this.#bubble("resident", item.text) };
    this.#mine.set(item.id, mine);
    this.#parts.messages.append(mine.bubble);
    this.#lastFrom = "resident";
    this.#offer([]);
    this.#scrollTo(mine.bubble);
    return mine;
  }

  #offer(choices) {
    const { choices: group } = this.#parts;
    group.hidden = !choices.length;
    group.replaceChildren(h("p", { "aria-hidden": "true" }, this.#t.choices), ...choices.map((choice) =>
      h("button", { type: "button", onclick: () => { this.#talk.send(choice); this.#parts.input.focus({ preventScroll: true }); } }, choice)));
  }

  #expectAnswer() {
    this.#expectNothing();
    const { typing, log } = this.#parts;
    this.#typing = [
      setTimeout(() => { typing.hidden = false; log.scrollTop = log.scrollHeight; }, TYPING_AFTER_MS),
      setTimeout(() => { typing.hidden = true; }, TYPING_MOST_MS),
    ];
  }

  #expectNothing() {
    this.#typing.forEach(clearTimeout);
    this.#parts.typing.hidden = true;
  }

  #scrollTo(element) {
    const { log } = this.#parts;
    log.scrollTop += element.getBoundingClientRect().top - log.getBoundingClientRect().top - 16;
  }

  #clear() {
    this.#expectNothing();
    this.#offer([]);
    this.#parts.messages.replaceChildren();
    this.#mine.clear();
    this.#shown.clear();
    this.#lastFrom = undefined;
  }
}

// ---- elements and text
/** An element: `on…` are listeners, all else attributes; children are elements or text. Nothing is ever parsed as HTML. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// A quotation takes up the resident's own words: a number in it is theirs and no helpline. (No lookbehind: old Safari.)
const NUMBER = /「[^」]*」|“[^”]*”|(^|[^0-9０-９#-])(0\d{1,3}-\d{1,4}-\d{3,5}|0570-\d{6}|#\d{4}|(?:11[089]|18[89])(?=番|[\s　（(）)、。]|$))(?![0-9０-９-])/g;

/** The language that a tag (pt-BR, fil) means; Japanese when it is none of ours. */
function known(tag) {
  const first = tag.split("-")[0];
  return [tag, first, { fil: "tl" }[first]].find((code) => code in TEXTS) ?? "ja";
}

/** Text as nodes, in which telephone numbers can be called. */
function withNumbers(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(NUMBER)) {
    if (match[2] === undefined) continue;
    const at = match.index + match[1].length;
    nodes.push(text.slice(done, at), h("a", { href: "tel:" + encodeURIComponent(match[2].replaceAll("-", "")) }, match[2]));
    done = at + match[2].length;
  }
  return [...nodes, text.slice(done)];
}

// ---- start
/** Styles that a town's content security policy does not forbid; an older browser gets a style element. */
function dress(root) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(h("style", {}, CSS));
  }
}

/** Whether Enter sends: at a desk. Where one writes with a thumb, Enter is a new line and the button sends. */
function sendsByEnter() {
  return matchMedia("(hover: hover) and (pointer: fine)").matches;
}

function start() {
  if (!document.querySelector("uketome-chat")) document.body.append(h("uketome-chat"));
}

// Where the script stands twice in a page, the second does nothing.
if (!customElements.get("uketome-chat")) {
  customElements.define("uketome-chat", UketomeChat);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}

// The widget's talk with the server: sends in order and once, listens, keeps what a reload needs. No DOM.
// Becomes part of /widget.js.
const SCRIPT = document.currentScript ?? document.querySelector('script[src*="widget.js"]');
const BASE = new URL(".", SCRIPT.src).href;
const LONGEST = 5000;

/** A UUID, also where the page came over plain http and `crypto.randomUUID` is missing. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// sessionStorage, not localStorage: many share the family's PC with the very person they write about. It outlives
// a reload, and is gone with the tab; whoever comes next to the browser finds nothing.
const store = {
  key: "uketome " + BASE,
  read() {
    try { return JSON.parse(sessionStorage.getItem(this.key)) ?? {}; } catch { return {}; }
  },
  write(part) {
    try { sessionStorage.setItem(this.key, JSON.stringify({ ...this.read(), ...part })); } catch { /* switched off: the talk lives as long as the page */ }
  },
  clear() {
    try { sessionStorage.removeItem(this.key); } catch { /* nothing was kept */ }
  },
};

const LINK = /^#([\w-]{43})$/;

/** The one-time link of the address. It stands behind the #, where no server and no log sees it, and is taken out at once. */
function takeLink() {
  const [, token] = LINK.exec(location.hash) ?? [];
  if (!token) return store.read().link;
  history.replaceState(null, "", location.pathname + location.search);
  // Kept until it has opened, with a name by which this browser may ask again when the answer got lost on its way.
  const link = { token, key: uuid() };
  store.write({ link });
  return link;
}

class Refusal extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    Object.assign(this, { status, retryAfter });
  }
  /** Whether sending the same again cannot help. */
  get final() { return [400, 413, 422].includes(this.status); }
}

/** Sends in order, each once, until it has arrived; listens for what is new. Tells `view` what happens. */
class Talk {
  #view; #language; #linked; #link; #token; #spoken = false; #opening; #last = 0; #outbox; #pumping = false; #listening = false; #over = new AbortController(); #wakers = new Set();

  /** `linked`: no talk is begun here; only a one-time link opens one. */
  constructor(language, view, linked) {
    const kept = store.read();
    [this.#language, this.#view, this.#token, this.#outbox] = [language, view, kept.token, kept.outbox ?? []];
    [this.#linked, this.#link] = [linked, linked ? takeLink() : undefined];
    addEventListener("online", () => this.wake());
    addEventListener("offline", () => this.#view.reachable(false));
    document.addEventListener("visibilitychange", () => this.wake());
  }

  get kept() { return Boolean(this.#token); }
  get begun() { return this.#listening; }

  begin() {
    if (this.#listening) return;
    this.#listening = true;
    this.#outbox.forEach((item) => this.#view.sending(item));
    this.#listen().catch(() => this.#view.reachable(false));
    this.#pump();
  }

  send(text) {
    const item = { id: uuid(), text };
    this.#keep([...this.#outbox, item]);
    this.#view.sending(item);
    this.#pump();
  }

  /** Goes on in another language: where nothing was written yet a new talk, else by saying its name. */
  async choose(language) {
    this.#language = language;
    await this.#opening?.catch(() => {});
    if (this.#spoken || this.#outbox.length) return this.send(LANGUAGES[language]);
    if (!this.#token) return;
    this.#end();
    this.#lose();
    this.#session().catch(() => this.#view.reachable(false));
  }

  /** Tries again now, whatever it was waiting for. */
  wake() { this.#wakers.forEach((go) => go()); }

  /** The quick exit. `keepalive` lets the call outlive the page. */
  leave() {
    this.#over.abort();
    store.clear();
    this.#end();
    this.#token = undefined;
  }

  #end() {
    if (this.#token) fetch(BASE + "chat/sessions", { method: "DELETE", keepalive: true, headers: this.#headers() }).catch(() => {});
  }

  async #listen() {
    for (let failures = 0; !this.#over.signal.aborted; ) {
      if (document.hidden) await this.#pause(60);
      try {
        const wait = this.#last ? 25 : 0;
        const began = performance.now();
        await this.#session();
        const asked = this.#token;
        const { messages, language } = await this.#ask("GET", `chat/messages?after=${this.#last}&wait=${wait}`);
        if (asked !== this.#token) continue; // another talk was begun meanwhile
        // The language is recognised with the answer; one's own message comes back before.
        if (messages.some((message) => message.from === "bot")) this.#view.language(language);
        this.#take(messages);
        failures = 0;
        if (wait && !messages.length && performance.now() - began < 1000) await this.#pause(1); // an empty bell: no racing
      } catch (error) {
        if (error.status === 410) return this.#shut(error.message);
        if (error.status !== 401) this.#view.reachable(false);
        await this.#pause(backOff(failures++, error));
      }
    }
  }

  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let failures = 0; this.#outbox.length && !this.#over.signal.aborted; ) {
      const item = this.#outbox[0];
      try {
        await this.#session();
        await this.#ask("POST", "chat/messages", { client_message_id: item.id, text: item.text });
        failures = 0;
        this.#keep(this.#outbox.slice(1));
        this.#view.sent(item);
      } catch (error) {
        if (error.final) {
          this.#keep(this.#outbox.slice(1));
          this.#view.refused(item, error.message);
        } else {
          // The same id goes out again, so a message that arrived without its answer is not there twice.
          if (!error.status) this.#view.reachable(false);
          this.#outbox.forEach((waiting) => this.#view.failed(waiting));
          await this.#pause(backOff(failures++, error));
          this.#outbox.forEach((waiting) => this.#view.sending(waiting));
        }
      }
    }
    this.#pumping = false;
  }

  /** A token: the kept one, or a new talk's. Two callers at once share one new talk. */
  async #session() {
    if (this.#token && !this.#link) return;
    this.#opening ??= this.#open().finally(() => { this.#opening = undefined; });
    await this.#opening;
  }

  async #open() {
    const by = this.#linked && { link: this.#link?.token ?? "", key: this.#link?.key };
    try {
      const { token, messages } = await this.#ask("POST", "chat/sessions", { lang: this.#language, ...by });
      this.#token = token;
      store.write({ token });
      this.#take(messages);
    } catch (error) {
      // A used link where the talk stands open already (a step back, the same link again) leaves it open.
      if (error.status !== 410 || !this.#token) throw error;
    }
    this.#link = undefined;
    store.write({ link: undefined });
  }

  /** No link, or one that opens nothing. */
  #shut(why) {
    this.#over.abort();
    store.write({ link: undefined });
    this.#view.shut(why);
  }

  /** One call: its JSON, or a Refusal, or a TypeError when there is no way to the server. */
  async #ask(method, path, body) {
    const used = this.#token;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), path.includes("wait=25") ? 40_000 : 15_000);
    const stop = () => limit.abort();
    this.#over.signal.addEventListener("abort", stop);
    try {
      const answer = await fetch(BASE + path, {
        method, headers: this.#headers(), body: body && JSON.stringify(body), signal: limit.signal, cache: "no-store", credentials: "omit",
      });
      if (!answer.ok) throw await refusal(answer);
      const content = await answer.json();
      this.#view.reachable(true);
      return content;
    } catch (error) {
      if (error.status === 401 && used && used === this.#token) this.#lose();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#over.signal.removeEventListener("abort", stop);
    }
  }

  /** The token has become worthless (the quick exit in another tab, or too long ago): what stood here goes too. */
  #lose() {
    this.#token = undefined;
    this.#last = 0;
    store.write({ token: undefined });
    this.#view.clear();
    this.#outbox.forEach((item) => this.#view.sending(item));
  }

  #take(messages) {
    if (this.#over.signal.aborted || !messages.length) return;
    const resumed = this.#last === 0;
    this.#spoken ||= messages.some((message) => message.from === "resident");
    this.#last = Math.max(this.#last, ...messages.map((message) => message.id));
    this.#view.show(messages, resumed);
  }

  #keep(outbox) {
    this.#outbox = outbox;
    store.write({ outbox });
  }

  #headers() {
    return { "Content-Type": "application/json", ...(this.#token && { Authorization: "Bearer " + this.#token }) };
  }

  /** Waits some seconds, less when `wake` comes. */
  #pause(seconds) {
    return new Promise((resolve) => {
      const go = () => { clearTimeout(timer); this.#wakers.delete(go); resolve(); };
      const timer = setTimeout(go, seconds * 1000);
      this.#wakers.add(go);
    });
  }
}

const backOff = (failures, error) => error.retryAfter || Math.min(30, 2 ** failures) * (0.75 + Math.random() / 2);

async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new Refusal(answer.status, problem.detail ?? "", Number(answer.headers.get("Retry-After")));
}

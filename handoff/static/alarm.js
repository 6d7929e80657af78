// A case in danger makes itself known, once, by a short sound and a notice of the desktop, to whoever has asked for it.
// Which cases a browser knows of already is kept in it, so that neither a second tab nor a reload sounds again.

const button = document.getElementById("alarm");
const ON = "uketome-alarm", KNOWN = "uketome-dangers", KEPT = 500;
let audio;

const isOn = () => localStorage.getItem(ON) === "on";
const show = () => button.setAttribute("aria-pressed", String(isOn()));

// Two soft tones, made on the spot: loud enough for a desk, and nothing that startles.
const sound = async () => {
  audio ??= new AudioContext();
  await audio.resume();
  for (const [at, pitch] of [[0, 660], [0.22, 880]]) {
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const volume = new GainNode(audio, { gain: 0 });
    const begin = audio.currentTime + at;
    volume.gain.linearRampToValueAtTime(0.25, begin + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.4);
    tone.connect(volume).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.45);
  }
};

// The notice says that somebody is in danger, and nothing of who or what: others see the screen too.
const tell = () => {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const notice = new Notification(button.dataset.title, { body: button.dataset.body, tag: "uketome-danger", renotify: true });
  notice.onclick = () => { window.focus(); notice.close(); };
};

const look = () => {
  const there = (document.querySelector("[data-dangers]")?.dataset.dangers ?? "").split(" ").filter(Boolean);
  const known = JSON.parse(localStorage.getItem(KNOWN) ?? "null");
  const fresh = there.filter((id) => known && !known.includes(id));
  localStorage.setItem(KNOWN, JSON.stringify([...new Set([...there, ...(known ?? [])])].slice(0, KEPT)));
  if (!fresh.length || !isOn()) return;
  document.dispatchEvent(new CustomEvent("danger", { detail: fresh.length }));
  sound();
  tell();
};

if (button && "AudioContext" in window) {
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    localStorage.setItem(ON, isOn() ? "off" : "on");
    show();
    if (!isOn()) return;
    sound();
    if ("Notification" in window && Notification.permission === "default") Notification.requestPermission();
  });
  // A browser lets nothing sound before somebody has touched the page.
  document.addEventListener("pointerdown", () => { if (isOn()) (audio ??= new AudioContext()).resume(); }, { once: true });
  new MutationObserver(look).observe(document.getElementById("board"), { childList: true });
  look();
}

// Where an answer is written: a canned reply is put in where the cursor stands, and nothing of a draft gets lost.

// Shown only where it works; the text stands below for copying all the same.
const offer = () => { for (const button of document.querySelectorAll("[data-insert]")) button.hidden = false; };
document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-insert]") && document.querySelector("#desk [data-send]");
  if (!box) return;
  box.setRangeText(event.target.closest("li").querySelector("[data-text]").textContent, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
  event.target.closest("details").open = false;
});

// htmx saves a draft while somebody types; what it has not sent yet when the page goes is sent at the last moment.
const saved = new WeakMap();
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.dataset?.draft && event.detail.successful) saved.set(event.target, event.detail.requestConfig.formData?.get("text"));
});
document.addEventListener("visibilitychange", () => {
  const box = document.querySelector("[data-draft]");
  if (document.visibilityState !== "hidden" || !box || box.value === (saved.get(box) ?? box.defaultValue)) return;
  fetch(box.dataset.draft, { method: "POST", body: new URLSearchParams(new FormData(box.form)), keepalive: true });
  saved.set(box, box.value);
});

const desk = document.getElementById("desk");
if (desk) {
  new MutationObserver(offer).observe(desk, { childList: true, subtree: true });
  offer();
}

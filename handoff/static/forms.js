// Forms and records: each works alone, and every page works without them.

// The usual lengths of time, put into the input by one press.
for (const quick of document.querySelectorAll("[data-quick]")) {
  const input = quick.querySelector("input");
  for (const button of quick.querySelectorAll("button")) {
    button.hidden = false;
    button.addEventListener("click", () => { input.value = button.value; input.focus(); });
  }
}

// What is being written is not lost by a slip: the browser asks before it leaves the page.
for (const form of document.querySelectorAll("form.sheet")) {
  let written = Boolean(document.querySelector(".problem"));
  form.addEventListener("input", () => { written = true; });
  form.addEventListener("submit", () => { written = false; });
  addEventListener("beforeunload", (event) => { if (written) event.preventDefault(); });
}

// The quick exit of the public pages, as in the chat: first nothing is to be seen, then another page stands in the place
// of this one, so that "back" does not lead here. Without this script it is a plain link. Esc twice does the same.
"use strict";
const exit = document.getElementById("exit");
let escapedAt = -1e9;

function leave(event) {
  event?.preventDefault();
  document.documentElement.style.display = "none";
  document.title = "";
  for (const field of document.querySelectorAll("textarea")) field.value = "";
  location.replace(exit.href);
}

exit.addEventListener("click", leave);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
  if (event.timeStamp - escapedAt < 1000) leave();
  escapedAt = event.timeStamp;
});

// Printing needs a script, so its button is shown by one.
const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

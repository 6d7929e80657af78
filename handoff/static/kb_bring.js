// A file that is too big is said to be so before it is sent; the server refuses it all the same.
for (const form of document.querySelectorAll("form[data-most]")) {
  const file = form.elements.file;
  const wrong = form.querySelector("#file-wrong");
  file.addEventListener("change", () => {
    const big = file.files[0]?.size > Number(form.dataset.most);
    wrong.textContent = big ? wrong.dataset.tooBig : "";
    wrong.hidden = !big;
    file.setAttribute("aria-invalid", String(big));
    file.setCustomValidity(big ? wrong.dataset.tooBig : "");
  });
}

// Conveniences of the list of keys. The page works the same without this script.
"use strict";

// A pasted key is read here, and only its id is searched for: its secret goes nowhere.
const search = document.querySelector("form.filters input[name=q]");
search?.addEventListener("input", () => {
  const key = /[A-Za-z0-9]+_[A-Za-z0-9]+_([A-Za-z0-9]{16})[A-Za-z0-9]{25,}/.exec(search.value);
  if (key === null) return;
  search.value = `key_${key[1]}`;
  search.closest("form").requestSubmit();
});

// Only one menu is open. A click outside and Escape close it, and Escape returns the focus.
const pops = [...document.querySelectorAll("details.pop")];
document.addEventListener("click", (event) => {
  for (const pop of pops) {
    if (pop.open && !pop.contains(event.target)) pop.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const pop of pops.filter((one) => one.open)) {
    pop.open = false;
    pop.querySelector("summary").focus();
  }
});

// Says how many keys are selected, and shows what can be done with them once there are some.
const selecting = document.querySelector("form.selecting");
if (selecting !== null) {
  const boxes = [...selecting.querySelectorAll("input[name=key]")];
  const all = selecting.querySelector("[data-tick-all]");
  const bar = selecting.querySelector("[data-select-bar]");
  const said = selecting.querySelector("[data-selected]");
  const which = selecting.elements.which;
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && !all.checked;
    bar.classList.toggle("is-idle", ticked === 0 && which.value === "ticked");
    const texts = {
      ticked: ticked === 0 ? "" : `${ticked} selected`,
      page: `${boxes.length} selected`,
      matching: `${which.selectedOptions[0].textContent} selected`,
    };
    const text = texts[which.value];
    if (said.textContent !== text) said.textContent = text;
  };
  selecting.addEventListener("change", (event) => {
    if (event.target === all) {
      for (const box of boxes) box.checked = all.checked;
    }
    if (event.target !== which) which.value = "ticked";
    show();
  });
  // A browser that comes back to the page may have kept what was ticked.
  addEventListener("pageshow", show);
  show();
}

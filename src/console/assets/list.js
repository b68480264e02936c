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

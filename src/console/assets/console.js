// Conveniences only. Every page works the same without this script.
"use strict";

// Focuses the error summary of a refused form, since some browsers support `autofocus` only on fields.
document.querySelector("[data-summary]")?.focus();

// On a narrow screen, scrolls the current tab into view.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// A filter chosen with a pointer applies at once. Arrow keys in a list pass over other choices first, so a keyboard
// choice applies with Enter or with the button. A page from the browser's back cache shows the filters of its address.
for (const form of document.querySelectorAll("form.filters")) {
  let isByKey = false;
  form.addEventListener("pointerdown", () => { isByKey = false; });
  form.addEventListener("keydown", (event) => {
    isByKey = true;
    if (event.key !== "Enter" || !event.target.matches("select")) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("change", (event) => {
    const { target } = event;
    const isChosen = target.matches("[list], [type=checkbox]") || (target.matches("select") && !isByKey);
    if (isChosen) form.requestSubmit();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) form.reset();
  });
}

// A form that changes something is submitted once, however often its button is pressed. After a long time without a
// response it can be submitted again, because the server recognizes the repetition.
const sent = new Set();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post" || event.defaultPrevented) return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 10_000);
});
addEventListener("pageshow", () => sent.clear());

// Shows a form again automatically after its session has ended.
document.querySelector("form[data-resume]")?.requestSubmit();

// The space bar activates a link that looks like a button or a switch.
for (const link of document.querySelectorAll("a[role=button], a[role=switch]")) {
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    link.click();
  });
}

// A click outside a menu closes it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.account[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.account[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.documentElement.classList.add("js");

// A search through many keys continues automatically until it finds one or reaches the end.
async function lookFurther(link) {
  let next = link.href;
  link.textContent = "Searching…";
  for (;;) {
    const answer = await fetch(next, { redirect: "error" }).catch(() => null);
    if (!answer?.ok) break;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const more = page.querySelector("[data-look-further]");
    if (more === null) {
      location.replace(next);
      return;
    }
    next = new URL(more.getAttribute("href"), location.href).href;
  }
  link.href = next;
  link.textContent = "Continue searching";
}
document.querySelectorAll("[data-look-further]").forEach(lookFurther);

// Shows fields that belong to one choice only with that choice.
function narrow() {
  for (const part of document.querySelectorAll("[data-only-for]")) {
    const [name, value] = part.dataset.onlyFor.split("=");
    const fields = [...document.getElementsByName(name)];
    const chosen = fields.find((field) => field.type !== "radio" || field.checked);
    part.classList.toggle("is-off", chosen?.value !== value);
  }
}
document.addEventListener("change", narrow);
narrow();

// Copies a text and confirms it.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const shown = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(shown.textContent);
      button.textContent = "Copied";
    } catch {
      // Where the browser forbids copying, the text is selected for the keyboard shortcut.
      shown.closest("details").open = true;
      getSelection().selectAllChildren(shown);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 3000);
  });
}

// A page that shows a secret once warns before it is left, until the visitor has confirmed that the secret is saved.
for (const form of document.querySelectorAll("form[data-guard]")) {
  const isSaved = form.querySelector("[type=checkbox]");
  addEventListener("beforeunload", (event) => {
    if (!isSaved.checked) event.preventDefault();
  });
}

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

// Adds and removes scope rows in place, and moves the focus to them.
const rows = document.querySelector("form .rows");
function number() {
  const all = [...rows.querySelectorAll(".row")];
  all.forEach((row, at) => {
    const [count, drop] = [at + 1, row.querySelector("[name=drop]")];
    row.querySelector("select").setAttribute("aria-label", `Action ${count}`);
    const resource = row.querySelector("input");
    resource.id = `resource-${count}`;
    resource.setAttribute("aria-label", `Resource ${count}`);
    resource.setAttribute("aria-describedby", `row-${count}`);
    row.querySelector("[data-words]").id = `row-${count}`;
    drop.value = count;
    drop.setAttribute("aria-label", `Remove scope ${count}`);
    drop.hidden = all.length === 1;
  });
  return all;
}
rows?.addEventListener("click", (event) => {
  const button = event.target.closest("[name=more], [name=drop]");
  if (!button) return;
  event.preventDefault();
  const all = [...rows.querySelectorAll(".row")];
  if (button.name === "more") {
    const last = all.at(-1);
    const row = last.cloneNode(true);
    row.querySelector("select").value = "read";
    row.querySelector("input").value = "";
    row.querySelector("input").removeAttribute("aria-invalid");
    row.querySelector("[data-words]").textContent = "";
    row.querySelector("[data-words]").className = "help";
    last.after(row);
    number();
    row.querySelector("select").focus();
    return;
  }
  const at = all.indexOf(button.closest(".row"));
  all[at].remove();
  const left = number();
  left[Math.min(at, left.length - 1)].querySelector("select").focus();
});

// Offers only the environments of the chosen project.
const project = document.querySelector("select#project");
project?.addEventListener("change", () => {
  const environments = document.querySelector("select#environment");
  const { environments: all, first } = project.selectedOptions[0].dataset;
  const names = all.split(" ");
  const chosen = names.includes(environments.value) ? environments.value : first;
  environments.replaceChildren(...names.map((name) => new Option(name, name, name === chosen, name === chosen)));
});

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

// Fetches the server's explanation of a scope while somebody types.
const waiting = new WeakMap();
document.addEventListener("input", (event) => {
  const row = event.target.closest("[data-explain] .row");
  if (!row) return;
  clearTimeout(waiting.get(row));
  waiting.set(row, setTimeout(() => explain(row), 200));
});
async function explain(row) {
  const [action, resource] = [row.querySelector("select").value, row.querySelector("input").value.trim()];
  const words = row.querySelector("[data-words]");
  row.querySelector("input").removeAttribute("aria-invalid");
  words.className = "help";
  if (resource === "") {
    words.textContent = "";
    return;
  }
  const query = new URLSearchParams({ action, resource });
  const answer = await fetch(`${row.closest("[data-explain]").dataset.explain}?${query}`, { redirect: "error" }).catch(() => null);
  if (!answer?.ok || row.querySelector("input").value.trim() !== resource) return;
  words.textContent = await answer.text();
}

// Adds the visitor's own address without a request.
for (const button of document.querySelectorAll("[data-append]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const field = document.getElementById(button.dataset.append);
    const lines = field.value.split("\n").filter((line) => line.trim() !== "");
    if (!lines.includes(button.dataset.value)) lines.push(button.dataset.value);
    field.value = lines.join("\n");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
const ranges = document.getElementById("cidrs");
ranges?.addEventListener("input", () => {
  const isOpen = ranges.value.trim() === "" || /(^|\s)(\*|0\.0\.0\.0\/0|::\/0)(\s|$)/.test(ranges.value);
  document.querySelector(".open-warning")?.toggleAttribute("hidden", !isOpen);
});

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

// What is only convenience: every page does the same without this.
"use strict";

// Hovering over a time shows it in the reader's time zone, too.
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = `${local.format(new Date(time.dateTime))}\n${time.dateTime}`;
}

// The summary of a refused form has the focus, also where browsers know `autofocus` on fields only.
document.querySelector("[data-summary]")?.focus();

// On a phone, the tabs begin where one is.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// A filter that was chosen with a pointer takes effect at once. Arrow keys in a list pass over every choice before the one
// that is meant: there, Enter applies it, as does the button. A page that the browser has kept shows what its address says.
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

// A form that changes something is sent once, however often its button is pressed. If there is no answer for long, it
// may be sent again: the server knows it.
const sent = new Set();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post" || event.defaultPrevented) return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 10_000);
});
addEventListener("pageshow", () => sent.clear());

// A form that came too late for its session is shown again by itself.
document.querySelector("form[data-resume]")?.requestSubmit();

// The space bar presses a link that looks like a button or a switch.
for (const link of document.querySelectorAll("a[role=button], a[role=switch]")) {
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    link.click();
  });
}

// A menu closes when one looks elsewhere.
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

// A search that goes through many keys goes on by itself until it has found one, or there are no more.
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

// Scopes are added and removed in place, and one goes on typing there.
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

// Only the environments of the chosen project are there to choose.
const project = document.querySelector("select#project");
project?.addEventListener("change", () => {
  const environments = document.querySelector("select#environment");
  const { environments: all, first } = project.selectedOptions[0].dataset;
  const names = all.split(" ");
  const chosen = names.includes(environments.value) ? environments.value : first;
  environments.replaceChildren(...names.map((name) => new Option(name, name, name === chosen, name === chosen)));
});

// What only one choice needs is there only with that choice.
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

// What a scope covers, in the server's words, while it is typed.
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

// One's own address, without a round trip.
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

// Copying, and saying so.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const shown = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(shown.textContent);
      button.textContent = "Copied";
    } catch {
      // Where the browser does not let a page do it, the text is selected for whoever presses the keys.
      shown.closest("details").open = true;
      getSelection().selectAllChildren(shown);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 3000);
  });
}

// A page that shows something once does not go before it was said to be saved.
for (const form of document.querySelectorAll("form[data-guard]")) {
  const isSaved = form.querySelector("[type=checkbox]");
  addEventListener("beforeunload", (event) => {
    if (!isSaved.checked) event.preventDefault();
  });
}

// Conveniences of a key's form: rows in place, the search in the catalogue, checks while somebody types, the summary, and
// times in the reader's zone. The form works the same without this script.
import { difference, localize } from "./times.js";

const form = document.querySelector("form.key-form");

// Rows are added and removed in place. A row without content is the model of a new one.
for (const rows of form.querySelectorAll("[data-rows]")) {
  const all = () => [...rows.querySelectorAll("[data-row]")];
  const number = () => {
    const list = all();
    list.forEach((row, at) => {
      for (const part of row.querySelectorAll("[data-label]")) part.setAttribute("aria-label", `${part.dataset.label} ${at + 1}`);
      for (const part of row.querySelectorAll("[data-id]")) part.id = `${part.dataset.id}-${at + 1}`;
      const words = row.querySelector("[data-words]");
      if (words !== null) {
        words.id = `${rows.dataset.wordsId}-${at + 1}`;
        row.querySelector("[aria-describedby]").setAttribute("aria-describedby", words.id);
      }
      const drop = row.querySelector("[data-drop]");
      drop.value = at + 1;
      drop.hidden = list.length === 1;
    });
    rows.querySelector("[data-more]").disabled = list.length >= Number(rows.dataset.most);
  };
  const blank = (row) => {
    for (const select of row.querySelectorAll("select")) select.selectedIndex = 0;
    for (const input of row.querySelectorAll("input")) {
      input.value = "";
      input.removeAttribute("aria-invalid");
      input.removeAttribute("autofocus");
    }
    say(row, "", false);
    return row;
  };
  const add = () => {
    const last = all().at(-1);
    const row = blank(last.cloneNode(true));
    last.after(row);
    number();
    return row;
  };
  rows.addEventListener("click", (event) => {
    const button = event.target.closest("[data-more], [data-drop], [data-mine]");
    if (button === null) return;
    event.preventDefault();
    if ("mine" in button.dataset) {
      const fields = all().map((row) => row.querySelector("input"));
      if (fields.some((field) => field.value.trim() === button.dataset.mine)) return;
      const field = fields.find((empty) => empty.value.trim() === "") ?? add().querySelector("input");
      field.value = button.dataset.mine;
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    if ("more" in button.dataset) {
      add().querySelector("select, input").focus();
      return;
    }
    const list = all();
    const at = list.indexOf(button.closest("[data-row]"));
    if (list.length === 1) blank(list[0]);
    else list[at].remove();
    number();
    const left = all();
    left[Math.min(at, left.length - 1)].querySelector("select, input").focus();
    summarize();
  });
  // Several lines that are pasted into one row become rows.
  rows.addEventListener("paste", (event) => {
    const lines = event.clipboardData?.getData("text").split(/[\s,]+/).filter((line) => line !== "") ?? [];
    if (event.target.name !== "cidrs" || lines.length < 2) return;
    event.preventDefault();
    let field = event.target;
    for (const line of lines) {
      if (field.value.trim() !== "") field = add().querySelector("input");
      field.value = line;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    field.focus();
  });
}

// What the server says about a row.
function say(row, words, isWrong) {
  const said = row.querySelector("[data-words]");
  if (said === null) return;
  said.textContent = words;
  said.className = isWrong ? "field-error" : "help";
  row.querySelector("input").toggleAttribute("aria-invalid", false);
  if (isWrong) row.querySelector("input").setAttribute("aria-invalid", "true");
}
const waiting = new WeakMap();
form.addEventListener("input", (event) => {
  const row = event.target.closest("[data-explain] [data-row]");
  if (row === null) return;
  clearTimeout(waiting.get(row));
  waiting.set(row, setTimeout(() => explain(row), 250));
});
async function explain(row) {
  const field = row.querySelector("input");
  const text = field.value.trim();
  if (text === "") {
    say(row, "", false);
    return;
  }
  const action = row.querySelector("select")?.value;
  const query = new URLSearchParams(action === undefined ? { text } : { action, resource: text });
  const answer = await fetch(`${row.closest("[data-explain]").dataset.explain}?${query}`, { redirect: "error" }).catch(() => null);
  if (!answer?.ok || field.value.trim() !== text) return;
  const { words, is_wrong: isWrong } = await answer.json();
  say(row, words, isWrong);
}

// The search hides the boxes that do not match. Ticked ones stay in sight.
const search = form.querySelector("[data-picker-search]");
search?.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  let shown = 0;
  for (const group of form.querySelectorAll("[data-picker-group]")) {
    const inGroup = group.querySelector("legend").textContent.toLowerCase().includes(wanted);
    const boxes = [...group.querySelectorAll("label")];
    for (const box of boxes) {
      const isShown = inGroup || box.textContent.toLowerCase().includes(wanted) || box.querySelector("input").checked;
      box.hidden = !isShown;
      if (isShown) shown += 1;
    }
    group.hidden = boxes.every((box) => box.hidden);
  }
  form.querySelector("[data-picker-none]").hidden = shown > 0;
});
search?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});

// The environments of the chosen project.
const project = form.querySelector("select#project");
project?.addEventListener("change", () => {
  const environments = document.querySelector("select#environment");
  const { environments: all, first } = project.selectedOptions[0].dataset;
  const names = all.split(" ");
  const chosen = names.includes(environments.value) ? environments.value : first;
  environments.replaceChildren(...names.map((name) => new Option(name, name, name === chosen, name === chosen)));
});

// The date and the time are in the reader's zone, whose difference from UTC depends on the day. A date that the server has
// filled in is in UTC at first.
const [date, time, offset] = [form.elements.date, form.elements.time, form.querySelector("[data-offset]")];
const typed = (zone) => new Date(`${date.value}T${time.value || "00:00"}${zone}`);
const two = (part) => String(part).padStart(2, "0");
if (offset.value === "0" && date.value !== "") {
  const at = typed("Z");
  if (!Number.isNaN(at.getTime()) && time.value !== "") {
    date.value = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    time.value = `${two(at.getHours())}:${two(at.getMinutes())}`;
  }
}
function toZone() {
  const at = date.value === "" ? new Date() : typed("");
  if (Number.isNaN(at.getTime())) return;
  offset.value = -at.getTimezoneOffset();
  const name = new Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  const zone = difference(at);
  form.querySelector("[data-zone-name]").textContent = name === "" || name === "UTC" ? zone : `${name.replaceAll("_", " ")} (${zone})`;
}
toZone();

// The summary, which the server writes.
let last = 0;
let pending;
async function summarize() {
  const asked = ++last;
  toZone();
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("form");
  const answer = await fetch(form.dataset.summaryAt, { method: "POST", body: fields, redirect: "error" }).catch(() => null);
  if (!answer?.ok || asked !== last) return;
  const part = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#summary");
  if (part === null) return;
  localize(part);
  document.querySelector("#summary").replaceChildren(...part.childNodes);
}
for (const kind of ["input", "change"]) {
  form.addEventListener(kind, () => {
    clearTimeout(pending);
    pending = setTimeout(summarize, 300);
  });
}
addEventListener("pageshow", (event) => {
  if (event.persisted) summarize();
});
// A form that the server has filled in says its moments in UTC.
if (date.value !== "") summarize();

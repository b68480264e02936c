// Says before a session ends, lets the visitor stay, and keeps what is typed into a form for the time after the next sign-in.
// Without this script, a form that is submitted too late still comes back after the sign-in.
import { clock, day } from "./times.js";

const session = document.getElementById("session");
const main = document.querySelector("main");

// How long before the end the page says so, in milliseconds.
const AHEAD = 5 * 60_000;
const OFTEN = 10_000;

// When the session ends by itself, and when it ends in any case.
let idleEnd;
let lastEnd;
function lasts({ idle_seconds: idle, longest_seconds: longest }) {
  idleEnd = Date.now() + idle * 1000;
  lastEnd = Date.now() + longest * 1000;
}
lasts({ idle_seconds: Number(session.dataset.idle), longest_seconds: Number(session.dataset.longest) });

// A request from another tab keeps the session as well.
const tabs = new BroadcastChannel("claviger-session");
tabs.addEventListener("message", ({ data }) => {
  if (data.visitor !== session.dataset.visitor) return;
  idleEnd = Math.max(idleEnd, data.idleEnd);
  look();
});
const tell = () => tabs.postMessage({ visitor: session.dataset.visitor, idleEnd });
tell();

// The note, which is part of the page's end and does not take the focus.
const note = document.createElement("section");
note.className = "session-note";
note.setAttribute("aria-label", "Session");
note.hidden = true;
const words = document.createElement("p");
words.setAttribute("role", "status");
const stay = document.createElement("button");
stay.type = "button";
stay.textContent = "Stay signed in";
const again = document.createElement("a");
again.setAttribute("role", "button");
again.textContent = "Sign in again";
again.href = location.pathname + location.search;
note.append(words, stay, again);
document.body.append(note);

const at = (time) => {
  const [end, now] = [new Date(time), new Date(Date.now())];
  return day(end) === day(now) ? clock(end) : `${clock(end)} on ${day(end)}`;
};

function say(text, mayStay, isOver) {
  if (words.textContent !== text) words.textContent = text;
  [note.hidden, stay.hidden, again.hidden] = [text === "", !mayStay, !isOver];
}

let isOver = false;
let isNear = false;
function look() {
  const end = Math.min(idleEnd, lastEnd);
  isOver ||= Date.now() >= end;
  isNear = isOver || Date.now() >= end - AHEAD;
  if (isNear) keep();
  if (isOver) {
    say("Your session has ended. Sign in again to continue. What you entered on this page comes back then.", false, true);
  } else if (isNear && lastEnd <= idleEnd) {
    say(`Your session ends at ${at(end)} and cannot be extended. What you entered is kept for the time after the next sign-in.`, false, false);
  } else if (isNear) {
    say(`Your session ends at ${at(end)}, because you have not loaded a page for a while. What you entered is kept.`, true, false);
  } else {
    say("", false, false);
  }
}

stay.addEventListener("click", async () => {
  const token = document.querySelector("form[action$='/sign-out'] [name=token]").value;
  const body = new URLSearchParams({ token });
  const answer = await fetch(session.dataset.stay, { method: "POST", body, redirect: "error" }).catch(() => null);
  if (answer?.ok) {
    lasts(await answer.json());
    forget();
    tell();
  } else if (answer !== null) {
    isOver = true;
  }
  look();
});

// What is typed. Only forms that create or change something are kept, and never a field that may hold a secret.
const NEVER = ["token", "form", "resume", "key", "workload_token"];
const SECRET = /[a-z0-9]+_[a-z0-9-]+_[0-9A-Za-z]{60,}|ey[\w-]{10,}\.[\w-]+\.|PRIVATE KEY/;
const DRAFT = "claviger-draft";
const BACK = "claviger-draft-is-back";

const isKept = (form) => form.getAttribute("method") === "post" && form.querySelector("[type=password], button.danger") === null
  && form.querySelector("textarea, select, input:not([type=hidden])") !== null;
let typedInto = null;
const fieldsOf = (form) => [...new FormData(form)].filter(([name, value]) => !NEVER.includes(name)
  && typeof value === "string" && !SECRET.test(value));

main.addEventListener("input", (event) => {
  const { form } = event.target;
  if (!form || !isKept(form)) return;
  typedInto = form;
  if (isNear) keep();
});

function keep() {
  if (typedInto === null) return;
  const { pathname: action } = new URL(typedInto.getAttribute("action") ?? "", location.href);
  const draft = { visitor: session.dataset.visitor, page: location.pathname, action, fields: fieldsOf(typedInto) };
  sessionStorage.setItem(DRAFT, JSON.stringify(draft));
}

function forget() {
  sessionStorage.removeItem(DRAFT);
}

// A form that is submitted is kept by the server. After a sign-out, nothing is left behind.
document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("method") !== "post") return;
  typedInto = null;
  forget();
});

// After the sign-in, the server shows the form again with what was typed. It applies nothing of it.
function bringBack() {
  const kept = sessionStorage.getItem(DRAFT);
  if (kept === null) return;
  const draft = JSON.parse(kept);
  if (draft.visitor !== session.dataset.visitor) {
    forget();
    return;
  }
  const form = [...main.querySelectorAll("form[method=post]")].find((form) => new URL(form.getAttribute("action") ?? "", location.href).pathname === draft.action);
  if (draft.page !== location.pathname || form === undefined) return;
  forget();
  sessionStorage.setItem(BACK, draft.action);
  const again = document.createElement("form");
  again.method = "post";
  again.action = form.getAttribute("action") ?? "";
  again.hidden = true;
  const own = [...form.querySelectorAll("[type=hidden]")].filter(({ name }) => name === "token" || name === "form");
  for (const [name, value] of [...own.map((field) => [field.name, field.value]), ["resume", "yes"], ...draft.fields]) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    again.append(field);
  }
  document.body.append(again);
  again.submit();
}

if (sessionStorage.getItem(BACK) !== null) {
  sessionStorage.removeItem(BACK);
  const back = document.createElement("p");
  back.className = "notice";
  back.setAttribute("role", "status");
  main.prepend(back);
  setTimeout(() => { back.textContent = "What you entered before your session ended is here again. Nothing of it has been applied yet."; }, 50);
} else {
  bringBack();
}

look();
setInterval(look, OFTEN);
document.addEventListener("visibilitychange", look);
addEventListener("pageshow", (event) => { if (event.persisted) look(); });

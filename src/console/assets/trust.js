// Reads a token in the browser, and proposes the trust rule that its workload fulfils. The token stays in the page: its
// field has no name and belongs to no form, and nothing here sends, stores or logs it.
"use strict";

const sample = document.getElementById("sample");
const reading = document.getElementById("reading");
const said = document.getElementById("said");
const rule = document.getElementById("rule");
const links = [...rule.querySelectorAll("[data-platform]")];

// Shows the fields of another platform. What is typed into the others stays there, and the server ignores it.
function choose(platform) {
  const field = rule.elements.namedItem("platform");
  field.value = platform;
  for (const link of links) {
    if (link.dataset.platform === platform) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  // The script of all pages shows and hides what belongs to one choice.
  field.dispatchEvent(new Event("change", { bubbles: true }));
}
for (const link of links) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(link.dataset.platform);
  });
}

// Why a text can't be read, in a sentence.
class Unreadable extends Error {}

function decoded(part) {
  const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}

// An integer keeps its digits: an id of 64 bits does not fit into a number.
function exact(_, value, context) {
  if (typeof value !== "number") return value;
  const digits = context?.source ?? (Number.isSafeInteger(value) ? String(value) : "");
  return /^-?\d+$/.test(digits) ? BigInt(digits) : value;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// The claims of a token (RFC 7519), whose signature nobody has checked.
function claimsOf(text) {
  const parts = text.trim().replace(/^(bearer|dpop)\s+/i, "").replace(/\s+/g, "").split(".");
  if (parts.length === 5) throw new Unreadable("This token is encrypted, so nobody but its recipient can read it.");
  if (parts.length !== 3) throw new Unreadable("This is not a token. A token (JWT) has three parts, with a dot between them.");
  let header;
  let claims;
  try {
    header = JSON.parse(decoded(parts[0]));
    claims = JSON.parse(decoded(parts[1]), exact);
  } catch {
    throw new Unreadable("This token is damaged. Copy it again, from its first character to its last.");
  }
  if (!isObject(header) || !isObject(claims)) throw new Unreadable("This is not a token: it has no claims.");
  if (typeof claims.iss !== "string") throw new Unreadable("This token does not name its issuer (iss), so no rule can be made for it.");
  return claims;
}

// The claim at a JSON Pointer (RFC 6901), which leads into objects only.
function at(claims, pointer) {
  const names = pointer.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce((value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined), claims);
}

// The text that a rule compares, or an empty one for a claim that no rule can name.
function comparable(value) {
  return ["string", "bigint", "boolean"].includes(typeof value) ? String(value) : "";
}

// A value as people read it.
function shown(value) {
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (isObject(value)) return Object.entries(value).map(([name, inner]) => `${name}: ${shown(inner)}`).join(", ");
  return String(value);
}

// Each claim and its pointer.
function* listed(object, above = "") {
  for (const [name, value] of Object.entries(object)) {
    const pointer = `${above}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (isObject(value)) yield* listed(value, pointer);
    else yield [pointer, value];
  }
}

const TIMES = ["/exp", "/iat", "/nbf", "/auth_time"];

function dated(value) {
  const at = new Date(Number(value) * 1000);
  return Number.isNaN(at.getTime()) ? "" : ` (${at.toISOString().slice(0, 16).replace("T", " ")} UTC)`;
}

function list(claims) {
  const rows = [...listed(claims)].map(([pointer, value]) => {
    const [row, name, text] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
    name.textContent = pointer;
    text.textContent = shown(value) + (TIMES.includes(pointer) ? dated(value) : "");
    row.append(name, text);
    return row;
  });
  said.querySelector("dl").replaceChildren(...rows);
  said.hidden = false;
  said.open = true;
}

// The fields of a platform's own claims that a proposal fills.
const proposed = (platform) => [...rule.querySelectorAll(`[data-only-for="platform=${platform}"] [data-proposed]`)];

// The platform of a token: as the trusted issuer's URL says, as its own issuer says, or by the claims that it has.
function platformOf(claims, known) {
  if (known?.dataset.of) return known.dataset.of;
  const names = links.map((link) => link.dataset.platform);
  const shared = links.find((link) => link.dataset.sharedIssuer === claims.iss);
  const hasAll = (name) => {
    const fields = proposed(name);
    return fields.length > 0 && fields.every((field) => comparable(at(claims, field.dataset.claim)) !== "");
  };
  return shared?.dataset.platform ?? names.find(hasAll) ?? "other";
}

// Fills in the form, and returns what there is to say about it.
function propose(claims) {
  const known = [...rule.querySelectorAll("[data-issuer-url]")].filter((option) => option.dataset.issuerUrl === claims.iss);
  const platform = platformOf(claims, known[0]);
  const notes = [];
  choose(platform);
  const { issuer, audience, subject } = Object.fromEntries(["issuer", "audience", "subject"].map((name) => [name, rule.elements.namedItem(name)]));
  const title = links.find((link) => link.dataset.platform === platform).textContent;
  notes.push(platform === "other"
    ? "The form below has the token’s issuer, subject and audience. Add claims from the list, review it and submit it."
    : `This is a token of ${title}. The form below is filled in from it. Review it and submit it.`);

  issuer.value = known[0]?.value ?? "";
  if (known.length === 0) notes.push({ text: `This organization does not trust an issuer with the URL ${claims.iss}.`, isWrong: true, create: claims.iss });
  if (known.length > 1) notes.push({ text: `${known.length} trusted issuers have the URL ${claims.iss}. Choose the right one.`, isWrong: true });
  if (known.length === 1 && known[0].dataset.disabled !== undefined) notes.push({ text: "The trusted issuer is disabled. The rule opens the key once somebody enables it.", isWrong: true });

  const audiences = [claims.aud ?? []].flat().map(comparable);
  audience.value = audiences.length === 1 && audiences[0] !== rule.dataset.ownIssuer ? audiences[0] : "";
  if (audiences.length !== 1) notes.push({ text: `The token has ${audiences.length === 0 ? "no audience" : `${audiences.length} audiences`}. Only a token with exactly one audience (aud) opens a key.`, isWrong: true });
  subject.value = typeof claims.sub === "string" ? claims.sub : "";
  for (const field of proposed(platform)) {
    field.value = comparable(at(claims, field.dataset.claim));
    if (field.value === "") notes.push({ text: `The token has no ${field.dataset.claim}.`, isWrong: true });
  }
  return notes;
}

function tell(notes) {
  const paragraphs = notes.map((note) => {
    const paragraph = document.createElement("p");
    paragraph.className = note.isWrong ? "warning" : "notice";
    paragraph.textContent = note.text ?? note;
    if (note.create !== undefined && rule.dataset.createIssuer !== undefined) {
      const link = document.createElement("a");
      const [page] = rule.dataset.createIssuer.split("?");
      link.href = `${page}?${new URLSearchParams({ issuer: note.create })}`;
      link.textContent = "Add it";
      paragraph.append(" ", link);
    }
    return paragraph;
  });
  reading.replaceChildren(...paragraphs);
}

function read() {
  said.hidden = true;
  if (sample.value.trim() === "") {
    reading.replaceChildren();
    return;
  }
  try {
    const claims = claimsOf(sample.value);
    list(claims);
    tell(propose(claims));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    tell([{ text: error.message, isWrong: true }]);
  }
}
sample.addEventListener("input", read);

// What goes wrong with forms: a second click, the Back button, two tabs, a session that ends, somebody who is faster.
import { browser, check, complaints, end, issuer, look, page, press, text } from "./browse.mjs";

const adminKey = process.env.CLAVIGER_ADMIN_KEY;
const keys = `${issuer}/console/orgs/default/keys`;

async function api(method, path, body) {
  const answer = await fetch(`${issuer}/v1${path}`, {
    method,
    headers: { "X-Api-Key": adminKey, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

async function make(members) {
  return api("POST", "/orgs/default/keys", { project: "default", environment: "prd", preset: "query_only", ...members });
}

async function signIn(key = adminKey) {
  await page.goto(`${issuer}/console/sign-in`);
  await page.type("#key", key);
  await press("button[type=submit]");
}

// Presses twice, as fast as people do. Of two forms that are sent, the browser drops the answer to the first.
async function pressTwice(selector) {
  // Puppeteer's own time limit goes on for a navigation that another one replaces, and would end the program later.
  const limit = setTimeout(() => {
    throw new Error(`no page came after ${selector} was pressed twice`);
  }, 30_000);
  await Promise.all([page.waitForNavigation({ timeout: 0 }), page.click(selector, { count: 2, delay: 20 })]);
  clearTimeout(limit);
  return page.$eval("#secret", (element) => element.textContent);
}

async function works(secret) {
  const body = new URLSearchParams({ grant_type: "client_credentials", client_secret: secret });
  return (await fetch(`${issuer}/oauth/token`, { method: "POST", body })).status === 200;
}

await signIn();

// A double click, with scripts and without, near and far.
for (const scripts of [true, false]) {
  for (const latency of [0, 150]) {
    const name = `Twice, scripts ${scripts}, ${latency} ms`;
    await page.setJavaScriptEnabled(scripts);
    await page.emulateNetworkConditions({ offline: false, download: -1, upload: -1, latency });
    for (let round = 0; round < 5; round += 1) {
      await page.goto(`${keys}/new`);
      await page.type("#name", `${name}, ${round}`);
      await page.click("input[name=access][value=query_only]");
      const secret = await pressTwice("button.primary");
      check(`${name}: the key that is shown works`, await works(secret));
      const made = await api("GET", `/orgs/default/keys?q=${encodeURIComponent(`${name}, ${round}`)}`);
      check(`${name}: one key is made`, made.data.length === 1, String(made.data.length));
      await page.goto(`${keys}/${made.data[0].id}/rotate`);
      await page.select("#overlap", "0");
      const second = await pressTwice("main button[type=submit]");
      check(`${name}: the new secret that is shown works`, second !== secret && await works(second));
    }
  }
}
await page.setJavaScriptEnabled(true);
await page.emulateNetworkConditions(null);
complaints.length = 0;

// Back after filtering.
await page.goto(keys);
await Promise.all([page.waitForNavigation(), page.select("select[name=status]", "all")]);
await page.type("input[type=search]", "nothing");
await page.goBack();
check("after Back the filters are those of the address", (await page.$eval("select[name=status]", (field) => field.value)) === ""
  && (await page.$eval("input[type=search]", (field) => field.value)) === "");
await page.goForward();
check("and after Forward", (await page.$eval("select[name=status]", (field) => field.value)) === "all"
  && (await page.$eval("input[type=search]", (field) => field.value)) === "");

// Signed out in another tab.
await page.goto(`${keys}/new`);
await page.type("#name", "Typed before");
await page.type("#note", "two\nlines");
const other = await browser.newPage();
await other.goto(keys);
await other.click("details.account summary");
await Promise.all([other.waitForNavigation(), other.click("details.account form button")]);
await other.close();
await press("button.primary");
check("one is asked to sign in again", (await text()).includes("Your session has ended"), await text());
await look("sign-in-unsent");
complaints.length = 0;
await page.type("#key", adminKey);
// The page that carries the form leads on by itself.
const isBack = page.waitForResponse((answer) => answer.url() === `${keys}/new` && answer.request().method() === "POST");
await press("button[type=submit]");
await isBack;
await page.waitForSelector("#name");
check("and what was typed is still there", (await page.$eval("#name", (field) => field.value)) === "Typed before"
  && (await page.$eval("#note", (field) => field.value)) === "two\nlines", await text());
check("on a page of its own", page.url() === `${keys}/new`, page.url());

// A session that ends amid a form, without scripts.
const doomed = await make({ name: "Doomed", preset: undefined, scopes: [{ action: "*", resource: "claviger/**" }] });
const edited = await make({ name: "Edited", note: "at first" });
await page.deleteCookie(...await page.cookies());
await page.setJavaScriptEnabled(false);
await signIn(doomed.key);
await page.goto(`${keys}/${edited.id}/edit`);
await page.$eval("#note", (field) => { field.value = "typed in vain?"; });
await api("POST", `/orgs/default/keys/${doomed.id}/revoke`, {});
await press("button[type=submit]:not(.default)");
check("a session ends with its key", (await text()).includes("Your session has ended"), await text());
await page.type("#key", adminKey);
await press("button[type=submit]");
await press("main button[type=submit]");
check("and the form is back", (await page.$eval("#note", (field) => field.value)) === "typed in vain?", await text());
await page.setJavaScriptEnabled(true);
complaints.length = 0;

// Somebody who is faster.
await page.goto(`${keys}/${edited.id}/edit`);
await page.$eval("#name", (field) => { field.value = "Mine"; });
await api("PATCH", `/orgs/default/keys/${edited.id}`, { note: "theirs" });
await press("button[type=submit]:not(.default)");
check("it is said what somebody else has changed", (await text()).includes("Changed by someone else") && (await text("ins")).includes("theirs"), await text());
check("with what was typed", (await page.$eval("#name", (field) => field.value)) === "Mine");
await look("overtaken");
complaints.length = 0;

// 64 scopes and one more.
await page.goto(`${keys}/new`);
await page.type("#name", "Many scopes");
await page.click("input[name=access][value=scopes]");
await page.evaluate(() => {
  const row = document.querySelector(".row");
  for (let at = 0; at < 64; at += 1) row.after(row.cloneNode(true));
  document.querySelectorAll("input[name=resource]").forEach((field, at) => { field.value = `r/${at}`; });
});
await press("button.primary");
check("the 65th scope is an error", (await text()).includes("At most 64 scopes"), await text());
check("and still there", (await page.$$("input[name=resource]")).length === 65);
complaints.length = 0;
await page.$eval("input[name=resource]", (field) => { field.value = ""; });
await press("button.primary");
check("64 are not", (await page.$("#secret")) !== null, await text());

// Names that nobody can type, and one that is written from right to left.
for (const [name, typed] of [["two  spaces", "two spaces"], ["no\u00a0break", "no break"], ["cafe\u0301", "caf\u00e9"], ["zero\u200bwidth", null]]) {
  const made = await make({ name });
  await page.goto(`${keys}/${made.id}/revoke`);
  await page.type("#name", typed ?? made.id);
  await press("button.danger");
  check(`${JSON.stringify(name)} is revoked`, (await text()).includes("Key revoked. The server"), await text());
  await page.reload();
  check("which is said once", !(await text()).includes("Key revoked. The server"));
}

// More projects than a list holds.
for (let at = 0; at < 205; at += 1) {
  await api("POST", "/orgs/default/projects", { id: `p${String(at).padStart(3, "0")}` });
}
await page.goto(`${keys}/new`);
await look("create-many-projects");
await page.type("#name", "Of the oldest");
await page.click("input[name=access][value=query_only]");
await page.$eval("#project", (field) => { field.value = ""; });
await page.type("#project", "p000");
await press("button.primary");
check("a key is made in a project that is not on the list", (await page.$("#secret")) !== null, await text());
await page.goto(keys);
await page.type("input[name=project]", "p000");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
check("and found by it", (await page.$$("tbody tr")).length === 1 && page.url().includes("project=p000"), page.url());

// What ends more than one key asks for more.
await page.goto(`${issuer}/console/signing-keys`);
await press("a[href$=withdraw]");
await look("withdraw");
const kid = (await text("main > section code")).trim();
await page.type("#kid", kid.slice(0, 8));
await page.click("button.danger");
check("a signing key is withdrawn by nobody who has not ticked the box", page.url().endsWith("/withdraw"));
await page.click("input[name=understood]");
await press("button.danger");
check("it is withdrawn then", page.url().endsWith("/signing-keys") && (await text()).includes("Withdrawn"), await text());

await end();

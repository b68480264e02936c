// The customers' portal, in a frame of a vendor's page on another site, in a browser that blocks third-party cookies; and each of
// its pages in a tab.
import { browser, check, complaints, end, issuer, look, page, text, withstand } from "./browse.mjs";
import { admin, api, embed, session, stranger, vendor } from "./vendor.mjs";

const list = `${issuer}/portal/orgs/default/keys`;

async function tokenFor(key) {
  const body = new URLSearchParams({ grant_type: "client_credentials", client_secret: key });
  return (await fetch(`${issuer}/oauth/token`, { method: "POST", body })).status;
}

// Into the frame.
const first = await session("ada");
let frame = await embed(vendor, first);
await frame.waitForSelector(".empty h2");
const said = (selector = "main") => frame.$eval(selector, (element) => element.innerText);
async function go(selector) {
  await Promise.all([frame.waitForNavigation(), frame.click(selector)]);
}
check("a code opens the list in a frame of another site", frame.url() === list, frame.url());
check("the code is in no address any more", !(await frame.evaluate(() => location.href + document.referrer)).includes(first.split("#")[1]));
check("it has the vendor's words", (await said("h1")) === "Access tokens" && (await said()).includes("Your programs use these."), await said());
check("and the vendor's logo, with its name", await frame.$eval(".portal-logo", (logo) => logo.naturalWidth > 0 && logo.alt === "Example & Söhne"));
check("and colours", (await frame.$eval(".head a.primary", (link) => getComputedStyle(link).backgroundColor)) === "rgb(122, 62, 168)");
check("and leads to the vendor's page about keys", (await frame.$("a[href='https://docs.example.com/keys'][rel=noopener]")) !== null);
check("and says nothing of whose pages they are", !(await frame.evaluate(() => document.documentElement.outerHTML.replaceAll(/(src|href|#)[=c][^>]*/g, ""))).includes("Claviger"));
const devtools = await page.createCDPSession();
const { cookies } = await devtools.send("Storage.getCookies");
const [cookie] = cookies;
check("its cookie is for this server, inside this vendor's pages alone", cookies.length === 1 && cookie.name === "__Host-claviger-portal" && cookie.httpOnly
  && cookie.secure && cookie.sameSite === "None" && cookie.partitionKey?.topLevelSite === "http://localhost", JSON.stringify({ ...cookie, value: "" }));

// A key, from its creation to its end.
await go(".head a.primary");
await frame.type("#name", "Nightly import");
await frame.type("input[name=resource]", "orders/7");
await frame.waitForFunction(() => document.querySelector("#summary").textContent.includes("Nightly import"));
check("the form's summary follows in the frame", true);
await go("button.primary");
const secret = await frame.$eval("#secret", (element) => element.textContent);
check("the key is shown once, masked", !(await said()).includes(secret) && (await tokenFor(secret)) === 200);
await page.bringToFront();
await frame.click("[data-copy]");
await frame.waitForFunction(() => document.querySelector("[data-copy]").textContent !== "Copy");
check("a vendor that allows it lets the key be copied", (await said("[data-copy]")) === "Copied", await said("[data-copy]"));
await frame.click("form[data-guard] [type=checkbox]");
await go("form[data-guard] button");
const own = frame.url().split("?")[0];
check("then one is on the key's page, without the secret", /keys\/key_/.test(own) && !(await frame.content()).includes(secret), own);
check("which says how the key is used", (await said()).includes("Use"), await said());
check("who made it", (await said(".facts")).includes("ada of Example"), await said(".facts"));
await go("a[href*='/edit']");
await frame.$eval("#name", (field) => { field.value = ""; });
await frame.type("#name", "Hourly import");
await go("button[type=submit]:not(.default)");
check("a change is reviewed first", (await said()).includes("Hourly import"), await said());
await go("button[type=submit]");
check("and then made", frame.url().startsWith(own) && (await said("h1")) === "Hourly import", await said());
await go("a[href*='/rotate']");
await frame.select("#overlap", "0");
await go("main form button[type=submit]");
const next = await frame.$eval("#secret", (element) => element.textContent);
check("a rotated key has a new secret", next !== secret && (await tokenFor(next)) === 200 && (await tokenFor(secret)) === 401);
await frame.click("form[data-guard] [type=checkbox]");
await go("form[data-guard] button");
await go("a[href*='/revoke']");
await frame.type("#name", "Hourly import");
await go("button.danger");
check("a revoked key is refused", (await said()).includes("revoked") && (await tokenFor(next)) === 401, await said());
complaints.length = 0;

// What opens nothing.
frame = await embed(vendor, first);
await frame.waitForSelector("[role=alert]");
check("a code that was used opens nothing", (await said()).includes("has been used"), await said());
complaints.length = 0;
frame = await embed(stranger, await session("ada"));
await page.waitForFunction(() => document.querySelector("iframe").contentDocument === null);
const end2 = Date.now() + 10_000;
while (!complaints.some((line) => line.includes("frame-ancestors")) && Date.now() < end2) await new Promise((resolve) => { setTimeout(resolve, 50); });
check("a page of an origin that is not named has no frame of it", complaints.some((line) => line.includes("frame-ancestors")) && !page.frames().some((shown) => shown.url().startsWith(issuer)), complaints.join("\n"));
complaints.length = 0;

// The way back.
const back = `${vendor}/settings?tab=keys`;
frame = await embed(vendor, await session("ada", { return_url: back }));
await frame.waitForSelector(".portal-back");
await Promise.all([page.waitForNavigation(), frame.click(".portal-back")]);
check("the way back leads out of the frame", page.url() === back && page.frames().length === 2, page.url());
for (const elsewhere of [`${stranger}/settings`, "https://localhost.evil.example/", "javascript:alert(1)"]) {
  const refused = await api("portal-sessions", { subject: "ada", name: "Ada", projects: ["default"], may: ["list"], scopes_within: [{ action: "read", resource: "*" }], max_keys: 1, keys: "own", return_url: elsewhere });
  check(`nothing leads back to ${elsewhere}`, refused.status === 400, String(refused.status));
}

// The end of a session: the vendor's word, and the vendor's key.
frame = await embed(vendor, await session("ada"));
await frame.waitForSelector(".head a.primary");
check("what the vendor ends", (await api("portal-sessions/end", { subject: "ada" })).status === 200);
await go(".head a.primary");
check("is over at the next click", (await said()).includes("Your session has ended") && (await said()).includes("Example & Söhne"), await said());
const made = await (await api("keys", { name: "Portal", project: "default", environment: "prd", scopes: [
  { action: "write", resource: "claviger/orgs/default/portal-sessions" }, { action: "*", resource: "claviger/orgs/default/projects/default/keys/*" }] })).json();
frame = await embed(vendor, await session("bob", {}, made.key));
await frame.waitForSelector(".head a.primary");
check("the key that made a session", (await api(`keys/${made.id}/revoke`, {})).status === 200);
await go(".head a.primary");
check("takes it along", (await said()).includes("Your session has ended"), await said());
complaints.length = 0;

// A vendor may put the frame into a sandbox that has an origin.
await page.goto(`${vendor}/settings`);
const element = await page.$("iframe");
await page.evaluate((inner, src) => { inner.sandbox = "allow-scripts allow-same-origin allow-forms allow-popups"; inner.src = src; }, element, await session("ada"));
frame = await element.contentFrame();
await frame.waitForSelector(".head a.primary");
check("the portal works in a sandbox with an origin of its own", frame.url() === list, frame.url());

// Every page in a tab, as axe and people see it.
async function seen(name) {
  await look(`portal-${name}`);
  await withstand(`portal-${name}`);
}
const press = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
await page.goto(`${issuer}/portal`);
await seen("entrance");
await page.type("#code", "nonsense");
await press("form button");
await seen("entrance-refused");
await page.goto(list);
await seen("ended");
await page.goto("about:blank");
await page.goto(await session("carol", { max_keys: 9, return_url: back }));
await page.waitForSelector(".empty");
const accent = (theme) => page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }, { name: "prefers-reduced-motion", value: "reduce" }])
  .then(() => page.$eval(".head a.primary", (link) => getComputedStyle(link).backgroundColor));
check("each theme has the vendor's colour", (await accent("dark")) === "rgb(207, 159, 240)" && (await accent("light")) === "rgb(122, 62, 168)");
await seen("list-empty");
await page.goto(`${list}/new`);
await seen("form");
await page.type("#name", "Wrong");
await page.type("input[name=resource]", "orders//7");
await page.type("#range-1", "10.0.0.1/8");
await press("button.primary");
await seen("form-mistakes");
async function make(name) {
  await page.goto(`${list}/new`);
  await page.type("#name", name);
  await page.type("input[name=resource]", "orders/7");
  await press("button.primary");
}
await make("Nightly import");
await seen("made");
await make(`Import ${"long ".repeat(30)}name`);
await make("Weekly");
await page.goto(list);
await seen("list");
await page.goto(`${list}?q=nothing-is-called-so`);
await seen("list-none");
await page.goto(`${list}?q=Nightly`);
await press("a.row-link");
const key = page.url().split("?")[0];
await seen("key");
await page.goto(`${key}/edit`);
await seen("edit");
await page.type("#note", "Runs at night");

await press("button[type=submit]:not(.default)");
await seen("review");
await page.goto(`${key}/rotate`);
await seen("rotate");
await press("main form button[type=submit]");
await seen("rotated");
await page.goto(key);
await seen("key-rotated");
await press("a[href*='/retire']");
await seen("retire");
await page.goto(`${key}/revoke`);
await seen("revoke");
await page.type("#name", "something else");
await press("button.danger");
await seen("revoke-refused");
await page.$eval("#name", (field) => { field.value = ""; });
await page.type("#name", "Nightly import");
await press("button.danger");
await seen("revoked");
await page.goto(`${list}/key_0123456789abcdef`);
await seen("not-found");
complaints.length = 0;

// Without scripts, one types the code.
await page.setJavaScriptEnabled(false);
await page.goto("about:blank");
const typed = await session("dora");
await page.goto(typed);
await page.type("#code", typed.split("#")[1]);
await press("form button");
check("without scripts, the code is typed", page.url() === list, page.url());
await page.setJavaScriptEnabled(true);
check("nothing of the administrator's came near the browser", !(await page.content()).includes(admin));
await browser.defaultBrowserContext().clearPermissionOverrides();
await end();

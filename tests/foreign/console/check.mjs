// Drives the console as people do: with a mouse, a keyboard, a phone, and without scripts. Every page is looked at by
// axe; with CLAVIGER_SCREENSHOTS a picture of each is put into that folder, light and dark, wide and on a phone.
import { browser, check, complaints, end, issuer, look, page, press, text } from "./browse.mjs";

const adminKey = process.env.CLAVIGER_ADMIN_KEY;
const keys = `${issuer}/console/orgs/default/keys`;

// Signing in.
await page.goto(keys);
check("a stranger is asked to sign in", page.url().startsWith(`${issuer}/console/sign-in`), page.url());
await look("sign-in");
await page.type("#key", "clv_prd_nonsense");
await press("button[type=submit]");
check("a wrong key is refused on the page", (await text()).includes("This key is not valid"));
complaints.length = 0;
await page.type("#key", adminKey);
await press("button[type=submit]");
check("the right one leads on to where one wanted to go", page.url() === keys, page.url());
const cookies = await page.cookies();
check("the cookie is for the server alone", cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === "Strict");
const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
check("nothing is kept in the page", kept === '[{},{},""]', kept);

// The list.
await look("keys");
await page.type("input[type=search]", "billing");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
check("a search finds by name", (await page.$$("tbody tr")).length === 1);
await page.goto(keys);
await Promise.all([page.waitForNavigation(), page.select("select[name=status]", "revoked")]);
check("a filter takes effect at once", page.url().includes("status=revoked"), page.url());
await page.goto(keys);
await page.focus("a[role=switch]");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Space")]);
check("revoked keys can be shown", (await text("table")).includes("revoked"));
await page.goto(`${keys}?q=nothing-is-called-so`);
await look("keys-none");

// Several keys at once.
await page.goto(`${keys}?sort=name`);
const offers = () => page.$eval("button[name=act]", (button) => getComputedStyle(button).display !== "none");
check("without selected keys, nothing is offered", !(await offers()));
await page.focus("tbody input[name=key]");
await page.keyboard.press("Space");
check("the keyboard selects a key, and their number is said", (await text("[data-selected]")) === "1 selected" && await offers());
check("the box of all says that it is some", await page.$eval("[data-tick-all]", (box) => box.indeterminate));
await page.click("[data-tick-all]");
const ticked = await page.$$eval("tbody input[name=key]", (boxes) => boxes.every((box) => box.checked) && boxes.length);
check("one box selects the whole page", ticked > 1 && (await text("[data-selected]")) === `${ticked} selected`, ticked);
await look("keys-selected");
await press("button[value=revoke]");
check("a revocation of several is asked about, by their names", (await text("h1")).startsWith("Revoke ") && (await text()).includes("Administrator"), await text());
check("and the last administrator stays", (await text()).includes("stays as it is") || (await text()).includes("stay as they are"), await text());
await look("keys-revoke");
await press(".actions a[role=button]");
check("the way back keeps the list", page.url() === `${keys}?sort=name`, page.url());
await page.click("tbody tr:last-child input[name=key]");
await press("button[value=tag]");
await page.type("#tag", "Team");
await press(".actions button");
check("what is wrong with a tag stands beside it", (await text(".field-error")).includes("A tag's name has"), await text());
await look("keys-tag-error");
await page.$eval("#tag", (field) => { field.value = "team=seen"; });
await press(".actions button");
check("a tag is added", (await text("h1")) === "1 key tagged", await text());
await look("keys-done");
complaints.length = 0;

// Making a key.
await page.goto(`${keys}/new`);
await look("create");
await page.type("#name", "Checkout service");
await page.type("input[name=resource]", "orders/**");
await page.waitForFunction(() => document.querySelector("[data-words]").textContent.includes("under orders"));
check("a scope is explained while it is typed", true);
await page.click("button[name=more]");
check("another scope keeps what was typed", (await page.$eval("#name", (field) => field.value)).startsWith("Checkout")
  && (await page.$$("input[name=resource]")).length === 2);
await page.type("#range-1", "10.0.0.1/8");
await page.waitForFunction(() => document.querySelector("#range-words-1.field-error")?.textContent.includes("bits set"));
check("a range is checked while it is typed", true);
await page.waitForFunction(() => document.querySelector("#summary").textContent.includes("Checkout service"));
check("the summary follows", (await text("#summary")).includes("everything under orders"), await text("#summary"));
await press("button.primary");
check("an error stands beside its field", (await text("#range-words-1")).includes("bits set"), await text());
check("and what was typed is still there", (await page.$eval("#range-1", (field) => field.value)) === "10.0.0.1/8");
await look("create-error");
await page.$eval("#range-1", (field) => { field.value = ""; });
await page.click("button[data-mine]");
check("one's own address is offered", (await page.$eval("#range-1", (field) => field.value)) === "127.0.0.1");
await press("button.primary");
const made = page.url();
const secret = await page.$eval("#secret", (element) => element.textContent);
check("the key is shown once, masked, and not for production", /^clv_dev_[0-9A-Za-z]{65}$/.test(secret) && !(await text()).includes(secret));
check("and is in no address", !made.includes(secret));
const inPage = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]));
check("nor in what the browser keeps", inPage === "[{},{},null]", inPage);
await look("made");
await page.click(".secret summary");
check("it can be revealed", (await text()).includes(secret));
await browser.defaultBrowserContext().overridePermissions(issuer, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
await page.bringToFront();
await page.click("[data-copy]");
await page.waitForFunction(() => document.querySelector("[data-copy]").textContent !== "Copy");
check("it says so", (await text("[data-copy]")) === "Copied", await text("[data-copy]"));
check("it can be copied", (await page.evaluate(() => navigator.clipboard.readText())) === secret);
await page.click("form[data-guard] button");
check("the page does not let go before it is saved", page.url() === made && (await page.$("#secret")) !== null);
await page.click("form[data-guard] [type=checkbox]");
await press("form[data-guard] button");
const own = page.url().split("?")[0];
check("then it leads to the key", own.includes("/keys/key_") && (await page.title()).startsWith("Checkout service"), page.url());
check("which does not show it again", !(await page.content()).includes(secret));
const got = await fetch(`${issuer}/oauth/token`, { method: "POST", body: new URLSearchParams({ grant_type: "client_credentials", client_secret: secret }) });
check("the key works", got.status === 200);

// A key's page.
await page.goto(`${keys}?q=billing`);
await press("a.row-link");
check("it knows the way back", page.url().includes("list=q%3Dbilling"), page.url());
const billing = page.url().split("?")[0];
await look("key");
for (const span of ["hours", "months"]) {
  await page.goto(`${billing}?span=${span}`);
  check(`use over ${span} is shown`, (await page.$(`.segments a[href*=${span}][aria-current]`)) !== null);
}
await page.goto(`${billing}/edit`);
await look("edit");
await page.$eval("input[name=resource]", (field) => { field.value = "customers/eu"; });
await press("button[type=submit]:not(.default)");
check("what would change is spelled out", (await text()).includes("read:customers/eu") && (await text()).includes("reduces access"), await text());
await look("preview");
await press("button[type=submit]");
check("and then it is changed", page.url() === billing && (await text()).includes("read:customers/eu"), page.url());
await page.goto(`${billing}/rotate`);
await look("rotate");
await page.goto(`${billing}/public-keys/new`);
await look("public-key");
await page.goto(`${billing}/rotate`);
await page.goto(billing);
await press("tr:has(.active) a[href$=retire], tr:has(.urgent) a[href$=retire]");
await press("button.danger");
check("an old secret can be retired", page.url() === billing && (await text()).includes("Secret retired"), page.url());
await page.goto(`${billing}/rotate`);
await press("button[type=submit]");
check("a key can be rotated", (await page.$("#secret")) !== null, await text());
await page.click("form[data-guard] [type=checkbox]");
await press("form[data-guard] button");

await page.goto(`${own}/revoke`);
await look("revoke");
await page.type("#name", "something else");
await press("button.danger");
check("revoking wants the name", (await text()).includes("name does not match"), await text());
complaints.length = 0;
check("and keeps what was typed", (await page.$eval("#name", (field) => field.value)) === "something else");
await page.$eval("#name", (field) => { field.value = ""; });
await page.type("#name", "Checkout service");
await page.type("#reason", "only a test");
await press("button.danger");
check("a key can be revoked", (await text()).includes("only a test"), await text());
const refusedNow = await fetch(`${issuer}/oauth/token`, { method: "POST", body: new URLSearchParams({ grant_type: "client_credentials", client_secret: secret }) });
check("and is refused at once", refusedNow.status === 401);
await page.goto(`${own}/delete`);
await look("delete");
await page.type("#name", "Checkout service");
await press("button.danger");
check("a key can be deleted", page.url() === keys, page.url());
await page.goto(own);
check("and has no page then", (await text()).includes("Page not found"));
await look("not-found");
complaints.length = 0;

await page.goto(`${issuer}/console/orgs`);
await look("organizations");

// The organization.
const org = `${issuer}/console/orgs/default`;
for (const room of ["usage", "audit", "projects"]) {
  await page.goto(`${org}/${room}`);
  check(`${room} is a page of its own`, (await page.$eval(".tabs [aria-current]", (link) => link.href)) === `${org}/${room}`);
  await look(room);
}
await page.goto(`${org}/audit`);
await Promise.all([page.waitForNavigation(), page.select("select[name=action]", "key.revoke")]);
check("the audit log can be narrowed", (await text(".events")).includes("Key revoked") && !(await text(".events")).includes("Key created"));
await page.goto(`${org}/projects`);
await page.type("#id", "payments");
await press("form[method=post] .actions button");
check("a project can be made", (await text("table")).includes("payments"));
await page.goto(`${org}/projects/payments`);
await look("project");
await press("a.danger-text");
await look("project-delete");
await page.type("#name", "payments");
await press("button.danger");
check("and deleted", page.url() === `${org}/projects` && !(await text("table")).includes("payments"), page.url());
await page.goto(`${issuer}/console/signing-keys`);
await press("main form button");
check("the next signing key can be published", (await page.$$("section.card")).length === 2, await text());

// What people type stays text.
for (const typed of ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)"]) {
  await page.goto(`${keys}?q=${encodeURIComponent(typed)}`);
  check("a search is shown as it was typed", (await page.$eval("input[type=search]", (field) => field.value)) === typed);
}

// Very many keys.
const many = `${issuer}/console/orgs/acme/keys`;
await page.goto(`${many}?q=needle`);
await page.waitForSelector("a.row-link");
check("a search goes on by itself until it has found", (await text("table")).includes("Needle"));
await page.goto(`${many}?q=nothing-is-called-so`);
await page.waitForFunction(() => document.querySelector("main").innerText.includes("No more keys match"));
check("or there is no more", true);

// Without scripts.
await page.setJavaScriptEnabled(false);
await page.goto(keys);
check("the list is there without scripts", (await page.$$("tbody tr")).length > 3);
await page.goto(`${many}?q=needle`);
await press("main a[rel=next]");
await press("main a[rel=next]");
check("and so is a search through very many", (await text("table")).includes("Needle"), await text());
await page.setJavaScriptEnabled(true);

// Signing out.
await page.goto(keys);
await page.click("details.account summary");
await press("details.account form button");
check("one can sign out", page.url().endsWith("/sign-in") && (await text()).includes("You have signed out"), page.url());
await page.goto(keys);
check("and is out", page.url().startsWith(`${issuer}/console/sign-in`), page.url());

await end();

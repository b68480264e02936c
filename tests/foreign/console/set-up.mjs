// Sets a server up in the browser, and then does without scripts what people do most.
import { check, complaints, end, issuer, look, page, press, text } from "./browse.mjs";

const code = process.env.CLAVIGER_SETUP_CODE;
const keys = `${issuer}/console/orgs/default/keys`;

// The set-up.
await page.goto(`${issuer}/console`);
check("an empty server leads to its set-up", page.url() === `${issuer}/console/set-up`, page.url());
await look("set-up");
await page.type("#code", "0000-0000-0000-0000-0000-0000-0000");
await press("button[type=submit]");
check("a wrong code is refused beside its field", (await text("#code-error")).length > 0);
check("and is not there any more", (await page.$eval("#code", (field) => field.value)) === "");
complaints.length = 0;
await page.type("#code", code.toLowerCase());
await press("button[type=submit]");
const admin = await page.$eval("#secret", (element) => element.textContent);
check("the administrator's key is shown once, masked", /^clv_prd_[0-9A-Za-z]{65}$/.test(admin) && !(await text()).includes(admin));
await look("set-up-done");
await page.click("form[data-guard] [type=checkbox]");
await press("form[data-guard] button");
check("then one signs in", page.url().startsWith(`${issuer}/console/sign-in`), page.url());

// Without scripts, to the end.
await page.setJavaScriptEnabled(false);
await page.goto(keys);
await page.type("#key", admin);
await press("button[type=submit]");
check("one can sign in", page.url() === keys, page.url());

async function make(name, resource) {
  await page.goto(`${keys}/new`);
  await page.type("#name", name);
  await page.click("input[name=access][value=scopes]");
  await page.type("input[name=resource]", resource);
  await press("button.primary");
  const secret = await page.$eval("#secret", (element) => element.textContent);
  check(`${name} is made, not for production, and masked`, /^clv_dev_/.test(secret));
  await page.click(".secret summary");
  check("it can be revealed", await page.$eval(".secret details", (details) => details.open));
  await page.click("form[data-guard] [type=checkbox]");
  await press("form[data-guard] button");
  return secret;
}

await make("Checkout", "orders/**");
const own = page.url().split("?")[0];
await page.goto(`${keys}?status=active&q=check`);
check("it can be searched for", (await page.$$("tbody tr")).length === 1);
await page.goto(`${own}/edit`);
await page.$eval("#name", (field) => { field.value = "Checkout 2"; });
await press("button[type=submit]:not(.default)");
await press("button[type=submit]");
check("it can be changed", page.url() === own && (await text()).includes("Checkout 2"), page.url());
await page.goto(`${own}/rotate`);
await press("button[type=submit]");
check("it can be rotated", (await page.$("#secret")) !== null);
await page.click("form[data-guard] [type=checkbox]");
await press("form[data-guard] button");
await page.goto(`${own}/revoke`);
await page.type("#name", "Checkout 2");
await press("button.danger");
check("it can be revoked", (await text()).includes("revoked"), await text());

// A session ends with the key that it was opened with.
const second = await make("Second administrator", "claviger/orgs/default/**");
await page.click("details.account summary");
await press("details.account form button");
await page.goto(keys);
await page.type("#key", second);
await press("button[type=submit]");
check("the second administrator is in", page.url() === keys, page.url());
const self = await (await fetch(`${issuer}/v1/self`, { headers: { "X-Api-Key": second } })).json();
const revoked = await fetch(`${issuer}/v1/orgs/default/keys/${self.id}/revoke`, {
  method: "POST",
  headers: { "X-Api-Key": admin, "Content-Type": "application/json" },
  body: "{}",
});
check("their key is revoked elsewhere", revoked.status === 200, String(revoked.status));
await page.goto(`${keys}?q=x`);
check("and they are out at once", page.url().includes("/sign-in") && (await text()).includes("Your session has ended"), page.url());
await end();

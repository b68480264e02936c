// The pages on which people are invited, become members, sign in, and see their sessions.
import { check, complaints, end, issuer, look, page, press, text, withstand } from "./browse.mjs";

const adminKey = process.env.CLAVIGER_ADMIN_KEY;
const org = `${issuer}/console/orgs/default`;

async function seen(name) {
  await look(`people-${name}`);
  await withstand(`people-${name}`);
}

// Signing in.
await page.goto(`${issuer}/console/sign-in`);
check("each provider has a button", (await text()).includes("Continue with Example staff") && (await text()).includes("Continue with partners"), await text());
await seen("sign-in");
await page.type("#key", "clv_prd_nonsense");
await press("form[action$='/sign-in'] button");
check("a wrong key is refused beside its field", (await text("#key-error")).length > 0);
await seen("sign-in-refused");
await page.goto(`${issuer}/console/sign-in`);
await press("form[action$='/with/partners'] button");
check("a provider that is not there is said so", (await text()).toLowerCase().includes("partners"), await text());
await seen("provider-unreachable");
await page.goto(`${issuer}/console/sign-in/callback?code=x&state=y`);
await seen("callback-refused");
complaints.length = 0;

// Inviting.
await page.goto(`${org}/members`);
await page.type("#key", adminKey);
await press("form[action$='/sign-in'] button");
check("one comes to where one wanted to go", page.url() === `${org}/members`, page.url());
await seen("members-empty");
async function invite(email, name, role) {
  await page.goto(`${org}/members`);
  await page.type("#email", email);
  await page.type("#name", name);
  await page.select("#role", role);
}
await invite("ada@example.com", "Ada", "developer");
await press("#invite button[type=submit]");
check("a developer needs a project", (await text()).includes("There is a problem"), await text());
check("what was typed is still there", (await page.$eval("#email", (field) => field.value)) === "ada@example.com");
await seen("invite-mistakes");
complaints.length = 0;
await page.click("input[name=project][value=default]");
await press("#invite button[type=submit]");
const link = (await page.content()).match(/https?:[^"<]*invitation#[^"<]+/)[0];
check("the link is shown once", link.includes("/console/invitation#"), await text());
await seen("invited");
await invite(`${"long".repeat(15)}@${"wide.".repeat(30)}example.com`, "Long ".repeat(30), "owner");
await press("#invite button[type=submit]");
await page.goto(`${org}/members`);
await seen("members");
await press("a.row-link");
const member = page.url();
await seen("member");
await page.goto(`${member}/remove`);
await seen("remove");
await page.goto(`${issuer}/console/members`);
await seen("operators");
await page.goto(`${issuer}/console/sessions`);
await seen("sessions");

// Accepting.
await page.goto("about:blank");
await page.goto(link);
await page.waitForFunction(() => document.querySelector("#invitation-code")?.value !== "" || document.querySelector("#invitation-code") === null);
check("the code leaves the address", !page.url().includes(link.split("#")[1]), page.url());
await page.goto(`${issuer}/console/invitation`);
await seen("invitation");
await page.type("#invitation-code", "nonsense");
await press("main form button");
await seen("invitation-refused");
complaints.length = 0;
await end();

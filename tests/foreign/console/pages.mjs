// What the pages tell: times in the reader's zone, ids to copy, the numbers of a chart, an organization at a glance, and a
// session before it ends.
import { browser, check, end, issuer, look, page, press, text } from "./browse.mjs";

const adminKey = process.env.CLAVIGER_ADMIN_KEY;
const org = `${issuer}/console/orgs/default`;
const keys = `${org}/keys`;

async function signIn() {
  await page.type("#key", adminKey);
  await press("button[type=submit]");
}

await page.goto(`${issuer}/console`);
await signIn();
check("home is the organization at a glance", page.url() === org && (await page.title()).startsWith("Overview"), page.url());
await look("overview");
const active = await page.$eval(".tiles .count", (count) => Number(count.textContent));
check("keys are counted", active > 0, String(active));
await press(".tiles a[href*='soon=yes']");
check("a number leads to its list", page.url() === `${keys}?soon=yes`, page.url());

// A key with use, from the list.
await page.goto(`${keys}?q=billing`);
await press("a.row-link");
const own = page.url().split("?")[0];

// Times, with scripts and without.
const zone = await page.createCDPSession();
const dates = () => page.$eval(".facts time", (time) => [time.dateTime, time.querySelector(".date").textContent, time.title]);
await page.setJavaScriptEnabled(false);
await page.goto(own);
const [exact, written] = await dates();
check("without scripts, a time is in UTC and the page says so", written.endsWith(exact.slice(11, 16)) && (await text(".zone")) === "Times are in UTC.", written);
await page.setJavaScriptEnabled(true);
await zone.send("Emulation.setTimezoneOverride", { timezoneId: "Asia/Kathmandu" });
await page.goto(own);
const [, local, title] = await dates();
const expected = new Date(Date.parse(exact) + 345 * 60_000).toISOString().slice(11, 16);
check("with scripts, it is in the reader's zone", local.endsWith(expected) && title.includes("UTC+5:45") && title.includes(exact), `${local} ${title}`);
check("and the page names the zone", /^Times are in Asia\/Kat[a-z]+ \(UTC\+5:45 today\)\.$/.test(await text(".zone")), await text(".zone"));
await zone.send("Emulation.setTimezoneOverride", { timezoneId: "" });

// Ids to copy.
await page.goto(own);
await browser.defaultBrowserContext().overridePermissions(issuer, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
await page.bringToFront();
await page.focus(".facts button.copy");
await page.keyboard.press("Enter");
await page.waitForFunction(() => document.querySelector("main > p[role=status].hidden").textContent === "Copied");
check("an id is copied with the keyboard, and the page says so", own.endsWith(await page.evaluate(() => navigator.clipboard.readText())));

// The numbers of a chart.
const tip = () => page.$eval(".wide-chart .tip", (tip) => (tip.hidden ? "" : tip.innerText.replaceAll("\n", " ")));
const rows = await page.$$eval(".numbers tbody tr", (rows) => rows.map((row) => row.textContent));
await page.focus(".wide-chart .bars button[tabindex='0']");
check("the last bar tells its numbers to the keyboard", (await tip()).includes("Tokens") && rows.at(-1).startsWith((await tip()).split(" UTC")[0]), await tip());
await page.keyboard.press("ArrowLeft");
check("an arrow key leads to the one before", rows.at(-2).startsWith((await tip()).split(" UTC")[0]), await tip());
await page.keyboard.press("Escape");
check("Escape puts the numbers away", (await tip()) === "");
await page.evaluate(() => document.activeElement.blur());
await page.hover(".wide-chart .bars li:nth-child(3) button");
check("a pointer finds them as well", rows[2].startsWith((await tip()).split(" UTC")[0]), await tip());
await look("key-tip", page, false);

// Use: the totals are of what the keys below are of.
await page.goto(`${org}/usage`);
const heading = await text("#period");
check("totals and keys are of the same month", (await text("#by-key-title")) === `By key: ${heading}`, heading);
await look("usage-month");
await page.goto(`${org}/usage?span=months`);
await look("usage-years", page, false);

// The deployment.
for (const room of ["orgs", "audit", "signing-keys"]) {
  await page.goto(`${issuer}/console/${room}`);
  check(`${room} is a page of the deployment`, (await page.$eval(".tabs [aria-current]", (link) => link.href)) === `${issuer}/console/${room}`);
  await look(`deployment-${room}`);
}
await page.goto(`${issuer}/console/orgs`);
await page.type("#id", "fresh");
await page.type("#name", "Fresh");
await press("main form button");
check("an organization can be created", page.url() === `${issuer}/console/orgs/fresh`, page.url());
await look("overview-empty", page, false);
await press(".head a[role=button]");
await look("organization", page, false);
await page.$eval("#name", (field) => { field.value = ""; });
await page.type("#name", "Renamed");
await press("main form button");
await page.goto(`${issuer}/console/orgs/fresh/delete`);
await look("organization-delete");
await page.type("#name", "Renamed");
await press("button.danger");
check("and deleted", page.url() === `${issuer}/console/orgs` && (await text()).includes("Organization deleted.") && !(await text("table")).includes("fresh"), await text());

// Before a session ends. The page's own clock runs ahead.
await page.evaluateOnNewDocument(() => {
  const now = Date.now.bind(Date);
  globalThis.ahead = 0;
  Date.now = () => now() + globalThis.ahead * 60_000;
});
const wait = (minutes) => page.evaluate((ahead) => {
  globalThis.ahead = ahead;
  document.dispatchEvent(new Event("visibilitychange"));
}, minutes);
const note = () => page.$eval(".session-note", (note) => (note.hidden ? "" : note.innerText));
const kept = () => page.evaluate(() => JSON.stringify({ ...sessionStorage }));
await page.goto(`${org}/projects`);
await page.type("#id", "half");
await page.type("#name", "Half a project");
await wait(20);
check("a session that lasts says nothing", (await note()) === "" && (await kept()) === "{}");
await wait(27);
check("the page says before the session ends", (await note()).includes("Your session ends at"), await note());
check("and keeps what is typed", (await kept()).includes("Half a project"), await kept());
check("but no token of the form's", !(await kept()).includes(await page.$eval("main form [name=token]", (field) => field.value)));
await look("session-ends", page, false);
await page.click(".session-note button");
await page.waitForFunction(() => document.querySelector(".session-note").hidden);
check("one can stay, and then nothing is kept", (await kept()) === "{}");
await wait(27 + 31);
check("it says that the session has ended", (await note()).includes("has ended") && (await kept()).includes("Half a project"), await note());
const cookies = await page.cookies();
await page.deleteCookie(...cookies);
await press(".session-note a");
check("and leads to the sign-in", page.url().startsWith(`${issuer}/console/sign-in`), page.url());
await page.type("#key", adminKey);
await press("button[type=submit]");
await page.waitForFunction(() => document.querySelector("main > .notice")?.textContent.includes("is here again"));
check("what was typed is there again", (await page.$eval("#name", (field) => field.value)) === "Half a project" && (await kept()) === "{}", await kept());
check("and nothing of it is applied", !(await text("main")).includes("half\n"));
await page.$eval("#name", (field) => { field.value = `clv_prd_${"a".repeat(65)}`; field.dispatchEvent(new Event("input", { bubbles: true })); });
await wait(31);
check("what looks like a secret is never kept", !(await kept()).includes("clv_prd_"), await kept());
await page.goto(`${org}/audit`);

await end();

// Getting around in the console: where the focus is after a form was refused, links from elsewhere, ways back, keys of the
// keyboard, and pages in other widths and colours. Axe looks at what the other scripts do not come by.
import http from "node:http";
import { browser, check, complaints, end, issuer, look, page, press, text } from "./browse.mjs";

const adminKey = process.env.CLAVIGER_ADMIN_KEY;
const org = `${issuer}/console/orgs/default`;
const keys = `${org}/keys`;

async function api(path, body) {
  const answer = await fetch(`${issuer}/v1/orgs/default/${path}`, {
    method: "POST",
    headers: { "X-Api-Key": adminKey, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// Two hundred letters, and often used.
const long = process.env.CLAVIGER_LONG_KEY;
await api("keys", { name: "Billing", note: "Owned by finance", project: "web", environment: "prd", preset: "full_access" });

const wide = `https://${"wide.".repeat(40)}example`;
await api("issuers", { id: "wide", name: "Wide".repeat(50), issuer: wide, keys: { jwks_uri: `${wide}/keys` } });
await api(`keys/${long}/trust-rules`, { issuer: "wide", subject: "s".repeat(500), audience: "a".repeat(500), claims: { [`/${"c".repeat(200)}`]: "v".repeat(500) } });

await page.goto(keys);
await page.type("#key", adminKey);
await press("button[type=submit]");

// What has the focus, and whether it is seen.
const focused = () => page.evaluate(() => {
  const at = document.activeElement;
  const { top, bottom } = at.getBoundingClientRect();
  const isSeen = top >= 0 && top < innerHeight && bottom > 0;
  return `${at.dataset.summary === undefined ? at.id || at.name || at.tagName : "summary"}${isSeen ? "" : ", out of sight"}`;
});
// The same once it is `wanted`: a browser gives `autofocus` its due with the first picture of a page.
async function focusOn(wanted) {
  const end = Date.now() + 10_000;
  let at = await focused();
  while (at !== wanted && Date.now() < end) at = await focused();
  return at;
}
const focusedLabel = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));

// A form that is refused, and rows of scopes; with scripts and without.
for (const scripts of [true, false]) {
  const how = scripts ? "with scripts" : "without scripts";
  await page.setJavaScriptEnabled(scripts);
  await page.setViewport({ width: 1280, height: 500 });
  await page.goto(`${keys}/new?project=web`);
  await page.type("#name", "Kept");
  await page.type("#resource-1", "a//b");
  await page.type("#range-1", "10.0.0.1/8");
  await press("button.primary");
  check(`the summary of a refused form has the focus, ${how}`, (await focusOn("summary")) === "summary", await focused());
  check(`and says all that is wrong, ${how}`, (await page.$$("[data-summary] li a")).length === 2, await text("[data-summary]"));
  await page.click("[data-summary] a[href='#range-1']");
  check(`a link in it leads to the field, ${how}`, (await focusOn("range-1")) === "range-1", await focused());
  check(`the field says what is wrong with it, ${how}`, await page.$eval("#range-1", (field) => field.matches("[aria-invalid=true]")
    && document.getElementById(field.getAttribute("aria-describedby").split(" ").at(-1)).textContent.length > 0));
  complaints.length = 0;

  const before = page.url();
  const button = async (selector) => {
    if (scripts) await page.click(selector);
    else await press(selector);
  };
  await button("[name=more]");
  check(`another scope has the focus, ${how}`, (await focusOn("action")) === "action" && (await focusedLabel()) === "Action 2", await focused());
  await page.type("#resource-2", "orders");
  check(`what was typed is still there, ${how}`, (await page.$eval("#name", (field) => field.value)) === "Kept" && page.url().split("#")[0] === before.split("#")[0]);
  await button("[name=drop][value='1']");
  check(`a scope can be removed, ${how}`, (await page.$$(".row")).length === 1 && (await page.$eval("#resource-1", (field) => field.value)) === "orders");
  check(`and one goes on where it was, ${how}`, (await focusOn("action")) === "action" && (await focusedLabel()) === "Action 1", await focused());
  check(`the last one stays, ${how}`, await page.$eval("[name=drop]", (drop) => drop.hidden));

  // Environments are the project's own.
  const environments = () => page.$$eval("#environment option", (options) => options.map((option) => option.value).join(" "));
  check(`a project offers its own environments, ${how}`, (await environments()) === "prd qa" && (await page.$eval("#environment", (field) => field.value)) === "qa", await environments());
  await page.select("#project", "default");
  if (!scripts) await press("[name=choose]");
  check(`and so does another, ${how}`, (await environments()) === "dev stg prd" && (await page.$eval("#environment", (field) => field.value)) === "dev", await environments());
  await page.$eval("#range-1", (field) => { field.value = ""; });
  await press("button.primary");
  check(`then the key is made, ${how}`, (await page.$("#secret")) !== null, await text());
  await page.click("form[data-guard] [type=checkbox]");
  await press("form[data-guard] button");
}
await page.setJavaScriptEnabled(true);

// The catalogue of scopes: boxes in groups, a search, and names in the summary.
for (let at = 0; at < 12; at += 1) {
  await api("scopes", { id: `read-${at}`, scope: `read:part-${at}/**`, name: `Read part ${at}`, description: "A sentence about it.", group: at % 2 === 0 ? "Even parts" : null });
}
await page.setViewport({ width: 1280, height: 900 });
await page.goto(`${keys}/new`);
await page.type("[data-picker-search]", "part 7");
const boxes = () => page.$$eval(".picker-box", (all) => all.filter((box) => box.offsetParent !== null).length);
check("a search leaves what matches", (await boxes()) === 1, String(await boxes()));
await page.click(".picker-box:not([hidden]) input");
await page.waitForFunction(() => document.querySelector("#summary").textContent.includes("Read part 7"));
check("the summary has the name of a chosen scope", true);
await page.$eval("[data-picker-search]", (field) => { field.value = "even"; field.dispatchEvent(new Event("input", { bubbles: true })); });
check("a group is found by its name, and what is chosen stays in sight", (await boxes()) === 7, String(await boxes()));
await page.click("input[name=ends][value=date]");
await page.$eval("#date", (field) => { field.value = "2099-02-28"; field.dispatchEvent(new Event("input", { bubbles: true })); });
await page.waitForFunction(() => document.querySelector("#summary time")?.dateTime.startsWith("2099-03-01"));
check("a typed date is in the summary", true);
await look("create-picker");
await page.goto(`${keys}/${long}`);
await Promise.all([page.waitForNavigation(), page.click("a[href*='keys/new?from=']")]);
check("a key can be duplicated", (await page.$eval("#name", (field) => field.value)).startsWith("Copy of "), page.url());
complaints.length = 0;

// A link on another site, for whoever is signed in.
const elsewhere = http.createServer((_, answer) => {
  answer.setHeader("Content-Type", "text/html");
  answer.end(`<!DOCTYPE html><title>A chat</title><a href="${keys}?q=billing">the key</a><iframe src="${keys}"></iframe>`);
});
await new Promise((listening) => { elsewhere.listen(0, "127.0.0.1", listening); });
const chat = await browser.newPage();
for (const scripts of [true, false]) {
  await chat.setJavaScriptEnabled(scripts);
  await chat.goto(`http://localhost:${elsewhere.address().port}/`);
  const framed = await chat.$eval("iframe", (frame) => frame.contentDocument === null);
  check("another site frames nothing of the console", framed);
  await chat.click("a");
  await chat.waitForSelector("a.row-link");
  const found = await chat.$eval("tbody", (body) => body.textContent);
  check(`a link on another site finds the session, scripts: ${scripts}`, chat.url() === `${keys}?q=billing` && found.includes("Billing"), chat.url());
}
await chat.close();
elsewhere.close();

// The way back.
await page.goto(`${keys}?q=finance&sort=name`);
check("a search finds notes", (await text("table")).includes("Owned by finance"));
await press("a.row-link");
await press("a[href*='/disable']");
await press("main form button");
await press(".back a");
check("the way back leads to the same search", page.url() === `${keys}?q=finance&sort=name`, page.url());

// Keys of the keyboard.
await page.goto(keys);
await page.focus("a.primary[role=button]");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Space")]);
check("the space bar presses a link that looks like a button", page.url().startsWith(`${keys}/new`), page.url());
await page.goto(keys);
let loads = 0;
const count = () => { loads += 1; };
page.on("load", count);
await page.focus("select[name=status]");
for (let at = 0; at < 3; at += 1) await page.keyboard.press("ArrowDown");
const chosen = await page.$eval("select[name=status]", (field) => field.value);
check("arrow keys in a filter load nothing", loads === 0 && page.url() === keys && chosen === "unrevoked", `${loads} ${chosen} ${page.url()}`);
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
check("Enter applies what they chose", page.url().includes("status=unrevoked"), page.url());
page.off("load", count);

// A key with the keyboard alone.
await page.goto(keys);
await page.keyboard.press("Tab");
check("the first thing that the keyboard finds skips to the content", (await text(":focus")) === "Skip to content");
await page.keyboard.press("Enter");
async function tabTo(selector) {
  for (let at = 0; at < 60; at += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  check(`the keyboard comes to ${selector}`, false);
}
await tabTo("a.primary");
check("what has the focus is seen to have it", await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle === "solid"));
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
await tabTo("#name");
await page.keyboard.type("By keyboard");
await tabTo("[name=access]");
await page.keyboard.press("ArrowUp");
await page.keyboard.press("ArrowUp");
await tabTo("button.primary");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Space")]);
check("a key can be made with the keyboard alone", (await page.$("#secret")) !== null, await text());
await page.focus("form[data-guard] [type=checkbox]");
await page.keyboard.press("Space");
await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);

// Every width that a window, a phone or a zoom of 200 % makes, with a name of two hundred letters.
const own = `${keys}/${long}`;
const pages = [keys, own, `${own}/edit`, `${own}/rotate`, `${own}/revoke`, `${keys}/new`, `${org}/usage`, `${org}/audit`, `${org}/projects`, `${issuer}/console/signing-keys`, `${issuer}/console/orgs`, `${issuer}/console/audit`, org, `${org}/edit`, `${org}/delete`, `${own}/trust-rules/new`, `${own}/trust-rules/new?platform=other`, `${org}/issuers`, `${org}/issuers/wide`, `${org}/issuers/wide/edit`, `${org}/issuers/wide/remove`, `${org}/issuers/wide/check`, `${issuer}/console/nothing`];
const spills = () => page.evaluate(() => {
  const scrolls = (element) => element.closest(".scroll, .tabs, pre, .hidden, .skip, .symbols, thead, .default") !== null;
  const said = [];
  if (document.documentElement.scrollWidth > innerWidth) said.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const element of document.querySelectorAll("body *")) {
    const { left, right, width } = element.getBoundingClientRect();
    if (width > 0 && !scrolls(element) && !element.closest("svg") && (right > innerWidth + 1 || left < -1)) said.push(`${element.tagName}.${element.className} ${left}–${right}`);
  }
  for (const choice of document.querySelectorAll("[type=radio], [type=checkbox]")) {
    const { width, height } = choice.getBoundingClientRect();
    if (Math.abs(width - height) > 1) said.push(`a choice is ${width} by ${height}`);
  }
  for (const wrap of document.querySelectorAll(".table-wrap")) {
    if (wrap.scrollWidth > wrap.clientWidth) said.push(`a table is ${wrap.scrollWidth} in ${wrap.clientWidth}`);
  }
  for (const cell of document.querySelectorAll(".list td")) {
    if (cell.textContent.trim() !== "" && cell.getBoundingClientRect().height === 0) said.push(`${cell.dataset.label} is gone`);
  }
  for (const plot of document.querySelectorAll("svg.plot")) {
    const frame = plot.getBoundingClientRect();
    const boxes = [...plot.querySelectorAll("text")].filter((label) => label.textContent.trim() !== "").map((label) => label.getBoundingClientRect());
    if (frame.width === 0) continue;
    if (boxes.length < 6) said.push("a plot has no labels");
    for (const [at, box] of boxes.entries()) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1) said.push(`a label of the plot ends at ${box.left}–${box.right} of ${frame.left}–${frame.right}`);
      if (boxes.slice(at + 1).some((other) => box.left < other.right && other.left < box.right && box.top + 2 < other.bottom && other.top + 2 < box.bottom)) said.push("labels of the plot overlap");
      if (box.height < 9) said.push(`a label of the plot is ${box.height} high`);
    }
  }
  const plots = [...document.querySelectorAll("svg.plot")];
  if (/\/(key_[^/]*|usage)$/.test(location.pathname) && plots.length === 0) said.push("there is no plot");
  if (plots.length > 0 && plots.filter((plot) => plot.getBoundingClientRect().width > 0).length !== 1) said.push("there is not one plot");
  return said;
});
for (const address of pages) {
  await page.goto(address);
  for (const width of [320, 390, 640, 735, 740, 820, 900, 991, 1000, 1280]) {
    await page.setViewport({ width, height: 700 });
    const said = await spills();
    check(`${address.slice(issuer.length)} fits ${width}px`, said.length === 0, said.slice(0, 4).join("\n  "));
  }
}
complaints.length = 0;

// Colours of the reader's choice.
await page.setViewport({ width: 1280, height: 860 });
const devtools = await page.createCDPSession();
await devtools.send("Emulation.setEmulatedMedia", { features: [{ name: "forced-colors", value: "active" }] });
await page.goto(keys);
const forced = await page.evaluate(() => {
  const style = (selector, part) => getComputedStyle(document.querySelector(selector), part);
  return {
    isOn: matchMedia("(forced-colors: active)").matches,
    knob: style(".knob").borderTopWidth !== "0px" && style(".knob").backgroundColor !== style(".knob", "::after").backgroundColor,
    button: style("a.primary[role=button]").borderTopWidth !== "0px" && style("a.primary[role=button]").borderTopColor !== style("body").backgroundColor,
    badge: style(".badge").borderTopWidth !== "0px",
    otherTab: style(".tabs a:not([aria-current])").borderBottomColor === style("header").backgroundColor,
    thisTab: style(".tabs a[aria-current]").borderBottomColor !== style("header").backgroundColor,
  };
});
check("with forced colours, what a background told is told by lines", Object.values(forced).every(Boolean), JSON.stringify(forced));
await page.goto(own);
check("and a plot keeps its bars", await page.evaluate(() => {
  const bar = document.querySelector("svg.plot:not(.narrow-plot) [fill='#0F766E']");
  return bar !== null && getComputedStyle(bar).fill !== getComputedStyle(document.querySelector(".card")).backgroundColor;
}));
await devtools.send("Emulation.setEmulatedMedia", { features: [] });

// A form of another kind.
await page.goto(`${own}/revoke`);
await page.type("#name", "wrong");
await press("button.danger");
check("a name that does not match is said first", (await focusOn("summary")) === "summary", await focused());
await look("revoke-refused", page, false);
complaints.length = 0;

await end();

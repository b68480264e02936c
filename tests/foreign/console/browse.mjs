// A browser at the console, and what is looked at on every page.
import fs from "node:fs";
import path from "node:path";
import axe from "axe-core";
import puppeteer from "puppeteer-core";

export const issuer = process.env.CLAVIGER_ISSUER;
const pictures = process.env.CLAVIGER_SCREENSHOTS;

const WIDE = { width: 1280, height: 860 };
// Not as a mobile device: changing to one loads the page again.
const PHONE = { width: 390, height: 844, deviceScaleFactor: 1 };

// A picture is not to be taken amid a transition.
const STILL = { name: "prefers-reduced-motion", value: "reduce" };

let failures = 0;
export function check(what, isSo, more = "") {
  console.log(`${isSo ? "ok" : "FAILED"}  ${what}${isSo ? "" : `  ${more}`}`);
  if (!isSo) failures += 1;
}

export const browser = await puppeteer.launch({
  executablePath: process.env.CLAVIGER_BROWSER,
  // Debian's. It would need another user than root for its sandbox, and more of /dev/shm than containers have.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--font-render-hinting=none"],
});
export const page = await browser.newPage();
export const complaints = [];
page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
page.on("dialog", (dialog) => {
  if (dialog.type() !== "beforeunload") complaints.push(`a script of a name's: ${dialog.message()}`);
  return dialog.accept();
});
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("request", (request) => {
  const url = request.url();
  if (!url.startsWith(issuer) && !url.startsWith("data:")) complaints.push(`asks elsewhere: ${url}`);
});

export async function press(selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

// What axe finds that would keep somebody out, and whether a phone has to be scrolled sideways.
export async function look(name, looked = page, isPictured = true) {
  await looked.setViewport(WIDE);
  await looked.evaluate(axe.source);
  for (const scheme of ["light", "dark"]) {
    await looked.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, STILL]);
    const found = await looked.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const serious = found.violations.map((fault) => `${fault.id}: ${fault.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
    check(`${name}, ${scheme}: axe finds nothing`, serious.length === 0, serious.join("\n  "));
    if (isPictured) await picture(looked, `${name}-${scheme}-wide`);
  }
  await looked.setViewport(PHONE);
  for (const scheme of ["light", "dark"]) {
    await looked.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, STILL]);
    if (isPictured) await picture(looked, `${name}-${scheme}-phone`);
  }
  const small = await looked.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  check(`${name}, on a phone: axe finds nothing`, small.violations.length === 0, small.violations.map((fault) => fault.id).join(" "));
  const over = await looked.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  check(`${name}: fits a phone`, over <= 0, `${over}px too wide`);
  await looked.setViewport(WIDE);
  await looked.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }, STILL]);
}

async function picture(looked, name) {
  if (!pictures) return;
  fs.mkdirSync(pictures, { recursive: true });
  await looked.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

export async function text(selector = "main") {
  return page.$eval(selector, (element) => element.innerText);
}

// Says whether all was well, and ends.
export async function end() {
  check("the browser has nothing to complain of", complaints.length === 0, complaints.join("\n  "));
  await browser.close();
  process.exit(failures === 0 ? 0 : 1);
}

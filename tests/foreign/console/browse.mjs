// A browser at the console, and what is looked at on every page.
import fs from "node:fs";
import path from "node:path";
import axe from "axe-core";
import puppeteer from "puppeteer-core";

export const issuer = process.env.CLAVIGER_ISSUER;
const pictures = process.env.CLAVIGER_SCREENSHOTS;
const known = [issuer, process.env.CLAVIGER_VENDOR, process.env.CLAVIGER_STRANGER].filter(Boolean);

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
  // Beside a vendor's page, third-party cookies are blocked, as in many browsers of today.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--font-render-hinting=none",
    ...(process.env.CLAVIGER_VENDOR ? ["--test-third-party-cookie-phaseout"] : [])],
  // Whoever asks over TLS has a certificate of their own.
  acceptInsecureCerts: issuer.startsWith("https:"),
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
  if (!known.some((origin) => url.startsWith(origin)) && !url.startsWith("data:")) complaints.push(`asks elsewhere: ${url}`);
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

// What a page has to withstand besides: a zoom and text of 200 %, the narrowest window, forced colours, and hands that have only a keyboard.
export async function withstand(name, looked = page) {
  const fits = async (how) => {
    const over = await looked.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    check(`${name}: fits ${how}`, over <= 0, `${over}px too wide`);
  };
  await looked.setViewport({ width: 320, height: 640 });
  await fits("the narrowest window");
  await looked.setViewport({ ...WIDE, width: WIDE.width / 2, deviceScaleFactor: 2 });
  await fits("a zoom of 200 %");
  await looked.setViewport(WIDE);
  const devtools = await looked.createCDPSession();
  await devtools.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 26 } });
  await fits("text of 200 %");
  // A picture of the whole page would be one of a page with text as usual.
  await picture(looked, `${name}-text`, false);
  await devtools.send("Page.setFontSizes", { fontSizes: { standard: 16, fixed: 13 } });
  await devtools.send("Emulation.setEmulatedMedia", { features: [{ name: "forced-colors", value: "active" }] });
  const bare = await looked.$$eval("button, [role=button], input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea", (controls) => controls
    .filter((control) => control.checkVisibility() && !control.matches(".quiet, .copy, .linklike"))
    .filter((control) => getComputedStyle(control).borderTopStyle === "none" && getComputedStyle(control).textDecorationLine === "none")
    .map((control) => control.outerHTML.slice(0, 120)));
  check(`${name}: with forced colours, controls have lines around them`, bare.length === 0, bare.join("\n  "));
  await devtools.send("Emulation.setEmulatedMedia", { features: [] });
  await devtools.detach();
  const lost = await byKeyboard(looked);
  check(`${name}: the keyboard comes to everything, in order, and one sees where it is`, lost.length === 0, lost.join("\n  "));
}

// What the Tab key does not come to, comes to out of order, or comes to without a sign.
async function byKeyboard(looked) {
  const count = await looked.evaluate(() => {
    const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
    const isOpen = (control) => control.checkVisibility({ visibilityProperty: true }) && !control.disabled && control.tabIndex >= 0;
    globalThis.controls = [...document.querySelectorAll(all)].filter(isOpen);
    document.querySelector("a.skip").focus();
    return globalThis.controls.length;
  });
  const came = new Map();
  for (let at = 0; at < count + 5; at += 1) {
    const [index, hasSign, isSeen] = await looked.evaluate(() => {
      const control = document.activeElement;
      const style = getComputedStyle(control);
      const { top, bottom, width } = control.getBoundingClientRect();
      const hasSign = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
      return [globalThis.controls.indexOf(control), hasSign, width > 0 && bottom > 0 && top < innerHeight];
    });
    if (index >= 0 && !came.has(index)) came.set(index, [came.size, hasSign, isSeen]);
    await looked.keyboard.press("Tab");
  }
  return looked.evaluate((came) => {
    const of = new Map(came);
    const said = (control) => control.outerHTML.slice(0, 120);
    const lost = [];
    let last = -1;
    globalThis.controls.forEach((control, index) => {
      const reached = of.get(index);
      // Of the choices of one kind, the keyboard comes to the chosen one.
      if (reached === undefined) return control.type === "radio" ? undefined : lost.push(`never: ${said(control)}`);
      const [order, hasSign, isSeen] = reached;
      if (order < last) lost.push(`out of order: ${said(control)}`);
      if (!hasSign && !control.matches(".skip")) lost.push(`without a sign: ${said(control)}`);
      if (!isSeen && !control.matches(".skip")) lost.push(`out of sight: ${said(control)}`);
      last = Math.max(last, order);
      return undefined;
    });
    return lost;
  }, [...came]);
}

async function picture(looked, name, fullPage = true) {
  if (!pictures) return;
  fs.mkdirSync(pictures, { recursive: true });
  await looked.screenshot({ path: path.join(pictures, `${name}.png`), fullPage });
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

// The customers' portal where the browser keeps no cookie in the frame: it opens in a tab of its own.
import { browser, check, complaints, end, issuer, page } from "./browse.mjs";
import { embed, session, vendor } from "./vendor.mjs";

const list = `${issuer}/portal/orgs/default/keys`;
const url = await session("ada");
const frame = await embed(vendor, url);
await frame.waitForSelector("[data-portal-tab]:not([hidden])");
check("without a cookie in the frame, there is a link", (await frame.$eval("main", (main) => main.innerText)).includes("Open in a new tab"));
const opened = new Promise((resolve) => { browser.once("targetcreated", resolve); });
await frame.click("[data-portal-tab] a");
const tab = await (await opened).page();
await tab.waitForSelector(".empty");
check("that opens the portal in a tab", tab.url() === list, tab.url());
check("which has no hold on the vendor's page", await tab.evaluate(() => globalThis.opener === null));
const [cookie] = await tab.cookies();
check("there, the cookie goes to this server alone", cookie.httpOnly && cookie.sameSite === "Lax" && cookie.name === "claviger-portal", cookie.name);
await page.bringToFront();
check("the frame is as it was", (await frame.$eval("main", (main) => main.innerText)).includes("Open in a new tab"));
check("the browser had nothing to complain of", complaints.length === 0, complaints.join("\n  "));
await end();

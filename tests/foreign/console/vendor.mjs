// A vendor, as far as the portal needs one: it makes sessions, and has a page with a frame.
import { issuer, page } from "./browse.mjs";

export const vendor = process.env.CLAVIGER_VENDOR;
export const stranger = process.env.CLAVIGER_STRANGER;
export const admin = process.env.CLAVIGER_ADMIN_KEY;

export async function api(path, body, key = admin) {
  return fetch(`${issuer}/v1/orgs/default/${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

// The URL of a new session.
export async function session(subject, more = {}, key = admin) {
  const answer = await api("portal-sessions", {
    subject, name: `${subject} of Example`, projects: ["default"], may: ["list", "create", "rotate", "revoke", "edit", "usage"],
    scopes_within: [{ action: "read", resource: "orders/**" }, { action: "write", resource: "orders/*" }], max_keys: 5, keys: "own", ...more,
  }, key);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).url;
}

// A page of this origin with the URL in its frame.
export async function embed(origin, url) {
  await page.setViewport({ width: 1280, height: 1000 });
  await page.goto(`${origin}/settings`);
  const element = await page.$("iframe");
  await page.evaluate((frame, src) => {
    frame.allow = "clipboard-write";
    frame.src = src;
  }, element, url);
  return element.contentFrame();
}

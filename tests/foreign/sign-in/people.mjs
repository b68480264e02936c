// People with a browser each, and clients that do by hand what a browser does. Each is at an address of their own, which they
// say in X-Forwarded-For. All that has to stay secret is remembered.

import assert from 'node:assert/strict';
import puppeteer from 'puppeteer-core';
import { env } from '../node/world.mjs';

export const CALLBACK = '/console/sign-in/callback';

/** The parameters of a URL that nobody else may learn. */
const SECRET = ['code', 'state', 'nonce', 'code_challenge'];

/** What a page of the console has for whoever is signed in, and what it has for whoever is refused. */
const IN = 'details.account';
const REFUSED = 'main [role=alert]';

export const issuer = () => env('CLAVIGER_ISSUER');

/** Everything that has to stay secret, and what it is. */
export const secrets = new Map();

/** The addresses that browsers asked for. */
export const asked = [];

/** What a browser complained of on a page of ours. */
export const complaints = [];

export const browser = await puppeteer.launch({
  executablePath: env('CLAVIGER_BROWSER'),
  // Debian's. It would need another user than root for its sandbox, and more of /dev/shm than containers have.
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
});

let addresses = 0;

/** An address that nobody has had. */
export function newAddress() {
  addresses += 1;
  return `198.51.${100 + Math.floor(addresses / 250)}.${1 + (addresses % 250)}`;
}

/** Remembers the secret parameters of a URL. */
function note(url) {
  for (const [name, value] of new URL(url).searchParams) {
    // Shorter ones are what a check made up.
    if (SECRET.includes(name) && value.length >= 20) secrets.set(value, name);
  }
}

/** Somebody with a browser that knows nothing yet. */
export class Person {
  static async arrive() {
    const person = new Person();
    person.address = newAddress();
    person.context = await browser.createBrowserContext();
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(60_000);
    await person.page.setExtraHTTPHeaders({ 'x-forwarded-for': person.address });
    person.page.on('request', (request) => {
      if (!request.url().startsWith('http')) return;
      note(request.url());
      asked.push(request.url());
    });
    person.page.on('dialog', (dialog) => dialog.accept());
    person.page.on('console', (message) => {
      const { url } = message.location();
      // A page that only leads on has no icon.
      const isOurs = url?.startsWith(issuer()) && !url.endsWith('/favicon.ico');
      if (message.type() === 'error' && isOurs) complaints.push(`${url}: ${message.text()}`);
    });
    return person;
  }

  leave() {
    return this.context.close();
  }

  go(path) {
    return this.page.goto(`${issuer()}${path}`);
  }

  async text() {
    return this.page.$eval('main', (element) => element.innerText);
  }

  async press(selector) {
    await Promise.all([this.page.waitForNavigation(), this.page.click(selector)]);
  }

  /** Begins to sign in, with the button on the page that asks for it. */
  async begin(provider) {
    await this.page.click(`form[action$="/sign-in/with/${provider}"] button`);
  }

  /** Signs in at the provider, if it asks, and waits for what Claviger makes of it: 'in', or why not. */
  async goThrough(provider, login) {
    const { page } = this;
    await page.waitForFunction(
      (...selectors) => selectors.some((selector) => document.querySelector(selector)),
      {},
      provider.field, IN, REFUSED,
    );
    if (await page.$(provider.field)) await provider.logIn(page, login);
    return this.outcome();
  }

  /** What Claviger made of an answer: 'in', or why not. */
  async outcome() {
    const { page } = this;
    await page.waitForFunction(
      (from, ...selectors) => location.href.startsWith(from) && selectors.some((selector) => document.querySelector(selector)),
      {},
      issuer(), IN, REFUSED,
    );
    const refusal = await page.$(REFUSED);
    for (const { name, value } of await this.cookies()) secrets.set(value, `cookie ${name}`);
    return refusal ? refusal.evaluate((element) => element.innerText) : 'in';
  }

  /** Opens the link of an invitation, and signs in. */
  async accept(link, provider, login) {
    await this.page.goto(link);
    return this.goThrough(provider, login);
  }

  /** The cookies of the console. */
  async cookies() {
    return (await this.context.cookies()).filter(({ name }) => name.startsWith('claviger'));
  }
}

/** A client that begins an attempt by hand, at `provider` or with the code of an invitation. */
export async function begin({ provider, code, cookie }, address = newAddress()) {
  const [path, form] = code ? ['/console/invitation', { code }] : [`/console/sign-in/with/${provider}`, { next: '' }];
  const answer = await fetch(`${issuer()}${path}`, {
    method: 'POST',
    headers: { origin: issuer(), 'x-forwarded-for': address, ...(cookie && { cookie }) },
    body: new URLSearchParams(form),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  const url = /url=([^"]+)"/.exec(text)[1].replaceAll('&amp;', '&').replaceAll('&#38;', '&');
  note(url);
  const [kept] = answer.headers.getSetCookie();
  secrets.set(kept.split(';')[0].split('=')[1], 'attempt');
  return { url, cookie: kept.split(';')[0], address };
}

/** The attempt with other parameters on the way to the provider. `null` takes one away. */
export function changed(url, parameters) {
  const other = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) other.searchParams.delete(name);
    else other.searchParams.set(name, value);
  }
  return other.href;
}

/** Signs in at the provider, and takes its answer away from the browser: the URL of the callback. */
export async function answerOf(provider, url, login, act = (page) => provider.logIn(page, login)) {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.setRequestInterception(true);
    const answer = new Promise((resolve) => {
      page.on('request', (request) => {
        if (!request.url().startsWith(`${issuer()}${CALLBACK}`)) return request.continue();
        resolve(request.url());
        return request.abort();
      });
    });
    await page.goto(url);
    await page.waitForSelector(provider.field);
    await act(page);
    const found = await answer;
    note(found);
    return found;
  } finally {
    await context.close();
  }
}

/** What Claviger makes of an answer that this client brings: 'in' or why not, and the session that it opened. */
export async function bring(url, { cookie, address }) {
  const headers = { 'x-forwarded-for': address, ...(cookie && { cookie }) };
  const answer = await fetch(url, { headers, redirect: 'manual' });
  const text = await answer.text();
  const kept = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
  const session = kept.find((pair) => pair.startsWith('claviger=') && pair !== 'claviger=');
  if (session) secrets.set(session.split('=')[1], 'session');
  const said = /role="alert">([^<]*)</.exec(text)?.[1];
  return { status: answer.status, said: said ?? (answer.status === 200 ? 'in' : text), session };
}

/** The status of the list of keys for somebody with this cookie. */
export async function statusWith(cookie) {
  const answer = await fetch(`${issuer()}/console/orgs/default/keys`, { headers: { cookie }, redirect: 'manual' });
  await answer.text();
  return answer.status;
}

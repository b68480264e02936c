// Keycloak on loopback, with a realm for each of two providers. Realm `sso` has a client with a secret, `other` has one with
// private_key_jwt. CLAVIGER_KEYCLOAK is the folder of its distribution.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clientKey } from './client-key.mjs';

/** The field of the page where people sign in. */
export const FIELD = '#username';

const PASSWORD = 'the password of everybody here';
const ADMINISTRATOR = { username: 'administrator', password: 'the password of an administrator' };

/** It starts in 15 to 60 seconds. */
const PATIENCE = 300_000;
const BETWEEN_TRIES = 500;

export async function start() {
  const home = process.env.CLAVIGER_KEYCLOAK;
  if (!home) throw new Error('CLAVIGER_KEYCLOAK is not set');
  const { jwk, pem } = await clientKey();
  const secret = 'a secret, with: signs & % that need care';
  const clients = {
    sso: { secret },
    other: {
      clientAuthenticatorType: 'client-jwt',
      attributes: {
        'use.jwks.string': 'true',
        'jwks.string': JSON.stringify({ keys: [jwk] }),
        'token.endpoint.auth.signing.alg': 'ES256',
      },
    },
  };
  const imports = path.join(home, 'data', 'import');
  fs.rmSync(path.join(home, 'data'), { recursive: true, force: true });
  fs.mkdirSync(imports, { recursive: true });
  for (const [name, client] of Object.entries(clients)) {
    fs.writeFileSync(path.join(imports, `${name}-realm.json`), JSON.stringify(realm(name, client)));
  }
  const url = `http://localhost:${await freePort()}`;
  const stop = await run(home, url);
  return {
    sso: { ...adapted(url, 'sso'), secret },
    other: { ...adapted(url, 'other'), key: pem },
    stop,
  };
}

async function run(home, url) {
  const log = fs.openSync(path.join(home, 'data', 'keycloak.log'), 'w');
  const keycloak = spawn(
    path.join(home, 'bin', 'kc.sh'),
    ['start-dev', '--import-realm', '--http-host=127.0.0.1', `--http-port=${new URL(url).port}`],
    {
      stdio: ['ignore', log, log],
      detached: true,
      env: {
        ...process.env,
        KC_BOOTSTRAP_ADMIN_USERNAME: ADMINISTRATOR.username,
        KC_BOOTSTRAP_ADMIN_PASSWORD: ADMINISTRATOR.password,
      },
    },
  );
  let ended = false;
  keycloak.on('exit', () => { ended = true; });
  // The script has the server as its child, and both are one group.
  const stop = () => { if (!ended) process.kill(-keycloak.pid, 'SIGKILL'); };
  process.on('exit', stop);
  const deadline = Date.now() + PATIENCE;
  while (!(await answers(`${url}/realms/other/.well-known/openid-configuration`))) {
    if (ended || Date.now() > deadline) {
      throw new Error(`Keycloak does not start:\n${fs.readFileSync(path.join(home, 'data', 'keycloak.log'), 'utf8')}`);
    }
    await pause(BETWEEN_TRIES);
  }
  return stop;
}

const answers = (url) => fetch(url).then(({ ok }) => ok, () => false);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function realm(name, { attributes = {}, ...client }) {
  return {
    realm: name,
    enabled: true,
    sslRequired: 'none',
    clients: [{
      clientId: 'claviger',
      protocol: 'openid-connect',
      publicClient: false,
      standardFlowEnabled: true,
      directAccessGrantsEnabled: false,
      redirectUris: [],
      attributes: { 'pkce.code.challenge.method': 'S256', ...attributes },
      protocolMappers: [{
        name: 'groups',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-group-membership-mapper',
        config: { 'claim.name': 'groups', 'full.path': 'false', 'id.token.claim': 'true' },
      }],
      ...client,
    }],
  };
}

function adapted(url, name) {
  const admin = (method, what, body) => administer(url, method, `${name}/${what}`, body);
  const user = async (login) => (await admin('GET', `users?exact=true&username=${login}`))[0];
  const represented = ({ email, email_verified: emailVerified }) => ({ email, emailVerified });
  const join = async (id, groups = []) => {
    for (const { id: group } of await admin('GET', `users/${id}/groups`)) {
      await admin('DELETE', `users/${id}/groups/${group}`);
    }
    for (const group of groups) {
      const known = async () => (await admin('GET', `groups?exact=true&search=${group}`))[0];
      if (!(await known())) await admin('POST', 'groups', { name: group });
      await admin('PUT', `users/${id}/groups/${(await known()).id}`);
    }
  };
  return {
    issuer: `${url}/realms/${name}`,
    /** Makes the realm know where it sends people back to. */
    async redirectTo(callback) {
      const [{ id }] = await admin('GET', 'clients?clientId=claviger');
      const known = await admin('GET', `clients/${id}`);
      await admin('PUT', `clients/${id}`, { ...known, redirectUris: [callback] });
    },
    /** Makes an account, or another one of the same name: with another `sub`. */
    async create(login, claims) {
      const earlier = await user(login);
      if (earlier) await admin('DELETE', `users/${earlier.id}`);
      await admin('POST', 'users', {
        username: login,
        enabled: true,
        firstName: login,
        lastName: 'Example',
        credentials: [{ type: 'password', value: PASSWORD, temporary: false }],
        ...represented(claims),
      });
      await join((await user(login)).id, claims.groups);
    },
    async change(login, claims) {
      const known = await user(login);
      if ('email' in claims || 'email_verified' in claims) {
        const { email, emailVerified } = known;
        await admin('PUT', `users/${known.id}`, {
          ...known,
          ...represented({ email, email_verified: emailVerified, ...claims }),
        });
      }
      if (claims.groups) await join(known.id, claims.groups);
    },
    /** Signs in on the page that asks for it. Does not wait for what follows. */
    async logIn(page, login) {
      // Somebody who has to sign in again is named already.
      if (!(await page.$eval(FIELD, (field) => field.value))) await page.type(FIELD, login);
      await page.type('#password', PASSWORD);
      await page.click('#kc-login');
    },
  };
}

async function administer(url, method, what, body) {
  const form = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...ADMINISTRATOR });
  const granted = await fetch(`${url}/realms/master/protocol/openid-connect/token`, { method: 'POST', body: form });
  const { access_token: token } = await granted.json();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/admin/realms/${what}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Keycloak answers ${answer.status} to ${method} ${what}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

// The MCP server of docs/mcp.md, in Python with FastMCP, as clients with the TypeScript SDK see it, and others who bring what
// they should not. It runs already. The world comes from the environment (see ../README.md). One line for each check; exit
// code 1 when one failed.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose';
import { check, end, env, management } from '../node/world.mjs';
import { byKey, bySecret, call } from './clients.mjs';

const ISSUER = env('CLAVIGER_ISSUER');
const URL_OF_SERVER = new URL(env('CLAVIGER_AUDIENCE'));
const KEY = await newKey({});
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

await check('without a token, the answer says where the metadata is, and that names the issuer', async () => {
  const answer = await post({});
  assert.equal(answer.status, 401);
  const [, url] = /resource_metadata="([^"]+)"/.exec(answer.challenge);
  const metadata = await (await fetch(url)).json();
  assert.equal(metadata.resource, URL_OF_SERVER.href);
  assert.deepEqual(metadata.authorization_servers.map((server) => server.replace(/\/$/, '')), [ISSUER]);
});

await check('ClientCredentialsProvider: the tool knows the client', async () => {
  assert.deepEqual(await read(secret(KEY)), { text: `the note 7, for ${KEY.id}`, isError: false });
});

await check('PrivateKeyJwtProvider: the tool knows the client', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = await newKey({ secret: false, public_keys: [{ jwk: { ...(await exportJWK(publicKey)), alg: 'ES256' } }] });
  const provider = byKey(key.id, 'ES256', await exportPKCS8(privateKey));
  assert.deepEqual(await read(provider), { text: `the note 7, for ${key.id}`, isError: false });
});

await check('a token without the scope is told which one it needs', async () => {
  const provider = secret(KEY, { scope: 'read:notes/8' });
  assert.deepEqual(await read(provider), { text: 'this requires the scope read:notes/7', isError: true });
});

await check('a token for another audience, one that is bound to a key, and a changed one are refused', async () => {
  const token = await tokenOf(KEY);
  assert.equal((await post({ token })).status, 200);
  assert.equal((await post({ token: await tokenOf(KEY, { resource: 'https://other.example' }) })).status, 401);
  assert.equal((await post({ token: await tokenOf(KEY, {}, await proof()) })).status, 401);
  const [header, payload, signature] = token.split('.');
  const changed = (signature[9] === 'A' ? 'B' : 'A') + signature.slice(10);
  assert.equal((await post({ token: [header, payload, signature.slice(0, 9) + changed].join('.') })).status, 401);
  assert.equal((await post({ token: KEY.key })).status, 401);
});

await check('a token may be used only from the addresses that it names', async () => {
  const key = await newKey({ cidrs: ['127.0.9.0/24'] });
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_secret: key.key, resource: URL_OF_SERVER.href });
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await send(new URL(`${ISSUER}/oauth/token`), type, body.toString(), '127.0.9.1');
  const { access_token: token } = JSON.parse(answer.text);
  const reading = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'read_note', arguments: { name: '7' } } };
  for (const [from, expected] of [['127.0.9.1', `the note 7, for ${key.id}`], ['127.0.8.1', 'may not be used from this address']]) {
    const { session } = await post({ token, from });
    await post({ token, from, session, body: { jsonrpc: '2.0', method: 'notifications/initialized' } });
    const called = await post({ token, from, session, body: reading });
    assert.ok(called.text.includes(expected), called.text);
  }
});

await check('a revoked token is refused within seconds', async () => {
  const token = await tokenOf(KEY);
  assert.equal((await post({ token })).status, 200);
  const revoked = await fetch(`${ISSUER}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token, client_secret: KEY.key }),
  });
  assert.equal(revoked.status, 200);
  const deadline = Date.now() + 10_000;
  while ((await post({ token })).status !== 401) {
    assert.ok(Date.now() < deadline, 'it is still accepted');
    await pause(100);
  }
});

end();

function secret({ id, key }, different = {}) {
  return bySecret({ clientId: id, clientSecret: key, ...different });
}

async function read(provider) {
  const { content, isError = false } = await call(URL_OF_SERVER, provider, 'read_note', { name: '7' });
  return { text: content[0].text, isError };
}

function newKey(members) {
  const key = { name: 'agent', project: 'default', environment: 'prd', scopes: [{ action: 'read', resource: 'notes/*' }] };
  return management('POST', 'keys', { ...key, ...members });
}

async function tokenOf({ key }, parameters = {}, dpop) {
  const form = { grant_type: 'client_credentials', client_secret: key, resource: URL_OF_SERVER.href, ...parameters };
  const headers = dpop ? { dpop } : {};
  const answer = await fetch(`${ISSUER}/oauth/token`, { method: 'POST', headers, body: new URLSearchParams(form) });
  const { access_token: token, token_type: type } = await answer.json();
  assert.equal(type, dpop ? 'DPoP' : 'Bearer');
  return token;
}

async function proof() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const claims = { htm: 'POST', htu: `${ISSUER}/oauth/token`, jti: crypto.randomUUID() };
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) };
  return new SignJWT(claims).setProtectedHeader(header).setIssuedAt().sign(privateKey);
}

/** A request to the MCP server, as a client without the SDK sends it. */
async function post({ token, from, body = INITIALIZE, session }) {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  if (token) headers.authorization = `Bearer ${token}`;
  if (session) headers['mcp-session-id'] = session;
  const answer = await send(URL_OF_SERVER, headers, JSON.stringify(body), from);
  return { ...answer, challenge: answer.headers['www-authenticate'], session: answer.headers['mcp-session-id'] };
}

function send(url, headers, body, localAddress) {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'POST', headers, localAddress }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

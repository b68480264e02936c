// node-oidc-provider as an issuer that an organization trusts: its description, its key set and its tokens are what the
// library makes of them, and its tokens open a key of ours at both doors. The world comes from the environment (see
// ../README.md). One line for each check; exit code 1 when one failed.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { check, end, env, management } from '../node/world.mjs';
import { newKey, startProvider } from './provider.mjs';

const ISSUER = env('CLAVIGER_ISSUER');
const JWKS = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Claviger asks again for an unknown key once in 30 seconds, and ten tokens with one in a minute are guesses. */
const PATIENCE = 45_000;
const BETWEEN_TRIES = 8_000;

/** Both doors, and what somebody is told who is refused there. */
const DOORS = {
  'client_assertion': {
    form: (token) => ({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: token,
    }),
    refusal: { status: 401, error: 'invalid_client' },
  },
  'jwt-bearer': {
    form: (token) => ({ grant_type: JWT_BEARER, assertion: token }),
    refusal: { status: 400, error: 'invalid_grant' },
  },
};

const first = await newKey('first');
const provider = await startProvider([first]);
await management('POST', 'issuers', {
  id: 'provider',
  issuer: provider.issuer,
  keys: { discovery: true },
  algorithms: ['ES256'],
});
let key = await newTrustingKey();

for (const door of Object.keys(DOORS)) {
  await check(`${door}: a token of the provider opens the key`, async () => {
    const presented = await provider.token('workload', ISSUER);
    const issued = await granted(door, presented);
    const expected = { issuer: ISSUER, audience: env('CLAVIGER_AUDIENCE'), typ: 'at+jwt' };
    const { payload } = await jwtVerify(issued.access_token, JWKS, expected);
    assert.deepEqual([payload.sub, payload.client_id, payload.scope], [key.id, key.id, 'read:*']);
    // It ends with the token that was presented.
    assert.ok(payload.exp <= decodeJwt(presented).exp);
  });

  await check(`${door}: another client's token, one for another resource, and a changed one are refused`, async () => {
    await refused(door, await provider.token('other', ISSUER));
    await refused(door, await provider.token('workload', 'https://other.example'));
    const [header, payload, signature] = (await provider.token('workload', ISSUER)).split('.');
    const changed = (signature[9] === 'A' ? 'B' : 'A') + signature.slice(10);
    await refused(door, [header, payload, signature.slice(0, 9) + changed].join('.'));
  });

  await check(`${door}: of the type at+jwt, which the library writes by itself, it is refused`, async () => {
    const token = await provider.token('untyped', ISSUER);
    assert.equal(decodeProtectedHeader(token).typ, 'at+jwt');
    await refused(door, token);
  });
}

await check('the key needs its client_id', async () => {
  const answer = await ask({ ...DOORS['client_assertion'].form(await provider.token('workload', ISSUER)) });
  assert.equal(answer.status, 401);
});

await check('an administrator can check the issuer and a token of it', async () => {
  const token = await provider.token('workload', ISSUER);
  const checked = await management('POST', 'issuers/provider/check', { token, key: key.id });
  const { keys, token: examined, rules } = checked;
  assert.deepEqual([keys.ok, keys.usable, examined.ok, rules.map(({ ok }) => ok)], [true, 1, true, [true]]);
});

await check('the provider signs with another key: it is fetched, and the published old one still counts', async () => {
  const before = await provider.token('workload', ISSUER);
  provider.use([await newKey('second'), first]);
  const after = await provider.token('workload', ISSUER);
  assert.equal(decodeProtectedHeader(after).kid, 'second');
  const deadline = Date.now() + PATIENCE;
  while ((await present('client_assertion', after)).status !== 200) {
    assert.ok(Date.now() < deadline, 'the new key is not fetched');
    await pause(BETWEEN_TRIES);
  }
  await granted('jwt-bearer', after);
  await granted('jwt-bearer', before);
});

await check('a key of the provider that it never published opens nothing', async () => {
  provider.use([await newKey('third')]);
  const token = await provider.token('workload', ISSUER);
  provider.use([first]);
  await refused('client_assertion', token);
  await refused('jwt-bearer', token);
});

// The other one has seen as many tokens that look like guesses as it may in a minute.
key = await newTrustingKey();

await check('disabled, the issuer opens nothing, and what it opened is over', async () => {
  const token = await provider.token('workload', ISSUER);
  const { access_token: issued } = await granted('jwt-bearer', token);
  assert.equal((await introspect(issued)).active, true);
  await management('PATCH', 'issuers/provider', { status: 'disabled' });
  await refused('client_assertion', token);
  await refused('jwt-bearer', token);
  assert.deepEqual(await introspect(issued), { active: false });
  await management('PATCH', 'issuers/provider', { status: 'active' });
  await granted('client_assertion', token);
});

end();

/** A key without a secret, which the provider's workload opens. */
function newTrustingKey() {
  return management('POST', 'keys', {
    name: 'workload',
    project: 'default',
    environment: 'prd',
    preset: 'query_only',
    secret: false,
    trust_rules: [{ issuer: 'provider', subject: 'workload', claims: { '/client_id': 'workload' } }],
  });
}

async function granted(door, token) {
  const answer = await present(door, token);
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

async function refused(door, token) {
  const { status, error } = DOORS[door].refusal;
  const answer = await present(door, token);
  assert.deepEqual([answer.status, (await answer.json()).error], [status, error]);
}

function present(door, token) {
  return ask({ client_id: key.id, ...DOORS[door].form(token) });
}

function ask(form) {
  return fetch(`${ISSUER}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
}

async function introspect(token) {
  const headers = { authorization: `Bearer ${env('CLAVIGER_RS_API_KEY')}` };
  const body = new URLSearchParams({ token });
  return (await fetch(`${ISSUER}/oauth/introspect`, { method: 'POST', headers, body })).json();
}

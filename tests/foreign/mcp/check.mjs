// Claviger as the MCP world sees it: clients and a server of the Model Context Protocol, with its TypeScript SDK. The
// clients get their tokens by client_credentials, with a secret and with a private key; the server verifies them by jose.
//
// The world comes from the environment (see ../README.md). One line for each check; exit code 1 when one failed.

import assert from 'node:assert/strict';
import { KeyObject } from 'node:crypto';
import { InvalidClientError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { check, end, env, management, rejection } from '../node/world.mjs';
import { byKey, bySecret, call } from './clients.mjs';
import { serve } from './server.mjs';

const ISSUER = env('CLAVIGER_ISSUER');
const METADATA = await (await fetch(`${ISSUER}/.well-known/oauth-authorization-server`)).json();
const URL_OF_SERVER = new URL(env('CLAVIGER_AUDIENCE'));
const SCOPE = env('CLAVIGER_SCOPES').split(' ').sort().join(' ');

/** The SDK takes a PEM file for all algorithms but EdDSA. */
const ALGORITHMS = {
  ES256: exportPKCS8,
  ES384: exportPKCS8,
  EdDSA: exportJWK,
  PS256: exportPKCS8,
  RS256: exportPKCS8,
};

await serve(URL_OF_SERVER, METADATA);

await check('ClientCredentialsProvider: the tool knows the client', async () => {
  assert.deepEqual(await whoAmI(bySecret()), { client: env('CLAVIGER_CLIENT_ID'), scope: SCOPE });
});

await check('ClientCredentialsProvider: narrowed by scope', async () => {
  const narrow = SCOPE.split(' ')[0];
  const answer = await whoAmI(bySecret({ scope: narrow }));
  assert.deepEqual(answer, { client: env('CLAVIGER_CLIENT_ID'), scope: narrow });
});

await check('ClientCredentialsProvider: a wrong secret is invalid_client', async () => {
  const key = env('CLAVIGER_API_KEY');
  const wrong = bySecret({ clientSecret: key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a') });
  await rejection(whoAmI(wrong), InvalidClientError);
});

for (const [algorithm, write] of Object.entries(ALGORITHMS)) {
  await check(`PrivateKeyJwtProvider, ${algorithm}: a registered key, refused once it is removed`, async () => {
    const [first, second] = [await keyPair(algorithm), await keyPair(algorithm)];
    const jwk = { ...(await exportJWK(first.publicKey)), alg: algorithm };
    const key = await newKey({ jwk });
    const byFirst = async () => byKey(key.id, algorithm, await write(first.privateKey));
    assert.deepEqual(await whoAmI(await byFirst()), { client: key.id, scope: 'read:*' });

    const pem = KeyObject.from(second.publicKey).export({ type: 'spki', format: 'pem' });
    await management('POST', `keys/${key.id}/public-keys`, { pem, alg: algorithm });
    await management('DELETE', `keys/${key.id}/public-keys/${key.public_keys[0].id}`);
    const error = await rejection(whoAmI(await byFirst()), InvalidClientError);
    assert.equal(error.message, 'client authentication failed');
    const bySecond = byKey(key.id, algorithm, await write(second.privateKey));
    assert.deepEqual(await whoAmI(bySecond), { client: key.id, scope: 'read:*' });
  });
}

await check('as it comes, the SDK wants an authorization_endpoint in the metadata', async () => {
  const provider = bySecret();
  delete provider.discoveryState;
  const error = await rejection(whoAmI(provider), Error);
  assert.deepEqual(error.issues.map((issue) => issue.path), [['authorization_endpoint']]);
});

end();

/** What the server's tool says of a client with this provider. */
async function whoAmI(authProvider) {
  const answer = await call(URL_OF_SERVER, authProvider, 'who_am_i');
  return JSON.parse(answer.content[0].text);
}

function keyPair(algorithm) {
  return generateKeyPair(algorithm, { extractable: true });
}

/** A key without a secret. */
function newKey(publicKey) {
  const key = { name: 'agent', project: 'default', environment: 'prd', preset: 'query_only' };
  return management('POST', 'keys', { ...key, secret: false, public_keys: [publicKey] });
}

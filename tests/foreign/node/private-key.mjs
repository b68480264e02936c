// Clients that hold a private key, as the Node world knows them: openid-client signs the assertions, jose verifies the
// tokens. The world comes from the environment (see ../README.md). One line for each check; exit code 1 when one failed.

import assert from 'node:assert/strict';
import { KeyObject } from 'node:crypto';
import { createRemoteJWKSet, exportJWK, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { check, end, env, management, rejection } from './world.mjs';

const ISSUER = env('CLAVIGER_ISSUER');
const TAKES_TOKEN_ENDPOINT = env('CLAVIGER_ASSERTION_AUDIENCE') === 'token-endpoint-too';

const RSA = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  EdDSA: { name: 'Ed25519' },
  PS256: { name: 'RSA-PSS', ...RSA },
  RS256: { name: 'RSASSA-PKCS1-v1_5', ...RSA },
};

const METADATA = (await openidClient('key_0123456789abcdef', oidc.None())).serverMetadata();
const JWKS = createRemoteJWKSet(new URL(METADATA.jwks_uri));

for (const algorithm of Object.keys(ALGORITHMS)) {
  await check(`openid-client, ${algorithm}: a token by a registered key, refused once it is removed`, async () => {
    const [first, second] = [await keyPair(algorithm), await keyPair(algorithm)];
    const jwk = { ...(await exportJWK(first.publicKey)), alg: algorithm };
    const key = await newKey({ jwk });
    const byFirst = await openidClient(key.id, oidc.PrivateKeyJwt(first.privateKey));
    await expectToken(await oidc.clientCredentialsGrant(byFirst), key.id);

    const pem = KeyObject.from(second.publicKey).export({ type: 'spki', format: 'pem' });
    const { kid } = await management('POST', `keys/${key.id}/public-keys`, { pem, alg: algorithm, kid: 'second' });
    const bySecond = await openidClient(key.id, oidc.PrivateKeyJwt({ key: second.privateKey, kid }));
    await expectToken(await oidc.clientCredentialsGrant(bySecond), key.id);

    await management('DELETE', `keys/${key.id}/public-keys/${key.public_keys[0].id}`);
    await expectRefusal(byFirst, 'client authentication failed');
    await expectToken(await oidc.clientCredentialsGrant(bySecond), key.id);
  });
}

await check('openid-client: the token endpoint beside the issuer in `aud` needs the setting', async () => {
  const { publicKey, privateKey } = await keyPair('ES256');
  const key = await newKey({ jwk: await exportJWK(publicKey) });
  const nameBoth = (_, payload) => {
    payload.aud = [METADATA.issuer, METADATA.token_endpoint];
  };
  const client = await openidClient(key.id, oidc.PrivateKeyJwt(privateKey, { [oidc.modifyAssertion]: nameBoth }));
  if (TAKES_TOKEN_ENDPOINT) {
    await expectToken(await oidc.clientCredentialsGrant(client), key.id);
  } else {
    await expectRefusal(client, /`aud` is not the issuer's URL alone/);
  }
});

end();

function openidClient(clientId, authentication) {
  return oidc.discovery(new URL(ISSUER), clientId, undefined, authentication, {
    algorithm: 'oauth2',
    // The server under test is on loopback, without TLS.
    execute: [oidc.allowInsecureRequests],
  });
}

function keyPair(algorithm) {
  return crypto.subtle.generateKey(ALGORITHMS[algorithm], true, ['sign', 'verify']);
}

/** A key without a secret. */
function newKey(publicKey) {
  const key = { name: 'signer', project: 'default', environment: 'prd', preset: 'query_only' };
  return management('POST', 'keys', { ...key, secret: false, public_keys: [publicKey] });
}

async function expectToken(answer, clientId) {
  const expected = { issuer: ISSUER, audience: env('CLAVIGER_AUDIENCE'), typ: 'at+jwt' };
  const { payload } = await jwtVerify(answer.access_token, JWKS, { ...expected, requiredClaims: ['exp', 'jti'] });
  assert.equal(payload.sub, clientId);
  assert.equal(payload.client_id, clientId);
  assert.equal(payload.scope, 'read:*');
}

async function expectRefusal(client, description) {
  const error = await rejection(oidc.clientCredentialsGrant(client), oidc.WWWAuthenticateChallengeError);
  assert.equal(error.cause[0].parameters.error, 'invalid_client');
  assert.match(error.cause[0].parameters.error_description, new RegExp(description));
}

// Tokens that are bound to a key (DPoP, RFC 9449), as the Node world knows them: openid-client makes the proofs, also for
// the API that it calls with the token, jose verifies the tokens. The world comes from the environment (see ../README.md).
// One line for each check; exit code 1 when one failed.

import assert from 'node:assert/strict';
import { calculateJwkThumbprint, createRemoteJWKSet, exportJWK, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { check, end, env, rejection } from './world.mjs';

const ISSUER = env('CLAVIGER_ISSUER');
const AUDIENCE = env('CLAVIGER_AUDIENCE');
const CLIENT = [env('CLAVIGER_CLIENT_ID'), env('CLAVIGER_API_KEY')];
// Its scopes are for the management API.
const RESOURCE_SERVER = [env('CLAVIGER_RS_CLIENT_ID'), env('CLAVIGER_RS_API_KEY')];
const SELF = new URL(`${ISSUER}/v1/self`);

const config = await discovered(CLIENT);
const JWKS = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));

await check('the metadata names the algorithms of proofs', () => {
  const names = config.serverMetadata().dpop_signing_alg_values_supported;
  assert.deepEqual(names, ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'PS256', 'RS256']);
});

for (const algorithm of ['ES256', 'ES384', 'Ed25519', 'PS256', 'RS256']) {
  await check(`openid-client, ${algorithm}: a bound token, and the API takes it with proofs`, async () => {
    const keys = await oidc.randomDPoPKeyPair(algorithm);
    const answer = await granted(config, keys);
    assert.equal(answer.token_type, 'dpop');
    const { payload } = await jwtVerify(answer.access_token, JWKS, { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt' });
    const jkt = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
    assert.deepEqual(payload.cnf, { jkt });

    const manager = await discovered(RESOURCE_SERVER);
    const handle = oidc.getDPoPHandle(manager, keys);
    const token = await oidc.clientCredentialsGrant(manager, {}, { DPoP: handle });
    const call = () => oidc.fetchProtectedResource(manager, token.access_token, SELF, 'GET', null, null, { DPoP: handle });
    // The second request has a proof of its own.
    assert.deepEqual([(await call()).status, (await call()).status], [200, 200]);

    const described = await oidc.tokenIntrospection(manager, answer.access_token);
    assert.deepEqual([described.active, described.token_type, described.cnf], [true, 'DPoP', { jkt }]);
  });
}

await check('openid-client: as Bearer, or with the key of another, it is refused', async () => {
  const manager = await discovered(RESOURCE_SERVER);
  const { access_token: token } = await granted(manager, await oidc.randomDPoPKeyPair('ES256'));
  const asBearer = await rejection(
    oidc.fetchProtectedResource(manager, token, SELF, 'GET'),
    oidc.WWWAuthenticateChallengeError,
  );
  assert.equal(asBearer.status, 401);
  const DPoP = oidc.getDPoPHandle(manager, await oidc.randomDPoPKeyPair('ES256'));
  const byThief = await rejection(
    oidc.fetchProtectedResource(manager, token, SELF, 'GET', null, null, { DPoP }),
    oidc.WWWAuthenticateChallengeError,
  );
  assert.deepEqual([byThief.cause[0].scheme, byThief.cause[0].parameters.error], ['dpop', 'invalid_token']);
});

end();

function granted(client, keys) {
  return oidc.clientCredentialsGrant(client, {}, { DPoP: oidc.getDPoPHandle(client, keys) });
}

function discovered([id, key]) {
  return oidc.discovery(new URL(ISSUER), id, undefined, oidc.ClientSecretBasic(key), {
    algorithm: 'oauth2',
    // The server under test is on loopback, without TLS.
    execute: [oidc.allowInsecureRequests],
  });
}

// Claviger as the Node world sees it: tokens by openid-client and simple-oauth2, verified by jose.
//
// The world comes from the environment (see ../README.md). One line for each check; exit code 1 when one failed.

import assert from 'node:assert/strict';
import { createRemoteJWKSet, errors as joseErrors, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { ClientCredentials } from 'simple-oauth2';
import { check, end, env, management, rejection } from './world.mjs';

const ISSUER = env('CLAVIGER_ISSUER');
const CLIENT_ID = env('CLAVIGER_CLIENT_ID');
const API_KEY = env('CLAVIGER_API_KEY');
const AUDIENCE = env('CLAVIGER_AUDIENCE');
const ALGORITHM = env('CLAVIGER_ALGORITHM');
const CIDRS = env('CLAVIGER_CIDRS').split(' ');
const RESOURCE_SERVER_ID = env('CLAVIGER_RS_CLIENT_ID');
const RESOURCE_SERVER_KEY = env('CLAVIGER_RS_API_KEY');

const SCOPES = env('CLAVIGER_SCOPES').split(' ').sort();
const SCOPE = SCOPES.join(' ');
const NARROW_SCOPE = SCOPES.at(-1);
const OVERWIDE_SCOPE = 'admin:*';
const WRONG_KEY = API_KEY.slice(0, -1) + (API_KEY.endsWith('a') ? 'b' : 'a');

const OPENID_CLIENT_METHODS = { Basic: oidc.ClientSecretBasic, body: oidc.ClientSecretPost };
const SIMPLE_OAUTH2_METHODS = {
  'strict Basic': { authorizationMethod: 'header', credentialsEncodingMode: 'strict' },
  'loose Basic': { authorizationMethod: 'header', credentialsEncodingMode: 'loose' },
  body: { authorizationMethod: 'body' },
};

const METADATA = (await openidClient(oidc.ClientSecretBasic)).serverMetadata();
const JWKS = createRemoteJWKSet(new URL(METADATA.jwks_uri));

for (const [name, method] of Object.entries(OPENID_CLIENT_METHODS)) {
  await check(`openid-client, ${name}: a token, jose verifies it`, async () => {
    await expectToken(await oidc.clientCredentialsGrant(await openidClient(method)), SCOPE);
  });

  await check(`openid-client, ${name}: narrowed by scope and resource`, async () => {
    const narrowing = { scope: NARROW_SCOPE, resource: AUDIENCE };
    await expectToken(await oidc.clientCredentialsGrant(await openidClient(method), narrowing), NARROW_SCOPE);
  });

  await check(`openid-client, ${name}: a wrong secret is invalid_client`, async () => {
    const client = await openidClient(method, CLIENT_ID, WRONG_KEY);
    const error = await rejection(oidc.clientCredentialsGrant(client), oidc.WWWAuthenticateChallengeError);
    assert.equal(error.status, 401);
    assert.equal(error.cause[0].scheme, 'basic');
    assert.equal(error.cause[0].parameters.error, 'invalid_client');
    // All that openid-client shows of the answer is the challenge.
    assert.equal(error.cause[0].parameters.error_description, 'client authentication failed');
  });

  await check(`openid-client, ${name}: the challenge says that a key is revoked`, async () => {
    const { id, key } = await newKey();
    const client = await openidClient(method, id, key);
    await oidc.clientCredentialsGrant(client);
    await management('POST', `keys/${id}/revoke`, {});
    const error = await rejection(oidc.clientCredentialsGrant(client), oidc.WWWAuthenticateChallengeError);
    assert.equal(error.cause[0].parameters.error_description, 'the key is revoked');
  });

  await check(`openid-client, ${name}: introspection, revocation, inactive`, async () => {
    const client = await openidClient(method);
    const resourceServer = await openidClient(method, RESOURCE_SERVER_ID, RESOURCE_SERVER_KEY);
    const { access_token: token } = await oidc.clientCredentialsGrant(client);

    const before = await oidc.tokenIntrospection(resourceServer, token);
    const { active, sub, client_id, scope } = before;
    assert.deepEqual({ active, sub, client_id, scope }, { active: true, sub: CLIENT_ID, client_id: CLIENT_ID, scope: SCOPE });

    await oidc.tokenRevocation(client, token, { token_type_hint: 'access_token' });
    assert.deepEqual(await oidc.tokenIntrospection(resourceServer, token), { active: false });
  });
}

await check('openid-client: an over-wide scope is invalid_scope', async () => {
  const request = oidc.clientCredentialsGrant(await openidClient(oidc.ClientSecretBasic), { scope: OVERWIDE_SCOPE });
  assert.equal((await rejection(request, oidc.ResponseBodyError)).error, 'invalid_scope');
});

for (const [name, method] of Object.entries(SIMPLE_OAUTH2_METHODS)) {
  await check(`simple-oauth2, ${name}: a token, jose verifies it`, async () => {
    const { token } = await simpleOauth2(method).getToken({});
    await expectToken(token, SCOPE);
  });

  await check(`simple-oauth2, ${name}: narrowed by scope and resource`, async () => {
    const { token } = await simpleOauth2(method).getToken({ scope: [NARROW_SCOPE], resource: AUDIENCE });
    await expectToken(token, NARROW_SCOPE);
  });

  await check(`simple-oauth2, ${name}: a wrong secret is invalid_client`, async () => {
    const error = await rejection(simpleOauth2(method, WRONG_KEY).getToken({}), Error);
    assert.equal(error.output.statusCode, 401);
    assert.equal(error.data.payload.error, 'invalid_client');
  });

  await check(`simple-oauth2, ${name}: revocation, inactive`, async () => {
    const accessToken = await simpleOauth2(method).getToken({});
    await accessToken.revoke('access_token');
    const resourceServer = await openidClient(oidc.ClientSecretBasic, RESOURCE_SERVER_ID, RESOURCE_SERVER_KEY);
    assert.deepEqual(await oidc.tokenIntrospection(resourceServer, accessToken.token.access_token), { active: false });
  });
}

await check('simple-oauth2: an over-wide scope is invalid_scope', async () => {
  const client = simpleOauth2(SIMPLE_OAUTH2_METHODS.body);
  const error = await rejection(client.getToken({ scope: [OVERWIDE_SCOPE] }), Error);
  assert.equal(error.output.statusCode, 400);
  assert.equal(error.data.payload.error, 'invalid_scope');
});

await check('jose: another audience is refused', async () => {
  assert.equal(await refusedClaim({ audience: 'https://other.example/api' }), 'aud');
});

await check('jose: another issuer is refused', async () => {
  assert.equal(await refusedClaim({ issuer: 'https://other.example' }), 'iss');
});

await check('jose: as another type of token it is refused', async () => {
  assert.equal(await refusedClaim({ typ: 'secevent+jwt' }), 'typ');
});

await check('jose: a widened scope is refused', async () => {
  const [header, payload, signature] = (await goodToken()).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  const forged = Buffer.from(JSON.stringify({ ...claims, scope: '*:*' })).toString('base64url');
  const token = [header, forged, signature].join('.');
  await rejection(verify(token), joseErrors.JWSSignatureVerificationFailed);
});

await check('jose: a changed signature is refused', async () => {
  const [header, payload, signature] = (await goodToken()).split('.');
  const changed = signature.slice(0, 9) + (signature[9] === 'A' ? 'B' : 'A') + signature.slice(10);
  const token = [header, payload, changed].join('.');
  await rejection(verify(token), joseErrors.JWSSignatureVerificationFailed);
});

end();

function openidClient(method, clientId = CLIENT_ID, key = API_KEY) {
  return oidc.discovery(new URL(ISSUER), clientId, undefined, method(key), {
    algorithm: 'oauth2',
    // The server under test is on loopback, without TLS.
    execute: [oidc.allowInsecureRequests],
  });
}

function simpleOauth2(options, key = API_KEY) {
  return new ClientCredentials({
    client: { id: CLIENT_ID, secret: key },
    auth: {
      tokenHost: ISSUER,
      tokenPath: new URL(METADATA.token_endpoint).pathname,
      revokePath: new URL(METADATA.revocation_endpoint).pathname,
    },
    options,
  });
}

function newKey() {
  return management('POST', 'keys', { name: 'another', project: 'default', environment: 'prd', preset: 'query_only' });
}

async function expectToken(answer, scope) {
  assert.equal(answer.token_type.toLowerCase(), 'bearer');
  assert.equal(answer.scope, scope);
  const claims = await verify(answer.access_token);
  assert.equal(answer.expires_in, claims.exp - claims.iat);
  assert.equal(claims.sub, CLIENT_ID);
  assert.equal(claims.client_id, CLIENT_ID);
  assert.equal(claims.aud, AUDIENCE);
  assert.equal(claims.scope, scope);
  assert.deepEqual(claims.cidrs, CIDRS);
}

async function verify(token, different = {}) {
  const expected = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt', algorithms: [ALGORITHM] };
  const requiredClaims = ['exp', 'iat', 'sub', 'jti'];
  const { payload } = await jwtVerify(token, JWKS, { ...expected, requiredClaims, ...different });
  return payload;
}

async function goodToken() {
  const { access_token: token } = await oidc.clientCredentialsGrant(await openidClient(oidc.ClientSecretBasic));
  await verify(token);
  return token;
}

/** The claim for which a good token is refused by a verifier that expects something different. */
async function refusedClaim(different) {
  const error = await rejection(verify(await goodToken(), different), joseErrors.JWTClaimValidationFailed);
  return error.claim;
}

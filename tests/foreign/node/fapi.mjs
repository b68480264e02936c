// A client as the FAPI 2.0 Security Profile has it, with client credentials: openid-client signs assertions and proofs, and
// calls the resource server with the bound token. The suite's configuration is the first argument, and the environment has
// the authority of the certificates (NODE_EXTRA_CA_CERTS). One line for each check; exit code 1 when one failed.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { decodeJwt, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { check, end, rejection } from './world.mjs';

const SUITE = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ISSUER = SUITE.server.discoveryUrl.replace('/.well-known/oauth-authorization-server', '');
const RESOURCE = new URL(SUITE.resource.resourceUrl);
const FAPI = ['ES256', 'PS256', 'EdDSA'];

const METADATA = await (await fetch(SUITE.server.discoveryUrl)).json();

await check('the metadata has what the profile requires', () => {
  assert.equal(METADATA.issuer, ISSUER);
  assert.ok(METADATA.grant_types_supported.includes('client_credentials'));
  assert.ok(METADATA.token_endpoint_auth_methods_supported.includes('private_key_jwt'));
  for (const list of ['token_endpoint_auth_signing_alg_values_supported', 'dpop_signing_alg_values_supported']) {
    // `Ed25519` is another name of EdDSA with that curve (RFC 9864).
    assert.deepEqual(METADATA[list].filter((name) => !FAPI.includes(name) && name !== 'Ed25519'), [], list);
  }
});

for (const [name, client] of [['client', SUITE.client], ['client2', SUITE.client2]]) {
  await check(`${name}: a bound token by an assertion and a proof, which the resource server takes`, async () => {
    const config = await configured(client);
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(client.dpop_signing_alg));
    const answer = await oidc.clientCredentialsGrant(config, { scope: client.scope }, { DPoP });
    assert.equal(answer.token_type, 'dpop');
    assert.equal(answer.scope, client.scope);
    const { sub, cnf } = decodeJwt(answer.access_token);
    assert.equal(sub, client.client_id);
    assert.ok(cnf.jkt);
    const call = () => oidc.fetchProtectedResource(config, answer.access_token, RESOURCE, 'GET', null, null, { DPoP });
    assert.deepEqual([(await call()).status, (await call()).status], [200, 200]);

    const bearer = await fetch(RESOURCE, { headers: { authorization: `Bearer ${answer.access_token}` } });
    assert.equal(bearer.status, 401);
    const query = await fetch(`${RESOURCE}?access_token=${answer.access_token}`);
    assert.equal(query.status, 401);
    const thief = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(client.dpop_signing_alg));
    const stolen = oidc.fetchProtectedResource(config, answer.access_token, RESOURCE, 'GET', null, null, { DPoP: thief });
    assert.equal((await rejection(stolen, oidc.WWWAuthenticateChallengeError)).status, 401);
  });

  await check(`${name}: without a proof there is no token`, async () => {
    const refused = await rejection(oidc.clientCredentialsGrant(await configured(client)), oidc.ResponseBodyError);
    assert.deepEqual([refused.status, refused.error], [400, 'invalid_dpop_proof']);
  });
}

await check('an assertion needs its subject, a time that is not over, and to be there', async () => {
  const now = Math.floor(Date.now() / 1000);
  await refusedAssertion(await assertion(SUITE.client2, { sub: undefined }));
  await refusedAssertion(await assertion(SUITE.client2, { iat: now - 360, exp: now - 300 }));
  await refusedAssertion(await assertion(SUITE.client2, { aud: 'https://other.example' }));
  const unsigned = { grant_type: 'client_credentials', client_id: SUITE.client2.client_id };
  const answer = await fetch(METADATA.token_endpoint, { method: 'POST', body: new URLSearchParams(unsigned) });
  assert.ok(['invalid_client', 'invalid_request'].includes((await answer.json()).error));
});

for (const alg of ['ES256', 'PS256']) {
  await check(`${alg}: the resource server takes every good proof, and no other`, async () => {
    const holder = await newHolder(alg);
    const token = await boundToken(holder);
    for (const [why, proof, scheme = 'DPoP'] of await goodProofs(holder, token)) {
      assert.equal(await called(scheme, token, proof), 200, why);
    }
    for (const [why, proof] of await badProofs(holder, token)) {
      assert.equal(await called('DPoP', token, proof), 401, why);
    }
    assert.equal(await called('DPoP', token, await proofOf(holder, { token })), 200, 'a good proof behind all others');
  });
}

await check('an RSA key signs assertions with PS256, and never with RS256', async () => {
  await refusedAssertion(await assertion(SUITE.client, {}, 'RS256'));
});

await check('the audience is the issuer, and clocks differ by a minute at most', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const aud of [METADATA.token_endpoint, `${ISSUER}/`, [ISSUER], [ISSUER, METADATA.token_endpoint]]) {
    await refusedAssertion(await assertion(SUITE.client2, { aud }));
  }
  for (const claim of ['iat', 'nbf']) {
    await refusedAssertion(await assertion(SUITE.client2, { [claim]: now + 65, exp: now + 120 }));
    // It gets past the authentication, and is refused for what is missing besides.
    const answer = await ask(await assertion(SUITE.client2, { [claim]: now + 8 }));
    assert.deepEqual([answer.status, answer.error], [400, 'invalid_dpop_proof'], claim);
  }
});

await check('an assertion of the first client is none of the second', async () => {
  const posing = await assertion({ ...SUITE.client, client_id: SUITE.client2.client_id }, {});
  await refusedAssertion(posing);
});

for (const url of [new URL(ISSUER), RESOURCE]) {
  await check(`${url.host}: TLS 1.3, 1.2 with the recommended ciphers, and nothing older`, async () => {
    assert.equal(await negotiated(url, {}), 'TLSv1.3');
    for (const ciphers of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384']) {
      assert.equal(await negotiated(url, { maxVersion: 'TLSv1.2', ciphers }), 'TLSv1.2');
    }
    for (const weak of [
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA' },
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
    ]) {
      await rejection(negotiated(url, weak), Error);
    }
  });
}

end();

async function configured(client) {
  const [jwk] = client.jwks.keys;
  const algorithm = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  }[jwk.alg];
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']);
  const authentication = oidc.PrivateKeyJwt({ key, kid: jwk.kid });
  return oidc.discovery(new URL(ISSUER), client.client_id, undefined, authentication, { algorithm: 'oauth2' });
}

/** An assertion with these claims besides the usual ones, which they replace. */
async function assertion(client, claims, alg = client.jwks.keys[0].alg) {
  const [{ kid, use, ...jwk }] = client.jwks.keys;
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: client.client_id, sub: client.client_id, aud: ISSUER, jti: crypto.randomUUID(), iat: now, exp: now + 60 };
  const key = await importJWK({ ...jwk, alg }, alg);
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg, kid }).sign(key);
}

async function ask(assertion, headers = {}) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  });
  const answer = await fetch(METADATA.token_endpoint, { method: 'POST', headers, body });
  return { status: answer.status, ...(await answer.json()) };
}

async function refusedAssertion(assertion) {
  const { status, error } = await ask(assertion);
  assert.deepEqual([status, error], [401, 'invalid_client']);
}

/** Somebody with a key for proofs. */
async function newHolder(alg) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: await exportJWK(publicKey), secret: await exportJWK(privateKey) };
}

/** A token of the second client that is bound to the holder's key. */
async function boundToken(holder) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { htm: 'POST', htu: METADATA.token_endpoint, nbf: now, exp: now + 300, ath: undefined };
  const answer = await ask(await assertion(SUITE.client2, {}), { dpop: await proofOf(holder, { claims }) });
  assert.equal(answer.status, 200, JSON.stringify(answer));
  return answer.access_token;
}

/** A proof for a request to the resource server; `undefined` takes a claim or a member of the header away. */
function proofOf(holder, { token = '', header = {}, claims = {} } = {}) {
  const usual = {
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: RESOURCE.href,
    iat: Math.floor(Date.now() / 1000),
    ath: createHash('sha256').update(token).digest('base64url'),
  };
  const all = { typ: 'dpop+jwt', alg: holder.alg, jwk: holder.jwk, ...header };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader(all).sign(holder.privateKey);
}

async function goodProofs(holder, token) {
  const now = Math.floor(Date.now() / 1000);
  const good = (change) => proofOf(holder, { token, ...change });
  return [
    ['an ordinary one', await good()],
    ['the scheme in small letters', await good(), 'dpop'],
    ['the scheme in capital letters', await good(), 'DPOP'],
    ['10 seconds old', await good({ claims: { iat: now - 10 } })],
    ['10 seconds ahead', await good({ claims: { iat: now + 10 } })],
    ['with nbf and exp', await good({ claims: { nbf: now, exp: now + 300 } })],
    ['with a query and a fragment', await good({ claims: { htu: `${RESOURCE.href}?a=b#c` } })],
    ['scheme and host in capital letters', await good({ claims: { htu: RESOURCE.href.replace(/^https:..[^:/]+/, (text) => text.toUpperCase()) } })],
    ['with unknown claims and members', await good({ header: { tx: 1 }, claims: { tx: 1 } })],
  ];
}

async function badProofs(holder, token) {
  const now = Math.floor(Date.now() / 1000);
  const good = (change) => proofOf(holder, { token, ...change });
  const without = (claim) => good({ claims: { [claim]: undefined } });
  const used = await good();
  assert.equal(await called('DPoP', token, used), 200);
  const [header, payload, signature] = (await good()).split('.');
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { alg: _, ...nameless } = JSON.parse(Buffer.from(header, 'base64url'));
  const bad = [
    ['none at all', []],
    ['two', [await good(), await good()]],
    ['two in one header', `${await good()}, ${await good()}`],
    ['used before', used],
    ['two parts', `${header}.${payload}`],
    ['without typ', await good({ header: { typ: undefined } })],
    ['another typ', await good({ header: { typ: 'dpop+jwt+other' } })],
    ['without alg', [encoded(nameless), payload, signature].join('.')],
    ['alg none', [encoded({ alg: 'none', typ: 'dpop+jwt' }), payload, ''].join('.')],
    ['without jwk', await good({ header: { jwk: undefined } })],
    ['a private jwk', await good({ header: { jwk: holder.secret } })],
    ['another method', await good({ claims: { htm: 'PUT' } })],
    ['another URL', await good({ claims: { htu: `${RESOURCE.href}other` } })],
    ['an hour old', await good({ claims: { iat: now - 3_600 } })],
    ['an hour ahead', await good({ claims: { iat: now + 3_600 } })],
    ['of another token', await good({ claims: { ath: createHash('sha256').update('other').digest('base64url') } })],
    ['of another key', await proofOf(await newHolder(holder.alg), { token })],
    ['signed by another key', await proofOf({ ...(await newHolder(holder.alg)), jwk: holder.jwk }, { token })],
  ];
  for (const claim of ['jti', 'htm', 'htu', 'iat', 'ath']) bad.push([`without ${claim}`, await without(claim)]);
  if (holder.alg === 'PS256') {
    const privateKey = await importJWK({ ...holder.secret, alg: 'RS256' }, 'RS256');
    bad.push(['RS256', await proofOf({ ...holder, alg: 'RS256', privateKey }, { token })]);
  }
  return bad;
}

/** The status of a request to the resource server with these headers. */
function called(scheme, token, dpop) {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `${scheme} ${token}`, dpop };
    const asking = request(RESOURCE, { headers }, (answer) => resolve(answer.resume().statusCode));
    asking.on('error', reject);
    asking.end();
  });
}

/** The version of TLS that the server selects. */
function negotiated({ hostname, port }, options) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), servername: hostname, ...options });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
  });
}

// The types that openapi-typescript makes of openapi.yaml, with openapi-fetch: a key's life, from its creation to its
// revocation.
//
// The world comes from the environment (see ../README.md). An assertion that fails ends the program.

import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './claviger.js';

type NewKey = components['schemas']['NewKey'];

const baseUrl = env('CLAVIGER_ISSUER');
const anonymous = createClient<paths>({ baseUrl });
const admin = createClient<paths>({ baseUrl, headers: { 'X-Api-Key': env('CLAVIGER_ADMIN_KEY') } });

const body: NewKey = {
  name: 'generated',
  project: 'default',
  environment: 'prd',
  scopes: [{ action: 'read', resource: 'reports/**' }],
  expires_in: '30d',
};
const { data: created } = await admin.POST('/v1/orgs/{org}/keys', { params: { path: { org: 'default' } }, body });
// The answer to a dry run has another form.
assert.ok(created && 'key' in created && created.key);
assert.equal(created.status, 'active');
console.log('a key is made');

const path = { org: 'default', key: created.id };

async function token(key: string) {
  return await anonymous.POST('/oauth/token', {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: { grant_type: 'client_credentials', client_id: path.key, client_secret: key },
  });
}

const { data: issued } = await token(created.key);
assert.equal(issued?.scope, 'read:reports/**');
console.log('a token is issued for it');

const query = { q: 'generated', limit: 1 };
const { data: page } = await admin.GET('/v1/orgs/{org}/keys', { params: { path, query } });
// It is text if an inventory is asked for.
assert(typeof page === 'object');
assert.deepEqual(page.data.map((key) => key.id), [path.key]);
console.log('it is in the list');

const { response: found } = await admin.GET('/v1/orgs/{org}/keys/{key}', { params: { path } });
const header = { 'If-Match': found.headers.get('etag') ?? undefined };
const change = { body: { note: 'for the tests' }, params: { path, header } };
const { data: changed } = await admin.PATCH('/v1/orgs/{org}/keys/{key}', change);
assert.equal(changed?.note, 'for the tests');
const { error: late } = await admin.PATCH('/v1/orgs/{org}/keys/{key}', change);
assert.equal(late?.error.code, 'precondition_failed');
console.log('it is changed once, by whoever saw its last version');

const { data: rotated } = await admin.POST('/v1/orgs/{org}/keys/{key}/rotate', {
  params: { path },
  body: { overlap_seconds: 0 },
});
assert.ok(rotated && 'key' in rotated && rotated.key);
assert.equal((await token(created.key)).error?.error, 'invalid_client');
assert.equal((await token(rotated.key)).data?.token_type, 'Bearer');
console.log('it is rotated');

const { data: revoked } = await admin.POST('/v1/orgs/{org}/keys/{key}/revoke', {
  params: { path },
  body: { reason: 'the test is over' },
});
assert.ok(revoked && 'status' in revoked);
assert.equal(revoked.status, 'revoked');
assert.equal((await token(rotated.key)).error?.error_description, 'the key is revoked');
console.log('it is revoked');

const { data: trail } = await admin.GET('/v1/orgs/{org}/audit', {
  params: { path, query: { key: path.key, action: 'key.*' } },
});
// As CSV or JSON Lines it would be text.
assert.ok(typeof trail === 'object');
const actions = trail.data.map((event) => event.action).filter((action) => action !== 'key.refused');
assert.deepEqual(actions.reverse(), ['key.create', 'key.change', 'key.rotate', 'key.revoke']);
console.log('all of it is in the trail');

function env(name: string): string {
  return process.env[name] ?? assert.fail(`${name} is not set`);
}

// What a program finds around it (see ../README.md), and how it says what it found. Needs nothing that is installed.

import assert from 'node:assert/strict';

let failed = 0;

export function env(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Asks the management API of the organization, as its administrator. */
export async function management(method, path, body) {
  const headers = { authorization: `Bearer ${env('CLAVIGER_ADMIN_KEY')}`, 'content-type': 'application/json' };
  const url = `${env('CLAVIGER_ISSUER')}/v1/orgs/default/${path}`;
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, await answer.clone().text());
  return answer.status === 204 ? undefined : answer.json();
}

export async function check(name, run) {
  try {
    await run();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}`);
    console.log(error.stack);
  }
}

/** Ends the program: with 1 if a check failed. */
export function end() {
  process.exit(failed === 0 ? 0 : 1);
}

/** The error of this kind with which the promise is rejected, and it must be. */
export async function rejection(promise, kind) {
  const outcome = await promise.then(
    (answer) => assert.fail(`expected ${kind.name}, got ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.ok(outcome instanceof kind, outcome);
  return outcome;
}

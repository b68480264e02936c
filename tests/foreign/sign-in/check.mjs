// Members sign in at providers that others have made, in Debian's Chromium: invitations, sessions, roles, groups and removals, and
// answers that are not what they should be. The program is told by CLAVIGER_PROVIDER which provider, and where to put the
// settings for it (CLAVIGER_FOLDER). It says `ready`, and reads what it finds around it (see ../README.md) as a line of
// JSON. One line for each check; exit code 1 when one failed.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { check, end, env, management } from '../node/world.mjs';

/** The groups at `sso` that give a role. */
const GROUPS = { 'console-owners': 'owner', 'console-admins': 'admin', 'console-auditors': 'auditor' };

const { start, FIELD } = await import(`./${env('CLAVIGER_PROVIDER')}.mjs`);
const { stop, ...providers } = await start();
settle(env('CLAVIGER_FOLDER'));
console.log('ready');
const told = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
if (told.done) {
  // There is no server to check.
  stop();
  process.exit(1);
}
Object.assign(process.env, JSON.parse(told.value));

const {
  CALLBACK, Person, answerOf, asked, begin, bring, browser, changed, complaints, issuer, newAddress, secrets, statusWith,
} = await import('./people.mjs');

const KEYS = '/console/orgs/default/keys';
const NOT_BELIEVED = /was not accepted/;
const ENDED = /has ended, or it began in another browser/;
const STRANGER = /not a member here/;

for (const provider of Object.values(providers)) {
  provider.field = FIELD;
  await provider.redirectTo(`${issuer()}${CALLBACK}`);
  for (const login of ['ada', 'bob', 'carol', 'dora', 'eve', 'gus', 'olga', 'una']) {
    await provider.create(login, { email: `${login}@example.com`, email_verified: login !== 'una' });
  }
}
const { sso, other } = providers;

/** Invites somebody. Returns the id, and the link. */
async function invite(login, more = {}) {
  const { id, invitation_url: link } = await management('POST', 'members', {
    email: `${login}@example.com`, role: 'admin', provider: 'sso', ...more,
  });
  secrets.set(link.split('#')[1], 'code of an invitation');
  return { id, link };
}

/** Somebody who is a member from now on, with their browser. */
async function member(login, more) {
  const { id, link } = await invite(login, more);
  const person = await Person.arrive();
  assert.equal(await person.accept(link, more?.provider === 'other' ? other : sso, login), 'in');
  return { id, person };
}

/** What becomes of somebody who signs in with a new browser. */
async function comesBack(provider, name, login) {
  const person = await Person.arrive();
  await person.go(KEYS);
  await person.begin(name);
  const outcome = await person.goThrough(provider, login);
  const shown = await person.page.$eval('main', (main) => main.innerText);
  const who = outcome === 'in' && (await person.page.$eval('.account-name', (element) => element.innerText));
  await person.leave();
  return { outcome, who, shown };
}

let ada;
await check('an invitation leads to the provider and back, and its code leaves no trace in the browser', async () => {
  ada = await member('ada');
  const { page } = ada.person;
  assert.ok(page.url().startsWith(`${issuer()}/console`) && !page.url().includes('?') && !page.url().includes('#'), page.url());
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state]));
  assert.equal(kept, '[{},{},"",null]');
  const cookies = await ada.person.cookies();
  const session = cookies.find(({ name }) => name === 'claviger');
  assert.deepEqual([session.httpOnly, session.sameSite], [true, 'Strict']);
  assert.ok(!cookies.some(({ name }) => name === 'claviger-signin'), 'the attempt is over');
  assert.equal((await management('GET', `members/${ada.id}`)).status, 'active');
});

await check('the member makes a key that works, and the trail has their name', async () => {
  const { person } = ada;
  await person.go(`${KEYS}/new`);
  await person.page.type('#name', 'Made by a member');
  await person.page.type('input[name=resource]', 'orders/**');
  await person.press('button.primary');
  const key = await person.page.$eval('#secret', (element) => element.textContent);
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_secret: key });
  const answer = await fetch(`${issuer()}/oauth/token`, { method: 'POST', body: form });
  assert.equal(answer.status, 200, await answer.text());
  // The page does not let go before the key is said to be saved.
  await person.page.click('form[data-guard] [type=checkbox]');
  await person.press('form[data-guard] button');
  const { data } = await management('GET', 'audit?action=key.create&limit=1');
  assert.deepEqual([data[0].actor, data[0].actor_name], [ada.id, (await management('GET', `members/${ada.id}`)).name]);
});

await check('the member signs out, and signs in again on the way to where they wanted to go', async () => {
  const { person } = ada;
  await person.page.click('details.account summary');
  await person.press('details.account form button');
  assert.match(await person.text(), /You have signed out/);
  const wanted = '/console/orgs/default/usage';
  await person.go(wanted);
  assert.ok(person.page.url().startsWith(`${issuer()}/console/sign-in`), person.page.url());
  await person.begin('sso');
  assert.equal(await person.goThrough(sso, 'ada'), 'in');
  assert.equal(person.page.url(), `${issuer()}${wanted}`);
});

await check('the browser has nothing to complain of', () => assert.deepEqual(complaints, []));

await check('a role changes in mid-session, also for a form that was open before', async () => {
  const { person, id } = ada;
  await person.go(`${KEYS}/new`);
  await person.page.type('#name', 'Too late');
  await person.page.type('input[name=resource]', 'orders/**');
  await management('PATCH', `members/${id}`, { role: 'auditor' });
  await person.press('button.primary');
  assert.equal(await person.page.$('#secret'), null, await person.text());
  const { data } = await management('GET', 'keys?q=Too%20late');
  assert.deepEqual(data, []);
  await person.go(KEYS);
  assert.equal(await person.page.$('a.primary[href$="/keys/new"]'), null);
  await management('PATCH', `members/${id}`, { role: 'admin' });
  await person.go(KEYS);
  assert.ok(await person.page.$('a.primary[href$="/keys/new"]'), await person.text());
});

await check('an invitation is not for a second time', async () => {
  const { link } = await invite('bob');
  const bob = await Person.arrive();
  assert.equal(await bob.accept(link, sso, 'bob'), 'in');
  const again = await Person.arrive();
  assert.match(await again.accept(link, sso, 'bob'), /This invitation is not valid/);
  await Promise.all([bob.leave(), again.leave()]);
});

await check('nor for another account, one at another provider, or one whose address is not verified', async () => {
  const { link } = await invite('carol');
  const eve = await Person.arrive();
  assert.match(await eve.accept(link, sso, 'eve'), /another e-mail address/);
  await eve.leave();
  // The attempt for the invitation leads to its provider. An answer of another one is none.
  const attempt = await begin({ code: link.split('#')[1] });
  const elsewhere = await begin({ provider: 'other' });
  const answer = await answerOf(other, elsewhere.url, 'carol');
  const mixed = changed(answer, { state: new URL(attempt.url).searchParams.get('state') });
  assert.match((await bring(mixed, attempt)).said, NOT_BELIEVED);
  const carol = await Person.arrive();
  assert.equal(await carol.accept(link, sso, 'carol'), 'in', 'none of them used it up');
  await carol.leave();

  const una = await Person.arrive();
  const invited = await invite('una');
  assert.match(await una.accept(invited.link, sso, 'una'), /is verified/);
  await una.leave();
  await sso.change('una', { email_verified: true });
  const verified = await Person.arrive();
  assert.equal(await verified.accept(invited.link, sso, 'una'), 'in');
  await verified.leave();
});

await check('a member is who the provider says, whatever address they have', async () => {
  await sso.change('bob', { email: 'robert@example.com' });
  const { outcome, who } = await comesBack(sso, 'sso', 'bob');
  assert.deepEqual([outcome, who], ['in', (await named('bob@example.com')).name]);
  // Somebody else has the address now that was invited.
  await sso.change('eve', { email: 'bob@example.com' });
  assert.match((await comesBack(sso, 'sso', 'eve')).outcome, STRANGER);
  await sso.change('eve', { email: 'eve@example.com' });
  // The same names at another provider are other people.
  assert.match((await comesBack(other, 'other', 'bob')).outcome, STRANGER);
});

await check('another account of the same name and address is somebody else', async () => {
  const { id, person } = await member('dora');
  await person.leave();
  await sso.create('dora', { email: 'dora@example.com', email_verified: true });
  assert.match((await comesBack(sso, 'sso', 'dora')).outcome, STRANGER);
  await management('DELETE', `members/${id}`);
});

await check('a client with a private key instead of a secret does as well', async () => {
  const { person } = await member('eve', { provider: 'other', role: 'auditor' });
  await person.go(KEYS);
  assert.match(await person.text(), /Made by a member/);
  await person.leave();
});

await check('what is changed on the way to the provider opens nothing', async () => {
  for (const [parameters, why] of [
    [{ nonce: 'another' }, NOT_BELIEVED],
    [{ nonce: null }, NOT_BELIEVED],
    // What the challenge of "another" is.
    [{ code_challenge: 'JrEcpP35Ew9dEsWN8Mq_Lo1LNy5sZ0FuYgcZ4XzgSLM' }, NOT_BELIEVED],
    [{ state: 'another' }, ENDED],
  ]) {
    const attempt = await begin({ provider: 'sso' });
    const answer = await answerOf(sso, changed(attempt.url, parameters), 'bob');
    const { status, said, session } = await bring(answer, attempt);
    assert.deepEqual([status, session], [401, undefined], JSON.stringify(parameters));
    assert.match(said, why, JSON.stringify(parameters));
  }
});

await check('what is changed on the way back opens nothing', async () => {
  for (const [parameters, why] of [
    [{ iss: other.issuer }, NOT_BELIEVED],
    [{ iss: null }, NOT_BELIEVED],
    [{ state: null }, ENDED],
    [{ state: 'another' }, ENDED],
    [{ code: 'another' }, NOT_BELIEVED],
    [{ code: null }, NOT_BELIEVED],
    [{ code: null, error: 'access_denied' }, /was cancelled/],
    [{ error: 'access_denied' }, NOT_BELIEVED],
  ]) {
    const attempt = await begin({ provider: 'sso' });
    const answer = await answerOf(sso, attempt.url, 'bob');
    const { status, said, session } = await bring(changed(answer, parameters), attempt);
    assert.deepEqual([status, session], [401, undefined], JSON.stringify(parameters));
    assert.match(said, why, JSON.stringify(parameters));
  }
});

await check('an answer counts once, and so does a code', async () => {
  const [first, second] = [await begin({ provider: 'sso' }), await begin({ provider: 'sso' })];
  const answer = await answerOf(sso, first.url, 'bob');
  const opened = await bring(answer, first);
  assert.equal(opened.said, 'in');
  assert.match((await bring(answer, first)).said, ENDED);
  const state = new URL(second.url).searchParams.get('state');
  assert.match((await bring(changed(answer, { state }), second)).said, NOT_BELIEVED);
});

await check('a code of one provider is of no use at another', async () => {
  const [here, there] = [await begin({ provider: 'sso' }), await begin({ provider: 'other' })];
  const answer = await answerOf(other, there.url, 'eve');
  const state = new URL(here.url).searchParams.get('state');
  assert.match((await bring(changed(answer, { state }), here)).said, NOT_BELIEVED);
  // Also if somebody says whose it is not.
  const again = await begin({ provider: 'sso' });
  const said = { state: new URL(again.url).searchParams.get('state'), iss: sso.issuer };
  assert.match((await bring(changed(answer, said), again)).said, NOT_BELIEVED);
});

await check('nobody signs in somebody else: an answer is for the browser that began', async () => {
  const attempt = await begin({ provider: 'sso' });
  const answer = await answerOf(sso, attempt.url, 'bob');
  assert.match((await bring(answer, { address: newAddress() })).said, ENDED);
  const victim = await Person.arrive();
  await victim.go('/console/sign-in');
  // With an attempt of their own under way, too.
  await victim.begin('sso');
  await victim.page.waitForSelector(sso.field);
  await victim.page.goto(answer);
  assert.match(await victim.outcome(), ENDED);
  await victim.go(KEYS);
  assert.ok(victim.page.url().startsWith(`${issuer()}/console/sign-in`), victim.page.url());
  await victim.leave();
  assert.equal((await bring(answer, attempt)).said, 'in', 'it was the right answer');
});

await check('a session that was there before is not the one after, and is over', async () => {
  const attacker = await begin({ provider: 'sso' });
  const planted = (await bring(await answerOf(sso, attacker.url, 'carol'), attacker)).session;
  assert.equal(await statusWith(planted), 200);
  const victim = await Person.arrive();
  await victim.context.setCookie({ name: 'claviger', value: planted.split('=')[1], domain: '127.0.0.1', path: '/console' });
  const attempt = await begin({ provider: 'sso', cookie: planted });
  const { session } = await bring(await answerOf(sso, attempt.url, 'bob'), attempt);
  assert.notEqual(session, planted);
  assert.deepEqual([await statusWith(planted), await statusWith(session)], [303, 200]);
  await victim.leave();
});

if (sso.cancel) {
  await check('somebody does not sign in after all', async () => {
    const attempt = await begin({ provider: 'sso' });
    const answer = await answerOf(sso, attempt.url, 'bob', (page) => sso.cancel(page));
    assert.match((await bring(answer, attempt)).said, /was cancelled/);
  });
}

await check('a group makes a member, another one changes the role, and without any the membership ends with its sessions', async () => {
  assert.match((await comesBack(sso, 'sso', 'gus')).outcome, STRANGER);
  await sso.change('gus', { groups: ['console-admins', 'lunch'] });
  const gus = await Person.arrive();
  const visits = async () => {
    await gus.go(KEYS);
    return gus.page.url() === `${issuer()}${KEYS}` && (await gus.page.$('a.primary[href$="/keys/new"]') ? 'admin' : 'auditor');
  };
  await gus.go(KEYS);
  await gus.begin('sso');
  assert.equal(await gus.goThrough(sso, 'gus'), 'in');
  assert.equal(await visits(), 'admin');
  const [member] = (await ofGroups()).filter(({ role }) => role === 'admin');
  await sso.change('gus', { groups: ['console-auditors'] });
  assert.equal(await visits(), 'admin', 'until the next sign-in');
  assert.equal((await comesBack(sso, 'sso', 'gus')).outcome, 'in');
  assert.equal(await visits(), 'auditor', 'in the session that was open, too');
  await sso.change('gus', { groups: [] });
  assert.match((await comesBack(sso, 'sso', 'gus')).outcome, STRANGER);
  assert.equal(await visits(), false, 'the sessions are over');
  await sso.change('gus', { groups: ['console-auditors'] });
  assert.equal((await comesBack(sso, 'sso', 'gus')).outcome, 'in');
  assert.equal((await management('GET', `members/${member.id}`)).role, 'auditor', 'it is the same member');
  // Removed by hand, nobody comes back by a group.
  await management('DELETE', `members/${member.id}`);
  assert.match((await comesBack(sso, 'sso', 'gus')).outcome, /You were removed/);
  await gus.leave();
});

await check('groups change no membership by invitation, mean nothing elsewhere, and leave the last owner', async () => {
  await sso.change('bob', { groups: ['console-auditors'] });
  assert.equal((await comesBack(sso, 'sso', 'bob')).outcome, 'in');
  assert.equal((await named('bob@example.com')).role, 'admin');
  await other.change('gus', { groups: ['console-owners'] });
  assert.match((await comesBack(other, 'other', 'gus')).outcome, STRANGER);
  await sso.change('olga', { groups: ['console-owners'] });
  assert.equal((await comesBack(sso, 'sso', 'olga')).outcome, 'in');
  await sso.change('olga', { groups: ['console-auditors'] });
  assert.equal((await comesBack(sso, 'sso', 'olga')).outcome, 'in');
  assert.deepEqual((await ofGroups()).map(({ role }) => role), ['owner']);
});

await check('a removed member is out at once, and stays out', async () => {
  const { person, id } = ada;
  await person.go(KEYS);
  assert.match(await person.text(), /Made by a member/);
  await management('DELETE', `members/${id}`);
  await person.page.reload();
  assert.ok(person.page.url().startsWith(`${issuer()}/console/sign-in`), person.page.url());
  await person.begin('sso');
  assert.match(await person.goThrough(sso, 'ada'), STRANGER);
  await person.leave();
  // A new invitation makes a new member.
  const again = await member('ada');
  assert.notEqual(again.id, id);
  await again.person.leave();
});

await check('no address of ours has a secret, but for those of answers', () => {
  for (const url of asked.filter((url) => url.startsWith(issuer()) && !url.startsWith(`${issuer()}${CALLBACK}?`))) {
    // What stands behind # is not sent.
    const sent = url.split('#')[0];
    for (const [secret, what] of secrets) assert.ok(!sent.includes(secret), `${what} in ${sent}`);
  }
});

if (sso.referrers) {
  await check('no provider hears of a page of ours', () => {
    for (const referrer of [...sso.referrers, ...other.referrers]) assert.ok(!referrer.startsWith(issuer()), referrer);
  });
}

await check('no secret and no address is in the log or in the audit trail', async () => {
  for (const { secret, key } of Object.values(providers)) {
    if (secret) secrets.set(secret, 'client secret');
    if (key) secrets.set(key.split('\n')[1], 'private key');
  }
  assert.ok(secrets.size > 50, `${secrets.size}`);
  const trail = JSON.stringify(await management('GET', 'audit?limit=200'));
  const log = fs.readFileSync(env('CLAVIGER_LOG_FILE'), 'utf8');
  assert.match(trail, /member\.accept/);
  assert.match(log, /a sign-in failed/);
  for (const [name, text] of Object.entries({ log, trail })) {
    for (const [secret, what] of secrets) assert.ok(!text.includes(secret), `${what} in the ${name}`);
    assert.ok(!/@example\.com/.test(text), `an address in the ${name}`);
  }
});

await browser.close();
stop();
end();

/** The member or invitation with this address. */
async function named(email) {
  const { data } = await management('GET', 'members?limit=200');
  return data.find((known) => known.email === email);
}

/** The members of whom a group has made one. */
async function ofGroups() {
  const { data } = await management('GET', 'members?limit=200');
  return data.filter(({ source, status }) => source === 'groups' && status === 'active');
}

/** Writes the settings for the providers, and the files that they name. */
function settle(folder) {
  const tables = Object.entries(providers).map(([name, provider]) => {
    const kind = provider.secret ? 'client_secret_file' : 'private_key_file';
    const file = path.join(folder, `${name}-credential`);
    fs.writeFileSync(file, provider.secret ?? provider.key, { mode: 0o600 });
    const groups = Object.entries(name === 'sso' ? GROUPS : {});
    const lines = (members) => Object.entries(members).map(([member, value]) => `${member} = ${JSON.stringify(value)}`);
    return [
      '[[sign_in]]',
      ...lines({
        name, label: name.toUpperCase(), issuer: provider.issuer, client_id: 'claviger', [kind]: file,
        ...(groups.length && { groups_claim: 'groups' }),
      }),
      ...groups.flatMap(([group, role]) => ['[[sign_in.groups]]', ...lines({ group, organization: 'default', role })]),
    ].join('\n');
  });
  fs.writeFileSync(path.join(folder, 'sign-in.toml'), `${tables.join('\n\n')}\n`);
}

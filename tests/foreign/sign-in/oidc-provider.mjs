// Two OpenID providers on loopback, made with node-oidc-provider. `sso` takes a client secret in the header, `other` takes
// private_key_jwt. Whoever signs in says by name who they are.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { clientKey } from './client-key.mjs';

/** The field of the page where people sign in. */
export const FIELD = '#login';

export async function start() {
  const { jwk, pem } = await clientKey();
  const secret = 'a secret, with: signs & % that need care';
  const sso = await startProvider('sso', { client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' });
  const other = await startProvider('other', {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [jwk] },
  });
  return {
    sso: { ...sso, secret },
    other: { ...other, key: pem },
    stop: () => {},
  };
}

async function startProvider(name, authentication) {
  const accounts = new Map();
  const referrers = new Set();
  let provider;
  const server = createServer((request, response) => {
    if (request.headers.referer) referrers.add(request.headers.referer);
    if (!request.url.startsWith('/interaction/')) return provider.callback()(request, response);
    return interaction(provider, accounts, request, response).catch((error) => {
      response.writeHead(500).end(error.stack);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://localhost:${server.address().port}`;
  let made = 0;
  return {
    issuer,
    /** From where browsers said that they came. */
    referrers,
    /** Makes the provider know where it sends people back to. */
    async redirectTo(callback) {
      provider = await configured(name, issuer, accounts, { ...authentication, redirect_uris: [callback] });
    },
    /** Makes an account, or another one of the same name: with another `sub`. */
    async create(login, claims) {
      made += 1;
      accounts.set(login, { sub: `${name}-${made}`, name: login, ...claims });
    },
    async change(login, claims) {
      Object.assign(accounts.get(login), claims);
    },
    /** Signs in on the page that asks for it. Does not wait for what follows. */
    async logIn(page, login) {
      await page.type(FIELD, login);
      await page.click('#go');
    },
    /** Does not sign in after all. */
    async cancel(page) {
      await page.click('#cancel');
    },
  };
}

async function configured(name, issuer, accounts, client) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const claims = ['email', 'email_verified', 'name', 'groups'];
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'claviger', grant_types: ['authorization_code'], response_types: ['code'], ...client }],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: name, alg: 'ES256', use: 'sig' }] },
    // Ports of one host share their cookies.
    cookies: {
      keys: ['only for a test'],
      names: { session: `${name}_session`, interaction: `${name}_interaction`, resume: `${name}_resume` },
    },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => {
      const found = [...accounts.values()].find((account) => account.sub === sub);
      return found && { accountId: sub, claims: () => ({ ...found }) };
    },
    // Nobody is asked to consent.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope(oidc.params.scope);
      grant.addOIDCClaims(claims);
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (_, error) => console.log(error.stack));
  return provider;
}

/** The page where somebody says who they are, and what follows from it. */
async function interaction(provider, accounts, request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!DOCTYPE html><title>Provider</title>
      <form method="post" action="/interaction/${uid}">
        <input id="login" name="login"><button id="go">Sign in</button><button id="cancel" name="cancel" value="1">Cancel</button>
      </form>`);
    return;
  }
  let body = '';
  for await (const piece of request) body += piece;
  const fields = new URLSearchParams(body);
  const account = accounts.get(fields.get('login'));
  const result = fields.has('cancel') || !account
    ? { error: 'access_denied' }
    : { login: { accountId: account.sub } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

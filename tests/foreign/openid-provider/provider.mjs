// An OpenID provider on loopback, made with node-oidc-provider: its workloads get JWT access tokens with client
// credentials, for the resource that they name (RFC 8707).

import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

/** The client whose access tokens keep the type that the library gives them, `at+jwt`. */
const UNTYPED = 'untyped';

const CLIENTS = ['workload', 'other', UNTYPED].map((id) => ({
  client_id: id,
  client_secret: `the secret of ${id}`,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
}));

/** Starts it on any port. `use` gives it other keys, of which it signs with the first. */
export async function startProvider(keys) {
  let answer;
  const server = createServer((request, response) => answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const use = (signing) => {
    answer = new Provider(issuer, configuration(signing)).callback();
  };
  use(keys);
  return { issuer, use, token: (client, resource) => token(issuer, client, resource) };
}

/** A private key as the provider keeps it. */
export async function newKey(kid) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' };
}

function configuration(keys) {
  const signing = { sign: { alg: 'ES256', kid: keys[0].kid } };
  return {
    clients: CLIENTS,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, audience) => ({
          audience,
          scope: '',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: signing,
        }),
      },
    },
    // As docs/federation.md has it.
    formats: {
      customizers: {
        jwt(_, accessToken, parts) {
          if (accessToken.clientId !== UNTYPED) parts.header = { typ: 'JWT' };
        },
      },
    },
  };
}

/** The access token of a client for a resource. */
async function token(issuer, client, resource) {
  const { token_endpoint: endpoint } = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const { client_id: id, client_secret: secret } = CLIENTS.find(({ client_id: known }) => known === client);
  const authorization = `Basic ${btoa([id, secret].map(encodeURIComponent).join(':'))}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource });
  const answer = await fetch(endpoint, { method: 'POST', headers: { authorization }, body });
  const { access_token: accessToken, ...rest } = await answer.json();
  if (!accessToken) throw new Error(`the provider answers ${answer.status}: ${JSON.stringify(rest)}`);
  return accessToken;
}

// MCP clients that get their tokens by client_credentials: with a secret, and with a private key.

import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { env } from '../node/world.mjs';

const ISSUER = env('CLAVIGER_ISSUER');

export function bySecret(different = {}) {
  const client = { clientId: env('CLAVIGER_CLIENT_ID'), clientSecret: env('CLAVIGER_API_KEY'), expectedIssuer: ISSUER };
  return discovering(new ClientCredentialsProvider({ ...client, ...different }));
}

export function byKey(clientId, algorithm, privateKey) {
  return discovering(new PrivateKeyJwtProvider({ clientId, algorithm, privateKey, expectedIssuer: ISSUER }));
}

/** As docs/clients.md has it: the provider says what the metadata is, which the SDK then does not check. */
function discovering(provider) {
  provider.discoveryState = async () => ({
    authorizationServerUrl: ISSUER,
    authorizationServerMetadata: await (await fetch(`${ISSUER}/.well-known/oauth-authorization-server`)).json(),
  });
  return provider;
}

/** What a tool of the server answers to a client with this provider. */
export async function call(url, authProvider, name, args = {}) {
  const client = new Client({ name: 'claviger-tests', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider }));
  try {
    return await client.callTool({ name, arguments: args });
  } finally {
    await client.close();
  }
}

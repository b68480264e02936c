// An MCP server with one tool, protected as the SDK has it: it says where its authorization server is (RFC 9728), and
// takes tokens that are for it.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthMetadataRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { createRemoteJWKSet, jwtVerify } from 'jose';

/** Serves at this URL, for tokens of the server that has this metadata. */
export async function serve(url, metadata) {
  const app = express();
  app.use(mcpAuthMetadataRouter({ oauthMetadata: metadata, resourceServerUrl: url }));
  const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(url);
  const guard = requireBearerAuth({ verifier: verifier(url, metadata), resourceMetadataUrl, expectedResource: url });
  app.post(url.pathname, guard, express.json(), answer);
  await new Promise((resolve) => app.listen(Number(url.port), url.hostname, resolve));
}

function verifier(url, { issuer, jwks_uri }) {
  const keys = createRemoteJWKSet(new URL(jwks_uri));
  const expected = { issuer, audience: url.href, typ: 'at+jwt', algorithms: ['ES256'] };
  return {
    async verifyAccessToken(token) {
      const { payload } = await jwtVerify(token, keys, expected).catch((error) => {
        throw new InvalidTokenError(error.message);
      });
      const { client_id: clientId, scope, exp: expiresAt, aud } = payload;
      return { token, clientId, scopes: scope.split(' '), expiresAt, resource: new URL(aud) };
    },
  };
}

/** Without sessions: a server for each request. */
async function answer(request, response) {
  const server = new McpServer({ name: 'claviger-tests', version: '1.0.0' });
  server.registerTool('who_am_i', { description: 'Says who calls.' }, ({ authInfo }) => {
    const text = JSON.stringify({ client: authInfo.clientId, scope: authInfo.scopes.join(' ') });
    return { content: [{ type: 'text', text }] };
  });
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  response.on('close', () => transport.close());
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
}

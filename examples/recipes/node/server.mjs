// An API that accepts Claviger's access tokens.
//
// GET /orders/{id} needs the scope read:orders/{id}, and POST /orders/{id} needs write:orders/{id}. The function
// authorize makes all checks of a request's token, in order.

import { createServer } from "node:http";
import { createRemoteJWKSet } from "jose";
import { discover } from "./fetch.mjs";
import { admits, isResource, permits } from "./permissions.mjs";
import { Revocations, follow } from "./revocations.mjs";
import { ALGORITHMS, UsedProofs, verifyProof } from "./proofs.mjs";
import { verifyToken } from "./tokens.mjs";

const { CLAVIGER_ISSUER: issuer, CLAVIGER_AUDIENCE: audience, CLAVIGER_ENVIRONMENT: environment = "prd" } = process.env;
if (!issuer || !audience) throw new Error("CLAVIGER_ISSUER and CLAVIGER_AUDIENCE have to be set");

// Where clients reach this API. Tokens that are bound to a key are refused without it: see proofs.mjs.
const publicUrl = process.env.PUBLIC_URL;
const usedProofs = new UsedProofs();

const ACTIONS = { GET: "read", POST: "write" };

const metadata = await discover(issuer);
// Cached for five minutes. An unknown kid refreshes the set at most once in 30 seconds.
const caching = { cacheMaxAge: 300_000, cooldownDuration: 30_000, timeoutDuration: 5_000 };
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri), caching);
const revocations = new Revocations();
follow(revocations, metadata.revocation_feed_endpoint, keys, issuer);

/** The status of the response, and its WWW-Authenticate (RFC 6750 §3) if it has one. */
class Denied extends Error {
  constructor(status, challenge) {
    super();
    Object.assign(this, { status, challenge });
  }
}

/** The claims of who may do this. */
async function authorize(request, action, resource) {
  const now = Date.now() / 1000;
  const [, shown, text] = /^(bearer|dpop) +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
  const isDpop = shown?.toLowerCase() === "dpop";
  if (!text || (isDpop && !publicUrl)) throw new Denied(401, "Bearer");
  const scheme = isDpop ? "DPoP" : "Bearer";
  const proof = isDpop ? await proven(request, text, now).catch(noProof) : undefined;
  const token = await verifyToken(text, keys, issuer, audience, proof?.thumbprint).catch((error) => {
    console.error(`a token is refused: ${error.message}`);
    throw new Denied(401, `${scheme} error="invalid_token"`);
  });
  const verdict = revocations.judge(token, Date.now() / 1000);
  if (verdict === "stale") throw new Denied(503);
  // A token of another environment is not for this API, like one for another audience.
  if (verdict === "revoked" || token.claims.env !== environment) throw new Denied(401, `${scheme} error="invalid_token"`);
  // The peer's address. Behind a proxy, use the client address that the trusted proxy reports.
  if (!admits(token.claims.cidrs, request.socket.remoteAddress)) throw new Denied(403);
  if (!permits(token.claims.scope, action, resource)) {
    throw new Denied(403, `${scheme} error="insufficient_scope", scope="${action}:${resource}"`);
  }
  if (proof) await Promise.resolve().then(() => usedProofs.use(proof, now)).catch(noProof);
  return token.claims;
}

/** The proof of possession beside a token. */
async function proven(request, token, now) {
  const [text, ...more] = request.headersDistinct.dpop ?? [];
  if (!text || more.length > 0) throw new Error("there is not one proof");
  return verifyProof(text, { method: request.method, url: publicUrl + request.url, token }, now);
}

function noProof(error) {
  console.error(`a proof is refused: ${error.message}`);
  throw new Denied(401, `DPoP error="invalid_dpop_proof", algs="${ALGORITHMS.join(" ")}"`);
}

async function order(request) {
  const resource = request.url.split("?")[0].slice(1); // orders/{id}, not decoded
  if (!/^orders\/[^/]+$/.test(resource) || !isResource(resource)) return [404, { error: "not_found" }];
  const action = ACTIONS[request.method];
  if (!action) return [405, { error: "method_not_allowed" }, { Allow: "GET, POST" }];
  const claims = await authorize(request, action, resource);
  // Each organization has its own orders, so an id is unique only within an organization.
  return [200, { order: resource, organization: claims.org, did: action }];
}

function denied(error) {
  if (!(error instanceof Denied)) {
    console.error(error);
    return [500, { error: "internal" }];
  }
  const challenge = error.challenge ? { "WWW-Authenticate": error.challenge } : {};
  const later = error.status === 503 ? { "Retry-After": "1" } : {};
  return [error.status, { error: "denied" }, { ...challenge, ...later }];
}

const server = createServer(async (request, response) => {
  const [status, body, headers] = await order(request).catch(denied);
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers });
  response.end(JSON.stringify(body));
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`serves on http://127.0.0.1:${server.address().port}`);
});

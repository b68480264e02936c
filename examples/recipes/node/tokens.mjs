// Verifies what the issuer has signed: access tokens, and the documents of the revocation feed.

import { isIP } from "node:net";
import { jwtVerify } from "jose";

const ALGORITHMS = ["ES256"]; // what the issuer signs with, and nothing else
const LEEWAY = 10; // seconds that the clocks may differ
const MAX_LIFETIME = 600; // seconds; the issuer promises no longer ones
const MAX_LENGTH = 16 * 1024;
const MAX_ACTORS = 4;
const TEXTS = ["sub", "client_id", "jti", "scope", "org", "project", "env"];

/** What was presented is not what it has to be. jose has errors of its own, which say the same. */
export class Refused extends Error {}

/**
 * Everything but revocation, the caller's address and the scopes: the claims, and the `kid` of the signature.
 * `findKey` is one of jose's key sets.
 */
export async function verifyToken(text, findKey, issuer, audience) {
  if (text.length > MAX_LENGTH) throw new Refused("it is too long");
  const token = await verify(text, findKey, { typ: "at+jwt", issuer, audience, maxTokenAge: MAX_LIFETIME });
  checkClaims(token.claims);
  return token;
}

/** Type, algorithm, signature, issuer and audience. */
export async function verify(text, findKey, options) {
  const { payload, protectedHeader } = await jwtVerify(
    text,
    (header, token) => {
      // Without it, jose takes the one key that there may be.
      if (typeof header.kid !== "string") throw new Refused("it has no kid");
      return findKey(header, token);
    },
    { algorithms: ALGORITHMS, clockTolerance: LEEWAY, requiredClaims: ["iss", "aud", "iat"], ...options },
  );
  // RFC 7515 §4.1.11: no extension is known here, so none may be critical. jose knows one.
  if ("crit" in protectedHeader || !isNumber(payload.iat)) throw new Refused("it is of another kind");
  return { kid: protectedHeader.kid, claims: payload };
}

/** Whether this is a whole number from 0. */
export const isNumber = (value) => Number.isSafeInteger(value) && value >= 0;

export const isTexts = (value) => Array.isArray(value) && value.every((item) => typeof item === "string");

export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function checkClaims(claims) {
  const { iat, exp, gen, cidrs, origin = [] } = claims;
  for (const name of TEXTS) {
    if (typeof claims[name] !== "string" || claims[name] === "") throw new Refused(`${name} is missing or no text`);
  }
  if (!isNumber(exp) || !isNumber(gen)) throw new Refused("exp or gen is missing or no number");
  if (exp <= iat || exp - iat > MAX_LIFETIME) throw new Refused("it lives too long");
  // RFC 7800 §3.1: it is bound to a key, and sent as Bearer it proves nothing of that.
  if ("cnf" in claims) throw new Refused("it is bound to a key");
  if (!isTexts(origin)) throw new Refused("origin is no list of texts");
  if (!isTexts(cidrs) || cidrs.length === 0 || !cidrs.every(isRange)) throw new Refused("cidrs is no list of ranges");
  checkActors(claims);
}

function isRange(cidr) {
  const [network, bits, ...more] = cidr.split("/");
  const longest = { 4: 32, 6: 128 }[isIP(network)];
  return /^\d{1,3}$/.test(bits) && Number(bits) <= longest && more.length === 0;
}

/** RFC 8693 §4.1: who acts for the subject, and who did before. */
function checkActors(claims) {
  let actor = claims;
  for (let depth = 1; actor.act !== undefined; depth += 1) {
    actor = actor.act;
    const isActor = isObject(actor) && typeof actor.sub === "string" && isNumber(actor.gen);
    if (!isActor || depth > MAX_ACTORS) throw new Refused("act names no actors");
  }
}

// Verifies JWTs of the issuer: access tokens, and documents of the revocation feed.

import { isIP } from "node:net";
import { jwtVerify } from "jose";

const ALGORITHMS = ["ES256"]; // the issuer's algorithm, and the only one accepted
const LEEWAY = 10; // seconds of clock difference allowed
const MAX_LIFETIME = 600; // seconds; the issuer never issues longer ones
const MAX_LENGTH = 16 * 1024;
const MAX_ACTORS = 4;
const TEXTS = ["sub", "client_id", "jti", "scope", "org", "project", "env"];

/** What was presented is not what it has to be. jose has errors of its own, which say the same. */
export class Refused extends Error {}

/**
 * Everything but revocation, the caller's address and the scopes: the claims, and the `kid` of the signature.
 * `findKey` is one of jose's key sets. The caller proved to have the key with this thumbprint, if there is one.
 */
export async function verifyToken(text, findKey, issuer, audience, thumbprint) {
  if (text.length > MAX_LENGTH) throw new Refused("it is too long");
  const token = await verify(text, findKey, { typ: "at+jwt", issuer, audience, maxTokenAge: MAX_LIFETIME });
  checkClaims(token.claims);
  checkBinding(token.claims, thumbprint);
  return token;
}

/** Type, algorithm, signature, issuer and audience. */
export async function verify(text, findKey, options) {
  const { payload, protectedHeader } = await jwtVerify(
    text,
    (header, token) => {
      // Without a kid, jose would use a set's only key.
      if (typeof header.kid !== "string") throw new Refused("it has no kid");
      return findKey(header, token);
    },
    { algorithms: ALGORITHMS, clockTolerance: LEEWAY, requiredClaims: ["iss", "aud", "iat"], ...options },
  );
  // RFC 7515 §4.1.11: a critical extension must be understood, and none is. jose itself would accept one.
  if ("crit" in protectedHeader || !isNumber(payload.iat)) throw new Refused("it has the wrong type");
  return { kid: protectedHeader.kid, claims: payload };
}

/** Whether this is a whole number from 0. */
export const isNumber = (value) => Number.isSafeInteger(value) && value >= 0;

export const isTexts = (value) => Array.isArray(value) && value.every((item) => typeof item === "string");

export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function checkClaims(claims) {
  const { iat, exp, gen, cidrs, origin = [] } = claims;
  for (const name of TEXTS) {
    if (typeof claims[name] !== "string" || claims[name] === "") throw new Refused(`${name} is not a string`);
  }
  if (!isNumber(exp) || !isNumber(gen)) throw new Refused("exp or gen is not a number");
  if (exp <= iat || exp - iat > MAX_LIFETIME) throw new Refused("its lifetime is too long");
  if (!isTexts(origin)) throw new Refused("origin is not a list of strings");
  if (!isTexts(cidrs) || cidrs.length === 0 || !cidrs.every(isRange)) throw new Refused("cidrs are not ranges");
  checkActors(claims);
}

/** RFC 9449 §6.1: a token that is bound to a key needs a proof of that key, and a plain one comes without proofs. */
function checkBinding(claims, thumbprint) {
  const isBound = isObject(claims.cnf) && Object.keys(claims.cnf).length === 1 && claims.cnf.jkt === thumbprint;
  if (thumbprint ? !isBound : "cnf" in claims) throw new Refused("its key is not the one that the request proves");
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
    if (!isActor || depth > MAX_ACTORS) throw new Refused("act is not a chain of actors");
  }
}

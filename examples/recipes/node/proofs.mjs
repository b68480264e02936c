// Verifies proofs of possession (DPoP, RFC 9449): that the sender of a bound token has the key that it is bound to.

import { createHash } from "node:crypto";
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from "jose";
import { Refused, isObject } from "./tokens.mjs";

export const ALGORITHMS = ["ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"];
const WINDOW = 60; // seconds by which iat may differ from now
const MAX_ID = 256; // characters of jti
const MAX_LENGTH = 16 * 1024;
const MAX_REMEMBERED = 100_000;
const MEMBERS = { EC: ["crv", "x", "y"], OKP: ["crv", "x"], RSA: ["e", "n"] };
const SECRETS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const FOREIGN = ["crit", "jku", "x5u", "x5c", "b64"];

/**
 * Checks a proof against the request that it came with (§4.3): the thumbprint of its key, and its jti. `token` is null
 * where there is none yet. `now` is in seconds.
 */
export async function verifyProof(text, { method, url, token }, now) {
  if (text.length > MAX_LENGTH) throw new Refused("the proof is too long");
  const { typ, alg, jwk, ...header } = decodeProtectedHeader(text);
  const isProof = typeof typ === "string" && typ.toLowerCase().replace(/^application\//, "") === "dpop+jwt";
  if (!isProof || FOREIGN.some((name) => name in header)) throw new Refused("the proof has a header that is not accepted");
  const members = isObject(jwk) && MEMBERS[jwk.kty];
  if (!members || SECRETS.some((name) => name in jwk) || (jwk.use ?? "sig") !== "sig") {
    throw new Refused("the proof has no public key for signatures");
  }
  if (jwk.kty === "RSA" && Buffer.from(jwk.n, "base64url").length < 256) throw new Refused("the key is too short");
  const bare = Object.fromEntries(["kty", ...members].map((name) => [name, jwk[name]]));
  const { payload } = await compactVerify(text, await importJWK(bare, alg), { algorithms: ALGORITHMS });
  const claims = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  if (!isObject(claims)) throw new Refused("the proof has no claims");
  check(claims, { method, url, token }, now);
  return { thumbprint: await calculateJwkThumbprint(bare), jti: claims.jti };
}

function check(claims, { method, url, token }, now) {
  const { jti, htm, htu, iat, exp = iat + WINDOW + 1, nbf = iat, ath } = claims;
  if (typeof jti !== "string" || jti === "" || [...jti].length > MAX_ID) throw new Refused("jti is missing or too long");
  if (htm !== method || normalUrl(htu) === null || normalUrl(htu) !== normalUrl(url)) {
    throw new Refused("the proof is for another request");
  }
  if (![iat, exp, nbf].every(Number.isSafeInteger)) throw new Refused("a time is not a number");
  if (Math.abs(now - iat) > WINDOW || exp <= now || nbf > now + WINDOW) throw new Refused("the proof is too old");
  if (token !== null && ath !== createHash("sha256").update(token).digest("base64url")) {
    throw new Refused("the proof is for another token");
  }
}

/** The form in which two URLs are compared (RFC 3986 §6.2.2, §6.2.3); null if it is not one. */
export function normalUrl(text) {
  const [, scheme, host, port = "", path = ""] =
    /^(https?):\/\/(\[[0-9a-f:.]+\]|[\w.~-]+)(?::(\d*))?(\/[!-~]*)?$/i.exec(String(text).replace(/[?#].*$/s, "")) ?? [];
  if (!scheme || /%(?![0-9a-f]{2})/i.test(path)) return null;
  const defaultPort = { http: 80, https: 443 }[scheme.toLowerCase()];
  // Escapes stay only where they are necessary.
  const plain = path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
  });
  return `${scheme}://${host}`.toLowerCase() + `:${Number(port) || defaultPort}${plain || "/"}`;
}

/** The proofs that were used and are still valid, so that each is accepted once (§11.1). */
export class UsedProofs {
  #until = new Map();

  /** Throws if the proof was used before, or too many are remembered. */
  use({ thumbprint, jti }, now) {
    const id = `${thumbprint} ${jti}`;
    if (this.#until.size >= MAX_REMEMBERED) {
      for (const [used, until] of this.#until) if (until <= now) this.#until.delete(used);
    }
    if (this.#until.get(id) > now || this.#until.size >= MAX_REMEMBERED) throw new Refused("the proof was used before");
    // No proof is accepted for longer.
    this.#until.set(id, now + 2 * WINDOW + 1);
  }
}

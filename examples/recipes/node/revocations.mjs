// Follows the revocation feed, so that a revoked token is refused within a second or two.

import { setTimeout as pause } from "node:timers/promises";
import { errors } from "jose";
import { fetchText } from "./fetch.mjs";
import { isNumber, isObject, isTexts, verify } from "./tokens.mjs";

const MAX_STALE = 30; // maximum age of the last document in seconds, whatever max_stale says
const MAX_AHEAD = 30; // seconds by which the issuer's clock may be ahead
const MAX_LENGTH = 16 * 1024 * 1024; // bytes; a document with a thousand revoked keys has 30 kB

export const FEED = { typ: "revocations+jwt", audience: "urn:claviger:revocations" };

/** What the last document says that counted. Times are Unix seconds. */
export class Revocations {
  #last; // the last accepted document, and the time of its last confirmation
  #left = new Set(); // earlier epochs

  /** Takes in a verified document, which the key `kid` signed; says whether it counts. If not, nothing has changed. */
  hear(document, kid, now) {
    if (!isWellFormed(document) || document.as_of > now + MAX_AHEAD || document.kids.includes(kid)) return false;
    const last = this.#last;
    if (last) {
      if (last.kids.has(kid) || !this.#comesAfter(last, document)) return false;
      if (document.epoch !== last.epoch) this.#left.add(last.epoch);
    }
    const { epoch, seq, as_of, max_stale, keys, jtis, kids } = document;
    this.#last = {
      epoch, seq, as_of,
      confirmed: Math.min(as_of, now),
      maxStale: Math.min(max_stale, MAX_STALE),
      keys: new Map(Object.entries(keys)),
      jtis: new Set(jtis),
      kids: new Set(kids),
    };
    return true;
  }

  /** `good`, `revoked`, or `stale`: nothing recent enough was heard to tell. */
  judge({ kid, claims }, now) {
    const last = this.#last;
    const age = now - last?.confirmed;
    // A very negative age means that this clock was set back.
    if (!last || age > last.maxStale || age < -MAX_STALE) return "stale";
    if (last.kids.has(kid)) return "revoked";
    if ([claims.jti, ...(claims.origin ?? [])].some((id) => last.jtis.has(id))) return "revoked";
    // The subject, its actor, and earlier actors.
    for (let holder = claims; holder; holder = holder.act) {
      if (holder.gen < (last.keys.get(holder.sub) ?? 0)) return "revoked";
    }
    return "good";
  }

  #comesAfter(last, { epoch, seq, as_of }) {
    if (epoch === last.epoch) return seq > last.seq || (seq === last.seq && as_of > last.as_of);
    // Another epoch means a restored store. An epoch that was left never becomes valid again.
    return !this.#left.has(epoch) && as_of >= last.as_of;
  }
}

/** Asks for ever. Each answer is held back until there is news, or for ten seconds. */
export async function follow(revocations, url, keys, issuer) {
  let known = '"none"';
  for (;;) {
    try {
      const { text, etag } = await fetchText(url, MAX_LENGTH, { Prefer: "wait=10", "If-None-Match": known });
      const { kid, claims } = await verify(text, whateverTheKid(keys), { ...FEED, issuer });
      revocations.hear(claims, kid, Date.now() / 1000);
      known = etag;
      await pause(100); // avoids flooding a server that does not hold responses
    } catch (error) {
      // Any failure: the last document becomes stale, and then every token is refused.
      console.error(`the revocation feed: ${error.message}`);
      known = '"none"';
      await pause(1000);
    }
  }
}

/** The key set, read again at once for a kid that is not there: only the issuer chooses that of a document. */
function whateverTheKid(keys) {
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await keys.reload();
      return keys(header, token);
    }
  };
}

function isWellFormed({ epoch, seq, as_of, max_stale, keys, jtis, kids }) {
  const hasNumbers = [seq, as_of, max_stale].every(isNumber);
  const hasKeys = isObject(keys) && Object.values(keys).every(isNumber);
  return typeof epoch === "string" && epoch !== "" && hasNumbers && hasKeys && isTexts(jtis) && isTexts(kids);
}

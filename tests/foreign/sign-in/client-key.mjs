// The key of a client that has no secret.

import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair } from 'jose';

/** The public half as a provider knows it, under the id that Claviger names, and the private one as PEM. */
export async function clientKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' },
    pem: await exportPKCS8(privateKey),
  };
}

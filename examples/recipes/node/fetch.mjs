// A GET request to the issuer, limited in time and size, without redirects.

const TIMEOUT = 15_000; // milliseconds in total; the feed can be silent for ten seconds

/** The body, of `limit` bytes at most, and the entity tag. */
export async function fetchText(url, limit, headers = {}) {
  const response = await fetch(url, { headers, redirect: "error", signal: AbortSignal.timeout(TIMEOUT) });
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > limit) throw new Error(`${url} answers with more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString(), etag: response.headers.get("etag") ?? '"none"' };
}

/** The issuer's metadata (RFC 8414), from the location that works for issuers with and without a path. */
export async function discover(issuer) {
  const { text } = await fetchText(`${issuer}/.well-known/openid-configuration`, 64 * 1024);
  const metadata = JSON.parse(text);
  if (metadata.issuer !== issuer) throw new Error(`${issuer} says that it is ${metadata.issuer}`);
  return metadata;
}

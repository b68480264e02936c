// Checks what a token permits: actions on resources, and the caller's address.

import { BlockList, SocketAddress, isIP } from "node:net";

const LITERAL = /^(?!\.{1,2}$)[A-Za-z0-9._~:@=+,-]{1,128}$/;
const RESERVED = "claviger"; // the issuer's own resources, which no wildcard matches

/** Whether this is 1 to 16 literals joined by slashes, and nothing that looks like a pattern or a path upwards. */
export function isResource(resource) {
  const segments = resource.split("/");
  return segments.length <= 16 && segments.every((segment) => LITERAL.test(segment));
}

/** Whether one of the scopes of a token (its claim `scope`) lets the caller do `action` to `resource`. */
export function permits(scopes, action, resource) {
  return isResource(resource) && scopes.split(" ").some((scope) => matches(scope, action, resource));
}

function matches(scope, action, resource) {
  const colon = scope.indexOf(":");
  const [granted, pattern] = colon < 0 ? [scope, "*"] : [scope.slice(0, colon), scope.slice(colon + 1)];
  if (granted !== "*" && granted !== action) return false;
  const wanted = pattern === "*" ? ["**"] : pattern.split("/"); // alone, it matches every resource
  let found = resource.split("/");
  if ((wanted[0] === RESERVED) !== (found[0] === RESERVED)) return false;
  if (wanted.at(-1) === "**") {
    wanted.pop();
    if (found.length <= wanted.length) return false; // matches one or more further segments
    found = found.slice(0, wanted.length);
  }
  return wanted.length === found.length && wanted.every((want, at) => want === "*" || want === found[at]);
}

/** Whether a caller at this address is in one of the ranges (the claim `cidrs`). IPv4 is never in a range of IPv6. */
export function admits(cidrs, address) {
  const caller = unmapped(address);
  const family = isIP(caller);
  const ranges = new BlockList();
  for (const [network, bits] of cidrs.map((cidr) => cidr.split("/"))) {
    if (isIP(network) === family) ranges.addSubnet(network, Number(bits), `ipv${family}`);
  }
  return family !== 0 && ranges.check(caller, `ipv${family}`);
}

/** A dual-stack socket reports an IPv4 peer as ::ffff:192.0.2.1. */
function unmapped(address) {
  if (isIP(address) !== 6) return address;
  const canonical = new SocketAddress({ address, family: "ipv6" }).address;
  return canonical.startsWith("::ffff:") && isIP(canonical.slice(7)) === 4 ? canonical.slice(7) : address;
}

"""What a token permits: actions on resources, and the addresses that it may be used from."""

import re
from ipaddress import ip_address, ip_network

LITERAL = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~:@=+,-]{1,128}\Z")
RESERVED = "claviger"  # the issuer's own resources, into which no wildcard reaches


def is_resource(resource: str) -> bool:
    """Whether this is 1 to 16 literals joined by slashes, and nothing that looks like a pattern or a path upwards."""
    segments = resource.split("/")
    return len(segments) <= 16 and all(LITERAL.match(segment) for segment in segments)


def permits(scopes: str, action: str, resource: str) -> bool:
    """Whether one of the scopes of a token (its claim `scope`) lets the caller do `action` to `resource`."""
    return is_resource(resource) and any(_matches(scope, action, resource) for scope in scopes.split(" "))


def _matches(scope: str, action: str, resource: str) -> bool:
    granted, _, pattern = scope.partition(":")
    if granted not in ("*", action):
        return False
    # `*` alone is everything, and so is no filter at all.
    wanted = ["**"] if pattern in ("", "*") else pattern.split("/")
    found = resource.split("/")
    if (wanted[0] == RESERVED) != (found[0] == RESERVED):
        return False
    if wanted[-1] == "**":  # whatever follows, one segment or more
        wanted.pop()
        if len(found) <= len(wanted):
            return False
        found = found[: len(wanted)]
    return len(wanted) == len(found) and all(a in ("*", b) for a, b in zip(wanted, found))


def admits(cidrs: list[str], address: str) -> bool:
    """Whether a caller at this address is in one of the ranges (the claim `cidrs`). None of IPv6 has IPv4 in it."""
    caller = ip_address(address)
    # What a socket for both families calls an IPv4 peer: ::ffff:192.0.2.1.
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return any(caller in ip_network(cidr) for cidr in cidrs)

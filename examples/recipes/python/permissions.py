"""Checks what a token permits: actions on resources, and the caller's address."""

import re
from ipaddress import ip_address, ip_network

LITERAL = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~:@=+,-]{1,128}\Z")
RESERVED = "claviger"  # the issuer's own resources, which no wildcard matches


def is_resource(resource: str) -> bool:
    """Whether this is 1 to 16 literals joined by slashes, without patterns or parent segments."""
    segments = resource.split("/")
    return len(segments) <= 16 and all(LITERAL.match(segment) for segment in segments)


def permits(scopes: str, action: str, resource: str) -> bool:
    """Whether a scope of a token (its claim `scope`) permits `action` on `resource`."""
    return is_resource(resource) and any(_matches(scope, action, resource) for scope in scopes.split(" "))


def _matches(scope: str, action: str, resource: str) -> bool:
    granted, _, pattern = scope.partition(":")
    if granted not in ("*", action):
        return False
    # `*` alone matches every resource.
    wanted = ["**"] if pattern in ("", "*") else pattern.split("/")
    found = resource.split("/")
    if (wanted[0] == RESERVED) != (found[0] == RESERVED):
        return False
    if wanted[-1] == "**":  # matches one or more further segments
        wanted.pop()
        if len(found) <= len(wanted):
            return False
        found = found[: len(wanted)]
    return len(wanted) == len(found) and all(a in ("*", b) for a, b in zip(wanted, found))


def admits(cidrs: list[str], address: str) -> bool:
    """Whether the address is in a range (claim `cidrs`). An IPv6 range never contains an IPv4 address."""
    caller = ip_address(address)
    # A dual-stack socket reports an IPv4 peer as ::ffff:192.0.2.1.
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return any(caller in ip_network(cidr) for cidr in cidrs)

package main

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// The issuer's own resources, into which no wildcard reaches.
const reserved = "claviger"

var literal = regexp.MustCompile(`^[A-Za-z0-9._~:@=+,-]{1,128}$`)

// isResource says whether this is 1 to 16 literals joined by slashes, and nothing that looks like a pattern or a path
// upwards.
func isResource(resource string) bool {
	segments := strings.Split(resource, "/")
	return len(segments) <= 16 && !slices.ContainsFunc(segments, func(segment string) bool {
		return segment == "." || segment == ".." || !literal.MatchString(segment)
	})
}

// permits says whether one of the scopes of a token (its claim scope) lets the caller do the action to the resource.
func permits(scopes, action, resource string) bool {
	return isResource(resource) && slices.ContainsFunc(strings.Split(scopes, " "), func(scope string) bool {
		return matches(scope, action, resource)
	})
}

func matches(scope, action, resource string) bool {
	granted, pattern, _ := strings.Cut(scope, ":")
	if granted != "*" && granted != action {
		return false
	}
	wanted, found := strings.Split(pattern, "/"), strings.Split(resource, "/")
	if pattern == "" || pattern == "*" { // everything, and so is no filter at all
		wanted = []string{"**"}
	}
	if (wanted[0] == reserved) != (found[0] == reserved) {
		return false
	}
	if last := len(wanted) - 1; wanted[last] == "**" { // whatever follows, one segment or more
		if len(found) <= last {
			return false
		}
		wanted, found = wanted[:last], found[:last]
	}
	return slices.EqualFunc(wanted, found, func(want, is string) bool { return want == "*" || want == is })
}

// admits says whether a caller at this address is in one of the ranges. IPv4 is never in a range of IPv6.
func admits(ranges []netip.Prefix, address netip.Addr) bool {
	// What a socket for both families calls an IPv4 peer is ::ffff:192.0.2.1.
	address = address.Unmap()
	return slices.ContainsFunc(ranges, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

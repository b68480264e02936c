package main

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// The issuer's own resources, which no wildcard matches.
const reserved = "claviger"

var literal = regexp.MustCompile(`^[A-Za-z0-9._~:@=+,-]{1,128}$`)

// isResource reports whether this is 1 to 16 literals joined by slashes, without patterns or parent segments.
func isResource(resource string) bool {
	segments := strings.Split(resource, "/")
	return len(segments) <= 16 && !slices.ContainsFunc(segments, func(segment string) bool {
		return segment == "." || segment == ".." || !literal.MatchString(segment)
	})
}

// permits reports whether a scope of a token (its claim scope) permits the action on the resource.
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
	if pattern == "" || pattern == "*" { // matches every resource
		wanted = []string{"**"}
	}
	if (wanted[0] == reserved) != (found[0] == reserved) {
		return false
	}
	if last := len(wanted) - 1; wanted[last] == "**" { // matches one or more further segments
		if len(found) <= last {
			return false
		}
		wanted, found = wanted[:last], found[:last]
	}
	return slices.EqualFunc(wanted, found, func(want, is string) bool { return want == "*" || want == is })
}

// admits reports whether the caller's address is in one of the ranges. An IPv6 range never contains an IPv4 address.
func admits(ranges []netip.Prefix, address netip.Addr) bool {
	// A dual-stack socket reports an IPv4 peer as ::ffff:192.0.2.1.
	address = address.Unmap()
	return slices.ContainsFunc(ranges, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

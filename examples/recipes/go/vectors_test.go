package main

// Runs the test vectors that all verifiers share: go test

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/MicahParks/keyfunc/v3"
)

func read(t *testing.T, file string, vectors any) {
	text, err := os.ReadFile("../../../tests/vectors/" + file)
	if err == nil {
		err = json.Unmarshal(text, vectors)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestScopes(t *testing.T) {
	var vectors struct {
		Resources []struct {
			Resource string
			Accepted bool
		}
		Matches []struct {
			Scope, Action, Resource string
			Matches                 bool
		}
	}
	read(t, "scopes.json", &vectors)
	for _, row := range vectors.Resources {
		everything := permits("*:* *:claviger *:claviger/**", "read", row.Resource)
		if isResource(row.Resource) != row.Accepted || everything != row.Accepted {
			t.Error(row)
		}
	}
	for _, row := range vectors.Matches {
		if permits(row.Scope, row.Action, row.Resource) != row.Matches {
			t.Error(row)
		}
	}
}

func TestProofs(t *testing.T) {
	var vectors struct {
		Requests []struct {
			Name, Method, URL, Proof string
			Token, Thumbprint        *string
			Algorithms, Nonces       []string
			At                       int64
		}
		Targets []struct {
			Htu, URL string
			Same     bool
		}
	}
	read(t, "dpop.json", &vectors)
	for _, row := range vectors.Requests {
		// This API requires no nonces, and takes all algorithms.
		if row.Algorithms != nil || row.Nonces != nil {
			continue
		}
		found, err := verifyProof(row.Proof, proven{row.Method, row.URL, row.Token}, row.At)
		if (err == nil) != (row.Thumbprint != nil) || err == nil && found.thumbprint != *row.Thumbprint {
			t.Error(row.Name, err)
		}
	}
	for _, row := range vectors.Targets {
		htu, ok := normalURL(row.Htu)
		if url, _ := normalURL(row.URL); (ok && htu == url) != row.Same {
			t.Error(row)
		}
	}
}

func TestRanges(t *testing.T) {
	var vectors struct {
		Admits []struct {
			CIDRs   []string
			Address *netip.Addr
			Admits  bool
		}
	}
	read(t, "cidrs.json", &vectors)
	for _, row := range vectors.Admits {
		ranges, isCanonical := canonical(row.CIDRs)
		if isCanonical && row.Address != nil && admits(ranges, *row.Address) != row.Admits {
			t.Error(row.CIDRs, row.Address)
		}
	}
}

// canonical parses a token's list, which is not empty and whose ranges are canonical.
func canonical(cidrs []string) (ranges []netip.Prefix, isCanonical bool) {
	for _, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil || strings.HasPrefix(cidr, "::ffff:") {
			return nil, false
		}
		ranges = append(ranges, prefix)
	}
	return ranges, len(ranges) > 0
}

type feed struct {
	Issuer []struct {
		ISS  string
		JWKS json.RawMessage
	}
	Cases []struct {
		Name  string
		Steps []struct {
			At              int64
			Document, Token map[string]any
			KID             string
			Expect          verdict
		}
	}
	Signed []struct {
		Document, Why string
		At            int64
		Taken         bool
	}
}

func TestFeed(t *testing.T) {
	var vectors feed
	read(t, "feed.json", &vectors)
	for _, row := range vectors.Cases {
		var known revocations
		for _, step := range row.Steps {
			if step.Document != nil {
				_ = known.hear(step.Document, step.KID, step.At)
				continue
			}
			r := reader{claims: step.Token}
			token := r.lineage(r.text("kid"))
			if r.fault != nil {
				t.Fatal(row.Name, r.fault)
			}
			if found := known.judge(token, step.At); found != step.Expect {
				t.Errorf("%s, at %d: %s", row.Name, step.At, found)
			}
		}
	}
}

func TestSignedDocuments(t *testing.T) {
	var vectors feed
	read(t, "feed.json", &vectors)
	keys, err := keyfunc.NewJWKSetJSON(vectors.Issuer[0].JWKS)
	if err != nil {
		t.Fatal(err)
	}
	by := issuer{vectors.Issuer[0].ISS, keys.Keyfunc}
	for _, row := range vectors.Signed {
		var known revocations
		kid, claims, err := by.verify(row.Document, feedType, feedAudience)
		if err == nil {
			err = known.hear(claims, kid, row.At)
		}
		if (err == nil) != row.Taken {
			t.Errorf("%s: %v", row.Why, err)
		}
	}
}

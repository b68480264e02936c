package main

import (
	"errors"
	"math"
	"net/netip"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxLifetime = 600 // seconds; the issuer never issues longer ones
	maxActors   = 4
)

// A token holds the claims of a verified access token.
type token struct {
	organization, environment, scope string
	cidrs                            []netip.Prefix
	lineage
}

// A lineage holds everything by which a token can be revoked.
type lineage struct {
	kid     string   // the signing key's
	ids     []string // the token's own, and those of the tokens that it was exchanged from
	holders []holder // the subject, its actor, and earlier actors
}

type holder struct {
	key        string
	generation int64
}

func readToken(kid string, claims jwt.MapClaims, thumbprint string) (*token, error) {
	r := reader{claims: claims}
	for _, name := range []string{"client_id", "project"} {
		r.text(name)
	}
	read := &token{
		organization: r.text("org"),
		environment:  r.text("env"),
		scope:        r.text("scope"),
		cidrs:        r.ranges("cidrs"),
		lineage:      r.lineage(kid),
	}
	if lifetime := r.number("exp") - r.number("iat"); lifetime <= 0 || lifetime > maxLifetime {
		r.fault = errors.Join(r.fault, errors.New("its lifetime is too long"))
	}
	if !isBoundTo(r.claims, thumbprint) {
		r.fault = errors.Join(r.fault, errors.New("its key is not the one that the request proves"))
	}
	return read, r.fault
}

// RFC 9449 §6.1: a token that is bound to a key needs a proof of that key, and a plain one comes without proofs.
func isBoundTo(claims jwt.MapClaims, thumbprint string) bool {
	confirmation, given := claims["cnf"]
	if thumbprint == "" {
		return !given
	}
	members, _ := confirmation.(map[string]any)
	return len(members) == 1 && members["jkt"] == thumbprint
}

// A reader reads claims that must be present and have the right type. It collects the errors.
type reader struct {
	claims map[string]any
	fault  error
}

func (r *reader) lineage(kid string) lineage {
	read := lineage{kid: kid, ids: []string{r.text("jti")}, holders: r.holders()}
	if _, exchanged := r.claims["origin"]; exchanged {
		read.ids = append(read.ids, r.texts("origin")...)
	}
	return read
}

// RFC 8693 §4.1: the subject, its actor, and earlier actors.
func (r *reader) holders() []holder {
	holders := []holder{{r.text("sub"), r.number("gen")}}
	act, acts := r.claims["act"]
	for ; acts; act, acts = act.(map[string]any)["act"] {
		members, isObject := act.(map[string]any)
		if !isObject || len(holders) > maxActors {
			r.wrong("act")
			return nil
		}
		actor := reader{claims: members}
		holders = append(holders, holder{actor.text("sub"), actor.number("gen")})
		r.fault = errors.Join(r.fault, actor.fault)
	}
	return holders
}

func (r *reader) text(name string) string {
	text, _ := r.claims[name].(string)
	if text == "" {
		r.wrong(name)
	}
	return text
}

func (r *reader) texts(name string) []string {
	values, isArray := r.claims[name].([]any)
	if !isArray {
		r.wrong(name)
	}
	texts := make([]string, 0, len(values))
	for _, value := range values {
		text, isText := value.(string)
		if !isText {
			r.wrong(name)
		}
		texts = append(texts, text)
	}
	return texts
}

// A non-negative integer that a JSON number represents exactly.
func (r *reader) number(name string) int64 {
	number, isNumber := r.claims[name].(float64)
	if !isNumber || number < 0 || number != math.Trunc(number) || number >= 1<<53 {
		r.wrong(name)
		return 0
	}
	return int64(number)
}

// The lowest valid generation of each key.
func (r *reader) generations(name string) map[string]int64 {
	members, isObject := r.claims[name].(map[string]any)
	if !isObject {
		r.wrong(name)
	}
	read := reader{claims: members}
	generations := make(map[string]int64, len(members))
	for key := range members {
		generations[key] = read.number(key)
	}
	r.fault = errors.Join(r.fault, read.fault)
	return generations
}

func (r *reader) ranges(name string) []netip.Prefix {
	var ranges []netip.Prefix
	for _, text := range r.texts(name) {
		prefix, err := netip.ParsePrefix(text)
		r.fault = errors.Join(r.fault, err)
		ranges = append(ranges, prefix)
	}
	if len(ranges) == 0 {
		r.wrong(name)
	}
	return ranges
}

func (r *reader) wrong(name string) {
	r.fault = errors.Join(r.fault, errors.New(name+" is missing or has the wrong type"))
}

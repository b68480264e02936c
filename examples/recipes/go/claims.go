package main

import (
	"errors"
	"math"
	"net/netip"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxLifetime = 600 // seconds; the issuer promises no longer ones
	maxActors   = 4
)

// A token is what a verified access token says.
type token struct {
	organization, environment, scope string
	cidrs                            []netip.Prefix
	lineage
}

// A lineage is by what a token can be revoked.
type lineage struct {
	kid     string   // of the key that it is signed with
	ids     []string // its own, and those of the tokens that it came from
	holders []holder // the subject, who acts for it, and who did before
}

type holder struct {
	key        string
	generation int64
}

func readToken(kid string, claims jwt.MapClaims) (*token, error) {
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
		r.fault = errors.Join(r.fault, errors.New("it lives too long"))
	}
	// RFC 7800 §3.1: it is bound to a key, and sent as Bearer it proves nothing of that.
	if _, bound := r.claims["cnf"]; bound {
		r.fault = errors.Join(r.fault, errors.New("it is bound to a key"))
	}
	return read, r.fault
}

// A reader reads claims of which each has to be there and of its type. It remembers what is wrong.
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

// RFC 8693 §4.1: who acts for the subject, and who did before.
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

// A whole number from 0, as exact as JSON's are.
func (r *reader) number(name string) int64 {
	number, isNumber := r.claims[name].(float64)
	if !isNumber || number < 0 || number != math.Trunc(number) || number >= 1<<53 {
		r.wrong(name)
		return 0
	}
	return int64(number)
}

// The least generation of each key.
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
	r.fault = errors.Join(r.fault, errors.New(name+" is missing or of another type"))
}

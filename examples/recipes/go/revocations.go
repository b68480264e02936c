package main

import (
	"errors"
	"log"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	maxStale     = 30       // maximum age of the last document in seconds, whatever max_stale says
	maxAhead     = 30       // seconds by which the issuer's clock may be ahead
	maxDocument  = 16 << 20 // bytes; a document with a thousand revoked keys has 30 kB
	feedType     = "revocations+jwt"
	feedAudience = "urn:claviger:revocations"
)

type verdict string

const (
	good    verdict = "good"
	revoked verdict = "revoked"
	stale   verdict = "stale" // the last document is too old to decide
)

// Revocations holds the last accepted document. Times are Unix seconds.
type revocations struct {
	lock      sync.RWMutex
	last      *document // nil before the first one
	confirmed int64     // the time of the last confirmation
	left      []string  // earlier epochs
}

// A document of the feed (docs/resource-servers.md).
type document struct {
	epoch               string
	seq, asOf, maxStale int64
	keys                map[string]int64 // the lowest valid generation of each key
	jtis, kids          []string
}

func readDocument(claims map[string]any) (*document, error) {
	r := reader{claims: claims}
	read := &document{
		epoch:    r.text("epoch"),
		seq:      r.number("seq"),
		asOf:     r.number("as_of"),
		maxStale: r.number("max_stale"),
		keys:     r.generations("keys"),
		jtis:     r.texts("jtis"),
		kids:     r.texts("kids"),
	}
	return read, r.fault
}

// hear accepts a verified document that the key kid has signed. If it returns an error, nothing has changed.
func (r *revocations) hear(claims map[string]any, kid string, now int64) error {
	heard, err := readDocument(claims)
	if err != nil {
		return err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	switch {
	case heard.asOf > now+maxAhead:
		return errors.New("it is from the future")
	case slices.Contains(heard.kids, kid) || r.last != nil && slices.Contains(r.last.kids, kid):
		return errors.New("its key is withdrawn")
	case r.last != nil && !r.comesAfterLast(heard):
		return errors.New("it is not newer than the last one")
	}
	if r.last != nil && heard.epoch != r.last.epoch {
		r.left = append(r.left, r.last.epoch)
	}
	r.last, r.confirmed = heard, min(heard.asOf, now)
	return nil
}

func (r *revocations) comesAfterLast(heard *document) bool {
	if heard.epoch == r.last.epoch {
		return heard.seq > r.last.seq || heard.seq == r.last.seq && heard.asOf > r.last.asOf
	}
	// Another epoch means a restored store. An epoch that was left never becomes valid again.
	return !slices.Contains(r.left, heard.epoch) && heard.asOf >= r.last.asOf
}

func (r *revocations) judge(token lineage, now int64) verdict {
	r.lock.RLock()
	defer r.lock.RUnlock()
	if r.last == nil {
		return stale
	}
	// A very negative age means that this clock was set back.
	if age := now - r.confirmed; age > min(r.last.maxStale, maxStale) || age < -maxStale {
		return stale
	}
	if r.last.names(token) {
		return revoked
	}
	return good
}

// names reports whether it revokes the signing key, the token or one that it was exchanged from, or a key of the
// subject or of an actor.
func (d *document) names(token lineage) bool {
	isNamed := func(jti string) bool { return slices.Contains(d.jtis, jti) }
	isOver := func(h holder) bool { return h.generation < d.keys[h.key] }
	return slices.Contains(d.kids, token.kid) ||
		slices.ContainsFunc(token.ids, isNamed) || slices.ContainsFunc(token.holders, isOver)
}

// follow polls forever. The server holds each response until the feed changes, for at most ten seconds.
func (r *revocations) follow(url string, by issuer) {
	known, pause := `"none"`, time.Duration(0)
	for ; ; time.Sleep(pause) {
		etag, err := r.ask(url, known, by)
		known, pause = etag, 100*time.Millisecond // avoids flooding a server that does not hold responses
		if err != nil {
			// Any failure: the last document becomes stale, and then every token is refused.
			log.Printf("the revocation feed: %v", err)
			known, pause = `"none"`, time.Second
		}
	}
}

func (r *revocations) ask(url, known string, by issuer) (string, error) {
	text, etag, err := fetch(url, maxDocument, http.Header{"Prefer": {"wait=10"}, "If-None-Match": {known}})
	if err != nil {
		return "", err
	}
	kid, claims, err := by.verify(string(text), feedType, feedAudience)
	if err != nil {
		return "", err
	}
	// A refused document is not a failure: another node may be a moment behind.
	_ = r.hear(claims, kid, time.Now().Unix())
	return etag, nil
}

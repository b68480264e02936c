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
	maxStale     = 30       // seconds that anything heard may be relied on, whatever the document says
	maxAhead     = 30       // seconds that the issuer's clock may be ahead of this one
	maxDocument  = 16 << 20 // bytes; a thousand keys that were revoked together are 30 kB
	feedType     = "revocations+jwt"
	feedAudience = "urn:claviger:revocations"
)

type verdict string

const (
	good    verdict = "good"
	revoked verdict = "revoked"
	stale   verdict = "stale" // nothing recent enough was heard to tell
)

// Revocations is what the last document says that counted. Times are Unix seconds.
type revocations struct {
	lock      sync.RWMutex
	last      *document // none before the first one
	confirmed int64     // since when
	left      []string  // the epochs before
}

// A document of the feed (docs/resource-servers.md).
type document struct {
	epoch               string
	seq, asOf, maxStale int64
	keys                map[string]int64 // the least generation of each that is still good
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

// hear takes in what a verified document claims, which the key kid signed. Unless it counts, nothing has changed.
func (r *revocations) hear(claims map[string]any, kid string, now int64) error {
	heard, err := readDocument(claims)
	if err != nil {
		return err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	switch {
	case heard.asOf > now+maxAhead:
		return errors.New("it comes from the future")
	case slices.Contains(heard.kids, kid) || r.last != nil && slices.Contains(r.last.kids, kid):
		return errors.New("its key is withdrawn")
	case r.last != nil && !r.comesAfterLast(heard):
		return errors.New("a later one was heard")
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
	// A restored store. Nobody goes back to an epoch that was left.
	return !slices.Contains(r.left, heard.epoch) && heard.asOf >= r.last.asOf
}

func (r *revocations) judge(token lineage, now int64) verdict {
	r.lock.RLock()
	defer r.lock.RUnlock()
	if r.last == nil {
		return stale
	}
	// Less than nothing by so much, this clock was put back.
	if age := now - r.confirmed; age > min(r.last.maxStale, maxStale) || age < -maxStale {
		return stale
	}
	if r.last.names(token) {
		return revoked
	}
	return good
}

// names says whether it names the signing key, the token or one that it came from, or a key of the subject or of who
// acts.
func (d *document) names(token lineage) bool {
	isNamed := func(jti string) bool { return slices.Contains(d.jtis, jti) }
	isOver := func(h holder) bool { return h.generation < d.keys[h.key] }
	return slices.Contains(d.kids, token.kid) ||
		slices.ContainsFunc(token.ids, isNamed) || slices.ContainsFunc(token.holders, isOver)
}

// follow asks for ever. Each answer is held back until there is news, or for ten seconds.
func (r *revocations) follow(url string, by issuer) {
	known, pause := `"none"`, time.Duration(0)
	for ; ; time.Sleep(pause) {
		etag, err := r.ask(url, known, by)
		known, pause = etag, 100*time.Millisecond // a server that doesn't hold its answers back is not to be flooded
		if err != nil {
			// Whatever it is: what is known gets stale, and then nobody passes.
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
	// One that doesn't count is no fault: another node may be a moment behind.
	_ = r.hear(claims, kid, time.Now().Unix())
	return etag, nil
}

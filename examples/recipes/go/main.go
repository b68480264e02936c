// An API that accepts Claviger's access tokens.
//
// GET /orders/{id} needs the scope read:orders/{id}, and POST /orders/{id} needs write:orders/{id}. The function
// authorize makes all checks of a request's token, in order.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"
)

type api struct {
	issuer                issuer
	audience, environment string
	revocations           revocations
	// Where clients reach this API. Tokens that are bound to a key are refused without it: see proofs.go.
	publicURL  string
	usedProofs usedProofs
}

// A denied request: the status of the response, and its WWW-Authenticate (RFC 6750 §3) if it has one.
type denied struct {
	status    int
	challenge string
}

var (
	unauthenticated = &denied{http.StatusUnauthorized, `Bearer`}
	invalidProof    = &denied{
		http.StatusUnauthorized,
		fmt.Sprintf(`DPoP error="invalid_dpop_proof", algs="%s"`, strings.Join(proofAlgorithms, " ")),
	}
	elsewhere   = &denied{http.StatusForbidden, ""}
	unavailable = &denied{http.StatusServiceUnavailable, ""}
)

func main() {
	api, err := start(os.Getenv("CLAVIGER_ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	api.audience = os.Getenv("CLAVIGER_AUDIENCE")
	api.publicURL = os.Getenv("PUBLIC_URL")
	api.environment = cmp.Or(os.Getenv("CLAVIGER_ENVIRONMENT"), "prd")
	if api.audience == "" {
		log.Fatal("CLAVIGER_AUDIENCE has to be set")
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /orders/{id}", api.order("read"))
	routes.HandleFunc("POST /orders/{id}", api.order("write"))
	listener, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "0"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("serves on http://%s\n", listener.Addr())
	server := http.Server{Handler: routes, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// start reads the issuer's metadata and keys, and follows its revocation feed.
func start(name string) (*api, error) {
	metadata, err := discover(name)
	if err != nil {
		return nil, err
	}
	forTokens, forFeed, err := remoteKeys(metadata.JWKS)
	if err != nil {
		return nil, err
	}
	api := &api{issuer: issuer{name, forTokens}}
	go api.revocations.follow(metadata.Feed, issuer{name, forFeed})
	return api, nil
}

func (a *api) order(action string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		resource := "orders/" + r.PathValue("id")
		if !isResource(resource) {
			answer(w, http.StatusNotFound, map[string]string{"error": "not_found"})
			return
		}
		token, denied := a.authorize(r, action, resource)
		if denied != nil {
			deny(w, denied)
			return
		}
		// Each organization has its own orders, so an id is unique only within an organization.
		did := map[string]string{"order": resource, "organization": token.organization, "did": action}
		answer(w, http.StatusOK, did)
	}
}

// authorize returns the caller's token, if it permits the action.
func (a *api) authorize(r *http.Request, action, resource string) (*token, *denied) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	text, now, proven := strings.TrimSpace(text), time.Now().Unix(), proof{}
	switch {
	case strings.EqualFold(scheme, "bearer"):
		scheme = "Bearer"
	case strings.EqualFold(scheme, "dpop") && a.publicURL != "":
		found, err := a.proof(r, text, now)
		if err != nil {
			log.Printf("a proof is refused: %v", err)
			return nil, invalidProof
		}
		scheme, proven = "DPoP", *found
	default:
		return nil, unauthenticated
	}
	invalidToken := &denied{http.StatusUnauthorized, scheme + ` error="invalid_token"`}
	token, err := a.issuer.verifyToken(text, a.audience, proven.thumbprint)
	if err != nil {
		log.Printf("a token is refused: %v", err)
		return nil, invalidToken
	}
	switch a.revocations.judge(token.lineage, now) {
	case good:
	case revoked:
		return nil, invalidToken
	default:
		return nil, unavailable
	}
	// A token of another environment is not for this API, like one for another audience.
	if token.environment != a.environment {
		return nil, invalidToken
	}
	// The peer's address. Behind a proxy, use the client address that the trusted proxy reports.
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !admits(token.cidrs, peer.Addr()) {
		return nil, elsewhere
	}
	if !permits(token.scope, action, resource) {
		challenge := fmt.Sprintf(`%s error="insufficient_scope", scope="%s:%s"`, scheme, action, resource)
		return nil, &denied{http.StatusForbidden, challenge}
	}
	if scheme == "DPoP" {
		if err := a.usedProofs.use(proven, now); err != nil {
			return nil, invalidProof
		}
	}
	return token, nil
}

// proof is the proof of possession beside a token.
func (a *api) proof(r *http.Request, token string, now int64) (*proof, error) {
	proofs := r.Header.Values("DPoP")
	if len(proofs) != 1 {
		return nil, errors.New("there is not one proof")
	}
	return verifyProof(proofs[0], proven{r.Method, a.publicURL + r.URL.EscapedPath(), &token}, now)
}

func deny(w http.ResponseWriter, denied *denied) {
	if denied.challenge != "" {
		w.Header().Set("WWW-Authenticate", denied.challenge)
	}
	if denied.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer(w, denied.status, map[string]string{"error": "denied"})
}

func answer(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

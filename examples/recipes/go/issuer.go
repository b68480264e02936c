package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

const (
	algorithm   = "ES256"          // the issuer's algorithm, and the only one accepted
	leeway      = 10 * time.Second // clock difference allowed
	maxToken    = 16 * 1024        // bytes
	maxMetadata = 64 * 1024        // bytes
)

// The timeout leaves room for the feed, which can be silent for ten seconds. Redirects are refused.
var client = &http.Client{
	Timeout:       15 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// An issuer is a trusted signer.
type issuer struct {
	name string
	keys jwt.Keyfunc
}

// verifyToken verifies everything except revocation, the caller's address and the scopes. The caller proved to have the
// key with this thumbprint, if there is one.
func (i issuer) verifyToken(text, audience, thumbprint string) (*token, error) {
	if len(text) > maxToken {
		return nil, errors.New("it is too long")
	}
	kid, claims, err := i.verify(text, "at+jwt", audience)
	if err != nil {
		return nil, err
	}
	return readToken(kid, claims, thumbprint)
}

// verify verifies type, algorithm, signature, issuer and audience. It returns the kid of the key and the claims.
func (i issuer) verify(text, typ, audience string) (string, jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	parsed, err := jwt.ParseWithClaims(text, claims, i.namedKey,
		jwt.WithValidMethods([]string{algorithm}),
		jwt.WithIssuer(i.name),
		jwt.WithAudience(audience),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
	)
	if err != nil {
		return "", nil, err
	}
	// RFC 7515 §4.1.11: a critical extension must be understood, and none is.
	if _, isCritical := parsed.Header["crit"]; isCritical {
		return "", nil, errors.New("it has a critical extension")
	}
	// RFC 8725 §3.11: a JWT for another purpose is refused.
	if parsed.Header["typ"] != typ || claims["iat"] == nil {
		return "", nil, errors.New("it has the wrong type")
	}
	return parsed.Header["kid"].(string), claims, nil
}

// namedKey requires a kid, because keyfunc would otherwise try all keys.
func (i issuer) namedKey(parsed *jwt.Token) (any, error) {
	if _, isNamed := parsed.Header["kid"].(string); !isNamed {
		return nil, errors.New("it has no kid")
	}
	return i.keys(parsed)
}

type metadata struct {
	Issuer string `json:"issuer"`
	JWKS   string `json:"jwks_uri"`
	Feed   string `json:"revocation_feed_endpoint"`
}

// discover reads the issuer's metadata (RFC 8414), from the location that works for issuers with and without a path.
func discover(name string) (metadata, error) {
	var found metadata
	text, _, err := fetch(name+"/.well-known/openid-configuration", maxMetadata, nil)
	if err != nil {
		return found, err
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return found, err
	}
	if found.Issuer != name {
		return found, fmt.Errorf("the metadata of %s names the issuer %s", name, found.Issuer)
	}
	return found, nil
}

// remoteKeys is the issuer's key set, refreshed every five minutes. An unknown kid of a token refreshes it at most once
// in 30 seconds. An unknown kid of the feed refreshes it at once, since only the issuer chooses that kid.
func remoteKeys(url string) (forTokens, forFeed jwt.Keyfunc, err error) {
	shared, err := jwkset.NewStorageFromHTTP(url, jwkset.HTTPClientStorageOptions{
		Client: client, HTTPTimeout: 5 * time.Second, RefreshInterval: 5 * time.Minute,
	})
	if err != nil {
		return nil, nil, err
	}
	if forTokens, err = readingAgain(url, shared, rate.Every(30*time.Second)); err != nil {
		return nil, nil, err
	}
	forFeed, err = readingAgain(url, shared, rate.Inf)
	return forTokens, forFeed, err
}

func readingAgain(url string, shared jwkset.Storage, often rate.Limit) (jwt.Keyfunc, error) {
	keys, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{url: shared},
		RefreshUnknownKID: rate.NewLimiter(often, 1),
		RateLimitWaitMax:  5 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	found, err := keyfunc.New(keyfunc.Options{Storage: keys})
	if err != nil {
		return nil, err
	}
	return found.Keyfunc, nil
}

// fetch sends a GET and returns the body, at most limit bytes, and its entity tag.
func fetch(url string, limit int64, headers http.Header) ([]byte, string, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	if headers != nil {
		request.Header = headers
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("%s answers %s", url, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("%s answers with more than %d bytes", url, limit)
	}
	return body, response.Header.Get("ETag"), err
}

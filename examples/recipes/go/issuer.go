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
	algorithm   = "ES256"          // what the issuer signs with, and nothing else
	leeway      = 10 * time.Second // that the clocks may differ
	maxToken    = 16 * 1024        // bytes
	maxMetadata = 64 * 1024        // bytes
)

// The issuer is asked within a time, silent for ten seconds as the feed is, and never redirected.
var client = &http.Client{
	Timeout:       15 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// An issuer is whose signatures are believed.
type issuer struct {
	name string
	keys jwt.Keyfunc
}

// verifyToken verifies everything but revocation, the caller's address and the scopes.
func (i issuer) verifyToken(text, audience string) (*token, error) {
	if len(text) > maxToken {
		return nil, errors.New("it is too long")
	}
	kid, claims, err := i.verify(text, "at+jwt", audience)
	if err != nil {
		return nil, err
	}
	return readToken(kid, claims)
}

// verify verifies type, algorithm, signature, issuer and audience. It gives the kid of the key and the claims.
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
	// RFC 7515 §4.1.11: no extension is known here, so none may be critical.
	if _, isCritical := parsed.Header["crit"]; isCritical {
		return "", nil, errors.New("it has a critical extension")
	}
	// RFC 8725 §3.11: what is signed for another purpose is not for this one.
	if parsed.Header["typ"] != typ || claims["iat"] == nil {
		return "", nil, errors.New("it is of another kind")
	}
	return parsed.Header["kid"].(string), claims, nil
}

// Without a kid, keyfunc would try all keys.
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

// discover reads the issuer's metadata (RFC 8414), from the place that is right for issuers with and without a path.
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
		return found, fmt.Errorf("%s says that it is %s", name, found.Issuer)
	}
	return found, nil
}

// remoteKeys is the issuer's key set, read every five minutes. For a token whose kid isn't there it is read again
// once in 30 seconds at most; for the feed at once, since only the issuer chooses the kid of a document.
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

// fetch is one GET: the body, of limit bytes at most, and its entity tag.
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

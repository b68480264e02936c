// Claviger as the Go world sees it: tokens by golang.org/x/oauth2, verified by golang-jwt with keyfunc.
//
// The world comes from the environment (see ../README.md). One line for each check; exit code 1 when one failed.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const overwideScope = "admin:*"

var (
	issuer    = env("CLAVIGER_ISSUER")
	clientID  = env("CLAVIGER_CLIENT_ID")
	apiKey    = env("CLAVIGER_API_KEY")
	audience  = env("CLAVIGER_AUDIENCE")
	algorithm = env("CLAVIGER_ALGORITHM")
	cidrs     = strings.Fields(env("CLAVIGER_CIDRS"))
	scopes    = slices.Sorted(slices.Values(strings.Fields(env("CLAVIGER_SCOPES"))))

	metadata = discover()
	jwks     = loadKeys()
	failed   = 0
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "private-key" {
		privateKeys()
	} else {
		libraries()
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func libraries() {
	styles := []struct {
		name  string
		style oauth2.AuthStyle
	}{
		{"header", oauth2.AuthStyleInHeader},
		{"params", oauth2.AuthStyleInParams},
		{"auto-detect", oauth2.AuthStyleAutoDetect},
	}
	for _, s := range styles {
		check("x/oauth2, "+s.name+": a token, golang-jwt verifies it", func() error { return wholeToken(s.style) })
		check("x/oauth2, "+s.name+": narrowed by scope and resource", func() error { return narrowedToken(s.style) })
		check("x/oauth2, "+s.name+": a wrong secret is invalid_client", func() error { return wrongSecret(s.style) })
		check("x/oauth2, "+s.name+": an over-wide scope is invalid_scope", func() error { return overwide(s.style) })
	}

	check("golang-jwt: another audience is refused", refusesAudience)
	check("golang-jwt: another issuer is refused", refusesIssuer)
	check("golang-jwt: a widened scope is refused", refusesForgedClaims)
	check("golang-jwt: a changed signature is refused", refusesChangedSignature)
}

// Tokens, by x/oauth2

func client(style oauth2.AuthStyle) *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID:     clientID,
		ClientSecret: apiKey,
		TokenURL:     metadata.TokenEndpoint,
		AuthStyle:    style,
	}
}

func wholeToken(style oauth2.AuthStyle) error {
	token, err := client(style).Token(context.Background())
	if err != nil {
		return err
	}
	return expectToken(token, strings.Join(scopes, " "))
}

func narrowedToken(style oauth2.AuthStyle) error {
	narrow := scopes[len(scopes)-1]
	config := client(style)
	config.Scopes = []string{narrow}
	config.EndpointParams = url.Values{"resource": {audience}}
	token, err := config.Token(context.Background())
	if err != nil {
		return err
	}
	return expectToken(token, narrow)
}

func wrongSecret(style oauth2.AuthStyle) error {
	config := client(style)
	config.ClientSecret = changed(apiKey, len(apiKey)-1)
	return expectRefusal(config, "invalid_client")
}

func overwide(style oauth2.AuthStyle) error {
	config := client(style)
	config.Scopes = []string{overwideScope}
	return expectRefusal(config, "invalid_scope")
}

func expectRefusal(config *clientcredentials.Config, code string) error {
	_, err := config.Token(context.Background())
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("expected a RetrieveError, got %v", err)
	}
	return equal("error", refusal.ErrorCode, code)
}

func expectToken(token *oauth2.Token, scope string) error {
	claims, err := verify(token.AccessToken, audience, issuer)
	if err != nil {
		return err
	}
	return errors.Join(
		equal("token type", token.Type(), "Bearer"),
		equal("scope of the answer", token.Extra("scope"), any(scope)),
		equal("expires_in", token.Extra("expires_in"), any(float64(claims.ExpiresAt.Unix()-claims.IssuedAt.Unix()))),
		equal("sub", claims.Subject, clientID),
		equal("client_id", claims.ClientID, clientID),
		equal("aud", strings.Join(claims.Audience, " "), audience),
		equal("scope", claims.Scope, scope),
		equal("cidrs", strings.Join(claims.CIDRs, " "), strings.Join(cidrs, " ")),
	)
}

// Verification, by golang-jwt and keyfunc

type accessClaims struct {
	jwt.RegisteredClaims
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope"`
	CIDRs    []string `json:"cidrs"`
}

func verify(token, audience, issuer string) (*accessClaims, error) {
	claims := &accessClaims{}
	parsed, err := jwt.ParseWithClaims(token, claims, jwks.Keyfunc,
		jwt.WithValidMethods([]string{algorithm}),
		jwt.WithAudience(audience),
		jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithStrictDecoding(),
	)
	if err != nil {
		return nil, err
	}
	return claims, equal("typ", parsed.Header["typ"], any("at+jwt"))
}

func refusesAudience() error {
	token, err := goodToken()
	if err != nil {
		return err
	}
	_, err = verify(token, "https://other.example/api", issuer)
	return expectError(err, jwt.ErrTokenInvalidAudience)
}

func refusesIssuer() error {
	token, err := goodToken()
	if err != nil {
		return err
	}
	_, err = verify(token, audience, "https://other.example")
	return expectError(err, jwt.ErrTokenInvalidIssuer)
}

func refusesForgedClaims() error {
	token, err := goodToken()
	if err != nil {
		return err
	}
	parts := strings.Split(token, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return err
	}
	claims["scope"] = "*:*"
	forged, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	_, err = verify(parts[0]+"."+base64.RawURLEncoding.EncodeToString(forged)+"."+parts[2], audience, issuer)
	return expectError(err, jwt.ErrTokenSignatureInvalid)
}

func refusesChangedSignature() error {
	token, err := goodToken()
	if err != nil {
		return err
	}
	_, err = verify(changed(token, strings.LastIndex(token, ".")+10), audience, issuer)
	return expectError(err, jwt.ErrTokenSignatureInvalid)
}

func goodToken() (string, error) {
	token, err := client(oauth2.AuthStyleInHeader).Token(context.Background())
	if err != nil {
		return "", err
	}
	_, err = verify(token.AccessToken, audience, issuer)
	return token.AccessToken, err
}

// The world

type serverMetadata struct {
	Issuer        string `json:"issuer"`
	TokenEndpoint string `json:"token_endpoint"`
	JWKSURI       string `json:"jwks_uri"`
}

func discover() serverMetadata {
	response, err := http.Get(issuer + "/.well-known/oauth-authorization-server")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	var found serverMetadata
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		log.Fatalf("metadata: %v", err)
	}
	if found.Issuer != issuer {
		log.Fatalf("metadata: the issuer is %q, expected %q", found.Issuer, issuer)
	}
	return found
}

func loadKeys() keyfunc.Keyfunc {
	keys, err := keyfunc.NewDefault([]string{metadata.JWKSURI})
	if err != nil {
		log.Fatalf("JWKS: %v", err)
	}
	return keys
}

func env(name string) string {
	value := os.Getenv(name)
	if value == "" {
		log.Fatalf("%s is not set", name)
	}
	return value
}

// Checks

func check(name string, run func() error) {
	if err := run(); err != nil {
		failed++
		fmt.Printf("FAILED  %s\n%v\n", name, err)
		return
	}
	fmt.Printf("ok      %s\n", name)
}

func equal[T comparable](what string, found, expected T) error {
	if found == expected {
		return nil
	}
	return fmt.Errorf("%s is %v, expected %v", what, found, expected)
}

func expectError(found, expected error) error {
	if errors.Is(found, expected) {
		return nil
	}
	return fmt.Errorf("expected %q, got %v", expected, found)
}

// changed gives the text with another character at one place.
func changed(text string, at int) string {
	other := "a"
	if text[at] == 'a' {
		other = "b"
	}
	return text[:at] + other + text[at+1:]
}

package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const notForHere = "`aud` is not the issuer's URL alone"

// A client that holds a private key: x/oauth2 sends what golang-jwt signs. This is the type of docs/clients.md.
type signer struct {
	clientID, tokenURL, issuer string
	method                     jwt.SigningMethod
	key                        crypto.Signer
}

func (s signer) Token() (*oauth2.Token, error) {
	now := time.Now()
	assertion, err := jwt.NewWithClaims(s.method, jwt.RegisteredClaims{
		Issuer: s.clientID, Subject: s.clientID, Audience: jwt.ClaimStrings{s.issuer}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
	}).SignedString(s.key)
	if err != nil {
		return nil, err
	}
	config := clientcredentials.Config{
		ClientID: s.clientID, TokenURL: s.tokenURL, AuthStyle: oauth2.AuthStyleInParams,
		EndpointParams: url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {assertion},
		},
	}
	return config.Token(context.Background())
}

var pairs = []struct {
	method jwt.SigningMethod
	make   func() (crypto.Signer, error)
}{
	{jwt.SigningMethodES256, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }},
	{jwt.SigningMethodES384, func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) }},
	{jwt.SigningMethodEdDSA, func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}},
	{jwt.SigningMethodPS256, func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }},
	{jwt.SigningMethodRS256, func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }},
}

func privateKeys() {
	for _, pair := range pairs {
		name := "x/oauth2, " + pair.method.Alg() + ": a token by a registered key, refused once it is removed"
		check(name, func() error { return registered(pair.method, pair.make) })
	}
	check("x/oauth2: a source of tokens signs a new assertion for each", eachToken)
	check("x/oauth2: an assertion for the token endpoint needs the setting", forTokenEndpoint)
}

func registered(method jwt.SigningMethod, make func() (crypto.Signer, error)) error {
	first, err := make()
	if err != nil {
		return err
	}
	second, err := make()
	if err != nil {
		return err
	}
	key, err := newSigner(method, first)
	if err != nil {
		return err
	}
	byFirst, bySecond := holder(key, method, first), holder(key, method, second)
	if err := expectTokenOf(byFirst); err != nil {
		return err
	}
	body := map[string]string{"pem": publicPEM(second), "alg": method.Alg()}
	if err := management("POST", "keys/"+key.ID+"/public-keys", body, nil); err != nil {
		return err
	}
	if err := expectTokenOf(bySecond); err != nil {
		return err
	}
	if err := management("DELETE", "keys/"+key.ID+"/public-keys/"+key.PublicKeys[0].ID, nil, nil); err != nil {
		return err
	}
	return errors.Join(expectRefused(byFirst, "client authentication failed"), expectTokenOf(bySecond))
}

func eachToken() error {
	private, err := pairs[0].make()
	if err != nil {
		return err
	}
	key, err := newSigner(pairs[0].method, private)
	if err != nil {
		return err
	}
	// Each token has expired as soon as it is there.
	source := oauth2.ReuseTokenSourceWithExpiry(nil, holder(key, pairs[0].method, private), 24*time.Hour)
	first, err := source.Token()
	if err != nil {
		return err
	}
	second, err := source.Token()
	if err != nil {
		return err
	}
	return equal("whether the tokens differ", first.AccessToken != second.AccessToken, true)
}

func forTokenEndpoint() error {
	private, err := pairs[0].make()
	if err != nil {
		return err
	}
	key, err := newSigner(pairs[0].method, private)
	if err != nil {
		return err
	}
	client := holder(key, pairs[0].method, private)
	client.issuer = metadata.TokenEndpoint
	if env("CLAVIGER_ASSERTION_AUDIENCE") == "token-endpoint-too" {
		return expectTokenOf(client)
	}
	return expectRefused(client, notForHere)
}

func expectTokenOf(client signer) error {
	token, err := client.Token()
	if err != nil {
		return err
	}
	claims, err := verify(token.AccessToken, audience, issuer)
	if err != nil {
		return err
	}
	return errors.Join(
		equal("sub", claims.Subject, client.clientID),
		equal("client_id", claims.ClientID, client.clientID),
		equal("scope", claims.Scope, "read:*"),
	)
}

func expectRefused(client signer, description string) error {
	_, err := client.Token()
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("expected a RetrieveError, got %v", err)
	}
	if !strings.Contains(refusal.ErrorDescription, description) {
		return fmt.Errorf("expected %q in %q", description, refusal.ErrorDescription)
	}
	return equal("error", refusal.ErrorCode, "invalid_client")
}

func holder(key signerKey, method jwt.SigningMethod, private crypto.Signer) signer {
	return signer{key.ID, metadata.TokenEndpoint, issuer, method, private}
}

// Keys without a secret

type signerKey struct {
	ID         string `json:"id"`
	PublicKeys []struct {
		ID string `json:"id"`
	} `json:"public_keys"`
}

// newSigner makes a key whose public key is a JWK.
func newSigner(method jwt.SigningMethod, private crypto.Signer) (signerKey, error) {
	options := jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{ALG: jwkset.ALG(method.Alg())}}
	jwk, err := jwkset.NewJWKFromKey(private.Public(), options)
	if err != nil {
		return signerKey{}, err
	}
	var key signerKey
	err = management("POST", "keys", map[string]any{
		"name": "signer", "project": "default", "environment": "prd", "preset": "query_only",
		"secret": false, "public_keys": []any{map[string]any{"jwk": jwk.Marshal()}},
	}, &key)
	return key, err
}

func publicPEM(private crypto.Signer) string {
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// management asks the management API of the organization, as its administrator.
func management(method, path string, body, answer any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, issuer+"/v1/orgs/default/"+path, &content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+env("CLAVIGER_ADMIN_KEY"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, path, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

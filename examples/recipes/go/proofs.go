package main

// Verifies proofs of possession (DPoP, RFC 9449): that the sender of a bound token has the key that it is bound to.

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

const (
	proofWindow = 60      // seconds by which iat may differ from now
	maxProofID  = 256     // characters of jti
	maxProofs   = 100_000 // that are remembered
)

// Ed25519 is another name of EdDSA.
var proofAlgorithms = []string{"ES256", "ES384", "EdDSA", "PS256", "RS256"}

func init() {
	jwt.RegisterSigningMethod("Ed25519", func() jwt.SigningMethod { return jwt.SigningMethodEdDSA })
}

// A proof that its sender has the key with this thumbprint.
type proof struct{ thumbprint, id string }

// A proven is the request that a proof came with. There is no token at a token endpoint.
type proven struct {
	method, url string
	token       *string
}

// verifyProof checks a proof against the request that it came with (§4.3). now is in seconds.
func verifyProof(text string, request proven, now int64) (*proof, error) {
	if len(text) > maxToken {
		return nil, errors.New("it is too long")
	}
	claims := jwt.MapClaims{}
	var thumbprint string
	keyOf := func(parsed *jwt.Token) (any, error) {
		key, print, err := embeddedKey(parsed.Header)
		thumbprint = print
		return key, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods(proofAlgorithms), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	if _, err := parser.ParseWithClaims(text, claims, keyOf); err != nil {
		return nil, err
	}
	r := reader{claims: claims}
	id := r.text("jti")
	if utf8.RuneCountInString(id) > maxProofID {
		return nil, errors.New("jti is too long")
	}
	target, ok := normalURL(r.text("htu"))
	if expected, _ := normalURL(request.url); !ok || target != expected || r.text("htm") != request.method {
		return nil, errors.New("it is for another request")
	}
	if err := checkTimes(&r, now); err != nil {
		return nil, err
	}
	if request.token != nil {
		hash := sha256.Sum256([]byte(*request.token))
		if r.text("ath") != base64.RawURLEncoding.EncodeToString(hash[:]) {
			return nil, errors.New("it is for another token")
		}
	}
	return &proof{thumbprint, id}, r.fault
}

func checkTimes(r *reader, now int64) error {
	issued := r.number("iat")
	if issued < now-proofWindow || issued > now+proofWindow {
		return errors.New("it is too old, or of the future")
	}
	if _, given := r.claims["exp"]; given && r.number("exp") <= now {
		return errors.New("it has expired")
	}
	if _, given := r.claims["nbf"]; given && r.number("nbf") > now+proofWindow {
		return errors.New("it is of the future")
	}
	return nil
}

// embeddedKey is the public key in a proof's header, and its thumbprint (RFC 7638).
func embeddedKey(header map[string]any) (any, string, error) {
	typ, _ := header["typ"].(string)
	if strings.TrimPrefix(strings.ToLower(typ), "application/") != "dpop+jwt" {
		return nil, "", errors.New("it has another type")
	}
	for _, name := range []string{"crit", "jku", "x5u", "x5c", "b64"} {
		if _, given := header[name]; given {
			return nil, "", fmt.Errorf("its header has %s", name)
		}
	}
	members, _ := header["jwk"].(map[string]any)
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, given := members[name]; given {
			return nil, "", errors.New("its key is not public")
		}
	}
	names := map[any][]string{"EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}, "RSA": {"e", "kty", "n"}}[members["kty"]]
	if use, given := members["use"]; names == nil || given && use != "sig" {
		return nil, "", errors.New("it has no public key for signatures")
	}
	bare := map[string]any{}
	for _, name := range names {
		bare[name] = members[name]
	}
	// The members are sorted by name.
	raw, err := json.Marshal(bare)
	if err != nil {
		return nil, "", err
	}
	jwk, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, "", err
	}
	if !fits(jwk.Key(), header["alg"]) {
		return nil, "", errors.New("its key is for another algorithm")
	}
	hash := sha256.Sum256(raw)
	return jwk.Key(), base64.RawURLEncoding.EncodeToString(hash[:]), nil
}

func fits(key, algorithm any) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return algorithm == map[string]string{"P-256": "ES256", "P-384": "ES384"}[key.Params().Name]
	case ed25519.PublicKey:
		return algorithm == "EdDSA" || algorithm == "Ed25519"
	case *rsa.PublicKey:
		return key.N.BitLen() >= 2048 && (algorithm == "PS256" || algorithm == "RS256")
	default:
		return false
	}
}

var (
	httpURL = regexp.MustCompile(`^(?i:(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._~-]+))(?::([0-9]*))?(/[!-~]*)?$`)
	escape  = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

// normalURL is the form in which two URLs are compared (RFC 3986 §6.2.2, §6.2.3).
func normalURL(text string) (string, bool) {
	if end := strings.IndexAny(text, "?#"); end >= 0 {
		text = text[:end]
	}
	parts := httpURL.FindStringSubmatch(text)
	if parts == nil || strings.Contains(escape.ReplaceAllString(parts[4], ""), "%") {
		return "", false
	}
	scheme, host := strings.ToLower(parts[1]), strings.ToLower(parts[2])
	port, _ := strconv.Atoi(parts[3])
	if port == 0 {
		port = map[string]int{"http": 80, "https": 443}[scheme]
	}
	// Escapes stay only where they are necessary.
	path := escape.ReplaceAllStringFunc(parts[4], func(escaped string) string {
		character, err := url.PathUnescape(escaped)
		if err == nil && regexp.MustCompile(`^[A-Za-z0-9._~-]$`).MatchString(character) {
			return character
		}
		return strings.ToUpper(escaped)
	})
	if path == "" {
		path = "/"
	}
	return fmt.Sprintf("%s://%s:%d%s", scheme, host, port, path), true
}

// usedProofs are the proofs that were used and are still valid, so that each is accepted once (§11.1).
type usedProofs struct {
	mutex sync.Mutex
	until map[proof]int64
}

// use is an error if the proof was used before, or too many are remembered.
func (u *usedProofs) use(p proof, now int64) error {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if len(u.until) >= maxProofs {
		for used, until := range u.until {
			if until <= now {
				delete(u.until, used)
			}
		}
	}
	if u.until[p] > now || len(u.until) >= maxProofs {
		return errors.New("the proof was used before")
	}
	if u.until == nil {
		u.until = map[proof]int64{}
	}
	// No proof is accepted for longer.
	u.until[p] = now + 2*proofWindow + 1
	return nil
}

//! Proofs of possession: the examples of RFC 9449, and `tests/vectors/dpop.json`, which this file makes.
//!
//! `CLAVIGER_WRITE_VECTORS=1 cargo test --test signatures proofs` writes the file anew. Signatures that are still good stay.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::clock::Timestamp;
use claviger::jose::dpop::{ALGORITHMS, ExpectedProof, ProofFault, TargetUri, verify_proof};
use claviger::jose::foreign::{Algorithm, Jws};
use ring::digest::{SHA256, digest};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    RsaPublicKeyComponents,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const FILE: &str = "tests/vectors/dpop.json";

const NOW: i64 = 1_800_000_000;
const URL: &str = "https://api.example.com/orders/7";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

/// One row: a request with a proof, and whether it is accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    name: String,
    method: String,
    url: String,
    token: Option<String>,
    algorithms: Option<Vec<String>>,
    nonces: Option<Vec<String>>,
    at: i64,
    proof: String,
    thumbprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    requests: Vec<Row>,
    targets: Vec<Target>,
}

/// Two URLs, and whether a proof for the first is one for the second.
#[derive(Serialize, Deserialize)]
struct Target {
    htu: String,
    url: String,
    same: bool,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL.encode(bytes)
}

fn der(file: &str) -> PrivatePkcs8KeyDer<'static> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/pem").join(file);
    PrivatePkcs8KeyDer::from_pem_file(path).unwrap()
}

/// A private key, and its public half as JSON.
enum Key {
    Ec(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl Key {
    fn of(algorithm: &str) -> Self {
        let random = SystemRandom::new();
        let rsa = |encoding| {
            Self::Rsa(RsaKeyPair::from_pkcs8(der("rsa-2048.pem").secret_pkcs8_der()).unwrap(), encoding)
        };
        let ec = |signing, file, curve| {
            Self::Ec(EcdsaKeyPair::from_pkcs8(signing, der(file).secret_pkcs8_der(), &random).unwrap(), curve)
        };
        match algorithm {
            "ES256" => ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "p256.pem", "P-256"),
            "ES384" => ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "p384.pem", "P-384"),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "RS512" => rsa(&RSA_PKCS1_SHA512),
            _ => Self::Ed25519(
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(der("ed25519.pem").secret_pkcs8_der()).unwrap(),
            ),
        }
    }

    fn jwk(&self) -> Value {
        match self {
            Self::Ec(pair, curve) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": b64(x), "y": b64(y) })
            }
            Self::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key()) }),
            Self::Rsa(pair, _) => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": b64(n), "e": b64(e) })
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A proof before it is signed, and the request that it comes with.
#[derive(Clone)]
struct Case {
    row: Row,
    header: Value,
    claims: Value,
    signed_with: &'static str,
}

/// A good proof with `algorithm` for a request with a token.
fn good(name: &str, algorithm: &'static str) -> Case {
    let row = Row {
        name: name.to_owned(),
        method: "GET".to_owned(),
        url: URL.to_owned(),
        token: Some(TOKEN.to_owned()),
        algorithms: None,
        nonces: None,
        at: NOW,
        proof: String::new(),
        thumbprint: None,
        why: None,
    };
    Case {
        row,
        header: json!({ "typ": "dpop+jwt", "alg": algorithm, "jwk": Key::of(algorithm).jwk() }),
        claims: json!({
            "jti": "-BwC3ESc6acc2lTc", "htm": "GET", "htu": URL, "iat": NOW, "ath": b64(digest(&SHA256, TOKEN.as_bytes())),
        }),
        signed_with: algorithm,
    }
}

impl Case {
    fn request(mut self, change: impl FnOnce(&mut Row)) -> Self {
        change(&mut self.row);
        self
    }

    fn header(mut self, member: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, member, value.into());
        self
    }

    fn claim(mut self, member: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, member, value.into());
        self
    }

    fn signed_with(self, algorithm: &'static str) -> Self {
        Self { signed_with: algorithm, ..self }
    }

    /// The row with its proof: the same as `earlier`, as long as that has the same text under its signature.
    fn signed(self, earlier: Option<&Row>) -> Row {
        let input = format!("{}.{}", b64(self.header.to_string()), b64(self.claims.to_string()));
        let earlier = earlier.map(|row| row.proof.as_str());
        let kept = earlier.filter(|proof| proof.rsplit_once('.').is_some_and(|(signed, _)| signed == input));
        let proof = match (kept, self.signed_with) {
            (Some(kept), "ES256" | "ES384" | "PS256") => kept.to_owned(),
            (_, "none") => format!("{input}."),
            (_, "HS256") => {
                let public = self.header["jwk"].to_string();
                let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
                format!("{input}.{}", b64(hmac::sign(&key, input.as_bytes())))
            }
            (_, algorithm) => format!("{input}.{}", b64(Key::of(algorithm).sign(input.as_bytes()))),
        };
        judged(Row { proof, ..self.row })
    }
}

/// `null` takes a member away.
fn set(object: &mut Value, member: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(member)),
        value => drop(members.insert(member.to_owned(), value)),
    }
}

fn verdict(row: &Row) -> Result<String, ProofFault> {
    let algorithms = row
        .algorithms
        .as_ref()
        .map(|names| names.iter().map(|name| name.parse::<Algorithm>().unwrap()).collect::<Vec<_>>());
    let expected = ExpectedProof {
        method: &row.method,
        target: &TargetUri::parse(&row.url).unwrap(),
        token: row.token.as_deref(),
        algorithms: algorithms.as_deref().unwrap_or(&ALGORITHMS),
        nonces: row.nonces.as_deref(),
        now: Timestamp::from_unix(row.at),
    };
    verify_proof(&row.proof, &expected).map(|proof| proof.thumbprint().to_string())
}

fn judged(row: Row) -> Row {
    let (thumbprint, why) = match verdict(&row) {
        Ok(thumbprint) => (Some(thumbprint), None),
        Err(fault) => (None, Some(fault.to_string())),
    };
    Row { thumbprint, why, ..row }
}

/// The examples of RFC 9449, as they are printed there.
fn published() -> Vec<Row> {
    let jwk = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
    let row = |name: &str, method: &str, url: &str, token: Option<&str>, at, rest: &str| Row {
        method: method.to_owned(),
        url: url.to_owned(),
        token: token.map(str::to_owned),
        at,
        proof: format!("{jwk}.{rest}"),
        ..good(name, "EdDSA").row
    };
    [
        row(
            "RFC 9449, section 4.1: a token request",
            "POST",
            "https://server.example.com/token",
            None,
            1_562_262_616,
            "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
        ),
        row(
            "RFC 9449, section 7.1: a protected resource request",
            "GET",
            "https://resource.example.org/protectedresource",
            Some(TOKEN),
            1_562_262_618,
            "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
        ),
    ]
    .map(judged)
    .to_vec()
}

fn accepted() -> Vec<Case> {
    let ed = |name| good(name, "EdDSA");
    let mut cases: Vec<Case> = ["ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"]
        .into_iter()
        .map(|algorithm| good(&format!("the algorithm {algorithm}"), algorithm))
        .collect();
    cases.extend([
        ed("a token request has no token, and no ath")
            .request(|row| row.token = None)
            .claim("ath", Value::Null),
        ed("a token request may have an ath all the same").request(|row| row.token = None),
        ed("the type in another case and with its prefix").header("typ", "application/DPoP+JWT"),
        ed("other members in the header").header("kid", "phone").header("iss", "x"),
        ed("the JWK names its purpose").header("jwk", {
            let mut jwk = Key::of("EdDSA").jwk();
            for (member, value) in [("use", "sig"), ("alg", "EdDSA")] {
                set(&mut jwk, member, value.into());
            }
            jwk
        }),
        ed("query and fragment of htu count for nothing").claim("htu", format!("{URL}?expand=1#a")),
        ed("query of the request counts for nothing").request(|row| row.url.push_str("?expand=1")),
        ed("made 60 seconds ago").claim("iat", NOW - 60),
        ed("made 60 seconds ahead").claim("iat", NOW + 60),
        ed("an exp in the future").claim("exp", NOW + 1),
        ed("an nbf in the past").claim("nbf", NOW),
        ed("a jti of 256 characters").claim("jti", "a".repeat(256)),
        ed("a nonce where none is required").claim("nonce", "whatever"),
        ed("the current nonce")
            .request(|row| row.nonces = Some(vec!["b".into(), "a".into()]))
            .claim("nonce", "b"),
        ed("the nonce before")
            .request(|row| row.nonces = Some(vec!["b".into(), "a".into()]))
            .claim("nonce", "a"),
    ]);
    cases
}

fn refused() -> Vec<Case> {
    let ed = |name| good(name, "EdDSA");
    let mut private = Key::of("EdDSA").jwk();
    set(&mut private, "d", b64([7; 32]).into());
    let mut weak = Key::of("RS256").jwk();
    set(&mut weak, "n", b64([0xff; 128]).into());
    let mut cases = vec![
        ed("no typ").header("typ", Value::Null),
        ed("the type of an access token").header("typ", "at+jwt"),
        ed("the type of any JWT").header("typ", "JWT"),
        ed("the type of a client's assertion").header("typ", "client-authentication+jwt"),
        ed("no alg").header("alg", Value::Null),
        ed("alg none").header("alg", "none").signed_with("none"),
        ed("alg none with the right signature").header("alg", "none"),
        ed("HMAC with the public key").header("alg", "HS256").signed_with("HS256"),
        good("RS512", "RS512"),
        ed("an algorithm that is not accepted here")
            .request(|row| row.algorithms = Some(vec!["ES256".into(), "PS256".into()])),
        ed("alg of another kind of key").header("alg", "ES256"),
        ed("no jwk").header("jwk", Value::Null),
        ed("jwk is a text").header("jwk", "key"),
        ed("jwk has the private key").header("jwk", private),
        ed("jwk is symmetric").header("jwk", json!({ "kty": "oct", "k": b64([7; 32]) })),
        good("jwk is an RSA key of 1024 bits", "RS256").header("jwk", weak),
        ed("jwk is another key").header("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": b64([7; 32]) })),
        ed("jwk is for encryption").header("jwk", {
            let mut jwk = Key::of("EdDSA").jwk();
            set(&mut jwk, "use", "enc".into());
            jwk
        }),
        ed("crit").header("crit", json!(["exp"])),
        ed("jku beside jwk").header("jku", "https://attacker.example/jwks.json"),
        ed("x5c beside jwk").header("x5c", json!(["AAAA"])),
        ed("no htm").claim("htm", Value::Null),
        ed("another method").claim("htm", "POST"),
        ed("the method in small letters").claim("htm", "get"),
        ed("no htu").claim("htu", Value::Null),
        ed("htu is a path").claim("htu", "/orders/7"),
        ed("htu has a user name").claim("htu", "https://user@api.example.com/orders/7"),
        ed("htu has another scheme").claim("htu", "http://api.example.com/orders/7"),
        ed("htu has another host").claim("htu", "https://api.example.com.attacker.example/orders/7"),
        ed("htu has another port").claim("htu", "https://api.example.com:8443/orders/7"),
        ed("htu has another path").claim("htu", "https://api.example.com/orders/8"),
        ed("htu has a slash more").claim("htu", format!("{URL}/")),
        ed("htu is the origin alone").claim("htu", "https://api.example.com"),
        ed("no iat").claim("iat", Value::Null),
        ed("iat is a text").claim("iat", NOW.to_string()),
        ed("iat in milliseconds").claim("iat", NOW * 1000),
        ed("made 61 seconds ago").claim("iat", NOW - 61),
        ed("made 61 seconds ahead").claim("iat", NOW + 61),
        ed("an exp that is over").claim("exp", NOW),
        ed("an nbf far in the future").claim("nbf", NOW + 61),
        ed("no jti").claim("jti", Value::Null),
        ed("an empty jti").claim("jti", ""),
        ed("a jti of 257 characters").claim("jti", "a".repeat(257)),
        ed("jti is a number").claim("jti", 1),
        ed("no ath").claim("ath", Value::Null),
        ed("an empty ath").claim("ath", ""),
        ed("ath of another token").claim("ath", b64(digest(&SHA256, b"another token"))),
        ed("ath in hexadecimal").claim("ath", "7c7507cb6af6677299e77"),
        ed("no nonce").request(|row| row.nonces = Some(vec!["b".into(), "a".into()])),
        ed("an old nonce").request(|row| row.nonces = Some(vec!["b".into(), "a".into()])).claim("nonce", "c"),
    ];
    cases.extend(["ES256", "PS256"].map(|other| {
        good(&format!("{other} over a key of another kind"), "EdDSA").header("alg", other).signed_with(other)
    }));
    cases
}

/// Proofs that are not three parts, or whose signature was changed.
fn mangled() -> Vec<Row> {
    let whole = good("", "EdDSA").signed(None);
    let (signed, signature) = whole.proof.rsplit_once('.').unwrap();
    let mut other = BASE64URL.decode(signature).unwrap();
    other[10] ^= 1;
    [
        ("a changed signature", format!("{signed}.{}", b64(other))),
        ("an empty signature", format!("{signed}.")),
        ("two parts", signed.to_owned()),
        ("padding", format!("{}=", whole.proof)),
        ("an access token in place of a proof", TOKEN.to_owned()),
        ("nothing", String::new()),
    ]
    .map(|(name, proof)| judged(Row { name: name.to_owned(), proof, ..whole.clone() }))
    .to_vec()
}

fn targets() -> Vec<Target> {
    let same = [
        ("https://api.example.com/orders/7", "https://api.example.com/orders/7"),
        ("HTTPS://API.example.com:443/orders/7?a#b", "https://api.example.com/orders/7"),
        ("https://api.example.com", "https://api.example.com/"),
        ("https://api.example.com/%7euser/%c3%a9", "https://api.example.com/~user/%C3%A9"),
        ("http://[::1]:80/a", "http://[::1]/a"),
    ];
    let other = [
        ("https://api.example.com/orders/7/", "https://api.example.com/orders/7"),
        ("https://api.example.com/Orders/7", "https://api.example.com/orders/7"),
        ("http://api.example.com/orders/7", "https://api.example.com/orders/7"),
        ("https://api.example.com/orders%2F7", "https://api.example.com/orders/7"),
        ("https://api.example.com/a/../orders/7", "https://api.example.com/orders/7"),
        ("https://api.example.com//orders/7", "https://api.example.com/orders/7"),
        ("https://api.example.com./orders/7", "https://api.example.com/orders/7"),
        ("//api.example.com/orders/7", "https://api.example.com/orders/7"),
        ("api.example.com/orders/7", "https://api.example.com/orders/7"),
        ("", "https://api.example.com/"),
    ];
    let row =
        |same| move |(htu, url): (&str, &str)| Target { htu: htu.to_owned(), url: url.to_owned(), same };
    same.map(row(true)).into_iter().chain(other.map(row(false))).collect()
}

/// One row in a line.
fn written(file: &File) -> String {
    let lines = |rows: Vec<String>| rows.join(",\n    ");
    let requests = lines(file.requests.iter().map(|row| serde_json::to_string(row).unwrap()).collect());
    let targets = lines(file.targets.iter().map(|row| serde_json::to_string(row).unwrap()).collect());
    format!("{{\n  \"requests\": [\n    {requests}\n  ],\n  \"targets\": [\n    {targets}\n  ]\n}}\n")
}

#[test]
fn the_vectors_say_what_is_decided() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let there = fs::read_to_string(&path).unwrap_or_default();
    let earlier: Vec<Row> = serde_json::from_str(&there).map_or(Vec::new(), |file: File| file.requests);
    let signed = |case: Case| {
        let earlier = earlier.iter().find(|row| row.name == case.row.name);
        case.signed(earlier)
    };
    let (accepted, refused) = (accepted(), refused());
    let accepted: Vec<Row> = published().into_iter().chain(accepted.into_iter().map(signed)).collect();
    let refused: Vec<Row> = refused.into_iter().map(signed).chain(mangled()).collect();
    for row in &accepted {
        assert_eq!(row.why, None, "{}", row.name);
    }
    for row in &refused {
        assert_eq!(row.thumbprint, None, "{}", row.name);
    }
    let file = File { requests: [accepted, refused].concat(), targets: targets() };
    if std::env::var_os("CLAVIGER_WRITE_VECTORS").is_some() {
        fs::write(&path, written(&file)).unwrap();
    } else {
        assert!(there == written(&file), "{FILE} differs from what this file makes");
    }
    for Target { htu, url, same } in file.targets {
        let url = TargetUri::parse(&url).unwrap();
        assert_eq!(TargetUri::parse(&htu) == Some(url), same, "{htu}");
    }
}

#[test]
fn the_published_examples_are_accepted() {
    for row in published() {
        // RFC 9449 §6.1 prints the thumbprint.
        assert_eq!(
            verdict(&row).as_deref(),
            Ok("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
            "{}",
            row.name
        );
    }
}

#[test]
fn rsa_keys_of_every_size_fit_into_a_proof() {
    for size in ["rsa-4096.pem", "rsa-8192.pem"] {
        let pair = RsaKeyPair::from_pkcs8(der(size).secret_pkcs8_der());
        // ring signs with up to 4096 bits, and verifies with up to 8192.
        let Ok(pair) = pair else { continue };
        let key = Key::Rsa(pair, &RSA_PSS_SHA256);
        let case = good(size, "PS256").header("jwk", key.jwk());
        let input = format!("{}.{}", b64(case.header.to_string()), b64(case.claims.to_string()));
        let row = Row { proof: format!("{input}.{}", b64(key.sign(input.as_bytes()))), ..case.row };
        assert!(verdict(&row).is_ok(), "{size}");
    }
}

#[test]
fn the_first_rule_that_a_proof_breaks_is_named() {
    let fault = |case: Case| verdict(&case.signed(None)).unwrap_err();
    let ed = || good("", "EdDSA");
    for (case, expected) in [
        (ed().claim("htm", "POST").claim("htu", "x"), ProofFault::Method),
        (ed().claim("htu", "x"), ProofFault::NotAUrl),
        (ed().claim("iat", NOW - 61), ProofFault::Stale),
        (ed().claim("iat", NOW + 61), ProofFault::IssuedInFuture),
        (ed().claim("ath", Value::Null), ProofFault::Missing("ath")),
        (ed().claim("jti", Value::Null).claim("htm", Value::Null), ProofFault::Missing("jti")),
        (
            ed().header("typ", "JWT").header("alg", "ES256"),
            ProofFault::Jws(
                Jws::parse_with_jwk(&ed().header("alg", "ES256").signed(None).proof).unwrap_err(),
            ),
        ),
    ] {
        assert_eq!(fault(case), expected);
    }
    let nonces = |case: Case| case.request(|row| row.nonces = Some(vec!["a".into()]));
    for fault in [fault(nonces(ed())), fault(nonces(ed().claim("nonce", "b")))] {
        assert!(fault.wants_nonce(), "{fault}");
    }
    assert!(!fault(nonces(ed().claim("htm", "POST"))).wants_nonce());
}

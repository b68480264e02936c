"""Clients that hold a private key, as the Python world knows them: Authlib signs the assertions, PyJWT verifies the tokens.

The world comes from the environment (see ../README.md). One line for each check; exit code 1 when one failed.
"""

import os
import sys

import jwt
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from joserfc.jwk import ECKey, OKPKey, RSAKey

from world import FAILED, ISSUER, METADATA, check, equal, management, raises

TAKES_TOKEN_ENDPOINT = os.environ["CLAVIGER_ASSERTION_AUDIENCE"] == "token-endpoint-too"
TOKEN_ENDPOINT = METADATA["token_endpoint"]
JWKS = jwt.PyJWKClient(METADATA["jwks_uri"])

PAIRS = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "ES384": lambda: ECKey.generate_key("P-384"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
    "PS256": lambda: RSAKey.generate_key(2048),
    "RS256": lambda: RSAKey.generate_key(2048),
}

NOT_FOR_HERE = "`aud` is not the issuer's URL alone"
TOO_LONG = "`exp` is more than 300 seconds in the future"


class ShortAssertion(PrivateKeyJWT):
    """The class of docs/clients.md: assertions of a minute, where Authlib's own last an hour."""

    def sign(self, auth, token_endpoint):
        return private_key_jwt_sign(
            auth.client_secret, auth.client_id, token_endpoint, alg=self.alg, expires_in=60
        )


def main() -> int:
    for algorithm in PAIRS:
        check(f"Authlib, {algorithm}: a token by a registered key, refused once it is removed", registered, algorithm)
    check("Authlib as it comes: the assertion is refused", as_it_comes)
    check("Authlib for the issuer as it comes: the assertion lasts too long", for_the_issuer)
    check("Authlib for the token endpoint: it needs the setting", for_the_token_endpoint)
    return 1 if FAILED else 0


def registered(algorithm: str) -> None:
    first, second = PAIRS[algorithm](), PAIRS[algorithm]()
    key = new_key({"jwk": {**first.as_dict(private=False), "alg": algorithm}})
    by_first = session(key, first, ShortAssertion(ISSUER, alg=algorithm))
    # Each request has an assertion of its own.
    for _ in range(2):
        expect_token(by_first, key)

    pem = second.as_pem(private=False).decode()
    management("POST", f"keys/{key['id']}/public-keys", {"pem": pem, "alg": algorithm})
    by_second = session(key, second, ShortAssertion(ISSUER, alg=algorithm))
    expect_token(by_second, key)

    management("DELETE", f"keys/{key['id']}/public-keys/{key['public_keys'][0]['id']}")
    expect_refusal(by_first, "client authentication failed")
    expect_token(by_second, key)


def as_it_comes() -> None:
    expect_refusal(by_es256(PrivateKeyJWT(alg="ES256")), TOO_LONG if TAKES_TOKEN_ENDPOINT else NOT_FOR_HERE)


def for_the_issuer() -> None:
    expect_refusal(by_es256(PrivateKeyJWT(ISSUER, alg="ES256")), TOO_LONG)


def for_the_token_endpoint() -> None:
    client = by_es256(ShortAssertion(alg="ES256"))
    if TAKES_TOKEN_ENDPOINT:
        client.fetch_token()
    else:
        expect_refusal(client, NOT_FOR_HERE)


def by_es256(method: PrivateKeyJWT) -> OAuth2Session:
    pair = PAIRS["ES256"]()
    return session(new_key({"jwk": pair.as_dict(private=False)}), pair, method)


def new_key(public_key: dict) -> dict:
    """A key without a secret."""
    new = {"name": "signer", "project": "default", "environment": "prd", "preset": "query_only"}
    return management("POST", "keys", {**new, "secret": False, "public_keys": [public_key]})


def session(key: dict, private_key, method: PrivateKeyJWT) -> OAuth2Session:
    client = OAuth2Session(
        key["id"],
        private_key,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint=TOKEN_ENDPOINT,
        grant_type="client_credentials",
    )
    client.register_client_auth_method(method)
    return client


def expect_token(client: OAuth2Session, key: dict) -> None:
    token = client.fetch_token()["access_token"]
    claims = jwt.decode(
        token,
        JWKS.get_signing_key_from_jwt(token),
        algorithms=[os.environ["CLAVIGER_ALGORITHM"]],
        audience=os.environ["CLAVIGER_AUDIENCE"],
        issuer=ISSUER,
    )
    equal("sub", claims["sub"], key["id"])
    equal("client_id", claims["client_id"], key["id"])
    equal("scope", claims["scope"], "read:*")


def expect_refusal(client: OAuth2Session, description: str) -> None:
    error = raises(OAuthError, client.fetch_token)
    equal("error", error.error, "invalid_client")
    equal(f"{description!r} is in {error.description!r}", description in error.description, True)


sys.exit(main())

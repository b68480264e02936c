"""Claviger as the Python world sees it: tokens by Authlib and Requests-OAuthlib, verified by PyJWT.

The world comes from the environment (see ../README.md). One line for each check; exit code 1 when one failed.
"""

import base64
import json
import os
import sys

# OAuthlib speaks to https only, unless told; the server under test is on loopback.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import jwt
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError
from requests_oauthlib import OAuth2Session as RequestsSession

from world import FAILED, ISSUER, METADATA, check, equal, management, raises

CLIENT_ID = os.environ["CLAVIGER_CLIENT_ID"]
API_KEY = os.environ["CLAVIGER_API_KEY"]
AUDIENCE = os.environ["CLAVIGER_AUDIENCE"]
ALGORITHM = os.environ["CLAVIGER_ALGORITHM"]
CIDRS = os.environ["CLAVIGER_CIDRS"].split()
RESOURCE_SERVER_ID = os.environ["CLAVIGER_RS_CLIENT_ID"]
RESOURCE_SERVER_KEY = os.environ["CLAVIGER_RS_API_KEY"]

SCOPE = " ".join(sorted(os.environ["CLAVIGER_SCOPES"].split()))
NARROW_SCOPE = SCOPE.split()[-1]
OVERWIDE_SCOPE = "admin:*"
WRONG_KEY = API_KEY[:-1] + ("a" if API_KEY[-1] != "a" else "b")

JWKS = jwt.PyJWKClient(METADATA["jwks_uri"])


def main() -> int:
    for method in ("client_secret_basic", "client_secret_post"):
        check(f"Authlib, {method}: a token, PyJWT verifies it", authlib_token, method)
        check(f"Authlib, {method}: narrowed by scope and resource", authlib_narrowed, method)
        check(f"Authlib, {method}: a wrong secret is invalid_client", authlib_wrong_secret, method)
        check(f"Authlib, {method}: introspection, revocation, inactive", authlib_revocation, method)
    check("Authlib: an over-wide scope is invalid_scope", authlib_overwide)

    for method in ("Basic", "body"):
        check(f"Requests-OAuthlib, {method}: a token, PyJWT verifies it", requests_token, method)
        check(f"Requests-OAuthlib, {method}: narrowed by scope and resource", requests_narrowed, method)
        check(f"Requests-OAuthlib, {method}: a wrong secret is invalid_client", requests_wrong_secret, method)
    check("Requests-OAuthlib: an over-wide scope is invalid_scope", requests_overwide)
    check("Requests-OAuthlib: a scope in its long form comes back as it was asked for", requests_long_form)
    check("Requests-OAuthlib: a short form comes back long, for which it has a setting", requests_short_form)
    check("Requests-OAuthlib: scopes joined by commas are refused", requests_commas)

    check("PyJWT: another audience is refused", refuses_audience)
    check("PyJWT: another issuer is refused", refuses_issuer)
    check("PyJWT: a widened scope is refused", refuses_forged_claims)
    check("PyJWT: a changed signature is refused", refuses_changed_signature)
    return 1 if FAILED else 0


# Authlib


def authlib_session(method: str, key: str = API_KEY) -> AuthlibSession:
    return AuthlibSession(
        CLIENT_ID,
        key,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        token_endpoint=METADATA["token_endpoint"],
        grant_type="client_credentials",
    )


def authlib_token(method: str) -> None:
    expect_token(authlib_session(method).fetch_token(), SCOPE)


def authlib_narrowed(method: str) -> None:
    token = authlib_session(method).fetch_token(scope=NARROW_SCOPE, resource=AUDIENCE)
    expect_token(token, NARROW_SCOPE)


def authlib_wrong_secret(method: str) -> None:
    error = raises(OAuthError, lambda: authlib_session(method, WRONG_KEY).fetch_token())
    equal("error", error.error, "invalid_client")


def authlib_overwide() -> None:
    session = authlib_session("client_secret_basic")
    error = raises(OAuthError, lambda: session.fetch_token(scope=OVERWIDE_SCOPE))
    equal("error", error.error, "invalid_scope")


def authlib_revocation(method: str) -> None:
    client = authlib_session(method)
    token = client.fetch_token()["access_token"]

    before = authlib_introspection(method, token)
    equal("active", before["active"], True)
    equal("introspected sub", before["sub"], CLIENT_ID)
    equal("introspected client_id", before["client_id"], CLIENT_ID)
    equal("introspected scope", before["scope"], SCOPE)

    revoked = client.revoke_token(METADATA["revocation_endpoint"], token, token_type_hint="access_token")
    equal("revocation status", revoked.status_code, 200)
    equal("introspection after revocation", authlib_introspection(method, token), {"active": False})


def authlib_introspection(method: str, token: str) -> dict:
    resource_server = AuthlibSession(
        RESOURCE_SERVER_ID, RESOURCE_SERVER_KEY, token_endpoint_auth_method=method
    )
    answer = resource_server.introspect_token(METADATA["introspection_endpoint"], token)
    equal("introspection status", answer.status_code, 200)
    return answer.json()


# Requests-OAuthlib


def requests_fetch(method: str, key: str = API_KEY, scope: str | None = None, **parameters: str) -> dict:
    session = RequestsSession(client=BackendApplicationClient(CLIENT_ID, scope=scope))
    answer = session.fetch_token(
        METADATA["token_endpoint"], client_secret=key, include_client_id=method == "body", **parameters
    )
    # OAuthlib gives the scope as a list.
    return {**answer, "scope": " ".join(answer["scope"])}


def requests_token(method: str) -> None:
    expect_token(requests_fetch(method), SCOPE)


def requests_narrowed(method: str) -> None:
    expect_token(requests_fetch(method, scope=NARROW_SCOPE, resource=AUDIENCE), NARROW_SCOPE)


def requests_wrong_secret(method: str) -> None:
    raises(InvalidClientError, lambda: requests_fetch(method, key=WRONG_KEY))


def requests_overwide() -> None:
    raises(InvalidScopeError, lambda: requests_fetch("Basic", scope=OVERWIDE_SCOPE))


def requests_scopes(scopes: list[str]) -> list[str]:
    """What a key for all of reading gets, as docs/clients.md has it."""
    new = {"name": "reader", "project": "default", "environment": "prd", "preset": "query_only"}
    made = management("POST", "keys", new)
    session = RequestsSession(client=BackendApplicationClient(made["id"], scope=scopes))
    return session.fetch_token(METADATA["token_endpoint"], client_secret=made["key"])["scope"]


def requests_long_form() -> None:
    equal("scope", requests_scopes(["read:*"]), ["read:*"])
    equal("scopes", sorted(requests_scopes(["read:b", "read:a"])), ["read:a", "read:b"])


def requests_short_form() -> None:
    warning = raises(Warning, lambda: requests_scopes(["read"]))
    equal("the warning", str(warning), 'Scope has changed from "read" to "read:*".')
    os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"
    try:
        equal("scope", requests_scopes(["read"]), ["read:*"])
    finally:
        del os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"]


def requests_commas() -> None:
    error = raises(InvalidScopeError, lambda: requests_scopes(["read:a,read:b"]))
    equal("description", error.description, "scopes are separated by spaces, not by commas")


# PyJWT


def expect_token(answer: dict, scope: str) -> None:
    equal("token_type", answer["token_type"], "Bearer")
    equal("scope of the answer", answer["scope"], scope)
    claims = verify(answer["access_token"])
    equal("expires_in", answer["expires_in"], claims["exp"] - claims["iat"])
    equal("sub", claims["sub"], CLIENT_ID)
    equal("client_id", claims["client_id"], CLIENT_ID)
    equal("aud", claims["aud"], AUDIENCE)
    equal("scope", claims["scope"], scope)
    equal("cidrs", claims["cidrs"], CIDRS)


def verify(token: str, audience: str = AUDIENCE, issuer: str = ISSUER) -> dict:
    decoded = jwt.decode_complete(
        token,
        JWKS.get_signing_key_from_jwt(token),
        algorithms=[ALGORITHM],
        audience=audience,
        issuer=issuer,
        options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
    )
    equal("typ", decoded["header"]["typ"], "at+jwt")
    return decoded["payload"]


def refuses_audience() -> None:
    raises(jwt.InvalidAudienceError, lambda: verify(good_token(), audience="https://other.example/api"))


def refuses_issuer() -> None:
    raises(jwt.InvalidIssuerError, lambda: verify(good_token(), issuer="https://other.example"))


def refuses_forged_claims() -> None:
    header, payload, signature = good_token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["scope"] = "*:*"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    raises(jwt.InvalidSignatureError, lambda: verify(f"{header}.{forged}.{signature}"))


def refuses_changed_signature() -> None:
    signed, _, signature = good_token().rpartition(".")
    changed = ("A" if signature[9] != "A" else "B").join((signature[:9], signature[10:]))
    raises(jwt.InvalidSignatureError, lambda: verify(f"{signed}.{changed}"))


def good_token() -> str:
    token = authlib_session("client_secret_basic").fetch_token()["access_token"]
    verify(token)
    return token


sys.exit(main())

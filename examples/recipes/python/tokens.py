"""Verifies JWTs of the issuer: access tokens, and documents of the revocation feed."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import jwt

ALGORITHMS = ["ES256"]  # the issuer's algorithm, and the only one accepted
LEEWAY = 10  # seconds of clock difference allowed
MAX_LIFETIME = 600  # seconds; the issuer never issues longer ones
MAX_LENGTH = 16 * 1024
MAX_ACTORS = 4
TEXTS = ("sub", "client_id", "jti", "scope", "org", "project", "env")


class Refused(Exception):
    """The JWT is not valid."""


@dataclass(frozen=True)
class Token:
    """A verified access token."""

    kid: str  # the signing key's
    claims: dict[str, Any]


@dataclass(frozen=True)
class Issuer:
    """A trusted signer."""

    name: str
    find_key: Callable[[str], jwt.PyJWK | None]

    def verify_token(self, text: str, audience: str, thumbprint: str | None = None) -> Token:
        """Verifies everything except revocation, the caller's address and the scopes. Raises Refused.

        The caller proved to have the key with this thumbprint, if there is one.
        """
        if len(text) > MAX_LENGTH:
            raise Refused("it is too long")
        token = self.verify(text, "at+jwt", audience)
        _check_claims(token.claims)
        # RFC 9449 §6.1: a token that is bound to a key needs a proof of that key, and a plain one comes without proofs.
        if token.claims.get("cnf") != (thumbprint and {"jkt": thumbprint}):
            raise Refused("it is bound to a key, and the request does not prove it, or the other way round")
        return token

    def verify(self, text: str, typ: str, audience: str) -> Token:
        """Verifies type, algorithm, signature, issuer, audience and times. Raises Refused."""
        try:
            header = jwt.get_unverified_header(text)
            kid = header.get("kid")
            key = self.find_key(kid) if isinstance(kid, str) else None
            if key is None:
                raise Refused("its kid is unknown")
            require = {"require": ["iss", "aud", "iat"]}
            claims = jwt.decode(
                text, key, ALGORITHMS, issuer=self.name, audience=audience, leeway=LEEWAY, options=require
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Refused(str(error)) from error
        # RFC 8725 §3.11: a JWT for another purpose is refused.
        # RFC 7515 §4.1.11: a critical extension must be understood, and none is.
        if header.get("typ") != typ or "crit" in header or not is_number(claims["iat"]):
            raise Refused("it has the wrong type")
        return Token(kid, claims)


def is_number(value: Any) -> bool:
    """Whether this is a non-negative integer. In Python, True is an int, too."""
    return type(value) is int and value >= 0


def is_texts(value: Any) -> bool:
    """Whether this is a list of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check_claims(claims: dict[str, Any]) -> None:
    if not all(isinstance(claims.get(name), str) and claims[name] for name in TEXTS):
        raise Refused("a claim is missing or not a string")
    if not all(is_number(claims.get(name)) for name in ("exp", "gen")):
        raise Refused("a claim is missing or not a number")
    if not 0 < claims["exp"] - claims["iat"] <= MAX_LIFETIME:
        raise Refused("its lifetime is too long")
    if "cnf" in claims and claims["cnf"] is None:
        raise Refused("cnf names no key")
    if not is_texts(claims.get("origin", [])):
        raise Refused("origin is not a list of strings")
    _check_ranges(claims.get("cidrs"))
    _check_actors(claims)


def _check_ranges(cidrs: Any) -> None:
    if not is_texts(cidrs) or not cidrs:
        raise Refused("cidrs is not a list of ranges")
    try:
        for cidr in cidrs:
            ip_network(cidr)
    except ValueError as error:
        raise Refused(str(error)) from error


def _check_actors(claims: dict[str, Any]) -> None:
    """RFC 8693 §4.1: the actor of the subject, and earlier actors."""
    depth = 0
    while "act" in claims:
        claims, depth = claims["act"], depth + 1
        is_actor = isinstance(claims, dict) and isinstance(claims.get("sub"), str) and is_number(claims.get("gen"))
        if not is_actor or depth > MAX_ACTORS:
            raise Refused("act is not a chain of actors")

"""Verifies proofs of possession (DPoP, RFC 9449): that the sender of a bound token has the key that it is bound to."""

import hashlib
import json
import threading
from base64 import b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import jwt
from jwt.algorithms import OKPAlgorithm
from tokens import Refused

ALGORITHMS = ["ES256", "ES384", "EdDSA", "Ed25519", "PS256", "RS256"]
WINDOW = 60  # seconds by which iat may differ from now
MAX_ID = 256  # characters of jti
MAX_LENGTH = 16 * 1024
MAX_REMEMBERED = 100_000
FITTING = {"P-256": ["ES256"], "P-384": ["ES384"], "Ed25519": ["EdDSA", "Ed25519"], None: ["PS256", "RS256"]}
MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
SECRETS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
FOREIGN = {"crit", "jku", "x5u", "x5c", "b64"}

SIGNATURES = jwt.PyJWS()
SIGNATURES.register_algorithm("Ed25519", OKPAlgorithm())  # RFC 9864: another name of EdDSA


def verify_proof(text: str, method: str, url: str, token: str | None, now: float) -> tuple[str, str]:
    """Checks a proof against the request that it came with (§4.3). Returns the thumbprint of its key, and its jti."""
    try:
        return _verify(text, method, url, token, now)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise Refused(f"the proof: {error}") from error


def _verify(text: str, method: str, url: str, token: str | None, now: float) -> tuple[str, str]:
    if len(text) > MAX_LENGTH or "=" in text:
        raise Refused("the proof is too long, or has padding")
    header = jwt.get_unverified_header(text)
    jwk, algorithm = header.get("jwk"), header.get("alg")
    if _media_type(header.get("typ")) != "dpop+jwt" or FOREIGN & header.keys() or algorithm not in ALGORITHMS:
        raise Refused("the proof has another type, or a header that is not accepted")
    if not isinstance(jwk, dict) or SECRETS & jwk.keys() or jwk.get("use", "sig") != "sig":
        raise Refused("the proof has no public key for signatures")
    members = {name: jwk[name] for name in MEMBERS[jwk["kty"]]}
    if algorithm not in FITTING[members.get("crv")]:
        raise Refused("the key of the proof is for another algorithm")
    if jwk["kty"] == "RSA" and len(_decode(jwk["n"])) < 256:
        raise Refused("the key of the proof is too short")
    key = jwt.PyJWK.from_dict(members, "EdDSA" if algorithm == "Ed25519" else algorithm).key
    claims = json.loads(SIGNATURES.decode(text, key, [algorithm]))
    _check(claims, method, url, token, now)
    return thumbprint(members), claims["jti"]


def _check(claims: dict[str, Any], method: str, url: str, token: str | None, now: float) -> None:
    if not isinstance(claims.get("jti"), str) or not 1 <= len(claims["jti"]) <= MAX_ID:
        raise Refused("jti is missing or too long")
    if claims.get("htm") != method or normal_url(claims.get("htu")) != normal_url(url):
        raise Refused("the proof is for another request")
    for name in ("iat", "exp", "nbf"):
        if (name == "iat" or name in claims) and type(claims.get(name)) is not int:
            raise Refused(f"{name} is not a number")
    too_late = claims.get("exp", now + 1) <= now
    if abs(now - claims["iat"]) > WINDOW or too_late or claims.get("nbf", now) > now + WINDOW:
        raise Refused("the proof is too old, or of the future")
    if token is not None and claims.get("ath") != _encode(hashlib.sha256(token.encode()).digest()):
        raise Refused("the proof is for another token")


def thumbprint(members: dict[str, str]) -> str:
    """RFC 7638 §3, from the required members."""
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _encode(hashlib.sha256(text.encode()).digest())


def normal_url(url: Any) -> str | None:
    """The form in which two URLs are compared (RFC 3986 §6.2.2, §6.2.3). None if it is not one."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    # Escapes stay only where they are necessary. Split first, so that %2F is no slash.
    path = "%2F".join(quote(unquote(part, "latin-1"), "/-._~!$&'()*+,;=:@", "latin-1") for part in _split(parts.path))
    return f"{parts.scheme}://{host}:{port}{path or '/'}"


def _split(path: str) -> list[str]:
    return path.replace("%2f", "%2F").split("%2F")


def _media_type(typ: Any) -> str:
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else ""


def _encode(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)


class UsedProofs:
    """The proofs that were used and are still valid, so that each is accepted once (§11.1)."""

    def __init__(self) -> None:
        self.until: dict[tuple[str, str], float] = {}
        self.lock = threading.Lock()

    def use(self, thumbprint: str, jti: str, now: float) -> None:
        """Raises Refused if the proof was used before, or too many are remembered."""
        with self.lock:
            if len(self.until) >= MAX_REMEMBERED:
                self.until = {used: until for used, until in self.until.items() if until > now}
            if self.until.get((thumbprint, jti), 0) > now or len(self.until) >= MAX_REMEMBERED:
                raise Refused("the proof was used before")
            # No proof is accepted for longer.
            self.until[thumbprint, jti] = now + 2 * WINDOW + 1

"""Follows the revocation feed, so that a revoked token is refused within a second or two."""

import logging
import time
from typing import Any

from fetch import fetch
from tokens import Issuer, Token, is_number, is_texts

MAX_STALE = 30  # maximum age of the last document in seconds, whatever max_stale says
MAX_AHEAD = 30  # seconds by which the issuer's clock may be ahead
MAX_LENGTH = 16 * 1024 * 1024  # bytes; a document with a thousand revoked keys has 30 kB
AUDIENCE = "urn:claviger:revocations"


class Revocations:
    """The last accepted document. Times are Unix seconds. One thread may update it while any thread reads it."""

    def __init__(self) -> None:
        self._last: tuple[dict[str, Any], float] | None = None  # with the time of its last confirmation
        self._left: set[str] = set()  # earlier epochs

    def hear(self, document: dict[str, Any], kid: str, now: float) -> bool:
        """Takes a verified document that the key `kid` has signed. Returns whether it is accepted."""
        if not _is_well_formed(document) or document["as_of"] > now + MAX_AHEAD or kid in document["kids"]:
            return False
        if self._last is not None:
            last, _ = self._last
            if kid in last["kids"] or not self._comes_after(last, document):
                return False
            if document["epoch"] != last["epoch"]:
                self._left.add(last["epoch"])
        self._last = document, min(document["as_of"], now)
        return True

    def judge(self, token: Token, now: float) -> str:
        """`good`, `revoked`, or `stale` if the last document is too old to decide."""
        if self._last is None:
            return "stale"
        document, confirmed = self._last
        # A very negative age means that this clock was set back.
        if not -MAX_STALE <= now - confirmed <= min(document["max_stale"], MAX_STALE):
            return "stale"
        return "revoked" if _names(document, token) else "good"

    def _comes_after(self, last: dict[str, Any], document: dict[str, Any]) -> bool:
        if document["epoch"] == last["epoch"]:
            return (document["seq"], document["as_of"]) > (last["seq"], last["as_of"])
        # Another epoch means a restored store. An epoch that was left never becomes valid again.
        return document["epoch"] not in self._left and document["as_of"] >= last["as_of"]


def follow(revocations: Revocations, url: str, issuer: Issuer) -> None:
    """Polls forever. The server holds each response until the feed changes, for at most ten seconds."""
    etag = '"none"'
    while True:
        try:
            text, etag = fetch(url, MAX_LENGTH, {"Prefer": "wait=10", "If-None-Match": etag})
            document = issuer.verify(text, "revocations+jwt", AUDIENCE)
            revocations.hear(document.claims, document.kid, time.time())
            pause = 0.1  # avoids flooding a server that does not hold responses
        except Exception as error:  # any failure: the last document becomes stale
            logging.warning("the revocation feed: %s", error)
            etag, pause = '"none"', 1
        time.sleep(pause)


def _is_well_formed(document: dict[str, Any]) -> bool:
    numbers = (document.get(name) for name in ("seq", "as_of", "max_stale"))
    epoch, keys = document.get("epoch"), document.get("keys")
    return (
        all(is_number(number) for number in numbers)
        and (isinstance(epoch, str) and epoch != "")
        and (isinstance(keys, dict) and all(is_number(least) for least in keys.values()))
        and is_texts(document.get("jtis"))
        and is_texts(document.get("kids"))
    )


def _names(document: dict[str, Any], token: Token) -> bool:
    """Whether it revokes the signing key, the token or one it was exchanged from, or a subject's or actor's key."""
    ids = {token.claims["jti"], *token.claims.get("origin", [])}
    if token.kid in document["kids"] or not ids.isdisjoint(document["jtis"]):
        return True
    holder = token.claims
    while holder is not None:
        if holder["gen"] < document["keys"].get(holder["sub"], 0):
            return True
        holder = holder.get("act")
    return False

"""Follows the revocation feed, so that what was revoked is refused within a second or two."""

import logging
import time
from typing import Any

from fetch import fetch
from tokens import Issuer, Token, is_number, is_texts

MAX_STALE = 30  # seconds that anything heard may be relied on, whatever the document says
MAX_AHEAD = 30  # seconds that the issuer's clock may be ahead of this one
MAX_LENGTH = 16 * 1024 * 1024  # bytes; a thousand keys that were revoked together are 30 kB
AUDIENCE = "urn:claviger:revocations"


class Revocations:
    """What the last document says that counted. Times are Unix seconds. One thread may tell it, and any ask it."""

    def __init__(self) -> None:
        self._last: tuple[dict[str, Any], float] | None = None  # and since when it is confirmed
        self._left: set[str] = set()  # the epochs before

    def hear(self, document: dict[str, Any], kid: str, now: float) -> bool:
        """Takes in a verified document, which the key `kid` signed. Unless it counts, which it says, nothing changes."""
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
        """`good`, `revoked`, or `stale`: nothing recent enough was heard to tell."""
        if self._last is None:
            return "stale"
        document, confirmed = self._last
        # Earlier than that by so much, this clock was put back.
        if not -MAX_STALE <= now - confirmed <= min(document["max_stale"], MAX_STALE):
            return "stale"
        return "revoked" if _names(document, token) else "good"

    def _comes_after(self, last: dict[str, Any], document: dict[str, Any]) -> bool:
        if document["epoch"] == last["epoch"]:
            return (document["seq"], document["as_of"]) > (last["seq"], last["as_of"])
        # A restored store. Nobody goes back to an epoch that was left.
        return document["epoch"] not in self._left and document["as_of"] >= last["as_of"]


def follow(revocations: Revocations, url: str, issuer: Issuer) -> None:
    """Asks for ever. Each answer is held back until there is news, or for ten seconds."""
    etag = '"none"'
    while True:
        try:
            text, etag = fetch(url, MAX_LENGTH, {"Prefer": "wait=10", "If-None-Match": etag})
            document = issuer.verify(text, "revocations+jwt", AUDIENCE)
            revocations.hear(document.claims, document.kid, time.time())
            pause = 0.1  # a server that doesn't hold its answers back is not to be flooded
        except Exception as error:  # whatever it is: what is known gets stale, and then nobody passes
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
    """Whether it names the signing key, the token or one that it came from, or a key of the subject or of who acts."""
    ids = {token.claims["jti"], *token.claims.get("origin", [])}
    if token.kid in document["kids"] or not ids.isdisjoint(document["jtis"]):
        return True
    holder = token.claims
    while holder is not None:
        if holder["gen"] < document["keys"].get(holder["sub"], 0):
            return True
        holder = holder.get("act")
    return False

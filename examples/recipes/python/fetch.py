"""A GET request to the issuer, limited in time and size, without redirects."""

import json
import urllib.request
from typing import Any

TIMEOUT = 15  # seconds of silence; the feed can be silent for ten


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def fetch(url: str, limit: int, headers: dict[str, str] | None = None) -> tuple[str, str]:
    """Returns the body, at most `limit` bytes, and the entity tag. Raises OSError or ValueError."""
    request = urllib.request.Request(url, headers=headers or {})
    with _opener.open(request, timeout=TIMEOUT) as response:
        body = response.read(limit + 1)
        if len(body) > limit:
            raise ValueError(f"{url} answers with more than {limit} bytes")
        return body.decode(), response.headers.get("ETag", '"none"')


def discover(issuer: str) -> dict[str, Any]:
    """The issuer's metadata (RFC 8414), from the location that works for issuers with and without a path."""
    metadata = json.loads(fetch(f"{issuer}/.well-known/openid-configuration", 64 * 1024)[0])
    if metadata["issuer"] != issuer:
        raise ValueError(f"{issuer} says that it is {metadata['issuer']}")
    return metadata

"""An API that accepts Claviger's access tokens.

GET /orders/{id} needs the scope read:orders/{id}, and POST /orders/{id} needs write:orders/{id}. Api.authorize
makes all checks of a request's token, in order.
"""

import json
import logging
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from fetch import discover
from permissions import admits, is_resource, permits
from proofs import ALGORITHMS as PROOF_ALGORITHMS
from proofs import UsedProofs, verify_proof
from revocations import Revocations, follow
from tokens import Issuer, Refused, Token


class Denied(Exception):
    """The status of the response, and its WWW-Authenticate (RFC 6750 §3) if it has one."""

    def __init__(self, status: int, challenge: str | None = None) -> None:
        super().__init__(status)
        self.status, self.challenge = status, challenge


class Api:
    """The issuer's keys and revocations, which a separate thread keeps up to date."""

    def __init__(self, issuer: str, audience: str, environment: str, public_url: str | None) -> None:
        metadata = discover(issuer)
        # Cached for five minutes. An unknown kid refreshes the set at most once in 30 seconds.
        self.keys = jwt.PyJWKClient(metadata["jwks_uri"], lifespan=300, timeout=5, cooldown_duration=30)
        self.audience, self.environment = audience, environment
        # Where clients reach this API. Tokens that are bound to a key are refused without it: see proofs.py.
        self.public_url, self.used_proofs = public_url, UsedProofs()
        self.issuer = Issuer(issuer, self.keys.get_signing_key)
        self.revocations = Revocations()
        feed = self.revocations, metadata["revocation_feed_endpoint"], Issuer(issuer, self.feed_key)
        threading.Thread(target=follow, args=feed, daemon=True).start()

    def feed_key(self, kid: str) -> jwt.PyJWK | None:
        """Refreshes the set at once for an unknown kid, since only the issuer chooses the kid of a document."""
        known = self.keys.match_kid(self.keys.get_signing_keys(), kid)
        return known or self.keys.match_kid(self.keys.get_signing_keys(refresh=True), kid)

    def authorize(self, request: "Handler", action: str, resource: str) -> Token:
        """Returns the caller's token, if it permits the action. Raises Denied."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        text, now = text.strip(), time.time()
        proof = None
        if scheme.lower() == "dpop" and self.public_url:
            proof = self.proof(request, text, now)
        elif scheme.lower() != "bearer":
            raise Denied(401, "Bearer")
        scheme = "DPoP" if proof else "Bearer"
        try:
            token = self.issuer.verify_token(text, self.audience, proof and proof[0])
        except Refused as refused:
            logging.info("a token is refused: %s", refused)
            raise Denied(401, f'{scheme} error="invalid_token"') from refused
        verdict = self.revocations.judge(token, time.time())
        if verdict == "stale":
            raise Denied(503)
        # A token of another environment is not for this API, like one for another audience.
        if verdict == "revoked" or token.claims["env"] != self.environment:
            raise Denied(401, f'{scheme} error="invalid_token"')
        # The peer's address. Behind a proxy, use the client address that the trusted proxy reports.
        if not admits(token.claims["cidrs"], request.client_address[0]):
            raise Denied(403)
        if not permits(token.claims["scope"], action, resource):
            raise Denied(403, f'{scheme} error="insufficient_scope", scope="{action}:{resource}"')
        if proof:
            self.use(proof, now)
        return token

    def proof(self, request: "Handler", token: str, now: float) -> tuple[str, str]:
        """The thumbprint and the id of the proof of possession beside a token. Raises Denied."""
        proofs = request.headers.get_all("DPoP", [])
        try:
            if len(proofs) != 1:
                raise Refused("there is not one proof")
            return verify_proof(proofs[0], request.command, self.public_url + request.path, token, now)
        except Refused as refused:
            raise self.no_proof(refused) from refused

    def use(self, proof: tuple[str, str], now: float) -> None:
        """Accepts a proof once."""
        try:
            self.used_proofs.use(*proof, now)
        except Refused as refused:
            raise self.no_proof(refused) from refused

    def no_proof(self, refused: Refused) -> Denied:
        logging.info("a proof is refused: %s", refused)
        return Denied(401, f'DPoP error="invalid_dpop_proof", algs="{" ".join(PROOF_ALGORITHMS)}"')


class Handler(BaseHTTPRequestHandler):
    api: Api
    timeout = 10  # seconds for a client to send its request

    def do_GET(self) -> None:
        self.order("read")

    def do_POST(self) -> None:
        self.order("write")

    def order(self, action: str) -> None:
        resource = self.path.partition("?")[0].removeprefix("/")  # orders/{id}, not decoded
        if not resource.startswith("orders/") or resource.count("/") != 1 or not is_resource(resource):
            return self.answer(404, {"error": "not_found"})
        try:
            token = self.api.authorize(self, action, resource)
        except Denied as denied:
            return self.answer(denied.status, {"error": "denied"}, denied.challenge)
        # Each organization has its own orders, so an id is unique only within an organization.
        self.answer(200, {"order": resource, "organization": token.claims["org"], "did": action})

    def answer(self, status: int, body: dict[str, str], challenge: str | None = None) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Cache-Control", "no-store")
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        if status == 503:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(text)


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    environment = os.environ.get("CLAVIGER_ENVIRONMENT", "prd")
    public_url = os.environ.get("PUBLIC_URL")
    Handler.api = Api(os.environ["CLAVIGER_ISSUER"], os.environ["CLAVIGER_AUDIENCE"], environment, public_url)
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
    print(f"serves on http://127.0.0.1:{server.server_port}")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()

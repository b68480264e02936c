"""Runs the test vectors that all verifiers share: python -m unittest"""

import json
import unittest
from pathlib import Path
from typing import Any

import jwt
from permissions import admits, is_resource, permits
from proofs import normal_url, verify_proof
from revocations import AUDIENCE, Revocations
from tokens import Issuer, Refused, Token

VECTORS = Path(__file__).parents[3] / "tests" / "vectors"
EVERYTHING = "*:* *:claviger *:claviger/**"


def rows(file: str, name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / file).read_text())[name]


class Vectors(unittest.TestCase):
    def test_resources(self) -> None:
        for row in rows("scopes.json", "resources"):
            self.assertEqual(is_resource(row["resource"]), row["accepted"], row)
            self.assertEqual(permits(EVERYTHING, "read", row["resource"]), row["accepted"], row)

    def test_scopes(self) -> None:
        for row in rows("scopes.json", "matches"):
            self.assertEqual(permits(row["scope"], row["action"], row["resource"]), row["matches"], row)

    def test_ranges(self) -> None:
        # A token's list is not empty and its ranges are canonical. A peer always has an address.
        for row in rows("cidrs.json", "admits"):
            canonical = all("/" in cidr and not cidr.startswith("::ffff:") for cidr in row["cidrs"])
            if row["address"] and row["cidrs"] and canonical:
                self.assertEqual(admits(row["cidrs"], row["address"]), row["admits"], row)

    def test_proofs(self) -> None:
        for row in rows("dpop.json", "requests"):
            # This API requires no nonces, and takes all algorithms.
            if row["nonces"] or row["algorithms"]:
                continue
            try:
                thumbprint, _ = verify_proof(row["proof"], row["method"], row["url"], row["token"], row["at"])
            except Refused:
                thumbprint = None
            self.assertEqual(thumbprint, row["thumbprint"], row["name"])

    def test_targets(self) -> None:
        for row in rows("dpop.json", "targets"):
            self.assertEqual(normal_url(row["htu"]) == normal_url(row["url"]), row["same"], row)

    def test_feed(self) -> None:
        for case in rows("feed.json", "cases"):
            revocations = Revocations()
            for step in case["steps"]:
                if "document" in step:
                    revocations.hear(step["document"], step.get("kid", "another"), step["at"])
                    continue
                kid = step["token"].pop("kid")
                self.assertEqual(
                    revocations.judge(Token(kid, step["token"]), step["at"]), step["expect"], (case["name"], step)
                )

    def test_signed_documents(self) -> None:
        (issuer,) = rows("feed.json", "issuer")
        keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(issuer["jwks"]).keys}
        issuer = Issuer(issuer["iss"], keys.get)
        for row in rows("feed.json", "signed"):
            self.assertEqual(self.takes(issuer, row["document"], row["at"]), row["taken"], row["why"])

    def takes(self, issuer: Issuer, document: str, at: int) -> bool:
        try:
            verified = issuer.verify(document, "revocations+jwt", AUDIENCE)
        except Refused:
            return False
        return Revocations().hear(verified.claims, verified.kid, at)


if __name__ == "__main__":
    unittest.main()

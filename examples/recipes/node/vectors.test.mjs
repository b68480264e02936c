// Runs the test vectors that all verifiers share: npm test

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createLocalJWKSet } from "jose";
import { admits, isResource, permits } from "./permissions.mjs";
import { normalUrl, verifyProof } from "./proofs.mjs";
import { FEED, Revocations } from "./revocations.mjs";
import { verify } from "./tokens.mjs";

const read = (file) => JSON.parse(readFileSync(new URL(`../../../tests/vectors/${file}`, import.meta.url)));
const { resources, matches } = read("scopes.json");
const feed = read("feed.json");

test("resources", () => {
  for (const { resource, accepted } of resources) {
    assert.equal(isResource(resource), accepted, resource);
    assert.equal(permits("*:* *:claviger *:claviger/**", "read", resource), accepted, resource);
  }
});

test("scopes", () => {
  for (const row of matches) {
    assert.equal(permits(row.scope, row.action, row.resource), row.matches, JSON.stringify(row));
  }
});

test("ranges", () => {
  // A token's list is not empty and its ranges are canonical. A peer always has an address.
  const isCanonical = (cidr) => cidr.includes("/") && !cidr.startsWith("::ffff:");
  for (const { cidrs, address, admits: expected } of read("cidrs.json").admits) {
    if (!address || cidrs.length === 0 || !cidrs.every(isCanonical)) continue;
    assert.equal(admits(cidrs, address), expected, `${cidrs} ${address}`);
  }
});

test("proofs", async () => {
  for (const { name, proof, at, nonces, algorithms, thumbprint, ...request } of read("dpop.json").requests) {
    // This API requires no nonces, and takes all algorithms.
    if (nonces || algorithms) continue;
    const found = await verifyProof(proof, request, at).catch(() => null);
    assert.equal(found?.thumbprint ?? null, thumbprint, name);
  }
});

test("targets", () => {
  for (const { htu, url, same } of read("dpop.json").targets) assert.equal(normalUrl(htu) === normalUrl(url), same, htu);
});

test("feed", () => {
  for (const { name, steps } of feed.cases) {
    const revocations = new Revocations();
    for (const { at, document, kid, token, expect } of steps) {
      if (document) revocations.hear(document, kid ?? "another", at);
      else assert.equal(revocations.judge({ kid: token.kid, claims: token }, at), expect, `${name}, at ${at}`);
    }
  }
});

test("signed documents", async () => {
  const [{ iss: issuer, jwks }] = feed.issuer;
  const keys = createLocalJWKSet(jwks);
  for (const { document, at, taken, why } of feed.signed) {
    const verified = await verify(document, keys, { ...FEED, issuer }).catch(() => undefined);
    const takes = verified !== undefined && new Revocations().hear(verified.claims, verified.kid, at);
    assert.equal(takes, taken, why);
  }
});

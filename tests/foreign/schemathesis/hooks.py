"""What openapi.yaml can't tell schemathesis about the server, and what it must not do to it."""

import ipaddress
import itertools
import os
from datetime import UTC, datetime, timedelta

import requests
import schemathesis
from hypothesis import strategies as st

AUDIENCE = os.environ["CLAVIGER_AUDIENCE"]
KEYS = os.environ["CLAVIGER_ISSUER"] + "/v1/orgs/default/keys"
CALLER = {"Authorization": "Bearer " + os.environ["CLAVIGER_API_KEY"]}
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
NUMBERS = itertools.count()

# Values of the formats that are the server's own, or of which only some will do: an end lies in the future.


def canonical(address, prefix):
    return str(ipaddress.ip_network((address, prefix), strict=False))


RANGES = st.one_of(
    st.builds(canonical, st.ip_addresses(v=4), st.integers(0, 32)),
    st.builds(canonical, st.ip_addresses(v=6, network="2000::/3"), st.integers(3, 128)),
    st.just("*"),
)
LITERALS = st.text("abcz019-._~:@=+,", min_size=1, max_size=12).filter(lambda text: text not in (".", ".."))
SEGMENTS = st.lists(LITERALS | st.just("*"), min_size=1, max_size=4)
FILTERS = st.builds(lambda segments, rest: "/".join(segments + rest), SEGMENTS, st.sampled_from([[], ["**"]]))
TIMES = st.datetimes(datetime(2040, 1, 1), datetime(2090, 1, 1)).map(lambda time: time.isoformat("T", "seconds") + "Z")

schemathesis.openapi.format("cidr", RANGES)
schemathesis.openapi.format("scope-filter", FILTERS)
schemathesis.openapi.format("date-time", TIMES)


@schemathesis.deserializer("application/json")
def json_or_jwt(context, response):
    """Schemathesis takes application/jwt for a kind of JSON."""
    is_jwt = response.headers["content-type"] == ["application/jwt"]
    return response.text if is_jwt else response.json()


@schemathesis.hook
def before_call(context, case, kwargs):
    protect(case)
    if case.meta is None or case.meta.generation.mode.is_positive:
        make_possible(case)


def protect(case):
    """Keeps what every other request needs: the caller, the organization `default`, its project `default`, time."""
    path = case.path_parameters or {}
    if path.get("org") == "operator":
        path["org"] = "default"
    is_deletion = case.method == "DELETE"
    if is_deletion and case.operation.path == "/v1/orgs/{org}" and path.get("org") == "default":
        path["org"] = "nobody"
    if is_deletion and case.operation.path.endswith("/{project}") and path.get("project") == "default":
        path["project"] = "nothing"
    if "Prefer" in (case.headers or {}):
        # Ten seconds for each answer that is held would be most of the run.
        case.headers["Prefer"] = "wait=0"


def make_possible(case):
    """Names what there is, where a request is valid by the document and can only name what happens to be there."""
    make_query_possible(case.operation.path, case.query)
    if case.method == "DELETE":
        # A dry run deletes nothing, and schemathesis takes every 2xx for a deletion.
        case.query.pop("dry_run", None)
    # Any version but the one that there is would be 412.
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"
    # One name for two requests is 409.
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = f"request-{next(NUMBERS)}"
    label = case.operation.label
    if "options" in (case.path_parameters or {}):
        case.path_parameters["options"] = "token=1"
    if label == "POST /v1/orgs/{org}/keys":
        case.path_parameters["org"] = "default"
    if label.endswith(("/rotate", "/{secret}")):
        case.path_parameters.update(fresh_key(is_rotated=label.endswith("/{secret}")))
    body = case.body
    if not isinstance(body, dict):
        return
    if label.startswith("POST /oauth/"):
        # The caller is in the header, and a client that is in two places is refused.
        body.pop("client_id", None)
        body.pop("client_secret", None)
        body.pop("client_assertion", None)
        body.pop("client_assertion_type", None)
    if label in ("POST /v1/orgs", "POST /v1/orgs/{org}/projects"):
        # An id is used once, for good.
        body["id"] = f"{body['id'][:40]}-{next(NUMBERS)}"
    if label == "POST /v1/orgs/{org}/keys":
        leave_ways_in_out(body)
    if label == "PUT /v1/orgs/{org}/configuration":
        make_configuration_possible(body, case.path_parameters["org"])
    make_members_possible(body, is_new_key=label == "POST /v1/orgs/{org}/keys")


def make_query_possible(path, query):
    # Nobody but the server can make a cursor.
    query.pop("cursor", None)
    if path.endswith("/usage"):
        # Of the time that is kept, and not too much of it.
        query.update({name: YESTERDAY for name in ("from", "to") if name in query})
    if query.get("format") in ("jsonl", "csv"):
        # An export has no pages.
        query.pop("limit", None)
    if query.get("format") != "csv":
        # A byte order mark is for spreadsheets.
        query.pop("bom", None)
    if path == "/v1/keys" and "prefix" in query:
        query["prefix"] = "key_4f2a"
    if query.get("prune_all"):
        # It confirms prune, and is refused alone.
        query["prune"] = query["prune_all"]
    if path == "/v1/gate":
        if "check" in query:
            query.pop("action", None)
            query.pop("resource", None)
        else:
            query.update(action=query.get("action", "read"), resource=query.get("resource", "projects/web"))
        query.update({"audience": AUDIENCE} if "audience" in query else {})


def fresh_key(is_rotated):
    """The path of a key with one secret, which can be rotated; or with two, of which one can be retired."""
    new = {"name": "fresh", "project": "default", "environment": "prd", "preset": "query_only"}
    key = requests.post(KEYS, json=new, headers=CALLER, timeout=30).json()
    if is_rotated:
        rotation = {"overlap_seconds": 3600}
        key = requests.post(f"{KEYS}/{key['id']}/rotate", json=rotation, headers=CALLER, timeout=30).json()
    return {"org": "default", "key": key["id"]} | ({"secret": key["secrets"][0]["id"]} if is_rotated else {})


def leave_ways_in_out(key):
    # A schema can't say what makes a public key or a rule a good one; a key without either needs its secret.
    for name in ("public_keys", "trust_rules", "secret"):
        key.pop(name, None)


def make_configuration_possible(document, organization):
    if document.get("organization"):
        document["organization"]["id"] = organization
    for thing in [document.get("organization") or {}, *document.get("projects", [])]:
        make_members_possible(thing)
    # No two of the same name in one place.
    keys = {key["name"]: key for key in document.get("keys", [])}
    for key in keys.values():
        leave_ways_in_out(key)
        make_members_possible(key, is_new_key=True)
    # The same of issuers and of scopes as text.
    document.pop("issuers", None)
    document.pop("scopes", None)
    if keys:
        document["keys"] = list(keys.values())
        document.setdefault("projects", []).append({"id": "default", "environments": ["dev", "stg", "prd"]})


def printable(text):
    return "".join(filter(str.isprintable, text))


def make_members_possible(body, is_new_key=False):
    if is_new_key:
        body.update(project="default", environment="prd")
    if isinstance(body.get("audiences"), list):
        body["audiences"] = [AUDIENCE]
    if isinstance(body.get("environments"), list) and "prd" not in body["environments"]:
        body["environments"][-1] = "prd"
    # Times of before come from other answers.
    if isinstance(body.get("expires_at"), str):
        body["expires_at"] = max(body["expires_at"], "2040-01-01T00:00:00Z")
    for name in ("overlap_seconds", "expires_in"):
        # JSON Schema takes 5.0 for an integer, the server does not.
        if isinstance(body.get(name), float):
            body[name] = int(body[name])
    # Schemathesis does not hold every text to its pattern, and an owner has a visible character.
    if isinstance(body.get("owner"), str):
        body["owner"] = printable(body["owner"]).strip() or "owner"
    if isinstance(body.get("tags"), dict):
        body["tags"] = {name: printable(value) for name, value in body["tags"].items()}
    # The end comes before the year 10000; which number of seconds that is, changes with the time.
    if isinstance(body.get("expires_in"), int):
        body["expires_in"] = min(body["expires_in"], 10**9)

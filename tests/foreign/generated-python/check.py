"""The client that openapi-python-client makes of openapi.yaml: a key's life, from its creation to its revocation.

The world comes from the environment (see ../README.md). An assertion that fails ends the program.
"""

import os

from claviger_client import AuthenticatedClient, Client
from claviger_client.api.audit import list_organization_audit
from claviger_client.api.keys import change_key, create_key, get_key, list_keys, revoke_key, rotate_key
from claviger_client.api.o_auth import introspect_token, issue_token
from claviger_client.models import (
    CreatedKey,
    Error,
    Inactive,
    IntrospectTokenBody,
    IssueTokenBody,
    IssueTokenBodyGrantType,
    Key,
    KeyChange,
    KeyPreview,
    KeyStatus,
    NewKey,
    NewScope,
    NewScopeAction,
    RevokeKeyBody,
    Rotation,
    TokenAnswer,
)

ISSUER = os.environ["CLAVIGER_ISSUER"]
ORG = "default"

anonymous = Client(ISSUER, raise_on_unexpected_status=True)
admin = AuthenticatedClient(ISSUER, os.environ["CLAVIGER_ADMIN_KEY"], raise_on_unexpected_status=True)

created = create_key.sync(
    ORG,
    client=admin,
    body=NewKey(
        name="generated",
        project="default",
        environment="prd",
        scopes=[NewScope(NewScopeAction.READ, "reports/**")],
        expires_in="30d",
    ),
)
assert isinstance(created, CreatedKey) and created.key, created
assert (created.status, created.generation, created.expires_at.tzname()) == (KeyStatus.ACTIVE, 1, "UTC")
print("a key is made")


def token(key):
    body = IssueTokenBody(IssueTokenBodyGrantType.CLIENT_CREDENTIALS, client_id=created.id, client_secret=key)
    return issue_token.sync_detailed(client=anonymous, body=body)


issued = token(created.key).parsed
assert isinstance(issued, TokenAnswer) and issued.scope == "read:reports/**", issued
print("a token is issued for it")

page = list_keys.sync(ORG, client=admin, q="generated", limit=1)
assert [key.id for key in page.data] == [created.id], page
print("it is in the list")

preview = change_key.sync(ORG, created.id, client=admin, body=KeyChange(note="for the tests"), dry_run=True)
assert isinstance(preview, KeyPreview) and preview.changes["note"].to == "for the tests", preview
found = get_key.sync_detailed(ORG, created.id, client=admin)
assert found.parsed.note is None
version = found.headers["etag"]
changed = change_key.sync(ORG, created.id, client=admin, body=KeyChange(note="for the tests"), if_match=version)
assert isinstance(changed, Key) and changed.note == "for the tests", changed
late = change_key.sync(ORG, created.id, client=admin, body=KeyChange(note=None), if_match=version)
assert isinstance(late, Error) and late.error.code == "precondition_failed", late
print("it is changed once, by whoever saw its last version")

rotated = rotate_key.sync(ORG, created.id, client=admin, body=Rotation(overlap_seconds=0))
assert isinstance(rotated, CreatedKey) and rotated.key != created.key, rotated
assert token(created.key).status_code == 401
assert token(rotated.key).status_code == 200
print("it is rotated")

revoked = revoke_key.sync(ORG, created.id, client=admin, body=RevokeKeyBody(reason="the test is over"))
assert isinstance(revoked, Key) and revoked.status == KeyStatus.REVOKED, revoked
refused = token(rotated.key)
assert (refused.status_code, refused.parsed.error_description) == (401, "the key is revoked"), refused
introspected = introspect_token.sync(client=admin, body=IntrospectTokenBody(issued.access_token))
assert isinstance(introspected, Inactive), introspected
print("it is revoked, and its token with it")

trail = list_organization_audit.sync(ORG, client=admin, key=created.id, action="key.*")
changes = [event.action for event in reversed(trail.data) if event.action != "key.refused"]
assert changes == ["key.create", "key.change", "key.rotate", "key.revoke"], trail
print("all of it is in the trail")

forbidden = list_keys.sync(ORG, client=AuthenticatedClient(ISSUER, rotated.key))
assert isinstance(forbidden, Error) and forbidden.error.code == "key_revoked", forbidden
print("an error is read as one")

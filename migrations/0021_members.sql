-- The members of organizations, and of the deployment where organization is NULL. A member is known by (issuer, subject)
-- from the first sign-in on. Removed members leave their rows behind, without the e-mail address. generation grows when a
-- role takes something away. invitation_digest is of a code that only the link has.
CREATE TABLE members (
    id                    TEXT   NOT NULL PRIMARY KEY,
    created_seq           BIGINT NOT NULL UNIQUE,
    organization          TEXT   REFERENCES organizations (id),
    provider              TEXT   NOT NULL,
    issuer                TEXT,
    subject               TEXT,
    email                 TEXT   NOT NULL,
    email_folded          TEXT   NOT NULL,
    name                  TEXT   NOT NULL,
    role                  TEXT   NOT NULL,
    projects              TEXT   NOT NULL,
    generation            BIGINT NOT NULL,
    source                TEXT   NOT NULL,
    created_at            BIGINT NOT NULL,
    created_by            TEXT   NOT NULL,
    created_by_name       TEXT,
    last_seen_at          BIGINT,
    removed_at            BIGINT,
    invitation_digest     TEXT,
    invitation_expires_at BIGINT
);
CREATE INDEX members_by_place ON members ((COALESCE(organization, '')), created_seq);
CREATE INDEX members_by_email ON members ((COALESCE(organization, '')), email_folded);
CREATE INDEX members_by_subject ON members (issuer, subject);
CREATE UNIQUE INDEX members_by_identity ON members ((COALESCE(organization, '')), issuer, subject)
    WHERE removed_at IS NULL AND subject IS NOT NULL;
CREATE UNIQUE INDEX members_by_invitation ON members (invitation_digest) WHERE invitation_digest IS NOT NULL;

-- What a member of the deployment did is recorded as what an operator did.
CREATE INDEX audit_events_by_operator ON audit_events (operator_id, at, seq) WHERE operator_id IS NOT NULL;

-- A session of the console belongs to a key and a secret of it, or to a member. authenticated_at is when the member last
-- signed in at the provider. Sessions of earlier versions end.
DROP TABLE console_sessions;
CREATE TABLE console_sessions (
    digest           TEXT   NOT NULL PRIMARY KEY,
    id               TEXT   NOT NULL UNIQUE,
    key_id           TEXT,
    secret_id        TEXT,
    member_id        TEXT,
    authenticated_at BIGINT,
    address          TEXT,
    user_agent       TEXT,
    created_at       BIGINT NOT NULL,
    last_seen_at     BIGINT NOT NULL
);
CREATE INDEX console_sessions_by_last_seen ON console_sessions (last_seen_at);
CREATE INDEX console_sessions_by_key ON console_sessions (key_id, created_at);
CREATE INDEX console_sessions_by_member ON console_sessions (member_id, created_at);

-- One set of statements for SQLite and PostgreSQL. Times are Unix seconds; lifecycles are nullable
-- "…_at" columns; scopes and CIDRs are canonical text, parsed on read.

-- Every mutation takes the next change number first, so writers take turns, numbers become visible in
-- order, and other nodes can follow them.
CREATE TABLE sequences (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO sequences (name, value) VALUES ('changes', 0);

CREATE TABLE changes (
    seq     BIGINT NOT NULL PRIMARY KEY,
    kind    TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX changes_by_time ON changes (at);

-- One row, written by the bootstrap. The epoch names this history of changes; the check tells whether
-- a master key is the one that this store was made with.
CREATE TABLE deployment (
    id               BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch            TEXT   NOT NULL,
    master_key_check BYTEA  NOT NULL,
    created_at       BIGINT NOT NULL
);

-- Ids are never reused, so a deleted organization or project leaves its row behind.
-- Audiences: absolute URIs separated by spaces; NULL is "whatever the level above allows".
CREATE TABLE organizations (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    audiences  TEXT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE TABLE projects (
    organization TEXT   NOT NULL REFERENCES organizations (id),
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    environments TEXT   NOT NULL,
    audiences    TEXT,
    created_at   BIGINT NOT NULL,
    deleted_at   BIGINT,
    PRIMARY KEY (organization, id)
);

CREATE TABLE api_keys (
    id             TEXT   NOT NULL PRIMARY KEY,
    -- The change that made it: the order of lists, and what their cursors hold.
    created_seq    BIGINT NOT NULL UNIQUE,
    organization   TEXT   NOT NULL,
    project        TEXT   NOT NULL,
    environment    TEXT   NOT NULL,
    brand          TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    -- The name with ASCII letters in lower case, so that searching means the same on both databases.
    name_folded    TEXT   NOT NULL,
    note           TEXT,
    scopes         TEXT   NOT NULL,
    cidrs          TEXT   NOT NULL,
    generation     BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT   NOT NULL,
    expires_at     BIGINT,
    revoked_at     BIGINT,
    revoked_reason TEXT,
    last_used_at   BIGINT,
    FOREIGN KEY (organization, project) REFERENCES projects (organization, id)
);
CREATE INDEX api_keys_by_organization ON api_keys (organization, created_seq);
CREATE INDEX api_keys_by_project ON api_keys (organization, project, created_seq);

CREATE TABLE key_secrets (
    id           TEXT   NOT NULL PRIMARY KEY,
    key_id       TEXT   NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    hash         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    retired_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX key_secrets_by_key ON key_secrets (key_id);

CREATE TABLE revoked_tokens (
    jti        TEXT   NOT NULL PRIMARY KEY,
    key_id     TEXT   NOT NULL,
    revoked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX revoked_tokens_by_key ON revoked_tokens (key_id, expires_at);
CREATE INDEX revoked_tokens_by_end ON revoked_tokens (expires_at);

-- The private part is sealed under the master key, bound to the kid and the algorithm of its row.
CREATE TABLE signing_keys (
    kid            TEXT   NOT NULL PRIMARY KEY,
    algorithm      TEXT   NOT NULL,
    public_jwk     TEXT   NOT NULL,
    sealed_private BYTEA  NOT NULL,
    created_at     BIGINT NOT NULL,
    activates_at   BIGINT NOT NULL,
    withdrawn_at   BIGINT
);

CREATE TABLE audit_events (
    seq          BIGINT NOT NULL PRIMARY KEY,
    at           BIGINT NOT NULL,
    actor        TEXT   NOT NULL,
    address      TEXT,
    request_id   TEXT,
    action       TEXT   NOT NULL,
    organization TEXT,
    subject      TEXT   NOT NULL,
    before       TEXT,
    after        TEXT
);
CREATE INDEX audit_events_by_organization ON audit_events (organization, seq);

CREATE TABLE usage_hours (
    key_id TEXT   NOT NULL,
    hour   BIGINT NOT NULL,
    kind   TEXT   NOT NULL,
    count  BIGINT NOT NULL,
    PRIMARY KEY (key_id, hour, kind)
);
CREATE INDEX usage_hours_by_hour ON usage_hours (hour);

-- Administration: organizations and projects that are made and listed, a trail that can be searched, requests
-- that can be repeated.

-- The change that made it: the order of lists, and what their cursors hold.
ALTER TABLE organizations ADD COLUMN created_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN created_seq BIGINT NOT NULL DEFAULT 0;
CREATE INDEX organizations_by_creation ON organizations (created_seq);
CREATE INDEX projects_by_creation ON projects (organization, created_seq);

-- 1 for a key that may make keys everywhere. There are few, and the last one is not taken away unasked.
ALTER TABLE api_keys ADD COLUMN is_way_in BIGINT NOT NULL DEFAULT 0;
UPDATE api_keys SET is_way_in = 1 WHERE scopes LIKE '%*:claviger/**%' OR scopes LIKE '%write:claviger/**%';
CREATE INDEX api_keys_ways_in ON api_keys (id) WHERE is_way_in = 1 AND revoked_at IS NULL;
CREATE INDEX api_keys_by_creator ON api_keys (organization, created_by, created_seq);

-- The key that an event is about, where it is about one; its subject may be something of that key's. The family is
-- what the action begins with, up to its first point.
ALTER TABLE audit_events ADD COLUMN key_id TEXT;
ALTER TABLE audit_events ADD COLUMN family TEXT NOT NULL DEFAULT '';
UPDATE audit_events SET key_id = subject WHERE action LIKE 'key.%';
UPDATE audit_events SET family = CASE
    WHEN action LIKE 'key.%' THEN 'key'
    WHEN action LIKE 'token.%' THEN 'token'
    WHEN action LIKE 'signing#_key.%' ESCAPE '#' THEN 'signing_key'
    ELSE action
END;

-- A trail is read newest first, of one organization or of all, and narrowed by one thing as a rule: each index
-- gives its events in that order, so that a page reads no more of them than it shows.
DROP INDEX audit_events_by_organization;
CREATE INDEX audit_events_in_organization ON audit_events (organization, at, seq);
CREATE INDEX audit_events_in_organization_by_actor ON audit_events (organization, actor, at, seq);
CREATE INDEX audit_events_in_organization_by_action ON audit_events (organization, action, at, seq);
CREATE INDEX audit_events_in_organization_by_family ON audit_events (organization, family, at, seq);
CREATE INDEX audit_events_by_time ON audit_events (at, seq);
CREATE INDEX audit_events_by_key ON audit_events (key_id, at, seq);
CREATE INDEX audit_events_by_actor ON audit_events (actor, at, seq);
CREATE INDEX audit_events_by_action ON audit_events (action, at, seq);
CREATE INDEX audit_events_by_family ON audit_events (family, at, seq);

-- What was answered to a request that may come again (Idempotency-Key), without the secret that was in it.
-- The digest is of the body.
CREATE TABLE repeatable_requests (
    caller     TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    digest     BYTEA  NOT NULL,
    answer     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (caller, request)
);
CREATE INDEX repeatable_requests_by_time ON repeatable_requests (created_at);

-- Counts in buckets of an hour and of a day (span: 3600 or 86400 seconds; start: Unix seconds), once for each
-- key and once for each project, so that neither question reads more rows than its answer has numbers.
DROP TABLE usage_hours;
CREATE TABLE key_usage (
    key_id TEXT   NOT NULL,
    span   BIGINT NOT NULL,
    start  BIGINT NOT NULL,
    kind   TEXT   NOT NULL,
    count  BIGINT NOT NULL,
    PRIMARY KEY (key_id, span, start, kind)
);
CREATE INDEX key_usage_by_age ON key_usage (span, start);
CREATE TABLE project_usage (
    organization TEXT   NOT NULL,
    project      TEXT   NOT NULL,
    span         BIGINT NOT NULL,
    start        BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    count        BIGINT NOT NULL,
    PRIMARY KEY (organization, span, start, project, kind)
);
CREATE INDEX project_usage_by_age ON project_usage (span, start);

-- Sessions of a customers' portal, and the codes that open them. `digest` is that of the code until `opened_at`, and from then on
-- that of an id that only the browser has. A session holds only for as long as the key that made it does, and that key's
-- generation. `granted` says what it may do, as JSON.
CREATE TABLE portal_sessions (
    digest         TEXT   NOT NULL PRIMARY KEY,
    organization   TEXT   NOT NULL,
    subject        TEXT   NOT NULL,
    key_id         TEXT   NOT NULL,
    key_generation BIGINT NOT NULL,
    granted        TEXT   NOT NULL,
    lasts_seconds  BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    created_seq    BIGINT NOT NULL,
    opened_at      BIGINT,
    ends_at        BIGINT NOT NULL
);
CREATE INDEX portal_sessions_by_subject ON portal_sessions (organization, subject, created_seq);
CREATE INDEX portal_sessions_by_key ON portal_sessions (key_id);
CREATE INDEX portal_sessions_by_end ON portal_sessions (ends_at);

-- The keys that a portal's user has created: few among many. Only these are in the index, so it costs other keys nothing.
CREATE INDEX api_keys_by_portal_user ON api_keys (organization, created_by, created_seq)
    WHERE substr(created_by, 1, 7) = 'portal:';

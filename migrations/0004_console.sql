-- Who is signed in to the console. A row is no credential: its digest is of an id that only the browser has. It
-- holds only for as long as the key does, and the secret of it that the session was opened with.
CREATE TABLE console_sessions (
    digest       TEXT   NOT NULL PRIMARY KEY,
    key_id       TEXT   NOT NULL,
    secret_id    TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL
);
CREATE INDEX console_sessions_by_last_seen ON console_sessions (last_seen_at);

-- What the console's list can be sorted by, beside the creation.
CREATE INDEX api_keys_by_name ON api_keys (organization, name_folded, created_seq);
CREATE INDEX api_keys_by_end ON api_keys (organization, (COALESCE(expires_at, 253402300800)), created_seq);
